"""Finds the first scan at which two replays differ, and in what. It must not know files or people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from runtime.engine.replay_cells import Cell, all_cells
from runtime.engine.replay_run import Rows, TapeRun
from runtime.model import Schedule

CHUNK = 200  # scans at a time: all cells of both are held for so long


@dataclass(frozen=True)
class Difference:
    """The first scan that differs, what differs in it (name, value here, value there), and how many cells do."""

    scan: int
    wall: int
    cells: tuple[tuple[str, object, object], ...]
    count: int


@dataclass(frozen=True)
class Compared:
    """What came of comparing: scans compared, the first difference or None, and the parameters that the two texts set otherwise."""

    scans: int
    first: Difference | None
    edited: tuple[tuple[str, object, object], ...]


def compare(one: TapeRun, other: TapeRun, *, same_tape: bool) -> Compared:
    """Run both side by side over the scans that both have. Of two recordings, clocks and timing are no difference."""

    def choose(schedule: Schedule) -> list[Cell]:
        return [cell for cell in all_cells(schedule) if not _is_of_clocks(cell.name, same_tape)]

    edited: tuple[tuple[str, object, object], ...] = ()
    pairs: list[tuple[int, int]] | None = None
    scans = 0
    for a, b in _together(one.rows(choose), other.rows(choose)):
        if pairs is None:
            pairs, edited = _pairs(a, b)
            left, right = [i for i, _ in pairs], [j for _, j in pairs]
        differs = a.bits[:, left] != b.bits[:, right]
        wrong = np.flatnonzero(differs.any(axis=1))
        if not len(wrong):
            scans += len(a.scans)
            continue
        row = int(wrong[0])
        found = [
            (a.cells[i].name, a.cells[i].value(int(a.bits[row, i])), b.cells[j].value(int(b.bits[row, j])))
            for (i, j), is_other in zip(pairs, differs[row], strict=True)
            if is_other
        ]
        found = [f for f in found if "#" not in f[0]] or found  # a person's names first, then those of lowered expressions
        first = Difference(int(a.scans[row]), int(a.walls[row]), tuple(found[:20]), int(differs[row].sum()))
        return Compared(scans + row, first, edited)
    return Compared(scans, None, edited)


def _is_of_clocks(name: str, same_tape: bool) -> bool:
    if name == "plc.digest":
        return True
    return not same_tape and name.startswith("plc.") and (name.endswith("_us") or name in ("plc.time", "plc.torn"))


def _pairs(a: Rows, b: Rows) -> tuple[list[tuple[int, int]], tuple[tuple[str, object, object], ...]]:
    """The columns of the same name and type; and what differs from the start only because the texts say so, left out of them."""
    places = {(cell.name.lower(), cell.type): j for j, cell in enumerate(b.cells)}
    pairs, edited = [], []
    for i, cell in enumerate(a.cells):
        j = places.get((cell.name.lower(), cell.type))
        if j is None:
            continue
        said, says = cell.first(a.schedule.initial), b.cells[j].first(b.schedule.initial)
        now, then = cell.value(int(a.bits[0, i])), b.cells[j].value(int(b.bits[0, j]))
        if repr(said) != repr(says) and repr((said, says)) == repr((now, then)):
            edited.append((cell.name, said, says))
        else:
            pairs.append((i, j))
    return pairs, tuple(edited)


def _together(one: Iterator[Rows], other: Iterator[Rows]) -> Iterator[tuple[Rows, Rows]]:
    """The rows of both for the same scans."""
    a, b = next(one, None), next(other, None)
    while a is not None and b is not None:
        last = min(a.scans[-1], b.scans[-1])
        _, here, there = np.intersect1d(a.scans, b.scans, return_indices=True)
        if len(here):
            yield _some(a, here), _some(b, there)
        a = next(one, None) if a.scans[-1] <= last else _some(a, np.flatnonzero(a.scans > last))
        b = next(other, None) if b.scans[-1] <= last else _some(b, np.flatnonzero(b.scans > last))


def _some(rows: Rows, which: Sequence[int] | np.ndarray) -> Rows:
    return Rows(rows.scans[which], rows.walls[which], rows.equal[which], rows.bits[which], rows.cells, rows.schedule)
