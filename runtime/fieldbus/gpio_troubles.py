"""What is wrong with a panel: its chip or single lines, said once, counted, and summed up as conditions. It drives nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

import structlog

from runtime.fieldbus.gpio_lines import CONDITION_OF, LineError

EDGES_LOST_FOR = 10_000_000_000  # ns that the condition holds after the last loss


class Troubles:
    """The troubles of one device; lines go by the name of their tag and their element."""

    def __init__(self, device: str):
        self.errors: Counter[str] = Counter()
        self.last = ""
        self.of_chip: LineError | None = None
        self.of_lines: dict[str, LineError] = {}
        self._edges_lost_at = 0
        self._log = structlog.get_logger().bind(device=device)

    def note(self, line: str, error: LineError | None) -> None:
        """A line could not be used, or can be; a change is said."""
        before = self.of_lines.pop(line, None)
        if error is not None:
            self.of_lines[line] = error
            self.errors[error.kind] += 1
            self.last = str(error)
        if error is not None and str(error) != str(before or ""):
            self._log.error("line cannot be used", line=line, reason=str(error))
        if error is None and before is not None:
            self._log.info("line can be used", line=line)

    def lose(self, error: LineError) -> None:
        """The chip cannot be used; each reason is said once."""
        self.errors[error.kind] += 1
        if self.of_chip is None or str(error) != str(self.of_chip):
            self._log.error("the GPIO chip cannot be used", reason=str(error))
        self.of_chip, self.last = error, str(error)
        self.of_lines.clear()

    def find(self) -> None:
        """The chip is there."""
        if self.of_chip is not None:
            self._log.info("the GPIO chip can be used")
        self.of_chip = None

    def lose_edges(self, count: int) -> None:
        """Edges came that nobody saw."""
        self.errors["lost_edges"] += count
        self._edges_lost_at = time.monotonic_ns()

    def conditions(self) -> frozenset[str]:
        """The conditions that hold now."""
        errors: Mapping[str, LineError] = self.of_lines if self.of_chip is None else {"": self.of_chip}
        found = {CONDITION_OF[error.kind] for error in errors.values()}
        if self._edges_lost_at and time.monotonic_ns() - self._edges_lost_at < EDGES_LOST_FOR:
            found.add("edges_lost")
        return frozenset(found)
