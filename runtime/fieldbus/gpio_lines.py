"""What a chip's lines can do, whoever implements them: the kernel's character device, or the simulated twin.

`open`, `hold_*`, `read`, `write`, `release` and `close` may block and run in the device's own thread, one after another; `start`,
`stop`, `watch` and `unwatch` belong to the event loop. It must not know tags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from runtime.fieldbus.gpio_words import InputLine, OutputLine

ERRORS: Mapping[str, str] = {
    "chip_absent": "No GPIO chip of this name was there",
    "chip_ambiguous": "Several GPIO chips had this label",
    "permission": "The kernel did not let this user open the chip",
    "unplugged": "The chip went away while it was used",
    "line_absent": "The chip has no line of this name or number, or several",
    "busy": "Another program holds a line",
    "refused": "The chip cannot do what a line's words ask for",
    "failed": "A line could not be read or written",
    "lost_edges": "Edges that came faster than they were taken",
}
CONDITIONS: Mapping[str, str] = {
    "chip_missing": "The GPIO chip is not there, or its label is not unique",
    "no_answer": "The GPIO chip has not answered for more than a second",
    "no_permission": "The kernel does not let this user open the GPIO chip",
    "line_missing": "The GPIO chip lacks a line, or its name is not unique",
    "line_busy": "Another program holds a line of the GPIO chip",
    "line_refused": "The GPIO chip cannot do what a line's words ask for",
    "line_failed": "A line of the GPIO chip cannot be read or written",
    "edges_lost": "Edges came faster than they were taken in the last 10 s",
    "no_edges": "A line that shall report its edges is only polled: the chip has no interrupts",
}
CONDITION_OF: Mapping[str, str] = {
    "chip_absent": "chip_missing",
    "chip_ambiguous": "chip_missing",
    "unplugged": "chip_missing",
    "permission": "no_permission",
    "line_absent": "line_missing",
    "busy": "line_busy",
    "refused": "line_refused",
    "failed": "line_failed",
}
T = TypeVar("T")
OF_THE_CHIP = frozenset({"chip_absent", "chip_ambiguous", "permission", "unplugged"})


class LineError(Exception):
    """A line, or its whole chip, cannot be used; `kind` is a key of ERRORS and the text says what to do."""

    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.kind = kind

    @property
    def is_of_the_chip(self) -> bool:
        """Whether all lines are lost, not this one only."""
        return self.kind in OF_THE_CHIP


@dataclass(frozen=True, slots=True)
class Edge:
    """One edge: when (CLOCK_MONOTONIC ns), whether the line became true, and its number since the line was taken, from 1."""

    time: int
    rising: bool
    number: int


class HeldInput(Protocol):
    """An input that is ours. `reports_edges`: it tells of edges by itself; `debounces`: only of those that lasted."""

    reports_edges: bool
    debounces: bool

    def read(self) -> bool:
        """The level now. Raises LineError."""

    def watch(self, take: Callable[[Sequence[Edge]], None], lost: Callable[[], None]) -> None:
        """Have every edge given to `take`; `lost` is called where the line can tell no more."""

    def unwatch(self) -> None: ...

    def release(self) -> None: ...


class HeldOutput(Protocol):
    """An output that is ours and drives its level."""

    def write(self, level: bool) -> None:
        """Drive this level. Raises LineError."""

    def release(self) -> None: ...


class Lines(Protocol):
    """The lines of one chip."""

    async def start(self) -> None:
        """Whatever must be there before the chip is."""

    def open(self) -> None:
        """Find and open the chip. Raises LineError."""

    def hold_input(self, line: InputLine) -> HeldInput:
        """Take a line as an input. Raises LineError."""

    def hold_output(self, line: OutputLine, level: bool) -> HeldOutput:
        """Take a line as an output that drives this level from its first moment. Raises LineError."""

    def close(self) -> None:
        """Give the chip back; its lines were released."""

    async def stop(self) -> None: ...


def attempt(work: Callable[[], T]) -> T | LineError:
    """What it gives, or why this one line cannot. Raises LineError of the whole chip."""
    try:
        return work()
    except LineError as error:
        if error.is_of_the_chip:
            raise
        return error
