"""GATE: the last word on power."""

from __future__ import annotations

from blocks.control.gate import GATE
from tests.aids.scan_table import scan


def test_only_a_finite_value_passes_and_only_while_enabled():
    scan(
        GATE,
        table="""
        IN   EN | OUT
        250  0  | 0
        250  1  | 250
        -250 1  | -250
        nan  1  | 0
        inf  1  | 0
        -inf 1  | 0
        nan  0  | 0
        250  0  | 0
    """,
    )
