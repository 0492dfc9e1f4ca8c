"""The process `records`, started as the supervisor does: what it sees of a scan, and that its restarts lose nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime import child
from runtime.engine.image import STAMP_MONOTONIC
from runtime.engine.north import Snapshot
from runtime.language.alarm_words import OF_KINDS, Kind
from runtime.model import Alarm, Tag
from runtime.quality import BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA, GOOD
from runtime.servers.door import Door
from runtime.servers.records.server import RecordsServer
from runtime.servers.records.settings import RecordsSettings
from runtime.servers.records.store import Records
from runtime.servers.records.watch import AlarmWatch
from tests.aids.servers_process import eventually
from tests.aids.servers_records import ALARM_TAGS, ALARMS, EVA, alarm_scan, kinds, order_of, recording, state_of
from tests.aids.servers_scan import TAGS, TestScan

pytestmark = pytest.mark.slow
EVER = 2**62


class NoPins:
    """No scan, so no pin of it."""

    def attach(self) -> bool:
        return False


class OnePin:
    """A scan in which one pin has this value."""

    def __init__(self, pin: str, value: float):
        self._values = {pin: value}

    def attach(self) -> bool:
        return True

    def value(self, pin: str) -> float:
        return self._values[pin]


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[TestScan]:
    made = alarm_scan(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records(tmp_path / "state")
    yield made
    made.close()


def test_an_alarm_is_kept_and_told_from_end_to_end(scan: TestScan, records: Records, tmp_path: Path) -> None:
    with recording(order_of(scan, tmp_path / "state", history=["bms.soc"], every="20 ms")) as process:
        assert [state.name for state in records.alarms()] == ["hot_h", "hot_hh", "door"]
        eventually(lambda: records.history("bms.soc", 0, EVER, 10))  # the first look has been
        scan.set("bms.soc", 91.5)
        scan.set("alarm.hot_hh", 1)
        event = eventually(lambda: records.events_after(0))[0]
        assert (event.alarm, event.kind, event.note) == ("hot_hh", "active", "")
        state = event.state
        assert (state.severity, state.text, state.of, state.limit, state.value) == (
            "critical",
            "Cell too hot",
            "bms.soc",
            "HH",
            91.5,
        )
        assert abs(event.time - time.time_ns()) < 5e9
        scan.set("alarm.hot_hh", 0)
        eventually(lambda: kinds(records, "hot_hh") == ["active", "cleared"])
        scan.spoil("alarm.door", BAD_NO_COMMUNICATION)
        eventually(lambda: kinds(records, "door") == ["quality"])
        scan.set("alarm.door", 1)
        scan.spoil("alarm.door", GOOD)
        eventually(lambda: kinds(records, "door") == ["quality", "quality", "active"])
        samples = eventually(lambda: records.history("bms.soc", 0, EVER, 10))
        eventually(lambda: records.history("bms.soc", 0, EVER, 10, True)[0].value == 91.5)
        assert samples[0].quality == GOOD
        status = eventually(lambda: process.status() if process.status()["events"] >= 5 else None)
        assert status["listening"] == str(tmp_path / "state" / "records.sqlite")
        assert (status["active"], status["recorded"], status["dropped"]) == (1, 1, 0)
        said = [(line["event"], line["alarm"]) for line in process.lines() if "alarm" in line]
        assert said[:2] == [("alarm active", "hot_hh"), ("alarm cleared", "hot_hh")]
        assert [what for what, alarm in said if alarm == "door"] == ["alarm not judged: it stays as it was", "alarm active"]
    assert records.history("bms.soc", 0, EVER, 1, True)[0].quality == BAD_NO_COMMUNICATION, "from here on nobody watched"


def test_what_is_shelved_or_suppressed_is_told_quietly(scan: TestScan, records: Records, tmp_path: Path) -> None:
    hushed = replace(ALARMS[2], suppressed="bms.ok", id="DOOR_OPEN")  # bms.ok stands in for alarm.door_suppressed
    with recording(order_of(scan, tmp_path / "state", alarms=(ALARMS[0], hushed))) as process:
        eventually(records.alarms)
        assert records.shelve("hot_h", EVA, 3600, "known") == ""
        eventually(lambda: process.status().get("shelved") == 1)
        scan.set("alarm.hot_h", 1)
        scan.set("bms.ok", 1)
        eventually(lambda: kinds(records, "hot_h") == ["shelved", "active"] and kinds(records, "door") == ["suppressed"])
        scan.set("bms.ok", 0)
        scan.set("alarm.door", 1)
        eventually(lambda: kinds(records, "door") == ["suppressed", "unsuppressed", "active"])
        assert records.unshelve("hot_h", EVA) == ""

        def told_all() -> list[dict[str, Any]]:
            said = [line for line in process.lines() if "alarm" in line]
            return said if len(said) >= 6 else []

        said = eventually(told_all)
        told = {(line["event"], line["alarm"], line["level"], line.get("id"), line.get("who")) for line in said}
        assert told == {
            ("alarm shelved", "hot_h", "info", None, "eva"),
            ("alarm active", "hot_h", "info", None, None),
            ("alarm suppressed by the program", "door", "info", "DOOR_OPEN", None),
            ("alarm suppressed no more", "door", "info", "DOOR_OPEN", None),
            ("alarm active", "door", "error", "DOOR_OPEN", None),
            ("alarm unshelved", "hot_h", "warning", None, "eva"),
        }
        assert len(said) == len(told), "one line each"
        status = eventually(lambda: (now := process.status())["lately"] == 1 and now)
        assert (status["shelved"], status["suppressed"], status["flood"]) == (0, 0, 0), "the shelved one was put before nobody"


def test_of_all_that_comes_within_one_look_the_first_out_is_known(tmp_path: Path) -> None:
    scan = alarm_scan(tmp_path, (*TAGS, *ALARM_TAGS, Tag("plc.first_out", "DINT", 0, 0, 0, "system")))
    scan.stop()
    order = order_of(scan, tmp_path)  # the grave ones are hot.HH (1) and door (2): a warning is never the first
    snapshot = Snapshot(tmp_path, scan.region, order.generation)
    watch = AlarmWatch(order, NoPins())  # type: ignore[arg-type]
    hot_h, hot_hh, door, first = (
        snapshot.column(scan.by_name[name]) for name in ("alarm.hot_h", "alarm.hot_hh", "alarm.door", "plc.first_out")
    )

    def notes(**now: int) -> dict[str, str]:
        for name, value in now.items():
            {"hot_h": hot_h, "hot_hh": hot_hh, "door": door, "first": first}[name][:] = value
        return {change.name: change.note for _, change in watch.look(snapshot, 100)}

    notes()
    assert notes(hot_h=1, hot_hh=1, door=1, first=2) == {"hot_h": "", "hot_hh": "", "door": "first out"}
    assert notes(door=0) == {"door": ""} and notes(door=1) == {"door": ""}, "the series goes on: the other still stands"
    assert notes(door=0, hot_hh=0) == {"door": "", "hot_hh": ""} and notes(door=1) == {"door": "first out"}, "another series"


def test_a_suppression_that_comes_and_goes_all_night_leaves_room(scan: TestScan, tmp_path: Path) -> None:
    scan.stop()
    order = order_of(scan, tmp_path, alarms=(replace(ALARMS[2], suppressed="bms.ok"),))
    snapshot = Snapshot(tmp_path, scan.region, order.generation)
    watch, told = AlarmWatch(order, NoPins()), []  # type: ignore[arg-type]
    hush = snapshot.column(scan.by_name["bms.ok"])
    for n in range(36_000):
        snapshot._stamps[STAMP_MONOTONIC] = n * 100_000_000
        hush[:] = n % 2
        told += [change.suppressed for _, change in watch.look(snapshot, 100)]
    assert len(told) < 2 * (20 + 3600 / 10) + 10 and not told[-1], "of 36,000; in doubt the alarm is shown"
    scan.start()


def test_a_history_that_cannot_be_written_stops_neither_alarms_nor_the_end_of_shelvings(
    scan: TestScan, records: Records, tmp_path: Path
) -> None:
    in_its_place = tmp_path / "state" / "history.sqlite"
    in_its_place.mkdir()
    with recording(order_of(scan, tmp_path / "state", history=["bms.soc"])) as process:
        scan.set("alarm.hot_hh", 1)
        eventually(lambda: kinds(records, "hot_hh") == ["active"])
        assert records.shelve("door", EVA, 0.01) == ""
        eventually(lambda: kinds(records, "door") == ["shelved", "unshelved"])
        in_its_place.rmdir()
        eventually(lambda: records.history("bms.soc", 0, EVER, 1), 10)
        scan.set("alarm.hot_hh", 0)
        eventually(lambda: kinds(records, "hot_hh") == ["active", "cleared"])
        told = eventually(lambda: [line["event"] for line in process.lines() if line.get("alarm") == "hot_hh"][1:])
    assert told == ["alarm cleared"], "that it stands was told once"


@pytest.mark.parametrize("kind", OF_KINDS, ids=lambda kind: kind.name)
def test_an_alarm_on_an_expression_has_the_value_that_its_block_sees(scan: TestScan, tmp_path: Path, kind: Kind) -> None:
    scan.stop()
    limit, pin = next(iter(kind.limits)), f"p.alarm.door.{kind.pins['of']}"
    alarm = replace(ALARMS[2], of="bms.soc * 2", limit=limit, kind=kind.name)
    order = replace(order_of(scan, tmp_path, alarms=[alarm]), pins={pin: ("LREAL", 0, 0)})
    snapshot = Snapshot(tmp_path, scan.region, order.generation)
    watch = AlarmWatch(order, OnePin(pin, 51.5))  # type: ignore[arg-type]
    snapshot.column(scan.by_name["alarm.door"])[:] = 1
    assert [change.value for _, change in watch.look(snapshot, 9)] == [51.5]


def test_a_device_that_was_not_heard_yet_is_no_news_also_where_its_alarm_can_be_suppressed(scan: TestScan, tmp_path: Path) -> None:
    scan.stop()
    order = order_of(scan, tmp_path, alarms=(replace(ALARMS[2], suppressed="bms.ok"),))
    snapshot = Snapshot(tmp_path, scan.region, order.generation)
    watch, door = AlarmWatch(order, NoPins()), scan.by_name["alarm.door"]  # type: ignore[arg-type]
    snapshot.qualities[door.index] = BAD_WAITING_FOR_INITIAL_DATA
    assert watch.look(snapshot, 9) == []
    snapshot.qualities[door.index] = GOOD
    snapshot.column(scan.by_name["bms.ok"])[:] = 1
    ((_, change),) = watch.look(snapshot, 9)
    assert (change.active, change.suppressed, change.note) == (False, True, "found at start")


def test_a_restart_keeps_states_and_finds_what_changed_meanwhile(scan: TestScan, records: Records, tmp_path: Path) -> None:
    order = order_of(scan, tmp_path / "state")
    with recording(order) as process:
        scan.set("alarm.hot_h", 1)
        scan.set("alarm.door", 1)
        eventually(lambda: kinds(records, "door") and kinds(records, "hot_h"))
        assert records.acknowledge("door", EVA) == ""
        process.process.send_signal(signal.SIGKILL)
        process.process.wait(10)
    (tmp_path / "records.json").unlink()
    scan.set("alarm.hot_h", 0)
    time.sleep(0.05)
    with recording(replace(order, alarms=ALARMS[::2])) as process:
        eventually(lambda: kinds(records, "hot_h") == ["active", "cleared"])
        assert records.events_after(0)[-1].note == "found at start"
        assert not state_of(records, "hot_h").acked, "nobody has seen it"
        door = state_of(records, "door")
        assert door.active and door.acked and door.count == 1, "it went on all the time"
        assert [state.name for state in records.alarms()] == ["hot_h", "door"]
        eventually(lambda: [line["alarm"] for line in process.lines() if line["event"] == "alarm cleared"] == ["hot_h"])


def test_a_silent_scan_is_told_once_and_changes_no_alarm(scan: TestScan, records: Records, tmp_path: Path) -> None:
    with recording(order_of(scan, tmp_path / "state", history=["bms.soc", "bms.ok"])) as process:
        scan.set("alarm.door", 1)
        eventually(lambda: kinds(records, "door") and records.history("bms.soc", 0, EVER, 9))
        scan.stop()
        eventually(lambda: records.history("bms.soc", 0, EVER, 1, True)[0].quality == BAD_NO_COMMUNICATION, 10)
        assert [s.quality for s in records.history("bms.ok", 0, EVER, 9)] == [GOOD, BAD_NO_COMMUNICATION]
        assert kinds(records, "door") == ["active"]
        scan.start()
        eventually(lambda: records.history("bms.soc", 0, EVER, 1, True)[0].quality == GOOD, 10)
        assert kinds(records, "door") == ["active"]
        heard = [line["event"] for line in process.lines() if "scan is" in line["event"]]
        assert heard == ["the scan is silent: alarms stay as they were last seen", "the scan is heard"]


def test_another_program_is_followed(scan: TestScan, records: Records, tmp_path: Path) -> None:
    order = order_of(scan, tmp_path / "state", history=["bms.soc"])
    process = child.start("runtime.servers.records", order, more_later=True)
    try:
        eventually(records.alarms, 30)
        scan.set("alarm.hot_hh", 1)
        scan.set("alarm.door", 1)
        eventually(lambda: kinds(records, "door") and kinds(records, "hot_hh"))
        new = replace(order, alarms=(ALARMS[2], Alarm("late", "bms.ok", "", "", "error", "New")), settings={"history": ["bms.ok"]})
        child.give(process, new, more_later=True)
        eventually(lambda: [state.name for state in records.alarms()] == ["door", "bms.ok"])
        scan.set("bms.ok", 1)
        eventually(lambda: kinds(records, "bms.ok") == ["active"])
        assert kinds(records, "door") == ["active"], "what both programs have goes on"
        assert kinds(records, "hot_hh") == ["active", "removed"]
        assert records.recorded() == {"bms.ok"}
        eventually(lambda: records.history("bms.ok", 0, EVER, 9))
    finally:
        process.terminate()
        process.wait(10)


def test_chores_in_the_middle_of_a_change_of_program_tell_no_standing_alarm_again(
    scan: TestScan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan.stop()
    order = order_of(scan, tmp_path / "state")
    server = RecordsServer(order, RecordsSettings(), Door(order))
    snapshot = Snapshot(tmp_path, scan.region, order.generation)
    server._declare_now()
    assert len(server.watch.look(snapshot, 9)) == 3
    declare, declared, chores = server.records.declare, [], threading.Thread(target=server._do_chores)

    def slowly(alarms: Any, **words: Any) -> None:
        declared.append(alarms)
        if len(declared) == 1:
            chores.start()
            chores.join(0.3)
        declare(alarms, **words)

    monkeypatch.setattr(server.records, "declare", slowly)
    asyncio.run(server.follow(order))
    chores.join()
    assert (len(declared), server.watch.look(snapshot, 9)) == (1, [])
    server._close()


def test_a_broken_file_under_a_running_process_is_begun_anew_with_what_is_active(scan: TestScan, tmp_path: Path) -> None:
    path = tmp_path / "state" / "records.sqlite"
    with recording(order_of(scan, tmp_path / "state")) as process:
        records = Records(tmp_path / "state")
        scan.set("alarm.door", 1)
        before = eventually(lambda: records.events_after(0))[-1].number
        records.declare(records.alarms(), confirm=True)  # what the process remembers of the file is no longer valid
        with records.file.reading() as connection:
            assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        with path.open("r+b") as file:
            file.write(b"\x55" * path.stat().st_size)
        scan.set("alarm.hot_h", 1)
        eventually(lambda: list((tmp_path / "state").glob("*broken*")), 10)
        again = Records(tmp_path / "state")
        eventually(lambda: {e.alarm for e in again.events_after(before)} == {"door", "hot_h"}, 10)
        assert {state.name for state in again.alarms() if state.active} == {"door", "hot_h"}
        again.close()
        assert process.process.poll() is None
        assert any("a new file is begun" in json.dumps(line) for line in process.lines())


def test_ten_thousand_alarms_that_toggle_fill_nothing_and_the_last_state_is_told(tmp_path: Path) -> None:
    many = [Tag(f"alarm.a{n}", "BOOL", 0, 0, 0, "memory", owner="program p") for n in range(10_000)]
    alarms = [Alarm(f"a{n}", f"alarm.a{n}", "", "", "error", "Toggles") for n in range(10_000)]
    scan = alarm_scan(tmp_path, (*TAGS, *many))
    first, last = scan.by_name["alarm.a0"].offset, scan.by_name["alarm.a9999"].offset
    flags = scan.memory[first : last + 1]
    try:
        with recording(order_of(scan, tmp_path / "state", alarms)) as process:
            until = time.monotonic() + 1
            while time.monotonic() < until:
                flags[:] ^= 1
                time.sleep(0.03)
            flags[:] = np.arange(10_000) % 2
            records = Records(tmp_path / "state")
            eventually(lambda: [s.active for s in records.alarms()] == [bool(n % 2) for n in range(10_000)], 60)
            assert process.status()["dropped"] == 0
            assert len(process.log().splitlines()) < 1000, "the log is not flooded"
            numbers = [event.number for event in records.events_after(0, 10**6)]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            records.close()
    finally:
        scan.stop()


def test_what_finds_no_room_waits_and_every_alarm_has_its_turn(scan: TestScan, tmp_path: Path) -> None:
    scan.stop()
    order = order_of(scan, tmp_path)
    snapshot = Snapshot(tmp_path, scan.region, order.generation)

    watch = AlarmWatch(order, NoPins())  # type: ignore[arg-type]
    waits = scan.by_name["alarm.door"].index
    snapshot.qualities[waits] = BAD_WAITING_FOR_INITIAL_DATA
    assert len(watch.look(snapshot, 100)) == 2 and watch.look(snapshot, 100) == [], "a device that was never heard is no news"
    snapshot.qualities[waits] = GOOD
    assert [change.name for _, change in watch.look(snapshot, 100)] == ["door"]
    turns = []
    for _ in range(6):
        for tag in ALARM_TAGS:
            if tag.name.removeprefix("alarm.") in {"hot_h", *turns[-1:]}:
                snapshot.column(scan.by_name[tag.name])[:] ^= 1  # these would always be first to have changed
            else:
                snapshot.column(scan.by_name[tag.name])[:] = 1
        turns += [change.name for _, change in watch.look(snapshot, 1)]
    assert set(turns) == {"door", "hot_h", "hot_hh"}, "none is always first"
    assert watch.held_back > 0
    scan.start()


def test_an_alarm_that_chatters_all_night_stays_active_and_leaves_room_for_the_others(scan: TestScan, tmp_path: Path) -> None:
    scan.stop()
    order = order_of(scan, tmp_path)
    snapshot = Snapshot(tmp_path, scan.region, order.generation)

    watch, told = AlarmWatch(order, NoPins()), []  # type: ignore[arg-type]
    door, hot = (snapshot.column(scan.by_name[f"alarm.{name}"]) for name in ("door", "hot_h"))
    hour = 3600 * 10  # looks
    for n in range(hour):
        snapshot._stamps[STAMP_MONOTONIC] = n * 100_000_000
        door[:] = n % 2
        if n == hour // 2:
            hot[:] = 1
        told += [(n, change) for _, change in watch.look(snapshot, 10_000)]
    doors = [change for _, change in told if change.name == "door" and not change.note]
    assert len(told) < 2 * (20 + 3600 / 10) + 10, "of 36,000 transitions"
    assert doors[-1].active and watch.held_back > 0
    assert [n for n, change in told if change.name == "hot_h" and change.active] == [hour // 2], "told at once"
    door[:] = 0
    for n in range(hour, hour + 11 * 10):
        snapshot._stamps[STAMP_MONOTONIC] = n * 100_000_000
        told += [(n, change) for _, change in watch.look(snapshot, 10_000)]
    assert (told[-1][1].name, told[-1][1].active, told[-1][1].note) == ("door", False, "chattered until then")
    scan.start()
