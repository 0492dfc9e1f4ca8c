"""SELF_CONSUMPTION: zero at the meter, within the battery's limits, without hunting."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.self_consumption import SELF_CONSUMPTION
from tests.aids.grid_connection import run_site
from tests.aids.scan_table import scan

WIDE = {"P_MIN": -500.0, "P_MAX": 500.0}


def test_import_discharges_and_export_charges():
    scan(
        SELF_CONSUMPTION,
        **WIDE,
        KP=0.5,
        TI=1e9,
        table="P_GRID SETPOINT | P\n 100 0 | ~50.00\n -100 0 | ~-50.00\n 100 100 | ~0.00\n 0 50 | ~-25.00",
    )


@pytest.mark.parametrize("meter_delay", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("load", [300.0, -300.0])
def test_the_meter_comes_to_its_setpoint_without_hunting(load, meter_delay):
    course = run_site(
        SELF_CONSUMPTION, np.concatenate([np.zeros(20), np.full(300, load)]), WIDE | {"SETPOINT": 5.0}, meter_delay=meter_delay
    )
    assert np.all(np.abs(course.grid[150:] - 5.0) < 0.03 * 300.0)
    assert np.max(np.abs(course.battery)) < 1.2 * 300.0
    assert course.grid[-1] == pytest.approx(5.0, abs=0.1)


def test_it_follows_pi_theory_on_an_ideal_site(deviation):
    """Grid = load - P at once and a fast scan: (1 + KP) P' = KP/TI (load - P), so the meter falls as
    exp(-t KP/(TI (1 + KP)))/(1 + KP).

    The meter is read one scan late, as a controller must; the bar is what a scan of 1 ms makes of a slope of 0.33/1.5 a second.
    """
    dt, kp, ti = 0.001, 0.5, 1.0
    course = run_site(SELF_CONSUMPTION, np.full(5000, 100.0), WIDE | {"KP": kp, "TI": ti}, dt=dt, lag=1e-9, meter_delay=0.0)
    t = np.arange(5000) * dt
    theory = 100.0 / (1.0 + kp) * np.exp(-t * kp / (ti * (1.0 + kp)))
    deviation(
        "SELF_CONSUMPTION",
        "PI theory",
        "decay of the meter's error",
        float(np.max(np.abs(course.grid - theory)[20:])),
        0.1,
        "% of step",
    )


def test_a_full_or_small_battery_does_not_wind_it_up():
    """Half an hour of surplus with charging closed; then a load: it discharges in the first scans."""
    load = np.concatenate([np.full(3000, -200.0), np.full(100, 100.0)])
    course = run_site(SELF_CONSUMPTION, load, {"P_MIN": 0.0, "P_MAX": 500.0})
    assert np.all(course.asked[:3000] == 0.0)
    assert course.asked[3005] > 40.0


def test_a_battery_that_runs_empty_stops_and_starts_again_with_the_sun():
    load = np.concatenate([np.full(600, 100.0), np.full(600, -100.0)])
    course = run_site(
        SELF_CONSUMPTION,
        load,
        {},
        energy=1.0,
        soc=60.0,
        limits=lambda soc: (-500.0 if soc < 100.0 else 0.0, 500.0 if soc > 0.0 else 0.0),
    )
    assert np.min(course.soc) > -2.0
    assert np.max(course.soc) < 102.0
    assert np.min(course.asked[600:]) < -90.0


def test_noise_within_the_deadband_does_not_move_the_battery():
    noise = np.random.default_rng(3).uniform(-2.0, 2.0, 500)
    quiet = run_site(SELF_CONSUMPTION, noise, WIDE | {"DEADBAND": 2.0})
    assert np.all(quiet.asked == 0.0)
    assert np.any(run_site(SELF_CONSUMPTION, noise, WIDE).asked != 0.0)


def test_it_sleeps_after_its_time_and_wakes_at_once():
    scan(
        SELF_CONSUMPTION,
        **WIDE,
        DEADBAND=1.0,
        SLEEP_AFTER="60s",
        dt="1s",
        table="x P_GRID | SLEEP\n 60 0.5 | 0\n 1 0.5 | 1\n 1 50 | 0\n 60 0.5 | 0",
    )


def test_a_dead_meter_sets_0_and_is_forgotten():
    scan(SELF_CONSUMPTION, **WIDE, dt="1s", table="P_GRID | P BAD\n 100 | 100 0\n nan | 0 1\n -inf | 0 1\n 100 | 100 0")
    scan(SELF_CONSUMPTION, P_GRID=100.0, P_MIN=-1.0, dt="1s", table="P_MAX | P LIMITED\n nan | 0 1\n 70 | 70 1")


def test_the_first_scan_has_not_waited_and_a_dead_meter_lets_nothing_sleep():
    scan(SELF_CONSUMPTION, **WIDE, SLEEP_AFTER="1s", dt="1s", table="P_GRID | SLEEP\n 0 | 0\n 0 | 1\n nan | 0\n 0 | 0\n 0 | 1")
    scan(SELF_CONSUMPTION, **WIDE, SLEEP_AFTER="10s", dt="1s", table="x P_GRID | SLEEP BAD\n 60 nan | 0 1\n 10 0 | 0 0\n 1 0 | 1 0")


def test_it_says_that_it_stands_at_a_limit_also_where_just_that_is_asked_for():
    """The integral stands at 100 kW, and the meter is at its setpoint. At rest with charging closed nothing is limited."""
    table = "x P_GRID | P LIMITED\n 3 200 | 100 1\n 1 0 | 100 1\n 1 -20 | 80 0"
    scan(SELF_CONSUMPTION, P_MIN=-100.0, P_MAX=100.0, dt="1s", table=table)
    scan(SELF_CONSUMPTION, P_MIN=0.0, P_MAX=100.0, dt="1s", table="P_GRID | P LIMITED\n 0 | 0 0\n -20 | 0 1\n 0 | 0 0")
