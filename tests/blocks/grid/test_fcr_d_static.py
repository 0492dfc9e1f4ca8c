"""FCR_D_STATIC: activation as the dynamic one, and a release after 60 s without a break."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.fcr_d_static import FCR_D_STATIC
from runtime.prequalify import sequences_fcr as products
from tests.aids.reserve_plants import answer, converter, swinging
from tests.aids.scan_table import scan

MW = {"CAPACITY": 1000.0}


def test_it_activates_at_once_and_keeps_the_most_it_gave():
    scan(FCR_D_STATIC, **MW, table="F | P\n 50 | 0\n 49.8 | 250\n 49.6 | 750\n 49.85 | 750\n 49.5 | 1000\n 48 | 1000\n 49.9 | 1000")


def test_downwards_it_charges():
    scan(FCR_D_STATIC, **MW, DIRECTION=1, table="F | P\n 50 | 0\n 49 | 0\n 50.3 | -500\n 50.15 | -500")


@pytest.mark.parametrize("dt", ["10ms", "1s"])
def test_it_lets_go_after_60_seconds_above_49_9_without_a_break(dt):
    """The time starts in the scan that sees the band; exactly 49.9 Hz is not above it, and one scan below starts it anew."""
    scans = 60_000 // {"10ms": 10, "1s": 1000}[dt]
    scan(
        FCR_D_STATIC,
        **MW,
        dt=dt,
        table=f"""
        x         F     | P    READY
        1         49.5  | 1000 1
        {scans}   49.95 | 1000 1
        1         49.9  | 1000 1
        {scans}   49.95 | 1000 1
        1         49.95 | 0    1
    """,
    )


def test_it_rests_and_is_ready_again_after_15_minutes_at_most():
    scan(
        FCR_D_STATIC,
        **MW,
        REST="15min",
        dt="1s",
        table="""
        x   F  | P    READY
        1   49 | 1000 1
        61  50 | 0    0
        899 49 | 0    0
        1   49 | 1000 1
    """,
    )
    scan(FCR_D_STATIC, **MW, REST="10h", dt="1s", table="x F | P\n 1 49 | 1000\n 61 50 | 0\n 900 49 | 1000")


def test_a_hold_shorter_than_60_seconds_is_60_seconds():
    scan(FCR_D_STATIC, **MW, HOLD="1s", dt="1s", table="x F | P\n 1 49 | 1000\n 60 50 | 1000\n 1 50 | 0")


def test_a_dead_frequency_activates_nothing_and_does_not_keep_the_power_for_ever():
    scan(
        FCR_D_STATIC,
        **MW,
        dt="1s",
        table="""
        x  F   | P    READY BAD
        1  nan | 0    0     1
        1  49  | 1000 1     0
        60 nan | 1000 0     1
        1  nan | 0    0     1
        1  49  | 1000 1     0
    """,
    )


def test_in_the_ramp_test_the_plant_stays_within_1_2_of_the_steady_power_and_2_5_s(deviation):
    """Static FCR-D: |dP| <= 1.2 dP_ss, delay <= 2.5 s; a converter of 0.1 s and 0.3 s lags a ramp by 0.4 s."""
    dt, test = 0.02, products.ramp_test(products.FCR_D_UP)
    t, f = test.times(dt), test.frequency(dt)
    asked = answer(FCR_D_STATIC, f, dt, MW)

    def most(p: np.ndarray) -> float:
        steady = np.mean(p[(t >= test.marks["steady"] - 60.0) & (t < test.marks["steady"])])
        return float(np.max(np.abs(p)) / steady)

    lively = swinging(asked, dt, omega=4.0, damping=0.6)  # overshoots by exp(-pi 0.6 / 0.8) = 9.5 %
    deviation("FCR_D_STATIC", "Nordic FCR v1.1 static", "|dP| over dP_ss", most(lively), 1.2)
    assert most(swinging(asked, dt)) > 1.2, "a plant that swings must fail the criterion"
    given, first = converter(asked, dt), t < test.marks["nadir, table"]
    delay = float(t[np.argmax(first & (given >= 900.0))] - t[np.argmax(first & (f <= 49.54))])
    deviation("FCR_D_STATIC", "Nordic FCR v1.1 static", "delay to 90 %", delay, 2.5, "s")
    assert np.all(asked[(t >= 34.0) & (t < 810.0)] == 1000.0), "49.9 Hz itself is never 60 s above 49.9 Hz"


def test_a_dead_meter_is_no_grid_at_0_hz():
    """One scan of the tag's default, 0 Hz, would latch full power for a minute."""
    scan(FCR_D_STATIC, **MW, table="F | P READY BAD\n 0 | 0 0 1\n 50 | 0 1 0\n 39.9 | 0 0 1\n 49.7 | 500 1 0")
    scan(FCR_D_STATIC, **MW, DIRECTION=1, table="F | P BAD\n 6553.5 | 0 1\n 60.1 | 0 1\n 50.3 | -500 0")
    scan(FCR_D_STATIC, **MW, dt="1s", table="x F | P\n 1 49.5 | 1000\n 60 0 | 1000\n 1 0 | 0")


def test_another_direction_ends_the_activation_and_never_turns_it_round():
    scan(
        FCR_D_STATIC,
        **MW,
        dt="1s",
        table="""
        x  F     DIRECTION | P     READY
        1  49.5  0         | 1000  1
        30 50    0         | 1000  1
        1  50    1         | 0     1
        1  50    0         | 0     1
        1  50.3  1         | -500  1
        60 50    1         | -500  1     # the time in the band began anew
        1  50    1         | 0     1
    """,
    )


def test_a_capacity_that_is_no_number_gives_0_and_releases_nothing():
    lost = "x F CAPACITY | P READY\n 1 49.5 1000 | 1000 1\n 70 49.5 nan | 0 0\n 1 49.5 1000 | 1000 1"
    scan(FCR_D_STATIC, REST="15min", dt="1s", table=lost)


def test_a_restart_begins_no_activation_that_is_hours_old():
    assert all(FCR_D_STATIC.pin(name).volatile for name in ("SHARE", "calm", "was_calm"))
