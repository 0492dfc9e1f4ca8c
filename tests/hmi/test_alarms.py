"""The screen of alarms: what stands in which list, what a page may ask for, and who may do what to an alarm."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from blocks import catalogue
from hmi.alarm_lists import LIMIT_PINS
from hmi.event_lists import deed_told
from hmi.hall import Visit
from hmi.measures import Measures
from hmi.screens.alarms import Wanted, settle_all, wanted_of
from hmi.texts import LOGIN_NEEDED
from runtime.servers.audit import Deed
from runtime.servers.records.states import Change, declared
from tests.aids.hmi_hall import TestHall, hall_over
from tests.aids.servers_rest import ALARMS

HOT, DOOR = "cell_hot_h", "door"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TestHall]:
    with hall_over(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHall]:
    """A site where nothing is changed."""
    with hall_over(tmp_path_factory.mktemp("quiet")) as made:
        yield made


def come(site: TestHall, *names: str, value: float = 51.5, note: str = "") -> None:
    """These alarms become active, and the records know it."""
    for name in names:
        site.scan.set(f"alarm.{name}", 1)
    records = site.hall.records
    assert records is not None
    records.declare(map(declared, ALARMS), confirm=False)
    records.change([Change(name, time.time_ns(), True, value=value, note=note) for name in names])
    time.sleep(0.05)
    site.hall.picture.look()
    site.hall.alarms.forget()


def go(site: TestHall, name: str) -> None:
    site.scan.set(f"alarm.{name}", 0)
    assert site.hall.records is not None
    site.hall.records.change([Change(name, time.time_ns(), False)])
    time.sleep(0.05)
    site.hall.picture.look()
    site.hall.alarms.forget()


def get(site: TestHall, path: str, role: str = "viewer", **headers: str) -> httpx.Response:
    return site.get(path, role, **headers)


def listed(site: TestHall, name: str) -> list[str]:
    return [item["name"] for item in get(site, f"/data/alarms?list={name}").json()["items"]]


def settle(visit: Visit, action: str, *names: str, event: int = 0, seconds: float | None = None, comment: str = "") -> str:
    visit.hall.alarms.forget()
    return asyncio.run(settle_all(visit, Wanted(action, tuple((name, event) for name in names), comment, seconds)))


def test_an_alarm_that_is_shelved_stands_apart_until_it_is_taken_off_the_shelf(site: TestHall) -> None:
    come(site, HOT, DOOR)
    assert listed(site, "active") == [HOT, DOOR]  # critical first
    assert settle(site.visit("operator"), "shelve", DOOR, seconds=600, comment="known") == ""
    assert listed(site, "active") == listed(site, "unacknowledged") == [HOT]
    assert listed(site, "shelved") == [DOOR]
    assert settle(site.visit("operator"), "unshelve", DOOR) == ""
    assert listed(site, "unacknowledged") == [HOT, DOOR]


def test_a_cleared_alarm_waits_for_somebody_to_see_it(site: TestHall) -> None:
    come(site, HOT)
    go(site, HOT)
    assert listed(site, "active") == []
    assert listed(site, "unacknowledged") == [HOT]
    assert settle(site.visit("operator"), "acknowledge", HOT, comment="seen") == ""
    assert listed(site, "unacknowledged") == []
    item = get(site, f"/data/alarms/{HOT}").json()["alarm"]
    assert (item["acknowledged_by"], item["comment"], item["unit"], item["value"]) == ("operator1", "seen", "%", 51.5)


def test_an_alarm_that_came_again_since_it_was_seen_is_not_acknowledged(site: TestHall) -> None:
    come(site, HOT)
    seen = get(site, f"/data/alarms/{HOT}").json()["alarm"]["event"]
    go(site, HOT)
    come(site, HOT)
    assert settle(site.visit("operator"), "acknowledge", HOT, event=seen) == "a newer event"
    assert listed(site, "unacknowledged") == [HOT]


def test_nothing_is_sent_again_while_nothing_changed(site: TestHall) -> None:
    come(site, HOT)
    first = get(site, "/data/alarms")
    same = get(site, "/data/alarms", **{"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    come(site, DOOR)
    assert get(site, "/data/alarms", **{"if-none-match": first.headers["etag"]}).status_code == 200


def test_who_may_not_is_told_why_and_changes_nothing(site: TestHall) -> None:
    come(site, HOT, DOOR)
    assert settle(site.visit("viewer"), "acknowledge", HOT, DOOR) == LOGIN_NEEDED.format(role="operator")
    assert listed(site, "unacknowledged") == [HOT, DOOR]
    assert [deed.taken for deed in site.deeds("acknowledge")] == [False]


def test_of_several_alarms_those_that_were_refused_are_named(site: TestHall) -> None:
    come(site, HOT, DOOR)
    assert settle(site.visit("operator"), "acknowledge", HOT) == ""
    assert settle(site.visit("operator"), "acknowledge", HOT, DOOR) == "1 of 2 refused: cell_hot_h: acknowledged already"
    assert listed(site, "unacknowledged") == []


def test_an_alarm_is_not_shelved_for_longer_than_the_site_allows(site: TestHall) -> None:
    come(site, HOT)
    assert "8 h at most" in settle(site.visit("operator"), "shelve", HOT, seconds=8 * 3600 + 1)


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        "acknowledge",
        {},
        {"action": "acknowledge", "alarms": []},
        {"action": "remove", "alarms": [{"name": HOT}]},
        {"action": ["acknowledge"], "alarms": [{"name": HOT}]},
        {"action": "acknowledge", "alarms": [{"name": "no such alarm"}]},
        {"action": "acknowledge", "alarms": [{"name": HOT, "event": "1; DROP TABLE alarm"}]},
        {"action": "acknowledge", "alarms": [{"name": HOT, "event": True}]},
        {"action": "acknowledge", "alarms": [{"name": HOT, "event": 2**63}]},
        {"action": "acknowledge", "alarms": [{"name": HOT, "event": -1}]},
        {"action": "acknowledge", "alarms": [HOT]},
        {"action": "acknowledge", "alarms": [{"name": HOT}] * 1001},
        {"action": "acknowledge", "alarms": [{"name": HOT}], "comment": 7},
        {"action": "shelve", "alarms": [{"name": HOT}], "seconds": float("nan")},
        {"action": "shelve", "alarms": [{"name": HOT}], "seconds": -600},
        {"action": "shelve", "alarms": [{"name": HOT}], "seconds": True},
        {"action": "shelve", "alarms": [{"name": HOT}], "seconds": "600"},
    ],
)
def test_what_no_page_of_ours_asks_for_is_not_done(quiet: TestHall, asked: Any) -> None:
    assert wanted_of(quiet.visit("operator"), asked) is None


def test_a_deed_of_a_page_is_bounded(quiet: TestHall) -> None:
    twice = [{"name": HOT.upper(), "event": 7}, {"name": HOT, "event": 7}]
    wanted = wanted_of(quiet.visit("operator"), {"action": "acknowledge", "alarms": twice, "comment": " x" * 900})
    assert wanted is not None and wanted.alarms == ((HOT, 7),) and len(wanted.comment) == 500


@pytest.mark.parametrize(
    "path",
    [
        "/data/alarms?list=everything",
        "/data/alarms?limit=0",
        "/data/alarms?limit=1001",
        "/data/alarms?severity=grave",
        "/data/alarms?text=" + "x" * 201,
        "/data/events?limit=501",
        "/data/events?at=-1",
        "/data/events?at=20000",
        "/data/events?end=9999999999999999",
        "/data/log?start=now",
        "/data/performance?hours=0",
    ],
)
def test_a_question_that_is_none_is_refused_in_words(quiet: TestHall, path: str) -> None:
    answer = get(quiet, path)
    assert answer.status_code == 422 and answer.json()["detail"][0]["msg"]


def test_an_alarm_that_there_is_not_is_said_in_plain_text(quiet: TestHall) -> None:
    answer = get(quiet, "/data/alarms/%3Cimg%20src=x%20onerror=alert(1)%3E")
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/plain")


def test_an_alarm_whose_value_is_no_number_is_shown_all_the_same(site: TestHall) -> None:
    come(site, HOT, value=float("nan"))
    assert get(site, "/data/alarms").json()["items"][0]["value"] is None
    assert get(site, "/data/events").json()["items"][0]["value"] is None


def test_a_comment_is_no_formula_in_a_spreadsheet(site: TestHall) -> None:
    come(site, HOT)
    settle(site.visit("operator"), "acknowledge", HOT, comment='=HYPERLINK("http://evil"),"\r\nx')
    answer = get(site, "/data/events?csv=true&kind=acknowledged")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["comment"] for row in rows] == ['\'=HYPERLINK("http://evil"),"\r\nx']
    assert rows[0]["who"] == "operator1" and rows[0]["time"].endswith("Z")


def test_the_history_is_searched_and_read_page_by_page(site: TestHall) -> None:
    for _ in range(5):
        come(site, HOT)
        go(site, HOT)
    first = get(site, "/data/events?limit=4&kind=active").json()
    second = get(site, f"/data/events?limit=4&kind=active&at={first['older']}&end={first['end']}").json()
    numbers = [item["number"] for item in (*first["items"], *second["items"])]
    assert len(numbers) == 5 and numbers == sorted(numbers, reverse=True) and second["older"] is None
    assert get(site, "/data/events?text=door").json()["items"] == []


def test_only_engineers_read_who_did_what(site: TestHall) -> None:
    come(site, HOT)
    settle(site.visit("operator"), "acknowledge", HOT, comment="seen")
    site.deeds("acknowledge")
    refused = get(site, "/data/deeds", "operator")
    assert refused.status_code == 403 and "engineer" in refused.text
    found = get(site, "/data/deeds?text=seen", "engineer").json()["items"]
    assert [(deed["user"], deed["action"], deed["new"]) for deed in found] == [("operator1", "acknowledge", "seen")]
    site.deeds("read")
    assert get(site, "/data/deeds?refused=true&action=read", "engineer").json()["items"][0]["subject"] == "audit"


@pytest.mark.parametrize("limit", LIMIT_PINS)
def test_a_limit_is_read_from_the_input_that_sets_it(limit: str) -> None:
    blocks = [catalogue()[name] for name in ("ALARM_LIMIT", "DEVIATION_ALARM", "RATE_ALARM")]
    assert any((pin.name, str(pin.type)) == (LIMIT_PINS[limit], "LREAL") for block in blocks for pin in block.inputs)


def test_a_value_is_told_in_the_unit_of_what_is_watched(quiet: TestHall) -> None:
    measures = Measures(quiet.hall)
    assert measures.of("bms.soc") == ("%", 1)
    assert measures.of("rack[1].soc - bms.soc") == ("%", 1)
    assert measures.of("bms.soc > 5 and bms.current > 1") == measures.of("nothing.X") == measures.of("") == ("", 3)


def test_a_deed_is_told_with_the_words_and_the_unit_of_its_tag(quiet: TestHall) -> None:
    who = quiet.visit("operator").who
    word = deed_told(quiet.hall, Deed("hmi", who, "write", "pcs.state", "taken", True, old=0, new=2))
    number = deed_told(quiet.hall, Deed("hmi", who, "write", "hmi.steps", "taken", True, 2, 1.0, -2.5, scan=7))
    other = deed_told(quiet.hall, Deed("rest", who, "shelve", "pcs.state", "taken", True, new={"seconds": None, "comment": "x"}))
    assert (word["old"], word["new"]) == ("off", "running")
    assert (number["old"], number["new"], number["unit"], number["element"]) == ("1", "-2.5", "kW", 2)
    assert other["new"] == "seconds –, comment x" and other["unit"] == ""


def test_a_site_without_records_shows_which_alarms_are_active(tmp_path: Path) -> None:
    with hall_over(tmp_path, has_records=False) as site:
        site.scan.set("alarm.door", 1)
        time.sleep(0.05)
        found = get(site, "/data/alarms").json()
        assert [item["name"] for item in found["items"]] == [DOOR] and not found["recorded"]
        assert get(site, "/data/alarms/door").json()["events"] == []
        assert get(site, "/data/events").status_code == get(site, "/data/performance").status_code == 404
        assert settle(site.visit("operator"), "acknowledge", DOOR) != ""
