"""Looks at a snapshot and tells which alarms changed and which values are worth a sample. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from blocks.declare import TYPES
from runtime.child import ServiceOrder
from runtime.engine.image import ImageError
from runtime.engine.north import Pins, Snapshot
from runtime.model import Alarm, Tag, first_outs
from runtime.quality import BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA, GOOD
from runtime.servers.records.blocks import SAMPLE
from runtime.servers.records.history import number_of
from runtime.servers.records.settings import Choice
from runtime.servers.records.states import CHATTERED, FIRST_OUT, FOUND_AT_START, Change, name_of

BURST, REFILL = 20, 10_000_000_000  # an alarm may clear so often at once, and then once in so many ns: 9,000 times a day at most
_UNKNOWN = 2  # neither active nor inactive: nobody has been told yet


class AlarmWatch:
    """The alarms of one program and what was last told of each.

    A change is told once. Where there are more than whoever writes has room for, the rest waits for the next look: of an alarm
    that has changed back by then nothing is told. So no flood can fill a queue, and the last state is always told.

    One that chatters stays active until it may clear again: otherwise a loose wire would drive a year of events out in a night. For
    the same reason a suppression that came too often is taken not to have come: rather is an alarm told too much than too little.
    """

    def __init__(self, order: ServiceOrder, pins: Pins, before: AlarmWatch | None = None):
        tags = {tag.name.lower(): tag for tag in order.tags}
        self.alarms = [alarm for alarm in order.alarms if alarm.active.lower() in tags]
        active = [tags[alarm.active.lower()] for alarm in self.alarms]
        self._offsets = np.array([tag.offset for tag in active], np.int64)
        self._rows = np.array([tag.index for tag in active], np.int64)
        self._names = [name_of(alarm) for alarm in self.alarms]
        self._values = [_value_of(alarm, tag, tags, order, pins) for alarm, tag in zip(self.alarms, active, strict=True)]
        hushes = [tags.get(alarm.suppressed.lower()) for alarm in self.alarms]
        self._can_hush = np.array([tag is not None for tag in hushes], bool)
        self._hush_offsets = np.array([0 if tag is None else tag.offset for tag in hushes], np.int64)
        self._pins = pins
        self._hushed = np.where(self._can_hush, np.uint8(_UNKNOWN), np.uint8(0))
        self._hushes = np.full(len(active), float(BURST))  # how often each may be suppressed now
        self._active = np.full(len(active), _UNKNOWN, np.uint8)
        self._is_bad = np.zeros(len(active), bool)
        self._clears = np.full(len(active), float(BURST))  # how often each may clear now
        self._chatters = np.zeros(len(active), bool)
        self._looked = self._from = self.held_back = 0
        self._first_out_tag = tags.get("plc.first_out")
        places = {alarm.full_name: at for at, alarm in enumerate(self.alarms)}
        self._graves = np.array([places.get(name, -1) for name in first_outs(order.alarms)], np.int64)
        self._first_out = -1  # which of `alarms` it was at the last look
        if before is not None:
            told = dict(zip(before._names, zip(before._active, before._is_bad, before._hushed, strict=True), strict=True))
            for at, name in enumerate(self._names):  # new in the program: it begins inactive
                self._active[at], self._is_bad[at], self._hushed[at] = told.get(name, (0, False, 0))

    def forget(self) -> None:
        """Tell everything again at the next look: what was told has been lost."""
        self._active[:] = self._hushed[self._can_hush] = _UNKNOWN

    def active(self) -> int:
        """How many are active."""
        return int(np.count_nonzero(self._active == 1))

    def suppressed(self) -> int:
        """How many the program suppresses."""
        return int(np.count_nonzero(self._hushed == 1))

    def look(self, snapshot: Snapshot, room: int) -> list[tuple[Alarm, Change]]:
        """The alarms that changed since they were last told, at most `room`. A bad quality keeps the last state and is told."""
        qualities = snapshot.qualities[self._rows]
        is_bad = (qualities >> 31).astype(bool)
        is_told = is_bad.copy()
        waits = qualities == BAD_WAITING_FOR_INITIAL_DATA  # so every device begins: nothing to tell, nothing to judge yet
        is_told[waits] = self._is_bad[waits]
        active = (snapshot.memory[self._offsets] != 0).astype(np.uint8)
        active = np.where(is_bad, self._active, active)
        passed = max(0, snapshot.monotonic - self._looked)
        self._looked = snapshot.monotonic
        active = self._without_chatter(active, passed)
        hushed = self._hushed_now(snapshot, passed)
        hushed[waits] = self._hushed[waits]  # told together with the first judgement
        moved = (active != self._active) | (is_told != self._is_bad)
        changed = np.flatnonzero(moved | (hushed != self._hushed))
        if len(changed) > room:
            self.held_back += len(changed) - room
            changed = np.roll(changed, -int(np.searchsorted(changed, self._from)))[:room]
            self._from = int(changed[-1]) + 1 if room else 0
        first = self._began_series(snapshot)
        if not len(changed):
            return []
        self._pins.attach()
        found = []
        for at in changed.tolist():
            is_on, quality = (None, int(qualities[at])) if is_bad[at] else (bool(active[at]), GOOD)
            value = self._values[at](snapshot) if is_on else None
            note = FOUND_AT_START if self._active[at] == _UNKNOWN else CHATTERED if self._chatters[at] and not is_on else ""
            note = note or (FIRST_OUT if is_on and at == first else "")
            was_bad = bool(self._is_bad[at])
            hush = bool(hushed[at]), not moved[at]
            change = Change(self._names[at], snapshot.wall, is_on, quality, value, note, was_bad, *hush)
            found.append((self.alarms[at], change))
        cleared = changed[(self._active[changed] == 1) & (active[changed] == 0)]
        self._clears[cleared] -= 1
        self._chatters[cleared] = False
        self._hushes[changed[(self._hushed[changed] == 0) & (hushed[changed] == 1)]] -= 1
        self._active[changed], self._is_bad[changed], self._hushed[changed] = active[changed], is_told[changed], hushed[changed]
        return found

    def _began_series(self, snapshot: Snapshot) -> int:
        """Which alarm came first, where none of the grave ones stood when we looked last; -1 for none. One look sees many scans."""
        if self._first_out_tag is None:
            return -1
        number = int(snapshot.column(self._first_out_tag)[0])
        first = int(self._graves[number - 1]) if 0 < number <= len(self._graves) else -1
        is_new = first != self._first_out or not np.any(self._active[self._graves[self._graves >= 0]] == 1)
        self._first_out = first
        return first if is_new else -1

    def _hushed_now(self, snapshot: Snapshot, passed: int) -> np.ndarray:
        """What the program suppresses, where a suppression that came too often lately is taken not to have come."""
        self._hushes = np.minimum(self._hushes + passed / REFILL, BURST)
        hushed = ((snapshot.memory[self._hush_offsets] != 0) & self._can_hush).astype(np.uint8)
        return np.where((hushed == 1) & (self._hushed == 0) & (self._hushes < 1), np.uint8(0), hushed)

    def _without_chatter(self, active: np.ndarray, passed: int) -> np.ndarray:
        """What is active, where an alarm that has cleared too often lately is taken to be so still."""
        self._clears = np.minimum(self._clears + passed / REFILL, BURST)
        kept = (active == 0) & (self._active == 1) & (self._clears < 1)
        self.held_back += int(np.count_nonzero(kept & ~self._chatters))
        self._chatters |= kept
        return np.where(kept, np.uint8(1), active)


def _value_of(
    alarm: Alarm, active: Tag, tags: dict[str, Tag], order: ServiceOrder, pins: Pins
) -> Callable[[Snapshot], float | None]:
    """How to read what a limit alarm watches: a tag from the snapshot, anything else from the alarm's own input pin."""
    if not alarm.limit:
        return lambda snapshot: None
    tag = tags.get(alarm.of.lower())
    if tag is not None and not tag.length:
        return lambda snapshot: float(snapshot.column(tag)[0])
    word = "PV" if alarm.kind == "deviation" else "IN"  # which `of` feeds: language/alarm_words.py
    pin = f"{active.owner.removeprefix('program ')}.alarm.{alarm.name}.{word}"
    if pin not in order.pins:
        return lambda snapshot: None

    def read(snapshot: Snapshot) -> float | None:
        try:
            return float(pins.value(pin))
        except (ImageError, TypeError):
            return None  # the scan went away meanwhile, or it is an array

    return read


