"""The sequence that measures a capacity between empty and full."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, min, seconds
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

S_PER_H = 3600.0
IDLE = 0
DRAIN = 1
REST_EMPTY = 2
FILL = 3
REST_FULL = 4
DONE = 5
ABORTED = 6
PHASES = ("idle", "discharge", "rest at empty", "charge", "rest at full", "done", "aborted")
REASONS = (
    "none",
    "stopped",
    "permit lost",
    "phase too long",
    "current dead",
    "full while empty",
    "capacity not plausible",
)
LONGEST = 9_000_000_000_000_000_000


@block(source="bessplc REQUIREMENTS 23 and 24 (discharge to 0 %, charge to 100 %); Ng et al. (Applied Energy 86, 2009)")
class DEEP_CALIBRATION:
    """Measures the capacity: discharges to empty, rests, charges to full, counts the charge between, rests, and is done.

    P asks for P_DISCHARGE until EMPTY, 0 for REST, P_CHARGE until FULL, 0 for REST; everything else stays behind P, so the
    limiters still cut it. CAPACITY is the charge from the end of the discharge to FULL, what was charged counting ETA of itself;
    it is taken over only between LOW and HIGH of CAPACITY_NOMINAL. A start is a rising edge of START in idle, done or aborted,
    while PERMIT holds and the current is known. Stop, a lost PERMIT, a phase beyond TIMEOUT, a dead current, a FULL that is there
    before the charge begins, or a capacity that cannot be abort it: P is 0 at once, REASON says why, the last good CAPACITY
    stays. Nothing resumes by itself: after a restart a retained block is idle, with its CAPACITY.
    """

    START = Input(BOOL, "starts the sequence when it rises")
    STOP = Input(BOOL, "aborts it", default=False)
    PERMIT = Input(BOOL, "interlocks and grid allow it; false aborts")
    EMPTY = Input(BOOL, "fully discharged, from FULL_EMPTY")
    FULL = Input(BOOL, "fully charged, from FULL_EMPTY")
    I = Input(LREAL, "current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    P_DISCHARGE = Input(LREAL, "power of the discharge", unit="kW", min=0, max=1e6)
    P_CHARGE = Input(LREAL, "power of the charge", unit="kW", min=-1e6, max=0)
    REST = Input(TIME, "rest at empty and at full", min=0, default=1_800_000_000_000)
    TIMEOUT = Input(TIME, "longest discharge, and longest charge", min=0, default=36_000_000_000_000)
    CAPACITY_NOMINAL = Input(LREAL, "capacity of a new one", unit="Ah", min=0, max=1e6)
    LOW = Input(LREAL, "smallest plausible capacity, relative to nominal", unit="%", default=50.0, min=0, max=100)
    HIGH = Input(LREAL, "largest plausible capacity, relative to nominal", unit="%", default=110.0, min=100, max=200)
    ETA = Input(LREAL, "coulombic efficiency", unit="%", default=100.0, min=50, max=100)
    P = Output(LREAL, "power asked for; 0 while nothing is asked", unit="kW", min=-1e6, max=1e6, volatile=True)
    ACTIVE = Output(BOOL, "the sequence runs: P is meant", volatile=True)
    PHASE = Output(DINT, "what it does", min=0, max=6, names=PHASES, volatile=True)
    ET = Output(TIME, "time in this phase", min=0, volatile=True)
    REASON = Output(DINT, "why it aborted", min=0, max=6, names=REASONS, volatile=True)
    COUNTED = Output(LREAL, "charge since empty", unit="Ah", volatile=True)
    CAPACITY = Output(LREAL, "capacity that was measured last; 0 before the first", unit="Ah", min=0)
    FINISHED = Output(BOOL, "true in the scan in which it is done, for the RESET of SOC_DEGRADATION", volatile=True)
    was = Var(BOOL, "START one scan ago; true at the start, so that a stuck button is no edge", default=True, volatile=True)

    def step(fb, dt):
        begins = fb.START and not fb.was
        fb.was = fb.START
        runs = fb.PHASE >= DRAIN and fb.PHASE <= REST_FULL
        fb.FINISHED = False
        fb.ET = min(max(fb.ET, 0), LONGEST) + dt
        phase = fb.PHASE
        reason = 0
        if runs:
            stays = 0.0 - fb.I if fb.I > 0.0 else 0.0 - fb.I * fb.ETA * 0.01
            counts = phase >= REST_EMPTY and phase <= FILL
            counted = fb.COUNTED + (stays * seconds(dt) / S_PER_H if counts else 0.0)
            least = fb.CAPACITY_NOMINAL * fb.LOW * 0.01
            most = fb.CAPACITY_NOMINAL * fb.HIGH * 0.01
            resting = phase != DRAIN and phase != FILL
            if fb.STOP:
                reason = 1
            elif not fb.PERMIT:
                reason = 2
            elif not resting and fb.ET > max(fb.TIMEOUT, 0):
                reason = 3
            elif not is_finite(counted + stays):
                reason = 4
            elif phase == DRAIN and fb.EMPTY:
                phase = REST_EMPTY
                fb.COUNTED = 0.0
            elif phase == REST_EMPTY and fb.ET >= fb.REST:
                phase = FILL
                reason = 5 if fb.FULL else 0
                fb.COUNTED = counted
            elif phase == FILL and fb.FULL:
                phase = REST_FULL
                fb.COUNTED = counted
                reason = 0 if counted > 0.0 and counted >= least and counted <= most else 6
                if reason == 0:
                    fb.CAPACITY = counted
            elif phase == REST_FULL and fb.ET >= fb.REST:
                phase = DONE
                fb.FINISHED = True
            else:
                fb.COUNTED = counted
        elif begins and fb.PERMIT and not fb.STOP and is_finite(fb.I):
            phase = DRAIN
            fb.COUNTED = 0.0
            fb.REASON = 0
        if reason > 0:
            phase = ABORTED
            fb.REASON = reason
        if phase != fb.PHASE:
            fb.ET = 0
        fb.PHASE = phase
        fb.ACTIVE = phase >= DRAIN and phase <= REST_FULL
        discharge = min(max(fb.P_DISCHARGE, 0.0), 1e6)
        charge = max(min(fb.P_CHARGE, 0.0), -1e6)
        fb.P = discharge if phase == DRAIN and not fb.EMPTY else charge if phase == FILL and not fb.FULL else 0.0

    example = Example(
        P_DISCHARGE="50kW",
        P_CHARGE="-50kW",
        REST="30min",
        CAPACITY_NOMINAL=100.0,
        PERMIT=True,
        dt="30min",
        table="""
        x START EMPTY FULL I   | P   PHASE COUNTED CAPACITY FINISHED
        1 0     0     1    0   | 0   0     0       0        0
        1 1     0     1    0   | 50  1     0       0        0           # discharge
        4 0     0     0    48  | 50  1     0       0        0
        1 0     1     0    1   | 0   2     0       0        0           # empty: rest
        1 0     1     0    0   | -50 3     0       0        0           # charge, 48 A
        4 0     0     0    -48 | -50 3     96      0        0
        1 0     0     1    -4  | 0   4     98      98       0           # full: 98 of 100 Ah
        1 0     0     1    0   | 0   5     98      98       1           # rested: done
        1 0     0     1    0   | 0   5     98      98       0
    """,
    )
