"""Runs one compiled instance of a block for many scans: long runs, closed loops, and responses to a whole signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blocks.declare import BlockType
from tests.aids.scan_table import SIGNATURE, Twin


class Compiled:
    """One instance; `set` and `get` pins by name, `scan` runs it once."""

    def __init__(self, block: BlockType, **params: float):
        twin = Twin(block)
        self.columns = twin.columns
        self._keep = twin
        self._call = SIGNATURE(twin.kernel.address)
        self._table = twin._addresses.ctypes.data
        self.set(**params)

    def set(self, **values: float) -> None:
        for name, value in values.items():
            self.columns[name][:] = value

    def get(self, name: str) -> Any:
        return self.columns[name][0].item()

    def scan(self, dt: int) -> None:
        """Run it once; `dt` in nanoseconds."""
        self._call(self._table, 1, 0, dt)


def response(
    block: BlockType, given: Mapping[str, np.ndarray], dt: int | Sequence[int], shown: str = "OUT", **params: float
) -> np.ndarray:
    """What a pin shows in every scan while the pins of `given` follow their arrays; `dt` in ns, one or one a scan."""
    one = Compiled(block, **params)
    length = len(next(iter(given.values())))
    spans = [dt] * length if isinstance(dt, int) else [int(d) for d in dt]
    columns = [(one.columns[name], values) for name, values in given.items()]
    seen = np.empty(length)
    for i in range(length):
        for column, values in columns:
            column[0] = values[i]
        one.scan(spans[i])
        seen[i] = one.columns[shown][0]
    return seen
