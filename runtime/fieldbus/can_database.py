"""Reads a DBC with cantools and turns its messages into signals and frames of ours. It opens no bus and reads no io_map."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.fieldbus.can_tables import EXTENDED, FLOAT32, FLOAT64, SIGNED, UNSIGNED, Bits, CanSignal, place_bits
from runtime.model import Described
from runtime.source import Position, Report, Text

# Texts of a value table that call a measurement's raw value broken.
BROKEN = frozenset(
    {
        "sna",
        "invalid",
        "error",
        "notavailable",
        "signalnotavailable",
        "sensorfault",
        "sensorfailure",
        "sensorbroken",
        "brokenwire",
        "openwire",
        "fault",
        "na",
        "undefined",
    }
)
INVALID_RAW = "SignalInvalidRaw"  # an attribute of the signal: the raw value that means no reading
UNITS = {
    "degc": "°C",
    "deg c": "°C",
    "ºc": "°C",
    "℃": "°C",
    "celsius": "°C",
    "deg": "deg",
    "ohm": "Ohm",
    "ω": "Ohm",
    "kohm": "kOhm",
    "kw": "kW",
    "kwh": "kWh",
    "ah": "Ah",
    "wh": "Wh",
    "hz": "Hz",
    "volt": "V",
    "volts": "V",
    "amp": "A",
    "amps": "A",
    "ampere": "A",
    "percent": "%",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "kva": "kVA",
    "-": "",
    "1": "",
    "none": "",
    "n/a": "",
    "bool": "",
    "count": "",
    "counts": "",
    "bit": "",
    "bits": "",
    "enum": "",
}


class DbcError(Exception):
    """A DBC that cannot be used; `line` and `column` say where in it, 0 where that is not known."""

    def __init__(self, message: str, line: int = 0, column: int = 0):
        super().__init__(message)
        self.line = line
        self.column = column


def load(path: Path) -> Any:
    """The cantools database of a DBC, read strictly. Raises DbcError where it is missing, broken, or its signals overlap."""
    try:
        found = path.stat()
    except OSError as error:
        raise DbcError(f"cannot read it: {error.strerror}") from error
    return _load(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=16)  # several racks share one DBC
def _load(path: Path, _changed: int, _size: int) -> Any:
    import textparser
    from cantools.database import Database
    from cantools.database.errors import Error

    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")  # what most DBC editors write
    database = Database(strict=True)
    try:
        database.add_dbc_string(text)
    except textparser.ParseError as error:
        raise DbcError(f"it is no DBC: {error}", error.line, error.column) from error
    except (Error, ValueError, KeyError, IndexError) as error:
        raise DbcError(_first_sentence(error)) from error
    seen: dict[int, str] = {}
    for message in database.messages:
        other = seen.setdefault(key_of(message), message.name)
        if other != message.name:
            raise DbcError(f"messages {other} and {message.name} have the same identifier 0x{message.frame_id:X}")
    return database


def _first_sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text[0].lower() + text[1:].rstrip(".")


def key_of(message: Any) -> int:
    """The identifier as the tables know it."""
    return int(message.frame_id) | (EXTENDED if message.is_extended_frame else 0)


def unit_of(signal: Any) -> str:
    """The signal's unit as the language spells it."""
    text = (signal.unit or "").strip()
    return UNITS.get(text.lower(), text)


def report_dbc(error: DbcError, text: Text, file: str, report: Report) -> None:
    """Say what is wrong with a DBC: at its own line where that is known, otherwise where the io_map names it."""
    if error.line:
        at = Position(file, error.line, error.column or 1)
        report.error(at, "E661", f"`{text}` cannot be read: {error}", "", f"the device at {text.at} uses it")
    else:
        report.error(text.at, "E661", f"`{text}` cannot be used: {error}")


def signal_of(message: Any, signal: Any, every: int = 0) -> CanSignal:
    """A signal of the DBC as the tables need it."""
    scale, offset = signal.conversion.scale, signal.conversion.offset
    raws = sorted(int(raw) for raw in signal.conversion.choices or ())
    if not is_enumeration(signal):
        texts = {int(raw): re.sub(r"[^a-z]", "", str(text).lower()) for raw, text in (signal.conversion.choices or {}).items()}
        raws = [raw for raw in raws if texts[raw] in BROKEN]
        invalid = signal.dbc.attributes.get(INVALID_RAW)
        raws += [int(invalid.value)] if invalid is not None and invalid.value >= 0 else []
    return CanSignal(
        message.name,
        signal.name,
        key_of(message),
        message.length,
        bool(message.is_fd),
        bits_of(signal),
        _kind(signal),
        float(scale),
        float(offset),
        signal.minimum,
        signal.maximum,
        tuple(conditions_of(message, signal)),
        tuple(raws),
        every,
    )


def bits_of(signal: Any) -> Bits:
    return place_bits(signal.start, signal.length, signal.byte_order == "big_endian")


def _kind(signal: Any) -> int:
    if signal.conversion.is_float:
        return FLOAT32 if signal.length == 32 else FLOAT64
    return SIGNED if signal.is_signed else UNSIGNED


def conditions_of(message: Any, signal: Any) -> Iterator[tuple[Bits, tuple[int, ...]]]:
    """The selectors that must hold for the signal to be in a frame, and their values, outermost last."""
    while signal.multiplexer_ids is not None:
        selector = message.get_signal_by_name(signal.multiplexer_signal)
        yield bits_of(selector), tuple(signal.multiplexer_ids)
        signal = selector


def is_enumeration(signal: Any) -> bool:
    """Whether the signal's values are names, not a measurement."""
    conversion = signal.conversion
    plain = conversion.scale == 1 and conversion.offset == 0 and not conversion.is_float
    return bool(conversion.choices) and plain and not unit_of(signal)


def type_of(signal: Any) -> str:
    """The tag type of a signal: BOOL for a plain bit, DINT for an enumeration, otherwise LREAL."""
    conversion = signal.conversion
    if signal.length == 1 and conversion.scale == 1 and conversion.offset == 0 and not signal.is_signed:
        return "BOOL"
    if is_enumeration(signal):
        return "DINT" if signal.length < 32 or (signal.is_signed and signal.length == 32) else "LINT"
    return "LREAL"


def described(signals: list[tuple[Any, CanSignal]], is_array: bool) -> Described:
    """What the DBC says about a tag made of these signals, which all have one type and unit."""
    first = signals[0][0]
    lows, highs = [s.minimum for s, _ in signals], [s.maximum for s, _ in signals]
    kind = type_of(first)
    names = tuple(sorted((int(raw), str(text)) for raw, text in first.conversion.choices.items())) if is_enumeration(first) else ()
    return Described(
        addresses=tuple(address for _, address in signals),
        type=kind,
        unit=unit_of(first),
        minimum=None if kind == "BOOL" or None in lows else float(min(lows)),
        maximum=None if kind == "BOOL" or None in highs else float(max(highs)),
        names=names,
        is_array=is_array,
    )
