"""The settings of a PID controller over the operating point."""

from __future__ import annotations

from blocks.arithmetic import interpolate, is_finite
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, Var, block


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006): gain scheduling; linear between the points")
class GAIN_SCHEDULE:
    """Settings for a PID that change with the operating point: KP, TI and TD from a table over X.

    Linear between the points, flat beyond the first and the last. Wire KP, TI and TD to a PID_FULL, whose OUT does not jump when
    they change (PID's does). A TI of 0 is no integral, and so it is from there to the next point on either side: nothing between
    no integral and a slow one would be a fast one. X should be slow or filtered, else the schedule becomes a loop of its own.
    While X or the table holds a NaN the settings stay as they were, and HELD tells; before the first good scan they are those of
    the first point.
    """

    X = Input(LREAL, "operating point, such as load or flow", unit="{X}")
    XS = Input(Array(LREAL, "N"), "points of the table, rising", unit="{X}")
    KPS = Input(Array(LREAL, "N"), "proportional gain at each point", unit="{KPS}")
    TIS = Input(Array(LREAL, "N"), "integral time at each point, 0: no integral", unit="s", min=0)
    TDS = Input(Array(LREAL, "N"), "derivative time at each point, 0: none", unit="s", min=0)
    KP = Output(LREAL, "proportional gain at X", unit="{KPS}")
    TI = Output(LREAL, "integral time at X", unit="s")
    TD = Output(LREAL, "derivative time at X", unit="s")
    HELD = Output(BOOL, "X or the table is broken: the settings stay")
    started = Var(BOOL, "KP, TI and TD hold good settings")

    def step(fb, dt):
        x = fb.X if is_finite(fb.X) or fb.started else fb.XS[0]
        kp = interpolate(x, fb.XS, fb.KPS)
        ti = interpolate(x, fb.XS, fb.TIS)
        td = interpolate(x, fb.XS, fb.TDS)
        off = fb.TIS[0] <= 0.0
        for i in range(1, len(fb.XS)):
            if x > fb.XS[i - 1]:
                off = fb.TIS[i] <= 0.0 or (x < fb.XS[i] and fb.TIS[i - 1] <= 0.0)
        table = 0.0
        for i in range(len(fb.XS)):
            table = table + fb.XS[i] * 0.0 + fb.KPS[i] * 0.0 + fb.TIS[i] * 0.0 + fb.TDS[i] * 0.0
        good = is_finite(x + kp + ti + td + table)
        if good:
            fb.KP = kp
            fb.TI = 0.0 if off else ti
            fb.TD = td
            fb.started = is_finite(fb.X) or fb.started
        fb.HELD = not (good and is_finite(fb.X))

    example = Example(
        XS=[20.0, 80.0],
        KPS=[4.0, 1.0],
        TIS=[10.0, 40.0],
        TDS=[0.0, 3.0],
        table="""
        X   | KP TI TD HELD
        0   | 4  10 0  0      # flat beyond the ends
        20  | 4  10 0  0
        40  | 3  20 1  0
        nan | 3  20 1  1
        90  | 1  40 3  0
    """,
    )
