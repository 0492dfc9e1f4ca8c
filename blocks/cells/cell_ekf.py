"""The state of charge and of health of one cell."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, floor, is_finite, max, min, seconds, settling, sign, sqrt, to_int
from blocks.cells.laws import KELVIN, LFP
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, Var, block

GAPS = 20  # between the points of the OCV table
FINE = 5  # gaps of 1 % in the first and in the last of them
BEYOND = 0.03  # a cell may be a little emptier than empty, or fuller than full: others of its string end the discharge, the charge
S_PER_H = 3600.0
Z_NOISE = 1e-5 * 1e-5  # 1/s: current sensor
LAG_NOISE = 3.0  # h^2 s: under current the surface of the particles is ahead of their mean, as a share of the rate
U_NOISE = 1e-3 * 1e-3  # V^2/s: what the RC pairs leave out
S_NOISE = 1e-4 * 1e-4  # 1/s: resistance moves with temperature
C_NOISE = 2e-5 * 2e-5  # 1/s: capacity moves with age
HYST_TIME = 600.0  # s: how long an error of the hysteresis stays the same
M_ERROR = 0.2  # M itself is known to a fifth
LEAST = 1e-14
ACTIVATION = 30300.0 / 8.314462618  # K: J/mol of Prada2013's graphite over the gas constant
NO_POINTS = (0.0,) * 8
STEP = 0.01  # 1/s: the charge is corrected no faster
SPAN = 0.3  # V: no open-circuit voltage is farther beyond the ends of the table
V_SPREAD = 3e-2 * 3e-2  # V^2: of one sample and the model, for the gate
LAG_TIME = 600.0  # s: how long the lag of the surface stays the same
GATE = 25.0  # an innovation beyond five standard deviations is refused,
PATIENCE = 60.0  # s: for so long,
SURE = 0.05 * 0.05  # or, by a filter that does not know the charge within 5 %,
HASTE = 5.0  # s: for so long
COLDEST, HOTTEST = -60.0, 150.0  # °C: beyond it is no temperature


@block(source="Plett, Extended Kalman filtering for BMS, 2 and 3 (J. Power Sources 134, 2004): hysteresis, joint filter")
class CELL_EKF:
    """The state of charge and of health of one cell from its voltage and current, by an extended Kalman filter; an instance a cell.

    The cell is an open-circuit voltage (a table over the charge), R0, an RC pair (R1, TAU), and where they are given a slow second
    pair (R2, TAU2) and a hysteresis (M, GAMMA). The expected voltage is OCV(z) + M h - u1 - s (R0 I + g). z, u1 and the scales s
    and c of resistance and 1/capacity are estimated, so both may be 10 % wrong; h and g follow from the current alone: h goes from
    -1 (discharged last) to 1 (charged last) by h = e h + (1 - e) sgn(charge), e = exp(-|GAMMA dz|). Where the cell came from is not
    known at the start: until enough charge has moved, M is added to the doubt.

    The ends of the curve are too steep for a point every 5 %: ENDS gives those between; without them a full LFP cell looks like one
    of 97 %. LFP is nearly flat between 30 and 95 %: there the charge is counted, and corrected whenever the cell passes a bend.
    The noise is per second, so the scan's interval hardly matters; where the table is steep, a voltage under current is believed
    less, since diffusion lags. SOC is corrected by no more than 1 % a second. V_BIAS is an offset of sensor and table that does not
    average out: what it leaves open on the plateau is counted, and SIGMA does not claim it; with exact ones 0 is a little better.

    BLIND: V corrects nothing, and the charge is counted. V is dead; or so far off the table that no cell has it (0 V of a broken
    wire); or an innovation beyond five standard deviations, refused for a minute (5 s while SIGMA is above 5 %): what lasts longer
    is believed. Without T the last one known counts. A NaN on I, or a parameter without sense, freezes everything.
    """

    V = Input(LREAL, "cell voltage", unit="V")
    I = Input(LREAL, "cell current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    T = Input(LREAL, "cell temperature; unknown: the last one known, or 25 °C", unit="°C", default=25.0)
    CAPACITY = Input(LREAL, "capacity as given", unit="Ah", default=280.0, min=0.1, max=1e5)
    R0 = Input(LREAL, "resistance that acts at once, as given, at 25 °C", unit="Ohm", default=0.0003, min=0, max=1)
    R1 = Input(LREAL, "resistance of the RC pair, as given, at 25 °C", unit="Ohm", default=0.0003, min=0, max=1)
    TAU = Input(LREAL, "time constant of the RC pair", unit="s", default=30.0, min=0, max=1e6)
    R2 = Input(LREAL, "resistance of a slow RC pair, as given, at 25 °C; 0: none", unit="Ohm", default=0.0, min=0, max=1)
    TAU2 = Input(LREAL, "time constant of the slow RC pair", unit="s", default=300.0, min=0, max=1e6)
    M = Input(
        LREAL, "hysteresis: half of the gap between charged to and discharged to; 0: none", unit="V", default=0.0, min=0, max=1
    )
    GAMMA = Input(LREAL, "the hysteresis turns over within 1/GAMMA of the capacity", default=50.0, min=0, max=1e4)
    V_ERROR = Input(LREAL, "error of voltage and model in one sample a second", unit="V", default=0.03, min=1e-4, max=1)
    V_BIAS = Input(
        LREAL, "constant error of voltage and table, which no averaging takes away", unit="V", default=0.002, min=0, max=1
    )
    COLD = Input(
        LREAL,
        "activation energy of the resistances over the gas constant: how they grow in the cold",
        unit="K",
        default=ACTIVATION,
        min=0,
        max=1e4,
    )
    SOC0 = Input(LREAL, "state of charge at the start", unit="%", default=50.0, min=0, max=100)
    SIGMA0 = Input(LREAL, "standard deviation of SOC0; 20 % at most", unit="%", default=20.0, min=0.1, max=20)
    OCV = Input(Array(LREAL, 21), "open-circuit voltage at 0, 5, ... 100 % of charge", unit="V", default=LFP)
    ENDS = Input(
        Array(LREAL, 8), "the same at 1, 2, 3, 4 and at 96, 97, 98, 99 %; 0: in line with OCV", unit="V", default=NO_POINTS
    )
    SOC = Output(LREAL, "state of charge", unit="%", min=0, max=100)
    SIGMA = Output(LREAL, "standard deviation that the filter claims for SOC", unit="%", min=0)
    INNOVATION = Output(LREAL, "measured voltage minus the expected one", unit="V")
    R_SCALE = Output(LREAL, "resistance found, relative to R0, R1 and R2", default=1.0, min=0.2, max=5)
    SOH = Output(LREAL, "capacity found, relative to CAPACITY", unit="%", default=100.0, min=50, max=200)
    R = Output(LREAL, "resistance found of all three together, at 25 °C", unit="Ohm", min=0)
    CAPACITY_FOUND = Output(LREAL, "capacity found", unit="Ah", min=0)
    U_HYST = Output(LREAL, "hysteresis voltage", unit="V", min=-1, max=1)
    HELD = Output(BOOL, "frozen: the current or a parameter is dead")
    BLIND = Output(BOOL, "the voltage corrects nothing: dead, refused, or all is frozen")
    g = Var(LREAL, "voltage of the slow RC pair, for resistances as given", unit="V")
    hyst = Var(LREAL, "hysteresis, -1 to 1")
    unknown = Var(LREAL, "share of the hysteresis that the start still hides", default=1.0)
    z = Var(LREAL, "charge, 0 to 1")
    u = Var(LREAL, "voltage of the RC pair", unit="V")
    s = Var(LREAL, "resistance, relative to that given", default=1.0)
    c = Var(LREAL, "1/capacity, relative to that given", default=1.0)
    zz = Var(LREAL, "variance of z", default=0.04)
    zu = Var(LREAL, "covariance of z and u")
    zs = Var(LREAL, "covariance of z and s")
    zc = Var(LREAL, "covariance of z and c")
    uu = Var(LREAL, "variance of u", default=1e-4)
    us = Var(LREAL, "covariance of u and s")
    uc = Var(LREAL, "covariance of u and c")
    ss = Var(LREAL, "variance of s", default=0.04)
    sc = Var(LREAL, "covariance of s and c")
    cc = Var(LREAL, "variance of c", default=0.01)
    celsius = Var(LREAL, "last known temperature", unit="°C", default=25.0)
    refused = Var(LREAL, "how long a possible voltage has been refused, held at PATIENCE", unit="s")
    started = Var(BOOL, "z holds a state of charge")

    def step(fb, dt):
        h = seconds(dt)
        before = fb.z if fb.started else fb.SOC0 * 0.01
        doubt = fb.zz if fb.started else min(fb.zz, fb.SIGMA0 * 0.01 * (fb.SIGMA0 * 0.01))
        # resistance over temperature: Arrhenius, exp(x) as 1 + x + x*x/2, since the filter finds the rest
        fb.celsius = fb.T if fb.T > COLDEST and fb.T < HOTTEST else fb.celsius
        cold = clamp(-1.5, fb.COLD / (fb.celsius + KELVIN) - fb.COLD / (25.0 + KELVIN), 3.0)
        growth = 1.0 + abs(cold) + 0.5 * cold * cold
        warmth = growth if cold > 0.0 else 1.0 / growth
        # predict: z = z + k c, u = a u + b s
        rate = fb.I / fb.CAPACITY
        k = 0.0 - h * rate / S_PER_H
        share = settling(h, fb.TAU)
        a = 1.0 - share
        b = share * fb.R1 * warmth * fb.I
        z = before + k * fb.c
        g = fb.g + settling(h, fb.TAU2) * (fb.R2 * warmth * fb.I - fb.g)
        turn = fb.GAMMA * abs(k * fb.c)
        keep = 1.0 / (1.0 + turn + 0.5 * turn * turn)
        hyst = keep * fb.hyst + (1.0 - keep) * sign(k)
        hidden = fb.M * fb.M * (keep * fb.unknown * keep * fb.unknown + M_ERROR * M_ERROR)
        u = a * fb.u + b * fb.s
        zz = doubt + k * (fb.zc + fb.zc + k * fb.cc) + Z_NOISE * h
        zu = a * (fb.zu + k * fb.uc) + b * (fb.zs + k * fb.sc)
        zs = fb.zs + k * fb.sc
        zc = fb.zc + k * fb.cc
        uu = a * (a * fb.uu + b * (fb.us + fb.us)) + b * b * fb.ss + U_NOISE * h
        us = a * fb.us + b * fb.ss
        uc = a * fb.uc + b * fb.sc
        ss = fb.ss + S_NOISE * h
        cc = fb.cc + C_NOISE * h
        # expect: V = OCV(z) - u - s R0 I, linear about z between two points of the table
        place = z * GAPS
        i = to_int(floor(clamp(0.0, place, GAPS - 1.0)))
        from_v = fb.OCV[i]
        rise = fb.OCV[i + 1] - from_v
        gaps = 1.0 * GAPS
        first = 4 if i == GAPS - 1 else 0
        if (i == 0 or i == GAPS - 1) and fb.ENDS[first] > 0.0:
            inside = (place - i) * FINE
            j = to_int(floor(clamp(0.0, inside, FINE - 1.0)))
            from_v = fb.ENDS[first + max(j - 1, 0)] if j > 0 else fb.OCV[i]
            rise = (fb.ENDS[first + min(j, FINE - 2)] if j < FINE - 1 else fb.OCV[i + 1]) - from_v
            place = inside
            i = j
            gaps = 1.0 * GAPS * FINE
        slope = rise * gaps
        drop = fb.R0 * warmth * fb.I + g
        rest = fb.V + u + fb.s * drop - fb.M * hyst
        innovation = fb.V - (from_v + rise * (place - i) + fb.M * hyst - u - fb.s * drop)
        # correct: gain = P H / (H P H + noise). What V_BIAS leaves open, z and c do not take from
        # the voltage: a part of the step, and of the knowledge 1 - (1 - part)^2 (Brink, Partial-Update Schmidt-Kalman Filter, 2017)
        ph_z = slope * zz - zu - drop * zs
        ph_u = slope * zu - uu - drop * us
        ph_s = slope * zs - us - drop * ss
        ph_c = slope * zc - uc - drop * fb.sc
        noise = fb.V_ERROR * fb.V_ERROR + LAG_NOISE * (slope * rate) * (slope * rate) + HYST_TIME * hidden
        spread = slope * ph_z - ph_u - drop * ph_s
        unsure = fb.V_BIAS * fb.V_BIAS
        known = zz * slope * slope
        part = clamp(0.0, (known - unsure) / known, 1.0) if unsure > 0.0 else 1.0
        possible = rest > fb.OCV[0] - SPAN and rest < fb.OCV[GAPS] + SPAN and is_finite(innovation)
        one = V_SPREAD + LAG_NOISE * (slope * rate) * (slope * rate) / LAG_TIME + hidden  # what a single sample may be off
        likely = not innovation * innovation > GATE * (spread + unsure + one)
        waited = min(fb.refused + h, PATIENCE)
        waited = PATIENCE if waited >= HASTE and not zz < SURE else waited
        fb.refused = (0.0 if likely else waited) if possible else fb.refused
        seen = possible and (likely or waited >= PATIENCE)
        weight = 1.0 / (spread + noise / h) if seen else 0.0
        step = abs(part * ph_z * weight * innovation) if seen else 0.0
        most = STEP * min(h, 1.0)
        if step > most:  # beyond it the slope is another one: take part of the step, and claim part of the knowledge only
            weight = weight * (most / step)
        by = weight * innovation if seen else 0.0
        z = z + part * ph_z * by
        u = u + ph_u * by
        s = fb.s + ph_s * by
        c = fb.c + part * ph_c * by
        both = part * (2.0 - part)
        zz = max(zz - both * ph_z * ph_z * weight, LEAST)
        uu = max(uu - ph_u * ph_u * weight, LEAST)
        ss = max(ss - ph_s * ph_s * weight, LEAST)
        cc = max(cc - both * ph_c * ph_c * weight, LEAST)
        alive = is_finite(z + u + s + c + (zz + uu + ss + cc) + (zu + zs + zc + us + uc + weight + unsure) + g + hyst + hidden)
        if alive:
            fb.z = clamp(0.0 - BEYOND, z, 1.0 + BEYOND)
            fb.u = u
            fb.s = clamp(0.2, s, 5.0)
            fb.c = clamp(0.5, c, 2.0)
            fb.zz = zz
            fb.zu = zu - ph_z * ph_u * weight
            fb.zs = zs - ph_z * ph_s * weight
            fb.zc = zc - both * ph_z * ph_c * weight
            fb.uu = uu
            fb.us = us - ph_u * ph_s * weight
            fb.uc = uc - ph_u * ph_c * weight
            fb.ss = ss
            fb.sc = fb.sc - ph_s * ph_c * weight
            fb.cc = cc
            fb.g = g
            fb.hyst = hyst
            fb.unknown = keep * fb.unknown
            fb.started = True
        fb.SOC = 100.0 * clamp(0.0, fb.z if alive else before, 1.0)
        fb.SIGMA = 100.0 * sqrt(fb.zz)
        fb.INNOVATION = innovation if is_finite(innovation) else 0.0
        fb.R_SCALE = fb.s
        fb.SOH = 100.0 / fb.c
        fb.R = max(fb.s * (fb.R0 + fb.R1 + fb.R2), 0.0) if alive else fb.R
        fb.CAPACITY_FOUND = max(fb.CAPACITY / fb.c, 0.0) if alive else fb.CAPACITY_FOUND
        fb.U_HYST = clamp(-1.0, fb.M * fb.hyst, 1.0) if alive else fb.U_HYST
        fb.HELD = not alive
        fb.BLIND = not (alive and seen)

    example = Example(
        dt="1s",
        R0=0.0,
        R1=0.0,
        R2=0.0,
        SOC0=60.0,
        M="10mV",
        GAMMA=100.0,
        table="""
        x   V      I    | SOC    U_HYST  HELD
        1   nan    280  | ~59.97 ~-0.000 0     # no voltage: the charge is counted, 280 A of 280 Ah
        35  nan    280  | 59     ~-0.006 0     # discharged by 1/100: 63 % of the way to -10 mV
        72  nan    560  | 55     ~-0.010 0
        72  nan    -560 | 59     ~0.010  0     # charged: the other branch
        1   nan    nan  | 59     ~0.010  1     # no current either: frozen
        600 3.0172 0    | ~11.2  ~0.010  0     # at rest, 10 mV above the table's 3.0072 V
    """,
    )
