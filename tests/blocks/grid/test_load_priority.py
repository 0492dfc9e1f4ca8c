"""LOAD_PRIORITY: shedding by charge and by overload, and a return that is staggered."""

from __future__ import annotations

import numpy as np

from blocks.grid.load_priority import LOAD_PRIORITY
from blocks.plain import Instance
from tests.aids.scan_table import scan

THREE = {"SOC_OFF": [5.0, 30.0, 60.0], "dt": "1s"}


def test_on_the_grid_everything_is_on():
    scan(LOAD_PRIORITY, **THREE, ISLAND=False, table="SOC P_LOAD | ON\n 50 0 | [1,1,1]\n 1 1e9 | [1,1,1]\n nan nan | [1,1,1]")


def test_an_island_sheds_below_the_thresholds_at_once():
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        table="SOC | ON COUNT\n 60 | [1,1,1] 3\n 59.9 | [1,1,0] 2\n 29 | [1,0,0] 1\n 4 | [0,0,0] 0",
    )


def test_loads_return_one_by_one_above_the_gap_the_most_important_first():
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        DELAY="10s",
        table="""
        x SOC | ON
        1 4   | [0,0,0]
        9 90  | [0,0,0]
        1 90  | [1,0,0]
        9 90  | [1,0,0]
        1 90  | [1,1,0]
        9 64  | [1,1,0]
        9 64  | [1,1,0]     # below 65 %
        1 66  | [1,1,1]
    """,
    )


def test_an_overload_sheds_the_least_important_load_at_once_and_one_more_each_delay():
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        SOC=90.0,
        P_AVAILABLE=50.0,
        SHED_DELAY="2s",
        table="P_LOAD | ON OVERLOAD\n 49 | [1,1,1] 0\n 90 | [1,1,0] 1\n 90 | [1,1,0] 1\n 90 | [1,0,0] 1\n 40 | [1,0,0] 0",
    )


def test_a_load_that_overloads_by_its_return_falls_at_once():
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        SOC=90.0,
        P_AVAILABLE=50.0,
        DELAY="3s",
        table="x P_LOAD | ON\n 1 60 | [1,1,0]\n 2 30 | [1,1,0]\n 1 30 | [1,1,1]\n 1 60 | [1,1,0]",
    )


def test_a_return_needs_its_margin():
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        SOC=90.0,
        P_AVAILABLE=50.0,
        MARGIN=30.0,
        DELAY="1s",
        table="P_LOAD | ON\n 60 | [1,1,0]\n 21 | [1,1,0]\n 20 | [1,1,1]",
    )


def test_a_sensor_that_is_no_number_sheds_nothing_and_lets_nothing_return():
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        DELAY="0s",
        table="SOC | ON\n 29 | [1,0,0]\n nan | [1,0,0]\n -inf | [1,0,0]\n 90 | [1,1,0]",
    )
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        SOC=90.0,
        DELAY="0s",
        P_AVAILABLE=50.0,
        table="P_LOAD | ON\n 60 | [1,1,0]\n nan | [1,1,0]\n inf | [1,1,0]\n 0 | [1,1,1]",
    )


def test_a_contact_that_chatters_switches_each_load_once():
    """Off with the island at once; on again only when the grid was back for DELAY without a break."""
    scan(
        LOAD_PRIORITY,
        **THREE,
        SOC=20.0,
        DELAY="10s",
        table="""
        x  ISLAND | ON      COUNT
        1  1      | [1,0,0] 1
        1  0      | [1,0,0] 1
        1  1      | [1,0,0] 1
        9  0      | [1,0,0] 1
        1  1      | [1,0,0] 1
        9  0      | [1,0,0] 1
        1  0      | [1,1,1] 3
        1  1      | [1,0,0] 1
    """,
    )


def test_the_time_between_two_sheddings_is_kept_through_a_pause_of_the_overload():
    scan(
        LOAD_PRIORITY,
        **THREE,
        ISLAND=True,
        SOC=90.0,
        P_AVAILABLE=50.0,
        SHED_DELAY="3s",
        table="P_LOAD | ON\n 90 | [1,1,0]\n 40 | [1,1,0]\n 90 | [1,1,0]\n 90 | [1,0,0]\n 90 | [1,0,0]",
    )


def test_with_the_margin_of_the_largest_load_nothing_comes_and_goes():
    """Two loads of 30 kW and 50 kW of power, for an hour: one falls, and stays off. The margin has to be chosen."""
    assert LOAD_PRIORITY.pin("MARGIN").required
    one = Instance(LOAD_PRIORITY, length=2)
    for name, value in {"ISLAND": True, "SOC": 90.0, "SOC_OFF": [5.0, 30.0], "P_AVAILABLE": 50.0, "MARGIN": 30.0}.items():
        setattr(one, name, value)
    counts = []
    for _ in range(3600):
        one.P_LOAD = 30.0 * sum(one.ON.values)
        one.scan(1_000_000_000)
        counts.append(int(one.COUNT))
    assert np.all(np.array(counts) == 1)
