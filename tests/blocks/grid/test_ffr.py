"""FFR: three options, the length of the support, deactivation, buffer, recovery and the next readiness."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.ffr import FFR
from tests.aids.fcr_criteria import answer, converter
from tests.aids.scan_table import scan

MW = {"CAPACITY": 1000.0}


@pytest.mark.parametrize(("option", "threshold", "seconds"), [(0, 49.7, 1.3), (1, 49.6, 1.0), (2, 49.5, 0.7)])
def test_the_options_activate_below_their_threshold_and_the_meter_sees_it_in_time(option, threshold, seconds, deviation):
    """A converter of 0.1 s dead time and 0.1 s lag gives 99 % after 0.56 s."""
    scan(FFR, **MW, OPTION=option, table=f"F | P\n 50 | 0\n {threshold} | 0\n {threshold - 0.001} | 1000")
    dt = 0.01
    f = np.where(np.arange(500) * dt < 1.0, 50.0, threshold - 0.01)
    p = converter(answer(FFR, f, dt, MW | {"OPTION": option}), dt, lag=0.1)
    deviation("FFR", "FFR activation times", f"99 % at {threshold} Hz", float(np.argmax(p >= 990.0)) * dt - 1.0, seconds, "s")


def test_the_support_lasts_5_seconds_before_a_slow_deactivation_and_30_before_a_fast_one():
    """20 % a second is the fastest that may follow 5 s."""
    scan(FFR, **MW, dt="1s", table="x F | P\n 1 49.6 | 1000\n 5 49.9 | 1000\n 1 49.9 | 800\n 3 49.9 | 200\n 1 49.9 | 0")
    scan(FFR, **MW, RATE=21.0, dt="1s", table="x F | P\n 1 49.6 | 1000\n 30 49.9 | 1000\n 1 49.9 | 790\n 4 49.9 | 0")
    scan(FFR, **MW, RATE=1000.0, dt="1s", table="x F | P\n 1 49.6 | 1000\n 30 49.9 | 1000\n 1 49.9 | 0")
    scan(FFR, **MW, RATE=10.0, dt="1s", table="x F | P\n 1 49.6 | 1000\n 5 49.9 | 1000\n 1 49.9 | 900")
    scan(FFR, **MW, SUPPORT="8s", dt="1s", table="x F | P\n 1 49.6 | 1000\n 8 49.9 | 1000\n 1 49.9 | 800")


def test_it_runs_its_cycle_whatever_the_frequency_does():
    scan(FFR, **MW, dt="1s", table="x F | P STATE\n 1 49.6 | 1000 1\n 3 50.2 | 1000 1\n 2 49.4 | 1000 2\n 1 49.4 | 800 2")


def test_the_deactivation_is_never_steeper_than_its_rate():
    dt = 0.05
    f = np.where(np.arange(1000) * dt < 1.0, 50.0, 49.6)
    p = answer(FFR, f, dt, MW)
    assert np.max(-np.diff(p)) <= 200.0 * dt * (1.0 + 1e-9)
    assert np.sum(p) * dt == pytest.approx(1000.0 * 7.5, rel=0.01)  # 5 s and half of the 5 s ramp


def test_it_charges_back_what_it_gave_after_the_buffer_and_never_faster_than_a_quarter():
    """25 % of the capacity for 30 s is 7.5 s of it."""
    scan(
        FFR,
        **MW,
        RECOVERY=60.0,
        dt="1s",
        table="""
        x  F    | P    STATE READY
        1  49.6 | 1000 1     0
        10 49.9 | 0    3     0
        9  49.9 | 0    3     0
        1  49.9 | -250 4     0
        1  49.8 | 0    4     0     # no charging against a low frequency
        29 49.9 | -250 4     0
        1  49.9 | 0    0     1
    """,
    )


def test_it_waits_for_the_frequency_to_come_back_but_is_ready_after_15_minutes():
    scan(
        FFR,
        **MW,
        dt="1s",
        table="""
        x   F    | P    STATE READY
        1   49.6 | 1000 1     0
        20  49.6 | 0    5     0     # no second shot into the same disturbance
        1   49.8 | 0    0     1
        1   49.6 | 1000 1     0
        899 49.6 | 0    5     0
        1   49.6 | 1000 1     0     # 15 min after the activation
    """,
    )


def test_disabled_it_does_not_activate_but_ends_what_it_has_begun():
    scan(FFR, **MW, dt="1s", table="F ENABLE | P READY\n 50 0 | 0 0\n 49 0 | 0 0\n 49 1 | 1000 0\n 49 0 | 1000 0")


def test_a_dead_frequency_activates_nothing_and_breaks_no_support():
    scan(FFR, **MW, dt="1s", table="x F | P READY\n 1 nan | 0 0\n 1 49 | 1000 0\n 4 nan | 1000 0\n 2 nan | 800 0\n 30 50 | 0 1")
    scan(FFR, F=49.0, dt="1s", table="CAPACITY | P\n nan | 0\n 1000 | 1000\n nan | 0\n 1000 | 1000")
