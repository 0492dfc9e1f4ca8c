"""The test bench: makes a site ready for a test, gives its grid the course of the test, and records its answer at the meter.

It works through a `Door`: a simulation that goes faster than time, or a site that runs. Steps are short where the course is fast,
and long where it rests. It must not know a criterion, nor which kind of site is behind the door.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from runtime.prequalify import orders
from runtime.prequalify.orders import NotOfferedError, Order
from runtime.prequalify.programme import Terms, logging, sequences_of
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence

FAST, MOVING, CALM = 0.02, 0.05, 0.1  # s of a step at most: around steps and ramps, in a sine, at rest
FAST_SLOPE = 0.08  # Hz/s: above the fastest sine (0.063), below the slowest ramp (0.09)
AFTER = 10.0  # s of fast steps behind a fast course
PATIENCE = 1200.0  # s until a site must be ready for a test: contactors, the delay of entering service, its ramp
RESTS = 20.0  # s at nominal frequency, and then at the first of the test, before it begins
BEAT = 1.0  # s between two heartbeats of the energy management that we play
Tell = Callable[[str, float], None]  # which test, and how far it is (0..1); -1 while the site gets ready


class NotReadyError(Exception):
    """The site does not come into the state in which a test may begin; the text says what is missing."""


@dataclass(frozen=True)
class Driven:
    """The records by the kind of their test, how long it all was in s of the plant's time, and what a reader should know of it."""

    records: dict[str, Record]
    seconds: float
    notes: dict[str, str] = field(default_factory=dict)


class Door(Protocol):
    """What the bench needs of a site and its grid. `tick` is the shortest step in s, `clock` the wall clock at first in ns."""

    tick: float
    clock: int
    nominal: float  # Hz
    tags: Collection[str]

    @property
    def seconds(self) -> float:
        """The plant's time since the beginning."""

    def step(self, ticks: int) -> None:
        """Let so much time pass."""

    def apply(self, f: float, v: float) -> None:
        """The grid has this frequency in Hz and this voltage over the nominal one."""

    def charge(self, percent: float) -> None:
        """Bring the battery to this state of charge, where that can be done."""

    def meter(self) -> tuple[float, float]:
        """Active and reactive power at the point of connection in kW and kvar, given positive."""

    def value(self, tag: str) -> float:
        """A tag of the site."""

    def write(self, order: Order) -> None:
        """A command to the site; raises NotReadyError where it is refused."""

    def alarms(self) -> list[str]:
        """What stands on the alarm list."""


@dataclass(frozen=True)
class Course:
    """Frequency in Hz and voltage over the nominal one at every tick of a test."""

    f: np.ndarray
    v: np.ndarray

    @staticmethod
    def of(sequence: Sequence, tick: float) -> Course:
        """The course of this sequence."""
        return Course(sequence.frequency(tick), sequence.voltage(tick))


