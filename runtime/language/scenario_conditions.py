"""Turns conditions of a test (`bms.main and abs(bms.current) < 2 A`) into checks, with their units.

It must not know steps or times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from runtime.language.expression import After, Call, ExpressionError, Name, Number, Tree, Truth, expression
from runtime.language.quantities import NANOSECOND, Quantity
from runtime.language.scenario import (
    ABS,
    ADD,
    AND,
    CONST,
    DEEPEST,
    DIV,
    EQ,
    GE,
    GT,
    LE,
    LOAD,
    LT,
    MAX,
    MIN,
    MUL,
    NE,
    NEG,
    NOT,
    OR,
    SUB,
    TYPES,
    XOR,
    Cell,
    Check,
    depth,
)
from runtime.language.scenario_names import Names
from runtime.language.units import NUMBER, Unit, conversion, difference, product, unit
from runtime.language.words import nearest_unit
from runtime.source import Text, did_you_mean

COMPARES = {"<": LT, "<=": LE, ">": GT, ">=": GE, "=": EQ, "<>": NE}
JOINS = {"and": AND, "or": OR, "xor": XOR}
FOLDS = {"min": MIN, "max": MAX}
ALLOWED = "it looks at one scan: comparisons, arithmetic, abs, min, max, and, or, not"


@dataclass(slots=True)
class Judged:
    """A part of a condition: its code, and its unit (None where a bare number takes that of its partner)."""

    code: list[tuple[int, float, int]]
    unit: Unit | None = None
    is_truth: bool = False
    literal: Quantity | None = None
    cell: Cell | None = None
    any_unit: bool = False
    tree: Tree | None = None  # where it stands, if it is one word


class WrongError(Exception):
    """The mistake is in the report already."""


@dataclass
class Conditions:
    """Makes checks for one program's tests."""

    names: Names
    used: list[Cell] = field(default_factory=list)

    def check(self, text: Text, wanted: bool = True) -> Check | None:
        """A condition on one scan, such as `bms.main and abs(bms.current) < 2 A`; mistakes are reported."""
        self.used = []
        try:
            tree = expression(text)
            judged = self._judge(tree, text)
            if not judged.is_truth:
                self.wrong(text, "E966", "this is a value and no condition", "compare it: `bms.current < 2 A`")
            if depth(judged.code) > DEEPEST:
                self.wrong(text, "E966", f"more than {DEEPEST} values wait for each other here", "make two conditions of it")
        except ExpressionError as error:
            hint = nearest_unit(text[error.start : error.start + error.width]) if error.code == "E203" else error.hint
            self.names.error(text, error.code, str(error), hint, start=error.start, width=error.width)
            return None
        except WrongError:
            return None
        return Check(tuple(judged.code), str(text), text.at, tuple(self.used), wanted)

    def wrong(self, text: Text, code: str, message: str, hint: str = "", tree: Tree | None = None, *help: str) -> NoReturn:
        """Report a mistake and leave."""
        start, width = (tree.start, tree.width) if tree is not None else (0, 0)
        self.names.error(text, code, message, hint, *help, start=start, width=width)
        raise WrongError

    def _judge(self, tree: Tree, text: Text) -> Judged:
        if isinstance(tree, Name):
            return self._name(tree, text)
        if isinstance(tree, Number):
            return Judged([(CONST, float(tree.value.number), 0)], tree.value.unit, literal=tree.value, tree=tree)
        if isinstance(tree, Truth):
            return Judged([(CONST, float(tree.value), 0)], is_truth=True)
        if isinstance(tree, After):
            self.wrong(text, "E966", "a condition of a test looks at one scan", "times are `within:` and `during:`", tree)
        assert isinstance(tree, Call)
        return self._call(tree, text)

    def _name(self, tree: Name, text: Text) -> Judged:
        if tree.is_last:
            self.wrong(text, "E966", "a condition of a test looks at one scan: it has no `last`", "", tree)
        cell = self.names.found(text, tree.start, tree.width, tree.text)
        if cell is None:
            raise WrongError
        if cell.elements:
            self.wrong(text, "E205", f"`{cell.name}` has {cell.elements} elements", f"name one: `{cell.name}[1]`", tree)
        if cell not in self.used:
            self.used.append(cell)
        code = [(LOAD, float(TYPES.index(cell.type)), cell.offset)]
        measured = unit_of(cell)
        return Judged(code, measured, cell.type == "BOOL", cell=cell, any_unit=cell.unit is None, tree=tree)

    def _call(self, tree: Call, text: Text) -> Judged:
        name = tree.name
        if name in COMPARES:
            named = self._named_value(tree, text)
            if named is not None:
                return named
        if name not in (*COMPARES, *JOINS, *FOLDS, "+", "-", "*", "/", "not", "abs", "negate"):
            hint = did_you_mean(name, ("abs", "min", "max"))
            self.wrong(
                text,
                "E966",
                f"a condition of a test cannot use `{name}`",
                hint,
                tree,
                ALLOWED,
            )
        parts = [self._judge(argument, text) for argument in tree.arguments]
        if name in JOINS or name == "not":
            return self._join(tree, parts, text)
        if name in ("abs", "negate"):
            return Judged([*parts[0].code, (ABS if name == "abs" else NEG, 0.0, 0)], parts[0].unit, any_unit=parts[0].any_unit)
        result = parts[0]
        for right in parts[1:]:
            result = self._pair(tree, result, right, text)
        return result

    def _join(self, tree: Call, parts: list[Judged], text: Text) -> Judged:
        if not all(part.is_truth for part in parts):
            self.wrong(text, "E202", f"`{tree.name}` joins conditions, and this is a number", "", tree)
        if tree.name == "not":
            return Judged([*parts[0].code, (NOT, 0.0, 0)], is_truth=True)
        return Judged([*parts[0].code, *parts[1].code, (JOINS[tree.name], 0.0, 0)], is_truth=True)

    def _pair(self, tree: Call, left: Judged, right: Judged, text: Text) -> Judged:
        """Two numbers: brought to the left one's unit, except where they are multiplied."""
        name = tree.name
        if left.is_truth != right.is_truth or (left.is_truth and name not in ("=", "<>")):
            self.wrong(text, "E202", f"`{name}` cannot join a condition and a number", "", tree)
        if name in ("*", "/"):
            power = 1 if name == "*" else -1
            made = product([(left.unit or NUMBER, 1), (right.unit or NUMBER, power)])
            return Judged([*left.code, *right.code, (MUL if power > 0 else DIV, 0.0, 0)], made)
        if left.literal is not None and right.literal is None:
            left = self._converted(left, right, text, tree)
            measured = right.unit
        else:
            towards = left
            if name in ("+", "-") and left.unit is not None and left.unit.offset and right.unit is not left.unit:
                towards = Judged([], difference(left.unit))
            right, measured = self._converted(right, towards, text, tree), left.unit
        code = [*left.code, *right.code]
        if name in COMPARES:
            return Judged([*code, (COMPARES[name], 0.0, 0)], is_truth=True)
        if name in FOLDS:
            return Judged([*code, (FOLDS[name], 0.0, 0)], measured)
        if name == "-" and measured is not None and right.unit is measured:
            measured = difference(measured)
        return Judged([*code, (ADD if name == "+" else SUB, 0.0, 0)], measured)

    def _converted(self, part: Judged, towards: Judged, text: Text, tree: Tree) -> Judged:
        """A part in the unit of its partner; a bare number is taken as written in it."""
        if part.is_truth:
            return part
        if part.literal is not None and part.literal.unit is None:
            return Judged([(CONST, float(part.literal.number), 0)], towards.unit)
        if part.any_unit or towards.any_unit:
            self.wrong(text, "E966", "the unit of this pin depends on what is wired to it", "write the number without a unit", tree)
        source, target = part.unit or NUMBER, towards.unit or NUMBER
        rule = conversion(source, target)
        if rule is None:
            what = f"`{towards.cell.name}` is in {target!r}, not in {source!r}" if towards.cell else f"{source!r} meets {target!r}"
            self.wrong(text, "E201", what, "", part.tree or tree)
        assert rule is not None
        if part.literal is not None:
            return Judged([(CONST, float(part.literal.number * rule[0] + rule[1]), 0)], target)
        code = list(part.code)
        if rule[0] != 1:
            code += [(CONST, float(rule[0]), 0), (MUL, 0.0, 0)]
        if rule[1] != 0:
            code += [(CONST, float(rule[1]), 0), (ADD, 0.0, 0)]
        return Judged(code, target)

    def _named_value(self, tree: Call, text: Text) -> Judged | None:
        """`contactors = closed`: the text of an enumeration's value beside its tag."""
        left, right = tree.arguments
        if not (isinstance(left, Name) and isinstance(right, Name)) or "." in right.text:
            return None
        part = self._name(left, text)
        assert part.cell is not None
        if not part.cell.names:
            return None
        number = self.named(part.cell, text, right.text, right.start, right.width)
        return Judged([*part.code, (CONST, float(number), 0), (COMPARES[tree.name], 0.0, 0)], is_truth=True)

    def named(self, cell: Cell, text: Text, word: str, start: int = 0, width: int = 0) -> int:
        """The number of an enumeration's text. Raises WrongError after a report."""
        numbers = {name.lower(): number for number, name in cell.names}
        if word.lower() not in numbers:
            names = [name for _, name in cell.names]
            help = f"`{cell.name}` is one of {', '.join(names)}"
            self.names.error(
                text, "E010", f"`{cell.name}` is never `{word}`", did_you_mean(word, names), help, start=start, width=width
            )
            raise WrongError
        return numbers[word.lower()]


def unit_of(cell: Cell) -> Unit | None:
    """The unit that numbers beside a cell are brought to; None where it depends on the wiring."""
    if cell.type == "TIME":
        return NANOSECOND
    return None if cell.unit is None else unit(cell.unit) or NUMBER
