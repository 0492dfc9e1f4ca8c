"""The two-point thermostat of a zone that heats and cools."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

STATES = ("idle", "heating", "cooling", "sensor failed", "setpoints cross", "off")


@block(source="ASHRAE Guideline 36: separate heating and cooling setpoints with a dead band, never both at once")
class ZONE_HYSTERESIS:
    """Heats below T_HEAT until HYSTERESIS above it, cools above T_COOL until HYSTERESIS below it; between them it rests.

    A run lasts MIN_ON and a rest MIN_OFF at least; between heating and cooling the rest counts, too, and after power-up it rests
    first. A zone that passes the other setpoint meanwhile stops at once. A temperature that is NaN stops heating at once and cools
    if COOL_BLIND: a heater that nobody watches burns, a fan does not. That cooling waits for nothing but its own rest since it last
    cooled, so a sensor that flickers does not wear the compressor. Setpoints that are NaN, or nearer than HYSTERESIS, where heating
    would end in cooling, count as crossing: they stop heating and cool the same way. EN false stops all.
    """

    T = Input(LREAL, "temperature of the zone", unit="°C")
    EN = Input(BOOL, "false: off", default=True)
    T_HEAT = Input(LREAL, "heats below", unit="°C", default=15.0)
    T_COOL = Input(LREAL, "cools above", unit="°C", default=25.0)
    HYSTERESIS = Input(LREAL, "how far it heats or cools beyond its setpoint", unit="K", default=2.0, min=0)
    MIN_ON = Input(TIME, "shortest run", default=0, min=0)
    MIN_OFF = Input(TIME, "shortest rest", default=0, min=0)
    COOL_BLIND = Input(BOOL, "cool while nobody knows the temperature", default=True)
    HEAT = Output(BOOL, "heats", volatile=True)
    COOL = Output(BOOL, "cools", volatile=True)
    STATE = Output(DINT, "what it does", min=0, max=5, names=STATES)
    lasted_for = Var(TIME, "how long it has run or rested, held at the longer of MIN_ON and MIN_OFF", volatile=True)
    uncooled_for = Var(TIME, "how long it has not cooled, held at MIN_OFF", volatile=True)
    started = Var(BOOL, "it has been scanned", volatile=True)

    def step(fb, dt):
        gap = max(fb.HYSTERESIS, 0.0)
        crossed = not fb.T_HEAT + gap <= fb.T_COOL or not is_finite(fb.T_HEAT + fb.T_COOL + fb.HYSTERESIS)
        known = is_finite(fb.T) and not crossed
        longest = max(fb.MIN_ON, fb.MIN_OFF)
        fb.lasted_for = min(fb.lasted_for + dt, longest) if fb.started else 0
        fb.uncooled_for = min(fb.uncooled_for + dt, fb.MIN_OFF) if fb.started else 0
        must_run = fb.lasted_for < fb.MIN_ON
        may_start = not fb.HEAT and not fb.COOL and fb.lasted_for >= fb.MIN_OFF
        heat_on = known and fb.T < (fb.T_HEAT + gap if fb.HEAT else fb.T_HEAT)
        cool_on = known and fb.T > (fb.T_COOL - gap if fb.COOL else fb.T_COOL)
        heat = (heat_on or (known and must_run and fb.T <= fb.T_COOL)) if fb.HEAT else (heat_on and may_start)
        cool = (cool_on or (known and must_run and fb.T >= fb.T_HEAT)) if fb.COOL else (cool_on and may_start)
        heat = heat and fb.EN and not (fb.HEAT and fb.T > fb.T_COOL)
        cool = cool and fb.EN and not (fb.COOL and fb.T < fb.T_HEAT)
        if not known:
            blind = fb.COOL_BLIND and (fb.COOL or fb.uncooled_for >= fb.MIN_OFF)
            cool = fb.EN and (blind or (fb.COOL and must_run))
        if heat != fb.HEAT or cool != fb.COOL:
            fb.lasted_for = 0
        if cool or fb.COOL:
            fb.uncooled_for = 0
        fb.HEAT = heat
        fb.COOL = cool
        fb.STATE = 5 if not fb.EN else (4 if crossed else (3 if not known else (1 if heat else (2 if cool else 0))))
        fb.started = True

    example = Example(
        dt="1s",
        MIN_OFF="3s",
        table="""
        T   EN | HEAT COOL STATE
        20  1  | 0    0    0         # after power-up it rests
        14  1  | 0    0    0
        14  1  | 0    0    0
        14  1  | 1    0    1
        16  1  | 1    0    1         # until 2 K above
        17  1  | 0    0    0
        14  1  | 0    0    0         # it must rest
        26  1  | 0    0    0
        26  1  | 0    1    2
        24  1  | 0    1    2
        23  1  | 0    0    0
        nan 1  | 0    0    3         # a dead sensor: the heater is off
        nan 1  | 0    0    3
        nan 1  | 0    1    3         # and it cools, once it has rested
        26  0  | 0    0    5
    """,
    )
