"""The battery management of the rack: measures, limits, trips, watches its master, and lets the contactors be closed or not.

It must not know the bus that its commands came over, nor the truth behind a broken sensor.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from runtime.simulation.cells import Cells
from runtime.simulation.circuit import Circuit
from runtime.simulation.settings import RackSettings

NOT_AVAILABLE = math.nan  # a sensor that says nothing; on the bus all bits of the signal are set


class State(enum.IntEnum):
    """What the battery management is doing; the numbers go out on the bus."""

    INIT = 0
    STANDBY = 1
    PRECHARGE = 2
    CLOSED = 3
    FAULT = 4


class Fault(enum.IntEnum):
    """The first fault since the last reset; the numbers go out on the bus."""

    NONE = 0
    OVER_VOLTAGE = 1
    UNDER_VOLTAGE = 2
    OVER_TEMPERATURE = 3
    UNDER_TEMPERATURE = 4
    OVER_CURRENT = 5
    COMM_TIMEOUT = 6
    CONTACTOR_WELDED = 7
    CONTACTOR_OPEN = 8
    SENSOR = 9
    INTERNAL = 10
    EARTH_FAULT = 11


@dataclass(slots=True)
class Commands:
    """What the master last asked for. `alive` is the last counter seen, -1 before the first frame."""

    close: bool = False
    precharge: bool = False
    balance: bool = False
    reset: bool = False
    alive: int = -1


@dataclass(slots=True)
class Measured:
    """What the management has measured: with noise, and NaN where a sensor is broken."""

    cell_v: np.ndarray
    cell_t: np.ndarray
    v_pack: float = 0.0
    current_a: float = 0.0
    soc: float = 0.0
    v_min: float = 0.0
    v_max: float = 0.0
    t_min: float = 0.0
    t_max: float = 0.0
    insulation_kohm: float = 2000.0


@dataclass(slots=True)
class Bms:
    """The state of the management. `fault` is what it tells; `opens` is true once it has taken the contactors away."""

    commands: Commands
    measured: Measured
    state: State = State.INIT
    fault: Fault = Fault.NONE
    ok: bool = True
    opens: bool = False
    must_release: bool = False
    silent_s: float = math.inf
    opening_s: float = 0.0
    heard: int = 0
    ignored_alive: int = 0
    charge_max_kw: float = math.inf
    discharge_max_kw: float = math.inf
    timers: dict[Fault, float] = field(default_factory=dict)
    balance_mask: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    internal_fault: bool = False


@dataclass(frozen=True, slots=True)
class Trip:
    """One diagnosis: what it watches, how long it must last, and how long after it the contactors open (NaN: never)."""

    fault: Fault
    holds: Callable[[Bms, Circuit, RackSettings], bool]
    lasts: Callable[[RackSettings], float]
    opens_after: Callable[[RackSettings], float]


def _delayed(rack: RackSettings) -> float:
    return rack.open_delay_s


def _at_once(_: RackSettings) -> float:
    return 0.0


def _never(_: RackSettings) -> float:
    return math.nan


# In order of importance: the first that trips is the one that is told.
TRIPS = (
    Trip(Fault.OVER_CURRENT, lambda b, c, r: abs(b.measured.current_a) > r.over_current_a, lambda r: r.over_current_s, _at_once),
    Trip(Fault.COMM_TIMEOUT, lambda b, c, r: _closes(c) and b.silent_s > r.comms_timeout_s, _at_once, _at_once),
    Trip(Fault.INTERNAL, lambda b, c, r: b.internal_fault, _at_once, _at_once),
    Trip(Fault.OVER_VOLTAGE, lambda b, c, r: b.measured.v_max > r.over_voltage_v, lambda r: r.over_voltage_s, _delayed),
    Trip(Fault.UNDER_VOLTAGE, lambda b, c, r: b.measured.v_min < r.under_voltage_v, lambda r: r.under_voltage_s, _delayed),
    Trip(Fault.OVER_TEMPERATURE, lambda b, c, r: b.measured.t_max > r.over_temperature_c, lambda r: r.temperature_s, _delayed),
    Trip(Fault.UNDER_TEMPERATURE, lambda b, c, r: b.measured.t_min < r.under_temperature_c, lambda r: r.temperature_s, _delayed),
    Trip(Fault.CONTACTOR_WELDED, lambda b, c, r: c.main.closed and not c.main.coil, lambda r: r.contactor_s, _at_once),
    Trip(Fault.CONTACTOR_OPEN, lambda b, c, r: c.main.coil and not c.main.closed, lambda r: r.contactor_s, _at_once),
    Trip(Fault.EARTH_FAULT, lambda b, c, r: b.measured.insulation_kohm < 100.0, lambda r: r.sensor_s, _delayed),
    Trip(Fault.SENSOR, lambda b, c, r: bool(np.isnan(b.measured.cell_v).any()), lambda r: r.sensor_s, _never),
)


def _closes(circuit: Circuit) -> bool:
    return circuit.main.coil or circuit.precharge.coil


def build_bms(rack: RackSettings, cells: Cells) -> Bms:
    measured = Measured(np.zeros(rack.cells), np.zeros(rack.cells), soc=float(cells.soc.mean()))
    return Bms(Commands(), measured, balance_mask=np.zeros(rack.cells, dtype=bool))


def take_command(bms: Bms, close: bool, precharge: bool, balance: bool, reset: bool, alive: int) -> None:
    """Take one frame of the master. Every frame may open; only a counter that moved shows that the master is alive."""
    bms.heard += 1
    if alive == bms.commands.alive:
        bms.ignored_alive += 1
    else:
        bms.silent_s = 0.0
    if reset and not bms.commands.reset:
        _reset(bms)
    bms.commands = Commands(close, precharge, balance, reset, alive)


def _reset(bms: Bms) -> None:
    """Forget the fault; one whose cause is still there comes back after its delay."""
    bms.fault, bms.ok, bms.opens, bms.opening_s = Fault.NONE, True, False, 0.0
    bms.must_release = True
    bms.timers.clear()


def supervise(bms: Bms, circuit: Circuit, rack: RackSettings, power_to_coils: bool, dt_s: float, listening_s: float) -> None:
    """One turn of the management: diagnoses, then the coils. `listening_s` is how long it could have heard its master."""
    bms.silent_s += listening_s
    for trip in TRIPS:
        if not trip.holds(bms, circuit, rack):
            bms.timers.pop(trip.fault, None)
            continue
        lasted = bms.timers[trip.fault] = bms.timers.get(trip.fault, 0.0) + dt_s
        if lasted >= trip.lasts(rack) and (bms.fault is Fault.NONE or bms.fault is Fault.SENSOR):
            _trip(bms, trip, rack)
    if not bms.ok and not bms.opens:
        bms.opening_s -= dt_s
        bms.opens = bms.opening_s <= 0.0
    asked = bms.commands.close or bms.commands.precharge
    if bms.opens or not power_to_coils:
        bms.must_release = True
    elif bms.must_release and not asked:
        bms.must_release = False
    if bms.fault is Fault.COMM_TIMEOUT and bms.silent_s <= rack.comms_timeout_s and not asked:
        _reset(bms)  # the master is back and asks for nothing: no hand needed
    allowed = power_to_coils and not bms.opens and not bms.must_release
    circuit.main.coil = allowed and bms.commands.close
    circuit.precharge.coil = allowed and bms.commands.precharge
    bms.state = _state(bms, circuit)


def _trip(bms: Bms, trip: Trip, rack: RackSettings) -> None:
    bms.fault = trip.fault
    after = trip.opens_after(rack)
    if not math.isnan(after):
        bms.ok = False
        bms.opening_s = after
        bms.opens = after <= 0.0


def _state(bms: Bms, circuit: Circuit) -> State:
    if not bms.ok:
        return State.FAULT
    if circuit.main.closed:
        return State.CLOSED
    return State.PRECHARGE if circuit.precharge.closed else State.STANDBY


def bleeds(bms: Bms) -> np.ndarray:
    """Which cells' balancing resistors are on: asked for by the master, and only while it is alive and all is well."""
    if bms.ok and bms.commands.balance and math.isfinite(bms.silent_s) and bms.silent_s <= 5.0:
        return bms.balance_mask
    return np.zeros_like(bms.balance_mask)


