"""Balancing by charge: how much each cell must lose is planned once, then bled."""

from __future__ import annotations

from blocks.arithmetic import is_finite, max, seconds
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, Var, block

S_PER_H = 3600.0


@block(source="foxBMS 2 v1.11, balancing strategy history: charge difference to the emptiest cell, counted down by V / R")
class SOC_BALANCING:
    """Plans how much charge each cell must lose so that all are full together, and bleeds it, at any voltage: for LFP's flat curve.

    On a rising edge of PLAN (the states of charge have just been calibrated): LEFT = (largest room of all cells) - (its own
    room), the room being (100 - SOC) CAPACITY / 100, for those above TOLERANCE of their CAPACITY. Then each is bled until V / R
    has taken it. Where another block (BALANCING_PRIORITY) decides who bleeds, wire its BLEED to CLOSED: only what was really bled
    is counted. A plan with a NaN, or a capacity of 0 (none measured yet), is none (BAD). A cell at or below V_MIN or without a
    voltage waits, and so does everything while T is not known. Retain this block: a restart then goes on.
    """

    SOC = Input(Array(LREAL, "N"), "states of charge", unit="%", min=0, max=100)
    CAPACITY = Input(Array(LREAL, "N"), "capacities", unit="Ah", min=0)
    V = Input(Array(LREAL, "N"), "cell voltages", unit="V")
    CLOSED = Input(Array(BOOL, "N"), "the bleeding switch of this cell really follows BLEED", default=True)
    R = Input(LREAL, "resistance of bleeding resistor and switch", unit="Ohm", min=0.001, max=1e6)
    PLAN = Input(BOOL, "a rising edge makes a new plan")
    ENABLE = Input(BOOL, "true allows bleeding", default=True)
    TOLERANCE = Input(LREAL, "smaller differences stay", unit="%", default=0.5, min=0, max=100)
    V_MIN = Input(LREAL, "no bleeding of a cell at or below this voltage", unit="V", default=3.0)
    T = Input(LREAL, "temperature of the bleeding resistors", unit="°C", default=25.0)
    T_LIMIT = Input(LREAL, "no bleeding at or above this temperature", unit="°C", default=70.0)
    BLEED = Output(Array(BOOL, "N"), "close the bleeding switch of this cell")
    COUNT = Output(DINT, "cells being bled", min=0)
    LEFT = Output(Array(LREAL, "N"), "charge that this cell must still lose", unit="Ah")
    HOURS = Output(LREAL, "how long the last one will take, if it bleeds all the time", unit="h", min=0)
    BAD = Output(BOOL, "the last plan had a dead value or no capacity: there is none")
    was = Var(BOOL, "PLAN one scan ago; true at the start, so that a stuck signal is no edge", default=True)

    def step(fb, dt):
        if fb.PLAN and not fb.was:
            largest = 0.0
            known = True
            for i in range(len(fb.V)):
                room = (100.0 - fb.SOC[i]) * 0.01 * fb.CAPACITY[i]
                known = known and is_finite(room) and fb.CAPACITY[i] > 0.0
                largest = max(room, largest)
            for i in range(len(fb.V)):
                excess = largest - (100.0 - fb.SOC[i]) * 0.01 * fb.CAPACITY[i]
                fb.LEFT[i] = excess if known and excess > fb.TOLERANCE * 0.01 * fb.CAPACITY[i] else 0.0
            fb.BAD = not known
        fb.was = fb.PLAN
        allowed = fb.ENABLE and fb.T < fb.T_LIMIT
        hours = seconds(dt) / S_PER_H
        count = 0
        longest = 0.0
        for i in range(len(fb.V)):
            current = fb.V[i] / fb.R
            if fb.BLEED[i] and fb.CLOSED[i] and is_finite(current):
                fb.LEFT[i] = max(fb.LEFT[i] - max(current, 0.0) * hours, 0.0)
            fb.BLEED[i] = allowed and fb.LEFT[i] > 0.0 and fb.V[i] > fb.V_MIN and is_finite(current)
            count = count + fb.BLEED[i]
            if fb.V[i] > 0.1 and is_finite(current):
                longest = max(fb.LEFT[i] / current, longest)
        fb.COUNT = count
        fb.HOURS = longest

    example = Example(
        CAPACITY=[100, 100, 100],
        V=[3.3, 3.3, 3.3],
        R=33,
        dt="1h",
        table="""
        x  SOC        PLAN T  | BLEED   LEFT      HOURS
        1  [50,50,50] 0    25 | [0,0,0] [0,0,0]   0
        1  [50,52,51] 1    25 | [0,1,1] [0,2,1]   20      # 0.1 A: twenty hours for 2 Ah
        9  [50,52,51] 0    25 | [0,1,1] [0,1.1,0.1] 11
        2  [50,52,51] 0    25 | [0,1,0] [0,0.9,0] 9
        1  [50,52,51] 0    75 | [0,0,0] [0,0.8,0] 8       # too hot: it waits
        10 [50,52,51] 0    75 | [0,0,0] [0,0.8,0] 8
        1  [50,52,51] 0    25 | [0,1,0] [0,0.8,0] 8
        8  [50,52,51] 0    25 | [0,0,0] [0,0,0]   0
    """,
    )
