"""What keeps its value over an online change: only what is fed; and what would mean something else is refused."""

from __future__ import annotations

from runtime.engine.carry_tags import kept_tags, why_refused
from runtime.model import Schedule
from tests.aids.site_text import load_all

SITE = """
tasks: {main: {interval: 10 ms, programs: [p]}}
io: [pcs]
tags:
  hmi.p: {type: LREAL, unit: kW, default: 3, range: 0..500, write: operator}
  hmi.go: {type: BOOL, write: operator}
  hmi.way: {type: DINT, default: 0, names: {0: off, 1: auto, 2: hand}, write: operator}
  plant.limit: {type: LREAL, unit: kW, default: 10}
  plant.count: {type: DINT, default: 5}
"""
DEVICE = """
device: pcs
driver: fake
timeout: 500 ms
inputs:
  pcs.u: {at: b, type: LREAL, initial: 0, bad: hold, stale: 1 s}
outputs:
  pcs.p: {at: a, type: LREAL, unit: kW, safe: 0}
"""
PROGRAM = """
program: p
blocks:
  count: {type: CTU, CU: hmi.go, PV: 9, R: false}
  sum: {type: ADD, A: pcs.u, B: plant.count}
sequences:
  start:
    idle: {goto: {run: hmi.go}}
    run: {goto: {idle: not hmi.go}}
modes:
  RUN: {when: hmi.go, power: 1.0}
  STOP: {power: 0.0}
outputs:
  plant.count: count.CV
  pcs.p: min(hmi.p, plant.limit)
"""


def schedule_of(program: str = PROGRAM, site: str = SITE) -> Schedule:
    return load_all({"config/site.yaml": site, "programs/p.yaml": program, "io_maps/pcs.yaml": DEVICE}).schedule


def kept(old: Schedule, new: Schedule) -> tuple[set[str], list[str]]:
    dropped: list[str] = []
    return {tag.name for tag, _, _ in kept_tags(old, new, dropped)}, dropped


def test_an_output_whose_writer_was_removed_starts_at_its_default_and_that_is_said() -> None:
    old, new = schedule_of(), schedule_of(PROGRAM.partition("outputs:")[0])
    names, dropped = kept(old, new)
    assert not {"pcs.p", "plant.count"} & names and {"hmi.p", "pcs.u", "plc.scan", "p.start"} <= names
    assert sorted(dropped) == [
        "pcs.p: nothing writes it any more, it starts at 0 kW",
        "plant.count: nothing writes it any more, it starts at 5",
    ]


def test_an_edited_default_of_a_constant_holds_and_is_no_loss() -> None:
    names, dropped = kept(schedule_of(), schedule_of(site=SITE.replace("default: 10", "default: 20")))
    assert "plant.limit" not in names and dropped == []


def why(program: str = PROGRAM, site: str = SITE, **values: float) -> str:
    found = {"p": 3.0, "way": 0} | values
    return why_refused(schedule_of(), schedule_of(program, site), lambda name: found.get(name.rpartition(".")[2], 0))


def test_steps_in_another_order_are_refused_and_modes_are_not() -> None:
    steps = PROGRAM.replace("idle:", "x:").replace("run:", "idle:").replace("x:", "run:")
    assert why(steps) == "p.start: its numbers mean other steps now; add new steps at the end, or restart the site"
    assert why(PROGRAM.replace("RUN: {when", "FIRST: {when: not hmi.go, power: 1.0}\n  RUN: {when")) == ""
    assert why() == ""


def test_an_operators_enumeration_keeps_its_numbers() -> None:
    other = SITE.replace("1: auto, 2: hand", "1: hand, 2: auto")
    assert why(site=other) == "hmi.way: its numbers mean other names now; add new names at the end, or restart the site"
    less = SITE.replace(", 2: hand", "")
    assert why(site=less) == "" and why(site=less, way=2) == "hmi.way stands at hand, which it has no more"
    assert why(site=SITE.replace("2: hand", "2: hand, 3: test")) == ""


def test_a_value_outside_its_new_range_is_refused() -> None:
    narrow = SITE.replace("0..500", "0..200")
    assert why(site=narrow, p=400.0) == "hmi.p stands at 400 kW, outside its new range 0..200 kW: set it first"
    assert why(site=narrow, p=200.0) == "" and why(p=900.0) == ""
