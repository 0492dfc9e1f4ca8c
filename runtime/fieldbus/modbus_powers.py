"""The powers of ten that a device keeps in registers of its own (SunSpec's scale factors), as they were last read.

It knows no connection. A power that is not known is NaN: what it scales is then no number, and is not written either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from runtime.fieldbus.modbus_register import Place, Register

MOST = 10  # SunSpec information model specification, sunssf: -10 to 10, 0x8000 for none
NONE = 0  # the row that stands for 10^0


class Powers:
    """One cell for each register that holds a power of ten.

    `values` is read by the kernels: 10^n as itself where n >= 0, and as -(10^-n) below, because dividing by 10 is exact
    where multiplying by 0.1 is not. The first cell is 1 and stays.
    """

    def __init__(self, registers: Iterable[Register] = ()):
        places = sorted({register.factor for register in registers if register.factor is not None})
        self.places: tuple[Place, ...] = tuple(places)
        self._rows = {place: row for row, place in enumerate(places, 1)}
        self.values = np.full(len(places) + 1, math.nan)
        self.values[NONE] = 1.0
        self.missing = np.zeros(len(places) + 1, np.bool_)  # the device was asked, and gave none

    def row(self, place: Place | None) -> int:
        """The cell of this register, NONE where there is no factor."""
        return NONE if place is None else self._rows[place]

    def take(self, row: int, raw: int) -> bool:
        """Take a register as read; whether the power changed."""
        number = raw - 65536 if raw >= 32768 else raw
        value = math.nan if abs(number) > MOST else 10.0**number if number >= 0 else -(10.0**-number)
        before = self.values[row]
        self.values[row], self.missing[row] = value, math.isnan(value)
        return before != value and not (math.isnan(before) and math.isnan(value))

    def forget(self, row: int | None = None) -> None:
        """The device refuses this power; or, of all powers, nothing is known any more."""
        if row is not None:
            self.values[row], self.missing[row] = math.nan, True
        else:
            self.values[1:], self.missing[:] = math.nan, False
