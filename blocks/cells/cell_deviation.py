"""The detection of a cell that has left the others."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min, to_lreal
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

VERDICTS = ("not judged", "balanced", "drifting", "imbalance", "bad value")


@block(source="foxBMS 2 v1.11, plausibility of the cell voltage spread (300 mV from the mean), balancing (10 min of rest)")
class CELL_DEVIATION:
    """Finds the cell whose voltage is farthest from the mean of all, and says whether that is an imbalance.

    Under load resistances differ, too, so LIMIT_LOAD is wide; after REST below I_REST the voltages are open-circuit ones and
    LIMIT_REST holds: beyond half of it the verdict is drifting, beyond it imbalance. Below T_COLD nothing but LIMIT_LOAD is
    judged. LFP hides an imbalance between 3.2 and 3.4 V: judge at the top of charge. ALARM follows after DELAY of imbalance and
    goes when it is over. A cell without a finite value is a verdict of its own and alarms, too; a NaN on I or T leaves
    LIMIT_LOAD.
    """

    V = Input(Array(LREAL, "N"), "cell voltages", unit="V")
    I = Input(LREAL, "pack current, either sign", unit="A")  # noqa: E741 - the letter of the trade
    T = Input(LREAL, "temperature of the coldest cell", unit="°C", default=25.0)
    LIMIT_REST = Input(LREAL, "highest deviation at rest", unit="V", default=0.05, min=0)
    LIMIT_LOAD = Input(LREAL, "highest deviation otherwise", unit="V", default=0.3, min=0)
    I_REST = Input(LREAL, "rest is a current below this", unit="A", default=0.2, min=0)
    REST = Input(TIME, "how long the rest must have lasted", default=600_000_000_000, min=0)
    T_COLD = Input(LREAL, "colder cells are not judged at rest", unit="°C", default=5.0)
    DELAY = Input(TIME, "how long an imbalance must last", default=5_000_000_000, min=0)
    DEVIATION = Output(LREAL, "farthest cell less mean", unit="V")
    AT = Output(DINT, "that cell, from 1", min=0)
    VERDICT = Output(DINT, "what that is", min=0, max=4, names=VERDICTS)
    AT_REST = Output(BOOL, "judged by LIMIT_REST")
    ALARM = Output(BOOL, "imbalance or bad value, for DELAY")
    resting = Var(TIME, "how long the rest has lasted, held at REST")
    rested = Var(BOOL, "the last scan was one of rest")
    lasted = Var(TIME, "how long it has been wrong, held at DELAY")
    wrong = Var(BOOL, "it was wrong one scan ago")

    def step(fb, dt):
        at_rest = abs(fb.I) < fb.I_REST
        fb.resting = min(fb.resting + dt, fb.REST) if at_rest and fb.rested else 0
        fb.rested = at_rest
        fb.AT_REST = at_rest and fb.resting >= fb.REST and fb.T >= fb.T_COLD
        total = 0.0
        good = 0
        for i in range(len(fb.V)):
            if is_finite(fb.V[i]):
                total = total + fb.V[i]
                good = good + 1
        mean = total / to_lreal(max(good, 1))
        farthest = 0.0
        at = 0
        for i in range(len(fb.V)):
            away = fb.V[i] - mean
            if is_finite(away) and abs(away) > abs(farthest):
                farthest = away
                at = i + 1
        limit = fb.LIMIT_REST if fb.AT_REST else fb.LIMIT_LOAD
        verdict = 0 if not fb.AT_REST and abs(farthest) <= limit else 1
        if fb.AT_REST and abs(farthest) > limit * 0.5:
            verdict = 2
        if not abs(farthest) <= limit:
            verdict = 3
        if good < len(fb.V) or not is_finite(mean):
            verdict = 4
        wrong = verdict >= 3
        fb.lasted = min(fb.lasted + dt, fb.DELAY) if wrong and fb.wrong else 0
        fb.wrong = wrong
        fb.ALARM = wrong and fb.lasted >= fb.DELAY
        fb.DEVIATION = farthest
        fb.AT = at
        fb.VERDICT = verdict

    example = Example(
        REST="10min",
        DELAY="1min",
        dt="1min",
        table="""
        x  V                     I   | DEVIATION AT VERDICT AT_REST ALARM
        1  [3.30,3.22,3.30,3.30] 200 | -0.06     2  0       0       0        # under load that is nothing
        10 [3.40,3.30,3.40,3.42] 0   | -0.08     2  0       0       0
        1  [3.40,3.30,3.40,3.42] 0   | -0.08     2  3       1       0        # after ten minutes of rest it is
        1  [3.40,3.30,3.40,3.42] 0   | -0.08     2  3       1       1
        1  [3.40,3.36,3.40,3.40] 0   | -0.03     2  2       1       0        # drifting
        1  [3.40,3.39,3.40,3.42] 0   | 0.0175    4  1       1       0
    """,
    )
