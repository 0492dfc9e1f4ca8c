"""THERMAL_RUNAWAY: the criteria of GB 38031 (1 K/s for 3 s, and a voltage drop of 25 % or the highest temperature)."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.cells.thermal_runaway import THERMAL_RUNAWAY
from tests.aids.scan_table import Twin, scan

MS = 1_000_000


def heat(rate: float, seconds: float, v_end: float = 3.3, start: float = 25.0, dt: int = 100, **params: float) -> Twin:
    twin = Twin(THERMAL_RUNAWAY)
    for name, value in ({"T": start, "V": 3.3} | params).items():
        twin.set(name, value)
    twin.scan(dt * MS)
    scans = round(seconds * 1000 / dt)
    for i in range(1, scans + 1):
        twin.set("T", start + rate * i * dt / 1000.0)
        twin.set("V", 3.3 if i < scans // 2 else v_end)
        twin.scan(dt * MS)
    return twin


@pytest.mark.parametrize("dt", [10, 100, 500])
def test_heat_and_a_voltage_drop_are_a_runaway(dt):
    twin = heat(2.0, 8.0, v_end=2.4, dt=dt)
    assert twin.get("RUNAWAY")
    assert twin.get("RATE") == pytest.approx(2.0, rel=0.05)


def test_heat_beyond_the_highest_temperature_is_a_runaway():
    assert heat(2.0, 20.0).get("RUNAWAY")
    assert not heat(2.0, 10.0).get("RUNAWAY")  # 45 °C, 3.3 V: a warning
    assert heat(2.0, 10.0).get("WARNING")


def test_a_drop_or_the_temperature_without_the_heating_is_none():
    assert not heat(0.5, 20.0, v_end=2.0).get("RUNAWAY")
    assert heat(0.5, 20.0, v_end=2.0).get("WARNING")
    assert not heat(0.9, 100.0).get("RUNAWAY")


def test_the_heating_must_last():
    scan(
        THERMAL_RUNAWAY,
        TAU=0,
        dt="1s",
        V=2.0,
        T_MAX=20,
        table="""
        T  | RATE RUNAWAY
        25 | 0    0
        26 | 1    0
        27 | 1    0
        28 | 1    0
        28 | 0    0      # two seconds, and one is taken off again
        29 | 1    0
        30 | 1    0
        31 | 1    1
    """,
    )


def test_a_sensor_that_burns_during_the_rise_counts_against_the_cell():
    scan(
        THERMAL_RUNAWAY,
        TAU=0,
        dt="1s",
        V=3.3,
        table="""
        x T   | RATE WARNING RUNAWAY
        1 25  | 0    0       0
        1 27  | 2    0       0
        2 nan | 0    1       0
        1 nan | 0    1       1
    """,
    )


def test_a_sensor_that_was_dead_all_the_time_only_warns():
    scan(THERMAL_RUNAWAY, dt="1s", table="x T V | WARNING RUNAWAY\n 60 nan 3.3 | 1 0\n 60 25 nan | 1 0\n 2 25 3.3 | 0 0")


def test_a_voltage_that_fell_before_the_heat_came_is_still_a_drop():
    """An internal short: 3.3 V to 2.2 V, and an hour later the heat. What the drop is measured from must not follow it."""
    twin = Twin(THERMAL_RUNAWAY)
    twin.set("T", 25.0)
    twin.set("V", 3.3)
    for _ in range(600):
        twin.scan(1000 * MS)
    twin.set("V", 2.2)
    for _ in range(3600):
        twin.scan(1000 * MS)
    assert twin.get("WARNING") and not twin.get("RUNAWAY")
    for i in range(10):
        twin.set("T", 25.0 + 2.0 * i)
        twin.scan(1000 * MS)
    assert twin.get("RUNAWAY")


def test_a_normal_discharge_to_empty_is_no_drop():
    """From 3.3 V to 2.5 V in two hours."""
    twin = Twin(THERMAL_RUNAWAY)
    twin.set("T", 25.0)
    for i in range(7200):
        twin.set("V", 3.3 - 0.8 * i / 7200)
        twin.scan(1000 * MS)
    assert not twin.get("WARNING")


def test_it_stays_until_a_reset_with_nothing_left():
    twin = heat(3.0, 15.0)
    assert twin.get("RUNAWAY")
    for temperature, reset, left in ((70.0, True, True), (70.0, False, True), (25.0, False, True), (25.0, True, False)):
        twin.set("T", temperature)
        twin.set("RESET", reset)
        twin.scan(1000 * MS)
        assert twin.get("RUNAWAY") == left


@pytest.mark.parametrize("update", [100, 1000])
@pytest.mark.parametrize("step", [0.1, 0.5, 1.0])
def test_a_sensor_of_coarse_steps_hides_no_heating(step, update):
    """1.3 K/s, in steps of up to 1 K and a telegram up to each second: the filtered rate ripples, and is above 1 K/s on average."""
    twin = Twin(THERMAL_RUNAWAY)
    for t in range(0, 20_000, 50):
        told = t // update * update
        twin.set("T", np.floor((30.0 + 1.3 * told / 1000.0) / step) * step)
        twin.set("V", 3.3 if t < 3000 else 0.5)
        twin.scan(50 * MS)
    assert twin.get("RUNAWAY")


def test_noise_does_not_hide_a_heating_of_1_3_k_a_second():
    chance, twin = np.random.default_rng(1), Twin(THERMAL_RUNAWAY)
    for t in range(400):
        twin.set("T", 30.0 + 0.13 * t + 0.2 * chance.standard_normal())
        twin.set("V", 3.3 if t < 20 else 0.5)
        twin.scan(100 * MS)
    assert twin.get("RUNAWAY")


@pytest.mark.parametrize("dt", [10, 100, 1000])
@pytest.mark.parametrize(("before", "after"), [(52.0, 62.0), (25.0, 90.0)])
def test_one_step_of_the_temperature_is_no_rise(before, after, dt):
    """A telegram after a pause, a changed sensor: hot, but nothing has heated up at 1 K/s."""
    chance, twin = np.random.default_rng(1), Twin(THERMAL_RUNAWAY)
    twin.set("V", 3.3)
    for t in range(0, 30_000, dt):
        twin.set("T", (before if t < 10_000 else after) + 0.05 * chance.standard_normal())
        twin.scan(dt * MS)
        assert not twin.get("RUNAWAY")
