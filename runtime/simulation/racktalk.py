"""What all racks say on their CAN buses, and when: state in every tick, limits and extremes, every cell in turn.

All racks are encoded at once; then each says its own. It must not know how frames travel, nor what the controller commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cantools.database import Database

from runtime.simulation.canlinks import Link
from runtime.simulation.frames import Burst, LayoutError, encode, plan
from runtime.simulation.plant import Plant
from runtime.simulation.rack import Rack
from runtime.simulation.rackbus import RackBus

SUMMARY_S = 0.1
HEAT_S = 1.0  # all cell temperatures

STATUS = (
    "BMS_Status.SOC",
    "BMS_Status.PackVoltage",
    "BMS_Status.PackCurrent",
    "BMS_Status.State",
    "BMS_Status.MainFb",
    "BMS_Status.PrechargeFb",
    "BMS_Status.Ok",
    "BMS_Status.Balancing",
    "BMS_Status.FaultCode",
    "BMS_Status.AliveCounter",
)
SUMMARY = (
    "BMS_Limits.PChargeMax",
    "BMS_Limits.PDischargeMax",
    "BMS_Limits.SOH",
    "BMS_Limits.Insulation",
    "BMS_CellSummary.VMin",
    "BMS_CellSummary.VMax",
    "BMS_CellSummary.TMin",
    "BMS_CellSummary.TMax",
)


def tell_status(rack: Rack, turn: int) -> tuple[float, ...]:
    """What the rack tells in every tick, in the order of STATUS."""
    bms, circuit, seen = rack.bms, rack.circuit, rack.bms.measured
    balancing = bms.was_bleeding and bool(rack.cells.bleeding.any())
    contacts = circuit.main.closed, circuit.precharge.closed
    return (seen.soc * 100, seen.v_pack, seen.current_a, bms.state, *contacts, bms.ok, balancing, bms.fault, turn % 16)


def tell_summary(rack: Rack, turn: int) -> tuple[float, ...]:
    """What the rack lets through, and the extremes of its cells, in the order of SUMMARY."""
    bms, seen = rack.bms, rack.bms.measured
    limits = bms.charge_max_kw, bms.discharge_max_kw, rack.settings.soh * 100, seen.insulation_kohm
    return (*limits, seen.v_min, seen.v_max, seen.t_min, seen.t_max)


@dataclass
class Sending:
    """One burst: what each rack's link needs for it, the payloads last made (rack, row, byte), and where its values come from."""

    burst: Burst
    prepared: list[Any]
    payload: np.ndarray
    order: np.ndarray  # the place of each field among the values told, or its cell
    tell: Callable[[Rack, int], tuple[float, ...]] | None = None

    @property
    def rows(self) -> int:
        return len(self.burst.ids)


@dataclass
class RackTalk:
    """All racks of the plant as they speak. `turn` counts ticks."""

    plant: Plant
    buses: Sequence[RackBus]
    links: Sequence[Link]
    status: Sending
    summary: Sending
    volts: Sending
    temperatures: Sending
    turn: int = 0


def build_talk(plant: Plant, database: Database, buses: Sequence[RackBus]) -> RackTalk:
    """Lay out every message of all racks. Raises LayoutError where DBC and rack differ."""
    modules = range(1, plant.settings.rack.modules + 1)
    return RackTalk(
        plant,
        buses,
        list({id(bus.link): bus.link for bus in buses}.values()),
        status=_told(database, buses, STATUS, tell_status),
        summary=_told(database, buses, SUMMARY, tell_summary),
        volts=_cells(plant, database, buses, [f"Module_{m}" for m in modules], "V"),
        temperatures=_cells(plant, database, buses, [f"ModuleTemp_{m}" for m in modules], "T"),
    )


def _sending(burst: Burst, buses: Sequence[RackBus], order: Sequence[int], tell: Any = None) -> Sending:
    prepared = [bus.link.prepare(burst.ids + bus.offset) for bus in buses]
    payload = np.zeros((len(buses), len(burst.ids), 8), dtype=np.uint8)
    return Sending(burst, prepared, payload, np.array(order), tell)


def _told(database: Database, buses: Sequence[RackBus], names: tuple[str, ...], tell: Any) -> Sending:
    burst = plan(database, list(dict.fromkeys(name.split(".")[0] for name in names)))
    unknown = set(burst.fields) ^ set(names)
    if unknown:
        raise LayoutError(f"signals that only the DBC or only the rack knows: {', '.join(sorted(unknown))}")
    return _sending(burst, buses, [names.index(name) for name in burst.fields], tell)


