"""The proof that an open contactor is open."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

RESULTS = ("closed: not tested", "waiting for the bus", "open", "welded", "not testable")
SECONDS_10 = 10_000_000_000
MS_200 = 200_000_000


@block(source="IEC 61851-23 (welding is detected by the voltage behind the opened contactor); waiting time and voltage are ours")
class WELD_CHECK:
    """Looks for the battery's voltage behind an open contactor: after WAIT the bus must be DV_MIN away from it.

    The bus capacitors keep their voltage for a while, so equal voltages are no weld before WAIT is over. Once the two voltages
    have been DV_MIN apart for HOLD, this opening is proven, also if the bus is charged again later; the first such scan is time 0.
    A sensor that reads 0 V proves nothing: unless the voltages matched just before it opened, voltages that are apart are not
    testable. So is a start with the contactor open: it is proven after the first closing only. Where another source keeps the bus
    alive (LIVE), the battery has no voltage, or a voltage is NaN, nothing can be said: neither PROVEN nor WELDED, and WAIT
    starts anew. A weld that turns out to have been a slow bus is taken back.
    """

    OPEN = Input(BOOL, "the contactor is commanded open")
    V_BATT = Input(LREAL, "voltage on the battery's side", unit="V")
    V_BUS = Input(LREAL, "voltage behind the contactor", unit="V")
    LIVE = Input(BOOL, "something else keeps the bus under voltage", default=False)
    DV_MIN = Input(LREAL, "voltages this far apart prove it open", unit="V", default=20.0, min=0)
    WAIT = Input(TIME, "time in which the bus discharges", default=SECONDS_10, min=0)
    HOLD = Input(TIME, "how long they must be apart", default=MS_200, min=0)
    PROVEN = Output(BOOL, "the contactor is open: proven")
    WELDED = Output(BOOL, "the battery's voltage is still behind it")
    RESULT = Output(DINT, "what the test says", min=0, max=4, names=RESULTS)
    ET = Output(TIME, "how long it has been testable, held at WAIT", min=0)
    testing = Var(BOOL, "it was testable one scan ago")
    matched = Var(BOOL, "the voltages were one when it was last closed")
    parted = Var(BOOL, "they were apart one scan ago")
    held = Var(TIME, "how long they have been apart, held at HOLD")

    def step(fb, dt):
        apart = abs(fb.V_BATT - fb.V_BUS) >= fb.DV_MIN
        known = is_finite(fb.V_BATT - fb.V_BUS) and fb.V_BATT >= fb.DV_MIN
        fb.matched = fb.matched if fb.OPEN else known and not apart
        testable = fb.OPEN and not fb.LIVE and known and (fb.matched or not apart)
        fb.ET = min(fb.ET + dt, fb.WAIT) if testable and fb.testing else 0
        fb.ET = fb.ET if fb.ET > 0 else 0
        fb.testing = testable
        parted = testable and apart
        fb.held = min(fb.held + dt, max(fb.HOLD, 0)) if parted and fb.parted else 0
        fb.parted = parted
        fb.PROVEN = fb.OPEN and (fb.PROVEN or (parted and fb.held >= fb.HOLD))
        fb.WELDED = testable and not fb.PROVEN and fb.ET >= fb.WAIT and (fb.WELDED or not apart)
        untested = 1 if testable else (4 if fb.OPEN else 0)
        fb.RESULT = 2 if fb.PROVEN else (3 if fb.WELDED else untested)

    example = Example(
        V_BATT=800.0,
        WAIT="3s",
        HOLD="1s",
        dt="1s",
        table="""
        OPEN V_BUS | PROVEN WELDED RESULT
        0    800   | 0      0      0
        1    799   | 0      0      1      # the bus is still charged
        1    790   | 0      0      1
        1    770   | 0      0      1      # 30 V apart,
        1    769   | 1      0      2      # for 1 s: open
        1    800   | 1      0      2      # another rack charges the bus: still proven
        0    800   | 0      0      0
        1    800   | 0      0      1
        1    800   | 0      0      1
        1    800   | 0      0      1
        1    799   | 0      1      3      # nothing happens for 3 s: welded
    """,
    )
