"""Values as the engineer writes them: a number and one unit token, a range, a duration. It must not know blocks or tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from runtime.language.units import Unit, conversion, unit

_QUANTITY = re.compile(r"([+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S+)?\Z")
_NANOSECOND = unit("ns")
assert _NANOSECOND is not None
NANOSECOND: Unit = _NANOSECOND
LARGEST = Fraction(2**1024 - 2**970)  # the largest LREAL: numbers beyond it would round to infinity
MOST_DIGITS = 400


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number exactly as written, and its unit; None where none is written."""

    number: Fraction
    unit: Unit | None
    is_whole: bool  # written without point or exponent, so that it may become an integer


class QuantityError(ValueError):
    """A text that is no quantity. `code` is the problem's; `start` and `width` are the wrong part of the text."""

    def __init__(self, code: str, message: str, start: int, width: int):
        super().__init__(message)
        self.code = code
        self.start = start
        self.width = width


_known: dict[str, Quantity] = {}


def quantity(text: str) -> Quantity | None:
    """The quantity written so, or None where the text is something else. Raises QuantityError."""
    found = _known.get(text)
    if found is not None:
        return found
    match = _QUANTITY.match(text)
    if match is None:
        return None
    number = exact(match[1], 0)
    measured = None
    if match[2]:
        measured = unit(match[2])
        if measured is None:
            if match[2][0] in "*/+-<>=&,)(":
                return None
            raise QuantityError("E203", f"no unit is written `{match[2]}`", match.start(2), len(match[2]))
    if len(_known) > 100_000:
        _known.clear()
    made = _known[text] = Quantity(number, measured, match[1].lstrip("+-").replace("_", "").isdigit())
    return made


def exact(digits: str, start: int) -> Fraction:
    """The number, exactly. Raises QuantityError where it is beyond what an LREAL holds."""
    try:
        number = Decimal(digits.replace("_", ""))
    except InvalidOperation:
        raise QuantityError("E010", f"`{digits}` is no number", start, len(digits)) from None
    if len(digits) > MOST_DIGITS or abs(number.adjusted()) > MOST_DIGITS or abs(Fraction(number)) >= LARGEST:
        if number == 0 and len(digits) <= MOST_DIGITS:
            return Fraction(0)
        raise QuantityError("E206", f"`{digits[:40]}` is beyond what an LREAL holds", start, len(digits))
    return Fraction(number)


def in_unit(value: Quantity, target: Unit) -> Fraction | None:
    """The number in another unit, exactly; a bare number is taken as written in it. None where the two do not fit."""
    if value.unit is None or value.unit is target:
        return value.number
    rule = conversion(value.unit, target)
    return None if rule is None else value.number * rule[0] + rule[1]


def nanoseconds(value: Quantity) -> int | None:
    """A duration as whole nanoseconds, exactly; None where it is no duration or not a whole number of them."""
    if value.unit is None:
        return 0 if value.number == 0 else None
    number = in_unit(value, NANOSECOND)
    return int(number) if number is not None and number.denominator == 1 else None


def range_of(text: str) -> tuple[Quantity, Quantity] | None:
    """The two ends of a range `low..high`, or None where the text is none. Raises QuantityError.

    A unit behind the second number holds for both.
    """
    low_text, dots, high_text = text.partition("..")
    if not dots:
        return None
    low, high = quantity(low_text.strip()), quantity(high_text.strip())
    if low is None or high is None:
        return None
    if low.unit is None and high.unit is not None:
        low = Quantity(low.number, high.unit, low.is_whole)
    return low, high
