"""Forces: a tag stands at what an engineer holds it at, for every reader, and at nothing else once the force is gone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.engine.carry import Program, carry_list, do_copies
from runtime.engine.command import (
    BAD_ELEMENT,
    FORCE,
    FORCED,
    NOT_FINITE,
    NOT_FORCEABLE,
    NOT_FORCED,
    NOT_RUNNING,
    OUT_OF_RANGE,
    REMOTE_LOCKED,
    ROLE_TOO_LOW,
    TAKEN,
    TOO_MANY_FORCES,
    UNFORCE,
    UNKNOWN_TAG,
)
from runtime.engine.force_list import Note, put_force, put_unforce, read_forces
from runtime.engine.force_tables import FORCES
from runtime.engine.image import address_of
from runtime.engine.north import Commands
from runtime.engine.plan import S_STATE, SAFE
from runtime.engine.retain import Keeper, restore
from runtime.quality import BAD_NO_COMMUNICATION, GOOD, GOOD_LOCAL_OVERRIDE
from tests.aids.engine import GENERATION, MS, Bench
from tests.aids.site_text import load_all

SITE = """
tasks:
  fast: {interval: 10 ms, programs: [fast]}
  slow: {interval: 50 ms, programs: [slow]}
io: [rack]
authority: site.remote
tags:
  hmi.p: {type: LREAL, unit: kW, range: -500..500, default: 1, write: operator, retain: true}
  hmi.close: {type: BOOL, pulse: true, write: operator}
  site.remote: {type: BOOL, default: true, write: operator}
  x.sum: {type: LREAL, unit: kW, range: -900..900}
  x.same: {type: LREAL, unit: kW}
  x.next: {type: LREAL, unit: kW}
  x.later: {type: LREAL, unit: kW}
  x.closes: {type: LREAL}
  x.level: {type: DINT, names: [idle, busy, done]}
  x.cells: {type: "LREAL[3]"}
"""
RACK = """
device: rack
driver: fake
stale: 1 s
timeout: 1 s
inputs:
  bms.soc: {at: soc, type: LREAL, unit: "%", initial: 50 %, bad: hold}
  bms.cell: {at: cells, count: 3, type: LREAL, initial: 3.3, bad: hold}
  bms.ok: {at: ok, type: BOOL, bad: false}
outputs:
  pcs.p: {at: p, type: LREAL, unit: kW, min: -500 kW, max: 500 kW, safe: 7 kW}
  pcs.on: {at: "on", type: BOOL, safe: false}
"""
FAST = """
program: fast
blocks:
  add: {type: ADD, A: hmi.p, B: 10 kW}
  next: {type: ADD, A: x.sum, B: 100 kW}
  one: {type: SEL, G: hmi.close, IN0: 0.0, IN1: 1.0}
  closes: {type: ADD, A: last closes.OUT, B: one.OUT}
  count: {type: SEL, G: bms.ok, IN0: 0, IN1: 1}
outputs:
  x.sum: add.OUT
  x.same: x.sum
  x.next: next.OUT
  x.closes: closes.OUT
  x.level: to_dint(count.OUT)
  x.cells: "bms.cell[*]"
  pcs.p: x.sum
  pcs.on: bms.ok
