"""Who may do what over HTTP: each role at each address, tokens good and bad, passwords, anonymous readers, plain HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.quality import BAD_NO_COMMUNICATION
from runtime.servers.users import add_user, read_users, remove_user, set_password
from runtime.source import Report
from tests.aids.servers_process import eventually
from tests.aids.servers_rest import PASSWORD, RestSite, at_scan, raise_alarm, rest_site

API = "/api/v1"
WRITE = {"json": {"value": 1}}
# The role matrix: what nobody, viewer, operator, engineer and admin are told. The alarm is acknowledged by then: 409 is "may, but".
MATRIX = [
    ("GET", "/health", {}, (200, 200, 200, 200, 200)),
    ("GET", "/health/live", {}, (200, 200, 200, 200, 200)),
    ("GET", "/metrics", {}, (401, 200, 200, 200, 200)),
    ("GET", "/openapi.json", {}, (401, 200, 200, 200, 200)),
    ("GET", "/docs", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/tags", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/tags/bms.soc", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/values", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/alarms", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/alarms/events", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/alarms/statistics", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/devices", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/statistics", {}, (401, 200, 200, 200, 200)),
    ("GET", f"{API}/history/bms.soc", {}, (401, 404, 404, 404, 404)),
    ("GET", f"{API}/audit", {}, (401, 403, 403, 200, 200)),
    ("PUT", f"{API}/tags/hmi.p_set", WRITE, (401, 403, 200, 200, 200)),
    ("PUT", f"{API}/tags/hmi.limit", WRITE, (401, 403, 403, 200, 200)),
    ("PUT", f"{API}/tags/hmi.service", WRITE, (401, 403, 403, 403, 200)),
    ("PUT", f"{API}/tags/bms.soc", WRITE, (401, 403, 403, 403, 403)),
    ("PUT", f"{API}/tags/nope", WRITE, (401, 404, 404, 404, 404)),
    ("POST", f"{API}/alarms/door/acknowledge", {"json": {}}, (401, 403, 409, 409, 409)),
    ("POST", f"{API}/alarms/door/confirm", {"json": {}}, (401, 403, 409, 409, 409)),
    ("POST", f"{API}/alarms/nope/shelve", {"json": {"once": True}}, (401, 403, 404, 404, 404)),
    ("POST", f"{API}/alarms/door/unshelve", {"json": {}}, (401, 403, 409, 409, 409)),
    ("GET", "/", {}, (401, 404, 404, 404, 404)),
    ("DELETE", f"{API}/tags/hmi.p_set", {}, (401, 405, 405, 405, 405)),
    ("POST", f"{API}/tags", {"json": {}}, (401, 405, 405, 405, 405)),
    ("OPTIONS", f"{API}/tags", {}, (401, 405, 405, 405, 405)),
]
CELLS = [
    pytest.param(method, path, options, role, status, id=f"{method} {path} {role or 'nobody'}")
    for method, path, options, statuses in MATRIX
    for role, status in zip(("", "viewer", "operator", "engineer", "admin"), statuses, strict=True)
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestSite]:
    with rest_site(tmp_path_factory.mktemp("access")) as site:
        raise_alarm(site, "door")
        with site.client("operator") as client:
            assert client.post(f"{API}/alarms/door/acknowledge", json={}).status_code == 200
        yield site


@pytest.fixture(scope="module")
def clients(site: RestSite) -> Iterator[dict[str, httpx.Client]]:
    found = {role: site.client(role) for role in ("", "viewer", "operator", "engineer", "admin")}
    yield found
    for client in found.values():
        client.close()


def talk(plain: RestSite, role: str) -> httpx.Client:
    """A client of a site without TLS."""
    headers = {"authorization": f"Bearer {plain.tokens[role]}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{plain.port}", headers=headers, timeout=20)


@pytest.mark.parametrize(("method", "path", "options", "role", "status"), CELLS)
def test_role(site: RestSite, clients: Any, method: str, path: str, options: Any, role: str, status: int) -> None:
    site.scan.taken.clear()
    answer = clients[role].request(method, path, **options)
    assert answer.status_code == status, answer.text
    assert bool(site.scan.taken) == (method == "PUT" and status == 200)
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert (answer.headers["content-type"] == "application/problem+json") == (status >= 400)
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "said",
    [
        "Bearer nonsense",
        "Bearer",
        "Basic",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Digest username=x",
        "\xff\xfe",
        "Bearer \x01",
    ],
)
def test_a_wrong_login_is_refused_and_noted(site: RestSite, said: str) -> None:
    before = len(site.audit())
    with site.client() as client:
        answer = client.get(f"{API}/tags", headers={"authorization": said.encode("latin-1")})
    assert answer.status_code in (400, 401)
    if answer.status_code == 401:
        line = eventually(lambda: [line for line in site.audit()[before:] if line["event"] == "login"])[-1]
        assert line["level"] == "warning"


def test_passwords_over_tls(site: RestSite) -> None:
    with site.client() as client:
        assert client.get(f"{API}/tags", auth=("operator1", PASSWORD)).status_code == 200
        assert client.put(f"{API}/tags/hmi.p_set", auth=("operator1", PASSWORD), **WRITE).status_code == 200
        assert client.get(f"{API}/tags", auth=("operator1", "wrong")).status_code == 401
        assert client.get(f"{API}/tags", auth=("nobody", PASSWORD)).status_code == 401
    lines = eventually(lambda: [line for line in site.audit() if line["event"] == "login" and line["subject"] == "nobody"])
    assert lines[0]["level"] == "warning" and PASSWORD not in site.server.log()


def test_what_a_password_opened_ends_with_it_and_its_hash_is_shown_nowhere(site: RestSite) -> None:
    users = Path(site.order.users)
    add_user(users, "ida", "operator", PASSWORD)
    hashed = read_users(users, Report())["ida"].password
    with site.client() as client:
        asked = {"auth": ("ida", PASSWORD)}
        eventually(lambda: client.put(f"{API}/tags/hmi.p_set", **asked, **WRITE).status_code == 200)
        with client.stream("GET", f"{API}/events?every=0.05", **asked) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: values"
            set_password(users, "ida", f"{PASSWORD} of another")
            for _ in lines:  # until the server ends it
                pass
        assert client.get(f"{API}/tags", **asked).status_code == 401
    with site.client("engineer") as engineer:
        assert hashed.startswith("scrypt$") and hashed not in engineer.get(f"{API}/audit?limit=1000").text
    assert eventually(lambda: [line for line in site.audit() if line["user"] == "ida"]) and hashed not in site.server.log()


def test_a_flood_of_what_is_refused_is_counted_and_not_told_one_by_one(site: RestSite) -> None:
    """Writes and acknowledgements without the role, values out of range: of one host a hundred in a minute."""
    from_there = httpx.HTTPTransport(verify=site.context, local_address="127.0.0.2")
    with site.client("viewer", transport=from_there) as viewer, site.client("operator") as operator:
        for _ in range(50):
            assert viewer.put(f"{API}/tags/hmi.p_set", **WRITE).status_code == 403
            assert viewer.post(f"{API}/alarms/door/acknowledge", json={}).status_code == 403
            assert viewer.get(f"{API}/audit").status_code == 403
        assert operator.put(f"{API}/tags/hmi.p_set", **WRITE).status_code == 200
    told = eventually(lambda: [line for line in site.audit() if line["peer"].startswith("127.0.0.2:")])
    refused = [line for line in told if line["answer"].startswith("refused")]
    assert len(refused) == 100 and {line["event"] for line in refused} >= {"write", "acknowledge"}


def test_tokens_that_are_guessed_have_ended_or_were_taken_away(site: RestSite, tmp_path: Path) -> None:
    with at_scan(tmp_path, site.scan, tls="false") as plain, talk(plain, "viewer") as viewer, talk(plain, "engineer") as engineer:
        for _ in range(100):
            assert viewer.get(f"{API}/tags", headers={"authorization": "Bearer wrong"}).status_code == 401
        noted = eventually(lambda: [line for line in plain.audit() if line["event"] == "login"])
        assert len(noted) <= 20  # a guesser fills no disk, and locks nobody out
        users = Path(plain.order.users)
        assert viewer.get(f"{API}/tags").status_code == engineer.get(f"{API}/tags").status_code == 200
        with viewer.stream("GET", f"{API}/events?every=0.05") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: values"
            yesterday, later = (datetime.now(UTC).date() + timedelta(days=n) for n in (-1, 30))
            remove_user(users, "engineer1")
            assert str(later) in users.read_text()
            users.write_text(users.read_text().replace(str(later), str(yesterday)))
            eventually(lambda: viewer.get(f"{API}/tags").status_code == 401)
            assert engineer.get(f"{API}/tags").status_code == 401
            for _ in lines:  # the stream ends too, without being asked
                pass


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_client_that_does_not_know_the_certificate_goes_away(site: RestSite) -> None:
    with pytest.raises(httpx.ConnectError, match="self-signed"):
        httpx.get(f"https://127.0.0.1:{site.port}/health")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.maximum_version = old.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://127.0.0.1:{site.port}/health", verify=old)


def test_prometheus_reads_the_metrics(site: RestSite, clients: Any) -> None:
    site.scan.set("bms.cell_v", 3.25)
    site.scan.spoil("bms.current", BAD_NO_COMMUNICATION)

    def read() -> dict[str, Any]:
        families = text_string_to_metric_families(clients["viewer"].get("/metrics").text)
        return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}

    eventually(lambda: ("bessplc_tag", ("tag", "bms.current"), ("unit", "A")) not in read())
    found = read()
    assert found["bessplc_tag", ("tag", "bms.cell_v[8]"), ("unit", "V")] == 3.25
    assert found[("bessplc_tag_quality", ("tag", "bms.current"))] == 2 and found[("bessplc_up",)] == 1
    assert found["bessplc_alarm_active", ("alarm", "door"), ("severity", "warning")] == 1
    assert found["bessplc_device_state", ("device", "rack1")] == 0
    buckets = [found["bessplc_scan_seconds_bucket", ("le", le), ("step", "late")] for le in ("1.024e-06", "1.073741824", "+Inf")]
    assert buckets == sorted(buckets) and found["bessplc_scan_seconds_count", ("step", "late")] == buckets[-1]
    site.scan.spoil("bms.current", 0)


def test_a_site_that_lets_anybody_look(site: RestSite, tmp_path: Path) -> None:
    with at_scan(tmp_path, site.scan, tls="false", anonymous="viewer", metrics="open") as plain:
        url = f"http://127.0.0.1:{plain.port}"
        assert httpx.get(f"{url}/metrics").status_code == httpx.get(f"{url}{API}/tags").status_code == 200
        assert httpx.put(f"{url}{API}/tags/hmi.p_set", **WRITE).status_code == 403
        assert httpx.get(f"{url}{API}/tags", auth=("operator1", PASSWORD)).status_code == 401  # no password in the clear
        token = {"authorization": f"Bearer {plain.tokens['operator']}"}
        assert httpx.put(f"{url}{API}/tags/hmi.p_set", headers=token, **WRITE).status_code == 200
        assert httpx.get(f"{url}/openapi.json").json()["paths"]["/metrics"]["get"]["security"] == []


def test_only_networks_of_the_site_may_connect(site: RestSite, tmp_path: Path) -> None:
    with at_scan(tmp_path, site.scan, allow="192.0.2.0/24", tls="false") as closed:
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{closed.port}/health")
        assert eventually(lambda: closed.server.status()["turned_away"]) == 1
