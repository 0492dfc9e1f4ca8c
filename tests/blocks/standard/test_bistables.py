"""SR and RS: the same but for who wins."""

from __future__ import annotations

from blocks.standard.bistables import RS, SR
from tests.aids.scan_table import scan


def test_sr_keeps_and_set_wins():
    scan(SR, table="S1 R | Q1\n 0 0 | 0\n 1 0 | 1\n 0 0 | 1\n 0 1 | 0\n 0 0 | 0\n 1 1 | 1\n 0 1 | 0")


def test_rs_keeps_and_reset_wins():
    scan(RS, table="S R1 | Q1\n 0 0 | 0\n 1 0 | 1\n 0 0 | 1\n 0 1 | 0\n 0 0 | 0\n 1 1 | 0\n 1 0 | 1")
