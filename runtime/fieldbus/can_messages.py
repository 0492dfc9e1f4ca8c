"""Reads what an io_map says about messages: `messages: {BMS_Status: {cycle: 100 ms, alive: AliveCounter}}`. It opens no bus.

The rules themselves are plain data in `can_rules`; what a rule does to a frame is said there and in `can_supervise`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from runtime.fieldbus import can_database, words
from runtime.fieldbus.can_rules import CYCLIC, LAWS, SENDS, AliveRule, CrcLaw, CrcRule, MessageRules
from runtime.source import Listing, Report, Section, Text, did_you_mean, place_of

RECEIVED_WORDS = ("cycle", "window", "timeout")
SENT_WORDS = ("every", "phase", "send")
BOTH_WORDS = ("alive", "crc")
ALIVE_WORDS = ("signal", "modulus", "step")
CRC_WORDS = ("signal", "kind", "polynomial", "width", "init", "xor", "reflect", "data_id", "data_id_at")
WINDOW = 20  # % of the cycle, where the io_map names a cycle and no window
WIDEST_CRC, LONGEST_ID = 32, 8  # bits, bytes
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


@dataclass(frozen=True)
class MappedMessages:
    """What the inputs and outputs of the io_map use, each with its place: `Message.Signal`, and the messages themselves."""

    outputs: Mapping[str, Text]
    received: Mapping[str, Text]
    sent: Mapping[str, Any]


def read_rules(device: Section, database: Any, mapped: MappedMessages, report: Report) -> dict[str, MessageRules]:
    """The rules of every message that the io_map's `messages:` names and that is well; all mistakes go to the report."""
    section = words.entry(device, "messages")
    if section is None:
        return {}
    if not isinstance(section, Section):
        report.error(place_of(section, device.at), "E652", "`messages` takes a section: `{Message: {cycle: 100 ms}}`")
        return {}
    known = {message.name: message for message in database.messages}
    found = {}
    for name, text in section.items():
        if name not in known:
            report.error(name.at, "E664", f"the DBC has no message `{name}`", did_you_mean(name, known))
        elif not isinstance(text, Section):
            report.error(name.at, "E652", f"`{name}` takes a section: `{{cycle: 100 ms, alive: AliveCounter}}`")
        elif (rules := _read_message(name, text, known[name], mapped, report)) is not None:
            found[str(name)] = rules
    return found


def _read_message(name: Text, section: Section, message: Any, mapped: MappedMessages, report: Report) -> MessageRules | None:
    """The rules of one message, or None where they contradict what the io_map does with it."""
    is_received, before = name in mapped.received, len(report.problems)
    own = BOTH_WORDS + (RECEIVED_WORDS if is_received else SENT_WORDS)
    for word in section:
        if word in RECEIVED_WORDS + SENT_WORDS and word not in own:
            _refuse_direction(name, word, is_received, mapped, report)
    _check_words(section, RECEIVED_WORDS + SENT_WORDS + BOTH_WORDS, f"`{name}`", report)
    if not is_received and name not in mapped.sent and not any(word in RECEIVED_WORDS + SENT_WORDS for word in section):
        # Never send a message because of a forgotten input: the bus would have two senders of it.
        help = "to send it with nothing but its count, say how often: `every: 100 ms`"
        report.error(name.at, "E666", f"no input reads `{name}` and no output writes it", "", help)
    rules = MessageRules(
        str(name),
        alive=_read_alive(section, message, mapped, report),
        crc=_read_crc(section, message, mapped, report),
    )
    rules = _read_timing(rules, section, message, report) if is_received else _read_sending(rules, section, report)
    if rules.alive and rules.crc and _overlap(message, section):
        report.error(section.key_at("crc"), "E666", f"the alive counter and the CRC of `{name}` are one signal")
    return rules if len(report.problems) == before else None


def _refuse_direction(name: Text, word: Text, is_received: bool, mapped: MappedMessages, report: Report) -> None:
    if is_received:
        says = f"`{word}` is said of a message that we send; `{name}` is received at {mapped.received[name].at}"
    elif name in mapped.sent:
        says = f"`{word}` is said of a message that we receive; `{name}` is sent by us"
    else:
        says = f"`{word}` is said of a message that we receive, and no input reads `{name}`"
    report.error(word.at, "E666", says)


