"""What the site may say about its records: the words, their defaults, and which tags they choose. It opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.model import Tag
from runtime.servers.words import UNITS_OF_SIZE, read_words, scaled, seconds, text, truth
from runtime.source import NOWHERE, Position, Report, did_you_mean, pattern_of, place_of

UNITS_OF_AGE = {"h": 3600.0, "d": 86400.0, "y": 365 * 86400.0}


@dataclass(frozen=True, slots=True)
class Rule:
    """How the tags of one name or pattern are recorded; None where the section's own word holds.

    `deadband` is in the tag's unit, or a share of its range where `is_share`.
    """

    pattern: str
    at: Position = NOWHERE
    every: float | None = None
    at_least: float | None = None
    deadband: tuple[float, bool] | None = None

    def fits(self, tag: str) -> bool:
        """Whether the rule is for this tag: `*` stands for any letters, case does not count."""
        return pattern_of(self.pattern).match(tag) is not None


@dataclass(frozen=True, slots=True)
class RecordsSettings:
    """The records of a site.

    `history` are the tags that are recorded; `keep` (s) and `size` (bytes) bound their history, `audit` (s) the audit log and the
    events. A number is looked at `every` so many seconds and recorded where it moved beyond `deadband`, and `at_least` that often
    even where it did not; what is on or off, an enumeration or a quality is recorded whenever it changes.
    """

    history: tuple[Rule, ...] = ()
    keep: float = 30 * 86400.0
    size: int = 2_000_000_000
    audit: float = 365 * 86400.0
    every: float = 1.0
    at_least: float = 600.0
    deadband: tuple[float, bool] = (0.0, False)
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A tag that is recorded, and how: `deadband` is in its unit, times are seconds."""

    tag: Tag
    every: float
    at_least: float
    deadband: float


def describe_records(section: Any, report: Report) -> RecordsSettings:
    """Read `servers: records:`; mistakes go to the report and leave the default."""
    found = read_words(section, _RECORDS, report)
    return RecordsSettings(**found)


def choose(settings: RecordsSettings, tags: Sequence[Tag]) -> list[Choice]:
    """The tags that are recorded. Where two rules fit one, the first holds; arrays are never recorded."""
    return [
        Choice(
            tag,
            settings.every if rule.every is None else rule.every,
            settings.at_least if rule.at_least is None else rule.at_least,
            _deadband_of(tag, settings.deadband if rule.deadband is None else rule.deadband),
        )
        for tag in tags
        if not tag.length and (rule := next((r for r in settings.history if r.fits(tag.name)), None)) is not None
    ]


def check_history(rules: Iterable[Rule], tags: Sequence[Tag], report: Report) -> None:
    """Report names that no tag has, patterns that fit none, and arrays."""
    for rule in rules:
        fitting = [tag for tag in tags if rule.fits(tag.name)]
        scalars = [tag for tag in fitting if not tag.length]
        if scalars and (rule.deadband or (0, False))[1] and not any(_range_of(tag) for tag in scalars):
            what = "has no range" if "*" not in rule.pattern else "fits no tag with a range"
            report.error(
                rule.at, "E933", f"a deadband in % is a share of the range, and `{rule.pattern}` {what}", "give it as a number"
            )
        if scalars:
            continue
        if fitting:
            say = report.warn if "*" in rule.pattern else report.error
            say(
                rule.at, "W932" if "*" in rule.pattern else "E932", f"`{rule.pattern}` is an array: only single values are recorded"
            )
        elif "*" in rule.pattern:
            report.warn(rule.at, "W931", f"no tag fits `{rule.pattern}`: nothing is recorded for it")
        else:
            hint = did_you_mean(rule.pattern, [tag.name for tag in tags if not tag.length])
            report.error(rule.at, "E931", f"no tag named `{rule.pattern}`", hint)


def _range_of(tag: Tag) -> float:
    return 0.0 if tag.minimum is None or tag.maximum is None else tag.maximum - tag.minimum


def _deadband_of(tag: Tag, deadband: tuple[float, bool]) -> float:
    number, is_share = deadband
    return number * _range_of(tag) if is_share else number


def _deadband(value: Any) -> tuple[float, bool]:
    found = text(value).strip()
    try:
        number = float(found.removesuffix("%"))
    except ValueError:
        raise ValueError(f"`{found}` is not a number in the tag's unit, nor a share of its range such as `0.1 %`") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"`{found}` is not 0 or more")
    return (number / 100, True) if found.endswith("%") else (number, False)


def _rules(value: Any) -> tuple[Rule, ...]:
    """A list of tags and patterns, or a section of them, each with words of its own."""
    if isinstance(value, Mapping):
        return tuple(_rule(pattern, words) for pattern, words in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(Rule(text(pattern), place_of(pattern)) for pattern in value)
    return (Rule(text(value), place_of(value)),)


def _rule(pattern: Any, words: Any) -> Rule:
    if not isinstance(words, Mapping):
        if words in (None, ""):
            return Rule(text(pattern), place_of(pattern))
        raise ValueError(f"after `{pattern}` come words such as {{every: 100 ms}}")
    found = {}
    for word, value in words.items():
        if word not in _OF_A_TAG:
            raise ValueError(f"`{word}` is no word of a recorded tag; known: {', '.join(_OF_A_TAG)}")
        found[str(word)] = _OF_A_TAG[word](value)
    return Rule(text(pattern), place_of(pattern), **found)


_OF_A_TAG: dict[str, Callable[[Any], Any]] = {
    "every": seconds(0.02, 86400),
    "at_least": seconds(1, 7 * 86400),
    "deadband": _deadband,
}
_RECORDS: dict[str, Callable[[Any], Any]] = {
    "history": _rules,
    "keep": scaled(UNITS_OF_AGE, "1 h", "30 d"),
    "size": lambda value: int(scaled(UNITS_OF_SIZE, "1 MB", "2 GB")(value)),
    "audit": scaled(UNITS_OF_AGE, "1 d", "1 y"),
    "confirm": truth,
    **_OF_A_TAG,
}
