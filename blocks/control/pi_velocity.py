"""The PI controller of a motor-driven valve or damper."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, max, min, seconds
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

NEVER = math.nan
STROKE = 100.0


@block(
    source="Astrom & Hagglund, Advanced PID Control (ISA 2006): velocity algorithm; three-point step control as in DIN IEC practice"
)
class PI_VELOCITY:
    """Three-point step controller: drives a motor valve or damper by UP and DOWN pulses so that PV comes to SP.

    Each scan asks for an INCREMENT of the position, KP * (change of the error + error * dt/TI), in per cent of the stroke. What is
    asked adds up; a motor that needs T_MOTOR for the stroke works it off. It starts when the debt is worth a pulse of PULSE, and
    every pulse lasts at least that long. There is no position feedback and no integral that could wind up: the debt is held to one
    stroke, and dropped towards an end whose switch is made. An error inside DEADBAND asks for nothing more. UP and DOWN are never
    true together, and one scan is off between them. A NaN, or a T_MOTOR without sense, stops the motor and forgets the debt.
    """

    SP = Input(LREAL, "setpoint", unit="{SP}")
    PV = Input(LREAL, "measured value", unit="{SP}")
    KP = Input(LREAL, "proportional gain; negative where opening makes PV fall", unit="%/{SP}")
    TI = Input(LREAL, "integral time; 0 switches the integral off", unit="s", default=0.0, min=0)
    DEADBAND = Input(
        LREAL, "an error up to this counts as none, a larger one less by it", unit="{SP}", default=0.0, min=0, difference=True
    )
    T_MOTOR = Input(LREAL, "time of the motor for the whole stroke", unit="s", min=0.1)
    PULSE = Input(TIME, "shortest pulse", default=200_000_000, min=0)
    OPENED = Input(BOOL, "end switch: fully open", default=False)
    CLOSED = Input(BOOL, "end switch: fully closed", default=False)
    AUTO = Input(BOOL, "true: the controller decides; false: MAN_UP and MAN_DOWN do", default=True)
    MAN_UP = Input(BOOL, "open in manual", default=False)
    MAN_DOWN = Input(BOOL, "close in manual; both stand still", default=False)
    UP = Output(BOOL, "motor opens")
    DOWN = Output(BOOL, "motor closes")
    INCREMENT = Output(LREAL, "change of the position asked for in this scan", unit="%")
    HELD = Output(BOOL, "an input is not a number: the motor stands still in automatic")
    debt = Var(LREAL, "position asked for and not yet driven", unit="%")
    was = Var(LREAL, "error one scan ago; NaN while there is none", unit="{SP}", default=NEVER)
    ran = Var(TIME, "time since the pulse began")

    def step(fb, dt):
        h = seconds(dt)
        way = STROKE * h / fb.T_MOTOR
        error = fb.SP - fb.PV
        error = error - clamp(0.0 - fb.DEADBAND, error, fb.DEADBAND)
        change = error - fb.was if is_finite(fb.was) else 0.0
        asked = fb.KP * (change + (error * min(h / fb.TI, 1.0) if fb.TI > 0.0 else 0.0))
        dead = not (is_finite(asked + way + fb.TI) and fb.T_MOTOR > 0.0)
        runs = fb.UP or fb.DOWN
        ran = fb.ran + dt if runs else 0
        driven = way if fb.UP else (0.0 - way if fb.DOWN else 0.0)
        debt = clamp(0.0 - STROKE, fb.debt + asked - driven, STROKE) if fb.AUTO and not dead else 0.0
        debt = min(debt, 0.0) if fb.OPENED else debt
        debt = max(debt, 0.0) if fb.CLOSED else debt
        # a pulse ends where the debt is nearer to 0 than one more scan would bring it
        least = max(STROKE * seconds(fb.PULSE) / fb.T_MOTOR, 0.5 * way)
        is_short = ran < fb.PULSE
        up = (fb.UP and (is_short or debt > 0.5 * way)) or (not runs and debt >= least and debt > 0.0)
        down = (fb.DOWN and (is_short or debt < -0.5 * way)) or (not runs and debt <= 0.0 - least and debt < 0.0)
        if not fb.AUTO:
            up = fb.MAN_UP and not fb.MAN_DOWN and not fb.DOWN
            down = fb.MAN_DOWN and not fb.MAN_UP and not fb.UP
        elif dead:
            up = False
            down = False
        fb.UP = up and not fb.OPENED
        fb.DOWN = down and not fb.CLOSED
        fb.INCREMENT = asked if fb.AUTO and not dead else 0.0
        fb.HELD = dead
        fb.debt = debt
        fb.was = NEVER if dead else error
        fb.ran = ran if (fb.UP or fb.DOWN) and runs else 0

    example = Example(
        SP=20.0,
        KP=2.0,
        T_MOTOR=10.0,
        PULSE="200ms",
        dt="100ms",
        table="""
        PV  | INCREMENT UP DOWN
        20  | 0         0  0
        19  | 2         1  0       # 2 % are 200 ms of the motor
        19  | 0         1  0
        19  | 0         0  0
        18  | 2         1  0
        nan | 0         0  0       # stands still
        20  | 0         0  0
        22  | -4        0  1       # 400 ms
        22  | 0         0  1
        22  | 0         0  1
        22  | 0         0  1
        22  | 0         0  0
    """,
    )
