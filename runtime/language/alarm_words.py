"""The words of an alarm: its four kinds, and its severity, shelving, error id and source. It must not know tags or instances."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtime.language.words import check_words, choice_of, duration, truth
from runtime.model import SEVERITIES
from runtime.source import Report, Section, Text, did_you_mean, place_of

# ISA-18.2's attributes and methods that every kind has
COMMON_WORDS = ("delay", "off_delay", "latch", "suppress", "severity", "shelve", "id", "source", "text")
# the parts of a plant that an alarm may come from
SOURCES = ("bms", "inverter", "can", "comms", "sensor", "estop", "climate", "modbus", "raspberry_pi", "motherboard")
SHELVED_FOR = 8 * 3600 * 1_000_000_000  # ns, a shift: what is shelved is seen by the next one
ERROR_ID = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*\Z")


@dataclass(frozen=True)
class Kind:
    """A kind of alarm: the block that it becomes, the pins that its words feed, and each limit's word and output.

    `needs` are its words that may not be missing.
    """

    name: str
    block: str
    what: str
    pins: Mapping[str, str]
    limits: Mapping[str, tuple[str, str]]
    needs: Mapping[str, str] = field(default_factory=dict)  # word -> what it may be

    @property
    def words(self) -> tuple[str, ...]:
        """All words of an alarm of this kind."""
        return (*(word for word in self.pins if word not in COMMON_WORDS), *COMMON_WORDS)

    def marks(self, words: Section) -> list[Text]:
        """The words that are there and are this kind's only."""
        others = {word for kind in OF_KINDS if kind is not self for word in kind.words}
        return [key for key in words if key in self.pins and key not in others]

    def given(self, words: Section) -> tuple[str, ...]:
        """The names of its limits in this alarm, each an alarm of its own."""
        return tuple(limit for limit, (word, _) in self.limits.items() if word in words)


LIMIT = Kind(
    "limit",
    "ALARM_LIMIT",
    "an alarm with limits",
    {"of": "IN", "H": "H", "HH": "HH", "L": "L", "LL": "LL", "deadband": "DEADBAND", "delay": "DELAY"},
    {limit: (limit, f"{limit}_ACTIVE") for limit in ("H", "HH", "L", "LL")},
)
DEVIATION = Kind(
    "deviation",
    "DEVIATION_ALARM",
    "an alarm on a deviation",
    {"of": "PV", "setpoint": "SP", "deviation": "TOLERANCE", "deadband": "DEADBAND", "settle": "SETTLE", "delay": "DELAY"},
    {"HIGH": ("deviation", "HIGH"), "LOW": ("deviation", "LOW")},
    {"setpoint": "the value that it should have: `setpoint: pcs.p_cmd`", "deviation": "how far is too far: `deviation: 10 kW`"},
)
RATE = Kind(
    "rate",
    "RATE_ALARM",
    "an alarm on a rate of change",
    {"of": "IN", "rise": "RISE", "fall": "FALL", "filter": "T", "deadband": "HYSTERESIS", "delay": "DELAY"},
    {"RISING": ("rise", "RISING"), "FALLING": ("fall", "FALLING")},
)
CONDITION = Kind(
    "condition", "ALARM_CONDITION", "an alarm with a condition", {"when": "IN", "delay": "DELAY"}, {"": ("when", "ACTIVE")}
)
OF_KINDS = (LIMIT, DEVIATION, RATE)  # of a value; the other kind is of a condition
KINDS = (*OF_KINDS, CONDITION)


def kind_of(words: Section) -> Kind:
    """The kind that the words say, the first of them where they say several; nothing is reported."""
    return CONDITION if "of" not in words else next((kind for kind in OF_KINDS if kind.marks(words)), LIMIT)


