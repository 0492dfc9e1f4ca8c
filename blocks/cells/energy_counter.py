"""Charged and discharged energy and charge."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, min, seconds
from blocks.cells.laws import add, carry
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block

S_PER_H = 3600.0


@block(source="Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen (ZAMM 54, 1974): compensated sum")
class ENERGY_COUNTER:
    """Counts charged and discharged energy and charge, each in its own register that only goes up.

    The rectangle of each scan is added with Neumaier's compensation: after years of 10 ms scans nothing is lost in rounding,
    where a plain sum would stop counting small currents. EFFICIENCY is discharged over charged energy; it means something only
    between two equal states of charge, and is 0 until E_LEAST was charged. While voltage or current is not finite the energy is
    not counted and HELD is true; charge counts on with the current alone. A rising edge of RESET clears the registers. Retain
    this block.
    """

    V = Input(LREAL, "voltage", unit="V")
    I = Input(LREAL, "current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    I_ZERO = Input(LREAL, "a current below this is the sensor's offset and is not counted", unit="A", default=0.0, min=0)
    E_LEAST = Input(LREAL, "no EFFICIENCY before so much was charged", unit="kWh", default=1.0, min=0.001)
    RESET = Input(BOOL, "a rising edge clears the registers", default=False)
    CHARGED = Output(LREAL, "energy charged", unit="kWh", min=0)
    DISCHARGED = Output(LREAL, "energy discharged", unit="kWh", min=0)
    AH_CHARGED = Output(LREAL, "charge charged", unit="Ah", min=0)
    AH_DISCHARGED = Output(LREAL, "charge discharged", unit="Ah", min=0)
    EFFICIENCY = Output(LREAL, "DISCHARGED over CHARGED", unit="%", min=0, max=1000)
    HELD = Output(BOOL, "a value is dead: its register stands")
    e_in = Var(LREAL, "sum of CHARGED", unit="kWh")
    e_out = Var(LREAL, "sum of DISCHARGED", unit="kWh")
    q_in = Var(LREAL, "sum of AH_CHARGED", unit="Ah")
    q_out = Var(LREAL, "sum of AH_DISCHARGED", unit="Ah")
    e_in_lost = Var(LREAL, "what rounding took from e_in", unit="kWh")
    e_out_lost = Var(LREAL, "what rounding took from e_out", unit="kWh")
    q_in_lost = Var(LREAL, "what rounding took from q_in", unit="Ah")
    q_out_lost = Var(LREAL, "what rounding took from q_out", unit="Ah")
    pressed = Var(BOOL, "RESET one scan ago; true at the start", default=True)

    def step(fb, dt):
        hours = seconds(dt) / S_PER_H
        if fb.RESET and not fb.pressed:
            fb.e_in = 0.0
            fb.e_out = 0.0
            fb.q_in = 0.0
            fb.q_out = 0.0
            fb.e_in_lost = 0.0
            fb.e_out_lost = 0.0
            fb.q_in_lost = 0.0
            fb.q_out_lost = 0.0
        fb.pressed = fb.RESET
        flows = max(fb.I, 0.0 - fb.I) >= fb.I_ZERO
        charge = fb.I * hours if flows and is_finite(fb.I) else 0.0
        energy = fb.V * charge / 1000.0
        energy = energy if is_finite(energy) else 0.0
        q_in = max(0.0 - charge, 0.0)
        q_out = max(charge, 0.0)
        e_in = max(0.0 - energy, 0.0)
        e_out = max(energy, 0.0)
        fb.e_in_lost = carry(fb.e_in, fb.e_in_lost, e_in)
        fb.e_in = add(fb.e_in, e_in)
        fb.e_out_lost = carry(fb.e_out, fb.e_out_lost, e_out)
        fb.e_out = add(fb.e_out, e_out)
        fb.q_in_lost = carry(fb.q_in, fb.q_in_lost, q_in)
        fb.q_in = add(fb.q_in, q_in)
        fb.q_out_lost = carry(fb.q_out, fb.q_out_lost, q_out)
        fb.q_out = add(fb.q_out, q_out)
        fb.CHARGED = max(fb.e_in + fb.e_in_lost, 0.0)
        fb.DISCHARGED = max(fb.e_out + fb.e_out_lost, 0.0)
        fb.AH_CHARGED = max(fb.q_in + fb.q_in_lost, 0.0)
        fb.AH_DISCHARGED = max(fb.q_out + fb.q_out_lost, 0.0)
        enough = fb.CHARGED >= max(fb.E_LEAST, 0.001)
        fb.EFFICIENCY = clamp(0.0, min(fb.DISCHARGED / fb.CHARGED, 10.0) * 100.0, 1000.0) if enough else 0.0
        fb.HELD = not is_finite(fb.V) or not is_finite(fb.I)

    example = Example(
        V=1000,
        dt="1min",
        table="""
        x  I    RESET | CHARGED DISCHARGED AH_CHARGED AH_DISCHARGED EFFICIENCY HELD
        60 -100 0     | 100     0          100        0             0          0      # 100 kW for an hour
        30 0    0     | 100     0          100        0             0          0
        54 100  0     | 100     90         100        90            90         0
        9  nan  0     | 100     90         100        90            90         1
        1  60   1     | 0       1          0          1             0          0
    """,
    )
