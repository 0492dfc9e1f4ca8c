"""UNBALANCE: triangles of phase-to-phase voltages, whose components complex arithmetic knows."""

from __future__ import annotations

import cmath
import math

import numpy as np

from blocks.grid.unbalance import UNBALANCE
from tests.aids.scan_table import Twin, scan


def test_it_is_the_negative_sequence_over_the_positive(deviation):
    """Random phase-to-neutral phasors, their three differences, and Fortescue's matrix.

    Near a balanced triangle the root of a rounding is left: 1e-8 of 1, 1e-6 %.
    """
    chance = np.random.default_rng(8)
    a = cmath.exp(2j * math.pi / 3.0)
    worst = 0.0
    for _ in range(200):
        angles = np.radians(np.array([0.0, -120.0, 120.0]) + chance.normal(0, 15, 3))
        v = chance.uniform(0.7, 1.2, 3) * np.exp(1j * angles)
        pairs = v - np.roll(v, -1)
        one, two = pairs @ [1, a, a * a], pairs @ [1, a * a, a]
        twin = Twin(UNBALANCE)
        twin.set("V", list(np.abs(pairs)))
        twin.scan(1)
        worst = max(worst, abs(float(twin.get("U2")) - 100.0 * min(abs(two / one), abs(one / two))))
    deviation("UNBALANCE", "numpy 2.4", "negative over positive sequence", worst, 1e-6, "%")


def test_the_deviation_from_the_mean_is_nemas():
    """NEMA MG 1's own example: 460, 467, 450 V: mean 459, greatest deviation 9 V, 1.96 %."""
    scan(UNBALANCE, table="V | DEVIATION LOST\n [460,467,450] | ~1.96 0\n [467,450,460] | ~1.96 0")


def test_high_waits_for_its_delay():
    scan(
        UNBALANCE,
        DELAY="30ms",
        table="x V | HIGH\n 2 [400,400,360] | 0\n 1 [400,400,400] | 0\n 2 [400,400,360] | 0\n 1 [400,400,360] | 1",
    )


def test_a_phase_below_half_of_the_highest_is_lost():
    scan(UNBALANCE, table="V | LOST\n [230,230,120] | 0\n [230,230,110] | 3\n [230,0,230] | 2\n [10,230,230] | 1")


def test_a_dead_voltage_counts_as_none_and_is_forgotten():
    scan(UNBALANCE, table="V | U2 LOST BAD\n [400,nan,400] | 100 2 1\n [400,400,inf] | 100 3 1\n [400,400,400] | 0 0 0")


def test_a_broken_limit_or_voltage_alarms_and_no_voltage_is_called_so():
    scan(UNBALANCE, DELAY="0s", LIMIT=float("nan"), table="V | HIGH\n [400,400,400] | 1")
    scan(
        UNBALANCE, DELAY="0s", table="V | U2 HIGH BAD DEAD\n [nan,nan,nan] | 0 1 1 1\n [0,0,0] | 0 0 0 1\n [400,400,400] | 0 0 0 0"
    )
