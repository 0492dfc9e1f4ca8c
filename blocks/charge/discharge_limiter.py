"""The limit of discharging power."""

from __future__ import annotations

import math

from blocks.arithmetic import interpolate, is_finite, is_nan, max, min, seconds
from blocks.declare import DINT, LREAL, Array, Input, Output, Var, block

REASONS = ("none", "cell voltage", "coldest cell", "hottest cell", "state of charge", "BMS limit", "rise", "bad input")
OFF = math.inf


@block(source="dbus-serialbattery, default limits (linear tables); OpenEMS: only increases of a limit are rate limited")
class DISCHARGE_LIMITER:
    """How much discharging power the cells bear now: P_MAX, from 0 to P_RATED.

    Four tables give a share of P_RATED each (cell voltage, coldest and hottest cell, state of charge), linear between their points
    and flat beyond; the smallest counts, and the BMS's own limits (P_BMS, or I_BMS times V_PACK) cut it further. V_EMPTY moves the
    voltage table so that its zero stands there. A decrease acts at once, an increase is no faster than RISE; the first scan opens
    at once. A NaN on any input closes the limit to 0.
    """

    SOC = Input(LREAL, "state of charge", unit="%")
    V_CELL = Input(LREAL, "voltage of the lowest cell", unit="V")
    P_RATED = Input(LREAL, "power at a share of 1", unit="kW", min=0)
    T_MIN = Input(LREAL, "temperature of the coldest cell", unit="°C", default=25.0)
    T_MAX = Input(LREAL, "temperature of the hottest cell", unit="°C", default=25.0)
    V_EMPTY = Input(LREAL, "cell voltage at which the limit reaches 0", unit="V", default=2.8)
    P_BMS = Input(LREAL, "discharging power that the BMS allows, as a positive number", unit="kW", default=OFF)
    I_BMS = Input(LREAL, "discharging current that the BMS allows, as a positive number; needs V_PACK", unit="A", default=OFF)
    V_PACK = Input(LREAL, "pack voltage, for I_BMS", unit="V", default=0.0)
    RISE = Input(LREAL, "fastest increase of the limit, in P_RATED per second", unit="%/s", default=10.0, min=0)
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
    P_MAX = Output(LREAL, "highest power allowed, discharging being positive", unit="kW", min=0)
    SHARE = Output(LREAL, "the limit as a share of P_RATED", min=0, max=1)
    ACTIVE = Output(DINT, "what limits most", min=0, max=7, names=REASONS)
    limit = Var(LREAL, "the limit one scan ago, as a positive number", unit="kW", default=OFF)

    def step(fb, dt):
        rated = max(fb.P_RATED, 0.0)
        by_voltage = interpolate(fb.V_CELL - fb.V_EMPTY + fb.V_POINTS[0], fb.V_POINTS, fb.V_SHARES) * rated
        by_cold = interpolate(fb.T_MIN, fb.T_POINTS, fb.T_SHARES) * rated
        by_heat = interpolate(fb.T_MAX, fb.T_POINTS, fb.T_SHARES) * rated
        by_charge = interpolate(fb.SOC, fb.SOC_POINTS, fb.SOC_SHARES) * rated
        by_current = OFF if fb.I_BMS == OFF else fb.I_BMS * fb.V_PACK / 1000.0
        by_rise = fb.limit + fb.RISE * 0.01 * rated * seconds(dt)
        limit = rated
        active = 0
        if by_voltage < limit:
            limit = by_voltage
            active = 1
        if by_cold < limit:
            limit = by_cold
            active = 2
        if by_heat < limit:
            limit = by_heat
            active = 3
        if by_charge < limit:
            limit = by_charge
            active = 4
        if min(fb.P_BMS, by_current) < limit:
            limit = max(min(fb.P_BMS, by_current), 0.0)
            active = 5
        if by_rise < limit:
            limit = by_rise
            active = 6
        measured = fb.V_CELL + fb.V_EMPTY + fb.T_MIN + fb.T_MAX + fb.SOC + fb.P_RATED
        tables = by_voltage + by_cold + by_heat + by_charge
        if not is_finite(measured + tables) or is_nan(fb.P_BMS + by_current) or is_nan(fb.V_PACK + by_rise):
            limit = 0.0
            active = 7
        fb.limit = limit
        fb.P_MAX = limit
        fb.SHARE = limit / rated if rated > 0.0 else 0.0
        fb.ACTIVE = active
