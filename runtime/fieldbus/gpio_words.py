"""The words of a panel's io_map: chip, lines, and what each line shall do. The driver and its twin read the same ones.

It checks text only and must not know how a line is reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.contract import Description, PointText
from runtime.expand import PatternError, expand, is_pattern
from runtime.fieldbus import words
from runtime.language.network import inside
from runtime.model import Described
from runtime.source import Report, Section, Text, did_you_mean, place_of

CHIP_WORD = "the chip: `/dev/gpiochip0`, its name or label `lab`, or `{label: lab}`, `{name: gpiochip0}`, `{path: /dev/gpiochip0}`"
DEVICE_WORDS: Mapping[str, str] = {
    "chip": CHIP_WORD,
    "poll": "how often every line is read again, and every output written again (default 100 ms)",
}
LINE_WORDS: Mapping[str, str] = {
    "line": 'the line: its number on the chip, or its name `ESTOP`; braces name an array: `"{0..7}"`',
    "active": "`low` where the line is true at a low level (default high)",
    "bias": "the chip's own resistor: pull-up, pull-down, disabled or as-is (default as-is)",
}
INPUT_WORDS: Mapping[str, str] = {
    **LINE_WORDS,
    "debounce": "how long a level must last before it counts: `5 ms` (default: none)",
    "edges": "`both` has every edge reported at once, `none` only reads the line; a count takes rising, falling or both",
    "count": "`true` makes the tag a LINT that counts edges since the start (rising ones unless `edges` says otherwise)",
}
OUTPUT_WORDS: Mapping[str, str] = {
    **LINE_WORDS,
    "drive": "push-pull, open-drain or open-source (default push-pull)",
}
POLL = 100_000_000  # ns
SHORTEST_POLL = 1_000_000  # ns: a chip that is read without a pause leaves no time for anything else
MOST_DIGITS = 9  # of a line's number
LONGEST_DEBOUNCE = 60_000_000_000  # ns
CHIP_KEYS = ("label", "name", "path")
BIASES = ("as-is", "disabled", "pull-up", "pull-down")
DRIVES = ("push-pull", "open-drain", "open-source")


@dataclass(frozen=True, slots=True)
class ChipName:
    """How the io_map names the chip: `by` is path, name or label, or empty where it may be a name or a label."""

    by: str
    value: str

    def __str__(self) -> str:
        return f"{self.by or 'name or label'} `{self.value}`"


@dataclass(frozen=True, slots=True)
class GpioSettings:
    """What the io_map says about the whole device. `poll` is in ns."""

    chip: ChipName
    poll: int


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input: a number or a name on the chip, and how it is read. `debounce` is in ns, 0 for none."""

    line: int | str
    active_low: bool = False
    bias: str = "as-is"
    debounce: int = 0
    edges: str = "both"
    count: bool = False


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One output: a number or a name on the chip, and how it is driven."""

    line: int | str
    active_low: bool = False
    bias: str = "as-is"
    drive: str = "push-pull"


def describe_panel(device: Section, points: Sequence[PointText], report: Report, *, needs_chip: bool) -> Description:
    """Read and check an io_map's words; all mistakes go to the report with their places."""
    chip = _chip(device, report, needs_chip)
    poll = words.duration(device, "poll", POLL, report)
    if poll < SHORTEST_POLL:
        report.error(place_of(device["poll"]), "E653", "`poll` is 1 ms at least", "edges are reported at once, whatever `poll` is")
    claimed: dict[int | str, Text] = {}
    found = {str(p.tag): described for p in points if (described := _describe_point(p, claimed, report)) is not None}
    return Description(GpioSettings(chip, poll) if chip else None, found)


def _chip(device: Section, report: Report, needed: bool) -> ChipName | None:
    written = words.entry(device, "chip")
    if isinstance(written, Section):
        return _chip_of(written, report)
    name = words.word(device, "chip", report, needed=CHIP_WORD if needed else "")
    if name is None:
        return None if needed or written is not None else ChipName("", "")
    return ChipName("path" if name.startswith("/") else "", str(name))


def _chip_of(section: Section, report: Report) -> ChipName | None:
    """`{label: lab}`: exactly one way to name the chip."""
    if len(section) != 1 or next(iter(section)) not in CHIP_KEYS:
        key = next((k for k in section if k not in CHIP_KEYS), None)
        hint = did_you_mean(key, CHIP_KEYS) if key is not None else ""
        at = key.at if key is not None else section.at
        report.error(at, "E685", "`chip` takes one of label, name or path", hint, "for example `chip: {label: lab}`")
        return None
    key = next(iter(section))
    value = words.word(section, str(key), report)
    return ChipName(str(key), str(value)) if value is not None else None


def _describe_point(point: PointText, claimed: dict[int | str, Text], report: Report) -> Described | None:
    """The lines of one tag, or None where one of its words is wrong."""
    before = len(report.errors)
    names = _lines(point.section, claimed, report)
    section = point.section
    active_low = words.choice(section, "active", ("high", "low"), "high", report) == "low"
    bias = words.choice(section, "bias", BIASES, "as-is", report)
    if point.is_output:
        drive = words.choice(section, "drive", DRIVES, "push-pull", report)
        addresses: tuple[InputLine | OutputLine, ...] = tuple(OutputLine(n, active_low, bias, drive) for n in names)
        kind = "BOOL"
    else:
        count = words.choice(section, "count", ("true", "false"), "false", report) == "true"
        debounce, edges = _debounce(section, report), _edges(section, count, report)
        addresses = tuple(InputLine(n, active_low, bias, debounce, edges, count) for n in names)
        kind = "LINT" if count else "BOOL"
    if len(report.errors) > before:
        return None
    return Described(addresses, kind, is_array=is_pattern(section["line"]))


def _lines(section: Section, claimed: dict[int | str, Text], report: Report) -> tuple[int | str, ...]:
    """The numbers and names that `line` stands for; each may be used once."""
    text = words.word(section, "line", report, needed="the number or the name of the line on the chip")
    if text is None:
        return ()
    try:
        names = expand(text)
    except PatternError as error:
        report.error(inside(text, error.start, error.width), "E663", f"`{text}`: {error}")
        return ()
    found: list[int | str] = [_line_of(name) for name in names]
    for line in found:
        if line == "" or (isinstance(line, str) and line.lstrip("+-").isdigit()):
            report.error(text.at, "E686", f"`{line}` is no line", "a number from 0, or the name of a line")
        elif line in claimed:
            other = claimed[line]
            twice = "in one pattern" if other is text else f"it is first mapped at {other.at}"
            report.error(text.at, "E686", f"line {line} is mapped twice", "", twice)
        claimed.setdefault(line, text)
    return tuple(found)


def _line_of(name: str) -> int | str:
    return int(name) if name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS else name


def _debounce(section: Section, report: Report) -> int:
    found = words.duration(section, "debounce", 0, report)
    if found > LONGEST_DEBOUNCE:
        report.error(place_of(section["debounce"]), "E653", "`debounce` is 60 s at most", "an input that slow needs a TON")
    return found


def _edges(section: Section, count: bool, report: Report) -> str:
    """Which edges are reported. A level needs both: with one of them it would be late in one direction only."""
    known = ("rising", "falling", "both") if count else ("both", "none", "rising", "falling")
    edges = words.choice(section, "edges", known, "rising" if count else "both", report)
    if not count and edges in ("rising", "falling"):
        report.error(
            place_of(section["edges"]),
            "E687",
            f"a level cannot be told from {edges} edges alone",
            "`both`, or `none` to read it only",
            f"`count: true` counts {edges} edges",
        )
    return edges
