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
from runtime.language.layout import Layout
from runtime.language.network import TagDraft
from runtime.language.points import DeviceDraft, PointDraft
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
        for point in (device.outputs if is_output else device.inputs + device.diagnostics)
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
    """The devices as their drivers get them; slots count through all devices, a device's diagnostics behind its inputs."""
    made = []
    first_input = first_output = 0
    for device in devices:
        inputs = _numbered(device.inputs, first_input)
        diagnostics = _numbered(device.diagnostics, first_input + len(inputs))
        outputs = _numbered(device.outputs, first_output)
        first_input += len(inputs) + len(diagnostics)
        first_output += len(outputs)
        limits = (device.stale, device.timeout)
        made.append(Device(device.name, device.driver, device.settings, inputs, outputs, *limits, device.at, diagnostics))
    return tuple(made)


def _numbered(drafts: Sequence[PointDraft], first: int) -> tuple[Point, ...]:
    """Every element of these points, in slots from `first` on."""
    made: list[Point] = []
    for point in drafts:
        assert point.tag.type is not None
        name, type = point.tag.name, point.tag.type.name
        for element, address in enumerate(point.addresses):
            made.append(Point(name, element, type, first + len(made), address, point.safe, point.safe_after, point.at, point.keeps))
    return tuple(made)
