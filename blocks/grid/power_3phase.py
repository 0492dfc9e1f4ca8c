"""The power of three phases."""

from __future__ import annotations

from blocks.arithmetic import cosine_of_turns, is_finite, sine_of_turns, sqrt
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, block

FULL = 360.0


@block(source="IEEE 1459-2010 (three-phase sinusoidal unbalanced: P, Q, vector and arithmetic apparent power)")
class POWER_3PHASE:
    """Active, reactive and apparent power and the power factor of three phases from their voltages, currents and angles.

    P is the sum of V I cos(PHI), Q the sum of V I sin(PHI); S = sqrt(P^2 + Q^2) is the vector apparent power and PF = P/S belongs
    to it. S_A, the sum of V I, is the arithmetic one: never less than S, equal where the phases are alike; a limit of the
    converter's current is about S_A. Without power PF is 1. Everything is of the fundamental: harmonics are in none. A NaN comes
    out as NaN and is not remembered; PF is 0 then.
    """

    V = Input(Array(LREAL, 3), "voltages of the phases to neutral", unit="V")
    I = Input(Array(LREAL, 3), "currents of the phases", unit="A")  # noqa: E741 - the letter of the trade
    PHI = Input(Array(LREAL, 3), "angle by which the current lags its voltage", unit="deg", default=(0.0, 0.0, 0.0))
    P = Output(LREAL, "active power", unit="kW")
    Q = Output(LREAL, "reactive power, positive where the current lags", unit="kvar")
    S = Output(LREAL, "vector apparent power", unit="kVA")
    S_A = Output(LREAL, "arithmetic apparent power", unit="kVA")
    PF = Output(LREAL, "power factor, with the sign of P", default=1.0, min=-1, max=1)
    BAD = Output(BOOL, "an input is not a number")

    def step(fb, dt):
        active = 0.0
        reactive = 0.0
        apparent = 0.0
        for i in range(3):
            product = fb.V[i] * fb.I[i] / 1000.0
            active = active + product * cosine_of_turns(fb.PHI[i] / FULL)
            reactive = reactive + product * sine_of_turns(fb.PHI[i] / FULL)
            apparent = apparent + (product if product > 0.0 else 0.0 - product)
        vector = sqrt(active * active + reactive * reactive)
        factor = active / vector if vector > 0.0 else 1.0
        fb.P = active
        fb.Q = reactive
        fb.S = vector
        fb.S_A = apparent
        fb.PF = (1.0 if factor > 1.0 else (-1.0 if factor < -1.0 else factor)) if is_finite(factor + vector) else 0.0
        fb.BAD = not is_finite(vector)

    example = Example(
        table="""
            V             I             PHI            | P       Q      S       S_A    PF
            [230,230,230] [100,100,100] [0,0,0]        | 69      0      69      69     1
            [230,230,230] [100,100,100] [60,60,60]     | ~34.500 ~59.756 ~69.000 ~69.000 ~0.5000
            [230,230,230] [100,100,100] [180,180,180]  | ~-69.00 ~0.000 ~69.000 ~69.000 ~-1.0000
            [200,200,200] [100,100,100] [0,90,-90]     | ~20.000 ~0.000 ~20.000 ~60.000 ~1.0000   # the two cancel
            [230,230,230] [0,0,0]       [0,0,0]        | 0       0      0       0      1
            [230,nan,230] [10,10,10]    [0,0,0]        | nan     nan    nan     nan    0
        """,
    )
