"""The supervision of two voltages that must be one."""

from __future__ import annotations

from blocks.arithmetic import abs, max, min
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

MS_200 = 200_000_000
AT_ONCE = 10.0


@block(source="EMS safety practice: |BMS voltage - PCS terminal voltage| > 2.0 V is an emergency stop (resistance: fire risk)")
class VOLTAGE_MATCH:
    """Trips when battery and converter, joined by closed contactors, do not see the same voltage: resistance where none may be.

    TRIP is true once |V_BMS - V_PCS| > DV_MAX has lasted for DELAY while CLOSED; the first such scan is time 0. A scan in which
    they match takes its time off again, so a loose contact trips as well. Above ten times DV_MAX it trips at once. The trip stays
    until RESET rises and the voltages match, or the contactors are open. A voltage that is NaN does not match. While the
    contactors are open nothing is compared.
    """

    CLOSED = Input(BOOL, "the contactors are closed (feedback)")
    V_BMS = Input(LREAL, "voltage that the battery measures", unit="V")
    V_PCS = Input(LREAL, "voltage at the converter's terminals", unit="V")
    RESET = Input(BOOL, "ends the trip on its rising edge", default=False)
    DV_MAX = Input(LREAL, "largest difference", unit="V", default=2.0, min=0)
    DELAY = Input(TIME, "how long the difference must last", default=MS_200, min=0)
    TRIP = Output(BOOL, "emergency stop")
    MISMATCH = Output(BOOL, "the voltages differ now")
    DV = Output(LREAL, "V_BMS - V_PCS", unit="V")
    lasted = Var(TIME, "how long they have differed, less how long they then matched")
    was = Var(BOOL, "RESET one scan ago; true at the start, so that a stuck button is no edge", default=True)

    def step(fb, dt):
        fb.DV = fb.V_BMS - fb.V_PCS
        differ = fb.CLOSED and not abs(fb.DV) <= fb.DV_MAX
        far = fb.CLOSED and abs(fb.DV) > AT_ONCE * max(fb.DV_MAX, 0.0)
        lasted = min(fb.lasted + (dt if fb.MISMATCH else 0), fb.DELAY) if differ else max(fb.lasted - dt, 0)
        fb.lasted = lasted if fb.CLOSED else 0
        fb.MISMATCH = differ
        kept = fb.TRIP and (differ or not fb.RESET or fb.was)
        fb.TRIP = kept or far or (differ and fb.lasted >= fb.DELAY)
        fb.was = fb.RESET

    example = Example(
        V_PCS=800.0,
        dt="100ms",
        table="""
        CLOSED V_BMS RESET | MISMATCH TRIP DV
        0      750   0     | 0        0    -50    # open: nothing to compare
        1      802   0     | 0        0    2
        1      802.5 0     | 1        0    2.5
        1      802.5 0     | 1        0    2.5
        1      802.5 0     | 1        1    2.5    # for 200 ms
        0      802.5 0     | 0        1    2.5    # the contactors opened; the trip stays
        0      802.5 1     | 0        0    2.5
    """,
    )
