"""PACK_POWER: P = V I, discharging is positive."""

from __future__ import annotations

from blocks.cells.pack_power import PACK_POWER
from tests.aids.scan_table import scan


def test_discharging_is_positive_and_the_parts_have_one_sign_each():
    scan(
        PACK_POWER,
        table="""
        V   I    | P     P_CHARGE P_DISCHARGE DIRECTION
        800 125  | 100   0        100         2
        800 -125 | -100  -100     0           1
        800 0    | 0     0        0           0
        0   125  | 0     0        0           0
    """,
    )


def test_a_meter_with_the_other_sign_is_turned_once():
    scan(PACK_POWER, V=800, SIGN=-1, table="I | P DIRECTION\n 125 | -100 1\n -125 | 100 2")


def test_the_offset_of_the_sensor_is_no_power():
    scan(PACK_POWER, V=1000, I_ZERO=0.5, table="I | P DIRECTION\n 0.49 | 0 0\n -0.49 | 0 0\n 0.5 | 0.5 2\n -0.5 | -0.5 1")


def test_a_dead_sensor_is_passed_on_and_gives_no_parts():
    scan(
        PACK_POWER,
        I_ZERO=0.5,
        table="""
        V   I   | P   P_CHARGE P_DISCHARGE DIRECTION
        nan 100 | nan 0        0           3
        nan 0   | nan 0        0           3           # even where no current flows
        800 nan | nan 0        0           3
        800 100 | 80  0        80          2
    """,
    )
