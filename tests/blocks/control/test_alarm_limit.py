"""ALARM_LIMIT: four limits, deadband and delay as in EPICS records and IEC 62682."""

from __future__ import annotations

import pytest

from blocks.control.alarm_limit import ALARM_LIMIT
from tests.aids.scan_table import scan


def test_each_limit_raises_its_own_alarm():
    scan(
        ALARM_LIMIT,
        L=10.0,
        LL=5.0,
        H=45.0,
        HH=55.0,
        table="""
        IN   | LL_ACTIVE L_ACTIVE H_ACTIVE HH_ACTIVE
        25   | 0         0        0        0
        45   | 0         0        1        0
        55   | 0         0        1        1
        inf  | 0         0        1        1
        44.9 | 0         0        0        0
        10   | 0         1        0        0
        5    | 1         1        0        0
        -inf | 1         1        0        0
    """,
    )


def test_it_goes_only_when_the_value_is_back_by_the_deadband():
    scan(
        ALARM_LIMIT,
        H=45.0,
        L=10.0,
        DEADBAND=1.0,
        table="""
        IN   | H_ACTIVE L_ACTIVE
        44.5 | 0        0
        45   | 1        0
        44   | 1        0
        43.9 | 0        0
        44.5 | 0        0
        10   | 0        1
        11   | 0        1
        11.1 | 0        0
    """,
    )


def test_it_must_last():
    scan(
        ALARM_LIMIT,
        H=45.0,
        DELAY="2s",
        dt="1s",
        table="""
        IN | H_ACTIVE
        46 | 0
        46 | 0
        44 | 0          # back in time: nothing happened
        46 | 0
        46 | 0
        46 | 1
        44 | 0
    """,
    )


def test_a_limit_that_was_not_given_is_off():
    scan(ALARM_LIMIT, table="IN | H_ACTIVE HH_ACTIVE L_ACTIVE LL_ACTIVE\n inf | 0 0 0 0\n -inf | 0 0 0 0\n nan | 0 0 0 0")


def test_a_value_that_nobody_knows_is_an_alarm_on_every_limit_given():
    scan(
        ALARM_LIMIT,
        HH=55.0,
        LL=5.0,
        DELAY="10ms",
        table="""
        IN  | H_ACTIVE HH_ACTIVE L_ACTIVE LL_ACTIVE
        25  | 0        0         0        0
        nan | 0        0         0        0
        nan | 0        1         0        1
        25  | 0        0         0        0
    """,
    )


@pytest.mark.parametrize(("limit", "side"), [("H", 1), ("HH", 1), ("L", -1), ("LL", -1)])
def test_each_limit_has_its_own_deadband_and_delay(limit, side):
    """At 50 with a deadband of 2: left beyond 48 or 52, and only after 20 ms at or beyond 50."""
    at, inside, back, gone = (str(50 - side * way) for way in (0, 0.5, 2, 2.1))
    scan(
        ALARM_LIMIT,
        DEADBAND=2.0,
        DELAY="20ms",
        **{limit: 50.0},
        table=f"""
        IN       | {limit}_ACTIVE
        {gone}   | 0
        {inside} | 0        # the deadband holds no alarm that was not there
        {at}     | 0
        {at}     | 0
        {inside} | 0        # not long enough: it begins anew
        {at}     | 0
        {at}     | 0
        {at}     | 1
        {at}     | 1
        {back}   | 1
        {gone}   | 0
        {at}     | 0
    """,
    )


@pytest.mark.parametrize("limit", ["H", "HH", "L", "LL"])
def test_a_limit_that_nobody_knows_is_an_alarm_and_an_infinite_one_is_off(limit):
    scan(ALARM_LIMIT, IN=20.0, table=f"{limit} | {limit}_ACTIVE\n inf | 0\n nan | 1\n -inf | 0\n nan | 1\n inf | 0")


@pytest.mark.parametrize("deadband", ["nan", "-5", "inf"])
def test_a_deadband_without_sense_is_none(deadband):
    scan(ALARM_LIMIT, H=45.0, table=f"IN DEADBAND | H_ACTIVE\n 45 {deadband} | 1\n 45 {deadband} | 1\n 44.9 {deadband} | 0")


@pytest.mark.parametrize(("limit", "inside"), [("H", "41"), ("HH", "41"), ("L", "49"), ("LL", "49")])
def test_one_broken_sample_holds_no_alarm_inside_the_deadband(limit, inside):
    scan(
        ALARM_LIMIT,
        DEADBAND=5.0,
        table=f"""
        IN       {limit} | {limit}_ACTIVE
        {inside} 45      | 0
        nan      45      | 1
        {inside} 45      | 0
        {inside} nan     | 1
        {inside} 45      | 0
        45       45      | 1
        nan      45      | 1
        {inside} 45      | 1      # raised by a known value, and not back
    """,
    )


@pytest.mark.parametrize("limit", ["H", "HH", "L", "LL"])
def test_a_longer_delay_does_not_drop_an_alarm_that_stands(limit):
    scan(
        ALARM_LIMIT,
        **{limit: 45.0},
        IN=45.0,
        table=f"x DELAY | {limit}_ACTIVE\n 2 20ms | 0\n 1 20ms | 1\n 9 1h | 1",
    )
