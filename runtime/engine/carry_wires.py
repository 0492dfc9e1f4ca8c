"""What wires brought goes over too: an input holds what it was fed last, until the turn of the copy that feeds it comes.

A `not` that a sequence's goto needs may run before its wire is copied: without this it would see 0 once, and open contactors. It
knows two schedules, and neither memory nor the scan.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blocks.declare import TYPES
from runtime.model import Schedule

_UNFED = 0


def fed_inputs(old: Schedule, new: Schedule) -> Iterator[tuple[int, int, int]]:
    """The inputs that copies feed in both programs: their offsets in the new and the old one, and their bytes.

    What was wired and is a constant now, or the other way round, is the text's; so is a column that is shared with its producer.
    """
    fed, fed_before = _fed(new), _fed(old)
    pins_before = {name.lower(): pin for name, pin in old.pins.items() if fed_before[pin[1]]}
    for name, (kind, offset, length) in new.pins.items():
        if not fed[offset]:
            continue
        kind_before, before, length_before = pins_before.get(name.lower(), ("", 0, 0))
        if (kind, length) != (kind_before, length_before):
            continue
        size = TYPES[kind].size * max(length, 1)
        if _UNFED not in fed[offset : offset + size] and _UNFED not in fed_before[before : before + size]:
            yield offset, before, size


def _fed(schedule: Schedule) -> bytes:
    """The bytes of process memory that copies write, without those of tags: a tag has its own way over."""
    found = np.zeros(len(schedule.initial), np.bool_)
    for target, size in zip(schedule.copies.target.tolist(), schedule.copies.size.tolist(), strict=True):
        found[target : target + size] = True
    for tag in schedule.tags:
        found[tag.offset : tag.offset + TYPES[tag.type].size * max(tag.length, 1)] = False
    return found.tobytes()  # of which a single byte is read ten times as fast
