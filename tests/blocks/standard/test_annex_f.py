"""INTEGRAL, DERIVATIVE, DIFFEQ, TRANSFER against sums, fitted lines and SciPy's filters."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.signal

from blocks.control.pid import PID
from blocks.plain import Instance
from blocks.standard.annex_f import DERIVATIVE, DIFFEQ, INTEGRAL, TRANSFER
from tests.aids.scan_table import scan

MS = 1_000_000


def test_an_integral_takes_the_true_time():
    scan(INTEGRAL, table="dt XIN | XOUT\n 100ms 10 | 1\n 500ms 10 | 6\n 1ms -1000 | 5\n 1s 0 | 5")


def test_hold_reset_and_start_value():
    scan(
        INTEGRAL,
        dt="1s",
        table="""
        RUN R1 XIN X0  | XOUT Q HELD
        0   0  3   0   | 0    1 0
        1   0  3   0   | 3    1 0
        0   0  3   0   | 3    1 0
        1   1  3   7   | 7    0 0       # reset wins over run
        1   0  3   7   | 10   1 0
        1   1  3   nan | 10   0 1       # no value to set
        1   1  nan 2   | 2    0 0       # what would be added does not matter
    """,
    )


def test_a_broken_value_is_not_remembered():
    scan(INTEGRAL, dt="1s", table="XIN | XOUT HELD\n 2 | 2 0\n nan | 2 1\n inf | 2 1\n -inf | 2 1\n 2 | 4 0")


def test_small_steps_are_not_lost_in_a_large_sum(deviation):
    """0.01 kW by 10 ms beside 1e9 kJ: a plain sum would grow in steps of 1.2e-7 or not at all."""
    integral = Instance(INTEGRAL)
    integral.R1, integral.X0 = True, 1e9
    integral.scan(10 * MS)
    integral.R1, integral.XIN = False, 1e-6
    for _ in range(20000):
        integral.scan(10 * MS)
    want = math.fsum([1e9] + [1e-6 * 0.01] * 20000)
    assert 1e9 + 1e-6 * 0.01 == 1e9  # the trap
    # the carried rest leaves half a unit in the last place of the sum, 6e-8
    deviation("INTEGRAL", "math.fsum", "20000 steps of 1e-8 on 1e9", abs(integral.XOUT - want), 1.2e-7, "kJ")


def test_the_slope_is_the_annexes_formula_when_scans_are_even():
    """XOUT = (3 (XIN - X3) + X1 - X2) / (10 CYCLE)."""
    xs = [0.0, 0.0, 0.0, *np.random.default_rng(1).normal(0, 10, 200).tolist()]
    one = Instance(DERIVATIVE)
    for i, x in enumerate(xs):
        one.XIN = x
        one.scan(20 * MS)
        if i >= 3:
            want = (3.0 * (x - xs[i - 3]) + xs[i - 1] - xs[i - 2]) / (10.0 * 0.02)
            assert one.XOUT == pytest.approx(want, rel=1e-12, abs=1e-9)


def test_the_slope_is_that_of_the_fitted_line_when_scans_are_uneven(deviation):
    chance, worst = np.random.default_rng(2), 0.0
    one = Instance(DERIVATIVE)
    at, times, xs = 0, [], []
    for i in range(300):
        dt = int(chance.integers(1, 100)) * MS
        at += dt
        times.append(at * 1e-9)
        xs.append(math.sin(at * 1e-9) * 5.0)
        one.XIN = xs[-1]
        one.scan(dt)
        if i >= 3:
            fit = np.polyfit(np.array(times[-4:]) - times[-1], xs[-4:], 1)[0]
            worst = max(worst, abs(one.XOUT - fit))
    # polyfit solves by SVD: some 1e-12 of slopes of up to 5 a second
    deviation("DERIVATIVE", "numpy 2.4", "polyfit through four uneven scans", worst, 1e-9, "1/s")


def test_a_slope_starts_flat_and_a_constant_has_none():
    scan(DERIVATIVE, table="XIN | XOUT BAD\n 500 | 0 0\n 500 | 0 0\n 500 | 0 0\n 500 | 0 0")
    scan(DERIVATIVE, table="dt XIN | XOUT\n 10ms 1e15 | 0\n 1ns 1e15 | 0\n 1s 1e15 | 0\n 10ms 1e15 | 0")


def test_a_slope_starts_anew_after_run_and_after_a_gap():
    scan(
        DERIVATIVE,
        dt="100ms",
        table="""
        RUN XIN | XOUT BAD
        1   0   | 0    0
        1   1   | 3    0
        0   2   | 0    0
        0   90  | 0    0
        1   90  | 0    0
        1   91  | 3    0
        1   nan | 0    1
        1   inf | 0    1
        1   5   | 0    0
        1   6   | 3    0
    """,
    )


def test_a_digital_filter_is_scipys(deviation):
    """A Butterworth low-pass of each order up to 8; SciPy's a has the other sign."""
    noise = np.random.default_rng(3).normal(0, 1, 1000)
    # the direct form multiplies roundings by the size of its coefficients, some tens at order 8, and rings with them
    for order, bar in ((1, 1e-14), (2, 1e-14), (4, 1e-13), (8, 1e-11)):
        b, a = scipy.signal.butter(order, 0.2)
        one = Instance(DIFFEQ)
        one.B = [*b.tolist(), *[0.0] * (8 - order)]
        one.A = [*(-a[1:]).tolist(), *[0.0] * (8 - order)]
        want, worst = scipy.signal.lfilter(b, a, noise), 0.0
        for x, y in zip(noise.tolist(), want.tolist(), strict=True):
            one.XIN = x
            one.scan(10 * MS)
            worst = max(worst, abs(one.XOUT - y))
        deviation("DIFFEQ", "scipy 1.17", f"Butterworth order {order}, lfilter", worst, bar)


