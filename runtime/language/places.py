"""Texts, sections and lists whose place in the file is computed when somebody asks for it: most places are never needed.

It must not know the parser beyond its marks.
"""

from __future__ import annotations

from typing import Any

from runtime.source import Listing, Position, Section, Text


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


def filled(text: Text, value: str) -> Text:
    """Another value at the place of a text."""
    if not isinstance(text, Scalar):
        return Text(value, text.at, text.quoted)
    made: Any = str.__new__(Scalar, value)
    made.first, made.end, made.quoted = text.first, text.end, text.quoted
    return made  # type: ignore[no-any-return]


def like(part: Any, items: Any) -> Any:
    """Another section or list at the place of this one."""
    made = part.__class__.__new__(part.__class__)
    made.update(items) if isinstance(made, Section) else made.extend(items)
    if isinstance(part, Mapping | Items):
        made.first = part.first
    else:
        made.at = part.at
    return made
