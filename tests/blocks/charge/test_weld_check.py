"""WELD_CHECK: what the voltage behind an open contactor proves, and what it does not."""

from __future__ import annotations

import pytest

from blocks.charge.weld_check import RESULTS, WELD_CHECK
from tests.aids.scan_table import scan

CLOSED, WAITING, OPEN, WELDED, UNKNOWN = range(5)
CALM = {"V_BATT": 800.0, "WAIT": "3s", "dt": "1s"}


def test_a_bus_that_keeps_the_batterys_voltage_for_the_whole_wait_is_a_weld():
    """The first scan with the contactor open is time 0; the weld is said at WAIT, not before."""
    scan(
        WELD_CHECK,
        V_BATT=800.0,
        V_BUS=800.0,
        table=f"""
        x   OPEN | PROVEN WELDED RESULT
        1   0    | 0      0      {CLOSED}
        1   1    | 0      0      {WAITING}
        999 1    | 0      0      {WAITING}
        1   1    | 0      1      {WELDED}
    """,
    )
    assert RESULTS[WELDED] == "welded"


@pytest.mark.parametrize(("v_bus", "proven"), [(780.0, 1), (780.1, 0), (820.0, 1), (819.9, 0), (0.0, 1)])
def test_20_v_apart_on_either_side_prove_it_open(v_bus, proven):
    scan(WELD_CHECK, **CALM, table=f"x OPEN V_BUS | PROVEN\n 1 0 800 | 0\n 2 1 {v_bus} | {proven}")


def test_a_bus_that_others_charge_again_is_no_weld_but_a_new_opening_is_tested_anew():
    scan(
        WELD_CHECK,
        **CALM,
        table=f"""
        x OPEN V_BUS | PROVEN RESULT
        1 0    800   | 0      {CLOSED}
        2 1    700   | 1      {OPEN}
        9 1    800   | 1      {OPEN}
        1 0    800   | 0      {CLOSED}
        3 1    800   | 0      {WAITING}
        1 1    800   | 0      {WELDED}
    """,
    )


def test_a_live_bus_a_dead_battery_or_a_dead_sensor_proves_nothing_and_the_wait_starts_anew():
    scan(
        WELD_CHECK,
        WAIT="2s",
        dt="1s",
        OPEN=True,
        table=f"""
        x V_BATT V_BUS LIVE | PROVEN WELDED RESULT
        9 800    800   1    | 0      0      {UNKNOWN}
        2 800    800   0    | 0      0      {WAITING}
        9 800    nan   0    | 0      0      {UNKNOWN}
        9 nan    800   0    | 0      0      {UNKNOWN}
        9 10     10    0    | 0      0      {UNKNOWN}
        9 inf    800   0    | 0      0      {UNKNOWN}
        2 800    800   0    | 0      0      {WAITING}
        1 800    800   0    | 0      1      {WELDED}
        1 800    800   1    | 0      0      {UNKNOWN}
    """,
    )


def test_a_weld_that_was_a_slow_bus_is_taken_back():
    scan(WELD_CHECK, **CALM, table="x OPEN V_BUS | WELDED PROVEN\n 1 0 800 | 0 0\n 4 1 790 | 1 0\n 1 1 781 | 1 0\n 2 1 779 | 0 1")


def test_one_wrong_sample_proves_nothing_and_does_not_erase_a_weld():
    scan(
        WELD_CHECK,
        V_BATT=800.0,
        table=f"""
        x    OPEN V_BUS | PROVEN WELDED RESULT
        1    0    800   | 0      0      {CLOSED}
        200  1    800   | 0      0      {WAITING}
        1    1    0     | 0      0      {WAITING}
        799  1    800   | 0      0      {WAITING}
        1    1    800   | 0      1      {WELDED}
        1    1    0     | 0      1      {WELDED}
        99   1    800   | 0      1      {WELDED}
        20   1    0     | 0      1      {WELDED}
        1    1    0     | 1      0      {OPEN}       # apart for 200 ms
    """,
    )


def test_a_bus_sensor_that_reads_0_v_while_the_contactor_is_closed_proves_nothing_when_it_opens():
    scan(
        WELD_CHECK,
        **CALM,
        table=f"""
        x OPEN V_BUS | PROVEN WELDED RESULT
        9 0    0     | 0      0      {CLOSED}
        9 1    0     | 0      0      {UNKNOWN}
        9 0    800   | 0      0      {CLOSED}
        2 1    0     | 1      0      {OPEN}
    """,
    )


def test_a_start_with_the_contactor_open_is_not_testable_but_a_weld_is_seen():
    scan(WELD_CHECK, **CALM, OPEN=True, table=f"x V_BUS | PROVEN RESULT\n 9 0 | 0 {UNKNOWN}\n 4 800 | 0 {WELDED}")
