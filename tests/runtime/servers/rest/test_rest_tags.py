"""The HTTP API as an integrator meets it: httpx is the client, the server its own process over TLS and a real image."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.engine import north
from runtime.quality import BAD_NO_COMMUNICATION
from tests.aids.servers_process import eventually
from tests.aids.servers_rest import RestSite, raise_alarm, record, rest_site, say_fieldbus

API = "/api/v1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestSite]:
    with rest_site(tmp_path_factory.mktemp("rest")) as site:
        yield site


@pytest.fixture(scope="module")
def engineer(site: RestSite) -> Iterator[httpx.Client]:
    with site.client("engineer") as client:
        yield client


@pytest.fixture(autouse=True)
def _untouched(site: RestSite) -> Iterator[None]:
    site.scan.taken.clear()
    yield
    site.scan.answer, site.scan.silent, site.scan.frozen = 0, False, False
    for name in site.scan.by_name:
        site.scan.spoil(name, 0)


def put(client: httpx.Client, name: str, value: Any, **more: Any) -> httpx.Response:
    return client.put(f"{API}/tags/{name}", json={"value": value, **more})


def problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """The problem details of RFC 9457, section 3."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status and told["reason"] == reason
    assert told["type"] == "about:blank" and told["title"] == {422: "Unprocessable Content"}.get(status, answer.reason_phrase)
    assert told["detail"]
    return told


def test_a_tag_is_shown_with_all_that_is_known_of_it(site: RestSite, engineer: httpx.Client) -> None:
    site.scan.set("bms.soc", 61.5)
    eventually(lambda: engineer.get(f"{API}/tags/bms.soc").json()["tag"]["value"] == 61.5)
    tag = engineer.get(f"{API}/tags/BMS.SOC").json()["tag"]
    assert tag["name"] == "bms.soc" and tag["unit"] == "%" and tag["range"] == {"minimum": 0.0, "maximum": 100.0}
    assert tag["quality"] == "Good" and tag["good"] is True and tag["kind"] == "input" and tag["write"] == ""
    told = datetime.fromisoformat(tag["time"])
    assert abs(datetime.now(UTC) - told) < timedelta(seconds=10)


def test_names_with_brackets_are_url_encoded(site: RestSite, engineer: httpx.Client) -> None:
    assert engineer.get(f"{API}/tags/rack%5B1%5D.soc").json()["tag"]["name"] == "rack[1].soc"
    assert put(engineer, "rack%5B1%5D.soc", 7).json()["tag"] == "rack[1].soc"
    assert site.scan.get("rack[1].soc") == 7.0


@pytest.mark.parametrize("name", ["nope", "a%0D%0AX-Evil:%201", "bms.soc%00", "..%2Fbms.soc", "%C3%A9", "x" * 3000])
def test_a_strange_name_is_a_tag_that_there_is_not(engineer: httpx.Client, name: str) -> None:
    for answer in (engineer.get(f"{API}/tags/{name}"), put(engineer, name, 1)):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert "x-evil" not in answer.headers


def test_tags_are_listed_by_pattern_kind_and_page(engineer: httpx.Client) -> None:
    def names(**asked: Any) -> list[str]:
        return [tag["name"] for tag in engineer.get(f"{API}/tags", params=asked).json()["items"]]

    assert names(match="BMS.*") == ["bms.soc", "bms.current", "bms.cell_v", "bms.ok", "bms.cycles"]
    assert names(match="rack[1]*") == ["rack[1].soc"]
    assert names(match="hmi.?et", kind="memory") == []
    assert names(kind="system") == ["plc.overruns"]
    page = engineer.get(f"{API}/tags", params={"match": "bms.*", "limit": 2, "offset": 2}).json()
    assert [tag["name"] for tag in page["items"]] == ["bms.cell_v", "bms.ok"]
    assert (page["total"], page["next"]) == (5, 4)
    assert engineer.get(f"{API}/tags", params={"match": "bms.*", "limit": 2, "offset": 4}).json()["next"] is None


def test_a_word_that_is_not_known_is_a_mistake(engineer: httpx.Client) -> None:
    told = problem(engineer.get(f"{API}/tags?limt=3"), 422, "invalid-request")
    assert "limt" in told["detail"]


