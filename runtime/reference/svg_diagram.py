"""The timing diagram of a block's example as SVG: waveforms for BOOLs, steps for numbers, words where they change for the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from blocks.declare import BOOL, LREAL, TIME, Pin
from runtime.reference.timing_diagram import Trace, short_time, shown

LEFT, COLUMN, ROW, GAP, HEAD, FOOT = 120, 74, 26, 16, 22, 8
POINTS_A_COLUMN = 48


def svg(found: Trace) -> str:
    """The whole picture; colours come from the page's `currentColor` and its classes."""
    pins = found.inputs + found.outputs
    width, height = LEFT + COLUMN * len(found.columns) + 12, HEAD + len(pins) * (ROW + GAP) + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>Timing diagram of {escape(found.block.name)}</title>",
        *_grid(found, height),
    ]
    for i, pin in enumerate(pins):
        top = HEAD + i * (ROW + GAP) + GAP // 2
        kind = "output" if pin in found.outputs else "input"
        unit = f" [{pin.unit}]" if pin.unit and "{" not in pin.unit else ""
        lines.append(f'<text class="name {kind}" x="{LEFT - 10}" y="{top + ROW - 8}">{escape(pin.name + unit)}</text>')
        lines.append(f'<g class="{kind}">{_signal(found, pin, top)}</g>')
    return "\n".join([*lines, "</svg>"])


def _grid(found: Trace, height: int) -> list[str]:
    lines = []
    for i, column in enumerate(found.columns):
        x = LEFT + i * COLUMN
        repeats = f" ×{column.repeats}" if column.repeats > 1 else ""
        lines.append(f'<line class="grid" x1="{x}" y1="{HEAD - 4}" x2="{x}" y2="{height - FOOT}"/>')
        lines.append(f'<text class="time" x="{x + 3}" y="{HEAD - 9}">{escape(short_time(column.time) + repeats)}</text>')
    return lines


def _signal(found: Trace, pin: Pin, top: int) -> str:
    type = found.types[pin.name]
    series = [[scan[pin.name] for scan in _thinned(column.values)] for column in found.columns]
    if pin.length or pin.names or (type is not BOOL and not _is_drawable(series)):
        return _words([shown(pin, type, values[-1]) for values in series], top)
    if type is BOOL:
        return _steps(series, 0.0, 1.0, top)
    low, high = min(min(v) for v in series), max(max(v) for v in series)
    labels = _labels([shown(pin, type, values[-1]) for values in series], top) if type in (LREAL, TIME) or high > low else ""
    return _steps(series, float(low), float(high), top) + (labels or _labels([str(int(v[-1])) for v in series], top))


def _thinned(values: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """At most as many scans of a column as its width shows; the last one always."""
    step = max(1, len(values) // POINTS_A_COLUMN)
    return [*values[: len(values) - 1 : step], values[-1]]


def _is_drawable(series: Sequence[Sequence[Any]]) -> bool:
    return all(math.isfinite(float(value)) for values in series for value in values)


def _steps(series: Sequence[Sequence[Any]], low: float, high: float, top: int) -> str:
    """A held signal: a level for each scan, scaled into the row; a signal that never changes lies at its foot."""
    span = high - low
    points = []
    for i, values in enumerate(series):
        for k, value in enumerate(values):
            y = top + ROW - 3 - (float(value) - low) / span * (ROW - 6) if span > 0 else top + ROW - 3
            begin, end = LEFT + COLUMN * (i + k / len(values)), LEFT + COLUMN * (i + (k + 1) / len(values))
            points += [f"{begin:.1f},{y:.1f}", f"{end:.1f},{y:.1f}"]
    return f'<polyline points="{" ".join(points)}"/>'


def _labels(cells: Sequence[str], top: int) -> str:
    """The value of each column where it differs from the one before."""
    return "".join(
        f'<text class="value" x="{LEFT + i * COLUMN + 4}" y="{top + ROW + 9}">{escape(cell)}</text>'
        for i, cell in enumerate(cells)
        if i == 0 or cell != cells[i - 1]
    )


def _words(cells: Sequence[str], top: int) -> str:
    """Bars with a word in each, as an enumeration or an array is shown."""
    text, begin = "", 0
    for i in range(1, len(cells) + 1):
        if i == len(cells) or cells[i] != cells[begin]:
            x, width = LEFT + begin * COLUMN, (i - begin) * COLUMN
            text += f'<rect x="{x + 1}" y="{top + 3}" width="{width - 2}" height="{ROW - 6}"/>'
            text += f'<text class="word" x="{x + 5}" y="{top + ROW - 9}">{escape(cells[begin])}</text>'
            begin = i
    return text
