"""The settings of a PID controller, from one form into another."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, block

FORMS = ("standard", "parallel", "series")


@block(source="Astrom & Hagglund, Advanced PID Control (ISA 2006), chapter 3: standard, series and parallel form")
class PID_GAINS:
    """Settings of a PID given in standard, parallel or series form, as the KP, TI and TD that PID and PID_FULL take.

    Standard: KP (1 + 1/(TI s) + TD s), passed on. Parallel: KP + KI/s + KD s, so TI = KP/KI and TD = KD/KP. Series:
    KP (1 + 1/(TI s)) (1 + TD s), so with f = 1 + TD/TI: KP f, TI f, TD/f (without an integral it is the standard form). The
    standard form has no integral without a gain and no TI of the other sign than KP: INVALID then tells, as for a NaN, and the
    settings before stay.
    """

    FORM = Input(DINT, "form of what is given", default=0, min=0, max=2, names=FORMS)
    KP = Input(LREAL, "proportional gain", unit="{KP}")
    TI = Input(LREAL, "integral time in standard and series form; 0: none", unit="s", default=0.0, min=0)
    TD = Input(LREAL, "derivative time in standard and series form; 0: none", unit="s", default=0.0, min=0)
    KI = Input(LREAL, "integral gain in parallel form; 0: none", unit="{KP}/s", default=0.0)
    KD = Input(LREAL, "derivative gain in parallel form; 0: none", unit="{KP}*s", default=0.0)
    KP_OUT = Output(LREAL, "proportional gain", unit="{KP}")
    TI_OUT = Output(LREAL, "integral time; 0: none", unit="s", min=0)
    TD_OUT = Output(LREAL, "derivative time; 0: none", unit="s", min=0)
    INVALID = Output(BOOL, "what is given has no standard form: the settings before stay")

    def step(fb, dt):
        ti = max(fb.TI, 0.0)
        td = max(fb.TD, 0.0)
        factor = 1.0 + td / ti if fb.FORM == 2 and ti > 0.0 else 1.0
        kp = fb.KP * factor
        ti = ti * factor
        td = td / factor
        if fb.FORM == 1:
            ti = fb.KP / fb.KI if fb.KI != 0.0 else 0.0
            td = fb.KD / fb.KP if fb.KD != 0.0 else 0.0
        lost = fb.FORM == 1 and fb.KP == 0.0 and (fb.KI != 0.0 or fb.KD != 0.0)
        given = fb.KP + (fb.KI + fb.KD if fb.FORM == 1 else fb.TI + fb.TD)
        fb.INVALID = lost or not (is_finite(given + kp + ti + td) and ti >= 0.0 and td >= 0.0)
        if not fb.INVALID:
            fb.KP_OUT = kp
            fb.TI_OUT = ti
            fb.TD_OUT = td

    example = Example(
        KP=2.0,
        TI=4.0,
        TD=1.0,
        KI=0.5,
        KD=3.0,
        table="""
        FORM | KP_OUT TI_OUT TD_OUT INVALID
        0    | 2      4      1      0
        1    | 2      4      1.5    0         # 2/0.5, 3/2
        2    | 2.5    5      0.8    0         # 1 + 1/4 = 1.25 times
    """,
    )
