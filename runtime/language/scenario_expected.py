"""Turns an expected value of a test (`pcs.p_cmd: 100 kW ± 1 kW`) into a check, in the unit of its tag.

It must not know steps or times.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runtime.language.network import inside
from runtime.language.quantities import QuantityError, in_unit, quantity
from runtime.language.scenario import AND, CONST, EQ, GE, GT, LE, LOAD, LT, NE, OR, SIZES, TYPES, Cell, Check, Code
from runtime.language.scenario_conditions import COMPARES, Conditions, WrongError, unit_of
from runtime.language.units import NUMBER, difference
from runtime.language.words import nearest_unit
from runtime.source import Text

WORDS = {"below": LT, "at most": LE, "above": GT, "at least": GE, "not": NE, **COMPARES}
_COMPARED = re.compile(r"(below|at most|above|at least|not|<=|>=|<>|<|>|=)\s*(?=\S)(.+)\Z")
_TOLERANCE = re.compile(r"\s*(?:±|\+-|\+/-)\s*")
SAME = 1e-6  # an LREAL without a tolerance agrees to six digits
OWN_INPUT = (
    "look at what the programs make of it",
    "what a stale or bad input becomes is a condition: `expect: [grid.frequency = 50 Hz]`",
)
CodeOf = Callable[[int], list[tuple[int, float, int]]]  # of one element at this offset


class Expected:
    """Makes checks of the values that one program's tests expect."""

    def __init__(self, conditions: Conditions):
        self.conditions, self.names = conditions, conditions.names

    def check(self, name: Text, value: object) -> Check | None:
        """`bms.main: true`, `p.x: 100 kW ± 1 kW`, `p.x: 90..100 kW`, `site.p_max: below 5 kW`; mistakes are reported."""
        cell = self.names.found(name)
        if not isinstance(value, Text):
            self.names.error(name, "E005", f"what `{name}` is expected to be is a single value", "`100 kW ± 1 kW`")
            return None
        if cell is None:
            return None
        if cell.is_input:
            self.names.error(name, "E963", f"`{cell.name}` is an input: the test itself gives it", "", *OWN_INPUT)
            return None
        try:
            one = self._expected_code(cell, value)
        except QuantityError as error:
            hint = nearest_unit(value[error.start : error.start + error.width]) if error.code == "E203" else ""
            self.names.error(value, error.code, str(error), hint, start=error.start, width=error.width)
            return None
        except WrongError:
            return None
        code: list[tuple[int, float, int]] = list(one(cell.offset))
        for element in range(1, cell.elements):
            code += [*one(cell.offset + element * SIZES[cell.type]), (AND, 0.0, 0)]
        return Check(tuple(code), f"{name}: {value}", value.at, (cell,))

    def _expected_code(self, cell: Cell, value: Text) -> CodeOf:
        kind = float(TYPES.index(cell.type))
        compared = _COMPARED.match(value)
        if compared is not None:
            bound = self._number(cell, Text(compared[2], inside(value, compared.start(2), len(compared[2]))))
            return lambda offset: [(LOAD, kind, offset), (CONST, bound, 0), (WORDS[compared[1]], 0.0, 0)]
        low_text, dots, high_text = value.partition("..")
        if dots:
            low, high = self._range(cell, value, low_text, high_text)
        else:
            low, high = self._near(cell, value)
        if low == high:
            return lambda offset: [(LOAD, kind, offset), (CONST, low, 0), (EQ, 0.0, 0)]
        return lambda offset: [
            (LOAD, kind, offset),
            (CONST, low, 0),
            (GE, 0.0, 0),
            (LOAD, kind, offset),
            (CONST, high, 0),
            (LE, 0.0, 0),
            (AND, 0.0, 0),
        ]

    def _range(self, cell: Cell, value: Text, low_text: str, high_text: str) -> tuple[float, float]:
        high_at = inside(value, len(low_text) + 2, len(high_text))
        high = self._number(cell, Text(high_text.strip(), high_at))
        written = quantity(high_text.strip())
        low_quantity = quantity(low_text.strip())
        if low_quantity is not None and low_quantity.unit is None and written is not None and written.unit is not None:
            low_text = f"{low_text.strip()} {written.unit!r}"
        low = self._number(cell, Text(low_text.strip(), inside(value, 0, len(low_text))))
        if low > high:
            self.conditions.wrong(value, "E970", "the range ends below its start", "low..high")
        return low, high

    def _near(self, cell: Cell, value: Text) -> tuple[float, float]:
        parts = _TOLERANCE.split(value)
        if len(parts) == 1:
            number = self._number(cell, value)
            around = abs(number) * SAME if cell.type == "LREAL" else 0.0
            around = max(around, 1e-9) if cell.type == "LREAL" else around
            return number - around, number + around
        start = value.index(parts[1], len(parts[0]))
        tolerance = Text(parts[1], inside(value, start, len(parts[1])))
        middle = Text(parts[0], inside(value, 0, len(parts[0])))
        found, wide = quantity(parts[0]), quantity(parts[1])
        if len(parts) > 2 or found is None or wide is None or wide.number < 0:
            self.conditions.wrong(value, "E970", f"`{value}` is no value with a tolerance", "`100 kW ± 1 kW`")
        assert found is not None and wide is not None
        if found.unit is None and wide.unit is not None:
            middle = Text(f"{parts[0]} {wide.unit!r}", middle.at)
        number = self._number(cell, middle)
        width = self._number(cell, tolerance, is_difference=True)
        return number - width, number + width

    def _number(self, cell: Cell, text: Text, is_difference: bool = False) -> float:
        """A value in the unit of the cell. Raises WrongError after a report."""
        if cell.type == "BOOL":
            if text.lower() not in ("true", "false"):
                self.conditions.wrong(text, "E202", f"`{cell.name}` is a BOOL", "`true` or `false`")
            return float(text.lower() == "true")
        found = quantity(text)
        if found is None and cell.names:
            return float(self.conditions.named(cell, text, str(text)))
        if found is None:
            self.conditions.wrong(
                text, "E010", f"`{text}` is no value of `{cell.name}`", "a number and, where it has one, its unit"
            )
        assert found is not None
        measured = unit_of(cell)
        if measured is None and found.unit is not None:
            why = "the unit of this pin depends on what is wired to it"
            self.conditions.wrong(text, "E966", why, "write the number without a unit")
        target = difference(measured or NUMBER) if is_difference else measured or NUMBER
        number = in_unit(found, target)
        if number is None:
            self.conditions.wrong(text, "E201", f"`{cell.name}` is in {measured!r}, not in {found.unit!r}", "")
        assert number is not None
        return float(number)


def truth_of(cells: list[Cell], text: str, at: Text, is_raised: bool) -> Check:
    """That one of these BOOL cells is true, or that none is."""
    code: list[tuple[int, float, int]] = [(LOAD, 0.0, cells[0].offset)]
    for cell in cells[1:]:
        code += [(LOAD, 0.0, cell.offset), (OR, 0.0, 0)]
    return Check(tuple(code), text, at.at, tuple(cells), is_raised)


def first_is(cell: Cell, number: int, text: str, at: Text) -> Check:
    """That the interlock of this FIRST was tripped by the permit of this number."""
    code: Code = ((LOAD, float(TYPES.index("DINT")), cell.offset), (CONST, float(number), 0), (EQ, 0.0, 0))
    return Check(code, text, at.at, (cell,))
