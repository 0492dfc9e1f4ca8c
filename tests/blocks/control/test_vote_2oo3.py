"""VOTE_2OO3: the middle of three, and what is left when sensors leave."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from blocks.control.vote_2oo3 import VOTE_2OO3
from tests.aids.scan_table import Twin, scan


def test_it_is_the_median_of_three(deviation):
    """No arithmetic is done on the middle one: the bar is 0."""
    chance = np.random.default_rng(1)
    twin = Twin(VOTE_2OO3)
    twin.set("TOLERANCE", 1e9)
    worst = 0.0
    for values in [
        *itertools.permutations((1.0, 2.0, 3.0)),
        *itertools.product((0.0, 1.0), repeat=3),
        *chance.normal(size=(100, 3)),
    ]:
        for name, value in zip(("IN1", "IN2", "IN3"), values, strict=True):
            twin.set(name, float(value))
        twin.scan(10_000_000)
        worst = max(worst, abs(float(twin.get("OUT")) - float(np.median(values))))
    deviation("VOTE_2OO3", "numpy 2 median", "114 triples", worst, 0.0)


def test_one_wrong_sensor_moves_it_no_further_than_the_other_two_stand():
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        DELAY="1h",
        IN1=20.0,
        IN2=20.5,
        table="IN3 | OUT ALARM\n 20.2 | 20.2 0\n 1e6 | 20.5 0\n -1e6 | 20 0",
    )


@pytest.mark.parametrize(("row", "number"), [("90 20 20.5", 1), ("20 90 20.5", 2), ("20 20.5 90", 3), ("-90 20 20.5", 1)])
def test_the_sensor_that_deviates_is_named_after_the_delay_and_left_out(row, number):
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        DELAY="20ms",
        table=f"""
        IN1 IN2 IN3  | QUALITY WRONG    ALARM
        20  20  20.5 | 3       0        0
        {row}        | 3       0        0
        {row}        | 3       0        0
        {row}        | 2       {number} 1
        20  20  20.5 | 3       0        0        # it is back at once
    """,
    )


def test_a_sensor_that_deviates_for_a_moment_is_not_left_out():
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        DELAY="10ms",
        IN1=20.0,
        IN2=20.0,
        table="IN3 | WRONG\n 90 | 0\n 20 | 0\n 90 | 0\n 20 | 0\n 90 | 0\n 90 | 3",
    )


@pytest.mark.parametrize(("prefer", "out"), [(0, "20.25"), (1, "20"), (2, "20.5")])
def test_of_two_it_is_the_mean_or_the_one_preferred(prefer, out):
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        PREFER=prefer,
        table=f"IN1 IN2 IN3 | OUT QUALITY WRONG\n 20 20.5 nan | {out} 2 3\n inf 20.5 20 | {out} 2 1",
    )


def test_it_degrades_to_one_and_to_none_and_says_so():
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        table="""
        IN1 IN2 IN3 | OUT QUALITY WRONG ALARM
        20  20  20  | 20  3       0     0
        20  nan 20  | 20  2       2     1
        nan nan 20  | 20  1       1     1
        nan nan nan | nan 0       1     1
        21  21  21  | 21  3       0     0
    """,
    )


def test_a_sensor_left_out_stays_out_when_a_good_one_dies():
    """Without memory the liar would be half of the mean."""
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        table="""
        IN1 IN2 IN3 | OUT QUALITY WRONG
        20  20  90  | 20  2       3
        20  nan 90  | 20  1       2
        20  20  90  | 20  2       3
        20  20  20  | 20  3       0
    """,
    )


def test_sensors_that_all_differ_alarm_and_nobody_is_accused():
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        DELAY="10ms",
        table="""
        IN1 IN2 IN3 | OUT QUALITY WRONG ALARM
        10  20  30  | 20  3       0     0
        10  20  30  | 20  3       0     1
        10  11  12  | 11  3       0     0      # neighbours agree with the middle
    """,
    )


def test_two_that_differ_alarm_even_with_the_third_dead_and_a_broken_tolerance_alarms():
    scan(VOTE_2OO3, TOLERANCE=1.0, IN3=float("nan"), table="IN1 IN2 | OUT DISAGREE\n 20 30 | 25 1")
    scan(VOTE_2OO3, IN1=20.0, IN2=20.0, IN3=20.0, table="TOLERANCE | OUT DISAGREE\n nan | 20 1\n 0 | 20 0")


@pytest.mark.parametrize("row", ["{far} 20 21", "20 {far} 21", "20 21 {far}"])
@pytest.mark.parametrize("back", ["19", "22"])
def test_a_sensor_that_comes_back_near_one_of_the_others_is_used_again(row, back):
    """22 is within 1 of 21 and not of 20, 19 within 1 of 20 and not of 21. Without a delay it is left out at once."""
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        table=f"IN1 IN2 IN3 | QUALITY\n {row.format(far=90)} | 2\n {row.format(far=22.1)} | 2\n {row.format(far=back)} | 3",
    )


@pytest.mark.parametrize("values", ["20 20.5 nan", "20.5 20 nan", "nan 20 20.5", "nan 20.5 20", "20 nan 20.5", "20.5 nan 20"])
def test_of_any_two_the_preferred_one_is_found(values):
    scan(VOTE_2OO3, TOLERANCE=1.0, table=f"PREFER IN1 IN2 IN3 | OUT\n 0 {values} | 20.25\n 1 {values} | 20\n 2 {values} | 20.5")


@pytest.mark.parametrize(
    ("wrong", "apart", "back"),
    [("20 20 90", "20 nan 90", "20 nan 21"), ("20 90 20", "20 90 nan", "20 21 nan"), ("90 20 20", "90 nan 20", "21 nan 20")],
)
def test_with_a_dead_sensor_the_wrong_one_returns_when_it_agrees_with_the_last_one(wrong, apart, back):
    """Else the death of the third would leave nobody, with a sensor that has been right for a year."""
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        DELAY="10ms",
        table=f"""
        IN1 IN2 IN3 | OUT  QUALITY DISAGREE
        {wrong}     | 20   3       0
        {wrong}     | 20   2       0
        {apart}     | 20   1       0
        {apart}     | 20   1       1       # one was outvoted, and the one that outvoted it may be wrong by now
        {back}      | 20.5 2       0
    """,
    )


def test_sensors_that_differ_by_the_tolerance_agree():
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        table="IN1 IN2 IN3 | QUALITY DISAGREE\n 20 21 90 | 2 0\n 90 20 21 | 2 0\n 20 90 21 | 2 0\n 20 21 21 | 3 0\n 21 21 20 | 3 0",
    )


def test_two_that_differ_are_not_to_be_trusted_and_one_alone_cannot_disagree():
    scan(
        VOTE_2OO3,
        TOLERANCE=1.0,
        DELAY="10ms",
        table="""
        IN1 IN2 IN3 | QUALITY DISAGREE ALARM
        20  21  nan | 2       0        1
        20  30  nan | 2       0        1
        20  30  nan | 2       1        1
        20  nan nan | 1       0        1
        nan 20  30  | 2       0        1
        nan 20  30  | 2       1        1
        20  20  20  | 3       0        0
    """,
    )
