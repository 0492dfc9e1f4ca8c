"""Runs a recorded scan again, bit for bit: the same compiled scan, fed from a tape's words instead of inbox, rings and clocks.

It knows records and a laid-out program. It must not know files, and needs no other process.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runtime.engine.alarm_count import learn_first_out
from runtime.engine.atomics import copy_bytes, load_i8, scan_path, store_i8, store_release
from runtime.engine.cells import load_wide
from runtime.engine.command import NOT_RUNNING
from runtime.engine.force import find_feed, lift_forces, turn_copy
from runtime.engine.force_tables import (
    E_CELL,
    E_ELEMENT,
    E_END,
    E_FEED,
    E_KIND,
    E_NAME,
    E_TAG,
    E_TYPE,
    E_USED,
    F_CELL,
    F_KIND,
    F_NAME,
    H_COUNT,
)
from runtime.engine.image import (
    COMMAND_RINGS,
    COMMAND_WORDS,
    HEADER,
    LINE,
    RING_ENTRIES,
    WORD_SESSION,
    Shared,
    address_of,
    outbox_payload,
    ring_size,
    scan_layout,
)
from runtime.engine.loop import (
    P_COMMAND,
    P_LATCH,
    P_LATE,
    P_LATE_MAX,
    P_LATE_P99,
    P_PERIOD,
    P_PUBLISH,
    P_RUN,
    P_SCAN_MAX,
    P_SCAN_US,
    _show_us,
    one_scan,
)
from runtime.engine.north import COMMAND_BYTES
from runtime.engine.plan import (
    A_INBOX,
    C_RINGS,
    I_RECEIVED,
    S_IN_A_ROW,
    S_INHIBIT,
    S_MISSED,
    S_OVERRUNS,
    S_SCAN,
    S_STATE,
    S_TICK,
    S_TORN,
    T_LAST,
    T_TURN,
    Plan,
    lay_out,
)
from runtime.engine.tape import outbox_check
from runtime.engine.tape_check import checked_forces
from runtime.engine.tape_words import (
    A_SCAN,
    COMMAND_RECORD,
    HEAD_WORDS,
    PICTURE_WORDS,
    R_CHANGES,
    R_CHECK,
    R_COMMAND,
    R_COMMANDS,
    R_FORCES,
    R_IN_A_ROW,
    R_INBOX,
    R_INHIBIT,
    R_KIND,
    R_LATCH,
    R_LATE,
    R_LATE_MAX,
    R_LATE_P99,
    R_LENGTH,
    R_MEMORY,
    R_MISSED,
    R_NOW,
    R_OVERRUNS,
    R_PERIOD,
    R_POINTS,
    R_PUBLISH,
    R_REGISTERS,
    R_RUN,
    R_SCAN,
    R_SCAN_MAX,
    R_SCAN_NS,
    R_STATE,
    R_TASKS,
    R_TICK,
    R_TORN,
    R_WALL,
    REGISTERS,
)
from runtime.model import Schedule

_RING = HEADER + COMMAND_BYTES  # bytes of a command ring of ours


@scan_path
def replay(plan: Plan, words: np.ndarray, at: int, rows: np.ndarray, slots: np.ndarray, tags: np.ndarray, rings: int) -> int:
    """Run the recorded scans from word `at` on, until `rows` is full, or a picture or the end comes; returns where it stopped.

    A row of `rows`: scan number, wall clock, 1 where the outputs are those that were recorded, then the watched cells, whose
    addresses and kinds stand in its first two rows. `slots` and `tags` say where a recorded input or tag stands in this program.
    """
    row, watched = 2, rows.shape[1] - 3
    while at < words.size and row < rows.shape[0] and words[at + R_KIND] == A_SCAN:
        _take_in(plan, words, at, slots, tags, rings)
        one_scan(plan, words[at + R_NOW], words[at + R_WALL], words[at + R_TICK])
        _show_recorded(plan, words, at)
        rows[row, 0] = words[at + R_SCAN]
        rows[row, 1] = words[at + R_WALL]
        rows[row, 2] = outbox_check(plan) == words[at + R_CHECK]
        for cell in range(3, 3 + watched):
            rows[row, cell] = load_wide(rows[0, cell], rows[1, cell])
        row += 1
        at += words[at + R_LENGTH]
    rows[0, 0] = row
    return at


@scan_path
def _take_in(plan: Plan, words: np.ndarray, at: int, slots: np.ndarray, tags: np.ndarray, rings: int) -> None:
    """What came from outside before or in this scan: registers, commands, inbox."""
    state = plan.state
    state[S_SCAN] = words[at + R_SCAN] - 1
    state[S_TICK] = words[at + R_TICK]
    state[S_STATE] = words[at + R_STATE]
    state[S_INHIBIT] = words[at + R_INHIBIT]
    state[S_OVERRUNS] = words[at + R_OVERRUNS]
    state[S_IN_A_ROW] = words[at + R_IN_A_ROW]
    state[S_MISSED] = words[at + R_MISSED]
    state[S_TORN] = words[at + R_TORN]
    commands, changes = words[at + R_COMMANDS], words[at + R_CHANGES]
    place = at + HEAD_WORDS
    for _ in range(commands):
        if words[place + 1] != NOT_RUNNING:
            _give_command(plan, words, place, tags, rings)
        place += COMMAND_RECORD
    for i in range(changes):
        which = words[place + i]
        slot = slots[which & 0xFFFFFFFF]
        if slot >= 0:
            plan.inbox_quality[slot] = np.uint32(which >> 32)
            plan.inbox_time[slot] = words[place + changes + i]
            plan.inbox_value[slot] = words[place + 2 * changes + i]


@scan_path
def _give_command(plan: Plan, words: np.ndarray, place: int, tags: np.ndarray, rings: int) -> None:
    """Put a recorded command where the scan takes it from: into a ring of ours."""
    ring = words[place]
    address = rings + ring * _RING
    number = load_i8(address + HEADER) + 1
    entry = address + HEADER + LINE + number % RING_ENTRIES * COMMAND_WORDS * 8
    copy_bytes(entry, words.ctypes.data + (place + 2) * 8, COMMAND_WORDS * 8)
    tag = words[place + 4]
    store_i8(entry + 16, tags[tag] if 0 <= tag < tags.size else -1)
    store_release(address + HEADER, number)


@scan_path
def _show_recorded(plan: Plan, words: np.ndarray, at: int) -> None:
    """The system tags about timing say what they said then: a program may have read them."""
    _show_us(plan, P_LATE, words[at + R_LATE])
    _show_us(plan, P_LATE_MAX, words[at + R_LATE_MAX])
    _show_us(plan, P_PERIOD, words[at + R_PERIOD])
    _show_us(plan, P_SCAN_US, words[at + R_SCAN_NS])
    _show_us(plan, P_SCAN_MAX, words[at + R_SCAN_MAX])
    _show_us(plan, P_LATCH, words[at + R_LATCH])
    _show_us(plan, P_COMMAND, words[at + R_COMMAND])
    _show_us(plan, P_RUN, words[at + R_RUN])
    _show_us(plan, P_PUBLISH, words[at + R_PUBLISH])
    store_i8(plan.system[P_LATE_P99], words[at + R_LATE_P99])


@dataclass(frozen=True)
class Picture:
    """A recorded picture, taken apart. `turns` has a row a task: last tick, turn; the last three are bytes."""

    scan: int
    wall: int
    registers: np.ndarray
    turns: np.ndarray
    received: np.ndarray
    forces: np.ndarray
    inbox: np.ndarray
    memory: np.ndarray


def picture_of(words: np.ndarray, at: int) -> Picture:
    """The picture whose record begins at word `at`."""
    head = words[at:]
    registers, tasks, points, forces, inbox, memory = (
        int(head[i]) for i in (R_REGISTERS, R_TASKS, R_POINTS, R_FORCES, R_INBOX, R_MEMORY)
    )
    ends = np.cumsum((PICTURE_WORDS, registers, 2 * tasks, points, forces // 8, (inbox + 7) // 8, (memory + 7) // 8))
    parts = [head[start:end] for start, end in itertools.pairwise(ends)]
    return Picture(
        scan=int(head[R_SCAN]),
        wall=int(head[R_WALL]),
        registers=parts[0],
        turns=parts[1].reshape(-1, 2),
        received=parts[2],
        forces=parts[3],
        inbox=parts[4].view(np.uint8)[:inbox],
        memory=parts[5].view(np.uint8)[:memory],
    )


class Player:
    """A program on which recorded scans are run. `slots` and `tags` translate where the tape is another program's.

    `watch` chooses the cells (byte offset in memory, kind of element) whose value after every scan `play` will show.
    """

    def __init__(self, schedule: Schedule, slots: np.ndarray | None = None, tags: np.ndarray | None = None, chunk: int = 1000):
        self.schedule = schedule
        image = Shared.private(scan_layout(schedule.region.size).size)
        memory = Shared.private(max(schedule.initial.size, 1))
        outbox = Shared.private(ring_size(outbox_payload(len(schedule.outputs.source))))
        self._laid_out = lay_out(schedule, image, memory.memory[HEADER:][: schedule.initial.size], outbox.address + HEADER)
        self._held = (image, memory, outbox)
        self.plan = self._laid_out.plan
        self.slots = np.arange(len(schedule.inputs.tag) + 1) if slots is None else slots
        self.tags = np.arange(len(schedule.tags)) if tags is None else tags
        self._rings = np.zeros(COMMAND_RINGS * _RING, np.uint8)
        for ring in range(COMMAND_RINGS):
            self._rings[ring * _RING :][:HEADER].view(np.int64)[WORD_SESSION] = 1
            self.plan.control[C_RINGS + ring] = address_of(self._rings) + ring * _RING
        self._chunk = chunk
        self.watch(())
        self.play(np.zeros(0, np.int64), 0)  # compiles now, or loads from the cache

    def watch(self, cells: Sequence[tuple[int, int]]) -> None:
        """Watch these cells from now on."""
        self._rows = np.zeros((self._chunk + 2, 3 + len(cells)), np.int64)
        base = address_of(self.plan.memory)
        for place, (offset, kind) in enumerate(cells, 3):
            self._rows[0, place], self._rows[1, place] = base + offset, kind

    def play(self, words: np.ndarray, at: int) -> tuple[int, np.ndarray]:
        """Run on from word `at`: where it stopped (a picture, the end, or after as many scans as a chunk has), and their rows."""
        stopped = int(replay(self.plan, words, at, self._rows, self.slots, self.tags, address_of(self._rings)))
        return stopped, self._rows[2 : int(self._rows[0, 0])]

    def restore(self, picture: Picture) -> None:
        """Go on from a recorded picture of this very program. Raises ValueError where it is another's."""
        plan = self.plan
        if len(picture.memory) != plan.memory.size or len(picture.turns) != len(plan.tasks):
            raise ValueError("the picture is of another program")
        forces = checked_forces(picture.forces, plan.commands)
        self.end_forces()
        plan.memory[:] = picture.memory
        learn_first_out(plan)
        plan.inputs[:, I_RECEIVED] = picture.received
        for register, value in zip(REGISTERS, picture.registers.tolist(), strict=True):
            plan.state[register] = value
        plan.tasks[:, T_LAST], plan.tasks[:, T_TURN] = picture.turns[:, 0], picture.turns[:, 1]
        _copy(int(plan.places[A_INBOX]), address_of(picture.inbox), len(picture.inbox))
        if len(picture.forces):
            plan.forces[:] = forces
            _hold(plan)

    def end_forces(self) -> None:
        """The forces of what was played before: the copies bring again what the program computes."""
        table = self.plan.forces
        table[1:][table[1:, E_USED] != 0, E_END] = 0
        if table[0, H_COUNT]:
            self.plan.state[S_TICK] = 0
            _lift(self.plan)


@scan_path
def _copy(target: int, source: int, size: int) -> None:
    copy_bytes(target, source, size)


@scan_path
def _lift(plan: Plan) -> None:
    lift_forces(plan)


@scan_path
def _hold(plan: Plan) -> None:
    """Forces of a picture: their cells stand elsewhere here, and the copies must bring them again."""
    for row in range(1, plan.forces.shape[0]):
        if plan.forces[row, E_USED] != 0:
            element, kind = plan.forces[row, E_ELEMENT], plan.forces[row, E_TYPE]
            plan.forces[row, E_CELL] = plan.force_tags[plan.forces[row, E_TAG], F_CELL] + element * (kind % 16)
            plan.forces[row, E_KIND] = plan.force_tags[plan.forces[row, E_TAG], F_KIND]
            plan.forces[row, E_NAME] = plan.force_tags[plan.forces[row, E_TAG], F_NAME]
            plan.forces[row, E_FEED] = find_feed(plan.feeds, plan.forces[row, E_CELL])
            if plan.forces[row, E_FEED] >= 0:
                turn_copy(plan, row)