# Derating as a fraction of the rating; the corner points of temperature are those of dbus-serialbattery for LFP.
CHARGE_V = ((3.55, 3.60, 3.65), (1.0, 0.5, 0.0))
CHARGE_T = ((0.0, 2.0, 5.0, 10.0, 40.0, 45.0, 50.0, 55.0), (0.0, 0.25, 0.5, 1.0, 1.0, 0.5, 0.25, 0.0))
CHARGE_SOC = ((0.90, 0.98, 1.0), (1.0, 0.1, 0.0))
DISCHARGE_V = ((2.70, 2.80, 2.95), (0.0, 0.5, 1.0))
DISCHARGE_T = ((-10.0, 0.0, 5.0, 10.0, 40.0, 45.0, 50.0, 55.0), (0.0, 0.25, 0.5, 1.0, 1.0, 0.5, 0.25, 0.0))
DISCHARGE_SOC = ((0.0, 0.02, 0.10), (0.0, 0.1, 1.0))


def limit(bms: Bms, rack: RackSettings, dt_s: float) -> None:
    """What the rack lets through, in kW: falls at once, rises slowly, so that it does not hunt with its own voltage drop."""
    seen = bms.measured
    charge = min(np.interp(seen.v_max, *CHARGE_V), _coldest(CHARGE_T, seen), np.interp(seen.soc, *CHARGE_SOC))
    discharge = min(np.interp(seen.v_min, *DISCHARGE_V), _coldest(DISCHARGE_T, seen), np.interp(seen.soc, *DISCHARGE_SOC))
    if not bms.ok:
        charge = discharge = 0.0
    rise = rack.limit_rise_per_s * rack.p_rated_kw * dt_s
    bms.charge_max_kw = min(rack.p_rated_kw * float(charge), bms.charge_max_kw + rise)
    bms.discharge_max_kw = min(rack.p_rated_kw * float(discharge), bms.discharge_max_kw + rise)


def _coldest(table: tuple[tuple[float, ...], tuple[float, ...]], seen: Measured) -> float:
    return float(min(np.interp(seen.t_min, *table), np.interp(seen.t_max, *table)))
