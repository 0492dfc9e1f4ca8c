"""The thermistor with a negative temperature coefficient, and the divider that turns a voltage into its resistance."""

from __future__ import annotations

import math

from blocks.arithmetic import is_finite, log_ratio
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

KELVIN = 273.15
COLDEST = -55.0
HOTTEST = 155.0
SHORTED = 0.005
OPENED = 0.995
NO_CURRENT = math.inf  # ohms


@block(source="IEC 60539-1:2022, 3.1 (B-value): R = R25 exp(B (1/T - 1/T25)), solved for T")
class NTC_BETA:
    """A thermistor as temperature from its data sheet's R25 and B-value: ohms in, °C out.

    The law holds between the two temperatures that B is given for (B25/85); away from them it is off by some kelvins, so T_MIN
    and T_MAX say how far it is trusted. Colder is FAULT and OPEN, hotter FAULT and SHORT; OUT is then SUBSTITUTE, or the last
    good value with HOLD.
    """

    R = Input(LREAL, "measured resistance", unit="Ohm")
    R25 = Input(LREAL, "resistance at T_REF", unit="Ohm")
    BETA = Input(LREAL, "B-value of the data sheet", unit="K")
    SUBSTITUTE = Input(LREAL, "OUT on a fault, with HOLD until the first good value", unit="°C")
    T_REF = Input(LREAL, "temperature that R25 is given for", unit="°C", default=25.0)
    T_MIN = Input(LREAL, "colder than this is a broken wire", unit="°C", default=COLDEST)
    T_MAX = Input(LREAL, "hotter than this is a short circuit", unit="°C", default=HOTTEST)
    HOLD = Input(BOOL, "keep the last good value on a fault", default=False)
    OUT = Output(LREAL, "temperature", unit="°C")
    FAULT = Output(BOOL, "there is no measurement: OUT is substituted or held")
    OPEN = Output(BOOL, "colder than T_MIN: a wire or the sensor is broken")
    SHORT = Output(BOOL, "hotter than T_MAX: the wires touch")
    last = Var(LREAL, "last good value", unit="°C")
    known = Var(BOOL, "there was a good value")

    def step(fb, dt):
        inverse = 1.0 / (fb.T_REF + KELVIN) + log_ratio(fb.R / fb.R25) / fb.BETA
        value = 1.0 / inverse - KELVIN
        # No resistance is a short circuit and an infinite one an open wire, whatever the law makes of them.
        sized = is_finite(fb.R25) and fb.R25 > 0.0 and is_finite(fb.BETA) and fb.BETA > 0.0 and is_finite(fb.T_REF)
        fb.SHORT = sized and (fb.R <= 0.0 or inverse * (fb.T_MAX + KELVIN) < 1.0)
        fb.OPEN = sized and not fb.SHORT and (fb.R == NO_CURRENT or inverse * (fb.T_MIN + KELVIN) > 1.0)
        good = sized and not fb.SHORT and not fb.OPEN and is_finite(value) and value >= fb.T_MIN and value <= fb.T_MAX
        fb.last = value if good else fb.last
        fb.known = fb.known or good
        fb.OUT = fb.last if good or (fb.HOLD and fb.known) else fb.SUBSTITUTE
        fb.FAULT = not good

    example = Example(
        R25=10000.0,
        BETA=3977.0,
        SUBSTITUTE=-999.0,
        table="""
        R     | OUT    FAULT OPEN SHORT
        10000 | 25     0     0    0
        33900.42 | ~0.00 0   0    0      # 10 kOhm exp(3977 (1/273.15 - 1/298.15))
        inf   | -999   1     1    0         # a broken wire
        0     | -999   1     0    1         # the wires touch
        nan   | -999   1     0    0
        10000 | 25     0     0    0
    """,
    )


