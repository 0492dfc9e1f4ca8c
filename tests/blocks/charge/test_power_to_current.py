"""POWER_TO_CURRENT: I = P/V on both sides of zero, and no current where the division would go wild."""

from __future__ import annotations

import pytest

from blocks.charge.power_to_current import POWER_TO_CURRENT
from tests.aids.scan_table import scan

RATED = {"I_CHARGE": 1e5, "I_DISCHARGE": 1e5}


def test_ampere_are_kilowatts_by_volts():
    scan(
        POWER_TO_CURRENT,
        **RATED,
        P_MIN=-100.0,
        P_MAX=50.0,
        table="V | I_MIN I_MAX\n 1000 | -100 50\n 800 | -125 62.5\n 500 | -200 100",
    )


def test_the_rated_currents_hold_where_the_power_would_allow_more():
    scan(
        POWER_TO_CURRENT,
        V=800.0,
        I_CHARGE=150.0,
        I_DISCHARGE=300.0,
        table="""
        P_MIN P_MAX | I_MIN I_MAX
        -80   80    | -100  100
        -200  200   | -150  250
        -inf  inf   | -150  300
    """,
    )


def test_a_limit_on_the_wrong_side_of_zero_allows_nothing():
    scan(
        POWER_TO_CURRENT,
        **RATED,
        V=800.0,
        table="P_MIN P_MAX | I_MIN I_MAX\n 80 80 | 0 100\n -80 -80 | -100 0\n 0 0 | 0 0\n 5 -5 | 0 0",
    )


@pytest.mark.parametrize("volts", ["49.9", "0", "-800", "nan", "inf", "-inf"])
def test_without_a_good_voltage_both_sides_are_closed(volts):
    scan(
        POWER_TO_CURRENT,
        **RATED,
        P_MIN=-80.0,
        P_MAX=80.0,
        table=f"V | I_MIN I_MAX OK\n 800 | -100 100 1\n {volts} | 0 0 0\n 50 | -1600 1600 1",
    )


def test_a_least_voltage_of_zero_still_divides_by_nothing_near_zero():
    scan(
        POWER_TO_CURRENT,
        **RATED,
        P_MIN=-80.0,
        P_MAX=0.0,
        V_LEAST=0.0,
        table="V | I_MIN I_MAX OK\n 0 | 0 0 0\n 5e-324 | 0 0 0\n 1 | -80000 0 1",
    )


@pytest.mark.parametrize(
    ("pin", "good", "amps"),
    [
        ("P_MIN", -80.0, "0 100"),
        ("P_MAX", 80.0, "-100 0"),
        ("I_CHARGE", 500.0, "0 100"),
        ("I_DISCHARGE", 500.0, "-100 0"),
        ("V_LEAST", 50.0, "0 0"),
    ],
)
def test_a_nan_closes_its_side(pin, good, amps):
    rest = {"P_MIN": -80.0, "P_MAX": 80.0, "V": 800.0} | RATED
    rest = {name: value for name, value in rest.items() if name != pin}
    scan(POWER_TO_CURRENT, **rest, table=f"{pin} | I_MIN I_MAX\n {good} | -100 100\n nan | {amps}\n {good} | -100 100")


def test_the_rated_currents_must_be_given():
    """Limits that are off are infinite; without a rated current so would be the ampere."""
    assert POWER_TO_CURRENT.pin("I_CHARGE").required
    assert POWER_TO_CURRENT.pin("I_DISCHARGE").required
