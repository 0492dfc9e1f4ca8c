"""BALANCING_PRIORITY: how many, which, and when."""

from __future__ import annotations

import pytest

from blocks.cells.balancing_priority import BALANCING_PRIORITY
from tests.aids.scan_table import scan

AT_ONCE = {"ON": "1h", "PAUSE": "0s"}


def test_the_highest_first():
    scan(
        BALANCING_PRIORITY,
        **AT_ONCE,
        MAX_CELLS=2,
        WANT=[1, 1, 1, 1, 1],
        V=[3.41, 3.45, 3.43, 3.44, 3.42],
        table="T | BLEED COUNT\n 25 | [0,1,0,1,0] 2",
    )


def test_only_those_that_want_and_all_of_them_where_there_is_room():
    scan(BALANCING_PRIORITY, **AT_ONCE, V=[3.5, 3.4, 3.3], WANT=[0, 1, 1], table="T | BLEED COUNT\n 25 | [0,1,1] 2")


@pytest.mark.parametrize(("neighbours", "bleed"), [(True, "[1,1,1,0,0,0]"), (False, "[0,1,0,1,0,1]")])
def test_adjacent_cells_only_where_they_may(neighbours, bleed):
    scan(
        BALANCING_PRIORITY,
        **AT_ONCE,
        MAX_CELLS=3,
        NEIGHBOURS=neighbours,
        WANT=[1, 1, 1, 1, 1, 1],
        V=[3.48, 3.5, 3.49, 3.47, 3.46, 3.45],
        table=f"T | BLEED\n 25 | {bleed}",
    )


def test_it_bleeds_for_on_and_pauses_for_pause():
    scan(
        BALANCING_PRIORITY,
        WANT=[1],
        V=[3.5],
        ON="20s",
        PAUSE="5s",
        SETTLE="2s",
        dt="1s",
        table="""
        x  | COUNT MEASURE
        4  | 0     1         # it starts with a pause; nothing was bled before, and the settling is over
        1  | 1     1
        19 | 1     0
        1  | 0     0
        1  | 0     0
        3  | 0     1
        1  | 1     1
    """,
    )


def test_readings_that_sag_while_bleeding_are_not_taken_over():
    scan(
        BALANCING_PRIORITY,
        ON="3s",
        PAUSE="2s",
        SETTLE="1s",
        WANT=[1, 0],
        dt="1s",
        table="""
        V         | BLEED V_REST
        [3.5,3.4] | [0,0] [3.5,3.4]
        [3.5,3.4] | [1,0] [3.5,3.4]
        [3.3,3.4] | [1,0] [3.5,3.4]
        [3.3,3.4] | [1,0] [3.5,3.4]
        [3.3,3.4] | [0,0] [3.5,3.4]
        [3.4,3.4] | [0,0] [3.4,3.4]
    """,
    )


def test_heat_takes_cells_away_in_a_line_and_then_all():
    scan(
        BALANCING_PRIORITY,
        **AT_ONCE,
        MAX_CELLS=4,
        WANT=[1, 1, 1, 1],
        V=[3.5, 3.5, 3.5, 3.5],
        table="""
            T | COUNT LIMIT
            60 | 4 4
            62.4 | 3 3
            65 | 2 2
            69.9 | 0 0
            70 | 0 0
            90 | 0 0
            nan | 0 0
            -inf | 0 0
            25 | 4 4
        """,
    )
    scan(BALANCING_PRIORITY, **AT_ONCE, WANT=[1], V=[3.5], table="T_LIMIT | COUNT\n 70 | 1\n nan | 0\n 20 | 0")


def test_a_cell_that_does_not_want_any_more_opens_at_once_and_its_place_stays_free_until_the_next_turn():
    scan(
        BALANCING_PRIORITY,
        V=[3.5, 3.4],
        MAX_CELLS=1,
        ON="3s",
        PAUSE="1s",
        dt="1s",
        table="x WANT | BLEED\n 1 [1,1] | [1,0]\n 1 [0,1] | [0,0]\n 2 [0,1] | [0,0]\n 1 [0,1] | [0,1]",
    )


def test_a_cell_without_a_voltage_is_never_chosen():
    scan(BALANCING_PRIORITY, **AT_ONCE, WANT=[1, 1], V=[float("nan"), 3.4], table="T | BLEED\n 25 | [0,1]")


def test_when_it_gets_hot_the_highest_stay():
    """Three may bleed, and one at 67 °C: the highest, not the first in the row."""
    scan(
        BALANCING_PRIORITY,
        **AT_ONCE,
        MAX_CELLS=3,
        WANT=[1, 1, 1],
        V=[3.41, 3.42, 3.60],
        table="T | BLEED\n 25 | [1,1,1]\n 63.4 | [0,0,1]\n 61 | [0,1,1]\n 25 | [1,1,1]",
    )
