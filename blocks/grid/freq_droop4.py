"""The frequency droop with its own deadband and slope on each side."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_finite, is_nan, max, min
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block
from blocks.grid.laws import grid_frequency, response

UNKNOWN = math.nan
OFF = math.inf
SETTLED = 1e-3  # of P_RATED, as OpenDER
STATES = ("normal", "over-frequency", "under-frequency", "settling")


@block(source="IEEE 1547-2018, 6.5.2.7.1, table 23 and 24, as in EPRI OpenDER 2.2, eq. 3.7.1-13 to 17")
class FREQ_DROOP4:
    """Power that supports the grid's frequency, with four thresholds: a deadband and a slope above F0, and others below.

    Beyond a deadband P = P_PRE - (F - F0 - DB_OF)/(F0 K_OF) P_RATED above F0 and P_PRE + (F0 - DB_UF - F)/(F0 K_UF) P_RATED
    below: the slope starts at f3 = F0 + DB_OF and f2 = F0 - DB_UF, all of P_RATED is asked for at f4 = f3 + F0 K_OF and f1 = f2 -
    F0 K_UF. P_PRE is P when the frequency left the deadband; it is frozen until the frequency is back, so a new P_SET waits until
    then. OLRT is the open-loop response time, to 90 %; it also slows the way back to P_SET, until P is within 0.1 % of P_RATED.
    After that P is P_SET at once. A frequency that leaves again before that, or jumps from one side to the other, counts from
    P_SET, or the same P_PRE: OpenDER takes what P has just then, climbs with each short visit to the deadband and drains the
    battery. P_MIN and P_MAX hold always; where they cross, P_MAX wins. EN false is a stop: P is P_SET at once and F does not
    matter. A NaN on an input, an infinite setting and a frequency outside 0.8 .. 1.2 F0 come out as NaN, so that they are seen,
    and the droop starts anew.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    P_SET = Input(LREAL, "power while the frequency is normal", unit="kW", default=0.0)
    P_RATED = Input(LREAL, "rated power", unit="kW", min=0)
    P_MIN = Input(LREAL, "lowest power allowed, charging being negative", unit="kW", default=-OFF, max=0)
    P_MAX = Input(LREAL, "highest power allowed", unit="kW", default=OFF, min=0)
    DB_OF = Input(LREAL, "deviation above F0 without an answer", unit="Hz", default=0.036, min=0)
    DB_UF = Input(LREAL, "deviation below F0 without an answer", unit="Hz", default=0.036, min=0)
    K_OF = Input(LREAL, "relative deviation above that takes all of P_RATED off", default=0.05, min=0.001, max=1)
    K_UF = Input(LREAL, "relative deviation below that puts all of P_RATED on", default=0.05, min=0.001, max=1)
    F0 = Input(LREAL, "nominal frequency", unit="Hz", default=50.0, min=1, max=1000)
    OLRT = Input(LREAL, "open-loop response time, to 90 %; 0 answers at once", unit="s", default=5.0, min=0, max=1e9)
    EN = Input(BOOL, "the droop answers; without it P is P_SET", default=True)
    P = Output(LREAL, "power with the droop's answer", unit="kW")
    P_PRE = Output(LREAL, "power from which the droop counts", unit="kW")
    STATE = Output(DINT, "what the droop does", min=0, max=3, names=STATES)
    started = Var(BOOL, "P holds a power")

    def step(fb, dt):
        f = grid_frequency(fb.F, fb.F0) if fb.EN else fb.F0
        over = f - fb.F0 - fb.DB_OF
        under = fb.F0 - fb.DB_UF - f
        highest = min(fb.P_MAX, fb.P_RATED)
        lowest = max(fb.P_MIN, 0.0 - fb.P_RATED)
        side = 1 if over > 0.0 else (2 if under > 0.0 else 0)
        before = fb.P if fb.started else fb.P_SET
        if side == 0:
            fb.P_PRE = fb.P_SET
        elif fb.STATE == 0 or fb.STATE == 3:
            fb.P_PRE = min(highest, max(lowest, before if fb.STATE == 0 else fb.P_PRE))
        asked = fb.P_PRE
        if side == 1:
            asked = fb.P_PRE - over / (fb.F0 * fb.K_OF) * fb.P_RATED
        elif side == 2:
            asked = fb.P_PRE + under / (fb.F0 * fb.K_UF) * fb.P_RATED
        asked = min(highest, max(lowest, asked))  # in this order a NaN stays
        share = response(dt, fb.OLRT) if fb.EN and (side > 0 or fb.STATE > 0) else 1.0
        power = min(highest, max(lowest, before + (asked - before) * share))
        settings = fb.P_RATED + fb.F0 + fb.DB_OF + fb.DB_UF + fb.K_OF + fb.K_UF
        alive = is_finite(power) and is_finite(f + fb.P_SET + settings) and not is_nan(fb.P_MIN) and not is_nan(fb.P_MAX)
        far = fb.EN and abs(power - asked) > SETTLED * fb.P_RATED
        fb.STATE = (side if side > 0 else (3 if fb.STATE > 0 and far else 0)) if alive else 0
        fb.P = power if alive else UNKNOWN
        fb.P_PRE = fb.P_PRE if alive else fb.P_SET
        fb.started = alive

    example = Example(
        F0=60.0,
        P_RATED=100.0,
        OLRT=5.0,
        table="""
            x    F     P_SET | P       P_PRE STATE
            1    60    20    | 20      20    0
            1    59.97 25    | 25      25    0      # inside the deadband of 36 mHz
            1    60    20    | 20      20    0
            500  59.5  20    | ~33.92  20    2      # 90 % of 0.464 Hz / (60 Hz * 0.05) * 100 kW after 5 s
            5000 59.5  50    | ~35.467 20    2      # a new setpoint waits
            500  60    20    | ~21.547 20    3      # the way back takes as long
            900  60    20    | 20      20    0
            5000 61.5  20    | ~-28.8  20    1
        """,
    )
