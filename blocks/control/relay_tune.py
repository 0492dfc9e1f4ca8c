"""The relay experiment that finds a controller's settings."""

from __future__ import annotations

from blocks.arithmetic import abs, div, is_finite, max, min, seconds, sqrt
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

STATES = ("idle", "running", "done", "failed")
RULES = ("Tyreus-Luyben PI", "Tyreus-Luyben PID", "Ziegler-Nichols PI", "Ziegler-Nichols PID")
IDLE, RUNNING, DONE, FAILED = range(4)
FOUR_BY_PI = 1.2732395447351628
CYCLES = 3
ALIKE = 0.1


@block(source="Astrom & Hagglund, Automatic tuning of simple regulators (Automatica 20, 1984); Tyreus-Luyben, Ziegler-Nichols")
class RELAY_TUNE:
    """Finds settings for a PID by making the plant swing a little: OUT switches between BIAS + and - AMPLITUDE as PV crosses SP.

    From the swing a of PV (half of top to bottom) and its period TU follows KU = 4 AMPLITUDE/(pi sqrt(a^2 - HYSTERESIS^2)), the
    gain at which a proportional controller would just swing for ever; KP, TI and TD are a RULE's shares of both. HYSTERESIS makes
    the swing slower, so TU too long and KU too small, on the calm side (a third of a: KU 30 % too small): keep it far below a.
    Start it near SP, with BIAS where OUT stands. It is done after three cycles in a row that are within 10 % of the one before; KU
    is right to some 5 to 20 %, as the method is. Dropping RUN ends it, and it fails when PV is further than MAX_ERROR from SP,
    after T_MAX, or on a NaN: OUT is then BIAS (where that is NaN, what it last was). A restart of the controller ends it too. The
    results stay until the next are there. Tyreus-Luyben is calm, Ziegler-Nichols hasty.
    """

    RUN = Input(BOOL, "starts the experiment when it rises, ends it when it falls")
    SP = Input(LREAL, "value to swing around", unit="{SP}")
    PV = Input(LREAL, "measured value", unit="{SP}")
    BIAS = Input(LREAL, "OUT at rest", unit="{BIAS}")
    AMPLITUDE = Input(LREAL, "how far OUT goes to either side of BIAS", unit="{BIAS}", min=0, difference=True)
    HYSTERESIS = Input(LREAL, "how far PV must cross SP: more than its noise", unit="{SP}", default=0.0, min=0, difference=True)
    MAX_ERROR = Input(LREAL, "PV must stay this near to SP", unit="{SP}", min=0)
    T_MAX = Input(TIME, "longest time of the experiment", default=3_600_000_000_000, min=0)
    REVERSE = Input(BOOL, "more OUT makes PV fall, as cooling does", default=False)
    RULE = Input(DINT, "how the settings follow from KU and TU", default=0, min=0, max=3, names=RULES)
    OUT = Output(LREAL, "what drives the plant", unit="{BIAS}")
    STATE = Output(DINT, "how far it is", min=0, max=3, names=STATES, volatile=True)
    KU = Output(LREAL, "ultimate gain", unit="{BIAS}/{SP}")
    TU = Output(LREAL, "ultimate period", unit="s")
    KP = Output(LREAL, "proportional gain by the rule", unit="{BIAS}/{SP}")
    TI = Output(LREAL, "integral time by the rule", unit="s")
    TD = Output(LREAL, "derivative time by the rule", unit="s")
    ran = Var(BOOL, "RUN one scan ago")
    high = Var(BOOL, "OUT is above BIAS")
    rises = Var(DINT, "how often OUT has switched up, held at 2")
    alike = Var(DINT, "cycles in a row that were like the one before")
    period = Var(TIME, "period of the last cycle")
    swing = Var(LREAL, "swing of the last cycle, top to bottom", unit="{SP}")
    elapsed = Var(TIME, "time since the start")
    since = Var(TIME, "time since OUT switched up")
    periods = Var(TIME, "sum of the periods that count")
    swings = Var(LREAL, "sum of their swings, top to bottom", unit="{SP}")
    top = Var(LREAL, "highest PV of this cycle", unit="{SP}")
    bottom = Var(LREAL, "lowest PV of this cycle", unit="{SP}")
    rest = Var(LREAL, "BIAS when it was last a number", unit="{BIAS}")

    def step(fb, dt):
        error = fb.PV - fb.SP if fb.REVERSE else fb.SP - fb.PV
        hysteresis = max(fb.HYSTERESIS, 0.0)
        starts = fb.RUN and not fb.ran
        fb.ran = fb.RUN
        fb.elapsed = 0 if starts else fb.elapsed + dt
        fb.since = 0 if starts else fb.since + dt
        fb.top = fb.PV if starts else max(fb.PV, fb.top)
        fb.bottom = fb.PV if starts else min(fb.PV, fb.bottom)
        if starts:
            fb.STATE = RUNNING
            fb.rises = 0
            fb.high = error > 0.0
        if fb.STATE == RUNNING:
            is_near = abs(error) <= fb.MAX_ERROR and is_finite(error + fb.HYSTERESIS)
            is_able = fb.AMPLITUDE > 0.0 and is_finite(fb.BIAS + fb.AMPLITUDE) and fb.elapsed <= fb.T_MAX
            if not fb.RUN:
                fb.STATE = IDLE
            elif not (is_near and is_able):
                fb.STATE = FAILED
            elif fb.high:
                fb.high = error >= 0.0 - hysteresis
            elif error > hysteresis:  # a cycle is over
                fb.high = True
                swing = fb.top - fb.bottom
                is_alike = abs(swing - fb.swing) <= ALIKE * swing and abs(fb.since - fb.period) <= max(div(fb.since, 10), dt + dt)
                counts = is_alike and fb.rises >= 2
                fb.alike = fb.alike + 1 if counts else 0
                fb.periods = fb.periods + fb.since if counts else 0
                fb.swings = fb.swings + swing if counts else 0.0
                fb.rises = min(fb.rises + 1, 2)
                fb.period = fb.since
                fb.swing = swing
                fb.since = 0
                fb.top = fb.PV
                fb.bottom = fb.PV
                if fb.alike == CYCLES:
                    half = fb.swings / (2.0 * CYCLES)
                    beyond = sqrt(max((half - hysteresis) * (half + hysteresis), 0.0))
                    fb.STATE = DONE if beyond > 0.0 else FAILED
                    fb.KU = FOUR_BY_PI * fb.AMPLITUDE / beyond if beyond > 0.0 else 0.0
                    fb.TU = seconds(fb.periods) / CYCLES
        if fb.STATE == DONE:
            fb.KP = fb.KU * (1.0 / 3.2 if fb.RULE == 0 else (1.0 / 2.2 if fb.RULE == 1 else (0.45 if fb.RULE == 2 else 0.6)))
            fb.TI = fb.TU * (2.2 if fb.RULE <= 1 else (1.0 / 1.2 if fb.RULE == 2 else 0.5))
            fb.TD = fb.TU * (1.0 / 6.3 if fb.RULE == 1 else (0.125 if fb.RULE == 3 else 0.0))
        step = (fb.AMPLITUDE if fb.high else 0.0 - fb.AMPLITUDE) if fb.STATE == RUNNING else 0.0
        fb.rest = fb.BIAS if is_finite(fb.BIAS) else fb.rest
        fb.OUT = fb.rest + step

    example = Example(
        SP=20.0,
        BIAS=50.0,
        AMPLITUDE=10.0,
        HYSTERESIS=0.5,
        MAX_ERROR=5.0,
        dt="1s",
        table="""
        RUN PV   | OUT STATE
        0   20   | 50  0
        1   19.8 | 60  1       # above, since PV is below SP
        1   20.4 | 60  1       # not yet across
        1   20.6 | 40  1
        1   19.6 | 40  1
        1   19.4 | 60  1
        1   26   | 50  3       # too far off
        1   20   | 50  3
        0   20   | 50  3
        1   20.1 | 40  1
        0   20.1 | 50  0
    """,
    )
