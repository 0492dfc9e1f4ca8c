"""The driver for CAN: signals of a DBC in, command frames with an alive counter out, over any python-can interface.

Frames of one batch are decoded by one compiled table kernel; staleness is judged by the scan from the times given here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.contract import Connection, Description, Inputs, Outputs, PointText
from runtime.expand import PatternError, expand, is_pattern
from runtime.fieldbus import can_database, words
from runtime.fieldbus.can_tables import Bits, CanFrame, CanSettings, CanSignal, ChannelSettings, put_bits
from runtime.model import Described, Device
from runtime.source import Listing, Report, Section, Text, did_you_mean, place_of

DEVICE_WORDS: Mapping[str, str] = {
    "channel": "the bus, by its name in the site's `channels:`",
    "dbc": "the DBC file with the device's messages, from the site's root",
    "alive": "messages of ours and their alive counter: `{Stack_Cmd: AliveCounter}`",
    "min_gap": "shortest time between two frames of one message (default 10 ms)",
}
INPUT_WORDS: Mapping[str, str] = {"signal": "Message.Signal of the DBC; braces name an array: `Module_{1..16}.V_{1..16}`"}
OUTPUT_WORDS: Mapping[str, str] = {
    **INPUT_WORDS,
    "every": "period of the message (default: the DBC's GenMsgCycleTime, else 100 ms)",
}
EVERY, GAP = 100_000_000, 10_000_000  # ns


@dataclass
class _Mapped:
    """The signals that the io_map has named so far, with the place that named each."""

    database: Any
    report: Report
    inputs: dict[str, Text]  # "Message.Signal" -> where
    outputs: dict[str, Text]
    received: dict[str, Text]  # message -> where
    sent: dict[str, tuple[Text, int]]  # message -> where, period


def describe(device: Section, points: Sequence[PointText], site: Section, root: Path, report: Report) -> Description:
    """Read and check what the io_map says about the device; all mistakes go to the report with their places."""
    channel = _channel(device, site, report)
    gap = words.duration(device, "min_gap", GAP, report)
    dbc = words.word(device, "dbc", report, needed="the DBC file with the device's messages")
    if dbc is None:
        return Description(None, {})
    try:
        database = can_database.load(root / dbc)
    except can_database.DbcError as error:
        can_database.report_dbc(error, dbc, str(dbc), report)
        return Description(None, {})
    mapped = _Mapped(database, report, {}, {}, {}, {})
    found = {str(point.tag): described for point in points if (described := _describe_point(point, mapped)) is not None}
    frames = _frames(device, mapped, [a for d in found.values() for a in d.addresses])
    return Description(CanSettings(channel, frames, gap) if channel else None, found)


def _channel(device: Section, site: Section, report: Report) -> ChannelSettings | None:
    name = words.word(device, "channel", report, needed="the bus, by its name in the site's `channels:`")
    if name is None:
        return None
    channels = words.entry(site, "channels")
    known = channels if isinstance(channels, Section) else Section()
    section = words.entry(known, name)
    if not isinstance(section, Section):
        lines = [f"`channels:` is at {known.at}"] if known else ["add it to the site: `channels: {can0: {interface: socketcan}}`"]
        report.error(name.at, "E662", f"no channel named `{name}`", did_you_mean(name, known), *lines)
        return None
    interface = words.word(section, "interface", report, needed="the python-can interface, for example socketcan")
    _check_interface(interface, report)
    bus = words.word(section, "channel", report)
    rate = words.bitrate(section, "bitrate", report)
    own = ("interface", "channel", "bitrate")
    options = tuple((str(k), words.scalar(v)) for k, v in section.items() if k not in own and isinstance(v, Text))
    return ChannelSettings(str(name), str(interface or ""), str(bus if bus is not None else name), rate, options)


def _check_interface(interface: Text | None, report: Report) -> None:
    from can.interfaces import VALID_INTERFACES

    if interface is not None and interface not in VALID_INTERFACES:
        report.error(
            interface.at,
            "E662",
            f"python-can has no interface `{interface}`",
            did_you_mean(interface, VALID_INTERFACES),
            f"it has {', '.join(sorted(VALID_INTERFACES))}",
        )


def _describe_point(point: PointText, mapped: _Mapped) -> Described | None:
    """The signals of one line of the io_map, or None where one of them is wrong."""
    report = mapped.report
    text = words.word(point.section, "signal", report, needed="which signal of the DBC, as Message.Signal")
    every = words.duration(point.section, "every", 0, report) if point.is_output else 0
    if text is None:
        return None
    inside = 1 if text.quoted else 0
    try:
        paths = expand(text)
    except PatternError as error:
        report.error(text.at.part(error.start + inside, error.width), "E663", f"`{text}`: {error}")
        return None
    signals = []
    for path in paths:
        signal = _resolve(path, text, paths, mapped)
        if signal is None or not _claim(path, text, signal[0], point, every, mapped):
            return None
        message, found = signal
        period = every or int((message.cycle_time or 0) * 1_000_000) or EVERY
        signals.append((found, can_database.signal_of(message, found, period if point.is_output else 0)))
    return can_database.described(signals, is_pattern(text)) if _alike(signals, text, report) else None


def _resolve(path: str, text: Text, paths: Sequence[str], mapped: _Mapped) -> tuple[Any, Any] | None:
    """The message and signal of `Message.Signal`; what is wrong gets the caret, for a pattern the first name that is."""
    report, inside = mapped.report, 1 if text.quoted else 0
    message_name, dot, signal_name = path.partition(".")
    at = text.at if len(paths) > 1 else text.at.part(inside, len(message_name))
    among = f" (the pattern names {len(paths)} signals)" if len(paths) > 1 else ""
    if not dot:
        report.error(text.at, "E663", f"`{path}` is no signal: write Message.Signal{among}")
        return None
    messages = {m.name: m for m in mapped.database.messages}
    if message_name not in messages:
        report.error(at, "E664", f"the DBC has no message `{message_name}`{among}", did_you_mean(message_name, messages))
        return None
    message = messages[message_name]
    known = {s.name: s for s in message.signals}
    if signal_name not in known:
        at = text.at if len(paths) > 1 else text.at.part(inside + len(message_name) + 1, len(signal_name))
        report.error(at, "E664", f"message `{message_name}` has no signal `{signal_name}`{among}", did_you_mean(signal_name, known))
        return None
    if message.is_container:
        report.error(at, "E664", f"`{message_name}` is a container message, which this driver cannot read")
        return None
    return message, known[signal_name]


def _claim(path: str, text: Text, message: Any, point: PointText, every: int, mapped: _Mapped) -> bool:
    """Note who uses the signal; refuse a second use, and a message that would be both sent and received."""
    report, mine = mapped.report, mapped.outputs if point.is_output else mapped.inputs
    if path in mine:
        report.error(text.at, "E665", f"signal `{path}` is mapped twice", "", f"it is first mapped at {mine[path].at}")
        return False
    other = mapped.received.get(message.name) if point.is_output else mapped.sent.get(message.name, (None, 0))[0]
    if other is not None:
        ways = ("sent here", "received") if point.is_output else ("received here", "sent")
        report.error(
            text.at, "E666", f"message `{message.name}` is {ways[0]} and {ways[1]} at {other.at}", "a message has one sender"
        )
        return False
    mine[path] = text
    if not point.is_output:
        mapped.received.setdefault(message.name, text)
        return True
    first, period = mapped.sent.setdefault(message.name, (text, every))
    if every and period and every != period:
        report.error(
            point.section.key_at("every"),
            "E667",
            f"message `{message.name}` has two periods",
            "one message, one period",
            f"the other is at {first.at}",
        )
        return False
    if every and not period:
        mapped.sent[message.name] = (first, every)
    return True


def _alike(signals: Sequence[tuple[Any, CanSignal]], text: Text, report: Report) -> bool:
    """Whether all signals of an array have one type and one unit."""
    kinds = [(can_database.type_of(s), can_database.unit_of(s)) for s, _ in signals]
    for (_, address), kind in zip(signals, kinds):
        if kind != kinds[0]:
            first = signals[0][1]
            report.error(
                text.at,
                "E668",
                f"`{first.name}` is {' in '.join(filter(None, kinds[0]))}, "
                f"`{address.message}.{address.name}` is {' in '.join(filter(None, kind))}",
                "an array has one type and one unit",
            )
            return False
    return True


def _frames(device: Section, mapped: _Mapped, addresses: Sequence[CanSignal]) -> tuple[CanFrame, ...]:
    """The frames to send: one a message, or one for each selector value of a multiplexed message."""
    alive = _alive(device, mapped)
    frames: list[CanFrame] = []
    for message in mapped.database.messages:
        if message.name not in mapped.sent and message.name not in alive:
            continue
        text, period = mapped.sent.get(message.name, (None, 0))
        every = period or int((message.cycle_time or 0) * 1_000_000) or EVERY
        signals = [a for a in addresses if a.message == message.name and a.every]
        if any(len(a.conditions) > 1 for a in signals):
            mapped.report.error(
                place_of(text, device.at),
                "E669",
                f"`{message.name}` is multiplexed twice over",
                "such a message can be received, not sent",
            )
            continue
        frames += _frames_of(message, signals, every, alive.get(message.name), place_of(text, device.at), mapped.report)
    return tuple(frames)


def _frames_of(
    message: Any, signals: Sequence[CanSignal], every: int, alive: Bits | None, at: Any, report: Report
) -> list[CanFrame]:
    """The frames of one message that we send, each with its template."""
    selectors = {a.conditions[0][0] for a in signals if a.conditions}
    if len(selectors) > 1:
        report.error(at, "E669", f"`{message.name}` has two selectors", "such a message can be received, not sent")
        return []
    if any(a.bits in selectors for a in signals):
        report.error(at, "E669", f"the selector of `{message.name}` is mapped as an output", "we fill it in for each frame")
        return []
    values: list[int | None] = [*sorted({a.conditions[0][1][0] for a in signals if a.conditions})]
    frames = []
    for selected in values or [None]:
        template = bytearray(message.length)
        for signal in message.signals:
            if signal.multiplexer_ids is None or selected in signal.multiplexer_ids:
                put_bits(template, can_database.bits_of(signal), _initial(signal))
        for selector in selectors:
            put_bits(template, selector, selected or 0)
        frames.append(
            CanFrame(
                message.name,
                can_database.key_of(message),
                message.length,
                bool(message.is_fd),
                every,
                bytes(template),
                alive,
                selected,
            )
        )
    return frames


def _initial(signal: Any) -> int:
    """The raw value of a signal that nobody writes: the DBC's start value, else 0."""
    raw = signal.raw_initial or 0
    if not signal.conversion.is_float:
        return int(raw)
    return int.from_bytes(struct.pack("<f" if signal.length == 32 else "<d", raw), "little")


