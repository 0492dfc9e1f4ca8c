"""Sampled waveforms as a file of columns: one of time, and one a voltage or current. It must not know what is judged in them.

The first line names the columns: `t` (or `time`) in s, ms or us by its ending, `u...` or `v...` a voltage, `i...` a current;
`dc` in a name says that it is the direct side. `t,u1,i1`, `time_ms;i_dc` are such lines.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LEAST_SAMPLES = 16
JITTER = 0.02  # of the time between two samples
MOST_MISTAKES = 20
_TIME = re.compile(r"(?:t|time|seconds)(?:[_ \[(]*(?P<unit>s|ms|us|µs))?[\])]?\Z", re.IGNORECASE)
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}


class WaveformError(Exception):
    """The file is no table of waveforms; the text lists every mistake with file, line and column."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One column: its name, V or A, whether it is of the direct side, and its samples."""

    name: str
    unit: str
    is_direct: bool
    samples: np.ndarray


@dataclass(frozen=True, slots=True)
class Waveforms:
    """All signals of a file, and how many samples there are in a second."""

    rate: float
    signals: tuple[Signal, ...]


def read_waveforms(path: Path, rate: float | None = None) -> Waveforms:
    """Read the table. `rate` is needed where it has no column of time. Raises WaveformError, or OSError where it is unreadable."""
    text = path.read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    mark = max(";\t,", key=(lines[0] if lines else "").count)
    rows = list(csv.reader(lines, delimiter=mark))
    if not rows:
        raise WaveformError(f"{path}:1:1: error: the file is empty: its first line names the columns, as `t,i1`")
    heads = [head.strip() for head in rows[0]]
    at = next((place for place, head in enumerate(heads) if _TIME.match(head)), None)
    units = {place: _unit(head) for place, head in enumerate(heads) if place != at}
    wrong = [_unknown(path, lines[0], heads[place]) for place, unit in units.items() if not unit]
    if at is None and rate is None:
        wrong.append(f"{path}:1:1: error: no column of time: name one `t` (s), `t_ms` or `t_us`, or say --rate 10000")
    if not units:
        wrong.append(f"{path}:1:1: error: no column of a voltage or current: name it `u1`, `v_dc`, `i1` ...")
    if wrong:
        raise WaveformError("\n".join(wrong))
    table = _numbers(path, rows[1:], len(heads), decimal_comma=mark == ";")
    found = rate if at is None else _rate(path, table[:, at], heads[at])
    assert found is not None, "one of the two was asked for above"
    signals = tuple(Signal(heads[p], unit, "dc" in heads[p].lower(), table[:, p].copy()) for p, unit in units.items())
    return Waveforms(found, signals)


def _unit(head: str) -> str:
    return {"u": "V", "v": "V", "i": "A"}.get(head[:1].lower(), "")


def _unknown(path: Path, line: str, head: str) -> str:
    column = line.index(head) + 1
    caret = f" 1 | {line}\n   | {' ' * (column - 1)}{'^' * max(len(head), 1)}"
    return f"{path}:1:{column}: error: `{head}` is no voltage (u..., v...), current (i...) or time (t)\n{caret}"


def _numbers(path: Path, rows: list[list[str]], width: int, *, decimal_comma: bool) -> np.ndarray:
    """The rows as numbers; every one that is none is told, up to a screen of them."""
    table = np.empty((len(rows), width))
    wrong: list[str] = []
    for number, row in enumerate(rows):
        wrong += list(_row(path, number + 2, row, table[number], decimal_comma))
        if len(wrong) >= MOST_MISTAKES:
            break
    if not wrong and len(rows) < LEAST_SAMPLES:
        wrong.append(f"{path}:{len(rows) + 1}:1: error: only {len(rows)} samples")
    if wrong:
        raise WaveformError("\n".join(wrong[:MOST_MISTAKES]))
    return table


def _row(path: Path, line: int, row: list[str], into: np.ndarray, decimal_comma: bool) -> Iterator[str]:
    if len(row) != len(into):
        yield f"{path}:{line}:1: error: {len(row)} values, and the first line names {len(into)} columns"
        return
    for place, text in enumerate(row):
        try:
            into[place] = float(text.replace(",", ".") if decimal_comma else text)
        except ValueError:
            into[place] = math.nan
        if not math.isfinite(into[place]):
            column = sum(len(part) + 1 for part in row[:place]) + 1
            yield f"{path}:{line}:{column}: error: `{text}` is no number"


def _rate(path: Path, times: np.ndarray, head: str) -> float:
    found = _TIME.match(head)
    scale = _SECONDS[((found and found["unit"]) or "s").lower()]
    steps = np.diff(times) * scale
    step = float(steps.mean())
    late = np.flatnonzero(np.abs(steps - step) > JITTER * abs(step))
    if step <= 0:
        raise WaveformError(f"{path}:2:1: error: the time does not rise: samples stand in their order, a line each")
    if len(late):
        line = int(late[0]) + 3
        raise WaveformError(
            f"{path}:{line}:1: error: {steps[late[0]] * 1e6:g} us since the sample before, and {step * 1e6:g} us on the mean: "
            f"harmonics need samples at equal distances ({len(late)} are not)"
        )
    return 1.0 / step
