"""What becomes of forces when another program takes a running one's place, in words: the scan thread itself carries them by name.

It reads the table of forces beside two schedules. It must not know who forced, nor processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.engine.carry_tags import why_other
from runtime.engine.force_tables import (
    E_BITS,
    E_ELEMENT,
    E_END,
    E_FEED,
    E_NAME,
    E_TOKEN,
    E_UNDER,
    E_USED,
    LIFTED,
    is_of_runtime,
    number_of,
    plain_value,
)
from runtime.engine.plc import Plc
from runtime.model import Schedule, Tag


@dataclass(frozen=True)
class Lifted:
    """A force that another program ends: what it held (an element counts from 1, 0 for a scalar), and why it cannot stay."""

    tag: str
    element: int
    value: float | int | bool
    why: str
    token: int


def lifted_forces(running: Plc, new: Schedule) -> tuple[Lifted, ...]:
    """The forces that hold now and cannot hold in this program."""
    known = {tag.name.lower(): tag for tag in new.tags}
    by_number = {number_of(tag): tag for tag in running.schedule.tags}
    found = []
    for row in _held(running):
        if row[E_END] == LIFTED:
            continue  # somebody lifted it himself: it ends with this scan
        tag = by_number.get(int(row[E_NAME]))  # its index may still be that of the program before
        if tag is None:
            continue  # of the program before, and gone in this one: its load has said so
        value = plain_value(tag, row[E_BITS : E_BITS + 1])
        why = _why_lifted(tag, known.get(tag.name.lower()), value)
        if why:
            element = int(row[E_ELEMENT]) + 1 if tag.length else 0
            found.append(Lifted(tag.name, element, value, why, int(row[E_TOKEN])))
    return tuple(found)


def _held(running: Plc) -> np.ndarray:
    table = running.plan.forces[1:]
    return table[table[:, E_USED] != 0]


def _why_lifted(tag: Tag, now: Tag | None, value: float | int | bool) -> str:
    if now is None:
        return "the tag is gone"
    if is_of_runtime(now):
        return "only the runtime writes it now"
    why = why_other(tag, now)
    if why:
        return why
    low, high = (-np.inf if now.minimum is None else now.minimum), (np.inf if now.maximum is None else now.maximum)
    return "" if low <= value <= high else f"{value:g} is outside its new range {low:g}..{high:g} {now.unit}".rstrip()


def unforced_value(running: Plc, name: str) -> Any:
    """A tag's running value as it will be once nobody forces it: what an operator wrote stands under the force."""
    tag, value = running.schedule.tag(name), running.value(name)
    number = number_of(tag)
    for row in _held(running):
        if row[E_NAME] == number and row[E_FEED] < 0:
            under = plain_value(tag, row[E_UNDER : E_UNDER + 1])
            if not tag.length:
                return under
            value[int(row[E_ELEMENT])] = under
    return value
