"""The tasks of the scan as OPC UA shows them: interval, order, and how long they take. It knows no node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
from asyncua import ua

from runtime.engine.image import ImageError
from runtime.engine.statistics import BUCKETS, COUNT, FIRST_BUCKET, ROW, STEPS, bucket_of, timing
from runtime.model import Task
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.servers.door import Door
from runtime.servers.opcua.types import null, stamped, variant

_SCALES = ((3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
_DOUBLE, _WHOLE = ua.VariantType.Double, ua.VariantType.Int64
# Name, unit, type, what it says. Times are of the runs since the statistics were last reset.
FIGURES: tuple[tuple[str, str, str, str], ...] = (
    ("LastTime", "us", "LREAL", "Duration of the last run"),
    ("MeanTime", "us", "LREAL", "Mean duration of the runs since the last reset"),
    ("P99Time", "us", "LREAL", "99 % of the runs took no longer than this, to 9 %"),
    ("MaxTime", "us", "LREAL", "Longest run since the last reset"),
    ("Runs", "", "LINT", "Runs since the last reset"),
    ("Overruns", "", "LINT", "Runs that took longer than the task's interval, since the last reset"),
)


def duration(ns: int) -> str:
    """A time as IEC 61131-3 writes it: `T#50ms`."""
    parts = []
    for scale, name in _SCALES:
        count, ns = divmod(ns, scale)
        if count:
            parts.append(f"{count}{name}")
    return "T#" + ("".join(parts) or "0s")


def priority(order: int) -> int:
    """Due tasks run in their order, so the first is the most urgent: priority 0 (IEC 61131-3, 6.8.2)."""
    return order


def figures(words: np.ndarray, row: int, interval: int) -> Iterator[float | int]:
    """The figures of a task, in the order of FIGURES."""
    times = timing(words, row)
    yield from (times.last, times.mean, times.p99, times.greatest, times.count)
    first = row * ROW + FIRST_BUCKET + bucket_of(interval) + 1  # runs in the interval's own bucket may have been in time
    yield int(words[first : row * ROW + FIRST_BUCKET + BUCKETS].sum()) if words[row * ROW + COUNT] else 0


def look(door: Door, task: Task, order: int, tick: int, which: int) -> Callable[[], ua.DataValue]:
    """A function that looks up one figure of a task in the scan's statistics."""
    kind = _DOUBLE if FIGURES[which][2] == "LREAL" else _WHOLE

    def read() -> ua.DataValue:
        now = datetime.now(UTC)
        try:
            words = door.snapshot.statistics()
        except ImageError:
            return stamped(null(), BAD_NO_COMMUNICATION, now, now)
        if door.is_stale():
            return stamped(null(), BAD_NO_COMMUNICATION, now, now)
        value = list(figures(words, len(STEPS) + order, task.every * tick))[which]
        return stamped(variant(value, kind), 0, now, now)

    return read
