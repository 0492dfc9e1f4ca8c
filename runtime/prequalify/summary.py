"""A prequalification in a terminal and for a script: a line for each requirement; all of it as plain data. It judges nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from runtime.prequalify.criterion import SIGNS, Finding, Outcome, Requirement, grouped, overall, reduction, worst
from runtime.prequalify.origins import ORIGINS, requirements_of
from runtime.prequalify.programme import Terms, group_of, groups_of, sequences_of
from runtime.prequalify.record import Record
from runtime.prequalify.sequences_fcr import NORDIC


def table(findings: list[Finding]) -> str:
    """The deciding finding of every requirement: outcome, value, limit, margin, and where."""
    rows = [("", "requirement", "value", "limit", "margin", "where")]
    for group in grouped(findings).values():
        found = worst(group)
        need = found.requirement
        value = f"{_number(found.value)} {need.unit}".rstrip() if math.isfinite(found.value) else _number(found.value)
        mark = f"{SIGNS[found.outcome]} {found.outcome.value}"
        where = f"{found.test}{f', {found.note}' if found.note else ''}"
        rows.append((mark, need.title, value, need.limit, _number(found.margin, "+"), where))
    return _columns(rows, right=(2, 4))


def verdict(findings: list[Finding], terms: Terms, service: str) -> str:
    """The outcome in one line, with what it leaves of the capacity, and what was not tested."""
    outcome = overall(findings)
    text = f"{SIGNS[outcome]} {outcome.value}"
    if outcome is Outcome.REDUCED:
        text += f": {reduction(findings) * terms.capacity:.4g} of {terms.capacity:.4g} kW (K = {reduction(findings):.3f})"
    if left := left_out(service, terms):
        text += f" (not tested: {', '.join(left)})"
    return text


def left_out(service: str, terms: Terms) -> list[str]:
    """The groups of tests that the terms leave out."""
    return [group for group in groups_of(service) if terms.tests and group not in terms.tests]


def fallen_out(service: str, terms: Terms, records: Mapping[str, Record]) -> list[str]:
    """The tests in which the site was not connected any more, and from when on: there the plant answers nothing."""
    told = []
    for test in sequences_of(service, terms):
        record = records[test.kind]
        if not record.status.all():
            told.append(f"{test.title} from {record.t[int(np.argmin(record.status))]:.1f} s on")
    return told


def as_data(findings: list[Finding], terms: Terms, service: str) -> dict[str, Any]:
    """Everything for a script; a value that is no number is null."""
    return {
        "service": service,
        "outcome": overall(findings).value,
        "capacity_kw": terms.capacity,
        "reduction": reduction(findings),
        "left_out": left_out(service, terms),
        "findings": [_finding(found) for found in findings],
    }


def terms_text(service: str, terms: Terms) -> str:
    """What the service demands, without any test: sequences with their length, requirements with their formula, origins."""
    tests = [(group_of(one), one.title, f"{one.seconds:.0f} s", _short(one.source)) for one in sequences_of(service, terms)]
    needs = [(one.title, _limit(one), one.formula, _short(one.source)) for one in requirements_of(service, terms.option)]
    parts = [
        _columns([("--tests", "test", "lasts", "source"), *tests], right=(2,)),
        _columns([("requirement", "limit", "formula", "source"), *needs]),
        "\n".join(f"{kind}: {text}" for kind, text in ORIGINS[service]),
    ]
    return "\n\n".join(parts)


def _short(source: str) -> str:
    """The place in the text; the text itself stands below the tables."""
    return source.removeprefix(f"{NORDIC}, ")


def _limit(need: Requirement) -> str:
    return need.limit if math.isfinite(need.low) or math.isfinite(need.high) else "by the curve or stage"


def _finding(found: Finding) -> dict[str, Any]:
    need = found.requirement
    return {
        "requirement": need.id,
        "title": need.title,
        "test": found.test,
        "outcome": found.outcome.value,
        "value": _plain(found.value),
        "unit": need.unit,
        "low": _plain(need.low),
        "high": _plain(need.high),
        "margin": _plain(found.margin),
        "from_s": found.interval[0],
        "to_s": found.interval[1],
        "note": found.note,
        "formula": need.formula,
        "source": need.source,
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float, sign: str = "") -> str:
    if math.isnan(value):
        return "none"
    return f"{value:{sign}.4g}" if math.isfinite(value) else "never"


def _columns(rows: Sequence[Sequence[str]], right: tuple[int, ...] = ()) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    signs = [">" if at in right else "<" for at in range(len(widths))]
    return "\n".join(
        "  ".join(f"{text:{sign}{width}}" for text, sign, width in zip(row, signs, widths, strict=True)).rstrip() for row in rows
    )
