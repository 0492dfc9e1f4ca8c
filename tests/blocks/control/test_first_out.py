"""FIRST_OUT: which alarm came first."""

from __future__ import annotations

from blocks.control.first_out import FIRST_OUT
from tests.aids.scan_table import scan


def test_it_keeps_the_first_and_the_order_of_the_others():
    scan(
        FIRST_OUT,
        table="""
        IN        RESET | FIRST COUNT ORDER
        [0,0,1,0] 0     | 3     1     [0,0,1,0]
        [0,0,0,0] 0     | 3     1     [0,0,1,0]     # gone, and still known
        [1,0,1,0] 0     | 3     2     [2,0,1,0]     # back: no second time
        [1,1,0,0] 0     | 3     3     [2,3,1,0]
    """,
    )


def test_alarms_of_one_scan_share_a_place_and_the_next_follows():
    scan(FIRST_OUT, table="IN | FIRST COUNT ORDER\n [0,1,1] | 2 2 [0,1,1]\n [1,1,1] | 2 3 [2,1,1]")


def test_a_reset_waits_until_every_alarm_is_gone_and_takes_an_edge():
    scan(
        FIRST_OUT,
        table="""
        IN    RESET | FIRST COUNT ORDER
        [0,0] 1     | 0     0     [0,0]      # stuck from the start
        [0,1] 1     | 2     1     [0,1]
        [0,0] 1     | 2     1     [0,1]
        [0,1] 0     | 2     1     [0,1]
        [0,1] 1     | 2     1     [0,1]      # it stands
        [0,0] 1     | 2     1     [0,1]      # that edge is over
        [0,0] 0     | 2     1     [0,1]
        [0,0] 1     | 0     0     [0,0]
        [1,0] 1     | 1     1     [1,0]
    """,
    )
