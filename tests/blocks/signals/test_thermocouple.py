"""THERMOCOUPLE_K: the table of IEC 60584-1 and the reference function of NIST Monograph 175, with a cold junction."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.plain import Instance
from blocks.signals.thermocouple import THERMOCOUPLE_K
from tests.aids.scan_table import scan

# NIST ITS-90 table of type K, mV to 1 uV against 0 °C (the same as IEC 60584-1).
TABLE = {-200: -5.891, -100: -3.554, -50: -1.889, 0: 0.0, 20: 0.798, 25: 1.0, 50: 2.023, 100: 4.096, 200: 8.138, 300: 12.209}
TABLE |= {400: 16.397, 500: 20.644, 600: 24.905, 700: 29.129, 800: 33.275, 900: 37.326, 1000: 41.276, 1100: 45.119, 1372: 54.886}
BELOW = (0.0, 0.394501280250e-01, 0.236223735980e-04, -0.328589067840e-06, -0.499048287770e-08, -0.675090591730e-10)
BELOW += (-0.574103274280e-12, -0.310888728940e-14, -0.104516093650e-16, -0.198892668780e-19, -0.163226974860e-22)
ABOVE = (-0.176004136860e-01, 0.389212049750e-01, 0.185587700320e-04, -0.994575928740e-07, 0.318409457190e-09)
ABOVE += (-0.560728448890e-12, 0.560750590590e-15, -0.320207200030e-18, 0.971511471520e-22, -0.121047212750e-25)


def millivolts(t: float) -> float:
    """The reference function of NIST Monograph 175; the block's own way back is by other polynomials."""
    if t < 0.0:
        return sum(c * t**k for k, c in enumerate(BELOW))
    return sum(c * t**k for k, c in enumerate(ABOVE)) + 0.1185976 * math.exp(-0.1183432e-3 * (t - 126.9686) ** 2)


def read(mv: float, cold: float = 0.0) -> Instance:
    sensor = Instance(THERMOCOUPLE_K)
    sensor.IN, sensor.T_COLD, sensor.SUBSTITUTE = mv, cold, -999.0
    sensor.scan(10_000_000)
    return sensor


@pytest.mark.parametrize(("t", "mv"), TABLE.items())
def test_the_table_read_backwards(t: int, mv: float):
    """NIST states -0.05 to 0.06 °C for the inverse; half a microvolt of rounding is up to 0.03 °C at -200 °C."""
    assert millivolts(t) == pytest.approx(mv, abs=0.0006)
    assert read(mv).OUT == pytest.approx(t, abs=0.09)
    assert not read(mv).FAULT


@pytest.mark.parametrize("cold", [-40.0, 0.0, 23.5, 60.0, 140.0])
def test_it_inverts_the_reference_function_whatever_the_terminals_have(cold: float, deviation):
    error = max(abs(read(millivolts(t) - millivolts(cold), cold).OUT - t) for t in np.linspace(-200, 1371.9, 1500).tolist())
    deviation("THERMOCOUPLE_K", "NIST Monograph 175", f"-200 to 1372 °C, terminals at {cold:g} °C", error, 0.06, "K")


def test_a_voltage_without_the_cold_junction_would_be_wrong_by_its_temperature():
    """1.000 mV at 25 °C, 3.096 mV measured: 100 °C, not the 76 °C that the table says for 3.096 mV alone."""
    assert read(3.096, 25.0).OUT == pytest.approx(100.0, abs=0.06)
    assert read(3.096, 0.0).OUT == pytest.approx(75.9, abs=0.06)


def test_no_voltage_is_the_temperature_of_the_terminals():
    for cold in (-30.0, -0.5, 0.0, 0.5, 25.0, 80.0):
        assert read(0.0, cold).OUT == pytest.approx(cold, abs=0.06)


def test_faults_are_told_apart_in_both_worlds():
    scan(
        THERMOCOUPLE_K,
        SUBSTITUTE=-999.0,
        table="""
        IN     T_COLD | OUT  FAULT OVER UNDER
        54.0   0      | -    0     0    0
        54.0   25     | -999 1     1    0
        inf    25     | -999 1     1    0
        -6     0      | -999 1     0    1
        -6.2   25     | ~-163 0    0    0
        -inf   25     | -999 1     0    1
        nan    25     | -999 1     0    0
        1      nan    | -999 1     0    0
        1      150.1  | -999 1     0    0
        1      -50.1  | -999 1     0    0
        1      150    | -    0     0    0
        1      -50    | -    0     0    0
    """,
    )


def test_hold_keeps_the_last_good_temperature():
    scan(
        THERMOCOUPLE_K,
        SUBSTITUTE=-999.0,
        HOLD=True,
        T_COLD=0.0,
        table="IN | OUT FAULT\n nan | -999 1\n 4.096 | ~100.0 0\n 99 | ~100.0 1\n 0 | ~0.000 0",
    )
