"""POWER_3PHASE against complex power."""

from __future__ import annotations

import numpy as np

from blocks.grid.power_3phase import POWER_3PHASE
from tests.aids.scan_table import Twin, scan


def test_it_is_the_sum_of_the_complex_powers(deviation):
    chance = np.random.default_rng(9)
    worst = 0.0
    for _ in range(300):
        v, i, phi = chance.uniform(0, 300, 3), chance.uniform(0, 500, 3), chance.uniform(-360, 360, 3)
        truth = np.sum(v * i * np.exp(1j * np.radians(phi))) / 1000.0
        twin = Twin(POWER_3PHASE)
        for name, value in {"V": v, "I": i, "PHI": phi}.items():
            twin.set(name, list(value))
        twin.scan(1)
        found = complex(twin.get("P"), twin.get("Q"))
        worst = max(worst, abs(found - truth), abs(float(twin.get("S")) - abs(truth)))
        assert twin.get("S_A") >= twin.get("S") * (1 - 1e-12)
    deviation("POWER_3PHASE", "numpy 2.4", "complex power", worst, 1e-12, "kVA of 450")  # 16 digits of 450 kVA, some roundings


def test_three_four_five_charging_and_discharging():
    """cos 36.8699 degrees is 0.8. A current against the voltage charges: P is negative, and so is PF."""
    scan(
        POWER_3PHASE,
        V=(100.0, 100.0, 100.0),
        I=(100.0, 100.0, 100.0),
        table="""
        PHI                                       | P        Q        S       PF
        [36.869898,36.869898,36.869898]           | ~24.0000 ~18.0000 ~30.000 ~0.80000
        [-36.869898,-36.869898,-36.869898]        | ~24.0000 ~-18.0000 ~30.000 ~0.80000
        [143.130102,143.130102,143.130102]        | ~-24.0000 ~18.0000 ~30.000 ~-0.80000
    """,
    )


def test_without_current_the_power_factor_is_one_and_a_dead_input_is_forgotten():
    scan(POWER_3PHASE, V=(1.0, 1.0, 1.0), table="I | P PF BAD\n [0,0,0] | 0 1 0\n [0,nan,0] | nan 0 1\n [1000,0,0] | 1 1 0")
