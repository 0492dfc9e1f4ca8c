"""PEAK_SHAVING: both limits of the grid connection, no wind-up, recovery without a new peak."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.peak_shaving import PEAK_SHAVING
from tests.aids.grid_connection import run_site
from tests.aids.scan_table import scan

SITE = {"IMPORT_LIMIT": 500.0, "EXPORT_LIMIT": 200.0, "P_MIN": -300.0, "P_MAX": 300.0}


def test_import_beyond_its_limit_discharges_and_export_beyond_its_limit_charges():
    """Import is positive at the meter, discharging is positive at the battery: the signs must not be mixed up."""
    scan(
        PEAK_SHAVING,
        **SITE,
        P_BATTERY=0.0,
        KP=1.0,
        TI=1e9,
        dt="1s",
        table="P_GRID | P STATE\n 600 | ~100.00 1\n -350 | ~-150.00 2\n 0 | ~0.00 0",
    )


def test_inside_the_limits_the_battery_comes_back_to_rest():
    course = run_site(PEAK_SHAVING, np.concatenate([np.full(300, 650.0), np.full(300, 400.0)]), SITE)
    assert course.grid[299] == pytest.approx(500.0, abs=1.0)
    assert course.battery[299] == pytest.approx(150.0, abs=1.0)
    assert course.battery[-1] == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("meter_delay", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("step", [650.0, -450.0])
def test_a_step_of_the_load_is_shaved_within_ten_seconds_without_hunting(step, meter_delay):
    load = np.concatenate([np.full(50, 100.0), np.full(400, step)])
    course = run_site(PEAK_SHAVING, load, SITE, meter_delay=meter_delay)
    limit = 500.0 if step > 0.0 else -200.0
    late = course.grid[150:]
    assert np.all(np.abs(late - limit) < 0.03 * abs(step - limit)), "within 3 % of the step after 10 s"
    over = np.max(np.sign(step) * (course.battery - course.battery[-1]))
    assert over < 0.2 * abs(step - limit), "no more than 20 % overshoot"


def test_the_integral_does_not_wind_up_while_the_battery_is_too_small():
    """An hour of 1,200 kW against 500 + 300; then 400 kW: the battery is at rest ten seconds later."""
    course = run_site(PEAK_SHAVING, np.concatenate([np.full(3600, 1200.0), np.full(100, 400.0)]), SITE)
    assert course.battery[3599] == pytest.approx(300.0)
    assert np.argmax(course.asked[3600:] < 300.0) <= 5
    assert abs(course.battery[-1]) < 10.0


def test_short_says_how_much_the_connection_is_overloaded():
    scan(PEAK_SHAVING, **SITE, P_BATTERY=300.0, dt="1s", table="P_GRID | SHORT\n 700 | 200\n 500 | 0\n -250 | 50\n 0 | 0")


def test_recovery_fills_the_valleys_and_makes_no_peak_of_its_own():
    load = np.concatenate([np.full(600, 300.0), np.full(600, 480.0), np.full(600, 100.0)])
    params = SITE | {"SOC_TARGET": 90.0, "P_RECOVERY": 250.0}
    course = run_site(PEAK_SHAVING, load, params, energy=1000.0)
    assert course.battery[590] == pytest.approx(-200.0, abs=1.0), "500 kW of import less 300 kW of load"
    assert course.battery[1190] == pytest.approx(-20.0, abs=1.0)
    assert course.battery[-1] == pytest.approx(-250.0, abs=1.0)
    assert np.max(course.grid[100:600]) < 505.0


def test_recovery_ends_softly_at_its_target():
    """Linear over the last 2 %: half of the power 1 % below."""
    scan(
        PEAK_SHAVING,
        **SITE,
        SOC_TARGET=80.0,
        P_RECOVERY=100.0,
        P_GRID=0.0,
        P_BATTERY=0.0,
        dt="1s",
        table="x SOC | P STATE\n 50 50 | ~-100.00 3\n 50 79 | ~-50.00 3\n 50 80 | ~0.00 0\n 50 90 | ~0.00 0",
    )


def test_what_is_no_number_sets_0_and_is_forgotten():
    scan(
        PEAK_SHAVING,
        **SITE,
        P_BATTERY=0.0,
        dt="1s",
        table="P_GRID | P STATE\n 600 | 100 1\n nan | 0 4\n inf | 0 4\n 600 | 100 1",
    )
    scan(
        PEAK_SHAVING,
        P_GRID=600.0,
        P_BATTERY=0.0,
        IMPORT_LIMIT=500.0,
        P_MIN=-1.0,
        dt="1s",
        table="P_MAX | P\n 50 | 50\n nan | 0\n 50 | 50",
    )


def test_recovery_is_no_larger_than_the_battery_and_says_so():
    small = {"IMPORT_LIMIT": 500.0, "P_MIN": -100.0, "P_MAX": 100.0, "SOC": 50.0, "SOC_TARGET": 90.0, "P_RECOVERY": 250.0}
    course = run_site(PEAK_SHAVING, np.full(300, 390.0), small)
    assert course.battery[-1] == pytest.approx(-100.0, abs=0.1), "490 kW at the meter: no room is missing"
    scan(PEAK_SHAVING, **small, P_GRID=450.0, P_BATTERY=-100.0, dt="1s", table="x P_MAX | P STATE\n 30 100 | ~-100.00 3")


def test_the_state_is_what_the_battery_does_and_why():
    """Charging is not shaving, though the import stands at its limit; discharging back to rest is not recovering."""
    filling = SITE | {"SOC": 50.0, "SOC_TARGET": 90.0, "P_RECOVERY": 250.0, "dt": "1s"}
    table = "x P_GRID | P STATE\n 30 100 | ~-250.0 3\n 1 500 | ~-250.0 3\n 1 560 | - 3"
    scan(PEAK_SHAVING, **filling, P_BATTERY=-200.0, table=table)
    after = """
        P_GRID P_BATTERY dt    | P    STATE SHORT
        560    0         1s    | 60   1     60
        500    60        1s    | 30   1     0
        300    60        100ms | -    5     0
        300    0         10s   | -    -     0
        300    0         1h    | ~0.0 0     0
    """
    scan(PEAK_SHAVING, **SITE, table=after)
    scan(
        PEAK_SHAVING,
        **SITE,
        P_BATTERY=0.0,
        dt="1s",
        table="P_GRID | P STATE SHORT\n 900 | 300 6 400\n 650 | 300 6 150\n -900 | -300 6 700",
    )
    scan(PEAK_SHAVING, IMPORT_LIMIT=500.0, P_MIN=-100.0, P_BATTERY=0.0, dt="1s", table="P_GRID P_MAX | P STATE\n 900 0 | 0 6")


def test_a_lost_state_of_charge_ends_the_recovery_and_not_the_shaving():
    for target in (0.0, 90.0):
        params = SITE | {"SOC_TARGET": target, "P_RECOVERY": 50.0, "P_BATTERY": 0.0, "P_GRID": 600.0}
        scan(PEAK_SHAVING, **params, dt="1s", table="SOC | P STATE\n 100 | 100 1\n nan | 150 1\n -inf | 200 1")
    scan(
        PEAK_SHAVING,
        **SITE,
        SOC_TARGET=90.0,
        P_RECOVERY=50.0,
        P_GRID=0.0,
        P_BATTERY=0.0,
        dt="1s",
        table="x SOC | P\n 9 nan | 0\n 9 -inf | 0",
    )


@pytest.mark.parametrize("gain", [1.0, 0.0, -1.0, 0.5, 2.0])
@pytest.mark.parametrize("load", [300.0, 100.0, -100.0])
def test_a_wrong_measurement_of_the_battery_does_not_run_away(gain, load):
    """Stuck at 0, with the wrong sign, or with the wrong ratio: after a peak the battery is at rest again."""
    loads = np.concatenate([np.full(300, 650.0), np.full(600, load)])
    course = run_site(PEAK_SHAVING, loads, SITE, battery_gain=gain)
    assert np.max(np.abs(course.battery)) < 300.0
    assert np.all(np.abs(course.battery[-300:]) < 1.0)


@pytest.mark.parametrize("stuck", [250.0, -250.0])
def test_a_measurement_that_is_stuck_high_neither_charges_for_import_nor_discharges_for_export(stuck):
    scan(PEAK_SHAVING, **SITE, P_BATTERY=stuck, dt="1s", table="x P_GRID | P\n 50 300 | 0\n 50 0 | 0\n 50 -100 | 0")


def test_a_battery_that_does_not_follow_is_an_alarm_after_ten_seconds():
    scan(
        PEAK_SHAVING,
        **SITE,
        P_GRID=700.0,
        dt="1s",
        table="x P_BATTERY | MISMATCH\n 5 0 | 0\n 1 300 | 0\n 9 0 | 0\n 1 0 | 1\n 9 -300 | 1\n 1 275 | 0",
    )
    course = run_site(PEAK_SHAVING, np.full(300, 650.0), SITE)
    assert abs(course.battery[-1] - 150.0) < 1.0
    closed = {"IMPORT_LIMIT": 500.0, "P_GRID": 100.0, "dt": "1s"}
    scan(PEAK_SHAVING, **closed, table="x P_BATTERY | MISMATCH\n 50 0.8 | 0\n 9 50 | 0\n 1 50 | 1")


@pytest.mark.parametrize(("meter", "battery"), [(1.0, 0.0), (0.0, 1.0), (0.3, 0.0)])
def test_meters_that_are_not_read_at_the_same_moment_do_not_make_it_hunt(meter, battery):
    load = np.concatenate([np.full(300, 650.0), np.full(300, 480.0)])
    course = run_site(PEAK_SHAVING, load, SITE, meter_delay=meter, battery_delay=battery)
    assert np.all(np.abs(course.grid[200:300] - 500.0) < 1.5)
    assert np.all(np.abs(course.battery[450:]) < 1.0)
