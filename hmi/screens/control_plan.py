"""The schedule as it is kept in the tags: its entries, what holds when, and today as a row of slices. It knows no page."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hmi.hall import Hall
from hmi.texts import control as said
from runtime.engine.image import ImageError

DAY = 86_400
COLUMNS = ("days", "start", "length", "p", "q")
CLOCK = "modes.now.OUT"  # the program's own local time, where it shows it
PREFIX = "set.schedule_"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: on `days` (Monday 1 ... Sunday 64) `start` is s after midnight; without days it is s since 1970, local time."""

    number: int
    days: int
    start: int
    length: int
    p: float
    q: float

    @property
    def is_used(self) -> bool:
        return self.length > 0

    @property
    def is_wrong(self) -> bool:
        """Whether it never holds though it looks like one."""
        return not 0 <= self.days <= 127 or self.start < 0 or (self.days > 0 and self.start >= DAY)

    @property
    def lasts(self) -> int:
        return min(self.length, DAY) if self.days > 0 else self.length

    def since(self, now: int) -> int | None:
        """How long it has held at this local time; None while it does not."""
        if not self.is_used or self.days < 0 or self.start < 0:
            return None
        if self.days == 0:
            age = now - self.start
            return age if 0 <= age < self.lasts else None
        if self.start >= DAY:
            return None
        day, second = divmod(now, DAY)
        today = (day + 3) % 7  # 1970-01-01 was a Thursday
        if self.days >> today & 1 and second >= self.start:
            age = second - self.start
        elif self.days >> (today + 6) % 7 & 1:
            age = second + DAY - self.start
        else:
            return None
        return age if age < self.lasts else None


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a day, in s after midnight, and which entry holds in it."""

    begin: int
    end: int
    entry: Entry | None

    @property
    def p(self) -> float:
        return self.entry.p if self.entry is not None and math.isfinite(self.entry.p) else 0.0


def holding(entries: Sequence[Entry], now: int) -> Entry | None:
    """Which entry holds: a date before the week, else what began last, and the higher number of two that began together."""
    found = [(entry.days == 0, -age, entry.number, entry) for entry in entries if (age := entry.since(now)) is not None]
    return max(found, key=lambda one: one[:3])[3] if found else None


def day_plan(entries: Sequence[Entry], midnight: int) -> list[Slice]:
    """What holds over the day that begins at this local midnight."""
    marks = {0, DAY}
    for entry in entries:
        begins = [entry.start - midnight] if entry.days == 0 else [entry.start - DAY, entry.start]
        for begin in begins:
            marks.update(point for point in (begin, begin + entry.lasts) if 0 < point < DAY)
    ordered = sorted(marks)
    slices: list[Slice] = []
    for begin, end in itertools.pairwise(ordered):
        holds = holding(entries, midnight + begin)
        if slices and slices[-1].entry == holds:
            slices[-1] = Slice(slices[-1].begin, end, holds)
        else:
            slices.append(Slice(begin, end, holds))
    return slices


def entries_of(hall: Hall) -> list[Entry] | None:
    """All entries of the running program, also those that are not used; None where it has no schedule or shows none yet."""
    names = tuple(f"{PREFIX}{column}" for column in COLUMNS)
    tags = [hall.picture.tag(name) for name in names]
    if any(tag is None or not tag.length for tag in tags):
        return None
    hall.picture.look()
    if not hall.picture.has_any():
        return None
    columns: list[list[Any]] = hall.picture.values(hall.picture.pick(names))
    rows = zip(*columns, strict=False)
    return [Entry(number, int(d), int(s), int(length), float(p), float(q)) for number, (d, s, length, p, q) in enumerate(rows, 1)]


def local_now(hall: Hall) -> int:
    """Local time of the site in s since 1970, as the program counts it; this machine's where the program does not show it."""
    try:
        now = hall.door.pins.value(CLOCK) if CLOCK in hall.order.pins and hall.door.pins.attach() else None
    except ImageError:
        now = None
    return int(now) if now else int(time.time()) + time.localtime().tm_gmtoff


def clock(seconds: int) -> str:
    """A time of day: 18:00, with seconds only where it has some."""
    minutes, left = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}{f':{left:02d}' if left else ''}"


def days_in_words(entry: Entry) -> str:
    """On which days, or on which date."""
    if entry.days == 0:
        return datetime.fromtimestamp(entry.start, UTC).strftime("%Y-%m-%d") if 0 <= entry.start < 2**36 else said.BESIDE
    known = {127: said.EVERY_DAY, 31: said.WEEKDAYS, 96: said.WEEKEND}
    listed = ", ".join(name for bit, name in enumerate(said.DAYS) if entry.days >> bit & 1)
    return known.get(entry.days) or listed or said.NOBODYS_DAY


def times_in_words(entry: Entry) -> str:
    """From when until when."""
    begin = entry.start % DAY if entry.days == 0 else entry.start
    end = begin + entry.lasts
    later = f" ({said.NEXT_DAY})" if end > DAY else ""
    if end > 2 * DAY:
        return f"{clock(begin)} – {datetime.fromtimestamp(min(entry.start + entry.lasts, 2**36), UTC).strftime('%Y-%m-%d %H:%M')}"
    return f"{clock(begin)} – {clock(end if end <= DAY else end - DAY)}{later}"
