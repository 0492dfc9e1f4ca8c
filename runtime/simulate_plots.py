"""Draws a simulation for a commissioning report: power, charge, cells, temperatures, frequency and alarms over time, as files.

It needs matplotlib, and no display. It must not know how a run is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.simulate_record import Record

WIDTH, HEIGHT, DPI = 11.0, 3.6, 140
BLUE, ORANGE, GREEN, RED, GREY, PURPLE = "#1f5fa8", "#d9822b", "#3a8f4d", "#c23b3b", "#8a8f98", "#7b4fa3"
SEVERITY = {"warning": ORANGE, "error": RED, "critical": "#7a0f1f"}
MOST_ALARMS = 30


class NoPlotsError(Exception):
    """matplotlib is not installed."""


def draw_all(record: Record, folder: Path, form: str = "png") -> tuple[str, ...]:
    """Write all plots into this folder; returns their names. Raises NoPlotsError, OSError."""
    try:
        import matplotlib
    except ImportError as error:
        raise NoPlotsError("plots need matplotlib: pip install matplotlib") from error
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = record.digest  # equal runs give equal files
    names = []
    for name, draw in PLOTS.items():
        figure = _figure(record, draw)
        names.append(f"{name}.{form}")
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(folder / names[-1], dpi=DPI, metadata=metadata)
    return tuple(names)


def _figure(record: Record, draw: Callable[[Any, Record, list[float]], None]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes: Any = figure.subplots()
    seconds = record.samples["time_s"]
    scale, unit = (3600.0, "h") if record.duration_s >= 7200 else (60.0, "min") if record.duration_s >= 240 else (1.0, "s")
    times = [second / scale for second in seconds]
    draw(axes, record, times)
    for fault in record.faults:
        if not fault.refused:
            ended = record.duration_s if fault.ended is None else fault.ended
            ended = max(ended, fault.began + record.duration_s / 1500)  # wide enough to be seen
            axes.axvspan(fault.began / scale, ended / scale, color=RED, alpha=0.10, lw=0)
    for trip in record.trips:
        axes.axvline(trip.time / scale, color=RED, lw=0.8, ls=":", alpha=0.8)
    axes.set_xlim(0, max(record.duration_s / scale, 1e-9))
    axes.set_xlabel(f"time ({unit})")
    axes.grid(True, color="#dfe3e8", lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    note = f"{record.site}, {record.scenario}, seed {record.seed}"
    if record.faults:
        note += "; shaded: a fault is on, dotted: a trip"
    axes.set_title(note, loc="right", fontsize=8, color=GREY)
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        beside = 1.06 if len(figure.axes) > 1 else 1.005  # a second scale stands there
        axes.legend(loc="upper left", bbox_to_anchor=(beside, 1.0), fontsize=8, frameon=False)
    return figure


def _power(axes: Any, record: Record, times: list[float]) -> None:
    samples = record.samples
    axes.fill_between(times, samples["charge_max"], samples["discharge_max"], color=GREEN, alpha=0.10, lw=0, label="rack allows")
    axes.plot(times, samples["load"], color=GREY, lw=0.9, label="load")
    axes.plot(times, samples["pv"], color=ORANGE, lw=0.9, label="photovoltaics")
    axes.plot(times, samples["grid_p"], color=PURPLE, lw=0.8, alpha=0.8, label="from the grid")
    axes.plot(times, samples["p"], color=BLUE, lw=1.3, label="battery")
    axes.axhline(0, color="black", lw=0.6)
    axes.set_ylabel("power (kW), discharge positive")
    axes.set_title("Power", loc="left", fontweight="bold")


def _charge(axes: Any, record: Record, times: list[float]) -> None:
    samples = record.samples
    axes.fill_between(times, samples["soc_min"], samples["soc_max"], color=BLUE, alpha=0.25, lw=0, label="lowest to highest cell")
    axes.plot(times, samples["soc"], color=BLUE, lw=1.3, label="mean of the cells")
    axes.set_ylim(0, 100)
    axes.set_ylabel("state of charge (%)")
    axes.set_title("State of charge", loc="left", fontweight="bold")


def _cells(axes: Any, record: Record, times: list[float]) -> None:
    samples = record.samples
    spread = [(high - low) * 1000 for low, high in zip(samples["v_min"], samples["v_max"], strict=True)]
    axes.fill_between(times, samples["v_min"], samples["v_max"], color=BLUE, alpha=0.35, lw=0, label="lowest to highest cell")
    axes.plot(times, samples["v_max"], color=BLUE, lw=0.8)
    axes.plot(times, samples["v_min"], color=BLUE, lw=0.8)
    axes.set_ylabel("cell voltage (V)")
    right = axes.twinx()
    right.plot(times, spread, color=ORANGE, lw=0.9)
    right.set_ylabel("spread (mV)", color=ORANGE)
    right.tick_params(axis="y", labelcolor=ORANGE)
    right.set_ylim(bottom=0)
    right.spines["top"].set_visible(False)
    axes.set_title("Cell voltages", loc="left", fontweight="bold")
    axes.plot([], [], color=ORANGE, lw=0.9, label="spread (right)")


def _temperatures(axes: Any, record: Record, times: list[float]) -> None:
    samples = record.samples
    axes.fill_between(times, samples["t_min"], samples["t_max"], color=RED, alpha=0.25, lw=0, label="coldest to hottest cell")
    axes.plot(times, samples["t_max"], color=RED, lw=0.9)
    axes.plot(times, samples["converter_t"], color=GREY, lw=1.0, label="converter")
    axes.set_ylabel("temperature (°C)")
    axes.set_title("Temperatures", loc="left", fontweight="bold")


def _frequency(axes: Any, record: Record, times: list[float]) -> None:
    axes.plot(times, record.samples["frequency"], color=BLUE, lw=0.8, label="frequency")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_ylabel("frequency (Hz)")
    axes.set_title("Grid frequency", loc="left", fontweight="bold")


def _alarms(axes: Any, record: Record, times: list[float]) -> None:
    scale = record.samples["time_s"][-1] / times[-1] if times and times[-1] else 1.0
    names = list(dict.fromkeys(alarm.name for alarm in record.alarms))[:MOST_ALARMS]
    shortest = record.duration_s / 400
    for alarm in record.alarms:
        if alarm.name in names:
            ended = record.duration_s if alarm.ended is None else alarm.ended
            length, colour = max(ended - alarm.began, shortest), SEVERITY.get(alarm.severity)
            axes.barh(names.index(alarm.name), length / scale, left=alarm.began / scale, height=0.6, color=colour)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    if not names:
        axes.text(0.5, 0.5, "no alarm", transform=axes.transAxes, ha="center", color=GREY)
    for severity, colour in SEVERITY.items():
        axes.plot([], [], color=colour, lw=6, label=severity)
    axes.set_title("Alarms", loc="left", fontweight="bold")


PLOTS: dict[str, Callable[[Any, Record, list[float]], None]] = {
    "power": _power,
    "soc": _charge,
    "cells": _cells,
    "temperatures": _temperatures,
    "frequency": _frequency,
    "alarms": _alarms,
}