def test_a_digital_filter_skips_a_broken_value_and_rests_on_reset():
    scan(
        DIFFEQ,
        B=[1, 1, 0, 0, 0, 0, 0, 0, 0],
        table="""
        RUN XIN | XOUT BAD
        1   1   | 1    0
        1   10  | 11   0
        1   nan | 11   1
        1   inf | 11   1
        1   2   | 12   0       # 2 and the 10 before the gap
        0   2   | 0    0
        1   5   | 5    0
    """,
    )


def test_a_digital_filter_with_broken_coefficients_holds_and_one_that_runs_away_starts_from_rest():
    scan(
        DIFFEQ, table="B XIN | XOUT BAD\n [1,0,0,0,0,0,0,0,0] 3 | 3 0\n [nan,0,0,0,0,0,0,0,0] 3 | 3 1\n [2,0,0,0,0,0,0,0,0] 3 | 6 0"
    )
    scan(DIFFEQ, A=[1e200, 0, 0, 0, 0, 0, 0, 0], table="XIN | XOUT BAD\n 1 | 1 0\n 1 | 1e200 0\n 1 | 0 1\n 1 | 1 0")


def test_a_hand_station_moves_by_its_buttons_with_the_true_time():
    scan(
        TRANSFER,
        FAST_RATE=20.0,
        SLOW_RATE=2.0,
        table="""
        dt    AUTO XIN FAST_UP SLOW_UP FAST_DOWN SLOW_DOWN | XOUT
        100ms 1    10  1       0       0         0         | 10      # automatic: buttons do nothing
        100ms 0    10  1       0       0         0         | 12
        500ms 0    10  0       1       0         0         | 13
        100ms 0    10  1       1       0         0         | 15      # fast wins
        100ms 0    10  0       0       1         0         | 13
        100ms 0    10  0       0       0         1         | 12.8
        100ms 0    10  1       0       0         1         | 12.8    # up and down: nothing
        100ms 0    99  0       0       0         0         | 12.8
    """,
    )


def test_a_hand_station_holds_where_its_input_or_rate_is_broken():
    scan(
        TRANSFER,
        SLOW_RATE=2.0,
        dt="1s",
        table="""
        AUTO XIN FAST_RATE FAST_UP | XOUT HELD
        1    10  20        0       | 10   0
        1    nan 20        0       | 10   1
        1    inf 20        0       | 10   1
        0    nan 20        0       | 10   0       # XIN does not matter by hand
        0    nan nan       1       | 10   1
        0    nan nan       0       | 10   0
        0    nan 20        1       | 30   0
    """,
    )


def test_the_way_back_has_no_bump_when_the_controller_follows():
    """TRANSFER behind a PID: XOUT to MAN, AUTO to AUTO, as its docstring says."""
    pid, hand = Instance(PID), Instance(TRANSFER)
    pid.SP, pid.PV, pid.KP, pid.TI, pid.OUT_MIN, pid.OUT_MAX = 50.0, 48.0, 2.0, 10.0, 0.0, 100.0
    hand.FAST_RATE, hand.SLOW_RATE, seen = 10.0, 1.0, []
    for i in range(300):
        auto = not 100 <= i < 200
        pid.AUTO, pid.MAN = auto, hand.XOUT
        pid.scan(10 * MS)
        hand.AUTO, hand.XIN, hand.FAST_UP = auto, pid.OUT, 120 <= i < 170
        hand.scan(10 * MS)
        seen.append(float(hand.XOUT))
    assert seen[199] == pytest.approx(seen[99] + 5.0)  # the button: 10 a second for half a second
    # one scan moves by a button's 0.1 at most, or by the integral
    assert max(abs(b - a) for a, b in itertools.pairwise(seen)) < 0.11
