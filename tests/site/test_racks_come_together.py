"""Sixteen unequal racks under a day of dispatch, shared as programs/power.yaml shares: from 15 % apart to less than 1 %."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from blocks.grid.power_sharing import POWER_SHARING
from blocks.plain import Instance

ROOT = Path(__file__).resolve().parents[2]
RACKS, P_RACK, E_RACK = 16, 250.0, 514.0
MINUTE = 60_000_000_000


def settings_of_the_program() -> dict[str, float]:
    """What `sharing` in the program is set to, in the block's units."""
    text = (ROOT / "programs" / "power.yaml").read_text()
    found = re.search(r"  sharing:\n((?:    .*\n)+)", text)
    assert found
    lines = re.findall(r"    (T_GAIN|T_BYPASS|GAIN|METHOD): ([\d.]+)", found[1])
    return {name: float(value) for name, value in lines}


def dispatch(minute: int) -> float:
    """Eight blocks of three hours, up and down in turn, as fractions of all racks' power; an hour in the night stands still."""
    if minute < 60:
        return 0.0
    return (0.25, -0.3, 0.4, -0.2, 0.15, -0.45, 0.3, -0.15)[minute // 180] * RACKS * P_RACK


def test_sixteen_racks_come_together_in_a_day() -> None:
    random = np.random.default_rng(7)
    soc = np.linspace(42.5, 57.5, RACKS)
    random.shuffle(soc)
    energy = E_RACK * random.uniform(0.95, 1.0, RACKS)  # what they hold, and tell as their state of health
    sharing = Instance(POWER_SHARING, length=RACKS)
    sharing.AVAILABLE, sharing.ENERGY = [True] * RACKS, list(energy)
    sharing.T = [float(t) for t in random.uniform(23.0, 27.0, RACKS)]
    for name, value in settings_of_the_program().items():
        setattr(sharing, name, value)
    assert np.ptp(soc) == pytest.approx(15.0)
    for minute in range(24 * 60):
        low = np.where(soc < 95.0, -P_RACK, 0.0)
        high = np.where(soc > 5.0, P_RACK, 0.0)
        wanted = dispatch(minute)
        sharing.SOC, sharing.P_MIN, sharing.P_MAX, sharing.P = list(soc), list(low), list(high), wanted
        sharing.scan(MINUTE)
        parts = np.array(list(sharing.P_NODE))
        assert parts.sum() + sharing.UNMET == pytest.approx(wanted, abs=1e-6)
        assert (parts >= low).all() and (parts <= high).all()
        assert (parts * wanted >= 0.0).all()  # no rack charges another
        soc = soc - parts / energy * 100.0 / 60.0
    assert sharing.UNMET == 0.0
    assert np.ptp(soc) < 1.0
