"""Turns `alarms:` into ALARM_LIMIT and ALARM_CONDITION and their tags. It must not know types on wires."""

from __future__ import annotations

from blocks.declare import BOOL
from runtime.language.lower import lower_value
from runtime.language.network import ALL, AlarmDraft, Broken, Draft, Node, Program, TagDraft, Wire
from runtime.language.outputs import add_write
from runtime.language.words import PLAIN_NAME, as_section, check_words, choice_of, text_of
from runtime.source import Section, Text

LIMITS = ("H", "HH", "L", "LL")
LIMIT_WORDS = ("of", *LIMITS, "deadband", "delay", "severity", "text")
CONDITION_WORDS = ("when", "delay", "severity", "text")
SEVERITIES = ("warning", "error", "critical")


def declare_alarm_tags(name: Text, words: Section, program: Program, draft: Draft) -> None:
    """The BOOL tags that say whether it is active: `alarm.x` for a condition, `alarm.x_hh` for a limit."""
    if not PLAIN_NAME.match(name):
        draft.report.error(name.at, "E106", f"`{name}` is no name for an alarm", "letters, digits and _")
        return
    text = text_of(words, "text", draft.report, str(name))
    for limit in [word for word in LIMITS if word in words] if "of" in words else [""]:
        tag = TagDraft(
            f"alarm.{name}_{limit.lower()}" if limit else f"alarm.{name}",
            BOOL,
            text=text,
            owner=f"program {program.name}",
            at=name.at,
            is_read=True,
        )
        program.implicit[f"alarm {name} {limit}"] = draft.add_tag(tag)


def read_alarm(name: Text, words: Section, program: Program, draft: Draft) -> None:
    """One alarm: a value with limits (`of`), or a condition (`when`)."""
    report = draft.report
    if ("of" in words) == ("when" in words):
        report.error(
            name.at,
            "E007",
            f"the alarm `{name}` needs `of` or `when`, one of the two",
            "`of` is a value with limits, `when` a condition",
        )
        return
    is_limit = "of" in words
    check_words(
        words,
        LIMIT_WORDS if is_limit else CONDITION_WORDS,
        "an alarm with limits" if is_limit else "an alarm with a condition",
        report,
    )
    if is_limit and not any(limit in words for limit in LIMITS):
        report.error(name.at, "E007", f"the alarm `{name}` has no limit", "one or more of H, HH, L and LL")
        return
    severity = choice_of(words, "severity", SEVERITIES, report, SEVERITIES[0])
    node = Node(f"{program.name}.alarm.{name}", draft.catalogue["ALARM_LIMIT" if is_limit else "ALARM_CONDITION"], name)
    pins = {"of": "IN", "when": "IN", "deadband": "DEADBAND", "delay": "DELAY", **{limit: limit for limit in LIMITS}}
    for word, pin in pins.items():
        if word in words:
            node.feeds[pin] = lower_value(words[word], program.scope, f"{node.name}.{pin}")
    node.is_broken = any(feed.__class__ is Broken for feed in node.feeds.values())
    program.nodes.append(node)
    of = str(words.get("of", words.get("when", "")))
    for limit in [word for word in LIMITS if word in words] if is_limit else [""]:
        tag = program.implicit.get(f"alarm {name} {limit}")
        if tag is None:
            continue
        pin_name = f"{limit}_ACTIVE" if limit else "ACTIVE"
        if not node.is_broken:
            add_write(tag, ALL, Wire(node, node.block._by_name[pin_name], ALL, ALL), name, program)
        draft.alarms.append(AlarmDraft(str(name), tag, of, limit, severity, text_of(words, "text", report, str(name)), name.at))


def alarm_sections(section: Section, draft: Draft) -> list[tuple[Text, Section]]:
    """The alarms that are sections; anything else is reported."""
    found = [(name, as_section(words, name.at, f"the alarm `{name}`", draft.report)) for name, words in section.items()]
    return [(name, words) for name, words in found if words is not None]
