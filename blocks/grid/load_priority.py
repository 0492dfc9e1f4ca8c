"""Which loads an island can still carry."""

from __future__ import annotations

from blocks.arithmetic import is_finite, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block


@block(source="Load shedding by priority, the practice of islanded microgrids: the least important load first, staggered return")
class LOAD_PRIORITY:
    """Sheds loads of an island in the order of their thresholds, so that the important ones last longest.

    On the grid (ISLAND false) no load falls, and every load is on after DELAY without a break, so a contact that chatters switches
    nothing on. In an island a load falls when SOC is below its SOC_OFF, and may return when SOC is above that plus GAP. An
    overload (P_LOAD above P_AVAILABLE) sheds the last load that is on, at once, and one more every SHED_DELAY while it lasts: list
    the loads from the most to the least important.

    Loads return one by one, the most important first, DELAY after the last change, and only while P_LOAD leaves room of MARGIN:
    it must be as large as the largest load, or that one comes and goes, and so it has no default. A SOC or power that is no finite
    number lets no load return and sheds none: a sensor must not darken a house.
    """

    ISLAND = Input(BOOL, "true: the site is off the grid")
    SOC = Input(LREAL, "state of charge", unit="%")
    SOC_OFF = Input(Array(LREAL, "N"), "the load falls below this state of charge; the most important load first", unit="%")
    GAP = Input(LREAL, "the load returns this far above", unit="%", default=5.0, min=0, max=100)
    P_LOAD = Input(LREAL, "power of all loads", unit="kW", default=0.0)
    P_AVAILABLE = Input(LREAL, "power that the island can give", unit="kW", default=1e9, min=0)
    MARGIN = Input(LREAL, "room before a load returns: the power of the largest load", unit="kW", min=0)
    SHED_DELAY = Input(TIME, "between two loads that an overload sheds", default=1_000_000_000, min=0, max=3_600_000_000_000)
    DELAY = Input(TIME, "before a load returns, since the last change", default=10_000_000_000, min=0, max=3_600_000_000_000)
    ON = Output(Array(BOOL, "N"), "supply this load", default=True)
    COUNT = Output(DINT, "loads that are on", min=0)
    OVERLOAD = Output(BOOL, "P_LOAD is above P_AVAILABLE in an island")
    waited = Var(TIME, "since the last change, held at DELAY")
    shed = Var(TIME, "since an overload shed a load, held at SHED_DELAY")
    back = Var(TIME, "since the grid is back, held at DELAY", volatile=True)
    started = Var(BOOL, "the loads have a state")

    def step(fb, dt):
        known = is_finite(fb.P_LOAD + fb.P_AVAILABLE)
        fb.OVERLOAD = fb.ISLAND and known and fb.P_LOAD > fb.P_AVAILABLE
        fb.waited = min(fb.waited + dt, fb.DELAY) if fb.started else fb.DELAY
        fb.shed = min(fb.shed + dt, fb.SHED_DELAY) if fb.started else fb.SHED_DELAY
        fb.back = 0 if fb.ISLAND else (min(fb.back + dt, fb.DELAY) if fb.started else fb.DELAY)
        fb.started = True
        comes = fb.waited >= fb.DELAY and known and fb.P_LOAD + fb.MARGIN <= fb.P_AVAILABLE and is_finite(fb.SOC)
        for i in range(len(fb.SOC_OFF)):
            low = is_finite(fb.SOC) and fb.SOC < fb.SOC_OFF[i]
            if not fb.ISLAND:
                fb.ON[i] = fb.ON[i] or fb.back >= fb.DELAY
            elif fb.ON[i] and low:
                fb.ON[i] = False
                fb.waited = 0
            elif comes and not fb.ON[i] and fb.SOC > fb.SOC_OFF[i] + fb.GAP:
                fb.ON[i] = True
                fb.waited = 0
                comes = False
        last = 0
        count = 0
        for i in range(len(fb.SOC_OFF)):
            last = i + 1 if fb.ON[i] else last
            count = count + 1 if fb.ON[i] else count
        if fb.OVERLOAD and last > 0 and fb.shed >= fb.SHED_DELAY:
            fb.ON[last - 1] = False
            fb.waited = 0
            fb.shed = 0
            count = count - 1
        fb.COUNT = count

    example = Example(
        SOC_OFF=[5.0, 30.0, 60.0],
        P_AVAILABLE="50kW",
        MARGIN="20kW",
        dt="10s",
        table="""
        ISLAND SOC P_LOAD | ON      COUNT OVERLOAD
        0      50  80     | [1,1,1] 3     0           # the grid carries them
        1      50  30     | [1,1,0] 2     0           # below 60 % the last one falls
        1      50  60     | [1,0,0] 1     1           # too much: one more
        1      50  20     | [1,1,0] 2     0
        1      29  20     | [1,0,0] 1     0
        1      34  20     | [1,0,0] 1     0           # not before 35 %
        1      36  20     | [1,1,0] 2     0
        1      4   20     | [0,0,0] 0     0
        0      4   0      | [1,1,1] 3     0           # the grid is back for 10 s
    """,
    )
