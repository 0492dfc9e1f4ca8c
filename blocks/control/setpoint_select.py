"""The choice between a local and a remote setpoint."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, is_finite, is_nan, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block

ENDLESS = math.inf
SOURCES = ("local", "remote", "held")


@block(
    source="Astrom & Hagglund, Advanced PID Control (ISA 2006), mode switches without a bump; bumpless local and remote setpoint"
)
class SETPOINT_SELECT:
    """The setpoint in use: remote or local, without a jump when the choice changes.

    On the change to local the setpoint stays where it is, until the operator enters another LOCAL, or the same again with a rising
    edge of ENTER. On the change to remote it goes to REMOTE no faster than RATE. A remote setpoint that is bad (GOOD false, or NaN)
    leaves the setpoint held. OUT is always between MIN and MAX, which go before RATE: where a limit passes OUT, OUT follows it at
    once. Limits that cross or are NaN hold it, and so does a RATE that is NaN. The first scan starts at once; until a setpoint
    is known SOURCE is held. A retained instance goes on from the setpoint that it had.
    """

    LOCAL = Input(LREAL, "setpoint of the operator", unit="{LOCAL}")
    REMOTE = Input(LREAL, "setpoint from afar", unit="{LOCAL}")
    USE_REMOTE = Input(BOOL, "true: remote; false: local")
    GOOD = Input(BOOL, "the remote setpoint is good", default=True)
    RATE = Input(LREAL, "fastest change per second; 0: at once", unit="{LOCAL}/s", default=0.0, min=0)
    MIN = Input(LREAL, "lowest setpoint", unit="{LOCAL}", default=-ENDLESS)
    MAX = Input(LREAL, "highest setpoint", unit="{LOCAL}", default=ENDLESS)
    ENTER = Input(BOOL, "rising edge: LOCAL is entered, also where it has not changed", default=False)
    OUT = Output(LREAL, "setpoint in use", unit="{LOCAL}")
    SOURCE = Output(DINT, "whose it is", min=0, max=2, names=SOURCES)
    target = Var(LREAL, "where OUT goes", unit="{LOCAL}")
    seen = Var(LREAL, "LOCAL one scan ago", unit="{LOCAL}")
    was_remote = Var(BOOL, "it was remote one scan ago")
    started = Var(BOOL, "OUT holds a setpoint")
    was_enter = Var(BOOL, "ENTER one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        entered = is_finite(fb.LOCAL) and (fb.LOCAL != fb.seen or not fb.started or (fb.ENTER and not fb.was_enter))
        usable = fb.GOOD and is_finite(fb.REMOTE)
        first = not fb.started
        if fb.USE_REMOTE and usable:
            fb.target = fb.REMOTE
            fb.SOURCE = 1
        elif fb.USE_REMOTE and not first:
            fb.target = fb.OUT
            fb.SOURCE = 2
        elif fb.was_remote and not entered:
            fb.target = fb.OUT
            fb.SOURCE = 0
        else:
            fb.target = fb.LOCAL if entered else fb.target
            fb.SOURCE = 2 if fb.USE_REMOTE or (first and not entered) else 0
        wanted = clamp(fb.MIN, fb.target, fb.MAX)
        sound = fb.MIN <= fb.MAX and is_finite(wanted)
        if sound:
            limited = not fb.RATE <= 0.0 and not first
            way = (fb.RATE * seconds(dt) if fb.RATE > 0.0 else 0.0) if limited else ENDLESS
            fb.OUT = clamp(fb.MIN, min(fb.OUT + way, max(fb.OUT - way, wanted)), fb.MAX)
        if not sound or is_nan(fb.RATE):
            fb.SOURCE = 2
        fb.started = fb.started or (sound and (entered or (fb.USE_REMOTE and usable)))
        fb.was_remote = fb.USE_REMOTE
        fb.was_enter = fb.ENTER
        fb.seen = fb.LOCAL if is_finite(fb.LOCAL) else fb.seen

    example = Example(
        dt="1s",
        RATE=10.0,
        table="""
        LOCAL REMOTE USE_REMOTE GOOD | OUT SOURCE
        50    80     0          1    | 50  0
        50    80     1          1    | 60  1        # to remote with RATE
        50    80     1          1    | 70  1
        50    80     1          0    | 70  2        # held: the link is down
        50    80     0          1    | 70  0        # to local without a bump
        65    80     0          1    | 65  0        # until the operator enters another
    """,
    )
