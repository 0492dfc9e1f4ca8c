"""What the plant is made of, as numbers with their units in their names, and how `config/plant.yaml` sets them.

It must not know how anything moves or speaks; it reads text and refuses what it does not know, with the place of each mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

import yaml

from runtime.simulation.settings_yaml import fill

MOST_RACKS = 64
ID_STEP = 0x1000  # of CAN identifiers, between two racks on one channel


class SettingsError(Exception):
    """The plant's settings cannot be used; the text lists every mistake with file, line and column."""


ABOVE_ZERO = (
    *(
        f"rack.{name}"
        for name in ("modules", "cells_per_module", "soh", "p_rated_kw", "fuse_a", "fuse_melting_a2s", "precharge_ohm")
    ),
    *(
        f"rack.cell.{name}"
        for name in ("capacity_ah", "r0_ohm", "r1_ohm", "tau_s", "heat_capacity_j_per_k", "cooling_w_per_k", "bleed_ohm")
    ),
    *(
        f"pcs.{name}"
        for name in ("p_rated_kw", "link_farad", "link_bleed_ohm", "heat_capacity_j_per_k", "cooling_w_per_k", "power_step_kw")
    ),
    *(
        f"grid.{name}"
        for name in ("nominal_hz", "nominal_v", "frequency_tau_s", "voltage_tau_s", "event_tau_s", "governor_s", "inertia_s")
    ),
    *(f"climate.{name}" for name in ("flow_l_per_s_rack", "coolant_l_rack", "air_kj_per_k_rack")),
)


@dataclass(frozen=True, slots=True)
class CellSettings:
    """One LFP cell (280 Ah prismatic) and how much the cells of a rack differ. Spreads are standard deviations."""

    capacity_ah: float = 280.0
    r0_ohm: float = 0.00020  # at 25 °C
    r1_ohm: float = 0.00012
    tau_s: float = 60.0
    resistance_per_k: float = 0.015  # part by which the resistance falls a kelvin
    heat_capacity_j_per_k: float = 5400.0
    cooling_w_per_k: float = 1.5
    bleed_ohm: float = 33.0
    capacity_spread: float = 0.01
    resistance_spread: float = 0.05
    soc_spread: float = 0.005
    cooling_spread: float = 0.10
    temperature_spread_k: float = 0.8
    hysteresis_v: float = 0.0  # half the gap between the rest voltages after charge and discharge; 0.010 for LFP
    hysteresis_rate: float = 40.0  # how soon it turns: e-fold in 1/40 of the capacity
    self_discharge_per_month: float = 0.0  # part of the capacity at rest; 0.02 for LFP
    conduction_w_per_k: float = 0.0  # between the faces of neighbours in a module; 2 for a millimetre of insulation
    onset_c: float = 120.0  # T1: heats itself by 0.02 K/min
    runaway_c: float = 220.0  # T2: heats itself by 1 K/s
    runaway_heat_j: float = 1_600_000.0  # 300 K more, once it has begun


@dataclass(frozen=True, slots=True)
class RackSettings:
    """The rack: cells in series, contactors, and the limits of its own battery management."""

    modules: int = 16
    cells_per_module: int = 16
    cell: CellSettings = field(default_factory=CellSettings)
    soc: float = 0.50
    soh: float = 0.985
    ambient_c: float = 22.0
    wiring_ohm: float = 0.004
    precharge_ohm: float = 47.0
    main_pull_in_s: float = 0.05
    main_drop_out_s: float = 0.02
    precharge_pull_in_s: float = 0.02
    precharge_drop_out_s: float = 0.01
    weld_above_v: float = 100.0
    under_load_a: float = 20.0
    p_rated_kw: float = 230.0
    comms_timeout_s: float = 0.5
    over_voltage_v: float = 3.75
    over_voltage_s: float = 0.7
    under_voltage_v: float = 2.50
    under_voltage_s: float = 0.7
    over_temperature_c: float = 55.0
    under_temperature_c: float = -20.0
    temperature_s: float = 1.0
    over_current_a: float = 350.0
    over_current_s: float = 0.2
    contactor_s: float = 0.3
    sensor_s: float = 1.0
    open_delay_s: float = 2.0
    limit_rise_per_s: float = 0.10
    voltage_noise_v: float = 0.0003
    current_noise_a: float = 0.004
    current_offset_a: float = 0.004
    temperature_noise_k: float = 0.02
    fuse_a: float = 400.0
    fuse_melting_a2s: float = 250_000.0
    wake_s: float = 2.0  # from its supply's return until the management speaks

    @property
    def cells(self) -> int:
        return self.modules * self.cells_per_module


