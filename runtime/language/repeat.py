"""One io_map for many devices: `for: rack in 1..16`, and `{rack}` or `{(rack - 1) * 0x20}` filled in for each of them.

It must not know what a device is. A value that was filled in keeps the place of what the engineer wrote.
"""

from __future__ import annotations

import ast
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from runtime.language.places import fill, filled, like
from runtime.source import Position, Problem, Report, Section, Text, did_you_mean, place_of

MOST = 1_000
LONGEST = 200  # characters of an expression
_FOR = re.compile(r"\s*([^\W\d]\w*)\s+in\s+(.*?)\s*\Z")
_RANGE = re.compile(r"(-?\d{1,9})\s*\.\.\s*(-?\d{1,9})\Z")
_LIST = re.compile(r"\[\s*(-?\d{1,9}(?:\s*,\s*-?\d{1,9})*)\s*\]\Z")
_BRACES = re.compile(r"\{([^{}]*)\}")
_PARTS = re.compile(r"(\.\.|,)")  # of a brace pattern: `{1..16}`, `{a,b}`
_WORD = re.compile(r"(?<![\w])[^\W\d]\w*")
HOW = "`for: rack in 1..16` or `for: rack in [1, 2, 5]`"
OPERATORS: dict[type[ast.AST], Callable[..., int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


class ComputeError(Exception):
    """What stands in braces has no value; `hint` says what would."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


class Repeat:
    """The name and the values of a `for`, and what they make of a file."""

    def __init__(self, name: str, values: tuple[int, ...], section: Section, report: Report):
        self.name, self.values = name, values
        self._section, self._report = section, report
        self._filled: list[Text] = []
        self._found: dict[tuple[Position, str], tuple[int, list[Problem], set[int]]] = {}

    def each(self) -> Iterator[Section]:
        """The file for one value after another. Problems reported meanwhile are kept until `tell`."""
        for value in self.values:
            before = len(self._report.problems)
            self._filled.clear()
            body = like(self._section, [(key, part) for key, part in self._section.items() if key != "for"])
            yield fill(body, lambda text, value=value: self._fill_text(text, value), self._report)  # type: ignore[misc]
            found = self._report.problems[before:]
            del self._report.problems[before:]
            self._keep(found, value)

    def _keep(self, problems: list[Problem], value: int) -> None:
        """A line that is wrong for many values is one problem, shown for the first of them."""
        filled_lines: dict[tuple[str, int], list[Position]] = defaultdict(list)
        for at in [text.at for text in self._filled] if problems else []:
            filled_lines[at.file, at.line].append(at)
        for problem in problems:
            # a place inside a value that was filled in is the whole value: its letters stand elsewhere in the file
            whole = next((at for at in filled_lines[problem.at.file, problem.at.line] if _holds(at, problem.at)), problem.at)
            problem = replace(problem, at=whole)
            first, kept, wrong = self._found.setdefault((problem.at, problem.code), (value, [], set()))
            wrong.add(value)
            if first == value and problem not in kept:
                kept.append(problem)

    def tell(self) -> None:
        """Report what was kept, each with the value that it is about."""
        for first, problems, wrong in self._found.values():
            more = len(wrong) - 1
            others = f", and for {more} more value{'s' if more > 1 else ''}" if more else ""
            for problem in problems:
                which = (f"for {self.name} = {first}{others}",) if self.name else ()
                self._report.problems.append(replace(problem, help=(*problem.help, *which)))

    def _fill_text(self, text: Text, value: int) -> Text:
        """The text with every brace computed; itself where it has none."""
        if "{" not in text:
            return text
        made = filled(text, _BRACES, lambda found: self._fill_brace(found, text, value))
        if made is not text:
            self._filled.append(made)
        return made

    def _fill_brace(self, found: re.Match[str], text: Text, value: int) -> str:
        """A computed number, or a brace pattern of the driver with its ends computed."""
        content = found[1]
        if not _WORD.search(content):
            return found[0]
        parts = _PARTS.split(content)
        is_pattern = len(parts) > 1
        if not self.name:  # the `for` itself is wrong, and said to be
            return found[0] if is_pattern else str(value)
        for place, part in enumerate(parts):
            words = _WORD.findall(part)
            if not words or (is_pattern and self.name not in words):
                continue
            try:
                parts[place] = str(compute(part, self.name, value))
            except ComputeError as error:
                self._report.error(text.at, "E606", f"`{found[0]}`: {error}", error.hint)
                return str(value)
        whole = "".join(parts)
        return f"{{{whole}}}" if is_pattern else whole


def _holds(whole: Position, at: Position) -> bool:
    return whole.column < at.column < whole.column + whole.width


def repeat_of(section: Section, report: Report) -> Repeat | None:
    """The `for` of an io_map; None where it has none."""
    text = section.get("for")
    if text is None:
        return None
    match = _FOR.match(text) if isinstance(text, Text) else None
    if match is None:
        report.error(place_of(text, section.at), "E605", "`for` names its values", HOW)
        return Repeat("", (1,), section, report)
    return Repeat(match[1], _values(match[2], text, report), section, report)


def _values(written: str, text: Text, report: Report) -> tuple[int, ...]:
    """The whole numbers of `1..16` or `[1, 2, 5]`. After a mistake a few of those that were meant, so that their tags exist."""
    counted, listed = _RANGE.match(written), _LIST.match(written)
    if counted is not None:
        first, last = int(counted[1]), int(counted[2])
        if last < first:
            report.error(text.at, "E605", f"the range {first}..{last} is empty", f"`{last}..{first}`?")
            return tuple(range(last, min(first, last + 15) + 1))
        if last - first >= MOST:
            report.error(text.at, "E605", f"a `for` has at most {MOST} values, not {last - first + 1}")
            return tuple(range(first, first + 16))
        return tuple(range(first, last + 1))
    if listed is not None:
        numbers = [int(number) for number in listed[1].split(",")]
        twice = sorted({n for n in numbers if numbers.count(n) > 1}) if len(numbers) <= MOST else []
        if twice or len(numbers) > MOST:
            message = f"{twice[0]} stands twice in this list" if twice else f"a `for` has at most {MOST} values"
            report.error(text.at, "E605", message)
        return tuple(dict.fromkeys(numbers))[:MOST]
    report.error(text.at, "E605", f"`{written}` is no range and no list of whole numbers", HOW)
    return (1,)


def compute(text: str, name: str = "", value: int = 0) -> int:
    """A whole number of `name`, decimal and 0x numbers, `+ - * // %` and brackets. Raises an error that says what is wrong."""
    if len(text) > LONGEST:
        raise ComputeError(f"longer than {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ComputeError("this is no expression of whole numbers", _example(name)) from None
    try:
        return _compute(tree, name, value)
    except ZeroDivisionError:
        raise ComputeError(f"it divides by 0 where {name} is {value}" if name else "it divides by 0") from None


def _example(name: str) -> str:
    return f"`{{{name}}}`, `{{({name} - 1) * 0x20}}`" if name else "`{$racks * 256}`"


def _compute(tree: ast.AST, name: str, value: int) -> int:
    if isinstance(tree, ast.Name):
        if tree.id != name:
            hint = did_you_mean(tree.id, [name]) or f"`for` names `{name}`" if name else f"a constant is written `${tree.id}`"
            raise ComputeError(f"there is no `{tree.id}`", hint)
        return value
    if isinstance(tree, ast.Constant) and type(tree.value) is int:
        return tree.value
    if isinstance(tree, ast.BinOp | ast.UnaryOp) and type(tree.op) in OPERATORS:
        operands = [tree.operand] if isinstance(tree, ast.UnaryOp) else [tree.left, tree.right]
        return OPERATORS[type(tree.op)](*(_compute(operand, name, value) for operand in operands))
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div):
        raise ComputeError("`/` would leave the whole numbers", "`//` divides and drops the rest")
    raise ComputeError("only whole numbers, + - * // % and brackets", _example(name))
