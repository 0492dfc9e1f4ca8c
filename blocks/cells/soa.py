"""The safe operating area of one rack: voltages, temperatures and current against three levels of limits."""

from __future__ import annotations

from blocks.arithmetic import max, min
from blocks.cells.laws import events_in, spare_time, watch
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block

LEVELS = ("inside", "beyond maximum operating", "beyond recommended safety", "beyond maximum safety")
REASONS = ("none", "over-voltage", "under-voltage", "over-temperature", "under-temperature", "charge current", "discharge current")


@block(
    source="foxBMS 2 v1.11, safe operating area: limits of temperature, event thresholds and delays of its default configuration"
)
class SOA:
    """The safe operating area of a rack: six quantities against maximum operating, recommended and maximum safety limits.

    Each quantity is a SOA_LIMIT: an event a CYCLE at a limit or beyond it, a level after EVENTS of them, left when its counter is
    back at 0; the maximum safety level trips after the quantity's delay. Temperature has its own limits while discharging;
    charging and at rest (and with an unknown current) those of charging hold. Voltage and current limits are the cell's, so they
    have no default. A NaN counts as beyond: a dead sensor trips after its events. Counters are in the order of REASON, three
    levels each.

    foxBMS's lower limits of charging (-10 °C and below) are where the contactors open; LFP makers allow no charging below 0 °C at
    all. That is CHARGE_LIMITER's duty. Where a charge below 0 °C shall trip as well, set T_LOW_CHARGE: but it holds at rest, too.
    """

    V_MAX = Input(LREAL, "highest cell voltage", unit="V")
    V_MIN = Input(LREAL, "lowest cell voltage", unit="V")
    T_MAX = Input(LREAL, "highest cell temperature", unit="°C")
    T_MIN = Input(LREAL, "lowest cell temperature", unit="°C")
    I = Input(LREAL, "current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    V_HIGH = Input(Array(LREAL, 3), "limits of over-voltage", unit="V")
    V_LOW = Input(Array(LREAL, 3), "limits of under-voltage", unit="V")
    I_CHARGE = Input(Array(LREAL, 3), "limits of the charging current, as positive numbers", unit="A")
    I_DISCHARGE = Input(Array(LREAL, 3), "limits of the discharging current", unit="A")
    T_HIGH_CHARGE = Input(Array(LREAL, 3), "over-temperature, charging or at rest", unit="°C", default=(35.0, 40.0, 45.0))
    T_HIGH_DISCHARGE = Input(Array(LREAL, 3), "over-temperature, discharging", unit="°C", default=(45.0, 50.0, 55.0))
    T_LOW_CHARGE = Input(Array(LREAL, 3), "under-temperature, charging or at rest", unit="°C", default=(-10.0, -15.0, -20.0))
    T_LOW_DISCHARGE = Input(Array(LREAL, 3), "under-temperature, discharging", unit="°C", default=(-10.0, -15.0, -20.0))
    I_REST = Input(LREAL, "a current below this is rest", unit="A", default=0.2, min=0)
    EVENTS = Input(Array(DINT, 3), "events of voltage, temperature, current", default=(50, 500, 10), min=1)
    DELAYS = Input(
        Array(TIME, 3), "delays of voltage, temperature, current", default=(200_000_000, 1_000_000_000, 100_000_000), min=0
    )
    CYCLE = Input(TIME, "one event counts for this long; 0: each scan is one", default=10_000_000, min=0)
    RESET = Input(BOOL, "clears TRIP on its rising edge, if nothing is beyond maximum safety", default=False)
    LEVEL = Output(DINT, "the highest active level", min=0, max=3, names=LEVELS)
    REASON = Output(DINT, "what stands at LEVEL; the first of several", min=0, max=6, names=REASONS)
    PENDING = Output(BOOL, "a maximum safety limit is violated, the trip follows: take the power away")
    TRIP = Output(BOOL, "open the contactors; stays until RESET")
    FIRST = Output(DINT, "what tripped it first", min=0, max=6, names=REASONS)
    LEVELS = Output(Array(DINT, 6), "active level of each quantity, 0 to 3")
    COUNT = Output(Array(DINT, 18), "event counters, three levels for each quantity")
    active = Var(Array(BOOL, 18), "level is active")
    seen = Var(Array(BOOL, 18), "beyond its limit in this cycle")
    waited = Var(Array(TIME, 6), "time at the maximum safety level, held at the delay")
    spare = Var(TIME, "time since the last event was counted")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        checks = events_in(fb.spare, dt, fb.CYCLE)
        fb.spare = spare_time(fb.spare, dt, fb.CYCLE)
        discharging = fb.I > fb.I_REST
        highest = 0
        reason = 0
        tripping = 0
        for i in range(6):
            kind = 0 if i < 2 else (1 if i < 4 else 2)
            before = fb.LEVELS[i]
            if i == 0:
                level = watch(fb.COUNT, fb.active, fb.seen, 0, fb.V_MAX, fb.V_HIGH, False, 0.0, checks, fb.EVENTS[0])
            elif i == 1:
                level = watch(fb.COUNT, fb.active, fb.seen, 3, fb.V_MIN, fb.V_LOW, True, 0.0, checks, fb.EVENTS[0])
            elif i == 2 and discharging:
                level = watch(fb.COUNT, fb.active, fb.seen, 6, fb.T_MAX, fb.T_HIGH_DISCHARGE, False, 0.0, checks, fb.EVENTS[1])
            elif i == 2:
                level = watch(fb.COUNT, fb.active, fb.seen, 6, fb.T_MAX, fb.T_HIGH_CHARGE, False, 0.0, checks, fb.EVENTS[1])
            elif i == 3 and discharging:
                level = watch(fb.COUNT, fb.active, fb.seen, 9, fb.T_MIN, fb.T_LOW_DISCHARGE, True, 0.0, checks, fb.EVENTS[1])
            elif i == 3:
                level = watch(fb.COUNT, fb.active, fb.seen, 9, fb.T_MIN, fb.T_LOW_CHARGE, True, 0.0, checks, fb.EVENTS[1])
            elif i == 4:
                level = watch(fb.COUNT, fb.active, fb.seen, 12, 0.0 - fb.I, fb.I_CHARGE, False, 0.0, checks, fb.EVENTS[2])
            else:
                level = watch(fb.COUNT, fb.active, fb.seen, 15, fb.I, fb.I_DISCHARGE, False, 0.0, checks, fb.EVENTS[2])
            fb.waited[i] = min(fb.waited[i] + dt, fb.DELAYS[kind]) if level == 3 and before == 3 else 0
            fb.LEVELS[i] = level
            if level == 3 and fb.waited[i] >= fb.DELAYS[kind] and tripping == 0:
                tripping = i + 1
            if level > highest:
                reason = i + 1
            highest = max(level, highest)
        clears = fb.RESET and not fb.pressed and highest < 3
        if tripping > 0 and not fb.TRIP:
            fb.FIRST = tripping
        elif clears:
            fb.FIRST = 0
        fb.TRIP = tripping > 0 or (fb.TRIP and not clears)
        fb.LEVEL = highest
        fb.REASON = reason
        fb.PENDING = highest == 3 and not fb.TRIP
        fb.pressed = fb.RESET

    example = Example(
        V_HIGH=[3.50, 3.55, 3.60],
        V_LOW=[2.9, 2.8, 2.7],
        V_MIN=3.3,
        I_CHARGE=[140, 160, 180],
        I_DISCHARGE=[140, 160, 180],
        T_MIN=24,
        table="""
        x   V_MAX T_MAX I    RESET | LEVEL REASON PENDING TRIP FIRST
        1   3.40  25    100  0     | 0     0      0       0    0
        9   3.40  25    150  0     | 0     0      0       0    0
        1   3.40  25    150  0     | 1     6      0       0    0      # ten events above 140 A
        500 3.40  42    100  0     | 0     0      0       0    0      # 42 °C is good for discharging,
        500 3.40  42    -100 0     | 2     3      0       0    0      # beyond the recommended 40 °C for charging
        50  3.61  42    -100 0     | 3     1      1       0    0      # over-voltage: 50 events,
        20  3.61  42    -100 0     | 3     1      0       1    1      # then 200 ms
        500 3.40  25    0    0     | 0     0      0       1    1
        1   3.40  25    0    1     | 0     0      0       0    0
    """,
    )
