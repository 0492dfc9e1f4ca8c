"""The tracer's side of a trace: which channels, every sample that the scan took of them, and the moment that was waited for.

Samples come with numbers, so that a lost one is known. It draws and writes nothing.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.engine.atomics import fence, load_acquire, scan_path, store_release
from runtime.engine.cells import BYTE, LONG, REAL, WORD
from runtime.engine.image import HEADER, LINE, ImageError, Shared
from runtime.engine.trace import (
    LEAST_ENTRIES,
    MOST_CHANNELS,
    MOST_ENTRIES,
    N_FIRST,
    N_NOW,
    N_NUMBER,
    N_SCAN,
    N_WALL,
    Q_FIRST,
    QUESTION_BYTES,
    R_HEAD,
    R_SESSION,
    question_file,
    ring_file,
)
from runtime.model import Tag, TagRegion

_TYPES = {"BOOL": (BYTE, 1), "DINT": (WORD, 4), "LINT": (LONG, 8), "TIME": (LONG, 8), "LREAL": (REAL, 8)}
_PLACE = re.compile(r"(?P<name>.+?)(?:\[(?P<index>\d+|\*)\])?\Z")


@scan_path
def _load(address: int) -> int:
    fence()
    return load_acquire(address)


@scan_path
def _store(address: int, value: int) -> None:
    store_release(address, value)


@dataclass(frozen=True, slots=True)
class Channel:
    """One place of process memory: an element of a tag, its `.good`, or an element of a pin."""

    name: str
    type: str
    offset: int
    unit: str = ""

    def values(self, samples: np.ndarray, place: int) -> np.ndarray:
        """This channel's values in samples where it stands at `place`: floats, integers, or 0 and 1."""
        bits = np.ascontiguousarray(samples[:, N_FIRST + place])
        return bits.view(np.float64) if self.type == "LREAL" else bits


def channels_of(text: str, tags: Sequence[Tag], region: TagRegion, pins: Mapping[str, tuple[str, int, int]]) -> tuple[Channel, ...]:
    """The channels that a name means, compared without case: all elements of an array, or one. Raises KeyError: none has it."""
    names = {tag.name.lower(): tag for tag in tags}
    wires = {name.lower(): name for name in pins}
    found = _PLACE.match(text.lower())
    for name, index in ((text.lower(), None), (found["name"], found["index"]) if found else ("", None)):
        if name in names:
            tag = names[name]
            return _elements(tag.name, tag.type, tag.offset, tag.length, index, tag.unit)
        if name.endswith(".good") and name.removesuffix(".good") in names and index is None:
            tag = names[name.removesuffix(".good")]
            return (Channel(f"{tag.name}.good", "BOOL", region.good + tag.index),)
        if name in wires:
            kind, offset, length = pins[wires[name]]
            return _elements(wires[name], kind, offset, length, index, "")
    raise KeyError(text)


def _elements(name: str, kind: str, offset: int, length: int, index: str | None, unit: str) -> tuple[Channel, ...]:
    size = _TYPES[kind][1]
    if not length:
        if index is not None:
            raise KeyError(f"{name} has no elements")
        return (Channel(name, kind, offset, unit),)
    if index not in (None, "*") and not 1 <= int(str(index)) <= length:
        raise KeyError(f"{name} has the elements 1..{length}")
    wanted = range(length) if index in (None, "*") else (int(str(index)) - 1,)
    return tuple(Channel(f"{name}[{i + 1}]", kind, offset + i * size, unit) for i in wanted)


class TracerBusyError(Exception):
    """Somebody else traces under this tracer's name."""


