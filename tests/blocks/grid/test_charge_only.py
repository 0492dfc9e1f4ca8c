"""CHARGE_ONLY: target, rate, the site's import limit, and commands that may be repeated."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.charge_only import CHARGE_ONLY
from tests.aids.grid_connection import run_site
from tests.aids.scan_table import scan

FAST = {"RATE": 100.0, "P_MIN": -300.0}


def test_it_charges_with_its_rate_to_the_target_and_again_below_the_gap():
    scan(
        CHARGE_ONLY,
        **FAST,
        SOC_TARGET=80.0,
        GAP=2.0,
        table="SOC | P DONE\n 20 | -100 0\n 79.9 | -100 0\n 80 | 0 1\n 95 | 0 1\n 78.1 | 0 1\n 77.9 | -100 0",
    )


def test_the_other_loads_come_first():
    """Import 250 allowed; with 50 kW of own charging in 220 kW at the meter the loads are 170: 80 kW are left."""
    scan(
        CHARGE_ONLY,
        **FAST,
        SOC=50.0,
        IMPORT_LIMIT=250.0,
        SOFT=0.0,
        table="P_GRID P_BATTERY | P ACTIVE\n 100 0 | -100 0\n 220 -50 | -80 2\n 400 0 | 0 2\n -500 -100 | -100 0",
    )


def test_it_never_discharges_even_against_an_overload():
    scan(CHARGE_ONLY, **FAST, SOC=50.0, IMPORT_LIMIT=100.0, P_GRID=900.0, table="P_BATTERY | P\n 0 | 0\n 300 | 0")


def test_only_the_increase_is_limited_in_true_time():
    scan(
        CHARGE_ONLY,
        RATE=100.0,
        SOC=50.0,
        RISE=10.0,
        table="dt x P_MIN | P\n 100ms 1 -300 | -1\n 10ms 10 -300 | -2\n 1s 20 -300 | -100\n 1s 1 -40 | -40\n 1s 1 -300 | -50",
    )


def test_a_start_that_is_repeated_changes_nothing_and_a_stop_is_at_once():
    scan(
        CHARGE_ONLY,
        **FAST,
        SOC=50.0,
        RISE=50.0,
        dt="1s",
        table="ENABLE | P ACTIVE\n 1 | -50 4\n 1 | -100 0\n 1 | -100 0\n 0 | 0 5\n 1 | -50 4",
    )


def test_a_site_with_late_meters_stays_below_its_import_limit():
    """Loads step by 60 kW every 20 s; beyond the second that the meter and the converter need, the import stays below 250 kW."""
    load = np.repeat([100.0, 160.0, 220.0, 160.0, 280.0, 100.0], 200)
    course = run_site(CHARGE_ONLY, load, FAST | {"IMPORT_LIMIT": 250.0, "RISE": 20.0})
    settled = np.arange(len(load)) % 200 >= 20
    free = load < 250.0
    assert np.max(course.grid[settled & free]) < 251.0
    assert np.all(course.battery <= 0.0)
    assert course.battery[1190] < -90.0


def test_what_is_no_number_stops_and_is_forgotten():
    scan(CHARGE_ONLY, **FAST, table="SOC | P ACTIVE\n 50 | -100 0\n nan | 0 6\n 50 | -100 0")
    scan(CHARGE_ONLY, **FAST, SOC=50.0, table="P_GRID | P\n nan | 0\n inf | 0\n 0 | -100")
    scan(CHARGE_ONLY, SOC=50.0, RATE=100.0, table="P_MIN | P ACTIVE\n nan | 0 6\n -20 | -20 3")


@pytest.mark.parametrize("name", ["IMPORT_LIMIT", "RISE", "SOFT", "RATE", "SOC_TARGET", "GAP"])
def test_no_parameter_that_is_no_number_lets_it_charge(name):
    good = float(CHARGE_ONLY.pin(name).default) if not CHARGE_ONLY.pin(name).required else 100.0
    rest = {key: value for key, value in FAST.items() if key != name}
    scan(CHARGE_ONLY, **rest, SOC=50.0, P_GRID=-500.0, table=f"{name} | P ACTIVE\n {good} | -100 0\n nan | 0 6\n {good} | -100 0")


def test_a_target_that_was_reached_is_not_forgotten_with_one_lost_value():
    scan(CHARGE_ONLY, **FAST, SOC_TARGET=80.0, table="SOC | P DONE ACTIVE\n 80 | 0 1 1\n nan | 0 1 6\n 79 | 0 1 1\n 77 | -100 0 0")


def test_towards_the_import_limit_it_rises_with_its_lag_and_falls_at_once():
    """1 - exp(-1) of 80 kW in the lag; the filter's own error is a thousandth in steps of a tenth of it."""
    params = FAST | {"SOC": 50.0, "IMPORT_LIMIT": 250.0, "SOFT": 2.0, "P_BATTERY": 0.0}
    scan(CHARGE_ONLY, **params, table="dt x P_GRID | P ACTIVE\n 10ms 200 170 | ~-50.6 2\n 10ms 1 240 | -10 2\n 10ms 1 900 | 0 2")


@pytest.mark.parametrize("rise", [1e9, 20.0])
@pytest.mark.parametrize(("meter", "battery"), [(0.3, 0.3), (1.0, 0.0), (1.0, 0.3), (0.0, 1.0), (0.3, 0.0)])
def test_meters_that_are_not_read_at_the_same_moment_do_not_make_it_hunt(meter, battery, rise):
    """200 kW of loads under a limit of 250: 50 kW are left, whatever the two delays are."""
    params = FAST | {"IMPORT_LIMIT": 250.0, "RISE": rise}
    course = run_site(CHARGE_ONLY, np.full(1200, 200.0), params, meter_delay=meter, battery_delay=battery)
    assert np.all(np.abs(course.battery[400:] + 50.0) < 0.5)
    assert np.max(course.grid) < 260.0
