"""The sharing of power among the nodes of a fleet."""

from __future__ import annotations

import math

from blocks.arithmetic import abs, is_finite, max, to_lreal
from blocks.declare import BOOL, DINT, LREAL, Array, Example, Input, Output, Var, block
from blocks.grid.laws import fill, median

LOST = math.inf
METHODS = ("deviation from the mean state of charge", "energy", "equal")


@block(source="Progressive filling: Bertsekas & Gallager, Data Networks (2nd ed. 1992), max-min flow control; with weights")
class POWER_SHARING:
    """Splits a power request over the nodes of a fleet so that they stay together: a fuller node discharges more and charges less.

    Each node has a weight, and takes its part of P in proportion to it within its own P_MIN .. P_MAX. METHOD 0: ENERGY * (1 +-
    GAIN * (SOC - mean)), plus while discharging, minus while charging, never below 0. METHOD 1: the energy above SOC_MIN while
    discharging, the room below SOC_MAX while charging, in kWh: for mixed chemistries and sizes, all reach their end together.
    METHOD 2: ENERGY alone. T_GAIN takes that share off a weight for each K above the mean temperature (and adds it below), to
    even out heat.

    Parts beyond a node's limit go to the others, so P is met whenever the limits allow; UNMET is what is left. Power never goes
    round in a circle: all parts have the sign of P. A node more than T_BYPASS off the median temperature, which one wrong node does
    not move, is not charged until it is back within T_BYPASS - 1 K, or 80 % of T_BYPASS below 5 K (with BYPASS_ALL it is not
    discharged either). Of two nodes nobody knows which one is wrong: more than twice T_BYPASS apart, neither is charged.

    A node that is not AVAILABLE or has no ENERGY, or whose SOC, ENERGY or limit of that direction is no finite number, gets 0; one
    without temperature is not charged. P that is no number gives 0 to all.
    """

    P = Input(LREAL, "power that the fleet shall give, discharging is positive", unit="kW")
    SOC = Input(Array(LREAL, "N"), "state of charge of each node", unit="%")
    P_MIN = Input(Array(LREAL, "N"), "lowest power of each node, charging being negative", unit="kW")
    P_MAX = Input(Array(LREAL, "N"), "highest power of each node", unit="kW")
    ENERGY = Input(Array(LREAL, "N"), "capacity of each node; equal numbers where they are alike", unit="kWh", min=0)
    T = Input(Array(LREAL, "N"), "temperature of each node", unit="°C")
    AVAILABLE = Input(Array(BOOL, "N"), "true where the node takes part", default=True)
    METHOD = Input(DINT, "what the weights are", default=0, min=0, max=2, names=METHODS)
    GAIN = Input(LREAL, "change of weight per percent off the mean", unit="1/%", default=0.1, min=0, max=10)
    SOC_MIN = Input(
        LREAL, "counts as empty for the weights of METHOD 1; what closes a node is its P_MAX", unit="%", default=0.0, min=0, max=100
    )
    SOC_MAX = Input(
        LREAL,
        "counts as full for the weights of METHOD 1; what closes a node is its P_MIN",
        unit="%",
        default=100.0,
        min=0,
        max=100,
    )
    T_GAIN = Input(LREAL, "share of weight lost per K above the mean temperature", unit="1/K", default=0.0, min=0, max=1)
    T_BYPASS = Input(LREAL, "further off the median temperature a node is not charged", unit="K", default=5.0, min=0)
    BYPASS_ALL = Input(BOOL, "true: such a node is not discharged either", default=False)
    P_NODE = Output(Array(LREAL, "N"), "power of each node", unit="kW")
    UNMET = Output(LREAL, "part of P that no node can take, with its sign", unit="kW")
    LIMITED = Output(DINT, "number of the first node at its limit, also of 0 while P is not met, from 1; 0 without any", min=0)
    BYPASSED = Output(DINT, "number of the node furthest off the median of those that are bypassed, from 1; 0 without any", min=0)
    SOC_MEAN = Output(LREAL, "mean state of charge of the nodes that take part, weighted by ENERGY; 0 without any", unit="%")
    hot = Var(Array(BOOL, "N"), "the node is bypassed for its temperature")
    takes = Var(Array(BOOL, "N"), "the node takes part now")
    weight = Var(Array(LREAL, "N"), "the node's part of the power before limits")
    room = Var(Array(LREAL, "N"), "the most that the node may take, without sign", unit="kW")

    def step(fb, dt):
        charging = fb.P < 0.0
        energy = 0.0
        stored = 0.0
        heat = 0.0
        measured = 0
        for i in range(len(fb.SOC)):
            if fb.AVAILABLE[i] and is_finite(fb.SOC[i] + fb.ENERGY[i]):
                energy = energy + max(fb.ENERGY[i], 0.0)
                stored = stored + max(fb.ENERGY[i], 0.0) * fb.SOC[i]
            if fb.AVAILABLE[i] and is_finite(fb.T[i]):
                heat = heat + fb.T[i]
                measured = measured + 1
        mean = stored / energy if energy > 0.0 else 0.0
        warm = heat / to_lreal(max(measured, 1))
        middle = median(fb.T, fb.AVAILABLE, measured)
        back = max(fb.T_BYPASS - 1.0, fb.T_BYPASS * 0.8)
        bypassed = 0
        furthest = 0.0
        for i in range(len(fb.SOC)):
            off = fb.T[i] - warm
            distance = abs(fb.T[i] - middle)
            fb.hot[i] = not distance <= (back if fb.hot[i] else fb.T_BYPASS)
            if fb.hot[i] and fb.AVAILABLE[i] and (bypassed == 0 or not distance <= furthest):
                bypassed = i + 1
                furthest = distance if is_finite(distance) else LOST
            lead = mean - fb.SOC[i] if charging else fb.SOC[i] - mean
            span = fb.SOC_MAX - fb.SOC[i] if charging else fb.SOC[i] - fb.SOC_MIN
            share = max(1.0 + fb.GAIN * lead, 0.0) if fb.METHOD == 0 else (max(span, 0.0) if fb.METHOD == 1 else 1.0)
            cool = max(1.0 - fb.T_GAIN * off, 0.0) if is_finite(off) else 1.0
            weight = max(fb.ENERGY[i], 0.0) * share * cool
            limit = 0.0 - fb.P_MIN[i] if charging else fb.P_MAX[i]
            closed = fb.hot[i] and (charging or fb.BYPASS_ALL)
            takes = fb.AVAILABLE[i] and fb.ENERGY[i] > 0.0 and not closed and is_finite(weight + limit + fb.SOC[i] + fb.P)
            fb.takes[i] = takes
            fb.weight[i] = weight if takes else 0.0
            fb.room[i] = max(limit, 0.0) if takes else 0.0
        unmet = fill(abs(fb.P) if is_finite(fb.P) else 0.0, fb.weight, fb.room, fb.P_NODE)
        limited = 0
        for i in range(len(fb.SOC)):
            at_limit = fb.takes[i] and fb.P_NODE[i] >= fb.room[i] and (fb.P_NODE[i] > 0.0 or unmet > 0.0)
            limited = i + 1 if limited == 0 and at_limit else limited
            fb.P_NODE[i] = 0.0 - fb.P_NODE[i] if charging else fb.P_NODE[i]
        fb.UNMET = 0.0 - unmet if charging else unmet
        fb.LIMITED = limited
        fb.BYPASSED = bypassed
        fb.SOC_MEAN = mean

    example = Example(
        ENERGY=[200.0, 200.0, 200.0],
        P_MIN=[-100.0, -100.0, -100.0],
        P_MAX=[100.0, 100.0, 100.0],
        table="""
        P    SOC        T          AVAILABLE | P_NODE         UNMET LIMITED BYPASSED
        90   [50,50,50] [25,25,25] [1,1,1]   | [30,30,30]     0     0       0
        90   [52,50,48] [25,25,25] [1,1,1]   | [36,30,24]     0     0       0   # the fuller one discharges more
        -90  [52,50,48] [25,25,25] [1,1,1]   | [-24,-30,-36]  0     0       0   # and charges less
        90   [52,50,48] [25,25,25] [1,0,1]   | [54,0,36]      0     0       0
        280  [52,50,48] [25,25,25] [1,1,1]   | [100,100,80]   0     1       0   # what one cannot give, others do
        400  [52,50,48] [25,25,25] [1,1,1]   | [100,100,100]  100   1       0
        -90  [50,50,50] [34,25,25] [1,1,1]   | [0,-45,-45]    0     0       1   # 9 K off the others: not charged
        90   [50,50,50] [34,25,25] [1,1,1]   | [30,30,30]     0     0       1
    """,
    )
