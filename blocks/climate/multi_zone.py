"""One plant for several zones."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max
from blocks.climate.laws import full_if_nan
from blocks.control.laws import lasted
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

MODES = ("idle", "heating", "cooling")


@block(source="ASHRAE Handbook, HVAC Systems and Equipment: two-pipe systems with change-over; cooling first, for batteries")
class MULTI_ZONE:
    """What N zones together ask of one plant that can either heat or cool: the largest demand, and which zone asks for it.

    Cooling goes before heating, since a hot battery is the danger: while any zone asks for more than START of cooling, no zone is
    heated. A mode that has begun stays until every demand is HYSTERESIS below START; give it 1 to 2 % where demands tremble. The
    plant changes its mode once no zone has asked for the old one for CHANGEOVER; heating gives way at once. A demand that is NaN is
    no heat and COOL_BLIND of cooling. A COOL_BLIND that is NaN is 100 %, a START that is NaN is 0: any demand counts.
    """

    HEAT = Input(Array(LREAL, "N"), "heat that each zone asks for", unit="%")
    COOL = Input(Array(LREAL, "N"), "cooling that each zone asks for", unit="%")
    EN = Input(Array(BOOL, "N"), "the zone takes part", default=True)
    START = Input(LREAL, "a demand at or below this is none", unit="%", default=5.0, min=0, max=100)
    CHANGEOVER = Input(TIME, "rest between cooling and heating", default=60_000_000_000, min=0)
    COOL_BLIND = Input(LREAL, "cooling of a zone whose demand is NaN", unit="%", default=100.0, min=0, max=100)
    HYSTERESIS = Input(LREAL, "a demand lasts until so far below START", unit="%", default=0.0, min=0, max=100)
    MODE = Output(DINT, "what the plant does", min=0, max=2, names=MODES)
    HEATING = Output(LREAL, "heat of the plant", unit="%", min=0, max=100)
    COOLING = Output(LREAL, "cooling of the plant", unit="%", min=0, max=100)
    ZONE = Output(DINT, "number of the zone that asks for most; 0: none", min=0)
    DEAD = Output(DINT, "zones whose demand is NaN", min=0)
    quiet = Var(TIME, "how long no zone has asked for cooling, -1 while one does", default=-1)
    cooled = Var(BOOL, "the plant has cooled since it last heated")

    def step(fb, dt):
        heat = 0.0
        cool = 0.0
        heat_zone = 0
        cool_zone = 0
        dead = 0
        blind = full_if_nan(fb.COOL_BLIND)
        for i in range(len(fb.HEAT)):
            broken = not is_finite(fb.HEAT[i]) or not is_finite(fb.COOL[i])
            asked = blind if broken else clamp(0.0, fb.COOL[i], 100.0)
            if fb.EN[i] and broken:
                dead = dead + 1
            if fb.EN[i] and asked > cool:
                cool = asked
                cool_zone = i + 1
            if fb.EN[i] and not broken and fb.HEAT[i] > heat:
                heat = clamp(0.0, fb.HEAT[i], 100.0)
                heat_zone = i + 1
        start = clamp(0.0, fb.START, 100.0)
        ends = max(start - max(fb.HYSTERESIS, 0.0), 0.0)
        cooling = cool > (ends if fb.MODE == 2 else start)
        fb.quiet = lasted(not cooling, fb.quiet, dt, fb.CHANGEOVER)
        fb.cooled = cooling or (fb.cooled and fb.quiet < fb.CHANGEOVER)
        heating = not cooling and not fb.cooled and heat > (ends if fb.MODE == 1 else start)
        fb.MODE = 2 if cooling else (1 if heating else 0)
        fb.COOLING = cool if cooling else 0.0
        fb.HEATING = heat if heating else 0.0
        fb.ZONE = cool_zone if cooling else (heat_zone if heating else 0)
        fb.DEAD = dead

    example = Example(
        dt="10s",
        CHANGEOVER="20s",
        table="""
        HEAT     COOL     | MODE HEATING COOLING ZONE DEAD
        [0,0]    [0,0]    | 0    0       0       0    0
        [30,50]  [0,0]    | 1    50      0       2    0
        [30,50]  [0,10]   | 2    0       10      2    0       # cooling goes first
        [30,50]  [0,0]    | 0    0       0       0    0       # the plant changes over
        [30,50]  [0,0]    | 0    0       0       0    0
        [30,50]  [0,0]    | 1    50      0       2    0
        [nan,50] [0,0]    | 2    0       100     1    1
    """,
    )
