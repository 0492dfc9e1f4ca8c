"""Keeps `retain: true` tags and block instances over a restart: two generations on disk, each whole or not believed.

It reads snapshots and patches the initial memory of a schedule. The scan knows nothing of it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.north import Snapshot
from runtime.model import Schedule, Tag
from runtime.quality import GOOD_LOCAL_OVERRIDE

NEWEST, BEFORE = "retain.json", "retain.1.json"
STATE_EVERY_S = 60.0
BURST, CREDIT_EVERY_S = 10, 30.0  # writes at once, and how often one more: a setpoint that moves all day must not wear the disk out
MOST_UNKNOWN = 1000
CODES = {"BOOL": "u1", "DINT": "i4", "LINT": "i8", "TIME": "i8", "LREAL": "f8"}
# By folder, the names that a start said are dropped. What an online change took away is kept on disk until then: who goes back to
# the program before by a restart finds its counters.
_said_dropped: dict[Path, frozenset[str]] = {}


@dataclass(frozen=True)
class Restored:
    """A schedule with retained values in its initial memory, and in words what was restored and what was not."""

    schedule: Schedule
    restored: tuple[str, ...]
    notes: tuple[str, ...]


class Keeper:
    """Writes the retained values to disk when they change; `keep` is called now and then with the newest snapshot.

    The state of blocks changes all the time: for its sake alone the disk is written once in STATE_EVERY_S at most. A value that
    somebody changed is written at once, unless BURST were written shortly before: then within CREDIT_EVERY_S.
    """

    def __init__(self, folder: Path, schedule: Schedule):
        self._folder, self._tags = folder, retained(schedule)
        self._kept: dict[str, Any] | None = None
        self._saved = self._credited = -math.inf
        self._credit = 0.0

    def keep(self, snapshot: Snapshot, *, at_last: bool = False) -> bool:
        """Save if anything changed; whether it did. `at_last` saves a new state of blocks too, however young the old one is.

        Raises OSError where the disk does not take it.
        """
        values = {tag.name: self._unforced(tag, snapshot) for tag in self._tags}
        changed = [tag for tag in self._tags if self._kept is None or values[tag.name] != self._kept[tag.name]]
        now = time.monotonic()
        is_due = at_last or now - self._saved >= STATE_EVERY_S
        if not changed or (all(tag.state_of for tag in changed) and not is_due) or not (at_last or self._has_credit(now)):
            return False
        save(self._folder, self._tags, values)
        self._kept, self._saved = values, now
        self._credit -= 1
        return True

    def _has_credit(self, now: float) -> bool:
        """Whether the disk may be written again already."""
        self._credit = min(BURST, self._credit + (now - self._credited) / CREDIT_EVERY_S)
        self._credited = now
        return self._credit >= 1

    def _unforced(self, tag: Tag, snapshot: Snapshot) -> Any:
        """The tag's value; of a forced one what was kept before, since forces are gone at a restart."""
        if snapshot.quality(tag) != GOOD_LOCAL_OVERRIDE:
            return snapshot.value(tag)
        if self._kept is not None:
            return self._kept[tag.name]
        return _read(self._folder, []).get(tag.name, {}).get("value", _plain(tag.default))


def retained(schedule: Schedule) -> list[Tag]:
    return [tag for tag in schedule.tags if tag.retain]


