"""Texts, sections and lists whose place in the file is computed when somebody asks for it: most places are never needed.

And texts in which words were replaced by their values. It must not know the parser beyond its marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from runtime.source import Listing, Position, Report, Section, Text


class Scalar(Text):
    """A Text whose place is computed when somebody asks for it: most places are never needed."""

    __slots__ = ("end", "first")
    first: Any
    end: Any

    @property
    def at(self) -> Position:  # type: ignore[override]
        return position(self.first, self.end)


class Mapping(Section):
    """A Section with a computed place."""

    __slots__ = ("first",)
    first: Any

    @property
    def at(self) -> Position:  # type: ignore[override]
        return position(self.first, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Section, (list(self.items()), self.at))


class Items(Listing):
    """A Listing with a computed place."""

    __slots__ = ("first",)
    first: Any

    @property
    def at(self) -> Position:  # type: ignore[override]
        return position(self.first, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Listing, (list(self), self.at))


def position(first: Any, end: Any) -> Position:
    """The place from one of the parser's marks to another; `end` is None where only the start matters."""
    width = 1
    if end is not None:
        width = end.column - first.column if end.line == first.line else 1_000
    return Position(first.name, first.line + 1, first.column + 1, max(1, width))


class Filled(Text):
    """A Text in which words were replaced by their values: it stands where the engineer wrote it, and its parts do too."""

    __slots__ = ("cuts", "source")
    source: Text
    cuts: tuple[tuple[int, int, int, int], ...]  # of each value its start and end in here, and of what stood for it in the source

    @property
    def at(self) -> Position:  # type: ignore[override]
        return self.source.at

    def back(self, start: int, width: int) -> tuple[int, int]:
        """Where a part of it stands in what the engineer wrote; a part of a value is the whole word that stood for it."""
        first, last = self._back(start, 2), self._back(start + width, 3)
        return first, max(1, last - first)

    def _back(self, place: int, edge: int) -> int:
        shift = 0
        for cut in self.cuts:
            if place < cut[0] or (edge == 3 and place == cut[0]):
                break
            if place < cut[1] or (edge == 3 and place == cut[1]):
                return cut[edge]
            shift = cut[3] - cut[1]
        return place + shift


def filled(text: Text, pattern: re.Pattern[str], value_of: Callable[[re.Match[str]], str]) -> Text:
    """The text with what the pattern finds replaced, at its old place; itself where nothing changes."""
    parts: list[str] = []
    cuts: list[tuple[int, int, int, int]] = []
    done = length = 0
    for found in pattern.finditer(text):
        before, value = text[done : found.start()], value_of(found)
        start = length + len(before)
        length, done = start + len(value), found.end()
        parts += (before, value)
        cuts.append((start, length, found.start(), found.end()))
    new = "".join([*parts, text[done:]])
    if new == text:
        return text
    made: Any = str.__new__(Filled, new)
    made.quoted, made.source, made.cuts = text.quoted, text, tuple(cuts)
    return made  # type: ignore[no-any-return]


def fill(part: Any, each: Callable[[Text], Text], report: Report) -> Any:
    """A part of a file with every text and key replaced by what `each` makes of it; itself where nothing changes."""
    if isinstance(part, Text):
        return each(part)
    if isinstance(part, Section):
        return _fill_section(part, each, report)
    if isinstance(part, Listing):
        items = [fill(item, each, report) for item in part]
        return part if all(a is b for a, b in zip(items, part, strict=True)) else like(part, items)
    return part


def _fill_section(section: Section, each: Callable[[Text], Text], report: Report) -> Section:
    items = [(each(key), fill(part, each, report)) for key, part in section.items()]
    if all(a is key and b is part for (a, b), (key, part) in zip(items, section.items(), strict=True)):
        return section
    known: set[str] = set()
    for key, _ in items:
        if key in known:
            report.error(key.at, "E002", f"`{key}` stands twice in this section", "the second would silently win")
        known.add(key)
    made: Section = like(section, items)
    return made


def like(part: Any, items: Any) -> Any:
    """Another section or list at the place of this one."""
    made = part.__class__.__new__(part.__class__)
    made.update(items) if isinstance(made, Section) else made.extend(items)
    if isinstance(part, Mapping | Items):
        made.first = part.first
    else:
        made.at = part.at
    return made