def _cells(plant: Plant, database: Database, buses: Sequence[RackBus], names: list[str], letter: str) -> Sending:
    burst = plan(database, names)
    per_module = plant.settings.rack.cells_per_module
    order = []
    for name in burst.fields:
        found = re.fullmatch(rf"\w+_(\d+)\.{letter}_(\d+)", name)
        if found is None or int(found[2]) > per_module:
            raise LayoutError(f"signal {name} does not name a cell of this rack")
        order.append((int(found[1]) - 1) * per_module + int(found[2]) - 1)
    if sorted(order) != list(range(plant.settings.rack.cells)):
        raise LayoutError(f"messages {names[0]} to {names[-1]} do not carry every cell of the rack once")
    return _sending(burst, buses, order)


def speak(talk: RackTalk, turns: int = 1) -> None:
    """Say what is due in the next tick, or in so many at once: then what would have been said again is said once.

    Cells are spread over their period so that the bus is evenly loaded: voltages over its middle, the extremes at its end.
    """
    settings = talk.plant.settings
    first, last = talk.turn, talk.turn + turns
    _fill(talk, talk.status, _values(talk, talk.status, last - 1))
    _send(talk, talk.status, 0, talk.status.rows)
    period = max(round(SUMMARY_S / settings.tick_s), 1)
    if last // period > first // period:
        _fill(talk, talk.summary, _values(talk, talk.summary, last - 1))
        _send(talk, talk.summary, 0, talk.summary.rows)
    sensors = talk.plant.racks.sensors
    period = max(round(settings.buses.can.cell_period_s / settings.tick_s), 1)
    _spread(talk, talk.volts, sensors.cell_v, first, last, period, _in_the_middle)
    period = max(round(HEAT_S / settings.tick_s), 1)
    _spread(talk, talk.temperatures, sensors.cell_t, first, last, period, _evenly)
    for link in talk.links:
        link.flush()
    talk.turn = last


def _in_the_middle(rows: int, done: int, period: int) -> int:
    """How many rows are out after so many ticks of the period: none in the first, all before the last."""
    if period < 3:
        return rows if done else 0
    return rows * min(max(done - 1, 0), period - 2) // (period - 2)


def _evenly(rows: int, done: int, period: int) -> int:
    return rows * done // period


def _spread(
    talk: RackTalk, sending: Sending, shown: np.ndarray, first: int, last: int, period: int, out: Callable[[int, int, int], int]
) -> None:
    """The rows of one burst that are due from tick `first` to before `last`; a new period begins with new values."""
    if last - first > period:  # what is older would only be said again
        first = last - period
        _fill(talk, sending, shown[:, sending.order])
    while first < last:
        begun = first % period
        done = min(begun + last - first, period)
        if begun == 0:
            _fill(talk, sending, shown[:, sending.order])
        _send(talk, sending, out(sending.rows, begun, period), out(sending.rows, done, period))
        first += done - begun


def _values(talk: RackTalk, sending: Sending, turn: int) -> np.ndarray:
    tell = sending.tell
    return np.array([tell(rack, turn) for rack in talk.plant.racks.racks], np.float64)[:, sending.order]  # type: ignore[misc]


def _fill(talk: RackTalk, sending: Sending, values: np.ndarray) -> None:
    fresh = encode(sending.burst, values)
    for at, bus in enumerate(talk.buses):
        if bus.frozen:
            held = [row for row, name in enumerate(sending.burst.messages) if name in bus.frozen]
            fresh[at, held] = sending.payload[at, held]
    sending.payload = fresh


def _send(talk: RackTalk, sending: Sending, first: int, last: int) -> None:
    if first >= last:
        return
    for at, bus in enumerate(talk.buses):
        if bus.cut or bus.rack.bms.asleep:
            continue
        prepared, payload = sending.prepared[at], sending.payload[at]
        if not bus.stopped:
            bus.link.send(prepared[first:last], payload[first:last])
            continue
        for row in range(first, last):
            if sending.burst.messages[row] not in bus.stopped:
                bus.link.send(prepared[row : row + 1], payload[row : row + 1])


def is_known(database: Database, message: str) -> bool:
    """Whether a rack sends a message of this name."""
    return any(one.name == message and "BMS" in one.senders for one in database.messages)
