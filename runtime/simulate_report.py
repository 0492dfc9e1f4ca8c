"""A simulation as a report: Markdown for people, and the same as JSON for scripts. It must not know how a run is made.

No line depends on the computer or the day: equal runs give equal reports, byte for byte.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from runtime.simulate_record import Duty, FaultSpan, Reach, Record, Trip, clock

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
        "cells_that_a_fault_drives": [vars(reach) for reach in record.broken_reaches],
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
        "missed_trips": [vars(one) for one in record.missed],
        "demands": [vars(duty) for duty in record.duties],
        "least_margin_s": _least_margin(record),
        "unexplained_trips": sum(not trip.is_explained for trip in record.trips),
        "unanswered_faults": len(record.unanswered_faults),
        "refused_commands": record.refused,
        "events": [{"time_s": time, "what": what} for time, what in record.events],
    }


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
    lines += _missed(record)
    lines += _demands(record)
    lines += _trips(record)
    lines += _false(record)
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
    missed = f"{len(record.missed)} missed, " if record.duties else ""
    return (
        f"{len(placed)} faults, {len(record.alarms)} alarms, {len(record.trips)} trips: {missed}"
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
    rows = [_reach_row(reach) for reach in record.reaches]
    rows += [_reach_row(reach, " of cells that a fault itself drives") for reach in record.broken_reaches]
    return ["## Cells, by the plant's own truth", "", *_table(("quantity", "safe area", "seen", "outside"), rows)]


def _reach_row(reach: Reach, of: str = "") -> tuple[str, ...]:
    return (
        reach.name + of,
        f"{reach.low:g} .. {reach.high:g} {reach.unit}",
        f"{reach.least:.4g} .. {reach.most:.4g} {reach.unit}",
        "never" if reach.first_outside is None else f"{reach.outside_s:.2f} s, first at {clock(reach.first_outside)}",
    )


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


def _least_margin(record: Record) -> float | None:
    """The least time to spare of all that had to let go, in s."""
    return min((duty.margin for duty in record.duties if duty.margin is not None), default=None)


def _missed(record: Record) -> list[str]:
    if not record.missed:
        return []
    rows = [(clock(one.time), one.what, one.why, one.seen, f"`{one.at}`") for one in record.missed]
    return ["## Missed trips", "", *_table(("at", "what did not let go", "why it had to", "seen", "written at"), rows)]


def _demands(record: Record) -> list[str]:
    if not record.duties:
        return []
    rows = [_duty_row(duty) for duty in record.duties]
    head = ("what must let go, or not last", "came to it", "in time", "least time to spare", "demanded nothing")
    return ["## What had to let go", "", *_table(head, rows)]


def _duty_row(duty: Duty) -> tuple[str, ...]:
    answered = str(duty.cases - duty.missed) + (f", **{duty.missed} missed**" if duty.missed else "")
    spare = "" if duty.margin is None else f"{duty.margin:.2f} s"
    return duty.text, str(duty.cases), answered, spare, str(duty.idle) if duty.idle else ""


def _trips(record: Record) -> list[str]:
    if not record.trips:
        return []
    return ["## Trips", "", *_table(("at", "what", "cause", "alarms", "because of"), [_trip_row(trip) for trip in record.trips])]


def _false(record: Record) -> list[str]:
    """What stood around each trip that nothing explains: somebody has to."""
    lines = []
    for trip in (trip for trip in record.trips if trip.is_false):
        lines += [f"### {clock(trip.time)} {trip.source}: {trip.cause}", "", *(f"- {one}" for one in trip.around[-SHOWN:]), ""]
    return ["## False trips, and what happened around them", "", *lines] if lines else []


def _trip_row(trip: Trip) -> tuple[str, ...]:
    alarms = ", ".join(trip.alarms) or "none"
    if not trip.is_explained:
        alarms += ": **not explained**"
    because = [*trip.faults, *([f"follows {trip.follows}"] if trip.follows else [])]
    return clock(trip.time), trip.source, trip.cause, alarms, ", ".join(because) or "**none: a false trip**"


def _faults(record: Record) -> list[str]:
    if not record.faults:
        return []
    head = ("at", "for", "fault", "alarms while it was on", "trips")
    return ["## Faults", "", *_table(head, [_fault_row(fault) for fault in record.faults])]


def _fault_row(fault: FaultSpan) -> tuple[str, ...]:
    lasts = "to the end" if fault.ended is None else f"{fault.ended - fault.began:.1f} s"
    answer = f"not put in: {fault.refused}" if fault.refused else ", ".join(fault.alarms) or "none"
    return clock(fault.began), lasts, fault.text, answer, str(fault.trips)


def _alarms(record: Record) -> list[str]:
    if not record.alarms:
        return []
    rows = [
        (clock(a.began), "stands" if a.ended is None else f"{a.ended - a.began:.1f} s", a.severity, f"`{a.name}`", a.text)
        for a in record.alarms
    ]
    return ["## Alarms", "", *_table(("at", "for", "severity", "alarm", "text"), rows)]
