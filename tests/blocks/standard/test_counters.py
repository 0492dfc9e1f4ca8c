"""CTU, CTD, CTUD: edges are counted, once each (IEC 61131-3, table 45)."""

from __future__ import annotations

from blocks.standard.counters import CTD, CTU, CTUD
from tests.aids.scan_table import Twin, scan


def test_ctu_counts_edges_and_r_wins():
    scan(
        CTU,
        PV=2,
        table="""
        CU R | Q CV
        1  0 | 0 1
        1  0 | 0 1
        0  0 | 0 1
        1  0 | 1 2
        0  0 | 1 2
        1  0 | 1 3
        0  1 | 0 0
        1  1 | 0 0
        1  0 | 0 0
    """,
    )


def test_ctd_counts_down_from_what_ld_loads():
    scan(
        CTD,
        PV=2,
        table="""
        CD LD | Q CV
        0  0  | 1 0
        0  1  | 0 2
        1  0  | 0 1
        1  0  | 0 1
        0  0  | 0 1
        1  0  | 1 0
        0  0  | 1 0
        1  0  | 1 -1
    """,
    )


def test_ctud_counts_both_ways_and_opposite_edges_cancel_out():
    scan(
        CTUD,
        PV=2,
        table="""
        CU CD R LD | QU QD CV
        1  0  0 0  | 0  0  1
        0  0  0 0  | 0  0  1
        1  0  0 0  | 1  0  2
        0  1  0 0  | 0  0  1
        0  0  0 0  | 0  0  1
        1  1  0 0  | 0  0  1
        0  0  0 1  | 1  0  2
        0  0  1 1  | 0  1  0
    """,
    )


def test_counters_stop_at_the_ends_of_dint():
    top = Twin(CTUD)
    top.set("PV", 2147483647)
    top.set("LD", True)
    top.scan(1)
    top.set("LD", False)
    top.set("CU", True)
    top.scan(1)
    assert top.get("CV") == 2147483647
    scan(CTD, PV=-2147483648, table="CD LD | Q CV\n 0 1 | 1 -2147483648\n 1 0 | 1 -2147483648")
