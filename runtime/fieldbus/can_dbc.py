"""Reads a DBC file strictly and says where in it a mistake stands. It knows no io_map and opens no bus."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.fieldbus import can_database
from runtime.fieldbus.can_tables import EXTENDED
from runtime.source import Position, Report, Text

_MESSAGE = re.compile(r"\s*BO_\s+(\d+)\s+(\w+)\s*:")
_SIGNAL = re.compile(r"\s*SG_\s+(\w+)")
_NAMED_MESSAGE = re.compile(r"in message (\w+)")
_NAMED_SIGNAL = re.compile(r"signals? (\w+)(?: and (\w+))?")
_STRING = re.compile(r'"(?:\\"|[^"])*?"')  # as cantools reads strings
# A statement of no consequence after the last: cantools reads a file that is cut off inside a statement as if that were not
# there, and the value table that says which raw value is none would be gone.
END = '\nCM_ "end";\n'
ADVICE = {
    "overlapping": "two signals share bits: correct start bit or length of one of them in the DBC",
    "does not fit": "the signal ends after the frame: correct its start bit or length, or the message's length",
    "same identifier": "give one of them another identifier, or take the message that is not used out of the DBC",
    "more than 11 bits": "an identifier of 29 bits is written in a DBC with 0x80000000 added",
}


class DbcError(Exception):
    """A DBC that cannot be used; `line` and `column` say where in it, 0 where that is not known."""

    def __init__(self, message: str, line: int = 0, column: int = 0, width: int = 1):
        super().__init__(message)
        self.line = line
        self.column = column
        self.width = width


@dataclass(frozen=True, slots=True)
class Line:
    """A message or a signal where the DBC's text declares it; `signal` is empty for the message itself. Columns from 1."""

    message: str
    signal: str
    identifier: int
    line: int
    column: int

    @property
    def width(self) -> int:
        return len(self.signal or self.message)


def load(path: Path) -> Any:
    """The cantools database of a DBC, read strictly. Raises DbcError where it is missing, broken, or contradicts itself."""
    try:
        found = path.stat()
        return _load(path, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise DbcError(f"cannot read it: {error.strerror}") from error
    except ValueError as error:
        raise DbcError(f"no file is named so: {error}") from error


@functools.lru_cache(maxsize=16)  # several racks share one DBC
def _load(path: Path, _changed: int, _size: int) -> Any:
    import textparser
    from cantools.database import Database

    text = decode_text(path.read_bytes())
    database = Database(strict=True)
    try:
        database.add_dbc_string(text + END)
    except textparser.ParseError as error:
        if error.offset > len(text.rstrip()):
            last = text.rstrip().splitlines() or [""]
            raise DbcError("it is cut off inside its last statement", len(last), max(1, len(last[-1]))) from error
        raise DbcError(f"it is no DBC: {error}", error.line, error.column) from error
    except Exception as error:  # whatever the parser stumbles over, it is this file's mistake
        raise _placed(_first_sentence(error), text) from error
    _refuse_twins(database, text)
    _refuse_attributes(database, text)
    return database


def decode_text(raw: bytes) -> str:
    """The text of a DBC: UTF-8, or what DBC editors write on Windows. Raises DbcError at the byte that is no text."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DbcError("it is UTF-16: save it as UTF-8", 1, 1)
    for encoding in ("utf-8-sig", "cp1252", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            wrong = error.start
        else:
            if "\0" not in text:
                return text
            wrong = raw.index(b"\0")
            break
    before = raw[:wrong]
    column = wrong - before.rfind(b"\n")
    raise DbcError(f"it is no text: byte 0x{raw[wrong]:02X} is no letter", before.count(b"\n") + 1, column)


def _first_sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text[0].lower() + text[1:].rstrip(".")


def declared(text: str) -> Iterator[Line]:
    """Every message and signal of the DBC's text in its order."""
    message, identifier = "", 0
    bare = _STRING.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)  # a comment may quote what it speaks of
    for number, line in enumerate(bare.split("\n"), 1):
        if found := _MESSAGE.match(line):
            identifier, message = int(found[1]), found[2]
            yield Line(message, "", identifier, number, found.start(2) + 1)
        elif found := _SIGNAL.match(line):
            yield Line(message, found[1], identifier, number, found.start(1) + 1)


def _placed(message: str, text: str) -> DbcError:
    """The error at the line of the signal, or else of the message, that its text names."""
    named = _NAMED_MESSAGE.search(message)
    signal = _NAMED_SIGNAL.search(message)
    if named is None:
        return DbcError(message)
    known = [line for line in declared(text) if line.message == named[1]]
    own = [line for line in known if signal is not None and line.signal == signal[1]]
    other = [line for line in known if signal is not None and signal[2] and line.signal == signal[2]]
    if signal is not None and signal[1] == signal[2]:
        return _twin(f"signal {signal[1]} is declared twice in message {named[1]}", own)
    if other:
        message += f"; {other[0].signal} is at line {other[0].line}"
    for line in own or known:
        return DbcError(message, line.line, line.column, line.width)
    return DbcError(message)


def _refuse_twins(database: Any, text: str) -> None:
    """Raise DbcError where two messages have one identifier or one name, which cantools lets pass."""
    keys: dict[tuple[int, bool], str] = {}
    names: set[str] = set()
    for message in database.messages:
        key = (message.frame_id, message.is_extended_frame)
        number = message.frame_id | (EXTENDED if message.is_extended_frame else 0)
        if key in keys:
            says = f"messages {keys[key]} and {message.name} have the same identifier 0x{message.frame_id:X}"
            raise _twin(says, [line for line in declared(text) if not line.signal and line.identifier == number])
        if message.name in names:
            says = f"message {message.name} is declared twice"
            raise _twin(says, [line for line in declared(text) if not line.signal and line.message == message.name])
        keys[key] = message.name
        names.add(message.name)
    if not database.messages:
        raise DbcError("it has no messages")


def _refuse_attributes(database: Any, text: str) -> None:
    """Raise DbcError where an attribute that we read holds what no number is."""
    for message in database.messages:
        try:
            can_database.cycle_of(message)
            for signal in message.signals:
                can_database.marked_invalid(signal)
        except ValueError as error:
            raise _placed(f"{error}, in message {message.name}", text) from error


def _twin(says: str, lines: list[Line]) -> DbcError:
    """The error at the second of these lines, which are not found where the DBC gives long names."""
    if len(lines) < 2:
        return DbcError(says)
    return DbcError(f"{says}; the first is at line {lines[0].line}", lines[1].line, lines[1].column, lines[1].width)


def report_dbc(error: DbcError, text: Text, file: str, report: Report) -> None:
    """Say what is wrong with a DBC: at its own line where that is known, otherwise where the io_map names it."""
    advice = [line for word, line in ADVICE.items() if word in str(error)]
    if error.line:
        at = Position(file, error.line, error.column or 1, error.width)
        report.error(at, "E661", f"`{text}` cannot be read: {error}", "", *advice, f"the device at {text.at} uses it")
    else:
        report.error(text.at, "E661", f"`{text}` cannot be used: {error}", "", *advice)
