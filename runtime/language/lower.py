"""Turns values and expressions into feeds: a name, a literal, or standard blocks with names that can be watched.

It must not know types.
"""

from __future__ import annotations

import re
from typing import Any

from runtime.language.expression import NAME, After, Call, ExpressionError, Name, Number, Tree, Truth, expression
from runtime.language.network import ALL, BROKEN, Broken, Feed, Listed, Literal, Node, Wire, inside
from runtime.language.quantities import QuantityError, quantity
from runtime.language.scope import Scope
from runtime.language.words import nearest_unit
from runtime.source import Listing, Text, did_you_mean, place_of

# operator or function: block, operands (a block with a fold takes any number from its two)
BLOCK_OF = {
    "and": "AND",
    "or": "OR",
    "xor": "XOR",
    "not": "NOT",
    "=": "EQ",
    "<>": "NE",
    "<": "LT",
    "<=": "LE",
    ">": "GT",
    ">=": "GE",
    "+": "ADD",
    "-": "SUB",
    "*": "MUL",
    "/": "DIV",
    "mod": "MOD",
    "**": "EXPT",
    "negate": "NEG",
    "abs": "ABS",
    "min": "MIN",
    "max": "MAX",
    "limit": "LIMIT",
    "sel": "SEL",
    "sqrt": "SQRT",
    "exp": "EXP",
    "ln": "LN",
    "floor": "FLOOR",
    "rise": "R_TRIG",
    "fall": "F_TRIG",
    "to_lreal": "TO_LREAL",
    "to_dint": "TO_DINT",
    "to_lint": "TO_LINT",
    "to_time": "TO_TIME",
    "to_seconds": "TO_SECONDS",
    "to_bool": "TO_BOOL",
    "trunc": "TRUNC",
}
FUNCTIONS = tuple(word for word in BLOCK_OF if word.isidentifier() and word not in ("and", "or", "xor", "not", "mod", "negate"))
SHOWN_AS = {
    "=": "eq",
    "<>": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "**": "expt",
}
_PLAIN_NAME = re.compile(NAME + r"\Z")
_WORDS = frozenset({"true", "false"})
OWN_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def lower_value(value: Any, scope: Scope, owner: str, elapsed: Wire | None = None) -> Feed:
    """What a value as written feeds. `owner` starts the names of the blocks that an expression becomes.

    `elapsed` is the time in a sequence's step, inside whose `goto` `after 2 s` has a meaning.
    """
    if not isinstance(value, Text):
        return _lower_other(value, scope, owner, elapsed)
    if _PLAIN_NAME.match(value) and value.lower() not in _WORDS:
        return scope.resolve(value, value, 0) if "." in value or value.lower() in scope.ports else _bare(value, scope)
    try:
        found = quantity(value)
        if found is not None:
            return Literal(found, value, 0, len(value))
        tree = expression(value)
    except QuantityError as error:
        hint = nearest_unit(value[error.start : error.start + error.width]) if error.code == "E203" else ""
        scope.draft.report.error(inside(value, error.start, error.width), error.code, str(error), hint)
        return BROKEN
    except ExpressionError as error:
        scope.draft.report.error(inside(value, error.start, error.width), error.code, str(error), _hint(value, error))
        return BROKEN
    return _Lowering(scope, value, owner, elapsed).lower(tree)


def _hint(value: Text, error: ExpressionError) -> str:
    return nearest_unit(value[error.start : error.start + error.width]) if error.code == "E203" else error.hint


def _bare(value: Text, scope: Scope) -> Feed:
    word = OWN_SWITCHES.get(value.lower())
    if word and value.lower() not in scope.symbols:
        scope.draft.report.error(value.at, "E010", f"`{value}` is no value here", f"write `{word}`")
        return BROKEN
    if value.lower() in ("nan", "inf", "infinity"):
        scope.draft.report.error(value.at, "E206", f"`{value}` is not finite")
        return BROKEN
    return scope.resolve(value, value, 0)


def _lower_other(value: Any, scope: Scope, owner: str, elapsed: Wire | None) -> Feed:
    if isinstance(value, Listing):
        if not value:
            scope.draft.report.error(value.at, "E205", "an empty list feeds nothing", "leave the input out, or give it values")
            return BROKEN
        feeds = [lower_value(item, scope, owner, elapsed) for item in value]
        return BROKEN if BROKEN in feeds else Listed(feeds, value)
    scope.draft.report.error(
        place_of(value),
        "E005",
        "a value or an expression stands here, not a section",
        "",
        "inside {} and [] an expression with brackets or commas is quoted",
    )
    return BROKEN


