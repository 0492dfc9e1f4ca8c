"""Commands: one door with role, range and authority checks; the answer says in which scan it was taken, or why not."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from runtime.engine.command import (
    BAD_ELEMENT,
    COMMANDS_A_SCAN,
    NOT_FINITE,
    NOT_RUNNING,
    NOT_WRITABLE,
    OUT_OF_RANGE,
    REMOTE_LOCKED,
    ROLE_TOO_LOW,
    TAKEN,
    UNKNOWN_TAG,
    WRITE,
)
from runtime.engine.image import LINE, RING_ENTRIES, Shared
from runtime.engine.north import Commands, command_file
from runtime.engine.plan import S_STATE, SAFE
from runtime.model import Site
from tests.aids.engine import GENERATION, Bench
from tests.aids.site_text import load_all

SITE = """
tasks:
  fast: {interval: 10 ms, programs: [fast]}
  slow: {interval: 50 ms, programs: [slow]}
authority: site.remote
tags:
  hmi.p: {type: LREAL, range: -500..500, write: operator}
  hmi.limit: {type: DINT, range: 0..10, write: engineer}
  hmi.wide: {type: DINT, write: operator}
  hmi.big: {type: LINT, write: operator}
  hmi.delay: {type: TIME, range: 0..10000000000, write: operator}
  hmi.on: {type: BOOL, write: operator}
  hmi.steps: {type: "LREAL[3]", range: 0..10, write: operator}
  hmi.close: {type: BOOL, pulse: true, write: operator}
  site.remote: {type: BOOL, default: true, write: operator}
  x.fast: {type: LREAL}
  x.slow: {type: LREAL}
"""
COUNTER = """
program: {name}
blocks:
  one: {{type: SEL, G: hmi.close, IN0: 0.0, IN1: 1.0}}
  runs: {{type: ADD, A: last runs.OUT, B: one.OUT}}
outputs:
  x.{name}: runs.OUT
