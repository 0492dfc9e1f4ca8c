"""A program that a tape carries: one of ours is taken as it is, one that reaches beyond its own memory is refused with words."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from runtime.engine.force_tables import E_ELEMENT, E_TAG, E_TYPE, E_USED, FORCE_WORDS, FORCES, H_HIGH
from runtime.engine.program_check import UnsoundError, check_program
from runtime.engine.tape_check import checked_forces
from runtime.engine.tape_program import ProgramError, as_text, from_text
from runtime.model import Schedule
from tests.aids.site_text import load_all

SITE = """
tasks: {main: {interval: 10 ms, programs: [p]}}
io: [rack]
tags:
  hmi.p: {type: LREAL, write: operator}
  hmi.go: {type: BOOL, pulse: true, write: operator}
  x.cells: {type: "LREAL[5]"}
"""
RACK = """
device: rack
driver: fake
stale: 1 s
timeout: 1 s
inputs:
  bms.soc: {at: soc, type: LREAL, initial: 50, bad: hold}
outputs:
  pcs.p: {at: p, type: LREAL, safe: 7}
"""
PROGRAM = """
program: p
blocks:
  add: {type: ADD, A: hmi.p, B: bms.soc}
  ton: {type: TON, IN: hmi.go, PT: 1 s}
outputs: {x.cells: add.OUT, pcs.p: add.OUT}
alarms: {high: {when: ton.Q, severity: critical, text: High}}
"""
FAR = 1 << 40
PULSE = -7  # stands for the row of the pulse


@pytest.fixture(scope="module")
def plain() -> Schedule:
    return load_all({"config/site.yaml": SITE, "io_maps/rack.yaml": RACK, "programs/p.yaml": PROGRAM}).schedule


def test_a_program_of_ours_is_sound_and_comes_back_as_it_was(plain: Schedule) -> None:
    check_program(plain)
    again = from_text(as_text(plain))
    assert again.digest == plain.digest and np.array_equal(again.initial, plain.initial)


def column(table: str, name: str, value: int, row: int = 0) -> Callable[[Schedule], Schedule]:
    def wrong(plain: Schedule) -> Schedule:
        held = getattr(plain, table)
        cells = getattr(held, name).copy()
        cells[plain.tag("hmi.go").index if row == PULSE else row] = value
        return replace(plain, **{table: replace(held, **{name: cells})})

    return wrong


def first(table: str, **words: Any) -> Callable[[Schedule], Schedule]:
    """The first of a tuple with other words."""
    return lambda plain: replace(plain, **{table: (replace(getattr(plain, table)[0], **words), *getattr(plain, table)[1:])})


def cut_repetition(plain: Schedule) -> Schedule:
    """One value fills an array by a copy onto itself: the last element of this one has half its bytes."""
    copies = plain.copies
    repeats = (copies.target > copies.source) & (copies.target - copies.source < copies.size)
    assert repeats.any()
    return replace(plain, copies=replace(copies, size=copies.size - 4 * repeats))


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (cut_repetition, "copies"),
        (column("copies", "target", FAR), "copies"),
        (column("copies", "source", -8), "copies"),
        (column("copies", "size", FAR), "copies"),
        (column("copies", "size", -(1 << 63)), "copies"),
        (column("inputs", "target", FAR), "inputs"),
        (column("inputs", "tag", 10_000), "inputs"),
        (column("inputs", "type", 5), "inputs"),
        (column("outputs", "source", -1), "outputs"),
        (column("commands", "target", FAR), "commands"),
        (column("commands", "length", FAR), "commands"),
        (column("commands", "pulse_cells", FAR), "commands"),
        (column("commands", "pulse_count", FAR, row=PULSE), "commands"),
        (first("groups", rows=FAR), "group"),
        (first("groups", columns=(0, FAR, 0)), "group"),
        (first("groups", columns=()), "group"),
        (first("groups", copy_to=FAR), "group"),
        (first("groups", block="FORMAT_DISK"), "FORMAT_DISK"),
        (first("tasks", every=0), "tasks"),
        (first("tasks", group_to=99), "tasks"),
        (first("tasks", pulses=((FAR, 0),)), "tasks"),
        (first("tags", offset=FAR), "tags"),
        (first("tags", length=FAR), "an array of"),
        (first("tags", index=1), "tags"),
        (first("tags", type="STRING"), "STRING"),
        (lambda plain: replace(plain, authority=FAR), "authority"),
        (lambda plain: replace(plain, pins={**plain.pins, "p.x.Y": ("LREAL", FAR, 0)}), "pins"),
        (lambda plain: replace(plain, tick=0), "tick"),
        (lambda plain: replace(plain, initial=plain.initial[:100]), "region"),
        (lambda plain: replace(plain, region=replace(plain.region, quality=plain.region.size)), "region"),
        (lambda plain: replace(plain, tags=tuple(t for t in plain.tags if t.name != "plc.forced")), "region"),
        (lambda plain: replace(plain, alarms=(replace(plain.alarms[0], active="no.tag"),)), "no.tag"),
        (lambda plain: replace(plain, copies=None), "another kind"),
    ],
)
def test_a_program_that_leads_out_of_its_memory_is_refused(plain: Schedule, wrong: Any, what: str) -> None:
    with pytest.raises(UnsoundError, match=what):
        check_program(wrong(plain))
    with pytest.raises(ProgramError, match=r"not one that may be run|cannot be read"):
        from_text(as_text(wrong(plain)))


def test_a_program_of_a_version_with_other_system_tags_is_refused_with_words(plain: Schedule) -> None:
    named = tuple(replace(tag, name="plc.other") if tag.name == "plc.forced" else tag for tag in plain.tags)
    with pytest.raises(ProgramError, match="system tags are not those of this version"):
        from_text(as_text(replace(plain, tags=named)))


def test_an_array_that_unpacks_to_more_than_it_says_is_refused(plain: Schedule) -> None:
    words = json.loads(as_text(plain))
    words["initial"]["data"] = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    with pytest.raises(ProgramError):
        from_text(json.dumps(words))
    words["initial"]["shape"] = [1 << 40]
    with pytest.raises(ProgramError, match="an array of"):
        from_text(json.dumps(words))


COMMANDS = np.array([[0, 1642, 0, 0, -1, 0], [0, 1642, 0, 3, -1, 0]], np.int64)  # a scalar and an array of three, of LREAL


def forces(**words: int) -> np.ndarray:
    table = np.zeros((FORCES + 1, FORCE_WORDS), np.int64)
    row = {"used": 1, "tag": 1, "element": 2, "type": 1642, **words}
    table[1, [E_USED, E_TAG, E_ELEMENT, E_TYPE]] = row["used"], row["tag"], row["element"], row["type"]
    table[0, H_HIGH] = row.get("high", 1)
    return table.reshape(-1)


def test_forces_of_a_picture_are_those_of_tags_that_there_are() -> None:
    assert checked_forces(forces(), COMMANDS).shape == (FORCES + 1, FORCE_WORDS)
    assert len(checked_forces(forces()[:0], COMMANDS)) == 0


@pytest.mark.parametrize(
    "words", [{"tag": 2}, {"tag": -1}, {"element": 3}, {"element": -1}, {"type": 7}, {"high": FORCES + 1}, {"high": -1}]
)
def test_forces_on_what_there_is_not_are_refused(words: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="forces on tags"):
        checked_forces(forces(**words), COMMANDS)
