"""SCALE: a line through two points (CODESYS Util LIN_TRAFO)."""

from __future__ import annotations

from blocks.control.scale import SCALE
from tests.aids.scan_table import scan


def test_a_4_to_20_ma_loop_becomes_its_range():
    scan(
        SCALE,
        IN_MIN=4.0,
        IN_MAX=20.0,
        OUT_MIN=0.0,
        OUT_MAX=10.0,
        table="""
        IN   | OUT    OUTSIDE
        4    | 0      0
        12   | 5      0
        20   | 10     0
        3.2  | -0.5   1
        21.6 | 11     1
        nan  | nan    1
    """,
    )


def test_a_line_may_fall():
    scan(SCALE, IN_MIN=0.0, IN_MAX=10.0, OUT_MIN=100.0, OUT_MAX=0.0, table="IN | OUT OUTSIDE\n 2.5 | 75 0\n 11 | -10 1")
    scan(SCALE, IN_MIN=10.0, IN_MAX=0.0, OUT_MIN=0.0, OUT_MAX=100.0, table="IN | OUT OUTSIDE\n 2.5 | 75 0\n 11 | -10 1")


def test_two_equal_points_are_no_line():
    scan(SCALE, IN_MIN=4.0, IN_MAX=4.0, OUT_MIN=0.0, OUT_MAX=10.0, table="IN | OUT OUTSIDE\n 4 | nan 1\n 5 | inf 1")
