"""HOT_BYPASS: a rack more than 5 °C off the mean of racks is not charged (NUMBERS.md)."""

from __future__ import annotations

import pytest

from blocks.charge.hot_bypass import HOT_BYPASS
from tests.aids.scan_table import scan

P = [-100.0, -90.0, -80.0, -70.0]


def test_more_than_5_k_off_the_mean_warmer_or_colder():
    scan(
        HOT_BYPASS,
        P_MIN=P,
        HYST=0.0,
        table="""
        T              | OUT                BYPASS    COUNT WORST MEAN EXCURSION
        [25,25,25,25]  | [-100,-90,-80,-70] [0,0,0,0] 0     0     25   0
        [20,20,20,26]  | [-100,-90,-80,-70] [0,0,0,0] 0     0     21.5 0
        [20,30,20,30]  | [-100,-90,-80,-70] [0,0,0,0] 0     0     25   0      # exactly 5 K
        [20,20,20,28]  | [-100,-90,-80,0]   [0,0,0,1] 1     4     22   1      # 6 K off
        [30,22,30,30]  | [-100,0,-80,-70]   [0,1,0,0] 1     2     28   1      # 6 K colder
        [10,25,25,41]  | [0,-90,-80,0]      [1,0,0,1] 2     4     25.25 1
    """,
    )


def test_a_rack_comes_back_only_once_it_is_inside_by_the_hysteresis():
    """Mean 25 in every line; the third rack is 6, 4.5, 4 and 5 K off."""
    scan(
        HOT_BYPASS,
        P_MIN=[-1.0, -1.0, -1.0],
        table="""
        T                | BYPASS  WORST
        [22,22,31]       | [0,0,1] 3
        [22.75,22.75,29.5] | [0,0,1] 3
        [23,23,29]       | [0,0,0] 0
        [22.5,22.5,30]   | [0,0,0] 0
    """,
    )


def test_of_two_racks_each_is_off_by_half_of_the_difference():
    scan(HOT_BYPASS, P_MIN=[-1.0, -1.0], table="T | BYPASS\n [20,30] | [0,0]\n [20,30.1] | [1,1]")


def test_one_rack_is_its_own_mean():
    scan(HOT_BYPASS, P_MIN=[-50.0], table="T | OUT MEAN\n [70] | [-50] 70")


@pytest.mark.parametrize("broken", ["nan", "inf", "-inf"])
def test_a_rack_that_nobody_knows_is_bypassed_and_does_not_move_the_mean(broken):
    scan(
        HOT_BYPASS,
        P_MIN=[-1.0, -1.0, -1.0],
        table=f"""
        T               | OUT       WORST COUNT MEAN
        [25,26,27]      | [-1,-1,-1] 0    0     26
        [25,{broken},27] | [-1,0,-1] 2    1     26
        [{broken},{broken},{broken}] | [0,0,0] - 3 0
        [25,26,27]      | [-1,-1,-1] 0    0     26
    """,
    )


def test_a_limit_that_is_nan_or_positive_is_0():
    scan(HOT_BYPASS, T=[25.0, 25.0, 25.0], table="P_MIN | OUT\n [nan,50,-50] | [0,0,-50]")


@pytest.mark.parametrize("pin", ["DT", "HYST"])
def test_a_nan_in_the_distance_bypasses_while_it_lasts(pin):
    rest = {"DT": 5.0, "HYST": 1.0, "T": [25.0, 40.0], "P_MIN": [-1.0, -1.0]}
    bad = {"DT": "[0,0]", "HYST": "[0,0]"}[pin]
    good = rest.pop(pin)
    scan(HOT_BYPASS, **rest, table=f"{pin} T | OUT\n {good} [20,40] | [0,0]\n nan [20,40] | {bad}\n {good} [25,25] | [-1,-1]")
