"""INTEGRATOR: the trapezoidal rule in true time, limits without wind-up, and no small value lost beside a large one."""

from __future__ import annotations

import math

import numpy as np

from blocks.control.integrator import INTEGRATOR
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


def test_it_is_the_trapezoidal_rule(deviation):
    from scipy.integrate import cumulative_trapezoid

    cuts = np.random.default_rng(1).integers(1, 100, 5000).cumsum() * 1e-3
    values = np.sin(cuts) + 0.3
    dts = np.round(np.diff(cuts, prepend=0.0) * 1e9).astype(int)
    seen = response(INTEGRATOR, {"IN": values}, dts, GAIN=2.0)
    wanted = 2.0 * cumulative_trapezoid(values, cuts, initial=0.0)
    # scipy adds plainly, and its times are rounded to doubles
    deviation("INTEGRATOR", "scipy.integrate", "sine, scans of 1 to 99 ms", np.max(np.abs(seen - wanted)), 1e-9)


def test_a_small_value_is_not_lost_beside_a_large_one():
    """1e-12 in each of 100,000 scans onto 1e5, whose last place is 1.5e-11: plain adding would stay at 1e5."""
    seen = response(INTEGRATOR, {"IN": np.full(100_001, 1e-9)}, MS, RESET_TO=1e5)
    assert 1e5 + 1e-12 == 1e5
    assert seen[-1] - 1e5 == 1e5 + 1e-7 - 1e5


def test_at_a_limit_nothing_winds_up():
    scan(
        INTEGRATOR,
        OUT_MIN=-1.0,
        OUT_MAX=10.0,
        dt="1s",
        table="""
        x   IN | OUT LIMITED
        1   0  | 0   0
        1   4  | 2   0
        2   4  | 10  1
        100 4  | 10  1
        1   0  | 10  1
        1   -4 | 8   0
        9   -4 | -1  1
    """,
    )


def test_it_starts_at_its_reset_value_inside_the_limits():
    scan(INTEGRATOR, RESET_TO=50.0, OUT_MAX=20.0, dt="1s", table="IN RESET | OUT\n 1 0 | 20\n -1 0 | 20\n -1 0 | 19\n -1 1 | 20")


def test_a_limit_that_closes_takes_out_along():
    scan(INTEGRATOR, RESET_TO=50.0, IN=0.0, dt="1s", table="OUT_MAX | OUT LIMITED\n 100 | 50 0\n 20 | 20 1\n 100 | 20 0")


def test_hold_keeps_it_and_reset_is_stronger():
    scan(
        INTEGRATOR,
        IN=1.0,
        dt="1s",
        table="""
        x  HOLD RESET | OUT
        1  0    0     | 0
        3  0    0     | 3
        50 1    0     | 3
        1  0    0     | 4
        1  1    1     | 0
        1  0    0     | 1
    """,
    )


def test_what_is_broken_holds_and_is_forgotten():
    scan(
        INTEGRATOR,
        OUT_MIN=-100.0,
        dt="1s",
        table="""
        IN   OUT_MAX | OUT HELD
        2    100     | 0   0
        2    100     | 2   0
        nan  100     | 2   1
        inf  100     | 2   1
        2    100     | 3   0      # half of the interval that began broken
        2    nan     | 3   1      # up is not known to be allowed
        -2   nan     | 3   1
        -2   nan     | 1   1      # down is,
        -2   nan     | 0   1      # but not beyond 0
        2    -200    | -200 1     # where the limits cross the upper one counts
        2    100     | -100 0
    """,
    )


def test_a_reset_value_that_is_broken_waits():
    scan(INTEGRATOR, IN=1.0, dt="1s", table="RESET_TO | OUT HELD\n nan | 0 1\n 7 | 7 0\n nan | 8 0")
    assert math.isfinite(response(INTEGRATOR, {"IN": np.ones(3)}, MS, RESET_TO=math.nan)[-1])


def test_a_limit_that_closes_holds_also_while_the_input_is_dead():
    scan(
        INTEGRATOR,
        RESET_TO=50.0,
        dt="1s",
        table="IN OUT_MAX | OUT HELD\n 0 100 | 50 0\n nan 100 | 50 1\n nan 10 | 10 1\n 0 100 | 10 0",
    )


def test_a_reset_goes_through_a_limit_that_is_not_a_number():
    scan(INTEGRATOR, RESET_TO=50.0, IN=0.0, dt="1s", table="RESET OUT_MAX | OUT HELD\n 0 100 | 50 0\n 0 9 | 9 0\n 1 nan | 50 1")
