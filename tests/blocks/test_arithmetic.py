"""The functions that steps may use: integers that wrap, IEEE 754, one order of NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks import arithmetic as a

NAN, INF = math.nan, math.inf


def test_min_max_and_clamp_define_where_a_nan_goes():
    assert a.min(NAN, 1.0) == 1.0
    assert math.isnan(a.min(1.0, NAN))
    assert a.max(NAN, 1.0) == 1.0
    assert math.isnan(a.max(1.0, NAN))
    assert a.clamp(-1.0, NAN, 1.0) == -1.0
    assert a.clamp(2.0, 0.0, 1.0) == 1.0
    assert [a.clamp(-1.0, x, 1.0) for x in (-5.0, 0.5, 5.0)] == [-1.0, 0.5, 1.0]


DIVISIONS = [(7, 2, 3, 1), (-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1), (7, 0, 0, 0)]
ROUNDED = [(0.5, 0), (1.5, 2), (2.5, 2), (-1.5, -2), (NAN, 0), (INF, 2**63 - 1024), (-INF, -(2**63) + 1024)]
POINTS = [(-1.0, 10.0), (0.0, 10.0), (0.5, 15.0), (1.0, 20.0), (2.0, 20.0), (3.0, 20.0), (4.0, 0.0), (9.0, 0.0)]


@pytest.mark.parametrize(("x", "y", "quotient", "rest"), DIVISIONS)
def test_integer_division_truncates_as_c_does(x, y, quotient, rest):
    assert a.div(np.int64(x), np.int64(y)) == quotient
    assert a.quotient(np.int64(x), np.int64(y)) == quotient
    assert a.mod(np.int64(x), np.int64(y)) == rest


def test_the_one_division_that_overflows_wraps():
    with np.errstate(all="ignore"):
        assert a.div(np.int64(-(2**63)), np.int64(-1)) == -(2**63)
        assert a.mod(np.int64(-(2**63)), np.int64(-1)) == 0


def test_a_quotient_of_lreals_follows_ieee_754():
    with np.errstate(all="ignore"):
        assert a.quotient(np.float64(1), np.float64(0)) == INF
        assert math.isnan(a.quotient(np.float64(0), np.float64(0)))
    assert a.quotient(np.float64(7), np.float64(2)) == 3.5


@pytest.mark.parametrize(("value", "whole"), ROUNDED)
def test_an_lreal_becomes_an_integer_half_to_even_and_is_held(value, whole):
    assert a.to_int(np.float64(value)) == whole
    assert a.whole(np.float64(value)) == whole


def test_whole_keeps_every_bit_of_an_integer():
    assert a.whole(np.int64(2**53 + 1)) == 2**53 + 1
    assert a.whole(True) == 1


@pytest.mark.parametrize(("x", "y"), POINTS)
def test_a_table_is_linear_between_its_points_and_flat_beyond(x, y):
    xs, ys = np.array([0.0, 1.0, 3.0, 4.0]), np.array([10.0, 20.0, 20.0, 0.0])
    assert a.interpolate(np.float64(x), xs, ys) == pytest.approx(y)
    assert a.interpolate(np.float64(x), xs, ys) == pytest.approx(np.interp(x, xs, ys))


def test_a_table_answers_a_nan_with_its_lowest_value():
    assert a.interpolate(NAN, np.array([0.0, 1.0, 2.0]), np.array([5.0, -3.0, 8.0])) == -3.0


def test_equal_points_make_a_step_in_a_table():
    xs, ys = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0])
    assert [a.interpolate(np.float64(x), xs, ys) for x in (0.9, 1.1)] == [0.0, 1.0]


@pytest.mark.parametrize("x", [0.001, 0.01, 0.1, 1.0, 10.0, 1e6])
def test_settling_is_close_to_the_exponential_and_never_overshoots(x):
    exact = -math.expm1(-x)
    assert abs(a.settling(x, 1.0) - exact) <= min(x**3 / 6.0, 0.04)
    assert 0.0 < a.settling(x, 1.0) <= 1.0
    assert a.smoothing(round(x * 1e9), 1.0) == pytest.approx(exact, rel=1e-6)


def test_settling_without_a_time_constant_is_there_at_once():
    assert a.settling(0.01, 0.0) == a.settling(0.01, -1.0) == a.settling(0.01, NAN) == 1.0


def test_time_and_seconds_turn_each_other_over():
    assert a.time(a.seconds(np.int64(123_456_789))) == 123_456_789
    assert a.time(np.float64(NAN)) == 0


def test_small_functions():
    assert [a.sign(x) for x in (-2.0, 0.0, 2.0, NAN)] == [-1.0, 0.0, 1.0, 0.0]
    assert [bool(a.is_finite(np.float64(x))) for x in (1.0, 1e308)] == [True, True]
    with np.errstate(all="ignore"):
        assert not any(a.is_finite(np.float64(x)) for x in (NAN, INF, -INF))
    assert a.is_nan(NAN)
    assert not a.is_nan(INF)
    assert not a.is_nan(5)
    assert a.abs(np.float64(-2.5)) == 2.5
    assert a.lerp(5.0, 0.0, 0.0, 10.0, 100.0) == 50.0


@pytest.mark.parametrize("exponent", range(-31, 32))
def test_log_ratio_is_the_logarithm_to_its_last_digits(exponent):
    for mantissa in (1.0, 1.0000001, 1.3, math.sqrt(2), 1.5, 1.9999999):
        value = math.ldexp(mantissa, exponent)
        assert a.log_ratio(np.float64(value)) == pytest.approx(math.log(value), rel=1e-15, abs=1e-22)


def test_log_ratio_is_held_at_both_ends_and_keeps_a_nan():
    ends = [a.log_ratio(np.float64(value)) for value in (0.0, -5.0, -INF, INF)]
    assert ends == pytest.approx([-32 * math.log(2)] * 3 + [32 * math.log(2)], rel=1e-15)
    assert math.isnan(a.log_ratio(np.float64(NAN)))
