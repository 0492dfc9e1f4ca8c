"""Turns `alarms:` into alarm blocks and their tags. It must not know types on wires, nor who tells an operator of an alarm."""

from __future__ import annotations

from blocks.declare import BOOL
from runtime.language.alarm_words import RATE, Kind, check_kind, id_of, kind_of, severities_of, shelving_of, source_of
from runtime.language.lower import lower_value
from runtime.language.network import ALL, AlarmDraft, Broken, Draft, Feed, Literal, Node, Program, TagDraft, Wire
from runtime.language.outputs import add_write
from runtime.language.words import PLAIN_NAME, as_section, text_of, truth
from runtime.model import SEVERITIES, Alarm, first_outs
from runtime.source import Report, Section, Text

# what outlasts the condition, or hides it: the words that need an ALARM_STAND behind each limit, and the pins that they feed
STANDING = {"off_delay": "OFF_DELAY", "latch": "RESET", "suppress": "INHIBIT"}


def declare_alarm_tags(name: Text, words: Section, program: Program, draft: Draft) -> None:
    """The BOOL tags that say whether it is active, `alarm.x` for a condition and `alarm.x_hh` for a limit, or suppressed."""
    if not PLAIN_NAME.match(name):
        draft.report.error(name.at, "E106", f"`{name}` is no name for an alarm", "letters, digits and _")
        return
    text = text_of(words, "text", draft.report, str(name))
    suffixes = {limit: limit.lower() for limit in kind_of(words).given(words)}
    if "suppress" in words:
        suffixes["suppressed"] = "suppressed"
    for what, suffix in suffixes.items():
        tag = TagDraft(
            f"alarm.{name}_{suffix}" if suffix else f"alarm.{name}",
            BOOL,
            text=f"{text}: suppressed by design" if what == "suppressed" else text,
            owner=f"program {program.name}",
            at=name.at,
        )
        program.implicit[f"alarm {name} {what}"] = draft.add_tag(tag)


def read_alarm(name: Text, words: Section, program: Program, draft: Draft) -> None:
    """One alarm: its block, what it does with the outputs of that, and what people shall know of it."""
    report = draft.report
    if not check_kind(name, words, report):
        return
    kind = kind_of(words)
    limits = kind.given(words)
    severities = severities_of(words, limits, report)
    shelving = shelving_of(words, severities, report)
    of, setpoint = str(words.get("of", words.get("when", ""))), str(words.get("setpoint", ""))
    text, id, source = text_of(words, "text", report, str(name)), id_of(words, report), source_of(words, report)
    node = Node(f"{program.name}.alarm.{name}", draft.catalogue[kind.block], name)
    for word, pin in kind.pins.items():
        if word in words:
            node.feeds[pin] = lower_value(words[word], program.scope, f"{node.name}.{pin}")
    standing = _standing(node, words, program, report)
    if kind is RATE and "INHIBIT" in standing:  # what a suppressed value did is no rate
        node.feeds["RESTART"] = standing["INHIBIT"]
    node.is_broken = any(feed.__class__ is Broken for feed in node.feeds.values())
    program.nodes.append(node)
    suppressed = _write_suppressed(name, standing, program)
    for limit in limits:
        tag = program.implicit.get(f"alarm {name} {limit}")
        if tag is None:
            continue
        active = _active(node, kind, limit, standing, program, draft)
        if not active.node.is_broken:
            add_write(tag, ALL, active, name, program)
        draft.alarms.append(
            AlarmDraft(
                str(name),
                tag,
                of,
                limit,
                severities[limit],
                text,
                name.at,
                kind.name,
                id,
                source,
                setpoint,
                suppressed,
                shelving[limit],
                "latch" in words,
            )
        )


def _standing(node: Node, words: Section, program: Program, report: Report) -> dict[str, Feed]:
    """What feeds the ALARM_STAND behind each limit; empty where the alarm goes with its condition."""
    latch = words.get("latch")
    if isinstance(latch, Text) and truth(latch) is not None:
        report.error(
            latch.at,
            "E010",
            "`latch` is what resets the alarm, not whether it is latched",
            "`latch: hmi.reset`: it stays until that rises",
        )
    return {pin: lower_value(words[word], program.scope, f"{node.name}.{pin}") for word, pin in STANDING.items() if word in words}


def _active(node: Node, kind: Kind, limit: str, standing: dict[str, Feed], program: Program, draft: Draft) -> Wire:
    """The output that says whether the alarm of this limit is active."""
    wire = Wire(node, node.block._by_name[kind.limits[limit][1]], ALL, ALL)
    if not standing:
        return wire
    stand = Node(f"{node.name}.stand{limit and '_'}{limit.lower()}", draft.catalogue["ALARM_STAND"], node.at)
    stand.feeds = {"IN": wire, **standing}
    if "RESET" in standing:
        stand.feeds["LATCH"] = Literal(True, node.at, 0, len(node.at))
    if "INHIBIT" in standing and "DELAY" in node.feeds:  # what was suppressed waits again: its condition has only now a meaning
        stand.feeds["SETTLE"] = node.feeds["DELAY"]
    stand.is_broken = node.is_broken or any(feed.__class__ is Broken for feed in standing.values())
    program.nodes.append(stand)
    return Wire(stand, stand.block.outputs[0], ALL, ALL)


def _write_suppressed(name: Text, standing: dict[str, Feed], program: Program) -> TagDraft | None:
    """The tag that tells that the alarm is suppressed; None where it never is."""
    tag = program.implicit.get(f"alarm {name} suppressed")
    if tag is not None and "INHIBIT" in standing:
        add_write(tag, ALL, standing["INHIBIT"], name, program)
    return tag


def alarm_sections(section: Section, draft: Draft) -> list[tuple[Text, Section]]:
    """The alarms that are sections; anything else is reported."""
    found = [(name, as_section(words, name.at, f"the alarm `{name}`", draft.report)) for name, words in section.items()]
    return [(name, words) for name, words in found if words is not None]


def alarm_model(a: AlarmDraft) -> Alarm:
    """The alarm as everybody outside the office sees it."""
    return Alarm(
        a.name,
        a.active.name,
        a.of,
        a.limit,
        a.severity,
        a.text,
        a.at,
        a.kind,
        a.id,
        a.source,
        a.setpoint,
        a.suppressed.name if a.suppressed else "",
        a.shelve,
        a.is_latched,
    )


def name_first_out(draft: Draft) -> None:
    """Give `plc.first_out` the names of the alarms that it may show; called when all alarms are known."""
    draft.tags["plc.first_out"].names = tuple(enumerate(("none", *first_outs(map(alarm_model, draft.alarms)))))


def warn_of_critical(draft: Draft) -> None:
    """Warn of critical alarms by which no program does anything: critical means that the plant must not go on."""
    if draft.tags["plc.alarms_critical"].is_read:
        return
    for alarm in draft.alarms:
        if alarm.severity == SEVERITIES[-1] and not alarm.active.is_read:
            draft.report.warn(
                alarm.at,
                "W805",
                f"the critical alarm `{alarm_model(alarm).full_name}` stops nothing: no program reads `{alarm.active.name}`",
                "",
                "`plc.alarms_critical = 0` as a permit of an INTERLOCK lets every critical alarm stop the plant",
            )
