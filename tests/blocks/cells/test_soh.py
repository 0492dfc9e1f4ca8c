"""SOH: capacity and resistance against new, and the guard of every division."""

from __future__ import annotations

import pytest

from blocks.cells.soh import SOH
from tests.aids.scan_table import scan


def test_the_weaker_of_capacity_and_resistance_counts():
    """80 % of the capacity or twice the resistance are the end of life."""
    scan(
        SOH,
        CAPACITY_NEW=100.0,
        R_NEW=0.001,
        table="""
        CAPACITY R       | SOH GROWTH LIFE WEAK END
        100      1mOhm   | 100 100    100  0    0
        90       1.2mOhm | 90  120    50   1    0
        95       1.5mOhm | 95  150    50   2    0
        95       2mOhm   | 95  200    0    2    1
        70       1mOhm   | 70  100    0    1    1
        105      0.9mOhm | 105 90     100  0    0
        300      1mOhm   | 200 100    100  0    0
    """,
    )


def test_without_a_resistance_the_capacity_decides():
    scan(SOH, CAPACITY_NEW=100.0, table="CAPACITY R R_NEW | LIFE GROWTH HELD\n 90 0 0 | 50 100 0\n 80 0 0 | 0 100 0")


@pytest.mark.parametrize(
    "dead",
    [
        "0 100 1 1",
        "-5 100 1 1",
        "90 0 1 1",
        "90 -5 1 1",
        "90 nan 1 1",
        "nan 100 1 1",
        "90 100 nan 1",
        "90 100 1 0",
        "90 100 1 nan",
        "inf 100 1 1",
    ],
)
def test_what_has_no_sense_holds_the_last(dead):
    scan(
        SOH,
        table=f"""
        CAPACITY CAPACITY_NEW R R_NEW | SOH LIFE HELD
        95 100 1 1 | 95 75 0
        {dead} | 95 75 1
        90 100 1 1 | 90 50 0
    """,
    )


def test_ends_of_life_that_leave_no_span_hold_the_last():
    scan(SOH, CAPACITY=90.0, CAPACITY_NEW=100.0, table="SOH_END R_END | HELD\n 80 200 | 0\n 100 200 | 1\n 80 100 | 1")
