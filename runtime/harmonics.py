"""Harmonics, direct part and ripple of sampled waveforms, by the library's own blocks, against the limits of a standard.

Windows are of ten periods at 50 Hz and twelve at 60 Hz (IEC 61000-4-7: 200 ms); what several windows show is their root mean
square. Interharmonics are not grouped. It must not know files or how anything is shown.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from blocks import catalogue
from runtime.engine.kernels import load_kernel
from runtime.waveforms import Signal

ORDERS = 40
MOST_WINDOWS = 15  # 3 s of windows of 200 ms
MOST_OF_FREQUENCY_S = 1.0


@dataclass(frozen=True, slots=True)
class Standard:
    """The limits of a standard in percent of the rated value: `limit(order)` for one harmonic, and for all of them together."""

    title: str
    unit: str
    limit: Callable[[int], float]
    total: str
    total_limit: float
    direct_limit: float = math.inf


def _ieee1547(order: int) -> float:
    """Tables 26 (odd) and 27 (even) of IEEE 1547-2018; from the 8th on even ones have the limits of the odd ones around them."""
    small_even = {2: 1.0, 4: 2.0, 6: 3.0}
    return small_even.get(order) or next(
        limit for below, limit in ((11, 4.0), (17, 2.0), (23, 1.5), (35, 0.6), (50, 0.3)) if order < below
    )


def _iec61000_3_12(order: int) -> float:
    """Table 3 of IEC 61000-3-12 (balanced three-phase, Rsce 33): 5, 7, 11, 13, and even ones to 12 of 16/h; none for others."""
    return {5: 10.7, 7: 7.2, 11: 3.1, 13: 2.0}.get(order) or (16.0 / order if order % 2 == 0 and order <= 12 else math.inf)


def _en50160(order: int) -> float:
    """Table 1 of EN 50160: harmonics of the supply voltage up to the 25th."""
    odd = {3: 5.0, 5: 6.0, 7: 5.0, 9: 1.5, 11: 3.5, 13: 3.0, 15: 0.5, 17: 2.0, 19: 1.5, 21: 0.5, 23: 1.5, 25: 1.5}
    return odd.get(order) or ({2: 2.0, 4: 1.0}.get(order, 0.5) if order % 2 == 0 and order <= 24 else math.inf)


STANDARDS: Mapping[str, Standard] = {
    "ieee1547": Standard("IEEE 1547-2018, 7.3, tables 26 and 27", "A", _ieee1547, "TRD", 5.0, 0.5),
    "iec61000-3-12": Standard("IEC 61000-3-12, table 3 (Rsce 33)", "A", _iec61000_3_12, "THC", 13.0),
    "en50160": Standard("EN 50160, table 1", "V", _en50160, "THD", 8.0),
}
USUAL = {"A": "ieee1547", "V": "en50160"}
RIPPLE_LIMIT = 2.0  # % of the rated direct value, the default of the block RIPPLE


@dataclass(frozen=True, slots=True)
class Line:
    """One figure with its limit, both in percent of the rated value, and the figure itself."""

    what: str
    value: float
    percent: float
    limit: float

    @property
    def holds(self) -> bool:
        return self.percent <= self.limit


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in one signal. `failed` says why nothing could be measured; empty where it was."""

    name: str
    unit: str
    standard: str
    rated: float
    frequency: float
    windows: int
    lines: tuple[Line, ...]
    failed: str = ""

    @property
    def holds(self) -> bool:
        return not self.failed and all(line.holds for line in self.lines)


def judge(signal: Signal, rate: float, f0: float, rated: float | None, standard: str | None) -> Judged:
    """Measure one signal and compare it. Without `rated` the fundamental, or the mean of a direct one, stands for it."""
    if signal.is_direct:
        return _judge_direct(signal, rate, f0, rated)
    name = standard or USUAL[signal.unit]
    rules = STANDARDS[name]
    found = _block("BURST_FREQUENCY", {"X": signal.samples[: int(MOST_OF_FREQUENCY_S * rate)], "FS": rate, "F0": f0})
    if not found["OK"]:
        return Judged(
            signal.name, signal.unit, rules.title, rated or 0.0, 0.0, 0, (), f"no {f0:g} Hz in it: five periods are needed"
        )
    frequency = float(found["F"])
    windows = _windows(signal.samples, rate, frequency, 12 if f0 > 55 else 10)
    orders, rest, direct = _measure(windows, rate, frequency)
    base = rated or float(orders[0])
    lines = [
        Line(str(order), orders[order - 1], 100 * orders[order - 1] / base, rules.limit(order)) for order in range(2, ORDERS + 1)
    ]
    harmonics = math.sqrt(float(np.square(orders[1:]).sum()))
    total = rest if rules.total == "TRD" else harmonics
    lines.append(Line(rules.total, total, 100 * total / base, rules.total_limit))
    if name == "iec61000-3-12":
        weighted = math.sqrt(sum(order * orders[order - 1] ** 2 for order in range(14, ORDERS + 1)))
        lines.append(Line("PWHC", weighted, 100 * weighted / base, 22.0))
    if math.isfinite(rules.direct_limit):
        lines.append(Line("DC", direct, 100 * abs(direct) / base, rules.direct_limit))
    return Judged(signal.name, signal.unit, rules.title, base, frequency, len(windows), tuple(lines))


