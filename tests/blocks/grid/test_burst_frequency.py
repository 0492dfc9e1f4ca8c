"""BURST_FREQUENCY: waves whose frequency, angle and size are known."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.burst_frequency import BURST_FREQUENCY
from tests.aids.scan_table import Twin, scan
from tests.blocks.grid.opender_battery import our_run

OUTPUTS = ("F", "PHASE", "RMS", "OK")


def bursts(nominal: float, rate: float, periods: int, count: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Waves of 300 V within 3 Hz of nominal with 5 % of each harmonic from 2 to 13 and an offset; frequencies and angles."""
    chance = np.random.default_rng(14)
    t = np.arange(round(periods * rate / nominal)) / rate
    f, phase = chance.uniform(nominal - 3.0, nominal + 3.0, count), chance.uniform(-180.0, 180.0, count)
    x = 5.0 + 300.0 * np.cos(2 * np.pi * f[:, None] * t + np.radians(phase)[:, None])
    for order in range(2, 14):
        x += 15.0 * np.cos(2 * np.pi * order * f[:, None] * t + chance.uniform(0, 6.3, count)[:, None])
    return x, f, phase


@pytest.mark.parametrize("nominal", [50.0, 60.0])
@pytest.mark.parametrize("rate", [5000.0, 12800.0])
@pytest.mark.parametrize(("periods", "bar"), [(5, 2e-3), (10, 1e-4), (50, 1e-6)])
def test_frequency_angle_and_size_with_harmonics(nominal, rate, periods, bar, deviation):
    """The bar is the accuracy that the docstring claims for five and ten periods, and what fifty must gain."""
    x, f, phase = bursts(nominal, rate, periods)
    seen = our_run(BURST_FREQUENCY, {"FS": rate, "F0": nominal}, 0.1, {"X": x}, OUTPUTS, length=x.shape[1])
    assert np.all(seen["OK"])
    what = f"{periods} periods of {nominal:g} Hz at {rate:g} Hz, 5 % harmonics"
    deviation("BURST_FREQUENCY", "exact wave", what, np.max(np.abs(seen["F"] - f)), bar, "Hz")
    turned = (seen["PHASE"] - phase + 180.0) % 360.0 - 180.0
    assert np.max(np.abs(turned)) < 30.0 * bar
    assert np.max(np.abs(seen["RMS"] - 300.0 / np.sqrt(2.0))) < 100.0 * bar


def test_noise_and_a_window_that_is_no_whole_number_of_samples_do_not_matter_much():
    """1 % of noise on 0.2 s: the Cramer-Rao bound at this signal-to-noise ratio is 0.5 mHz; below ten times that."""
    t = np.arange(2000) / 10_000.0
    chance = np.random.default_rng(15)
    x = np.array([300.0 * np.cos(2 * np.pi * 49.87 * t + k) + chance.normal(0.0, 3.0, 2000) for k in range(50)])
    f = our_run(BURST_FREQUENCY, {"FS": 10_000.0}, 0.1, {"X": x}, "F", length=2000)
    assert np.max(np.abs(f - 49.87)) < 5e-3


def test_an_island_that_runs_away_is_followed_to_a_quarter_of_nominal():
    t = np.arange(2000) / 10_000.0
    x = np.array([np.cos(2 * np.pi * f * t) for f in (40.0, 45.0, 55.0, 60.0)])
    seen = our_run(BURST_FREQUENCY, {"FS": 10_000.0}, 0.1, {"X": x}, OUTPUTS, length=2000)
    assert np.all(seen["OK"])
    assert seen["F"] == pytest.approx([40.0, 45.0, 55.0, 60.0], abs=1e-4)


@pytest.mark.parametrize("case", ["nothing", "a NaN", "too small", "too short", "direct voltage"])
def test_what_cannot_be_measured_is_not_and_is_forgotten(case):
    good = np.cos(2 * np.pi * np.arange(60) / 8.0)
    bad = {
        "nothing": np.zeros(60),
        "a NaN": np.where(np.arange(60) == 7, np.nan, good),
        "too small": 0.01 * good,
        "too short": good,
        "direct voltage": np.full(60, 3.0),
    }[case]
    twin = Twin(BURST_FREQUENCY, None, 60)
    for name, value in {"FS": 400.0, "LEAST": 0.1, "X": list(bad), "F0": 10.0 if case == "too short" else 50.0}.items():
        twin.set(name, value)
    twin.scan(1)
    assert [twin.get(name) for name in OUTPUTS] == [0.0, 0.0, 0.0, False]
    twin.set("X", list(good))
    twin.set("F0", 50.0)
    twin.scan(1)
    assert twin.get("OK")
    assert twin.get("F") == pytest.approx(50.0, abs=1e-9)


def test_a_rate_that_is_too_low_is_refused():
    scan(BURST_FREQUENCY, FS=90.0, table="X | F OK\n [1,-1,1,-1,1,-1,1,-1,1,-1,1,-1,1,-1,1,-1] | 0 0")


@pytest.mark.parametrize("hertz", [0, 5, 10, 15, 20, 30, 66, 75, 90, 100, 110, 150, 1000])
def test_a_tone_that_is_no_frequency_of_the_grid_has_none(hertz):
    t = np.arange(2000) / 10_000.0
    x = np.array([3.0 + 300.0 * np.cos(2 * np.pi * hertz * t + angle) for angle in np.linspace(0.0, 6.0, 13)])
    seen = our_run(BURST_FREQUENCY, {"FS": 10_000.0}, 0.1, {"X": x}, OUTPUTS, length=2000)
    assert not np.any(seen["OK"])
    assert not np.any(seen["F"])


def test_noise_and_direct_voltage_have_no_frequency():
    """Of white noise the fundamental's window of 1000 samples holds 1.7/sqrt(1000) = 5 %, never 30 %."""
    x = np.random.default_rng(16).normal(0.0, 10.0, (200, 2000))
    x[0] = 325.0
    x[1] = -1e-3
    seen = our_run(BURST_FREQUENCY, {"FS": 10_000.0}, 0.1, {"X": x}, "OK", length=2000)
    assert not np.any(seen)


def test_a_fundamental_among_greater_tones_may_be_asked_for():
    t = np.arange(2000) / 10_000.0
    x = list(np.cos(2 * np.pi * 50.0 * t) + 5.0 * np.cos(2 * np.pi * 150.0 * t))
    for pure, ok in ((0.3, False), (0.1, True)):
        twin = Twin(BURST_FREQUENCY, None, 2000)
        for name, value in {"FS": 10_000.0, "PURE": pure, "X": x}.items():
            twin.set(name, value)
        twin.scan(1)
        assert twin.get("OK") == ok
