"""Text with its place in a file, and the problems found in it: the hall's way to say file, line, column and caret.

Everything the engineer writes arrives as `Text`, `Section` and `Listing`, which are str, dict and list that know where
they stand. It must not know what any of the words mean.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where something stands: the file as the engineer would name it, line and column from 1, and how wide it is."""

    file: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def part(self, start: int, width: int) -> Position:
        """A part of this one, `start` characters in."""
        return Position(self.file, self.line, self.column + start, width)


NOWHERE = Position("", 0, 0)


class Text(str):
    """One scalar of a YAML file, exactly as written, with its place and whether it was quoted."""

    __slots__ = ("at", "quoted")
    at: Position
    quoted: bool

    def __new__(cls, value: str, at: Position = NOWHERE, quoted: bool = False) -> Text:
        self = super().__new__(cls, value)
        self.at = at
        self.quoted = quoted
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (Text, (str(self), self.at, self.quoted))


class Section(dict[Text, Any]):
    """One mapping of a YAML file in its own order. Keys are Text, so they know their place."""

    __slots__ = ("at",)
    at: Position

    def __init__(self, items: Iterable[tuple[Text, Any]] = (), at: Position = NOWHERE):
        super().__init__(items)
        self.at = at

    if TYPE_CHECKING:  # a plain str finds a Text

        def get(self, word: str, otherwise: Any = None, /) -> Any: ...
        def __getitem__(self, word: str, /) -> Any: ...

    def key_at(self, name: str) -> Position:
        """Where the key itself stands, or the section where it has no such key."""
        return next((key.at for key in self if key == name), self.at)


class Listing(list[Any]):
    """One sequence of a YAML file."""

    __slots__ = ("at",)
    at: Position

    def __init__(self, items: Iterable[Any] = (), at: Position = NOWHERE):
        super().__init__(items)
        self.at = at


def place_of(value: Any, otherwise: Position = NOWHERE) -> Position:
    """Where a Text, Section or Listing stands."""
    return getattr(value, "at", otherwise)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where, which (E101), what, what was meant (beside the caret), and what to do (the help lines)."""

    at: Position
    code: str
    message: str
    hint: str = ""
    help: tuple[str, ...] = ()
    severity: str = "error"

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.at.file,
            "line": self.at.line,
            "column": self.at.column,
            "width": self.at.width,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "help": list(self.help),
        }


class SiteError(Exception):
    """The site has mistakes; `problems` are all of them, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(sorted(problems))
        super().__init__(f"{len(self.problems)} problem(s) in the site")


@dataclass
class Report:
    """Collects problems while the site is read, so that all of them are shown in one go."""

    problems: list[Problem] = field(default_factory=list)

    def error(self, at: Position, code: str, message: str, hint: str = "", *help: str) -> None:
        self.problems.append(Problem(at, code, message, hint, help))

    def warn(self, at: Position, code: str, message: str, hint: str = "", *help: str) -> None:
        self.problems.append(Problem(at, code, message, hint, help, "warning"))

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "error"]

    def raise_if_any(self) -> None:
        if self.errors:
            raise SiteError(self.problems)


MUCH_LESS = 0.1  # a second guess that is so much less like the word only distracts


def nearest(word: str, known: Iterable[str], most: int = 4) -> list[str]:
    """The known names that look most like this one, best first, compared without case."""
    by_lower = {name.lower(): name for name in known}
    return [by_lower[m] for m in difflib.get_close_matches(word.lower(), by_lower, n=most, cutoff=0.6)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean `x`?`, also `x or y` where both are about as near, or nothing where no known name is."""
    close = nearest(word, known, 2)
    if not close:
        return ""
    like = [difflib.SequenceMatcher(None, name.lower(), word.lower()).ratio() for name in close]
    shown = [name for name, ratio in zip(close, like, strict=True) if ratio > like[0] - MUCH_LESS]
    return f"did you mean {' or '.join(f'`{name}`' for name in shown)}?"


def pattern_of(text: str, *, has_one: bool = False) -> re.Pattern[str]:
    """Names as a person means several: `*` is any letters, without case; with `has_one` also `?` any one letter.

    Brackets are indices here. What fnmatch makes of many `*` stays fast, which matters where a client sends them.
    """
    plain = text.replace("[", "[[]")
    return re.compile(fnmatch.translate(plain if has_one else plain.replace("?", "[?]")), re.IGNORECASE)


def render(problems: Iterable[Problem], root: Path, *, colour: bool = False) -> str:
    """The problems as a person reads them: place, code, message, the line with carets, hint and help."""
    files: dict[str, list[str]] = {}
    return "\n\n".join(_render_one(problem, root, files, colour) for problem in problems)


def _render_one(problem: Problem, root: Path, files: dict[str, list[str]], colour: bool) -> str:
    at = problem.at
    red, bold, off = ("\x1b[31m", "\x1b[1m", "\x1b[0m") if colour else ("", "", "")
    place = f"{at}: " if at.line else f"{at.file}: " if at.file else ""
    lines = [f"{bold}{place}{red}{problem.severity}[{problem.code}]{off}{bold}: {problem.message}{off}"]
    text = _line(at, root, files)
    if text is not None:
        number = str(at.line)
        width = max(1, min(at.width, len(text) - at.column + 1))
        lines.append(f" {number} | {text}")
        lines.append(f" {' ' * len(number)} | {' ' * (at.column - 1)}{red}{'^' * width}{off} {problem.hint}".rstrip())
    elif problem.hint:
        lines.append(f" = {problem.hint}")
    lines += [f" = help: {line}" for line in problem.help]
    return "\n".join(lines)


def _line(at: Position, root: Path, files: dict[str, list[str]]) -> str | None:
    if not at.line:
        return None
    if at.file not in files:
        try:
            files[at.file] = (root / at.file).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            files[at.file] = []
    lines = files[at.file]
    return lines[at.line - 1].replace("\t", " ") if at.line <= len(lines) else None
