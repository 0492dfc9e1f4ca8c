"""The records' store: acknowledging as ISA-18.2 and OPC UA part 9 have it, the audit log, and a file that many use."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime.servers.audit import Deed, Who
from runtime.servers.records.states import AlarmState
from runtime.servers.records.store import Change, Records
from runtime.servers.records.tables import TEXT
from tests.aids.servers_records import EVA, TOM, kinds, raise_alarm, state_of, with_alarms, wrote

ROOT = Path(__file__).parents[4]


# ------------------------------------------------------------------------------------------------ alarms


def test_an_alarm_lives_as_the_standard_says(tmp_path: Path) -> None:
    """OPC UA part 9, annex B: active, cleared unseen (retained), acknowledged (gone)."""
    records = with_alarms(tmp_path, "hot")
    assert not state_of(records, "hot").retained
    raise_alarm(records, "hot")
    state = state_of(records, "hot")
    assert (state.active, state.acked, state.confirmed, state.retained, state.count) == (True, False, True, True, 1)
    raise_alarm(records, "hot", False)
    state = state_of(records, "hot")
    assert (state.active, state.acked, state.retained) == (False, False, True), "nobody has seen it yet"
    assert records.acknowledge("hot", EVA, "fan replaced") == ""
    state = state_of(records, "hot")
    assert (state.acked, state.retained, state.acked_by, state.comment) == (True, False, "eva", "fan replaced")
    assert kinds(records, "hot") == ["active", "cleared", "acknowledged"]


def test_where_the_site_asks_for_it_an_acknowledged_alarm_waits_to_be_confirmed(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot", confirm=True)
    raise_alarm(records, "hot")
    assert records.confirm("hot", EVA) == "not acknowledged yet"
    raise_alarm(records, "hot", False)
    assert records.acknowledge("hot", EVA) == ""
    assert state_of(records, "hot").retained
    assert records.confirm("hot", TOM, "cause found") == ""
    assert not state_of(records, "hot").retained and state_of(records, "hot").comment == "cause found"
    assert records.confirm("hot", TOM) == "confirmed already"


def test_an_acknowledgement_is_for_the_occurrence_that_was_seen(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot", "cold")
    raise_alarm(records, "hot")
    seen = state_of(records, "hot").event
    raise_alarm(records, "cold")
    raise_alarm(records, "hot", False)
    raise_alarm(records, "hot")
    assert records.acknowledge("hot", EVA, event=seen) == "a newer event"
    assert records.acknowledge("hot", EVA, event=state_of(records, "hot").event + 50) == "no such event"
    assert records.acknowledge("hot", EVA, event=seen + 1) == "a newer event"
    assert records.acknowledge("cold", EVA, event=state_of(records, "hot").event) == "no such event", "an event of another alarm"
    newest = state_of(records, "hot").event
    raise_alarm(records, "hot", False)
    assert records.acknowledge("HOT", EVA, event=newest) == "", (
        "the same occurrence, though it has cleared since; case does not count"
    )
    assert state_of(records, "hot").count == 2


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ([], "it has never been active"),
        ([True], "acknowledged already"),
        ([True, False], "not active and acknowledged already"),
    ],
)
def test_acknowledging_twice_is_refused(tmp_path: Path, turns: list[bool], why: str) -> None:
    records = with_alarms(tmp_path, "hot")
    for active in turns:
        raise_alarm(records, "hot", active)
    if turns:
        assert records.acknowledge("hot", EVA) == ""
    assert records.acknowledge("hot", TOM) == why
    assert records.acknowledge("hut", TOM) == "no alarm named hut"


def test_a_bad_quality_keeps_the_last_state_and_is_an_event(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot")
    raise_alarm(records, "hot")
    records.change([Change("hot", 5, None, 0x80310000)])
    assert state_of(records, "hot").active and state_of(records, "hot").quality == 0x80310000
    records.change([Change("hot", 6, False)])
    assert kinds(records, "hot") == ["active", "quality", "quality", "cleared"]


def test_a_removed_alarm_leaves_the_list_and_its_events_stay(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot", "cold")
    raise_alarm(records, "hot")
    records.declare([AlarmState("cold"), AlarmState("new")], confirm=False)
    assert [state.name for state in records.alarms()] == ["cold", "new"]
    assert kinds(records, "hot") == ["active", "removed"]
    assert records.acknowledge("hot", EVA) == "no alarm named hot"
    assert records.change([Change("hot", 1, False)]) == [], "a change that was still under way"
    records.declare([AlarmState("hot", "critical", "Too hot")], confirm=False)
    state = state_of(records, "hot")
    assert (state.active, state.retained, state.severity, state.text, state.count) == (False, False, "critical", "Too hot", 1)


def test_events_keep_their_order_though_the_clock_jumps_backwards(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot")
    times = [2_000_000_000_000_000_000, 1_000_000_000_000_000_000, 1_500_000_000_000_000_000]
    for at, active in zip(times, (True, False, True), strict=True):
        raise_alarm(records, "hot", active, at)
    events = records.events_after(0)
    assert [event.time for event in events] == times
    assert [event.number for event in events] == [events[0].number + n for n in range(3)]
    assert records.events_after(events[1].number) == events[2:]
    assert state_of(records, "hot").event == records.newest_event()


def test_numbers_go_on_after_a_restart_and_after_trimming(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot")
    raise_alarm(records, "hot")
    newest = records.newest_event()
    records.trim(most=0)
    assert records.events_after(0) == []
    records.close()
    records = Records(tmp_path)
    assert state_of(records, "hot").active, "the state outlives its events"
    raise_alarm(records, "hot", False)
    assert [event.number for event in records.events_after(newest)] == [newest + 1]


ACKNOWLEDGE = """
import sys
from pathlib import Path
from runtime.servers.audit import Who
from runtime.servers.records.store import Records
records = Records(sys.argv[1])
print("ready", flush=True)
for name in sys.stdin:
    print(records.acknowledge(name.strip(), Who(sys.argv[2], "operator", "x")), flush=True)