def test_values_of_one_answer_are_of_one_scan(site: RestSite, engineer: httpx.Client) -> None:
    stop = threading.Event()

    def spin() -> None:
        number = 0
        while not stop.wait(0.001):
            number += 1
            with site.scan._lock:
                site.scan.column("bms.soc")[:] = site.scan.column("bms.current")[:] = number % 100

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        eventually(lambda: engineer.get(f"{API}/values?tags=bms.current").json()["values"]["bms.current"] > 0)
        for _ in range(100):
            found = engineer.get(f"{API}/values?tags=bms.soc,bms.current").json()
            assert found["values"]["bms.soc"] == found["values"]["bms.current"] and found["scan"] > 0
    finally:
        stop.set()
        thread.join()


def test_values_that_are_not_good_are_named(site: RestSite, engineer: httpx.Client) -> None:
    site.scan.spoil("bms.soc", BAD_NO_COMMUNICATION)
    eventually(lambda: engineer.get(f"{API}/values?match=bms.*").json()["quality"] == {"bms.soc": "Bad_NoCommunication"})
    site.scan.set("bms.current", float("nan"))
    assert eventually(lambda: engineer.get(f"{API}/values?tags=bms.current").json()["values"]["bms.current"] is None)
    site.scan.set("bms.current", 0.0)
    problem(engineer.get(f"{API}/values?tags=bms.soc,nope"), 404, "no-such-tag")


def test_a_silent_scan_has_no_good_value(site: RestSite, engineer: httpx.Client) -> None:
    site.scan.frozen = True
    eventually(lambda: engineer.get(f"{API}/tags/bms.soc").json()["state"] == "no scan")
    told = engineer.get(f"{API}/tags?limit=1000").json()
    assert len(told["items"]) == told["total"] and not any(tag["good"] for tag in told["items"])
    assert "Uncertain_LastUsableValue" in {tag["quality"] for tag in told["items"]}
    problem(put(engineer, "hmi.p_set", 1), 503, "no-scan")
    with site.client() as anybody:
        assert anybody.get("/health").status_code == 503
        assert anybody.get("/health/live").json() == {"live": True, "ready": False, "state": "no scan"}
    assert "bessplc_tag{" not in engineer.get("/metrics").text
    site.scan.frozen = False
    eventually(lambda: engineer.get("/health").status_code == 200)


def test_a_write_answers_when_the_scan_has_taken_it(site: RestSite, engineer: httpx.Client) -> None:
    done = put(engineer, "hmi.p_set", 42.5)
    assert done.status_code == 200
    told = done.json()
    assert (told["tag"], told["value"], told["element"], told["answer"]) == ("hmi.p_set", 42.5, None, "taken")
    assert ("hmi.p_set", 0, 42.5, "engineer") in site.scan.taken
    read = engineer.get(f"{API}/tags/hmi.p_set").json()
    assert read["tag"]["value"] == 42.5 and read["scan"] >= told["scan"] > 0
    line = eventually(lambda: [line for line in site.audit() if line["event"] == "write" and line["scan"] == told["scan"]])[0]
    assert (line["user"], line["role"], line["tag"], line["value"]) == ("engineer1", "engineer", "hmi.p_set", 42.5)


@pytest.mark.parametrize(
    ("name", "value"), [("hmi.enable", True), ("hmi.limit", -3), ("hmi.limit", 3.0), ("hmi.count", 2**62), ("hmi.delay", -5)]
)
def test_every_type_is_written_exactly(site: RestSite, engineer: httpx.Client, name: str, value: Any) -> None:
    assert put(engineer, name, value).json()["value"] == value
    assert engineer.get(f"{API}/tags/{name}").json()["tag"]["value"] == value == site.scan.get(name)


def test_an_array_is_written_by_element(site: RestSite, engineer: httpx.Client) -> None:
    assert put(engineer, "hmi.steps", 5, element=3).json()["element"] == 3
    assert site.scan.get("hmi.steps") == [0.0, 0.0, 5.0]
    problem(put(engineer, "hmi.steps", 5), 422, "no-such-element")
    problem(put(engineer, "hmi.steps", 5, element=4), 422, "no-such-element")
    problem(put(engineer, "hmi.p_set", 5, element=2), 422, "no-such-element")