@dataclass(frozen=True, slots=True)
class PcsSettings:
    """The power conversion system: ratings, DC link, losses, and its own communication time-out."""

    p_rated_kw: float = 230.0
    i_max_a: float = 320.0
    ramp_kw_per_s: float = 500.0
    start_s: float = 0.5
    link_farad: float = 0.004
    link_bleed_ohm: float = 200_000.0
    v_min: float = 550.0
    v_max: float = 1000.0
    loss_fixed_kw: float = 0.4
    loss_per_kw: float = 0.010
    loss_per_kw2: float = 0.00003
    heat_capacity_j_per_k: float = 60_000.0
    cooling_w_per_k: float = 200.0
    over_temperature_c: float = 90.0
    comms_timeout_s: float = 1.0
    dead_time_s: float = 0.0
    response_s: float = 0.0  # time constant of the answer to a command; 0 means at once, by the ramp alone
    s_rated_kva: float = 0.0  # 0 means 1.1 times the rated power
    derate_from_c: float = 70.0
    v_derate: float = 0.0  # between v_min and this the DC current limit rises from zero; 0 means no such band
    droop_forming: float = 0.01  # how far its frequency falls at rated power while it forms the grid
    power_step_kw: float = 0.1  # what one count of its power registers means
    grid_lost_s: float = 0.16  # how long it goes on without a grid: the fastest trip of IEEE 1547-2018


@dataclass(frozen=True, slots=True)
class GridSettings:
    """The grid at the point of common coupling: frequency and voltage noise, load and photovoltaics over the day."""

    nominal_hz: float = 50.0
    frequency_sigma_hz: float = 0.015
    frequency_tau_s: float = 120.0
    event_every_s: float = 0.0  # mean time between disturbances; 0 means none
    event_sigma_hz: float = 0.15
    event_tau_s: float = 60.0
    nominal_v: float = 230.9  # line to neutral
    voltage_sigma_v: float = 0.8
    voltage_tau_s: float = 30.0
    unbalance: float = 0.0  # part by which L1 is above and L3 below the mean
    start_hour: float = 10.0
    load_base_kw: float = 60.0
    load_swing_kw: float = 40.0
    pv_peak_kw: float = 120.0
    load_step_kw: float = 0.0
    load_step_every_s: float = 300.0
    cloud_depth: float = 0.0  # part of the photovoltaics that a cloud takes
    cloud_every_s: float = 600.0
    cloud_s: float = 90.0
    cloud_edge_s: float = 8.0
    system_mva: float = 0.0  # 0 means a grid that no site moves
    inertia_s: float = 5.2  # H = Ek/Sn
    load_damping: float = 0.5  # pu of load a pu of frequency: Kf f0
    governor_droop: float = 0.10
    governor_s: float = 6.0
    governor_reserve: float = 0.10
    sites_alike: float = 1.0  # how many sites answer as ours does
    short_circuit_mva: float = 0.0  # 0 means that the voltage does not care
    x_over_r: float = 3.0


@dataclass(frozen=True, slots=True)
class ClimateSettings:
    """The climate of the containers: coolant loop, air, heaters. Without `liquid_w_per_k` the racks stand in air of `ambient_c`."""

    zones: int = 1
    liquid_w_per_k: float = 0.0  # from a cell to its cold plate at full flow
    flow_l_per_s_rack: float = 0.25
    coolant_l_rack: float = 12.0
    exchanger_w_per_k_rack: float = 1500.0
    chiller_kw_rack: float = 2.5
    pump_kw_rack: float = 0.15
    fan_kw_rack: float = 0.10
    heater_kw_rack: float = 1.0
    air_kj_per_k_rack: float = 150.0
    wall_w_per_k_rack: float = 20.0
    outside_c: float = 22.0
    humidity: float = 0.5
    cool_above_c: float = 28.0
    heat_below_c: float = 10.0


@dataclass(frozen=True, slots=True)
class SpreadSettings:
    """How much the racks differ from each other: standard deviations."""

    capacity: float = 0.0
    soc: float = 0.0
    resistance: float = 0.0


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """The operator's panel: its module's own output watchdog, and the safety relay behind the E-stop."""

    comms_timeout_s: float = 2.0
    estop_opens_after_s: float = 1.0  # stop category 1 of IEC 60204-1: power is taken away after a time to ramp down


