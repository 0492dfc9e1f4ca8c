"""What a CAN bus tells about itself, as the errors and conditions of a device on it. It knows no message and no tag.

A bus that is reopened counts from 0 again; the device's counters go on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

# The bus's counters by the names of the driver's ERRORS.
BUS_ERRORS = {
    "error_frames": "error_frame",
    "not_sent": "not_sent",
    "bus_off": "bus_off",
    "error_passive": "error_passive",
    "overflow": "receive_overflow",
}
# The bus's states by the names of the driver's CONDITIONS.
BUS_STATES = {"bus_off": "bus_off", "passive": "error_passive", "error_passive": "error_passive"}
HELD = 5.0  # s for which frames that were dropped are a condition, after the last of them


class BusCounts:
    """The counters of one bus over all its openings."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._wire: Any = None
        self._before: Counter[str] = Counter()  # of the openings that are over
        self._now: Counter[str] = Counter()  # of this one
        self._dropped, self._dropped_at = 0, -HELD

    def look(self, wire: Any) -> None:
        """Take the counters of the bus as it is open now, or None where it is not."""
        if wire is not self._wire:
            self._before += self._now
            self._now = Counter()
            self._wire = wire
        if wire is None:
            return
        self._now = Counter({name: wire.counts[key] for key, name in BUS_ERRORS.items() if wire.counts.get(key)})
        dropped = self._before["receive_overflow"] + self._now["receive_overflow"]
        if dropped > self._dropped:
            self._dropped, self._dropped_at = dropped, self._clock()

    def errors(self) -> dict[str, int]:
        """How often each of the bus's errors was met since the start."""
        total = self._before + self._now
        return {name: total[name] for name in BUS_ERRORS.values()}

    def conditions(self) -> frozenset[str]:
        """What is wrong with the bus that was last looked at."""
        found = {BUS_STATES[state]} if (state := str(getattr(self._wire, "state", ""))) in BUS_STATES else set()
        if self._clock() - self._dropped_at < HELD:
            found.add("receive_overflow")
        return frozenset(found)
