"""Reads the faults of a scenario: at a time, or by chance; and draws those that come by chance from the seed.

It must not know how a fault is put into the plant: the plant's own table says which there are and what each needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blocks.declare import DINT, LREAL
from runtime.language.quantities import QuantityError, nanoseconds, range_of
from runtime.language.units import unit
from runtime.language.words import as_section, check_words, duration_of, texts_of, value_of
from runtime.simulate_scenario import HOUR, SECOND, FaultOrder, RandomFaults
from runtime.simulation.faults import FAULTS
from runtime.source import Report, Section, Text, did_you_mean, place_of

WORDS = ("at", "for", "fault")
RANDOM_WORDS = ("rate", "kinds", "for", "begin", "end")
AMOUNTS: Mapping[str, tuple[str, str, float, float]] = {  # detail -> fault, unit, range of what it may be
    "celsius": ("over_heat_cell", "°C", -40.0, 1000.0),
    "kohm": ("earth_fault", "", 0.0, 2000.0),
    "ms": ("slow_link", "", 1.0, 60_000.0),
    "code": ("exception_link", "", 1.0, 11.0),
    "ohm": ("cell_short", "", 1e-6, 1e6),
    "mohm": ("loose_cell", "", 1e-3, 1e6),
    "litres": ("coolant_leak", "", 0.0, 1e6),
    "percent": ("brown_out", "", 0.0, 100.0),
    "mw": ("lost_unit", "", 0.0, 1e6),
}
DETAILS = ("cell", "rack", "zone", "message", "link", *AMOUNTS)
NUMBERS = ("cell", "rack", "zone", "code")
_RATE = re.compile(r"\s*(\d+(?:\.\d*)?)\s*/\s*(s|min|h|d)\s*\Z")
HOURS_OF = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0}
MOST_PER_HOUR = 36_000.0


@dataclass(frozen=True, slots=True)
class Breakable:
    """What of the plant a fault may name: how many cells, which messages the rack sends, which links there are."""

    cells: int
    messages: tuple[str, ...]
    links: tuple[str, ...]
    racks: int = 1
    buses: tuple[str, ...] = ("can0",)  # links on which only a cut wire is possible
    zones: int = 1


def read_fault(body: Section, parts: Breakable, report: Report) -> FaultOrder | None:
    """`{at: 10 min, for: 30 s, fault: earth_fault, kohm: 20}`, or None where it is wrong."""
    before = len(report.errors)
    check_words(body, (*WORDS, *DETAILS), "a fault", report)
    time = duration_of(body, "at", report)
    if "at" not in body:
        report.error(body.at, "E007", "this fault has no time", "`at: 10 min`, or `random:` for faults that come by chance")
    lasts = duration_of(body, "for", report, -1)
    kind = body.get("fault")
    if not isinstance(kind, Text):
        report.error(body.key_at("fault"), "E007", "`fault` says what breaks", "", f"there are: {', '.join(FAULTS)}")
        return None
    if not _is_fault(kind, report):
        return None
    details = _details(body, kind, parts, report)
    if len(report.errors) > before or time is None or lasts is None:
        return None
    return FaultOrder(time, lasts, str(kind), details, body.at)


def _is_fault(kind: Text, report: Report) -> bool:
    if kind in FAULTS:
        return True
    report.error(kind.at, "E969", f"no fault is named `{kind}`", did_you_mean(kind, FAULTS), f"there are: {', '.join(FAULTS)}")
    return False


def _details(body: Section, kind: Text, parts: Breakable, report: Report) -> dict[str, Any]:
    fault, found = FAULTS[kind], dict[str, Any]()
    for need in fault.needs:
        if need not in body:
            report.error(kind.at, "E007", f"`{kind}` needs its `{need}`: {fault.text}", "")
    for word in DETAILS:
        if word not in body:
            continue
        of = AMOUNTS.get(word)
        if word not in fault.needs and word != fault.of and (of is None or of[0] != kind):
            report.error(body.key_at(word), "E006", f"`{word}` is no word of the fault `{kind}`", "")
        elif word in ("message", "link"):
            known = parts.messages if word == "message" else (*_links(kind, parts), "pcs1")
            value = body[word]
            if not isinstance(value, Text) or value not in known:
                hint = did_you_mean(str(value), known)
                report.error(place_of(value), "E969", f"no {word} `{value}`", hint, f"there are: {', '.join(known)}")
            else:
                found[word] = str(value)
        else:
            found[word] = _number(body, word, parts, report)
    return found


def _links(kind: str, parts: Breakable) -> tuple[str, ...]:
    """The links that this fault can break."""
    return (*parts.buses, *parts.links) if kind == "drop_link" else parts.links


def _number(body: Section, word: str, parts: Breakable, report: Report) -> float | int | None:
    counts = {"cell": parts.cells, "rack": parts.racks, "zone": parts.zones}
    low, high = (1.0, float(counts[word])) if word in counts else AMOUNTS[word][2:]
    measured = unit(AMOUNTS[word][1]) if word in AMOUNTS and AMOUNTS[word][1] else None
    value: float | int | None = value_of(body[word], DINT if word in NUMBERS else LREAL, measured, word, report)
    if value is not None and not low <= value <= high:
        report.error(place_of(body[word]), "E010", f"`{word}` is {low:g} to {high:g}, not {value:g}")
        return None
    return value


def read_random(value: Any, at: Any, report: Report) -> RandomFaults | None:
    """`{rate: 20/h, kinds: [earth_fault, pcs_fault], for: 5 s..60 s}`, or None where it is wrong."""
    before = len(report.errors)
    body = as_section(value, at, "`random`", report)
    if body is None:
        return None
    check_words(body, RANDOM_WORDS, "`random`", report)
    kinds = tuple(str(kind) for kind in texts_of(body, "kinds", report) if _is_fault(kind, report))
    if "kinds" not in body:
        kinds = tuple(FAULTS)
    rate = _rate(body, report)
    shortest, longest = _between(body, report)
    begin, end = duration_of(body, "begin", report, 0), duration_of(body, "end", report, -1)
    if not kinds and len(report.errors) == before:
        report.error(body.key_at("kinds"), "E007", "`kinds` names no fault", "")
    if len(report.errors) > before or begin is None or end is None:
        return None
    return RandomFaults(rate, kinds, shortest, longest, begin, end)


def _rate(body: Section, report: Report) -> float:
    text = body.get("rate")
    found = _RATE.match(text) if isinstance(text, Text) else None
    if found is None:
        report.error(place_of(text, body.at), "E010", "`rate` is how many faults there are on average", "`20/h`, `1/min`")
        return 0.0
    rate = float(found[1]) / HOURS_OF[found[2]]
    if not 0 < rate <= MOST_PER_HOUR:
        report.error(place_of(text), "E010", f"`rate` is above 0 and at most {MOST_PER_HOUR:g}/h")
    return rate


def _between(body: Section, report: Report) -> tuple[int, int]:
    """How long a fault lasts: `30 s`, or anything in `5 s..60 s`; 10 to 60 s where nothing is said."""
    text = body.get("for")
    if text is None:
        return 10 * SECOND, 60 * SECOND
    try:
        ends = range_of(text) if isinstance(text, Text) else None
        times = [nanoseconds(end) for end in ends] if ends is not None else []
    except QuantityError:
        times = []
    if isinstance(text, Text) and ".." not in text:
        single = duration_of(body, "for", report)
        return (single or 0, single or 0)
    low, high = times if len(times) == 2 else (None, None)
    if low is None or high is None or not 0 <= low <= high:
        report.error(place_of(text, body.at), "E207", f"`{text}` is no range of durations", "`5 s..60 s`")
        return 0, 0
    return low, high


def draw(random: Sequence[RandomFaults], seed: int, duration: int, parts: Breakable) -> tuple[FaultOrder, ...]:
    """The faults that come by chance, in order: a Poisson process of each `random`, from the seed and nothing else."""
    found: list[FaultOrder] = []
    for number, one in enumerate(random):
        source = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0xFA07, number])))
        end = duration if one.end < 0 else min(one.end, duration)
        time = one.begin + int(source.exponential(HOUR / one.rate))
        while time < end:
            kind = one.kinds[int(source.integers(len(one.kinds)))]
            lasts = one.shortest + int(source.random() * (one.longest - one.shortest))
            found.append(FaultOrder(time, lasts, kind, _drawn(kind, parts, source)))
            time += max(int(source.exponential(HOUR / one.rate)), 1)
    return tuple(sorted(found, key=lambda fault: fault.time))


def _of_one_sort(messages: Sequence[str], source: np.random.Generator) -> Sequence[str]:
    """The messages of one sort: sixteen that tell cells shall not hide the one that tells the state of the rack."""
    sorts: dict[str, list[str]] = {}
    for message in messages:
        sorts.setdefault(message.rstrip("0123456789"), []).append(message)
    return list(sorts.values())[int(source.integers(len(sorts)))]


def _drawn(kind: str, parts: Breakable, source: np.random.Generator) -> dict[str, Any]:
    """Which cell, message or link it is, and of which rack or zone."""
    details: dict[str, Any] = {}
    for need in FAULTS[kind].needs:
        if need == "cell":
            details[need] = int(source.integers(1, parts.cells + 1))
        else:
            known = _of_one_sort(parts.messages, source) if need == "message" else _links(kind, parts)
            details[need] = known[int(source.integers(len(known)))]
    several = {"rack": parts.racks, "zone": parts.zones}.get(FAULTS[kind].of, 1)
    if several > 1:
        details[FAULTS[kind].of] = int(source.integers(1, several + 1))
    return details
