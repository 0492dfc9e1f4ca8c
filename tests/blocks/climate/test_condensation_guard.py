"""CONDENSATION_GUARD: the coolant stays above the dew point."""

from __future__ import annotations

import pytest

from blocks.climate.condensation_guard import CONDENSATION_GUARD
from tests.aids.scan_table import scan


def test_the_setpoint_never_falls_below_dew_point_and_margin():
    scan(
        CONDENSATION_GUARD,
        MARGIN=3.0,
        T_SURFACE=40.0,
        table="SP DEW | OUT LIMITED\n 18 10 | 18 0\n 18 15 | 18 0\n 18 15.5 | 18.5 1\n 18 25 | 28 1\n 18 -10 | 18 0",
    )


def test_a_surface_near_the_dew_point_alarms_after_the_delay():
    scan(
        CONDENSATION_GUARD,
        SP=18.0,
        DEW=15.0,
        NEAR=1.0,
        DELAY="20ms",
        table="T_SURFACE | ALARM\n 16.1 | 0\n 16 | 0\n 16 | 0\n 16 | 1\n 16.1 | 0\n 10 | 0\n 10 | 0\n 10 | 1",
    )


def test_an_unknown_dew_point_is_taken_for_high_and_alarms():
    scan(
        CONDENSATION_GUARD,
        T_SURFACE=40.0,
        SP_BLIND=24.0,
        DELAY="0s",
        table="SP DEW | OUT ALARM\n 18 10 | 18 0\n 18 nan | 24 1\n 30 nan | 30 1\n 18 inf | 24 1\n 18 10 | 18 0",
    )


def test_an_unknown_surface_alarms():
    scan(CONDENSATION_GUARD, SP=18.0, DEW=10.0, DELAY="0s", table="T_SURFACE | OUT ALARM\n nan | 18 1\n 18 | 18 0")


def test_without_a_setpoint_it_still_cools_as_far_as_is_allowed():
    scan(CONDENSATION_GUARD, T_SURFACE=40.0, table="SP DEW | OUT LIMITED\n nan 10 | 12 1\n nan nan | 25 1\n 18 10 | 18 0")


def test_a_dew_point_beyond_the_highest_setpoint_does_not_boil_the_battery_and_alarms():
    scan(
        CONDENSATION_GUARD,
        SP=18.0,
        T_SURFACE=70.0,
        SP_MAX=35.0,
        DELAY="0s",
        table="DEW | OUT LIMITED ALARM\n 10 | 18 0 0\n 33 | 35 1 0\n 33.1 | 35 1 1\n 60 | 35 1 1",
    )
    scan(CONDENSATION_GUARD, T_SURFACE=70.0, DEW=10.0, DELAY="0s", table="SP SP_MAX | OUT ALARM\n 50 40 | 40 0\n 50 nan | 40 1")


def test_without_a_margin_the_known_dew_point_still_counts():
    scan(
        CONDENSATION_GUARD,
        SP=18.0,
        T_SURFACE=50.0,
        DELAY="0s",
        table="DEW MARGIN | OUT ALARM\n 30 nan | 30 1\n 10 nan | 25 1\n 10 inf | 25 1\n 10 2 | 18 0",
    )


@pytest.mark.parametrize("pin", ["SP", "DEW", "T_SURFACE", "MARGIN", "NEAR", "SP_BLIND", "SP_MAX"])
@pytest.mark.parametrize("broken", ["nan", "inf", "-inf"])
def test_whatever_is_not_finite_alarms_and_leaves_a_setpoint(pin, broken):
    good = {"SP": "18", "DEW": "10", "T_SURFACE": "25", "MARGIN": "2", "NEAR": "1", "SP_BLIND": "25", "SP_MAX": "40"}
    bad = good | {pin: broken}
    out = {"SP": "12", "DEW": "25", "MARGIN": "25"}.get(pin, "18")
    scan(
        CONDENSATION_GUARD,
        DELAY="0s",
        table=f"{' '.join(good)} | OUT ALARM\n {' '.join(good.values())} | 18 0\n {' '.join(bad.values())} | {out} 1",
    )


def test_with_nothing_known_at_all_it_is_25_degrees():
    scan(CONDENSATION_GUARD, T_SURFACE=25.0, SP=18.0, SP_BLIND=float("nan"), DELAY="0s", table="DEW | OUT ALARM\n nan | 25 1")
