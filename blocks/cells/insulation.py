"""The supervision of the insulation resistance that a monitoring device reports."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min
from blocks.declare import BOOL, DINT, LREAL, TIME, Example, Input, Output, Var, block

LEVELS = ("good", "below the warning", "below the trip", "unknown")
MOST = 1e9


@block(source="IEC 61557-8 (the device: measuring time, self-test); 100 and 500 Ohm per volt as in UN ECE R100 and ISO 6469")
class INSULATION:
    """Trips when the insulation resistance falls below R_TRIP ohms per volt, and warns below R_WARN.

    The limit is R / U, U being the highest working voltage. After ENABLE has risen the device needs BLIND for its first
    measurement: until then nothing is claimed, and OK (the permit to close) stays false. A low value trips after CONFIRM. No
    value, no VALID or a failed self-test is UNKNOWN: OK does not come, and the trip follows after LOST without a value above the
    trip limit. Only such a value ends the waiting: low and unknown in turn trip as well. TRIP stays until a rising edge of RESET
    with a good value. Only one device may measure in a galvanically connected system: while another one has the duty, ENABLE is
    false and nothing is judged.
    """

    R = Input(LREAL, "insulation resistance", unit="kOhm")
    U = Input(LREAL, "highest working voltage of the system", unit="V", min=1)
    VALID = Input(BOOL, "the device says that its value is one", default=True)
    TEST_OK = Input(BOOL, "the device's self-test has passed", default=True)
    ENABLE = Input(BOOL, "the device measures", default=True)
    R_WARN = Input(LREAL, "warning below this", unit="Ohm/V", default=500.0, min=0)
    R_TRIP = Input(LREAL, "trip below this", unit="Ohm/V", default=100.0, min=0)
    BLIND = Input(TIME, "how long the first measurement takes", default=10_000_000_000, min=0)
    CONFIRM = Input(TIME, "a low value trips after this", default=1_000_000_000, min=0)
    LOST = Input(TIME, "an unknown value trips after this", default=30_000_000_000, min=0)
    RESET = Input(BOOL, "clears TRIP on its rising edge, if the value is good", default=False)
    LEVEL = Output(DINT, "what the value says now", min=0, max=3, names=LEVELS, default=3)
    OHM_PER_V = Output(LREAL, "resistance for each volt; 0 while unknown", unit="Ohm/V", min=0, max=MOST)
    OK = Output(BOOL, "measured, and above the trip limit")
    WARNING = Output(BOOL, "below the warning limit, or unknown")
    TRIP = Output(BOOL, "open the contactors; stays until RESET")
    age = Var(TIME, "time since ENABLE rose, held at BLIND")
    low = Var(TIME, "time below the trip limit since the last good value, held at CONFIRM")
    lost_for = Var(TIME, "time since the last good value, held at LOST")
    was_enabled = Var(BOOL, "ENABLE one scan ago")
    was_level = Var(DINT, "LEVEL one scan ago, 0 while blind")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        fb.age = min(fb.age + dt, fb.BLIND) if fb.ENABLE and fb.was_enabled else 0
        fb.was_enabled = fb.ENABLE
        judged = fb.ENABLE and fb.age >= fb.BLIND
        ratio = fb.R * 1000.0 / max(fb.U, 1.0)
        known = judged and fb.VALID and fb.TEST_OK and is_finite(ratio + fb.U)
        level = 3
        if known:
            level = 0 if ratio >= fb.R_WARN else 1
            level = level if ratio >= fb.R_TRIP else 2
        is_bad = judged and level >= 2
        if is_bad and fb.was_level >= 2:
            fb.low = min(fb.low + dt, fb.CONFIRM) if level == 2 else fb.low
            fb.lost_for = min(fb.lost_for + dt, fb.LOST)
        else:
            fb.low = 0
            fb.lost_for = 0
        fb.was_level = level if judged else 0
        trips = (level == 2 and fb.low >= fb.CONFIRM) or (judged and level == 3 and fb.lost_for >= fb.LOST)
        clears = fb.RESET and not fb.pressed and level < 2
        fb.TRIP = trips or (fb.TRIP and not clears)
        fb.OK = fb.ENABLE and not fb.TRIP and (level < 2 or fb.OK)
        fb.LEVEL = level
        fb.OHM_PER_V = clamp(0.0, ratio, MOST) if known else 0.0
        fb.WARNING = fb.ENABLE and level > 0
        fb.pressed = fb.RESET

    example = Example(
        U=1000,
        BLIND="2s",
        CONFIRM="1s",
        dt="1s",
        table="""
        R    RESET | LEVEL OHM_PER_V OK WARNING TRIP
        0    0     | 3     0         0  1       0     # blind: the device has not measured yet
        0    0     | 3     0         0  1       0
        2000 0     | 0     2000      1  0       0
        400  0     | 1     400       1  1       0
        90   0     | 2     90        1  1       0
        90   0     | 2     90        0  1       1     # low for a second
        900  0     | 0     900       0  0       1
        900  1     | 0     900       1  0       0
    """,
    )
