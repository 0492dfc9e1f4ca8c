"""The Nordic fast frequency reserve."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, seconds, time
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block
from blocks.grid.laws import is_grid

STATES = ("ready", "support", "deactivation", "buffer", "recovery", "waiting for the frequency")
OPTIONS = ("49.7 Hz in 1.3 s", "49.6 Hz in 1.0 s", "49.5 Hz in 0.7 s")
QUARTER = 900_000_000_000
LONGEST = 300_000_000_000


@block(source="Fingrid and Svenska kraftnat, technical requirements for the Fast Frequency Reserve (FFR)")
class FFR:
    """Nordic fast frequency reserve: all of CAPACITY at once when the frequency falls below the option's threshold.

    The support lasts 5 s if it then ramps down by at most 20 % of CAPACITY a second, else 30 s (SUPPORT may lengthen it),
    whatever the frequency does meanwhile: RATE and SUPPORT are those of the moment of activation. Then P stays 0 for BUFFER, and
    the energy given is charged back at RECOVERY percent of CAPACITY, which pauses while F is below 49.9 Hz or ENABLE is false. It
    is ready when that is done and F was back above the threshold, at the latest 15 min after the activation; what was not charged
    back by then adds to the next recovery.

    The times of an option are for the power at the meter: nothing here delays. A dead F (no number, or outside 40 .. 60 Hz)
    activates nothing and charges nothing back; a support that runs goes on. Buffer (10 s) and recovery (25 %) are those of the
    Swedish requirements, unconfirmed for Fingrid.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    CAPACITY = Input(LREAL, "capacity sold", unit="kW", min=0)
    OPTION = Input(DINT, "threshold, and time to full power at the meter", default=0, min=0, max=2, names=OPTIONS)
    RATE = Input(
        LREAL, "speed of deactivation, in CAPACITY; above 20 the support lasts 30 s", unit="%/s", default=20.0, min=1, max=1000
    )
    SUPPORT = Input(TIME, "length of the support where longer than the least", default=0, min=0, max=300_000_000_000)
    BUFFER = Input(TIME, "pause between support and recovery", default=10_000_000_000, min=0, max=300_000_000_000)
    RECOVERY = Input(
        LREAL, "charging power of the recovery, in CAPACITY; 0 leaves it to others", unit="%", default=0.0, min=0, max=25
    )
    ENABLE = Input(BOOL, "false keeps it from activating and from charging back; a support that runs goes on", default=True)
    P = Output(LREAL, "power asked for, discharging is positive", unit="kW")
    STATE = Output(DINT, "where it is in its cycle", min=0, max=5, names=STATES, volatile=True)
    READY = Output(BOOL, "it would answer now")
    T = Output(TIME, "time since the activation, held at 15 min", volatile=True)
    owed = Var(LREAL, "energy given and not yet charged back, in CAPACITY", unit="s")
    hold = Var(TIME, "length of this support")
    speed = Var(LREAL, "speed of this deactivation, in CAPACITY", unit="1/s", default=0.2)

    def step(fb, dt):
        threshold = 49.7 if fb.OPTION == 0 else (49.6 if fb.OPTION == 1 else 49.5)
        is_alive = is_grid(fb.F)
        can_start = is_alive and is_finite(fb.CAPACITY) and fb.ENABLE
        down = fb.hold + time(1.0 / fb.speed) if fb.speed > 0.0 else fb.hold
        recovery = clamp(0.0, fb.RECOVERY, 25.0) * 0.01
        fb.T = min(fb.T + dt, QUARTER) if fb.STATE > 0 else 0
        if fb.STATE == 1 and fb.T >= fb.hold:
            fb.STATE = 2
        if fb.STATE == 2 and fb.T >= down:
            fb.STATE = 3
            fb.owed = fb.owed + seconds(down + fb.hold) * 0.5
        if fb.STATE == 3 and fb.T >= down + max(fb.BUFFER, 0):
            fb.STATE = 4
        if fb.STATE == 4 and (fb.owed <= 0.0 or recovery == 0.0):
            fb.STATE = 5
            fb.owed = 0.0
        if (fb.STATE == 5 and is_alive and fb.F >= threshold) or (fb.STATE > 2 and fb.T >= QUARTER):
            fb.STATE = 0
        if fb.STATE == 0 and can_start and fb.F < threshold:
            fb.STATE = 1
            fb.T = 0
            rate = clamp(1.0, fb.RATE, 1000.0)
            fb.speed = rate * 0.01
            fb.hold = clamp(5_000_000_000 if rate <= 20.0 else 30_000_000_000, fb.SUPPORT, LONGEST)
        share = 0.0
        if fb.STATE == 1:
            share = 1.0
        elif fb.STATE == 2:
            share = clamp(0.0, 1.0 - fb.speed * seconds(fb.T - fb.hold), 1.0)
        elif fb.STATE == 4 and is_alive and fb.F >= 49.9 and fb.ENABLE:
            share = 0.0 - recovery
            fb.owed = fb.owed - recovery * seconds(dt)
        fb.P = share * max(fb.CAPACITY, 0.0) if is_finite(fb.CAPACITY) else 0.0
        fb.READY = fb.STATE == 0 and can_start

    example = Example(
        CAPACITY="1MW",
        RECOVERY="25%",
        dt="1s",
        table="""
        x  F     | P    STATE T   READY
        1  49.71 | 0    0     0s  1
        1  49.69 | 1000 1     0s  0
        4  49.6  | 1000 1     4s  0
        1  49.75 | 1000 2     5s  0      # ramps down by 20 % a second
        1  49.8  | 800  2     6s  0
        3  49.9  | 200  2     9s  0
        1  49.9  | 0    3     10s 0      # buffer
        9  49.9  | 0    3     19s 0
        1  49.9  | -250 4     20s 0      # charges back 7.5 s of its capacity
        29 49.9  | -250 4     49s 0
        1  49.9  | 0    0     50s 1
    """,
    )
