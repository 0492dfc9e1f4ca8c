"""How far our blocks are from the packages and standards that they are compared with: collected by tests, shown after the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """The largest error of one block against one reference, and the bar that it must stay under, both in `unit`."""

    block: str
    reference: str
    what: str
    error: float
    bar: float
    unit: str


def table(found: Sequence[Deviation]) -> str:
    """One line a comparison, by block."""
    rows = [("block", "reference", "what", "max error", "bar")]
    for d in sorted(found, key=lambda d: (d.block, d.reference, d.what)):
        rows.append((d.block, d.reference, d.what, f"{d.error:.3g} {d.unit}".strip(), f"{d.bar:.3g} {d.unit}".strip()))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
