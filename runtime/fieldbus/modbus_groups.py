"""Which registers are read together, and the tables that the Modbus kernels walk. It opens no connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from runtime.fieldbus.modbus_powers import NONE, Powers
from runtime.fieldbus.modbus_register import BIT_TABLES, Place, Register
from runtime.model import Point

# Columns of the point table. R_FIRST counts from the start of the group (reads) or in the image (writes). The raw words
# that mean "no value" are invalid[R_INVALID : R_INVALID_END]. R_INTEGER has the bits of an integer tag, 0 for LREAL.
R_FIRST, R_KIND, R_WIDTH, R_BIT, R_BITS, R_WORDS_LITTLE, R_BYTES_LITTLE, R_SLOT, R_INTEGER, R_PLAIN = range(10)
R_POWER, R_INVALID, R_INVALID_END = range(10, 13)
COLUMNS = 13
TAG_BITS = {"LREAL": 0, "DINT": 32}
MOST_BITS = 2000  # coils in one read (Modbus application protocol 1.1b3, 6.1)


class Span(Protocol):
    """What a line must know of a read."""

    @property
    def table(self) -> str: ...

    @property
    def address(self) -> int: ...

    @property
    def count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Registers:
    """A read that feeds no point: the questions of a handshake, a discovery, a read-back."""

    table: str
    address: int
    count: int

    def __str__(self) -> str:
        return f"{self.table} {self.address} to {self.address + self.count - 1}"


class Table(NamedTuple):
    """Points as the kernels see them: one row each, its scale and offset, and the powers of ten and raw words rows point at."""

    rows: np.ndarray
    factors: np.ndarray
    powers: np.ndarray
    invalid: np.ndarray


class Need(NamedTuple):
    """One value that a request must bring: a point, or a power of ten (`power` is its cell then).

    Registers between two needs of one `block` exist in the device: a hole there costs nothing but its bytes.
    """

    address: int
    width: int
    point: Point | None
    power: int
    block: tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class ReadGroup:
    """One request: `count` registers or bits of one table from `address`, and what it feeds."""

    table: str
    address: int
    count: int
    needs: tuple[Need, ...]
    rows: Table
    slots: np.ndarray
    is_bridged: bool  # covers registers that nobody asked for
    powers: tuple[tuple[int, int], ...]  # (place in the answer, cell) of each power of ten
    foreign: frozenset[int]  # cells of the powers of ten that scale its points and come in other answers

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(need.point for need in self.needs if need.point is not None)

    def __str__(self) -> str:
        return f"{self.table} {self.address} to {self.address + self.count - 1}"


def table_of(points: Sequence[Point], firsts: Sequence[int], slots: Sequence[int], powers: Powers | None = None) -> Table:
    """The kernel's table of these points, standing at `firsts` and feeding `slots`."""
    powers = powers or Powers()
    rows, factors, invalid = [], [], list[int]()
    for point, first, slot in zip(points, firsts, slots):
        register: Register = point.address
        integer = TAG_BITS.get(point.type, 64)
        power = powers.row(register.factor)
        plain = integer > 0 and register.scale == 1 and register.offset == 0 and not power
        rows.append(
            [
                first,
                register.kind,
                register.width,
                max(register.bit, 0),
                register.bits,
                register.words_little,
                register.bytes_little,
                slot,
                integer,
                plain,
                power,
                len(invalid),
                len(invalid) + len(register.invalid),
            ]
        )
        invalid += register.invalid
        factors.append([register.scale, register.offset])
    return Table(
        np.array(rows, np.int64).reshape(-1, COLUMNS),
        np.array(factors, np.float64).reshape(-1, 2),
        powers.values,
        np.array(invalid, np.uint64),
    )