"""
SLOW = "program: slow\nblocks: {add: {type: ADD, A: x.sum, B: 1 kW}}\noutputs: {x.later: add.OUT}\n"
FILES = {"config/site.yaml": SITE, "io_maps/rack.yaml": RACK, "programs/fast.yaml": FAST, "programs/slow.yaml": SLOW}


class Forcing(Bench):
    """A bench with an engineer at the HMI."""

    def __init__(self, folder: Path):
        super().__init__(folder, load_all(FILES))
        self.ring = self.commands("hmi")
        self.scan(2)

    def _answer(self, number: int, ring: Commands) -> int:
        self.scan()
        replies = list(ring.replies())
        assert [reply.id for reply in replies] == [number]
        return replies[0].answer

    def force(self, name: str, value: Any, element: int = 0, lasts: int = 0, role: str = "engineer", ring: Any = None) -> int:
        note = Note("eva", "hmi", "a test", 0, lasts)
        at = self.schedule.tag(name)
        return self._answer(put_force(ring or self.ring, self.folder, at, value, note, role, element), ring or self.ring)

    def unforce(self, name: str = "", element: int = -1, role: str = "engineer") -> int:
        tag = self.schedule.tag(name) if name else None
        return self._answer(put_unforce(self.ring, tag, role, element), self.ring)

    def listed(self) -> list[Any]:
        return read_forces(self.folder, GENERATION, self.schedule.region.size, self.schedule.tags, self.schedule.tick)


@pytest.fixture
def bench(tmp_path: Path) -> Forcing:
    return Forcing(tmp_path)


def test_a_computed_tag_is_forced_for_every_reader_of_the_same_scan_and_later_tasks(bench: Forcing) -> None:
    assert (bench.value("x.sum"), bench.value("x.next")) == (11.0, 111.0)
    assert bench.force("x.sum", 40.0) == TAKEN
    assert (bench.value("x.sum"), bench.value("x.same"), bench.value("x.next")) == (40.0, 40.0, 140.0)
    assert bench.outbox().lreal[bench.slot("pcs.p")] == 40.0
    bench.scan(5)
    assert (bench.value("x.sum"), bench.value("x.later"), bench.value("plc.forced")) == (40.0, 41.0, 1)
    assert bench.quality("x.sum") == GOOD_LOCAL_OVERRIDE and bench.quality("x.same") == GOOD


def test_an_unforced_tag_is_computed_again_in_the_next_scan(bench: Forcing) -> None:
    bench.force("x.sum", 40.0)
    assert bench.unforce("x.sum") == TAKEN
    bench.scan()
    assert (bench.value("x.sum"), bench.value("x.next"), bench.value("plc.forced")) == (11.0, 111.0, 0)
    assert bench.quality("x.sum") == GOOD
    assert bench.unforce("x.sum") == NOT_FORCED


def test_an_input_is_forced_right_after_the_latch_and_shows_again_what_was_read_meanwhile(bench: Forcing) -> None:
    bench.feed("bms.soc", 61.0)
    bench.scan()
    bench.force("bms.soc", 80.0)
    bench.feed("bms.soc", 62.0)
    bench.scan(3)
    assert (bench.value("bms.soc"), bench.quality("bms.soc"), bench.good("bms.soc")) == (80.0, GOOD_LOCAL_OVERRIDE, True)
    bench.unforce("bms.soc")
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (62.0, GOOD)


def test_an_input_that_was_lost_under_its_force_holds_its_last_reading_and_not_the_forced_value(bench: Forcing) -> None:
    bench.feed("bms.soc", 61.0)
    bench.scan()
    bench.force("bms.soc", 80.0)
    bench.feed("bms.soc", 0.0, BAD_NO_COMMUNICATION)
    bench.scan()
    assert bench.good("bms.soc")
    bench.unforce()
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc"), bench.good("bms.soc")) == (61.0, BAD_NO_COMMUNICATION, False)


def test_one_element_of_an_array_is_forced_and_the_others_live_on(bench: Forcing) -> None:
    for element, value in enumerate((3.1, 3.2, 3.3)):
        bench.feed("bms.cell", value, element=element)
    bench.scan()
    assert bench.force("x.cells", 9.0, element=1) == TAKEN and bench.force("bms.cell", 3.9, element=2) == TAKEN
    bench.feed("bms.cell", 3.05, element=0)
    bench.scan()
    assert bench.value("bms.cell") == [3.05, 3.2, 3.9]
    assert bench.value("x.cells") == [3.05, 9.0, 3.9]
    bench.unforce("x.cells")
    bench.scan()
    assert bench.value("x.cells") == [3.05, 3.2, 3.9]
    assert bench.quality("bms.cell") == GOOD_LOCAL_OVERRIDE


@pytest.mark.parametrize("length", [2, 3, 4, 9])
@pytest.mark.parametrize("source", ["add.OUT", "7.0"])
def test_an_element_of_an_array_that_one_value_feeds_is_forced_alone(tmp_path: Path, length: int, source: str) -> None:
    site = "tasks: {main: {interval: 10 ms, programs: [p]}}\ntags:\n" + f'  x.all: {{type: "LREAL[{length}]"}}\n'
    program = f"program: p\nblocks: {{add: {{type: ADD, A: 3.0, B: 4.0}}}}\noutputs: {{x.all: {source}}}\n"
    bench = Bench(tmp_path, load_all({"config/site.yaml": site, "programs/p.yaml": program}))
    ring, tag = bench.commands("hmi"), bench.schedule.tag("x.all")
    for element in (0, 1, length - 1):
        put_force(ring, bench.folder, tag, 9.5, Note("eva", "hmi", "a test", 0), "engineer", element)
        bench.scan(2)
        assert bench.value("x.all") == [9.5 if n == element else 7.0 for n in range(length)]
        put_unforce(ring, None, "engineer")
        bench.scan(2)
        assert bench.value("x.all") == [7.0] * length


def test_an_operators_tag_refuses_writes_while_it_is_forced_and_stands_then_where_it_stood(bench: Forcing) -> None:
    bench.ask(bench.ring, "hmi.p", 5.0)
    assert bench.force("hmi.p", 33.0) == TAKEN
    refused = bench.ask(bench.ring, "hmi.p", 6.0)
    assert (refused.answer, refused.text) == (FORCED, "refused: the tag is forced")
    assert bench.value("x.sum") == 43.0
    bench.unforce("hmi.p")
    bench.scan()
    assert bench.value("hmi.p") == 5.0 and bench.ask(bench.ring, "hmi.p", 6.0).is_taken


def test_a_forced_pulse_is_true_in_every_run_and_a_pulse_forced_false_never_comes(bench: Forcing) -> None:
    bench.force("hmi.close", True)
    begun = bench.value("x.closes")
    bench.scan(4)
    assert bench.value("x.closes") == begun + 4
    bench.force("hmi.close", False)
    stood = bench.value("x.closes")
    assert bench.ask(bench.ring, "hmi.close", True).answer == FORCED
    bench.unforce()
    bench.scan(3)
    assert bench.value("x.closes") == stood
    bench.ask(bench.ring, "hmi.close", True)
    bench.scan(3)
    assert bench.value("x.closes") == stood + 1


def test_a_force_is_gone_when_its_ticks_are_over_also_where_scans_were_missed(bench: Forcing) -> None:
    bench.force("x.sum", 40.0, lasts=45 * MS)  # 5 ticks of 10 ms
    bench.scan(4)
    assert bench.value("x.sum") == 40.0
    bench.scan()
    assert (bench.value("x.sum"), bench.value("plc.forced")) == (11.0, 0)
    bench.force("x.sum", 40.0, lasts=50 * MS)
    bench.scan(ticks=7)
    assert bench.value("x.sum") == 11.0


def test_a_force_given_again_takes_the_new_value_and_the_new_time(bench: Forcing) -> None:
    bench.force("x.sum", 40.0, lasts=20 * MS)
    bench.force("x.sum", 50.0)
    bench.scan(5)
    assert (bench.value("x.sum"), bench.value("plc.forced")) == (50.0, 1)
    bench.unforce()
    bench.scan()
    assert bench.value("x.sum") == 11.0


def test_safe_outputs_win_over_forces(bench: Forcing) -> None:
    bench.force("pcs.p", 400.0)
    bench.force("pcs.on", True)
    assert bench.outbox().lreal[bench.slot("pcs.p")] == 400.0
    bench.plc.plan.state[S_STATE] = SAFE
    bench.scan()
    assert (bench.outbox().lreal[bench.slot("pcs.p")], bench.outbox().integer[bench.slot("pcs.on")]) == (7.0, 0)
    assert bench.force("pcs.p", 300.0) == NOT_RUNNING
    assert bench.unforce() == TAKEN


@pytest.mark.parametrize(
    ("name", "value", "element", "role", "answer"),
    [
        ("x.sum", 1.0, 0, "operator", ROLE_TOO_LOW),
        ("x.sum", 901.0, 0, "engineer", OUT_OF_RANGE),
        ("pcs.p", -501.0, 0, "admin", OUT_OF_RANGE),
        ("x.sum", math.nan, 0, "engineer", NOT_FINITE),
        ("x.level", 2**31, 0, "engineer", OUT_OF_RANGE),
        ("x.cells", 1.0, 3, "engineer", BAD_ELEMENT),
        ("x.sum", 1.0, 1, "engineer", BAD_ELEMENT),
        ("plc.scan", 1, 0, "admin", NOT_FORCEABLE),
    ],
)
def test_a_force_that_may_not_be_is_refused_with_its_reason(
    bench: Forcing, name: str, value: Any, element: int, role: str, answer: int
) -> None:
    assert bench.force(name, value, element, role=role) == answer
    assert bench.value("plc.forced") == 0 and bench.listed() == []


@pytest.mark.parametrize("kind", [FORCE, UNFORCE])
@pytest.mark.parametrize("tag", [10**9, -(2**63), -2])
def test_a_force_on_no_tag_harms_nothing(bench: Forcing, kind: int, tag: int) -> None:
    bench.ring.put(kind, tag, 0, 3, 1)
    bench.scan()
    assert [reply.answer for reply in bench.ring.replies()] == [NOT_FORCED if kind == UNFORCE else UNKNOWN_TAG]


def test_local_control_refuses_the_forces_of_remote_rings_and_takes_those_of_the_plant(bench: Forcing) -> None:
    remote = bench.commands("cli")
    bench.ask(bench.ring, "site.remote", False)
    assert bench.force("x.sum", 40.0, ring=remote) == REMOTE_LOCKED
    assert bench.force("x.sum", 40.0) == TAKEN


def test_an_operator_may_not_lift_a_force(bench: Forcing) -> None:
    bench.force("x.sum", 40.0)
    assert bench.unforce(role="operator") == ROLE_TOO_LOW
    assert bench.value("x.sum") == 40.0


def test_the_list_names_user_reason_and_the_time_that_is_left(bench: Forcing) -> None:
    bench.force("x.level", 2)
    bench.force("x.cells", 9.5, element=1, lasts=1000 * MS)
    bench.scan(50)
    first, second = bench.listed()
    assert (first.name, first.value, first.left, first.note.user, first.note.reason) == ("x.level", 2, None, "eva", "a test")
    assert (second.name, second.value) == ("x.cells[2]", 9.5) and second.left == pytest.approx(0.5)


def test_the_table_is_bounded_and_says_so(tmp_path: Path) -> None:
    tags = f'  x.many: {{type: "DINT[{FORCES + 1}]"}}\n  x.one: {{type: BOOL}}\n'
    site = "tasks: {main: {interval: 10 ms, programs: [p]}}\ntags:\n" + tags
    bench = Bench(tmp_path, load_all({"config/site.yaml": site, "programs/p.yaml": "program: p\n"}))
    ring = bench.commands("hmi")
    many = bench.schedule.tag("x.many").index
    numbers = [ring.put(FORCE, many, element, 2, element + 7, 0, 1) for element in range(FORCES + 1)]
    bench.scan(2)
    answers = {reply.id: reply.answer for reply in ring.replies()}
    assert [answers[number] for number in numbers] == [TAKEN] * FORCES + [TOO_MANY_FORCES]
    assert bench.value("x.many") == [*(n + 7 for n in range(FORCES)), 0] and bench.value("plc.forced") == FORCES
    ring.put(UNFORCE, many, 5, 2, 0)
    bench.scan()
    ring.put(FORCE, many, FORCES, 2, 1, 0, 1)
    bench.scan()
    assert bench.value("x.many")[FORCES] == 1 and bench.value("x.many")[5] == 0


def test_a_new_scan_process_forces_nothing(bench: Forcing, tmp_path: Path) -> None:
    bench.force("x.sum", 40.0)
    again = Bench(tmp_path, bench.site)
    again.scan(2)
    assert (again.value("x.sum"), again.value("plc.forced")) == (11.0, 0)


def test_a_program_that_goes_on_from_another_holds_what_it_still_has_and_forgets_the_rest(bench: Forcing, tmp_path: Path) -> None:
    bench.force("x.sum", 40.0)
    bench.force("hmi.p", 33.0)
    bench.force("x.same", 3.0)
    bench.force("x.cells", 8.0, element=2)
    bench.force("bms.soc", 80.0)
    edited = SITE.replace("x.sum: {type: LREAL, unit: kW, range: -900..900}", "x.sum: {type: LREAL, unit: kW, range: -900..30}")
    edited = edited.replace("  x.same:", "  x.also:").replace("tags:\n", "tags:\n  a.first: {type: BOOL}\n")
    files = FILES | {"config/site.yaml": edited, "programs/fast.yaml": FAST.replace("x.same:", "x.also:")}
    (tmp_path / "beside").mkdir()
    new = Bench(tmp_path / "beside", load_all(files))
    carried = carry_list(Program(bench.schedule, bench.plc.plan), Program(new.schedule, new.plc.plan)).copies
    do_copies(address_of(carried), len(carried))
    new.scan(2)
    assert (new.value("hmi.p"), new.value("x.cells")[2], new.value("bms.soc")) == (33.0, 8.0, 80.0)
    assert (new.value("x.sum"), new.value("x.also")) == (43.0, 43.0)  # 40 is outside of what it may be now, and x.same is no more
    assert (new.value("plc.forced"), new.quality("x.sum")) == (3, GOOD)
    new.commands("hmi").put(UNFORCE, -1, -1, 2, 0)
    new.scan(2)
    assert (new.value("hmi.p"), new.value("bms.soc"), new.value("x.cells")[2], new.value("plc.forced")) == (1.0, 50.0, 3.3, 0)


def test_what_is_forced_is_not_retained(bench: Forcing, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    bench.ask(bench.ring, "hmi.p", 5.0)
    Keeper(folder, bench.schedule).keep(bench.snapshot())
    bench.force("hmi.p", 33.0)
    Keeper(folder, bench.schedule).keep(bench.snapshot(), at_last=True)
    place = bench.schedule.tag("hmi.p").offset
    assert restore(bench.schedule, folder).schedule.initial[place : place + 8].view(np.float64)[0] == 5.0
