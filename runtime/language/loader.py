"""Reads one YAML file into Text, Section and Listing that know their places. It must not know what any word means.

It follows the parser's events instead of `yaml.compose`: the same C parser and the same marks, but without a regular
expression for each scalar (nothing here needs YAML's guesses at booleans and numbers) and without recursion on hostile nesting.
"""

from __future__ import annotations

import io
from typing import Any

import yaml

from runtime.source import Listing, Position, Report, Section, Text

DEEPEST = 100


class Scalar(Text):
    """A Text whose place is computed when somebody asks for it: most places are never needed."""

    __slots__ = ("end", "first")
    first: Any
    end: Any

    @property
    def at(self) -> Position:  # type: ignore[override]
        return _position(self.first, self.end)


class Mapping(Section):
    """A Section with a computed place."""

    __slots__ = ("first",)
    first: Any

    @property
    def at(self) -> Position:  # type: ignore[override]
        return _position(self.first, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Section, (list(self.items()), self.at))


class Items(Listing):
    """A Listing with a computed place."""

    __slots__ = ("first",)
    first: Any

    @property
    def at(self) -> Position:  # type: ignore[override]
        return _position(self.first, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Listing, (list(self), self.at))


def _position(first: Any, end: Any) -> Position:
    width = 1
    if end is not None:
        width = end.column - first.column if end.line == first.line else 1_000
    return Position(first.name, first.line + 1, first.column + 1, max(1, width))


class _Stream(io.StringIO):
    name = ""


class _StopError(Exception):
    """The file cannot be read further; the problem is in the report."""


def read_yaml(name: str, text: str, report: Report) -> Section | None:
    """The top section of a file, or None where it cannot be read; the problems are in the report."""
    stream = _Stream(text)
    stream.name = name
    try:
        return _Reader(yaml.CSafeLoader(stream), name, report, text).document()
    except yaml.MarkedYAMLError as error:
        _syntax_error(error, name, text, report)
    except yaml.reader.ReaderError as error:
        report.error(
            Position(name, 1 + text.count("\n", 0, error.position), 1),
            "E001",
            f"the file holds a character that YAML does not allow: {error.reason}",
        )
    except UnicodeEncodeError as error:
        report.error(
            Position(name, 1 + text.count("\n", 0, error.start), 1), "E001", "the file holds a character that is not Unicode text"
        )
    except _StopError:
        return None
    return None


