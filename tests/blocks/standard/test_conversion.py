"""Conversions: nothing wraps, NaN is 0, halves go to the even number as IEC 61131-3 asks (6.6.2.5.3: IEC 60559 rounding)."""

from __future__ import annotations

from blocks.declare import BOOL, DINT, LINT
from blocks.standard.conversion import TO_BOOL, TO_DINT, TO_LINT, TO_LREAL, TO_SECONDS, TO_TIME, TRUNC, UNIT
from tests.aids.scan_table import scan


def test_an_lreal_becomes_the_nearest_integer_that_there_is():
    scan(
        TO_DINT,
        table="""
        IN   | OUT
        1.4  | 1
        1.6  | 2
        2.5  | 2
        3.5  | 4
        -2.5 | -2
        1e10 | 2147483647
        -inf | -2147483648
        nan  | 0
    """,
    )
    scan(TO_LINT, table="IN | OUT\n 1e10 | 10000000000\n 2.5 | 2\n 1e30 | 9223372036854774784\n nan | 0")


def test_an_integer_keeps_all_its_bits():
    scan(TO_LINT, chosen=LINT, table="IN | OUT\n 9007199254740993 | 9007199254740993\n -9223372036854775808 | -9223372036854775808")
    scan(TO_LINT, chosen=DINT, table="IN | OUT\n -5 | -5")
    scan(TO_DINT, chosen=LINT, table="IN | OUT\n 4294967296 | 2147483647\n -3 | -3")
    scan(TO_LREAL, chosen=DINT, table="IN | OUT\n -2147483648 | -2147483648")


def test_bool_is_one_or_zero():
    scan(TO_LREAL, chosen=BOOL, table="IN | OUT\n 1 | 1\n 0 | 0")
    scan(TO_DINT, chosen=BOOL, table="IN | OUT\n 1 | 1\n 0 | 0")
    scan(TO_BOOL, table="IN | OUT\n 0 | 0\n -0.5 | 1\n nan | 0")
    scan(TO_BOOL, chosen=DINT, table="IN | OUT\n 0 | 0\n -7 | 1")


def test_trunc_cuts_towards_zero():
    scan(TRUNC, table="IN | OUT\n 2.9 | 2\n -2.9 | -2\n 1e10 | 2147483647\n nan | 0")


def test_seconds_and_time():
    scan(TO_TIME, table="IN | OUT\n 1.5s | 1500ms\n 1e-9 | 1ns\n nan | 0ms\n -0.25 | -250ms")
    scan(TO_SECONDS, table="IN | OUT\n 1500ms | 1.5\n 1min | 60")


def test_a_unit_on_a_wire_is_a_factor_and_an_offset():
    scan(UNIT, K=1000.0, table="IN | OUT\n 2.5 | 2500")
    scan(UNIT, OFFSET=273.15, table="IN | OUT\n 25 | 298.15\n nan | nan")
    scan(UNIT, table="IN | OUT\n 3.25 | 3.25")
