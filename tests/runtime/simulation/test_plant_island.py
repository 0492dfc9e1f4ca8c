"""The site and its grid: outage, island, return in step; voltage over reactive power, clouds and steps of load."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.simulation.bms import take_command
from runtime.simulation.grid import build_grid, close_breaker, open_breaker, turn
from runtime.simulation.modbusmaps import map_pcs
from runtime.simulation.pcs import Fault, State, beat
from runtime.simulation.plant import build_plant
from runtime.simulation.registers import COIL, DISCRETE, HOLDING, INPUT, read_span, write_span
from runtime.simulation.settings import GridSettings, PlantSettings
from runtime.simulation.written import Written
from tests.aids.plant import EXACT, drive, even_plant, switch_on


def grid_of(**settings):
    return build_grid(GridSettings(frequency_sigma_hz=0.0, voltage_sigma_v=0.0, **settings), np.random.default_rng(5))


def running(load=60.0, pv=0.0, kw=0.0, forming=False):
    plant = even_plant()
    switch_on(plant)
    plant.grid.load_set, plant.grid.pv_set = load, pv
    plant.pcs.enable, plant.pcs.p_cmd_kw, plant.pcs.forming = True, kw, forming
    drive(plant, 2.0, close=True)
    assert plant.pcs.state is State.RUNNING
    return plant


def test_without_a_grid_a_converter_that_follows_trips_within_its_time():
    # IEEE 1547-2018: the fastest trip is 0.16 s
    plant = running(kw=50.0)
    plant.grid.lost = True
    drive(plant, 0.1, close=True)
    assert plant.pcs.p_ac_kw == 0.0, "nothing to feed into"
    drive(plant, 0.1, close=True)
    assert plant.pcs.fault is Fault.GRID_LOST
    assert (plant.grid.frequency_hz, plant.grid.voltage_v) == (0.0, 0.0)


def test_a_forming_converter_carries_its_island():
    plant = running(load=80.0, pv=30.0, forming=True)
    open_breaker(plant.grid)
    drive(plant, 1.0, close=True)
    assert plant.pcs.p_ac_kw == pytest.approx(50.0)
    assert plant.grid.p_kw == 0.0
    assert plant.grid.voltage_v == pytest.approx(230.9)
    # 1 % of droop at rated power
    assert plant.grid.frequency_hz == pytest.approx(50.0 * (1 - 0.01 * 50 / 230))
    assert plant.grid.unserved_kwh < 80.0 * 0.05 / 3600


def test_an_island_may_charge_the_battery_from_the_sun():
    plant = running(load=20.0, pv=60.0, forming=True)
    open_breaker(plant.grid)
    drive(plant, 1.0, close=True)
    assert plant.pcs.p_ac_kw == pytest.approx(-40.0)


def test_an_island_beyond_the_rating_collapses():
    plant = running(load=400.0, forming=True)
    plant.grid.lost = True
    drive(plant, 0.5, close=True)
    assert plant.pcs.fault is Fault.OVERLOAD
    assert plant.grid.voltage_v == 0.0
    assert plant.grid.unserved_kwh > 0.0


def test_an_island_formed_towards_a_dead_grid_breaks_down_and_lives_as_soon_as_the_breaker_is_open():
    """The dead grid hangs on it: whatever the site itself takes, the converter's protection ends it at once."""
    plant = running(load=10.0, forming=True)
    plant.grid.lost = True
    drive(plant, 0.1, close=True)
    assert plant.pcs.fault is Fault.OVERLOAD
    assert plant.grid.voltage_v == 0.0
    plant.pcs.enable = False
    drive(plant, 0.2, close=True)
    open_breaker(plant.grid)
    plant.pcs.enable = True
    drive(plant, 2.0, close=True)
    assert plant.pcs.p_ac_kw == pytest.approx(10.0)


def test_an_island_is_given_up_to_a_fifth_more_than_the_rating_and_beyond_it_nothing():
    rating = 230.0
    for load, given, fault in ((1.1 * rating, 1.1 * rating, Fault.NONE), (1.25 * rating, 0.0, Fault.OVERLOAD)):
        plant = running(load=load, forming=True)
        open_breaker(plant.grid)
        drive(plant, 0.5, close=True)
        assert plant.pcs.p_ac_kw == pytest.approx(given)
        assert plant.pcs.fault is fault


