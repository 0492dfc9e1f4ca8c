"""RATE_ALARM: how fast a value moves."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.rate_alarm import RATE_ALARM
from tests.aids.scan_table import Twin, scan


def test_a_fall_and_a_rise_have_their_own_limits():
    scan(
        RATE_ALARM,
        dt="1s",
        T=0.0,
        RISE=2.0,
        FALL=1.0,
        table="""
        IN | RATE RISING FALLING
        50 | 0    0      0        # the first value is no jump
        52 | 2    1      0
        53 | 1    0      0
        52 | -1   0      1
        52 | 0    0      0
    """,
    )


def test_it_goes_when_the_rate_is_back_by_the_hysteresis():
    scan(
        RATE_ALARM,
        dt="1s",
        T=0.0,
        RISE=2.0,
        FALL=2.0,
        HYSTERESIS=0.5,
        table="""
        IN   | RATE RISING FALLING
        0    | 0    0      0
        2    | 2    1      0
        3.75 | 1.75 1      0
        5    | 1.25 0      0
        3    | -2   0      1
        1.25 | -1.75 0     1
        0    | -1.25 0     0
    """,
    )


def test_it_must_last():
    scan(RATE_ALARM, dt="1s", T=0.0, RISE=1.0, DELAY="2s", table="IN | RISING\n 0 | 0\n 2 | 0\n 4 | 0\n 6 | 1\n 6 | 0\n 8 | 0")


@pytest.mark.parametrize("dt", [1_000_000, 10_000_000, 500_000_000])
def test_on_a_steady_ramp_it_finds_the_true_rate_whatever_the_interval(dt, deviation):
    """After 20 time constants the filter has settled: exp(-20) of 0.3 K/s is left, and settling() adds no error on a ramp."""
    twin = Twin(RATE_ALARM)
    twin.set("T", 2.0)
    for i in range(20 * 2_000_000_000 // dt):
        twin.set("IN", 25.0 + 0.3 * i * dt * 1e-9)
        twin.plain.scan(dt)
    deviation("RATE_ALARM", "a ramp of 0.3/s", f"dt {dt / 1e6:g} ms, after 20 T", abs(float(twin.get("RATE")) - 0.3), 1e-6, "1/s")


def test_noise_is_filtered():
    """White noise of 0.1 in 10 ms scans is a rate of 10 per second unfiltered; behind 10 s it stays below 0.5."""
    chance = np.random.default_rng(3)
    twin = Twin(RATE_ALARM)
    twin.set("T", 10.0)
    twin.set("RISE", 0.5)
    for _ in range(2000):
        twin.set("IN", 25.0 + 0.1 * chance.standard_normal())
        twin.plain.scan(10_000_000)
        assert not twin.get("RISING")


def test_a_dead_sensor_or_limit_alarms_and_the_return_elsewhere_is_no_jump():
    scan(
        RATE_ALARM,
        dt="1s",
        T=0.0,
        RISE=1.0,
        FALL=1.0,
        table="IN | RATE RISING FALLING\n 20 | 0 0 0\n nan | 0 1 1\n inf | 0 1 1\n 90 | 0 0 0\n 90.5 | 0.5 0 0",
    )
    scan(RATE_ALARM, IN=20.0, table="RISE FALL | RISING FALLING\n 1 1 | 0 0\n nan 1 | 1 0\n 1 nan | 0 1\n inf inf | 0 0")


@pytest.mark.parametrize("hysteresis", ["0.5", "9", "inf", "nan"])
def test_a_value_that_rests_is_no_alarm_however_wide_the_hysteresis(hysteresis):
    scan(
        RATE_ALARM,
        dt="1s",
        T=0.0,
        RISE=0.5,
        FALL=0.5,
        table=f"""
            IN HYSTERESIS | RISING FALLING
            20 {hysteresis} | 0 0
            30 {hysteresis} | 1 0
            30 {hysteresis} | 0 0
            20 {hysteresis} | 0 1
            20 {hysteresis} | 0 0
        """,
    )


def test_a_longer_delay_does_not_drop_an_alarm_that_stands():
    scan(
        RATE_ALARM,
        dt="1s",
        T=0.0,
        RISE=1.0,
        FALL=1.0,
        table="IN DELAY | RISING FALLING\n 0 0s | 0 0\n 2 0s | 1 0\n 4 1h | 1 0\n 2 0s | 0 1\n 0 1h | 0 1",
    )


def test_the_first_value_after_a_restart_is_no_jump():
    scan(
        RATE_ALARM,
        dt="1s",
        RISE=0.5,
        T=0.0,
        table="""
        IN RESTART | RATE RISING
        20 0       | 0    0
        20 1       | 0    0
        25 1       | 0    0         # it means nothing
        30 0       | 0    0         # the sensor is back
        31 0       | 1    1
        99 1       | 0    0
    """,
    )
