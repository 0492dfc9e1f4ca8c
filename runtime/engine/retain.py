"""Keeps the values of `retain: true` tags over a restart: two generations on disk, each whole or not believed.

It reads snapshots and patches the initial memory of a schedule. The scan knows nothing of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.north import Snapshot
from runtime.model import Schedule, Tag

NEWEST, BEFORE = "retain.json", "retain.1.json"
CODES = {"BOOL": "u1", "DINT": "i4", "LINT": "i8", "TIME": "i8", "LREAL": "f8"}


@dataclass(frozen=True)
class Restored:
    """A schedule with retained values in its initial memory, and in words what was restored and what was not."""

    schedule: Schedule
    restored: tuple[str, ...]
    notes: tuple[str, ...]


class Keeper:
    """Writes the retained values to disk when they change; `keep` is called now and then with the newest snapshot."""

    def __init__(self, folder: Path, schedule: Schedule):
        self._folder, self._tags = folder, retained(schedule)
        self._kept: dict[str, Any] | None = None

    def keep(self, snapshot: Snapshot) -> bool:
        """Save if anything changed; whether it did. Raises OSError where the disk does not take it."""
        values = {tag.name: snapshot.value(tag) for tag in self._tags}
        if values == self._kept or not values:
            return False
        save(self._folder, self._tags, values)
        self._kept = values
        return True


def retained(schedule: Schedule) -> list[Tag]:
    return [tag for tag in schedule.tags if tag.retain]


def save(folder: Path, tags: list[Tag], value_of: Mapping[str, Any]) -> None:
    """Write the values aside and rename them into place; the generation before stays readable."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {tag.name: {"type": tag.type, "default": _plain(tag.default), "value": value_of[tag.name]} for tag in tags}
    body = json.dumps(values, sort_keys=True)
    text = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "values": body})
    aside = folder / f".{NEWEST}.{os.getpid()}"
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    newest = folder / NEWEST
    if newest.exists():
        newest.replace(folder / BEFORE)
    aside.replace(newest)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)  # the renames, too, must outlive a power cut
    finally:
        os.close(handle)


def restore(schedule: Schedule, folder: Path) -> Restored:
    """Put retained values over the defaults, by name. A default edited in the YAML since then wins; the notes say so."""
    notes: list[str] = []
    values = _read(folder, notes)
    initial = schedule.initial.copy()
    done = []
    for tag in retained(schedule):
        held = values.get(tag.name)
        if held is None:
            continue
        problem = _why_not(tag, held)
        if problem:
            notes.append(f"{tag.name} starts at its default: {problem}")
            continue
        code = np.dtype(CODES[tag.type])
        count = max(tag.length, 1)
        initial[tag.offset : tag.offset + count * code.itemsize].view(code)[:] = held["value"]
        done.append(tag.name)
    return Restored(replace(schedule, initial=initial), tuple(done), tuple(notes))


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _why_not(tag: Tag, held: dict[str, Any]) -> str:
    value = held.get("value")
    if held.get("type") != tag.type or (isinstance(value, list) and len(value) != tag.length):
        return f"its type changed from {held.get('type')} to {tag.type}"
    if held.get("default") != _plain(tag.default):
        return f"its default was edited from {held.get('default')} to {_plain(tag.default)}"
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
            outer = json.loads(path.read_text(encoding="utf-8"))
            if hashlib.sha256(outer["values"].encode()).hexdigest() == outer["sha256"]:
                values: dict[str, dict[str, Any]] = json.loads(outer["values"])
                return values
            notes.append(f"{path} is damaged (checksum): it is not used")
        except (ValueError, KeyError, AttributeError, TypeError, OSError) as error:
            notes.append(f"{path} cannot be read ({error}): it is not used")
    return {}
