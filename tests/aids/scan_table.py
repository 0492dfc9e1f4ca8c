"""Runs a scan table (`blocks/scan_table.py` says how one is written) through a block twice: in plain Python and compiled."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

from blocks.declare import INPUT, BlockType, Example, Pin, Type
from blocks.plain import Instance
from blocks.scan_table import Table
from runtime.engine.kernels import load_kernel
from runtime.engine.translate import chosen_type

LIBM = frozenset({"EXP", "LN", "EXPT"})  # may differ by one unit in the last place between two libraries
SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.c_int64)
ROWS = 5  # the compiled block runs so many equal instances: the vector loop and the rest after it


def scan(block: BlockType, *, table: str, dt: str = "10ms", length: int = 0, chosen: Type | None = None, **params: Any) -> None:
    """Run the table through the block, and raise AssertionError showing the table where it is wrong.

    `params` are inputs that stay as they are: numbers, texts with a unit, or sequences for arrays. `length` is N.
    """
    follow(block, Example(table=table, dt=dt, length=length, chosen=chosen, **params))


def follow(block: BlockType, example: Example) -> None:
    """The same for an example that a block declares."""
    table = Table(block, example)
    twin = Twin(block, table.chosen, table.length)
    for name, value in table.params.items():
        twin.set(name, value)
    for one in table.scans:
        for name, value in one.given.items():
            twin.set(name, value)
        twin.scan(one.dt)
        if one.is_last:
            wanted = one.line.wanted.items()
            one.line.wrong = {name: twin.get(name) for name, cell in wanted if not table.agrees(name, cell, twin.get(name))}
    if any(line.wrong for line in table.lines):
        raise AssertionError(f"{block.name} does not follow its table:\n{table.show()}")


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


def _elements(value: Any) -> list[Any]:
    return list(value.values) if hasattr(value, "values") else [value]