def check_kind(name: Text, words: Section, report: Report) -> bool:
    """Whether the words make one alarm of one kind; a mistake is reported."""
    if ("of" in words) == ("when" in words):
        report.error(
            name.at,
            "E007",
            f"the alarm `{name}` needs `of` or `when`, one of the two",
            "`of` is a value with limits, `when` a condition",
        )
        return False
    marked = [(kind, marks) for kind in OF_KINDS if (marks := kind.marks(words))]
    if "of" in words and len(marked) > 1:
        (first, theirs), (second, those) = marked[:2]
        report.error(
            those[0].at,
            "E510",
            f"`{theirs[0]}` makes `{name}` {first.what}, and `{those[0]}` {second.what}",
            "write two alarms",
        )
        return False
    kind = kind_of(words)
    check_words(words, kind.words, kind.what, report)
    for word, meaning in kind.needs.items():
        if word not in words:
            report.error(name.at, "E007", f"the alarm `{name}` has no `{word}`", meaning)
    if not kind.given(words) and not kind.needs:
        report.error(
            name.at,
            "E007",
            f"the alarm `{name}` has no limit",
            "`rise`, `fall`, or both" if kind is RATE else "one or more of H, HH, L and LL",
            *(() if kind is RATE else ("or `setpoint` and `deviation`, or `rise` and `fall`",)),
        )
    return bool(kind.given(words))


def severities_of(words: Section, limits: Sequence[str], report: Report) -> dict[str, str]:
    """The severity of each limit: one word for all, or `{H: warning, HH: critical}`."""
    value = words.get("severity")
    if not isinstance(value, Section):
        return dict.fromkeys(limits, choice_of(words, "severity", SEVERITIES, report, SEVERITIES[0]))
    for key in value:
        if key not in limits:
            has = f"its limits are {', '.join(limits)}" if limits[0] else "a condition has one severity"
            report.error(key.at, "E511", f"the alarm has no limit `{key}`", did_you_mean(key, limits), has)
    for limit in limits:
        if limit and limit not in value:
            report.error(
                words.key_at("severity"),
                "E007",
                f"`severity` says nothing of `{limit}`",
                f"{', '.join(SEVERITIES[:-1])} or critical",
            )
    return {limit: choice_of(value, limit, SEVERITIES, report, SEVERITIES[0]) for limit in limits}


def shelving_of(words: Section, severities: Mapping[str, str], report: Report) -> dict[str, int]:
    """The longest time (ns) for which each limit may be shelved, 0 where nobody may: a critical one for a written time only."""
    value = words.get("shelve")
    if value is None:
        return {limit: 0 if severity == SEVERITIES[-1] else SHELVED_FOR for limit, severity in severities.items()}
    if isinstance(value, Text) and value.lower() == "never":
        return dict.fromkeys(severities, 0)
    if not isinstance(value, Text) or not value or truth(value) is not None or value.lower() in ("yes", "no", "always"):
        is_critical = SEVERITIES[-1] in severities.values()
        report.error(
            place_of(value, words.key_at("shelve")),
            "E512",
            "`shelve` names no time",
            "its longest time: `4 h`, or `never`",
            *(("a critical alarm is never shelved, unless its program names the time",) if is_critical else ()),
        )
        return dict.fromkeys(severities, 0)
    return dict.fromkeys(severities, duration(value, "shelve", report) or 0)


def id_of(words: Section, report: Report) -> str:
    """The error id by which manuals and reports know the alarm, empty where it has none."""
    value = words.get("id")
    if value is None:
        return ""
    if isinstance(value, Text) and ERROR_ID.match(value):
        return str(value)
    meant = "_".join(re.findall(r"[A-Za-z0-9]+", str(value))).upper() if isinstance(value, Text) else ""
    hint = f"`{meant}`?" if ERROR_ID.match(meant) else "capital letters, digits and _: `ERR_COMM_LOST`"
    report.error(
        place_of(value, words.key_at("id")),
        "E513",
        f"`{value}` is not written as error ids are" if meant else "`id` is one word",
        hint,
    )
    return ""


def source_of(words: Section, report: Report) -> str:
    """The part of the plant that the alarm comes from, empty where it says none."""
    return choice_of(words, "source", SOURCES, report, "")
