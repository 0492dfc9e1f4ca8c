"""Reads `outputs:` and claims a tag for its one writer. It must not know types on wires."""

from __future__ import annotations

from runtime.language.lower import lower_value
from runtime.language.network import ALL, BROKEN, Draft, Feed, Program, TagDraft, TagWrite
from runtime.language.numbered import NumberError, cut_index, is_numbered, numbered, shared_out
from runtime.source import Section, Text, nearest


def read_outputs(section: Section, program: Program, draft: Draft) -> None:
    """Each line of `outputs:` writes one tag, or one element of it."""
    for name, value in section.items():
        feed = lower_value(value, program.scope, f"{program.name}.{name}")
        write_tag(name, feed, program, draft)


def write_tag(name: Text, feed: Feed, program: Program, draft: Draft) -> None:
    """Let the program write the tag of this name, or each of `rack[*].run`; it is reported if it may not."""
    plain, index = cut_index(name)
    if is_numbered(plain):
        try:
            many = numbered(plain, draft)
        except NumberError as error:
            draft.report.error(name.at, "E208", str(error))
            return
        for one, part in zip(many, shared_out(feed, len(many)), strict=True):
            _write(one, index, part, name, program, draft)
        return
    tag = draft.tags.get(plain.lower())
    if tag is None:
        close = nearest(plain, (t.name for t in draft.tags.values()), 1)
        found = draft.tags[close[0].lower()] if close else None
        where = () if found is None or not found.at.line else (f"`{found.name}` is defined at {found.at.file}:{found.at.line}",)
        draft.report.error(name.at, "E101", f"no tag named `{plain}`", f"did you mean `{found.name}`?" if found else "", *where)
        return
    _write(tag, index, feed, name, program, draft)


def _write(tag: TagDraft, index: str, feed: Feed, name: Text, program: Program, draft: Draft) -> None:
    element = ALL if index in ("", "*") else int(index) - 1 if len(index) < 10 else 10**9
    if tag.type is None:
        tag.owner = tag.owner or f"program {program.name}"
        return
    if element != ALL and not 0 <= element < tag.length:
        ends = f"has elements 1 to {tag.length}, not {index}" if tag.length else "is no array"
        draft.report.error(name.at, "E208", f"`{tag.name}` {ends}")
        return
    if _may_write(tag, element, name, program, draft):
        add_write(tag, element, feed, name, program)


def add_write(tag: TagDraft, element: int, feed: Feed, at: Text, program: Program) -> None:
    """Enter the write; the program is the tag's owner from now on."""
    tag.owner = f"program {program.name}"
    write = TagWrite(tag, element, feed, at, program)
    tag.writes.append(write)
    if feed is not BROKEN:
        program.writes.append(write)


def _may_write(tag: TagDraft, element: int, name: Text, program: Program, draft: Draft) -> bool:
    report = draft.report
    if tag.kind in ("input", "system"):
        whose = "the runtime's own" if tag.kind == "system" else f"an input of the {tag.owner}"
        report.error(name.at, "E304", f"`{tag.name}` is {whose}: a program cannot write it", "")
        return False
    if tag.write:
        report.error(
            name.at,
            "E302",
            f"`{tag.name}` has two writers: the {tag.write} and the program {program.name}",
            "a tag has one writer",
            f"`{tag.name}` is defined at {tag.at.file}:{tag.at.line}",
        )
        return False
    others = [w for w in tag.writes if w.program is not program or ALL in (w.element, element) or w.element == element]
    if others:
        at = others[0].at.at
        report.error(
            name.at,
            "E302",
            f"`{tag.name}` has two writers",
            "a tag has one writer",
            f"the other is at {at.file}:{at.line}",
            "combine the two with SEL, MAX or a mode table, and write the result once",
        )
        return False
    return True
