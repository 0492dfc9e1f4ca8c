"""Tags that the site itself names: its overview, its key switch, and those by which it talks to the runtime that runs it."""

from __future__ import annotations

from runtime.language.network import Draft, TagDraft
from runtime.language.numbered import NumberError, is_numbered, numbered
from runtime.language.words import check_words, section_of, texts_of
from runtime.requests import Requests
from runtime.source import Section, Text, did_you_mean, place_of

RUNTIME_WORDS = tuple(Requests.__dataclass_fields__)


def read_overview(site: Section, draft: Draft) -> tuple[str, ...]:
    """The tags that the status view shows, in order; `rack[*].soc` shows that of every rack."""
    shown: list[str] = []
    for text in texts_of(site, "overview", draft.report):
        shown += [tag.name for tag in _tags_of(text, draft)]
    return tuple(shown)


def _tags_of(text: Text, draft: Draft) -> list[TagDraft]:
    if not is_numbered(text):
        tag = _tag_of(text, draft)
        return [] if tag is None else [tag]
    try:
        return numbered(text, draft)
    except NumberError as error:
        draft.report.error(text.at, "E101", str(error))
        return []


def read_authority(site: Section, draft: Draft) -> TagDraft | None:
    """The BOOL that is true while the site is under remote control; None where the site names none."""
    texts = texts_of(site, "authority", draft.report)
    tag = _tag_of(texts[0], draft) if texts else None
    if tag is not None and (tag.type is None or tag.type.name != "BOOL" or tag.length):
        draft.report.error(place_of(texts[0]), "E202", f"`{tag.name}` is no BOOL", "true: remote control, false: local")
        return None
    return tag


def read_requests(site: Section, draft: Draft) -> Requests:
    """The tags of `runtime:`. A command that is no pulse would stay, and a request that is a pulse could be missed."""
    report, section = draft.report, section_of(site, "runtime", "`runtime`", draft.report)
    check_words(section, RUNTIME_WORDS, "`runtime`", report)
    found = {}
    for word in (word for word in RUNTIME_WORDS if word in section):
        text = section[word]
        if not isinstance(text, Text) or not text:
            report.error(place_of(text, section.key_at(word)), "E010", f"`{word}` is one tag", f"`{word}: site.{word}`")
            continue
        tag = _tag_of(text, draft)
        if tag is None or tag.type is None:
            continue
        if tag.type.name != "BOOL" or tag.length:
            report.error(text.at, "E202", f"`{tag.name}` is no BOOL", _MEANS[word])
        elif word == "refused" and not (tag.pulse and tag.write):
            report.error(
                text.at, "E010", f"`{tag.name}` is no command", _MEANS[word], "declare it with `pulse: true, write: engineer`"
            )
        elif word in ("restart", "reboot") and (tag.pulse or tag.retain or tag.default):
            wrong = "a pulse" if tag.pulse else "retained" if tag.retain else "true from the start"
            report.error(text.at, "E010", f"`{tag.name}` is {wrong}", _MEANS[word], _NOT_SO[wrong])
        else:
            found[word] = tag.name
    return Requests(**found)


_MEANS = {
    "changes": "true: a load may make outputs jump or lose values",
    "refused": "the runtime gives it once when it refuses a load",
    "restart": "true for a second or longer: the application is started anew",
    "reboot": "true for a second or longer: the machine is rebooted",
}
_NOT_SO = {
    "a pulse": "a pulse lasts one scan, and the runtime looks four times a second: let a step of a sequence hold it",
    "retained": "it would ask again after the start that it asked for",
    "true from the start": "it would ask again after the start that it asked for",
}


def _tag_of(text: str, draft: Draft) -> TagDraft | None:
    tag = draft.tags.get(text.lower())
    if tag is None:
        hint = did_you_mean(text, (t.name for t in draft.tags.values()))
        draft.report.error(place_of(text), "E101", f"no tag named `{text}`", hint)
        return None
    tag.is_read = True
    return tag