class Bench:
    """A site on the test bench, set up to sell one service."""

    def __init__(self, door: Door, service: str, terms: Terms, tell: Tell = lambda _, __: None):
        self._door, self._service, self._tell = door, service, tell
        self._terms = terms
        self._ticks_of(logging(service, terms).every)  # a site that is too slow is refused before anything moves
        self._capacity, managed = terms.capacity, orders.MANAGED.get(service)
        self._managed = managed if managed and terms.energy > 0.0 and set(managed[1:3]) <= set(door.tags) else None
        self._settings = orders.settings_for(service, terms, door.tags)
        self._beats = 0 if orders.HEARTBEAT in door.tags and service == "ieee1547" else -1
        self._next_beat = 0.0

    def _ticks_of(self, longest: float) -> int:
        """The prescribed time between two samples, or the next shorter one that is whole ticks."""
        ticks = int(longest / self._door.tick + 1e-6)
        if not ticks:
            tick = self._door.tick * 1000.0
            raise NotOfferedError(f"the site's tick is {tick:.0f} ms, and this log needs a sample every {longest * 1000.0:.0f} ms")
        return ticks

    def run_all(self, terms: Terms) -> dict[str, Record]:
        """Every test of the terms, by its kind."""
        return {sequence.kind: self.run(sequence) for sequence in sequences_of(self._service, terms)}

    def run(self, sequence: Sequence) -> Record:
        """Makes the site ready, drives the sequence and gives its record."""
        door, course = self._door, Course.of(sequence, self._door.tick)
        self._prepare(sequence, course)
        start = datetime.fromtimestamp(door.clock / 1e9, UTC) + timedelta(seconds=door.seconds)
        each = self._ticks_of(logging(self._service, self._terms, sequence).every)
        times, paces = sequence.times(each * door.tick), paces_of(sequence, each * door.tick)
        rows = [self._sample()]
        for interval, pace in enumerate(paces):
            most = max(1, round(pace / door.tick))
            for at in range(0, each, most):
                ticks = min(most, each - at)
                self._apply(course, interval * each + at + ticks)  # the grid as it is when the step ends
                self._step(ticks)
            rows.append(self._sample())
            if len(rows) % 100 == 0:
                self._tell(sequence.title, len(rows) / len(times))
        p, q, soc, base, status, nem, aem = np.array(rows).T
        f, v = course.f[::each][: len(times)], course.v[::each][: len(times)]
        return Record(times, f, p, base, soc, q, v, status, start, self._management(nem, aem))

    def _management(self, nem: np.ndarray, aem: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of a limited reservoir in the operator's file."""
        if self._managed is None:
            return {}
        word, _, _, share = self._managed
        return {f"NEM_MW_{word}": nem / 1000.0, f"NEM_{word}": nem / (share * self._capacity), f"AEM_{word}": aem}

    def _apply(self, course: Course, tick: int) -> None:
        self._door.apply(float(course.f[tick]), float(course.v[tick]))

    def _sample(self) -> tuple[float, ...]:
        """What the meter shows, and the site's own words for the rest; energy management is no answer to the frequency."""
        door = self._door
        base = door.value(orders.BASELINE) if orders.BASELINE in door.tags else 0.0
        soc = door.value(orders.CHARGE) if orders.CHARGE in door.tags else 50.0
        nem, aem = (door.value(tag) for tag in self._managed[1:3]) if self._managed else (0.0, 0.0)
        return (*door.meter(), soc, base, door.value(orders.CONNECTED), nem, aem)

    # Until a test may begin -----------------------------------------------------------------------------------------------------

    def _prepare(self, sequence: Sequence, course: Course) -> None:
        """A battery of the right charge, the service sold, the site running; then rest at nominal and at the first frequency."""
        door = self._door
        self._tell(sequence.title, -1.0)
        door.apply(door.nominal, 1.0)
        door.charge(orders.START_SOC[self._service])
        self._wait(1.0)
        for order in (*self._settings, *orders.functions_for(self._service, sequence.kind, door.tags)):
            door.write(order)
        self._wait(1.0)
        if not door.value(orders.CONNECTED):
            self._start()
        until = door.seconds + PATIENCE
        while missing := orders.missing_conditions(door.value, door.tags):
            if door.seconds > until:
                raise NotReadyError(self._why_not(sequence, missing))
            self._wait(CALM)
        self._wait(RESTS)
        self._apply(course, 0)
        self._wait(RESTS)

    def _start(self) -> None:
        if orders.RESET in self._door.tags:
            self._door.write(Order(orders.RESET, True))
            self._wait(2.0)
        self._door.write(Order(orders.RUN, True))
        self._wait(1.0)

    def _why_not(self, sequence: Sequence, missing: list[str]) -> str:
        door, told = self._door, ""
        if {orders.GIVES, orders.TAKES} <= set(door.tags):
            told = f"; the racks can give {door.value(orders.GIVES):.0f} kW and take {-door.value(orders.TAKES):.0f} kW now"
        if alarms := door.alarms():
            told += f"; alarms: {', '.join(alarms)}"
        return f"the site is not ready for the {sequence.title} after {PATIENCE / 60:.0f} min: {'; '.join(missing)}{told}"

    def _wait(self, seconds: float) -> None:
        left, most = round(seconds / self._door.tick), max(1, round(CALM / self._door.tick))
        while left > 0:
            self._step(min(most, left))
            left -= most

    def _step(self, ticks: int) -> None:
        if self._beats >= 0 and self._door.seconds >= self._next_beat:
            self._beats, self._next_beat = self._beats + 1, self._door.seconds + BEAT
            self._door.write(Order(orders.HEARTBEAT, self._beats))
        self._door.step(ticks)


def paces_of(sequence: Sequence, every: float) -> np.ndarray:
    """The longest step in each interval of the log, in s."""
    f, v = sequence.frequency(every), sequence.voltage(every)
    changes = np.abs(np.diff(f)) > 1e-9
    fast = (np.abs(np.diff(f)) > FAST_SLOPE * every) | (np.diff(v) != 0.0)
    # an interval is fast where a fast change lies at most AFTER behind it
    near = np.convolve(fast.astype(float), np.ones(round(AFTER / every)), mode="full")[: len(fast)] > 0.5
    return np.where(near, FAST, np.where(changes, MOVING, CALM))