"""


def site() -> Site:
    programs = {f"programs/{name}.yaml": COUNTER.format(name=name) for name in ("fast", "slow")}
    return load_all({"config/site.yaml": SITE, **programs})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, site())


def test_a_command_is_taken_by_the_next_scan_and_the_answer_names_it(bench: Bench) -> None:
    ring = bench.commands()
    bench.scan(4)
    reply = bench.ask(ring, "hmi.p", 120.5)
    assert (reply.answer, reply.scan, reply.is_taken, reply.text) == (TAKEN, 5, True, "taken")
    assert bench.value("hmi.p") == 120.5
    assert bench.snapshot().value(bench.schedule.tag("hmi.p")) == 120.5


def test_nothing_is_answered_before_a_scan(bench: Bench) -> None:
    ring = bench.commands()
    assert ring.write(bench.schedule.tag("hmi.p"), 1.0, "operator") == 1
    assert list(ring.replies()) == []


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("hmi.on", True, True),
        ("hmi.limit", 7, 7),
        ("hmi.wide", -(2**31), -(2**31)),
        ("hmi.big", -(2**63), -(2**63)),
        ("hmi.delay", 10_000_000_000, 10_000_000_000),
        ("hmi.p", -500.0, -500.0),
        ("hmi.p", 500.0, 500.0),
    ],
)
def test_every_type_is_written_up_to_the_end_of_its_range(bench: Bench, name: str, value: float, stored: float) -> None:
    assert bench.ask(bench.commands(), name, value, "admin").answer == TAKEN
    assert bench.value(name) == stored


@pytest.mark.parametrize(
    ("name", "value", "role", "element", "answer"),
    [
        ("hmi.p", math.nextafter(500, 501), "operator", 0, OUT_OF_RANGE),
        ("hmi.p", -500.1, "operator", 0, OUT_OF_RANGE),
        ("hmi.p", math.nan, "operator", 0, NOT_FINITE),
        ("hmi.p", math.inf, "operator", 0, NOT_FINITE),
        ("hmi.p", -math.inf, "operator", 0, NOT_FINITE),
        ("hmi.p", 1.0, "viewer", 0, ROLE_TOO_LOW),
        ("hmi.limit", 5, "operator", 0, ROLE_TOO_LOW),
        ("hmi.limit", 11, "engineer", 0, OUT_OF_RANGE),
        ("hmi.limit", -1, "engineer", 0, OUT_OF_RANGE),
        ("hmi.wide", 2**31, "operator", 0, OUT_OF_RANGE),
        ("hmi.wide", -(2**31) - 1, "operator", 0, OUT_OF_RANGE),
        ("hmi.wide", 2**32, "operator", 0, OUT_OF_RANGE),
        ("hmi.delay", -1, "operator", 0, OUT_OF_RANGE),
        ("hmi.steps", 1.0, "operator", 3, BAD_ELEMENT),
        ("hmi.steps", 1.0, "operator", -1, BAD_ELEMENT),
        ("hmi.steps", 10.5, "operator", 1, OUT_OF_RANGE),
        ("hmi.p", 1.0, "operator", 1, BAD_ELEMENT),
        ("x.fast", 1.0, "admin", 0, NOT_WRITABLE),
        ("plc.scan", 1, "admin", 0, NOT_WRITABLE),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_reason_and_changes_nothing(
    bench: Bench, name: str, value: float, role: str, element: int, answer: int
) -> None:
    before = bench.value(name)
    reply = bench.ask(bench.commands(), name, value, role, element)
    assert reply.answer == answer
    assert not reply.is_taken and reply.text.startswith("refused: ")
    assert bench.value(name) == (before if name != "plc.scan" else 1)


@pytest.mark.parametrize(("kind", "tag"), [(WRITE, -1), (WRITE, 10**9), (WRITE, -(2**63)), (99, 0), (0, 0), (-1, 0)])
def test_a_command_that_makes_no_sense_is_answered_and_harms_nothing(bench: Bench, kind: int, tag: int) -> None:
    ring = bench.commands()
    number = ring.put(kind, tag, 0, 3, 1)
    bench.scan()
    assert [(r.id, r.answer) for r in ring.replies()] == [(number, UNKNOWN_TAG)]
    assert bench.ask(ring, "hmi.p", 3.0).is_taken


@pytest.mark.parametrize(
    ("name", "value"), [("hmi.wide", math.nan), ("hmi.wide", math.inf), ("hmi.big", 2**63), ("hmi.big", 10**40)]
)
def test_what_no_integer_can_hold_never_enters_the_ring(bench: Bench, name: str, value: float) -> None:
    ring = bench.commands()
    assert bench.ask(ring, "hmi.close", True).is_taken
    with pytest.raises((ValueError, OverflowError)):
        ring.write(bench.schedule.tag(name), value, "operator")
    assert bench.ask(ring, "hmi.p", 5.0).is_taken, "the next command follows the last good one, with nothing between"


def test_one_element_of_an_array_is_written(bench: Bench) -> None:
    assert bench.ask(bench.commands(), "hmi.steps", 4.5, element=1).is_taken
    assert bench.value("hmi.steps") == [0, 4.5, 0]


def test_a_repeated_command_changes_nothing_more(bench: Bench) -> None:
    ring = bench.commands()
    for _ in range(3):
        assert bench.ask(ring, "hmi.p", 33.0).is_taken
    assert bench.value("hmi.p") == 33


def test_a_pulse_is_true_for_exactly_one_run_of_each_task_that_reads_it(bench: Bench) -> None:
    ring = bench.commands()
    bench.scan(2)
    assert bench.ask(ring, "hmi.close", True).is_taken
    assert (bench.value("x.fast"), bench.value("x.slow")) == (1, 0), "the slow task has not run since"
    bench.scan(20)
    assert (bench.value("x.fast"), bench.value("x.slow")) == (1, 1)


def test_a_pulse_is_shown_in_the_snapshot_of_its_scan_only_so_that_it_cannot_stick(bench: Bench) -> None:
    ring, tag = bench.commands(), bench.schedule.tag("hmi.close")
    bench.ask(ring, "hmi.close", True)
    assert bench.snapshot().value(tag) is True
    bench.scan()
    assert bench.snapshot().value(tag) is False


def test_a_pulse_asked_for_twice_before_a_task_runs_is_one_pulse(bench: Bench) -> None:
    ring = bench.commands()
    bench.scan(1)
    for _ in range(3):
        bench.ask(ring, "hmi.close", True)
    bench.scan(10)
    assert (bench.value("x.fast"), bench.value("x.slow")) == (3, 1)


def test_writing_false_to_a_pulse_gives_none(bench: Bench) -> None:
    assert bench.ask(bench.commands(), "hmi.close", False).is_taken
    bench.scan(10)
    assert (bench.value("x.fast"), bench.value("x.slow")) == (0, 0)


def test_a_full_ring_takes_no_more_until_answers_were_read(bench: Bench) -> None:
    ring, tag = bench.commands(), bench.schedule.tag("hmi.p")
    numbers = [ring.write(tag, float(i), "operator") for i in range(RING_ENTRIES)]
    assert numbers == list(range(1, RING_ENTRIES + 1))
    assert ring.is_full() and ring.write(tag, 1.0, "operator") == 0
    bench.scan(RING_ENTRIES // COMMANDS_A_SCAN)
    assert [r.id for r in ring.replies()] == numbers
    assert bench.value("hmi.p") == RING_ENTRIES - 1
    assert ring.write(tag, 1.0, "operator") == RING_ENTRIES + 1


def test_a_scan_takes_a_bounded_number_of_commands_in_their_order(bench: Bench) -> None:
    ring, tag = bench.commands(), bench.schedule.tag("hmi.p")
    for i in range(150):
        ring.write(tag, float(i), "operator")
    scans = []
    for _ in range(3):
        bench.scan()
        scans.append((bench.value("hmi.p"), len(list(ring.replies()))))
    assert scans == [(63, 64), (127, 64), (149, 22)]


def test_every_service_has_its_own_ring_and_the_later_one_has_the_last_word(bench: Bench) -> None:
    hmi, opcua = bench.commands("hmi"), bench.commands("opcua")
    opcua.write(bench.schedule.tag("hmi.p"), 2.0, "operator")
    hmi.write(bench.schedule.tag("hmi.p"), 1.0, "operator")
    bench.scan()
    assert bench.value("hmi.p") == 2
    assert [r.id for r in hmi.replies()] == [r.id for r in opcua.replies()] == [1]


def test_a_restarted_service_is_not_given_its_predecessors_answers(bench: Bench) -> None:
    old = bench.commands()
    for _ in range(5):
        bench.ask(old, "hmi.p", 1.0)
    new = Commands(bench.folder, "hmi", bench.schedule.region.size, GENERATION)
    number = new.write(bench.schedule.tag("hmi.p"), 900.0, "operator")
    bench.scan()
    assert list(new.replies()) == [], "the scan has not attached the new ring yet"
    bench.plc.attach()
    bench.scan()
    assert [(r.id, r.answer) for r in new.replies()] == [(number, OUT_OF_RANGE)]


def test_a_restarted_scan_refuses_what_was_meant_for_its_predecessor(tmp_path: Path) -> None:
    before = Bench(tmp_path, site())
    ring = before.commands()
    for _ in range(3):
        assert before.ask(ring, "hmi.close", True).is_taken
    late = ring.write(before.schedule.tag("hmi.close"), True, "operator")
    after = Bench(tmp_path, site())
    after.scan(20)
    assert after.value("x.fast") == 0, "a contactor must not close because a process was restarted"
    assert [(r.id, r.answer) for r in ring.replies()] == [(late, NOT_RUNNING)]
    assert after.ask(ring, "hmi.close", True).is_taken
    assert after.value("x.fast") == 1


def test_a_restarted_scan_answers_at_once_however_many_commands_came_before(tmp_path: Path) -> None:
    before = Bench(tmp_path, site())
    ring = before.commands()
    for _ in range(3 * RING_ENTRIES):
        before.ask(ring, "hmi.p", 1.0)
    after = Bench(tmp_path, site())
    number = ring.write(after.schedule.tag("hmi.p"), 77.0, "operator")
    after.scan(RING_ENTRIES // COMMANDS_A_SCAN + 1)
    assert [(r.id, r.answer) for r in ring.replies()] == [(number, TAKEN)]
    assert after.value("hmi.p") == 77


def test_in_local_control_remote_services_are_refused(bench: Bench) -> None:
    hmi, opcua = bench.commands("hmi"), bench.commands("opcua")
    assert bench.ask(opcua, "hmi.p", 1.0).is_taken, "the site starts in remote control"
    assert bench.ask(hmi, "site.remote", False).is_taken
    for service in ("modbus", "rest", "cli"):
        assert bench.ask(bench.commands(service), "hmi.p", 2.0).answer == REMOTE_LOCKED
    assert bench.ask(opcua, "hmi.p", 2.0).text == "refused: the site is in local control"
    assert bench.ask(opcua, "site.remote", True).answer == REMOTE_LOCKED, "remote cannot take the control that local holds"
    assert bench.ask(hmi, "hmi.p", 3.0).is_taken
    assert bench.ask(bench.commands("supervisor"), "hmi.p", 4.0).is_taken
    assert bench.ask(hmi, "site.remote", True).is_taken
    assert bench.ask(opcua, "hmi.p", 5.0).is_taken


def test_a_stopped_scan_answers_that_it_is_stopped(bench: Bench) -> None:
    ring = bench.commands()
    bench.ask(ring, "hmi.p", 1.0)
    bench.plc.plan.state[S_STATE] = SAFE
    assert bench.ask(ring, "hmi.p", 2.0).answer == NOT_RUNNING
    assert bench.value("hmi.p") == 1


def test_a_ring_of_another_program_or_size_is_not_read(bench: Bench) -> None:
    tag = bench.schedule.tag("hmi.p")
    foreign = Commands(bench.folder, "rest", bench.schedule.region.size, GENERATION + 1)
    foreign.write(tag, 9.0, "admin")
    Shared.create(bench.folder / command_file("modbus"), LINE, GENERATION).memory[4096:] = 0xFF
    bench.plc.attach()
    bench.scan(2)
    assert bench.value("hmi.p") == 0


def test_statistics_start_afresh_when_a_service_asks(bench: Bench) -> None:
    ring = bench.commands()
    bench.scan(10)
    assert bench.value("plc.scan_max_us") > 0
    ring.reset_statistics()
    bench.scan()
    assert [r.answer for r in ring.replies()] == [TAKEN]
    assert bench.plc.plan.statistics[: 8 * 264].sum() > 0, "the scan that took the command is counted again"
    assert int(bench.plc.plan.statistics[6 * 264]) == 1
