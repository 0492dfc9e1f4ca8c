"""PWM: the mean is the duty, and no pulse or gap is too short."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.pwm import PWM
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled

MS = 1_000_000
S = 1_000_000_000


def runs(duty: float, scans: int, dt: int, **settings: int) -> tuple[float, list[int], list[int]]:
    """The share of time that Q was on, and how long each whole pulse and gap was."""
    pwm = Compiled(PWM, DUTY=duty, **settings)
    states = []
    for _ in range(scans):
        pwm.scan(dt)
        states.append(pwm.get("Q"))
    edges = np.flatnonzero(np.diff(states)) + 1
    lengths = np.diff(edges) * dt
    first_is_on = len(edges) > 0 and states[edges[0]] == 1
    return float(np.mean(states)), list(lengths[0 if first_is_on else 1 :: 2]), list(lengths[1 if first_is_on else 0 :: 2])


@pytest.mark.parametrize("dt", [10 * MS, 70 * MS, 300 * MS])
def test_the_mean_over_many_periods_is_the_duty(dt, deviation):
    duties = (3.0, 33.3, 50.0, 71.7, 99.0)
    worst = max(abs(100.0 * runs(duty, 200 * S // dt, dt, PERIOD=S)[0] - duty) for duty in duties)
    # at most one period of 200 is owed at the end
    deviation("PWM", "theory", f"mean of 3 to 99 %, scans of {dt // MS} ms", worst, 0.5, "%")


@pytest.mark.parametrize("duty", [2.0, 7.0, 50.0, 93.0, 98.0])
def test_pulses_and_gaps_are_never_too_short_and_the_mean_is_still_right(duty):
    mean, on, off = runs(duty, 200_000, 10 * MS, PERIOD=10 * S, MIN_ON=S, MIN_OFF=2 * S)
    assert 100.0 * mean == pytest.approx(duty, abs=0.5)
    assert min(on) >= S - 10 * MS
    assert min(off) >= 2 * S - 10 * MS


def test_0_and_100_per_cent_do_not_switch():
    scan(
        PWM,
        PERIOD="1s",
        MIN_ON="100ms",
        MIN_OFF="100ms",
        dt="100ms",
        table="x DUTY | Q\n 300 0 | 0\n 10 100 | 1\n 1 100 | 1\n 300 100 | 1",
    )
    assert runs(100.0, 1000, 70 * MS, PERIOD=S)[0] == 1.0
    assert runs(0.0, 1000, 70 * MS, PERIOD=S)[0] == 0.0


def test_what_was_owed_is_forgotten_at_0():
    scan(PWM, PERIOD="1s", MIN_ON="900ms", dt="100ms", table="x DUTY | Q\n 10 80 | 0\n 10 0 | 0\n 10 0 | 0\n 10 80 | 0")


def test_a_broken_duty_is_off_at_once_and_a_new_period_follows():
    scan(PWM, PERIOD="1s", dt="100ms", table="x DUTY | Q\n 3 50 | 1\n 1 nan | 0\n 9 nan | 0\n 5 50 | 1\n 5 50 | 0\n 1 inf | 0")


def test_a_late_scan_begins_a_new_period():
    scan(PWM, PERIOD="1s", table="dt DUTY | Q\n 100ms 50 | 1\n 5s 50 | 0\n 100ms 50 | 0")


def test_a_broken_duty_does_not_begin_a_new_pulse_each_time():
    """One NaN in the first pulse: Q stays off to the period's end, and what was lost is not made up for."""
    scan(
        PWM,
        PERIOD="1s",
        dt="100ms",
        table="""
        x DUTY | Q
        2 50   | 1
        1 nan  | 0
        7 50   | 0
        5 50   | 1     # the next period
        5 50   | 0
    """,
    )


def test_a_pulse_that_was_cut_short_is_followed_by_the_least_gap():
    """Cut at 800 ms of 1 s: 500 ms of gap are due, so the next period begins at 1.3 s."""
    scan(PWM, PERIOD="1s", MIN_OFF="500ms", dt="100ms", table="x DUTY | Q\n 8 100 | 1\n 1 nan | 0\n 4 100 | 0\n 9 100 | 1")


def test_a_duty_that_flickers_between_good_and_broken_switches_no_more_often_than_the_period():
    pwm = Compiled(PWM, PERIOD=S)
    states = []
    for i in range(1000):
        pwm.set(DUTY=20.0 if i % 2 else float("nan"))
        pwm.scan(10 * MS)
        states.append(pwm.get("Q"))
    assert np.count_nonzero(np.diff(states) > 0) <= 10
    assert np.mean(states) <= 0.2
