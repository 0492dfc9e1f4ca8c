"""DISCHARGE_LIMITER: the tables of dbus-serialbattery (NUMBERS.md), the BMS's limits, and the slow way up."""

from __future__ import annotations

import pytest

from blocks.charge.discharge_limiter import DISCHARGE_LIMITER, REASONS
from tests.aids.scan_table import scan

CALM = {"SOC": 50.0, "V_CELL": 3.3, "P_RATED": 500.0, "RISE": float("inf")}
CELL_V = {3.4: 1, 3.19: 1, 3.145: 0.625, 3.1: 0.25, 3.0: 0.05, 2.9: 0.005, 2.85: 0.0025, 2.8: 0, 2.0: 0}
CELL_T = {-20: 0, -10: 0, -5: 0.125, 0: 0.25, 5: 0.5, 10: 1, 25: 1, 40: 1, 45: 0.5, 50: 0.25, 55: 0, 80: 0}
SOC = {100: 1, 20: 1, 17.5: 0.75, 15: 0.5, 10: 0.2, 5: 0.1, 0: 0.1}
ALL_PINS = ["SOC", "V_CELL", "T_MIN", "T_MAX", "P_RATED", "V_EMPTY", "P_BMS", "I_BMS", "V_PACK", "RISE"]
ALL_PINS += ["I_PACK", "SOH", "C_MAX", "ENERGY", "P_GRID"]


@pytest.mark.parametrize(("pin", "table"), [("V_CELL", CELL_V), ("SOC", SOC), ("T_MIN", CELL_T), ("T_MAX", CELL_T)])
def test_each_table_at_its_points_and_between(pin, table):
    lines = [f"{x} | {500 * share} {share}" for x, share in table.items()]
    params = {name: value for name, value in CALM.items() if name != pin}
    scan(DISCHARGE_LIMITER, **params, table=f"{pin} | P_MAX SHARE\n" + "\n".join(lines))


def test_v_empty_moves_the_whole_voltage_table():
    """Empty at 2.9 V: 100 mV above the default, so what stood at 3.1 V now stands at 3.2 V."""
    scan(
        DISCHARGE_LIMITER,
        SOC=50.0,
        P_RATED=500.0,
        V_EMPTY=2.9,
        RISE=float("inf"),
        table="""
        V_CELL | P_MAX
        3.3    | 500
        3.2    | ~125.00
        2.9    | 0
    """,
    )


def test_the_bms_cuts_it_further():
    scan(
        DISCHARGE_LIMITER,
        **CALM,
        table=f"""
        P_BMS I_BMS V_PACK | P_MAX ACTIVE
        inf   inf   0      | 500   0
        120   100   800    | 80    {REASONS.index("BMS limit")}
        -5    inf   800    | 0     {REASONS.index("BMS limit")}
    """,
    )


def test_a_decrease_acts_at_once_and_an_increase_takes_its_time():
    scan(
        DISCHARGE_LIMITER,
        SOC=50.0,
        P_RATED=500.0,
        RISE=10.0,
        dt="100ms",
        table="""
        x  V_CELL | P_MAX
        1  3.3    | 500
        1  2.7    | 0
        1  3.3    | 5
        99 3.3    | 500
    """,
    )


@pytest.mark.parametrize("pin", ALL_PINS)
def test_a_nan_on_any_input_closes_it(pin):
    scan(
        DISCHARGE_LIMITER,
        **{name: value for name, value in CALM.items() if name != pin},
        table=f"""
        {pin} | P_MAX SHARE ACTIVE
        nan   | 0     0     {REASONS.index("bad input")}
    """,
    )


def test_the_pack_its_age_a_rate_and_the_grid_code_cut_it_further():
    """0.2C of 1,000 kWh is 200 kW; 300 A at 800 V are 240 kW; the default health table is proportional from 60 % on."""
    scan(
        DISCHARGE_LIMITER,
        **CALM,
        V_PACK=800.0,
        ENERGY=1000.0,
        table=f"""
        I_PACK SOH C_MAX P_GRID | P_MAX ACTIVE
        inf    100 inf   inf    | 500  0
        300    100 inf   inf    | 240  {REASONS.index("pack current")}
        300    40  inf   inf    | 200  {REASONS.index("state of health")}
        inf    90  inf   inf    | 450  {REASONS.index("state of health")}
        300    90  0.2   inf    | 200  {REASONS.index("discharging rate")}
        300    90  0.2   150    | 150  {REASONS.index("grid code")}
        300    90  0.2   -9     | 0     {REASONS.index("grid code")}
        300    90  0     150    | 0     {REASONS.index("discharging rate")}
        -5     90  0.2   150    | 0     {REASONS.index("pack current")}
    """,
    )


def test_a_limit_whose_second_factor_is_missing_closes_rather_than_opens():
    """A rate without an energy, a pack current without a voltage."""
    scan(DISCHARGE_LIMITER, **CALM, table="C_MAX ENERGY | P_MAX\n inf 0 | 500\n 0.5 0 | 0\n 0.5 100 | 50")
    scan(DISCHARGE_LIMITER, **CALM, table="I_PACK V_PACK | P_MAX\n inf 0 | 500\n 100 0 | 0\n 100 -800 | 0")


def test_a_rise_below_zero_never_turns_the_sign_of_the_limit():
    scan(DISCHARGE_LIMITER, **(CALM | {"RISE": -50.0}), dt="1s", table="V_CELL | P_MAX\n 3.3 | 500\n 3.3 | 250\n 3.3 | 0\n 3.3 | 0")


def test_at_a_share_that_two_limits_give_the_earlier_one_is_named():
    names = REASONS.index("coldest cell"), REASONS.index("hottest cell")
    scan(DISCHARGE_LIMITER, **CALM, table=f"T_MIN T_MAX | ACTIVE\n 5 45 | {names[0]}\n 10 45 | {names[1]}")


@pytest.mark.parametrize(
    "table", ["V_POINTS", "V_SHARES", "T_POINTS", "T_SHARES", "SOC_POINTS", "SOC_SHARES", "SOH_POINTS", "SOH_SHARES"]
)
@pytest.mark.parametrize("place", [0, 2, -1])
def test_a_single_point_of_a_table_that_is_broken_closes_it(table, place):
    """Also one that is not needed now: at 70 °C a broken last but one point would open what the last one closes."""
    values = list(DISCHARGE_LIMITER.pin(table).default)
    values[place] = float("nan")
    scan(DISCHARGE_LIMITER, **CALM, **{table: values}, table=f"T_MAX | P_MAX ACTIVE\n 25 | 0 {REASONS.index('bad input')}")


@pytest.mark.parametrize("volts", ["nan", "inf", "-inf"])
def test_a_pack_voltage_that_is_no_number_does_not_open_the_bms_limit(volts):
    scan(DISCHARGE_LIMITER, **CALM, I_BMS=10.0, table=f"V_PACK | P_MAX\n 800 | 8\n {volts} | 0\n 800 | 8")


def test_without_limits_in_ampere_it_needs_no_pack_voltage():
    scan(DISCHARGE_LIMITER, **CALM, table="V_PACK | P_MAX\n 0 | 500")


def test_no_rated_power_is_named():
    scan(
        DISCHARGE_LIMITER,
        SOC=50.0,
        V_CELL=3.3,
        P_RATED=0.0,
        table=f"T_MAX | P_MAX ACTIVE\n 25 | 0 {REASONS.index('no rated power')}",
    )
