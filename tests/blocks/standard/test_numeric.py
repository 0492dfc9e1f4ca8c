"""Arithmetic on the types of a wire: IEC's division, IEEE's special values, integers that wrap."""

from __future__ import annotations

import math

import pytest

from blocks.declare import DINT, LINT, TIME
from blocks.standard.numeric import ABS, ADD, DIV, EXP, EXPT, FLOOR, LN, MAX, MIN, MOD, MUL, NEG, SQRT, SUB
from tests.aids.scan_table import scan


def test_add_mul_sub_div_on_lreal():
    scan(ADD, table="A B | OUT\n 1.5 2.25 | 3.75\n inf -inf | nan")
    scan(MUL, table="A B | OUT\n 1.5 -2 | -3\n 0 inf | nan")
    scan(SUB, table="A B | OUT\n 1.5 2.25 | -0.75")
    scan(DIV, table="A B | OUT\n 7 2 | 3.5\n 1 0 | inf\n -1 0 | -inf\n 0 0 | nan")


def test_integers_wrap_as_in_twos_complement():
    scan(ADD, chosen=DINT, table="A B | OUT\n 2147483647 1 | -2147483648")
    scan(SUB, chosen=LINT, table="A B | OUT\n -9223372036854775808 1 | 9223372036854775807")
    scan(MUL, chosen=DINT, table="A B | OUT\n 65536 65536 | 0")
    scan(NEG, chosen=DINT, table="IN | OUT\n 5 | -5\n -2147483648 | -2147483648")
    scan(ABS, chosen=DINT, table="IN | OUT\n -5 | 5\n -2147483648 | -2147483648")


def test_integer_division_cuts_towards_zero_and_answers_0_for_a_division_by_0():
    scan(
        DIV,
        chosen=DINT,
        table="""
        A  B  | OUT
        7  2  | 3
        -7 2  | -3
        7  -2 | -3
        7  0  | 0
        -2147483648 -1 | -2147483648
    """,
    )
    scan(DIV, chosen=LINT, table="A B | OUT\n -9223372036854775808 -1 | -9223372036854775808")


def test_mod_has_the_sign_of_its_dividend():
    """IEC 61131-3, table 29: IN1 - (IN1/IN2)*IN2, and 0 for a division by 0."""
    scan(
        MOD,
        chosen=DINT,
        table="""
        A  B  | OUT
        7  3  | 1
        -7 3  | -1
        7  -3 | 1
        7  0  | 0
        -2147483648 -1 | 0
    """,
    )


def test_times_add_and_subtract():
    scan(ADD, chosen=TIME, table="A B | OUT\n 1s 20ms | 1020ms")
    scan(SUB, chosen=TIME, table="A B | OUT\n 1s 20ms | 980ms")
    scan(MOD, chosen=TIME, table="A B | OUT\n 125s 1min | 5s")


def test_abs_neg_and_floor():
    scan(ABS, table="IN | OUT\n -2.5 | 2.5\n 2.5 | 2.5\n -inf | inf\n nan | nan")
    scan(NEG, table="IN | OUT\n 2.5 | -2.5\n nan | nan")
    scan(FLOOR, table="IN | OUT\n 2.7 | 2\n -2.1 | -3\n 5 | 5\n nan | nan")


def test_roots_and_powers():
    scan(SQRT, table="IN | OUT\n 9 | 3\n 2 | 1.4142135623730951\n -1 | nan")
    scan(EXP, table=f"IN | OUT\n 0 | 1\n 1 | {math.e}\n 1000 | inf\n -1000 | 0")
    scan(LN, table=f"IN | OUT\n 1 | 0\n {math.e} | 1\n 0 | -inf\n -1 | nan")
    scan(EXPT, table="IN1 IN2 | OUT\n 2 10 | 1024\n 2 -1 | 0.5\n -8 0.5 | nan\n 0 0 | 1")


@pytest.mark.parametrize(("block", "want"), [(MIN, -2), (MAX, 3)], ids=["MIN", "MAX"])
def test_min_and_max_show_a_nan_wherever_it_stands(block, want):
    scan(
        block,
        table=f"""
        IN1 IN2 | OUT
        3   -2  | {want}
        -2  3   | {want}
        nan 3   | nan
        3   nan | nan
    """,
    )
    scan(block, chosen=DINT, table=f"IN1 IN2 | OUT\n 3 -2 | {want}")


def test_units_follow_the_operands():
    units = {block.name: block.pin("OUT").unit for block in (ADD, SUB, MUL, DIV, MIN, MOD)}
    assert units == {"ADD": "{A}", "SUB": "{A}", "MUL": "{A}*{B}", "DIV": "{A}/{B}", "MIN": "{IN1}", "MOD": "{A}"}
