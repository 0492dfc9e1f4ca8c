"""`include: [config/common.yaml]`: several files make one site. It must not know what its sections mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.language.places import like
from runtime.language.words import texts_of
from runtime.source import Listing, Position, Report, Section, Text, place_of

AGAIN = "constants"  # the one section whose names may be given again: a site says how large it is
LISTS = ("io", "libraries", "overview")  # one value alone is a list of one

Read = Callable[[str, Text | None], Section | None]


def with_included(file: str, read: Read, report: Report) -> Section | None:
    """The site's file with all that it includes, as if it stood in one: what is included first, in its order."""
    files = _gather(file, None, read, {}, report)
    if not files or files[-1] is None:
        return None
    own = files[-1]
    parts = [part for part in files if part is not None]
    return own if len(parts) == 1 and "include" not in own else _joined(parts, own, report)


def _gather(file: str, reference: Text | None, read: Read, used: dict[str, Position], report: Report) -> list[Section | None]:
    """The files in their order, one that includes behind those that it includes; None for one that cannot be read."""
    used[file] = Position(file, 1, 1) if reference is None else reference.at
    section = read(file, reference)
    found: list[Section | None] = []
    for name in texts_of(section, "include", report) if section is not None else ():
        if name in used:
            first = used[name]
            report.error(name.at, "E702", f"the file {name} is included twice", "", f"the first time at {first.file}:{first.line}")
        else:
            found += _gather(str(name), name, read, used, report)
    return [*found, section]


def _joined(parts: list[Section], own: Section, report: Report) -> Section:
    made: dict[Text, Any] = {}
    for part in parts:
        for word, value in part.items():
            if word == "include":
                continue
            value = Listing([value], value.at) if word in LISTS and isinstance(value, Text) and value else value
            before = made.get(word)
            if before is None or _is_nothing(before):
                made[word] = value
            elif not _is_nothing(value):
                made[word] = _both(word, before, value, next(key for key in made if key == word), report)
    section: Section = like(own, list(made.items()))
    return section


def _is_nothing(value: Any) -> bool:
    return isinstance(value, Text) and not value and not value.quoted


def _both(word: Text, before: Any, value: Any, first: Text, report: Report) -> Any:
    """What two files say under one word; a name that both give is a mistake."""
    if isinstance(before, Section) and isinstance(value, Section):
        entries = dict(before.items())
        for key, entry in value.items():
            if key in entries and word != AGAIN:
                _say_twice(key, before.key_at(key), report)
            else:
                entries.pop(key, None)  # a dict keeps the first of two equal keys, and its place
                entries[key] = entry
        return like(value, list(entries.items()))
    if isinstance(before, Listing) and isinstance(value, Listing):
        return like(value, [*before, *value])
    _say_twice(word, place_of(first), report)
    return before


def _say_twice(key: Text, first: Position, report: Report) -> None:
    report.error(
        key.at,
        "E105",
        f"`{key}` stands in two files of this site",
        "only constants may be given again",
        f"the other is at {first.file}:{first.line}",
    )