def _alive(device: Section, mapped: _Mapped) -> dict[str, Bits]:
    """The alive counters of our messages."""
    section, report = words.entry(device, "alive"), mapped.report
    if section is None:
        return {}
    if not isinstance(section, Section):
        report.error(place_of(section, device.at), "E652", "`alive` takes a section: `{Message: Signal}`")
        return {}
    found = {}
    for name, text in section.items():
        if not isinstance(text, Text) or isinstance(text, Listing):
            report.error(name.at, "E652", "`alive` names one signal for each message")
            continue
        path = f"{name}.{text}"
        signal = _resolve(path, Text(path, name.at), (path, path), mapped)
        if signal is None:
            continue
        if path in mapped.outputs or name in mapped.received:
            other = mapped.outputs.get(path) or mapped.received[name]
            report.error(name.at, "E666", f"`{path}` is ours to count, and mapped at {other.at}")
        elif signal[1].conversion.is_float or signal[1].is_signed or signal[1].multiplexer_ids is not None:
            report.error(text.at, "E666", f"`{path}` cannot count: it is signed, a float or multiplexed")
        else:
            found[str(name)] = can_database.bits_of(signal[1])
    return found


def connect(device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path) -> Connection:
    """A connection for this device; nothing is sent before `open`."""
    from runtime.fieldbus.can_connection import CanConnection

    return CanConnection(device, inputs, outputs, run_dir)
