"""Turns names of SunSpec points into the addresses of one device, once its models are known. It keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runtime.fieldbus.modbus_register import HOLDING, ModelPoint, Place, Register
from runtime.fieldbus.modbus_sunspec import Discovery, FoundModel, Reader, read_or_none
from runtime.fieldbus.modbus_sunspec_models import AbsentError, GroupText, counts_of, find_point, offset_of, power_of, read_model
from runtime.model import Point


@dataclass(frozen=True)
class Located:
    """Points with their addresses in this device; `absent` says of each that it lacks why."""

    points: tuple[Point, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class _Here:
    """A model of the device beside its definition, and how often its groups are repeated."""

    found: FoundModel
    text: GroupText
    counts: dict[str, int]


async def locate(link: Reader, discovery: Discovery, points: Sequence[Point], folder: str) -> Located:
    """The points with the addresses that their models have in this device. Raises LostError from the line."""
    here: dict[tuple[int, int], _Here | None] = {}
    for key in sorted({point.address.model[:2] for point in points if point.address.model is not None}):
        here[key] = await _look_up(link, discovery, key[0], key[1], folder)
    located, absent = [], []
    for point in points:
        model: ModelPoint | None = point.address.model
        if model is None:
            located.append(point)
            continue
        place = here[model[:2]]
        try:
            if place is None:
                raise AbsentError(
                    f"the device has no model {model.model}" + (f" number {model.instance}" if model.instance > 1 else "")
                )
            located.append(replace(point, address=_place(point.address, model, place)))
        except AbsentError as error:
            located.append(replace(point, address=replace(point.address, width=0, factor=None)))
            absent.append(f"{point.tag}: {error}")
    return Located(tuple(located), tuple(dict.fromkeys(absent)))


async def _look_up(link: Reader, discovery: Discovery, number: int, instance: int, folder: str) -> _Here | None:
    models = [one for one in discovery.models if one.number == number]
    if len(models) < instance:
        return None
    found, text = models[instance - 1], read_model(number, folder)
    counts = {}
    for name, offset in counts_of(text).items():
        registers = await read_or_none(link, found.address + offset, 1)
        count = 0 if registers is None else int(registers[0])
        counts[name] = 0 if count == 0xFFFF else count
    return _Here(found, text, counts)


def _place(register: Register, model: ModelPoint, here: _Here) -> Register:
    point = find_point(here.text, model.path)
    power = power_of(here.text, point)
    offset = offset_of(here.text, point, here.counts, here.found.length)
    factor = None
    if power is not None and not isinstance(power, int):
        factor = Place(HOLDING, here.found.address + offset_of(here.text, power, here.counts, here.found.length))
    return replace(register, address=here.found.address + offset, width=point.point.size, factor=factor)