def read_groups(
    points: Sequence[Point],
    gap: int,
    max_read: int,
    powers: Powers | None = None,
    factors: Sequence[int] = (),
    scaled: Sequence[Point] = (),
) -> tuple[ReadGroup, ...]:
    """The fewest requests that read all points, and the powers of ten in these cells, which scale the points `scaled`.

    Neighbours join where the hole between them is no wider than `gap`. Points without an address are left out.
    """
    powers = powers or Powers()
    needs: dict[str, list[Need]] = {}
    for point in points:
        register: Register = point.address
        if register.width:
            block = register.model and register.model[:2]
            needs.setdefault(register.table, []).append(Need(register.address, register.width, point, 0, block))
    for row in factors:
        place = powers.places[row - 1]
        needs.setdefault(place.table, []).append(Need(place.address, 1, None, row, _block_of(place, scaled)))
    groups = []
    for table in sorted(needs):
        most = MOST_BITS if table in BIT_TABLES else max_read
        mine = sorted(needs[table], key=lambda need: (need.address, need.width))
        groups += [_group(table, run, powers) for run in _runs(mine, gap, most)]
    return tuple(groups)


def _block_of(place: Place, scaled: Sequence[Point]) -> tuple[int, int] | None:
    """The model that a power of ten belongs to: that of a point which it scales."""
    models = (point.address.model[:2] for point in scaled if point.address.model is not None and point.address.factor == place)
    return next(models, None)


def _runs(needs: Sequence[Need], gap: int, most: int) -> Iterator[list[Need]]:
    """Cut needs, sorted by address, where a hole is too wide or a request too long; taking the most each time is optimal.

    A block that fits one request is not cut: its powers of ten must be as old as what they scale.
    """
    run: list[Need] = []
    start = end = 0
    block: tuple[int, int] | None = None  # of the need before
    reach = {need.block: need.address + need.width for need in needs}
    for need in needs:
        first, after = need.address, need.address + need.width
        is_inside = need.block is not None and need.block == block
        whole = reach[need.block] if need.block is not None and not is_inside else after
        longest = max(end, after, whole if whole - first <= most else after) - start
        if run and (longest > most or (first - end > gap and not (is_inside and gap > 0))):
            yield run
            run = []
        if not run:
            start = end = first
        run.append(need)
        end, block = max(end, after), need.block
    if run:
        yield run


def _group(table: str, needs: Sequence[Need], powers: Powers) -> ReadGroup:
    start = needs[0].address
    end = max(need.address + need.width for need in needs)
    asked = {a for need in needs for a in range(need.address, need.address + need.width)}
    points = [(need.point, need.address - start) for need in needs if need.point is not None]
    slots = [point.slot for point, _ in points]
    rows = table_of([point for point, _ in points], [first for _, first in points], slots, powers)
    cells = tuple((need.address - start, need.power) for need in needs if need.power)
    foreign = frozenset(rows.rows[:, R_POWER].tolist()) - {NONE, *(cell for _, cell in cells)}
    return ReadGroup(
        table, start, end - start, tuple(needs), rows, np.array(slots, np.int64), len(asked) < end - start, cells, foreign
    )


def without_bridges(group: ReadGroup, powers: Powers | None = None) -> tuple[ReadGroup, ...]:
    """The group cut at every hole: what is left to try where a device refuses registers in between."""
    return tuple(_group(group.table, run, powers or Powers()) for run in _runs(group.needs, 0, group.count))


def halves(group: ReadGroup, powers: Powers | None = None) -> tuple[ReadGroup, ...]:
    """The group in two, without cutting a value; the group itself where it is one value."""
    cuts, end = [], group.needs[0].address
    for index, need in enumerate(group.needs):
        if index and need.address >= end:
            cuts.append(index)
        end = max(end, need.address + need.width)
    if not cuts:
        return (group,)
    cut = min(cuts, key=lambda index: abs(2 * index - len(group.needs)))
    return tuple(_group(group.table, part, powers or Powers()) for part in (group.needs[:cut], group.needs[cut:]))
