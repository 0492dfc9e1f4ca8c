"""The state of charge that CELL_EKF finds for 2 x 256 cells over a day, against what the simulated cells truly hold.

Two days of 24 h, one sample a second: photovoltaics and load behind the meter (from full to empty and back, with hours of rest at
either end), and frequency reserve (small cycles on the flat part of the curve, where a voltage tells least). The cells have a
hysteresis of 10 mV, differ from each other, warm up, and are seen through the sensors and the steps of the CAN frames. The filter
gets what an engineer has: the data sheet's curve, hysteresis, capacity and resistances, also 10 % wrong, and the state of charge
that the battery management tells at the start, also 10 % wrong.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from blocks import catalogue
from runtime.simulation.cells import rest_voltage
from runtime.simulation.rack import Racks, age, build_racks, look, measure
from runtime.simulation.settings import CellSettings, RackSettings
from tests.aids.scan_table import SIGNATURE, Twin
from tests.bench.measure import Result

SECONDS = 86_400
CAPACITY = 50.0  # Ah
P_RATED = 40.0  # kW a rack
SCALE = 280.0 / CAPACITY  # resistances of the 280 Ah cell, for one of this size
BAR = 1.0  # %, root mean square over all cells and the whole day

SHEET: dict[str, Any] = {
    "OCV": rest_voltage(np.linspace(0.0, 1.0, 21)).tolist(),
    "ENDS": rest_voltage(np.array([1, 2, 3, 4, 96, 97, 98, 99]) / 100.0).tolist(),
    "CAPACITY": CAPACITY,
    "R0": 0.0002 * SCALE,
    "R1": 0.00012 * SCALE,
    "TAU": 60.0,
    "M": 0.010,
    "GAMMA": 40.0,
    "COLD": 1240.0,  # 1.5 % a kelvin
    "SOC0": 50.0,
    "SIGMA0": 5.0,  # as programs/cell_bank.yaml gives it
}
WRONG = {"CAPACITY": 0.9 * CAPACITY, "R0": 1.1 * SHEET["R0"], "R1": 1.1 * SHEET["R1"]}


def run() -> list[Result]:
    results = []
    for name, wanted_kw in (("photovoltaics and load", behind_the_meter()), ("frequency reserve", reserve())):
        volts, celsius, amps, truth = day(wanted_kw)
        right = estimate(volts, celsius, amps, SHEET) - truth
        wrong = estimate(volts, celsius, amps, {**SHEET, **WRONG}) - truth
        start = estimate(volts, celsius, amps, {**SHEET, "SOC0": 60.0, "SIGMA0": 20.0}) - truth
        about = f"EKF, 512 cells, a day of {name}"
        results += [
            Result(f"{about}: RMSE", rms(right), "%", BAR),
            Result(f"{about}: RMSE, capacity 10 % low and resistance 10 % high", rms(wrong), "%", BAR),
            Result(f"{about}: RMSE from hour 6 on after a start 10 % wrong", rms(start[6 * 3600 :]), "%", BAR),
            Result(f"{about}: RMSE of the worst cell", float(np.sqrt((right**2).mean(axis=0)).max()), "%"),
        ]
    return results


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.square(error).mean()))


def behind_the_meter() -> np.ndarray:
    """Two racks of 40 kW carry what load (20 to 70 kW, steps each minute) and sun (60 kW) leave, from 10 o'clock on; kW a rack."""
    hour = (np.arange(SECONDS) / 3600 + 10) % 24
    load = 45 + 25 * np.cos((hour - 19) / 24 * 2 * np.pi)
    sun = 60 * np.sin((hour - 6) / 12 * np.pi).clip(0) * ((hour > 6) & (hour < 18))
    steps = np.repeat(np.random.default_rng(1).standard_normal(SECONDS // 60) * 6, 60)
    return (load - sun + steps) / 2


def reserve() -> np.ndarray:
    """FCR-N of 16 kW a rack on a frequency that wanders by 25 mHz with a time constant of two minutes; kW a rack."""
    noise = np.random.default_rng(1).standard_normal(SECONDS) * np.sqrt(2 / 120) * 0.025
    off, course = 0.0, np.empty(SECONDS)
    for second in range(SECONDS):
        off += noise[second] - off / 120
        course[second] = off
    return np.clip(-course / 0.1, -1, 1) * 16


def day(wanted_kw: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Voltages, temperatures and currents as the CAN frames carry them, and the true states of charge in %, a row a second."""
    cell = CellSettings(
        capacity_ah=CAPACITY,
        r0_ohm=SHEET["R0"],
        r1_ohm=SHEET["R1"],
        hysteresis_v=0.010,
        self_discharge_per_month=0.02,
        conduction_w_per_k=2.0,
        heat_capacity_j_per_k=5400.0 / SCALE,
        cooling_w_per_k=1.5,
    )
    settings = RackSettings(cell=cell, p_rated_kw=P_RATED)
    racks = build_racks(settings, [settings, settings], [np.random.default_rng(seed) for seed in (1, 2)])
    cells = 2 * settings.cells
    volts, celsius, truth = (np.empty((SECONDS, cells), dtype=np.float32) for _ in range(3))
    amps = np.empty((SECONDS, 2))
    for second in range(SECONDS):
        drive(racks, wanted_kw[second])
        age(racks, 1.0, 22.0, 3.0)
        measure(racks)
        volts[second] = np.round(racks.sensors.cell_v.reshape(-1) / 0.0002) * 0.0002
        celsius[second] = np.round(racks.sensors.cell_t.reshape(-1) / 0.01) * 0.01
        truth[second] = racks.cells.soc.reshape(-1).clip(0, 1) * 100
        amps[second] = [sensor(rack.bms.measured.current_a, settings) for rack in racks.racks]
    return volts, celsius, amps, truth


def drive(racks: Racks, wanted_kw: float) -> None:
    """The current of each rack for the power that its battery management allows of what is wanted."""
    look(racks)
    for rack, (volts, ohms) in zip(racks.racks, racks.behind, strict=True):
        bms, circuit = rack.bms, rack.circuit
        watts = 1000 * min(max(wanted_kw, -P_RATED * bms.charge_part), P_RATED * bms.discharge_part)
        circuit.current_a = circuit.mean_a = watts / (volts - watts / volts * ohms)


def sensor(amps: float, settings: RackSettings) -> float:
    """The frame's steps of 20 mA, and the sensor's offset, which is zeroed at rest."""
    return round(amps / 0.02) * 0.02 + (settings.current_offset_a if abs(amps) > 1.0 else 0.0)


def estimate(volts: np.ndarray, celsius: np.ndarray, amps: np.ndarray, given: dict[str, Any]) -> np.ndarray:
    """The compiled filter over the day, an instance a cell; SOC in %, a row a second."""
    block = catalogue()["CELL_EKF"]
    twin, cells = Twin(block), volts.shape[1]
    columns = {}
    for pin in block.pins:
        values = np.array(given.get(pin.name, twin.get(pin.name)), dtype=twin.columns[pin.name].dtype).reshape(-1)
        columns[pin.name] = np.tile(values, cells)
    addresses = (ctypes.c_void_p * len(columns))(*[column.ctypes.data for column in columns.values()])
    call = SIGNATURE(twin.kernel.address)
    found = np.empty(volts.shape, dtype=np.float32)
    for second in range(len(volts)):
        columns["V"][:], columns["T"][:] = volts[second], celsius[second]
        columns["I"][:] = np.repeat(amps[second], cells // 2)
        call(ctypes.addressof(addresses), cells, 0, 1_000_000_000)
        found[second] = columns["SOC"]
    return found
