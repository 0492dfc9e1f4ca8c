"""Forces and online changes: what is held stays held with its end; what the new program has no more is lifted and said."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.engine.carry import Program, carry_list, do_copies
from runtime.engine.force_carry import lifted_forces, unforced_value
from runtime.engine.force_list import Note, put_force, put_unforce
from runtime.engine.force_tables import E_END, E_TOKEN, E_USED
from runtime.engine.image import address_of
from runtime.engine.plan import S_STATE, S_TICK, SAFE
from runtime.model import Schedule, Site
from runtime.quality import GOOD, GOOD_LOCAL_OVERRIDE
from tests.aids.engine import Bench
from tests.aids.online import Running, running
from tests.aids.site_text import load_all

pytestmark = pytest.mark.timeout(300)  # the loop may have to be compiled on a busy machine
SITE = """
tasks: {main: {interval: 10 ms, programs: [p]}}
io: [rack]
tags:
  hmi.p: {type: LREAL, unit: kW, range: -500..500, default: 1, write: operator}
  hmi.go: {type: BOOL, pulse: true, write: operator}
  x.sum: {type: LREAL, unit: kW}
  x.next: {type: LREAL, unit: kW}
  x.gone: {type: LREAL, unit: kW}
  x.went: {type: LREAL}
  x.limit: {type: LREAL, unit: kW, default: 5}
"""
RACK = """
device: rack
driver: fake
stale: 1 s
timeout: 1 s
inputs:
  bms.soc: {at: soc, type: LREAL, unit: "%", initial: 50 %, bad: hold}
outputs:
  pcs.p: {at: p, type: LREAL, unit: kW, min: -500 kW, max: 500 kW, safe: 7 kW}
"""
PROGRAM = """
program: p
blocks:
  add: {type: ADD, A: hmi.p, B: 10 kW}
  next: {type: ADD, A: x.sum, B: 100 kW}
  one: {type: SEL, G: hmi.go, IN0: 0.0, IN1: 1.0}
  went: {type: ADD, A: last went.OUT, B: one.OUT}
outputs:
  x.sum: add.OUT
  x.next: next.OUT
  x.gone: add.OUT
  x.went: went.OUT
  pcs.p: x.sum
