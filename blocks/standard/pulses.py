"""Time gathered or given out: the retentive on-delay, the blinker, the waveform generator, the frequency of pulses."""

from __future__ import annotations

from blocks.arithmetic import clamp, max, min, mod, to_int, to_lreal
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block
from blocks.standard.laws import sine

WAVES = ("triangle", "triangle from 0", "sawtooth rising", "sawtooth falling", "rectangle", "sine", "cosine")
TURN = 6.283185307179586
SLOTS = 10
NS_PER_S = 1_000_000_000.0
LONGEST = 4_611_686_018_427_387_903  # 146 years: two of them still fit a TIME


@block(source="Siemens S7-1200/1500, TONR (time accumulator)")
class TONR:
    """Retentive on-delay: Q turns true once IN has been true for PT in all, with pauses; only R takes the time away.

    What IN was in a scan counts until the next scan, so many short pulses add up to their true time. A shorter PT cuts what ET
    shows, not what was gathered; a longer one does not take Q back.
    """

    IN = Input(BOOL, "runs while true, pauses while false")
    R = Input(BOOL, "resets, and wins", default=False)
    PT = Input(TIME, "time to be reached", min=0)
    Q = Output(BOOL, "ET has reached PT; stays until R")
    ET = Output(TIME, "time gathered, held at PT", min=0)
    gathered = Var(TIME, "time gathered since R, also beyond PT")
    was = Var(BOOL, "IN one scan ago, and no reset")

    def step(fb, dt):
        fb.gathered = 0 if fb.R else min(fb.gathered + (dt if fb.was else 0), LONGEST)
        fb.ET = min(fb.gathered, max(fb.PT, 0))
        fb.Q = not fb.R and (fb.Q or fb.ET >= fb.PT)
        fb.was = fb.IN and not fb.R

    example = Example(
        PT="30ms",
        table="""
        IN R | Q ET
        1  0 | 0 0ms
        1  0 | 0 10ms
        0  0 | 0 20ms
        0  0 | 0 20ms      # pauses
        1  0 | 0 20ms
        1  0 | 1 30ms
        0  0 | 1 30ms
        1  1 | 0 0ms
        1  0 | 0 0ms
        1  0 | 0 10ms
    """,
    )


@block(source="CODESYS Util library, BLINK")
class BLINK:
    """A blinker: while ENABLE is true, OUT is true for TIMEHIGH and false for TIMELOW, in turn.

    The first pulse begins with ENABLE. Without ENABLE OUT is false, so that no lamp and no relay is left on by chance (CODESYS
    leaves OUT as it stands). A time of 0 skips its half. Late scans do not shift the rhythm.
    """

    ENABLE = Input(BOOL, "blinks while true")
    TIMELOW = Input(TIME, "how long OUT is false", min=0)
    TIMEHIGH = Input(TIME, "how long OUT is true", min=0)
    OUT = Output(BOOL, "the blinking signal")
    at = Var(TIME, "time since OUT last turned true, less whole periods")
    was = Var(BOOL, "ENABLE one scan ago")

    def step(fb, dt):
        high = clamp(0, fb.TIMEHIGH, LONGEST)
        period = high + clamp(0, fb.TIMELOW, LONGEST)
        now = fb.at + dt if fb.was else 0
        fb.at = mod(now, period) if fb.ENABLE else 0
        fb.OUT = fb.ENABLE and fb.at < high
        fb.was = fb.ENABLE

    example = Example(
        TIMELOW="20ms",
        TIMEHIGH="10ms",
        table="""
        ENABLE | OUT
        0      | 0
        1      | 1
        1      | 0
        1      | 0
        1      | 1
        0      | 0
        1      | 1
    """,
    )


