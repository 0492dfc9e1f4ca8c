"""A simulation as a report: Markdown for people, and the same as JSON for scripts. It must not know how a run is made.

No line depends on the computer or the day: equal runs give equal reports, byte for byte.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from runtime.simulate_record import FaultSpan, Record, Trip

SHOWN = 200  # rows of one table at most


def as_json(record: Record) -> dict[str, Any]:
    """The report for a script."""
    energy = record.energy
    return {
        "site": record.site,
        "scenario": record.scenario,
        "file": record.file,
        "seed": record.seed,
        "simulated_s": record.simulated_s,
        "scans": record.scans,
        "passed": record.is_well,
        "digest": record.digest,
        "must_hold": [vars(breach) for breach in record.breaches],
        "energy_kwh": {
            "discharged": round(energy.discharged, 3),
            "charged": round(energy.charged, 3),
            "converter_lost": round(energy.converter_lost, 3),
            "rack_heat": round(energy.rack_heat, 3),
            "imported": round(energy.imported, 3),
            "exported": round(energy.exported, 3),
        },
        "soc_percent": {"begin": round(energy.soc_begin, 3), "end": round(energy.soc_end, 3)},
        "limits": {"beyond_s": round(energy.over_limit_s, 2), "beyond_kw": round(energy.over_limit_kw, 2)},
        "switching": {"opened_under_load": energy.under_load, "closed_out_of_step": energy.out_of_step},
        "cells": [
            {
                "what": reach.name,
                "unit": reach.unit,
                "safe": [reach.low, reach.high],
                "seen": [round(reach.least, 4), round(reach.most, 4)],
                "outside_s": round(reach.outside_s, 2),
                "first_outside_s": reach.first_outside,
            }
            for reach in record.reaches
        ],
        "picture": [
            {
                "tag": one.tag,
                "truth": one.truth,
                "unit": one.unit,
                "samples": one.count,
                "rms": None if math.isnan(one.rms) else round(one.rms, 5),
                "most": round(one.most, 5),
                "most_at_s": one.at,
            }
            for one in record.agreements
        ],
        "faults": [vars(fault) for fault in record.faults],
        "alarms": [vars(alarm) for alarm in record.alarms],
        "trips": [vars(trip) | {"is_false": trip.is_false} for trip in record.trips],
        "false_trips": sum(trip.is_false for trip in record.trips),
        "unexplained_trips": sum(not trip.is_explained for trip in record.trips),
        "unanswered_faults": len(record.unanswered_faults),
        "refused_commands": record.refused,
        "events": [{"time_s": time, "what": what} for time, what in record.events],
    }


def clock(seconds: float) -> str:
    """A time of the simulation as people read it: `1:02:03.45`."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{seconds - whole + whole % 60:05.2f}"


def as_markdown(record: Record, pictures: tuple[str, ...] = ()) -> str:
    """The report for people; `pictures` are files beside it."""
    lines = [
        f"# {record.scenario}",
        "",
        *([record.description, ""] if record.description else []),
        f"Site **{record.site}**, scenario `{record.file}`, seed {record.seed}, {clock(record.simulated_s)} simulated, "
        f"{record.scans:,} scans. Run {record.digest}.",
        "",
        f"**{'Everything held.' if record.is_well else 'NOT PASSED.'}** {_summary(record)}",
        "",
    ]
    lines += _must_hold(record)
    lines += _cells(record)
    lines += _energy(record)
    lines += _picture(record)
    lines += _trips(record)
    lines += _faults(record)
    lines += _alarms(record)
    if record.refused:
        lines += ["## Commands that the controller refused", "", *(f"- {one}" for one in record.refused[:SHOWN]), ""]
    if pictures:
        lines += ["## Plots", "", *(f"![{name.rpartition('.')[0]}]({name})\n" for name in pictures)]
    return "\n".join(lines).rstrip() + "\n"


def _summary(record: Record) -> str:
    placed = [fault for fault in record.faults if not fault.refused]
    false = sum(trip.is_false for trip in record.trips)
    unexplained = sum(not trip.is_explained for trip in record.trips)
    return (
        f"{len(placed)} faults, {len(record.alarms)} alarms, {len(record.trips)} trips: "
        f"{false} without a fault, {unexplained} not explained by an alarm. "
        f"{len(record.unanswered_faults)} faults that neither an alarm nor a trip answered."
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"\n{len(rows) - SHOWN} more are in the JSON report.")
    return [*lines, ""]


