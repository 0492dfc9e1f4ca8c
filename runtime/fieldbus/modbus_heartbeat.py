"""The register that counts while the scan speaks for a device's outputs, so that the device can miss it. It opens nothing."""

from __future__ import annotations

import numpy as np

from runtime.fieldbus.modbus_register import HOLDING
from runtime.fieldbus.modbus_rules import Heartbeat
from runtime.fieldbus.modbus_writes import WriteRun

NS = 1e-9


class Pulse:
    """The count of one device. `scan_spoke` and `scan_fell_silent` say who is in charge of the outputs."""

    def __init__(self, rule: Heartbeat | None):
        self._rule = rule
        self._spoken = False
        self._count = 0
        self._due = 0.0

    def scan_spoke(self) -> None:
        """The scan has published outputs since the last beat."""
        self._spoken = True

    def scan_fell_silent(self) -> None:
        """The outputs go to their safe values: the beat stops, even where it was due."""
        self._spoken = False

    def next_due(self) -> float:
        """When the next beat is due (loop time); infinite without a heartbeat."""
        return self._due if self._rule is not None else float("inf")

    def next_beat(self, now: float) -> WriteRun | None:
        """The write of the next count, where it is due and the scan has spoken since the last."""
        if self._rule is None or now < self._due:
            return None
        period = self._rule.every * NS
        self._due = max(self._due + period, now + period / 2)  # on its grid, but never two at once after a stall
        if not self._spoken:
            return None
        self._spoken = False
        self._count = 0 if self._count >= self._rule.limit else self._count + 1
        return WriteRun(HOLDING, self._rule.address, -1, np.array([self._count], np.uint16))
