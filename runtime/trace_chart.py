"""Draws a trace as SVG: one strip for each unit, steps as the scan made them, axes, legend, and a line at the trigger.

It knows windows of samples and no scan. What it draws needs no library to be looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np

from runtime.engine.trace_view import Window
from runtime.records_view import when

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1100, 90, 210, 46, 40
STRIP, GAP, SWITCHES = 190, 16, 26
MOST_POINTS = 4000  # of one line: beyond that, each pixel's least and greatest value is drawn
# Okabe and Ito: told apart also by who sees red and green alike
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D00")


@dataclass(frozen=True)
class _Strip:
    """Channels that share a scale: those of one unit; or switches, one above the other."""

    unit: str
    places: list[int]
    is_switch: bool

    @property
    def height(self) -> int:
        return SWITCHES * len(self.places) if self.is_switch else STRIP


def svg(window: Window, title: str) -> str:
    """The window as a drawing."""
    strips, seconds = _strips(window), window.seconds
    height = TOP + sum(strip.height + GAP for strip in strips) + BOTTOM
    span = (float(seconds[0]), float(seconds[-1]) if len(seconds) > 1 else float(seconds[0]) + 1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
        f'<text x="{LEFT}" y="36" fill="#555">{escape(_subtitle(window))}</text>',
    ]
    top = TOP
    for strip in strips:
        parts += _frame(top, strip.height, span, is_last=strip is strips[-1])
        parts += _switches(window, strip, top, span) if strip.is_switch else _numbers(window, strip, top, span)
        top += strip.height + GAP
    if window.trigger >= 0:
        x = _x(0.0, span)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{top - GAP}" stroke="#C00" stroke-dasharray="5 3"/>')
        parts.append(f'<text x="{x + 3:.1f}" y="{TOP + 11}" fill="#C00">trigger</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _subtitle(window: Window) -> str:
    missing = f", {window.missing} missing" if window.missing else ", none missing"
    what = "trigger at" if window.trigger >= 0 else "from"
    return f"{what} {when(window.wall)}, {len(window.samples)} samples{missing}"


def _strips(window: Window) -> list[_Strip]:
    found: dict[str, _Strip] = {}
    for place, channel in enumerate(window.channels):
        is_switch = channel.type == "BOOL"
        found.setdefault("\0" if is_switch else channel.unit, _Strip(channel.unit, [], is_switch)).places.append(place)
    return list(found.values())


def _x(second: float, span: tuple[float, float]) -> float:
    return LEFT + (second - span[0]) / (span[1] - span[0]) * (WIDTH - LEFT - RIGHT)


def _frame(top: int, height: int, span: tuple[float, float], *, is_last: bool) -> list[str]:
    """The box, and the lines of the time axis; their numbers below the last."""
    parts = [f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{height}" fill="none" stroke="#888"/>']
    for tick in _ticks(*span, 8):
        x = _x(tick, span)
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + height}" stroke="#E4E4E4"/>')
        if is_last:
            parts.append(f'<text x="{x:.1f}" y="{top + height + 15}" text-anchor="middle">{tick:g}</text>')
    if is_last:
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{top + height + 31}" text-anchor="middle">seconds</text>')
    return parts


def _numbers(window: Window, strip: _Strip, top: int, span: tuple[float, float]) -> list[str]:
    values = [np.asarray(window.values(place), np.float64) for place in strip.places]
    finite = np.concatenate([column[np.isfinite(column)] for column in values])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    room = (high - low) * 0.06 or max(abs(high) * 0.05, 0.5)
    low, high = low - room, high + room
    place_of = lambda value: top + STRIP - (value - low) / (high - low) * STRIP  # noqa: E731
    parts = []
    for tick in _ticks(low, high, 5):
        y = place_of(tick)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#E4E4E4"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    middle = top + STRIP / 2
    parts.append(
        f'<text x="16" y="{middle}" transform="rotate(-90 16 {middle})" text-anchor="middle">{escape(strip.unit or "-")}</text>'
    )
    for row, (place, column) in enumerate(zip(strip.places, values, strict=True)):
        colour = COLOURS[place % len(COLOURS)]
        parts += _steps(window.seconds, column, span, place_of, colour)
        parts += _legend(top + 14 + row * 15, window.channels[place].name, f"{column[-1]:.6g} {strip.unit}".rstrip(), colour)
    return parts


def _switches(window: Window, strip: _Strip, top: int, span: tuple[float, float]) -> list[str]:
    parts = []
    for row, place in enumerate(strip.places):
        foot, colour = top + (row + 1) * SWITCHES - 6, COLOURS[place % len(COLOURS)]
        place_of = lambda value, foot=foot: foot - value * (SWITCHES - 12)  # noqa: E731
        column = np.asarray(window.values(place), np.float64)
        parts += _steps(window.seconds, column, span, place_of, colour)
        parts += _legend(foot - 3, window.channels[place].name, "true" if column[-1] else "false", colour)
    return parts


def _legend(y: float, name: str, last: str, colour: str) -> list[str]:
    x = WIDTH - RIGHT + 10
    return [f'<text x="{x}" y="{y}" fill="{colour}">{escape(name)}<tspan fill="#555">  {escape(last)}</tspan></text>']


def _steps(seconds: np.ndarray, column: np.ndarray, span: tuple[float, float], place_of: object, colour: str) -> list[str]:
    """A line that holds each value until the next sample; where a number is none, it is broken."""
    parts: list[list[str]] = []
    points: list[str] = []
    last_y = math.nan
    for second, value in zip(*_thinned(seconds, column), strict=True):
        if not math.isfinite(value):
            parts.append(points)
            points, last_y = [], math.nan
            continue
        x, y = _x(second, span), place_of(value)  # type: ignore[operator]
        if not math.isnan(last_y) and last_y != y:
            points.append(f"{x:.1f},{last_y:.1f}")
        points.append(f"{x:.1f},{y:.1f}")
        last_y = y
    if points and not math.isnan(last_y):
        points.append(f"{_x(span[1], span):.1f},{last_y:.1f}")
    lines: Iterable[list[str]] = [line for line in (*parts, points) if len(line) > 1]
    return [f'<polyline points="{" ".join(line)}" fill="none" stroke="{colour}" stroke-width="1.4"/>' for line in lines]


def _thinned(seconds: np.ndarray, column: np.ndarray) -> tuple[list[float], list[float]]:
    """All points; of too many, the changes only; of still too many, the least and greatest of each stretch."""
    kept = np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
    if len(kept) > MOST_POINTS:
        stretches = np.array_split(kept, MOST_POINTS // 2)
        ends = {int(part[np.argmin(column[part])]) for part in stretches} | {
            int(part[np.argmax(column[part])]) for part in stretches
        }
        kept = np.array(sorted(ends))
    return seconds[kept].tolist(), column[kept].tolist()


def _ticks(low: float, high: float, about: int) -> Sequence[float]:
    """Round numbers between two others."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(n * step, 12) for n in range(first, last + 1)]
