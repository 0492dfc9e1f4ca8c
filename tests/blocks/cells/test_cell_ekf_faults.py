"""CELL_EKF with sensors that are wrong: a dead or impossible voltage, an offset, a lost temperature."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.cells.cell_ekf import CELL_EKF
from tests.aids.scan_table import SIGNATURE, Twin, scan
from tests.blocks.cells.true_cells import GRID, estimates, lfp

SECOND, MS = 1_000_000_000, 1_000_000
CAPACITY, R0, R1, TAU = 280.0, 3e-4, 3e-4, 30.0
TABLE = lfp(GRID)
AT_60 = float(np.interp(0.6, GRID, TABLE))


def resting(soc: float, sigma: float) -> Twin:
    """A filter at rest that has converged to what is given."""
    twin = Twin(CELL_EKF)
    for name, value in {"OCV": TABLE, "SOC0": soc, "zz": (sigma / 100.0) ** 2, "I": 0.0}.items():
        twin.set(name, value)
    return twin


def run(twin: Twin, v: float, seconds: float, dt: int = SECOND) -> float:
    """Compiled only, since it is long; gives SOC."""
    twin.columns["V"][:] = v
    for _ in range(round(seconds * SECOND / dt)):
        SIGNATURE(twin.kernel.address)(twin._addresses.ctypes.data, 1, 0, dt)
    return float(twin.columns["SOC"][0])


@pytest.mark.parametrize("dt", [10 * MS, 100 * MS, SECOND])
@pytest.mark.parametrize("bad", [0.0, 0.5, 5.0, 65.535, -1.0])
@pytest.mark.parametrize("sigma", [0.1, 20.0])
def test_a_voltage_that_no_cell_has_is_not_seen_however_long_it_lasts(dt, bad, sigma):
    """Each dead wire reads 0 V: the charge is counted, and BLIND says so."""
    twin = resting(60.0, sigma)
    assert run(twin, bad, 100.0, dt) == pytest.approx(60.0, abs=1e-9)
    assert twin.columns["BLIND"][0] and not twin.columns["HELD"][0]
    run(twin, AT_60, 1.0, dt)
    assert not twin.columns["BLIND"][0]


def test_a_possible_voltage_that_cannot_be_true_is_refused_for_a_minute():
    """A stuck 3.0 V against 60 %, known within 0.5 %: nothing for 60 s. Then it is the filter that must be wrong."""
    twin = resting(60.0, 0.5)
    assert run(twin, 3.0, 59.0) == pytest.approx(60.0, abs=1e-9)
    assert twin.columns["BLIND"][0]
    run(twin, 3.0, 2.0)
    assert not twin.columns["BLIND"][0]


def test_a_filter_that_knows_little_refuses_for_5_seconds_only():
    """A wrong SOC0: 3.0 V, which is 11 %, against 60 +- 20 %."""
    twin = resting(60.0, 20.0)
    assert run(twin, 3.0, 4.0) == pytest.approx(60.0, abs=1e-9)
    assert run(twin, 3.0, 116.0) == pytest.approx(10.9, abs=0.3)


def test_a_good_voltage_in_between_starts_the_refusal_anew():
    twin = resting(60.0, 0.5)
    for _ in range(3):
        run(twin, 3.0, 55.0)
        assert twin.columns["BLIND"][0]
        run(twin, AT_60, 1.0)
        assert not twin.columns["BLIND"][0]
    assert run(twin, AT_60, 1.0) == pytest.approx(60.0, abs=0.1)


@pytest.mark.parametrize("bad", [0.0, 2.5, 5.0])
def test_a_sample_lost_now_and_then_costs_nothing(bad):
    """One of 97 is wrong, while the cell is cycled for six hours: as good as without."""
    chance = np.random.default_rng(0)
    z, u, error = 0.6, 0.0, []
    v, i, true = np.zeros(21600), np.zeros(21600), np.zeros(21600)
    for t in range(len(v)):
        i[t] = chance.choice([-140.0, 0.0, 140.0, 70.0, -70.0]) if t % 600 == 0 else i[t - 1]
        i[t] = -140.0 if z < 0.1 else (140.0 if z > 0.95 else i[t])
        z -= i[t] / 3600.0 / CAPACITY
        u += (1.0 - np.exp(-1.0 / TAU)) * (R1 * i[t] - u)
        v[t] = np.interp(z, GRID, TABLE) - u - R0 * i[t] + 1e-3 * chance.standard_normal()
        true[t] = 100.0 * z
    case = {"OCV": TABLE, "SOC0": 60.0}
    for voltages in (v, np.where(np.arange(len(v)) % 97 == 0, bad, v)):
        seen = estimates(CELL_EKF, [case], voltages, i, ["SOC"])["SOC"][:, 0]
        error.append(np.sqrt(np.mean((seen - true)[7200:] ** 2)))
    assert error[1] < error[0] + 0.3


@pytest.mark.parametrize("offset", [0.003, -0.003])
def test_on_the_plateau_a_constant_offset_does_not_draw_a_known_charge_away(offset):
    """3 mV are 12 % on LFP's plateau. A day of rest averages noise, but no offset: the charge is counted, and SIGMA says 1 %."""
    twin = resting(60.0, 1.0)
    assert run(twin, AT_60 + offset, 86400.0) == pytest.approx(60.0, abs=0.3)
    assert 0.9 < twin.columns["SIGMA"][0] < 2.0