class Trace:
    """One tracer's trace of a running scan, from now until `close`. `read` brings what came since it was called last.

    Raises TracerBusyError while another does so under the same name: both would write the one question.
    """

    def __init__(
        self, folder: Path, tracer: str, generation: int, channels: Sequence[Channel], every: int = 1, entries: int = 8192
    ):
        if not 1 <= len(channels) <= MOST_CHANNELS:
            raise ValueError(f"a trace has 1 to {MOST_CHANNELS} channels, not {len(channels)}")
        self.channels, self.every = tuple(channels), every
        self._folder, self._tracer, self._generation = folder, tracer, generation
        self._entries = min(max(entries, LEAST_ENTRIES), MOST_ENTRIES)
        self._words = N_FIRST + len(channels)
        self._ring: Shared | None = None
        self._seen = 0
        self.taken = self.lost = self.restarts = 0
        self._lock = _lock(folder, tracer)
        self._question = Shared.create(folder / question_file(tracer), QUESTION_BYTES, generation)
        words = self._question.memory[HEADER:].view(np.int64)
        words[1:4] = (len(channels), every, self._entries)
        for place, channel in enumerate(channels):
            words[Q_FIRST + 2 * place :][:2] = (channel.offset, _TYPES[channel.type][0])
        _store(self._question.address + HEADER, 1)

    def read(self) -> np.ndarray:
        """The samples that came since the last call, oldest first: rows of words, as runtime/engine/trace.py lays them out.

        Those that the scan has overwritten meanwhile are counted in `lost`. Empty where no scan answers (yet).
        """
        nothing = np.zeros((0, self._words), np.int64)
        if not self._attach():
            return nothing
        assert self._ring is not None
        place = self._ring.address + HEADER + 8 * R_HEAD
        head = _load(place)
        first = max(self._seen, head - self._entries + 1) + 1
        numbers = np.arange(first, head + 1)
        table = self._ring.memory[HEADER + LINE :][: self._entries * self._words * 8].view(np.int64)
        samples = table.reshape(self._entries, self._words)[numbers % self._entries]
        samples = samples[samples[:, N_NUMBER] > _load(place) - self._entries + 1]  # the rest was overwritten while we copied
        samples = samples[samples[:, N_NUMBER] == numbers[len(numbers) - len(samples) :]]
        self.lost += head - self._seen - len(samples)
        self.taken += len(samples)
        self._seen = head
        return samples

    def _attach(self) -> bool:
        """Whether a scan answers this very question; finds a restarted one."""
        if self._ring is not None and self._ring.is_current():
            return True
        try:
            found = Shared.attach(self._folder / ring_file(self._tracer), self._generation)
        except ImageError:
            return False
        if found.memory[HEADER:].view(np.int64)[R_SESSION] != self._question.session:
            return False
        self.restarts += self._ring is not None
        self._ring, self._seen = found, 0
        return True

    def close(self) -> None:
        """Let the scan stop: the question goes away."""
        self._question.remove()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _lock(folder: Path, tracer: str) -> int:
    """A lock that the kernel lets go with us, however we end."""
    lock = os.open(folder / f"{tracer}.trace.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise TracerBusyError(f"another trace runs already under the name `{tracer}`: wait for its end, or end it") from error
    return lock


@dataclass(frozen=True)
class Trigger:
    """What is waited for: a comparison that holds (level), begins to hold (rise) or ends (fall), with a dead band for numbers.

    With hysteresis h, `>` turns true above the level and false at or below the level less h; `<` the other way round.
    """

    place: int
    sign: str
    level: float
    edge: str = ""  # "", "rise" or "fall"
    hysteresis: float = 0.0

    def first(self, values: np.ndarray, held: bool | None) -> tuple[int, bool | None]:
        """The first of these values at which it fires, -1 for none, and whether it held at the last one looked at.

        `held` is what it was before these values, None before any: an edge needs to have seen the other side.
        """
        for index, value in enumerate(values.tolist()):
            before, held = held, self._holds(value, bool(held))
            fired = held if not self.edge else before is not None and held != before and held == (self.edge == "rise")
            if fired:
                return index, held
        return -1, held

    def _holds(self, value: float, held: bool) -> bool:
        slack = self.hysteresis if held else 0.0
        match self.sign:
            case ">":
                return value > self.level - slack
            case ">=":
                return value >= self.level - slack
            case "<":
                return value < self.level + slack
            case "<=":
                return value <= self.level + slack
            case "=":
                return abs(value - self.level) <= slack
            case _:
                return value != self.level


@dataclass(frozen=True)
class Window:
    """What a trace caught: samples, and which of them is the trigger's (-1: there was none to wait for)."""

    channels: tuple[Channel, ...]
    samples: np.ndarray
    trigger: int
    lost: int

    @property
    def seconds(self) -> np.ndarray:
        """The time of each sample, from the trigger or the first one on."""
        now = self.samples[:, N_NOW]
        return np.asarray((now - now[max(self.trigger, 0)]) / 1e9)

    @property
    def wall(self) -> int:
        """When the trigger came, or the first sample, ns since 1970 UTC."""
        return int(self.samples[max(self.trigger, 0), N_WALL])

    @property
    def missing(self) -> int:
        """Samples that ought to be between the first and the last and are not."""
        numbers = self.samples[:, N_NUMBER]
        return int(numbers[-1] - numbers[0] + 1 - len(numbers)) if len(numbers) else 0

    def scans(self) -> np.ndarray:
        return np.asarray(self.samples[:, N_SCAN])

    def values(self, place: int) -> np.ndarray:
        """One channel's values."""
        return self.channels[place].values(self.samples, place)


class Catcher:
    """Gathers samples into windows: so many before the trigger, the rest from it on. What may still come before is bounded."""

    def __init__(self, trace: Trace, length: int, before: int = 0, trigger: Trigger | None = None):
        self._trace, self._length, self._before, self._trigger = trace, length, before if trigger else 0, trigger
        self._store = np.zeros((0, N_FIRST + len(trace.channels)), np.int64)
        self._at = -1
        self._held: bool | None = None
        self._lost = 0

    @property
    def is_triggered(self) -> bool:
        return self._at >= 0 or self._trigger is None

    @property
    def progress(self) -> tuple[int, int]:
        """How many samples of the window are there, and how many there will be."""
        return min(len(self._store), self._length), self._length

    def feed(self, samples: np.ndarray) -> Iterator[Window]:
        """Take new samples; the windows that they complete."""
        while True:
            if self.is_triggered or len(samples) == 0:
                self._store, samples = np.concatenate([self._store, samples]), samples[:0]
            else:
                samples = self._wait(samples)
            if not self.is_triggered or len(self._store) < self._length:
                if len(samples) == 0:
                    return
                continue
            caught, rest = self._store[: self._length], self._store[self._length :]
            yield Window(self._trace.channels, caught, self._at, self._trace.lost - self._lost)
            self._lost, self._at = self._trace.lost, -1
            self._store, samples = rest[:0], np.concatenate([rest, samples])

    def _wait(self, samples: np.ndarray) -> np.ndarray:
        """Look for the trigger; what may still be before it is kept. Returns the samples that were not looked at."""
        assert self._trigger is not None
        values = self._trace.channels[self._trigger.place].values(samples, self._trigger.place)
        at, self._held = self._trigger.first(values, self._held)
        seen = samples if at < 0 else samples[:at]
        keep = np.concatenate([self._store, seen])
        self._store = keep[max(len(keep) - self._before, 0) :]
        if at < 0:
            return samples[:0]
        self._at = len(self._store)
        self._store = np.concatenate([self._store, samples[at : at + 1]])
        return samples[at + 1 :]