@block(source="CODESYS Util library, GEN (time base)")
class GEN:
    """A waveform for tests and step responses, from -AMPLITUDE to AMPLITUDE with one PERIOD.

    At the start of a period the triangle and the sine are at 0 and rise, the triangle from 0 (which never falls below 0) is at 0,
    the rising sawtooth is at -AMPLITUDE, the falling one, the rectangle and the cosine are at AMPLITUDE. A new PERIOD keeps the
    place in the period, so OUT does not jump. PERIOD 0 stands still at the start.
    """

    MODE = Input(DINT, "waveform", default=0, min=0, max=len(WAVES) - 1, names=WAVES)
    PERIOD = Input(TIME, "length of a period", min=0)
    AMPLITUDE = Input(LREAL, "largest OUT", unit="{AMPLITUDE}", default=1.0)
    RESET = Input(BOOL, "back to the start of the period", default=False)
    OUT = Output(LREAL, "the waveform; a NaN on AMPLITUDE comes out", unit="{AMPLITUDE}")
    at = Var(TIME, "time in the period")
    of = Var(TIME, "the period that `at` belongs to")

    def step(fb, dt):
        period = clamp(0, fb.PERIOD, LONGEST)
        running = period > 0 and fb.of > 0 and not fb.RESET
        now = fb.at + dt if running else 0
        if running and fb.of != period:
            now = to_int(to_lreal(fb.at) / to_lreal(fb.of) * to_lreal(period)) + dt
        fb.at = mod(now, period)
        fb.of = period
        place = to_lreal(fb.at) / to_lreal(period) if period > 0 else 0.0
        wave = 1.0 if place < 0.5 else -1.0
        if fb.MODE <= 0:
            wave = 4.0 * place if place < 0.25 else (2.0 - 4.0 * place if place < 0.75 else 4.0 * place - 4.0)
        elif fb.MODE == 1:
            wave = 2.0 * place if place < 0.5 else 2.0 - 2.0 * place
        elif fb.MODE == 2:
            wave = 2.0 * place - 1.0
        elif fb.MODE == 3:
            wave = 1.0 - 2.0 * place
        elif fb.MODE == 5:
            wave = sine(TURN * place)
        elif fb.MODE >= 6:
            wave = sine(TURN * (place + 0.25))
        fb.OUT = fb.AMPLITUDE * wave

    example = Example(
        PERIOD="40ms",
        AMPLITUDE=10.0,
        table="""
        MODE RESET | OUT
        0    0     | 0
        0    0     | 10
        0    0     | 0
        0    0     | -10
        0    0     | 0
        4    1     | 10       # the rectangle
        4    0     | 10
        4    0     | -10
        4    0     | -10
        5    1     | 0        # the sine
        5    0     | 10
    """,
    )


@block(source="CODESYS Util library, FREQ_MEASURE")
class FREQ_MEASURE:
    """The frequency of a pulse signal (a fan's tacho, an S0 meter) from the time between rising edges, as the mean of PERIODS.

    VALID is true once so many periods were seen. It falls, and OUT becomes 0, when no edge has come for three times the mean
    period: a fan that stands still has no frequency. An edge is seen at the scan only: at n scans a period a single period is
    off by up to 1/n, and a signal that changes faster than every scan is not measured but aliased.
    """

    IN = Input(BOOL, "the pulses")
    PERIODS = Input(DINT, "number of periods for the mean", default=1, min=1, max=SLOTS)
    RESET = Input(BOOL, "forgets what was measured", default=False)
    OUT = Output(LREAL, "frequency", unit="Hz", min=0)
    VALID = Output(BOOL, "OUT is measured")
    was = Var(BOOL, "IN one scan ago; true at the start, so that a high input is no edge", default=True, volatile=True)
    seen = Var(DINT, "edges seen, at most one more than SLOTS")
    since = Var(TIME, "time since the last edge")
    spans = Var(Array(TIME, SLOTS), "the last periods, the newest first")

    def step(fb, dt):
        periods = clamp(1, fb.PERIODS, SLOTS)
        edge = fb.IN and not fb.was and not fb.RESET
        fb.since = fb.since + dt
        if edge:
            for i in range(SLOTS - 1):
                fb.spans[SLOTS - 1 - i] = fb.spans[SLOTS - 2 - i]
            fb.spans[0] = fb.since
            fb.seen = min(fb.seen + 1, SLOTS + 1)
            fb.since = 0
        total = 0
        for i in range(periods):
            total = total + fb.spans[i]
        # in LREAL: three times a long period would leave 64 bits
        late = to_lreal(fb.since) * periods > 3.0 * to_lreal(total)
        if fb.RESET or (fb.seen > periods and late):
            fb.seen = 0
        fb.VALID = fb.seen > periods and total > 0
        fb.OUT = NS_PER_S * periods / to_lreal(total) if fb.VALID else 0.0
        fb.was = fb.IN

    example = Example(
        dt="10ms",
        table="""
        x IN | OUT VALID
        1 0  | 0   0
        1 1  | 0   0
        1 0  | 0   0
        1 1  | 50  1       # 20 ms from edge to edge
        3 0  | 50  1
        1 1  | 25  1       # 40 ms
        3 0  | 25  1
        9 1  | 25  1       # the edge came after 40 ms; 80 ms since then
        5 1  | 0   0       # more than 120 ms without an edge
    """,
    )
