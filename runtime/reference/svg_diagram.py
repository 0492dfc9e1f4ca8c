"""The timing diagram of a block's example as SVG: waveforms for BOOLs, steps for numbers, words where they change for the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from blocks.declare import BOOL, Pin
from runtime.reference.timing_diagram import Trace, short_time, shown

LEFT, ROW, GAP, HEAD, FOOT = 130, 26, 16, 22, 8
NARROWEST, WIDEST, LETTER = 74, 150, 7
POINTS_A_COLUMN = 48


def svg(found: Trace) -> str:
    """The whole picture; colours come from the page's `currentColor` and its classes."""
    return _Drawing(found).text()


class _Drawing:
    """One picture: every column as wide as the longest word in it needs."""

    def __init__(self, found: Trace):
        self.found = found
        self.pins = found.inputs + found.outputs
        cells = [cell for pin in self.pins for cell in self._cells(pin)]
        self.column = min(max(NARROWEST, LETTER * max(map(len, cells)) + 10), WIDEST)
        self.width = LEFT + self.column * len(found.columns) + 12
        self.height = HEAD + len(self.pins) * (ROW + GAP) + FOOT

    def text(self) -> str:
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>Timing diagram of {escape(self.found.block.name)}</title>",
            *self._grid(),
        ]
        for i, pin in enumerate(self.pins):
            top = HEAD + i * (ROW + GAP) + GAP // 2
            kind = "output" if pin in self.found.outputs else "input"
            unit = f" [{pin.unit}]" if pin.unit and "{" not in pin.unit else ""
            lines.append(f'<text class="name" x="{LEFT - 10}" y="{top + ROW - 8}">{escape(pin.name + unit)}</text>')
            lines.append(f'<g class="{kind}">{self._signal(pin, top)}</g>')
        return "\n".join([*lines, "</svg>"])

    def _cells(self, pin: Pin) -> list[str]:
        return [shown(pin, self.found.types[pin.name], column.last[pin.name]) for column in self.found.columns]

    def _grid(self) -> list[str]:
        lines = []
        for i, column in enumerate(self.found.columns):
            x = LEFT + i * self.column
            repeats = f" ×{column.repeats}" if column.repeats > 1 else ""
            lines.append(f'<line class="grid" x1="{x}" y1="{HEAD - 4}" x2="{x}" y2="{self.height - FOOT}"/>')
            lines.append(f'<text class="time" x="{x + 3}" y="{HEAD - 9}">{escape(short_time(column.time) + repeats)}</text>')
        return lines

    def _signal(self, pin: Pin, top: int) -> str:
        type = self.found.types[pin.name]
        series = [[scan[pin.name] for scan in _thinned(column.values)] for column in self.found.columns]
        if pin.length or pin.names or not _is_drawable(series):
            return self._words(self._cells(pin), top)
        if type is BOOL:
            return self._steps(series, 0.0, 1.0, top)
        low, high = min(map(min, series)), max(map(max, series))
        return self._steps(series, float(low), float(high), top) + self._labels(self._cells(pin), top)

    def _steps(self, series: Sequence[Sequence[Any]], low: float, high: float, top: int) -> str:
        """A held signal: a level for each scan, scaled into the row; a signal that never changes lies at its foot."""
        span = high - low
        points = []
        for i, values in enumerate(series):
            for k, value in enumerate(values):
                y = top + ROW - 3 - (float(value) - low) / span * (ROW - 6) if span > 0 else top + ROW - 3
                begin, end = (LEFT + self.column * (i + part / len(values)) for part in (k, k + 1))
                points += [f"{begin:.1f},{y:.1f}", f"{end:.1f},{y:.1f}"]
        return f'<polyline points="{" ".join(points)}"/>'

    def _labels(self, cells: Sequence[str], top: int) -> str:
        """The value of each column where it differs from the one before."""
        return "".join(
            f'<text class="value" x="{LEFT + i * self.column + 4}" y="{top + ROW + 9}">{escape(cell)}</text>'
            for i, cell in enumerate(cells)
            if i == 0 or cell != cells[i - 1]
        )

    def _words(self, cells: Sequence[str], top: int) -> str:
        """Bars with a word in each, as an enumeration or an array is shown; one that does not fit is cut, and whole as tooltip."""
        text, begin = "", 0
        for i in range(1, len(cells) + 1):
            if i == len(cells) or cells[i] != cells[begin]:
                x, width, word = LEFT + begin * self.column, (i - begin) * self.column, cells[begin]
                room = (width - 10) // LETTER
                cut = word if len(word) <= room else word[: room - 1] + "…"
                text += f'<rect x="{x + 1}" y="{top + 3}" width="{width - 2}" height="{ROW - 6}"/>'
                text += f'<text class="word" x="{x + 5}" y="{top + ROW - 9}"><title>{escape(word)}</title>{escape(cut)}</text>'
                begin = i
        return text


def _thinned(values: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """At most as many scans of a column as its width shows; the last one always."""
    step = max(1, len(values) // POINTS_A_COLUMN)
    return [*values[: len(values) - 1 : step], values[-1]]


def _is_drawable(series: Sequence[Sequence[Any]]) -> bool:
    return all(math.isfinite(float(value)) for values in series for value in values)
