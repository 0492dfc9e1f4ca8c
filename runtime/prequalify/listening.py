"""Records a test that somebody else drives: waits until the frequency leaves its rest, and finds where the course began.

It writes nothing. It must not know a criterion, nor what kind of site it listens to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from runtime.prequalify import orders
from runtime.prequalify.bench import Tell
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence

FREQUENCY, VOLTAGE = "grid.frequency", "grid.voltage"
LEAVES = 0.005  # Hz: the resolution that is prescribed of a frequency measurement
AROUND = 1.0  # s in which the beginning is looked for once the whole course is there


class Listened(Protocol):
    """What is needed of a site: its time, its meter, its tags."""

    tick: float
    clock: int
    v_nominal: float
    tags: Collection[str]

    @property
    def seconds(self) -> float:
        """The time since the beginning."""

    def step(self, ticks: int) -> None:
        """Let so much time pass."""

    def meter(self) -> tuple[float, float]:
        """Active and reactive power at the point of connection in kW and kvar, given positive."""

    def value(self, tag: str) -> float:
        """A tag of the site."""


def listen(site: Listened, sequence: Sequence, every: float, tell: Tell) -> Record:
    """The record of this sequence as soon as it has been driven; waits for its beginning as long as it takes."""
    each = max(1, int(every / site.tick + 1e-6))
    dt, first = each * site.tick, float(sequence.f.at(np.array([0.0]))[0])
    rest, extra = first_change(sequence, dt), round(AROUND / dt)
    before = deque[tuple[float, ...]](maxlen=round(rest / dt) + extra)
    tell(sequence.title, -1.0)
    while not _leaves(before, first, round(rest / dt) - 1):
        site.step(each)
        before.append(_sample(site))
    rows = list(before)
    began = site.seconds - (len(rows) - 1) * dt
    count = round(sequence.seconds / dt)
    while len(rows) < count + 2 * extra:
        site.step(each)
        rows.append(_sample(site))
        if len(rows) % 100 == 0:
            tell(sequence.title, min(len(rows) / count, 1.0))
    table = np.array(rows)
    skip = begin_of(table[:, 0], sequence, dt)
    f, p, q, v, soc, base, status = table[skip : skip + count].T
    start = datetime.fromtimestamp(site.clock / 1e9, UTC) + timedelta(seconds=began + skip * dt)
    return Record(np.arange(len(f)) * dt, f, p, base, soc, q, v, status, start)


def first_change(sequence: Sequence, dt: float) -> float:
    """When the frequency first leaves its first value, in s."""
    f = sequence.frequency(dt)
    return float(np.argmax(np.abs(f - f[0]) > LEAVES)) * dt


def begin_of(f: np.ndarray, sequence: Sequence, dt: float) -> int:
    """The sample at which the course began: where it fits best what was measured."""
    wanted = sequence.frequency(dt)
    last = min(len(f) - len(wanted), 2 * round(AROUND / dt))
    misfits = [float(np.mean(np.abs(f[at : at + len(wanted)] - wanted))) for at in range(max(last, 0) + 1)]
    return int(np.argmin(misfits))


def _leaves(before: deque[tuple[float, ...]], first: float, rest: int) -> bool:
    """Whether the newest sample has left the first frequency after a whole rest there: no test is joined halfway."""
    if len(before) <= rest or abs(before[-1][0] - first) <= LEAVES:
        return False
    return all(abs(before[-2 - at][0] - first) <= LEAVES for at in range(rest))


def _sample(site: Listened) -> tuple[float, ...]:
    """Power is that of the battery: the load beside it is taken off the meter as a baseline, where the site knows it."""
    p, q = site.meter()
    tags = site.tags
    v = site.value(VOLTAGE) / site.v_nominal if VOLTAGE in tags else 1.0
    soc = site.value(orders.CHARGE) if orders.CHARGE in tags else 50.0
    base = site.value(orders.BASELINE) if orders.BASELINE in tags else 0.0
    base -= site.value(orders.LOAD) if orders.LOAD in tags else 0.0
    return (site.value(FREQUENCY), p, q, v, soc, base, site.value(orders.CONNECTED))
