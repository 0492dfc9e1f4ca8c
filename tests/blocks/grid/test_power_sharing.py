"""POWER_SHARING: the split by state of charge, energy and temperature, within every node's limits, whatever the request."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.grid.power_sharing import POWER_SHARING
from blocks.plain import Instance
from tests.aids.scan_table import Twin, scan
from tests.aids.site_text import PlainScan, load

THREE = {"P_MIN": [-100.0] * 3, "P_MAX": [100.0] * 3, "ENERGY": [200.0] * 3, "T": [25.0] * 3}
EVEN = {"P_MIN": [-100.0] * 3, "P_MAX": [100.0] * 3, "ENERGY": [200.0] * 3, "SOC": [50.0] * 3}


def share(p: float, length: int, **pins: object) -> Instance:
    """One scan of a plain instance; what is not given is alike in all nodes."""
    node = Instance(POWER_SHARING, length=length)
    alike = {"SOC": 50.0, "P_MIN": -100.0, "P_MAX": 100.0, "ENERGY": 200.0, "T": 25.0, "AVAILABLE": True}
    for name, value in alike.items():
        setattr(node, name, [value] * length)
    for name, value in ({"P": p} | pins).items():
        setattr(node, name, value)
    node.scan(10_000_000)
    return node


def test_the_sign_of_the_deviation_turns_with_the_direction():
    """5 % above the mean at 0.1 per percent: half as much again while discharging, half while charging."""
    scan(
        POWER_SHARING,
        **THREE,
        SOC=[55.0, 50.0, 45.0],
        table="P | P_NODE SOC_MEAN\n 60 | [30,20,10] 50\n -60 | [-10,-20,-30] 50\n 0 | [0,0,0] 50",
    )


def test_a_gain_of_zero_shares_by_capacity():
    big = THREE | {"ENERGY": [100.0, 200.0, 300.0]}
    scan(POWER_SHARING, **big, SOC=[90.0, 50.0, 10.0], GAIN=0.0, table="P | P_NODE\n 60 | [10,20,30]\n -60 | [-10,-20,-30]")
    scan(POWER_SHARING, **big, SOC=[90.0, 50.0, 10.0], METHOD=2, table="P | P_NODE\n 60 | [10,20,30]\n -60 | [-10,-20,-30]")


def test_by_energy_mixed_nodes_share_by_the_kilowatt_hours_they_have():
    """100 kWh at 80 %, 200 at 20 %, 50 at 80 % hold 80, 40, 40 kWh above empty, and have room for 20, 160, 10."""
    mixed = THREE | {"ENERGY": [100.0, 200.0, 50.0]}
    scan(POWER_SHARING, **mixed, SOC=[80.0, 20.0, 80.0], METHOD=1, table="P | P_NODE\n 80 | [40,20,20]\n -95 | [-10,-80,-5]")
    scan(POWER_SHARING, **mixed, SOC=[80.0, 20.0, 80.0], METHOD=1, SOC_MIN=20.0, table="P | P_NODE\n 90 | [60,0,30]")


def test_the_mean_is_that_of_the_energy():
    scan(POWER_SHARING, **THREE | {"ENERGY": [100.0, 100.0, 200.0]}, SOC=[100.0, 100.0, 0.0], table="P | SOC_MEAN\n 0 | 50")


def test_what_one_node_cannot_take_the_others_do_and_the_rest_is_unmet():
    limits = THREE | {"P_MAX": [10.0, 100.0, 40.0], "P_MIN": [-100.0, -20.0, 0.0]}
    scan(
        POWER_SHARING,
        **limits,
        SOC=[50.0] * 3,
        table="""
        P    | P_NODE        UNMET LIMITED
        24   | [8,8,8]       0     0
        90   | [10,40,40]    0     1
        130  | [10,80,40]    0     1
        200  | [10,100,40]   50    1
        -30  | [-15,-15,0]   0     0
        -100 | [-80,-20,0]   0     2
        -150 | [-100,-20,0]  -30   1
    """,
    )


def test_a_node_of_no_weight_helps_when_all_others_are_full():
    """20 % below the mean the weight is 0: it discharges nothing until the others stand at their limit."""
    scan(
        POWER_SHARING,
        **THREE,
        SOC=[60.0, 60.0, 30.0],
        table="P | P_NODE UNMET\n 100 | [50,50,0] 0\n 250 | [100,100,50] 0\n 300 | [100,100,100] 0",
    )


def test_a_node_more_than_5_degrees_off_the_median_is_not_charged_until_it_is_within_4():
    scan(
        POWER_SHARING,
        **EVEN,
        table="""
        P   T              | P_NODE        BYPASSED
        -60 [25,29.9,25]   | [-20,-20,-20] 0
        -60 [25,30.1,25]   | [-30,0,-30]   2
        -60 [25,29.1,25]   | [-30,0,-30]   2
        60  [25,29.1,25]   | [20,20,20]    2
        -60 [25,28.9,25]   | [-20,-20,-20] 0
        -60 [19.9,25,25]   | [0,-30,-30]   1     # a cold one, too
    """,
    )
    scan(POWER_SHARING, **THREE | {"T": [25.0, 40.0, 25.0]}, SOC=[50.0] * 3, BYPASS_ALL=True, table="P | P_NODE\n 60 | [30,0,30]")


def test_one_wrong_node_does_not_bypass_the_others():
    """200 degC moves the mean by 58 K, but not the median. Of several, the one furthest off is named, and a lost one before all."""
    scan(
        POWER_SHARING,
        **EVEN,
        P=-60.0,
        table="T | P_NODE BYPASSED\n [25,25,200] | [-30,-30,0] 3\n [31,25,-40] | [0,-60,0] 3\n [31,25,25] | [0,-30,-30] 1",
    )
    scan(POWER_SHARING, **EVEN, P=-60.0, table="T | P_NODE BYPASSED\n [90,nan,25] | [0,0,0] 2\n [90,25,25] | [0,-30,-30] 1")


def test_of_two_nodes_neither_is_charged_once_they_are_twice_the_limit_apart():
    two = {name: value[:2] for name, value in EVEN.items()}
    table = "T | P_NODE UNMET\n [25,34.9] | [-30,-30] 0\n [25,35.1] | [0,0] -60\n [25,32.9] | [-30,-30] 0"
    scan(POWER_SHARING, **two, P=-60.0, table=table)


def test_a_node_that_is_away_counts_for_no_temperature():
    """Neither for the median of the bypass, nor for the mean of the thermal gain: 26 degC of the two that are there."""
    away = EVEN | {"P": -60.0, "AVAILABLE": [True, True, False]}
    scan(POWER_SHARING, **away, T_GAIN=0.1, table="T | P_NODE BYPASSED\n [27,25,80] | [-27,-33,0] 0\n [27,25,nan] | [-27,-33,0] 0")
    four = {name: [*value, value[0]] for name, value in EVEN.items()} | {"AVAILABLE": [True, True, True, False]}
    scan(POWER_SHARING, **four, P=-60.0, table="T | P_NODE\n [25,25,30.5,40] | [-30,-30,0,0]")


def test_a_narrow_bypass_lets_go_again():
    """Below 5 K it opens at 80 % of T_BYPASS: with half a kelvin, at 0.4."""
    small = "T | BYPASSED\n [25,25,25] | 0\n [25,25.6,25] | 2\n [25,25.45,25] | 2\n [25,25.39,25] | 0"
    scan(POWER_SHARING, **EVEN, P=-60.0, T_BYPASS=0.5, table=small)
    scan(POWER_SHARING, **EVEN, P=-60.0, T_BYPASS=0.0, table="T | BYPASSED\n [25,26,25] | 2\n [25,25,25] | 0")


def test_a_limit_of_0_is_named_while_the_request_is_not_met():
    closed = {name: value for name, value in EVEN.items() if name != "P_MAX"} | {"T": [25.0] * 3}
    scan(
        POWER_SHARING,
        **closed,
        AVAILABLE=[False, True, True],
        table="""
        P   P_MAX     | UNMET LIMITED
        90  [0,0,0]   | 90    2
        90  [0,100,0] | 0     0
        150 [0,100,0] | 50    2
        150 [0,0,100] | 50    2
        0   [0,0,0]   | 0     0
    """,
    )


def test_the_thermal_gain_takes_power_from_the_warmer_nodes():
    """3 K above the mean at 0.1 a kelvin: 0.7 of the weight; the other two stand 1.5 K below and have 1.15."""
    scan(
        POWER_SHARING,
        **THREE | {"T": [29.5, 25.0, 25.0]},
        SOC=[50.0] * 3,
        T_GAIN=0.1,
        table="P | P_NODE\n 60 | [14,23,23]\n -60 | [-14,-23,-23]",
    )


def test_a_node_without_capacity_gets_nothing_even_when_the_others_are_full():
    scan(POWER_SHARING, **THREE | {"ENERGY": [200.0, 0.0, 200.0]}, SOC=[50.0] * 3, table="P | P_NODE UNMET\n 250 | [100,0,100] 50")


def test_what_is_no_number_leaves_the_node_out_and_is_forgotten():
    scan(
        POWER_SHARING,
        **THREE,
        P=60.0,
        table="SOC | P_NODE\n [50,50,50] | [20,20,20]\n [50,nan,50] | [30,0,30]\n [50,50,50] | [20,20,20]",
    )
    scan(POWER_SHARING, **THREE, SOC=[50.0] * 3, table="P | P_NODE UNMET\n nan | [0,0,0] 0\n inf | [0,0,0] 0\n 60 | [20,20,20] 0")
    hot = THREE | {"T": [25.0, math.nan, 25.0]}
    scan(POWER_SHARING, **hot, SOC=[50.0] * 3, table="P | P_NODE\n -60 | [-30,0,-30]\n 60 | [20,20,20]")
    dead = THREE | {"P_MIN": [-100.0, math.nan, -100.0], "P_MAX": [100.0, math.nan, 100.0]}
    scan(POWER_SHARING, **dead, SOC=[50.0] * 3, table="P | P_NODE\n -60 | [-30,0,-30]\n 60 | [30,0,30]")


node = st.fixed_dictionaries(
    {
        "SOC": st.floats(0, 100),
        "ENERGY": st.floats(1, 1000),
        "P_MIN": st.floats(-500, 0),
        "P_MAX": st.floats(0, 500),
        "T": st.floats(15, 40),
        "AVAILABLE": st.booleans(),
    }
)
fleet = st.lists(node, min_size=1, max_size=8)
gains = st.fixed_dictionaries({"GAIN": st.floats(0, 1), "T_GAIN": st.floats(0, 0.2), "METHOD": st.integers(0, 2)})


def columns(nodes: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [n[name] for n in nodes] for name in nodes[0]}


@settings(max_examples=150, deadline=None)
@given(p=st.floats(-3000, 3000), nodes=fleet, gain=gains)
def test_no_limit_is_broken_and_the_sum_is_met_where_it_can_be(p, nodes, gain):
    out = share(p, len(nodes), **columns(nodes), **gain)
    total = 0.0
    for i, one in enumerate(nodes):
        part = float(out.P_NODE[i])
        assert one["P_MIN"] <= part <= one["P_MAX"]
        assert part == 0.0 or (one["AVAILABLE"] and (part > 0.0) == (p > 0.0)), "one sign, and nothing for a node that is away"
        assert not (out.hot[i] and part < 0.0)
        total += part
    assert total + float(out.UNMET) == pytest.approx(p, abs=1e-9 * max(1.0, abs(p)))
    takes = [n for i, n in enumerate(nodes) if n["AVAILABLE"] and not (p < 0.0 and out.hot[i])]
    most = sum(n["P_MAX"] if p > 0.0 else -n["P_MIN"] for n in takes)
    assert abs(float(out.UNMET)) == pytest.approx(max(abs(p) - most, 0.0), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(p=st.floats(-300, 300), socs=st.lists(st.floats(0, 100), min_size=2, max_size=6), gain=gains)
def test_the_fuller_of_two_equal_nodes_never_discharges_less_nor_charges_more(p, socs, gain):
    out = share(p, len(socs), SOC=socs, **gain)
    order = np.argsort(socs, kind="stable")
    parts = [float(out.P_NODE[i]) for i in order]
    assert all(a <= b + 1e-9 for a, b in pairwise(parts)), (sorted(socs), parts)


@settings(max_examples=100, deadline=None)
@given(p=st.floats(-2000, 2000), nodes=fleet, gain=gains, data=st.data())
def test_the_order_of_the_nodes_does_not_matter(p, nodes, gain, data):
    order = data.draw(st.permutations(range(len(nodes))))
    one = share(p, len(nodes), **columns(nodes), **gain)
    other = share(p, len(nodes), **columns([nodes[i] for i in order]), **gain)
    for place, i in enumerate(order):
        assert float(other.P_NODE[place]) == pytest.approx(float(one.P_NODE[i]), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(p=st.floats(-2000, 2000), nodes=fleet, gain=gains, small=st.floats(1e-6, 1e-3))
def test_a_little_more_power_moves_no_node_much(p, nodes, gain, small):
    """Also across zero and across limits: no node moves by more than the request does."""
    one = share(p, len(nodes), **columns(nodes), **gain)
    other = share(p + small, len(nodes), **columns(nodes), **gain)
    for i in range(len(nodes)):
        assert abs(float(other.P_NODE[i]) - float(one.P_NODE[i])) <= small + 1e-9


def usable(method: dict[str, float] | None, gain: float, capacities: np.ndarray, socs: np.ndarray) -> float:
    """Energy in kWh that a fleet discharges at constant power until it cannot give it any more; None: the naive equal split."""
    socs = socs.copy()
    count, p, hours, given_out = len(socs), 50.0 * len(socs), 1.0 / 60.0, 0.0
    twin = Instance(POWER_SHARING, length=count)
    for name, value in {"ENERGY": capacities, "P_MIN": [-100.0] * count, "T": [25.0] * count, "AVAILABLE": [True] * count}.items():
        setattr(twin, name, list(value))
    twin.P, twin.GAIN, twin.METHOD = p, gain, (method or {}).get("METHOD", 0)
    while True:
        if method is None:
            parts = np.full(count, p / count)
            if np.any(socs <= 0.0):  # the first empty node stops the string of equal commands
                return given_out
        else:
            twin.SOC = list(socs)
            twin.P_MAX = list(np.where(socs > 0.0, 100.0, 0.0))
            twin.scan(60_000_000_000)
            if abs(twin.UNMET) > 1e-6:
                return given_out
            parts = np.array(twin.P_NODE.values, dtype=float)
        socs -= parts * hours / capacities * 100.0
        given_out += float(np.sum(parts)) * hours


def test_balancing_gets_back_the_15_to_20_percent_that_divergence_loses():
    """Six nodes of 200 kWh +- 5 % at 90 % +- 15 %: an equal split stops at the emptiest node.

    The claim of the source is that divergence costs 15 to 20 % of the capacity; here it is the share of the stored energy that
    the equal split leaves behind, and both sharing laws must bring back nearly all of it (power limits leave the last percents).
    """
    capacities = 200.0 * np.array([1.05, 1.0, 0.95, 1.0, 0.97, 1.03])
    socs = np.array([95.0, 90.0, 75.0, 92.0, 88.0, 90.0])
    stored = float(np.sum(capacities * socs) / 100.0)
    naive = usable(None, 0.0, capacities, socs) / stored
    by_soc = usable({"METHOD": 0}, 0.1, capacities, socs) / stored
    by_energy = usable({"METHOD": 1}, 0.0, capacities, socs) / stored
    assert 0.80 <= naive <= 0.85, "the test must start from the loss that it names"
    assert by_soc > 0.97
    assert by_energy > 0.97


def test_without_nodes_that_can_take_part_nothing_is_given():
    twin = Twin(POWER_SHARING, length=2)
    for name, value in {"P": 10.0, "SOC": [50.0, 50.0], "P_MAX": [5.0, 5.0], "ENERGY": [0.0, 0.0]}.items():
        twin.set(name, value)
    twin.set("AVAILABLE", [False, False])
    twin.scan(1_000_000)
    assert twin.get("P_NODE") == [0.0, 0.0]
    assert twin.get("UNMET") == 10.0
    assert twin.get("SOC_MEAN") == 0.0


def test_in_yaml_the_nodes_are_lists():
    site = load(
        """
blocks:
  fleet:
    type: POWER_SHARING
    P: 80 kW
    SOC: [n.soc1, n.soc2, n.soc3]
    P_MIN: [-100 kW, -100 kW, -100 kW]
    P_MAX: [100 kW, 100 kW, 100 kW]
    ENERGY: [100 kWh, 200 kWh, 50 kWh]
    T: [25 °C, 25 °C, 25 °C]
    METHOD: 1
outputs:
  n.unmet: fleet.UNMET
""",
        tags="""
        n.soc1: {type: LREAL, unit: '%', default: 80, write: operator}
        n.soc2: {type: LREAL, unit: '%', default: 20, write: operator}
        n.soc3: {type: LREAL, unit: '%', default: 80, write: operator}
        n.unmet: {type: LREAL, unit: kW}
        """,
    )
    scan = PlainScan(site.schedule)
    scan.scan()
    assert scan["p.fleet.P_NODE"] == pytest.approx([40.0, 20.0, 20.0])
