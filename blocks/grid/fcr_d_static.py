"""The static frequency containment reserve for disturbances."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block
from blocks.grid.laws import is_grid


@block(source="Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (2025), static FCR-D")
class FCR_D_STATIC:
    """Nordic static FCR-D: gives power as the dynamic one, but keeps the most it gave until the disturbance is over.

    The share grows linearly from 49.9 to 49.5 Hz (downwards: 50.1 to 50.5 Hz) without delay and does not fall while the
    disturbance lasts. It returns to 0 in one step when F has stayed inside the band (above 49.9, below 50.1 Hz) for HOLD without
    a break, which the requirements set to 60 s. Then it may rest for REST, at most 15 min, before the next activation.

    A dead F (no number, or outside 40 .. 60 Hz) activates nothing and counts as back in the band, so a broken sensor cannot drain
    the battery. A CAPACITY that is no number gives 0 while it is, and releases nothing. Another DIRECTION ends the activation: it
    must not turn discharging into charging.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    CAPACITY = Input(LREAL, "capacity sold, as a positive number", unit="kW", min=0)
    DIRECTION = Input(DINT, "which disturbance it answers", default=0, min=0, max=1, names=("up", "down"))
    HOLD = Input(TIME, "time in the band before it lets go", default=60_000_000_000, min=60_000_000_000, max=3_600_000_000_000)
    REST = Input(TIME, "pause before it is ready again", default=0, min=0, max=900_000_000_000)
    P = Output(LREAL, "activated power, discharging is positive", unit="kW")
    SHARE = Output(LREAL, "activated share of CAPACITY, without sign", min=0, max=1, volatile=True)
    READY = Output(BOOL, "it would answer a disturbance now")
    BAD = Output(BOOL, "F is no frequency of a grid, or CAPACITY no finite number")
    calm = Var(TIME, "how long F has been in the band", volatile=True)
    was_calm = Var(BOOL, "F was in the band one scan ago", volatile=True)
    was_down = Var(BOOL, "DIRECTION was down one scan ago")
    pause = Var(TIME, "what is left of the rest", volatile=True)

    def step(fb, dt):
        is_dead = not is_grid(fb.F)
        fb.BAD = is_dead or not is_finite(fb.CAPACITY)
        is_down = fb.DIRECTION == 1
        if is_down != fb.was_down:
            fb.SHARE = 0.0
            fb.was_calm = False
        fb.was_down = is_down
        beyond = fb.F - 50.1 if is_down else 49.9 - fb.F
        asked = 0.0 if fb.BAD else clamp(0.0, beyond / 0.4, 1.0)
        is_calm = is_dead or beyond < 0.0
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
        fb.P = 0.0 - power if is_down else power

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