@dataclass(frozen=True, slots=True)
class CanSettings:
    """The CAN bus: python-can interface and channel; `slcan` makes a pty pair and links its far end into the run folder.

    Several racks share a channel where their identifiers have 29 bits: each rack's are `ID_STEP` above those of the one before.
    """

    interface: str = "slcan"
    channel: str = "can0"
    dbc: str = "dbc/rack.dbc"
    racks_per_channel: int = 1
    cell_period_s: float = 0.1  # how often every cell's voltage is told


@dataclass(frozen=True, slots=True)
class ModbusSettings:
    """One Modbus TCP device: where it listens (port 0 picks a free one) and its unit id."""

    host: str = "127.0.0.1"
    port: int = 0
    unit: int = 1


@dataclass(frozen=True, slots=True)
class BusSettings:
    """The buses on which the plant's devices are found."""

    can: CanSettings = field(default_factory=CanSettings)
    pcs: ModbusSettings = field(default_factory=lambda: ModbusSettings(port=15020, unit=1))
    meter: ModbusSettings = field(default_factory=lambda: ModbusSettings(port=15021, unit=2))
    panel: ModbusSettings = field(default_factory=lambda: ModbusSettings(port=15022, unit=3))
    climate: ModbusSettings = field(default_factory=lambda: ModbusSettings(port=15023, unit=4))


@dataclass(frozen=True, slots=True)
class PlantSettings:
    """The whole plant: racks, and converters that each feed the same number of them (0: every rack has its own)."""

    seed: int = 1
    speed: float = 1.0
    tick_s: float = 0.01  # how often the process moves the plant on, and each rack speaks
    racks: int = 1
    converters: int = 0
    spread: SpreadSettings = field(default_factory=SpreadSettings)
    rack: RackSettings = field(default_factory=RackSettings)
    pcs: PcsSettings = field(default_factory=PcsSettings)
    grid: GridSettings = field(default_factory=GridSettings)
    climate: ClimateSettings = field(default_factory=ClimateSettings)
    panel: PanelSettings = field(default_factory=PanelSettings)
    buses: BusSettings = field(default_factory=BusSettings)


def read_settings(path: Path) -> PlantSettings:
    """Read the plant's YAML; everything that is not given keeps its default. Raises SettingsError with all mistakes."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise SettingsError(f"{path}: error: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: error: not YAML: {error}") from error
    if root is None:
        return PlantSettings()
    problems: list[str] = []
    settings = fill(PlantSettings, root, path, "", problems)
    problems += [f"{path}: error: {problem}" for problem in _counts_that_do_not_fit(settings)]
    if not problems:  # a setting that was unreadable stands at 0
        problems += [f"{path}: error: `{name}` must be above 0" for name in ABOVE_ZERO if not attrgetter(name)(settings) > 0]
        if not 0.0 <= settings.rack.soc <= 1.0:
            problems.append(f"{path}: error: `rack.soc` is a part, from 0 to 1, not {settings.rack.soc:g}")
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _counts_that_do_not_fit(settings: PlantSettings) -> list[str]:
    racks, zones = settings.racks, settings.climate.zones
    wrong = [] if 1 <= racks <= MOST_RACKS else [f"`racks` must be from 1 to {MOST_RACKS}, not {racks}"]
    if settings.converters < 0 or (settings.converters and racks % settings.converters):
        wrong.append(f"`converters` must be 0 (every rack its own) or divide `racks` ({racks}), not {settings.converters}")
    if zones < 1 or racks % zones:
        wrong.append(f"`climate.zones` must divide `racks` ({racks}), not {zones}")
    if not 0.001 <= settings.tick_s <= 0.2:
        wrong.append(f"`tick_s` must be from 0.001 to 0.2 s, not {settings.tick_s:g}")
    can = settings.buses.can
    if can.racks_per_channel < 1:
        wrong.append(f"`buses.can.racks_per_channel` must be at least 1, not {can.racks_per_channel}")
    if not settings.tick_s <= can.cell_period_s <= 60.0:
        wrong.append(f"`buses.can.cell_period_s` must be from `tick_s` to 60 s, not {can.cell_period_s:g}")
    return wrong
