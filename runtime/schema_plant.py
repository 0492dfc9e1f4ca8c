"""The JSON Schema of `config/plant.yaml`: the settings of the simulated plant, their defaults, and a sentence for each.

Names, kinds and defaults come from the plant's own settings. It must not know how the plant moves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_type_hints

from runtime.schema_values import Shape, described, section
from runtime.simulation.settings import PlantSettings

KINDS: Mapping[type, Shape] = {int: {"type": "integer"}, float: {"type": "number"}, str: {"type": ["string", "number"]}}
CELL: Mapping[str, str] = {
    "capacity_ah": "Capacity of a cell, in Ah.",
    "r0_ohm": "Resistance that answers a current at once, at 25 °C.",
    "r1_ohm": "Resistance of the slow part, which the voltage takes `tau_s` to follow.",
    "tau_s": "Time constant of the slow part, in s.",
    "resistance_per_k": "Part by which the resistances fall for each kelvin above 25 °C.",
    "heat_capacity_j_per_k": "How much heat warms a cell by a kelvin, in J.",
    "cooling_w_per_k": "Heat that a cell gives to the air for each kelvin of difference, in W.",
    "bleed_ohm": "The balancing resistor of a cell.",
    "capacity_spread": "How much the cells' capacities differ: standard deviation as a part of the mean.",
    "resistance_spread": "How much their resistances differ, in the same way.",
    "soc_spread": "How much their states of charge differ at the start: 0.005 is half a percent.",
    "cooling_spread": "How much their cooling differs: standard deviation as a part of the mean.",
    "temperature_spread_k": "How much their temperatures differ at the start, in K.",
    "hysteresis_v": "Half the gap between rest voltages after charge and after discharge, in V; 0.01 is that of LFP.",
    "hysteresis_rate": "How soon it turns when the current does: e-fold in 1/rate of the capacity.",
    "self_discharge_per_month": "Part of the capacity that a cell loses at rest in a month.",
    "conduction_w_per_k": "Heat that passes between neighbours in a module for each kelvin of difference, in W.",
    "onset_c": "Where a cell begins to heat itself (0.02 K/min), in °C.",
    "runaway_c": "Where it runs away (1 K/s), in °C.",
    "runaway_heat_j": "Heat that a burning cell gives off in all, in J.",
}
RACK: Mapping[str, str] = {
    "wake_s": "How long its battery management takes to speak again after its supply is back.",
    "modules": "Modules in series; the CAN matrix has 16.",
    "cells_per_module": "Cells of a module, in series.",
    "cell": "One cell, and how much the cells of the rack differ.",
    "soc": "State of charge at the start, 0 to 1.",
    "soh": "State of health, 0 to 1: the part of its capacity that is left.",
    "ambient_c": "Temperature of the air, in °C.",
    "wiring_ohm": "Resistance of bars and cables.",
    "precharge_ohm": "The precharge resistor.",
    "main_pull_in_s": "How long the main contactor takes to close.",
    "main_drop_out_s": "How long it takes to open.",
    "precharge_pull_in_s": "How long the precharge contactor takes to close.",
    "precharge_drop_out_s": "How long it takes to open.",
    "weld_above_v": "The main contactor welds where it closes onto a greater difference than this.",
    "under_load_a": "Opening at a greater current than this is counted as opening under load.",
    "p_rated_kw": "Rated power of the rack.",
    "comms_timeout_s": "The rack opens by itself where no command has come for so long.",
    "over_voltage_v": "The rack opens by itself where a cell is above this.",
    "over_voltage_s": "... for so long.",
    "under_voltage_v": "The rack opens by itself where a cell is below this.",
    "under_voltage_s": "... for so long.",
    "over_temperature_c": "The rack opens by itself where a cell is warmer than this.",
    "under_temperature_c": "The rack opens by itself where a cell is colder than this.",
    "temperature_s": "... for so long, of both temperatures.",
    "over_current_a": "The rack opens by itself at a greater current than this.",
    "over_current_s": "... for so long.",
    "contactor_s": "A contactor that does not follow its command for so long is a fault.",
    "sensor_s": "A sensor that is cut, or an earth fault, for so long is a fault.",
    "open_delay_s": "How long the rack warns before a fault of its own opens the contactors.",
    "limit_rise_per_s": "How fast its power limits rise again: the part of the rated power in a second.",
    "voltage_noise_v": "Noise of a measured cell voltage: standard deviation.",
    "current_noise_a": "Noise of the measured current.",
    "current_offset_a": "How much the measured current is off, always.",
    "temperature_noise_k": "Noise of a measured cell temperature.",
    "fuse_a": "Rated current of the rack's fuse.",
    "fuse_melting_a2s": "Its melting I²t, in A²s.",
}
PCS: Mapping[str, str] = {
    "power_step_kw": "What one count of its power registers means.",
    "p_rated_kw": "Rated power of the converter.",
    "i_max_a": "Its greatest current on the battery's side.",
    "ramp_kw_per_s": "How fast its power follows the command.",
    "start_s": "How long it takes from enable to running.",
    "link_farad": "Capacity of the DC link, which the precharge has to fill.",
    "link_bleed_ohm": "Resistance that empties the link again.",
    "v_min": "The least voltage of the link at which it runs, in V.",
    "v_max": "The greatest, in V.",
    "loss_fixed_kw": "Losses that are always there while it runs.",
    "loss_per_kw": "Losses that grow with the power.",
    "loss_per_kw2": "Losses that grow with the square of the power.",
    "heat_capacity_j_per_k": "How much heat warms the heat sink by a kelvin, in J.",
    "cooling_w_per_k": "Heat that it gives to the air for each kelvin of difference, in W.",
    "over_temperature_c": "It faults where the heat sink is warmer than this.",
    "comms_timeout_s": "It goes to 0 kW and faults where the heartbeat has not moved for so long.",
    "dead_time_s": "How long a command travels before it counts.",
    "response_s": "Time constant with which the power follows the command; 0 for the ramp alone.",
    "s_rated_kva": "Rated apparent power; 0 for 1.1 times the rated power.",
    "derate_from_c": "The rating falls from here to zero at the temperature of the fault.",
    "v_derate": "The DC current limit rises from zero at `v_min` to its full value here, in V; 0 for no such band.",
    "droop_forming": "How far its frequency falls at rated power while it forms the grid: a part of nominal.",
    "grid_lost_s": "How long it runs on without a grid.",
}
GRID: Mapping[str, str] = {
    "unbalance": "By which part phase L1 is above the mean, and L3 below it.",
    "nominal_hz": "Nominal frequency.",
    "frequency_sigma_hz": "How much the frequency wanders: standard deviation.",
    "frequency_tau_s": "How slowly it wanders: time constant.",
    "event_every_s": "Mean time between disturbances of the frequency; 0 for none.",
    "event_sigma_hz": "How far a disturbance throws it: standard deviation.",
    "event_tau_s": "How slowly it comes back: time constant.",
    "nominal_v": "Nominal voltage, line to neutral.",
    "voltage_sigma_v": "How much the voltage wanders: standard deviation.",
    "voltage_tau_s": "How slowly it wanders: time constant.",
    "start_hour": "The hour of the day at the start, which load and sun follow.",
    "load_base_kw": "Mean load of the site.",
    "load_swing_kw": "How much the load moves over the day.",
    "pv_peak_kw": "Power of the photovoltaics at noon.",
    "load_step_kw": "A large load that comes and goes at random.",
    "load_step_every_s": "Mean time between its coming and going.",
    "cloud_depth": "Part of the photovoltaics that a cloud takes; 0 for a clear sky.",
    "cloud_every_s": "Mean time between clouds.",
    "cloud_s": "Mean time that a cloud stays.",
    "cloud_edge_s": "How soon the power follows the edge of a cloud: time constant.",
    "system_mva": "Rating of the power system that the site can move; 0 for one that it cannot.",
    "inertia_s": "Its inertia constant H: energy of all turning masses over the rating.",
    "load_damping": "How much its load falls with the frequency, per unit.",
    "governor_droop": "Droop of its governors, per unit; 0 for none.",
    "governor_s": "Time constant of its governors.",
    "governor_reserve": "The most that its governors add, per unit of the rating.",
    "sites_alike": "How many sites answer as this one does.",
    "short_circuit_mva": "Short-circuit power at the point of connection; 0 where the voltage does not care.",
    "x_over_r": "Reactance over resistance of the grid there.",
}
CLIMATE: Mapping[str, str] = {
    "zones": "Rooms with a coolant loop of their own; they share the racks evenly.",
    "liquid_w_per_k": "Heat from a cell to its cold plate at full flow for each kelvin, in W; 0 for racks that stand in air.",
    "flow_l_per_s_rack": "Full flow of coolant through a rack.",
    "coolant_l_rack": "Coolant of a rack.",
    "exchanger_w_per_k_rack": "Heat exchanger to the air outside, fans at full speed, for each rack.",
    "chiller_kw_rack": "Cold that the chiller makes for each rack.",
    "pump_kw_rack": "What the pump draws at full speed for each rack.",
    "fan_kw_rack": "What the fans draw at full speed for each rack.",
    "heater_kw_rack": "Heater in the coolant, for each rack.",
    "air_kj_per_k_rack": "How much heat warms the air and the cabinet of a rack by a kelvin.",
    "wall_w_per_k_rack": "Heat through the walls for each kelvin, for each rack.",
    "outside_c": "Temperature outside.",
    "humidity": "Relative humidity outside, 0 to 1.",
    "cool_above_c": "The unit's own thermostat cools where the hottest cell is warmer than this.",
    "heat_below_c": "... and heats where the coldest is colder than this.",
}
SPREAD: Mapping[str, str] = {
    "capacity": "How much the racks' capacities differ: standard deviation as a part of the mean.",
    "soc": "How much their states of charge differ at the start: 0.05 is five percent.",
    "resistance": "How much their resistances differ, as a part of the mean.",
}
PANEL: Mapping[str, str] = {
    "comms_timeout_s": "The module's outputs fall off where nobody writes for so long.",
    "estop_opens_after_s": "How long after the E-stop the safety relay opens the contactors: stop category 1 of IEC 60204-1.",
}
CAN: Mapping[str, str] = {
    "interface": "The python-can interface; `slcan` makes a serial pair and links its far end into the run folder.",
    "channel": "The bus: `can0`, `vcan0`, or the name of the link in the run folder.",
    "dbc": "The CAN matrix, relative to the site's folder.",
    "racks_per_channel": "So many racks share a channel, each with 29-bit identifiers of its own.",
    "cell_period_s": "How often every cell's voltage is told.",
}
MODBUS: Mapping[str, str] = {
    "host": "The address at which it listens.",
    "port": "The TCP port; 0 takes a free one.",
    "unit": "Its Modbus unit.",
}
BUSES: Mapping[str, str] = {
    "can": "The rack's CAN bus.",
    "pcs": "The converter on Modbus TCP.",
    "meter": "The grid meter on Modbus TCP.",
    "panel": "The operator's panel on Modbus TCP.",
    "climate": "The controller of coolant loop and air on Modbus TCP, where there is a coolant loop: the first zone.",
}
PLANT: Mapping[str, str] = {
    "seed": "Where the random numbers begin: the same seed gives the same plant.",
    "speed": "How much faster than real time the plant runs.",
    "tick_s": "How often the process moves the plant on, and each rack speaks.",
    "racks": "How many racks there are, all of the same kind.",
    "converters": "How many converters share them evenly; 0 for one a rack, 1 for one DC bus with all racks in parallel.",
    "spread": "How much the racks differ from each other.",
    "rack": "The rack: cells in series, contactors, and the limits of its own battery management.",
    "pcs": "The converter: ratings, DC link, losses, and its own communication time-out.",
    "grid": "The grid at the point of connection: frequency, voltage, load and photovoltaics.",
    "climate": "Coolant loop, exchanger, chiller, fans and heater of the containers.",
    "panel": "The operator's panel and the safety relay behind the E-stop.",
    "buses": "Where the plant's devices are found.",
}
SENTENCES: Mapping[str, Mapping[str, str]] = {
    "PlantSettings": PLANT,
    "RackSettings": RACK,
    "CellSettings": CELL,
    "PcsSettings": PCS,
    "GridSettings": GRID,
    "ClimateSettings": CLIMATE,
    "SpreadSettings": SPREAD,
    "PanelSettings": PANEL,
    "BusSettings": BUSES,
    "CanSettings": CAN,
    "ModbusSettings": MODBUS,
}


def plant() -> Shape:
    """The settings of the simulated plant."""
    return {**_section(PlantSettings()), "type": ["object", "null"]}


def _section(settings: Any) -> Shape:
    """One section with its defaults: those of the section itself, since two buses differ in their port."""
    types = get_type_hints(type(settings))
    sentences = SENTENCES[type(settings).__name__]
    words = {}
    for item in dataclasses.fields(settings):
        default = getattr(settings, item.name)
        if dataclasses.is_dataclass(default):
            words[item.name] = described(_section(default), sentences[item.name])
        else:
            sentence = f"{sentences[item.name]} Default {default:g}." if types[item.name] is not str else sentences[item.name]
            words[item.name] = described({**KINDS[types[item.name]], "default": default}, sentence)
    return section(words)
