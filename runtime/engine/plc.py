"""One PLC in this process: a schedule laid out and ready to scan. The scan process and the tests both stand on it."""

from __future__ import annotations

import functools
import os
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import typeof

from runtime.engine.image import HEADER, ImageError, Shared, inbox_payload, outbox_payload, padded, ring_size, scan_layout
from runtime.engine.kernels import Progress
from runtime.engine.loop import one_scan, scan_loop
from runtime.engine.north import COMMAND_BYTES, MEMORY_FILE, SERVICES, command_file, last_command
from runtime.engine.plan import (
    C_BELL,
    C_GO,
    C_INBOX,
    C_RINGS,
    C_SKIPS,
    C_STOP,
    RUNNING,
    S_INHIBIT,
    S_SCAN,
    S_STATE,
    S_TICK,
    S_WAKE,
    Plan,
    lay_out,
)
from runtime.engine.south import INBOX_FILE, OUTBOX_FILE, SCAN_FILE
from runtime.engine.tape_attach import ScanTape
from runtime.engine.trace import SCANS_TO_LEAVE, TRACERS, Tracers
from runtime.model import Schedule, Tag

_RING_BYTES = HEADER + padded(COMMAND_BYTES)
_NUMPY = {"BOOL": np.uint8, "DINT": np.int32, "LINT": np.int64, "TIME": np.int64, "LREAL": np.float64}