class _Lowering:
    """One expression on its way into blocks."""

    def __init__(self, scope: Scope, text: Text, owner: str, elapsed: Wire | None):
        self.scope = scope
        self.text = text
        self.owner = owner
        self.elapsed = elapsed

    def error(self, tree: Any, code: str, message: str, hint: str = "") -> Feed:
        self.scope.draft.report.error(inside(self.text, tree.start, tree.width), code, message, hint)
        return BROKEN

    def lower(self, tree: Tree) -> Feed:
        if tree.__class__ is Name:
            return self.scope.resolve(tree.text, self.text, tree.start, tree.is_last)  # type: ignore[union-attr]
        if isinstance(tree, Number | Truth):
            return Literal(tree.value, self.text, tree.start, tree.width)
        if isinstance(tree, After):
            return self.after(tree)
        assert isinstance(tree, Call)
        return self.chain(tree)

    def chain(self, tree: Call) -> Feed:
        """`a and b and c ...` leans to the left as long as it is: walked with a loop, so that its length has no limit."""
        spine = [tree]
        while spine[-1].arguments and isinstance(spine[-1].arguments[0], Call):
            spine.append(spine[-1].arguments[0])
        left: Feed | None = None
        for call in reversed(spine):
            left = self.call(call, left)
        assert left is not None
        return left

    def after(self, tree: After) -> Feed:
        if self.elapsed is None:
            return self.error(
                tree, "E402", "`after` compares the time in a step: it belongs into a sequence's `goto`", "elsewhere a TON waits"
            )
        return self.block("GE", "after", tree, [self.elapsed, self.lower(tree.time)])

    def call(self, tree: Call, first: Feed | None) -> Feed:
        """An operator or function; `first` is its first operand where that is lowered already."""
        name = BLOCK_OF.get(tree.name)
        if name is None:
            return self.error(tree, "E107", f"no function named `{tree.name}`", did_you_mean(tree.name, FUNCTIONS))
        block = self.scope.draft.catalogue.get(name)
        if block is None:
            return self.error(tree, "E102", f"`{tree.name}` needs the block {name}, which the catalogue does not hold")
        wanted = len(block.inputs)
        given = len(tree.arguments)
        if given != wanted and not (block.fold and given > wanted):
            takes = f"{wanted} value{'s' if wanted > 1 else ''}" + (" or more" if block.fold else "")
            pins = ", ".join(pin.name for pin in block.inputs)
            return self.error(
                tree,
                "E401",
                f"`{tree.name}` takes {takes}, not {given}",
                f"{tree.name}({pins})" if tree.name.isidentifier() else "",
            )
        feeds = [self.lower(argument) for argument in tree.arguments[1 if first is not None else 0 :]]
        if first is not None:
            feeds.insert(0, first)
        return self.fold(name, tree, feeds)

    def fold(self, name: str, tree: Call, feeds: list[Feed]) -> Feed:
        pins = len(self.scope.draft.catalogue[name].inputs)
        result = self.block(name, tree.name, tree, feeds[:pins])
        for more in feeds[pins:]:
            result = self.block(name, tree.name, tree, [result, more])
        return result

    def block(self, name: str, word: str, tree: Any, feeds: list[Feed]) -> Feed:
        if any(feed.__class__ is Broken for feed in feeds):
            return BROKEN
        block = self.scope.draft.catalogue.get(name)
        if block is None:
            return self.error(tree, "E102", f"`{word}` needs the block {name}, which the catalogue does not hold")
        node = hidden(self.scope, f"{self.owner}#{SHOWN_AS.get(word, word)}", name, self.text)
        node.feeds = {pin.name: feed for pin, feed in zip(block.inputs, feeds, strict=True)}
        return Wire(node, block.outputs[0], ALL, ALL, False, self.text, tree.start, tree.width)


def hidden(scope: Scope, name: str, block: str, at: Any) -> Node:
    """A new instance that the text implies; a second one of the same name is numbered."""
    node = Node(unique(scope, name), scope.draft.catalogue[block], at)
    scope.program.nodes.append(node)
    return node


def unique(scope: Scope, name: str) -> str:
    """The name, with a number behind it where it is taken in this program."""
    counts = scope.program.hidden
    count = counts[name] = counts.get(name, 0) + 1
    return name if count == 1 else f"{name}{count}"