@pytest.mark.parametrize(("grid_v", "in_step"), [(230.9, False), (247.0, True)])
def test_the_breaker_compares_the_island_with_the_grid_beyond_it_and_not_with_the_nominal_voltage(grid_v, in_step):
    """247 V on both sides are 7 % above the nominal voltage, and in step."""
    grid = grid_of()
    open_breaker(grid)
    grid.frequency_set, grid.voltage_set, grid.formed = 50.0, grid_v, (50.0, 247.0)
    assert close_breaker(grid) is in_step
    assert grid.closed_out_of_step == (not in_step)


def test_back_in_step_is_no_event_and_out_of_step_is_counted():
    plant = running(load=115.0, forming=True)  # 0.25 Hz slow: half a turn in two seconds
    plant.grid.frequency_set = 50.0
    open_breaker(plant.grid)
    drive(plant, 2.0, close=True)
    assert abs(plant.grid.angle_deg) > 90.0
    assert not close_breaker(plant.grid)
    assert plant.grid.closed_out_of_step == 1
    open_breaker(plant.grid)
    plant.grid.load_set, plant.grid.frequency_set = 0.0, 50.0
    drive(plant, 0.1, close=True)
    plant.grid.angle_deg = 3.0
    assert close_breaker(plant.grid)
    drive(plant, 1.0, close=True)
    assert plant.pcs.p_ac_kw == pytest.approx(0.0, abs=1e-9)


def test_the_angle_runs_with_the_difference_of_the_frequencies():
    # 0.25 Hz for one second is 90 degrees
    grid = grid_of()
    grid.frequency_set, grid.formed = 50.25, (50.0, 230.9)
    open_breaker(grid)
    for _ in range(100):
        turn(grid, 0.0, 0.0, 0.01, 0.01)
    assert grid.angle_deg == pytest.approx(-90.0)


def test_an_outage_starts_nothing_by_itself_and_a_black_start_needs_a_forming_converter():
    plant = running()
    plant.grid.lost = True
    drive(plant, 1.0, close=True)
    plant.pcs.enable = False
    drive(plant, 0.2, close=True)
    open_breaker(plant.grid)
    plant.pcs.forming = plant.pcs.enable = True
    drive(plant, 2.0, close=True)
    assert plant.pcs.state is State.RUNNING
    assert plant.pcs.p_ac_kw == pytest.approx(60.0)


@pytest.mark.parametrize(("kw", "kvar", "per_cent"), [(0.0, 100.0, 0.949), (100.0, 0.0, 0.316), (100.0, 100.0, 1.265)])
def test_voltage_follows_reactive_power_over_the_short_circuit_power(kw, kvar, per_cent):
    # dV/V = (R P + X Q) / Ssc: 10 MVA, X/R = 3; R = 0.316, X = 0.949 of Z
    grid = grid_of(short_circuit_mva=10.0)
    grid.load_set = grid.pv_set = 0.0
    turn(grid, kw, kvar, 0.01, 0.01)
    assert (grid.voltage_v / 230.9 - 1) * 100 == pytest.approx(per_cent, abs=0.001)


def test_clouds_come_as_often_and_stay_as_long_as_asked():
    grid = grid_of(cloud_depth=0.7, cloud_every_s=600.0, cloud_s=90.0, start_hour=12.0)
    seen = []
    for _ in range(100_000):
        grid.hour = 12.0
        turn(grid, 0.0, 0.0, 1.0, 1.0)
        seen.append(grid.pv_kw)
    assert max(seen) == pytest.approx(120.0, rel=1e-3)
    assert min(seen) == pytest.approx(36.0, rel=1e-2)
    assert np.mean(np.array(seen) < 78.0) == pytest.approx(90 / 690, rel=0.25)
    assert np.abs(np.diff(seen)).max() < 84.0 / 8.0


def test_load_steps_come_and_go():
    grid = grid_of(load_step_kw=50.0, load_step_every_s=300.0, load_swing_kw=0.0)
    seen = []
    for _ in range(30_000):
        turn(grid, 0.0, 0.0, 1.0, 1.0)
        seen.append(grid.load_kw)
    assert set(seen) == {60.0, 110.0}
    assert 70 <= np.count_nonzero(np.diff(seen)) <= 135  # Poisson: 100 +- 10


