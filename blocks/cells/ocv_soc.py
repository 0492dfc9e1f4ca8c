"""The state of charge read from the voltage at rest."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, is_finite, max, min
from blocks.cells.laws import LFP, charge_at
from blocks.declare import BOOL, LREAL, TIME, Array, Example, Input, Output, Var, block

NEVER = 100.0
BEYOND = 3.0  # standard deviations


@block(source="Plett, Battery Management Systems, volume 2 (Artech House 2016): SOC by inverting the open-circuit voltage")
class OCV_SOC:
    """Reads the state of charge of a cell at rest from its voltage, and says whether that reading is worth anything.

    After REST_TIME with at most I_REST in either direction, SOC is where the table OCV reaches V. SIGMA is how far SOC goes when
    V is off by V_ERROR (sensor, hysteresis and what has not relaxed yet), the longer way. USABLE needs SIGMA within SIGMA_MAX: on
    the plateau of LFP a few millivolts are tens of percent, so it says no. While the cell does not rest SOC keeps the last usable
    reading. A V beyond the table's ends is read as the end, and is off by at least that; further than three V_ERROR it is no
    open-circuit voltage, so no reading; nor is a NaN on V; a NaN on I is no rest. After an outage nobody knows how long the cell
    rested: the rest starts anew also where the block is retained.
    """

    V = Input(LREAL, "cell voltage", unit="V")
    I = Input(LREAL, "cell current", unit="A")  # noqa: E741 - the letter of the trade
    I_REST = Input(LREAL, "current up to which the cell rests", unit="A", default=0.5, min=0)
    REST_TIME = Input(TIME, "how long it must rest", min=0, default=1_800_000_000_000)
    V_ERROR = Input(LREAL, "standard deviation of V from the true open-circuit voltage", unit="V", default=0.005, min=0, max=1)
    SIGMA_MAX = Input(LREAL, "largest SIGMA of a usable reading", unit="%", default=5.0, min=0, max=100)
    OCV = Input(Array(LREAL, 21), "open-circuit voltage at 0, 5, ... 100 % of charge, rising", unit="V", default=LFP)
    SOC = Output(LREAL, "last usable reading, 0 before the first", unit="%", min=0, max=100)
    SIGMA = Output(
        LREAL,
        "standard deviation of the reading now; 100 while there is none",
        unit="%",
        default=NEVER,
        min=0,
        max=100,
        volatile=True,
    )
    USABLE = Output(BOOL, "the cell rests and SOC is known within SIGMA_MAX", volatile=True)
    RESTED = Output(BOOL, "the cell has rested for REST_TIME", volatile=True)
    ET = Output(TIME, "time at rest, held at REST_TIME", min=0, volatile=True)
    was = Var(BOOL, "the current was that of rest one scan ago", volatile=True)

    def step(fb, dt):
        wait = max(fb.REST_TIME, 0)
        quiet = abs(fb.I) <= fb.I_REST
        fb.ET = min(fb.ET + dt, wait) if quiet and fb.was else 0
        fb.RESTED = quiet and fb.ET >= wait
        fb.was = quiet
        fb.SIGMA = NEVER
        fb.USABLE = False
        inside = fb.V - fb.OCV[20] <= BEYOND * fb.V_ERROR and fb.OCV[0] - fb.V <= BEYOND * fb.V_ERROR
        if fb.RESTED and inside and is_finite(fb.V) and fb.V_ERROR >= 0.0:
            v = clamp(fb.OCV[0], fb.V, fb.OCV[20])
            error = max(fb.V_ERROR, abs(fb.V - v))
            soc = charge_at(v, fb.OCV)
            above = charge_at(v + error, fb.OCV) - soc
            below = soc - charge_at(v - error, fb.OCV)
            fb.SIGMA = max(above, below)
            fb.USABLE = fb.SIGMA <= fb.SIGMA_MAX
            if fb.USABLE:
                fb.SOC = soc

    example = Example(
        REST_TIME="30min",
        dt="10min",
        table="""
        V      I   | SOC   SIGMA USABLE RESTED ET
        3.00   140 | 0     100   0      0      0min
        3.0072 0   | 0     100   0      0      0min
        3.0072 0   | 0     100   0      0      10min
        3.0072 0   | 0     100   0      0      20min
        3.0072 0   | ~11.2 ~0.2  1      1      30min
        3.2670 0   | ~11.2 ~11.8 0      1      30min    # the plateau: 5 mV are 12 %
        3.0072 2   | ~11.2 100   0      0      0min
    """,
    )
