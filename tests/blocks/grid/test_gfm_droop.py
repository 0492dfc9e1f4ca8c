"""GFM_DROOP: the droops, and two converters that share a load without a wire."""

from __future__ import annotations

import pytest

from blocks.grid.gfm_droop import GFM_DROOP
from tests.aids.scan_table import Twin, scan

RATED = {"P_RATED": 100.0, "Q_RATED": 50.0}


def test_power_lowers_the_frequency_and_reactive_power_the_voltage():
    scan(
        GFM_DROOP,
        **RATED,
        table="""
        P  Q  P_SET Q_SET | F     U
        0  0  0     0     | 50    400
        50 0  0     0     | 49.75 400
        50 0  50    0     | 50    400
        0  50 0     0     | 50    384
        0  50 0     50    | 50    400
    """,
    )


def test_frequency_and_voltage_stay_in_their_limits():
    scan(GFM_DROOP, **RATED, KF=0.1, KU=0.5, table="P Q | F U\n 1000 1000 | 47.5 360\n -1000 -1000 | 51.5 440")


def test_two_converters_with_equal_droops_share_in_proportion_to_their_ratings(deviation):
    """One frequency in the island: power moves to the one whose frequency is higher until both are equal; 90 kW on 100 and 200 kW.

    The bar is what the loop has left after 20 s: it forgets by 1/e in far less than a second.
    """
    small, large = Twin(GFM_DROOP), Twin(GFM_DROOP)
    for twin, rated in ((small, 100.0), (large, 200.0)):
        for name, value in {"P_RATED": rated, "Q_RATED": 50.0, "T": 0.05, "Q": 0.0}.items():
            twin.set(name, value)
    part = 90.0
    for _ in range(2000):
        small.set("P", part)
        large.set("P", 90.0 - part)
        small.scan(10_000_000)
        large.scan(10_000_000)
        part += 20.0 * (float(small.get("F")) - float(large.get("F")))  # the angle between them grows with the difference
    deviation("GFM_DROOP", "Chandorkar 1993", "share of two converters", abs(part - 30.0), 1e-3, "kW")
    assert small.get("F") == pytest.approx(50.0 - 0.01 * 50.0 * 0.3, abs=1e-6)


def test_the_filter_starts_at_the_first_measurement_and_follows_in_true_time():
    scan(GFM_DROOP, **RATED, T=1.0, Q=0.0, table="dt P x | F\n 10ms 100 1 | 49.5\n 10ms 0 100 | ~49.82\n 1s 0 60 | ~50.000")


def test_a_broken_sensor_holds_the_island_where_it_is():
    scan(GFM_DROOP, **RATED, Q=0.0, table="P | F HELD\n 50 | 49.75 0\n nan | 49.75 1\n inf | 49.75 1\n 20 | 49.9 0")
    scan(GFM_DROOP, P=0.0, Q=0.0, Q_RATED=50.0, table="P_RATED | F HELD\n nan | 50 1\n 100 | 50 0")


def test_before_the_first_measurement_it_commands_what_the_island_has():
    scan(GFM_DROOP, **RATED, F0=60.0, U0=480.0, table="P Q | F U HELD\n nan nan | 60 480 1\n nan 0 | 60 480 1\n 100 0 | 59.4 480 0")


def test_each_axis_is_held_alone():
    scan(
        GFM_DROOP,
        **RATED,
        table="P Q | F U HELD\n 50 25 | 49.75 392 0\n 100 nan | 49.5 392 1\n nan 0 | 49.5 400 1\n 0 0 | 50 400 0",
    )


def test_a_held_value_obeys_its_limits_too():
    scan(GFM_DROOP, **RATED, table="P Q F_MAX U_MAX | F U HELD\n -50 -25 0 0 | 50.25 408 0\n nan nan 50.1 402 | 50.1 402 1")


def test_the_limits_follow_the_nominal_values_unless_they_are_set():
    """0.95 .. 1.03 of 60 Hz and 0.9 .. 1.1 of 480 V."""
    island = RATED | {"F0": 60.0, "U0": 480.0, "KF": 0.1, "KU": 0.5}
    scan(GFM_DROOP, **island, table="P Q | F U\n 1000 1000 | 57 432\n -1000 -1000 | 61.8 528")
    scan(GFM_DROOP, **island, F_MAX=60.5, U_MIN=470.0, table="P Q | F U\n 1000 1000 | 57 470\n -1000 -1000 | 60.5 528")
