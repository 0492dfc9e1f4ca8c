"""The lines of a YAML file as its parser sees them: what is indented by what, where values stand, and where comments begin.

Line-based on purpose: ruamel.yaml, which keeps comments, would rewrite 78 of the 488 lines that we ship, because it cannot keep a
column of values that an engineer aligned. It must not know what a word means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

INDENT = 2


@dataclass(slots=True)
class Entry:
    """One `key: value` of a section that is written as lines. Columns count from 0; `section` tells siblings from others.

    `value` is the column of a value in the same line, else -1; `last` the last line of the value; `top` the first word of the path.
    """

    line: int
    key: int
    key_end: int
    value: int
    last: int
    section: int
    top: str
    depth: int


@dataclass
class Layout:
    """What one walk through a file finds out. `indent`: the new column of lines that begin an entry or an item."""

    lines: list[str]
    indent: dict[int, int] = field(default_factory=dict)
    owner: dict[int, int] = field(default_factory=dict)  # a line inside a value: the line that its value begins in
    entries: list[Entry] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)  # where the content of a line ends and its comment may begin
    in_text: set[int] = field(default_factory=set)  # lines of a text of several lines whose end belongs to it
    inside: set[int] = field(default_factory=set)  # lines that begin inside such a text
    sections: int = 0


def lay_out(text: str) -> Layout:
    """Walk through a file that is known to be YAML."""
    layout = Layout(text.split("\n"))
    _find_ends(text, layout)
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    for event in events:
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _walk(event, events, layout, 0, "", 0)
    return layout


def _find_ends(text: str, layout: Layout) -> None:
    for token in tokens(text):
        start, end = token.start_mark, token.end_mark
        last = _last_line(token, layout)
        for line in range(start.line, last if end.column else last + 1):
            layout.ends[line] = len(layout.lines[line])
            layout.in_text.add(line)
        layout.inside.update(range(start.line + 1, last + 1))
        if end.column:
            layout.ends[end.line] = max(end.column, layout.ends.get(end.line, 0))


def _last_line(token: Any, layout: Layout) -> int:
    """The last line of a token: behind `|` the blank lines that follow are no part of the text, behind `|+` they are."""
    start, last = token.start_mark, token.end_mark.line
    if token.end_mark.column or last == start.line:
        return int(last)
    last -= 1
    is_kept = "+" in layout.lines[start.line][start.column : start.column + 3]
    while last > start.line and not is_kept and not layout.lines[last].strip():
        last -= 1
    return int(last)


def tokens(text: str) -> Iterator[Any]:
    """The tokens that have letters."""
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        if (token.start_mark.line, token.start_mark.column) != (token.end_mark.line, token.end_mark.column):
            yield token


def _walk(event: Any, events: Iterator[Any], layout: Layout, column: int, top: str, depth: int) -> Any:
    """One part of the file whose entries belong into this column; its last mark."""
    if isinstance(event, yaml.ScalarEvent):
        return event.end_mark
    if event.flow_style:
        return _skip(events)
    if isinstance(event, yaml.SequenceStartEvent):
        return _walk_items(event, events, layout, column, top, depth)
    return _walk_section(events, layout, column, top, depth)


def _skip(events: Iterator[Any]) -> Any:
    """To the end of something written in brackets."""
    open_ones = 1
    while open_ones:
        event = next(events)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            open_ones += 1
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            open_ones -= 1
    return event.end_mark


def _walk_section(events: Iterator[Any], layout: Layout, column: int, top: str, depth: int) -> Any:
    layout.sections += 1
    section = layout.sections
    while True:
        key = next(events)
        if isinstance(key, yaml.MappingEndEvent):
            return key.end_mark
        start, end = key.start_mark, key.end_mark
        is_first = _begins(start.line, start.column, layout)
        if is_first:
            layout.indent[start.line] = column
        value = next(events)
        name = key.value if depth == 0 else top
        is_inline = value.start_mark.line == end.line and not _is_block(value) and not _is_empty(value)
        last = _value(value, events, layout, start.line, column + INDENT, name, depth + 1)
        at = value.start_mark.column if is_inline else -1
        if is_first:
            layout.entries.append(Entry(start.line, start.column, end.column, at, last, section, name, depth))


def _walk_items(event: Any, events: Iterator[Any], layout: Layout, column: int, top: str, depth: int) -> Any:
    dash = event.start_mark.column
    while True:
        item = next(events)
        if isinstance(item, yaml.SequenceEndEvent):
            return item.end_mark
        line = item.start_mark.line
        while line > 0 and layout.lines[line][dash : dash + 1] != "-":
            line -= 1
        if _begins(line, dash, layout):
            layout.indent[line] = column
        is_beside = line == item.start_mark.line
        inner = column + (item.start_mark.column - dash if is_beside else INDENT)
        _value(item, events, layout, line, inner, top, depth + 1)


def _value(value: Any, events: Iterator[Any], layout: Layout, line: int, column: int, top: str, depth: int) -> int:
    """A value behind a key or a dash in this line; the line that it ends in."""
    first = value.start_mark.line
    end = _walk(value, events, layout, column, top, depth)
    last = int(end.line) - (1 if end.column == 0 and end.line > first else 0)
    if _is_block(value):
        return last
    if first > line and not _is_empty(value):
        layout.indent[first] = column
    for inside in range(first + 1, last + 1):
        layout.owner[inside] = first
    return last


def _is_block(value: Any) -> bool:
    return isinstance(value, yaml.MappingStartEvent | yaml.SequenceStartEvent) and not value.flow_style


def _is_empty(value: Any) -> bool:
    return isinstance(value, yaml.ScalarEvent) and not value.value and not value.style


def _begins(line: int, column: int, layout: Layout) -> bool:
    return not layout.lines[line][:column].strip()


def comment_of(line: str, end: int) -> str:
    """The comment behind the content of a line, without the spaces before it."""
    rest = line[end:].strip()
    return rest if rest.startswith("#") else ""


def with_comment(content: str, line: str, end: int) -> str:
    """The new content of a line with the comment of the old one, in its old column where there is room."""
    comment = comment_of(line, end)
    if not comment:
        return content
    column = line.index("#", end)
    return f"{content}{' ' * max(column - len(content), min(column - end, 2))}{comment}"
