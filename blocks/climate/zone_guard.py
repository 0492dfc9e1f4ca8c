"""The guard behind a zone's controller."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, is_nan, max
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block

REASONS = ("none", "sensor failed", "too hot to heat", "both asked for", "broken demand", "off")


@block(source="IEC 60335-1, thermal cut-out beside the control; ASHRAE Guideline 36: heating and cooling never at once")
class ZONE_GUARD:
    """The last word on a zone's heater and fan, behind a PID and a split range.

    The zone itself is a RAMP of the setpoint, a PID with KP below 0 and a SPLIT_RANGE, whose A heats and whose B cools; what those
    cannot know is here. A temperature that is NaN stops the heater and runs the fan at COOL_BLIND, which a PID that holds its
    output would not do. Above T_CUT the heater is off until HYSTERESIS below it; a
    NaN is not above it once it is gone. Where both are asked for, the heater is off. A
    demand that is NaN is 0 for the heater and COOL_BLIND for the fan. EN false stops both.
    """

    T = Input(LREAL, "temperature of the zone", unit="°C")
    HEAT = Input(LREAL, "heat asked for", unit="%")
    COOL = Input(LREAL, "cooling asked for", unit="%")
    EN = Input(BOOL, "false: off", default=True)
    T_CUT = Input(LREAL, "no heat at or above", unit="°C", default=30.0)
    HYSTERESIS = Input(LREAL, "heat returns so far below T_CUT", unit="K", default=2.0, min=0)
    COOL_BLIND = Input(LREAL, "cooling while nobody knows", unit="%", default=100.0, min=0, max=100)
    HEATER = Output(LREAL, "heat", unit="%", min=0, max=100)
    FAN = Output(LREAL, "cooling", unit="%", min=0, max=100)
    REASON = Output(DINT, "why it is not what was asked", min=0, max=5, names=REASONS)
    CUT = Output(BOOL, "too hot to heat")
    hot = Var(BOOL, "T was at T_CUT or above and is not back by HYSTERESIS")

    def step(fb, dt):
        known = is_finite(fb.T)
        blind = clamp(0.0, fb.COOL_BLIND, 100.0)
        fb.CUT = not fb.T < (fb.T_CUT - max(fb.HYSTERESIS, 0.0) if fb.hot else fb.T_CUT)
        fb.hot = fb.hot if is_nan(fb.T + fb.T_CUT) else fb.CUT
        heat = clamp(0.0, fb.HEAT, 100.0)
        fan = max(clamp(0.0, fb.COOL, 100.0), 0.0 if is_finite(fb.COOL) else blind)
        fan = fan if known else max(blind, fan)
        both = heat > 0.0 and fan > 0.0
        broken = not is_finite(fb.HEAT) or not is_finite(fb.COOL)
        fb.HEATER = heat if fb.EN and known and not fb.CUT and not both and is_finite(fb.HEAT) else 0.0
        fb.FAN = fan if fb.EN else 0.0
        hot = fb.CUT and heat > 0.0
        fb.REASON = 5 if not fb.EN else (1 if not known else (4 if broken else (2 if hot else (3 if both else 0))))

    example = Example(
        table="""
        T   HEAT COOL | HEATER FAN REASON CUT
        15  60   0    | 60     0   0      0
        35  0    40   | 0      40  0      1
        29  60   0    | 0      0   2      1      # too hot to heat, until 2 K below
        27  60   0    | 60     0   0      0
        20  60   40   | 0      40  3      0      # never both
        nan 60   0    | 0      100 1      1      # heater off, fan on
        20  nan  0    | 0      0   4      0
        20  0    nan  | 0      100 4      0
    """,
    )
