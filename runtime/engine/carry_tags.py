"""Which tags keep their value when another program takes a running one's place, and which must not change their meaning there.

It reads schedules only. What nothing feeds keeps nothing: it is a constant of the new text, not the trace of a writer that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from blocks.declare import TYPES
from runtime.model import Schedule, Tag

Spans = list[tuple[int, int]]  # the first byte within the tag, and how many


def kept_tags(old: Schedule, new: Schedule, dropped: list[str]) -> Iterator[tuple[Tag, Tag, Spans]]:
    """Each tag that keeps its value or a part of it: as it is now, as it was, and the spans that are kept."""
    known = {tag.name.lower(): tag for tag in old.tags}
    fed, fed_before = _Fed(new), _Fed(old)
    for tag in new.tags:
        before = known.get(tag.name.lower())
        if before is None:
            continue
        why = why_other(before, tag)
        if why:
            dropped.append(f"{tag.name}: {why}")
            continue
        spans, was = fed.spans(tag), fed_before.spans(before)
        if not set(was) <= set(spans):
            what = "some of its elements" if spans else "it"
            dropped.append(f"{tag.name}: nothing writes {what} any more, it starts at {_first_value(new, tag)}")
        if spans:
            yield tag, before, spans


class _Fed:
    """Which cells of the tags somebody writes: a copy, the latch, a command, or the runtime itself."""

    def __init__(self, schedule: Schedule):
        copies, size = schedule.copies, schedule.region.size
        target, length = np.asarray(copies.target, np.int64), np.asarray(copies.size, np.int64)
        inside = target < size
        steps = np.zeros(size + 1, np.int64)
        np.add.at(steps, target[inside], 1)
        np.add.at(steps, np.minimum(target[inside] + length[inside], size), -1)
        self._copied = np.cumsum(steps) > 0
        self._latched = set(np.asarray(schedule.inputs.tag).tolist())
        self._commanded = np.asarray(schedule.commands.target)

    def spans(self, tag: Tag) -> Spans:
        """Element by element: an array may have a writer for each."""
        size = TYPES[tag.type].size
        whole = [(place, size) for place in range(0, size * max(tag.length, 1), size)]
        if tag.kind in ("system", "input") or tag.write or tag.pulse or tag.state_of or tag.index in self._latched:
            return whole
        if self._commanded[tag.index] >= 0:
            return whole
        return [span for span in whole if self._copied[tag.offset + span[0]]]


def why_other(before: Tag, tag: Tag) -> str:
    """How a tag of the same name is another one now, so that it keeps nothing; empty where it is the same."""
    if (before.type, before.length) != (tag.type, tag.length):
        return f"{_type_of(before)} becomes {_type_of(tag)}"
    if before.unit != tag.unit:
        return f"its unit {before.unit or 'none'} becomes {tag.unit or 'none'}"
    return ""


def _type_of(tag: Tag) -> str:
    return f"{tag.type}[{tag.length}]" if tag.length else tag.type


def _first_value(schedule: Schedule, tag: Tag) -> str:
    code = np.dtype(TYPES[tag.type].code)
    values = schedule.initial[tag.offset :][: code.itemsize * max(tag.length, 1)].view(code).tolist()
    return "its default" if tag.length else _text(tag, values[0])


def _text(tag: Tag, value: Any) -> str:
    if tag.type == "BOOL":
        return "true" if value else "false"
    if tag.type == "TIME":
        return f"{value / 1e9:g} s"
    return dict(tag.names).get(value) or f"{value:g} {tag.unit}".rstrip()


def why_refused(old: Schedule, new: Schedule, value_of: Callable[[str], Any]) -> str:
    """The first tag whose running value would mean something else, or what it may not be; empty where there is none."""
    known = {tag.name.lower(): tag for tag in old.tags}
    computed = {name.lower() for group in new.groups if group.block == "FIRST_TRUE" for name in group.instances}
    for tag in new.tags:
        before = known.get(tag.name.lower())
        if before is None or tag.kind in ("system", "input") or why_other(before, tag):
            continue
        if tag.names != before.names and f"{tag.name}s".lower() not in computed:  # `p.mode` of `p.modes` is found anew in each run
            why = _other_names(before, tag, value_of)
        elif tag.write and (tag.minimum, tag.maximum) != (before.minimum, before.maximum):
            why = _outside(tag, value_of)
        else:
            continue
        if why:
            return f"{tag.name}{why}"
    return ""


def _other_names(before: Tag, tag: Tag, value_of: Callable[[str], Any]) -> str:
    names, was = dict(tag.names), dict(before.names)
    if any(names.get(number, name) != name for number, name in was.items()):
        what = "names" if tag.write else "steps"
        return f": its numbers mean other {what} now; add new {what} at the end, or restart the site"
    gone = [was[value] for value in _values(tag, value_of) if value in was and names and value not in names]
    return f" stands at {gone[0]}, which it has no more" if gone else ""


def _outside(tag: Tag, value_of: Callable[[str], Any]) -> str:
    low, high = (-np.inf if tag.minimum is None else tag.minimum), (np.inf if tag.maximum is None else tag.maximum)
    far = [value for value in _values(tag, value_of) if value < low or value > high]
    if not far:
        return ""
    bounds = f"{'' if tag.minimum is None else f'{low:g}'}..{'' if tag.maximum is None else f'{high:g}'} {tag.unit}".rstrip()
    return f" stands at {_text(tag, far[0])}, outside its new range {bounds}: set it first"


def _values(tag: Tag, value_of: Callable[[str], Any]) -> list[Any]:
    values = value_of(tag.name)
    return values if isinstance(values, list) else [values]
