"""The Smith predictor."""

from __future__ import annotations

from blocks.arithmetic import div, is_finite, max, min, seconds, settling
from blocks.control.laws import younger_slots
from blocks.declare import DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

SLOTS = 256
LAST = 255


@block(source="Smith, Closer control of loops with dead time (Chem. Eng. Progress 53, 1957): predictor for a first-order plant")
class SMITH:
    """Takes the dead time of the plant out of a loop: wire OUT to the controller's PV, and U to `last` of the controller's OUT.

    OUT = PV + M - M delayed by L, where M is the plant as a model without dead time, K/(1 + T s) of U: `last` is what drove the
    plant since the scan before. With a right model the loop behaves as if the plant had no dead time, only later by L. With a
    wrong one it can be worse than a plain PID: within 20 % of K, T and L is a fair demand, and the controller should not be tuned
    to the edge. It starts settled, so OUT is PV. The delay keeps one sample in L/254, as DEAD_TIME. A NaN on PV is passed on; a
    NaN on U, or of the model, leaves M where it is.
    """

    PV = Input(LREAL, "measured value", unit="{PV}")
    U = Input(LREAL, "what drives the plant: the controller's OUT", unit="{U}")
    K = Input(LREAL, "gain of the plant", unit="{PV}/{U}")
    T = Input(LREAL, "time constant of the plant", unit="s", min=0, max=1e9)
    L = Input(TIME, "dead time of the plant", min=0)
    OUT = Output(LREAL, "what PV would be without the dead time", unit="{PV}")
    MODEL = Output(LREAL, "what the model says without the dead time", unit="{PV}")
    was = Var(LREAL, "U when it was last a number", unit="{U}")
    now = Var(TIME, "time since the start")
    newest = Var(DINT, "slot of the last sample")
    count = Var(DINT, "samples kept")
    values = Var(Array(LREAL, 256), "the model's past", unit="{PV}")
    stamps = Var(Array(TIME, 256), "when each was taken")

    def step(fb, dt):
        drive = fb.U if is_finite(fb.U) else fb.was
        model = fb.MODEL + (fb.K * drive - fb.MODEL) * settling(seconds(dt), fb.T) if fb.count > 0 else fb.K * drive
        fb.MODEL = model if is_finite(model) else fb.MODEL
        fb.was = drive
        fb.now = fb.now + dt
        delay = max(fb.L, 0)
        if is_finite(fb.U + model) and (fb.count == 0 or fb.now - fb.stamps[fb.newest] > div(delay, 254)):
            fb.newest = (fb.newest + 1) & LAST
            fb.values[fb.newest] = fb.MODEL
            fb.stamps[fb.newest] = fb.now
            fb.count = min(fb.count + 1, SLOTS)
        back = min(younger_slots(fb.stamps, fb.newest, fb.count, fb.now - delay), max(fb.count - 1, 0))
        delayed = fb.values[(fb.newest - back) & LAST] if fb.count > 0 else fb.MODEL
        fb.OUT = fb.PV + (fb.MODEL - delayed)

    example = Example(
        PV=20.0,
        K=2.0,
        T=0.0,
        L="200ms",
        dt="100ms",
        table="""
        U  | OUT MODEL
        10 | 20  20       # starts settled
        15 | 30  30       # PV will be 10 higher
        15 | 30  30
        15 | 20  30       # now PV should show it itself
    """,
    )
