"""GROUND_FAULT against a network of resistors that is solved on its own."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.cells.ground_fault import GROUND_FAULT
from tests.aids.scan_table import Twin, scan


def poles(battery: float, r_pole: float, r_plus: float, r_minus: float) -> tuple[float, float]:
    """Pole voltages against earth: the node equation sum of currents into earth = 0, in kOhm."""
    to_plus = 1.0 / r_pole + 1.0 / r_plus
    to_minus = 1.0 / r_pole + 1.0 / r_minus
    earth = np.linalg.solve([[to_plus + to_minus]], [to_plus * battery])[0]  # against the minus pole
    return float(battery - earth), float(-earth)


@pytest.mark.parametrize("fault", [0.1, 1.0, 10.0, 80.0, 500.0, 5000.0])
@pytest.mark.parametrize("at_plus", [True, False])
def test_it_finds_resistance_and_pole(fault, at_plus, deviation):
    plus, minus = poles(800.0, 1000.0, fault if at_plus else np.inf, np.inf if at_plus else fault)
    twin = Twin(GROUND_FAULT)
    for name, value in {"V_PLUS": plus, "V_MINUS": minus, "R_POLE": 1000.0, "R_LIMIT": 100.0}.items():
        twin.set(name, value)
    twin.scan(10_000_000)
    # rounding only: the smallest voltage is 0.08 V of 800
    deviation("GROUND_FAULT", "node equation", "fault resistance", abs(twin.get("R_FAULT") / fault - 1.0), 1e-9, "relative")
    assert twin.get("POLE") == ((1 if at_plus else 2) if fault < 100 else 0)


def test_two_equal_faults_are_not_seen():
    """The method's limit, said in its docstring."""
    plus, minus = poles(800.0, 1000.0, 10.0, 10.0)
    scan(GROUND_FAULT, V_PLUS=plus, V_MINUS=minus, R_POLE=1000.0, DELAY="0s", table="RESET | POLE FAULT\n 0 | 0 0")


def test_a_dead_short_is_found():
    scan(GROUND_FAULT, R_POLE=1000, DELAY="0s", table="V_PLUS V_MINUS | R_FAULT POLE FAULT_POLE\n 800 0 | 0 2 2\n 0 -800 | 0 1 2")


def test_it_waits_for_the_delay_and_stays_until_the_reset():
    scan(
        GROUND_FAULT,
        R_POLE=1000,
        DELAY="30ms",
        table="""
        x V_PLUS V_MINUS RESET | FAULT FAULT_POLE POLE
        3 750    -50     0     | 0     0          2
        1 400    -400    0     | 0     0          0
        1 50     -750    0     | 0     0          1
        1 50     -750    0     | 1     1          1      # one good sample undoes nothing
        1 400    -400    0     | 1     1          0
        1 50     -750    1     | 1     1          1      # not while it leaks
        1 400    -400    1     | 1     1          0      # stuck
        1 400    -400    0     | 1     1          0
        1 400    -400    1     | 0     0          0
    """,
    )


def test_an_open_battery_is_not_judged():
    scan(GROUND_FAULT, R_POLE=1000, DELAY="0s", table="V_PLUS V_MINUS | JUDGED R_FAULT FAULT\n 50 0 | 0 1000000 0\n 60 0 | 1 0 1")


def test_a_dead_sensor_is_a_fault_without_a_pole():
    scan(
        GROUND_FAULT,
        R_POLE=1000,
        DELAY="20ms",
        table="x V_PLUS V_MINUS | JUDGED FAULT FAULT_POLE\n 1 400 -400 | 1 0 0\n 2 nan -400 | 0 0 0\n 1 nan -400 | 0 1 0",
    )


def test_a_fault_that_flickers_is_found():
    """Four of five samples; a leak that has gone for as long as it lasted is forgotten."""
    lines = "4 750 -50 | 0\n 1 400 -400 | 0\n" * 3
    scan(
        GROUND_FAULT,
        R_POLE=1000,
        DELAY="1s",
        dt="100ms",
        table=f"x V_PLUS V_MINUS | FAULT\n {lines} 1 750 -50 | 0\n 1 750 -50 | 1",
    )


def test_a_reset_clears_nothing_that_cannot_be_judged():
    scan(
        GROUND_FAULT,
        R_POLE=1000,
        DELAY="0s",
        table="""
        V_PLUS V_MINUS RESET | FAULT JUDGED
        750    -50     0     | 1     1
        0      0       0     | 1     0
        0      0       1     | 1     0       # the battery is open
        400    -400    0     | 1     1
        400    -400    1     | 0     1
    """,
    )


def test_without_its_resistors_it_is_no_supervision():
    for nothing in ("0", "nan"):
        scan(GROUND_FAULT, DELAY="0s", V_PLUS=400.0, V_MINUS=-400.0, table=f"R_POLE | JUDGED FAULT\n 1000 | 1 0\n {nothing} | 0 1")
