"""Where each tag of a map that is laid out by itself stands, kept over restarts. It knows no tag, no format and no socket.

Known keys keep their addresses; new ones are appended. What is gone leaves a hole, which waits for its return; only where a shelf
is full are holes given to others. So no key that stays ever moves. The file is JSON: shelf, key, [address, size].
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "modbus_map.json"
FORMAT = 1
Span = tuple[int, int]  # the first address, and the one after the last


class PlacesError(Exception):
    """The file does not say where the tags stand."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A range of addresses for one kind of entry."""

    name: str
    first: int
    end: int


@dataclass
class Places:
    """The address and size of every key of every shelf, also of those that are gone."""

    shelves: dict[str, dict[str, Span]] = field(default_factory=dict)

    def allot(self, shelf: Shelf, wanted: Sequence[tuple[str, int]], taken: Iterable[Span] = ()) -> dict[str, int]:
        """The address of each key (with its size); a key that finds no room has none. `taken` are ranges of others."""
        known = self.shelves.setdefault(shelf.name, {})
        present = dict(wanted)
        others = [span for span in taken if span[0] < shelf.end and span[1] > shelf.first]
        for key, size in wanted:  # what this shelf cannot have given out
            if key in known and (known[key][1] - known[key][0] != size or not shelf.first <= known[key][0] <= shelf.end - size):
                del known[key]
        missing = [(key, size) for key, size in wanted if key not in known]
        end = max((last for _, last in known.values()), default=shelf.first)
        for key, size in missing:
            start = _free([(shelf.first, end), *others], size, end)
            if start + size <= shelf.end:
                known[key] = (start, start + size)
                end = start + size
            else:
                self._into_a_hole(shelf, known, key, size, others, present)
                end = max(end, known.get(key, (0, 0))[1])
        return {key: known[key][0] for key, _ in wanted if key in known}

    def _into_a_hole(
        self, shelf: Shelf, known: dict[str, Span], key: str, size: int, others: list[Span], present: dict[str, int]
    ) -> None:
        standing = [span for other, span in known.items() if other in present]
        start = _free([*standing, *others], size, shelf.first)
        if start + size > shelf.end:
            return
        for gone in [k for k, span in known.items() if k not in present and span[0] < start + size and span[1] > start]:
            del known[gone]
        known[key] = (start, start + size)

    def write(self, file: Path) -> None:
        """Write the file aside and rename it, where it does not say the same already. Raises OSError."""
        text = json.dumps({"format": FORMAT, "shelves": self.shelves}, indent=1)
        if file.exists() and file.read_bytes() == text.encode():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        with aside.open("w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(file)


def _free(taken: Iterable[Span], size: int, first: int) -> int:
    """The first address from `first` on with so much room before the next span."""
    start = first
    for low, high in sorted(taken):
        if low < start + size and high > start:
            start = high
    return start


def read_places(file: Path) -> Places:
    """What the file says; nothing where there is none. Raises PlacesError, since other addresses must never come unasked."""
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return Places()
    except OSError as error:
        raise PlacesError(f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise PlacesError(f"is no JSON: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("shelves"), dict):
        raise PlacesError(f"is no map of format {FORMAT}")
    return Places({str(name): _read_shelf(name, keys) for name, keys in found["shelves"].items()})


def _read_shelf(name: str, keys: Any) -> dict[str, Span]:
    if not isinstance(keys, dict):
        raise PlacesError(f"has no keys on its shelf `{name}`")
    known: dict[str, Span] = {}
    for key, span in keys.items():
        is_span = isinstance(span, list) and len(span) == 2 and all(type(end) is int for end in span)
        if not is_span or not 0 <= span[0] < span[1] <= 65536:
            raise PlacesError(f"gives `{key}` the addresses {span}")
        known[key] = (span[0], span[1])
    reached = 0
    for low, high in sorted(known.values()):
        if low < reached:
            raise PlacesError(f"gives two tags the address {low} on its shelf `{name}`")
        reached = high
    return known
