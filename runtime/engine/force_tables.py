"""The tables that forces stand in: their words, what each tag allows, and which copy writes it. It knows no scan.

The table of forces is in the scan's shared file, so that anybody may list them; row 0 is about the table itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from runtime.model import Tag

FORCES = 64
FORCE_WORDS = 16
FORCE_BYTES = (FORCES + 1) * FORCE_WORDS * 8
# Row 0: odd while the table changes; forces that hold; the last row in use; the newest tick while any holds; whose memory it is of.
H_VERSION, H_COUNT, H_HIGH, H_TICK, H_OF = range(5)
# The others. END is the tick at which it is over, or FOR_EVER; TOKEN the asker's own number; FEED a row of Plan.feeds, or -1.
# NAME is what the tag is known by in another program. What a row says stays in it when its force is over: END tells how it ended.
E_USED, E_TAG, E_ELEMENT, E_BITS, E_END, E_TOKEN, E_SCAN, E_CELL, E_TYPE, E_UNDER, E_FEED, E_KIND, E_NAME = range(13)
FOR_EVER = 1 << 62
LIFTED = 0  # the END of a force that somebody, or another program, ended before its time
# Columns of Plan.force_tags; KIND says who writes the tag: the runtime (it is never forced), the latch, or a copy or a command.
F_CELL, F_KIND, F_NAME = range(3)
OF_RUNTIME, LATCHED, OTHER = range(3)
# Columns of Plan.feeds: the copies that write tags, as they were before anybody forced.
W_TARGET, W_ROW, W_SOURCE, W_SIZE = range(4)


def force_tags(tags: Sequence[Tag], inputs: np.ndarray, base: int) -> np.ndarray:
    """Where each tag stands, who writes it, and what it is known by."""
    latched, table = set(np.asarray(inputs).tolist()), np.zeros((len(tags), 3), np.int64)
    for tag in tags:
        kind = OF_RUNTIME if is_of_runtime(tag) else LATCHED if tag.index in latched else OTHER
        table[tag.index] = base + tag.offset, kind, number_of(tag)
    return table


def is_of_runtime(tag: Tag) -> bool:
    """Whether only the runtime writes it, so that it is never forced."""
    return tag.kind == "system" or bool(tag.state_of)


def number_of(tag: Tag) -> int:
    """A number for name, type, length and unit."""
    text = f"{tag.name.lower()} {tag.type} {tag.length} {tag.unit}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def plain_value(tag: Tag, bits: np.ndarray) -> float | int | bool:
    """What one word of the table means as a value of this tag."""
    if tag.type == "LREAL":
        return float(bits.view(np.float64)[0])
    return bool(bits[0]) if tag.type == "BOOL" else int(bits[0])


def feeds_of(copies: np.ndarray, base: int, region: int) -> np.ndarray:
    """The copies that write into the tag region, in the order of their targets."""
    rows = np.flatnonzero((copies[:, 0] >= base) & (copies[:, 0] < base + region))
    rows = rows[np.argsort(copies[rows, 0], kind="stable")]
    return np.ascontiguousarray(np.stack([copies[rows, 0], rows, copies[rows, 1], copies[rows, 2]], axis=1), np.int64)
