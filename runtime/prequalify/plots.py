"""Pictures of a prequalification as SVG: the course of each test, the Nyquist curve, the performance over the period.

Made by matplotlib, which is loaded only here. Failures are marked by hatching and words, never by colour alone. It judges nothing.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from runtime.prequalify import criteria_sines as sines
from runtime.prequalify.criterion import Finding, Outcome
from runtime.prequalify.record import COLUMNS, Record
from runtime.prequalify.sequence import Sequence
from runtime.prequalify.sequences_fcr import Product

BLUE, RED, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"  # Okabe and Ito
MOST = 3000  # points of a line: beyond, each stretch's least and greatest value
STYLE = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}


class NoMatplotlib(Exception):  # noqa: N818 - what is missing, in words
    """The pictures need matplotlib, which is not installed."""


def _pyplot() -> Any:
    try:
        import matplotlib
    except ImportError as error:
        raise NoMatplotlib("the report's pictures need matplotlib: pip install matplotlib") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def course(
    record: Record, test: Sequence, findings: list[Finding], capacity: float, window: tuple[float, float] | None = None
) -> str:
    """Frequency (or voltage) and power over time, of the whole test or of a window in s.

    What failed is hatched where the criterion looked, and named. The dotted line is the capacity.
    """
    plt = _pyplot()
    begin, end = window or (float(record.t[0]), float(record.t[-1]))
    record = _cut(record, begin, end)
    rows = [("Hz", [("frequency", record.f, BLUE)]), ("kW", _powers(record))]
    if np.ptp(record.v) > 0.0:
        rows[0] = ("of nominal", [("voltage", record.v, BLUE)]) if np.ptp(record.f) == 0.0 else rows[0]
    if np.ptp(record.q) > 0.0:
        rows.append(("kvar", [("reactive power", record.q, GREEN)]))
    if np.ptp(record.soc) > 0.05:
        rows.append(("%", [("state of charge", record.soc, GREY)]))
    with plt.rc_context(STYLE | {"svg.hashsalt": f"{test.kind} {begin:g}"}):
        figure, axes = plt.subplots(len(rows), 1, sharex=True, squeeze=False, figsize=(9.5, 0.7 + 1.55 * len(rows)))
        for axis, (unit, lines) in zip(axes[:, 0], rows, strict=True):
            for name, values, colour in lines:
                axis.plot(*_thinned(record.t, values), color=colour, label=name, linewidth=1.1, linestyle=_dash(name))
            axis.set_ylabel(unit if len(lines) > 1 else f"{lines[0][0]}\n{unit}")
            axis.set_xlim(begin, end)
            if len(lines) > 1:
                axis.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(lines), fontsize=8, frameon=False)
        for sign in (1.0, -1.0):
            if capacity > 0.0 and _reaches(record.dp, sign * capacity):
                axes[1, 0].axhline(sign * capacity, color=GREY, linestyle=":", linewidth=0.9)
        _mark_failures(axes[:, 0], findings, begin, end)
        axes[-1, 0].set_xlabel("seconds")
        return _svg(plt, figure, test.title)


def _powers(record: Record) -> list[tuple[str, np.ndarray, str]]:
    if np.ptp(record.p_set) == 0.0 and record.p_set[0] == 0.0:
        return [("power at the meter", record.p, RED)]
    return [("power at the meter", record.p, RED), ("baseline", record.p_set, GREY)]


def _dash(name: str) -> str:
    return "--" if name == "baseline" else "-"


def _reaches(values: np.ndarray, level: float) -> bool:
    return bool(np.max(values * np.sign(level)) > 0.5 * abs(level))


def _cut(record: Record, begin: float, end: float) -> Record:
    inside = (record.t >= begin) & (record.t <= end)
    return dataclasses.replace(record, more={}, **{name: getattr(record, name)[inside] for name in COLUMNS})


def _mark_failures(axes: Any, findings: list[Finding], first: float, last: float) -> None:
    """A hatched stretch where a failed criterion looked, at least so wide that it is seen, with its name once."""
    least, named = 0.004 * (last - first), set[str]()
    for finding in findings:
        begin, end = finding.interval
        if finding.outcome is not Outcome.FAIL or begin > last or end < first:
            continue
        begin, end = max(begin, first), min(end, last)
        middle, half = 0.5 * (begin + end), 0.5 * max(end - begin, least)
        for axis in axes:
            axis.axvspan(middle - half, middle + half, facecolor="none", edgecolor=RED, hatch="////", linewidth=0.6, alpha=0.7)
        word = finding.requirement.id.partition(".")[2]
        if word not in named:
            named.add(word)
            spot, side = (middle, 0.97 - 0.15 * (len(named) - 1)), "right" if middle > 0.5 * (first + last) else "left"
            axes[0].annotate(
                f" FAIL {word} ", spot, xycoords=("data", "axes fraction"), fontsize=8, ha=side, va="top", backgroundcolor="white"
            )


def nyquist(points: Mapping[float, complex], product: Product, finding: Finding) -> str:
    """F G with the circle about -1 that it must stay outside of, and the tested periods."""
    plt = _pyplot()
    omega, f = sines.curve(points)
    loop = f * sines.FOR_STABILITY.transfer(product, omega)
    with plt.rc_context(STYLE | {"svg.hashsalt": "nyquist"}):
        figure, axis = plt.subplots(figsize=(4.6, 4.4))
        axis.plot(loop.real, loop.imag, color=BLUE, linewidth=1.3, label="F G, interpolated")
        tested = np.array(sorted(points))
        places = np.array([points[period] for period in tested]) * sines.FOR_STABILITY.transfer(product, 2.0 * np.pi / tested)
        axis.plot(places.real, places.imag, "o", color=BLUE, markersize=4, label="tested periods")
        for period, place in zip(tested, places, strict=True):
            axis.annotate(f" {period:.0f} s", (place.real, place.imag), fontsize=7)
        angle = np.linspace(0.0, 2.0 * np.pi, 200)
        radius = sines.CIRCLE * sines.MARGIN
        axis.plot(-1.0 + radius * np.cos(angle), radius * np.sin(angle), color=RED, linestyle="--", label=f"radius {radius:.4f}")
        axis.plot([-1.0], [0.0], "x", color=RED)
        axis.set_xlim(-2.6, 1.0)
        axis.set_ylim(-2.6, 1.0)
        axis.set_aspect("equal")
        axis.set_title(f"Stability: {finding.outcome.value}, distance {finding.value:.3f}", fontsize=9)
        axis.legend(fontsize=7, loc="lower right")
        return _svg(plt, figure, "Nyquist curve")


def performance(points: Mapping[float, complex], product: Product, finding: Finding) -> str:
    """What the disturbance does with this plant in the loop, under its bound, over the period."""
    plt = _pyplot()
    omega, f = sines.curve(points)
    grid = sines.FOR_PERFORMANCE.transfer(product, omega)
    with plt.rc_context(STYLE | {"svg.hashsalt": "performance"}):
        figure, axis = plt.subplots(figsize=(4.6, 4.4))
        period = 2.0 * np.pi / omega
        axis.loglog(period, sines.MARGIN * np.abs(grid / (1.0 + f * grid)), color=BLUE, label="0.95 |G / (1 + F G)|")
        axis.loglog(period, np.abs(70j * omega + 1.0), color=RED, linestyle="--", label="bound |70 s + 1|")
        axis.set_xlabel("period, s")
        axis.set_xticks(ticks := sorted(points), [f"{tick:.0f}" for tick in ticks], rotation=60, fontsize=7)
        axis.minorticks_off()
        axis.set_yticks(levels := (1, 2, 5, 10, 20, 50), [str(level) for level in levels])
        axis.set_title(f"Performance: {finding.outcome.value}, K = {finding.value:.3f}", fontsize=9)
        axis.legend(fontsize=7)
        return _svg(plt, figure, "performance")


def _thinned(t: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A line of many points as the least and the greatest of each stretch, in the order of time."""
    if len(t) <= MOST:
        return t, values
    width = len(t) // (MOST // 2)
    count = len(t) // width * width
    blocks = values[:count].reshape(-1, width)
    offset = np.arange(len(blocks)) * width
    places = np.sort(np.concatenate([offset + blocks.argmin(axis=1), offset + blocks.argmax(axis=1), [len(t) - 1]]))
    return t[places], values[places]


def _svg(plt: Any, figure: Any, title: str) -> str:
    """The figure as an <svg> element that stands in a page, with its title for readers that see no picture."""
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Title": title, "Creator": "bessplc"})
    plt.close(figure)
    return re.sub(r"^.*?(?=<svg)", "", out.getvalue(), flags=re.DOTALL)
