"""The oscilloscope inside the scan: at the end of a scan the channels that somebody asked for go into a ring of his own.

Who traces writes a file that says which places of process memory he wants; the process around the loop checks it, makes the ring,
and hands both to the scan. The scan only copies: triggers, units and names are the reader's (runtime/engine/trace_view.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runtime.engine.atomics import load_acquire, load_i8, scan_path, store_i8, store_release
from runtime.engine.cells import BYTE, LONG, REAL, WORD, load_wide
from runtime.engine.image import HEADER, LINE, WORD_SESSION, ImageError, Shared, address_of
from runtime.engine.plan import S_SCAN, Plan

TRACERS = ("cli", "hmi")  # who may trace: each has one ring
C_TRACES = 40  # words of Plan.control: the address of each tracer's table, 0 for none
MOST_CHANNELS = 32
LEAST_ENTRIES, MOST_ENTRIES = 64, 65536
# What the tracer's file says, in words: ready last; then for each channel its offset in process memory and its type.
Q_READY, Q_CHANNELS, Q_EVERY, Q_ENTRIES, Q_FIRST = 0, 1, 2, 3, 8
QUESTION_BYTES = (Q_FIRST + 2 * MOST_CHANNELS) * 8
# A sample: its number from 1, the scan, its start on CLOCK_MONOTONIC and the wall clock in ns; then the channels, eight bytes each.
N_NUMBER, N_SCAN, N_NOW, N_WALL, N_FIRST = range(5)
# The ring's file, after its header: the number of the newest sample; whose question it answers; its shape. Samples from LINE on.
R_HEAD, R_SESSION, R_ENTRIES, R_WORDS = range(4)
# The scan's own table of one tracer.
T_RING, T_ENTRIES, T_WORDS, T_CHANNELS, T_EVERY, T_FIRST = range(6)
_SIZES = {BYTE: 1, WORD: 4, LONG: 8, REAL: 8}
SCANS_TO_LEAVE = 2  # after so many scans none can still be writing into a ring that was taken away


@scan_path
def capture(plan: Plan, now: int, wall: int) -> None:
    """One sample of every tracer's channels, as they stand at the end of this scan."""
    for tracer in range(len(TRACERS)):
        table = load_acquire(plan.control.ctypes.data + 8 * (C_TRACES + tracer))
        if table != 0 and plan.state[S_SCAN] % load_i8(table + 8 * T_EVERY) == 0:
            _take_sample(table, plan.state[S_SCAN], now, wall)


@scan_path
def _take_sample(table: int, scan: int, now: int, wall: int) -> None:
    ring, words, channels = load_i8(table + 8 * T_RING), load_i8(table + 8 * T_WORDS), load_i8(table + 8 * T_CHANNELS)
    number = load_i8(ring + 8 * R_HEAD) + 1
    sample = ring + LINE + number % load_i8(table + 8 * T_ENTRIES) * words * 8
    store_i8(sample + 8 * N_NUMBER, number)
    store_i8(sample + 8 * N_SCAN, scan)
    store_i8(sample + 8 * N_NOW, now)
    store_i8(sample + 8 * N_WALL, wall)
    channel, value = table + 8 * T_FIRST, sample + 8 * N_FIRST
    for _ in range(channels):
        store_i8(value, load_wide(load_i8(channel), load_i8(channel + 8)))
        channel += 16
        value += 8
    store_release(ring + 8 * R_HEAD, number)


@dataclass
class _Tracing:
    """One tracer's file, the ring that answers it, and the table that the scan walks."""

    question: Shared
    ring: Shared
    table: np.ndarray


class Tracers:
    """Those who trace this scan, as they come and go. `attend` is called by the process around the loop, never by the scan."""

    def __init__(self, plan: Plan, folder: Path, generation: int):
        self._plan, self._folder, self._generation = plan, folder, generation
        self._memory = plan.memory.size
        self._now: dict[int, _Tracing] = {}
        self._left: list[tuple[int, _Tracing]] = []

    def attend(self, tracer: int) -> None:
        """Begin to trace for him if he came, and stop if he left or died."""
        scan = int(self._plan.state[S_SCAN])
        self._left = [(since, one) for since, one in self._left if scan < since + SCANS_TO_LEAVE]
        held = self._now.get(tracer)
        if held is not None:
            if held.question.is_current() and _is_alive(held.question.pid):
                return
            self._plan.control[C_TRACES + tracer] = 0
            self._left.append((int(self._plan.state[S_SCAN]), self._now.pop(tracer)))  # as it is after the 0: a scan may have begun
            held.ring.remove()
        path = self._folder / question_file(TRACERS[tracer])
        if path.exists():
            self._begin(tracer, path)

    def remove(self) -> None:
        """Take the rings' files away."""
        for held in self._now.values():
            held.ring.remove()

    def _begin(self, tracer: int, path: Path) -> None:
        try:
            question = Shared.attach(path, self._generation)
        except ImageError:
            return  # of another program, or taken away just now
        if len(question.memory) < HEADER + QUESTION_BYTES or load_ready(question) == 0:
            return
        if not _is_alive(question.pid):
            question.remove()
            return
        words = question.memory[HEADER:][:QUESTION_BYTES].view(np.int64)
        channels, every, entries = (int(words[i]) for i in (Q_CHANNELS, Q_EVERY, Q_ENTRIES))
        wanted = words[Q_FIRST:][: 2 * max(channels, 0)].reshape(-1, 2).copy()
        if not self._makes_sense(channels, every, entries, wanted):
            return
        width = N_FIRST + channels
        ring = Shared.create(self._folder / ring_file(TRACERS[tracer]), LINE + entries * width * 8, self._generation)
        ring.memory[HEADER:].view(np.int64)[: R_WORDS + 1] = (0, question.words[WORD_SESSION], entries, width)
        table = np.zeros(T_FIRST + 2 * channels, np.int64)
        table[:T_FIRST] = (ring.address + HEADER, entries, width, channels, every)
        table[T_FIRST:] = (wanted + np.array([address_of(self._plan.memory), 0])).reshape(-1)
        self._now[tracer] = _Tracing(question, ring, table)
        self._plan.control[C_TRACES + tracer] = address_of(table)

    def _makes_sense(self, channels: int, every: int, entries: int, wanted: np.ndarray) -> bool:
        """A foreign or damaged file must not make the scan read outside its memory."""
        return (
            1 <= channels <= MOST_CHANNELS
            and every >= 1
            and LEAST_ENTRIES <= entries <= MOST_ENTRIES
            and all(kind in _SIZES and 0 <= place <= self._memory - _SIZES[kind] for place, kind in wanted.tolist())
        )


@scan_path
def _load(address: int) -> int:
    return load_acquire(address)


def load_ready(question: Shared) -> int:
    """Whether the tracer has written all of his question."""
    return int(_load(question.address + HEADER + 8 * Q_READY))


def question_file(tracer: str) -> str:
    return f"{tracer}.trace"


def ring_file(tracer: str) -> str:
    return f"{tracer}.samples"


def _is_alive(pid: int) -> bool:
    if pid <= 0:  # to `kill` that means groups of processes
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
