"""Rows of text as a table: coloured for a person, plain and never cut for a pipe. It must not know what the rows mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

NUMBERS_RIGHT = frozenset({"value", "raw", "age", "round-trip", "exchanges"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and the colour that says how it is to be taken (empty: none)."""

    text: str
    style: str = ""


Row = Sequence[Cell]


def plain(heads: Sequence[str], rows: Sequence[Row]) -> str:
    """Aligned columns, two spaces between; nothing is cut, so that a script can read it."""
    texts = [list(heads), *[[cell.text for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in texts) for i in range(len(heads))]
    lines = []
    for row in texts:
        cells = [
            text.rjust(width) if head in NUMBERS_RIGHT else text.ljust(width)
            for head, text, width in zip(heads, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def rich_table(heads: Sequence[str], rows: Sequence[Row]) -> Any:
    """The same as a rich renderable, which folds what is too wide for the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(head, justify="right" if head in NUMBERS_RIGHT else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell.text, style=cell.style) for cell in row))
    return table


def watch(draw: Callable[[], Any], every: float) -> None:
    """Draw again and again on the terminal until Ctrl-C."""
    import time

    from rich.console import Console
    from rich.live import Live

    with Live(draw(), console=Console(), auto_refresh=False, vertical_overflow="ellipsis") as live:
        try:
            while True:
                time.sleep(every)
                live.update(draw(), refresh=True)
        except KeyboardInterrupt:
            return  # the way to end it
