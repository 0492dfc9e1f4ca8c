"""CELL_EKF against an independent cell: an exact RC circuit on published half-cell potentials, with noisy sensors."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import pytest

from blocks.cells.cell_ekf import CELL_EKF, LFP
from tests.aids.scan_table import SIGNATURE, Twin, scan

CAPACITY, R0, R1, TAU = 280.0, 0.0003, 0.0003, 30.0
SECOND = 1_000_000_000


def graphite(x: np.ndarray) -> np.ndarray:
    """Chen et al., J. Electrochem. Soc. 167 (2020) 080534, eq. 9."""
    return (
        1.9793 * np.exp(-39.3631 * x)
        + 0.2482
        - 0.0909 * np.tanh(29.8538 * (x - 0.1234))
        - 0.04478 * np.tanh(14.9159 * (x - 0.2769))
        - 0.0205 * np.tanh(30.4444 * (x - 0.6103))
    )


def lfp(z: np.ndarray) -> np.ndarray:
    """Afshar et al., arXiv 1709.03970 (2017), against graphite; 2.0 V to 3.6 V."""
    y = 0.9 + (0.0038 - 0.9) * z
    cathode = 3.4077 - 0.020269 * y + 0.5 * np.exp(-150 * y) - 0.9 * np.exp(-30 * (1 - y))
    return cathode - graphite(0.018899 + (0.811 - 0.018899) * z)


def nmc(z: np.ndarray) -> np.ndarray:
    """The LG M50 of Chen et al. 2020, eq. 8 against eq. 9."""
    y = 0.9077 + (0.2661 - 0.9077) * z
    cathode = (
        -0.8090 * y
        + 4.4875
        - 0.0428 * np.tanh(18.5138 * (y - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (y - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (y - 0.3120))
    )
    return cathode - graphite(0.0279 + (0.9106 - 0.0279) * z)


CHEMISTRIES = {"LFP": lfp, "NMC": nmc}


def drive(ocv: Callable[[np.ndarray], np.ndarray], hours: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth: charge, measured voltage and measured current each second, cycling at up to 0.5C between 12 and 93 % from 60 %."""
    chance = np.random.default_rng(1)
    scans = int(hours * 3600)
    charge, rc, direction, level = 0.6, 0.0, 1.0, 0.0
    decay = np.exp(-1.0 / TAU)
    z, i, u = np.zeros(scans), np.zeros(scans), np.zeros(scans)
    for t in range(scans):
        if t % 60 == 0:
            level = chance.choice([0.0, 0.25, 0.5, 0.75, 1.0]) + 0.2 * chance.standard_normal()
        direction = -1.0 if charge < 0.12 else (1.0 if charge > 0.93 else direction)
        i[t] = direction * 0.5 * CAPACITY * level
        charge -= i[t] / (3600.0 * CAPACITY)
        rc = decay * rc + (1.0 - decay) * R1 * i[t]
        z[t], u[t] = charge, rc
    v = ocv(z) - u - R0 * i
    return z, np.round(v + 1e-3 * chance.standard_normal(scans), 3), np.round(i + 0.2 * chance.standard_normal(scans), 1)


def estimates(cases: list[dict[str, float]], table: np.ndarray, v: np.ndarray, i: np.ndarray) -> dict[str, np.ndarray]:
    """SOC, SIGMA, R_SCALE and SOH of every scan, one column a case: one cell each, as rows of one compiled call."""
    twin = Twin(CELL_EKF)
    rows = len(cases)
    columns = {}
    for pin in CELL_EKF.pins:
        values = [case.get(pin.name, table if pin.name == "OCV" else twin.get(pin.name)) for case in cases]
        columns[pin.name] = np.array(values, dtype=twin.columns[pin.name].dtype).reshape(-1)
    addresses = (ctypes.c_void_p * len(columns))(*[column.ctypes.data for column in columns.values()])
    call = SIGNATURE(twin.kernel.address)
    seen = {name: np.zeros((len(v), rows)) for name in ("SOC", "SIGMA", "R_SCALE", "SOH")}
    for t in range(len(v)):
        columns["V"][:] = v[t]
        columns["I"][:] = i[t]
        call(ctypes.addressof(addresses), rows, 0, SECOND)
        for name, values in seen.items():
            values[t] = columns[name]
    return seen


def wrong_by(resistance: float, capacity: float) -> dict[str, float]:
    return {"SOC0": 50.0, "CAPACITY": CAPACITY * capacity, "R0": R0 * resistance, "R1": R1 * resistance, "TAU": TAU}


CASES = {
    "right parameters": wrong_by(1, 1),
    "both 10 % high": wrong_by(1.1, 1.1),
    "both 10 % low": wrong_by(0.9, 0.9),
    "R high, Q low": wrong_by(1.1, 0.9),
    "R low, Q high": wrong_by(0.9, 1.1),
}


