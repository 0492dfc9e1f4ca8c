"""SEL, MUX, LIMIT, MOVE, FIRST_TRUE."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, TIME
from blocks.standard.selection import FIRST_TRUE, LIMIT, MOVE, MUX, SEL
from tests.aids.scan_table import scan


def test_sel_takes_in1_while_g_is_true():
    scan(SEL, table="G IN0 IN1 | OUT\n 0 1.5 2.5 | 1.5\n 1 1.5 2.5 | 2.5\n 1 nan 2.5 | 2.5")
    scan(SEL, chosen=BOOL, table="G IN0 IN1 | OUT\n 0 1 0 | 1\n 1 1 0 | 0")
    scan(SEL, chosen=TIME, table="G IN0 IN1 | OUT\n 1 1s 2ms | 2ms")


def test_mux_takes_element_k_and_the_end_where_k_is_beyond():
    scan(
        MUX,
        IN=[10.0, 20.0, 30.0],
        table="""
        K           | OUT
        0           | 10
        1           | 20
        2           | 30
        3           | 30
        2147483647  | 30
        -1          | 10
        -2147483648 | 10
    """,
    )
    scan(MUX, chosen=DINT, table="K IN | OUT\n 1 [4,5] | 5\n 0 [4,5] | 4")


def test_limit_holds_a_value_and_mx_wins():
    scan(
        LIMIT,
        table="""
        MN  IN  MX | OUT
        -10 5   10 | 5
        -10 15  10 | 10
        -10 -15 10 | -10
        3   0   1  | 1
        -10 inf 10 | 10
    """,
    )
    scan(LIMIT, chosen=DINT, table="MN IN MX | OUT\n -10 15 10 | 10\n -10 -2147483648 10 | -10")


def test_limit_never_turns_a_broken_value_or_limit_into_power():
    scan(LIMIT, table="MN IN MX | OUT\n -10 nan 10 | nan\n nan 5 10 | nan\n -10 5 nan | nan\n nan 500 nan | nan")


def test_move_is_one_to_one():
    scan(MOVE, table="IN | OUT\n 2.5 | 2.5\n nan | nan")
    scan(MOVE, chosen=BOOL, table="IN | OUT\n 1 | 1\n 0 | 0")


def test_first_true_finds_the_first_and_n_where_there_is_none():
    scan(
        FIRST_TRUE,
        table="""
        IN      | INDEX
        [0,0,0] | 3
        [0,0,1] | 2
        [0,1,1] | 1
        [1,0,1] | 0
    """,
    )
    scan(FIRST_TRUE, table="IN | INDEX\n [0] | 1\n [1] | 0")
