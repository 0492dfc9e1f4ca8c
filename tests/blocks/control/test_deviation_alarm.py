"""DEVIATION_ALARM: the setpoint is not held."""

from __future__ import annotations

import pytest

from blocks.control.deviation_alarm import DEVIATION_ALARM
from tests.aids.scan_table import scan


def test_each_side_alarms_at_the_tolerance_and_goes_beyond_the_deadband():
    scan(
        DEVIATION_ALARM,
        SP=20.0,
        TOLERANCE=2.0,
        DEADBAND=1.0,
        table="""
        PV   | HIGH LOW
        21.9 | 0    0
        22   | 1    0
        21   | 1    0
        20.9 | 0    0
        18   | 0    1
        19   | 0    1
        19.1 | 0    0
    """,
    )


def test_it_must_last():
    scan(
        DEVIATION_ALARM,
        SP=20.0,
        TOLERANCE=2.0,
        DELAY="20ms",
        table="PV | HIGH\n 25 | 0\n 25 | 0\n 20 | 0\n 25 | 0\n 25 | 0\n 25 | 1",
    )


def test_a_step_of_the_setpoint_blocks_it_for_a_while_and_so_does_the_start():
    scan(
        DEVIATION_ALARM,
        PV=20.0,
        TOLERANCE=2.0,
        SETTLE="20ms",
        table="""
        SP | LOW BLOCKED
        30 | 0   1
        30 | 0   1
        30 | 1   0
        40 | 0   1       # another step
        41 | 0   1       # a setpoint on its way
        41 | 0   1
        41 | 1   0
    """,
    )


@pytest.mark.parametrize("pin", ["PV", "SP", "TOLERANCE", "DEADBAND"])
def test_what_nobody_knows_is_an_alarm_also_while_blocked(pin):
    good = {"PV": "20", "SP": "20", "TOLERANCE": "2", "DEADBAND": "0"}
    scan(
        DEVIATION_ALARM,
        SETTLE="1h",
        table=f"""
        PV SP TOLERANCE DEADBAND              | HIGH LOW
        {" ".join(good.values())}             | 0    0
        {" ".join((good | {pin: "nan"}).values())} | 1 1
        {" ".join(good.values())}             | 0    0
    """,
    )


def test_a_setpoint_that_dies_and_returns_unchanged_does_not_block_again():
    scan(DEVIATION_ALARM, PV=20.0, TOLERANCE=2.0, SETTLE="10ms", table="SP | BLOCKED\n 20 | 1\n 20 | 0\n nan | 0\n 20 | 0\n 21 | 1")


def test_both_sides_must_last():
    scan(
        DEVIATION_ALARM,
        SP=20.0,
        TOLERANCE=2.0,
        DELAY="10ms",
        table="PV | HIGH LOW\n 10 | 0 0\n 10 | 0 1\n 30 | 0 0\n 30 | 1 0\n 10 | 0 0",
    )


def test_a_setpoint_that_trembles_in_its_last_digits_blocks_nothing():
    """A change of up to a tenth of TOLERANCE, 0.2, is none; a drift is one, once it has gone further than that."""
    scan(
        DEVIATION_ALARM,
        PV=100.0,
        TOLERANCE=2.0,
        SETTLE="20ms",
        table="""
        SP    | HIGH BLOCKED
        20    | 0    1
        20.1  | 0    1
        20    | 1    0
        20.15 | 1    0
        19.9  | 1    0
        20.25 | 0    1
    """,
    )


def test_a_setpoint_that_never_rests_blocks_it_no_longer_than_block_max():
    scan(
        DEVIATION_ALARM,
        PV=0.0,
        TOLERANCE=2.0,
        SETTLE="20ms",
        BLOCK_MAX="40ms",
        table="SP | LOW BLOCKED\n 20 | 0 1\n 21 | 0 1\n 22 | 0 1\n 23 | 0 1\n 24 | 1 0\n 25 | 1 0\n 25 | 1 0\n 25 | 1 0\n 26 | 0 1",
    )
    scan(DEVIATION_ALARM, PV=0.0, TOLERANCE=2.0, SETTLE="30ms", BLOCK_MAX="10ms", table="x SP | LOW\n 3 9 | 0\n 1 9 | 1")


@pytest.mark.parametrize("deadband", ["2", "5", "1e9"])
def test_a_deadband_as_wide_as_the_tolerance_lets_go_all_the_same(deadband):
    scan(
        DEVIATION_ALARM,
        SP=20.0,
        TOLERANCE=2.0,
        table=f"""
            PV DEADBAND | HIGH LOW
            23 {deadband} | 1 0
            20.3 {deadband} | 1 0
            20 {deadband} | 0 0
            17 {deadband} | 0 1
            20 {deadband} | 0 0
        """,
    )


def test_one_broken_sample_holds_no_alarm_inside_the_deadband():
    scan(
        DEVIATION_ALARM,
        SP=20.0,
        TOLERANCE=2.0,
        DEADBAND=1.0,
        table="PV | HIGH LOW\n 21.5 | 0 0\n nan | 1 1\n 21.5 | 0 0\n 18.5 | 0 0",
    )


def test_a_longer_delay_does_not_drop_an_alarm_that_stands():
    scan(
        DEVIATION_ALARM, SP=20.0, TOLERANCE=2.0, table="PV DELAY | HIGH LOW\n 23 0s | 1 0\n 23 1h | 1 0\n 17 0s | 0 1\n 17 1h | 0 1"
    )
