"""Timing statistics: for each thing timed its last, least, mean and greatest value and a log-spaced histogram.

A row is five words and 256 buckets, eight to an octave of nanoseconds, so a percentile is good to 9 %. The scan writes the
rows, anybody may read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from runtime.engine.atomics import scan_path

COUNT, LAST, LEAST, GREATEST, SUM, FIRST_BUCKET = range(6)
BUCKETS = 256
ROW = 264
STEPS = ("late", "period error", "latch", "command", "run", "publish", "scan")
LATE, PERIOD, LATCH, COMMAND, RUN, PUBLISH, SCAN = range(7)
TASK_ROWS = 32
PROFILE_START = (len(STEPS) + TASK_ROWS) * ROW


@scan_path
def bucket_of(ns: int) -> int:
    """The bucket of a duration; everything up to 1 ns is in the first."""
    if ns <= 1:
        return 0
    return min(int(np.log2(np.float64(ns)) * 8.0), BUCKETS - 1)


@scan_path
def note(words: np.ndarray, row: int, ns: int) -> None:
    """Count one duration in a row."""
    at = row * ROW
    if words[at + COUNT] == 0 or ns < words[at + LEAST]:
        words[at + LEAST] = ns
    words[at + GREATEST] = max(words[at + GREATEST], ns)
    words[at + COUNT] += 1
    words[at + LAST] = ns
    words[at + SUM] += ns
    words[at + FIRST_BUCKET + bucket_of(ns)] += 1


@scan_path
def percentile(words: np.ndarray, row: int, share: float) -> float:
    """The nanoseconds that `share` of the counted durations do not exceed: the upper edge of their bucket; 0 for none."""
    at = row * ROW
    wanted = np.int64(np.ceil(share * words[at + COUNT]))
    passed = 0
    for bucket in range(BUCKETS):
        passed += words[at + FIRST_BUCKET + bucket]
        if passed >= wanted and passed > 0:
            edge = 2.0 ** ((bucket + 1) / 8.0) if bucket < BUCKETS - 1 else np.inf  # the last bucket holds all that is longer
            return min(edge, np.float64(words[at + GREATEST]))
    return 0.0


@dataclass(frozen=True)
class Timing:
    """One row in microseconds."""

    count: int
    last: float
    least: float
    mean: float
    greatest: float
    p50: float
    p99: float
    p999: float


def timing(words: np.ndarray, row: int) -> Timing:
    """A row as people read it, in microseconds."""
    at = row * ROW
    count = int(words[at + COUNT])
    last, least, greatest = (float(words[at + i]) / 1e3 for i in (LAST, LEAST, GREATEST))
    mean = float(words[at + SUM]) / count / 1e3 if count else 0.0
    p50, p99, p999 = (percentile(words, row, share) / 1e3 for share in (0.5, 0.99, 0.999))
    return Timing(count, last, least, mean, greatest, p50, p99, p999)


def timings(words: np.ndarray, tasks: tuple[str, ...]) -> Mapping[str, Timing]:
    """Every step and task by name."""
    rows = {name: timing(words, row) for row, name in enumerate(STEPS)}
    rows.update({f"task {name}": timing(words, len(STEPS) + i) for i, name in enumerate(tasks)})
    return rows