def _must_hold(record: Record) -> list[str]:
    if not record.breaches:
        return []
    rows = [
        (clock(b.time), b.text, b.seen + ("" if b.worst is None else f"; worst {b.worst:.4g}"), f"`{b.at}`")
        for b in record.breaches
    ]
    return ["## What must hold and did not", "", *_table(("first at", "what", "seen", "written at"), rows)]


def _cells(record: Record) -> list[str]:
    rows = [
        (
            reach.name,
            f"{reach.low:g} .. {reach.high:g} {reach.unit}",
            f"{reach.least:.4g} .. {reach.most:.4g} {reach.unit}",
            "never" if reach.first_outside is None else f"{reach.outside_s:.2f} s, first at {clock(reach.first_outside)}",
        )
        for reach in record.reaches
    ]
    return ["## Cells, by the plant's own truth", "", *_table(("quantity", "safe area", "seen", "outside"), rows)]


def _energy(record: Record) -> list[str]:
    energy = record.energy
    rows = [
        ("discharged, converter AC side", f"{energy.discharged:.2f} kWh"),
        ("charged, converter AC side", f"{energy.charged:.2f} kWh"),
        ("lost in the converter", f"{energy.converter_lost:.2f} kWh"),
        ("heat in the rack", f"{energy.rack_heat:.2f} kWh"),
        ("taken from the grid", f"{energy.imported:.2f} kWh"),
        ("given to the grid", f"{energy.exported:.2f} kWh"),
        ("state of charge", f"{energy.soc_begin:.1f} % to {energy.soc_end:.1f} %"),
        ("beyond the rack's power limits", f"{energy.over_limit_s:.2f} s, at most {energy.over_limit_kw:.1f} kW"),
        ("main contactors opened under load", str(energy.under_load)),
        ("breaker closed out of step", str(energy.out_of_step)),
    ]
    return ["## Energy and limits", "", *_table(("quantity", "value"), rows)]


def _picture(record: Record) -> list[str]:
    rows = [
        (f"`{one.tag}`", one.truth, f"{one.rms:.3g} {one.unit}", f"{one.most:.3g} {one.unit} at {clock(one.at)}", str(one.count))
        for one in record.agreements
        if one.count
    ]
    if not rows:
        return []
    return ["## The controller's picture against the truth", "", *_table(("tag", "truth", "rms", "most", "samples"), rows)]


def _trips(record: Record) -> list[str]:
    if not record.trips:
        return []
    return ["## Trips", "", *_table(("at", "what", "cause", "alarms", "faults"), [_trip_row(trip) for trip in record.trips])]


def _trip_row(trip: Trip) -> tuple[str, ...]:
    alarms = ", ".join(trip.alarms) or "none"
    if not trip.is_explained:
        alarms += ": **not explained**"
    return clock(trip.time), trip.source, trip.cause, alarms, ", ".join(trip.faults) or "**none: a false trip**"


def _faults(record: Record) -> list[str]:
    if not record.faults:
        return []
    head = ("at", "for", "fault", "alarms while it was on", "trips")
    return ["## Faults", "", *_table(head, [_fault_row(fault) for fault in record.faults])]


def _fault_row(fault: FaultSpan) -> tuple[str, ...]:
    details = " ".join(f"{word} {value}" for word, value in fault.details.items())
    lasts = "to the end" if fault.ended is None else f"{fault.ended - fault.began:.1f} s"
    answer = f"not put in: {fault.refused}" if fault.refused else ", ".join(fault.alarms) or "none"
    return clock(fault.began), lasts, f"{fault.kind} {details}".strip(), answer, str(fault.trips)


def _alarms(record: Record) -> list[str]:
    if not record.alarms:
        return []
    rows = [
        (clock(a.began), "stands" if a.ended is None else f"{a.ended - a.began:.1f} s", a.severity, f"`{a.name}`", a.text)
        for a in record.alarms
    ]
    return ["## Alarms", "", *_table(("at", "for", "severity", "alarm", "text"), rows)]
