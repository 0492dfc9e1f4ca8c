"""What the devices saw written, and what happened in them, each with its time: the proof of order.

It must not know what is a good order.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

KEPT = 20_000


@dataclass(slots=True)
class Written:
    """Changes of outputs as seen by the devices, oldest first, at most KEPT. Times are CLOCK_MONOTONIC nanoseconds."""

    changes: deque[tuple[int, str, str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    events: deque[tuple[int, str, str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    last: dict[tuple[str, str], Any] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)


def note_write(written: Written, device: str, what: str, value: Any) -> None:
    """A device was told this value; kept when it differs from the one before."""
    written.writes[device] = written.writes.get(device, 0) + 1
    if written.last.get((device, what), None) != value or (device, what) not in written.last:
        written.last[device, what] = value
        written.changes.append((time.monotonic_ns(), device, what, value))


def note_events(written: Written, device: str, events: Iterable[tuple[str, Any]]) -> None:
    """Something happened in a device: a contactor moved, a state changed."""
    now = time.monotonic_ns()
    written.events.extend((now, device, what, value) for what, value in events)


def tell(entries: Iterable[tuple[int, str, str, Any]], since: int) -> list[dict[str, Any]]:
    """The entries after a moment, as records."""
    return [{"t": t, "device": device, "what": what, "value": value} for t, device, what, value in entries if t > since]
