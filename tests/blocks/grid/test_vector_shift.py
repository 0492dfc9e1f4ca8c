"""VECTOR_SHIFT: steps of an angle."""

from __future__ import annotations

import pytest

from blocks.grid.vector_shift import VECTOR_SHIFT
from tests.aids.scan_table import Twin, scan


def test_a_step_beyond_the_limit_gives_a_pulse():
    scan(
        VECTOR_SHIFT,
        HOLD="20ms",
        table="PHASE | SHIFT TRIP\n 0 | 0 0\n 8 | 8 0\n 17 | 9 1\n 17 | 0 1\n 17 | 0 0\n 5 | -12 1",
    )


def test_the_seam_of_the_angle_is_no_step():
    scan(VECTOR_SHIFT, table="PHASE | SHIFT TRIP\n 179 | 0 0\n -179 | 2 0\n 179 | -2 0\n 539 | 0 0")


@pytest.mark.parametrize("hertz", [47.5, 49.9, 50.0, 51.5])
@pytest.mark.parametrize("dt", [10_000_000, 100_000_000, 1_000_000_000])
def test_a_frequency_that_is_off_lets_the_angle_drift_without_a_trip(hertz, dt):
    """Drift is 360 (F - F0) t; folded it jumps, the shift does not."""
    twin = Twin(VECTOR_SHIFT)
    twin.set("F", hertz)
    for i in range(60):
        twin.set("PHASE", (360.0 * (hertz - 50.0) * i * dt / 1e9 + 180.0) % 360.0 - 180.0)
        twin.scan(dt)
        assert abs(float(twin.get("SHIFT"))) < 1e-6
        assert not twin.get("TRIP")


def test_nothing_is_compared_across_a_gap():
    scan(
        VECTOR_SHIFT,
        table="""
        PHASE BLOCK | SHIFT TRIP BAD
        0     0     | 0     0    0
        nan   0     | 0     0    1
        90    0     | 0     0    0
        180   1     | 0     0    0
        0     0     | 0     0    0
        20    0     | 20    1    0
    """,
    )
