"""The converter's answer: dead time, first order, ramp; its limits over voltage, temperature and apparent power."""

from __future__ import annotations

import math

import pytest

from runtime.simulation.pcs import build_pcs, convert
from runtime.simulation.settings import PcsSettings


def pcs_running(v_link=820.0, **settings):
    pcs = build_pcs(PcsSettings(comms_timeout_s=0.0, **settings), 25.0)
    pcs.enable = True
    run(pcs, 1.0, v_link)
    return pcs


def run(pcs, seconds, v_link=820.0, dt=0.01):
    for _ in range(round(seconds / dt)):
        convert(pcs, v_link, dt, dt)


def test_a_command_counts_after_the_dead_time():
    pcs = pcs_running(dead_time_s=0.2, ramp_kw_per_s=1e6)
    pcs.p_cmd_kw = 100.0
    run(pcs, 0.2)
    assert pcs.p_ac_kw == 0.0
    run(pcs, 0.01)
    assert pcs.p_ac_kw == 100.0


def test_commands_arrive_in_their_order_and_none_is_lost():
    pcs = pcs_running(dead_time_s=0.1, ramp_kw_per_s=1e6)
    seen = []
    for turn in range(60):
        pcs.p_cmd_kw = float(turn // 5)
        run(pcs, 0.01)
        seen.append(pcs.p_ac_kw)
    assert seen[10:] == [float(max(turn - 10, 0) // 5) for turn in range(10, 60)]


@pytest.mark.parametrize("dt", [0.001, 0.01, 0.1])
def test_the_answer_is_of_first_order(dt):
    # 1 - exp(-1) after one time constant of 0.3 s
    pcs = pcs_running(response_s=0.3, ramp_kw_per_s=1e6)
    pcs.p_cmd_kw = 100.0
    run(pcs, 0.3, dt=dt)
    assert pcs.p_ac_kw == pytest.approx(100 * (1 - math.exp(-1)), rel=1e-9)
    run(pcs, 6.0, dt=dt)
    assert pcs.p_ac_kw == 100.0


def test_the_ramp_still_holds():
    pcs = pcs_running(response_s=0.05, ramp_kw_per_s=100.0)
    pcs.p_cmd_kw = 200.0
    run(pcs, 1.0)
    assert pcs.p_ac_kw == pytest.approx(100.0, rel=0.01)


@pytest.mark.parametrize(("celsius", "most"), [(60.0, 230.0), (80.0, 115.0), (86.0, 46.0)])
def test_a_hot_converter_gives_less(celsius, most):
    # from 70 °C in a straight line to zero at 90 °C
    pcs = pcs_running()
    pcs.celsius, pcs.p_cmd_kw = celsius, 230.0
    run(pcs, 1.0)
    assert pcs.p_ac_kw == pytest.approx(most)


@pytest.mark.parametrize(("v_link", "most"), [(560.0, 320 * 0.1 * 0.560), (600.0, 320 * 0.5 * 0.6), (700.0, 320 * 0.7)])
def test_near_its_least_voltage_the_current_is_limited(v_link, most):
    pcs = pcs_running(v_link, v_derate=650.0)
    pcs.p_cmd_kw = 230.0
    run(pcs, 2.0, v_link)
    assert pcs.p_ac_kw == pytest.approx(min(most, 230.0))


@pytest.mark.parametrize(("kw", "kvar"), [(0.0, 253.0), (200.0, 154.95), (230.0, 105.4)])
def test_active_power_goes_first_and_reactive_power_takes_what_is_left(kw, kvar):
    # S = 253 kVA: Q = sqrt(S² - P²)
    pcs = pcs_running()
    pcs.p_cmd_kw, pcs.q_cmd_kvar = kw, 300.0
    run(pcs, 3.0)
    assert pcs.p_ac_kw == kw
    assert pcs.q_kvar == pytest.approx(kvar, abs=0.05)