class _Reader:
    """Puts together one document from the parser's events."""

    def __init__(self, loader: Any, name: str, report: Report, text: str):
        self.loader = loader
        self.name = name
        self.report = report
        self.text = text

    def document(self) -> Section | None:
        top = self._tree()
        if top is None:
            self.report.error(Position(self.name, 1, 1), "E008", "the file is empty")
            return None
        if not isinstance(top, Section):
            self.report.error(top.at, "E005", "a file starts with a section of `word: value` lines")
            return None
        return top

    def _tree(self) -> Any:
        """The first document. One loop over the events; `box`, `key` and `flow` describe the innermost open collection."""
        get = self.loader.get_event
        new_text = str.__new__
        stack: list[tuple[Any, Any, bool]] = []
        box: Any = None
        key: Any = None
        flow = False
        top: Any = None
        while True:
            event = get()
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                value: Any = new_text(Scalar, event.value)
                value.first, value.end = event.start_mark, event.end_mark
                value.quoted = bool(event.style)
                if event.anchor is not None or event.tag is not None:
                    self._refuse(event)
                if box.__class__ is Mapping:
                    if key is None:
                        key = value
                        if key in box:
                            self._twice(key, box)
                        if key == "<<" and not key.quoted:
                            self._merge_key(key)
                        continue
                    if flow and "(" in value and not value.quoted and value.count("(") > value.count(")"):
                        value = self._joined(value, get)
                    box[key] = value
                    key = None
                elif box.__class__ is Items:
                    if flow and "(" in value and not value.quoted and value.count("(") > value.count(")"):
                        value = self._joined(value, get)
                    box.append(value)
                else:
                    top = value
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if event.anchor is not None or event.tag is not None:
                    self._refuse(event)
                opened: Any = Mapping.__new__(Mapping) if kind is yaml.MappingStartEvent else Items.__new__(Items)
                opened.first = event.start_mark
                if box.__class__ is Mapping and key is None:
                    self._stop(
                        event,
                        "E005",
                        "a key is one word, not a section or a list",
                        'inside {} and [] an expression with brackets or commas is quoted: `IN: "max(a, b)"`',
                    )
                stack.append((box, key, flow))
                if len(stack) > DEEPEST:
                    self._stop(event, "E001", f"more than {DEEPEST} sections inside each other")
                box, key, flow = opened, None, event.flow_style
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                closed = box
                box, key, flow = stack.pop()
                if box is None:
                    top = closed
                elif box.__class__ is Mapping:
                    box[key] = closed
                    key = None
                else:
                    box.append(closed)
            elif kind is yaml.AliasEvent:
                self._refuse(event)
                self._stop(event, "", "")
            elif kind is yaml.DocumentStartEvent and top is not None:
                self._stop(event, "E008", "a second document starts here: a file holds one")
            elif kind is yaml.StreamEndEvent:
                return top

    def _stop(self, event: Any, code: str, message: str, *help: str) -> None:
        if code:
            self.report.error(_position(event.start_mark, None), code, message, "", *help)
        raise _StopError

    def _refuse(self, event: Any) -> None:
        at = _position(event.start_mark, None)
        if getattr(event, "tag", None) is not None:
            self.report.error(
                at, "E003", f"YAML tags such as `{event.tag}` are not part of the language", "", "write the plain value"
            )
        else:
            sign = "alias" if event.__class__ is yaml.AliasEvent else "anchor"
            self.report.error(
                at,
                "E003",
                f"YAML {sign} `{'*' if sign == 'alias' else '&'}{event.anchor}` is not part of the language",
                "",
                "what several places share is a tag, or a block defined with `function_block:`",
            )

    def _merge_key(self, key: Scalar) -> None:
        self.report.error(
            key.at,
            "E003",
            "the YAML merge key `<<` is not part of the language",
            "",
            "write the words out, or define a `function_block:`",
        )
        raise _StopError

    def _twice(self, key: Scalar, box: Section) -> None:
        first = box.key_at(key)
        self.report.error(
            key.at,
            "E002",
            f"`{key}` stands twice in this section",
            "the second would silently win",
            f"the first is at {first.file}:{first.line}",
        )

    def _joined(self, value: Scalar, get: Any) -> Scalar:
        """A value that a comma cut inside {} or []: reported, and put together again so that the rest can be checked."""
        parts = [str(value)]
        last = value
        while ", ".join(parts).count("(") > ", ".join(parts).count(")"):
            event = get()
            if event.__class__ is not yaml.ScalarEvent:
                self.report.error(
                    value.at, "E009", "a bracket opens here and does not close", "", "inside {} and [] such an expression is quoted"
                )
                raise _StopError
            if event.value or event.style:
                parts.append(event.value)
                last_end = event.end_mark
        joined = ", ".join(parts)
        whole: Any = str.__new__(Scalar, joined)
        whole.first, whole.end, whole.quoted = last.first, last_end, False
        # the parser gives an empty value to each cut-off key; the last one's is still to come
        self.report.error(
            value.at,
            "E009",
            "the comma ends the value here",
            "inside {} and [] an expression with a comma is quoted",
            f'write "{joined}"',
        )
        self._skip_empty(get)
        return whole

    def _skip_empty(self, get: Any) -> None:
        if self.loader.check_event(yaml.ScalarEvent) and not self.loader.peek_event().value and not self.loader.peek_event().style:
            get()


def _syntax_error(error: yaml.MarkedYAMLError, name: str, text: str, report: Report) -> None:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    at = Position(name, line + 1, column + 1)
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    found = here[column : column + 1]
    before = here[:column]
    if "\t" in here[: max(column + 1, len(here) - len(here.lstrip()))]:
        report.error(Position(name, line + 1, here.index("\t") + 1), "E001", "a tab indents this line: YAML wants spaces")
    elif (found == "[" and before[-1:].isalnum()) or before.endswith("[*"):
        report.error(
            at,
            "E009",
            "the bracket ends the value here",
            "inside {} and [] an expression with brackets is quoted",
            f'write "{_around(here, column)}"',
        )
    elif error.context_mark is not None and "flow" in (error.context or "") and error.context_mark.line < line:
        opened = error.context_mark
        sign = lines[opened.line][opened.column]
        report.error(
            Position(name, opened.line + 1, opened.column + 1),
            "E001",
            f"this `{sign}` is not closed",
            "",
            f"noticed in line {line + 1}",
        )
    else:
        context = f" {error.context}" if error.context else ""
        report.error(at, "E001", f"this is not YAML: {error.problem or 'cannot be read'}{context}", "", *_likely(here, found))


def _around(here: str, column: int) -> str:
    """The value that a bracket cut, as it should be quoted."""
    start = max(here.rfind(sign, 0, column) for sign in "{[, ") + 1
    while start > 0 and here[start - 1 : start] == "[" and here[start - 2 : start - 1].isalnum():
        start = max(here.rfind(sign, 0, start - 1) for sign in "{[, ") + 1
    end = min([place for sign in ",}" if (place := here.find(sign, column)) >= 0] or [len(here)])
    return here[start:end].strip()


def _likely(here: str, found: str) -> tuple[str, ...]:
    if found and found in "%@`":
        return (f"a value that starts with `{found}` is quoted",)
    if here.count(": ") > 1 and "{" not in here:
        return ("a text that holds a colon and a space is quoted",)
    return ()
