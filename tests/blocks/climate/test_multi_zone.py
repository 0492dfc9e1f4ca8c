"""MULTI_ZONE: one plant for several zones, cooling first."""

from __future__ import annotations

from blocks.climate.multi_zone import MULTI_ZONE
from tests.aids.scan_table import scan


def test_the_largest_demand_counts_and_its_zone_is_named():
    scan(
        MULTI_ZONE,
        CHANGEOVER="0s",
        table="""
        HEAT       COOL       | MODE HEATING COOLING ZONE
        [10,40,20] [0,0,0]    | 1    40      0       2
        [0,0,0]    [10,20,80] | 2    0       80      3
        [90,0,0]   [0,10,0]   | 2    0       10      2      # cooling goes first
        [5,3,0]    [5,0,0]    | 0    0       0       0      # too little to start for
        [150,0,0]  [0,0,0]    | 1    100     0       1
    """,
    )


def test_after_cooling_the_plant_rests_before_it_heats_and_not_the_other_way_round():
    scan(
        MULTI_ZONE,
        CHANGEOVER="30ms",
        table="""
        x HEAT COOL | MODE
        1 [50] [0]  | 1       # at the start it has not cooled
        1 [50] [20] | 2
        3 [50] [0]  | 0
        1 [50] [0]  | 1
        1 [50] [20] | 2
        2 [50] [0]  | 0
        1 [50] [20] | 2
        3 [50] [0]  | 0       # the rest starts anew
        1 [50] [0]  | 1
    """,
    )


def test_a_zone_that_nobody_knows_is_cooled_and_not_heated():
    scan(
        MULTI_ZONE,
        COOL_BLIND=60.0,
        table="""
        HEAT     COOL    EN    | MODE HEATING COOLING ZONE DEAD
        [50,nan] [0,0]   [1,1] | 2    0       60      2    1
        [50,0]   [0,nan] [1,1] | 2    0       60      2    1
        [50,0]   [0,nan] [1,0] | 0    0       0       0    0     # taken out of service
    """,
    )


def test_zones_that_do_not_take_part_ask_for_nothing():
    scan(MULTI_ZONE, table="HEAT COOL EN | MODE ZONE\n [90,20] [0,0] [0,1] | 1 2\n [90,20] [0,0] [0,0] | 0 0")


def test_a_small_demand_counts_where_start_is_none_and_demands_are_held_to_full():
    scan(
        MULTI_ZONE,
        START=0.0,
        CHANGEOVER="0s",
        table="""
        HEAT    COOL      | MODE HEATING COOLING ZONE
        [0,0]   [0.5,0]   | 2    0       0.5     1
        [0,0.5] [0,0]     | 1    0.5     0       2
        [0,0]   [100.5,0] | 2    0       100     1
    """,
    )
    scan(MULTI_ZONE, table="COOL_BLIND HEAT COOL | COOLING\n 150 [0] [nan] | 100\n -5 [0] [nan] | 0")


def test_of_equal_demands_the_lowest_zone_is_named():
    scan(MULTI_ZONE, CHANGEOVER="0s", table="HEAT COOL | ZONE\n [50,50] [0,0] | 1\n [0,0] [50,50] | 1")


def test_a_start_that_nobody_knows_starts_for_any_demand_and_an_unknown_blind_cooling_is_full():
    scan(
        MULTI_ZONE,
        CHANGEOVER="0s",
        table="START HEAT COOL | MODE COOLING\n 5 [0] [4] | 0 0\n nan [0] [4] | 2 4\n nan [0] [0] | 0 0\n nan [4] [0] | 1 0",
    )
    scan(MULTI_ZONE, COOL_BLIND=float("nan"), table="HEAT COOL | MODE COOLING DEAD\n [0] [nan] | 2 100 1")


def test_a_demand_lasts_until_it_is_back_by_the_hysteresis():
    scan(
        MULTI_ZONE,
        START=5.0,
        HYSTERESIS=2.0,
        CHANGEOVER="0s",
        table="""
        HEAT  COOL  | MODE
        [0]   [5]   | 0
        [0]   [5.1] | 2
        [0]   [4.9] | 2
        [0]   [3]   | 0
        [0]   [4.9] | 0
        [5.1] [0]   | 1
        [3.1] [4.9] | 1      # heats on, and cooling does not begin
        [3]   [0]   | 0
    """,
    )
    scan(MULTI_ZONE, HYSTERESIS=100.0, CHANGEOVER="0s", table="HEAT COOL | MODE\n [0] [50] | 2\n [0] [0.1] | 2\n [0] [0] | 0")
