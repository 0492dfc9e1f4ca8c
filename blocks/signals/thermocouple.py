"""The type K thermocouple."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block
from blocks.signals.laws import type_k_celsius, type_k_millivolts

# Half a kelvin beyond -200 °C (-5.891 mV) and 1372 °C (54.886 mV): a rounded table, read back, is still inside.
LOWEST = -5.899
HIGHEST = 54.903
COLDEST_JUNCTION = -50.0
HOTTEST_JUNCTION = 150.0


@block(source="NIST Monograph 175 (1993), type K: reference function and inverse polynomials on ITS-90, as in IEC 60584-1")
class THERMOCOUPLE_K:
    """A type K thermocouple as temperature: millivolts in, °C out, from -200 to 1372 °C within 0.06 K of the standard.

    A thermocouple measures a difference only: the voltage that its terminals, at T_COLD, would have against 0 °C is added first. A
    voltage beyond the table is a fault: OVER (an amplifier that pulls an open wire up shows as this, too) or UNDER (also reversed
    wires on a hot junction), and so is a T_COLD outside -50 to 150 °C, where no terminal is. OUT is then SUBSTITUTE, or the last
    good value with HOLD. A short circuit of the wires cannot be told: it reads as the temperature of the short.
    """

    IN = Input(LREAL, "measured voltage", unit="mV")
    T_COLD = Input(LREAL, "temperature of the terminals (cold junction)", unit="°C")
    SUBSTITUTE = Input(LREAL, "OUT on a fault, with HOLD until the first good value", unit="°C")
    HOLD = Input(BOOL, "keep the last good value on a fault", default=False)
    OUT = Output(LREAL, "temperature", unit="°C")
    FAULT = Output(BOOL, "there is no measurement: OUT is substituted or held")
    OVER = Output(BOOL, "voltage above the table: too hot, or a wire is open")
    UNDER = Output(BOOL, "voltage below the table: too cold, or the wires are exchanged")
    last = Var(LREAL, "last good value", unit="°C")
    known = Var(BOOL, "there was a good value")

    def step(fb, dt):
        whole = fb.IN + type_k_millivolts(clamp(COLDEST_JUNCTION, fb.T_COLD, HOTTEST_JUNCTION))
        joined = fb.T_COLD >= COLDEST_JUNCTION and fb.T_COLD <= HOTTEST_JUNCTION
        fb.OVER = joined and whole > HIGHEST
        fb.UNDER = joined and whole < LOWEST
        value = type_k_celsius(clamp(LOWEST, whole, HIGHEST))
        good = joined and not fb.OVER and not fb.UNDER and is_finite(whole)
        fb.last = value if good else fb.last
        fb.known = fb.known or good
        fb.OUT = fb.last if good or (fb.HOLD and fb.known) else fb.SUBSTITUTE
        fb.FAULT = not good

    example = Example(
        SUBSTITUTE=-999.0,
        table="""
        IN     T_COLD | OUT    FAULT OVER UNDER
        4.096  0      | ~100.0 0     0    0        # the table: 4.096 mV at 100 °C
        3.096  25     | ~100.0 0     0    0        # and 1.000 mV at 25 °C
        0      25     | ~25.0  0     0    0
        41.276 0      | ~1000.0 0    0    0
        60     25     | -999   1     1    0        # an open wire, pulled up
        nan    25     | -999   1     0    0
        4.096  200    | -999   1     0    0        # no terminal is that hot
    """,
    )
