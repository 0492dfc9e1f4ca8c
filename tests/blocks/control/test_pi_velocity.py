"""PI_VELOCITY: the sum of its increments is a PI, the pulses drive what is asked, and a motor valve comes to rest."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.control.pi_velocity import PI_VELOCITY
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled, response

MS = 1_000_000


def test_the_increments_add_up_to_a_pi_controller(deviation):
    """KP (e + integral of e/TI) by scipy's rectangle: the error of each scan counts for the interval before it."""
    from scipy.signal import lfilter

    error, h = np.cumsum(np.random.default_rng(1).normal(0.0, 0.01, 5000)), 0.1
    increments = response(PI_VELOCITY, {"SP": error}, 100 * MS, "INCREMENT", PV=0.0, KP=3.0, TI=20.0, T_MOTOR=60.0)
    integral = lfilter([h], [1.0, -1.0], np.concatenate([[0.0], error[1:]]) + np.concatenate([[error[0]], np.zeros(4999)]))
    wanted = 3.0 * (error - error[0] + integral / 20.0)
    # the same sum in another order
    deviation("PI_VELOCITY", "scipy 1.17", "sum of the increments", np.max(np.abs(np.cumsum(increments) - wanted)), 1e-9, "%")


def test_the_motor_runs_as_long_as_the_increment_asks():
    """10 % of a motor of 60 s are 6 s, whatever the scan."""
    for dt in (10 * MS, 70 * MS, 250 * MS):
        valve = Compiled(PI_VELOCITY, SP=0.0, PV=0.0, KP=1.0, T_MOTOR=60.0)
        valve.scan(dt)
        valve.set(SP=10.0)
        on = 0
        for _ in range(20_000 * MS // dt):
            valve.scan(dt)
            on += dt if valve.get("UP") else 0
            assert not valve.get("DOWN")
        assert on == pytest.approx(6_000 * MS, abs=0.51 * dt)


def test_a_debt_below_the_shortest_pulse_waits_until_there_is_more():
    scan(
        PI_VELOCITY,
        SP=0.0,
        KP=1.0,
        T_MOTOR=10.0,
        PULSE="500ms",
        dt="100ms",
        table="""
        x PV | UP DOWN
        1 0  | 0  0
        5 -3 | 0  0      # 3 % are 300 ms
        1 -6 | 1  0      # 6 % are 600 ms
        5 -6 | 1  0
        9 -6 | 0  0
    """,
    )


def test_every_pulse_lasts_at_least_the_shortest_one_and_the_two_are_never_on_together():
    chance = np.random.default_rng(2)
    valve = Compiled(PI_VELOCITY, SP=0.0, KP=2.0, TI=5.0, T_MOTOR=30.0, PULSE=500 * MS)
    runs, length, was = [], 0, (0, 0)
    for _ in range(50_000):
        valve.set(PV=chance.normal(0.0, 1.0))
        valve.scan(50 * MS)
        now = (valve.get("UP"), valve.get("DOWN"))
        assert now != (1, 1)
        assert not (was != (0, 0) and now != (0, 0) and was != now), "it turned round without a pause"
        if now != (0, 0):
            length += 50
        elif length:
            runs.append(length)
            length = 0
        was = now
    assert len(runs) > 100
    assert min(runs) >= 500


def drive(scans: int, disturbance: float, **settings: float) -> tuple[list[float], int]:
    """A heat exchanger 1/(1 + 20 s) behind a motor valve of 30 s; PV every 50 ms, and the scans of the last half that switched."""
    valve = Compiled(PI_VELOCITY, SP=60.0, T_MOTOR=30.0, **settings)
    position, pv, seen, moves, was = 20.0, 20.0, [], 0, (0, 0)
    for i in range(scans):
        valve.set(PV=pv, OPENED=position >= 100.0, CLOSED=position <= 0.0)
        valve.scan(50 * MS)
        now = (valve.get("UP"), valve.get("DOWN"))
        moves += now != was and i > scans // 2
        was = now
        position = min(max(position + (now[0] - now[1]) * 100.0 * 0.05 / 30.0, 0.0), 100.0)
        pv += (position + disturbance - pv) * -math.expm1(-0.05 / 20.0)
        seen.append(pv)
    return seen, moves


def test_a_motor_valve_comes_to_its_setpoint_and_stands_still():
    seen, moves = drive(20_000, 0.0, KP=2.0, TI=20.0, DEADBAND=0.5)
    assert abs(seen[-1] - 60.0) <= 0.6
    assert max(seen) < 66.0
    assert moves == 0, "it must not hunt inside the deadband"


def test_at_its_end_nothing_winds_up():
    """The load is too much for an open valve; when it goes, the valve leaves its end within the time of a pulse or two."""
    valve = Compiled(PI_VELOCITY, SP=60.0, PV=20.0, KP=2.0, TI=20.0, T_MOTOR=30.0, OPENED=True)
    for _ in range(10_000):
        valve.scan(50 * MS)
        assert not valve.get("UP")
    valve.set(PV=61.0)
    valve.scan(50 * MS)
    assert valve.get("DOWN")


def test_without_end_switches_no_more_than_one_stroke_is_owed():
    """The error stands for 500 s and turns: what was asked towards the end is less than one stroke of 30 s."""
    valve = Compiled(PI_VELOCITY, SP=60.0, PV=20.0, KP=2.0, TI=20.0, T_MOTOR=30.0)
    for _ in range(10_000):
        valve.scan(50 * MS)
    valve.set(PV=60.0)
    on = 0
    for _ in range(10_000):
        valve.scan(50 * MS)
        on += valve.get("UP")
    assert on * 0.05 <= 30.0


def test_manual_moves_the_motor_and_automatic_goes_on_from_there():
    scan(
        PI_VELOCITY,
        SP=50.0,
        KP=2.0,
        T_MOTOR=10.0,
        dt="100ms",
        table="""
        AUTO MAN_UP MAN_DOWN PV | UP DOWN
        0    1      0        0  | 1  0
        0    1      1        0  | 0  0      # both: stands still
        0    0      1        0  | 0  1
        0    1      0        0  | 0  0      # one scan off between the two
        0    1      0        0  | 1  0
        0    0      0        0  | 0  0
        1    0      0        0  | 0  0      # an error that was there asks for nothing without TI
        1    0      0        -2 | 1  0
    """,
    )


@pytest.mark.parametrize("pin", ["SP", "PV", "KP", "TI", "DEADBAND", "T_MOTOR"])
def test_what_is_broken_stops_the_motor_and_is_forgotten(pin):
    good = {"SP": 50.0, "PV": 40.0, "KP": 2.0, "TI": 1.0, "DEADBAND": 0.0, "T_MOTOR": 10.0}
    valve = Compiled(PI_VELOCITY, **good)
    for _ in range(10):
        valve.scan(100 * MS)
    assert valve.get("UP")
    valve.set(**{pin: math.nan})
    valve.scan(100 * MS)
    assert (valve.get("UP"), valve.get("DOWN"), valve.get("HELD"), valve.get("INCREMENT")) == (0, 0, 1, 0.0)
    valve.set(**{pin: good[pin]})
    valve.scan(100 * MS)
    assert not valve.get("HELD")
    assert valve.get("INCREMENT") == pytest.approx(2.0)  # 2 (10 * 0.1/1), no jump of the error


def test_an_end_switch_stops_a_running_pulse():
    scan(
        PI_VELOCITY,
        SP=0.0,
        KP=10.0,
        T_MOTOR=10.0,
        table="PV OPENED CLOSED | UP DOWN\n 0 0 0 | 0 0\n -5 0 0 | 1 0\n -5 1 0 | 0 0\n 5 0 0 | 0 1\n 5 0 1 | 0 0",
    )