@pytest.mark.parametrize("offset", [0.003, -0.003])
def test_sigma_does_not_claim_what_the_offset_leaves_open(offset):
    """From a doubt of 20 %: SOC goes where the voltage says, SIGMA stays at V_BIAS over the slope, and the error within 3 of it."""
    twin = resting(60.0, 20.0)
    soc = run(twin, AT_60 + offset, 86400.0)
    sigma = twin.columns["SIGMA"][0]
    at = min(int(soc / 5.0), 19)
    assert sigma > 100.0 * 0.002 / ((TABLE[at + 1] - TABLE[at]) * 20.0) * 0.5
    assert abs(soc - 60.0) < 3.0 * sigma


def test_without_a_bias_the_offset_is_averaged_as_noise():
    """What V_BIAS is against: the same day with V_BIAS = 0."""
    twin = resting(60.0, 1.0)
    twin.set("V_BIAS", 0.0)
    assert abs(run(twin, AT_60 - 0.003, 86400.0) - 60.0) > 3.0 * twin.columns["SIGMA"][0]


@pytest.mark.parametrize("lost", [np.nan, np.inf, -327.68, 3276.7])
def test_without_a_temperature_the_last_one_counts(lost):
    """At -10 °C under C/2 the resistance is five times that at 25 °C: forgetting it would be a third of the charge."""
    cold = 30300.0 / 8.314462618 * (1.0 / 263.15 - 1.0 / 298.15)
    warmth = 1.0 + cold + 0.5 * cold * cold
    z, u = 0.6, 0.0
    twin = resting(60.0, 2.0)
    for name, value in {"I": 140.0, "T": -10.0}.items():
        twin.set(name, value)
    for t in range(900):
        z -= 140.0 / CAPACITY / 3600.0
        u += (1.0 - np.exp(-1.0 / TAU)) * (R1 * warmth * 140.0 - u)
        if t == 600:
            twin.columns["T"][:] = lost
        run(twin, float(np.interp(z, GRID, TABLE)) - u - R0 * warmth * 140.0, 1.0)
    assert float(twin.columns["SOC"][0]) == pytest.approx(100.0 * z, abs=1.0)


def test_a_temperature_that_nobody_ever_knew_counts_as_25_degrees():
    """100 A through 1 mOhm: the voltage that is expected at once, from 3.2660 V at 55 %."""
    for celsius, drop in ((np.nan, 0.1), (25.0, 0.1), (-np.inf, 0.1)):
        twin = Twin(CELL_EKF)
        for name, value in {"V": 3.2, "I": 100.0, "T": celsius, "SOC0": 55.0, "R0": 1e-3, "R1": 0.0}.items():
            twin.set(name, value)
        twin.scan(MS)
        assert 3.2660 - (3.2 - float(twin.get("INNOVATION"))) == pytest.approx(drop, abs=2e-4)


def test_blind_says_whenever_the_voltage_corrects_nothing():
    scan(
        CELL_EKF,
        dt="1s",
        SOC0=50.0,
        table="""
        V    I   | BLIND HELD INNOVATION
        3.26 0   | 0     0    -
        nan  0   | 1     0    0
        inf  0   | 1     0    0
        0    0   | 1     0    -
        3.26 nan | 1     1    0
        3.26 0   | 0     0    -
    """,
    )


def test_a_bias_that_is_no_number_freezes_it():
    scan(CELL_EKF, V=3.25, I=10.0, dt="1s", table="V_BIAS | HELD BLIND\n 0.005 | 0 0\n nan | 1 1\n 0.005 | 0 0")