@block(source="Steinhart and Hart, Deep-Sea Research 15 (1968), 497-503: 1/T = A + B ln R + C (ln R)^3, R in ohms")
class NTC_STEINHART:
    """A thermistor as temperature from its three Steinhart-Hart coefficients: ohms in, °C out, within some mK over 200 K.

    T_MIN and T_MAX say how far the coefficients are trusted. Colder is FAULT and OPEN, hotter FAULT and SHORT; OUT is then
    SUBSTITUTE, or the last good value with HOLD.
    """

    R = Input(LREAL, "measured resistance", unit="Ohm")
    A = Input(LREAL, "coefficient A", unit="1/K")
    B = Input(LREAL, "coefficient B", unit="1/K")
    C = Input(LREAL, "coefficient C", unit="1/K")
    SUBSTITUTE = Input(LREAL, "OUT on a fault, with HOLD until the first good value", unit="°C")
    T_MIN = Input(LREAL, "colder than this is a broken wire", unit="°C", default=COLDEST)
    T_MAX = Input(LREAL, "hotter than this is a short circuit", unit="°C", default=HOTTEST)
    HOLD = Input(BOOL, "keep the last good value on a fault", default=False)
    OUT = Output(LREAL, "temperature", unit="°C")
    FAULT = Output(BOOL, "there is no measurement: OUT is substituted or held")
    OPEN = Output(BOOL, "colder than T_MIN: a wire or the sensor is broken")
    SHORT = Output(BOOL, "hotter than T_MAX: the wires touch")
    last = Var(LREAL, "last good value", unit="°C")
    known = Var(BOOL, "there was a good value")

    def step(fb, dt):
        logarithm = log_ratio(fb.R)
        inverse = fb.A + logarithm * (fb.B + logarithm * logarithm * fb.C)
        value = 1.0 / inverse - KELVIN
        fb.SHORT = fb.R <= 0.0 or inverse * (fb.T_MAX + KELVIN) < 1.0
        fb.OPEN = not fb.SHORT and (fb.R == NO_CURRENT or inverse * (fb.T_MIN + KELVIN) > 1.0)
        good = not fb.SHORT and not fb.OPEN and is_finite(value) and value >= fb.T_MIN and value <= fb.T_MAX
        fb.last = value if good else fb.last
        fb.known = fb.known or good
        fb.OUT = fb.last if good or (fb.HOLD and fb.known) else fb.SUBSTITUTE
        fb.FAULT = not good

    example = Example(
        A=1.129241e-3,
        B=2.341077e-4,
        C=8.775468e-8,
        SUBSTITUTE=-999.0,
        table="""
        R     | OUT    FAULT OPEN SHORT
        10000 | ~25.00 0     0    0
        inf   | -999   1     1    0         # a broken wire
        0     | -999   1     0    1         # the wires touch
        nan   | -999   1     0    0
    """,
    )


@block(source="Kirchhoff's voltage law: two resistors in series across a reference")
class VOLTAGE_DIVIDER:
    """The resistance of a sensor from the voltage in the middle of a divider: wire R to an RTD or NTC block.

    The sensor stands between the tap and ground with R_REF above it; with HIGH_SIDE between the reference and the tap with R_REF
    below. A tap within 0.5 % of ground or of the reference tells a short or an open sensor: R is then 0 or infinite, which the
    next block takes for what it is. R is infinite, too, where V is NaN and where V_REF or R_REF is not above 0.
    """

    V = Input(LREAL, "voltage at the tap", unit="V")
    V_REF = Input(LREAL, "voltage across both resistors", unit="V")
    R_REF = Input(LREAL, "the resistor that is known", unit="Ohm")
    HIGH_SIDE = Input(BOOL, "the sensor is above the tap", default=False)
    R = Output(LREAL, "resistance of the sensor", unit="Ohm")
    FAULT = Output(BOOL, "there is no measurement")
    OPEN = Output(BOOL, "no current flows through the sensor")
    SHORT = Output(BOOL, "the whole reference stands at the other resistor")

    def step(fb, dt):
        tap = fb.V / fb.V_REF
        share = 1.0 - tap if fb.HIGH_SIDE else tap
        sized = fb.V_REF > 0.0 and is_finite(fb.V_REF) and fb.R_REF > 0.0 and is_finite(fb.R_REF)
        fb.SHORT = sized and share < SHORTED
        fb.OPEN = sized and share > OPENED
        value = fb.R_REF * (share / (1.0 - share))
        fb.FAULT = not (sized and is_finite(value)) or fb.SHORT or fb.OPEN
        fb.R = (0.0 if fb.SHORT else NO_CURRENT) if fb.FAULT else value

    example = Example(
        V_REF=5.0,
        R_REF=10000.0,
        table="""
        V    HIGH_SIDE | R     FAULT OPEN SHORT
        2.5  0         | 10000 0     0    0
        1    0         | 2500  0     0    0
        1    1         | 40000 0     0    0
        0.02 0         | 0     1     0    1
        4.98 0         | inf   1     1    0
        nan  0         | inf   1     0    0
    """,
    )
