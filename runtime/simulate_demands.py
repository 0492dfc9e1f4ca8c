"""Reads what a scenario demands to let go: by the fault that was put in (`demands`), and by the plant's own truth (`beyond`).

Every mistake is reported with its place. It must not know how a run is judged.
"""

from __future__ import annotations

from typing import Any

from blocks.declare import LREAL
from runtime.language.quantities import QuantityError, in_unit, range_of
from runtime.language.units import unit
from runtime.language.words import as_section, check_words, choice_of, duration_of, value_of
from runtime.simulate_faults import Breakable
from runtime.simulate_scenario import SECOND, Demand, Limit
from runtime.simulate_truth import OF_RACKS, TRUTHS
from runtime.simulation.faults import FAULTS
from runtime.source import Listing, Position, Report, Section, Text, did_you_mean, place_of

GOALS = ("rack", "site", "power", "grid")
DEMAND_WORDS = ("fault", "stood", "within", "of", "message", "link")
EXAMPLE = "`{fault: earth_fault, stood: 2 s, within: 8 s, of: rack}`"
LIMIT_WORDS = (*OF_RACKS, "for", "charging")


def _bodies(section: Section, word: str, report: Report) -> list[Section]:
    """The entries of a list of sections."""
    listing = section.get(word)
    if listing is None:
        return []
    if not isinstance(listing, Listing) or not listing:
        report.error(place_of(listing, section.key_at(word)), "E005", f"`{word}` is a list", "each starts with `- `")
        return []
    found = [as_section(item, place_of(item, section.key_at(word)), f"one of `{word}`", report) for item in listing]
    return [body for body in found if body is not None]


def read_demands(section: Section, parts: Breakable, report: Report) -> tuple[Demand, ...]:
    """`demands:`, a list of `{fault: earth_fault, stood: 2 s, within: 8 s, of: rack}`."""
    found = [_demand(body, parts, report) for body in _bodies(section, "demands", report)]
    return tuple(one for one in found if one is not None)


def _demand(body: Section, parts: Breakable, report: Report) -> Demand | None:
    before = len(report.errors)
    check_words(body, DEMAND_WORDS, "a demand", report)
    for word in ("fault", "within", "of"):
        if word not in body:
            report.error(body.at, "E007", f"this demand has no `{word}`", EXAMPLE)
    stood, within = duration_of(body, "stood", report, 0), duration_of(body, "within", report)
    goal = choice_of(body, "of", GOALS, report, "")
    kind = body.get("fault")
    if not isinstance(kind, Text) or kind not in FAULTS:
        if "fault" in body:
            hint, known = did_you_mean(str(kind), FAULTS), f"there are: {', '.join(FAULTS)}"
            report.error(place_of(kind, body.at), "E969", f"no fault is named `{kind}`", hint, known)
        return None
    if goal == "rack" and not (FAULTS[kind].of or {"link", "message"} & set(FAULTS[kind].needs)):
        report.error(place_of(body["of"]), "E010", f"`{kind}` is a fault of no rack: {FAULTS[kind].text}", "`of: site`")
    if stood is not None and within is not None and stood > within:
        report.error(place_of(body["within"]), "E010", "what must be answered sooner than it has stood is never due", "")
    details = _details(body, kind, parts, report)
    if len(report.errors) > before or stood is None or within is None:
        return None
    return Demand(str(kind), stood, within, goal, details, body.at)


def _details(body: Section, kind: Text, parts: Breakable, report: Report) -> dict[str, Any]:
    """The one message or link that the demand is about."""
    found = {}
    for word, known in (("message", parts.messages), ("link", (*parts.buses, *parts.links, "pcs1"))):
        if word not in body:
            continue
        value = body[word]
        if word not in FAULTS[kind].needs:
            report.error(body.key_at(word), "E006", f"`{word}` is no word of the fault `{kind}`", "")
        elif not isinstance(value, Text) or value not in known:
            hint = did_you_mean(str(value), known)
            report.error(place_of(value), "E969", f"no {word} `{value}`", hint, f"there are: {', '.join(known)}")
        else:
            found[word] = str(value)
    return found


def read_limits(section: Section, report: Report) -> tuple[Limit, ...]:
    """`beyond:`, a list of `{cell_v: 2.5..3.65 V, for: 2 s}`: what no rack on its bus may be beyond for so long."""
    found = [_limit(body, report) for body in _bodies(section, "beyond", report)]
    return tuple(one for one in found if one is not None)


def _limit(body: Section, report: Report) -> Limit | None:
    before = len(report.errors)
    check_words(body, LIMIT_WORDS, "a limit of `beyond`", report)
    names = [name for name in OF_RACKS if name in body]
    lasts = duration_of(body, "for", report)
    if len(names) != 1 or "for" not in body:
        report.error(body.at, "E007", "a limit of `beyond` is of one quantity, for a time", "`{cell_v: 2.5..3.65 V, for: 2 s}`")
        return None
    ends = ends_of(body[names[0]], names[0], body.at, report)
    charging = value_of(body["charging"], LREAL, unit("1/h"), "charging", report) if "charging" in body else None
    if len(report.errors) > before or ends is None or lasts is None:
        return None
    text = f"{names[0]} beyond {body[names[0]]} for {lasts / SECOND:g} s on the bus"
    if charging is not None:
        text += f", charged with more than {charging:g} C"
    return Limit(names[0], *ends, lasts, charging, text, body.at)


def ends_of(value: Any, name: str, at: Position, report: Report) -> tuple[float, float] | None:
    """The ends of a range of a truth, `2.5..3.65 V`, in its unit; None where it is wrong. `at` is its place if it has none."""
    measured = unit(TRUTHS[name].unit)
    try:
        found = range_of(value) if isinstance(value, Text) else None
    except QuantityError:
        found = None
    low, high = [in_unit(end, measured) for end in found] if found is not None and measured is not None else (None, None)
    if low is None or high is None or low >= high:
        report.error(place_of(value, at), "E010", f"`{name}` is written `low..high`, in {TRUTHS[name].unit}", "`2.5..3.65 V`")
        return None
    return float(low), float(high)
