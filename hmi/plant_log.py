"""The plant's own log, newest first: what its processes said of states, modes, trips, alarms, devices and loads.

The newest part of each file is read, never all of it; lines that tell of people are left out, so that everybody may read it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hmi.texts import events as words
from runtime.journal import SUFFIX, log_folder_of

PROCESSES = ("runtime", "fieldbus", "records", "recorder")
NEWEST = 4_000_000  # bytes of each process
FILES = 4  # of each process: the one that is written, and those that were set aside before it
_EVENT = re.compile(rb'"event": ?"(' + b"|".join(re.escape(name.encode()) for name in words.PLANT) + rb')"')


@dataclass(frozen=True, slots=True)
class Told:
    """One line: its time in ns since 1970, what kind it is of, how bad it is, what it says, and in which scan it was."""

    time: int
    kind: str
    level: str
    text: str
    scan: int


def plant_log(state: str, limit: int) -> list[Told]:
    """The newest lines, newest first. Raises OSError where the files are not for us to read."""
    folder = log_folder_of(Path(state))
    found = [line for process in PROCESSES for text in _lines(folder, process) if (line := _told(process, text)) is not None]
    return sorted(found, key=lambda line: -line.time)[:limit]


def _lines(folder: Path, process: str) -> list[bytes]:
    """The lines of a process that may be told, as far as its newest bytes reach."""
    left, found = NEWEST, []
    for name in [f"{process}{SUFFIX}", *(f"{process}{SUFFIX}.{number}" for number in range(1, FILES))]:
        try:
            with (folder / name).open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - left))
                text = file.read(left)
        except FileNotFoundError:
            break
        found += [line for line in text.split(b"\n") if _EVENT.search(line)]
        left -= len(text)
        if left <= 0:
            break
    return found


def _told(process: str, text: bytes) -> Told | None:
    """The line in words; None where it is of a person, of another process' affairs, or was cut."""
    try:
        facts: dict[str, Any] = json.loads(text)
        said = datetime.fromisoformat(facts["timestamp"])
        kind, of, sentence = words.PLANT[str(facts["event"])]
    except (ValueError, KeyError, TypeError):
        return None
    if facts.get("audit") or (of and of != process):
        return None
    shown = {word: _short(value) for word, value in facts.items()}
    time = int(said.timestamp()) * 1_000_000_000 + said.microsecond * 1000
    scan = facts.get("scan")
    return Told(
        time, kind, str(facts.get("level", "info")), sentence.format_map(_Facts(shown)), scan if isinstance(scan, int) else 0
    )


class _Facts(dict[str, str]):
    """The facts of a line; one that it does not tell is a dash."""

    def __missing__(self, word: str) -> str:
        return words.NOT_TOLD


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value[:8]) + (" ..." if len(value) > 8 else "")
    return f"{value:.6g}" if isinstance(value, float) else words.NOT_TOLD if value is None else str(value)[:300]
