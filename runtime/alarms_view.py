"""How alarms, their events and their statistics are shown: cells of tables, and JSON. It must not know where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runtime.quality import name as quality_name
from runtime.records_view import number, plain, when

SEVERITIES = {"critical": 3, "error": 2, "warning": 1}
STYLES = {"critical": "bold red", "error": "red", "warning": "yellow"}
_VERDICTS = {"good": "green", "manageable": "yellow", "too many": "bold red"}
_WORDS = ("name", "id", "source", "severity", "text", "of", "limit", "active", "acked", "confirmed", "acked_by", "comment", "count")
_MORE_WORDS = ("event", "suppressed", "shelved", "shelved_by")
_TIMES = ("active_at", "cleared_at", "acked_at", "shelved_until")
Table = tuple[Sequence[str], Sequence[Sequence[str]], Sequence[str]]  # heads, rows, styles


def is_apart(state: Any) -> bool:
    """Whether an operator's list leaves the alarm out: somebody shelved it, or the program suppresses it."""
    return bool(state.shelved) or bool(state.suppressed)


def in_order(states: Iterable[Any]) -> list[Any]:
    """What must be looked at first comes first."""
    return sorted(states, key=lambda s: (not s.active, s.acked, -SEVERITIES.get(s.severity, 0), -max(s.active_at, s.cleared_at)))


def head_of(listed: Sequence[Any], shown: Sequence[Any]) -> str:
    """The line above the list: what is in it, and how many of the site's alarms stand apart."""
    apart = (("shelved", sum(bool(s.shelved) for s in listed)), ("suppressed", sum(s.suppressed for s in listed)))
    counts = [("active", sum(s.active for s in shown)), ("unacknowledged", sum(not s.acked for s in shown))]
    return ", ".join(f"{n} {word}" for word, n in [*counts, *((word, n) for word, n in apart if n)])


def table_of(states: Sequence[Any]) -> Table:
    """The list of alarms; columns that say nothing of any are left out."""
    columns: list[tuple[str, bool, Callable[[Any], str]]] = [
        ("alarm", True, lambda s: s.name),
        ("id", any(s.id for s in states), lambda s: s.id),
        ("state", True, state_text),
        ("severity", True, lambda s: s.severity),
        ("since", True, lambda s: when(s.active_at if s.active else s.cleared_at)),
        ("value", True, lambda s: number(s.value)),
        ("text", True, lambda s: s.text),
        ("shelved until", any(s.shelved for s in states), lambda s: _shelf_text(s) if s.shelved else ""),
        ("acknowledged by", True, lambda s: s.acked_by),
        ("comment", True, lambda s: s.comment),
    ]
    chosen = [(head, cell) for head, is_wanted, cell in columns if is_wanted]
    rows = [[cell(state) for _, cell in chosen] for state in states]
    return [head for head, _ in chosen], rows, [STYLES.get(s.severity, "") if s.active else "" for s in states]


def events_table(events: Sequence[Any]) -> Table:
    """What happened to alarms."""
    columns: list[tuple[str, bool, Callable[[Any], str]]] = [
        ("time", True, lambda e: when(e.time)),
        ("alarm", True, lambda e: e.alarm),
        ("id", any(e.state.id for e in events), lambda e: e.state.id),
        ("became", True, lambda e: e.kind if e.kind != "quality" else quality_name(e.state.quality)),
        ("severity", True, lambda e: e.state.severity),
        ("value", True, lambda e: number(e.state.value) if e.kind == "active" else "-"),
        ("text", True, lambda e: e.state.text),
        ("who", True, lambda e: e.who),
        ("note", True, lambda e: "; ".join(part for part in (e.note, e.state.comment if e.who else "") if part)),
    ]
    chosen = [(head, cell) for head, is_wanted, cell in columns if is_wanted]
    rows = [[cell(event) for _, cell in chosen] for event in events]
    return [head for head, _ in chosen], rows, [STYLES.get(e.state.severity, "") if e.kind == "active" else "" for e in events]


def state_text(state: Any) -> str:
    """The alarm's state in words."""
    seen = "" if state.acked else ", unacknowledged"
    waits = "" if state.confirmed else ", unconfirmed"
    apart = "".join(f", {word}" for word, is_so in (("shelved", state.shelved), ("suppressed", state.suppressed)) if is_so)
    unsure = ", not judged now" if state.quality >> 31 else ""
    return f"{'active' if state.active else 'cleared' if state.count else 'never active'}{seen}{waits}{apart}{unsure}"


def _shelf_text(state: Any) -> str:
    once = " or until it clears" if state.shelved == "one shot" else ""
    return f"{when(state.shelved_until)}{once}, by {state.shelved_by}"


def alarm_as_json(state: Any) -> dict[str, Any]:
    """All that is known of an alarm."""
    words = {word: getattr(state, word) for word in (*_WORDS, *_MORE_WORDS)}
    times = {word: when(getattr(state, word)) if getattr(state, word) else None for word in _TIMES}
    most = state.shelve_most / 1e9
    return {**words, **times, "value": plain(state.value), "retained": state.retained, "shelve_most_s": most}


def event_as_json(event: Any) -> dict[str, Any]:
    """An event, and the alarm after it."""
    said = {word: getattr(event, word) for word in ("number", "alarm", "kind", "who", "note")}
    return {"time": when(event.time), **said, "quality": quality_name(event.state.quality), "state": alarm_as_json(event.state)}


def statistics_table(targets: Sequence[Any]) -> Table:
    """The figures beside what the standards recommend."""
    rows = []
    for target in targets:
        value = number(round(target.value, 2)) + (f" {target.unit}" if target.unit else "")
        most = "" if target.most == target.good else f" ({target.most:g} can be managed)"
        rows.append((target.name, value, f"at most {target.good:g}{most}", target.verdict))
    return ("", "here", "ISA-18.2 recommends", ""), rows, [_VERDICTS[target.verdict] for target in targets]


def statistics_notes(metrics: Mapping[str, Any]) -> list[str]:
    """The alarms behind the figures, a line each."""
    flood, peak = metrics["flood"], metrics["peak_10_min"]
    said = [
        ("most frequent", [f"{row['alarm']} {row['alarms']} ({row['share']:.0f} %)" for row in metrics["top"]]),
        ("by severity", [f"{word} {row['alarms']} ({row['share']:.0f} %)" for word, row in metrics["severities"].items()]),
        ("most in 10 minutes", [f"{peak['alarms']} from {when(peak['time'])} on"] if peak["alarms"] else []),
        ("floods", [f"{row['alarms']} alarms from {when(row['began'])} on" for row in flood["worst"]]),
        ("chattering", [f"{row['alarm']} {row['times']}x" for row in metrics["chattering"]]),
        ("fleeting", [f"{row['alarm']} {row['times']}x" for row in metrics["fleeting"]]),
        ("stale", [f"{row['alarm']} since {when(row['since'])}" for row in metrics["stale"]]),
        ("stood for over a day", [f"{row['alarm']} ({row['stood'] / 86_400e9:.1f} d)" for row in metrics["was_stale"]]),
        ("shelved", [f"{metrics['shelved']}x"] if metrics["shelved"] else []),
    ]
    notes = [f"{what + ':':20} {', '.join(those)}" for what, those in said if those]
    return [*(["alarms come faster than a person can follow: a flood goes on now"] if flood["is_now"] else []), *notes]