def _check_words(section: Section, known: tuple[str, ...], what: str, report: Report) -> None:
    for word in section:
        if word not in known:
            report.error(word.at, "E655", f"{what} has no word `{word}`", did_you_mean(word, known), f"known: {', '.join(known)}")


def _read_timing(rules: MessageRules, section: Section, message: Any, report: Report) -> MessageRules:
    """Cycle, window and time-out of a received message; a window alone goes with the DBC's cycle."""
    cycle = words.duration(section, "cycle", 0, report)
    text = words.word(section, "window", report)
    if text is not None and not cycle:
        cycle = can_database.cycle_of(message)
        if not cycle and words.entry(section, "cycle") is None:
            report.error(text.at, "E651", "a window needs a `cycle`: the DBC says none for this message")
    window = _window(text, section, cycle, report) if text is not None else cycle * WINDOW // 100
    timeout = words.duration(section, "timeout", 0, report)
    if timeout and cycle and timeout <= cycle:
        report.error(section.key_at("timeout"), "E654", "the time-out is not longer than the cycle: every frame would be too late")
    return replace(rules, cycle=cycle, window=window, timeout=timeout)


def _window(text: Text, section: Section, cycle: int, report: Report) -> int:
    """A window in ns: `20 %` of the cycle, or a duration."""
    found = _PERCENT.fullmatch(text)
    window = int(Decimal(found[1]) * cycle / 100) if found else words.duration(section, "window", 0, report)
    if cycle and window >= cycle:
        report.error(text.at, "E654", "the window is as wide as the cycle", "", "for example `window: 20 %`")
    return window


def _read_sending(rules: MessageRules, section: Section, report: Report) -> MessageRules:
    """Period, phase and occasion of a message that we send."""
    every = words.duration(section, "every", 0, report)
    phase = _phase(section, every, report)
    return replace(rules, every=every, phase=phase, send=words.choice(section, "send", SENDS, CYCLIC, report))


def _phase(section: Section, every: int, report: Report) -> int | None:
    text = words.word(section, "phase", report)
    if text is None:
        return None
    if re.fullmatch(r"\s*0(\.0*)?\s*(ns|us|µs|ms|s)?\s*", text):
        return 0
    phase = words.duration(section, "phase", 0, report)
    if every and phase >= every:
        report.error(text.at, "E654", "the phase is not inside the period", "", "a phase is 0 up to `every`")
    return phase


def _overlap(message: Any, section: Section) -> bool:
    """Whether alive counter and CRC name one signal."""
    names = [value if isinstance(value, Text) else value.get("signal") for value in (section["alive"], section["crc"])]
    return names[0] == names[1]


# Alive counter and CRC ----------------------------------------------------------------------------------------------------


def _own_signal(text: Text | None, word: str, message: Any, mapped: MappedMessages, report: Report) -> Any:
    """The signal that the word names, or None: it must be a plain unsigned number that nobody else writes."""
    if text is None:
        return None
    known = {signal.name: signal for signal in message.signals}
    path = f"{message.name}.{text}"
    if text not in known:
        report.error(text.at, "E664", f"message `{message.name}` has no signal `{text}`", did_you_mean(text, known))
    elif path in mapped.outputs:
        ours = "to count" if word == "alive" else "to compute"
        report.error(text.at, "E666", f"`{path}` is ours {ours}, and mapped at {mapped.outputs[path].at}")
    elif (found := known[text]).conversion.is_float or found.is_signed or found.multiplexer_ids is not None:
        does = "count" if word == "alive" else "be a CRC"
        report.error(text.at, "E666", f"`{path}` cannot {does}: it is signed, a float or multiplexed")
    else:
        return found
    return None


def _read_alive(section: Section, message: Any, mapped: MappedMessages, report: Report) -> AliveRule | None:
    """`alive: Counter`, or `alive: {signal: Counter, modulus: 15, step: 1}`."""
    value = words.entry(section, "alive")
    if value is None:
        return None
    if isinstance(value, Listing):
        report.error(place_of(value, section.at), "E652", "`alive` names one signal")
        return None
    inner = value if isinstance(value, Section) else Section([(Text("signal"), value)], value.at)
    _check_words(inner, ALIVE_WORDS, "`alive`", report)
    signal = _own_signal(words.word(inner, "signal", report, needed="which signal counts"), "alive", message, mapped, report)
    if signal is None:
        return None
    most = 1 << min(signal.length, WIDEST_CRC)
    modulus = _number(inner, "modulus", most, 2, most, report)
    return AliveRule(can_database.bits_of(signal), modulus, _number(inner, "step", 1, 1, modulus - 1, report))


