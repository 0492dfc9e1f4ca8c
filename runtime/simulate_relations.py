"""What has to do with what in a simulation: which faults, alarms and other trips a trip may come from.

A fault of rack 2 concerns rack 2, the converter on its bus and the site, never rack 3. It must not know the controller's memory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.simulate_record import AlarmSpan, FaultSpan, Record, Trip, clock
from runtime.simulation.faults import FAULTS
from runtime.simulation.plant import Plant

BEFORE_S, BEHIND_S = 10.0, 5.0  # an alarm in this time around a trip explains it
LINGER_S = 10.0  # a fault that ended so long ago may still be the reason
FOLLOWS_S = 6.0  # contactors wait 5 s for the current to go: what they bring about comes after that
REMEMBERED_S = 120.0  # of what may have to do with a false trip
OF_CONVERTERS = ("pcs_fault", "pcs_deaf")  # named by a rack, and of every rack on its bus
SLOW = ("pump_failed", "fan_failed", "chiller_failed", "coolant_leak")
SLOW_S = 60.0  # before that no temperature has moved, and nothing trips for it
_NUMBER = re.compile(r"(\d+)\D*\Z")

Racks = tuple[int, ...]  # from 0; none: the site as a whole


def racks_of_fault(kind: str, details: Mapping[str, Any], plant: Plant) -> Racks:
    """The racks that a fault is of."""
    count, link = len(plant.racks.racks), str(details.get("link", ""))
    if link.startswith("can"):
        each = plant.settings.buses.can.racks_per_channel
        return tuple(range(count)[int(link[3:]) * each : (int(link[3:]) + 1) * each])
    if link.startswith("pcs"):
        return _on_bus(int(link[3:] or 1) - 1, plant)
    number = int(details.get(FAULTS[kind].of, 1)) - 1 if kind in FAULTS and FAULTS[kind].of else -1
    if number < 0:
        return ()
    if FAULTS[kind].of == "zone":
        each = count // len(plant.climates)
        return tuple(range(number * each, (number + 1) * each))
    return _on_bus(number * len(plant.converters) // count, plant) if kind in OF_CONVERTERS else (number,)


def racks_of_source(source: str, plant: Plant) -> Racks:
    """The racks that what has tripped is of: `rack 2`, `converter 1`, `racks.guard[2].tripped`; none for the site's own."""
    number = _numbered(source, plant)
    if source.startswith("converter"):
        return _on_bus((number or 1) - 1, plant)
    if source == "rack":
        return (0,)
    return () if number is None else (number - 1,)


def _on_bus(converter: int, plant: Plant) -> Racks:
    each = len(plant.racks.racks) // len(plant.converters)
    return tuple(range(converter * each, (converter + 1) * each))


def _numbered(name: str, plant: Plant) -> int | None:
    """The last number of a name, where the plant has so many racks: programs and devices count them from 1."""
    found = _NUMBER.search(name)
    return int(found[1]) if found is not None and 1 <= int(found[1]) <= len(plant.racks.racks) else None


def concerns(one: Racks, other: Racks) -> bool:
    """Whether something of these racks may be the reason for something of those."""
    return not one or not other or bool(set(one) & set(other))


def faults_near(record: Record, plant: Plant, time: float, racks: Racks) -> list[FaultSpan]:
    """The faults that were on or had just ended, of these racks or of the site."""
    return [
        fault
        for fault in record.faults
        if not fault.refused
        and (fault.ended is None or time - fault.ended <= LINGER_S)
        and (fault.kind not in SLOW or time - fault.began >= SLOW_S)
        and concerns(racks_of_fault(fault.kind, fault.details, plant), racks)
    ]


def relate(record: Record, plant: Plant, general: Sequence[str]) -> None:
    """At the end: which alarms stood or came around each trip, what it follows from, and what else there was."""
    known = {name.lower() for name in general}
    for at, trip in enumerate(record.trips):
        racks = racks_of_source(trip.source, plant)
        first, last = trip.time - BEFORE_S, trip.time + BEHIND_S
        around = [alarm for alarm in record.alarms if alarm.began <= last and (alarm.ended is None or alarm.ended >= first)]
        trip.alarms = list(dict.fromkeys(alarm.name for alarm in around))
        told = {name for fault in faults_near(record, plant, trip.time, racks) for name in fault.alarms}
        trip.is_explained = any(
            (alarm.began >= first or alarm.name in told) and _says_why(alarm, racks, known, plant) for alarm in around
        )
        before = [one for one in record.trips[:at] if trip.time - one.time <= FOLLOWS_S and _brings(one, trip, plant)]
        if before:
            trip.follows = f"{before[0].source} at {clock(before[0].time)}"
    for trip in record.trips:
        if trip.is_false:
            trip.around = _around(trip, record)


def _says_why(alarm: AlarmSpan, racks: Racks, general: set[str], plant: Plant) -> bool:
    """Whether this alarm says more than that there was a trip, and is not of another rack."""
    if {alarm.name.lower(), alarm.name.lower().rpartition(".")[0]} & general:
        return False
    number = _numbered(alarm.name, plant)
    return number is None or concerns((number - 1,), racks)


def _brings(one: Trip, other: Trip, plant: Plant) -> bool:
    """Whether a trip may bring the other about: the site's opens every rack, a rack's leaves its converter without voltage.

    What trips a second time was reset in between: that is a trip of its own.
    """
    return one.source != other.source and concerns(racks_of_source(one.source, plant), racks_of_source(other.source, plant))


def _around(trip: Trip, record: Record) -> list[str]:
    """What happened before a trip that no fault of its own explains."""
    found = [
        (fault.began, f"fault {fault.text}, {'still on' if fault.ended is None else f'until {clock(fault.ended)}'}")
        for fault in record.faults
        if not fault.refused and fault.began <= trip.time and (fault.ended is None or fault.ended >= trip.time - REMEMBERED_S)
    ]
    found += [(alarm.began, f"alarm {alarm.name}: {alarm.text}") for alarm in record.alarms if _is_recent(alarm.began, trip)]
    found += [(time, what) for time, what in record.events if _is_recent(time, trip)]
    found += [
        (one.time, f"trip of {one.source}: {one.cause}") for one in record.trips if one is not trip and _is_recent(one.time, trip)
    ]
    return [f"{clock(time)} {what}" for time, what in sorted(found)]


def _is_recent(time: float, trip: Trip) -> bool:
    return -REMEMBERED_S / 4 <= time - trip.time <= BEHIND_S
