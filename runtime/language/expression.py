"""Reads an expression of Structured Text into a tree whose every node knows its place. It must not know tags or blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.language.quantities import Quantity, QuantityError, exact
from runtime.language.units import Unit, unit


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity as written."""

    value: Quantity
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""

    value: bool
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Name:
    """A tag, an instance's pin or an input of a function block; `is_last` where `last` stands before it."""

    text: str
    is_last: bool
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator: `name` is `abs`, `+`, `not`, `negate` and so on."""

    name: str
    arguments: tuple[Tree, ...]
    start: int
    width: int  # of the operator or the function's name


@dataclass(frozen=True, slots=True)
class After:
    """`after 2 s`: whether the active step has lasted that long."""

    time: Tree
    start: int
    width: int


Tree = Number | Truth | Name | Call | After


class ExpressionError(ValueError):
    """A text that is no expression: the wrong part, and what was meant."""

    def __init__(self, message: str, start: int, width: int, hint: str = "", code: str = "E401"):
        super().__init__(message)
        self.start = start
        self.width = max(1, width)
        self.hint = hint
        self.code = code


STRENGTH = {
    "or": 1,
    "xor": 2,
    "and": 3,
    "&": 3,
    "=": 4,
    "<>": 4,
    "<": 5,
    "<=": 5,
    ">": 5,
    ">=": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
    "mod": 7,
    "**": 8,
}
UNARY_STRENGTH = 9  # IEC 61131-3:2013, table 71: `not` and the sign bind tighter than `**`
SLIPS = {
    "==": "`=` compares",
    "!=": "`<>` is unequal",
    "&&": "write `and`",
    "||": "write `or`",
    "!": "write `not`",
    ":=": "`=` compares",
    "^": "write `**` for a power, `xor` for either-or",
    "%": "write `mod`, or a number before `%`",
}
KEYWORDS = frozenset({"or", "xor", "and", "mod", "not", "last", "after", "true", "false"})
DEEPEST = 100
NAME = r"[^\W\d]\w*(?:\[(?:\d+|\*)\])?(?:\.[^\W\d]\w*(?:\[(?:\d+|\*)\])?)*"
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>(?:\d[\d_]*(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    rf"|(?P<name>{NAME})|(?P<sign>\*\*|<=|>=|<>|==|!=|&&|\|\||:=|[-+*/=<>&(),!^%])|(?P<other>\S))"
)
_UNIT = re.compile(r"\s*([A-Za-zµΩ°%‰]+\d?(?:[/*·](?:[A-Za-zµΩ°%‰]+\d?|1))*)")
Token = tuple[str, str, int]  # kind, text, start

_known: dict[str, Tree] = {}


def expression(text: str) -> Tree:
    """The tree of an expression; an equal text gives the same tree. Raises ExpressionError."""
    found = _known.get(text)
    if found is None:
        if len(_known) > 100_000:
            _known.clear()
        found = _known[text] = _Parser(text).whole()
    return found


class _Parser:
    """Operator precedence parsing (Pratt), one token ahead."""

    def __init__(self, text: str):
        self.text = text
        self.place = 0
        self.depth = 0
        self.token: Token = ("end", "", 0)
        self.advance()

    def advance(self) -> Token:
        taken = self.token
        match = _TOKEN.match(self.text, self.place)
        if match is None or match.lastgroup is None:
            self.token = ("end", "", len(self.text.rstrip()))
        else:
            kind = match.lastgroup
            self.token = (kind, match[kind], match.start(kind))
            self.place = match.end()
        return taken

    def whole(self) -> Tree:
        if self.token[0] == "end":
            raise ExpressionError("a value is missing here", 0, 1)
        tree = self.operand(0)
        kind, text, start = self.token
        if kind != "end":
            if text in SLIPS:
                raise ExpressionError(f"`{text}` is no operator", start, len(text), SLIPS[text])
            if text == ")":
                raise ExpressionError("this `)` closes nothing", start, 1)
            raise ExpressionError(f"an operator is missing before `{text}`", start, len(text))
        return tree

    def operand(self, strength: int) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError(f"more than {DEEPEST} brackets inside each other", self.token[2], 1, "split it into blocks")
        left = self.first()
        while True:
            kind, text, start = self.token
            operator = text.lower() if kind == "name" else text
            own = STRENGTH.get(operator, 0) if kind in ("name", "sign") else 0
            if own <= strength:
                self.depth -= 1
                return left
            self.advance()
            right = self.operand(own)
            left = Call("and" if operator == "&" else operator, (left, right), start, len(text))

    def first(self) -> Tree:
        kind, text, start = self.advance()
        if kind == "number":
            return self.quantity(text, start)
        if kind == "name":
            return self.word(text, start)
        if text == "(":
            inner = self.operand(0)
            self.close(start)
            return inner
        if text in ("-", "+"):
            return _negated(self.operand(UNARY_STRENGTH), start) if text == "-" else self.operand(UNARY_STRENGTH)
        if kind == "end":
            raise ExpressionError("the expression ends too early", max(0, start - 1), 1, "a value is missing")
        raise ExpressionError(f"`{text}` stands where a value belongs", start, len(text), SLIPS.get(text, ""))

    def word(self, text: str, start: int) -> Tree:
        word = text.lower()
        if word in ("true", "false"):
            return Truth(word == "true", start, len(text))
        if word == "not":
            return Call("not", (self.operand(UNARY_STRENGTH),), start, len(text))
        if word == "last":
            kind, name, at = self.advance()
            if kind != "name" or name.lower() in KEYWORDS:
                raise ExpressionError("`last` needs a tag or an instance's pin behind it", at, len(name) or 1)
            return Name(name, True, at, len(name))
        if word == "after":
            return After(self.operand(UNARY_STRENGTH), start, len(text))
        if word in KEYWORDS:
            raise ExpressionError(f"`{text}` stands where a value belongs", start, len(text))
        if self.token[1] == "(" and self.token[0] == "sign":
            return Call(word, self.arguments(), start, len(text))
        return Name(text, False, start, len(text))

    def arguments(self) -> tuple[Tree, ...]:
        _, _, opened = self.advance()
        found: list[Tree] = []
        if self.token[1] == ")":
            self.advance()
            return ()
        while True:
            found.append(self.operand(0))
            if self.token[0] == "sign" and self.token[1] == ",":
                self.advance()
                continue
            self.close(opened)
            return tuple(found)

    def close(self, opened: int) -> None:
        kind, text, start = self.token
        if kind == "sign" and text == ")":
            self.advance()
            return
        if kind == "end":
            raise ExpressionError("this `(` is not closed", opened, 1)
        if text in SLIPS:
            raise ExpressionError(f"`{text}` is no operator", start, len(text), SLIPS[text])
        raise ExpressionError(f"`)` or an operator is missing before `{text}`", start, len(text))

    def quantity(self, digits: str, start: int) -> Tree:
        """A number and the longest unit that stands behind it: `2 kW/s` is a rate, `2 kW/pcs.n` a quotient."""
        end = start + len(digits)
        measured = None
        match = _UNIT.match(self.text, end)
        if match is not None and match[1].lower() not in KEYWORDS:
            measured, unit_end = _longest_unit(self.text, match)
            if measured is None:
                raise ExpressionError(f"no unit is written `{match[1]}`", match.start(1), len(match[1]), "", "E203")
            end = self.place = unit_end
            self.advance()
        try:
            number = exact(digits, start)
        except QuantityError as error:
            raise ExpressionError(str(error), error.start, error.width, "", error.code) from None
        return Number(Quantity(number, measured, digits.replace("_", "").isdigit()), start, end - start)


def _longest_unit(text: str, match: re.Match[str]) -> tuple[Unit | None, int]:
    found = match[1]
    cuts = [m.start() for m in re.finditer(r"[/*·]", found)]
    for end in [len(found), *reversed(cuts)]:
        after = text[match.start(1) + end : match.start(1) + end + 1]
        measured = unit(found[:end])
        if measured is not None and not (after.isalnum() or after in ("_", ".", "[")):
            return measured, match.start(1) + end
    return None, match.end()


def _negated(tree: Tree, start: int) -> Tree:
    if isinstance(tree, Number):
        value = Quantity(-tree.value.number, tree.value.unit, tree.value.is_whole)
        return Number(value, start, tree.start + tree.width - start)
    return Call("negate", (tree,), start, 1)