"""


@functools.cache
def site_of(*edits: tuple[str, str]) -> Site:
    """The site with these edits in whatever file has the text."""
    texts = {"config/site.yaml": SITE, "io_maps/rack.yaml": RACK, "programs/p.yaml": PROGRAM}
    for was, becomes in edits:
        assert any(was in text for text in texts.values()), was
        texts = {name: text.replace(was, becomes) for name, text in texts.items()}
    return load_all(texts)


def schedule_of(*edits: tuple[str, str]) -> Schedule:
    return site_of(*edits).schedule


MORE = (("tags:\n", "tags:\n  a.first: {type: BOOL}\n"), ("blocks:\n", "blocks:\n  more: {type: SUB, A: hmi.p, B: 1 kW}\n"))


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("forced"), schedule_of()) as one:
        one.after(3)
        yield one


@pytest.fixture
def site(loop: Running) -> Running:
    """The plain program, and nothing forced."""
    loop.unforce()
    if loop.plc.schedule.digest != schedule_of().digest:
        assert loop.load(schedule_of()).is_swapped
    loop.after(1)
    return loop


def held(site: Running) -> list[tuple[str, Any, int]]:
    """What is held, and the tick of its end."""
    ends = {int(row[E_TOKEN]): int(row[E_END]) for row in site.plc.plan.forces[1:] if row[E_USED]}
    assert len(ends) == len(site.forces())
    return [(one.name, one.value, end) for one, end in zip(site.forces(), ends.values(), strict=True)]


def test_what_is_forced_stays_forced_with_its_end_and_is_computed_again_once_it_is_let_go(site: Running) -> None:
    site.force("x.sum", 40.0, lasts=600 * 10**9)
    site.force("hmi.p", 33.0)
    before = held(site)
    change = site.load(schedule_of(*MORE))
    assert change.is_swapped and change.lifted == () and change.dropped == () and change.jumps == ()
    site.after(3)
    assert held(site) == before
    assert (site.plc.value("x.sum"), site.plc.value("x.next"), site.plc.value("hmi.p")) == (40.0, 140.0, 33.0)
    assert site.plc.value("plc.forced") == 2 and [force.note.user for force in site.forces() if force.note] == ["eva", "eva"]
    site.unforce("x.sum")
    site.unforce("hmi.p")
    site.after(1)
    assert (site.plc.value("hmi.p"), site.plc.value("x.sum"), site.plc.value("plc.forced")) == (1.0, 11.0, 0)


def test_a_force_goes_through_many_programs_and_ends_in_time_in_the_last(site: Running) -> None:
    site.force("x.sum", 40.0, lasts=3 * 10**9)
    for n in range(6):
        assert site.load(schedule_of(*MORE) if n % 2 == 0 else schedule_of()).is_swapped
    [(_, _, end)] = held(site)
    site.after(1)
    assert site.plc.value("x.sum") == 40.0
    site.after(max(end - site.state(S_TICK) + 2, 1))
    assert (site.plc.value("x.sum"), site.plc.value("plc.forced")) == (11.0, 0)


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ((("  x.gone: {type: LREAL, unit: kW}\n", ""), ("  x.gone: add.OUT\n", "")), "the tag is gone"),
        (
            (("x.gone: {type: LREAL, unit: kW}", "x.gone: {type: BOOL}"), ("x.gone: add.OUT", "x.gone: hmi.go")),
            "LREAL becomes BOOL",
        ),
        ((("x.gone: {type: LREAL,", "x.gone: {type: LREAL, range: 0..30,"),), "40 is outside its new range 0..30 kW"),
        ((("x.gone: {type: LREAL, unit: kW}", "x.gone: {type: LREAL, unit: W}"),), "its unit kW becomes W"),
    ],
)
def test_a_force_that_the_new_program_cannot_hold_is_lifted_and_said(site: Running, edits: Any, why: str) -> None:
    site.force("x.gone", 40.0)
    site.force("x.sum", 4.0)
    trial = site.load(schedule_of(*edits), is_trial=True)
    assert [(one.tag, one.value, one.why) for one in trial.lifted] == [("x.gone", 40.0, why)]
    assert site.plc.value("plc.forced") == 2, "a trial lifts nothing"
    change = site.load(schedule_of(*edits))
    assert change.is_swapped and change.lifted == trial.lifted
    site.after(2)
    assert [force.name for force in site.forces()] == ["x.sum"] and site.plc.value("plc.forced") == 1


def test_a_trial_reckons_with_what_is_forced(site: Running) -> None:
    """Held at 40 kW the output stands where it stood, whatever the edit makes of the tag; what feeds on it jumps."""
    further = (("x.sum: add.OUT", "x.sum: add.OUT + 5 kW"),)
    assert [(j.before, j.after) for j in site.load(schedule_of(*further), is_trial=True).jumps] == [(11.0, 16.0)]
    site.force("x.sum", 40.0)
    assert site.load(schedule_of(*further), is_trial=True).jumps == ()
    other = (("pcs.p: x.sum", "pcs.p: x.sum + 5 kW"),)
    assert [(j.before, j.after) for j in site.load(schedule_of(*other), is_trial=True).jumps] == [(40.0, 45.0)]


def test_an_operators_value_under_a_force_is_what_its_new_range_is_held_against(site: Running) -> None:
    site.force("hmi.p", 60.0)
    narrow = (("range: -500..500, default: 1", "range: 5..100, default: 6"),)
    assert site.load(schedule_of(*narrow)).refused == "hmi.p stands at 1 kW, outside its new range 5..100 kW: set it first"


class Pair:
    """A program on the bench, with the edits of `before`, and the one that goes on from it, both scanned by hand."""

    def __init__(self, folder: Path, *edits: tuple[str, str], before: tuple[tuple[str, str], ...] = ()):
        (folder / "old").mkdir()
        (folder / "new").mkdir()
        self.old, self.new = Bench(folder / "old", site_of(*before)), Bench(folder / "new", site_of(*edits))
        self.ring = self.old.commands("hmi")
        self.old.scan(2)

    def force(self, name: str, value: Any) -> None:
        tag = self.old.schedule.tag(name)
        put_force(self.ring, self.old.folder, tag, value, Note("eva", "hmi", "a test", 0), "engineer")
        self.old.scan()

    def hand_over(self) -> None:
        carry = carry_list(Program(self.old.schedule, self.old.plc.plan), Program(self.new.schedule, self.new.plc.plan))
        do_copies(address_of(carry.copies), len(carry.copies))
        self.new.now = self.old.now

    def go_on(self) -> None:
        self.hand_over()
        self.new.scan(2)

    def unforce(self) -> None:
        put_unforce(self.new.commands("hmi"), None, "engineer")
        self.new.scan(2)


def test_an_input_of_a_device_stays_forced_over_what_is_read(tmp_path: Path) -> None:
    pair = Pair(tmp_path, *MORE)
    pair.old.feed("bms.soc", 61.0)
    pair.old.scan()
    pair.force("bms.soc", 80.0)
    pair.new.feed("bms.soc", 62.0, at=pair.old.now)
    pair.go_on()
    assert (pair.new.value("bms.soc"), pair.new.quality("bms.soc")) == (80.0, GOOD_LOCAL_OVERRIDE)
    pair.unforce()
    assert (pair.new.value("bms.soc"), pair.new.quality("bms.soc")) == (62.0, GOOD)


def test_a_pulse_stays_forced_in_every_run_and_is_one_again_afterwards(tmp_path: Path) -> None:
    pair = Pair(tmp_path, *MORE)
    pair.force("hmi.go", True)
    pair.go_on()
    came = pair.new.value("x.went")
    pair.new.scan(3)
    assert pair.new.value("x.went") == came + 3
    pair.unforce()
    came = pair.new.value("x.went")
    pair.new.scan(3)
    assert pair.new.value("x.went") == came


def test_a_tag_that_nobody_writes_any_more_is_the_texts_once_its_force_is_gone(tmp_path: Path) -> None:
    pair = Pair(tmp_path, ("  x.gone: add.OUT\n", ""), ("x.gone: {type: LREAL,", "x.gone: {type: LREAL, default: 3,"))
    pair.force("x.gone", 40.0)
    assert lifted_forces(pair.old.plc, pair.new.schedule) == ()
    pair.go_on()
    assert (pair.new.value("x.gone"), pair.new.quality("x.gone")) == (40.0, GOOD_LOCAL_OVERRIDE)
    pair.unforce()
    assert (pair.new.value("x.gone"), pair.new.quality("x.gone")) == (3.0, GOOD)


def test_the_last_of_many_tags_stays_forced_where_few_are_left(tmp_path: Path) -> None:
    many = "".join(f"  a.tag{n}: {{type: BOOL}}\n" for n in range(200))
    pair = Pair(tmp_path, before=(("tags:\n", f"tags:\n{many}"),))
    assert pair.old.schedule.tag("x.limit").index == len(pair.old.schedule.tags) - 1 > 2 * len(pair.new.schedule.tags)
    pair.force("x.limit", 40.0)
    pair.go_on()
    assert (pair.new.value("x.limit"), pair.new.value("plc.forced")) == (40.0, 1)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("x.limit", ("x.limit: {type: LREAL, unit: kW, default: 5}", "x.limit: {type: LREAL, unit: kW, default: 8}")),
        ("hmi.p", ("default: 1, write: operator}", "default: 8}")),
    ],
)
def test_what_the_text_alone_says_is_what_it_says_now_once_its_force_is_gone(
    tmp_path: Path, name: str, edit: tuple[str, str]
) -> None:
    """A constant whose default was edited, and an operator's tag that he may not write any more."""
    pair = Pair(tmp_path, edit)
    pair.force(name, 40.0)
    pair.go_on()
    assert pair.new.value(name) == 40.0
    pair.unforce()
    assert pair.new.value(name) == 8.0


def test_a_load_before_the_programs_first_scan_finds_its_forces_by_name(tmp_path: Path) -> None:
    """The table still has the tags' numbers of the program before, which are those of other tags here."""
    pair = Pair(tmp_path, *MORE)
    pair.force("x.gone", 40.0)
    pair.force("hmi.p", 60.0)
    pair.hand_over()
    without = schedule_of(*MORE, ("  x.gone: {type: LREAL, unit: kW}\n", ""), ("  x.gone: add.OUT\n", ""))
    assert [(one.tag, one.why) for one in lifted_forces(pair.new.plc, without)] == [("x.gone", "the tag is gone")]
    assert unforced_value(pair.new.plc, "hmi.p") == 1.0


def test_safe_outputs_win_over_a_force_that_was_carried(tmp_path: Path) -> None:
    pair = Pair(tmp_path, *MORE)
    pair.force("pcs.p", 400.0)
    pair.go_on()
    assert pair.new.outbox().lreal[pair.new.slot("pcs.p")] == 400.0
    pair.new.plc.plan.state[S_STATE] = SAFE
    pair.new.scan()
    assert pair.new.outbox().lreal[pair.new.slot("pcs.p")] == 7.0
