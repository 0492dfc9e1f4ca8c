"""Reads the log of a site, running or not: the files of all its processes as one stream of lines in the order of their times.

It must not know how a line is shown.
"""

from __future__ import annotations

import heapq
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from runtime.journal import SUFFIX

LEVELS = ("debug", "info", "warning", "error", "critical")
PERIODIC = "status"  # the event that comes every few seconds and tells nothing new
_OWN = frozenset({"timestamp", "level", "event", "process", "service"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its time in ns since 1970, its process, level and event, and the facts that belong to it."""

    time: int
    process: str
    level: str
    event: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which lines are asked for: from `since` up to `until`, at least of this level, and of these words where there are any."""

    since: int = 0
    until: int = 2**63 - 1
    level: str = "debug"
    process: str = ""
    event: str = ""
    about: tuple[str, ...] = ()

    def takes(self, line: Line) -> bool:
        """Whether the line is one of them."""
        return (
            self.since <= line.time <= self.until
            and LEVELS.index(line.level) >= LEVELS.index(self.level)
            and self.process.lower() in ("", line.process.lower())
            and self.event.lower() in line.event.lower()
            and self._is_told(line)
            and (not self.about or any(_is_about(line, word) for word in self.about))
        )

    def _is_told(self, line: Line) -> bool:
        """Status lines come every ten seconds and drown the rest: they count as debug, or are asked for by event or process."""
        is_asked = bool(self.event) or (not self.about and (self.level == "debug" or bool(self.process)))
        return line.event != PERIODIC or is_asked


def _is_about(line: Line, word: str) -> bool:
    """Whether the tag, device or other word stands in the event or the facts; `*` stands for any letters."""
    pattern = re.compile(re.escape(word).replace(r"\*", r"[^\s\"]*"), re.IGNORECASE)
    return bool(pattern.search(f"{line.event} {json.dumps(line.facts, ensure_ascii=False, default=str)}"))


class Log:
    """The log in this folder. `lines` reads what is there, `news` what came since."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._open: dict[str, _Tail] = {}

    def processes(self) -> list[str]:
        """The processes that have said anything."""
        names = {path.name.partition(SUFFIX)[0] for path in self.folder.glob(f"*{SUFFIX}*")}
        return sorted(names)

    def lines(self, since: int = 0) -> Iterator[Line]:
        """All lines from this time on, in the order of time. Raises OSError where the files are not for us to read."""
        parts = []
        for name in self.processes():
            tail = self._tail(name)
            parts.append(_dated(name, [line for part in (_older(tail.path, tail.inode, since), tail.take()) for line in part]))
        return (line for line in heapq.merge(*parts, key=lambda line: line.time) if line.time >= since)

    def news(self) -> list[Line]:
        """What was written since the last call of `lines` or `news`."""
        found = [line for name in self.processes() for line in _dated(name, self._tail(name).take())]
        return sorted(found, key=lambda line: line.time)

    def _tail(self, name: str) -> _Tail:
        if name not in self._open:
            self._open[name] = _Tail(self.folder / f"{name}{SUFFIX}")
        return self._open[name]


class _Tail:
    """The newest file of a process, read as far as it is written; it follows the file when that is set aside."""

    def __init__(self, path: Path):
        self.path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._begin()

    @property
    def inode(self) -> int:
        return os.fstat(self._file.fileno()).st_ino if self._file else 0

    def _begin(self) -> None:
        self._rest = b""
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError:
            self._file = None  # set aside a moment ago, or not begun yet

    def take(self) -> list[bytes]:
        """The whole lines that came."""
        found = self._read()
        try:
            is_same = os.stat(self.path).st_ino == self.inode
        except FileNotFoundError:
            is_same = True
        if not is_same:
            found += self._read()  # what was written between our reading and its being set aside
            if self._file:
                self._file.close()
            self._begin()
            found += self._read()
        return found

    def _read(self) -> list[bytes]:
        if self._file is None:
            return []
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return lines


def _older(path: Path, newest: int, since: int) -> Iterator[bytes]:
    """The lines of the files that were set aside, oldest first; of those that ended before `since`, none."""
    numbered = [(int(one.suffix[1:]), one) for one in path.parent.glob(f"{path.name}.*") if one.suffix[1:].isdigit()]
    for _, one in sorted(numbered, reverse=True):
        try:
            about = one.stat()
            if about.st_ino != newest and about.st_mtime_ns >= since:
                yield from one.read_bytes().splitlines()
        except FileNotFoundError:
            continue  # it was the last, and has gone meanwhile


def _dated(process: str, lines: Iterable[bytes]) -> Iterator[Line]:
    """The lines as what they say. One that is none of ours belongs to the time of the one before it."""
    at = 0
    for text in lines:
        if text.strip():
            line = _line(process, text, at)
            at = line.time
            yield line


def _line(process: str, text: bytes, at: int) -> Line:
    try:
        read = json.loads(text)
        said = datetime.fromisoformat(read["timestamp"])
    except (ValueError, KeyError, TypeError):
        return Line(at, process, "warning", text.decode(errors="replace"))
    level = str(read.get("level", "info"))
    facts = {word: value for word, value in read.items() if word not in _OWN}
    who = str(read.get("process") or process)
    time = int(said.timestamp()) * 1_000_000_000 + said.microsecond * 1000
    return Line(time, who, level if level in LEVELS else "info", str(read.get("event", "")), facts)