@pytest.mark.parametrize(
    ("name", "body", "status", "reason"),
    [
        ("hmi.p_set", '{"value": "1"}', 422, "invalid-request"),
        ("hmi.p_set", '{"value": true}', 422, "wrong-type"),
        ("hmi.p_set", '{"value": null}', 422, "invalid-request"),
        ("hmi.p_set", '{"value": [1]}', 422, "invalid-request"),
        ("hmi.p_set", '{"value": NaN}', 400, "not-json"),
        ("hmi.p_set", '{"value": 1e999}', 400, "not-json"),
        ("hmi.p_set", '{"value": 501}', 422, "out-of-range"),
        ("hmi.p_set", '{"value": 1, "vlaue": 2}', 422, "invalid-request"),
        ("hmi.p_set", "{}", 422, "invalid-request"),
        ("hmi.p_set", "", 400, "not-json"),
        ("hmi.p_set", "[" * 60000, 400, "not-json"),
        ("hmi.enable", '{"value": 1}', 422, "wrong-type"),
        ("hmi.limit", '{"value": 1.5}', 422, "wrong-type"),
        ("hmi.limit", '{"value": 4294967297}', 422, "out-of-range"),
        ("hmi.count", '{"value": 9223372036854775808}', 422, "out-of-range"),
        ("hmi.count", '{"value": 1e30}', 422, "out-of-range"),
        ("hmi.steps", '{"value": 1, "element": "1"}', 422, "invalid-request"),
        ("hmi.steps", '{"value": 1, "element": 0}', 422, "invalid-request"),
        ("bms.soc", '{"value": 1}', 403, "not-writable"),
        ("hmi.service", '{"value": 1}', 403, "role-too-low"),
    ],
)
def test_what_cannot_be_written_is_refused_and_noted(
    site: RestSite, engineer: httpx.Client, name: str, body: str, status: int, reason: str
) -> None:
    before = len(site.audit())  # the log is written by a thread of its own
    answer = engineer.put(f"{API}/tags/{name}", content=body, headers={"content-type": "application/json"})
    problem(answer, status, reason)
    assert site.scan.taken == []
    line = eventually(lambda: site.audit()[before:])[-1]
    assert (line["event"], line["tag"], line["user"], line["level"]) == ("write", name, "engineer1", "warning")


def test_a_body_that_does_not_say_that_it_is_json_is_not_read(engineer: httpx.Client) -> None:
    problem(engineer.put(f"{API}/tags/hmi.p_set", content='{"value": 1}'), 415, "not-json")
    form = {"content-type": "application/x-www-form-urlencoded"}
    problem(engineer.put(f"{API}/tags/hmi.p_set", content="value=1", headers=form), 415, "not-json")


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (north.NOT_WRITABLE, 403, "not-writable"),
        (north.ROLE_TOO_LOW, 403, "role-too-low"),
        (north.OUT_OF_RANGE, 422, "out-of-range"),
        (north.NOT_FINITE, 422, "not-finite"),
        (north.UNKNOWN_TAG, 404, "no-such-tag"),
        (north.BAD_ELEMENT, 422, "no-such-element"),
        (north.REMOTE_LOCKED, 409, "local-control"),
        (north.NOT_RUNNING, 409, "scan-stopped"),
    ],
)
def test_the_scan_has_the_last_word(site: RestSite, engineer: httpx.Client, said: int, status: int, reason: str) -> None:
    site.scan.answer = said
    told = problem(put(engineer, "hmi.p_set", 1), status, reason)
    assert told["detail"] == north.ANSWERS[said]


def test_a_scan_that_does_not_answer_is_a_time_out(site: RestSite, engineer: httpx.Client) -> None:
    site.scan.silent = True
    problem(put(engineer, "hmi.p_set", 1), 504, "no-answer")


def test_devices_by_their_tags_and_their_drivers(site: RestSite, engineer: httpx.Client) -> None:
    say_fieldbus(site.scan.folder)
    site.scan.set("device.rack1.state", 2)
    site.scan.set("device.rack1.errors", 7)
    eventually(lambda: engineer.get(f"{API}/devices").json()["items"][0]["errors"] == 7)
    told = engineer.get(f"{API}/devices").json()
    assert told["outputs"] == "live"
    device = told["items"][0]
    assert (device["name"], device["state"], device["lost"], device["last_good"]) == ("rack1", "online", False, None)
    assert device["status"]["driver"] == "can"


def test_statistics_of_the_scan(engineer: httpx.Client) -> None:
    told = engineer.get(f"{API}/statistics").json()
    assert told["state"] == "running" and told["tick_ms"] == 10 and told["overruns"] == 0
    assert set(told["steps"]) == {"late", "period error", "latch", "command", "run", "publish", "scan"}
    assert set(told["tasks"]["control"]) >= {"p50", "p99", "greatest", "count"}


