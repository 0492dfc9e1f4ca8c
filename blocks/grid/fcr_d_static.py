"""The static frequency containment reserve for disturbances."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block


@block(source="Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (2025), static FCR-D")
class FCR_D_STATIC:
    """Nordic static FCR-D: gives power as the dynamic one, but keeps the most it gave until the disturbance is over.

    The share grows linearly from 49.9 to 49.5 Hz (downwards: 50.1 to 50.5 Hz) without delay and does not fall while the
    disturbance lasts. It returns to 0 in one step when F has stayed inside the band (above 49.9, below 50.1 Hz) for HOLD without
    a break, which the requirements set to 60 s. Then it may rest for REST, at most 15 min, before the next activation. A dead F
    activates nothing and counts as back in the band, so a broken sensor cannot drain the battery.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    CAPACITY = Input(LREAL, "capacity sold, as a positive number", unit="kW", min=0)
    DIRECTION = Input(DINT, "which disturbance it answers", default=0, min=0, max=1, names=("up", "down"))
    HOLD = Input(TIME, "time in the band before it lets go", default=60_000_000_000, min=60_000_000_000, max=3_600_000_000_000)
    REST = Input(TIME, "pause before it is ready again", default=0, min=0, max=900_000_000_000)
    P = Output(LREAL, "activated power, discharging is positive", unit="kW")
    SHARE = Output(LREAL, "activated share of CAPACITY, without sign", min=0, max=1)
    READY = Output(BOOL, "it would answer a disturbance now")
    BAD = Output(BOOL, "an input is no finite number")
    calm = Var(TIME, "how long F has been in the band")
    was_calm = Var(BOOL, "F was in the band one scan ago")
    pause = Var(TIME, "what is left of the rest")

    def step(fb, dt):
        fb.BAD = not is_finite(fb.F + fb.CAPACITY)
        beyond = fb.F - 50.1 if fb.DIRECTION == 1 else 49.9 - fb.F
        asked = 0.0 if fb.BAD else clamp(0.0, beyond / 0.4, 1.0)
        is_calm = fb.BAD or beyond < 0.0
        hold = max(fb.HOLD, 60_000_000_000)
        fb.calm = min(fb.calm + dt, hold) if is_calm and fb.was_calm else 0
        fb.was_calm = is_calm
        fb.pause = max(fb.pause - dt, 0)
        if fb.SHARE > 0.0 and fb.calm >= hold:
            fb.SHARE = 0.0
            fb.pause = clamp(0, fb.REST, 900_000_000_000)
        elif fb.pause == 0:
            fb.SHARE = max(asked, fb.SHARE)
        fb.READY = fb.pause == 0 and not fb.BAD
        power = fb.SHARE * max(fb.CAPACITY, 0.0) if is_finite(fb.CAPACITY) else 0.0
        fb.P = 0.0 - power if fb.DIRECTION == 1 else power

    example = Example(
        CAPACITY="1MW",
        REST="10s",
        dt="1s",
        table="""
        x  F     | P    SHARE READY
        1  50    | 0    0     1
        1  49.7  | 500  0.5   1
        1  49.5  | 1000 1     1
        1  49.8  | 1000 1     1      # keeps the most that it gave
        60 49.95 | 1000 1     1
        1  49.95 | 0    0     0      # 60 s above 49.9 Hz
        9  49.5  | 0    0     0      # resting
        1  49.5  | 1000 1     1
    """,
    )
