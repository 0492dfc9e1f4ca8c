"""Shelving as ISA-18.2, clause 11.7, and OPC UA part 9, 5.8.10, have it: out of sight for a time, never out of the process."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from runtime.servers.door import Door
from runtime.servers.records import alarms as alarm_records
from runtime.servers.records.follow import EventFollower
from runtime.servers.records.server import RecordsServer
from runtime.servers.records.settings import RecordsSettings
from runtime.servers.records.shelf import Clocks, clocks
from runtime.servers.records.states import AlarmState, Change, time_text
from runtime.servers.records.store import Records
from tests.aids.servers_records import ALARMS, EVA, TOM, alarm_scan, kinds, order_of, raise_alarm, state_of, wrote

HOUR = 3600 * 10**9
DAY = 24 * HOUR


class Machine:
    """The clocks of a machine that the test winds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.now = Clocks(time.time_ns(), "first start", 5 * HOUR)
        monkeypatch.setattr(alarm_records, "clocks", lambda: self.now)

    def passes(self, span: int) -> None:
        self.now = replace(self.now, wall=self.now.wall + span, running=self.now.running + span)

    def wall_jumps(self, by: int) -> None:
        self.now = replace(self.now, wall=self.now.wall + by)

    def starts_again(self, after: int) -> None:
        self.now = Clocks(self.now.wall + after, f"start after {self.now.boot}", 0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    made = Records(tmp_path)
    declare(made)
    return made


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[RecordsServer]:
    """The server of the process `records` in this one: its alarms may be shelved, and it keeps no deed for long."""
    scan = alarm_scan(tmp_path)
    scan.stop()
    order = order_of(scan, tmp_path, [replace(alarm, shelve=HOUR) for alarm in ALARMS])
    server = RecordsServer(order, RecordsSettings(audit=-1), Door(order))
    server._declare_now()
    yield server
    server._close()


def declare(records: Records, most: int = 8 * HOUR) -> None:
    states = (
        AlarmState("hot", "error", "Too hot", id="OVR_TMP_ALARM", source="BMS", shelve_most=most),
        AlarmState("trip", "critical"),
    )
    records.declare(states, confirm=False)


def notes(records: Records, name: str) -> list[tuple[str, str, str]]:
    return [(event.kind, event.who, event.note) for event in records.events_after(0) if event.alarm == name]


def test_a_shelved_alarm_comes_back_unacknowledged_when_its_time_is_over(records: Records, machine: Machine) -> None:
    raise_alarm(records, "hot")
    assert records.acknowledge("hot", EVA) == ""
    assert records.shelve("hot", TOM, 7200, "sensor is being changed") == ""
    state = state_of(records, "hot")
    assert (state.shelved, state.shelved_by, state.comment) == ("timed", "tom", "sensor is being changed")
    assert state.shelved_until == machine.now.wall + 2 * HOUR and state.active, "the process goes on as it was"
    machine.passes(2 * HOUR - 1)
    records.end_shelvings()
    assert state_of(records, "hot").shelved
    machine.passes(1)
    for _ in range(3):
        records.end_shelvings()
    state = state_of(records, "hot")
    assert (state.shelved, state.shelved_until, state.shelved_by, state.acked) == ("", 0, "", False)
    assert notes(records, "hot")[2:] == [("shelved", "tom", "for 2 h"), ("unshelved", "", "time is over")], "and once only"


def test_whoever_looks_sees_no_shelving_that_is_over_also_where_nobody_has_ended_it(records: Records, machine: Machine) -> None:
    raise_alarm(records, "hot")
    records.shelve("hot", TOM, 60)
    machine.passes(61 * 10**9)
    state = state_of(records, "hot")
    assert not state.shelved and not state.acked and kinds(records, "hot") == ["active", "shelved"]
    assert records.acknowledge("hot", EVA) == ""
    assert kinds(records, "hot") == ["active", "shelved", "unshelved", "acknowledged"], "its end comes first"


def test_a_one_shot_shelving_lasts_until_the_alarm_clears(records: Records, machine: Machine) -> None:
    raise_alarm(records, "hot")
    assert records.shelve("hot", TOM, None) == ""
    assert state_of(records, "hot").shelved == "one shot"
    made = records.change([Change("trip", 1, True), Change("hot", 2, False)])
    assert [kind for kind, *_ in made] == ["active", "cleared", "unshelved"]
    assert notes(records, "hot")[-1] == ("unshelved", "", "it cleared") and not state_of(records, "hot").shelved
    raise_alarm(records, "hot")
    records.shelve("hot", TOM, None)
    machine.passes(8 * HOUR)
    assert not state_of(records, "hot").shelved, "an alarm that never clears is not out of sight for ever: part 9, MaxTimeShelved"


@pytest.mark.parametrize(("severity", "level"), [("warning", "warning"), ("error", "error"), ("critical", "error")])
def test_an_alarm_that_came_while_shelved_and_stands_at_its_end_is_told_as_loud_as_it_is(
    records: Records, machine: Machine, severity: str, level: str
) -> None:
    records.declare([AlarmState(name, severity, shelve_most=HOUR) for name in ("stands", "gone")], confirm=False)
    follower = EventFollower(records)
    follower.tell()
    for name in ("stands", "gone"):
        records.shelve(name, TOM, 60)
        raise_alarm(records, name)
    raise_alarm(records, "gone", False)
    machine.passes(60 * 10**9)
    with structlog.testing.capture_logs() as lines:
        follower.tell()
    told = {line["alarm"]: line["log_level"] for line in lines if line["event"] == "alarm unshelved"}
    assert told == {"stands": level, "gone": "info"}


def test_a_full_disk_keeps_no_alarm_quiet_whose_shelving_is_over_and_trimming_goes_on(
    watching: RecordsServer, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    records = watching.records
    records.shelve("door", TOM, 60)
    watching._do_chores()
    assert watching.counters()["shelved"] == 1
    records._write_deeds([wrote("old", 1)])
    machine.passes(60 * 10**9)
    monkeypatch.setattr(alarm_records, "_enter", full)  # no event has room any more
    with structlog.testing.capture_logs() as lines:
        watching._do_chores()
        watching._say(ALARMS[2], Change("door", 1, True))
    assert [line["log_level"] for line in lines if line["event"] == "alarm active"] == ["error"]
    assert records.deeds() == [], "trimmed"


def test_an_alarm_that_comes_while_shelved_is_recorded_as_ever(records: Records, machine: Machine) -> None:
    records.shelve("hot", TOM, 60)
    raise_alarm(records, "hot")
    raise_alarm(records, "hot", False)
    assert kinds(records, "hot") == ["shelved", "active", "cleared"] and state_of(records, "hot").shelved
    assert records.unshelve("hot", EVA, "done") == "" and notes(records, "hot")[-1] == ("unshelved", "eva", "")
    assert not state_of(records, "hot").acked, "nobody saw the occurrence"


@pytest.mark.parametrize(
    ("alarm", "seconds", "why"),
    [
        ("trip", 60, "the site does not let it be shelved"),
        ("trip", None, "the site does not let it be shelved"),
        ("hot", 8 * 3600 + 1, "it may be shelved for 8 h at most"),
        ("hot", float("inf"), "it may be shelved for 8 h at most"),
        ("hot", 0, "it is shelved for more than 0 s, or not at all"),
        ("hot", float("nan"), "it is shelved for more than 0 s, or not at all"),
        ("hut", 60, "no alarm named hut"),
    ],
)
def test_what_may_not_be_shelved_is_refused_with_the_reason(records: Records, alarm: str, seconds: float | None, why: str) -> None:
    assert records.shelve(alarm, TOM, seconds) == why
    assert records.unshelve(alarm, TOM) in ("not shelved", why) and not records.events_after(0)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(7200, "2 h"), (5400, "1.5 h"), (90, "90 s"), (60, "1 min"), (2700, "45 min"), (129_600, "1.5 d"), (0.5, "0.5 s")],
)
def test_a_time_is_told_as_a_person_says_it(seconds: float, said: str) -> None:
    assert time_text(seconds) == said


