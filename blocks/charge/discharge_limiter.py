"""The limit of discharging power."""

from __future__ import annotations

import math

from blocks.arithmetic import max, min, seconds
from blocks.charge.laws import BAD_INPUT, NO_RATING, is_known, nan_if_broken, power_by_table, power_of, strictest, what_limits
from blocks.declare import DINT, LREAL, Array, Example, Input, Output, Var, block

REASONS = (
    "none",
    "cell voltage",
    "coldest cell",
    "hottest cell",
    "state of charge",
    "BMS limit",
    "rise",
    "bad input",
    "pack current",
    "state of health",
    "discharging rate",
    "grid code",
    "no rated power",
)
OFF = math.inf


@block(source="dbus-serialbattery, default limits (linear tables); OpenEMS: only increases of a limit are rate limited")
class DISCHARGE_LIMITER:
    """How much discharging power the cells bear now: P_MAX, from 0 to P_RATED.

    Five tables give a share of P_RATED each (cell voltage, coldest and hottest cell, state of charge, state of health), linear
    between their points and flat beyond. Five limits are powers: the BMS's (P_BMS, or I_BMS times V_PACK), the pack's own current
    (I_PACK times V_PACK), a rate (C_MAX times ENERGY) and the grid code's (P_GRID). The smallest counts, and
    ACTIVE names it. V_EMPTY moves the voltage table so that its zero stands there. SOH's default table keeps the rate that the
    remaining capacity sees. A decrease acts at once, an increase is no faster than RISE; the first scan opens at once. A NaN on
    any input, also in a table, closes the limit to 0. TEMPERATURES THAT ARE NOT WIRED ARE NOT WATCHED: T_MIN and T_MAX are then
    25 °C.
    """

    SOC = Input(LREAL, "state of charge", unit="%")
    V_CELL = Input(LREAL, "voltage of the lowest cell", unit="V")
    P_RATED = Input(LREAL, "power at a share of 1", unit="kW", min=0)
    T_MIN = Input(LREAL, "temperature of the coldest cell; not watched where it is not wired", unit="°C", default=25.0)
    T_MAX = Input(LREAL, "temperature of the hottest cell; not watched where it is not wired", unit="°C", default=25.0)
    V_EMPTY = Input(LREAL, "cell voltage at which the limit reaches 0", unit="V", default=2.8)
    P_BMS = Input(LREAL, "discharging power that the BMS allows, as a positive number", unit="kW", default=OFF)
    I_BMS = Input(LREAL, "discharging current that the BMS allows, as a positive number; needs V_PACK", unit="A", default=OFF)
    V_PACK = Input(LREAL, "pack voltage, for I_BMS and I_PACK", unit="V", default=0.0)
    RISE = Input(LREAL, "fastest increase of the limit, in P_RATED per second", unit="%/s", default=10.0, min=0)
    I_PACK = Input(
        LREAL, "current that fuses, cables and contactors bear, as a positive number; needs V_PACK", unit="A", default=OFF
    )
    SOH = Input(LREAL, "state of health", unit="%", default=100.0)
    C_MAX = Input(LREAL, "highest discharging rate, as a positive number; needs ENERGY", unit="1/h", default=OFF)
    ENERGY = Input(
        LREAL, "energy of the battery as new, for C_MAX: the tables of rates carry the ageing", unit="kWh", default=0.0, min=0
    )
    P_GRID = Input(
        LREAL, "discharging power that the grid code or the operator allows, as a positive number", unit="kW", default=OFF
    )
    V_POINTS = Input(Array(LREAL, 5), "voltage table: cell voltages, rising", unit="V", default=(2.8, 2.9, 3.0, 3.1, 3.19))
    V_SHARES = Input(Array(LREAL, 5), "voltage table: shares", min=0, max=1, default=(0.0, 0.005, 0.05, 0.25, 1.0))
    T_POINTS = Input(
        Array(LREAL, 8),
        "temperature table: cell temperatures, rising",
        unit="°C",
        default=(-10.0, 0.0, 5.0, 10.0, 40.0, 45.0, 50.0, 55.0),
    )
    T_SHARES = Input(Array(LREAL, 8), "temperature table: shares", min=0, max=1, default=(0.0, 0.25, 0.5, 1.0, 1.0, 0.5, 0.25, 0.0))
    SOC_POINTS = Input(Array(LREAL, 4), "charge table: states of charge, rising", unit="%", default=(5.0, 10.0, 15.0, 20.0))
    SOC_SHARES = Input(Array(LREAL, 4), "charge table: shares", min=0, max=1, default=(0.1, 0.2, 0.5, 1.0))
    SOH_POINTS = Input(Array(LREAL, 4), "health table: states of health, rising", unit="%", default=(0.0, 60.0, 80.0, 100.0))
    SOH_SHARES = Input(Array(LREAL, 4), "health table: shares", min=0, max=1, default=(0.0, 0.6, 0.8, 1.0))
    P_MAX = Output(LREAL, "highest power allowed, discharging being positive", unit="kW", min=0)
    SHARE = Output(LREAL, "the limit as a share of P_RATED", min=0, max=1)
    ACTIVE = Output(DINT, "what limits most", min=0, max=12, names=REASONS)
    limit = Var(LREAL, "the limit one scan ago, as a positive number", unit="kW", default=OFF)

    def step(fb, dt):
        rated = max(fb.P_RATED, 0.0)
        by_voltage = power_by_table(fb.V_CELL - fb.V_EMPTY + fb.V_POINTS[0], fb.V_POINTS, fb.V_SHARES, rated)
        by_cold = power_by_table(fb.T_MIN, fb.T_POINTS, fb.T_SHARES, rated)
        by_heat = power_by_table(fb.T_MAX, fb.T_POINTS, fb.T_SHARES, rated)
        by_charge = power_by_table(fb.SOC, fb.SOC_POINTS, fb.SOC_SHARES, rated)
        by_health = power_by_table(fb.SOH, fb.SOH_POINTS, fb.SOH_SHARES, rated)
        by_current = power_of(fb.I_BMS, fb.V_PACK) / 1000.0
        by_bms = min(fb.P_BMS, by_current)
        by_pack = power_of(fb.I_PACK, fb.V_PACK) / 1000.0
        by_rate = power_of(fb.C_MAX, fb.ENERGY)
        by_rise = fb.limit + fb.RISE * 0.01 * rated * seconds(dt)
        limit = strictest(rated, by_voltage, by_cold, by_heat, by_charge, by_bms, by_pack, by_health, by_rate, fb.P_GRID, by_rise)
        active = what_limits(limit, rated, by_voltage, by_cold, by_heat, by_charge, by_bms, by_pack, by_health, by_rate, fb.P_GRID)
        measured = fb.V_CELL + fb.V_EMPTY + fb.T_MIN + fb.T_MAX + fb.SOC + fb.SOH + fb.P_RATED + fb.ENERGY + fb.V_PACK
        tables = nan_if_broken(fb.V_POINTS, fb.V_SHARES) + nan_if_broken(fb.T_POINTS, fb.T_SHARES)
        tables = tables + nan_if_broken(fb.SOC_POINTS, fb.SOC_SHARES) + nan_if_broken(fb.SOH_POINTS, fb.SOH_SHARES)
        known = is_known(measured, tables, fb.P_BMS + by_current + by_pack + by_rate + fb.P_GRID + by_rise)
        limit = max(limit, 0.0) if known else 0.0
        fb.limit = limit
        fb.P_MAX = limit
        fb.SHARE = limit / rated if rated > 0.0 else 0.0
        fb.ACTIVE = (active if rated > 0.0 else NO_RATING) if known else BAD_INPUT

    example = Example(
        P_RATED=500.0,
        dt="100ms",
        table="""
        V_CELL SOC T_MIN P_GRID | P_MAX SHARE ACTIVE
        3.3    50  25    inf    | 500   1     0      # the first scan opens at once
        3.1    50  25    inf    | 125   0.25  1      # cell voltage
        3.3    50  25    inf    | 130   0.26  6      # up by 10 % of P_RATED a second
        3.3    10  25    inf    | 100   0.2   4      # state of charge
        3.3    50  25    3      | 3     0.006 11     # the grid code
        3.3    50  -10   inf    | 0     0     2
        nan    50  25    inf    | 0     0     7      # nobody knows: closed
    """,
    )