def save(folder: Path, tags: list[Tag], value_of: Mapping[str, Any]) -> None:
    """Write the values aside and rename them into place; the generation before stays readable.

    Names that the program has no more stay until a start says that they are dropped, MOST_UNKNOWN of them at most.
    A newest one that is damaged is written over: in the place of the one before it would be all that a power cut now leaves.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob(f".{NEWEST}.*"):
        left.unlink()  # of one that was killed while it wrote
    values = {
        tag.name: {"type": tag.type, "unit": tag.unit, "default": _plain(tag.default), "value": value_of[tag.name]} for tag in tags
    }
    held = _read(folder, [])
    unknown = sorted(set(held) - set(values) - _said_dropped.get(folder, frozenset()))
    values |= {name: held[name] for name in unknown[:MOST_UNKNOWN]}
    body = json.dumps(values, sort_keys=True)
    text = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "values": body})
    aside = folder / f".{NEWEST}.{os.getpid()}"
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    newest = folder / NEWEST
    if newest.exists() and _is_whole(newest):
        newest.replace(folder / BEFORE)
    aside.replace(newest)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)  # the renames, too, must outlive a power cut
    finally:
        os.close(handle)


def restore(schedule: Schedule, folder: Path, *, is_start: bool = True, leave: frozenset[str] = frozenset()) -> Restored:
    """Put retained values over the defaults, by name. A default edited in the YAML since then wins; the notes say so.

    What the program has no more is dropped at a start; in a program that is loaded it waits, since the load may be undone.
    Tags of `leave` (names in lower case) stay at their defaults.
    """
    notes: list[str] = []
    values = _read(folder, notes)
    initial = schedule.initial.copy()
    done = []
    for name, tags in _together(retained(schedule)).items():
        known = [tag for tag in tags if tag.name in values]
        if not known or any(tag.name.lower() in leave for tag in tags):
            continue
        problems = [f"{tag.name} is new" for tag in tags if tag not in known]
        problems += [problem for tag in known if (problem := _why_not(tag, values[tag.name]))]
        if problems:
            notes.append(f"{name} starts at its default: {problems[0]}")
            continue
        for tag in tags:
            code = np.dtype(CODES[tag.type])
            places = (tag.offset, schedule.pins[tag.state_of][1]) if tag.state_of else (tag.offset,)
            for place in places:
                initial[place : place + max(tag.length, 1) * code.itemsize].view(code)[:] = values[tag.name]["value"]
        done.append(name)
    known_names = {tag.name for tag in schedule.tags if tag.retain}
    if not is_start:
        return Restored(replace(schedule, initial=initial), tuple(done), tuple(notes))
    _said_dropped[folder] = frozenset(set(values) - known_names)
    notes += [f"{name} is dropped: no tag or block of this name is retained any more" for name in sorted(_said_dropped[folder])]
    return Restored(replace(schedule, initial=initial), tuple(done), tuple(notes))


def _together(tags: list[Tag]) -> dict[str, list[Tag]]:
    """What is restored as a whole or not at all: a tag by itself, or all of a block's state, which half of would be a lie."""
    found: dict[str, list[Tag]] = {}
    for tag in tags:
        found.setdefault(tag.name.rpartition(".")[0] if tag.state_of else tag.name, []).append(tag)
    return found


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _why_not(tag: Tag, held: dict[str, Any]) -> str:
    value = held.get("value")
    if held.get("type") != tag.type:
        return f"its type changed from {held.get('type')} to {tag.type}"
    if (len(value) if isinstance(value, list) else 0) != tag.length:
        return f"it has {tag.length or 'no'} elements now"
    if held.get("unit", tag.unit) != tag.unit:  # older files name none
        return f"its unit changed from {held['unit'] or 'none'} to {tag.unit or 'none'}"
    if json.dumps(held.get("default")) != json.dumps(_plain(tag.default)):  # as text: NaN is what it was
        return f"its default was edited from {held.get('default')} to {_plain(tag.default)}"
    if tag.state_of:  # any bits that the block had are its own: NaN says "not yet" in some
        return ""
    numbers = value if isinstance(value, list) else [value]
    low = -np.inf if tag.minimum is None else tag.minimum
    high = np.inf if tag.maximum is None else tag.maximum
    if not all(isinstance(x, int | float) and low <= x <= high and np.isfinite(x) for x in numbers):
        return f"the retained value {value} is outside {low:g}..{high:g}"
    return ""


def _read(folder: Path, notes: list[str]) -> dict[str, dict[str, Any]]:
    """The newest generation that is whole."""
    for name in (NEWEST, BEFORE):
        path = folder / name
        if not path.exists():
            continue
        try:
            return _values_in(path)
        except (ValueError, KeyError, AttributeError, TypeError, OSError) as error:
            notes.append(f"{path} is damaged ({error}): it is not used")
    return {}


def _values_in(path: Path) -> dict[str, dict[str, Any]]:
    """What a generation holds. Raises OSError, and what else a damaged text leads to."""
    outer = json.loads(path.read_text(encoding="utf-8"))
    if hashlib.sha256(outer["values"].encode()).hexdigest() != outer["sha256"]:
        raise ValueError("checksum")
    values: dict[str, dict[str, Any]] = json.loads(outer["values"])
    return values


def _is_whole(path: Path) -> bool:
    try:
        _values_in(path)
    except (ValueError, KeyError, AttributeError, TypeError, OSError):
        return False
    return True
