"""Runs one instance of a block in plain Python: the meaning that every compiled kernel must reproduce bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from blocks.declare import BOOL, DINT, LREAL, AnyType, BlockType, Pin, Type


def coerce(type: Type, value: Any) -> Any:
    """A value as a pin of this type holds it: BOOL is a bool, integers wrap, LREAL is a double.

    Raises TypeError where a step gives an LREAL to an integer pin without rounding it.
    """
    if type is BOOL:
        return bool(value)
    if type is LREAL:
        return np.float64(value)
    if isinstance(value, (float, np.floating)):
        raise TypeError(f"{value!r} is no {type.name}: use to_int() or to_dint()")
    wrapped = int(value)
    bits = 32 if type is DINT else 64
    return np.int64(((wrapped + (1 << (bits - 1))) % (1 << bits)) - (1 << (bits - 1)))


class Elements:
    """An array pin inside a plain step: coerces what is stored, as the column does."""

    def __init__(self, type: Type, values: list[Any]):
        self.type = type
        self.values = [coerce(type, v) for v in values]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Any:
        return self.values[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self.values[index] = coerce(self.type, value)


class Instance:
    """One block instance as an attribute object; `length` is N where the block has arrays of free length."""

    _pins: dict[str, tuple[Pin, Type]]
    _block: BlockType

    def __init__(self, block: BlockType, chosen: Type | None = None, length: int = 0):
        pins: dict[str, tuple[Pin, Type]] = {}
        object.__setattr__(self, "_pins", pins)
        object.__setattr__(self, "_block", block)
        for pin in block.pins:
            element = (chosen or pin.element.choices[0]) if isinstance(pin.element, AnyType) else pin.element
            pins[pin.name] = (pin, element)
            object.__setattr__(self, pin.name, self._initial(pin, element, length))

    @staticmethod
    def _initial(pin: Pin, element: Type, length: int) -> Any:
        default = 0 if pin.required else pin.default
        if not pin.length:
            return coerce(element, default)
        count = length if pin.length == "N" else int(pin.length)
        return Elements(element, list(default) if isinstance(default, tuple) else [default] * count)

    def __setattr__(self, name: str, value: Any) -> None:
        pin, element = self._pins[name]
        if pin.length:
            value = Elements(element, list(value))
        else:
            value = coerce(element, value)
        object.__setattr__(self, name, value)

    def scan(self, dt: int) -> None:
        """Run the step once; `dt` is in nanoseconds."""
        with np.errstate(all="ignore"):
            self._block.step(self, np.int64(dt))
