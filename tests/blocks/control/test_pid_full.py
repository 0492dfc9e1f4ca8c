"""PID_FULL: the textbook's law against control and simple-pid, and every way to take OUT over and to give it back."""

from __future__ import annotations

import math

import control
import numpy as np
import pytest
import simple_pid

from blocks.control.pid import PID
from blocks.control.pid_full import PID_FULL
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled, response

WIDE = {"OUT_MIN": -1000.0, "OUT_MAX": 1000.0}
MS = 1_000_000


def walk(length: int, seed: int) -> np.ndarray:
    """A signal that wanders, the same in each run."""
    return np.cumsum(np.random.default_rng(seed).normal(0.0, 0.1, length))


# --- the law ---


@pytest.mark.parametrize("limits", [WIDE, {"OUT_MIN": -3.0, "OUT_MAX": 3.0}], ids=["free", "at the limits"])
def test_without_the_extras_it_is_pid(limits, deviation):
    sp, pv = walk(5000, 1), walk(5000, 2)
    dts = np.random.default_rng(3).integers(1, 200, 5000) * MS
    settings = {"KP": 1.5, "TI": 2.0, "TD": 0.3, "N": 8.0, **limits}
    one, other = (response(block, {"SP": sp, "PV": pv}, dts, **settings) for block in (PID, PID_FULL))
    # the same law in another order of operations: rounding only
    deviation("PID_FULL", "our PID", f"random walk, limits {limits['OUT_MAX']:g}", np.max(np.abs(one - other)), 1e-9)


def test_it_agrees_with_simple_pid(deviation):
    """simple-pid adds the present error before it shows OUT, we add it in the next scan: one Ki e dt apart, else equal."""
    pv, dt = walk(3000, 4), 0.02
    other = simple_pid.PID(2.0, 2.0 / 3.0, 2.0 * 0.5, setpoint=1.0, sample_time=None)
    theirs = np.array([other(value, dt=dt) - other.Ki * (1.0 - value) * dt for value in pv])
    ours = response(PID_FULL, {"PV": pv}, 20 * MS, SP=1.0, KP=2.0, TI=3.0, TD=0.5, N=1e12, **WIDE)
    deviation("PID_FULL", "simple-pid 2.0", "PID without filter, random walk", np.max(np.abs(ours - theirs)), 1e-9)


@pytest.mark.parametrize(("b", "c"), [(1.0, 0.0), (0.5, 0.0), (0.0, 0.0), (1.0, 1.0)])
def test_a_closed_loop_answers_as_the_transfer_function_says(b, c, deviation):
    """Plant 2/((1 + 5 s)(1 + s)); setpoint through K (b + 1/(TI s) + c D), measurement through K (1 + 1/(TI s) + D)."""
    kp, ti, td, n, h = 2.0, 4.0, 0.8, 8.0, 1e-3
    s = control.tf("s")
    plant = 2.0 / ((1 + 5 * s) * (1 + s))
    lead = td * s / (1 + td / n * s)
    back = kp * (1 + 1 / (ti * s) + lead)
    forward = kp * (b + 1 / (ti * s) + c * lead)
    closed = control.minreal(forward * plant / (1 + back * plant), verbose=False)
    times = np.arange(15000) * h
    wanted = control.step_response(closed, times).outputs
    pid = Compiled(PID_FULL, SP=0.0, KP=kp, TI=ti, TD=td, N=n, B=b, C=c, **WIDE)
    pid.scan(MS)
    pid.set(SP=1.0)
    inner, pv, seen = 0.0, 0.0, np.empty(len(times))
    slow, fast = math.exp(-h / 5.0), math.exp(-h)
    for i in range(len(times)):
        seen[i] = pv
        pid.set(PV=pv)
        pid.scan(MS)
        pv = pv * slow + (1.0 - slow) * inner
        inner = inner * fast + (1.0 - fast) * 2.0 * pid.get("OUT")
    # scans of 1 ms act half a scan late on a loop of about 1 rad/s, and Euler's rule is off by as much: some 1e-3
    deviation("PID_FULL", "control 0.10", f"closed loop, B={b:g} C={c:g}", np.max(np.abs(seen - wanted)), 3e-3)


