"""Where a wire ends, and the words for what does not fit there. It must not know how feeds are made or converted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, AnyType, Type
from runtime.language.network import Cell, Constant, Feed, Listed, Literal, Port, Wire, inside
from runtime.language.units import NUMBER, Unit
from runtime.source import Position, Report, place_of

FUNCTION = {
    (LREAL, DINT): "to_dint",
    (LREAL, LINT): "to_lint",
    (LINT, DINT): "to_dint",
    (DINT, LINT): "to_lint",
    (LINT, LREAL): "to_lreal",
    (BOOL, DINT): "to_dint",
    (BOOL, LINT): "to_lint",
    (BOOL, LREAL): "to_lreal",
    (TIME, LREAL): "to_seconds",
    (LREAL, TIME): "to_time",
}


@dataclass(slots=True)
class Target:
    """A pin, a tag or a function block's input at the end of a wire. `owner` starts the names of conversions put in before it."""

    type: Type
    unit: Unit | None
    owner: str
    what: str
    minimum: float | None = None
    maximum: float | None = None
    is_difference: bool = False
    at: Any = None

    def report_at(self, report: Report, feed: Feed, code: str, message: str, hint: str = "", *help: str) -> None:
        report.error(place(feed, self.at), code, message, hint, *help)


def place(feed: Any, otherwise: Any = None) -> Position:
    """Where a feed stands in the text."""
    if isinstance(feed, Literal | Wire | Cell) and feed.text is not None:
        return inside(feed.text, feed.start, feed.width)
    if isinstance(feed, Listed) and feed.text is not None:
        return place_of(feed.text)
    if isinstance(feed, Port):
        return place(feed.feed, otherwise)
    return place_of(otherwise)


def said(feed: Feed) -> str:
    """The feed in a sentence."""
    if isinstance(feed, Cell):
        return f"`{feed.tag.name}{'.good' if feed.good else ''}`"
    if isinstance(feed, Wire) and "#" not in feed.node.name:
        return f"`{feed.node.name.partition('.')[2]}.{feed.pin.name}`"
    if isinstance(feed, Literal):
        return f"`{feed.text[feed.start : feed.start + feed.width]}`"
    return "this value" if isinstance(feed, Constant) else "this expression"


def type_error(report: Report, feed: Any, type: Type, target: Target, choices: AnyType | None = None) -> None:
    """A type where another belongs, with the function that converts, if there is one."""
    takes = " or ".join(t.name for t in choices.choices) if choices else target.type.name
    wanted = target.type
    function = FUNCTION.get((type, wanted))
    if type is TIME and choices is not None:
        function = "to_seconds"
    if function:
        hint = f"`{function}(...)` converts it"
    elif wanted is BOOL and target.what == "`IN` of NOT":
        hint = "`not` comes before a comparison: `not (... = ...)`"
    elif wanted is BOOL:
        hint = "compare it: `... > 0`, `... <> 0`"
    elif {type, wanted} <= {TIME, DINT, LINT}:
        hint = "a TIME converts by way of seconds: to_seconds(), to_time()"
    else:
        hint = ""
    target.report_at(report, feed, "E202", f"{said(feed)} is {_article(type)}, and {target.what} takes {takes}", hint)


def _article(type: Type) -> str:
    return f"an {type.name}" if type is LREAL else f"a {type.name}"


def unit_error(report: Report, feed: Feed, unit: Unit, target: Target, is_number_type: bool) -> None:
    """A unit where another belongs."""
    wanted = target.unit or NUMBER
    if is_number_type:
        target.report_at(
            report,
            feed,
            "E202",
            f"{said(feed)} is in {unit!r} and {target.what} is a {target.type.name} in {wanted!r}",
            "whole numbers are not converted: make both LREAL",
        )
        return
    has = "has no unit" if unit is NUMBER else f"is in {unit!r}"
    takes = "a plain number" if wanted is NUMBER else f"{wanted!r}"
    help = ()
    if unit is NUMBER:
        help = (f"give the tag its `unit`, or multiply by one: `... * 1 {wanted!r}`",)  # type: ignore[assignment]
    elif wanted is NUMBER:
        help = (f"divide by one to take the unit off: `... / 1 {unit!r}`",)  # type: ignore[assignment]
    target.report_at(report, feed, "E201", f"{said(feed)} {has}, and {target.what} takes {takes}", "", *help)


def literal_error(report: Report, feed: Literal, code: str, message: str, hint: str, target: Target) -> None:
    """A literal that the target cannot hold."""
    if code == "E201":
        message = f"{said(feed)} does not fit {target.what}, which takes {_takes(target)}"
    elif code in ("E202", "E207"):
        message = f"{message}, and {target.what} is {_article(target.type)}"
    report.error(place(feed, target.at), code, message, hint)


def _takes(target: Target) -> str:
    if target.type is TIME:
        return "a time"
    return "a plain number" if target.unit in (None, NUMBER) else f"{target.unit!r}"


def range_error(report: Report, feed: Literal, target: Target) -> None:
    """A literal outside the declared range of a pin or tag."""
    unit = "" if target.unit is None or target.unit is NUMBER else f" {target.unit!r}"
    low, high = target.minimum, target.maximum
    ends = f"at least {low:g}{unit}" if high is None else f"at most {high:g}{unit}" if low is None else f"{low:g} to {high:g}{unit}"
    report.error(place(feed, target.at), "E204", f"{said(feed)} is out of range: {target.what} takes {ends}", "")
