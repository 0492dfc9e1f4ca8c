"""The droops of a grid-forming converter."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_finite, max, seconds, settling
from blocks.declare import BOOL, LREAL, Example, Input, Output, Var, block


@block(source="Chandorkar, Divan & Adapa, IEEE Trans. Industry Applications 29(1), 1993: control of parallel connected inverters")
class GFM_DROOP:
    """Frequency and voltage setpoints of a grid-forming converter, so that several share the load of an island without a wire.

    F = F0 - KF * F0 * (P - P_SET) / P_RATED, U = U0 - KU * U0 * (Q - Q_SET) / Q_RATED: more load lowers the frequency, more
    reactive power the voltage. Converters with equal droops carry equal shares of their ratings. P and Q are taken through a
    first-order filter of T, which gives the droop an inertia; it starts at the first measurement. The results, held ones too, stay
    within F_MIN .. F_MAX and U_MIN .. U_MAX, which are 0.95 .. 1.03 of F0 and 0.9 .. 1.1 of U0 where they are 0. An input that
    is no finite number holds F or U, whichever it concerns, where it is, and at F0 or U0 before the first measurement: an island
    must not lose its frequency to a sensor.
    """

    P = Input(LREAL, "measured active power, out of the converter is positive", unit="kW")
    Q = Input(LREAL, "measured reactive power, out of the converter is positive", unit="kvar")
    P_RATED = Input(LREAL, "rated active power", unit="kW", min=0.001)
    Q_RATED = Input(LREAL, "rated reactive power", unit="kvar", min=0.001)
    P_SET = Input(LREAL, "active power at F0", unit="kW", default=0.0)
    Q_SET = Input(LREAL, "reactive power at U0", unit="kvar", default=0.0)
    F0 = Input(LREAL, "frequency at P_SET", unit="Hz", default=50.0, min=1, max=1000)
    U0 = Input(LREAL, "voltage at Q_SET", unit="V", default=400.0, min=1, max=1e6)
    KF = Input(LREAL, "relative fall of frequency at rated power", default=0.01, min=0, max=1)
    KU = Input(LREAL, "relative fall of voltage at rated reactive power", default=0.04, min=0, max=1)
    T = Input(LREAL, "time constant of the power filter", unit="s", default=0.0, min=0, max=1e6)
    F_MIN = Input(LREAL, "lowest frequency; 0 is 0.95 F0", unit="Hz", default=0.0, min=0)
    F_MAX = Input(LREAL, "highest frequency; 0 is 1.03 F0", unit="Hz", default=0.0, min=0)
    U_MIN = Input(LREAL, "lowest voltage; 0 is 0.9 U0", unit="V", default=0.0, min=0)
    U_MAX = Input(LREAL, "highest voltage; 0 is 1.1 U0", unit="V", default=0.0, min=0)
    F = Output(LREAL, "frequency setpoint", unit="Hz", default=50.0)
    U = Output(LREAL, "voltage setpoint", unit="V", default=400.0)
    HELD = Output(BOOL, "an input is no finite number: F or U is held")
    active = Var(LREAL, "filtered active power", unit="kW")
    reactive = Var(LREAL, "filtered reactive power", unit="kvar")
    active_known = Var(BOOL, "the filter of the active power has a value")
    reactive_known = Var(BOOL, "the filter of the reactive power has a value")

    def step(fb, dt):
        share = settling(seconds(dt), fb.T)
        active = fb.active + (fb.P - fb.active) * share if fb.active_known else fb.P
        reactive = fb.reactive + (fb.Q - fb.reactive) * share if fb.reactive_known else fb.Q
        frequency = fb.F0 - fb.KF * fb.F0 * ((active - fb.P_SET) / max(fb.P_RATED, 0.001))
        voltage = fb.U0 - fb.KU * fb.U0 * ((reactive - fb.Q_SET) / max(fb.Q_RATED, 0.001))
        f_good = is_finite(active + frequency + fb.P_RATED + fb.F_MIN + fb.F_MAX)
        u_good = is_finite(reactive + voltage + fb.Q_RATED + fb.U_MIN + fb.U_MAX)
        f = frequency if f_good else (fb.F if fb.active_known else fb.F0)
        u = voltage if u_good else (fb.U if fb.reactive_known else fb.U0)
        f = clamp(fb.F_MIN if fb.F_MIN > 0.0 else 0.95 * fb.F0, f, fb.F_MAX if fb.F_MAX > 0.0 else 1.03 * fb.F0)
        u = clamp(fb.U_MIN if fb.U_MIN > 0.0 else 0.9 * fb.U0, u, fb.U_MAX if fb.U_MAX > 0.0 else 1.1 * fb.U0)
        fb.F = f if is_finite(f) else fb.F
        fb.U = u if is_finite(u) else fb.U
        fb.active = active if f_good else fb.active
        fb.reactive = reactive if u_good else fb.reactive
        fb.active_known = fb.active_known or f_good
        fb.reactive_known = fb.reactive_known or u_good
        fb.HELD = not (f_good and u_good)

    example = Example(
        P_RATED="100kW",
        Q_RATED=50.0,
        table="""
        P    Q   | F     U    HELD
        0    0   | 50    400  0
        100  0   | 49.5  400  0      # 1 % at rated power
        -50  0   | 50.25 400  0      # charging raises it
        50   25  | 49.75 392  0
        50   -50 | 49.75 416  0
        1000 0   | 47.5  400  0
        nan  0   | 47.5  400  1
        0    0   | 50    400  0
    """,
    )