def test_the_response_does_not_depend_on_how_time_is_cut():
    """PV = sin t for 10 s, once in scans of 1 ms, once in scans of 1 to 10 ms: Euler's rule is off by some KP dt/2."""
    chance = np.random.default_rng(5)
    cuts = np.concatenate([chance.integers(1, 11, 1500), [1]]).cumsum()
    cuts = cuts[cuts <= 9999]
    pv = np.sin(np.arange(10_000) * 1e-3)
    settings = {"SP": 0.5, "KP": 2.0, "TI": 1.0, "TD": 0.2, **WIDE}
    fine = response(PID_FULL, {"PV": pv}, MS, **settings)
    coarse = response(PID_FULL, {"PV": pv[cuts]}, np.diff(cuts, prepend=0) * MS, **settings)
    # the derivative's filter of 20 ms starts in scans of up to half of that: compared from 0.2 s on
    late = cuts > 200
    assert np.max(np.abs(coarse - fine[cuts])[late]) < 0.03


def test_the_setpoint_weight_of_p():
    scan(
        PID_FULL,
        KP=2.0,
        PV=4.0,
        B=0.5,
        **WIDE,
        table="""
        SP | OUT
        8  | 0       # 2 (0.5 * 8 - 4)
        12 | 4
    """,
    )


def test_the_derivative_does_not_kick_at_a_setpoint_step_unless_told_to():
    scan(PID_FULL, KP=2.0, TD=1.0, N=10.0, **WIDE, dt="100ms", table="SP PV | OUT\n 10 10 | 0\n 100 10 | 180\n 100 10 | 180")
    # 2 (90 + 90/(1/10 + 0.1)): the filter of TD/N = 100 ms takes half of the slope in a scan of as much
    scan(
        PID_FULL,
        KP=2.0,
        TD=1.0,
        N=10.0,
        C=1.0,
        OUT_MIN=-1e4,
        OUT_MAX=1e4,
        dt="100ms",
        table="SP PV | OUT\n 10 10 | 0\n 100 10 | 1080\n 100 10 | 630",
    )


def test_the_deadband_has_no_jump_at_its_edge():
    scan(
        PID_FULL,
        KP=2.0,
        SP=50.0,
        DEADBAND=1.0,
        **WIDE,
        table="""
        PV   | OUT
        50   | 0
        49.5 | 0
        49   | 0
        48.9 | 0.2     # what is beyond it
        51   | 0
        53   | -4
    """,
    )


def test_inside_the_deadband_the_integral_rests():
    scan(PID_FULL, KP=2.0, TI=1.0, SP=50.0, DEADBAND=1.0, **WIDE, dt="1s", table="x PV | OUT\n 1 48 | 2\n 1 49.5 | 2\n 99 49.2 | 2")


def test_reverse_acting_is_a_negative_gain():
    pv = walk(2000, 6)
    settings = {"TI": 2.0, "TD": 0.3, "OUT_MIN": -2.0, "OUT_MAX": 2.0, "DEADBAND": 0.1}
    one = response(PID_FULL, {"PV": pv}, 10 * MS, KP=1.5, REVERSE=True, **settings)
    other = response(PID_FULL, {"PV": pv}, 10 * MS, KP=-1.5, **settings)
    assert np.array_equal(one, other)
    scan(PID_FULL, KP=2.0, REVERSE=True, SP=20.0, **WIDE, table="PV | OUT\n 25 | 10\n 15 | -10")


def test_the_parts_add_up():
    pid = Compiled(PID_FULL, KP=2.0, TI=1.0, TD=0.5, FF=3.0, **WIDE)
    for value in walk(200, 7):
        pid.set(PV=value)
        pid.scan(10 * MS)
        assert pid.get("OUT") == pytest.approx(pid.get("P_PART") + pid.get("I_PART") + pid.get("D_PART") + 3.0, abs=1e-12)


# --- limits and wind-up ---


