"""THERMAL_GRADIENT against the two-state model of Lin et al., solved by scipy: it sees the skin and the current only."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from blocks.cells.thermal_gradient import THERMAL_GRADIENT
from tests.aids.scan_table import Twin, scan

SECOND = 1_000_000_000
CELL = {"R_CELL": 0.01, "R_COND": 2.0, "C_CORE": 60.0}  # of the size of a 26650: Lin et al., 2014
R_AIR, C_SKIN, AIR = 3.0, 4.5, 25.0


def current(t: float) -> float:
    """A drive: 40 A for ten minutes, pauses, reversals."""
    return 40.0 if t < 600 else (0.0 if t < 900 else 30.0 * math.copysign(1.0, math.sin(t / 40.0)))


def test_it_follows_a_core_that_it_cannot_see(deviation):
    def model(t: float, x: np.ndarray) -> list[float]:
        core, skin = x
        inward = (skin - core) / CELL["R_COND"]
        return [
            (current(t) ** 2 * CELL["R_CELL"] + inward) / CELL["C_CORE"],
            ((AIR - skin) / R_AIR - inward) / C_SKIN,
        ]

    times = np.arange(0.0, 1800.0, 1.0)
    truth = solve_ivp(model, (0.0, 1800.0), [AIR, AIR], t_eval=times, max_step=0.5, rtol=1e-8).y
    twin = Twin(THERMAL_GRADIENT)
    for name, value in (CELL | {"LIMIT": 1000.0}).items():
        twin.set(name, value)
    worst = 0.0
    for i in range(1, len(times)):
        twin.set("T_SKIN", truth[1][i - 1])
        twin.set("I", current(times[i - 1]))
        twin.scan(SECOND)
        worst = max(worst, abs(twin.get("T_CORE") - truth[0][i]))
    # the skin is held for a second while it moves by up to 0.4 K/s, and half of that reaches the core later: under 0.1 K of 32 K
    deviation("THERMAL_GRADIENT", "scipy 1.17, two-state model", "core temperature", worst, 0.1, "K")


def test_a_steady_current_ends_at_its_heat_times_the_thermal_resistance():
    """20 A: 4 W through 2 K/W; the time constant is 120 s."""
    scan(
        THERMAL_GRADIENT,
        **CELL,
        LIMIT=10,
        T_SKIN=30,
        dt="1s",
        table="""
        x    I   | T_CORE GRADIENT OVER
        1    0   | 30     0        0
        120  20  | ~35.1  ~5.1     0       # 8 (1 - 1/e)
        1200 20  | ~38.0  ~8.0     0
        1200 -20 | ~38.0  ~8.0     0       # heat has no sign
    """,
    )


def test_it_trips_after_the_delay_and_stays():
    scan(
        THERMAL_GRADIENT,
        **CELL,
        LIMIT=5,
        T_SKIN=25,
        I=0,
        dt="1s",
        table="""
        x T_PROBE RESET | GRADIENT OVER TRIP
        1 30      0     | 5        0    0
        5 30.1    0     | 5.1      1    0
        1 30.1    0     | 5.1      1    1
        1 30.1    1     | 5.1      1    1
        1 29      1     | 4        0    1
        1 29      0     | 4        0    1
        1 29      1     | 4        0    0
        1 19      0     | -6       1    0      # a core that is colder
    """,
    )


@pytest.mark.parametrize("pin", ["T_SKIN", "I", "R_CELL", "R_COND", "C_CORE"])
def test_what_is_not_known_holds_the_estimate_and_trips(pin):
    good = {"T_SKIN": 30.0, "I": 20.0} | CELL
    twin = Twin(THERMAL_GRADIENT)
    for name, value in (good | {"LIMIT": 20.0}).items():
        twin.set(name, value)
    for _ in range(600):
        twin.scan(SECOND)
    before = twin.get("T_CORE")
    twin.set(pin, math.nan)
    for _ in range(6):
        assert not twin.get("TRIP")
        twin.scan(SECOND)
    assert twin.get("TRIP") and twin.get("HELD")
    assert twin.get("T_CORE") == before
    twin.set(pin, good[pin])
    twin.scan(SECOND)
    assert not twin.get("HELD") and not twin.get("OVER")
    assert twin.get("T_CORE") == pytest.approx(before, abs=0.1)


def test_a_limit_that_is_no_number_trips():
    scan(THERMAL_GRADIENT, **CELL, T_SKIN=25, I=0, DELAY="0s", table="LIMIT | OVER TRIP\n 5 | 0 0\n nan | 1 1")


def test_a_probe_that_dies_hands_over_to_the_estimate():
    scan(THERMAL_GRADIENT, **CELL, LIMIT=50, T_SKIN=25, I=0, dt="1s", table="T_PROBE | T_CORE\n 30 | 30\n nan | ~30\n nan | ~29.9")
