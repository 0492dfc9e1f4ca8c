"""Who may look at the page and log in: cookies, wrong origins and host names, guessers, removed users."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hmi.settings import describe_hmi
from runtime.language.loader import read_yaml
from runtime.servers.users import remove_user
from runtime.source import Report
from tests.aids.servers_hmi import HmiSite, hmi_site
from tests.aids.servers_process import eventually
from tests.aids.servers_rest import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HmiSite]:
    with hmi_site(tmp_path_factory.mktemp("hmi")) as running:
        yield running


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HmiSite]:
    """A site that shows nothing to those who did not log in, and whose logins end soon without a touch."""
    with hmi_site(tmp_path_factory.mktemp("hmi"), anonymous="none", idle="2 s") as running:
        yield running


def test_a_site_shows_its_page_without_a_login_only_where_it_says_so(site: HmiSite, closed: HmiSite) -> None:
    assert site.client().get("/").status_code == 200
    answer = closed.client().get("/")
    assert answer.status_code == 303 and answer.headers["location"] == "/login?next=/"
    assert closed.client().get("/data/banner").status_code == 401
    with pytest.raises(InvalidStatus, match="401"):
        closed.live()
    assert "plant1" in closed.client().get("/login").text


@pytest.mark.parametrize("path", ["/health/live", "/loginx", "/_nicegui/x", "/static/x", "/alarms", "/login/../alarms"])
def test_no_path_leads_to_a_screen_past_the_login(closed: HmiSite, path: str) -> None:
    answer = closed.client().get(path)
    assert answer.status_code in (200, 303, 404) and "header" not in answer.text and "window.bess" not in answer.text


def test_a_login_gives_a_cookie_that_no_script_and_no_other_site_can_use(site: HmiSite) -> None:
    answer = site.client().post("/login", data={"name": "operator1", "password": PASSWORD, "next": "/alarms"})
    assert answer.status_code == 303 and answer.headers["location"] == "/alarms"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert "operator1" in site.client("operator1").get("/").text


@pytest.mark.parametrize("after", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"])
def test_a_login_leads_to_no_other_host(site: HmiSite, after: str) -> None:
    answer = site.client().post("/login", data={"name": "operator1", "password": PASSWORD, "next": after})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:1"])
def test_what_a_page_of_another_site_sends_is_refused(site: HmiSite, origin: str) -> None:
    client = site.client("operator1")
    headers = {"origin": origin} if origin else {}
    client.headers.pop("origin")
    for path in ("/login", "/logout"):
        assert client.post(path, headers=headers, data={"name": "operator1", "password": PASSWORD}).status_code == 403
    with pytest.raises(InvalidStatus, match="403"):
        site.live(client, origin=origin or "http://other.example")


def test_a_host_name_that_is_not_ours_is_refused(site: HmiSite) -> None:
    answer = site.client().get("/", headers={"host": "rebound.example"})
    assert answer.status_code == 403 and "`names:`" in answer.text
    assert site.client().get("/", headers={"host": f"localhost:{site.port}"}).status_code == 200


def test_every_answer_forbids_frames_foreign_scripts_and_guessing_types(site: HmiSite) -> None:
    for path in ("/", "/login", "/data/banner", "/static/hmi.js"):
        headers = site.client().get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    assert site.client().get("/").headers["cache-control"] == "no-store"


def test_the_page_fetches_nothing_from_another_host(site: HmiSite) -> None:
    page = site.client().get("/").text
    assert "https://" not in page.replace("https://localhost", "") and "//cdn" not in page


def test_a_wrong_password_says_nothing_of_which_part_was_wrong_and_is_noted(site: HmiSite) -> None:
    answers = [site.client().post("/login", data={"name": name, "password": "wrong"}) for name in ("engineer1", "nobody")]
    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].text == answers[1].text
    assert eventually(lambda: {"engineer1", "nobody"} <= {line["subject"] for line in site.audit() if "refused" in line["answer"]})


def test_a_guesser_is_locked_out_and_told_to_wait(tmp_path: Path) -> None:
    with hmi_site(tmp_path) as site:
        said = [site.client().post("/login", data={"name": "operator1", "password": str(n)}).text for n in range(8)]
        right = site.client().post("/login", data={"name": "operator1", "password": PASSWORD})
    assert "wait a moment" in said[-1] and right.status_code == 401


def test_logging_out_ends_the_session_for_good(site: HmiSite) -> None:
    client = site.client("operator1")
    kept = dict(client.cookies)
    assert client.post("/logout").status_code == 303
    again = httpx.Client(base_url=site.origin, cookies=kept)
    assert "operator1" not in again.get("/").text


def test_without_a_touch_a_login_ends_and_its_page_is_closed(closed: HmiSite) -> None:
    client = closed.client("operator1")
    with closed.live(client) as live:
        begun = time.monotonic()
        with pytest.raises(ConnectionClosed) as ended:
            while time.monotonic() < begun + 15:
                live.recv(timeout=5)
    assert ended.value.rcvd is not None and ended.value.rcvd.code == 4002
    assert client.get("/").status_code == 303


def test_a_touch_keeps_the_login(closed: HmiSite) -> None:
    client = closed.client("operator1")
    with closed.live(client) as live:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            live.send('{"touch": true}')
            live.recv(timeout=5)
    assert client.get("/").status_code == 200


def test_whoever_is_removed_from_the_users_is_out(tmp_path: Path) -> None:
    with hmi_site(tmp_path, anonymous="none") as site:
        client = site.client("operator1")
        assert client.get("/").status_code == 200
        remove_user(site.users, "operator1")
        eventually(lambda: client.get("/").status_code == 303, 10)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/login", 403), ("GET", "/../../etc/passwd", 200), ("GET", "/static/../settings.py", 404), ("PUT", "/", 405)],
)
def test_large_and_strange_requests_break_nothing(site: HmiSite, method: str, path: str, status: int) -> None:
    client = site.client()
    body = b"x" * 200_000 if method == "POST" else None
    assert client.request(method, path, content=body).status_code in (status, 404)
    assert client.get("/data/banner").status_code == 200


def test_the_checker_warns_of_passwords_in_the_clear() -> None:
    report = Report()
    section = read_yaml("config/site.yaml", "host: 0.0.0.0\ntls: false\nnames: [bad name]\nport: 99999\ncolour: red", report)
    describe_hmi(section, report)
    assert [problem.code for problem in report.problems if problem.code == "W922"] == ["W922"]
    said = " ".join(problem.message for problem in report.errors)
    assert "bad name" in said and "99999" in said and "`colour`" in said
