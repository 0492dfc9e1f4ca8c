"""Brace patterns: one line of text that names many things, `Module_{1..16}.V_{1..16}`. It knows nothing of what is named."""

from __future__ import annotations

import re
from itertools import product

MOST = 100_000
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})(?:\.\.(\d{1,18}))?")


class PatternError(Exception):
    """A brace pattern that cannot be read; `start` and `width` say which characters are meant."""

    def __init__(self, message: str, start: int, width: int):
        super().__init__(message)
        self.start = start
        self.width = width


def is_pattern(text: str) -> bool:
    """Whether the text holds braces, so that it names a list even if a list of one."""
    return "{" in text or "}" in text


def expand(text: str) -> tuple[str, ...]:
    """All names of a pattern in order, the leftmost braces slowest; a text without braces names itself.

    `{1..16}` counts, `{01..16}` counts with leading zeros, `{0..30..2}` counts by two, `{a,b}` lists. Raises PatternError
    where a brace is open, empty or inside another, or where there would be more than 100,000 names.
    """
    if not is_pattern(text):
        return (text,)
    parts = _BRACES.split(text)  # plain text and brace contents take turns
    at, count = 0, 1
    choices: list[tuple[str, ...]] = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            _refuse_stray_brace(part, at)
            choices.append((part,))
            at += len(part)
        else:
            choices.append(_choices(part, at))
            count *= len(choices[-1])
            at += len(part) + 2
        if count > MOST:
            raise PatternError(f"this pattern names more than {MOST} things", 0, len(text))
    return tuple("".join(names) for names in product(*choices))


def _refuse_stray_brace(part: str, at: int) -> None:
    for offset, letter in enumerate(part):
        if letter in "{}":
            message = "this brace is never closed, or holds another" if letter == "{" else "nothing opened this brace"
            raise PatternError(message, at + offset, 1)


def _choices(content: str, at: int) -> tuple[str, ...]:
    found = _RANGE.fullmatch(content.strip())
    if found:
        return _count(found, content, at)
    names = tuple(part.strip() for part in content.split(","))
    if not all(names) or ".." in content:
        raise PatternError("write a range `{1..16}` or a list `{a,b}`", at, len(content) + 2)
    return names


def _count(found: re.Match[str], content: str, at: int) -> tuple[str, ...]:
    first, last, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if step == 0:
        raise PatternError("a range cannot count by 0", at, len(content) + 2)
    if abs(last - first) // step >= MOST:
        raise PatternError(f"this range counts more than {MOST} things", at, len(content) + 2)
    padded = any(len(edge.lstrip("-")) > 1 and edge.lstrip("-").startswith("0") for edge in (found[1], found[2]))
    width = max(len(found[1]), len(found[2])) if padded else 0
    numbers = range(first, last + 1, step) if last >= first else range(first, last - 1, -step)
    return tuple(f"{number:0{width}d}" for number in numbers)
