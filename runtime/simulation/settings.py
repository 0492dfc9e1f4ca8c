"""What the plant is made of, as numbers with their units in their names, and how `config/plant.yaml` sets them.

It must not know how anything moves or speaks; it reads text and refuses what it does not know, with the place of each mistake.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml


class SettingsError(Exception):
    """The plant's settings cannot be used; the text lists every mistake with file, line and column."""


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
    start_hour: float = 10.0
    load_base_kw: float = 60.0
    load_swing_kw: float = 40.0
    pv_peak_kw: float = 120.0


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """The operator's panel: its module's own output watchdog, and the safety relay behind the E-stop."""

    comms_timeout_s: float = 2.0
    estop_opens_after_s: float = 1.0  # stop category 1 of IEC 60204-1: power is taken away after a time to ramp down


@dataclass(frozen=True, slots=True)
class CanSettings:
    """The CAN bus: python-can interface and channel; `slcan` makes a pty pair and links its far end into the run folder."""

    interface: str = "slcan"
    channel: str = "can0"
    dbc: str = "dbc/rack.dbc"


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


@dataclass(frozen=True, slots=True)
class PlantSettings:
    """The whole plant. `root` is the folder that paths in the settings are relative to."""

    seed: int = 1
    speed: float = 1.0
    rack: RackSettings = field(default_factory=RackSettings)
    pcs: PcsSettings = field(default_factory=PcsSettings)
    grid: GridSettings = field(default_factory=GridSettings)
    panel: PanelSettings = field(default_factory=PanelSettings)
    buses: BusSettings = field(default_factory=BusSettings)


Built = TypeVar("Built")


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
    settings = _fill(PlantSettings, root, path, "", problems)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _fill(kind: type[Built], node: yaml.Node, path: Path, prefix: str, problems: list[str]) -> Built:
    """One section of the file as its dataclass."""
    fields = {item.name: item for item in dataclasses.fields(kind) if item.init}  # type: ignore[arg-type]
    types = get_type_hints(kind)
    given: dict[str, Any] = {}
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"{_place(path, node)}: error: `{prefix.rstrip('.') or 'the file'}` must be a list of `name: value` lines")
        return kind()
    for key, value in node.value:
        name = str(key.value)
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; the names here are {', '.join(fields)}"
            problems.append(f"{_place(path, key)}: error: `{prefix}{name}` is no setting of the plant{hint}")
        elif name in given:
            problems.append(f"{_place(path, key)}: error: `{prefix}{name}` is given twice")
        elif dataclasses.is_dataclass(types[name]):
            default = kind().__getattribute__(name)
            given[name] = _over(default, _fill(types[name], value, path, f"{prefix}{name}.", problems), value)
        else:
            given[name] = _scalar(types[name], value, path, f"{prefix}{name}", problems)
    return kind(**given)


def _over(default: Any, filled: Any, node: yaml.Node) -> Any:
    """The section's own default with only the given settings changed (two buses differ in their default port)."""
    names = {str(key.value) for key, _ in node.value} if isinstance(node, yaml.MappingNode) else set()
    known = {item.name for item in dataclasses.fields(default)}
    return dataclasses.replace(default, **{name: getattr(filled, name) for name in names & known})


def _scalar(kind: type[Any], node: yaml.Node, path: Path, name: str, problems: list[str]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        if kind is str:
            return node.value
        try:
            number = kind(node.value)
        except ValueError:
            number = None
        if number is not None and math.isfinite(number):
            return number
    wanted = {int: "a whole number", float: "a number", str: "a text"}[kind]
    problems.append(f"{_place(path, node)}: error: `{name}` must be {wanted}")
    return kind()


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
