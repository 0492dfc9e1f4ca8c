"""The analogue inputs of a panel: a current loop and a voltage into what the transmitter measures. A fault is never a number."""

from __future__ import annotations

from blocks.arithmetic import is_finite
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

# NAMUR NE 43 in mA: measurement from 3.8 to 20.5, failure at and beyond 3.6 and 21.0.
SATURATED_LOW = 3.8
SATURATED_HIGH = 20.5
FAILED_LOW = 3.6
FAILED_HIGH = 21.0
# The same limits as shares of the span of 16 mA, counted from the live zero of 4 mA.
SHARE_LOW = -0.0125
SHARE_HIGH = 1.03125
SHARE_FAILED_LOW = -0.025
SHARE_FAILED_HIGH = 1.0625


@block(source="NAMUR NE 43:2003 (signal level of the failure information); IEC 60381-1 (4-20 mA)")
class CURRENT_INPUT:
    """A 4-20 mA loop as the value that its transmitter measures, with the transmitter's failures and a broken wire told apart.

    From 3.8 to 20.5 mA the line is the value. Beyond, up to 3.6 and 21 mA, the transmitter is saturated: OUT is still the line's
    value, UNDER or OVER is true. At 3.6 mA and below, at 21 mA and above, and for a NaN there is no value: FAULT is true and OUT
    is SUBSTITUTE, or the last good value with HOLD.
    """

    IN = Input(LREAL, "loop current", unit="mA")
    OUT_MIN = Input(LREAL, "value at 4 mA", unit="{OUT_MIN}")
    OUT_MAX = Input(LREAL, "value at 20 mA", unit="{OUT_MIN}")
    SUBSTITUTE = Input(LREAL, "OUT on a fault, with HOLD until the first good value", unit="{OUT_MIN}")
    HOLD = Input(BOOL, "keep the last good value on a fault", default=False)
    FAULT_LOW = Input(LREAL, "a current at or below this is a fault", unit="mA", default=FAILED_LOW)
    FAULT_HIGH = Input(LREAL, "a current at or above this is a fault", unit="mA", default=FAILED_HIGH)
    OUT = Output(LREAL, "measured value", unit="{OUT_MIN}")
    FAULT = Output(BOOL, "there is no measurement: OUT is substituted or held")
    UNDER = Output(BOOL, "below 3.8 mA: under the measuring range")
    OVER = Output(BOOL, "above 20.5 mA: over the measuring range")
    WIRE_BREAK = Output(BOOL, "at or below FAULT_LOW: the loop is open or shorted, or the transmitter says that it failed")
    last = Var(LREAL, "last good value", unit="{OUT_MIN}")
    known = Var(BOOL, "there was a good value")

    def step(fb, dt):
        value = fb.OUT_MIN + (fb.IN - 4.0) * ((fb.OUT_MAX - fb.OUT_MIN) / 16.0)
        good = fb.IN > fb.FAULT_LOW and fb.IN < fb.FAULT_HIGH and is_finite(value)
        fb.last = value if good else fb.last
        fb.known = fb.known or good
        fb.OUT = fb.last if good or (fb.HOLD and fb.known) else fb.SUBSTITUTE
        fb.FAULT = not good
        fb.UNDER = fb.IN < SATURATED_LOW
        fb.OVER = fb.IN > SATURATED_HIGH
        fb.WIRE_BREAK = fb.IN <= fb.FAULT_LOW

    example = Example(
        OUT_MIN=-50.0,
        OUT_MAX=150.0,
        SUBSTITUTE=999.0,
        table="""
        IN   | OUT   FAULT UNDER OVER WIRE_BREAK
        4    | -50   0     0     0    0
        12   | 50    0     0     0    0
        20   | 150   0     0     0    0
        20.8 | 160   0     0     1    0          # saturated
        21   | 999   1     0     1    0          # the transmitter says that it failed
        3.7  | -53.75 0    1     0    0
        0    | 999   1     1     0    1          # a broken wire
        nan  | 999   1     0     0    0
        12   | 50    0     0     0    0
    """,
    )


@block(source="IEC 60381-2 (0-10 V, 2-10 V, 1-5 V); NAMUR NE 43:2003, its limits taken as shares of the span")
class VOLTAGE_INPUT:
    """A voltage signal as the value that its transmitter measures; V_MIN of 2 V is a live zero, which shows a broken wire.

    From 1.25 % below to 3.125 % above the span OUT is the line's value (1.9 to 10.25 V of 2-10 V); beyond, UNDER or OVER is true.
    At 2.5 % below and 6.25 % above (1.8 and 10.5 V), for a NaN and where V_MAX is not above V_MIN, FAULT is true and OUT is
    SUBSTITUTE, or the last good value with HOLD. Without a live zero an open wire reads as OUT_MIN: no input can tell, so such a
    signal proves nothing at its zero.
    """

    IN = Input(LREAL, "signal voltage", unit="V")
    OUT_MIN = Input(LREAL, "value at V_MIN", unit="{OUT_MIN}")
    OUT_MAX = Input(LREAL, "value at V_MAX", unit="{OUT_MIN}")
    SUBSTITUTE = Input(LREAL, "OUT on a fault, with HOLD until the first good value", unit="{OUT_MIN}")
    HOLD = Input(BOOL, "keep the last good value on a fault", default=False)
    V_MIN = Input(LREAL, "signal at OUT_MIN; above zero it is a live zero", unit="V", default=0.0)
    V_MAX = Input(LREAL, "signal at OUT_MAX", unit="V", default=10.0)
    OUT = Output(LREAL, "measured value", unit="{OUT_MIN}")
    FAULT = Output(BOOL, "there is no measurement: OUT is substituted or held")
    UNDER = Output(BOOL, "more than 1.25 % of the span below V_MIN")
    OVER = Output(BOOL, "more than 3.125 % of the span above V_MAX")
    WIRE_BREAK = Output(BOOL, "a live zero is missing by 2.5 % of the span or more: the wire is open or shorted")
    last = Var(LREAL, "last good value", unit="{OUT_MIN}")
    known = Var(BOOL, "there was a good value")

    def step(fb, dt):
        share = (fb.IN - fb.V_MIN) / (fb.V_MAX - fb.V_MIN)
        value = fb.OUT_MIN + share * (fb.OUT_MAX - fb.OUT_MIN)
        spans = fb.V_MAX > fb.V_MIN
        good = spans and share > SHARE_FAILED_LOW and share < SHARE_FAILED_HIGH and is_finite(value)
        fb.last = value if good else fb.last
        fb.known = fb.known or good
        fb.OUT = fb.last if good or (fb.HOLD and fb.known) else fb.SUBSTITUTE
        fb.FAULT = not good
        fb.UNDER = spans and share < SHARE_LOW
        fb.OVER = spans and share > SHARE_HIGH
        fb.WIRE_BREAK = spans and fb.V_MIN > 0.0 and share <= SHARE_FAILED_LOW

    example = Example(
        OUT_MIN=0.0,
        OUT_MAX=10.0,
        SUBSTITUTE=-1.0,
        V_MIN=2.0,
        table="""
        IN   | OUT    FAULT UNDER OVER WIRE_BREAK
        2    | 0      0     0     0    0
        6    | 5      0     0     0    0
        10   | 10     0     0     0    0
        10.4 | 10.5   0     0     1    0
        11   | -1     1     0     1    0
        0    | -1     1     1     0    1          # the live zero is missing
        nan  | -1     1     0     0    0
        6    | 5      0     0     0    0
    """,
    )
