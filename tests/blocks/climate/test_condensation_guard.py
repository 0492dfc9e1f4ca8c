"""CONDENSATION_GUARD: the coolant stays above the dew point."""

from __future__ import annotations

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
