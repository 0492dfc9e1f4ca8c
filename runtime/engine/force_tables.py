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
# NAME is what the tag is known by in another program.
E_USED, E_TAG, E_ELEMENT, E_BITS, E_END, E_TOKEN, E_SCAN, E_CELL, E_TYPE, E_UNDER, E_FEED, E_KIND, E_NAME = range(13)
FOR_EVER = 1 << 62
# Columns of Plan.force_tags; KIND says who writes the tag: the runtime (it is never forced), the latch, or a copy or a command.
F_CELL, F_KIND, F_LOW, F_HIGH, F_NAME = range(5)
OF_RUNTIME, LATCHED, OTHER = range(3)
# Columns of Plan.feeds: the copies that write tags, as they were before anybody forced.
W_TARGET, W_ROW, W_SOURCE, W_SIZE = range(4)


def force_tags(tags: Sequence[Tag], inputs: np.ndarray, base: int) -> np.ndarray:
    """Where each tag stands, who writes it, and its range as LREAL bits."""
    latched, table = set(np.asarray(inputs).tolist()), np.zeros((len(tags), 5), np.int64)
    limits = np.empty((len(tags), 2), np.float64)
    for tag in tags:
        kind = OF_RUNTIME if tag.kind == "system" or tag.state_of else LATCHED if tag.index in latched else OTHER
        table[tag.index, :2] = base + tag.offset, kind
        table[tag.index, F_NAME] = _name_of(tag)
        limits[tag.index] = -np.inf if tag.minimum is None else tag.minimum, np.inf if tag.maximum is None else tag.maximum
    table[:, F_LOW : F_HIGH + 1] = limits.view(np.int64)
    return table


def _name_of(tag: Tag) -> int:
    """A number for name, type and length."""
    text = f"{tag.name.lower()} {tag.type} {tag.length} {tag.unit}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def feeds_of(copies: np.ndarray, base: int, region: int) -> np.ndarray:
    """The copies that write into the tag region, in the order of their targets."""
    rows = np.flatnonzero((copies[:, 0] >= base) & (copies[:, 0] < base + region))
    rows = rows[np.argsort(copies[rows, 0], kind="stable")]
    return np.ascontiguousarray(np.stack([copies[rows, 0], rows, copies[rows, 1], copies[rows, 2]], axis=1), np.int64)
