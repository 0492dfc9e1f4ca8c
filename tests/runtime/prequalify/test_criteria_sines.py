"""The transfer function from sine tests, against the analytic one; stability against the closed loop's poles (python-control)."""

from __future__ import annotations

import cmath
import dataclasses
import math

import control
import numpy as np
import pytest

from runtime.prequalify import criteria_sines as sines
from runtime.prequalify import sequences_fcr as fcr
from runtime.prequalify.criterion import Outcome
from tests.aids import reserve_plants as plants


def first_order(period: float, lag: float, dead: float = 0.0) -> complex:
    w = 2.0 * math.pi / period
    return cmath.exp(-1j * w * dead) / (1.0 + 1j * w * lag)


def analytic(lag: float, dead: float = 0.0) -> dict[float, complex]:
    return {period: first_order(period, lag, dead) for period in fcr.LONG_PERIODS}


@pytest.mark.parametrize("product", [fcr.FCR_N, fcr.FCR_D_UP, fcr.FCR_D_DOWN], ids=lambda p: p.service)
@pytest.mark.parametrize("period", [10.0, 40.0, 150.0])
def test_a_sine_test_finds_gain_and_phase_of_the_plant(product, period):
    test = fcr.sine_test(product, period)
    record = plants.record_of(test, product, lambda p, dt: plants.converter(p, dt, dead=0.5, lag=4.0), 0.05)
    found = sines.transfer(record, product, 1000.0, test)
    assert abs(found - first_order(period, 4.0, 0.525)) < 0.005, "the discrete lag holds its input for half a sample more"


def test_a_drifting_baseline_and_noise_do_not_count_as_an_answer():
    test = fcr.sine_test(fcr.FCR_N, 25.0)
    record = plants.record_of(test, fcr.FCR_N, plants.converter, 0.1)
    noise = np.random.default_rng(1).normal(0.0, 5.0, len(record.t))
    disturbed = dataclasses.replace(record, p=record.p + 5.0 * record.t + noise)
    clean, dirty = (sines.transfer(r, fcr.FCR_N, 1000.0, test) for r in (record, disturbed))
    assert abs(clean - dirty) < 0.005


def test_the_measurement_of_frequency_that_was_gone_round_is_added():
    test = fcr.sine_test(fcr.FCR_N, 25.0)
    record = plants.record_of(test, fcr.FCR_N, plants.converter, 0.1)
    ratio = sines.transfer(record, fcr.FCR_N, 1000.0, test, meter=1.0) / sines.transfer(record, fcr.FCR_N, 1000.0, test)
    assert abs(ratio - first_order(25.0, 1.0)) < 1e-9


def test_the_grid_is_that_of_the_requirements():
    """G(0) = (600/0.1)(50/23000)/0.5 = 26.09 for FCR-N, (1450/0.4)(50/23000)/0.5 = 15.76 for FCR-D; at 1 rad/s 2 H = 10.43 s."""
    for product, at_rest in ((fcr.FCR_N, 26.087), (fcr.FCR_D_UP, 15.761)):
        g = sines.FOR_STABILITY.transfer(product, np.array([0.0, 1.0]))
        assert g[0] == pytest.approx(at_rest, abs=1e-3)
        assert abs(g[1]) == pytest.approx(at_rest * 0.5 / math.hypot(0.5, 10.435), rel=1e-4)


@pytest.mark.parametrize("lag", [0.3, 2.0, 5.0, 10.0, 20.0])
@pytest.mark.parametrize("dead", [0.1, 1.0, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("product", [fcr.FCR_N, fcr.FCR_D_UP], ids=lambda p: p.service)
def test_the_curve_says_encircled_where_the_closed_loop_has_a_pole_on_the_right(product, lag, dead):
    """python-control closes the loop, with a Pade approximation of order 8; periods of 10 to 70 s see these crossings."""
    inertia = sines.FOR_STABILITY.kinetic / sines.FOR_STABILITY.rated
    gain = product.regulating / product.band * 50.0 / sines.FOR_STABILITY.rated
    loop = control.tf([gain], [2.0 * inertia, 0.5]) * control.tf([1.0], [lag, 1.0]) * control.tf(*control.pade(dead, 8))
    unstable = bool(np.any(np.real(control.poles(control.feedback(loop))) > 0.0))
    margins = control.stability_margins(loop)
    crossing = 2.0 * math.pi / margins[3] if margins[3] else 0.0
    if not 10.5 < crossing < 69.0:
        assert not unstable or crossing < 10.5
        return
    points = {period: first_order(period, lag, dead) for period in fcr.PERIODS}
    assert (sines.judge_stability(points, product).value < 0.0) == unstable


def test_a_far_curve_that_encircles_minus_one_fails_although_it_is_outside_the_circle():
    """The distance alone would pass a plant of 5 s dead time at periods where it is far beyond -1."""
    finding = sines.judge_stability({period: first_order(period, 0.3, 5.5) for period in fcr.PERIODS}, fcr.FCR_N)
    assert finding.outcome is Outcome.FAIL
    assert "encircled" in finding.note
    turned = sines.judge_stability({period: -f for period, f in analytic(0.3).items() if period <= 70.0}, fcr.FCR_N)
    assert turned.outcome is Outcome.FAIL, "a plant of the wrong sign"


def test_performance_of_a_slow_plant_by_hand():
    """F = 1/(1 + 60 jw), w = 2 pi/60: G = 7.143/(0.5 + 0.947j), F = 0.0247 - 0.155j; 0.95 |G/(1 + F G)| = 9.9, the bound is 7.4."""
    w = 2.0 * math.pi / 60.0
    g = 6000.0 * (50.0 / 42000.0) / (2.0 * (190.0 / 42.0) * 1j * w + 0.5)
    by_hand = 0.95 * abs(g / (1.0 + g / (1.0 + 60j * w)))
    assert (by_hand, abs(1.0 + 70j * w)) == (pytest.approx(9.76, abs=0.2), pytest.approx(7.398, abs=0.01))
    finding = sines.judge_performance(analytic(60.0), fcr.FCR_N)
    assert finding.outcome is Outcome.FAIL
    assert float(finding.note.split()[5].rstrip(",")) >= by_hand / abs(1.0 + 70j * w) - 0.01


def test_a_plant_that_performs_a_little_too_little_sells_less():
    found = [sines.judge_performance(analytic(lag), fcr.FCR_N) for lag in np.arange(20.0, 70.0, 1.0)]
    outcomes = [f.outcome for f in found]
    assert outcomes == sorted(outcomes, key=[Outcome.PASS, Outcome.REDUCED, Outcome.FAIL].index)
    assert set(outcomes) == {Outcome.PASS, Outcome.REDUCED, Outcome.FAIL}
    assert all(0.9 <= f.value < 1.0 for f in found if f.outcome is Outcome.REDUCED)


def test_backlash_makes_the_same_sine_count_for_more():
    """Table 14 of the Supporting Document: 2D of 0.10 takes h = 0.984."""
    test = fcr.sine_test(fcr.FCR_N, 25.0)
    record = plants.record_of(test, fcr.FCR_N, plants.converter, 0.1)
    ratio = sines.transfer(record, fcr.FCR_N, 1000.0, test, backlash=0.10) / sines.transfer(record, fcr.FCR_N, 1000.0, test)
    assert ratio.real == pytest.approx(1.0 / 0.984)
