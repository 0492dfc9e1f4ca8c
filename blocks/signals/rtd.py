"""The platinum resistance thermometer."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, sqrt
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

# IEC 60751: R/R0 = 1 + A t + B t^2 + C (t - 100) t^3, the last term below 0 °C only.
A = 3.9083e-3
B = -5.775e-7
C = -4.183e-12
# R/R0 half a kelvin beyond -200 and 850 °C: a table rounded to 10 mOhm, read back, is still inside.
SHORTED = 0.18304
OPENED = 3.90628


@block(source="IEC 60751:2022 (Callendar-Van Dusen equations and their range)")
class RTD:
    """A Pt100, Pt500 or Pt1000 as temperature: ohms in, °C out, exact to the standard's table from -200 to 850 °C.

    R_LEAD is taken off first: both wires of a two-wire connection, 0 for three and four wires. A resistance beyond the table by
    more than half a kelvin is no temperature: FAULT is true, OPEN (a broken wire or sensor) or SHORT with it, and OUT is
    SUBSTITUTE, or the last good value with HOLD. A NaN, and an R0 that is not above 0, are faults, too.
    """

    R = Input(LREAL, "measured resistance", unit="Ohm")
    SUBSTITUTE = Input(LREAL, "OUT on a fault, with HOLD until the first good value", unit="°C")
    R0 = Input(LREAL, "resistance at 0 °C: 100, 500 or 1000", unit="Ohm", default=100.0)
    R_LEAD = Input(LREAL, "resistance of the leads, there and back", unit="Ohm", default=0.0, min=0)
    HOLD = Input(BOOL, "keep the last good value on a fault", default=False)
    OUT = Output(LREAL, "temperature", unit="°C")
    FAULT = Output(BOOL, "there is no measurement: OUT is substituted or held")
    OPEN = Output(BOOL, "resistance above the table: a wire or the sensor is broken")
    SHORT = Output(BOOL, "resistance below the table: the wires touch")
    last = Var(LREAL, "last good value", unit="°C")
    known = Var(BOOL, "there was a good value")

    def step(fb, dt):
        ratio = (fb.R - fb.R_LEAD) / fb.R0
        sized = fb.R0 > 0.0 and is_finite(fb.R0)
        good = sized and ratio >= SHORTED and ratio <= OPENED
        inside = clamp(SHORTED, ratio, OPENED)
        warm = (sqrt(A * A - 4.0 * B * (1.0 - inside)) - A) / (2.0 * B)
        # Newton on the quartic: 2 K off at -200 °C where it starts, below the last digit after four rounds.
        cold = warm
        for i in range(4):  # noqa: B007
            left = 1.0 + cold * (A + cold * (B + cold * (cold - 100.0) * C)) - inside
            cold = cold - left / (A + cold * (2.0 * B + cold * (4.0 * cold - 300.0) * C))
        value = warm if inside >= 1.0 else cold
        fb.last = value if good else fb.last
        fb.known = fb.known or good
        fb.OUT = fb.last if good or (fb.HOLD and fb.known) else fb.SUBSTITUTE
        fb.FAULT = not good
        fb.OPEN = sized and ratio > OPENED
        fb.SHORT = sized and ratio < SHORTED

    example = Example(
        SUBSTITUTE=-999.0,
        table="""
        R        | OUT     FAULT OPEN SHORT
        100      | 0       0     0    0
        138.5055 | 100     0     0    0
        18.52008 | ~-200.0000 0  0    0
        inf      | -999    1     1    0         # a broken wire
        0        | -999    1     0    1         # the wires touch
        nan      | -999    1     0    0
        100      | 0       0     0    0
    """,
    )
