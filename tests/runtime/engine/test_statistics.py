"""Statistics: extremes and mean are exact, percentiles are good to the width of a bucket, against NumPy on the same durations."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.engine.statistics import BUCKETS, FIRST_BUCKET, ROW, bucket_of, note, percentile, timing, timings

WIDTH = 2 ** (1 / 8)  # a bucket's upper edge over its lower
SHARES = (0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0)


def noted(durations: np.ndarray, row: int = 0) -> np.ndarray:
    words = np.zeros(4 * ROW, np.int64)
    for ns in durations:
        note(words, row, int(ns))
    return words


SAMPLES = {
    "uniform": np.random.default_rng(1).integers(1000, 100_000, 5000),
    "log-normal": np.exp(np.random.default_rng(2).normal(11, 1.5, 5000)).astype(np.int64),
    "two humps": np.concatenate([np.full(990, 30_000), np.full(10, 5_000_000)]),
    "one": np.array([12_345]),
    "powers of two": 2 ** np.arange(1, 31),
    "short": np.random.default_rng(3).integers(1, 20, 500),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_percentile_is_within_a_buckets_width_above_the_true_one(name: str) -> None:
    durations = SAMPLES[name]
    words = noted(durations)
    for share in SHARES:
        true = float(np.percentile(durations, share * 100, method="inverted_cdf"))
        found = percentile(words, 0, share)
        assert true <= found * (1 + 1e-12) and found <= true * WIDTH * (1 + 1e-12), f"{share}: {found} for {true}"


@pytest.mark.parametrize("name", SAMPLES)
def test_count_last_least_mean_and_greatest_are_exact(name: str) -> None:
    durations = SAMPLES[name]
    row = timing(noted(durations), 0)
    assert row.count == len(durations)
    assert row.last == durations[-1] / 1e3
    assert (row.least, row.greatest) == (durations.min() / 1e3, durations.max() / 1e3)
    assert row.mean == pytest.approx(int(durations.sum()) / len(durations) / 1e3, rel=1e-12)


def test_a_stall_beyond_the_last_bucket_is_reported_as_it_was() -> None:
    words = noted(np.array([10_000_000_000, 20_000_000_000]))
    assert words[FIRST_BUCKET + BUCKETS - 1] == 2
    assert percentile(words, 0, 0.99) == 20_000_000_000


def test_nothing_counted_is_all_zero() -> None:
    row = timing(np.zeros(ROW, np.int64), 0)
    assert (row.count, row.last, row.least, row.mean, row.greatest, row.p50, row.p99, row.p999) == (0, 0, 0, 0, 0, 0, 0, 0)


def test_a_duration_of_zero_is_counted_and_is_the_least() -> None:
    row = timing(noted(np.array([5000, 0, 7000])), 0)
    assert (row.count, row.least, row.greatest) == (3, 0, 7)


def test_rows_do_not_touch_each_other() -> None:
    words = noted(np.full(100, 2**40), row=1)
    assert words[:ROW].sum() == 0 and words[2 * ROW :].sum() == 0
    assert words[ROW + FIRST_BUCKET : ROW + FIRST_BUCKET + BUCKETS].sum() == 100


def test_buckets_never_fall() -> None:
    numbers = [bucket_of(ns) for ns in range(1, 5000)]
    assert numbers == sorted(numbers)
    assert [bucket_of(2**k) for k in range(31)] == [8 * k for k in range(31)]


def test_steps_and_tasks_have_names() -> None:
    words = np.zeros(64 * ROW, np.int64)
    note(words, 6, 1000)
    note(words, 8, 3000)
    named = timings(words, ("fast", "slow"))
    assert list(named) == ["late", "period error", "latch", "command", "run", "publish", "scan", "task fast", "task slow"]
    assert (named["scan"].last, named["task fast"].count, named["task slow"].last) == (1.0, 0, 3.0)
