"""The climate of a container: coolant loop with pump and exchanger, chiller, fans, heater, and the air with its dew point.

It must not know cells beyond the heat that they give off. One zone is one loop and one room with some racks in it; all its ratings
are those of a rack times their number. Without a liquid rating the racks stand in air that keeps its temperature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.simulation.settings import ClimateSettings, PlantSettings

WATER_GLYCOL_J_PER_L_K = 3700.0  # half water, half glycol at 25 °C: 1.06 kg/l x 3.5 kJ/(kg K)
TURBULENT = 0.8  # Dittus-Boelter: heat transfer grows with the flow to the power 0.8 (Incropera, Fundamentals of Heat Transfer)
STILL = 0.05  # what a standing coolant still carries off, as a part of full flow
MAGNUS = (17.625, 243.04)  # Alduchov and Eskridge, J. Applied Meteorology 35 (1996) 601, over water


@dataclass(slots=True)
class Climate:
    """The state of one zone. Commands are 0..1, or None while the unit's own thermostat decides; then what runs, then temperatures.

    `pump_failed` and the like are faults. `leak_l` is coolant that is gone.
    """

    settings: ClimateSettings
    racks: int
    coolant_c: float
    air_c: float
    outside_c: float
    humidity: float
    pump_cmd: float | None = None
    fan_cmd: float | None = None
    heater_cmd: float | None = None
    chiller_cmd: float | None = None
    pump: float = 0.0
    fan: float = 0.0
    heater: float = 0.0
    chiller: float = 0.0
    pump_failed: bool = False
    fan_failed: bool = False
    chiller_failed: bool = False
    leak_l: float = 0.0
    comms_timeout_s: float = 5.0
    commanded_s: float | None = None  # how old the last command from the bus is; None while there is none
    taken_kwh: float = 0.0  # heat taken from the cells
    drawn_kwh: float = 0.0  # electricity of pump, fans, chiller, heater

    @property
    def flow_l_per_s(self) -> float:
        """Coolant through all racks of the zone; none without coolant."""
        wet = self.leak_l < 0.5 * self.settings.coolant_l_rack * self.racks
        return self.pump * self.settings.flow_l_per_s_rack * self.racks * wet

    @property
    def pressure_bar(self) -> float:
        """Pressure behind the pump: 1 bar at rest and, by the square of the flow, 1.5 bar more at full flow."""
        part = self.flow_l_per_s / (self.settings.flow_l_per_s_rack * self.racks)
        return 1.0 * (self.leak_l == 0.0) + 1.5 * part * part

    @property
    def dew_point_c(self) -> float:
        """Where water falls out of the container's air, which holds as much water as the air outside (Magnus)."""
        a, b = MAGNUS
        pressure = math.log(max(self.humidity, 1e-3)) + a * self.outside_c / (b + self.outside_c)
        return b * pressure / (a - pressure)

    @property
    def condenses(self) -> bool:
        """Whether cold plates get wet: the coolant is below the dew point."""
        return bool(self.settings.liquid_w_per_k) and self.coolant_c < self.dew_point_c


def build_climates(plant: PlantSettings) -> list[Climate]:
    """Each zone at rest, coolant and air at the temperature of the racks."""
    settings, start = plant.climate, plant.rack.ambient_c
    outside = settings.outside_c if settings.liquid_w_per_k else start
    racks = plant.racks // settings.zones
    return [Climate(settings, racks, start, start, outside, settings.humidity) for _ in range(settings.zones)]


def command(climate: Climate, drive: str, part: float) -> None:
    """A command from the bus for one of pump, fan, heater, chiller: this part of full speed or power."""
    setattr(climate, f"{drive}_cmd", part)
    climate.commanded_s = 0.0


def listen(climate: Climate, heard_s: float) -> None:
    """Commands from the bus grow old; past the time-out the zone's own thermostat takes all of them back."""
    if climate.commanded_s is None:
        return
    climate.commanded_s += heard_s
    if climate.commanded_s > climate.comms_timeout_s:
        climate.pump_cmd = climate.fan_cmd = climate.heater_cmd = climate.chiller_cmd = climate.commanded_s = None


