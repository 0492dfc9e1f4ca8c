"""A program for a TestScan: tasks, block instances and the memory that their pins stand in, without a compiler or an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from blocks import catalogue
from blocks.declare import AnyType
from runtime.child import ServiceOrder
from runtime.engine.image import HEADER, Shared
from runtime.engine.north import MEMORY_FILE
from runtime.engine.statistics import STEPS, note
from runtime.model import Group, Task
from tests.aids.servers_scan import TestScan

CODES = {"BOOL": "u1", "DINT": "i4", "LINT": "i8", "TIME": "i8", "LREAL": "f8"}
TASKS = (
    Task("protection", 1, 0, 0, 0, 0, 0, ("safety",)),
    Task("control", 5, 0, 0, 0, 0, 0, ("dispatch", "cells")),
)
BLOCKS: Mapping[str, Sequence[str]] = {
    "PID": ["dispatch.droop"],
    "LAG": ["dispatch.smooth", "dispatch.smooth.IN#lag"],
    "SEQUENCE": ["safety.contactors"],
    "STEP_ACTIVE": ["safety.contactors.open", "safety.contactors.closed"],
    "TON": [f"cells.wait[{n}]" for n in range(1, 251)],
}
ARRAY = 4


class Program:
    """The program of a scan: `set` gives a pin a value, `ran` notes how long a task took."""

    def __init__(self, scan: TestScan, blocks: Mapping[str, Sequence[str]] = BLOCKS, tasks: tuple[Task, ...] = TASKS):
        self.scan, self.tasks = scan, tasks
        self.groups = tuple(Group(block, "", len(rows), 0, (), 0, 0, tuple(rows)) for block, rows in blocks.items())
        self.pins: dict[str, tuple[str, int, int]] = {}
        end, known = 0, catalogue()
        for group in self.groups:
            for instance in group.instances:
                for pin in known[group.block].pins:
                    element = pin.element.choices[0] if isinstance(pin.element, AnyType) else pin.element
                    length = ARRAY if pin.length == "N" else int(pin.length)
                    self.pins[f"{instance}.{pin.name}"] = (element.name, end, length)
                    end += 8 * max(length, 1)
        self.memory = Shared.create(scan.folder / MEMORY_FILE, HEADER + end, scan.generation)

    def order(self, **settings: Any) -> ServiceOrder:
        order = self.scan.order("opcua", **settings)
        return replace(order, tick=10_000_000, tasks=self.tasks, groups=self.groups, pins=self.pins)

    def set(self, pin: str, value: Any) -> None:
        kind, offset, length = self.pins[pin]
        cells = self.memory.memory[HEADER + offset :][: max(length, 1) * np.dtype(CODES[kind]).itemsize]
        cells.view(CODES[kind])[:] = value

    def ran(self, task: str, ns: int) -> None:
        layout = self.scan.layout
        words = self.scan.image.memory[layout.statistics :][: layout.statistics_words * 8].view(np.int64)
        note(words, len(STEPS) + [t.name for t in self.tasks].index(task), ns)
