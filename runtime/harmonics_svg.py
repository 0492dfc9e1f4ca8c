"""Draws a spectrum as SVG: a bar a harmonic, its limit above it, red where it is beyond. It must not know how it was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from runtime.harmonics import Judged

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 1000, 300, 70, 50, 46
GOOD, BAD, LIMIT = "#0072B2", "#D55E00", "#555555"


def svg(found: Sequence[Judged]) -> str:
    """One chart for each signal, below each other."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(found)}" width="{WIDTH}" '
        f'height="{HEIGHT * len(found)}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT * len(found)}" fill="white"/>',
    ]
    for number, judged in enumerate(found):
        parts += [f'<g transform="translate(0 {number * HEIGHT})">', *_chart(judged), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _chart(judged: Judged) -> list[str]:
    verdict = judged.failed or ("within its limits" if judged.holds else "beyond its limits")
    title = f"{judged.name}: {verdict}"
    parts = [
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
        f'<text x="{LEFT}" y="36" fill="#555">{escape(judged.standard)}; percent of {judged.rated:.4g} {judged.unit}</text>',
    ]
    bars = judged.lines
    if not bars:
        return parts
    limits = [line.limit for line in bars if math.isfinite(line.limit)]
    top = 1.1 * max([line.percent for line in bars] + limits + [0.1])
    step = (WIDTH - LEFT - 20) / len(bars)
    floor = HEIGHT - BOTTOM

    def height(percent: float) -> float:
        return (floor - TOP) * min(percent / top, 1.0)

    for percent in (0.0, top / 2, top):
        y = floor - height(percent)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 20}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{percent:.1f} %</text>')
    for at, line in enumerate(bars):
        x, tall = LEFT + at * step, height(line.percent)
        colour = GOOD if line.holds else BAD
        parts.append(f'<rect x="{x + 2:.1f}" y="{floor - tall:.1f}" width="{step - 4:.1f}" height="{tall:.1f}" fill="{colour}"/>')
        if math.isfinite(line.limit):
            y = floor - height(line.limit)
            parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x + step:.1f}" y2="{y:.1f}" stroke="{LIMIT}" stroke-width="1.5"/>')
        turned = f'transform="rotate(-60 {x + step / 2:.1f} {floor + 14})"' if len(line.what) > 2 and step < 60 else ""
        parts.append(f'<text x="{x + step / 2:.1f}" y="{floor + 14}" text-anchor="middle" {turned}>{escape(line.what)}</text>')
    return parts
