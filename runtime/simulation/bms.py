"""The battery management of the rack: measures, limits, trips, watches its master, and lets the contactors be closed or not.

It must not know the bus that its commands came over, nor the truth behind a broken sensor.
"""

from __future__ import annotations

import enum
import itertools
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
    """What the management has measured: with noise, and NaN where a sensor is broken (`blind`: of any cell's voltage)."""

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
    blind: bool = False


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
    charge_part: float = 1.0  # what derating leaves of the rated power
    discharge_part: float = 1.0
    timers: dict[Fault, float] = field(default_factory=dict)
    balance_mask: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    was_bleeding: bool = False
    internal_fault: bool = False
    waking_s: float = 0.0  # until it speaks, from its supply's return

    @property
    def asleep(self) -> bool:
        """Whether it has no supply, or has not come up yet: it says nothing, hears nothing, holds no contactor."""
        return self.waking_s > 0.0


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
    Trip(Fault.INTERNAL, lambda b, c, r: b.internal_fault or c.fuse_blown, _at_once, _at_once),
    Trip(Fault.OVER_VOLTAGE, lambda b, c, r: b.measured.v_max > r.over_voltage_v, lambda r: r.over_voltage_s, _delayed),
    Trip(Fault.UNDER_VOLTAGE, lambda b, c, r: b.measured.v_min < r.under_voltage_v, lambda r: r.under_voltage_s, _delayed),
    Trip(Fault.OVER_TEMPERATURE, lambda b, c, r: b.measured.t_max > r.over_temperature_c, lambda r: r.temperature_s, _delayed),
    Trip(Fault.UNDER_TEMPERATURE, lambda b, c, r: b.measured.t_min < r.under_temperature_c, lambda r: r.temperature_s, _delayed),
    Trip(Fault.CONTACTOR_WELDED, lambda b, c, r: c.main.closed and not c.main.coil, lambda r: r.contactor_s, _at_once),
    Trip(Fault.CONTACTOR_OPEN, lambda b, c, r: c.main.coil and not c.main.closed, lambda r: r.contactor_s, _at_once),
    Trip(Fault.EARTH_FAULT, lambda b, c, r: b.measured.insulation_kohm < 100.0, lambda r: r.sensor_s, _delayed),
    Trip(Fault.SENSOR, lambda b, c, r: b.measured.blind, lambda r: r.sensor_s, _never),
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


def feed(bms: Bms, has_supply: bool, rack: RackSettings, dt_s: float) -> None:
    """Its supply comes or goes. It wakes up as after power-on, but remembers its fault: sleep is no reset."""
    if not has_supply:
        if not bms.asleep:
            bms.commands, bms.silent_s = Commands(), math.inf
            bms.timers.clear()
        bms.waking_s = max(rack.wake_s, dt_s)
    elif bms.asleep:
        bms.waking_s = max(bms.waking_s - dt_s, 0.0)


def _reset(bms: Bms) -> None:
    """Forget the fault; one whose cause is still there comes back after its delay."""
    bms.fault, bms.ok, bms.opens, bms.opening_s = Fault.NONE, True, False, 0.0
    bms.must_release = True
    bms.timers.clear()


def supervise(bms: Bms, circuit: Circuit, rack: RackSettings, power_to_coils: bool, dt_s: float, listening_s: float) -> None:
    """One turn of the management: diagnoses, then the coils. `listening_s` is how long it could have heard its master."""
    bms.silent_s += listening_s
    if bms.asleep:
        circuit.main.coil = circuit.precharge.coil = False
        bms.state = State.INIT
        return
    for trip in TRIPS:
        if not trip.holds(bms, circuit, rack):
            if bms.timers:
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


def bleeds(bms: Bms) -> bool:
    """Whether the balancing resistors of the mask are on: asked for by the master, and only while it is alive and all is well."""
    return bms.ok and bms.commands.balance and math.isfinite(bms.silent_s) and bms.silent_s <= 5.0


# Derating as a fraction of the rating; the corner points of temperature are those of dbus-serialbattery for LFP.
Corners = tuple[tuple[float, float], ...]
CHARGE_V: Corners = ((3.55, 1.0), (3.60, 0.5), (3.65, 0.0))
CHARGE_T: Corners = ((0.0, 0.0), (2.0, 0.25), (5.0, 0.5), (10.0, 1.0), (40.0, 1.0), (45.0, 0.5), (50.0, 0.25), (55.0, 0.0))
CHARGE_SOC: Corners = ((0.90, 1.0), (0.98, 0.1), (1.0, 0.0))
DISCHARGE_V: Corners = ((2.70, 0.0), (2.80, 0.5), (2.95, 1.0))
DISCHARGE_T: Corners = ((-10.0, 0.0), (0.0, 0.25), (5.0, 0.5), (10.0, 1.0), (40.0, 1.0), (45.0, 0.5), (50.0, 0.25), (55.0, 0.0))
DISCHARGE_SOC: Corners = ((0.0, 0.0), (0.02, 0.1), (0.10, 1.0))


def between(corners: Corners, x: float) -> float:
    """The straight line between the corners, their ends beyond them; what is not available stays so."""
    if not x > corners[0][0]:
        return corners[0][1] if x == x else x
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return corners[-1][1]


def derate(bms: Bms) -> None:
    """What voltage, temperature and charge, as last measured, leave of the rating."""
    seen = bms.measured
    coldest, hottest = seen.t_min, seen.t_max
    bms.charge_part = _least(
        between(CHARGE_V, seen.v_max), between(CHARGE_T, coldest), between(CHARGE_T, hottest), between(CHARGE_SOC, seen.soc)
    )
    bms.discharge_part = _least(
        between(DISCHARGE_V, seen.v_min),
        between(DISCHARGE_T, coldest),
        between(DISCHARGE_T, hottest),
        between(DISCHARGE_SOC, seen.soc),
    )


def _least(*parts: float) -> float:
    """The smallest; nothing at all where one of them is not available."""
    return min(parts) if sum(parts) >= 0.0 else 0.0


def limit(bms: Bms, rack: RackSettings, dt_s: float) -> None:
    """What the rack lets through, in kW: falls at once, rises slowly, so that it does not hunt with its own voltage drop."""
    rated = rack.p_rated_kw if bms.ok else 0.0
    rise = rack.limit_rise_per_s * rack.p_rated_kw * dt_s
    bms.charge_max_kw = min(rated * bms.charge_part, bms.charge_max_kw + rise)
    bms.discharge_max_kw = min(rated * bms.discharge_part, bms.discharge_max_kw + rise)
