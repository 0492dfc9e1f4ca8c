"""What one input line has said so far: its level once bounces have ended, or the number of its edges.

Pure bookkeeping over edges and readings, so that the kernel's lines and the simulated ones are judged alike. It reads no clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.fieldbus.gpio_lines import Edge
from runtime.fieldbus.gpio_words import InputLine


class InputState:
    """One input. `time` is CLOCK_MONOTONIC ns of the last thing that was learned, `lost` the edges that were never seen."""

    def __init__(self, line: InputLine):
        self.line = line
        self.time = 0
        self.lost = 0
        self.level: bool | None = None  # None until the first reading
        self._count = 0
        self._reports_edges = False
        self._debounce = line.debounce
        self._number = 0  # of the last edge
        self._edge_time = -1  # none
        self._differs_since: int | None = None

    @property
    def value(self) -> int:
        """What stands in the tag: the count, or the level."""
        return self._count if self.line.count else int(bool(self.level))

    def begin(self, reports_edges: bool, debounces: bool) -> None:
        """The line was taken, for the first time or again: edges are numbered from 1, the level is not known, the count goes on."""
        self._reports_edges = reports_edges
        self._debounce = 0 if debounces else self.line.debounce
        self._number, self._edge_time = 0, -1
        self.level, self._differs_since = None, None

    def take_edges(self, edges: Sequence[Edge]) -> None:
        """Edges as they came. A gap in their numbers is edges that were lost; a count goes on by them, since they happened."""
        for edge in edges:
            missed = max(0, edge.number - self._number - 1)
            self._number, self._edge_time = edge.number, edge.time
            self.lost += missed
            if self._debounce:
                self._see(edge.rising, edge.time, restarts=True)
                continue
            if self._counts(edge.rising):
                self._count += 1 + missed
            self.level = edge.rising
            self.time = max(self.time, edge.time)

    def take_reading(self, level: bool, asked: int) -> None:
        """A level that was read after `asked`; an edge that came since then knows better."""
        if self._edge_time < asked:
            if self._debounce and self.level is not None:
                self._see(level, asked, restarts=False)
            elif self._reports_edges or self.level is None:
                self.level = level  # its edge will be counted, or it is the first
            else:
                self._accept(level)
        self.time = max(self.time, asked)

    def due(self) -> int | None:
        """When the level will have lasted long enough, if nothing changes; None where nothing is pending."""
        return None if self._differs_since is None else self._differs_since + self._debounce

    def settle(self, now: int) -> None:
        """The time of `due` has come and no edge has: the level counts."""
        due = self.due()
        if due is not None and due <= now:
            self._accept(not self.level)
            self.time = max(self.time, due)

    def _see(self, level: bool, at: int, restarts: bool) -> None:
        """A level that may be a bounce. Each edge starts the time anew; a reading ends it."""
        if self.level is None:
            self._accept(level)
        elif level == self.level:
            self._differs_since = None
        elif self._differs_since is None or restarts:
            self._differs_since = at
        elif at - self._differs_since >= self._debounce:
            self._accept(level)
        self.time = max(self.time, at)

    def _accept(self, level: bool) -> None:
        if self.level is not None and level != self.level and self._counts(level):
            self._count += 1
        self.level, self._differs_since = level, None

    def _counts(self, rising: bool) -> bool:
        return self.line.edges == "both" or self.line.edges == ("rising" if rising else "falling")
