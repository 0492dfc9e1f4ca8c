"""The frames that a CAN device is sent: one a message, or one for each combination of selectors. It opens no bus."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runtime.fieldbus import can_database
from runtime.fieldbus.can_rules import REQUEST, MessageRules
from runtime.fieldbus.can_tables import Bits, CanFrame, CanSignal, ChannelSettings, put_bits
from runtime.source import Report, Section, Text, place_of

EVERY = 100_000_000  # ns
MOST_FRAMES = 256  # of one multiplexed message: more would fill the bus by themselves
CLASSIC = 8  # bytes of the longest frame that is not CAN FD
FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
Selected = tuple[tuple[Bits, int], ...]


def outgoing_frames(
    device: Section,
    database: Any,
    sent: Mapping[str, tuple[Text, int]],
    addresses: Sequence[CanSignal],
    rules: Mapping[str, MessageRules],
    report: Report,
) -> tuple[CanFrame, ...]:
    """The frames to send: one a message, or one for each combination of selectors of a multiplexed message.

    `sent` are the messages with outputs: where the io_map names them first, and their period (ns, 0: not said); `rules`
    what the io_map says of the messages that we send. A message that cannot be sent goes to the report.
    """
    frames: list[CanFrame] = []
    for message in database.messages:
        if message.name not in sent and message.name not in rules:
            continue
        text, period = sent.get(message.name, (None, 0))
        rule = rules.get(message.name, MessageRules(message.name))
        every = rule.every or period or can_database.cycle_of(message) or EVERY
        signals = [a for a in addresses if a.message == message.name and a.every]
        at = place_of(text, device.at)
        if rule.send == REQUEST and not any(can_database.type_of(message.get_signal_by_name(a.name)) == "BOOL" for a in signals):
            help = "it is sent once whenever one of its BOOL outputs turns true"
            report.error(at, "E669", f"nothing requests `{message.name}`: it has no BOOL output", "", help)
            continue
        frames += _frames_of(message, signals, every, rule, at, report)
    return tuple(frames)


def refuse_flexible(database: Any, used: Mapping[str, Text], channel: ChannelSettings, report: Report) -> None:
    """Report each message in use that needs CAN FD where its channel has none. `used`: message -> where the io_map names it."""
    options = dict(channel.options)
    if options.get("fd") or "data_bitrate" in options or channel.interface == "virtual":
        return
    for message in database.messages:
        if message.name in used and (message.is_fd or message.length > CLASSIC):
            report.error(
                used[message.name].at,
                "E670",
                f"`{message.name}` is a CAN FD message of {message.length} bytes, and channel `{channel.name}` is not CAN FD",
                "",
                f"where the adapter can do it: `{channel.name}: {{interface: {channel.interface}, fd: true}}`",
            )


def _frames_of(
    message: Any, signals: Sequence[CanSignal], every: int, rule: MessageRules, at: Any, report: Report
) -> list[CanFrame]:
    """The frames of one message that we send, each with its template."""
    unfit = [signal.name for signal in message.signals if not _can_start(signal)]
    if unfit:
        report.error(at, "E669", f"the DBC's start value of `{message.name}.{unfit[0]}` does not fit the signal")
        return []
    selectors = {bits for a in signals for bits, _ in a.conditions}
    if any(a.bits in selectors for a in signals):
        report.error(at, "E669", f"the selector of `{message.name}` is mapped as an output", "we fill it in for each frame")
        return []
    chosen: list[Selected] = []
    for selected in _combinations(signals, ()):
        chosen.append(selected)
        if len(chosen) > MOST_FRAMES:
            report.error(at, "E669", f"`{message.name}` needs more than {MOST_FRAMES} frames for its combinations of selectors")
            return []
    flexible = bool(message.is_fd) or message.length > CLASSIC
    size = next(length for length in FD_LENGTHS if length >= message.length) if flexible else message.length
    key = can_database.key_of(message)
    return [
        CanFrame(message.name, key, size, flexible, every, _template(message, size, selected), selected, rule, message.length)
        for selected in chosen
    ]


def _combinations(signals: Sequence[CanSignal], fixed: Selected) -> Iterator[Selected]:
    """The values of all selectors that together carry every signal: the outermost selector that is open first, then inside it."""
    values = dict(fixed)
    carried = [s for s in signals if all(values.get(bits, ids[0]) in ids for bits, ids in s.conditions)]
    opened = ((bits for bits, _ in reversed(s.conditions) if bits not in values) for s in carried)
    selector = next((bits for candidates in opened for bits in candidates), None)
    if selector is None:
        yield fixed
        return
    for value in sorted({ids[0] for s in carried for bits, ids in s.conditions if bits == selector}):
        yield from _combinations(carried, (*fixed, (selector, value)))


def _template(message: Any, size: int, selected: Selected) -> bytes:
    """The frame's bytes before any output: start values of the DBC, and the selectors."""
    template = bytearray(size)
    values = {can_database.bits_of(s): _initial(s) for s in message.signals if s.is_multiplexer} | dict(selected)
    for signal in message.signals:
        conditions = can_database.conditions_of(message, signal)
        if all(values[bits] in ids for bits, ids in conditions):
            put_bits(template, can_database.bits_of(signal), _initial(signal))
    for bits, value in selected:
        put_bits(template, bits, value)
    return bytes(template)


def _can_start(signal: Any) -> bool:
    try:
        _initial(signal)
    except (OverflowError, ValueError, struct.error):  # infinite, no number, or no float of this width
        return False
    return True


def _initial(signal: Any) -> int:
    """The raw value of a signal that nobody writes: the DBC's start value, else 0."""
    raw = signal.raw_initial or 0
    if not signal.conversion.is_float:
        return int(raw)
    return int.from_bytes(struct.pack({16: "<e", 32: "<f"}.get(signal.length, "<d"), raw), "little")
