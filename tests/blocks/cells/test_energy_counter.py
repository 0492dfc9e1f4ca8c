"""ENERGY_COUNTER: registers that only go up, exact after years."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.cells.energy_counter import ENERGY_COUNTER
from tests.aids.scan_table import SIGNATURE, Twin, scan

MS = 1_000_000


def test_each_direction_has_its_register():
    """1 kV: 360 A for a second are 0.1 kWh and 0.1 Ah."""
    scan(
        ENERGY_COUNTER,
        V=1000,
        dt="1s",
        table="""
        I    | CHARGED DISCHARGED AH_CHARGED AH_DISCHARGED
        360  | 0       0.1        0          0.1
        -720 | 0.2     0.1        0.2        0.1
        0    | 0.2     0.1        0.2        0.1
        360  | 0.2     0.2        0.2        0.2
    """,
    )


def test_a_million_scans_after_a_great_meter_reading_are_not_lost_in_rounding(deviation):
    """1e9 kWh on the meter, then a million scans of 10 ms at 1 W: a plain sum rounds each of them to nothing or to a whole step."""
    twin = Twin(ENERGY_COUNTER)
    for name, value in {"V": 1.0, "I": 1.0, "e_out": 1e9}.items():
        twin.set(name, value)
    call = SIGNATURE(twin.kernel.address)
    scans = 1_000_000
    for _ in range(scans):
        call(twin._addresses.ctypes.data, 1, 0, 10 * MS)
    expected = scans * 0.01 / 3600.0 / 1000.0
    naive = 1e9
    for _ in range(1000):
        naive += 0.01 / 3600.0 / 1000.0
    assert naive == 1e9, "a plain sum counts nothing at all"
    # one unit in the last place of 1e9, which is how the register shows it
    deviation(
        "ENERGY_COUNTER", "exact product", "1e6 scans on 1e9", abs(twin.columns["DISCHARGED"][0] - 1e9 - expected), 1.2e-7, "kWh"
    )
    inner = twin.columns["e_out"][0] - 1e9 + twin.columns["e_out_lost"][0]
    deviation("ENERGY_COUNTER", "exact product", "1e6 scans, inside", abs(inner / expected - 1.0), 1e-9, "relative")


def test_it_agrees_with_an_exact_sum_of_a_random_drive(deviation):
    chance = np.random.default_rng(1)
    current = chance.normal(0.0, 100.0, 5000)
    steps = chance.integers(1, 100, 5000)
    twin = Twin(ENERGY_COUNTER)
    twin.set("V", 800.0)
    for i, step in zip(current, steps, strict=True):
        twin.set("I", float(i))
        twin.scan(int(step) * MS)
    for pin, sign in (("DISCHARGED", 1), ("CHARGED", -1)):
        exact = math.fsum(max(sign * i, 0.0) * 0.8 * (step * 1e-3 / 3600.0) for i, step in zip(current, steps, strict=True))
        # each rectangle is rounded four times
        deviation("ENERGY_COUNTER", "math.fsum", pin.lower(), abs(twin.get(pin) / exact - 1.0), 1e-14, "relative")


def test_efficiency_waits_for_a_charge_worth_the_name():
    scan(
        ENERGY_COUNTER,
        V=1000,
        E_LEAST=10,
        dt="1min",
        table="x I | CHARGED EFFICIENCY\n 5 100 | 0 0\n 5 -100 | ~8.3 0\n 7 -100 | 20 ~41.7\n 7 100 | 20 100\n 60 100 | 20 600",
    )


def test_the_offset_of_the_sensor_is_not_counted():
    scan(ENERGY_COUNTER, V=1000, I_ZERO=1, dt="1h", table="I | DISCHARGED\n 0.9 | 0\n 1 | 1")


def test_a_dead_voltage_stops_the_energy_and_a_dead_current_all():
    scan(
        ENERGY_COUNTER,
        dt="1h",
        table="""
        V    I   | DISCHARGED AH_DISCHARGED HELD
        1000 1   | 1          1             0
        nan  1   | 1          2             1
        1000 nan | 1          2             1
        inf  inf | 1          2             1
        1000 1   | 2          3             0
    """,
    )


def test_a_reset_is_an_edge():
    scan(
        ENERGY_COUNTER,
        V=1000,
        I=1,
        dt="1h",
        table="RESET | DISCHARGED\n 1 | 1\n 1 | 2\n 0 | 3\n 1 | 1\n 1 | 2",
    )


def test_a_pack_voltage_with_the_wrong_sign_never_lowers_a_register():
    twin = Twin(ENERGY_COUNTER)
    twin.set("I", 100.0)
    seen = []
    for volts in (800.0, -800.0, 800.0):
        twin.set("V", volts)
        twin.scan(1000 * MS)
        seen.append(twin.get("DISCHARGED"))
    assert seen == sorted(seen)
    assert twin.get("AH_DISCHARGED") == pytest.approx(300.0 / 3600.0)