def sink_of(climate: Climate, air_w_per_k: float) -> tuple[float, float]:
    """What cools a cell: a temperature in °C, and how much better than still air, which takes `air_w_per_k` from it."""
    rated = climate.settings.liquid_w_per_k
    if not rated:
        return climate.air_c, 1.0
    part = climate.flow_l_per_s / (climate.settings.flow_l_per_s_rack * climate.racks)
    liquid = rated * max(part**TURBULENT, STILL)
    return (liquid * climate.coolant_c + air_w_per_k * climate.air_c) / (liquid + air_w_per_k), 1.0 + liquid / air_w_per_k


def condition(climate: Climate, cells_w: float, air_w_per_k: float, hottest_c: float, coldest_c: float, dt_s: float) -> None:
    """One step of the zone. `cells_w` is the heat that its cells have just given off, each `air_w_per_k` to still air.

    The exchanger's effectiveness is 1 - exp(-UA / (m cp)) against plenty of outside air (Incropera, ch. 11). Each body follows the
    exact exponential of its own balance, so no step is too long.
    """
    settings = climate.settings
    if not settings.liquid_w_per_k:
        return
    _decide(climate, hottest_c, coldest_c)
    part = climate.flow_l_per_s / (settings.flow_l_per_s_rack * climate.racks)
    liquid = settings.liquid_w_per_k * max(part**TURBULENT, STILL)
    to_coolant = cells_w * liquid / (liquid + air_w_per_k)
    stream = climate.flow_l_per_s * WATER_GLYCOL_J_PER_L_K
    exchanger = settings.exchanger_w_per_k_rack * climate.racks * climate.fan**TURBULENT
    rejected = stream * -math.expm1(-exchanger / stream) if stream > 0 else 0.0
    chilled = climate.chiller * settings.chiller_kw_rack * climate.racks * 1000 * (stream > 0)
    heated = climate.heater * settings.heater_kw_rack * climate.racks * 1000
    capacity = settings.coolant_l_rack * climate.racks * WATER_GLYCOL_J_PER_L_K
    climate.coolant_c = _settle(climate.coolant_c, climate.outside_c, rejected, to_coolant + heated - chilled, capacity, dt_s)
    walls = settings.wall_w_per_k_rack * climate.racks
    warmth = settings.air_kj_per_k_rack * climate.racks * 1000
    climate.air_c = _settle(climate.air_c, climate.outside_c, walls, cells_w - to_coolant, warmth, dt_s)
    climate.taken_kwh += cells_w * dt_s / 3.6e6
    climate.drawn_kwh += draws_kw(climate) * dt_s / 3600


def draws_kw(climate: Climate) -> float:
    """What the zone's pump and fans (by the cube of their speed), chiller (3 kW of cold a kW) and heater draw now, in kW."""
    settings = climate.settings
    rack = climate.pump**3 * settings.pump_kw_rack + climate.fan**3 * settings.fan_kw_rack
    return (rack + climate.chiller * settings.chiller_kw_rack / 3.0 + climate.heater * settings.heater_kw_rack) * climate.racks


def _settle(celsius: float, toward_c: float, w_per_k: float, watts: float, j_per_k: float, dt_s: float) -> float:
    """C dT/dt = P - G (T - T0), exactly."""
    if w_per_k <= 0.0:
        return celsius + watts * dt_s / j_per_k
    settled = toward_c + watts / w_per_k
    return settled + (celsius - settled) * math.exp(-dt_s * w_per_k / j_per_k)


def _decide(climate: Climate, hottest_c: float, coldest_c: float) -> None:
    """Commands where there are some, else the unit's own thermostat; what has failed does not run."""
    settings = climate.settings
    cool = min(max((hottest_c - settings.cool_above_c) / 10.0, 0.0), 1.0)
    warm = min(max((settings.heat_below_c - coldest_c) / 5.0, 0.0), 1.0)
    flow = max(cool, warm) and max(cool, warm, 0.2)

    def chosen(command: float | None, own: float, failed: bool = False) -> float:
        return 0.0 if failed else min(max(own if command is None else command, 0.0), 1.0)

    climate.pump = chosen(climate.pump_cmd, flow, climate.pump_failed)
    climate.fan = chosen(climate.fan_cmd, cool if climate.coolant_c > climate.outside_c else 0.0, climate.fan_failed)
    climate.heater = chosen(climate.heater_cmd, warm)
    too_cold = climate.coolant_c < climate.dew_point_c + 2.0  # its own guard against wet plates
    own = 0.0 if too_cold else max(2.0 * cool - 1.0, 0.0)
    climate.chiller = chosen(climate.chiller_cmd, own, climate.chiller_failed)