def test_an_alarm_is_acknowledged_once(site: RestSite, engineer: httpx.Client) -> None:
    raise_alarm(site, "cell_hot_h")
    told = eventually(lambda: (found := engineer.get(f"{API}/alarms").json())["active"] and found)
    alarm = told["items"][0]
    assert told["active"] == 1 and (alarm["name"], alarm["acknowledged"], alarm["value"]) == ("cell_hot_h", False, 51.5)
    assert alarm["active_at"].startswith("2023-11-14T22:13:20")
    url = f"{API}/alarms/CELL_HOT_H/acknowledge"
    problem(engineer.post(url, json={"event": alarm["event"] + 1000}), 409, "refused")
    done = engineer.post(url, json={"comment": "seen", "event": alarm["event"]})
    assert done.status_code == 200, done.text
    assert (done.json()["acknowledged_by"], done.json()["comment"]) == ("engineer1", "seen")
    problem(engineer.post(url, json={}), 409, "refused")
    problem(engineer.post(f"{API}/alarms/nope/acknowledge", json={}), 404, "no-such-alarm")
    problem(engineer.post(url, json={"comment": 1}), 422, "invalid-request")
    events = engineer.get(f"{API}/alarms/events?after=0").json()
    assert [event["kind"] for event in events["items"]][-2:] == ["active", "acknowledged"]
    assert engineer.get(f"{API}/alarms/events?after={events['last']}").json() == {"items": [], "last": events["last"]}
    levels = ["warning", "info", "warning", "warning", "warning"]
    eventually(lambda: [line["level"] for line in site.audit() if line["event"] == "acknowledge"] == levels)


def test_an_alarm_is_shelved_and_taken_back(site: RestSite, engineer: httpx.Client) -> None:
    raise_alarm(site, "door")
    shelve, unshelve = f"{API}/alarms/DOOR/shelve", f"{API}/alarms/door/unshelve"
    for wrong in ({}, {"seconds": 60, "once": True}, {"seconds": 0}, {"seconds": "60"}, {"once": 1}, {"until": 5}):
        problem(engineer.post(shelve, json=wrong), 422, "invalid-request")
    long = engineer.post(shelve, json={"seconds": 30_000})
    problem(long, 409, "refused")
    assert long.json()["detail"] == "refused: it may be shelved for 8 h at most"
    done = engineer.post(shelve, json={"seconds": 3600, "comment": "painters"})
    assert done.status_code == 200, done.text
    assert (done.json()["shelved"], done.json()["shelved_by"], done.json()["comment"]) == ("timed", "engineer1", "painters")
    assert done.json()["active"] and done.json()["shelved_until"] and done.json()["shelve_most"] == 8 * 3600
    told = engineer.get(f"{API}/alarms").json()
    assert (told["shelved"], told["suppressed"]) == (1, 0)
    assert told["active"] == sum(item["active"] and item["name"] != "door" for item in told["items"]), "it is out of sight"
    problem(engineer.post(shelve, json={"once": True}), 409, "refused")
    assert engineer.post(unshelve, json={}).json()["shelved"] is None
    problem(engineer.post(unshelve, json={}), 409, "refused")
    assert engineer.post(shelve, json={"once": True}).json()["shelved"] == "one shot"
    site.scan.set("alarm.door", 0)
    newest = engineer.get(f"{API}/alarms/events?limit=1000").json()["items"]
    assert [(event["kind"], event["note"]) for event in newest if event["alarm"] == "door"][-3:] == [
        ("shelved", "for 1 h"),
        ("unshelved", ""),
        ("shelved", "one shot"),
    ]

    def taken() -> list[dict[str, Any]]:
        deeds = engineer.get(f"{API}/audit?subject=door").json()["items"]
        return [deed for deed in deeds if deed["taken"] and deed["action"].endswith("shelve")]

    eventually(lambda: len(taken()) == 3)
    new = {deed["action"]: deed["new"] for deed in taken()}
    assert new == {"shelve": {"seconds": 3600, "once": False, "comment": "painters"}, "unshelve": None}


def test_metrics_tell_of_a_flood_while_the_records_run(site: RestSite, engineer: httpx.Client) -> None:
    said = site.scan.folder / "records.json"
    said.write_text('{"listening": "records.sqlite", "pid": 1, "shelved": 2, "lately": 11, "flood": 1}')
    text = engineer.get("/metrics").text
    assert "bessplc_alarm_flood 1.0" in text and "bessplc_alarms_shelved 2.0" in text and "bessplc_alarms_10_minutes 11.0" in text
    assert "bessplc_alarms_suppressed 0.0" in text
    os.utime(said, (0, 0))  # the process was killed: what it wrote last says nothing of now
    assert "bessplc_alarm_flood" not in engineer.get("/metrics").text
    said.unlink()


