"""LAG against the exact response of a first-order filter, 1 - exp(-t/T)."""

from __future__ import annotations

import math

import pytest

from blocks.control.lag import LAG
from tests.aids.scan_table import Twin, scan


@pytest.mark.parametrize(("dt", "constant", "error"), [(0.01, 1.0, 2e-5), (0.1, 1.0, 1e-3), (0.001, 5.0, 1e-7)])
def test_a_step_is_answered_as_the_differential_equation_says(dt, constant, error, deviation):
    twin = Twin(LAG)
    twin.set("T", constant)
    twin.scan(round(dt * 1e9))
    twin.set("IN", 1.0)
    worst = 0.0
    for i in range(1, round(3 * constant / dt)):
        twin.scan(round(dt * 1e9))
        worst = max(worst, abs(float(twin.get("OUT")) - (1.0 - math.exp(-i * dt / constant))))
    deviation("LAG", "1 - exp(-t/T)", f"step, dt {dt:g} s, T {constant:g} s", worst, error)


def test_it_starts_at_its_input():
    scan(LAG, T=10.0, table="IN | OUT\n 25 | 25\n 25 | 25")


def test_a_late_scan_counts_with_its_true_time_and_never_overshoots():
    scan(LAG, T=1.0, table="dt IN | OUT\n 10ms 0 | 0\n 1s 1 | ~0.6\n 1000s 1 | ~1.000")


def test_without_a_time_constant_it_is_a_wire():
    scan(LAG, T=0.0, table="IN | OUT\n 5 | 5\n 7 | 7")


def test_a_broken_input_is_shown_and_the_filter_starts_anew():
    scan(LAG, T=1.0, table="IN | OUT\n 5 | 5\n nan | nan\n nan | nan\n 8 | 8\n 8 | 8")


def test_a_time_constant_that_is_not_a_number_is_no_filter():
    scan(LAG, table="T IN | OUT\n 10 0 | 0\n nan 100 | 100\n 10 100 | 100")
