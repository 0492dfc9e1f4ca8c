"""What balancing has taken from each cell."""

from __future__ import annotations

from blocks.arithmetic import is_finite, seconds
from blocks.cells.laws import add, carry
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, Var, block

S_PER_H = 3600.0


@block(source="Ohm's law at the bleeding resistor, as in foxBMS 2's history strategy; sums after Neumaier (ZAMM 54, 1974)")
class BALANCING_HISTORY:
    """Counts for each cell the charge that its bleeding resistor has taken, and the time.

    AH = integral of V / R while the switch is closed. A cell that is bled least, week after week, is the one that loses charge by
    itself: LEAST_AT names it (the lowest number where several are equal). A cell without a finite voltage counts time, no charge.
    A rising edge of RESET clears all. Retain this block.
    """

    BLEED = Input(Array(BOOL, "N"), "the bleeding switch of this cell is closed")
    V = Input(Array(LREAL, "N"), "cell voltages", unit="V")
    R = Input(LREAL, "resistance of bleeding resistor and switch", unit="Ohm", min=0.001)
    RESET = Input(BOOL, "a rising edge clears the counts", default=False)
    AH = Output(Array(LREAL, "N"), "charge bled from each cell", unit="Ah")
    HOURS = Output(Array(LREAL, "N"), "how long each cell was bled", unit="h")
    TOTAL = Output(LREAL, "charge bled from all cells", unit="Ah", min=0)
    LEAST_AT = Output(DINT, "cell bled least, from 1", min=0)
    MOST_AT = Output(DINT, "cell bled most, from 1", min=0)
    I_NOW = Output(LREAL, "sum of the bleeding currents now", unit="A", min=0)
    lost = Var(Array(LREAL, "N"), "what rounding took from AH", unit="Ah")
    late = Var(Array(LREAL, "N"), "what rounding took from HOURS", unit="h")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        hours = seconds(dt) / S_PER_H
        cleared = fb.RESET and not fb.pressed
        fb.pressed = fb.RESET
        total = 0.0
        now = 0.0
        least = 0
        most = 0
        for i in range(len(fb.V)):
            if cleared:
                fb.AH[i] = 0.0
                fb.HOURS[i] = 0.0
                fb.lost[i] = 0.0
                fb.late[i] = 0.0
            if fb.BLEED[i]:
                current = fb.V[i] / fb.R
                current = current if current > 0.0 and is_finite(current) else 0.0
                now = add(now, current)
                fb.lost[i] = carry(fb.AH[i], fb.lost[i], current * hours)
                fb.AH[i] = add(fb.AH[i], current * hours)
                fb.late[i] = carry(fb.HOURS[i], fb.late[i], hours)
                fb.HOURS[i] = add(fb.HOURS[i], hours)
                charged = fb.AH[i] + fb.lost[i]
                fb.lost[i] = fb.lost[i] - (charged - fb.AH[i])
                fb.AH[i] = charged
                lasted = fb.HOURS[i] + fb.late[i]
                fb.late[i] = fb.late[i] - (lasted - fb.HOURS[i])
                fb.HOURS[i] = lasted
            total = add(total, fb.AH[i])
            if fb.AH[i] < fb.AH[least]:
                least = i
            if fb.AH[i] > fb.AH[most]:
                most = i
        fb.TOTAL = total
        fb.I_NOW = now
        fb.LEAST_AT = least + 1
        fb.MOST_AT = most + 1

    example = Example(
        R=34,
        V=[3.4, 3.4, 3.4],
        dt="1h",
        table="""
        x  BLEED   RESET | AH        HOURS     TOTAL I_NOW LEAST_AT MOST_AT
        1  [0,0,0] 0     | [0,0,0]   [0,0,0]   0     0     1        1
        10 [1,0,1] 0     | [1,0,1]   [10,0,10] 2     0.2   2        1       # 100 mA each
        10 [0,0,1] 0     | [1,0,2]   [10,0,20] 3     0.1   2        3
        1  [0,1,0] 1     | [0,0.1,0] [0,1,0]   0.1   0.1   1        2
    """,
    )
