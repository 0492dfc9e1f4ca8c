"""Reads the words of a section: which exist, which are missing, and plain values. It must not know what they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from blocks.declare import BOOL, LREAL, TIME, TYPES, Type
from runtime.language.network import inside
from runtime.language.quantities import Quantity, QuantityError, in_unit, nanoseconds, quantity, range_of
from runtime.language.units import NUMBER, Unit, unit
from runtime.source import Listing, Position, Report, Section, Text, did_you_mean, place_of

_INDEX = r"(?:\[(?:0|[1-9]\d{0,8})\])?"  # of one device of many: `rack[3].soc`; the last part's index is an array's element
TAG_NAME = re.compile(rf"[^\W\d]\w*{_INDEX}(\.[^\W\d]\w*{_INDEX})*\.[^\W\d]\w*\Z")
PLAIN_NAME = re.compile(r"[^\W\d]\w*\Z")
_TYPE = re.compile(r"([A-Za-z]+)\s*(?:\[\s*(\d+)\s*\])?\Z")
LONGEST_ARRAY = 100_000


def check_words(section: Section, known: Iterable[str], what: str, report: Report) -> None:
    """Report every key that is no word of this section."""
    known = tuple(known)
    for key in section:
        if key not in known:
            report.error(
                key.at, "E006", f"`{key}` is no word of {what}", did_you_mean(key, known), f"the words are {', '.join(known)}"
            )


def as_section(value: Any, at: Position, what: str, report: Report) -> Section | None:
    """The value if it is a section; otherwise a problem."""
    if isinstance(value, Section):
        return value
    report.error(place_of(value, at), "E005", f"{what} is a section of `word: value` lines", "")
    return None


def section_of(section: Section, word: str, what: str, report: Report) -> Section:
    """The section under this word, or an empty one."""
    value = section.get(word)
    if value is None or (isinstance(value, Text) and not value and not value.quoted):
        return Section((), section.at)
    return as_section(value, section.key_at(word), what, report) or Section((), section.at)


def text_of(section: Section, word: str, report: Report, otherwise: str = "") -> str:
    """The single value under this word."""
    value = section.get(word)
    if value is None:
        return otherwise
    if isinstance(value, Text):
        return value
    report.error(place_of(value), "E005", f"`{word}` is a single value", "")
    return otherwise


def texts_of(section: Section, word: str, report: Report) -> list[Text]:
    """The list of single values under this word; one value alone is a list of one."""
    value = section.get(word)
    if value is None or (isinstance(value, Text) and not value):
        return []
    if isinstance(value, Text):
        return [value]
    if isinstance(value, Listing):
        for item in value:
            if not isinstance(item, Text):
                report.error(place_of(item), "E005", f"`{word}` is a list of single values", "")
        return [item for item in value if isinstance(item, Text)]
    report.error(place_of(value), "E005", f"`{word}` is a list", "")
    return []


def truth_of(section: Section, word: str, report: Report, otherwise: bool = False) -> bool:
    """`true` or `false` under this word."""
    value = section.get(word)
    if value is None:
        return otherwise
    found = truth(value) if isinstance(value, Text) else None
    if found is None:
        report.error(place_of(value), "E010", f"`{word}` is `true` or `false`", "")
        return otherwise
    return found


def truth(text: str) -> bool | None:
    """What `true` and `false` mean; None for anything else."""
    return {"true": True, "false": False}.get(text.lower())


def duration_of(section: Section, word: str, report: Report, otherwise: int | None = None) -> int | None:
    """The nanoseconds under this word, None where it is missing or wrong."""
    value = section.get(word)
    return otherwise if value is None else duration(value, word, report)


def duration(value: Any, what: str, report: Report) -> int | None:
    """A duration as written; a mistake is reported and gives None."""
    if not isinstance(value, Text):
        report.error(place_of(value), "E005", f"`{what}` is a duration such as `500 ms`", "")
        return None
    try:
        found = quantity(value)
        ns = nanoseconds(found) if found is not None else None
    except QuantityError as error:
        report.error(inside(value, error.start, error.width), error.code, str(error))
        return None
    if ns is None or ns < 0 or ns >= 2**63:
        report.error(value.at, "E207", f"`{value}` is no duration", "a number and a unit of time: `500 ms`, `2 s`, `10 min`")
        return None
    return ns


def choice_of(section: Section, word: str, choices: tuple[str, ...], report: Report, otherwise: str) -> str:
    """One of a few words under this word."""
    value = section.get(word)
    if value is None:
        return otherwise
    if isinstance(value, Text) and value.lower() in choices:
        return value.lower()
    report.error(place_of(value), "E010", f"`{word}` is one of {', '.join(choices)}", did_you_mean(str(value), choices))
    return otherwise


def type_of(text: Text, report: Report) -> tuple[Type, int] | None:
    """The type and length of `LREAL` or `LREAL[16]`; a mistake is reported and gives None."""
    match = _TYPE.match(text)
    found = TYPES.get(match[1].upper()) if match else None
    if match is None or found is None:
        report.error(
            text.at,
            "E202",
            f"`{text}` is no type of a wire",
            did_you_mean(text, TYPES),
            f"the types are {', '.join(TYPES)}, and arrays such as `LREAL[16]`",
        )
        return None
    length = int(match[2]) if match[2] else 0
    if match[2] and not 1 <= length <= LONGEST_ARRAY:
        report.error(text.at, "E205", f"an array has 1 to {LONGEST_ARRAY} elements, not {match[2]}")
        return None
    return found, length


def unit_of(section: Section, report: Report) -> Unit | None:
    """The unit under the word `unit`, None where there is none."""
    value = section.get("unit")
    if not isinstance(value, Text) or not value:
        return None
    found = unit(value)
    if found is None:
        report.error(value.at, "E203", f"no unit is written `{value}`", nearest_unit(value))
    return found


def nearest_unit(text: str) -> str:
    """`did you mean `kW`?` for `kw`."""
    from runtime.language.units import SIMPLE

    same = [name for name in SIMPLE if name.lower() == text.lower() and name != text]
    return f"did you mean `{same[0]}`?" if same else did_you_mean(text, [n for n in SIMPLE if len(n) > 1])


def value_of(text: Any, type: Type, measured: Unit | None, what: str, report: Report) -> Any:
    """A value of this type, in this unit where it is an LREAL; a mistake is reported and gives None."""
    if not isinstance(text, Text):
        report.error(place_of(text), "E005", f"`{what}` is a single value", "")
        return None
    try:
        found = quantity(text)
    except QuantityError as error:
        hint = nearest_unit(text[error.start :]) if error.code == "E203" else ""
        report.error(inside(text, error.start, error.width), error.code, str(error), hint)
        return None
    said = truth(text)
    if found is None and said is None:
        wrong = text.lower().lstrip("+-.") in ("inf", "infinity", "nan")
        report.error(
            text.at,
            "E206" if wrong else "E010",
            f"`{text}` is not finite" if wrong else f"`{text}` is no value for `{what}`",
            "" if wrong else "`true` or `false`" if type is BOOL else "a number and, where it has one, its unit",
        )
        return None
    value, code, problem, hint = as_value(said if found is None else found, type, measured)
    if code == "E201":
        problem = f"`{text}` does not fit `{what}`, which takes {'a time' if type is TIME else measured or NUMBER!r}"
    if code:
        report.error(text.at, code, problem, hint)
        return None
    return value


def as_value(value: Quantity | bool | None, type: Type, measured: Unit | None) -> tuple[Any, str, str, str]:
    """A literal as a column of this type and unit holds it: value, and code, message and hint where it cannot be."""
    if type is BOOL:
        if isinstance(value, bool):
            return int(value), "", "", ""
        if isinstance(value, Quantity) and value.unit is None and value.number in (0, 1):
            return int(value.number), "", "", ""
        return None, "E202", "a BOOL is `true` or `false`", ""
    if not isinstance(value, Quantity):
        return None, "E202", f"`true` and `false` are no {type.name}", ""
    if type is TIME:
        ns = nanoseconds(value)
        if ns is None:
            return None, *_no_duration(value)
        return (ns, "", "", "") if abs(ns) < 2**63 else (None, "E204", "a TIME holds at most 292 years", "")
    number = in_unit(value, measured or NUMBER) if measured is not None or value.unit is not None else value.number
    if number is None:
        return None, "E201", f"{value.unit!r} is no {measured or NUMBER!r}", ""
    if type is LREAL:
        return _double(number)
    return _whole(number, type)


def _double(number: Fraction) -> tuple[Any, str, str, str]:
    try:
        return float(number), "", "", ""
    except OverflowError:
        return None, "E206", "this is beyond what an LREAL holds", ""


def _no_duration(value: Quantity) -> tuple[str, str, str]:
    if value.unit is None:
        return "E207", "a TIME is written with its unit", f"`{float(value.number):g} s`?"
    if value.unit.dims != (0, 0, 1, 0, 0, 0, 0):
        return "E201", f"{value.unit!r} is no unit of time", ""
    return "E204", "a TIME is a whole number of nanoseconds", ""


def _whole(number: Fraction, type: Type) -> tuple[Any, str, str, str]:
    if number.denominator != 1:
        return None, "E202", f"{float(number):g} is no whole number", f"a {type.name} has no fraction"
    bits = 31 if type.size == 4 else 63
    if not -(2**bits) <= number < 2**bits:
        return None, "E204", f"{int(number)} does not fit into a {type.name}", ""
    return int(number), "", "", ""


def limits_of(section: Section, word: str, measured: Unit | None, report: Report) -> tuple[float | None, float | None]:
    """The two ends of `range: -500..500`, in the tag's unit."""
    value = section.get(word)
    if value is None:
        return None, None
    try:
        ends = range_of(value) if isinstance(value, Text) else None
    except QuantityError as error:
        report.error(place_of(value), error.code, str(error))
        return None, None
    if ends is None:
        report.error(place_of(value), "E010", f"`{word}` is written `low..high`", "`-500..500`")
        return None, None
    low, high = (in_unit(end, measured or NUMBER) for end in ends)
    if low is None or high is None:
        report.error(place_of(value), "E201", f"{ends[1].unit or ends[0].unit!r} is no {measured or NUMBER!r}")
        return None, None
    if low > high:
        report.error(place_of(value), "E204", "the range ends below its start", "low..high")
        return None, None
    return float(low), float(high)


def names_of(section: Section, report: Report) -> tuple[tuple[int, str], ...]:
    """The texts of an enumeration: a list counts from 0, a section gives each its number."""
    value = section.get("names")
    if value is None:
        return ()
    if isinstance(value, Section):
        found = []
        for key, text in value.items():
            if not key.lstrip("-").isdigit() or not isinstance(text, Text):
                report.error(key.at, "E010", "`names` gives each number its text", "`{0: off, 1: on}`")
            else:
                found.append((int(key), str(text)))
        return tuple(found)
    return tuple(enumerate(str(text) for text in texts_of(section, "names", report)))
