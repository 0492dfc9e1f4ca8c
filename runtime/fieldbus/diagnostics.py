"""The tags of one device: its health in the slots that the language gave it. It must not know drivers or what a tag is for."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from runtime.contract import CONNECTING, LOST, Health, Inputs
from runtime.model import Device
from runtime.quality import GOOD
from runtime.system_tags import DEVICE_TAGS

ERRORS_OF = "errors_"  # before the kind, in a point's address
NOTHING = Health(CONNECTING, math.nan, 0, 0, {})
Cell = Callable[[Health], float | int]


class Diagnostics:
    """The diagnostics slots of a device, and counters that outlive its driver's restarts."""

    def __init__(self, device: Device, inputs: Inputs):
        self._inputs = inputs
        self._slots = np.array([point.slot for point in device.diagnostics], np.int64)
        self._real = np.array([point.slot for point in device.diagnostics if point.type == "LREAL"], np.int64)
        self._whole = np.array([point.slot for point in device.diagnostics if point.type != "LREAL"], np.int64)
        self._real_cells = [self._cell(str(point.address)) for point in device.diagnostics if point.type == "LREAL"]
        self._whole_cells = [self._cell(str(point.address)) for point in device.diagnostics if point.type != "LREAL"]
        self._now = NOTHING  # of the connection in use
        self._before = NOTHING  # what earlier connections counted
        self._failures = 0
        self._last_good = (0, 0)  # CLOCK_MONOTONIC, and the same instant as wall clock

    def count(self, health: Health | None, otherwise: int, failures: int) -> Health:
        """The health with what earlier connections of this device counted; `otherwise` is the state where there is no connection.

        Each failure of the driver itself is an error more.
        """
        self._failures = failures
        if health is None:
            return replace(self._before, state=otherwise)
        self._now = health
        return self._sum(health)

    def _sum(self, health: Health) -> Health:
        before = self._before
        return replace(
            health,
            exchanges=before.exchanges + health.exchanges,
            last_good=health.last_good or before.last_good,
            errors=Counter(before.errors) + Counter(health.errors),
        )

    def restart(self) -> None:
        """The connection in use is given up: its counts are kept."""
        self._before = replace(self._sum(self._now), conditions=frozenset(), round_trip=math.nan)
        self._now = NOTHING

    def show(self, health: Health) -> None:
        """Write every slot: good, and read now."""
        inputs = self._inputs
        inputs.lreal[self._real] = [cell(health) for cell in self._real_cells]
        inputs.integer[self._whole] = [cell(health) for cell in self._whole_cells]
        inputs.quality[self._slots], inputs.time[self._slots] = GOOD, time.monotonic_ns()
        inputs.changed()

    def _cell(self, name: str) -> Cell:
        """What stands in the tag of this name."""
        tags: dict[str, Cell] = {
            "state": lambda health: health.state,
            "lost": lambda health: health.state == LOST,
            "round_trip": lambda health: health.round_trip * 1e3 if math.isfinite(health.round_trip) else 0.0,
            "exchanges": lambda health: health.exchanges,
            "errors": lambda health: sum(health.errors.values()) + self._failures,
            "last_good": self._wall,
        }
        assert tags.keys() == {tag[0] for tag in DEVICE_TAGS}
        if name in tags:
            return tags[name]
        if name.startswith(ERRORS_OF):
            kind = name.removeprefix(ERRORS_OF)
            return lambda health: health.errors.get(kind, 0)
        return lambda health: name in health.conditions

    def _wall(self, health: Health) -> int:
        """The last good answer as ns since 1970, converted once: it must not move while nothing comes."""
        if health.last_good != self._last_good[0]:
            self._last_good = (health.last_good, time.time_ns() - (time.monotonic_ns() - health.last_good))
        return self._last_good[1]
