"""The driver for CAN: signals of a DBC in, command frames with an alive counter out, over any python-can interface.

Frames of one batch are decoded by one compiled table kernel; staleness is judged by the scan from the times given here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runtime.contract import Connection, Description, Inputs, Outputs, PointText, ReadDevice
from runtime.expand import PatternError, expand, is_pattern
from runtime.fieldbus import can_database, can_dbc, words
from runtime.fieldbus.can_conflicts import find_conflicts
from runtime.fieldbus.can_messages import MappedMessages, read_rules
from runtime.fieldbus.can_outgoing import EVERY, outgoing_frames, refuse_flexible
from runtime.fieldbus.can_rules import MessageRules
from runtime.fieldbus.can_tables import CanSettings, CanSignal, ChannelSettings
from runtime.fieldbus.can_words import can_have, can_stay, id_offset, invalid_ranges, moved
from runtime.language.network import inside
from runtime.model import Described, Device
from runtime.source import Report, Section, Text, did_you_mean

DEVICE_WORDS: Mapping[str, str] = {
    "channel": "the bus, by its name in the site's `channels:`",
    "dbc": "the DBC file with the device's messages, from the site's root",
    "messages": "what is expected of messages: `{BMS_Status: {cycle: 100 ms, timeout: 300 ms, alive: AliveCounter}}`",
    "id_offset": "added to the identifier of every message of this device: one DBC for many racks",
    "min_gap": "shortest time between two frames of one message (default 10 ms)",
}
SIGNAL = "Message.Signal of the DBC; braces name an array: `Module_{1..16}.V_{1..16}`"
INPUT_WORDS: Mapping[str, str] = {
    "signal": SIGNAL,
    "invalid": "raw values that are no value, beside those of the DBC: `[0xFFFF, 0xFE00..0xFEFF]`; `none`: all are values",
}
OUTPUT_WORDS: Mapping[str, str] = {
    "signal": SIGNAL,
    "every": "period of the message (default: the DBC's GenMsgCycleTime, else 100 ms)",
}
ERRORS: Mapping[str, str] = {
    "short_frame": "A frame is shorter than its message",
    "crc": "A frame carries a wrong CRC and is not taken",
    "alive": "A frame repeats its alive counter, or has one that cannot be, and is not taken",
    "lost_frames": "The alive counter says that frames are missing",
    "early": "A frame came before its window",
    "late": "A frame came after its window",
    "timeout": "A message did not come within its time-out",
    "broken_value": "A signal says that it has no value, or is no finite number",
    "out_of_range": "A signal is outside the range that the DBC gives it: taken as it is where its tag can hold it",
    "refused_output": "An output does not fit its signal, and its old value stays",
    "not_sent": "The bus had no room for a frame",
    "error_frame": "The bus reports an error frame",
    "error_passive": "The bus became error-passive",
    "bus_off": "The bus went off",
    "receive_overflow": "Frames were dropped before they were read",
}
CONDITIONS: Mapping[str, str] = {
    "message_missing": "A message has not come for longer than its time-out, or for three of its cycles",
    "frames_refused": "The last frame of a message was refused: wrong CRC or stuck alive counter",
    "bus_off": "The CAN controller has left the bus after too many errors",
    "error_passive": "The CAN controller sees so many errors that it only listens for them",
    "receive_overflow": "Frames arrive faster than they are read, and some were dropped",
}
GAP = 10_000_000  # ns
CYCLES = 3  # for which a message may be silent


@dataclass
class _Mapped:
    """The signals that the io_map has named so far, with the place that named each."""

    database: Any
    messages: Mapping[str, tuple[Any, Mapping[str, Any]]]  # name -> message, its signals by name
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
        database = can_dbc.load(root / dbc)
    except can_dbc.DbcError as error:
        can_dbc.report_dbc(error, dbc, str(dbc), report)
        return Description(None, {})
    offset = id_offset(device, report)
    messages = {message.name: (message, {s.name: s for s in message.signals}) for message in database.messages}
    mapped = _Mapped(database, messages, report, {}, {}, {}, {})
    found = {str(point.tag): described for point in points if (described := _describe_point(point, mapped)) is not None}
    rules = read_rules(device, database, MappedMessages(mapped.outputs, mapped.received, mapped.sent), report)
    addresses = [a for d in found.values() for a in d.addresses]
    ours = {name: rule for name, rule in rules.items() if name not in mapped.received}
    frames = outgoing_frames(device, database, mapped.sent, addresses, ours, report)
    if offset and can_stay(offset, device, {a.message: a.key for a in (*addresses, *frames)}, report):
        frames = tuple(replace(frame, key=frame.key + offset) for frame in frames)
        found = {tag: moved(described, offset) for tag, described in found.items()}
    if channel is not None:
        refuse_flexible(database, mapped.received | {name: text for name, (text, _) in mapped.sent.items()}, channel, report)
    settings = CanSettings(channel, frames, gap, tuple(rules.values()), _patience(mapped, rules)) if channel else None
    return Description(settings, found)


def _patience(mapped: _Mapped, rules: Mapping[str, MessageRules]) -> tuple[tuple[str, int], ...]:
    """The silence (ns) after which each received message counts as missing: its time-out, or some cycles where one is known."""
    found = []
    for name in mapped.received:
        rule = rules.get(name, MessageRules(name))
        cycle = rule.cycle or can_database.cycle_of(mapped.messages[name][0])
        if silence := rule.timeout or CYCLES * cycle:
            found.append((name, silence))
    return tuple(found)


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
    try:
        paths = expand(text)
    except PatternError as error:
        report.error(inside(text, error.start, error.width), "E663", f"`{text}`: {error}")
        return None
    signals = []
    invalid = None if point.is_output else invalid_ranges(point, report)
    for path in paths:
        signal = _resolve(path, text, paths, mapped)
        if signal is None or not _claim(path, text, signal[0], point, every, mapped):
            return None
        message, found = signal
        if not point.is_output and not can_have(found, invalid or (), point, report):
            return None
        period = every or can_database.cycle_of(message) or EVERY
        signals.append((found, can_database.signal_of(message, found, period if point.is_output else 0, invalid)))
    return can_database.described(signals, is_pattern(text)) if _alike(signals, text, report) else None


def _resolve(path: str, text: Text, paths: Sequence[str], mapped: _Mapped) -> tuple[Any, Any] | None:
    """The message and signal of `Message.Signal`; what is wrong gets the caret, for a pattern the first name that is."""
    report = mapped.report
    message_name, dot, signal_name = path.partition(".")
    at = text.at if len(paths) > 1 else inside(text, 0, len(message_name))
    among = f" (the pattern names {len(paths)} signals)" if len(paths) > 1 else ""
    if not dot:
        report.error(text.at, "E663", f"`{path}` is no signal: write Message.Signal{among}")
        return None
    messages = mapped.messages
    if message_name not in messages:
        report.error(at, "E664", f"the DBC has no message `{message_name}`{among}", did_you_mean(message_name, messages))
        return None
    message, known = messages[message_name]
    if signal_name not in known:
        at = text.at if len(paths) > 1 else inside(text, len(message_name) + 1, len(signal_name))
        report.error(at, "E664", f"message `{message_name}` has no signal `{signal_name}`{among}", did_you_mean(signal_name, known))
        return None
    fault = can_database.what_is_unreadable(message, known[signal_name])
    if fault:
        report.error(at, "E664", fault)
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


def conflicts(devices: Sequence[ReadDevice], report: Report) -> None:
    """Report what two devices on one bus cannot both do, once all of them are read."""
    find_conflicts(devices, report)


def connect(device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path) -> Connection:
    """A connection for this device; nothing is sent before `open`."""
    from runtime.fieldbus.can_connection import CanConnection

    return CanConnection(device, inputs, outputs, run_dir)
