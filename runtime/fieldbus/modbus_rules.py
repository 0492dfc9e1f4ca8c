"""What an io_map asks of its Modbus device besides the line and the points: handshake, heartbeat, SunSpec. It opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.fieldbus import words
from runtime.fieldbus.modbus_points import read_register, whole_numbers
from runtime.fieldbus.modbus_register import BIT, BIT_TABLES, EVERY, FLOAT, HOLDING, Register
from runtime.source import Listing, Report, Section, Text, did_you_mean, place_of

SUSPEND = 10_000_000_000  # ns
BASES = (40000, 50000, 0)  # SunSpec device information model specification, 1.1: where the marker may stand
QUESTION_WORDS = ("register", "as", "bit", "bits", "words", "bytes", "equals", "in", "text")
HEARTBEAT_WORDS = ("register", "every", "limit")
SUNSPEC_WORDS = ("base", "models")


@dataclass(frozen=True, slots=True)
class Question:
    """One register of the handshake and the raw values that it may hold."""

    register: Register
    expected: tuple[int, ...]
    text: str

    def __str__(self) -> str:
        return self.text or str(self.register)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A holding register that counts 0 to `limit` while the scan speaks for the outputs, one step each `every` (ns)."""

    address: int
    every: int
    limit: int


@dataclass(frozen=True, slots=True)
class SunSpec:
    """Where to look for the SunSpec marker, and a folder with model files of the site's own ("" for none)."""

    bases: tuple[int, ...] = BASES
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """The device words of an io_map that only the connection reads; `suspend` is ns."""

    suspend: int = SUSPEND
    read_write: bool = False
    handshake: tuple[Question, ...] = ()
    heartbeat: Heartbeat | None = None
    sunspec: SunSpec | None = None


RULE_WORDS = {
    "suspend": "a register that the device refuses three times is asked again after this time (default 10 s)",
    "read_write": "`true` writes and reads holding registers in one request (function 23) where the device knows it",
    "handshake": "registers that must hold what is said before anything is written: `[{register: input 0, in: [3, 4]}]`",
    "heartbeat": "`{register: holding 9, every: 1 s, limit: 255}`: counted up while the scan speaks for the outputs",
    "sunspec": "`{base: auto}`: points are found by name; `base` is a wire address, `models` a folder with model files of your own",
}


def read_rules(device: Section, uses_models: bool, report: Report) -> Rules:
    """The device words; `uses_models` says that a point names a SunSpec model. All mistakes go to the report."""
    return Rules(
        suspend=words.duration(device, "suspend", SUSPEND, report),
        read_write=words.choice(device, "read_write", ("true", "false"), "false", report) == "true",
        handshake=_handshake(device, report),
        heartbeat=_heartbeat(device, report),
        sunspec=read_sunspec(device, report) if uses_models or words.entry(device, "sunspec") is not None else None,
    )


def _handshake(device: Section, report: Report) -> tuple[Question, ...]:
    value = words.entry(device, "handshake")
    if value is None:
        return ()
    if not isinstance(value, Listing):
        report.error(
            place_of(value, device.at),
            "E675",
            "`handshake` is a list",
            "of registers",
            "`handshake: [{register: holding 0, equals: 42}]`",
        )
        return ()
    return tuple(question for one in value if (question := _question(one, device, report)) is not None)


def _question(section: object, device: Section, report: Report) -> Question | None:
    if not isinstance(section, Section):
        report.error(
            place_of(section, device.at),
            "E675",
            "a question of the handshake is a section",
            "",
            "`{register: holding 0, equals: 42}`",
        )
        return None
    _check_words(section, QUESTION_WORDS, "a question of the handshake", report)
    register = read_register(section, report)
    asked = [word for word in ("equals", "in") if words.entry(section, word) is not None]
    if len(asked) != 1:
        report.error(section.at, "E675", "a question of the handshake has one of `equals` and `in`", "what must stand there?")
        return None
    expected = whole_numbers(section, asked[0], report)
    if register is None or not expected:
        return None
    if register.kind == FLOAT:
        report.error(section.key_at("as"), "E675", "a handshake compares whole numbers", "a float is never exactly what you write")
        return None
    span = 1 << (register.bits if register.kind == BIT else 16 * register.width)
    for text, number in expected:
        if not -span // 2 <= number < span:
            report.error(text.at, "E654", f"`{text}` does not fit `{register}`")
    name = words.word(section, "text", report)
    return Question(register, tuple(number % span for _, number in expected), str(name or ""))


def _heartbeat(device: Section, report: Report) -> Heartbeat | None:
    section = _section(device, "heartbeat", "`heartbeat: {register: holding 9, every: 1 s}`", HEARTBEAT_WORDS, report)
    if section is None:
        return None
    register = read_register(section, report)
    limit = words.whole(section, "limit", 65535, 1, 65535, report)
    every = words.duration(section, "every", EVERY, report)
    if register is not None and register.table != HOLDING:
        kind = "a bit" if register.table in BIT_TABLES else "read only"
        report.error(
            register.at,
            "E672",
            f"`{register.table} {register.address}` cannot count",
            f"a heartbeat is a holding register, not {kind}",
        )
        return None
    return None if register is None else Heartbeat(register.address, every, limit)


def check_heartbeat(heartbeat: Heartbeat | None, device: Section, outputs: Sequence[Register], report: Report) -> None:
    """Refuse a heartbeat in a register that an output writes."""
    if heartbeat is None:
        return
    for output in outputs:
        if output.table == HOLDING and output.address <= heartbeat.address < output.address + output.width:
            at = place_of(words.entry(words.entry(device, "heartbeat"), "register"))
            where = f"`{output.tag}` is mapped at {output.at}"
            report.error(
                at, "E674", f"`{output}` is written by `{output.tag}` and by the heartbeat", "a register has one writer", where
            )
            return


def read_sunspec(device: Section, report: Report) -> SunSpec:
    """The device word `sunspec`, also where it only stands for its defaults."""
    section = _section(device, "sunspec", "`sunspec: {base: auto}`", SUNSPEC_WORDS, report)
    if section is None:
        return SunSpec()
    base = words.word(section, "base", report)
    bases: tuple[int, ...] = BASES
    if base is not None and base != "auto":
        bases = (words.whole(section, "base", 0, 0, 65533, report),)
    return SunSpec(bases, str(words.word(section, "models", report) or ""))


def _section(device: Section, key: str, example: str, known: Sequence[str], report: Report) -> Section | None:
    value = words.entry(device, key)
    if value is None:
        return None
    if not isinstance(value, Section):
        report.error(place_of(value, device.at), "E675", f"`{key}` is a section", "", example)
        return None
    _check_words(value, known, f"`{key}`", report)
    return value


def _check_words(section: Section, known: Sequence[str], what: str, report: Report) -> None:
    for key in section:
        if isinstance(key, Text) and key not in known:
            report.error(key.at, "E655", f"{what} knows no `{key}`", did_you_mean(key, known), f"known: {', '.join(known)}")