def test_an_alarm_is_shelved_once_and_by_one(records: Records) -> None:
    assert records.shelve("hot", TOM, 60) == "" and records.shelve("HOT", EVA, 60) == "shelved already, by tom"
    assert records.unshelve("HOT", EVA) == "" and records.unshelve("hot", EVA) == "not shelved"
    assert records.shelve("hot", EVA, 60) == ""


@pytest.mark.parametrize("jump", [-365 * DAY, -HOUR, HOUR, 365 * DAY])
def test_a_jump_of_the_wall_clock_neither_ends_nor_prolongs_a_shelving(records: Records, machine: Machine, jump: int) -> None:
    records.shelve("hot", TOM, 3600)
    machine.passes(HOUR // 2)
    machine.wall_jumps(jump)
    assert state_of(records, "hot").shelved_until == machine.now.wall + HOUR // 2, "its end is told by the clock as it is now"
    machine.passes(HOUR // 2)
    assert not state_of(records, "hot").shelved


def test_time_runs_on_while_the_machine_is_off(records: Records, machine: Machine, tmp_path: Path) -> None:
    records.shelve("hot", TOM, 3600)
    records.close()
    machine.starts_again(after=HOUR // 2)
    again = Records(tmp_path)
    declare(again)
    assert state_of(again, "hot").shelved == "timed", "what the program declares anew stays shelved"
    machine.starts_again(after=HOUR // 2)
    assert not state_of(again, "hot").shelved


def test_a_machine_that_starts_in_1970_sees_its_alarms(records: Records, machine: Machine) -> None:
    """Without a battery, nobody knows how long it was off."""
    records.shelve("hot", TOM, 3600)
    machine.starts_again(after=-machine.now.wall + 30 * 10**9)
    assert not state_of(records, "hot").shelved
    records.end_shelvings()
    assert notes(records, "hot")[-1] == ("unshelved", "", "time is over")


def test_a_program_that_allows_less_ends_what_was_shelved_for_longer(records: Records, machine: Machine) -> None:
    records.shelve("hot", TOM, 7200)
    machine.passes(HOUR)
    declare(records, most=2 * HOUR)
    assert state_of(records, "hot").shelved
    declare(records, most=HOUR)
    assert not state_of(records, "hot").shelved
    declare(records, most=0)
    assert records.shelve("hot", TOM, 1) == "the site does not let it be shelved"


def test_an_alarm_that_the_program_dropped_comes_back_unshelved(records: Records) -> None:
    records.shelve("hot", TOM, 60)
    records.change([Change("trip", 1, False, suppressed=True)])
    records.declare([], confirm=False)
    assert kinds(records, "hot") == ["shelved", "removed"] and kinds(records, "trip") == ["suppressed", "removed"]
    declare(records)
    assert not any(state.shelved or state.suppressed for state in records.alarms())


def test_suppression_by_design_is_told_both_ways_before_what_it_does(records: Records) -> None:
    raise_alarm(records, "hot")
    records.change([Change("hot", 2, False, suppressed=True)])
    state = state_of(records, "hot")
    assert state.suppressed and not state.active and not state.acked
    records.change([Change("hot", 3, True, suppressed=False)])
    assert kinds(records, "hot") == ["active", "suppressed", "cleared", "unsuppressed", "active"]
    assert (state.id, state.source) == ("OVR_TMP_ALARM", "BMS")


def test_the_running_clock_is_the_same_in_every_process_and_counts_sleep() -> None:
    now, then = clocks(), Path("/proc/uptime").read_text(encoding="ascii").split()[0]
    assert abs(now.running / 1e9 - float(then)) < 5, "proc(5): uptime includes time spent in suspend"


# ------------------------------------------------------------------------------------------------ files of before

OLD_SCHEMA = """
CREATE TABLE deed (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, service TEXT, user TEXT, role TEXT, peer TEXT, action
    TEXT, subject TEXT COLLATE NOCASE, answer TEXT, taken INTEGER, element INTEGER, old TEXT, new TEXT, scan INTEGER);
CREATE INDEX deed_time ON deed (time);
CREATE INDEX deed_subject ON deed (subject, number);
CREATE TABLE last_write (number INTEGER, time INTEGER, service TEXT, user TEXT, role TEXT, peer TEXT, action TEXT, subject TEXT
    COLLATE NOCASE, answer TEXT, taken INTEGER, element INTEGER, old TEXT, new TEXT, scan INTEGER, UNIQUE (subject));
CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, alarm TEXT COLLATE NOCASE, kind TEXT, state TEXT,
    who TEXT, note TEXT);
CREATE TABLE alarm ("name" TEXT PRIMARY KEY COLLATE NOCASE, "severity", "text", "of", "limit", "active", "acked", "confirmed",
    "active_at", "cleared_at", "acked_at", "acked_by", "comment", "count", "event", "value", "occurrence", "quality",
    place INTEGER);
CREATE TABLE word (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO sqlite_sequence (name, seq) VALUES ('deed', 1790000000000), ('event', 1790000000000);
"""
OLD_STATE = ["hot", "error", "Too hot", "bms.t", "H", 1, 0, 1, 77, 0, 0, "", "known", 3, 1790000000001, 51.5, 1790000000001, 0]


def old_file(folder: Path, *times: int) -> None:
    """A file with events of these times. The schema is that of the first version of these records, written out: not what the code
    makes of it today.
    """
    old = sqlite3.connect(folder / "records.sqlite")
    old.executescript(f"{OLD_SCHEMA} PRAGMA user_version = 1;")
    old.execute(f"INSERT INTO alarm VALUES ({', '.join('?' * 18)}, 0)", OLD_STATE)
    event = "INSERT INTO event (time, alarm, kind, state, who, note) VALUES (?, 'hot', 'active', ?, '', '')"
    old.executemany(event, [(at, json.dumps(OLD_STATE)) for at in times])
    old.commit()
    old.close()


def test_the_figures_of_a_file_of_before_begin_with_its_first_event_whatever_the_clock_did_later(tmp_path: Path) -> None:
    old_file(tmp_path, 50 * DAY, 30 * 10**9, 51 * DAY)  # in between, the machine started in 1970
    assert Records(tmp_path).performance(0, 52 * DAY)["since"] == 50 * DAY


def test_the_figures_of_a_file_of_before_without_events_begin_now(tmp_path: Path) -> None:
    old_file(tmp_path)
    now = time.time_ns()
    assert abs(Records(tmp_path).performance(0, now + DAY)["since"] - now) < HOUR


def test_a_file_of_before_shelving_is_taken_over_and_loses_nothing(tmp_path: Path) -> None:
    old_file(tmp_path, 77)
    records = Records(tmp_path, is_strict=True)
    state, (came,) = state_of(records, "hot"), records.events_after(0)
    assert (state.active, state.acked, state.count, state.value, state.comment) == (True, False, 3, 51.5, "known")
    assert (state.id, state.shelved, state.suppressed, state.shelve_most) == ("", "", False, 0)
    assert came.number == 1790000000001 and came.state == state
    declare(records)
    assert records.shelve("hot", TOM, 60) == "" and state_of(records, "hot").count == 3
    assert records.performance(0, 10**15)["alarms"] == 1, "the events of before count"
    records.close()