@pytest.mark.parametrize("chemistry", CHEMISTRIES)
def test_from_a_10_percent_error_it_stays_below_1_percent_with_wrong_parameters_too(chemistry):
    """RMSE over eight hours after the first two, which LFP needs to reach a bend of its curve."""
    ocv = CHEMISTRIES[chemistry]
    z, v, i = drive(ocv, 10.0)
    seen = estimates(list(CASES.values()), ocv(np.linspace(0.0, 1.0, 21)), v, i)
    error = seen["SOC"] - 100.0 * z[:, None]
    assert abs(error[0, 0] + 10.0) < 2.0, "the test must start with the error that it names"
    rmse = dict(zip(CASES, np.sqrt(np.mean(error[7200:] ** 2, axis=0)), strict=True))
    assert all(value < 1.0 for value in rmse.values()), rmse
    assert np.max(np.abs(error[7200:])) < 2.0
    found = {
        name: (seen["R_SCALE"][-1, k] * case["R0"] / R0, seen["SOH"][-1, k] * case["CAPACITY"] / CAPACITY / 100.0)
        for k, (name, case) in enumerate(CASES.items())
    }
    for name, (resistance, capacity) in found.items():
        assert resistance == pytest.approx(1.0, abs=0.05), name
        assert capacity == pytest.approx(1.0, abs=0.03), name


def test_it_is_better_than_counting_and_than_reading_the_voltage():
    """The simple ways on the same data: counting keeps its 10 % error, the open-circuit table is lost on LFP's plateau."""
    z, v, i = drive(lfp, 4.0)
    table = lfp(np.linspace(0.0, 1.0, 21))
    counted = 50.0 - 100.0 * np.cumsum(i) / (3600.0 * CAPACITY)
    read = 100.0 * np.interp(v + (R0 + R1) * i, np.sort(table), np.linspace(0.0, 1.0, 21))
    ours = estimates([wrong_by(1, 1)], table, v, i)["SOC"][:, 0]

    def rmse(estimate: np.ndarray) -> float:
        return float(np.sqrt(np.mean((estimate[7200:] - 100.0 * z[7200:]) ** 2)))

    assert rmse(ours) < 0.2 * min(rmse(counted), rmse(read))


def test_the_default_table_is_the_published_lfp_cell():
    assert lfp(np.linspace(0.0, 1.0, 21)) == pytest.approx(np.array(LFP), abs=1e-4)


@pytest.mark.parametrize("start", [8.0, 15.0, 50.0, 90.0])
@pytest.mark.parametrize("dt", [10_000_000, 100_000_000, SECOND])
def test_whatever_the_start_and_the_interval_a_voltage_at_rest_is_read_from_the_table(dt, start):
    """3.0 V at rest; the way there crosses the plateau, where one great step of the filter would land anywhere."""
    twin = Twin(CELL_EKF)
    twin.set("V", 3.0)
    twin.set("SOC0", start)
    for _ in range(120 * SECOND // dt):
        SIGNATURE(twin.kernel.address)(twin._addresses.ctypes.data, 1, 0, dt)
    read = np.interp(3.0, LFP, np.linspace(0.0, 100.0, 21))
    assert twin.columns["SOC"][0] == pytest.approx(read, abs=0.3)
    assert twin.columns["SIGMA"][0] == pytest.approx(0.11, rel=0.3)


@pytest.mark.parametrize(("celsius", "factor"), [(0.0, 3.06), (10.0, 1.91), (25.0, 1.0), (45.0, 0.464)])
def test_resistance_follows_the_temperature(celsius, factor):
    """exp(30300/R (1/T - 1/298.15)): the voltage that the filter expects at once under 100 A, from 3.2659 V at 55 %."""
    twin = Twin(CELL_EKF)
    for name, value in {"V": 3.2, "I": 100.0, "T": celsius, "SOC0": 55.0, "R0": 1e-3, "R1": 0.0}.items():
        twin.set(name, value)
    twin.scan(1_000_000)
    expected = 3.2 - float(twin.get("INNOVATION"))
    assert (3.2660 - expected) / 0.1 == pytest.approx(factor, rel=0.12)


def test_a_temperature_that_nobody_knows_counts_as_25_degrees():
    scan(CELL_EKF, V=3.25, I=50.0, dt="1s", table="T | HELD\n nan | 0\n -inf | 0\n 20 | 0")


def test_a_dead_voltage_leaves_counting_and_the_doubt_grows():
    """280 A for 36 s from a 280 Ah cell are one percent."""
    scan(
        CELL_EKF,
        I=280.0,
        SOC0=50.0,
        dt="1s",
        table="""
        x  V   | SOC    INNOVATION HELD
        1  nan | ~49.97 0          0
        35 nan | 49     0          0
    """,
    )
    twin = Twin(CELL_EKF)
    twin.set("V", np.nan)
    twin.scan(SECOND)
    doubt = twin.get("SIGMA")
    twin.scan(SECOND)
    assert twin.get("SIGMA") > doubt


@pytest.mark.parametrize("pin", ["I", "CAPACITY", "R0", "R1"])
def test_a_dead_current_or_parameter_freezes_it(pin):
    good = {"V": 3.25, "I": 10.0, "CAPACITY": 280.0, "R0": 3e-4, "R1": 3e-4, "TAU": 30.0}
    twin = Twin(CELL_EKF)
    for name, value in good.items():
        twin.set(name, value)
    for _ in range(10):
        twin.scan(SECOND)
    before = twin.get("SOC"), twin.get("SIGMA")
    twin.set(pin, np.nan)
    for _ in range(10):
        twin.scan(SECOND)
    assert (twin.get("SOC"), twin.get("SIGMA")) == before
    assert twin.get("HELD")
    twin.set(pin, good[pin])
    twin.scan(SECOND)
    assert not twin.get("HELD")
    assert abs(float(twin.get("SOC")) - float(before[0])) < 1.0


def test_a_start_value_that_is_no_number_is_not_believed():
    scan(CELL_EKF, V=3.25, I=0.0, dt="1s", table="SOC0 | SOC HELD\n nan | 0 1\n 40 | - 0")
