"""Constants of a site: `constants: {racks: 4}`, and `$racks` replaced by its text wherever it stands.

It must not know what any of the texts mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runtime.language.network import inside
from runtime.language.places import fill, filled
from runtime.language.repeat import ComputeError, compute
from runtime.source import NOWHERE, Position, Report, Section, Text, did_you_mean, place_of

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
USE = re.compile(r"\$(\$?)([a-z][a-z0-9_]*)")  # `$RUN` is the runtime's, `$$word` a plain `$word`
_PLACE = re.compile(r"\{[^{}]*\$[a-z][^{}]*\}|\$\$?[a-z][a-z0-9_]*")  # braces around constants, or one alone
_BRACES = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"(?<![\w])[^\W\d]")
INSTEAD = "1"  # of a constant that there is not: most often a number was meant, and one mistake is enough


class Constants:
    """The constants of a site by their names, each with its text; `at` is where they are declared."""

    def __init__(self, values: Mapping[str, str], at: Position = NOWHERE):
        self.values, self.at = values, at

    def fill(self, part: Any, report: Report) -> Any:
        """A part of a file with every `$name` replaced; itself where it has none."""
        return fill(part, lambda text: self._fill_text(text, report) if "$" in text else text, report)

    def _fill_text(self, text: Text, report: Report) -> Text:
        return filled(text, _PLACE, lambda found: self._place(found, text, report))

    def _place(self, found: re.Match[str], text: Text, report: Report) -> str:
        """The value of `$name`, or of the braces around it; those with a word in them are a `for`'s, which computes them."""
        whole = USE.sub(lambda use: self._value(use, text, found.start(), report), found[0])
        is_alone = not found[0].startswith("{") or _is_pattern(whole) or _WORD.search(USE.sub("", found[0]))
        return whole if is_alone else _computed(whole, text, report)

    def _value(self, found: re.Match[str], text: Text, start: int, report: Report) -> str:
        name = found[2]
        if found[1]:
            return f"${name}"
        if name not in self.values:
            _say_unknown(name, text, start + found.start(), self.values, self.at, report)
        return self.values.get(name, INSTEAD)


def read_constants(section: Section, report: Report) -> Constants:
    """What `constants:` declares. A value may use other constants; whole numbers are computed: `"{$racks * $cells_per_rack}"`."""
    declared: dict[str, Text] = {}
    for name, value in section.items():
        if not NAME.match(name):
            report.error(name.at, "E106", f"`{name}` is no name for a constant", "small letters, digits and _: `$p_rack`")
        elif not isinstance(value, Text) or not (value or value.quoted):
            at = place_of(value, name.at)
            report.error(at, "E005", f"the constant `{name}` is a single value", "`racks: 4`, `p_rack: 250 kW`")
            declared[name] = Text(INSTEAD, name.at)
        else:
            declared[name] = value
    at = next(iter(section)).at if section else NOWHERE
    done: dict[str, str] = {}
    for one in declared:
        _settle(one, declared, done, (), at, report)
    return Constants(done, at)


def _settle(
    name: str, declared: Mapping[str, Text], done: dict[str, str], way: tuple[str, ...], at: Position, report: Report
) -> str:
    """The text of one constant, after those that it uses; `way` are the constants that led to it."""
    if name in done:
        return done[name]
    text = declared[name]

    def value_of(found: re.Match[str]) -> str:
        other = found[2]
        if found[1]:
            return f"${other}"
        if other in (*way, name):
            loop = [*way, name]
            chain = " → ".join(f"${one}" for one in [*loop[loop.index(other) :], other])
            report.error(text.at, "E110", f"the constant `{name}` needs its own value", "", f"each uses the next: {chain}")
            return INSTEAD
        if other not in declared:
            _say_unknown(other, text, found.start(), declared, at, report)
            return INSTEAD
        return _settle(other, declared, done, (*way, name), at, report)

    plain = filled(text, USE, value_of)
    done[name] = _BRACES.sub(lambda braces: braces[0] if _is_pattern(braces[0]) else _computed(braces[0], text, report), plain)
    return done[name]


def _is_pattern(braces: str) -> bool:
    """Whether they are a driver's or a list's, `{1..16}` or `{a,b}`, and no arithmetic."""
    return ".." in braces or "," in braces


def _computed(braces: str, text: Text, report: Report) -> str:
    try:
        return str(compute(braces[1:-1]))
    except ComputeError as error:
        report.error(text.at, "E606", f"`{braces}`: {error}", error.hint)
        return INSTEAD


def _say_unknown(name: str, text: Text, start: int, known: Mapping[str, Any], at: Position, report: Report) -> None:
    near = did_you_mean(name, known)
    help = [f"constants are declared at {at.file}:{at.line}"] if at.line else []
    if not known:
        help.append(f"the site declares them: `constants: {{{name}: 4}}`")
    place = inside(text, start, len(name) + 1)
    report.error(place, "E110", f"no constant is named `${name}`", near.replace(" `", " `$"), *help)
