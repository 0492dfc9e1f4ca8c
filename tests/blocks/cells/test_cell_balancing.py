"""CELL_BALANCING: start 20 mV, stop 10 mV above the lowest, LFP above 3.4 V only, after a rest (NUMBERS.md)."""

from __future__ import annotations

from blocks.cells.cell_balancing import CELL_BALANCING
from tests.aids.scan_table import scan

RESTED = {"I": 0.0, "REST": "0s"}


def test_a_cell_bleeds_from_20_mv_until_10_mv_above_the_lowest():
    scan(
        CELL_BALANCING,
        **RESTED,
        table="""
        V                   | BLEED   COUNT
        [3.450,3.469,3.465] | [0,0,0] 0
        [3.450,3.471,3.465] | [0,1,0] 1
        [3.450,3.461,3.475] | [0,1,1] 2
        [3.450,3.459,3.475] | [0,0,1] 1
        [3.450,3.459,3.459] | [0,0,0] 0
    """,
    )


def test_only_above_the_flat_part_of_the_curve():
    scan(CELL_BALANCING, **RESTED, table="V | BLEED\n [3.30,3.39] | [0,0]\n [3.30,3.41] | [0,1]\n [3.30,3.40] | [0,0]")


def test_the_pack_must_have_rested_for_ten_minutes():
    scan(
        CELL_BALANCING,
        V=[3.45, 3.50],
        dt="1s",
        table="""
        x   I    | BLEED
        1   5    | [0,0]
        600 0.19 | [0,0]
        1   0.19 | [0,1]
        1   -0.2 | [0,0]
        600 -0.1 | [0,0]
        1   -0.1 | [0,1]
    """,
    )


def test_heat_and_the_operator_stop_it():
    scan(
        CELL_BALANCING,
        **RESTED,
        V=[3.45, 3.50],
        table="""
        T  ENABLE | BLEED
        69 1      | [0,1]
        70 1      | [0,0]
        69 1      | [0,1]
        69 0      | [0,0]
    """,
    )


def test_whatever_is_not_known_stops_it():
    scan(CELL_BALANCING, **RESTED, T=25.0, table="V | BLEED COUNT\n [3.45,3.50,3.45] | [0,1,0] 1\n [3.45,3.50,nan] | [0,0,0] 0")
    scan(
        CELL_BALANCING,
        V=[3.45, 3.50],
        REST="0s",
        table="""
        I   T   | BLEED
        0   25  | [0,1]
        nan 25  | [0,0]
        0   25  | [0,1]
        0   nan | [0,0]
    """,
    )
