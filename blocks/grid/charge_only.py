"""Charging to a target."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, seconds, settling
from blocks.declare import BOOL, DINT, LREAL, Example, Input, Output, Var, block

REASONS = ("rate", "target reached", "grid import", "battery limit", "rise", "disabled", "bad input")


@block(source="OpenEMS practice: charge to a target within a grid import limit; only increases of power are rate limited")
class CHARGE_ONLY:
    """Charges to SOC_TARGET with RATE, never discharges, and never makes the site import more than IMPORT_LIMIT.

    P = -RATE, less where the import limit leaves less beside the other loads (P_GRID + P_BATTERY: import is positive, discharging
    is positive) or the battery's P_MIN is smaller. It stops at SOC_TARGET and starts again GAP below. An increase of charging is
    no faster than RISE, a decrease acts at once. Towards the import limit it increases with the lag SOFT, since two meters that
    are not read at the same moment would make it hunt otherwise: choose three times the difference of their delays.

    ENABLE is a level: a start command that is repeated changes nothing. An input that is no finite number stops charging, and is
    forgotten: a target that was reached stays so.
    """

    SOC = Input(LREAL, "state of charge", unit="%")
    SOC_TARGET = Input(LREAL, "state of charge to reach", unit="%", default=100.0, min=0, max=100)
    GAP = Input(LREAL, "starts again this far below the target", unit="%", default=2.0, min=0, max=100)
    RATE = Input(LREAL, "charging power, as a positive number", unit="kW", min=0)
    P_MIN = Input(LREAL, "lowest power of the battery, charging being negative", unit="kW", max=0)
    P_GRID = Input(LREAL, "power at the meter, import is positive", unit="kW", default=0.0)
    P_BATTERY = Input(LREAL, "measured power of the battery, discharging is positive", unit="kW", default=0.0)
    IMPORT_LIMIT = Input(LREAL, "highest import of the site; needs P_GRID and P_BATTERY", unit="kW", default=1e9, min=0)
    RISE = Input(LREAL, "fastest increase of charging power", unit="kW/s", default=1e9, min=0)
    SOFT = Input(LREAL, "lag of an increase towards the import limit", unit="s", default=3.0, min=0)
    ENABLE = Input(BOOL, "true charges", default=True)
    P = Output(LREAL, "power setpoint of the battery, charging is negative", unit="kW", max=0)
    DONE = Output(BOOL, "the target is reached")
    ACTIVE = Output(DINT, "what decides on P", min=0, max=6, names=REASONS)
    given = Var(LREAL, "charging power one scan ago, as a positive number", unit="kW", volatile=True)

    def step(fb, dt):
        target = fb.SOC_TARGET
        by_grid = max(fb.IMPORT_LIMIT, 0.0) - (fb.P_GRID + fb.P_BATTERY)
        by_battery = max(0.0 - fb.P_MIN, 0.0)
        by_rise = fb.given + max(fb.RISE, 0.0) * seconds(dt)
        settings = fb.SOC + target + fb.GAP + fb.RATE + fb.P_MIN + fb.IMPORT_LIMIT + fb.RISE + fb.SOFT
        bad = not is_finite(settings + by_battery + by_grid + by_rise)
        if by_grid > fb.given:
            by_grid = fb.given + (by_grid - fb.given) * settling(seconds(dt), fb.SOFT)
        if not bad:
            fb.DONE = fb.SOC >= (target - max(fb.GAP, 0.0) if fb.DONE else target)
        power = max(fb.RATE, 0.0)
        active = 0
        if by_grid < power:
            power = max(by_grid, 0.0)
            active = 2
        if by_battery < power:
            power = by_battery
            active = 3
        if by_rise < power:
            power = by_rise
            active = 4
        active = 1 if fb.DONE else active
        active = active if fb.ENABLE else 5
        active = 6 if bad else active
        fb.given = 0.0 if bad or fb.DONE or not fb.ENABLE else power
        fb.P = 0.0 - fb.given
        fb.ACTIVE = active

    example = Example(
        RATE="100kW",
        SOC_TARGET="80%",
        P_MIN=-200.0,
        IMPORT_LIMIT="250kW",
        RISE=50.0,
        SOFT="1s",
        dt="1s",
        table="""
        SOC  P_GRID P_BATTERY | P    DONE ACTIVE
        50   100    0         | -50  0    4       # rises by 50 kW a second
        50   150    -50       | -100 0    0
        50   270    -100      | -80  0    2       # 170 kW of other loads leave 80
        50   400    -80       | 0    0    2
        79.9 150    -50       | -50  0    4
        80   150    -50       | 0    1    1
        78.1 100    0         | 0    1    1       # not before 78 %
        77.9 100    0         | -50  0    4
    """,
    )
