"""SEQUENCE_COMPONENTS against complex arithmetic, and against EPRI's OpenDER."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from blocks.arithmetic import cosine_of_turns, sine_of_turns, turns_of
from blocks.grid.sequence_components import SEQUENCE_COMPONENTS
from tests.aids.scan_table import Twin, scan
from tests.blocks.grid.opender_battery import battery, their_run


def components(magnitudes, angles) -> Twin:
    twin = Twin(SEQUENCE_COMPONENTS)
    twin.set("X", magnitudes)
    twin.set("PHASE", angles)
    twin.scan(1)
    return twin


def test_it_is_fortescues_matrix(deviation):
    chance = np.random.default_rng(5)
    a = cmath.exp(2j * math.pi / 3.0)
    matrix = np.array([[1, 1, 1], [1, a, a * a], [1, a * a, a]]) / 3.0
    worst, worst_angle = 0.0, 0.0
    for _ in range(300):
        x, phase = chance.uniform(0, 1, 3), chance.uniform(-400, 400, 3)
        zero, one, two = matrix @ (x * np.exp(1j * np.radians(phase)))
        twin = components(list(x), list(phase))
        for name, truth in (("X1", one), ("X2", two), ("X0", zero)):
            worst = max(worst, abs(float(twin.get(name)) - abs(truth)))
        turned = cmath.exp(1j * math.radians(float(twin.get("PHASE1")))) - one / abs(one)
        worst_angle = max(worst_angle, abs(turned) * abs(one))
    deviation("SEQUENCE_COMPONENTS", "numpy 2.4", "magnitudes", worst, 1e-14, "of 1")  # some roundings of numbers below 1
    deviation("SEQUENCE_COMPONENTS", "numpy 2.4", "angle times magnitude", worst_angle, 1e-14, "of 1")


def test_it_agrees_with_opender(deviation):
    der = battery()
    theta = [0.1, -2.0, 2.2]
    their_run(der, 0.01, [{"p_dem_kw": 10.0, "v_pu": [1.0, 0.9, 1.05], "theta": theta, "f": 60.0}])
    twin = components([1.0, 0.9, 1.05], [math.degrees(x) for x in theta])
    seen = der.der_input
    pairs = (("X1", seen.v_pos_pu), ("X2", seen.v_neg_pu), ("X0", seen.v_zero_pu))
    worst = max(abs(float(twin.get(name)) - abs(value)) for name, value in pairs)
    deviation("SEQUENCE_COMPONENTS", "opender 2.2", "magnitudes", worst, 1e-14, "pu")


def test_without_a_positive_sequence_the_unbalance_is_nothing_to_divide_by():
    scan(SEQUENCE_COMPONENTS, table="X | X1 UNBALANCE UNBALANCE0 BAD\n [0,0,0] | 0 0 0 0")


def test_a_dead_phase_is_shown_and_forgotten():
    scan(SEQUENCE_COMPONENTS, table="X | X1 UNBALANCE BAD\n [1,nan,1] | nan 0 1\n [1,1,1] | ~1.0000 ~0.00 0")


def test_the_sine_the_cosine_and_the_angle_are_within_their_bars(deviation):
    """The functions of arithmetic.py that this family needed: libm's differ between machines by a unit in the last place."""
    turns = np.random.default_rng(6).uniform(-3.0, 3.0, 20000)
    exact = np.longdouble("6.283185307179586476925") * turns.astype(np.longdouble)
    by_sine = max(abs(float(sine_of_turns(t) - e)) for t, e in zip(turns, np.sin(exact), strict=True))
    by_cosine = max(abs(float(cosine_of_turns(t) - e)) for t, e in zip(turns, np.cos(exact), strict=True))
    deviation("SEQUENCE_COMPONENTS", "numpy 2.4", "sine and cosine, extended precision", max(by_sine, by_cosine), 4e-16)
    points = np.random.default_rng(7).normal(0.0, 1.0, (20000, 2))
    angles = np.arctan2(points[:, 0].astype(np.longdouble), points[:, 1]) / np.longdouble("6.283185307179586476925")
    by_angle = max(abs(float(turns_of(y, x) - e)) for (y, x), e in zip(points, angles, strict=True))
    deviation("SEQUENCE_COMPONENTS", "numpy 2.4", "angle of a point, extended precision", by_angle, 1e-16, "turns")


@pytest.mark.parametrize(("y", "x", "turns"), [(0, 1, 0), (1, 0, 0.25), (0, -1, 0.5), (-1, 0, -0.25), (1, 1, 0.125), (0, 0, 0)])
def test_the_angle_is_exact_on_the_axes(y, x, turns):
    assert turns_of(np.float64(y), np.float64(x)) == turns
    assert sine_of_turns(np.float64(turns)) == pytest.approx(y / max(math.hypot(y, x), 1), abs=2e-16)


def test_a_reversed_rotation_is_called_so_and_its_unbalance_is_a_number_of_sense():
    scan(
        SEQUENCE_COMPONENTS,
        table="""
        X             PHASE        | UNBALANCE UNBALANCE0 REVERSED
        [230,230,230] [0,-120,120] | 0         0          0
        [230,230,230] [0,120,-120] | 1000      0          1
        [230,230,230] [9,9,9]      | 0         1000       0
        [0,0,0]       [0,0,0]      | 0         0          0
    """,
    )
