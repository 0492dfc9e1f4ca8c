"""What differs between two checked sites as an engineer reads it: blocks, wires, parameters, tags, tasks, alarms, settings.

It reads schedules only: what feeds a pin is found from the copies and the shared columns. It must not know files or processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from blocks import catalogue
from blocks.declare import INPUT, TYPES
from runtime.model import Group, Schedule, Site, Tag
from runtime.watch_units import Units

MOST_HOPS = 4  # a value spread over many rows is copied once and then repeated
UNSEEN = ("at", "index", "offset")  # where a tag stands is nobody's business


@dataclass(frozen=True)
class Difference:
    """One line: what kind of thing (`block`, `wire`, `parameter`, `tag`, `task`, `alarm`, `server`), its name, before and after.

    Empty `before`: it is new; empty `after`: it is gone.
    """

    kind: str
    name: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"+ {self.kind} {self.name}: {self.after}"
        if not self.after:
            return f"- {self.kind} {self.name}: {self.before}"
        return f"~ {self.kind} {self.name}: {self.before} -> {self.after}"


def differences(old: Site, new: Site) -> tuple[Difference, ...]:
    """Everything that differs, kind by kind, in the order of the new site."""
    before, after = old.schedule, new.schedule
    found = [
        *_named("block", _blocks(before), _blocks(after)),
        *_feeds(before, after),
        *_named("tag", {t.name: _tag_text(t) for t in before.tags}, {t.name: _tag_text(t) for t in after.tags}),
        *_named("task", _tasks(before), _tasks(after)),
        *_named("alarm", _alarms(before), _alarms(after)),
        *_named("server", _servers(old), _servers(new)),
    ]
    return tuple(found)


def _named(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for name, text in after.items():
        if before.get(name, "") != text:
            yield Difference(kind, name, before.get(name, ""), text)
    for name, text in before.items():
        if name not in after:
            yield Difference(kind, name, text, "")


def _blocks(schedule: Schedule) -> dict[str, str]:
    return {name: _kind_of(group) for group in schedule.groups for name in group.instances}


def _kind_of(group: Group) -> str:
    return group.block + (f" of {group.chosen}" if group.chosen else "") + (f"[{group.length}]" if group.length else "")


def _tasks(schedule: Schedule) -> dict[str, str]:
    tick = schedule.tick / 1e6
    return {
        t.name: f"every {t.every * tick:g} ms" + (f" at {t.phase * tick:g} ms" if t.phase else "") + f", {', '.join(t.programs)}"
        for t in schedule.tasks
    }


def _alarms(schedule: Schedule) -> dict[str, str]:
    return {
        a.full_name: " ".join(w for w in (a.severity, a.of, a.limit, a.id, f"`{a.text}`" if a.text else "") if w)
        for a in schedule.alarms
    }


def _servers(site: Site) -> dict[str, str]:
    return {name: f"{settings} (from the next start on)" for name, settings in site.servers.items()}


def _tag_text(tag: Tag) -> str:
    """A tag's declaration in short: what is other than usual."""
    words = [f"{tag.type}[{tag.length}]" if tag.length else tag.type]
    for field in fields(tag):
        value = getattr(tag, field.name)
        if field.name not in (*UNSEEN, "name", "type", "length", "kind") and value not in ("", None, False, ()):
            words.append(f"{field.name} {value}")
    return ", ".join(words)


def _feeds(before: Schedule, after: Schedule) -> Iterator[Difference]:
    """Pins and tags that are fed otherwise: another wire, another parameter."""
    was, now = dict(_Feeds(before)), dict(_Feeds(after))
    for name, feed in now.items():
        if name in was and was[name] != feed:
            if "" in (was[name].constant, feed.constant):
                yield Difference("wire", name, was[name].text, feed.text)
            else:
                yield Difference("parameter", name, _with_unit(before, name, was[name].text), _with_unit(after, name, feed.text))


def _with_unit(schedule: Schedule, pin: str, text: str) -> str:
    return f"{text} {Units(schedule, catalogue()).as_tag(pin).unit}".rstrip() if pin in schedule.pins else text