def test_a_plant_without_clouds_draws_no_other_numbers():
    plain, shaded = (build_grid(GridSettings(cloud_depth=depth), np.random.default_rng(3)) for depth in (0.0, 0.0))
    for grid in (plain, shaded):
        for _ in range(100):
            turn(grid, 0.0, 0.0, 1.0, 1.0)
    reference = np.random.default_rng(3)
    for _ in range(100):
        reference.standard_normal(3)
    assert plain.frequency_hz == shaded.frequency_hz
    assert plain.random.random() == reference.random()


def test_the_converters_registers_work_the_breaker_and_see_both_sides_of_it():
    plant = running(load=50.0, forming=False)
    registers = map_pcs(plant, Written())
    write_span(registers, COIL, 1, [1])
    write_span(registers, COIL, 2, [0])
    plant.grid.frequency_set = 50.0
    drive(plant, 1.0, close=True)
    assert plant.pcs.forms and plant.pcs.p_ac_kw == pytest.approx(50.0)
    assert read_span(registers, DISCRETE, 2, 2) == [1, 0]
    f_site, f_grid = read_span(registers, INPUT, 10, 1)[0], read_span(registers, INPUT, 14, 1)[0]
    assert (f_site, f_grid) == (4989, 5000)
    write_span(registers, COIL, 2, [1])
    drive(plant, 0.1, close=True)
    assert plant.grid.connected
    assert read_span(registers, DISCRETE, 3, 1) == [1]


def test_converters_that_form_share_their_island_and_one_that_falls_out_leaves_its_share_to_the_others():
    """Three of 230 kW carry 300 kW: 100 kW each; when one breaks down the two others carry 150 kW, and the load stays served."""
    plant = build_plant(PlantSettings(racks=3, rack=EXACT))
    plant.grid.load_set, plant.grid.pv_set = 300.0, 0.0

    def run(seconds, close=False, precharge=False):
        for _ in range(round(seconds * 100)):
            for rack in plant.racks.racks:
                take_command(rack.bms, close, precharge, False, False, (rack.bms.commands.alive + 1) % 16)
            for pcs in plant.converters:
                beat(pcs, (pcs.heartbeat + 1) % 65536)
            plant.step(0.01)

    run(1.5, precharge=True)
    run(0.3, close=True, precharge=True)
    for pcs in plant.converters:
        pcs.enable = pcs.forming = True
    run(1.0, close=True)
    open_breaker(plant.grid)
    run(0.5, close=True)
    assert [pcs.p_ac_kw for pcs in plant.converters] == pytest.approx([100.0] * 3)
    plant.converters[1].internal_fault = True
    unserved = plant.grid.unserved_kwh
    run(0.5, close=True)
    assert [pcs.p_ac_kw for pcs in plant.converters] == pytest.approx([150.0, 0.0, 150.0])
    assert plant.grid.unserved_kwh == unserved
    assert plant.grid.frequency_hz == pytest.approx(50.0 * (1 - 0.01 * 150 / 230), abs=1e-3), "its droop of 1 %"


def test_a_forming_converter_takes_its_frequency_and_the_grids_own_voltage_is_seen_across_the_breaker():
    plant = running(load=50.0, forming=True)
    registers = map_pcs(plant, Written())
    plant.grid.voltage_set = 240.0
    write_span(registers, COIL, 2, [0])
    write_span(registers, HOLDING, 103, [5020])
    drive(plant, 1.0, close=True)
    droop = 0.01 * 50.0 * 50.0 / plant.pcs.settings.p_rated_kw  # 1 % of 50 Hz at rated power, whatever the set frequency
    assert plant.grid.frequency_hz == pytest.approx(50.2 - droop, abs=1e-6)
    assert read_span(registers, INPUT, 8, 1) == [2309] and read_span(registers, INPUT, 16, 1) == [2400]
    plant.grid.lost = True
    drive(plant, 0.1, close=True)
    assert read_span(registers, INPUT, 16, 1) == [0]
