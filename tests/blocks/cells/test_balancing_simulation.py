"""What balancing does to cells: CELL_BALANCING and BALANCING_PRIORITY on 16 simulated LFP cells at the top of charge, for days.

The cells are this file's own: charge counted by the current, open-circuit voltage after Afshar et al. (arXiv 1709.03970, 2017)
against graphite after Chen et al. (J. Electrochem. Soc. 167 (2020) 080534, eq. 9), a bleeding current of V/R that also sags the
reading by the resistance of the sense wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from blocks.cells.balancing_priority import BALANCING_PRIORITY
from blocks.cells.cell_balancing import CELL_BALANCING
from blocks.declare import BlockType
from tests.aids.scan_table import SIGNATURE, Twin

CELLS, CAPACITY = 16, 280.0
R_BLEED, R_WIRE = 34.0, 0.2  # 100 mA at 3.4 V; 20 mV of sag, twice what it shall be balanced to
DT = 10.0


def lfp(z: np.ndarray) -> np.ndarray:
    y = 0.9 + (0.0038 - 0.9) * z
    x = 0.018899 + (0.811 - 0.018899) * z
    cathode = 3.4077 - 0.020269 * y + 0.5 * np.exp(-150 * y) - 0.9 * np.exp(-30 * (1 - y))
    anode = 1.9793 * np.exp(-39.3631 * x) + 0.2482 - 0.0909 * np.tanh(29.8538 * (x - 0.1234))
    return cathode - (anode - 0.04478 * np.tanh(14.9159 * (x - 0.2769)) - 0.0205 * np.tanh(30.4444 * (x - 0.6103)))


def charge_at(volts: np.ndarray) -> np.ndarray:
    z = np.linspace(0.9, 1.0, 100_001)
    return np.interp(volts, lfp(z), z)


@dataclass
class Result:
    spread: list[float] = field(default_factory=list)  # V at rest, each hour
    bled: float = 0.0  # Ah
    most: int = 0  # cells at a time


def compiled(block: BlockType, **inputs: object) -> Twin:
    twin = Twin(block, length=CELLS)
    for name, value in inputs.items():
        twin.set(name, value)
    return twin


def balance(hours: int, *, start: float, stop: float, enable: bool = True, pauses: bool = True, leak: float = 0.0) -> Result:
    """100 mV of spread around 3.5 V; `leak` is the self-discharge of the worst cell in A."""
    volts = np.linspace(3.45, 3.55, CELLS)[np.random.default_rng(5).permutation(CELLS)]
    z = charge_at(volts)
    leaks = np.linspace(0.0, leak, CELLS)
    wants = compiled(CELL_BALANCING, I=0.0, REST=0, START=start, STOP=stop, ENABLE=enable)
    picks = compiled(BALANCING_PRIORITY, MAX_CELLS=8, ON=50_000_000_000, PAUSE=10_000_000_000, SETTLE=5_000_000_000)
    bleed = np.zeros(CELLS, dtype=bool)
    result = Result()
    for i in range(int(hours * 3600 / DT)):
        rest = lfp(z)
        if i % int(3600 / DT) == 0:
            result.spread.append(float(rest.max() - rest.min()))
        read = rest - bleed * (rest / R_BLEED) * R_WIRE
        picks.columns["V"][:CELLS] = read
        wants.columns["V"][:CELLS] = picks.columns["V_REST"][:CELLS] if pauses and i else read
        for twin in (wants, picks):
            if twin is picks:
                picks.columns["WANT"][:CELLS] = wants.columns["BLEED"][:CELLS]
            SIGNATURE(twin.kernel.address)(twin._addresses.ctypes.data, 1, CELLS, int(DT * 1e9))
        switched = (picks if pauses else wants).columns["BLEED"][:CELLS]
        bleed = switched.astype(bool)
        current = bleed * rest / R_BLEED
        z = z - (current + leaks) * DT / 3600.0 / CAPACITY
        result.bled += float(current.sum()) * DT / 3600.0
        result.most = max(result.most, int(bleed.sum()))
    return result


def hours_until(result: Result, spread: float) -> int:
    return next(hour for hour, value in enumerate(result.spread) if value < spread)


@pytest.fixture(scope="module")
def balanced() -> Result:
    return balance(48, start=0.009, stop=0.005)


def test_a_spread_of_100_mv_is_under_10_mv_within_two_days(balanced, deviation):
    assert balanced.spread[0] == pytest.approx(0.1, abs=1e-3)
    deviation("CELL_BALANCING", "16 LFP cells", "spread after 48 h, from 100 mV", balanced.spread[-1] * 1000.0, 10.0, "mV")
    assert hours_until(balanced, 0.010) <= 24
    assert balanced.most == 8


def test_it_needs_about_the_hours_that_its_current_needs(balanced):
    """The charge above the lowest cell, by 8 bleeders of 100 mA that work five sixths of the time, is the least it can take."""
    z = charge_at(np.linspace(3.45, 3.55, CELLS))
    least = float((z - z.min()).sum()) * CAPACITY / (8 * 0.1 * 5.0 / 6.0)
    assert 0.5 * least < hours_until(balanced, 0.010) < 2.5 * least


def test_once_it_is_balanced_it_stops_bleeding(balanced):
    longer = balance(60, start=0.009, stop=0.005)
    assert longer.bled == pytest.approx(balanced.bled, rel=0.01)


def test_without_balancing_the_spread_stays_and_grows_with_self_discharge():
    assert balance(48, start=0.009, stop=0.005, enable=False).spread[-1] == pytest.approx(0.1, abs=1e-3)
    assert balance(48, start=0.009, stop=0.005, enable=False, leak=0.01).spread[-1] > 0.105


def test_it_holds_the_spread_against_self_discharge():
    """The worst cell loses 2 mA more than the best one: 1.4 Ah a month."""
    assert max(balance(72, start=0.009, stop=0.005, leak=0.002).spread[36:]) < 0.012


def test_what_start_leaves_is_left():
    """With the defaults (20 mV, 10 mV) a cell 15 mV above the lowest is never bled: under 20 mV, not under 10."""
    assert 0.010 < balance(48, start=0.02, stop=0.01).spread[-1] <= 0.02


def test_without_pauses_the_sag_of_the_wires_makes_it_slow_and_wastes_charge(balanced):
    """A bled cell reads 20 mV low: it seems to be the lowest, so the good ones are bled against it, turn by turn."""
    chattering = balance(48, start=0.009, stop=0.005, pauses=False)
    assert hours_until(chattering, 0.010) > 1.5 * hours_until(balanced, 0.010)
    assert chattering.bled > 2.0 * balanced.bled