def test_statistics_of_alarms_of_a_time(site: RestSite, engineer: httpx.Client) -> None:
    raise_alarm(site, "cell_hot_h", at=1_700_002_500_000_000_000)
    found = engineer.get(f"{API}/alarms/statistics", params={"end": "2023-11-14T23:00:00Z"}).json()
    # the file began after that: such a span is ten minutes at least
    assert (found["alarms"], found["since"], found["until"]) == (1, "2023-11-14T22:50:00.000000Z", "2023-11-14T23:00:00.000000Z")
    assert found["severities"] == {"critical": {"alarms": 1, "share": 100.0}} and found["per_hour"] == 6
    assert {target["verdict"] for target in found["targets"]} <= {"good", "manageable", "too many"}
    problem(engineer.get(f"{API}/alarms/statistics?start=yesterday"), 422, "invalid-request")


def test_the_audit_log_says_who_wrote(engineer: httpx.Client) -> None:
    put(engineer, "hmi.p_set", 11.25)

    def newest() -> dict[str, Any]:
        items = engineer.get(f"{API}/audit?subject=hmi.p_set&limit=1").json()["items"]
        return items[0] if items else {}

    eventually(lambda: newest().get("new") == 11.25)
    assert (newest()["user"], newest()["service"], newest()["taken"]) == ("engineer1", "rest", True)
    lines = engineer.get(f"{API}/audit?subject=hmi.p_set").json()["items"]
    assert [line["new"] for line in lines].count(11.25) == 1, "one write is one line"
    problem(engineer.get(f"{API}/audit?start=yesterday"), 422, "invalid-request")


def test_history_of_what_is_not_recorded(engineer: httpx.Client) -> None:
    problem(engineer.get(f"{API}/history/bms.soc"), 404, "not-recorded")


def test_recorded_values_of_a_time(site: RestSite, engineer: httpx.Client) -> None:
    record(site, "bms.soc", [(1_700_000_000_000_000_000 + n * 10**9, 50.0 + n) for n in range(5)])
    asked = {"start": "2023-11-14T22:13:21Z", "end": "2023-11-14T22:13:24Z", "limit": 2}
    told = engineer.get(f"{API}/history/BMS.SOC", params=asked).json()
    assert (told["tag"], told["unit"], told["more"]) == ("bms.soc", "%", True)
    assert told["items"] == [{"time": f"2023-11-14T22:13:2{n}.000000Z", "value": 50.0 + n, "quality": "Good"} for n in (1, 2)]
    problem(engineer.get(f"{API}/history/bms.soc?start=1900-01-01T00:00:00Z"), 422, "invalid-request")
    problem(engineer.get(f"{API}/history/bms.soc?limit=0"), 422, "invalid-request")


def test_values_are_followed_as_they_change(site: RestSite, engineer: httpx.Client) -> None:
    site.scan.set("bms.soc", 1.0)
    eventually(lambda: engineer.get(f"{API}/values?tags=bms.soc").json()["values"]["bms.soc"] == 1.0)
    with engineer.stream("GET", f"{API}/events?tags=bms.soc,bms.ok&every=0.05") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = (httpx.Response(200, content=line[6:]).json() for line in answer.iter_lines() if line.startswith("data: "))
        assert next(told)["values"] == {"bms.soc": 1.0, "bms.ok": False}
        site.scan.set("bms.soc", 2.0)
        assert next(told)["values"] == {"bms.soc": 2.0}
    problem(engineer.get(f"{API}/events?tags=nope"), 404, "no-such-tag")


def test_a_pattern_that_was_asked_for_before_does_not_answer_for_names(engineer: httpx.Client) -> None:
    """`tags=hmi.p_set,` names a second tag, which has no name."""
    assert list(engineer.get(f"{API}/values?match=hmi.p_set").json()["values"]) == ["hmi.p_set"]
    problem(engineer.get(f"{API}/values?tags=hmi.p_set,"), 404, "no-such-tag")


def test_no_page_loads_anything_from_elsewhere(engineer: httpx.Client) -> None:
    page = engineer.get("/docs")
    assert page.status_code == 200 and "/api/v1/tags/{name}" in page.text
    assert "http:" not in page.text and "https:" not in page.text and "<script" not in page.text


def test_folder_of_the_certificate_is_private(site: RestSite) -> None:
    own = Path(site.state) / "pki" / "own"
    assert (own.stat().st_mode & 0o777, (own / "key.pem").stat().st_mode & 0o777) == (0o700, 0o600)
