"""The scan table: a test of a block that reads like a scope trace, run in plain Python and compiled.

One line is one scan: inputs left of the bar, what the block must show after the scan right of it.

    IN | Q  ET
    1  | 0  0ms
    1  | ~0 -

An input may be `-` (unchanged). Two inputs are not pins: `dt` is the time since the last scan, `x` repeats the scan that many
times and compares after the last. An expected cell may be `-` (anything), an array `[1,0]`, a number with a unit (of the pin's
kind), or `~33.9`: right to the digits that are written. Other LREALs must agree to 1e-9.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from blocks.declare import BOOL, INPUT, LREAL, TIME, BlockType, Pin, Type
from blocks.plain import Instance
from runtime.engine.kernels import load_kernel
from runtime.engine.translate import chosen_type

LIBM = frozenset({"EXP", "LN", "EXPT"})  # may differ by one unit in the last place between two libraries
SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.c_int64)
ROWS = 5  # the compiled block runs so many equal instances: the vector loop and the rest after it
NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000, "h": 3_600_000_000_000}
FACTORS = {
    ("mHz", "Hz"): 1e-3,
    ("mV", "V"): 1e-3,
    ("mA", "A"): 1e-3,
    ("W", "kW"): 1e-3,
    ("MW", "kW"): 1e3,
    ("min", "s"): 60.0,
    ("ms", "s"): 1e-3,
    ("mOhm", "Ohm"): 1e-3,
}


def scan(block: BlockType, *, table: str, dt: str = "10ms", length: int = 0, chosen: Type | None = None, **params: Any) -> None:
    """Run the table through the block twice, plain and compiled, and raise AssertionError showing the table where it is wrong.

    `params` are inputs that stay as they are: numbers, texts with a unit, or sequences for arrays. `length` is N.
    """
    lines = _parse(table)
    length = length or _longest(lines, params)
    twin = Twin(block, chosen, length)
    for name, value in params.items():
        twin.set(name, _value(_input(block, name), twin.type_of(name), value))
    step = _time(dt)
    for line in lines:
        times = 1
        for name, cell in line.given.items():
            if cell == "-":
                continue
            if name == "dt":
                step = _time(cell)
            elif name == "x":
                times = int(cell)
            else:
                twin.set(name, _value(_input(block, name), twin.type_of(name), cell))
        for _ in range(times):
            twin.scan(step)
        line.wrong = {name: twin.get(name) for name, cell in line.wanted.items() if not _agrees(twin, block, name, cell)}
    if any(line.wrong for line in lines):
        raise AssertionError(f"{block.name} does not follow its table:\n{_show(lines)}")


class Twin:
    """A block run as a plain instance and as ROWS compiled ones; every scan must leave the two with the same bits."""

    def __init__(self, block: BlockType, chosen: Type | None = None, length: int = 0):
        self.block = block
        self.chosen = chosen if block.any_type is None or chosen else block.any_type.choices[0]
        self.length = length
        self.plain = Instance(block, self.chosen, length)
        self.kernel = load_kernel(block, self.chosen)
        self.columns = {pin.name: self._column(pin) for pin in block.pins}
        self._addresses = np.array([column.ctypes.data for column in self.columns.values()], dtype=np.uint64)
        self._call = SIGNATURE(self.kernel.address)

    def _column(self, pin: Pin) -> np.ndarray:
        values = _elements(getattr(self.plain, pin.name))
        return np.tile(np.array(values, dtype=self.type_of(pin.name).code), (ROWS, 1)).reshape(-1).copy()

    def type_of(self, name: str) -> Type:
        pin = self.block.pin(name)
        assert pin is not None, f"{self.block.name} has no pin {name}"
        return chosen_type(pin, self.chosen)

    def set(self, name: str, value: Any) -> None:
        """Give a pin a value, in both worlds."""
        pin = self.block.pin(name)
        assert pin is not None, f"{self.block.name} has no pin {name}"
        setattr(self.plain, name, value)
        self.columns[name][:] = np.tile(np.array(_elements(getattr(self.plain, name)), dtype=self.columns[name].dtype), ROWS)

    def get(self, name: str) -> Any:
        """What the plain instance shows on a pin: a number, or a list for an array."""
        values = _elements(getattr(self.plain, name))
        pin = self.block.pin(name)
        return values if pin is not None and pin.length else values[0]

    def scan(self, dt: int) -> None:
        """Run both once; `dt` in nanoseconds. Raises AssertionError where they differ."""
        before = {name: self.get(name) for name in self.columns}
        self.plain.scan(dt)
        self._call(self._addresses.ctypes.data, ROWS, self.length, dt)
        for pin in self.block.pins:
            if pin.kind != INPUT:
                self._compare(pin, before, dt)

    def _compare(self, pin: Pin, before: Mapping[str, Any], dt: int) -> None:
        column = self.columns[pin.name].reshape(ROWS, -1)
        plain = np.array(_elements(getattr(self.plain, pin.name)), dtype=column.dtype)
        near = self.block.name in LIBM
        for row in range(ROWS):
            if not same_bits(plain, column[row], ulps=1 if near else 0):
                differ = f"plain {plain}, compiled {column[row]} (row {row})"
                raise AssertionError(f"{self.block.name}.{pin.name}: {differ} after dt={dt} from {before}")
        if near:
            self.columns[pin.name][:] = np.tile(plain, ROWS)


def same_bits(one: np.ndarray, other: np.ndarray, ulps: int = 0) -> bool:
    """Whether two arrays hold the same bits; NaNs are one value, since IEEE 754 leaves their payload open."""
    if one.dtype.kind != "f":
        return bool(np.array_equal(one, other))
    both_nan = np.isnan(one) & np.isnan(other)
    equal = one.view(np.int64) == other.view(np.int64)
    if ulps:
        with np.errstate(invalid="ignore"):
            equal |= np.abs(one - other) <= ulps * np.spacing(np.maximum(np.abs(one), np.abs(other)))
    return bool(np.all(both_nan | equal))


@dataclass
class Line:
    """One line of the table: its text in cells, and what came out otherwise than it says."""

    given: dict[str, str]
    wanted: dict[str, str]
    wrong: dict[str, Any]


def _parse(table: str) -> list[Line]:
    texts = [line.split("#")[0].strip() for line in table.strip().splitlines()]
    rows = [[part.split() for part in text.split("|")] for text in texts if text]
    assert len(rows[0]) == 2, "the header of a scan table is `inputs | outputs`"
    inputs, outputs = rows[0]
    lines = []
    for row, text in zip(rows[1:], [t for t in texts if t][1:], strict=True):
        assert len(row) == 2 and len(row[0]) == len(inputs) and len(row[1]) == len(outputs), f"`{text}` does not fit the header"
        lines.append(Line(dict(zip(inputs, row[0], strict=True)), dict(zip(outputs, row[1], strict=True)), {}))
    assert lines, "the scan table is empty"
    return lines


def _longest(lines: list[Line], params: Mapping[str, Any]) -> int:
    cells = [cell for line in lines for cell in line.given.values() if cell.startswith("[")]
    arrays = [len(v) for v in params.values() if isinstance(v, (list, tuple))]
    return max([cell.count(",") + 1 for cell in cells] + arrays, default=0)


def _input(block: BlockType, name: str) -> Pin:
    pin = block.pin(name)
    assert pin is not None and pin.kind == INPUT, f"{block.name} has no input {name}"
    return pin


def _elements(value: Any) -> list[Any]:
    return list(value.values) if hasattr(value, "values") else [value]


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


def _agrees(twin: Twin, block: BlockType, name: str, cell: str) -> bool:
    if cell in ("-", "~"):
        return True
    pin, type = block.pin(name), twin.type_of(name)
    assert pin is not None
    got = twin.get(name)
    digits = _digits(pin, cell)
    wanted = _value(pin, type, cell.lstrip("~"))
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(_close(g, w, type, digits) for g, w in zip(got, wanted, strict=True))
    return _close(got, wanted, type, digits)


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
