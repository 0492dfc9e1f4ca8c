"""MOVING_MEDIAN against numpy, and the spikes that it is for."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.moving_median import MOVING_MEDIAN
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


@pytest.mark.parametrize("kind", ["noise", "equal values"])
def test_it_is_the_median_of_the_window(kind, deviation):
    chance = np.random.default_rng(1)
    values = chance.normal(0.0, 1.0, 300) if kind == "noise" else chance.integers(0, 3, 300).astype(float)
    worst = 0.0
    for size in range(1, 16):
        wanted = np.array([np.median(values[max(0, i - size + 1) : i + 1]) for i in range(300)])
        worst = max(worst, np.max(np.abs(response(MOVING_MEDIAN, {"IN": values}, MS, SIZE=size) - wanted)))
    deviation("MOVING_MEDIAN", "numpy 2.4", f"{kind}, 1 to 15 samples", worst, 1e-15)  # one addition apart at most


def test_two_spikes_in_five_leave_no_trace_and_an_edge_stays_sharp():
    scan(
        MOVING_MEDIAN,
        table="""
        x IN   | OUT
        5 20   | 20
        1 -999 | 20
        1 1e9  | 20
        3 20   | 20
        1 30   | 20
        1 30   | 20
        1 30   | 30     # two samples late, at once
    """,
    )


def test_the_size_may_change():
    scan(MOVING_MEDIAN, table="IN SIZE | OUT COUNT\n 1 5 | 1 1\n 5 5 | 3 2\n 2 5 | 2 3\n 9 1 | 9 1\n 9 15 | 5 5\n 0 0 | 0 1")


def test_a_broken_value_is_shown_and_not_kept():
    scan(MOVING_MEDIAN, SIZE=3, table="IN | OUT COUNT\n nan | nan 0\n 4 | 4 1\n nan | nan 1\n -inf | -inf 1\n 6 | 5 2\n 0 | 4 3")


def test_a_sample_in_every_so_long():
    scan(MOVING_MEDIAN, SIZE=3, EVERY="20ms", table="IN | OUT COUNT\n 1 | 1 1\n 9 | 1 1\n 7 | 4 2\n 9 | 4 2\n 3 | 3 3")
