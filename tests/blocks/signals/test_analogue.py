"""CURRENT_INPUT and VOLTAGE_INPUT: the levels of NAMUR NE 43, and faults that are never a plausible number."""

from __future__ import annotations

import math

from blocks.signals.analogue import CURRENT_INPUT, VOLTAGE_INPUT
from tests.aids.scan_table import scan

TEMPERATURE = {"OUT_MIN": -50.0, "OUT_MAX": 150.0, "SUBSTITUTE": 999.0}
PRESSURE = {"OUT_MIN": 0.0, "OUT_MAX": 10.0, "SUBSTITUTE": -1.0}


def test_a_loop_is_a_line_from_4_to_20_ma():
    scan(
        CURRENT_INPUT,
        **TEMPERATURE,
        table="""
        IN   | OUT   FAULT UNDER OVER WIRE_BREAK
        4    | -50   0     0     0    0
        12   | 50    0     0     0    0
        20   | 150   0     0     0    0
        3.8  | -52.5 0     0     0    0
        20.5 | 156.25 0    0     0    0
    """,
    )


def test_ne43_tells_saturation_from_failure():
    """NE 43: 3.6 < I < 3.8 and 20.5 < I < 21 saturated, I <= 3.6 and I >= 21 failure information."""
    scan(
        CURRENT_INPUT,
        **PRESSURE,
        table="""
        IN      | OUT      FAULT UNDER OVER WIRE_BREAK
        3.79    | -0.13125 0     1     0    0
        3.61    | -0.24375 0     1     0    0
        3.6     | -1       1     1     0    1
        0       | -1       1     1     0    1
        -0.1    | -1       1     1     0    1
        20.51   | 10.31875 0     0     1    0
        20.99   | 10.61875 0     0     1    0
        21      | -1       1     0     1    0
        22.5    | -1       1     0     1    0
        12      | 5        0     0     0    0
        nan     | -1       1     0     0    0
        inf     | -1       1     0     1    0
        -inf    | -1       1     1     0    1
    """,
    )


def test_hold_keeps_the_last_good_value_and_never_one_that_never_was():
    scan(
        CURRENT_INPUT,
        **PRESSURE,
        HOLD=True,
        table="""
        IN   | OUT  FAULT
        0    | -1   1
        12   | 5    0
        0    | 5    1
        nan  | 5    1
        16   | 7.5  0
        23   | 7.5  1
    """,
    )


def test_hold_that_is_switched_on_during_a_fault_finds_the_last_good_value():
    scan(CURRENT_INPUT, **PRESSURE, table="IN HOLD | OUT FAULT\n 12 0 | 5 0\n 0 0 | -1 1\n 0 1 | 5 1")


def test_a_transmitter_with_other_failure_levels_says_so():
    scan(
        CURRENT_INPUT,
        **PRESSURE,
        FAULT_LOW=2.0,
        FAULT_HIGH=22.0,
        table="""
        IN   | OUT     FAULT UNDER OVER WIRE_BREAK
        3    | -0.625  0     1     0    0
        2    | -1      1     1     0    1
        21.5 | 10.9375 0     0     1    0
        22   | -1      1     0     1    0
    """,
    )


def test_a_line_that_is_not_finite_is_a_fault():
    scan(CURRENT_INPUT, OUT_MIN=0.0, OUT_MAX=math.inf, SUBSTITUTE=7.0, table="IN | OUT FAULT\n 12 | 7 1")
    scan(VOLTAGE_INPUT, OUT_MIN=math.nan, OUT_MAX=1.0, SUBSTITUTE=7.0, table="IN | OUT FAULT\n 5 | 7 1")


def test_a_dead_zero_signal_cannot_show_a_broken_wire():
    scan(
        VOLTAGE_INPUT,
        **PRESSURE,
        table="""
        IN    | OUT   FAULT UNDER OVER WIRE_BREAK
        0     | 0     0     0     0    0
        5     | 5     0     0     0    0
        10    | 10    0     0     0    0
        10.4  | 10.4  0     0     1    0
        10.63 | -1    1     0     1    0
        -0.2  | -0.2  0     1     0    0
        -0.26 | -1    1     1     0    0
        nan   | -1    1     0     0    0
    """,
    )


def test_a_live_zero_shows_a_broken_wire():
    """2 to 10 V is 4 to 20 mA through 500 ohms: the limits of NE 43 become 1.8, 1.9, 10.25 and 10.5 V."""
    scan(
        VOLTAGE_INPUT,
        **PRESSURE,
        V_MIN=2.0,
        table="""
        IN    | OUT     FAULT UNDER OVER WIRE_BREAK
        2     | 0       0     0     0    0
        6     | 5       0     0     0    0
        10    | 10      0     0     0    0
        1.91  | -0.1125 0     0     0    0
        1.89  | -0.1375 0     1     0    0
        1.79  | -1      1     1     0    1
        0     | -1      1     1     0    1
        10.26 | 10.325  0     0     1    0
        10.51 | -1      1     0     1    0
    """,
    )


def test_a_span_of_nothing_is_a_fault():
    scan(VOLTAGE_INPUT, **PRESSURE, V_MIN=5.0, V_MAX=5.0, table="IN | OUT FAULT WIRE_BREAK\n 5 | -1 1 0\n 6 | -1 1 0")
    scan(VOLTAGE_INPUT, **PRESSURE, V_MIN=10.0, V_MAX=0.0, table="IN | OUT FAULT\n 5 | -1 1")


def test_a_held_voltage_is_the_last_good_one():
    scan(VOLTAGE_INPUT, **PRESSURE, V_MIN=2.0, HOLD=True, table="IN | OUT FAULT\n 0 | -1 1\n 6 | 5 0\n 0 | 5 1\n 10 | 10 0")
