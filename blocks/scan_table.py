"""The text of a scan table: what an example of a block says, line by line, and what a plain instance shows for it.

One line is one scan: inputs left of the bar, what the block must show after the scan right of it.

    IN | Q  ET
    1  | 0  0ms
    1  | ~0 -

An input may be `-` (unchanged). Two inputs are not pins: `dt` is the time since the last scan, `x` repeats the scan that many
times and compares after the last. An expected cell may be `-` (anything), an array `[1,0]`, a number with a unit (of the pin's
kind), or `~33.9`: right to the digits that are written. Other LREALs must agree to 1e-9.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from blocks.declare import BOOL, INPUT, LREAL, TIME, AnyType, BlockType, Example, Pin, Type

NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000}
FACTORS = {
    ("mHz", "Hz"): 1e-3,
    ("mV", "V"): 1e-3,
    ("mA", "A"): 1e-3,
    ("W", "kW"): 1e-3,
    ("MW", "kW"): 1e3,
    ("min", "s"): 60.0,
    ("h", "s"): 3600.0,
    ("ms", "s"): 1e-3,
    ("mOhm", "Ohm"): 1e-3,
}


class TableError(Exception):
    """A scan table does not say what it should."""


@dataclass
class Line:
    """One line of a table: its cells by pin, and what came out otherwise than it says."""

    given: dict[str, str]
    wanted: dict[str, str]
    wrong: dict[str, Any]


@dataclass(frozen=True)
class Scan:
    """What one scan does to an instance: the inputs that change, the time since the scan before, and the line it belongs to."""

    given: dict[str, Any]
    dt: int
    line: Line
    is_last: bool


class Table:
    """A scan table of a block, read: `params` by pin, `length` is N, and the scans one after another."""

    def __init__(self, block: BlockType, example: Example):
        self.block = block
        self.chosen = example.chosen if block.any_type is None or example.chosen else block.any_type.choices[0]
        self.lines = _parse(example.table)
        self.length = example.length or _longest(self.lines, example.params)
        self.params = {name: self._value(name, value) for name, value in example.params.items()}
        self.scans = self._scans(example.dt)

    def type_of(self, name: str) -> Type:
        """The element type of a pin, in this use of the block."""
        pin = self._pin(name)
        return (self.chosen or pin.element.choices[0]) if isinstance(pin.element, AnyType) else pin.element

    def agrees(self, name: str, cell: str, got: Any) -> bool:
        """Whether a pin shows what a cell asks for."""
        if cell in ("-", "~"):
            return True
        pin, type = self._pin(name), self.type_of(name)
        digits = _digits(pin, cell)
        wanted = _value(pin, type, cell.lstrip("~"))
        if isinstance(wanted, list):
            return len(got) == len(wanted) and all(_close(g, w, type, digits) for g, w in zip(got, wanted, strict=True))
        return _close(got, wanted, type, digits)

    def show(self) -> str:
        """The table with what came out wrong."""
        return _show(self.lines)

    def _pin(self, name: str) -> Pin:
        pin = self.block.pin(name)
        if pin is None:
            raise TableError(f"{self.block.name} has no pin {name}")
        return pin

    def _value(self, name: str, cell: Any) -> Any:
        pin = self.block.pin(name)
        if pin is None or pin.kind != INPUT:
            raise TableError(f"{self.block.name} has no input {name}")
        return _value(pin, self.type_of(name), cell)

    def _scans(self, dt: str) -> list[Scan]:
        step, scans = _time(dt), []
        for line in self.lines:
            given, times = {}, 1
            for name, cell in line.given.items():
                if cell == "-":
                    continue
                if name == "dt":
                    step = _time(cell)
                elif name == "x":
                    times = int(cell)
                else:
                    given[name] = self._value(name, cell)
            scans += [Scan(given if i == 0 else {}, step, line, i == times - 1) for i in range(times)]
        return scans


def _parse(table: str) -> list[Line]:
    texts = [line.split("#")[0].strip() for line in table.strip().splitlines()]
    rows = [[part.split() for part in text.split("|")] for text in texts if text]
    if not rows or len(rows[0]) != 2:
        raise TableError("the header of a scan table is `inputs | outputs`")
    inputs, outputs = rows[0]
    lines = []
    for row, text in zip(rows[1:], [t for t in texts if t][1:], strict=True):
        if len(row) != 2 or len(row[0]) != len(inputs) or len(row[1]) != len(outputs):
            raise TableError(f"`{text}` does not fit the header")
        lines.append(Line(dict(zip(inputs, row[0], strict=True)), dict(zip(outputs, row[1], strict=True)), {}))
    if not lines:
        raise TableError("the scan table is empty")
    return lines


def _longest(lines: list[Line], params: Mapping[str, Any]) -> int:
    cells = [cell for line in lines for cell in line.given.values() if cell.startswith("[")]
    arrays = [len(v) for v in params.values() if isinstance(v, (list, tuple))]
    return max([cell.count(",") + 1 for cell in cells] + arrays, default=0)


def _time(text: str | int) -> int:
    if isinstance(text, int):
        return text
    unit = text.lstrip("+-0123456789.")
    return round(float(text.removesuffix(unit)) * NS[unit]) if unit else int(text)


def _value(pin: Pin, type: Type, cell: Any) -> Any:
    """A cell as the pin holds it. A unit that the pin does not know is an error; a pin that takes any unit takes it as it is."""
    if not isinstance(cell, str):
        return [_value(pin, type, c) for c in cell] if isinstance(cell, (list, tuple)) else cell
    if cell.startswith("["):
        return [_value(pin, type, c) for c in cell.strip("[]").split(",") if c]
    if type is TIME:
        return _time(cell)
    if type is BOOL:
        return {"0": False, "1": True, "false": False, "true": True}[cell]
    number, unit = _split(cell)
    if type is not LREAL:
        return int(number)
    factor = 1.0 if not unit or unit == pin.unit or "{" in pin.unit else FACTORS[unit, pin.unit]
    return float(number) * factor


def _split(cell: str) -> tuple[str, str]:
    if cell.lstrip("+-") in ("nan", "inf"):
        return cell, ""
    end = len(cell)
    while end and not (cell[end - 1].isdigit() or cell[end - 1] == "."):
        end -= 1
    return cell[:end], cell[end:]


def _digits(pin: Pin, cell: str) -> float | None:
    """Half of the last digit's place of `~33.9`, in the pin's unit; None where the cell is meant exactly."""
    if not cell.startswith("~"):
        return None
    number, unit = _split(cell[1:])
    places = len(number.split("e")[0].partition(".")[2])
    return 0.5000001 * 10.0**-places * (1.0 if not unit or unit == pin.unit or "{" in pin.unit else FACTORS[unit, pin.unit])


def _close(got: Any, wanted: Any, type: Type, digits: float | None) -> bool:
    if type is not LREAL:
        return bool(got == wanted)
    if math.isnan(wanted) or math.isinf(wanted):
        return bool(np.array_equal(got, wanted, equal_nan=True))
    return bool(abs(got - wanted) <= digits) if digits is not None else math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-12)


def _show(lines: list[Line]) -> str:
    head = [*lines[0].given, "|", *lines[0].wanted]
    rows = [head]
    for line in lines:
        wanted = [f"{cell} <-- got {line.wrong[name]}" if name in line.wrong else cell for name, cell in line.wanted.items()]
        rows.append([*line.given.values(), "|", *wanted])
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(head))]
    marked = [any(line.wrong) for line in lines]
    shown = []
    for row, bad in zip(rows, [False, *marked], strict=True):
        shown.append(("> " if bad else "  ") + "  ".join(str(c).ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
    return "\n".join(shown)
