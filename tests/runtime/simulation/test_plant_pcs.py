"""The converter: it ramps, it loses a little, and without its master it falls back to zero."""

from __future__ import annotations

import pytest

from runtime.simulation.pcs import Fault, State, beat, build_pcs, convert, losses_kw, warm
from runtime.simulation.settings import PcsSettings


def pcs_running(p_cmd_kw=0.0, **settings):
    pcs = build_pcs(PcsSettings(**settings), 25.0)
    pcs.enable = True
    run(pcs, 1.0)
    pcs.p_cmd_kw = p_cmd_kw
    return pcs


def run(pcs, seconds, v_link=820.0, dt=0.01, alive=True):
    for _ in range(round(seconds / dt)):
        if alive:
            beat(pcs, (pcs.heartbeat + 1) % 65536)
        convert(pcs, v_link, dt, dt)


def test_standby_ready_running():
    pcs = build_pcs(PcsSettings(), 25.0)
    run(pcs, 0.1, v_link=100.0)
    assert pcs.state is State.STANDBY
    run(pcs, 0.1)
    assert pcs.state is State.READY
    pcs.enable = True
    run(pcs, 0.45)
    assert pcs.state is State.READY
    run(pcs, 0.1)
    assert pcs.state is State.RUNNING


def test_power_ramps_to_the_command():
    # 500 kW/s: 50 kW after 100 ms, 100 kW after 200 ms
    pcs = pcs_running(100.0)
    run(pcs, 0.1)
    assert pcs.p_ac_kw == pytest.approx(50.0)
    run(pcs, 0.2)
    assert pcs.p_ac_kw == 100.0


def test_what_is_not_enabled_gives_no_power():
    pcs = build_pcs(PcsSettings(), 25.0)
    pcs.p_cmd_kw = 100.0
    run(pcs, 2.0)
    assert (pcs.p_ac_kw, pcs.p_dc_kw) == (0.0, 0.0)


def test_withdrawn_enable_ramps_down_and_does_not_jump():
    pcs = pcs_running(100.0)
    run(pcs, 1.0)
    pcs.enable = False
    run(pcs, 0.1)
    assert pcs.p_ac_kw == pytest.approx(50.0)
    run(pcs, 0.2)
    assert pcs.p_ac_kw == 0.0
    assert pcs.state is State.READY


@pytest.mark.parametrize("p", [230.0, 50.0, -50.0, -230.0])
def test_the_link_pays_for_the_losses_in_both_directions(p):
    # 0.4 kW + 1 % + 0.00003 P^2: at 230 kW 4.287 kW, an efficiency of 98.2 %
    pcs = pcs_running(p)
    run(pcs, 2.0)
    assert pcs.p_dc_kw - pcs.p_ac_kw == pytest.approx(0.4 + 0.01 * abs(p) + 0.00003 * p * p)


def test_energy_on_both_sides_balances():
    pcs = pcs_running(100.0)
    start = pcs.ac_kwh, pcs.dc_kwh, pcs.lost_kwh
    run(pcs, 360.0, dt=0.1)
    ac, dc, lost = (now - then for now, then in zip((pcs.ac_kwh, pcs.dc_kwh, pcs.lost_kwh), start))
    assert ac == pytest.approx(10.0, rel=0.001)
    assert dc == pytest.approx(ac + lost)


def test_the_command_is_kept_inside_rating_and_current():
    pcs = pcs_running(400.0)
    run(pcs, 2.0)
    assert pcs.p_ac_kw == 230.0
    run(pcs, 2.0, v_link=600.0)
    assert pcs.p_ac_kw == pytest.approx(320.0 * 600.0 / 1000)


def test_a_silent_master_means_zero_after_one_second():
    pcs = pcs_running(100.0)
    run(pcs, 1.0)
    run(pcs, 0.98, alive=False)
    assert pcs.p_ac_kw == 100.0
    run(pcs, 0.05, alive=False)
    assert (pcs.state, pcs.fault, pcs.p_ac_kw) == (State.FAULT, Fault.COMM_TIMEOUT, 0.0)


def test_a_heartbeat_that_does_not_move_is_silence():
    pcs = pcs_running(100.0)
    for _ in range(110):
        beat(pcs, pcs.heartbeat)
        convert(pcs, 820.0, 0.01, 0.01)
    assert pcs.fault is Fault.COMM_TIMEOUT


@pytest.mark.parametrize(("timeout", "fault"), [(0.0, Fault.NONE), (5.0, Fault.NONE), (0.3, Fault.COMM_TIMEOUT)])
def test_the_time_out_can_be_set_and_zero_turns_it_off(timeout, fault):
    pcs = pcs_running(100.0)
    pcs.comms_timeout_s = timeout
    run(pcs, 3.0, alive=False)
    assert pcs.fault is fault


def test_a_fault_goes_when_its_cause_is_gone_and_enable_withdrawn():
    pcs = pcs_running(100.0)
    run(pcs, 2.0, alive=False)
    run(pcs, 1.0)
    assert pcs.state is State.FAULT, "the master is back, but it still asks for power"
    pcs.enable = False
    run(pcs, 0.1)
    assert pcs.state is State.READY
    pcs.enable = True
    run(pcs, 1.0)
    assert (pcs.state, pcs.p_ac_kw) == (State.RUNNING, pytest.approx(100.0))


@pytest.mark.parametrize(("v_link", "fault"), [(400.0, Fault.DC_UNDER_VOLTAGE), (1010.0, Fault.DC_OVER_VOLTAGE)])
def test_a_link_outside_its_range_blocks_the_switches_at_once(v_link, fault):
    pcs = pcs_running(100.0)
    run(pcs, 1.0)
    run(pcs, 0.01, v_link=v_link)
    assert (pcs.fault, pcs.p_dc_kw) == (fault, 0.0)


def test_losses_warm_the_converter():
    # 4.287 kW / 200 W/K = 21.4 K over ambient
    pcs = pcs_running(230.0)
    run(pcs, 1.0)
    for _ in range(300):
        warm(pcs, 25.0, 10.0)
    assert pcs.celsius == pytest.approx(25.0 + losses_kw(pcs.settings, 230.0) * 1000 / 200, rel=1e-3)
