"""SOC_BALANCING: the plan, and bleeding it off."""

from __future__ import annotations

import numpy as np

from blocks.cells.soc_balancing import SOC_BALANCING
from tests.aids.scan_table import Twin, scan

BLEEDER = {"V": [3.3, 3.3, 3.3], "R": 33.0}  # 100 mA


def test_the_plan_brings_all_cells_to_full_together():
    """Rooms of 50, 40 and 45 Ah: the second must lose 10, the third 5. Smaller cells count by their own capacity."""
    scan(
        SOC_BALANCING,
        **BLEEDER,
        CAPACITY=[100, 100, 100],
        table="""
        PLAN SOC | LEFT
        0 [50,60,55] | [0,0,0]
        1 [50,60,55] | [0,10,5]
    """,
    )
    scan(
        SOC_BALANCING,
        **BLEEDER,
        CAPACITY=[100, 80, 100],
        table="""
        PLAN SOC | LEFT
        0 [50,50,50] | [0,0,0]
        1 [50,50,50] | [0,10,0]
    """,
    )


def test_small_differences_stay():
    scan(
        SOC_BALANCING,
        **BLEEDER,
        CAPACITY=[100, 100, 100],
        TOLERANCE=1,
        table="PLAN SOC | LEFT\n 0 [50,51,52] | [0,0,0]\n 1 [50,51,52] | [0,0,2]",
    )


def test_every_cell_ends_with_the_same_room(deviation):
    """16 cells of spread capacity; the truth is the charge that each really holds, counted here."""
    chance = np.random.default_rng(2)
    capacity = chance.uniform(95.0, 105.0, 16)
    charge = capacity * chance.uniform(0.45, 0.5, 16)
    twin = Twin(SOC_BALANCING, length=16)
    for name, value in {"V": [3.3] * 16, "R": 33.0, "CAPACITY": list(capacity), "SOC": list(100.0 * charge / capacity)}.items():
        twin.set(name, value)
    twin.set("TOLERANCE", 0.0)
    twin.scan(60_000_000_000)
    twin.set("PLAN", True)
    hours = 0.0
    while hours == 0.0 or twin.get("COUNT"):
        twin.scan(60_000_000_000)
        charge = charge - np.array([float(b) for b in twin.get("BLEED")]) * 0.1 / 60.0
        hours += 1.0 / 60.0
        assert hours < 100.0
    room = capacity - charge
    # one scan of a minute at 100 mA
    deviation("SOC_BALANCING", "charge balance", "spread of room", room.max() - room.min(), 0.1 / 60.0 * 1.001, "Ah")


def test_only_what_was_really_bled_is_counted():
    scan(
        SOC_BALANCING,
        **BLEEDER,
        CAPACITY=[100, 100, 100],
        dt="1h",
        table="""
        PLAN SOC        CLOSED  | BLEED   LEFT
        0    [50,60,60] [0,0,0] | [0,0,0] [0,0,0]
        1    [50,60,60] [0,0,0] | [0,1,1] [0,10,10]
        1    [50,60,60] [0,1,0] | [0,1,1] [0,9.9,10]
        1    [50,60,60] [0,0,1] | [0,1,1] [0,9.9,9.9]
    """,
    )


def test_a_plan_with_a_dead_value_is_none():
    scan(
        SOC_BALANCING,
        **BLEEDER,
        CAPACITY=[100, 100, 100],
        table="""
            PLAN SOC | LEFT BAD
            0 [50,60,55] | [0,0,0] 0
            1 [50,60,nan] | [0,0,0] 1
            0 [50,60,55] | [0,0,0] 1
            1 [50,60,55] | [0,10,5] 0
        """,
    )


def test_a_stuck_plan_signal_plans_nothing_and_a_running_plan_does_not_see_the_charge():
    scan(
        SOC_BALANCING,
        **BLEEDER,
        CAPACITY=[100, 100, 100],
        table="""
            PLAN SOC ENABLE | LEFT
            1 [50,60,55] 0 | [0,0,0]
            0 [50,60,55] 0 | [0,0,0]
            1 [50,60,55] 0 | [0,10,5]
            1 [99,1,55] 0 | [0,10,5]
        """,
    )


def test_heat_a_low_cell_a_dead_voltage_and_the_operator_make_it_wait():
    scan(
        SOC_BALANCING,
        R=33.0,
        CAPACITY=[100, 100],
        SOC=[50, 60],
        table="""
        PLAN ENABLE T   V         | BLEED COUNT
        0    1      25  [3.3,3.3] | [0,0] 0
        1    1      25  [3.3,3.3] | [0,1] 1
        1    0      25  [3.3,3.3] | [0,0] 0
        1    1      70  [3.3,3.3] | [0,0] 0
        1    1      nan [3.3,3.3] | [0,0] 0
        1    1      25  [3.3,3.0] | [0,0] 0
        1    1      25  [3.3,nan] | [0,0] 0
        1    1      25  [nan,3.3] | [0,1] 1
    """,
    )


def test_a_cell_whose_capacity_nobody_has_measured_makes_no_plan():
    """A capacity of 0 would give the others its room of nothing, or the largest one to lose."""
    for capacities in ("[100,100,0]", "[0,100,100]", "[100,100,-5]"):
        scan(
            SOC_BALANCING,
            **BLEEDER,
            SOC=[50, 60, 55],
            table=f"PLAN CAPACITY | LEFT BAD\n 0 [100,100,100] | [0,0,0] 0\n 1 {capacities} | [0,0,0] 1",
        )
