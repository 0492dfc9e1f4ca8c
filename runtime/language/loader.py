"""Reads one YAML file into Text, Section and Listing that know their places. It must not know what any word means.

It follows the parser's events instead of `yaml.compose`: the same C parser and the same marks, but without a regular
expression for each scalar (nothing here needs YAML's guesses at booleans and numbers) and without recursion on hostile nesting.
"""

from __future__ import annotations

import io
import re
from typing import Any

import yaml

from runtime.language.places import Items, Mapping, Scalar, position
from runtime.source import Position, Report, Section

DEEPEST = 100


class _Stream(io.StringIO):
    name = ""


class _StopError(Exception):
    """The file cannot be read further; the problem is in the report."""


def read_yaml(name: str, text: str, report: Report) -> Section | None:
    """The top section of a file, or None where it cannot be read; the problems are in the report."""
    stream = _Stream(text)
    stream.name = name
    try:
        return _Reader(yaml.CSafeLoader(stream), name, report).document()
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

    def __init__(self, loader: Any, name: str, report: Report):
        self.loader = loader
        self.name = name
        self.report = report
        self.top: Any = None
        # the innermost open collection, its key that waits for a value, whether it is written in brackets; and those around it
        self.box: Any = None
        self.key: Any = None
        self.in_flow = False
        self.stack: list[tuple[Any, Any, bool]] = []

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
        """The first document, put together in one loop over the events."""
        get = self.loader.get_event
        while True:
            event = get()
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                self._put_scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                closed = self.box
                self.box, self.key, self.in_flow = self.stack.pop()
                self._put(closed)
            elif kind is yaml.AliasEvent:
                self._refuse(event)
                raise _StopError
            elif kind is yaml.DocumentStartEvent and self.top is not None:
                self._stop(event, "E008", "a second document starts here: a file holds one")
            elif kind is yaml.StreamEndEvent:
                return self.top

    def _put_scalar(self, event: Any) -> None:
        value: Any = str.__new__(Scalar, event.value)
        value.first, value.end = event.start_mark, event.end_mark
        value.quoted = bool(event.style)
        if event.anchor is not None or event.tag is not None:
            self._refuse(event)
        if self.key is None and self.box.__class__ is Mapping:
            self.key = value
            if value in self.box:
                self._twice(value, self.box)
            if value == "<<" and not value.quoted:
                self._merge_key(value)
            return
        if self.in_flow and "(" in value and not value.quoted and value.count("(") > value.count(")"):
            value = self._joined(value)
        self._put(value)

    def _put(self, value: Any) -> None:
        """Into the innermost open collection."""
        box = self.box
        if box.__class__ is Mapping:
            box[self.key] = value
            self.key = None
        elif box is None:
            self.top = value
        else:
            box.append(value)

    def _open(self, event: Any) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse(event)
        if self.key is None and self.box.__class__ is Mapping:
            help = 'inside {} and [] an expression with brackets or commas is quoted: `IN: "max(a, b)"`'
            self._stop(event, "E005", "a key is one word, not a section or a list", help)
        if len(self.stack) >= DEEPEST:
            self._stop(event, "E001", f"more than {DEEPEST} sections inside each other")
        self.stack.append((self.box, self.key, self.in_flow))
        kind: Any = Mapping if event.__class__ is yaml.MappingStartEvent else Items
        self.box = kind.__new__(kind)
        self.box.first = event.start_mark
        self.key, self.in_flow = None, event.flow_style

    def _stop(self, event: Any, code: str, message: str, *help: str) -> None:
        if code:
            self.report.error(position(event.start_mark, None), code, message, "", *help)
        raise _StopError

    def _refuse(self, event: Any) -> None:
        at = position(event.start_mark, None)
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

    def _joined(self, value: Scalar) -> Scalar:
        """A value that a comma cut inside {} or []: reported, and put together again so that the rest can be checked."""
        parts = [str(value)]
        last = value
        while ", ".join(parts).count("(") > ", ".join(parts).count(")"):
            event = self.loader.get_event()
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
        self._skip_empty()
        return whole

    def _skip_empty(self) -> None:
        if self.loader.check_event(yaml.ScalarEvent) and not self.loader.peek_event().value and not self.loader.peek_event().style:
            self.loader.get_event()


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
    if re.search(r"[^\s:{\[,]\s*\{[\w *+%()/-]*\}", here):
        return ('inside {} and [] a value with braces is quoted: `text: "Rack {rack}"`',)
    return ()