def overshoot(**settings: float) -> float:
    """How far an integrating plant of 1/s goes beyond its new setpoint of 10 when OUT is held to -1 to 1."""
    pid = Compiled(PID_FULL, SP=10.0, KP=1.0, TI=3.0, OUT_MIN=-1.0, OUT_MAX=1.0, **settings)
    pv, most = 0.0, 0.0
    for _ in range(6000):
        pid.set(PV=pv)
        pid.scan(10 * MS)
        pv += 0.01 * pid.get("OUT")
        most = max(most, pv)
    return most - 10.0


def test_without_anti_windup_the_loop_overshoots_and_with_it_much_less():
    """The classic example (Astrom & Hagglund, 3.5): the integral of the way to the setpoint must be undone beyond it."""
    none = overshoot(ANTI_WINDUP=2)
    assert none > 3.0
    assert overshoot(ANTI_WINDUP=0) < 0.25 * none
    assert overshoot(ANTI_WINDUP=0, TT=0.5) < 0.25 * none
    assert overshoot(ANTI_WINDUP=1) < 0.25 * none


def test_conditional_integration_stops_towards_the_limit_only():
    scan(
        PID_FULL,
        KP=1.0,
        TI=1.0,
        SP=0.0,
        ANTI_WINDUP=1,
        OUT_MIN=0.0,
        OUT_MAX=10.0,
        dt="100ms",
        table="""
        x   PV  | OUT I_PART LIMITED
        1   -20 | 10  0      1
        100 -20 | 10  0      1
        1   -5  | 5   0      0
        1   -5  | 5.5 0.5    0
        1   5   | 0   1      1        # P alone is at the lower limit
        9   5   | 0   1      1
    """,
    )


def test_conditional_integration_goes_on_away_from_the_limit():
    """FF drives OUT beyond its limit, and the error asks for less: the integral must come down."""
    scan(
        PID_FULL,
        KP=1.0,
        TI=1.0,
        SP=0.0,
        PV=5.0,
        FF=20.0,
        ANTI_WINDUP=1,
        OUT_MIN=0.0,
        OUT_MAX=10.0,
        dt="100ms",
        table="x | OUT I_PART\n 1 | 10 0\n 1 | 10 -0.5\n 9 | 10 -5\n 2 | 9 -6",
    )


def test_a_tracking_time_shorter_than_a_scan_takes_back_all_in_one():
    """Asked is 20, the limit 10: in one scan the integral takes the 10 back, and the 2 that the error adds stay on top."""
    scan(
        PID_FULL,
        KP=1.0,
        TI=1.0,
        TT=0.01,
        SP=20.0,
        PV=0.0,
        OUT_MIN=0.0,
        OUT_MAX=10.0,
        dt="100ms",
        table="x | OUT I_PART\n 1 | 10 0\n 1 | 10 -8\n 50 | 10 -8",
    )


def test_back_calculation_reaches_the_limit_with_its_tracking_time():
    """At the limit the integral settles where OUT would be 10 + KP e TT/TI: asked 12 with TT = TI/10, so it is 12 - 20 = -8."""
    pid = Compiled(PID_FULL, SP=20.0, PV=0.0, KP=1.0, TI=10.0, TT=1.0, OUT_MIN=0.0, OUT_MAX=10.0)
    for _ in range(2000):
        pid.scan(10 * MS)
    assert pid.get("OUT") == 10.0
    assert pid.get("I_PART") == pytest.approx(10.0 + 20.0 * 0.1 - 20.0, abs=1e-6)


@pytest.mark.parametrize("tt", [0.0, 0.2])
def test_the_integral_follows_a_limit_that_moves(tt):
    pid = Compiled(PID_FULL, KP=1.0, TI=1.0, TT=tt, OUT_MIN=0.0, OUT_MAX=500.0, SP=1.0, PV=0.0)
    for _ in range(4000):
        pid.scan(100 * MS)
    assert pid.get("OUT") > 390.0
    pid.set(OUT_MAX=10.0)
    pid.scan(100 * MS)
    assert pid.get("OUT") == 10.0
    for _ in range(200):
        pid.scan(100 * MS)
    pid.set(OUT_MAX=500.0)
    pid.scan(100 * MS)
    assert 10.0 <= pid.get("OUT") < 12.0