class Sampler:
    """Finds the samples that the site wants of its recorded tags."""

    def __init__(self, choices: Sequence[Choice]):
        tags = [choice.tag for choice in choices]
        self._numbers = np.array([number_of(tag) for tag in tags], np.int64)
        self._rows = np.array([tag.index for tag in tags], np.int64)
        self._places: list[tuple[str, np.ndarray, np.ndarray]] = []
        for kind in dict.fromkeys(tag.type for tag in tags):
            at = np.array([n for n, tag in enumerate(tags) if tag.type == kind])
            self._places.append((TYPES[kind].code, at, np.array([tags[n].offset // TYPES[kind].size for n in at])))
        self._every = np.array([int(choice.every * 1e9) for choice in choices], np.int64)
        self._at_least = np.array([int(choice.at_least * 1e9) for choice in choices], np.int64)
        self._deadband = np.array([choice.deadband for choice in choices])
        self._is_switch = np.array([tag.type == "BOOL" or bool(tag.names) for tag in tags], bool)
        count = len(tags)
        self._bits, self._values = np.zeros(count, np.int64), np.zeros(count)
        self._qualities, self._times = np.full(count, -1, np.int64), np.zeros(count, np.int64)
        self._taken, self._read = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._is_silent = True

    def look(self, snapshot: Snapshot) -> np.ndarray:
        """The samples (of dtype SAMPLE) that this snapshot is worth."""
        now = snapshot.monotonic
        bits, values = self._now(snapshot)
        qualities = snapshot.qualities[self._rows].astype(np.int64)
        with np.errstate(invalid="ignore"):
            moved = (bits != self._bits) & ~(np.abs(values - self._values) <= self._deadband)  # NaN has moved, from and to
        age = now - self._taken
        read = snapshot.times[self._rows]
        times = np.where(read > 0, snapshot.wall - (now - read), snapshot.wall)
        is_due = (moved & (self._is_switch | (age >= self._every))) | (
            (age >= self._at_least) & ((read == 0) | (read != self._read))
        )
        chosen = np.flatnonzero(is_due | (qualities != self._qualities))
        # a quality changes when it is found, not when the value was last read
        times = np.where((qualities != self._qualities) & (times <= self._times), snapshot.wall, times)
        self._is_silent = False
        self._bits[chosen], self._values[chosen], self._taken[chosen] = bits[chosen], values[chosen], now
        self._qualities[chosen], self._times[chosen], self._read[chosen] = qualities[chosen], times[chosen], read[chosen]
        return self._samples(chosen)

    def silence(self, wall: int) -> np.ndarray:
        """The samples that say, once, that nothing is known any more: the scan is silent, or we are about to be."""
        known = np.flatnonzero(self._qualities >= 0) if not self._is_silent else np.empty(0, np.int64)
        self._is_silent = True
        self._qualities[known], self._times[known] = BAD_NO_COMMUNICATION, wall
        return self._samples(known)

    def _now(self, snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
        bits, values = np.empty_like(self._bits), np.empty_like(self._values)
        for kind, at, places in self._places:
            size = np.dtype(kind).itemsize
            found: Any = snapshot.memory[: len(snapshot.memory) // size * size].view(kind)[places]
            bits[at] = found.view("i8") if kind == "f8" else found
            values[at] = found
        return bits, values

    def _samples(self, chosen: np.ndarray) -> np.ndarray:
        samples = np.empty(len(chosen), SAMPLE)
        columns = (self._numbers, self._times, self._bits, self._qualities)
        for name, column in zip(("tag", "time", "bits", "quality"), columns, strict=True):
            samples[name] = column[chosen]
        return samples
