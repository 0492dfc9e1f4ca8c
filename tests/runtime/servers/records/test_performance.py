"""The metrics of ISA-18.2-2016, clause 16: expected values are counted by hand from the standard's definitions."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from runtime.servers.records.follow import EventFollower
from runtime.servers.records.performance import DAY, HOUR, MINUTE, SECOND, Flood, Happened, performance_of, targets
from runtime.servers.records.states import AlarmState, Change
from runtime.servers.records.store import Records
from tests.aids.servers_records import TOM


def came(at: int, alarm: str = "hot", severity: str = "warning", shelved: bool = False) -> Happened:
    return Happened(at, alarm, "active", severity, at, shelved, "")


def went(at: int, since: int, alarm: str = "hot", note: str = "") -> Happened:
    return Happened(at, alarm, "cleared", "warning", since, False, note)


def test_rates_are_those_of_the_span_and_what_is_shelved_does_not_count() -> None:
    found = performance_of([came(n * HOUR) for n in range(12)] + [came(5, shelved=True)], 0, DAY, {})
    assert (found["alarms"], found["per_day"], found["per_hour"], found["per_10_min"]) == (12, 12, 0.5, pytest.approx(1 / 12))
    assert found["peak_10_min"] == {"alarms": 1, "time": 0} and found["busy_10_min"] == found["busy_hours"] == 0


def test_a_flood_begins_above_ten_in_ten_minutes_and_ends_below_five() -> None:
    """Eleven, one every 50 s: the last is within 10 min of the first. Then one every 119 s is five in ten: it goes on."""
    first = [came(n * 50 * SECOND, f"a{n}") for n in range(11)]
    then = [came(first[-1].time + n * 119 * SECOND, f"b{n}") for n in range(1, 31)]
    found = performance_of(first + then, 0, 4 * HOUR, {})
    began, last = first[-1].time, then[-1].time
    # the fifth newest came 476 s before the last: 124 s after that it is older than ten minutes
    assert found["flood"]["worst"] == [{"began": began, "lasted": last + 124 * SECOND - began, "alarms": 11 + 30}]
    assert (found["flood"]["count"], found["flood"]["alarms"], found["flood"]["is_now"]) == (1, 41, False)
    assert found["flood"]["share"] == pytest.approx(100 * (30 * 119 + 124) / (4 * 3600))
    slow = performance_of([came(n * MINUTE) for n in range(60)], 0, HOUR, {})
    assert slow["flood"]["count"] == 0, "ten in ten minutes are not more than ten"


def test_a_flood_that_goes_on_counts_until_now() -> None:
    found = performance_of([came(50 * MINUTE + n * SECOND) for n in range(100)], 0, 55 * MINUTE, {})
    assert found["flood"]["is_now"] and found["flood"]["count"] == 1 and found["flood"]["alarms"] == 100
    assert found["flood"]["share"] == pytest.approx(100 * (5 * 60 - 10) / (55 * 60))
    assert found["peak_10_min"] == {"alarms": 100, "time": 50 * MINUTE}
    assert found["busy_10_min"] == pytest.approx(100 / 6) and found["busy_hours"] == 100


def test_chattering_is_three_in_a_minute_and_fleeting_is_gone_in_less_than_one() -> None:
    chatters = [event for n in range(3) for event in (came(n * 25 * SECOND, "loose"), went(n * 25 * SECOND + 1, n, "loose"))]
    slower = [came(n * 31 * SECOND, "slow") for n in range(3)]
    fleeting = [
        came(HOUR, "blip"),
        went(HOUR + 59 * SECOND, HOUR, "blip"),
        came(2 * HOUR, "long"),
        went(3 * HOUR, 2 * HOUR, "long"),
    ]
    held = [came(4 * HOUR, "wire"), went(5 * HOUR, 4 * HOUR, "wire", "chattered until then")]
    found = performance_of(chatters + slower + fleeting + held, 0, DAY, {})
    assert found["chattering"] == [{"alarm": "loose", "times": 1}, {"alarm": "wire", "times": 1}]
    assert found["fleeting"] == [{"alarm": "blip", "times": 1}]


def test_stale_alarms_stand_for_more_than_a_day() -> None:
    events = [came(DAY, "was"), went(3 * DAY, DAY, "was")]
    found = performance_of(events, 0, 7 * DAY, {"old": 5 * DAY, "new": 6 * DAY + 1})
    assert found["stale"] == [{"alarm": "old", "since": 5 * DAY}] and found["was_stale"] == [{"alarm": "was", "stood": 2 * DAY}]


def test_what_is_stale_at_the_end_of_a_time_is_what_stood_then_whatever_became_of_it(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.declare([AlarmState(name) for name in ("stood", "stands", "came later")], confirm=False)
    now = time.time_ns()

    def turn(name: str, days: float, active: bool) -> None:
        records.change([Change(name, now + int(days * DAY), active)])

    turn("stood", 1, True)
    turn("stands", 2, True)
    turn("stood", 5, False)
    turn("stood", 6, True)
    turn("came later", 6, True)
    turn("stood", 7, False)
    stale = records.performance(now, now + 4 * DAY)["stale"]
    assert stale == [{"alarm": "stood", "since": now + DAY}, {"alarm": "stands", "since": now + 2 * DAY}]
    assert [row["alarm"] for row in records.performance(now, now + 9 * DAY)["stale"]] == ["stands", "came later"]


def test_the_ten_most_frequent_and_the_severities_have_their_shares() -> None:
    events = [came(n, f"a{at:02}", "critical" if at == 0 else "warning") for at in range(20) for n in range(20 - at)]
    found = performance_of(events, 0, DAY, {})
    assert [row["alarm"] for row in found["top"]] == [f"a{n:02}" for n in range(10)]
    assert found["top_share"] == pytest.approx(100 * 155 / 210)
    assert found["severities"] == {
        "warning": {"alarms": 190, "share": pytest.approx(100 * 190 / 210)},
        "critical": {"alarms": 20, "share": pytest.approx(100 * 20 / 210)},
    }
    told = {target.name: target for target in targets(found)}
    assert told["alarms a day"].verdict == "manageable" and (told["alarms a day"].good, told["alarms a day"].most) == (150, 300)
    assert told["of the highest severity"].verdict == "too many"


def test_nothing_at_all_is_good() -> None:
    assert {target.verdict for target in targets(performance_of([], 0, DAY, {}))} == {"good"}


def test_a_clock_that_is_set_back_makes_no_flood() -> None:
    flood = Flood()
    for n in range(10):
        assert not flood.annunciated(100 * HOUR + n)
    assert not flood.annunciated(HOUR) and not flood.ended(HOUR)
    began = [flood.annunciated(HOUR + n - 5) for n in range(10)]
    assert began == [*[False] * 9, True], "a small step back is none"
    assert not flood.ended(HOUR + 5) and flood.ended(HOUR // 2), "and a large one ends what it found"


def test_events_are_not_kept_however_many_come() -> None:
    def hour() -> Iterator[Happened]:
        for n in range(10_000):
            yield came(n * 300_000_000, f"a{n % 20}")

    tracemalloc.start()
    found = performance_of(hour(), 0, HOUR, {})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["alarms"] == 10_000 and most < 200e3, "the events alone would be 1.5 MB"


def test_figures_of_the_file_begin_where_the_file_does(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.declare([AlarmState("hot", shelve_most=DAY), AlarmState("cold")], confirm=False)
    begun = records.alarms() and int(records._rows("SELECT value FROM word WHERE name = 'begun'")[0][0])
    records.change([Change("hot", begun + SECOND, True), Change("hot", begun + 2 * SECOND, False)])
    records.shelve("hot", TOM, 60)
    records.change([Change("hot", begun + 3 * SECOND, True), Change("cold", begun + 3 * SECOND, True)])
    found = records.performance(0, begun + 2 * HOUR)
    assert (found["since"], found["alarms"], found["per_hour"], found["shelved"]) == (begun, 2, 1, 1)
    assert found["fleeting"] == [{"alarm": "hot", "times": 1}] and records.performance(0, begun + SECOND)["alarms"] == 1


def test_the_value_of_a_dead_sensor_hides_no_figures(tmp_path: Path) -> None:
    """It is NaN, which JSON as SQLite reads it does not have."""
    records = Records(tmp_path, is_strict=True)
    records.declare([AlarmState("hot")], confirm=False)
    now = time.time_ns()
    records.change([Change("hot", now, True, value=math.nan)])
    assert records.performance(0, now + HOUR)["alarms"] == 1


def test_the_log_has_a_line_when_a_flood_begins_and_one_when_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(tmp_path)
    names = [f"a{n}" for n in range(12)]
    records.declare([AlarmState(name, id=name.upper(), shelve_most=DAY) for name in names], confirm=False)
    follower, now = EventFollower(records), 10**18
    monkeypatch.setattr("time.time_ns", lambda: now)
    follower.tell()
    with structlog.testing.capture_logs() as lines:
        records.change([Change(name, now, True) for name in names])
        follower.tell()
        assert follower.is_flood and follower.lately == 11
        records.shelve("a1", TOM, 60, "known")
        records.change([Change("a2", now, False, suppressed=True)])
        follower.tell()
        assert follower.shelved == {"a1"}
        now += 11 * MINUTE
        follower.tell()
        assert not follower.is_flood and follower.lately == 0
    told = [(line["event"], line.get("alarm") or line.get("alarms"), line.get("id"), line.get("who")) for line in lines]
    assert told == [
        ("alarm flood begins", 11, None, None),
        ("alarm shelved", "a1", "A1", "tom"),
        ("alarm suppressed by the program", "a2", "A2", None),
        ("alarm flood ends", 12, None, None),
    ]
    again = EventFollower(records)
    monkeypatch.setattr("time.time_ns", lambda: 10**18 + MINUTE)
    again.tell()
    assert again.is_flood, "a process that starts in the middle of a flood knows it"


def test_what_was_trimmed_away_is_no_quiet_time(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.declare([AlarmState("hot")], confirm=False)
    records.change([Change("hot", n * HOUR, n % 2 == 1) for n in range(1, 11)])
    records.trim(age=9e9, most=4)
    assert records.performance(0, 11 * HOUR)["since"] == 7 * HOUR, "the four newest are left"
