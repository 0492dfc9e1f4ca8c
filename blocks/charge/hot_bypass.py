"""The bypass of a rack that is warmer or colder than the others."""

from __future__ import annotations

from blocks.arithmetic import abs, is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, block


@block(source="Microgrid balancing practice, E_THERMAL_EXCURSION: a rack more than 5 °C off the mean gets a charge limit of 0")
class HOT_BYPASS:
    """Takes racks whose temperature strays from the mean of all racks out of charging.

    OUT is P_MIN, but 0 for a rack that is more than DT off the mean, warmer or colder, until it is back within DT - HYST. The mean
    is that of all known temperatures, the strayed ones too: of two racks, one is off by half of their difference only. A rack
    whose temperature is not finite is bypassed, and one whose limit is NaN or positive gets 0.
    """

    T = Input(Array(LREAL, "N"), "temperatures of the racks", unit="°C")
    P_MIN = Input(Array(LREAL, "N"), "charge limits of the racks, charging being negative", unit="kW")
    DT = Input(LREAL, "largest distance from the mean", unit="K", default=5.0, min=0)
    HYST = Input(LREAL, "how far a rack must come back", unit="K", default=1.0, min=0)
    OUT = Output(Array(LREAL, "N"), "charge limits, 0 for a bypassed rack, never above 0", unit="kW")
    BYPASS = Output(Array(BOOL, "N"), "the rack is taken out of charging")
    EXCURSION = Output(BOOL, "a rack is bypassed (E_THERMAL_EXCURSION)")
    WORST = Output(DINT, "number of the bypassed rack that strays most, from 1; 0 where none is", min=0)
    COUNT = Output(DINT, "number of bypassed racks", min=0)
    MEAN = Output(LREAL, "mean of the known temperatures; 0 where none is", unit="°C")

    def step(fb, dt):
        total = 0.0
        known = 0
        for i in range(len(fb.T)):
            total = total + (fb.T[i] if is_finite(fb.T[i]) else 0.0)
            known = known + (1 if is_finite(fb.T[i]) else 0)
        mean = total / known if known > 0 else 0.0
        count = 0
        worst = 0
        most = -1.0
        for i in range(len(fb.T)):
            off = abs(fb.T[i] - mean)
            allowed = max(fb.DT - fb.HYST, 0.0) if fb.BYPASS[i] else fb.DT
            strays = not off <= allowed or not is_finite(fb.T[i])
            fb.BYPASS[i] = strays
            fb.OUT[i] = 0.0 if strays else min(fb.P_MIN[i], 0.0)
            count = count + (1 if strays else 0)
            if strays and not off <= most:
                worst = i + 1
                most = off
        fb.COUNT = count
        fb.WORST = worst
        fb.EXCURSION = count > 0
        fb.MEAN = mean

    example = Example(
        P_MIN=[-100.0, -100.0, -100.0],
        table="""
        T          | OUT              BYPASS  WORST MEAN
        [24,25,26] | [-100,-100,-100] [0,0,0] 0     25
        [22,22,31] | [-100,-100,0]    [0,0,1] 3     25     # 6 K off
        [23,23,29] | [-100,-100,-100] [0,0,0] 0     25     # back to 4 K
        [33,27,21] | [0,-100,0]       [1,0,1] 1     27     # too warm and too cold
    """,
    )
