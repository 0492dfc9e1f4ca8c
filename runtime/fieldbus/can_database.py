"""Turns the messages and signals of a DBC, as cantools knows them, into addresses and types of ours. It reads no file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from runtime.fieldbus import words
from runtime.fieldbus.can_tables import (
    EXTENDED,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    SIGNED,
    UNSIGNED,
    WIDEST,
    Bits,
    CanSignal,
    Ranges,
    place_bits,
    ranges_of,
)
from runtime.model import Described

# Texts of a value table that say that there is no value, and those that call a measurement's raw value broken. Among the
# names of an enumeration an error is a state like any other, and a program must see it.
NO_VALUE = frozenset(["sna", "na", "invalid", "notavailable", "signalnotavailable", "signalinvalid", "novalue", "nodata"])
BROKEN = NO_VALUE | frozenset(
    ["error", "fault", "undefined", "sensorfault", "sensorfailure", "sensorerror", "sensorbroken", "brokenwire", "openwire"]
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


def whole_number(text: str) -> int | None:
    """A whole number as people write identifiers and raw values, decimal or 0x; None where the text is none of a sane length."""
    found = re.fullmatch(r"\s*(-?)(0[xX][0-9a-fA-F]{1,40}|[0-9]{1,40})\s*", text)
    return None if found is None else int(found[1] + str(int(found[2], 16 if found[2][:2].lower() == "0x" else 10)))


def key_of(message: Any) -> int:
    """The identifier as the tables know it."""
    return int(message.frame_id) | (EXTENDED if message.is_extended_frame else 0)


def cycle_of(message: Any) -> int:
    """The period that the DBC gives the message (ns), 0 where it gives none. Raises ValueError where that is no number."""
    cycle = _number(message.cycle_time, "GenMsgCycleTime")
    return int(min(max(cycle or 0, 0) * 1_000_000, words.LONGEST))


def marked_invalid(signal: Any) -> int | None:
    """The raw value that an attribute of the signal calls no reading. Raises ValueError where it is no whole number."""
    attribute = signal.dbc.attributes.get(INVALID_RAW)
    raw = None if attribute is None else _number(attribute.value, f"{INVALID_RAW} of signal {signal.name}")
    if raw is not None and raw != int(raw):
        raise ValueError(f"{INVALID_RAW} of signal {signal.name} is no whole number: {raw:g}")
    return None if raw is None else int(raw)


def _number(value: Any, what: str) -> float | int | None:
    """The number in an attribute, which a DBC may also declare as a text; None where it says nothing."""
    number = value
    if isinstance(value, str):
        if not value.strip():
            return None
        is_decimal = re.fullmatch(r"\s*-?[0-9]{1,40}\.[0-9]*\s*", value)
        number = float(value) if is_decimal else whole_number(value)
    if value is not None and (number is None or not math.isfinite(number)):
        raise ValueError(f"{what} is no number: `{str(value)[:40]}`")
    return number


def unit_of(signal: Any) -> str:
    """The signal's unit as the language spells it."""
    text = (signal.unit or "").strip()
    return UNITS.get(text.lower(), text)


def signal_of(message: Any, signal: Any, every: int = 0, invalid: Ranges | None = ()) -> CanSignal:
    """A signal of the DBC as the tables need it; `invalid` are raw words that are no value beside the DBC's, None: none are."""
    return CanSignal(
        message=message.name,
        name=signal.name,
        key=key_of(message),
        size=message.length,
        fd=bool(message.is_fd),
        bits=bits_of(signal),
        kind=_kind(signal),
        scale=float(signal.conversion.scale),
        offset=float(signal.conversion.offset),
        minimum=signal.minimum,
        maximum=signal.maximum,
        conditions=tuple(conditions_of(message, signal)),
        listed=tuple(sorted(int(raw) for raw in signal.conversion.choices or ())),
        every=every,
        invalid=() if invalid is None else (*ranges_of(invalid_words(signal)), *invalid),
    )


def invalid_words(signal: Any) -> list[int]:
    """The raw words, read without a sign, that the DBC calls no value: by a text of its value table, or by an attribute."""
    if signal.conversion.is_float or type_of(signal) == "BOOL":
        return []
    mask = (1 << signal.length) - 1
    texts = {int(raw): re.sub(r"[^a-z]", "", str(text).lower()) for raw, text in (signal.conversion.choices or {}).items()}
    known = BROKEN
    if is_enumeration(signal):  # one that tells valid from invalid has both as values
        known = frozenset() if "valid" in texts.values() else NO_VALUE
    marked = marked_invalid(signal)
    return [raw & mask for raw, text in texts.items() if text in known] + [marked] * (marked is not None and 0 <= marked <= mask)


def bits_of(signal: Any) -> Bits:
    return place_bits(signal.start, signal.length, signal.byte_order == "big_endian")


def _kind(signal: Any) -> int:
    if signal.conversion.is_float:
        return {16: FLOAT16, 32: FLOAT32}.get(signal.length, FLOAT64)
    return SIGNED if signal.is_signed else UNSIGNED


def conditions_of(message: Any, signal: Any) -> Iterator[tuple[Bits, tuple[int, ...]]]:
    """The selectors that must hold for the signal to be in a frame, and their values, outermost last."""
    while signal.multiplexer_ids is not None:
        selector = message.get_signal_by_name(signal.multiplexer_signal)
        half = 1 << (selector.length - selector.is_signed)  # a selector with a sign never has the values above
        yield bits_of(selector), tuple(number for number in signal.multiplexer_ids if number < half)
        signal = selector


def what_is_unreadable(message: Any, signal: Any) -> str:
    """Why this driver cannot carry the signal, or nothing where it can."""
    if message.is_container:
        return f"`{message.name}` is a container message: its parts have identifiers of their own inside the frame"
    if message.length > WIDEST:
        return (
            f"`{message.name}` has {message.length} bytes: no CAN frame is longer than {WIDEST}, transport protocols are not read"
        )
    if message.protocol == "j1939" and message.length > 8 and not message.is_fd:
        return f"`{message.name}` has {message.length} bytes: J1939 sends it in several frames, which are not put together"
    if signal.conversion.is_float and signal.length not in (16, 32, 64):
        return f"`{signal.name}` is a float of {signal.length} bits: there are 16, 32 and 64"
    if not signal.conversion.is_float and signal.length > 64:
        return f"`{signal.name}` has {signal.length} bits: a number has at most 64"
    if not signal.conversion.scale:
        return f"`{signal.name}` has the factor 0"
    return _selector_fault(message, signal)


def _selector_fault(message: Any, signal: Any) -> str:
    """What is wrong with the chain of selectors of a multiplexed signal."""
    if signal.multiplexer_ids is None:
        return ""
    known, passed = {s.name: s for s in message.signals}, [signal.name]
    while signal.multiplexer_ids is not None:
        name = signal.multiplexer_signal
        if name not in known:
            return f"`{signal.name}` is multiplexed, and `{message.name}` has no selector for it"
        signal = known[name]
        if signal.conversion.is_float:
            return f"the selector `{name}` of `{passed[-1]}` is a float"
        if name in passed:
            return f"the selectors {' -> '.join([*passed, name])} select each other in a circle"
        passed.append(name)
    return ""


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