"""


def test_of_two_processes_that_acknowledge_one_event_exactly_one_does(tmp_path: Path) -> None:
    names = [f"a{n}" for n in range(200)]
    records = with_alarms(tmp_path, *names)
    records.change([Change(name, time.time_ns(), True) for name in names])
    people = [
        subprocess.Popen(
            [sys.executable, "-c", ACKNOWLEDGE, str(tmp_path), user],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for user in ("eva", "tom")
    ]
    for one in people:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    results: list[list[str]] = [[], []]
    threads = [
        threading.Thread(target=lambda i=i: results[i].extend(people[i].communicate("\n".join(names) + "\n", 60)[0].splitlines()))
        for i in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, first, second in zip(names, *results, strict=True):
        assert sorted([first, second]) == ["", "acknowledged already"], name
    happened = [(event.alarm, event.kind) for event in records.events_after(0, 10_000)]
    assert sorted(happened) == sorted((name, kind) for name in names for kind in ("active", "acknowledged"))
    assert {state.acked_by for state in records.alarms()} <= {"eva", "tom"}


# ------------------------------------------------------------------------------------------------ audit


def test_deeds_are_kept_as_they_were_and_found_again(tmp_path: Path) -> None:
    records = Records(tmp_path)
    deeds = [
        wrote("hmi.p_set", 100.5, 7),
        wrote("hmi.steps", [1.0, float("inf")], 8),
        wrote("hmi.p_set", "x", taken=False, user="tom"),
    ]
    for deed in deeds:
        records.keep(deed)
    assert records.flush()
    assert records.deeds() == deeds[::-1]
    assert records.deeds(subject="HMI.p*") == [deeds[2], deeds[0]]
    assert records.deeds(subject="hmi.p_[s]et") == [], "only * stands for letters"
    assert records.deeds(user="tom") == records.deeds(taken=False) == [deeds[2]]
    assert records.deeds(until=deeds[0].time - 1) == []
    assert records.last_writes() == {"hmi.p_set": deeds[0], "hmi.steps": deeds[1]}


def test_what_a_rude_client_says_is_kept_in_bounds(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.keep(
        Deed("opcua", Who("\ud800" + "x" * 1_000_000, "", "p"), "login", "a\0b", "no", False, new={1: object()}, old=b"\0" * 10**6)
    )
    records.keep(wrote("after", 1))
    assert records.flush()
    after, rude = records.deeds()
    assert after.subject == "after" and len(rude.who.user) == TEXT and rude.subject == "a\0b" and "object" in rude.new
    assert (tmp_path / "records.sqlite").stat().st_size < 200_000


def test_the_audit_log_is_bounded_and_the_last_writes_stay(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for n in range(3000):
        records.keep(wrote(f"t{n % 3}", n, n))
    assert records.flush()
    steps = 1
    while records.trim(most=1000):
        steps += 1
    assert steps > 1, "in small steps"
    assert [deed.scan for deed in records.deeds(limit=5000)] == list(range(2999, 1999, -1))
    while records.trim(age=-1):
        steps += 1
    assert records.deeds() == [] and records.last_writes()["t2"].scan == 2999


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    records = with_alarms(tmp_path / "new" / "folder", "hot")
    for path in (tmp_path / "new" / "folder").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "new" / "folder").stat().st_mode) == 0o700
    records.close()


def test_a_poll_that_finds_nothing_new_is_cheap(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot")
    raise_alarm(records, "hot")
    newest = records.newest_event()
    began = time.perf_counter()
    for _ in range(1000):
        assert not records.events_after(newest)
    assert time.perf_counter() - began < 1000 * 100e-6 * 5
