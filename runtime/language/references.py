"""Tags that the site itself names: its overview, and the key switch between local and remote control."""

from __future__ import annotations

from runtime.language.network import Draft, TagDraft
from runtime.language.numbered import NumberError, is_numbered, numbered
from runtime.language.words import texts_of
from runtime.source import Section, Text, did_you_mean, place_of


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


def _tag_of(text: str, draft: Draft) -> TagDraft | None:
    tag = draft.tags.get(text.lower())
    if tag is None:
        hint = did_you_mean(text, (t.name for t in draft.tags.values()))
        draft.report.error(place_of(text), "E101", f"no tag named `{text}`", hint)
        return None
    tag.is_read = True
    return tag
