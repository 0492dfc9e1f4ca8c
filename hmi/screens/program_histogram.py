"""A histogram of the scan's times as a drawing: bars over a logarithmic time, lines where half, 99 % and the worst stand."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hmi.screens.program_words import time_of
from hmi.texts import program as texts
from runtime.engine.statistics import BUCKETS, FIRST_BUCKET, ROW, Timing

WIDTH, HEIGHT = 320, 184
LEFT, RIGHT, TOP, FOOT = 30, 10, 48, 20
TO_AN_OCTAVE = 8
LEAST = 2 * TO_AN_OCTAVE  # buckets: fewer bars would be as wide as the drawing


class Frame(NamedTuple):
    """Which buckets are shown, and the largest of them."""

    first: int
    last: int
    most: int

    def x(self, bucket: float) -> float:
        """Where the lower edge of a bucket stands."""
        inside = min(max(bucket, self.first), self.last + 1)
        return LEFT + (inside - self.first) / (self.last + 1 - self.first) * (WIDTH - LEFT - RIGHT)

    def height(self, count: int) -> float:
        """How high a bar is; one scan among millions is seen, so the scale is logarithmic."""
        return math.log10(count + 1) / math.log10(self.most + 1) * (HEIGHT - TOP - FOOT) if count else 0.0


def histogram(words: np.ndarray, row: int, timing: Timing, what: str, limit: float = 0.0) -> str:
    """The figure of one row of the statistics, with its title; `limit` (µs) is how long it may last, 0: nothing says so."""
    at = row * ROW + FIRST_BUCKET
    counts = words[at : at + BUCKETS].tolist()
    filled = [bucket for bucket, count in enumerate(counts) if count > 0]
    title = f"<figcaption>{html.escape(what)}</figcaption>"
    if not filled or not timing.count:
        return f'<figure class="histogram">{title}<p class="note">{texts.NOTHING_COUNTED}</p></figure>'
    last = max(filled[-1], int(bucket_at(limit)) if limit else 0)
    spare = max(0, LEAST - (last - filled[0] + 1))
    first = max(0, filled[0] - spare // 2)
    frame = Frame(first, min(BUCKETS - 1, max(last, first + LEAST - 1)), max(counts))
    said = texts.HISTOGRAM.format(
        what=what, count=timing.count, p50=time_of(timing.p50), p99=time_of(timing.p99), max=time_of(timing.greatest)
    )
    body = "".join([*_grid(frame), *_bars(frame, counts), *_lines(frame, timing, limit)])
    drawing = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(said)}">{body}</svg>'
    return f'<figure class="histogram">{title}{drawing}</figure>'


def _bars(frame: Frame, counts: list[int]) -> Iterator[str]:
    for bucket in range(frame.first, frame.last + 1):
        if counts[bucket]:
            x, high = frame.x(bucket), frame.height(counts[bucket])
            wide = max(1.0, frame.x(bucket + 1) - x - 0.6)
            at = HEIGHT - FOOT - high
            told = f"{time_of(2 ** (bucket / TO_AN_OCTAVE) / 1e3)}: {counts[bucket]}"
            place = f'x="{x:.1f}" y="{at:.1f}" width="{wide:.1f}" height="{high:.1f}"'
            yield f'<rect class="count" {place}><title>{told}</title></rect>'


def _grid(frame: Frame) -> Iterator[str]:
    """Decades of scans to the left, decades of time below."""
    for power in range(int(math.log10(frame.most)) + 1):
        y = HEIGHT - FOOT - frame.height(10**power)
        yield f'<path class="rule" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text class="end" x="{LEFT - 4}" y="{y + 4:.1f}">{_decade(power)}</text>'
    for power in range(11):
        bucket = TO_AN_OCTAVE * math.log2(10.0**power)
        if frame.first <= bucket <= frame.last + 1:
            x = frame.x(bucket)
            yield f'<path class="rule" d="M{x:.1f} {TOP}V{HEIGHT - FOOT}"/>'
            yield f'<text class="middle" x="{x:.1f}" y="{HEIGHT - 7}">{_time(power)}</text>'
    yield f'<path class="axis" d="M{LEFT} {HEIGHT - FOOT}H{WIDTH - RIGHT}"/>'


def _lines(frame: Frame, timing: Timing, limit: float) -> Iterator[str]:
    """A line each; their words stand one above the other, so that none covers another."""
    shown = {"p50": timing.p50, "p99": timing.p99, "max": timing.greatest, texts.LIMIT: limit}
    for place, (word, value) in enumerate(shown.items()):
        if word == texts.LIMIT and not limit:
            return
        x = frame.x(bucket_at(value))
        y = 8 + 11 * place
        side, at = ("end", x - 3) if x > WIDTH / 2 else ("", x + 3)
        yield f'<path class="mark m{place}" d="M{x:.1f} {y - 6}V{HEIGHT - FOOT}"/>'
        yield f'<text class="{side}" x="{at:.1f}" y="{y + 1}">{word} {time_of(value)}</text>'


def bucket_at(micro: float) -> float:
    """Where a time stands among the buckets."""
    return TO_AN_OCTAVE * math.log2(max(micro * 1e3, 1.0))


def _decade(power: int) -> str:
    return f"{10 ** (power % 3)}{('', 'k', 'M', 'G', 'T', 'P', 'E')[power // 3]}"


def _time(power: int) -> str:
    return f"{10 ** (power % 3)} {('ns', 'µs', 'ms', 's')[power // 3]}"
