"""The tags that the site and the runtime declare, and where each stands in the tag region. It must not know devices or programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from blocks.declare import BOOL, LREAL, TIME, TYPES, Type
from runtime.language.network import Draft, TagDraft
from runtime.language.quantities import NANOSECOND
from runtime.language.units import unit
from runtime.language.words import (
    TAG_NAME,
    as_section,
    check_words,
    choice_of,
    limits_of,
    names_of,
    text_of,
    truth_of,
    type_of,
    unit_of,
    value_of,
)
from runtime.model import ROLES, TagRegion
from runtime.source import Listing, Section, Text, place_of
from runtime.system_tags import STATES, SYSTEM_TAGS

TAG_WORDS = ("type", "unit", "range", "default", "retain", "write", "text", "pulse", "names")


def declare_system_tags(draft: Draft) -> None:
    """The runtime's own tags: `plc.scan`, `plc.first_scan` and so on."""
    for name, type_name, unit_text, text in SYSTEM_TAGS:
        names = tuple(enumerate(STATES)) if name == "plc.state" else ()
        draft.add_tag(
            TagDraft(
                name,
                TYPES[type_name],
                kind="system",
                unit=unit(unit_text) if unit_text else None,
                text=text,
                owner="runtime",
                names=names,
            )
        )


def declare_site_tags(section: Section, draft: Draft) -> None:
    """The site's own tags: commands of the operator, and what programs share."""
    for name, words in section.items():
        declared = as_section(words, name.at, f"the tag `{name}`", draft.report)
        if is_tag_name(name, draft):
            tag = site_tag(name, declared, draft) if declared is not None else TagDraft(name, None, at=name.at)
            draft.add_tag(tag)


def is_tag_name(name: Text, draft: Draft) -> bool:
    """Whether it is written as tags are; a mistake is reported."""
    if name.lower().startswith("device."):
        draft.report.error(
            name.at,
            "E106",
            f"`{name}`: the area `device` is the runtime's",
            "choose another area",
            "the runtime names the tags of each device there: `device.rack1.state`, `device.rack1.lost`, `device.rack1.errors`",
        )
        return False
    if TAG_NAME.match(name) and not name.lower().endswith(".good"):
        return True
    draft.report.error(
        name.at,
        "E106",
        f"`{name}` is not written as tags are",
        "`area.thing` or `rack[3].thing`, of letters, digits and _; `.good` is the runtime's",
    )
    return False


def site_tag(name: Text, section: Section, draft: Draft) -> TagDraft:
    """One line under the site's `tags:`."""
    report = draft.report
    check_words(section, TAG_WORDS, "a tag", report)
    tag = TagDraft(str(name), None, at=name.at)
    type_text = section.get("type")
    if not isinstance(type_text, Text):
        report.error(name.at, "E007", f"the tag `{name}` has no `type`", f"one of {', '.join(TYPES)}")
        return tag
    found = type_of(type_text, report)
    tag.unit = unit_of(section, report)
    tag.text = text_of(section, "text", report)
    tag.retain = truth_of(section, "retain", report)
    tag.pulse = truth_of(section, "pulse", report)
    tag.write = choice_of(section, "write", ROLES[1:], report, "")
    tag.names = names_of(section, report)
    tag.owner = "operator" if tag.write else ""
    if found is None:
        return tag
    tag.type, tag.length = found
    _check_unit(tag, section, draft)
    tag.minimum, tag.maximum = limits_of(section, "range", NANOSECOND if tag.type is TIME else tag.unit, report)
    tag.default = default_of(section, "default", tag, draft)
    _check_pulse(tag, section, draft)
    return tag


def _check_unit(tag: TagDraft, section: Section, draft: Draft) -> None:
    if tag.unit is not None and tag.type in (BOOL, TIME):
        draft.report.error(
            place_of(section["unit"]),
            "E201",
            f"a {tag.type} has no unit",
            "a TIME is nanoseconds and shown as a duration" if tag.type is TIME else "",
        )
        tag.unit = None


def _check_pulse(tag: TagDraft, section: Section, draft: Draft) -> None:
    if not tag.pulse:
        return
    at = section.key_at("pulse")
    if tag.type is not BOOL or tag.length:
        draft.report.error(at, "E202", f"a pulse is a single BOOL, and `{tag.name}` is {type_text(tag)}", "")
    if not tag.write:
        draft.report.error(at, "E007", f"nobody may write the pulse `{tag.name}`", "add `write: operator`")
    if tag.retain:
        draft.report.error(section.key_at("retain"), "E010", "a pulse is not retained", "it is true for one run only")


def default_of(section: Section, word: str, tag: TagDraft, draft: Draft) -> Any:
    """The value under `default`, `initial` or `safe`: one for all elements, or a list with one for each."""
    value = section.get(word)
    if tag.type is None:
        return 0
    if value is None:
        zero = 0.0 if tag.type is LREAL else 0
        low, high = tag.minimum, tag.maximum
        if low is not None and high is not None and not low <= 0 <= high:
            draft.report.error(
                tag.at, "E204", f"`{tag.name}` starts at 0, which is outside its range {low:g}..{high:g}", f"give it a `{word}`"
            )
        return (zero,) * tag.length if tag.length else zero
    items = value if isinstance(value, Listing) else [value]
    if isinstance(value, Listing) and len(value) != tag.length:
        draft.report.error(
            value.at, "E205", f"{len(value)} values for {tag.length or 'one'} element{'s' if tag.length else ''} of `{tag.name}`"
        )
        return 0
    numbers = [checked_value(item, word, tag, draft) for item in items]
    if tag.length:
        return tuple(numbers * tag.length if len(numbers) == 1 and not isinstance(value, Listing) else numbers)
    return numbers[0]


def checked_value(text: Any, word: str, tag: TagDraft, draft: Draft) -> Any:
    """One value of a tag, in its type, its unit and its range; 0 after a mistake."""
    if tag.type is None:
        return 0
    value = value_of(text, tag.type, tag.unit, word, draft.report)
    if value is None:
        return 0
    low, high = tag.minimum, tag.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        ends = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
        draft.report.error(place_of(text), "E204", f"{text} is outside the range {ends} of `{tag.name}`")
    return value


def type_text(tag: TagDraft) -> str:
    """`LREAL` or `LREAL[16]`."""
    return f"{tag.type}[{tag.length}]" if tag.length else str(tag.type)


def place_tags(tags: Iterable[TagDraft]) -> TagRegion:
    """Give every tag its row and its byte offset: 8-byte values, source times, 4-byte values, qualities, BOOLs, good flags."""
    drafts = list(tags)
    for index, tag in enumerate(drafts):
        tag.index = index
    end = _place(drafts, 8, 0)
    source_time = end
    end = _place(drafts, 4, end + 8 * len(drafts))
    quality = end
    end = _place(drafts, 1, end + 4 * len(drafts))
    good = end
    return TagRegion(-(-(end + len(drafts)) // 64) * 64, quality, source_time, good, len(drafts))


def _place(drafts: list[TagDraft], size: int, end: int) -> int:
    for tag in drafts:
        if _size(tag.type) == size:
            tag.offset = end
            end += size * (tag.length or 1)
    return end


def _size(type: Type | None) -> int:
    return 8 if type is None else type.size