def test_a_rate_limit_holds_out_back_and_the_integral_with_it():
    scan(
        PID_FULL,
        KP=10.0,
        SP=5.0,
        RATE=20.0,
        **WIDE,
        dt="100ms",
        table="""
        x  PV | OUT LIMITED
        1  0  | 2   1          # from INIT, 0
        1  0  | 4   1
        30 0  | 50  0
        1  10 | 48  1
        50 10 | -50 0
    """,
    )
    pid = Compiled(PID_FULL, SP=10.0, PV=0.0, KP=1.0, TI=1.0, TT=0.1, RATE=1.0, **WIDE)
    for _ in range(1000):
        pid.scan(10 * MS)
    assert pid.get("OUT") == pytest.approx(10.0, abs=0.02)  # 1 a second for 10 s
    assert pid.get("P_PART") + pid.get("I_PART") - pid.get("OUT") < 1.1  # not the 100 that the error would add up to


def test_a_limit_that_closes_is_faster_than_the_rate():
    scan(PID_FULL, KP=10.0, SP=5.0, PV=0.0, OUT_MIN=0.0, RATE=100.0, dt="1s", table="OUT_MAX | OUT\n 100 | 50\n 10 | 10\n 100 | 50")


def test_where_the_limits_cross_the_upper_one_counts():
    scan(
        PID_FULL,
        KP=2.0,
        SP=10.0,
        PV=9.0,
        table="""
        OUT_MIN OUT_MAX | OUT HELD
        -100    100     | 2   0
        20      0       | 0   1     # an upper limit that falls must not be switched off by the lower one
        5       -5      | -5  1
        -100    1       | 1   0
    """,
    )


# --- taking over and giving back ---


def test_manual_track_and_hold_have_no_bump():
    scan(
        PID_FULL,
        KP=2.0,
        TI=10.0,
        SP=10.0,
        PV=9.0,
        **WIDE,
        dt="100ms",
        table="""
        AUTO MAN TRACK TRACK_VALUE HOLD FF | OUT
        1    0   0     0           0    0  | 2
        0    70  0     0           0    0  | 70
        1    70  0     0           0    0  | 70      # carries on from the operator's value
        1    0   0     0           0    0  | 70.02
        1    0   1     -5          0    0  | -5
        0    70  1     -6          0    0  | -6      # TRACK before manual
        1    0   0     0           0    0  | -6
        1    0   1     50          1    0  | -6      # HOLD before TRACK
        1    0   0     0           1    8  | -6
        1    0   0     0           0    8  | -6
        1    0   0     0           0    8  | -5.98
    """,
    )


def test_what_is_tracked_is_held_inside_the_limits():
    scan(
        PID_FULL,
        KP=0.0,
        TI=9.0,
        OUT_MIN=-5.0,
        OUT_MAX=5.0,
        table="SP PV TRACK TRACK_VALUE | OUT LIMITED\n 0 0 1 70 | 5 1\n 0 0 0 70 | 5 0",
    )


def test_track_follows_at_once_whatever_the_rate():
    scan(
        PID_FULL,
        KP=1.0,
        TI=9.0,
        SP=0.0,
        PV=0.0,
        RATE=1.0,
        **WIDE,
        table="TRACK TRACK_VALUE | OUT\n 1 70 | 70\n 1 -70 | -70\n 0 0 | -70",
    )


def test_it_starts_at_init_without_a_jump():
    scan(PID_FULL, KP=2.0, TI=1.0, INIT=40.0, SP=10.0, PV=10.0, RATE=1.0, **WIDE, table="x | OUT I_PART\n 1 | 40 40\n 50 | 40 40")


@pytest.mark.parametrize("pin", ["KP", "TI", "TD", "N"])
def test_new_settings_do_not_move_the_output(pin):
    """PV rises at 1 a second, so all three parts are at work; the settings change from one scan to the next."""
    old, new = {"KP": 2.0, "TI": 5.0, "TD": 1.0, "N": 10.0}, {"KP": 7.0, "TI": 0.5, "TD": 4.0, "N": 2.0}
    changed, same = (Compiled(PID_FULL, SP=3.0, **old, **WIDE) for _ in range(2))
    for i in range(400):
        for one in (changed, same):
            one.set(PV=i * 1e-3)
            if i == 300 and one is changed:
                one.set(**{pin: new[pin]})
            one.scan(MS)
        if i <= 300:
            # only what one more scan of the new derivative and integral differs by: a slope of 1/s for 1 ms
            assert changed.get("OUT") == pytest.approx(same.get("OUT"), abs=0.01)
    assert abs(changed.get("OUT") - same.get("OUT")) > 0.01, "the new settings must act"


