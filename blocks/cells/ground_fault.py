"""The ground fault of an unearthed battery, from the voltages of its poles against earth."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

POLES = ("none", "plus", "minus")
MOST = 1e6


@block(source="Kirchhoff's laws for two equal resistors from the poles to earth; measurement of the pole voltages: UN ECE R100")
class GROUND_FAULT:
    """Finds the resistance of a fault between one pole and earth, and which pole, from the pole voltages' asymmetry.

    A resistor R_POLE leads from each pole to earth, so both stand at half the battery's voltage. A fault pulls its pole towards
    earth: R_FAULT = R_POLE * near / (far - near), near being the smaller voltage. It is blind to two equal faults, one on each
    pole: only a device that injects a signal (INSULATION) sees these. FAULT follows after DELAY below R_LIMIT (time without the
    leak is taken off again, so a flickering one is found) and stays until a rising edge of RESET while it is judged that there is
    none. Below V_LEAST in sum there is nothing to measure (JUDGED is false). A NaN, or an R_POLE of 0, counts as a fault, after
    DELAY as well.
    """

    V_PLUS = Input(LREAL, "plus pole against earth", unit="V")
    V_MINUS = Input(LREAL, "minus pole against earth, a negative number", unit="V")
    R_POLE = Input(LREAL, "resistor from each pole to earth", unit="kOhm", min=0)
    R_LIMIT = Input(LREAL, "a fault is a resistance below this", unit="kOhm", default=100.0, min=0)
    V_LEAST = Input(LREAL, "not judged below this battery voltage", unit="V", default=60.0, min=1)
    DELAY = Input(TIME, "how long the asymmetry must last", default=1_000_000_000, min=0)
    RESET = Input(BOOL, "clears FAULT on its rising edge, if it is judged and the asymmetry has gone", default=False)
    R_FAULT = Output(LREAL, "resistance of the fault; a million where there is none", unit="kOhm", default=MOST, min=0, max=MOST)
    POLE = Output(DINT, "the pole that leaks below R_LIMIT now", min=0, max=2, names=POLES)
    ASYMMETRY = Output(LREAL, "plus less minus, of their sum", unit="%", min=-100, max=100)
    JUDGED = Output(BOOL, "the voltages can be judged")
    FAULT = Output(BOOL, "ground fault; stays until RESET")
    FAULT_POLE = Output(DINT, "the pole of that fault; none where a sensor was dead", min=0, max=2, names=POLES)
    lasted = Var(TIME, "how long it has leaked, held at DELAY; counted down without")
    leaked = Var(BOOL, "it leaked one scan ago")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        plus = max(fb.V_PLUS, 0.0)
        minus = max(0.0 - fb.V_MINUS, 0.0)
        alive = is_finite(fb.V_PLUS - fb.V_MINUS) and is_finite(plus + minus + fb.R_POLE) and fb.R_POLE > 0.0
        judged = alive and plus + minus >= max(fb.V_LEAST, 1.0)
        gap = max(plus, minus) - min(plus, minus)
        near = fb.R_POLE * min(plus, minus)
        resistance = near / gap if judged and near < MOST * gap else MOST
        leaks = not alive or (judged and not resistance >= fb.R_LIMIT)
        if leaks and fb.leaked:
            fb.lasted = min(fb.lasted + dt, fb.DELAY)
        elif not leaks and not fb.leaked:
            fb.lasted = max(fb.lasted - dt, 0)
        fb.leaked = leaks
        pole = (1 if plus < minus else 2) if leaks and alive else 0
        clears = fb.RESET and not fb.pressed and judged and not leaks
        faults = leaks and fb.lasted >= fb.DELAY
        if faults and not fb.FAULT:
            fb.FAULT_POLE = pole
        elif clears:
            fb.FAULT_POLE = 0
        fb.FAULT = faults or (fb.FAULT and not clears)
        fb.R_FAULT = clamp(0.0, resistance, MOST)
        fb.POLE = pole
        fb.ASYMMETRY = clamp(-100.0, 100.0 * ((plus - minus) / (plus + minus)), 100.0) if judged else 0.0
        fb.JUDGED = judged
        fb.pressed = fb.RESET

    example = Example(
        R_POLE=1000,
        DELAY="20ms",
        table="""
        x V_PLUS V_MINUS RESET | R_FAULT POLE ASYMMETRY FAULT FAULT_POLE
        1 400    -400    0     | 1000000 0    0         0     0
        1 600    -200    0     | 500     0    50        0     0     # a leak of 500 kOhm at the minus pole
        2 750    -50     0     | ~71     2    87.5      0     0     # below R_LIMIT
        1 750    -50     0     | ~71     2    87.5      1     2     # for 20 ms
        1 400    -400    0     | 1000000 0    0         1     2
        1 400    -400    1     | 1000000 0    0         0     0
    """,
    )
