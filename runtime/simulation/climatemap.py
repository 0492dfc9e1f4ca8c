"""The register map of a zone's climate controller: pump, fans, heater and chiller by command or by its own thermostat.

It must not know sockets. A command from the bus counts until it is older than the time-out; then the thermostat decides.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.simulation.climate import Climate, command, draws_kw
from runtime.simulation.plant import Plant
from runtime.simulation.registers import DISCRETE, HOLDING, INPUT, Cell, Registers
from runtime.simulation.written import Written, note_write

DRIVES = ("pump", "fan", "heater", "chiller")


def map_climate(plant: Plant, written: Written, zone: int = 0) -> Registers:
    """One zone, counted from 0: commands in holding registers (per mille), what runs and what is measured in input registers."""
    climate = plant.climates[zone]
    device = f"climate{zone + 1}" if zone else "climate"

    def drive(address: int, name: str) -> Cell:
        return Cell(name, HOLDING, address, _commanded(climate, name), _commanding(climate, name), scale=0.001, high=1.0)

    def note(name: str, value: float | bool) -> None:
        note_write(written, device, name, value)

    return Registers(
        (
            *(drive(address, name) for address, name in enumerate(DRIVES)),
            Cell("comms_timeout", HOLDING, 10, lambda: climate.comms_timeout_s, scale=0.001),
            Cell("automatic", DISCRETE, 0, lambda: climate.commanded_s is None),
            Cell("condenses", DISCRETE, 1, lambda: climate.condenses),
            Cell("t_coolant", INPUT, 0, lambda: climate.coolant_c, form="int16", scale=0.1),
            Cell("t_air", INPUT, 1, lambda: climate.air_c, form="int16", scale=0.1),
            Cell("t_outside", INPUT, 2, lambda: climate.outside_c, form="int16", scale=0.1),
            Cell("humidity", INPUT, 3, lambda: climate.humidity, scale=0.001),
            Cell("dew_point", INPUT, 4, lambda: climate.dew_point_c, form="int16", scale=0.1),
            Cell("flow", INPUT, 5, lambda: climate.flow_l_per_s, scale=0.01),
            Cell("pressure", INPUT, 6, lambda: climate.pressure_bar, scale=0.01),
            *(Cell(f"{name}_fb", INPUT, 7 + at, _running(climate, name), scale=0.001) for at, name in enumerate(DRIVES)),
            Cell("power", INPUT, 11, lambda: draws_kw(climate), scale=0.01),
        ),
        note,
    )


def _commanded(climate: Climate, name: str) -> Callable[[], float]:
    return lambda: getattr(climate, f"{name}_cmd") or 0.0


def _commanding(climate: Climate, name: str) -> Callable[[float], None]:
    return lambda value: command(climate, name, value)


def _running(climate: Climate, name: str) -> Callable[[], float]:
    return lambda: float(getattr(climate, name))