def test_new_settings_while_the_derivative_is_off_or_comes_on():
    scan(
        PID_FULL,
        KP=2.0,
        TI=1e9,
        SP=0.0,
        **WIDE,
        dt="100ms",
        table="""
        PV TD | OUT   D_PART
        0  0  | 0     0
        1  0  | -2    0
        2  0  | -4    0
        3  10 | ~-6.0 -        # slope 10/s behind it: D_PART jumps, OUT does not
    """,
    )


# --- cascade ---


def cascade(with_reset: bool) -> tuple[float, float, float]:
    """Outer OUT after a long time with the inner loop at its limit, then PV's undershoot and error after a step down.

    Inner plant 1/(1 + s), outer plant 1/(1 + 20 s). The setpoint of 10 needs 10, the inner actuator gives 5 at most.
    """
    outer = Compiled(PID_FULL, SP=10.0, KP=4.0, TI=15.0, OUT_MIN=-100.0, OUT_MAX=100.0, EXT_RESET=with_reset)
    inner = Compiled(PID, KP=5.0, TI=1.0, OUT_MIN=0.0, OUT_MAX=5.0)
    x, y, asked, least = 0.0, 0.0, 0.0, 10.0
    for i in range(6000):
        if i == 3000:
            asked = outer.get("OUT")
            outer.set(SP=4.0)
        outer.set(PV=y, EXT=x)
        outer.scan(100 * MS)
        inner.set(SP=outer.get("OUT"), PV=x)
        inner.scan(100 * MS)
        x += (inner.get("OUT") - x) * -math.expm1(-0.1)
        y += (x - y) * -math.expm1(-0.1 / 20.0)
        least = min(least, y) if i > 3000 else least
    return asked, 4.0 - least, abs(4.0 - y)


def test_the_outer_loop_of_a_cascade_does_not_wind_up_while_the_inner_one_is_limited():
    asked, under, rest = cascade(with_reset=True)
    assert asked == pytest.approx(5.0 + 4.0 * (10.0 - 5.0), abs=0.2)  # EXT + KP e, and no more however long it takes
    assert rest < 0.01
    assert under < 0.3
    wound = cascade(with_reset=False)
    assert wound[0] == pytest.approx(100.0)
    assert wound[2] > 0.9, "300 s after the step PV must still stand where the inner limit holds it"


def test_external_reset_is_a_lag_of_what_became_of_out():
    """OUT = KP e + EXT behind a lag of TI (Shinskey): with e = 1 and EXT stepping from 0 to 8, OUT rises from 2 to 10."""
    pid = Compiled(PID_FULL, SP=1.0, PV=0.0, KP=2.0, TI=3.0, EXT_RESET=True, EXT=0.0, **WIDE)
    for _ in range(10):
        pid.scan(MS)
        assert pid.get("OUT") == pytest.approx(2.0)
    pid.set(EXT=8.0)
    for i in range(6000):
        pid.scan(MS)
        assert pid.get("OUT") == pytest.approx(2.0 + 8.0 * (1.0 - math.exp(-i * 1e-3 / 3.0)), abs=5e-3)


def test_external_reset_takes_ti_whatever_the_tracking_time():
    scan(
        PID_FULL,
        KP=2.0,
        TI=1.0,
        TT=0.1,
        SP=1.0,
        PV=0.0,
        EXT_RESET=True,
        EXT=2.0,
        **WIDE,
        dt="100ms",
        table="x | OUT I_PART\n 1 | 2 0\n 1 | 2.2 0.2\n 1 | 2.38 0.38",
    )


def test_a_late_scan_longer_than_the_integral_time_does_not_overshoot():
    scan(PID_FULL, KP=1.0, TI=0.1, SP=1.0, PV=0.0, **WIDE, table="dt | OUT\n 10ms | 1\n 10s | 2\n 1ms | 2.01")
