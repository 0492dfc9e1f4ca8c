"""NEM: thresholds, hysteresis, the mean of 300 one-second samples, and the band in which it may act."""

from __future__ import annotations

import pytest

from blocks.grid.nem import NEM
from tests.aids.scan_table import scan

SECOND = {"dt": "1s", "F": 50.0, "CAPACITY": 1000.0, "ENERGY": 2000.0}  # one hour each way


def test_fcr_n_switches_at_30_and_57_5_minutes_of_energy():
    """C m / 60 / E: 25 % and 47.917 %, and mirrored 75 % and 52.083 %."""
    scan(
        NEM,
        **SECOND,
        table="""
        SOC   | ALLOWED
        50    | 0
        25.01 | 0
        24.99 | -1
        47.91 | -1
        47.92 | 0
        26    | 0
        74.99 | 0
        75.01 | 1
        52.09 | 1
        52.08 | 0
    """,
    )


def test_fcr_d_switches_at_20_minutes_both_ways_and_in_one_direction_only():
    """20/60 * 1000 / 2000 = 16.667 %; a reservoir that sells upwards only shall be full, so it never discharges."""
    scan(NEM, **SECOND, PRODUCT=1, table="SOC | ALLOWED\n 16.7 | 0\n 16.6 | -1\n 16.7 | 0\n 99 | 0")
    scan(NEM, **SECOND, PRODUCT=2, table="SOC | ALLOWED\n 83.3 | 0\n 83.4 | 1\n 83.3 | 0\n 1 | 0")
    scan(NEM, **SECOND, PRODUCT=2, SOC=99.0, table="x PRODUCT | NEM P\n 150 2 | 0.5 100\n 150 2 | 1 200")


@pytest.mark.parametrize(("product", "share"), [(0, 340), (1, 200)])
def test_the_power_comes_and_goes_in_five_minutes(product, share):
    scan(
        NEM,
        **SECOND,
        PRODUCT=product,
        table=f"""
        x   SOC | NEM  P
        30  10  | -0.1 {-0.1 * share}
        270 10  | -1   {-share}
        300 10  | -1   {-share}
        150 50  | -0.5 {-0.5 * share}
        150 50  | 0    0
    """,
    )


def test_a_frequency_outside_the_band_lets_it_fade_and_the_upper_threshold_is_forgotten():
    """At 40 % it goes on charging in the band, but does not begin again after the frequency was outside; the edges are outside."""
    scan(
        NEM,
        CAPACITY=1000.0,
        ENERGY=2000.0,
        dt="1s",
        table="""
        x   F     SOC | ALLOWED NEM
        300 50    20  | -1      -1
        1   49.91 40  | -1      -1
        150 49.9  40  | 0       -0.5
        1   50    40  | 0       -
        1   50    20  | -1      -
        1   50.1  20  | 0       -
    """,
    )


def test_samples_are_taken_once_a_second_whatever_the_interval():
    scan(
        NEM,
        F=50.0,
        CAPACITY=1000.0,
        ENERGY=2000.0,
        SOC=10.0,
        table="""
        dt    x   | NEM
        10ms  1   | ~-0.00333      # the first scan is the first sample
        10ms  99  | ~-0.00333
        10ms  1   | ~-0.00667
        300ms 4   | ~-0.01
        1s    10  | ~-0.0433
        7s    1   | ~-0.0667       # a scan that is late by seconds counts for them
    """,
    )


def test_a_reservoir_that_is_too_small_for_both_thresholds_does_nothing():
    """With half an hour of energy every state of charge is below 100 % and above 0 %."""
    scan(NEM, F=50.0, CAPACITY=1000.0, ENERGY=500.0, dt="1s", table="SOC | ALLOWED\n 50 | 0\n 10 | 0")
    scan(NEM, F=50.0, CAPACITY=1000.0, dt="1s", SOC=10.0, table="ENERGY | ALLOWED\n 0 | 0\n 2000 | -1\n nan | 0")


def test_what_is_no_number_asks_for_nothing_and_is_forgotten():
    scan(NEM, **SECOND, table="SOC | ALLOWED\n 10 | -1\n nan | 0\n inf | 0\n -inf | 0\n 10 | -1")
    scan(NEM, CAPACITY=1000.0, ENERGY=2000.0, SOC=10.0, dt="1s", table="F | ALLOWED\n 50 | -1\n nan | 0\n 50 | -1")
    scan(NEM, F=50.0, ENERGY=2000.0, SOC=10.0, dt="1s", table="CAPACITY | P\n 1000 | ~-1.13\n nan | 0\n 1000 | ~-2.27")


def test_another_product_begins_anew():
    """A full discharge of FCR-D downwards must not become that of FCR-D upwards, which never discharges."""
    scan(NEM, **SECOND, SOC=99.0, table="x PRODUCT | ALLOWED NEM P\n 300 2 | 1 1 200\n 1 1 | 0 0 0\n 99 1 | 0 0 0")
