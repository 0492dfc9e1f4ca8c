"""Turns a Schedule into what the compiled loop walks: process memory, addresses and tables. It runs nothing.

`Plan` is the loop's whole world. All its tables are int64 unless the field says otherwise; addresses are absolute.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from blocks import catalogue
from blocks.declare import INPUT, BlockType
from runtime.engine import kernels
from runtime.engine.force_tables import FORCE_WORDS, FORCES, feeds_of, force_tags
from runtime.engine.image import (
    COMMAND_RINGS,
    STAMP,
    STATISTICS_WORDS,
    Shared,
    address_of,
    inbox_payload,
    outbox_payload,
    padded,
    scan_layout,
)
from runtime.engine.kernels import Kernel, Progress
from runtime.engine.translate import chosen_type
from runtime.model import SEVERITIES, Group, Schedule
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA
from runtime.system_tags import SYSTEM_TAGS

# The values of S_STATE, in the order of runtime.system_tags.STATES.
STARTING, RUNNING, SAFE, INHIBITED = range(4)
# Words of Plan.state: the scan's own registers.
(
    S_SCAN,
    S_STATE,
    S_TICK,
    S_OVERRUNS,
    S_IN_A_ROW,
    S_MISSED,
    S_NOT_FINITE,
    S_BAD_INPUTS,
    S_TORN,
    S_INBOX_SEEN,
    S_LAST_START,
    S_PROFILE,
    S_START,
    S_INHIBIT,
    S_WAKE,
    S_TICK_NS,
    S_LIMIT,
    S_THEN_SAFE,
    S_DIGEST,
    S_SESSION,
    S_LATE,
    S_PERIOD,
    S_INBOX_ADDRESS,
    S_WAS_LATE,
    S_FIRST_OUT,
) = range(25)
S_TAILS, S_SESSIONS, S_WORDS = 25, 25 + COMMAND_RINGS, 25 + 2 * COMMAND_RINGS
# Words of Plan.control: what the process around the loop asks of it.
C_STOP, C_INBOX, C_RINGS, C_SKIPS = 0, 1, 2, 2 + COMMAND_RINGS
# The same for online change: the program may scan; an eventfd that wakes it where it may not yet (-1: it need not wait); it waits
# there; the address of the handover to do after the next scan; nanoseconds that it took; odd while a scan is under way.
C_GO, C_BELL, C_PARKED, C_SWAP, C_TOOK, C_UNDER_WAY = range(56, 62)
C_TAPE = 63  # the scan's table of its tape (runtime/engine/tape.py), 0 while nobody records
# Columns of Plan.groups and Plan.tasks.
G_KERNEL, G_COLUMNS, G_ROWS, G_LENGTH, G_COPY_FROM, G_COPY_TO = range(6)
T_EVERY, T_PHASE, T_GROUP_FROM, T_GROUP_TO, T_COPY_FROM, T_COPY_TO, T_PULSE_FROM, T_PULSE_TO, T_LAST, T_TURN = range(10)
# Columns of Plan.inputs, Plan.outputs and Plan.commands; the rows are runtime.model's, and whether a good reading ever came.
I_TAG, I_TARGET, I_TYPE, I_STALE, I_HOLD, I_BAD, I_RECEIVED = range(7)
O_SOURCE, O_TYPE, O_SAFE = range(3)
# Columns of Plan.alarms: the address of the BOOL that says whether it stands, its place in SEVERITIES, and a number for its name.
L_ACTIVE, L_SEVERITY, L_KEY = range(3)
D_TARGET, D_TYPE, D_ROLE, D_LENGTH, D_PULSE, D_PULSES = range(6)
# Words of Plan.places: addresses (0: there is none) and sizes.
(
    A_SCRATCH,
    A_SNAPSHOT,
    A_SNAPSHOT_SIZE,
    A_OUTBOX,
    A_OUTBOX_SIZE,
    A_REPLIES,
    A_REGION,
    A_REGION_SIZE,
    A_AUTHORITY,
    A_INBOX,
    A_INBOX_SPARE,
    A_INBOX_SIZE,
) = range(12)
SYSTEM = {name: i for i, (name, *_) in enumerate(SYSTEM_TAGS)}


class Plan(NamedTuple):
    """Everything that the compiled steps read and write. Few and wide tables: each field is handed to every compiled call."""

    memory: np.ndarray  # uint8: process memory
    control: np.ndarray
    state: np.ndarray
    places: np.ndarray
    groups: np.ndarray
    tasks: np.ndarray
    pulses: np.ndarray  # pairs of addresses: pending, visible
    copies: np.ndarray  # rows of target, source, size; the last is no copy: the address of the forces
    inputs: np.ndarray
    inbox_value: np.ndarray
    inbox_time: np.ndarray
    inbox_quality: np.ndarray  # uint32
    tag_quality: np.ndarray  # uint32
    tag_time: np.ndarray
    tag_good: np.ndarray  # uint8
    outputs: np.ndarray
    commands: np.ndarray
    ranges: np.ndarray  # float64: rows of low, high
    pulse_cells: np.ndarray
    pulse_tags: np.ndarray  # addresses of the pulse tags themselves
    system: np.ndarray  # addresses of the system tags, in the order of SYSTEM_TAGS
    statistics: np.ndarray
    forces: np.ndarray  # runtime/engine/force_tables.py says what the columns of these three are
    force_tags: np.ndarray
    feeds: np.ndarray
    alarms: np.ndarray  # those that `plc.first_out` counts come first, so that its number is the row's


def wanted_kernels(schedule: Schedule) -> list[tuple[object, object]]:
    """The kernels that this schedule calls."""
    known = catalogue()
    return [(known[g.block], kernels.chosen_of(g.chosen)) for g in schedule.groups]


def allocate(size: int) -> np.ndarray:
    """Zeroed, page-aligned memory that is already resident."""
    mapping = mmap.mmap(-1, max(padded(size), mmap.PAGESIZE), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
    return np.frombuffer(mapping, np.uint8)[: max(size, 1)]


@dataclass(frozen=True)
class LaidOut:
    """A plan, and what its addresses point into: it must live as long as the plan."""

    plan: Plan
    held: tuple[object, ...]


def lay_out(schedule: Schedule, image: Shared, memory: np.ndarray, outbox: int, progress: Progress | None = None) -> LaidOut:
    """The plan of a schedule in this process memory, filled with the initial values, publishing into `image` and `outbox`."""
    loaded = kernels.load_kernels(wanted_kernels(schedule), progress)  # type: ignore[arg-type]
    memory[:] = schedule.initial
    base = address_of(memory)
    columns, groups = _groups(schedule, loaded, base)
    tasks, pulses = _tasks(schedule, base)
    region, points = schedule.region, len(schedule.inputs.tag)
    inbox, spare, scratch = allocate(inbox_payload(points)), allocate(inbox_payload(points)), np.zeros(8, np.int64)
    cells = padded(points * 8)
    quality = inbox[STAMP + 2 * cells :][: points * 4].view(np.uint32)
    quality[:] = BAD_WAITING_FOR_INITIAL_DATA
    layout = scan_layout(region.size)
    places = _whole(
        [
            address_of(scratch),
            image.address + layout.snapshot,
            layout.snapshot_payload,
            outbox,
            outbox_payload(len(schedule.outputs.source)),
            image.address + layout.replies,
            base,
            region.size,
            base + schedule.authority if schedule.authority >= 0 else 0,
            address_of(inbox),
            address_of(spare),
            inbox.size,
        ]
    )
    by_name = {tag.name: tag.offset for tag in schedule.tags}
    forces = image.memory[layout.forces :][: (FORCES + 1) * FORCE_WORDS * 8].view(np.int64).reshape(FORCES + 1, FORCE_WORDS)
    copies = _copies(schedule, base, forces)
    plan = Plan(
        memory=memory,
        control=np.zeros(64, np.int64),
        state=_first_state(schedule, image),
        places=places,
        groups=groups,
        tasks=tasks,
        pulses=pulses,
        copies=copies,
        inputs=_inputs(schedule, base),
        inbox_value=inbox[STAMP:][: points * 8].view(np.int64),
        inbox_time=inbox[STAMP + cells :][: points * 8].view(np.int64),
        inbox_quality=quality,
        tag_quality=memory[region.quality :][: region.tags * 4].view(np.uint32),
        tag_time=memory[region.source_time :][: region.tags * 8].view(np.int64),
        tag_good=memory[region.good :][: region.tags],
        outputs=_outputs(schedule, base),
        commands=_commands(schedule, base),
        ranges=np.stack([np.asarray(schedule.commands.low, np.float64), np.asarray(schedule.commands.high, np.float64)], axis=1),
        pulse_cells=_whole(schedule.commands.pulse_cells) + base,
        pulse_tags=_whole([tag.offset + base for tag in schedule.tags if tag.pulse]),
        system=_whole([by_name[name] + base for name, *_ in SYSTEM_TAGS]),
        statistics=image.memory[layout.statistics :][: STATISTICS_WORDS * 8].view(np.int64),
        forces=forces,
        force_tags=force_tags(schedule.tags, schedule.inputs.tag, base),
        feeds=feeds_of(copies[:-1], base, region.size),
        alarms=_alarms(schedule, base),
    )
    return LaidOut(plan, (columns, inbox, spare, scratch, loaded))


def _alarms(schedule: Schedule, base: int) -> np.ndarray:
    rows = [(schedule.tag(a.active).offset + base, SEVERITIES.index(a.severity), _key_of(a.full_name)) for a in schedule.alarms]
    return np.array(sorted(rows, key=lambda row: row[1] == 0), np.int64).reshape(-1, 3)


def _key_of(name: str) -> int:
    """A number for a name, never 0: what says in one program what is meant in another."""
    return int.from_bytes(hashlib.blake2b(name.lower().encode(), digest_size=8).digest(), "little") >> 1 | 1


def _first_state(schedule: Schedule, image: Shared) -> np.ndarray:
    state = np.zeros(S_WORDS, np.int64)
    state[S_TICK_NS] = schedule.tick
    state[S_TICK] = -1
    state[S_LIMIT] = schedule.watchdog.overruns
    state[S_THEN_SAFE] = schedule.watchdog.then == "safe"
    state[S_DIGEST] = int(schedule.digest[:16], 16) >> 1
    state[S_SESSION] = image.session
    state[S_WAKE] = -1
    return state


def _table(*columns: object) -> np.ndarray:
    return np.ascontiguousarray(np.stack([_whole(c) for c in columns], axis=1))


def _inputs(schedule: Schedule, base: int) -> np.ndarray:
    i = schedule.inputs
    return _table(i.tag, _whole(i.target) + base, i.type, i.stale, i.hold, i.bad, np.zeros(len(i.tag), np.int64))


def _outputs(schedule: Schedule, base: int) -> np.ndarray:
    o = schedule.outputs
    return _table(_whole(o.source) + base, o.type, o.safe)


def _commands(schedule: Schedule, base: int) -> np.ndarray:
    c = schedule.commands
    targets = _whole(c.target)
    return _table(np.where(targets >= 0, targets + base, 0), c.type, c.role, c.length, c.pulse, c.pulse_count)


def _whole(values: object) -> np.ndarray:
    return np.array(values, np.int64).reshape(-1)


def _groups(schedule: Schedule, loaded: Mapping[str, Kernel], base: int) -> tuple[np.ndarray, np.ndarray]:
    known = catalogue()
    columns = np.array([base + offset for g in schedule.groups for offset in g.columns] or [0], np.int64)
    groups = np.zeros((len(schedule.groups), 6), np.int64)
    place = address_of(columns)
    for row, g in enumerate(schedule.groups):
        _check_apart(g, known[g.block])
        kernel = loaded[kernels.kernel_name(known[g.block], kernels.chosen_of(g.chosen))]
        groups[row] = (kernel.address, place, g.rows, g.length, g.copy_from, g.copy_to)
        place += 8 * len(g.columns)
    return columns, groups


def _check_apart(g: Group, block: BlockType) -> None:
    """Kernels are compiled on the promise that what they write is nothing else that they read."""
    spans = []
    for pin, offset in zip(block.pins, g.columns, strict=True):
        cells = g.rows * (g.length if pin.length == "N" else int(pin.length) or 1)
        spans.append((offset, offset + cells * chosen_type(pin, kernels.chosen_of(g.chosen)).size, pin.kind != INPUT))
    spans.sort()
    end, end_written = 0, 0
    for start, stop, is_written in spans:
        if start < (end if is_written else end_written):
            raise ValueError(f"{g.block}: a column of {g.instances[:1]} is both written and read elsewhere: the schedule is wrong")
        end = max(end, stop)
        end_written = max(end_written, stop) if is_written else end_written


def _tasks(schedule: Schedule, base: int) -> tuple[np.ndarray, np.ndarray]:
    pulses = [(base + pending, base + visible) for task in schedule.tasks for pending, visible in task.pulses]
    tasks = np.zeros((len(schedule.tasks), 10), np.int64)
    place = 0
    for row, t in enumerate(schedule.tasks):
        count = len(t.pulses)
        tasks[row] = (t.every, t.phase, t.group_from, t.group_to, t.copy_from, t.copy_to, place, place + count, -1, -1)
        place += count
    return tasks, np.array(pulses, np.int64).reshape(-1, 2)


def _copies(schedule: Schedule, base: int, forces: np.ndarray) -> np.ndarray:
    copies = schedule.copies
    return np.vstack(
        [_table(_whole(copies.target) + base, _whole(copies.source) + base, copies.size), [[address_of(forces), 0, 0]]]
    )
