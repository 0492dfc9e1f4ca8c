"""Places that a person names, `tag`, `tag[3]`, and values as a person writes them, in a tag's own type, unit and names.

It knows a site's tags and no verb; every refusal says what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtime.language.quantities import QuantityError, in_unit, nanoseconds, quantity
from runtime.language.units import unit
from runtime.model import Schedule, Tag
from runtime.source import did_you_mean

_PLACE = re.compile(r"(?P<name>.+?)(?:\[(?P<index>\d+)\])?\Z")
_TRUTHS: Mapping[str, bool] = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


class WrongWordsError(ValueError):
    """What a person typed means nothing here; the message says why and what to type."""


def place_of_tag(schedule: Schedule, text: str) -> tuple[Tag, int | None]:
    """The tag that is named, and which element from 0; None for all of it. Raises WrongWordsError."""
    tag, index = _tag(schedule, text), None
    if tag is None:
        found = _PLACE.match(text)
        assert found is not None
        tag, index = _tag(schedule, found["name"]), found["index"]
    if tag is None:
        if text.lower() in {pin.lower() for pin in schedule.pins}:
            raise WrongWordsError(
                f"{text} is a pin: forcing one needs an online change that puts a tag on its wire. Give it a tag (`outputs:` or "
                f"`tags:`), `bessplc load`, and force that"
            )
        names = [one.name for one in schedule.tags]
        raise WrongWordsError(f"no tag named {text}: {did_you_mean(text, names) or '`bessplc show` lists the tags'}")
    if index is not None and not 1 <= int(index) <= tag.length:
        raise WrongWordsError(f"{tag.name} has {f'the elements 1..{tag.length}' if tag.length else 'no elements'}")
    return tag, int(index) - 1 if index is not None else None


def _tag(schedule: Schedule, name: str) -> Tag | None:
    try:
        return schedule.tag(name)
    except KeyError:
        return None


def value_for(tag: Tag, text: str) -> float | int | bool:
    """The value in the tag's type and unit: `true`, `12.5`, `12 kW`, `10 min`, a name. Raises WrongWordsError."""
    text = text.strip()
    if tag.type == "BOOL":
        if text.lower() not in _TRUTHS:
            raise WrongWordsError(f"{tag.name} is a BOOL: true or false, not `{text}`")
        return _TRUTHS[text.lower()]
    for coded, name in tag.names:
        if name.lower() == text.lower():
            return coded
    try:
        said = quantity(text)
    except QuantityError as error:
        raise WrongWordsError(f"`{text}` for {tag.name}: {error}") from None
    if said is None:
        names = [name for _, name in tag.names]
        hint = did_you_mean(text, names) or f"one of {', '.join(names)}, or a number" if names else f"a number{_with(tag)}"
        raise WrongWordsError(f"`{text}` is no value for {tag.name}: {hint}")
    if tag.type == "TIME":
        passed = nanoseconds(said)
        if passed is None:
            raise WrongWordsError(f"{tag.name} is a TIME: write a duration such as `100 ms`, not `{text}`")
        return passed
    target = unit(tag.unit) if tag.unit else None
    if said.unit is not None and target is None:
        raise WrongWordsError(f"{tag.name} has no unit: write `{float(said.number):g}`")
    number = said.number if target is None else in_unit(said, target)
    if number is None:
        raise WrongWordsError(f"{tag.name} is in {tag.unit}, and `{text}` is not")
    if tag.type != "LREAL" and number.denominator != 1:
        raise WrongWordsError(f"{tag.name} is a {tag.type}: a whole number, not `{text}`")
    value = float(number) if tag.type == "LREAL" else int(number)
    _check_range(tag, value)
    return value


def _with(tag: Tag) -> str:
    return f" in {tag.unit}" if tag.unit else ""


def _check_range(tag: Tag, value: float) -> None:
    low = float("-inf") if tag.minimum is None else tag.minimum
    high = float("inf") if tag.maximum is None else tag.maximum
    if not low <= value <= high:
        raise WrongWordsError(f"{value:g} is outside the range of {tag.name}: {low:g}..{high:g}{_with(tag)}")


def duration_of(text: str, what: str) -> int:
    """A positive duration in ns: `10 min`, `10min`, `500 ms`. Raises WrongWordsError."""
    try:
        said = quantity(text.strip())
    except QuantityError:
        said = None
    passed = nanoseconds(said) if said is not None else None
    if passed is None or passed <= 0:
        raise WrongWordsError(f"`{text}` is no time for {what}: write 10 s, 500 ms, 10 min or 2 h")
    return passed
