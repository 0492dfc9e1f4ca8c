"""Turns a Schedule into what the compiled loop walks: process memory, addresses and tables. It runs nothing.

`Plan` is the loop's whole world. All its tables are int64 unless the field says otherwise; addresses are absolute.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from blocks import catalogue
from runtime.engine import kernels
from runtime.engine.image import (
    COMMAND_RINGS,
    STAMP,
    STATISTICS_WORDS,
    Shared,
    address_of,
    inbox_payload,
    padded,
    scan_layout,
)
from runtime.engine.kernels import Kernel, Progress
from runtime.model import SYSTEM_TAGS, Schedule
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA

# The values of S_STATE, in the order of runtime.model.STATES.
STARTING, RUNNING, SAFE, INHIBITED = range(4)
# Words of Plan.state: the scan's own registers.
(S_SCAN, S_STATE, S_TICK, S_OVERRUNS, S_IN_A_ROW, S_MISSED, S_NOT_FINITE, S_BAD_INPUTS, S_TORN, S_INBOX_SEEN, S_LAST_START,
 S_PROFILE, S_START, S_INHIBIT, S_WAKE, S_TICK_NS, S_LIMIT, S_THEN_SAFE, S_DIGEST, S_SESSION, S_LATE, S_PERIOD,
 S_INBOX_ADDRESS, S_WAS_LATE) = range(24)  # fmt: skip
# Words of Plan.control: what the process around the loop asks of it.
C_STOP, C_INBOX, C_RINGS, C_SESSIONS = 0, 1, 2, 2 + COMMAND_RINGS
# Columns of Plan.groups and Plan.tasks.
G_KERNEL, G_COLUMNS, G_ROWS, G_LENGTH, G_COPY_FROM, G_COPY_TO = range(6)
T_EVERY, T_PHASE, T_GROUP_FROM, T_GROUP_TO, T_COPY_FROM, T_COPY_TO, T_PULSE_FROM, T_PULSE_TO, T_LAST, T_TURN = range(10)
SYSTEM = {name: i for i, (name, *_) in enumerate(SYSTEM_TAGS)}


class Plan(NamedTuple):
    """Everything that the compiled steps read and write."""

    memory: np.ndarray  # uint8: process memory
    control: np.ndarray
    state: np.ndarray
    scratch: np.ndarray
    groups: np.ndarray
    tasks: np.ndarray
    pulses: np.ndarray  # pairs of addresses: pending, visible
    copies: np.ndarray  # rows of target, source, size
    columns: np.ndarray
    input_tag: np.ndarray
    input_target: np.ndarray
    input_type: np.ndarray
    input_stale: np.ndarray
    input_hold: np.ndarray
    input_bad: np.ndarray
    inbox: np.ndarray  # uint8: the private copy of the newest inbox
    inbox_spare: np.ndarray  # uint8
    inbox_value: np.ndarray
    inbox_time: np.ndarray
    inbox_quality: np.ndarray  # uint32
    tag_quality: np.ndarray  # uint32
    tag_time: np.ndarray
    tag_good: np.ndarray  # uint8
    output_source: np.ndarray
    output_type: np.ndarray
    output_safe: np.ndarray
    command_target: np.ndarray
    command_type: np.ndarray
    command_role: np.ndarray
    command_low: np.ndarray  # float64
    command_high: np.ndarray  # float64
    command_length: np.ndarray
    command_pulse: np.ndarray
    command_pulse_count: np.ndarray
    pulse_cells: np.ndarray
    pulse_tags: np.ndarray  # addresses of the pulse tags themselves
    ring_tail: np.ndarray
    ring_session: np.ndarray
    system: np.ndarray  # addresses of the system tags, in the order of SYSTEM_TAGS
    authority: np.ndarray  # one address, 0 where there is none
    image: np.ndarray  # addresses and sizes: snapshot ring, its payload, outbox ring, its payload, replies
    region: np.ndarray  # address and size
    statistics: np.ndarray


def wanted_kernels(schedule: Schedule) -> list[tuple[object, object]]:
    """The kernels that this schedule calls."""
    known = catalogue()
    return [(known[g.block], kernels.chosen_of(g.chosen)) for g in schedule.groups]


def allocate(size: int) -> np.ndarray:
    """Zeroed, page-aligned memory that is already resident."""
    mapping = mmap.mmap(-1, max(padded(size), mmap.PAGESIZE), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
    return np.frombuffer(mapping, np.uint8)[: max(size, 1)]


def lay_out(schedule: Schedule, image: Shared, progress: Progress | None = None) -> Plan:
    """The plan of a schedule, its memory filled with the initial values, publishing into `image`."""
    loaded = kernels.load_kernels(wanted_kernels(schedule), progress)  # type: ignore[arg-type]
    memory = allocate(len(schedule.initial))
    memory[:] = schedule.initial
    base = address_of(memory)
    columns, groups = _groups(schedule, loaded, base)
    tasks, pulses = _tasks(schedule, base)
    inputs, outputs, commands, region = schedule.inputs, schedule.outputs, schedule.commands, schedule.region
    points = len(inputs.tag)
    inbox = allocate(inbox_payload(points))
    cells = padded(points * 8)
    quality = inbox[STAMP + 2 * cells :][: points * 4].view(np.uint32)
    quality[:] = BAD_WAITING_FOR_INITIAL_DATA
    layout = scan_layout(region.size, len(outputs.source))
    state = np.zeros(64, np.int64)
    state[S_TICK_NS] = schedule.tick
    state[S_TICK] = -1
    state[S_LIMIT] = schedule.watchdog.overruns
    state[S_THEN_SAFE] = schedule.watchdog.then == "safe"
    state[S_DIGEST] = int(schedule.digest[:16], 16) >> 1
    state[S_SESSION] = image.session
    state[S_WAKE] = -1
    targets = np.asarray(commands.target, np.int64)
    by_name = {tag.name: tag.offset for tag in schedule.tags}
    return Plan(
        memory=memory,
        control=np.zeros(64, np.int64),
        state=state,
        scratch=np.zeros(8, np.int64),
        groups=groups,
        tasks=tasks,
        pulses=pulses,
        copies=_copies(schedule, base),
        columns=columns,
        input_tag=_whole(inputs.tag),
        input_target=_whole(inputs.target) + base,
        input_type=_whole(inputs.type),
        input_stale=_whole(inputs.stale),
        input_hold=_whole(inputs.hold),
        input_bad=_whole(inputs.bad),
        inbox=inbox,
        inbox_spare=allocate(inbox_payload(points)),
        inbox_value=inbox[STAMP:][: points * 8].view(np.int64),
        inbox_time=inbox[STAMP + cells :][: points * 8].view(np.int64),
        inbox_quality=quality,
        tag_quality=memory[region.quality :][: region.tags * 4].view(np.uint32),
        tag_time=memory[region.source_time :][: region.tags * 8].view(np.int64),
        tag_good=memory[region.good :][: region.tags],
        output_source=_whole(outputs.source) + base,
        output_type=_whole(outputs.type),
        output_safe=_whole(outputs.safe),
        command_target=np.where(targets >= 0, targets + base, 0),
        command_type=_whole(commands.type),
        command_role=_whole(commands.role),
        command_low=np.asarray(commands.low, np.float64),
        command_high=np.asarray(commands.high, np.float64),
        command_length=_whole(commands.length),
        command_pulse=_whole(commands.pulse),
        command_pulse_count=_whole(commands.pulse_count),
        pulse_cells=_whole(commands.pulse_cells) + base,
        pulse_tags=_whole([tag.offset + base for tag in schedule.tags if tag.pulse]),
        ring_tail=np.zeros(COMMAND_RINGS, np.int64),
        ring_session=np.zeros(COMMAND_RINGS, np.int64),
        system=_whole([by_name[name] + base for name, *_ in SYSTEM_TAGS]),
        authority=_whole([base + schedule.authority if schedule.authority >= 0 else 0]),
        image=_whole([image.address + layout.snapshot, layout.snapshot_payload, image.address + layout.outbox,
                      layout.outbox_payload, image.address + layout.replies]),
        region=_whole([base, region.size]),
        statistics=image.memory[layout.statistics :][: STATISTICS_WORDS * 8].view(np.int64),
    )  # fmt: skip


def _whole(values: object) -> np.ndarray:
    return np.array(values, np.int64).reshape(-1)


def _groups(schedule: Schedule, loaded: Mapping[str, Kernel], base: int) -> tuple[np.ndarray, np.ndarray]:
    known = catalogue()
    columns = np.array([base + offset for g in schedule.groups for offset in g.columns] or [0], np.int64)
    groups = np.zeros((len(schedule.groups), 6), np.int64)
    place = address_of(columns)
    for row, g in enumerate(schedule.groups):
        kernel = loaded[kernels.kernel_name(known[g.block], kernels.chosen_of(g.chosen))]
        groups[row] = (kernel.address, place, g.rows, g.length, g.copy_from, g.copy_to)
        place += 8 * len(g.columns)
    return columns, groups


def _tasks(schedule: Schedule, base: int) -> tuple[np.ndarray, np.ndarray]:
    pulses = [(base + pending, base + visible) for task in schedule.tasks for pending, visible in task.pulses]
    tasks = np.zeros((len(schedule.tasks), 10), np.int64)
    place = 0
    for row, t in enumerate(schedule.tasks):
        count = len(t.pulses)
        tasks[row] = (t.every, t.phase, t.group_from, t.group_to, t.copy_from, t.copy_to, place, place + count, -1, -1)
        place += count
    return tasks, np.array(pulses, np.int64).reshape(-1, 2)


def _copies(schedule: Schedule, base: int) -> np.ndarray:
    copies = schedule.copies
    table = np.stack([_whole(copies.target) + base, _whole(copies.source) + base, _whole(copies.size)], axis=1)
    return np.ascontiguousarray(table)