class Plc:
    """A laid-out schedule with its shared image in `folder`.

    `io_generation` is the fieldbus's, None where it is the program's. One that is laid out `beside` another takes over its
    outbox, and is found by nobody and scans nothing until it is put in place and the other has handed over.
    """

    def __init__(
        self,
        schedule: Schedule,
        folder: Path,
        generation: int,
        *,
        progress: Progress | None = None,
        wake: int = -1,
        inhibit: bool = False,
        io_generation: int | None = None,
        beside: Plc | None = None,
    ):
        self.schedule, self.folder, self.generation = schedule, folder, generation
        self.io_generation = generation if io_generation is None else io_generation
        make = Shared.create if beside is None else Shared.create_aside
        self.image = make(folder / SCAN_FILE, scan_layout(schedule.region.size).size, generation)
        self.memory = make(folder / MEMORY_FILE, max(schedule.initial.size, 1), generation)
        outbox = ring_size(outbox_payload(len(schedule.outputs.source)))
        self.outbox: Shared = beside.outbox if beside else Shared.create(folder / OUTBOX_FILE, outbox, self.io_generation)
        memory = self.memory.memory[HEADER:][: schedule.initial.size]
        self._laid_out = lay_out(schedule, self.image, memory, self.outbox.address + HEADER, progress)
        self.plan: Plan = self._laid_out.plan
        self.plan.state[S_WAKE] = wake
        self.plan.state[S_INHIBIT] = inhibit
        self._bell = os.eventfd(0, os.EFD_CLOEXEC) if beside else -1
        self.plan.control[C_GO], self.plan.control[C_BELL] = beside is None, self._bell
        self._inbox_size = HEADER + ring_size(inbox_payload(len(schedule.inputs.tag)))
        self._attached: dict[str, Shared] = {}
        self._retired: list[tuple[int, Shared]] = []  # since which scan
        self._said: set[str] = set()
        self._older = self._commands_of_before()
        self.tape = ScanTape(self.plan, folder, generation)
        self._tracers = Tracers(self.plan, folder, generation)

    def compile(self) -> None:
        """Compile the loop, or load it from the cache, so that the first scan does not have to."""
        scan_loop.compile((typeof(self.plan),))

    def attach(self) -> None:
        """Look for the files of the fieldbus and the services, and hand new ones to the scan. Never called by the scan itself.

        A file that was replaced stays mapped for two scans, since one may be reading it; a file of another generation is refused.
        """
        scan = int(self.plan.state[S_SCAN])
        self._retired = [(since, one) for since, one in self._retired if scan < since + SCANS_TO_LEAVE]
        self._attach_one(INBOX_FILE, self._inbox_size, self._take_inbox, self.io_generation)
        for ring, service in enumerate(SERVICES):
            take = functools.partial(self._take_ring, ring=ring)
            self._attach_one(command_file(service), _RING_BYTES, take, self.generation)
        self._attend("recorder", self.tape.attach)
        for tracer, name in enumerate(TRACERS):
            self._attend(f"tracer {name}", functools.partial(self._tracers.attend, tracer))

    def _attend(self, who: str, attend: Callable[[], None]) -> None:
        """Somebody who only looks on and cannot get his file goes without: that is said once, and never costs the plant."""
        try:
            attend()
        except (OSError, ValueError, OverflowError):
            if who not in self._said:
                self._said.add(who)
                sys.stderr.write(f"the scan goes on without the {who}:\n")
                traceback.print_exc()

    def _attach_one(self, name: str, size: int, take: Any, generation: int) -> None:
        held = self._attached.get(name)
        if held is not None and held.is_current():
            return
        try:
            shared = Shared.attach(self.folder / name, generation)
        except ImageError:
            return
        if len(shared.memory) != size:
            return
        self._attached[name] = shared
        take(shared)
        if held is not None:  # only now: a scan that began before may still look into it
            self._retired.append((int(self.plan.state[S_SCAN]), held))

    def _commands_of_before(self) -> dict[int, int]:
        """The last command in each ring that is already here: written for a scan that has ended, so never obeyed by this one."""
        found = {}
        for service in SERVICES:
            try:
                shared = Shared.attach(self.folder / command_file(service), self.generation)
            except ImageError:
                continue  # no such service yet, or of another program: `attach` looks again
            if len(shared.memory) == _RING_BYTES:
                found[shared.session] = last_command(shared)
        return found

    def _take_inbox(self, shared: Shared) -> None:
        self.plan.control[C_INBOX] = shared.address + HEADER

    def _take_ring(self, shared: Shared, ring: int) -> None:
        control = self.plan.control
        control[C_RINGS + ring] = 0
        control[C_SKIPS + ring] = self._older.get(shared.session, 0)
        control[C_RINGS + ring] = shared.address

    def stop(self) -> None:
        """Ask the loop to finish its scan, publish safe outputs, and return."""
        self.plan.control[C_STOP] = 1
        if self._bell >= 0:
            os.eventfd_write(self._bell, 1)

    def put_in_place(self) -> None:
        """Let readers find this program, and no longer the one beside which it was laid out."""
        self.image.put_in_place()
        self.memory.put_in_place()

    def drop_aside(self) -> None:
        """Give up a program that was laid out beside another and never scanned."""
        self.image.drop_aside()
        self.memory.drop_aside()

    def retire(self) -> None:
        """Close what only this program used; its loop has ended."""
        if self._bell >= 0:
            os.close(self._bell)
            self._bell = -1

    def remove(self) -> None:
        """Take the files of the scan away."""
        for shared in (self.image, self.memory, self.outbox, self.tape, self._tracers):
            shared.remove()

    def scan(self, now: int, wall: int = 0) -> None:
        """One scan at the next tick without sleeping: for tests and replays, and for nobody who has a loop running."""
        self.plan.state[S_STATE] = self.plan.state[S_STATE] or RUNNING
        self.plan.state[S_TICK] += 1
        one_scan(self.plan, now, wall, int(self.plan.state[S_TICK]))

    def column(self, tag: Tag) -> np.ndarray:
        kind = np.dtype(_NUMPY[tag.type])
        return self.plan.memory[tag.offset : tag.offset + max(tag.length, 1) * kind.itemsize].view(kind)

    def value(self, name: str) -> Any:
        """A tag's value in process memory, a list for an array; only while no loop runs."""
        tag = self.schedule.tag(name)
        values = self.column(tag).tolist()
        if tag.type == "BOOL":
            values = [bool(v) for v in values]
        return values if tag.length else values[0]

    def pin(self, name: str) -> Any:
        """The value of `instance.PIN` in process memory."""
        kind, offset, length = self.schedule.pins[name]
        code = {"BOOL": "B", "DINT": "i", "LINT": "q", "TIME": "q", "LREAL": "d"}[kind]
        values = list(struct.unpack_from(f"={max(length, 1)}{code}", self.plan.memory.data, offset))
        if kind == "BOOL":
            values = [bool(v) for v in values]
        return values if length else values[0]

    def set(self, name: str, value: Any) -> None:
        """Put a value into a tag's cells directly: for tests that play the field or the operator."""
        column = self.column(self.schedule.tag(name))
        column[:] = value