def _read_crc(section: Section, message: Any, mapped: MappedMessages, report: Report) -> CrcRule | None:
    """`crc: {signal: CRC, kind: sae_j1850}`, or the law in numbers."""
    value = words.entry(section, "crc")
    if value is None:
        return None
    if not isinstance(value, Section):
        report.error(place_of(value, section.at), "E652", "`crc` takes a section: `{signal: CRC, kind: sae_j1850}`")
        return None
    _check_words(value, CRC_WORDS, "`crc`", report)
    signal = _own_signal(words.word(value, "signal", report, needed="which signal holds the CRC"), "crc", message, mapped, report)
    law = _read_law(value, report)
    if signal is None or law is None:
        return None
    if signal.length != law.width:
        at = value.key_at("width") if words.entry(value, "width") is not None else words.entry(value, "signal").at
        report.error(at, "E654", f"a CRC of {law.width} bits does not fit `{message.name}.{signal.name}` of {signal.length} bits")
        return None
    identifier = _data_id(value, report)
    where = words.choice(value, "data_id_at", ("start", "end"), "end" if law.id_last else "start", report)
    before, after = (b"", identifier) if where == "end" else (identifier, b"")
    return CrcRule(can_database.bits_of(signal), replace(law, id_last=False), before, after)


def _read_law(section: Section, report: Report) -> CrcLaw | None:
    """The law of a CRC: a name, or its numbers, which also change a named one."""
    kind = words.word(section, "kind", report)
    if kind is not None and kind not in LAWS:
        report.error(kind.at, "E655", f"no CRC is named `{kind}`", did_you_mean(kind, LAWS), f"known: {', '.join(LAWS)}")
        return None
    if kind is None and words.entry(section, "polynomial") is None:
        report.error(section.at, "E651", "a CRC needs its `kind` or its `polynomial`", "", f"known kinds: {', '.join(LAWS)}")
        return None
    law = LAWS[kind] if kind is not None else CrcLaw(8, 0, 0, 0)
    width = _number(section, "width", law.width, 4, WIDEST_CRC, report)
    most = (1 << width) - 1
    polynomial = _number(section, "polynomial", law.polynomial, 1, most, report)
    init = _number(section, "init", law.init, 0, most, report)
    final = _number(section, "xor", law.xor, 0, most, report)
    mirrored = words.choice(section, "reflect", ("true", "false"), str(law.reflect).lower(), report) == "true"
    return CrcLaw(width, polynomial, init, final, mirrored, law.id_last)


def _data_id(section: Section, report: Report) -> bytes:
    """The bytes of the data identifier: one number, lowest byte first and as few bytes as hold it, or a list of bytes."""
    value = words.entry(section, "data_id")
    if value is None:
        return b""
    if isinstance(value, Listing) and 0 < len(value) <= LONGEST_ID and all(isinstance(byte, Text) for byte in value):
        return bytes(_whole(byte, "a byte of the data_id", 0, 255, report) for byte in value)
    if not isinstance(value, Text):
        at = place_of(value, section.at)
        report.error(
            at, "E652", f"`data_id` is a number, or a list of at most {LONGEST_ID} bytes", "", "for example `[0x3A, 0x00]`"
        )
        return b""
    number = _whole(value, "`data_id`", 0, (1 << 32) - 1, report)
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "little")


def _number(section: Section, key: str, default: int, low: int, high: int, report: Report) -> int:
    """A whole number within [low, high], decimal or 0x."""
    text = words.word(section, key, report)
    return default if text is None else _whole(text, f"`{key}`", low, high, report)


def _whole(text: Text, what: str, low: int, high: int, report: Report) -> int:
    number = can_database.whole_number(text)
    if number is None or not low <= number <= high:
        report.error(text.at, "E654", f"{what} is a whole number of {low} to {high} (0x{high:X}), not `{text}`")
        return low
    return number
