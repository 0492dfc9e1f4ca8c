"""The speed of a fan from a temperature."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, is_nan, lerp, max, min, seconds
from blocks.climate.laws import full_if_nan
from blocks.control.laws import lasted
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

STATES = ("off", "kick", "running", "run-on", "sensor failed", "not permitted")


@block(
    source="Fan control of 4-wire PWM fans (Intel specification: minimum speed, start pulse) and of enclosures (run-on, hysteresis)"
)
class FAN_CURVE:
    """The speed of a fan over temperature: off below T_START, SPEED_MIN there, 100 % at T_FULL, linear between.

    It starts at T_START and stops once the temperature was below T_START - HYSTERESIS for RUN_ON. It starts with KICK for
    KICK_TIME, so that it breaks loose, and then moves no faster than RATE. A temperature or a parameter that is NaN, or a T_FULL
    not above T_START, runs it at SPEED_FAIL (full): a battery must not overheat because a sensor broke. A KICK or SPEED_FAIL that
    is NaN counts as 100 %. EN false stops it at
    once, whatever the temperature: a fan must not feed a fire.
    """

    T = Input(LREAL, "temperature", unit="°C")
    EN = Input(BOOL, "the fan may run", default=True)
    T_START = Input(LREAL, "it starts here", unit="°C", default=25.0)
    T_FULL = Input(LREAL, "it runs at 100 % from here on", unit="°C", default=40.0)
    HYSTERESIS = Input(LREAL, "it stops so far below T_START", unit="K", default=2.0, min=0)
    SPEED_MIN = Input(LREAL, "lowest speed at which it turns", unit="%", default=20.0, min=0, max=100)
    SPEED_FAIL = Input(LREAL, "speed without a temperature", unit="%", default=100.0, min=0, max=100)
    KICK = Input(LREAL, "speed of the start", unit="%", default=60.0, min=0, max=100)
    KICK_TIME = Input(TIME, "how long the start takes", default=2_000_000_000, min=0)
    RATE = Input(LREAL, "fastest change of speed; 0: at once", unit="%/s", default=0.0, min=0)
    RUN_ON = Input(TIME, "it runs on for so long", default=0, min=0)
    SPEED = Output(LREAL, "speed", unit="%", min=0, max=100, volatile=True)
    ON = Output(BOOL, "the fan runs", volatile=True)
    STATE = Output(DINT, "what it does", min=0, max=5, names=STATES)
    cold_for = Var(TIME, "how long it has been cold enough to stop, -1 while it is not", default=-1, volatile=True)
    turned = Var(TIME, "how long it has run, held at KICK_TIME", volatile=True)

    def step(fb, dt):
        drawn = is_finite(fb.T + fb.T_START + fb.T_FULL + fb.HYSTERESIS) and fb.T_FULL > fb.T_START
        known = drawn and not is_nan(fb.SPEED_MIN) and not is_nan(fb.RATE)
        cold = known and fb.T < fb.T_START - fb.HYSTERESIS
        fb.cold_for = lasted(cold and fb.ON, fb.cold_for, dt, fb.RUN_ON)
        stays = fb.ON and not (cold and fb.cold_for >= fb.RUN_ON)
        running = fb.EN and (not known or fb.T >= fb.T_START or stays)
        fb.turned = min(fb.turned + dt, fb.KICK_TIME) if running and fb.ON else 0
        kicking = running and fb.turned < fb.KICK_TIME
        lowest = clamp(0.0, fb.SPEED_MIN, 100.0)
        curve = lerp(fb.T, fb.T_START, lowest, fb.T_FULL, 100.0) if known else full_if_nan(fb.SPEED_FAIL)
        way = fb.RATE * seconds(dt) if fb.RATE > 0.0 and known and fb.ON else 100.0
        moved = clamp(max(fb.SPEED - way, 0.0), curve, min(fb.SPEED + way, 100.0))
        fb.SPEED = (max(moved, full_if_nan(fb.KICK)) if kicking else moved) if running else 0.0
        fb.STATE = (4 if not known else (1 if kicking else (3 if cold else 2))) if running else (0 if fb.EN else 5)
        fb.ON = running

    example = Example(
        dt="1s",
        KICK_TIME="1s",
        RUN_ON="2s",
        RATE=30.0,
        table="""
        T    EN | SPEED ON STATE
        20   1  | 0     0  0
        25   1  | 60    1  1         # the kick
        25   1  | 30    1  2         # down to its lowest speed with 30 %/s
        25   1  | 20    1  2
        40   1  | 50    1  2
        40   1  | 80    1  2
        40   1  | 100   1  2
        24   1  | 70    1  2         # not cold enough to stop
        22   1  | 40    1  3
        22   1  | 20    1  3
        22   1  | 0     0  0         # after running on
        nan  1  | 100   1  4         # a dead sensor: full speed
        30   0  | 0     0  5
    """,
    )
