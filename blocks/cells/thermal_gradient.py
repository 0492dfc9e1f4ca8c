"""The temperature difference between a cell's core and its skin."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_finite, min, seconds, settling
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

NEVER = math.nan


@block(source="Lin et al., A lumped-parameter electro-thermal model for cylindrical batteries (J. Power Sources 257, 2014)")
class THERMAL_GRADIENT:
    """Trips when the core of a cell is more than LIMIT warmer (or colder) than its skin: ERR_THERM_GRD_LIMIT.

    The core's node of the two-state model, driven by the measured skin: C_CORE dTc/dt = I^2 R_CELL + (Ts - Tc) / R_COND. At rest
    the core is where the skin is; under a steady current it ends I^2 R_CELL R_COND above it, with the time constant R_COND
    C_CORE. Where a probe measures the core (T_PROBE is a number) the estimate follows it. It starts without a gradient: after a
    restart under load it needs some time constants. Without skin or current the estimate is held and counts as over the limit.
    TRIP stays until a rising edge of RESET.
    """

    T_SKIN = Input(LREAL, "temperature of the skin", unit="°C")
    I = Input(LREAL, "current of the cell, either sign", unit="A")  # noqa: E741 - the letter of the trade
    R_CELL = Input(LREAL, "resistance that makes the heat", unit="Ohm", min=0)
    R_COND = Input(LREAL, "thermal resistance from core to skin", unit="K/W", min=0)
    C_CORE = Input(LREAL, "heat capacity of the core", unit="J/K", min=0)
    LIMIT = Input(LREAL, "highest difference", unit="K", min=0)
    T_PROBE = Input(LREAL, "measured temperature of the core; NaN: none", unit="°C", default=NEVER)
    DELAY = Input(TIME, "how long it must be over the limit", default=5_000_000_000, min=0)
    RESET = Input(BOOL, "clears TRIP on its rising edge, if the difference is inside again", default=False)
    T_CORE = Output(LREAL, "temperature of the core, measured or estimated", unit="°C")
    GRADIENT = Output(LREAL, "core less skin; 0 while the skin is not known", unit="K")
    OVER = Output(BOOL, "over the limit now, or not known")
    TRIP = Output(BOOL, "take the power away; stays until RESET")
    HELD = Output(BOOL, "skin, current or a parameter is dead: the estimate is held")
    core = Var(LREAL, "estimate; NaN while there is none", unit="°C", default=NEVER)
    lasted = Var(TIME, "how long it has been over, held at DELAY")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        aim = fb.T_SKIN + fb.I * fb.I * fb.R_CELL * fb.R_COND
        before = fb.core if is_finite(fb.core) else fb.T_SKIN
        estimate = before + settling(seconds(dt), fb.R_COND * fb.C_CORE) * (aim - before)
        measured = is_finite(fb.T_PROBE)
        alive = measured or is_finite(estimate + fb.C_CORE)
        core = fb.T_PROBE if measured else (estimate if alive else fb.core)
        gradient = core - fb.T_SKIN
        over = not alive or not abs(gradient) <= fb.LIMIT
        fb.lasted = min(fb.lasted + dt, fb.DELAY) if over and fb.OVER else 0
        fb.core = core
        fb.T_CORE = core
        fb.GRADIENT = gradient if is_finite(gradient) else 0.0
        clears = fb.RESET and not fb.pressed and not over
        fb.TRIP = (over and fb.lasted >= fb.DELAY) or (fb.TRIP and not clears)
        fb.OVER = over
        fb.HELD = not alive
        fb.pressed = fb.RESET

    example = Example(
        R_CELL=0.0005,
        R_COND=0.25,
        C_CORE=800,
        LIMIT=8,
        T_SKIN=25,
        dt="20s",
        DELAY="40s",
        table="""
        x   I   | T_CORE GRADIENT OVER TRIP
        1   0   | 25     0        0    0
        10  280 | ~31    ~6       0    0     # 39.2 W: on the way to 9.8 K, time constant 200 s
        8   280 | ~33    ~8       1    0     # over 8 K since about 340 s
        3   280 | ~34    ~9       1    1
        200 0   | ~25    ~0       0    1
    """,
    )
