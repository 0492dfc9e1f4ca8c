"""The stand on which programs are tested: a PLC with its devices and services played by the test. Each test starts cold.

Laying out is done once; a fresh start puts memory and registers back to what they were. It must not know how tests are written.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numba import int64, typeof

from runtime.engine.image import address_of
from runtime.engine.north import Commands, Reply
from runtime.engine.plan import C_RINGS, I_RECEIVED, S_TAILS, T_LAST, T_TURN
from runtime.engine.plc import Plc
from runtime.language.scenario import DEEPEST, SIZES, TYPES, Cell, Check, Link, Point, Ramp, Setting, Write
from runtime.model import Device, Site
from runtime.program_tests_loop import (
    HISTORY,
    MOST_WATCHED,
    N_ALWAYS,
    N_CELLS,
    N_CHECKS,
    N_NOW,
    N_POINTS,
    N_RAMPS,
    N_SCANS,
    N_START,
    N_WALL,
    N_WATCHED,
    P_SEEN,
    R_BEGIN,
    R_SLOT,
    V_WAS,
    Stage,
    first_broken,
    play,
)
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from runtime.system_tags import DEVICE_STATES

START = 1_000_000_000_000  # CLOCK_MONOTONIC of the first scan
GENERATION = 0x7E57
MOST_RAMPS = 256
QUALITIES = {"good": GOOD, "bad": BAD_NO_COMMUNICATION}
ONLINE, LOST = DEVICE_STATES.index("online"), DEVICE_STATES.index("lost")


class TooMuchError(Exception):
    """A test asks for more at once than the stand, or the scan, can take."""


@contextmanager
def stand(site: Site, points: tuple[Point, ...] = ()) -> Iterator[Stand]:
    """A stand with a private folder in memory, removed at the end."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="bessplc-test-", dir=shared if shared.is_dir() else None))
    try:
        made = Stand(site, folder, points)
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stand:
    """One PLC, laid out once, whose inputs, commands and clock are the test's."""

    def __init__(self, site: Site, folder: Path, points: tuple[Point, ...] = ()):
        self.site, self.schedule = site, site.schedule
        self.plc = Plc(site.schedule, folder, GENERATION)
        self.plan = self.plc.plan
        self.base = address_of(self.plan.memory)
        self.devices = {device.name: device for device in site.devices}
        self.slots = len(site.schedule.inputs.tag)
        self._rings: dict[str, Commands] = {}
        self._asked: dict[tuple[str, int], Write] = {}
        self._away: set[int] = set()  # slots of devices that are lost or silent
        self._fresh_state = self.plan.state.copy()
        self._first_values = self._initial_inputs()
        self.points = points
        self.stage = self._stage()
        play.compile((typeof(self.plan), typeof(self.stage), int64, int64))  # or load it: no test pays for it
        table = typeof(self.stage.code)
        first_broken.compile((table, table, typeof(self.stage.stack), int64, int64))

    def _stage(self) -> Stage:
        cells = list(dict.fromkeys(point.cell for point in self.points))
        words = np.zeros(16, np.int64)
        words[N_CELLS], words[N_POINTS] = len(cells), len(self.points)
        places = {cell: number for number, cell in enumerate(cells)}
        rows = [(places[p.cell], p.before, p.after, 0) for p in self.points]
        return Stage(
            words,
            np.ones(max(self.slots, 1), np.uint8)[: self.slots],
            np.zeros((MOST_RAMPS, 6), np.int64),
            np.zeros((1, 3), np.int64),
            np.zeros((1, 3), np.int64),
            np.zeros(DEEPEST + 8, np.float64),
            np.array([(self.base + c.offset, TYPES.index(c.type), 0) for c in cells] or [(0, 0, 0)], np.int64),
            np.array(rows or [(0, 0, 0, 0)], np.int64),
            np.zeros((MOST_WATCHED, 2), np.int64),
            np.zeros((HISTORY, MOST_WATCHED + 1), np.int64),
        )

    def _initial_inputs(self) -> np.ndarray:
        """What the devices give before a test says otherwise: the `initial` value of each input; the devices are online."""
        bits = np.zeros(max(self.slots, 1), np.int64)
        memory = self.schedule.initial
        for device in self.site.devices:
            for point in device.inputs:
                tag = self.schedule.tag(point.tag)
                place = tag.offset + point.element * SIZES[tag.type]
                bits[point.slot] = _widened(memory[place : place + SIZES[tag.type]].tobytes())
            for point in device.diagnostics:
                bits[point.slot] = ONLINE if point.address == "state" else 0
        return bits[: self.slots]

    # A test's beginning --------------------------------------------------------------------------------------------------------

    def start_cold(self, always: Iterable[Check], watched: Iterable[Cell], clock: int) -> None:
        """Everything as before the first scan: memory, registers, inputs, and nothing that was commanded."""
        plan, stage, words = self.plan, self.stage, self.stage.words
        plan.memory[:] = self.schedule.initial
        plan.state[:S_TAILS] = self._fresh_state[:S_TAILS]
        plan.tasks[:, T_LAST] = plan.tasks[:, T_TURN] = -1
        plan.inputs[:, I_RECEIVED] = 0
        plan.statistics[:] = 0
        plan.inbox_value[:] = self._first_values
        plan.inbox_quality[:] = GOOD
        plan.inbox_time[:] = START
        stage.fresh[:] = 1
        words[N_NOW] = words[N_START] = START
        words[N_WALL], words[N_SCANS], words[N_RAMPS], words[N_CHECKS] = clock, 0, 0, 0
        stage.history[:, 0] = -1
        chosen = list(watched)[:MOST_WATCHED]
        for row, cell in enumerate(chosen):
            stage.watched[row] = (self.base + cell.offset, TYPES.index(cell.type))
        words[N_WATCHED] = len(chosen)
        stage.cells[:, V_WAS] = -1  # what a test begins with, it has been through
        self._drop_commands()
        self._away.clear()
        self._always = tuple(always)
        self.expect(())

    def _drop_commands(self) -> None:
        """Nobody obeys what the test before left in a ring: the scan lets go of it, and the next command makes a new one."""
        self.answers()
        for service in {service for service, _ in self._asked}:
            ring = self._rings.pop(service)
            self.plan.control[C_RINGS + ring.ring] = 0
            ring.close()
        self._asked.clear()

    def expect(self, checks: Iterable[Check]) -> None:
        """The checks of the step to come, behind those of every scan."""
        chosen = (*self._always, *checks)
        code: list[tuple[int, int, int]] = []
        rows = []
        for check in chosen:
            begin = len(code)
            code += [self._translated(*one) for one in check.code]
            rows.append((begin, len(code), int(check.wanted)))
        self.stage = self.stage._replace(
            code=np.array(code or [(0, 0, 0)], np.int64), checks=np.array(rows or [(0, 0, 0)], np.int64)
        )
        self.stage.words[N_ALWAYS] = len(self._always)
        self.stage.words[N_CHECKS] = len(chosen) - len(self._always)

    def _translated(self, operation: int, first: float, second: int) -> tuple[int, int, int]:
        if operation == 1:  # LOAD
            return operation, self.base + second, int(first)
        return operation, _bits(first), 0

    # What the test does --------------------------------------------------------------------------------------------------------

    def give(self, setting: Setting) -> None:
        """A device's value or quality from the next scan on; of a device that is away, the value that it will have."""
        plan, slots = self.plan, list(setting.slots)
        self._end_ramps(slots)
        if setting.bits:
            plan.inbox_value[slots] = setting.bits
        present = [slot for slot in slots if slot not in self._away]
        if setting.quality != "stale":
            plan.inbox_quality[present] = QUALITIES[setting.quality]
        self.stage.fresh[present] = setting.quality != "stale"

    def _end_ramps(self, slots: list[int]) -> None:
        rows = self.stage.ramps[: int(self.stage.words[N_RAMPS])]
        rows[np.isin(rows[:, R_SLOT], slots), R_BEGIN] = -1

    def ramp(self, ramp: Ramp) -> None:
        """A straight line from the next scan on."""
        self._end_ramps([ramp.slot])
        rows, words = self.stage.ramps, self.stage.words
        held = int(self.plan.inbox_value[ramp.slot])
        now = struct.unpack("<d", struct.pack("<q", held))[0] if ramp.is_real else float(held)
        start = now if ramp.start is None else ramp.start
        free = next((i for i in range(int(words[N_RAMPS])) if rows[i, R_BEGIN] < 0), int(words[N_RAMPS]))
        if free >= MOST_RAMPS:
            raise TooMuchError(f"more than {MOST_RAMPS} ramps at once")
        rows[free] = (ramp.slot, int(words[N_NOW]), max(ramp.over, 1), _bits(start), _bits(ramp.end), int(ramp.is_real))
        words[N_RAMPS] = max(int(words[N_RAMPS]), free + 1)
        if ramp.slot not in self._away:
            self.plan.inbox_quality[ramp.slot] = GOOD
            self.stage.fresh[ramp.slot] = 1

    def link(self, link: Link) -> None:
        """A device is lost, goes silent, or is back."""
        device: Device = self.devices[link.device]
        slots = [point.slot for point in device.inputs]
        self.plan.inbox_quality[slots] = BAD_NO_COMMUNICATION if link.state == "lost" else GOOD
        self.stage.fresh[slots] = link.state == "back"
        if link.state == "back":
            self._away.difference_update(slots)
        else:
            self._away.update(slots)
        shown = {"state": ONLINE if link.state == "back" else LOST, "lost": int(link.state != "back")}
        for point in device.diagnostics:
            if str(point.address) in shown:
                self.plan.inbox_value[point.slot] = shown[str(point.address)]

    def write(self, write: Write) -> None:
        """A service's command, for the next scan."""
        ring = self._rings.get(write.service)
        if ring is None:
            ring = Commands(self.plc.folder, write.service, self.schedule.region.size, GENERATION)
            self._rings[write.service] = ring
            self.plc.attach()
        if ring.is_full():
            raise TooMuchError(f"more commands of {write.service} than a scan takes")
        number = ring.write(self.schedule.tag(write.tag), write.value, write.role, write.element)
        self._asked[(write.service, number)] = write

    def answers(self) -> list[tuple[Write, Reply]]:
        """What the scans answered to the test's commands since the last call."""
        found = []
        for service, ring in self._rings.items():
            for reply in ring.replies():
                write = self._asked.pop((service, reply.id), None)
                if write is not None:
                    found.append((write, reply))
        return found

    def unanswered(self) -> list[Write]:
        """The test's commands that no scan has answered, oldest first."""
        return list(self._asked.values())

    def play(self, scans: int, until: int = 0) -> int:
        """So many scans at most: see `runtime.program_tests_loop.play`."""
        return int(play(self.plan, self.stage, scans, until))

    def broken(self) -> int:
        """The first check of the step that does not hold now, -1 where all do."""
        always = len(self._always)
        stage = self.stage
        found = int(first_broken(stage.code, stage.checks, stage.stack, always, always + int(stage.words[N_CHECKS])))
        return found - always if found >= 0 else -1

    def is_undecided(self, check: Check) -> bool:
        """Whether the check neither holds nor fails to: a comparison in it has no number."""
        code = np.array([self._translated(*one) for one in check.code], np.int64)
        either = np.array([(0, len(code), 0), (0, len(code), 1)], np.int64)
        return all(int(first_broken(code, either, self.stage.stack, which, which + 1)) >= 0 for which in (0, 1))

    # What the test sees ----------------------------------------------------------------------------------------------------------

    @property
    def scans(self) -> int:
        """Scans since the start of the test."""
        return int(self.stage.words[N_SCANS])

    def whole(self, offset: int, kind: str) -> int:
        return _widened(self.plan.memory[offset : offset + SIZES[kind]].tobytes())

    def remembered(self, count: int) -> list[tuple[int, tuple[int, ...]]]:
        """Scan numbers and the bits of the watched cells, oldest first, for the last scans."""
        rows = self.stage.history[self.stage.history[:, 0] >= 0]
        rows = rows[np.argsort(rows[:, 0])][-count:]
        watched = int(self.stage.words[N_WATCHED])
        return [(int(row[0]), tuple(int(x) for x in row[1 : watched + 1])) for row in rows]

    def seen(self) -> list[int]:
        """How often each point was exercised, in their order."""
        return [int(row[P_SEEN]) for row in self.stage.points[: len(self.points)]]


def shown_value(cell: Cell, bits: int) -> Any:
    """A value as Python has it: a bool, a whole number, or a float."""
    if cell.type == "BOOL":
        return bool(bits)
    return struct.unpack("<d", struct.pack("<q", bits))[0] if cell.type == "LREAL" else bits


def _widened(raw: bytes) -> int:
    return raw[0] if len(raw) == 1 else int.from_bytes(raw, "little", signed=True)


def _bits(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])
