"""The eye of the fault campaign: what the tags of one device say in a snapshot, whether that is so, and what each fault did.

It must not know how a fault is made.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime import quality
from runtime.engine.north import Snapshot
from tests.aids.fault_panel import Panel

STALE_MS = 300
NEVER_TRUE_MS = 60_000  # no fault makes a true value so old: whatever is further away was never sent as the truth
EARLY_MS = 20  # a snapshot may hold what came after its stamp
IDLE, ACTIVE, RECOVERING = range(3)
MS, US, LOW = range(3)


@dataclass
class Kind:
    """What one kind of fault did, over the whole campaign. Times are seconds; a fault that never showed has no time to BAD."""

    name: str
    count: int = 0
    overlapped: int = 0  # another fault (a killed process) came over it: counted, not timed
    unseen: int = 0  # the tags stayed good all the time
    to_bad: list[float] = field(default_factory=list)
    to_recover: list[float] = field(default_factory=list)
    qualities: set[str] = field(default_factory=set)

    def row(self) -> dict[str, Any]:
        return {
            "kind": self.name,
            "count": self.count,
            "overlapped": self.overlapped,
            "stayed_good": self.unseen,
            "qualities": sorted(self.qualities),
            "to_bad_ms": _ms(self.to_bad),
            "to_recover_ms": _ms(self.to_recover),
        }


def _ms(seconds: Sequence[float]) -> int | None:
    return round(statistics.median(seconds) * 1000) if seconds else None


@dataclass
class Look:
    """One device in one snapshot: how many tags are good, the qualities of the others, and what is good but not so."""

    good: int = 0
    bad: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.bad and not self.wrong


@dataclass
class Watched:
    """One device of the campaign: its tags, which carry the time, and the fault that it has now."""

    name: str
    kinds: tuple[str, ...]
    process: int  # which process of devices it lives in, -1 for none
    tags: tuple[tuple[Any, int, int], ...]  # column, row of the quality, and what the value is of
    state: int = RECOVERING
    kind: Kind | None = None
    began: float = 0.0
    ends: float = 0.0
    bad_at: float = 0.0

    def look(self, snapshot: Snapshot, slack_ms: float) -> Look:
        """What the tags say; `slack_ms` is what a loaded machine may add to `stale`."""
        found = Look()
        for column, row, what in self.tags:
            code = int(snapshot.qualities[row])
            if not quality.is_good(code):
                found.bad.append(code)
                continue
            found.good += 1
            age = age_ms(int(column[0]), what, snapshot.monotonic)
            if not -EARLY_MS <= age <= STALE_MS + slack_ms:
                how = "old" if 0 < age < NEVER_TRUE_MS and what != LOW else "never true or old"
                found.wrong.append(f"{how} by {age:.0f} ms")
        return found

    def longest_s(self, longest_s: float, slack_ms: float) -> float:
        """How long a fault of this device may last."""
        return longest_s

    def cleared_at(self) -> float:
        """When the last fault had ended."""
        return self.ends


@dataclass
class WatchedPanel(Watched):
    """A panel: its lines together carry a number, the last of its tags is the contact (`fault_panel`)."""

    panel: Panel = field(kw_only=True)

    def look(self, snapshot: Snapshot, slack_ms: float) -> Look:
        """The good lines together must have been so at one time that is not too long ago, and the contact for itself."""
        found = Look()
        seen = mask = 0
        levels: list[tuple[int, bool]] = []
        for column, row, line in self.tags:
            code = int(snapshot.qualities[row])
            if not quality.is_good(code):
                found.bad.append(code)
                continue
            found.good += 1
            levels.append((line, bool(column[0])))
        contact_line = self.tags[-1][2]
        since = snapshot.monotonic - (STALE_MS + slack_ms) * 1e6
        until = snapshot.monotonic + EARLY_MS * 1e6
        for line, level in levels:
            if line == contact_line:
                if level not in self.panel.contacts_within(since, until):
                    found.wrong.append(f"contact {level:d} that it was not since {STALE_MS + slack_ms:.0f} ms")
            else:
                seen, mask = seen | level << line, mask | 1 << line
        if mask and not any(carried & mask == seen for carried in self.panel.codes.within(since, until)):
            found.wrong.append(f"lines {seen:#x} of {mask:#x} that they were not since {STALE_MS + slack_ms:.0f} ms")
        return found

    def longest_s(self, longest_s: float, slack_ms: float) -> float:
        """Long enough that a level which stands still is older than is allowed: a level is no time, it cannot show at once."""
        return max(longest_s, (STALE_MS + slack_ms) / 1000 + 1)

    def cleared_at(self) -> float:
        """The panel says itself when its last order was answered."""
        return max(self.ends, self.panel.done_at)


def age_ms(value: int, what: int, now_ns: int) -> float:
    """How old a time-coded value is; a value from the future or from nowhere is far away."""
    if what == US:
        return now_ns / 1e6 - value / 1e3
    size = 2**32 if what == MS else 2**15
    age = (now_ns // 1_000_000 - value) % size
    return age if age < size / 2 else age - size
