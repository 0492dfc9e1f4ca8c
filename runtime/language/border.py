"""Writes the tables of what crosses the scan's border: input points, output points, commands, and the devices themselves.

It must not know groups or columns.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from blocks.declare import LREAL, Type
from runtime.language.devices import DeviceDraft, PointDraft
from runtime.language.layout import Layout
from runtime.language.network import TagDraft
from runtime.model import ROLES, CommandTable, Device, InputTable, OutputTable, Point


def type_code(type: Type) -> int:
    """The NumPy code as ord() of its letter times 16 plus its size."""
    return ord(type.code[0]) * 16 + type.size


def widened(value: Any, type: Type) -> int:
    """A value as 8 bytes: LREAL bits, or an integer."""
    return int(struct.unpack("<q", struct.pack("<d", value))[0]) if type is LREAL else int(value)


def _points(devices: Sequence[DeviceDraft], is_output: bool) -> list[tuple[PointDraft, int]]:
    """Every element of every point, in the order of its slot."""
    return [
        (point, element)
        for device in devices
        for point in (device.outputs if is_output else device.inputs)
        for element in range(len(point.addresses))
    ]


def input_table(devices: Sequence[DeviceDraft]) -> InputTable:
    """One row an input point, in the order of its slot."""
    rows = []
    for point, element in _points(devices, False):
        tag = point.tag
        assert tag.type is not None
        rows.append(
            (
                tag.index,
                tag.offset + element * tag.type.size,
                type_code(tag.type),
                point.stale,
                int(point.hold),
                widened(point.bad, tag.type),
            )
        )
    return InputTable(*_columns(rows, 6))


def output_table(devices: Sequence[DeviceDraft]) -> OutputTable:
    """One row an output point, in the order of its slot."""
    rows = []
    for point, element in _points(devices, True):
        type = point.tag.type
        assert type is not None
        rows.append((point.tag.offset + element * type.size, type_code(type), widened(point.safe, type)))
    return OutputTable(*_columns(rows, 3))


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> list[np.ndarray]:
    table = np.array(rows, np.int64).reshape(len(rows), count)
    return [np.ascontiguousarray(table[:, i]) for i in range(count)]


def command_table(tags: Sequence[TagDraft], layout: Layout) -> CommandTable:
    """One row a tag: where it stands, who may write it, in which range; and the pending cells of pulses."""
    rows = []
    cells: list[int] = []
    for tag in tags:
        assert tag.type is not None
        pending = [pair[0] for (_, name), pair in layout.pulse_cells.items() if name == tag.name] if tag.pulse else []
        rows.append(
            (
                tag.offset if tag.write else -1,
                type_code(tag.type),
                ROLES.index(tag.write) if tag.write else 0,
                tag.length,
                len(cells) if tag.pulse else -1,
                len(pending),
            )
        )
        cells += pending
    target, type, role, length, pulse, pulse_count = _columns(rows, 6)
    low = np.array([-math.inf if tag.minimum is None else tag.minimum for tag in tags], np.float64)
    high = np.array([math.inf if tag.maximum is None else tag.maximum for tag in tags], np.float64)
    return CommandTable(target, type, role, low, high, length, pulse, pulse_count, np.array(cells, np.int64))


def device_models(devices: Sequence[DeviceDraft]) -> tuple[Device, ...]:
    """The devices as their drivers get them; slots count through all devices."""
    made = []
    slots = [0, 0]
    for device in devices:
        points: list[list[Point]] = [[], []]
        for kind, drafts in enumerate((device.inputs, device.outputs)):
            for point in drafts:
                assert point.tag.type is not None
                for element, address in enumerate(point.addresses):
                    points[kind].append(
                        Point(
                            point.tag.name,
                            element,
                            point.tag.type.name,
                            slots[kind],
                            address,
                            point.safe,
                            point.safe_after,
                            point.at,
                        )
                    )
                    slots[kind] += 1
        made.append(
            Device(
                device.name,
                device.driver,
                device.settings,
                tuple(points[0]),
                tuple(points[1]),
                device.stale,
                device.timeout,
                device.at,
            )
        )
    return tuple(made)
