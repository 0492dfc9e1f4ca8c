"""CHARGE_ONLY: target, rate, the site's import limit, and commands that may be repeated."""

from __future__ import annotations

import numpy as np

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
    scan(CHARGE_ONLY, SOC=50.0, RATE=100.0, table="P_MIN | P\n nan | 0\n -20 | -20")
