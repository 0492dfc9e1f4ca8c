"""The battery management: it trips, it watches its master, and it lets go by itself."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.simulation.bms import Fault, State, take_command
from tests.aids.plant import drive, even_plant, switch_on


def step(plant, seconds):
    """Time passes and nobody speaks to the rack."""
    for _ in range(round(seconds / 0.01)):
        plant.step(0.01)


def test_states_follow_the_contactors():
    plant = even_plant()
    drive(plant, 0.1)
    assert plant.rack.bms.state is State.STANDBY
    drive(plant, 1.5, precharge=True)
    assert plant.rack.bms.state is State.PRECHARGE
    drive(plant, 0.2, precharge=True, close=True)
    assert plant.rack.bms.state is State.CLOSED
    assert plant.rack.bms.ok


def test_without_frames_a_closed_rack_opens_after_half_a_second():
    plant = even_plant()
    switch_on(plant)
    step(plant, 0.48)
    assert plant.rack.circuit.main.closed
    step(plant, 0.08)
    assert not plant.rack.circuit.main.closed
    assert plant.rack.bms.fault is Fault.COMM_TIMEOUT
    assert not plant.rack.bms.ok


def test_a_stuck_alive_counter_is_a_dead_master():
    plant = even_plant()
    switch_on(plant)
    for _ in range(60):
        take_command(plant.rack.bms, True, False, False, False, plant.rack.bms.commands.alive)
        plant.step(0.01)
    assert plant.rack.bms.fault is Fault.COMM_TIMEOUT
    assert plant.rack.bms.ignored_alive == 60


def test_a_stuck_counter_may_still_open():
    plant = even_plant()
    switch_on(plant)
    take_command(plant.rack.bms, False, False, False, False, plant.rack.bms.commands.alive)
    step(plant, 0.05)
    assert not plant.rack.circuit.main.closed


def test_the_computer_being_late_is_not_the_master_being_silent():
    plant = even_plant()
    switch_on(plant)
    for _ in range(5):
        plant.step(0.8, listening_s=0.02)
    assert plant.rack.circuit.main.closed
    assert plant.rack.bms.ok


def test_an_open_rack_does_not_complain_about_silence():
    plant = even_plant()
    step(plant, 5.0)
    assert plant.rack.bms.ok


def test_after_a_time_out_the_request_must_be_withdrawn_before_it_counts_again():
    plant = even_plant()
    switch_on(plant)
    step(plant, 0.6)
    drive(plant, 1.0, precharge=True, close=True)
    assert not plant.rack.circuit.main.closed, "the old request must not close it again"
    drive(plant, 0.1)
    assert plant.rack.bms.ok
    switch_on(plant)
    assert plant.rack.circuit.main.closed


def _over_voltage(plant):
    plant.rack.cells.soc[7] = 1.02


def _under_voltage(plant):
    plant.rack.cells.soc[7] = -0.01


def _hot(plant):
    plant.rack.cells.held_c[7] = 56.0


def _cold(plant):
    plant.rack.cells.held_c[7] = -21.0


def _earth(plant):
    plant.rack.earth_fault_kohm = 20.0


@pytest.mark.parametrize(
    ("cause", "fault", "not_before_s", "opens_within_s"),
    [
        (_over_voltage, Fault.OVER_VOLTAGE, 0.6, 3.2),
        (_under_voltage, Fault.UNDER_VOLTAGE, 0.6, 3.2),
        (_hot, Fault.OVER_TEMPERATURE, 0.9, 3.5),
        (_cold, Fault.UNDER_TEMPERATURE, 0.9, 3.5),
        (_earth, Fault.EARTH_FAULT, 0.9, 3.5),
    ],
)
def test_a_trip_warns_first_and_opens_later(cause, fault, not_before_s, opens_within_s):
    plant = even_plant()
    switch_on(plant)
    cause(plant)
    drive(plant, not_before_s, close=True)
    assert plant.rack.bms.ok
    drive(plant, 0.5, close=True)
    assert plant.rack.bms.fault is fault
    assert not plant.rack.bms.ok
    assert plant.rack.circuit.main.closed, "the controller has time to bring the power down"
    assert plant.rack.bms.charge_max_kw == plant.rack.bms.discharge_max_kw == 0.0
    drive(plant, opens_within_s, close=True)
    assert not plant.rack.circuit.main.closed


def test_over_current_opens_at_once():
    plant = even_plant(over_current_a=200.0)
    switch_on(plant)
    plant.pcs.enable, plant.pcs.p_cmd_kw = True, 230.0
    drive(plant, 2.0, close=True)
    assert plant.rack.bms.fault is Fault.OVER_CURRENT
    assert not plant.rack.circuit.main.closed


def test_an_internal_fault_opens_at_once_and_a_reset_with_the_cause_gone_forgets_it():
    plant = even_plant()
    switch_on(plant)
    plant.rack.bms.internal_fault = True
    drive(plant, 0.1, close=True)
    assert not plant.rack.circuit.main.closed
    take_command(plant.rack.bms, False, False, False, True, 1)
    drive(plant, 0.1)
    assert plant.rack.bms.fault is Fault.INTERNAL, "a cause that is still there comes back"
    plant.rack.bms.internal_fault = False
    drive(plant, 0.1)
    assert not plant.rack.bms.ok, "a fault is remembered until somebody resets it"
    take_command(plant.rack.bms, False, False, False, True, 1)
    drive(plant, 0.1)
    assert plant.rack.bms.ok


def test_a_welded_contactor_is_seen_by_its_feedback():
    plant = even_plant()
    switch_on(plant)
    plant.rack.circuit.main.welded = True
    drive(plant, 0.5)
    assert plant.rack.circuit.main.closed
    assert plant.rack.bms.fault is Fault.CONTACTOR_WELDED


def test_a_contactor_that_stays_open_is_seen_by_its_feedback():
    plant = even_plant()
    plant.rack.circuit.main.wont_close = True
    drive(plant, 0.1)
    drive(plant, 1.5, precharge=True)
    drive(plant, 0.5, precharge=True, close=True)
    assert plant.rack.bms.fault is Fault.CONTACTOR_OPEN


def test_a_cut_sensor_wire_is_a_warning_and_leaves_the_extremes_to_the_others():
    plant = even_plant()
    plant.rack.open_sensors[9] = True
    drive(plant, 1.5)
    assert np.isnan(plant.rack.bms.measured.cell_v[9])
    assert plant.rack.bms.measured.v_min == pytest.approx(3.292, abs=0.001)
    assert plant.rack.bms.fault is Fault.SENSOR
    assert plant.rack.bms.ok


def test_a_warning_does_not_hide_a_trip():
    plant = even_plant()
    switch_on(plant)
    plant.rack.open_sensors[9] = True
    drive(plant, 1.5, close=True)
    _hot(plant)
    drive(plant, 1.5, close=True)
    assert plant.rack.bms.fault is Fault.OVER_TEMPERATURE


def test_balancing_needs_the_mask_the_enable_and_a_living_master():
    plant = even_plant()
    plant.rack.bms.balance_mask[:4] = True
    drive(plant, 0.1)
    assert plant.rack.cells.bleeding.sum() == 0
    drive(plant, 0.1, balance=True)
    assert plant.rack.cells.bleeding.nonzero()[0].tolist() == [0, 1, 2, 3]
    step(plant, 6.0)
    assert plant.rack.cells.bleeding.sum() == 0


@pytest.mark.parametrize(
    ("soc", "charge", "discharge"),
    [(0.5, 1.0, 1.0), (0.98, 0.1, 1.0), (1.0, 0.0, 1.0), (0.06, 1.0, 0.55), (0.0, 1.0, 0.0)],
)
def test_limits_follow_the_state_of_charge(soc, charge, discharge):
    plant = even_plant(soc=soc)
    drive(plant, 0.1)
    assert plant.rack.bms.charge_max_kw / 230.0 == pytest.approx(charge, abs=0.01)
    assert plant.rack.bms.discharge_max_kw / 230.0 == pytest.approx(discharge, abs=0.01)


@pytest.mark.parametrize(("celsius", "charge"), [(0.0, 0.0), (5.0, 0.5), (25.0, 1.0), (45.0, 0.5), (50.0, 0.25)])
def test_limits_follow_the_worst_temperature(celsius, charge):
    plant = even_plant(ambient_c=celsius)
    drive(plant, 0.1)
    assert plant.rack.bms.charge_max_kw / 230.0 == pytest.approx(charge, abs=0.01)


def test_a_limit_falls_at_once_and_rises_slowly():
    plant = even_plant()
    drive(plant, 0.1)
    plant.rack.cells.held_c[:] = 50.0
    drive(plant, 0.2)
    assert plant.rack.bms.charge_max_kw == pytest.approx(57.5)
    plant.rack.cells.held_c[:] = 25.0
    drive(plant, 1.2)
    assert plant.rack.bms.charge_max_kw < 57.5 + 1.3 * 23.0
    drive(plant, 10.0)
    assert plant.rack.bms.charge_max_kw == pytest.approx(230.0)
