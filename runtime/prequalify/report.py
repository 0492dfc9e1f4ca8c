"""The report of a prequalification: one HTML file with everything in it, nothing fetched from a network.

Pass or fail is said by a word and a sign, not by colour alone. It judges nothing and draws nothing itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from runtime.prequalify.criterion import SIGNS, Finding, Outcome, grouped, overall, reduction, worst

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 76rem;
  margin: 2rem auto; padding: 0 1.2rem }
h1 { font-size: 1.6rem; margin: 0 0 .3rem } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #bbb }
h3 { font-size: 1rem; margin: 1.4rem 0 .2rem } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd }
th { background: #f2f2f2 } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.o { white-space: nowrap; font-weight: 600 } .FAIL { background: #fbe3d6 } .REDUCED { background: #fdf3d0 }
.verdict { font-size: 1.3rem; font-weight: 700; border: 2px solid; padding: .4rem .8rem; display: inline-block; margin: .6rem 0 }
.facts { width: auto } .facts th { background: none; font-weight: 600 } small { color: #555 } code { font-size: .92em }
svg { max-width: 100%; height: auto } .pair { display: flex; flex-wrap: wrap; gap: 1rem } details { margin: .8rem 0 }
@media print { body { margin: 0; max-width: none } tr, figure { break-inside: avoid } }
"""


@dataclass(frozen=True)
class Picture:
    """An <svg> element, what it shows, and the file that its record was written to."""

    title: str
    svg: str
    note: str = ""


def page(
    title: str,
    facts: Mapping[str, str],
    findings: Sequence[Finding],
    pictures: Sequence[Picture],
    *,
    capacity: float = 0.0,
    pairs: Sequence[Picture] = (),
    left_out: Sequence[str] = (),
    origins: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole report: header, verdict, requirements, pictures, every finding. `pairs` are small pictures side by side.

    `left_out` are tests that were not driven; `origins` says where the formulas are from: how sure that is, and the source.
    """
    found = list(findings)
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head><body>',
        f"<h1>{escape(title)}</h1>",
        _verdict(found, capacity, left_out),
        _facts(facts),
        "<h2>Requirements</h2>",
        _table([worst(group) for group in grouped(found).values()], grouped(found)),
        *(["<h2>Transfer function</h2>", '<div class="pair">', *map(_figure, pairs), "</div>"] if pairs else []),
        "<h2>Tests</h2>",
        *map(_figure, pictures),
        f"<details><summary>All {len(found)} findings</summary>",
        _table(found, {}),
        "</details>",
        *(["<h2>Where the formulas are from</h2>", _origins(origins)] if origins else []),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _verdict(findings: list[Finding], capacity: float, left_out: Sequence[str]) -> str:
    outcome = overall(findings)
    text = f"{SIGNS[outcome]} {outcome.value}"
    if outcome is Outcome.FAIL:
        missed = [group[0].requirement.title for group in grouped(findings).values() if worst(group).outcome is Outcome.FAIL]
        text += f": {'; '.join(missed)}" if missed else ": nothing was found"
    if outcome is Outcome.REDUCED:
        text += f": K = {reduction(findings):.3f}" + (
            f", {reduction(findings) * capacity:.0f} kW of {capacity:.0f} kW" if capacity else ""
        )
    text += f" (not tested: {', '.join(left_out)})" if left_out else ""
    return f'<p class="verdict {outcome.value}">{escape(text)}</p>'


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    return f'<table class="facts">{rows}</table>'


def _origins(origins: Sequence[tuple[str, str]]) -> str:
    return "<ul>" + "".join(f"<li><b>{escape(kind)}</b>: {escape(text)}</li>" for kind, text in origins) + "</ul>"


def _table(findings: Sequence[Finding], groups: Mapping[str, list[Finding]]) -> str:
    """One row a finding; where it stands for a group, with how many of the group are right."""
    heads = ("Outcome", "Requirement", "Formula and source", "Limit", "Value", "Margin", "Where")
    numbers = ("Limit", "Value", "Margin")
    head = "".join(f'<th scope="col"{" class=n" if name in numbers else ""}>{name}</th>' for name in heads)
    rows = [_row(finding, groups.get(finding.requirement.id, [])) for finding in findings]
    return "\n".join([f"<table><thead><tr>{head}</tr></thead><tbody>", *rows, "</tbody></table>"])


def _row(finding: Finding, group: list[Finding]) -> str:
    need, outcome = finding.requirement, finding.outcome
    right = sum(f.outcome is Outcome.PASS for f in group)
    count = f"<br><small>{right} of {len(group)} pass, the worst shown</small>" if len(group) > 1 else ""
    limit = (
        escape(need.limit).replace(" (", "<br><small>").replace(")", "</small>") if need.reduced is not None else escape(need.limit)
    )
    note = f"<br><small>{escape(finding.note)}</small>" if finding.note else ""
    return (
        f'<tr class="{outcome.value}"><td class="o">{SIGNS[outcome]} {outcome.value}</td>'
        f"<td>{escape(need.title)}<br><small><code>{escape(need.id)}</code></small></td>"
        f"<td>{escape(need.formula)}<br><small>{escape(need.source)}</small></td>"
        f'<td class="n">{limit}</td><td class="n">{_number(finding.value, need.unit)}</td>'
        f'<td class="n">{_number(finding.margin, sign=True)}</td><td>{escape(_where(finding))}{note}{count}</td></tr>'
    )


def _where(finding: Finding) -> str:
    """The test and the part of its record; data that are no record have none."""
    begin, end = finding.interval
    if begin == end:
        return finding.test if end == 0.0 else f"{finding.test}, at {end:.1f} s"
    return f"{finding.test}, {begin:.1f} .. {end:.1f} s"


def _number(value: float, unit: str = "", *, sign: bool = False) -> str:
    if math.isnan(value):
        return "none"
    if math.isinf(value):
        return "never" if not sign else ("-∞" if value < 0 else "∞")
    return f"{value:+.4g}" if sign else f"{value:.4g} {escape(unit)}".rstrip()


def _figure(picture: Picture) -> str:
    note = f"<br><small>{escape(picture.note)}</small>" if picture.note else ""
    return f"<figure><figcaption><b>{escape(picture.title)}</b>{note}</figcaption>{picture.svg}</figure>"
