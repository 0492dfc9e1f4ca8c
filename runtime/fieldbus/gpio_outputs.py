"""The outputs of a panel: what each shall drive, and the lines that do.

A line is taken together with its first value, which the scan or the safe sequence gives, so it never drives another one. Until then
a line that an ended process left driven stays as it is: most chips keep level and direction when a process ends, however it ends.
The kernel promises nothing there, so a line that must fall safe has its resistor outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from runtime.fieldbus.gpio_lines import HeldOutput, LineError, Lines, attempt
from runtime.model import Point


class PanelOutputs:
    """The outputs of one device by their slots. `drive` and `release` run in the device's thread, the rest on the event loop."""

    def __init__(self, points: Sequence[Point], lines: Lines):
        self.points: Mapping[int, Point] = {point.slot: point for point in points}
        self.wanted: dict[int, bool] = {}
        self.changed: set[int] = set()
        self._lines = lines
        self._driven: dict[int, HeldOutput] = {}

    @property
    def count(self) -> int:
        """The lines that drive."""
        return len(self._driven)

    def take(self, cells: np.ndarray) -> None:
        """What the scan wants."""
        for slot in self.points:
            level = bool(cells[slot])
            if self.wanted.get(slot) is not level:
                self.wanted[slot] = level
                self.changed.add(slot)

    def take_safe(self, slots: Sequence[int]) -> None:
        """The safe values of these."""
        for slot in slots:
            self.wanted[slot] = bool(self.points[slot].safe)
            self.changed.discard(slot)

    def take_changed(self) -> tuple[int, ...]:
        """The outputs that changed since the last call."""
        slots = tuple(self.changed)
        self.changed.clear()
        return slots

    def drive(self, slots: Sequence[int]) -> dict[int, LineError | None]:
        """Drive these as wanted, and say which could not be. Raises LineError of the chip."""
        found: dict[int, LineError | None] = {}
        for slot in slots:
            outcome = attempt(partial(self._drive, slot))
            found[slot] = outcome if isinstance(outcome, LineError) else None
        return found

    def _drive(self, slot: int) -> None:
        level = self.wanted[slot]
        if slot in self._driven:
            self._driven[slot].write(level)
        else:
            self._driven[slot] = self._lines.hold_output(self.points[slot].address, level)

    def release(self) -> None:
        """Give the lines back."""
        for held in self._driven.values():
            held.release()
        self._driven.clear()
