"""Grid and panel: signs, spreads, and an E-stop that reads false when its wire is cut."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.simulation.grid import build_grid, disturb, turn
from runtime.simulation.panel import Panel, press, release, watch, write_output
from runtime.simulation.settings import GridSettings, PanelSettings


def grid_of(**settings):
    return build_grid(GridSettings(**settings), np.random.default_rng(5))


def test_the_meter_counts_import_as_positive_and_discharge_lowers_it():
    grid = grid_of()
    grid.load_set, grid.pv_set = 80.0, 30.0
    turn(grid, 20.0, 0.0, 0.01, 0.01)
    assert grid.p_kw == pytest.approx(30.0)
    turn(grid, 100.0, 0.0, 0.01, 0.01)
    assert grid.p_kw == pytest.approx(-50.0)


def test_energies_are_counted_apart():
    grid = grid_of()
    grid.load_set, grid.pv_set = 36.0, 0.0
    for p in (0.0, 72.0):
        for _ in range(100):
            turn(grid, p, 0.0, 1.0, 1.0)
    assert (grid.import_kwh, grid.export_kwh) == (pytest.approx(1.0), pytest.approx(1.0))


@pytest.mark.parametrize("dt", [0.1, 1.0, 10.0])
def test_the_frequency_wanders_as_far_as_it_should_whatever_the_step(dt):
    grid = grid_of(frequency_tau_s=10.0)
    seen = []
    for _ in range(20_000):
        turn(grid, 0.0, 0.0, dt, dt)
        seen.append(grid.frequency_hz)
    assert np.mean(seen) == pytest.approx(50.0, abs=0.005)
    assert np.std(seen[100:]) == pytest.approx(0.015, rel=0.25)


def test_a_disturbance_decays_with_its_time_constant():
    grid = grid_of(frequency_sigma_hz=0.0)
    disturb(grid, -0.4)
    assert grid.frequency_hz == pytest.approx(49.6)
    for _ in range(60):
        turn(grid, 0.0, 0.0, 1.0, 1.0)
    assert grid.frequency_hz == pytest.approx(50.0 - 0.4 * np.exp(-1))


def test_disturbances_come_as_often_as_asked():
    grid = grid_of(frequency_sigma_hz=0.0, event_every_s=100.0, event_tau_s=1e9)
    jumps = 0
    for _ in range(10_000):
        before = grid.event_hz
        turn(grid, 0.0, 0.0, 1.0, 1.0)
        jumps += abs(grid.event_hz - before) > 1e-6
    assert 70 <= jumps <= 130  # Poisson: 100 +- 10


def test_a_frequency_set_by_hand_stays():
    grid = grid_of()
    grid.frequency_set = 49.7
    turn(grid, 0.0, 0.0, 1.0, 1.0)
    assert grid.frequency_hz == 49.7


def test_the_sun_shines_by_day():
    grid = grid_of(start_hour=0.0)
    pv = []
    for _ in range(24):
        turn(grid, 0.0, 0.0, 1.0, 3600.0)
        pv.append(grid.pv_kw)
    assert pv[11] == pytest.approx(120.0)
    assert pv[2] == pv[21] == 0.0


def test_a_cut_wire_reads_like_a_pressed_stop():
    panel = Panel(PanelSettings())
    assert panel.estop_ok
    panel.wire_cut = True
    assert not panel.estop_ok


def test_the_safety_relay_gives_a_second_to_ramp_down():
    panel = Panel(PanelSettings())
    panel.estop_pressed = True
    watch(panel, 0.9, 0.9)
    assert panel.power_to_coils
    watch(panel, 0.2, 0.2)
    assert not panel.power_to_coils
    panel.estop_pressed = False
    watch(panel, 0.01, 0.01)
    assert panel.power_to_coils


def test_a_button_is_held_for_a_time_or_until_released():
    panel = Panel(PanelSettings())
    press(panel, "start", 0.3)
    press(panel, "stop")
    watch(panel, 0.2, 0.2)
    assert panel.pressed["start"] > 0
    watch(panel, 0.2, 0.2)
    assert (panel.pressed["start"] > 0, panel.pressed["stop"] > 0) == (False, True)
    release(panel, "stop")
    assert not panel.pressed["stop"]


def test_outputs_fall_off_when_nobody_writes():
    panel = Panel(PanelSettings())
    write_output(panel, "lamp_run", True)
    watch(panel, 1.9, 1.9)
    assert panel.outputs["lamp_run"]
    watch(panel, 0.2, 0.2)
    assert not panel.outputs["lamp_run"]
