"""WEAKEST: what ends a string's charge and discharge."""

from __future__ import annotations

import numpy as np

from blocks.cells.weakest import WEAKEST
from tests.aids.scan_table import Twin, scan


def test_charge_counts_not_percent():
    """80 % of 100 Ah has less room (20 Ah) than 85 % of 200 Ah (30 Ah)."""
    scan(WEAKEST, CAPACITY=[100, 200], table="SOC | CHARGE_AT ROOM DISCHARGE_AT REST\n [80,85] | 1 20 1 80\n [10,85] | 2 30 1 10")


def test_a_string_ends_where_charging_cell_by_cell_says(deviation):
    """The same charge into each of 50 cells until one is full, out of each until one is empty, 1 mAh at a time."""
    chance = np.random.default_rng(4)
    soc, capacity = chance.uniform(40.0, 60.0, 50), chance.uniform(250.0, 290.0, 50)
    twin = Twin(WEAKEST, length=50)
    twin.set("SOC", list(soc))
    twin.set("CAPACITY", list(capacity))
    twin.scan(10_000_000)
    for pin, sign, at in (("ROOM", 1.0, "CHARGE_AT"), ("REST", -1.0, "DISCHARGE_AT")):
        moved = np.arange(0.0, 300.0, 0.001)[:, None]
        ends = ((soc / 100.0 * capacity + sign * moved - (capacity if sign > 0 else 0.0)) * sign >= 0).argmax(axis=0)
        assert twin.get(at) == int(ends.argmin()) + 1
        deviation("WEAKEST", "charged step by step", pin.lower(), abs(twin.get(pin) - ends.min() * 0.001), 0.001, "Ah")
    assert [int(c) for c in twin.get("ORDER")] == [int(i) + 1 for i in np.argsort(-soc, kind="stable")]


def test_equal_cells_keep_their_order_and_a_dead_one_is_last():
    scan(
        WEAKEST,
        CAPACITY=[100, 100, 100, 100],
        table="""
            SOC | ORDER BAD ROOM
            [50,50,50,50] | [1,2,3,4] 0 50
            [nan,50,nan,60] | [4,2,1,3] 2 0
            [20,50,30,60] | [4,2,3,1] 0 40
        """,
    )


def test_a_dead_cell_leaves_nothing_to_promise():
    scan(
        WEAKEST,
        SOC=[50, 50],
        table="CAPACITY | ROOM REST USABLE CHARGE_AT\n [100,100] | 50 50 100 1\n [100,nan] | 0 0 0 0\n [0,100] | 0 0 0 1",
    )