def _judge_direct(signal: Signal, rate: float, f0: float, rated: float | None) -> Judged:
    base = rated or abs(float(signal.samples.mean())) or math.nan
    found = _block("RIPPLE", {"X": signal.samples, "FS": rate, "F": f0, "RATED": base})
    lines = (
        Line("ripple", found["RMS"], 100 * found["RMS"] / base, RIPPLE_LIMIT),
        Line("peak to peak", found["PP"], 100 * found["PP"] / base, math.inf),
        Line(f"at {2 * f0:g} Hz", found["TWICE"], 100 * found["TWICE"] / base, math.inf),
    )
    failed = "" if math.isfinite(base) else "nothing is on it: say --rated"
    return Judged(signal.name, signal.unit, "block RIPPLE, 2 % of the rated value", base, 0.0, 1, lines, failed)


def _windows(samples: np.ndarray, rate: float, frequency: float, periods: int) -> np.ndarray:
    """Whole windows, evenly spread over the file where there are many; a short file is one window."""
    length = min(round(rate * periods / frequency), len(samples))
    count = len(samples) // length
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_WINDOWS)).round().astype(int))
    return np.stack([samples[at * length : (at + 1) * length] for at in chosen])


def _measure(windows: np.ndarray, rate: float, frequency: float) -> tuple[np.ndarray, float, float]:
    """Root mean squares of the orders 1 to 40, of all that alternates and is not the fundamental, and the direct part."""
    squares, rests, direct = np.zeros(ORDERS), 0.0, 0.0
    for window in windows:
        fundamental, rest = _split(window, rate, frequency)
        harmonics = np.array(_block("HARMONICS", {"X": rest, "FS": rate, "F": frequency})["H"])
        harmonics[0] = fundamental
        direct += float(_block("DC_OFFSET", {"X": rest, "FS": rate, "F": frequency, "RATED": 1.0})["DC"])
        squares += np.square(harmonics)
        rests += float(_block("BURST_RMS", {"X": rest})["RMS_AC"]) ** 2
    return np.sqrt(squares / len(windows)), math.sqrt(rests / len(windows)), direct / len(windows)


def _split(window: np.ndarray, rate: float, frequency: float) -> tuple[float, np.ndarray]:
    """The root mean square of the sine that fits best, and what is left: no window is exactly whole periods long, and the
    hundredth part of a sample that is missing would let the fundamental leak into everything else."""
    turns = 2 * np.pi * frequency / rate * np.arange(len(window))
    shapes = np.stack([np.cos(turns), np.sin(turns), np.ones(len(window))], axis=1)
    sizes = np.linalg.lstsq(shapes, window, rcond=None)[0]
    return float(np.hypot(sizes[0], sizes[1]) / math.sqrt(2.0)), window - shapes[:, :2] @ sizes[:2]


_CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.c_int64)


def _block(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """One scan of one compiled block: its pins as arrays, a number where a pin is none."""
    block = catalogue()[name]
    length = len(given["X"])
    columns: dict[str, np.ndarray] = {}
    for pin in block.pins:
        size = {"N": length}.get(str(pin.length), int(pin.length) if str(pin.length).isdecimal() and pin.length else 1)
        value = given.get(pin.name, 0 if pin.required else pin.default)
        columns[pin.name] = np.array(np.broadcast_to(np.asarray(value), (size,)), dtype=pin.element.code)  # type: ignore[union-attr]
    addresses = (ctypes.c_void_p * len(columns))(*[column.ctypes.data for column in columns.values()])
    _CALL(load_kernel(block).address)(ctypes.addressof(addresses), 1, length, 0)
    return {key: column if len(column) > 1 else column[0] for key, column in columns.items()}