@dataclass(frozen=True)
class _Feed:
    source: str
    constant: str

    @property
    def text(self) -> str:
        return self.source or self.constant


class _Feeds:
    """What feeds each input pin and each tag that is written by copies."""

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        copies = schedule.copies
        order = np.argsort(copies.target, kind="stable")
        self.target, self.source, self.size = (np.asarray(c, np.int64)[order] for c in (copies.target, copies.source, copies.size))
        self.names = dict(self._cells())

    def _cells(self) -> Iterator[tuple[int, str]]:
        """Names by the offset of every cell that something can be read from."""
        region = self.schedule.region
        known = catalogue()
        for group in self.schedule.groups:
            for pin in known[group.block].pins:
                if pin.kind != INPUT:
                    for instance in group.instances:
                        kind, offset, length = self.schedule.pins[f"{instance}.{pin.name}"]
                        yield from _elements(f"{instance}.{pin.name}", kind, offset, length)
        for tag in self.schedule.tags:
            yield from _elements(tag.name, tag.type, tag.offset, tag.length)
            yield region.good + tag.index, f"{tag.name}.good"
        commands = self.schedule.commands
        visible = {pending: seen for task in self.schedule.tasks for pending, seen in task.pulses}
        for tag in self.schedule.tags:
            first = int(commands.pulse[tag.index])
            for cell in range(first, first + int(commands.pulse_count[tag.index]) if first >= 0 else first):
                yield visible.get(int(commands.pulse_cells[cell]), -1), tag.name

    def __iter__(self) -> Iterator[tuple[str, _Feed]]:
        known = catalogue()
        for group in self.schedule.groups:
            inputs = [pin.name for pin in known[group.block].pins if pin.kind == INPUT]
            for instance in group.instances:
                for name in inputs:
                    pin = f"{instance}.{name}"
                    yield pin, self._feed(*self.schedule.pins[pin], is_written=False)
        for tag in self.schedule.tags:
            feed = self._feed(tag.type, tag.offset, tag.length, is_written=True)
            if feed.source:
                yield tag.name, feed

    def _feed(self, kind: str, offset: int, length: int, *, is_written: bool) -> _Feed:
        sources = []
        for element in range(max(length, 1)):
            source = self._source(offset + element * TYPES[kind].size, is_written=is_written)
            if not source:
                break
            sources.append(source)
        if sources:
            return _Feed(sources[0] if len(sources) == 1 else f"{sources[0]} .. {sources[-1]}", "")
        values = self.schedule.initial[offset:][: max(length, 1) * TYPES[kind].size].view(TYPES[kind].code)
        return _Feed("", _constant(kind, values.tolist(), length))

    def _source(self, cell: int, *, is_written: bool) -> str:
        """The name of what is copied into a cell, or whose column it shares; empty where it holds a constant."""
        if not is_written and cell in self.names:
            return self.names[cell]
        for _ in range(MOST_HOPS):
            place = int(np.searchsorted(self.target, cell, "right")) - 1
            if place < 0 or cell >= self.target[place] + self.size[place]:
                return ""
            unit = int(self.target[place] - self.source[place])
            away = int(cell - self.target[place])
            cell = int(self.source[place]) + (away % unit if 0 < unit < self.size[place] else away)
            if cell in self.names:
                return self.names[cell]
        return ""


def _elements(name: str, kind: str, offset: int, length: int) -> Iterator[tuple[int, str]]:
    if not length:
        yield offset, name
        return
    size = TYPES[kind].size
    for element in range(length):
        yield offset + element * size, f"{name}[{element + 1}]"


def _constant(kind: str, values: list[Any], length: int) -> str:
    texts = [_plain(kind, value) for value in values]
    return texts[0] if not length else f"[{', '.join(texts[:8])}{', ...' if len(texts) > 8 else ''}]"


def _plain(kind: str, value: Any) -> str:
    if kind == "BOOL":
        return "true" if value else "false"
    if kind == "TIME":
        return f"{value / 1e9:g} s"
    return f"{value:g}" if kind == "LREAL" else str(value)
