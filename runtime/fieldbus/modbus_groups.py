"""Which registers are read together, and the tables that the Modbus kernels walk. It opens no connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from runtime.fieldbus.modbus_register import BIT_TABLES, Register
from runtime.model import Point

# Columns of the point table. R_FIRST counts from the start of the group (reads) or in the image (writes).
R_FIRST, R_KIND, R_WIDTH, R_BIT, R_WORDS_LITTLE, R_BYTES_LITTLE, R_SLOT, R_INTEGER, R_PLAIN = range(9)
MOST_BITS = 2000  # coils in one read (Modbus application protocol 1.1b3, 6.1)


@dataclass(frozen=True, slots=True)
class ModbusSettings:
    """What the io_map says about the device itself; durations are nanoseconds."""

    host: str
    port: int
    unit: int
    poll: int
    gap: int
    max_read: int
    request_timeout: int


class Table(NamedTuple):
    """Points as the kernels see them: one row each, and its scale and offset."""

    rows: np.ndarray
    factors: np.ndarray


@dataclass(frozen=True, eq=False)
class ReadGroup:
    """One request: `count` registers or bits of one table from `address`, and the points that it feeds."""

    table: str
    address: int
    count: int
    points: tuple[Point, ...]
    rows: Table
    slots: np.ndarray
    is_bridged: bool  # covers registers that nobody asked for

    def __str__(self) -> str:
        return f"{self.table} {self.address} to {self.address + self.count - 1}"


def table_of(points: Sequence[Point], firsts: Sequence[int], slots: Sequence[int]) -> Table:
    """The kernel's table of these points, standing at `firsts` and feeding `slots`."""
    rows, factors = [], []
    for point, first, slot in zip(points, firsts, slots):
        register: Register = point.address
        integer = point.type != "LREAL"
        plain = integer and register.scale == 1 and register.offset == 0
        rows.append(
            [
                first,
                register.kind,
                register.width,
                max(register.bit, 0),
                register.words_little,
                register.bytes_little,
                slot,
                integer,
                plain,
            ]
        )
        factors.append([register.scale, register.offset])
    return Table(np.array(rows, np.int64).reshape(-1, 9), np.array(factors, np.float64).reshape(-1, 2))


def read_groups(points: Sequence[Point], gap: int, max_read: int) -> tuple[ReadGroup, ...]:
    """The fewest requests that read all points: neighbours join where the hole between them is no wider than `gap`."""
    groups = []
    tables = sorted({point.address.table for point in points})
    for table in tables:
        most = MOST_BITS if table in BIT_TABLES else max_read
        mine = sorted((p for p in points if p.address.table == table), key=lambda p: (p.address.address, p.address.width))
        groups += [_group(table, run) for run in _runs(mine, gap, most)]
    return tuple(groups)


def _runs(points: Sequence[Point], gap: int, most: int) -> Iterator[list[Point]]:
    """Cut points, sorted by address, where a hole is too wide or a request too long; taking the most each time is optimal."""
    run: list[Point] = []
    start = end = 0
    for point in points:
        first, after = point.address.address, point.address.address + point.address.width
        if run and (first - end > gap or max(end, after) - start > most):
            yield run
            run = []
        if not run:
            start = end = first
        run.append(point)
        end = max(end, after)
    if run:
        yield run


def _group(table: str, points: Sequence[Point]) -> ReadGroup:
    start = points[0].address.address
    end = max(p.address.address + p.address.width for p in points)
    asked = {a for p in points for a in range(p.address.address, p.address.address + p.address.width)}
    slots = [p.slot for p in points]
    rows = table_of(points, [p.address.address - start for p in points], slots)
    return ReadGroup(table, start, end - start, tuple(points), rows, np.array(slots, np.int64), len(asked) < end - start)


def without_bridges(group: ReadGroup) -> tuple[ReadGroup, ...]:
    """The group cut at every hole: what is left to try where a device refuses registers in between."""
    return tuple(_group(group.table, run) for run in _runs(group.points, 0, group.count))
