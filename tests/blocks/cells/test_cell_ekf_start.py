"""CELL_EKF at its start and in the cold: how far a voltage may talk it out of what it was told, and how resistances grow."""

from __future__ import annotations

import pytest

from blocks.cells.cell_ekf import CELL_EKF
from tests.aids.scan_table import Twin

SECOND = 1_000_000_000
AT_60 = CELL_EKF.pin("OCV").default[12]  # V, on the plateau


def run(pin: str, **given: float) -> float:
    """What a pin shows after a minute at rest or under a steady current, from 60 %."""
    twin = Twin(CELL_EKF)
    for name, value in {"SOC0": 60.0, "R1": 0.0, "V_BIAS": 0.0, **given}.items():
        twin.set(name, value)
    for _ in range(60):
        twin.scan(SECOND)
    return float(twin.get(pin))


def test_a_charge_that_was_known_well_is_not_talked_away_on_the_plateau() -> None:
    """3 mV are 12 % on LFP's plateau; a variance of a sixteenth takes about a sixteenth of the step."""
    unsure, sure = (run("SOC", V=AT_60 + 0.003, I=0.0, SIGMA0=sigma) - 60.0 for sigma in (20.0, 5.0))
    assert 0.0 < sure < unsure / 4


@pytest.mark.parametrize(("celsius", "growth"), [(25.0, 1.0), (5.0, 1.35), (-5.0, 1.57)])
def test_resistances_grow_as_the_data_sheet_says(celsius: float, growth: float) -> None:
    """exp(1240 K (1/T - 1/298.15 K)) is 1.35 at 5 °C and 1.59 at -5 °C: with it 1 mOhm at 25 °C is what is found."""
    given = {"V": AT_60 - 100.0 * 0.001 * growth, "I": 100.0, "T": celsius, "R0": 0.001, "CAPACITY": 1e5, "SIGMA0": 5.0}
    assert run("R_SCALE", COLD=1240.0, **given) == pytest.approx(1.0, abs=0.01)
    assert celsius == 25.0 or run("R_SCALE", **given) < 0.9  # 3644 K, of another cell
