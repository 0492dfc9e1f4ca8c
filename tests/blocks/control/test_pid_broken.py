"""PID and PID_FULL when something breaks: a limit that is no number, and what moved OUT while an input was dead."""

from __future__ import annotations

import pytest

from blocks.control.pid import PID
from blocks.control.pid_full import PID_FULL
from blocks.declare import BlockType
from tests.aids.scan_table import scan

WIDE = {"OUT_MIN": -1000.0, "OUT_MAX": 1000.0}
both = pytest.mark.parametrize("block", [PID, PID_FULL], ids=["PID", "PID_FULL"])


@both
def test_a_limit_that_is_not_a_number_lets_out_move_towards_0_only(block: BlockType):
    scan(
        block,
        KP=2.0,
        SP=10.0,
        table="""
        PV OUT_MIN OUT_MAX | OUT HELD
        9  -100    100     | 2   0
        5  -100    nan     | 2   1     # up is not known to be allowed
        12 -100    nan     | 0   1     # down is, but not beyond 0
        12 nan     100     | 0   1
        9  nan     1       | 0   1
        9  -100    1       | 1   0
        99 nan     0.5     | 0   1
    """,
    )


@both
def test_the_limit_that_is_a_number_still_holds(block: BlockType):
    scan(block, KP=2.0, SP=10.0, PV=9.0, table="OUT_MIN OUT_MAX | OUT\n -100 100 | 2\n nan 1 | 1\n 5 nan | 5")


@both
def test_manual_goes_through_a_limit_that_is_not_a_number(block: BlockType):
    scan(
        block,
        KP=2.0,
        SP=10.0,
        PV=9.0,
        OUT_MIN=0.0,
        table="AUTO MAN OUT_MAX | OUT HELD\n 1 0 100 | 2 0\n 0 0 nan | 0 1\n 0 7 nan | 7 1\n 0 -7 nan | 0 1",
    )


@both
def test_what_was_put_by_hand_while_the_sensor_was_dead_is_where_it_carries_on(block: BlockType):
    scan(
        block,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        **WIDE,
        dt="100ms",
        table="""
        x   PV  AUTO MAN | OUT  HELD
        501 9   1    0   | 102  0
        1   nan 1    0   | 102  1
        9   nan 0    0   | 0    0
        9   nan 1    0   | 0    1
        1   9   1    0   | 0    0     # not 102
        1   9   1    0   | 0.2  0
    """,
    )


@both
def test_a_limit_that_took_out_along_while_the_sensor_was_dead_is_where_it_carries_on(block: BlockType):
    scan(
        block,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        OUT_MIN=0.0,
        dt="100ms",
        table="""
        x   PV  OUT_MAX | OUT
        501 9   1000    | 102
        1   nan 1000    | 102
        1   nan 5       | 5
        1   nan 1000    | 5
        1   9   1000    | 5
    """,
    )


@both
def test_limits_that_are_infinite_on_the_wrong_side_never_make_out_infinite(block: BlockType):
    table = "OUT_MIN OUT_MAX | OUT HELD\n -9 9 | 2 0\n inf inf | 2 1\n -inf -inf | 2 1\n -inf inf | 2 0"
    scan(block, KP=2.0, SP=10.0, PV=9.0, table=table)
