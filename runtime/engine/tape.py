"""The tape, compiled: what a scan took in from outside goes into a shared ring, and now and then a whole picture of memory.

It reads what the scan used and writes it where only a recorder looks. It must not know files on a disk, and never waits: a
recorder that is too slow is lapped, sees the gap, and asks for the next picture. Where none runs, it costs one word's look.

A record is a row of 64-bit words; `runtime/engine/tape_words.py` says which.
"""

from __future__ import annotations

import numpy as np

from runtime.engine.atomics import copy_bytes, fence, load_acquire, load_i8, scan_path, store_i8, store_release
from runtime.engine.force_tables import FORCE_BYTES, H_COUNT
from runtime.engine.image import LINE, SLOTS, STAMP
from runtime.engine.plan import (
    A_INBOX,
    A_INBOX_SIZE,
    A_OUTBOX,
    A_OUTBOX_SIZE,
    C_TAPE,
    I_RECEIVED,
    S_INBOX_ADDRESS,
    S_INBOX_SEEN,
    S_INHIBIT,
    S_PERIOD,
    S_SCAN,
    S_STATE,
    S_TORN,
    SYSTEM,
    T_LAST,
    T_TURN,
    Plan,
)
from runtime.engine.statistics import COMMAND, GREATEST, LAST, LATCH, LATE, PUBLISH, ROW, RUN, SCAN
from runtime.engine.tape_words import (
    A_PICTURE,
    A_SCAN,
    BEGUN,
    CHANGE_RECORD,
    COMMAND_RECORD,
    HEAD,
    HEAD_WORDS,
    MOST_COMMANDS,
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

# Words of the scan's own table about its tape: addresses, sizes and counts.
(
    W_RING,
    W_MASK,
    W_WANTED,
    W_PICTURED,
    W_VALUES,
    W_TIMES,
    W_QUALITIES,
    W_CHANGED,
    W_COMMANDS,
    W_TAKEN,
    W_SEEN,
    W_INBOX,
) = range(12)
P_OVERRUNS, P_IN_A_ROW, P_MISSED, P_LATE_P99 = (
    SYSTEM[f"plc.{n}"] for n in ("overruns", "overruns_in_a_row", "missed", "late_p99_us")
)


@scan_path
def tape_command(plan: Plan, ring: int, entry: int, answer: int) -> None:
    """Note a command as this scan took it; called while its entry in the ring is still the scan's."""
    table = plan.control[C_TAPE]
    if table == 0:
        return
    taken = load_i8(table + 8 * W_TAKEN)
    if taken < MOST_COMMANDS:
        place = load_i8(table + 8 * W_COMMANDS) + taken * COMMAND_RECORD * 8
        store_i8(place, ring)
        store_i8(place + 8, answer)
        copy_bytes(place + 16, entry, 64)
        store_i8(table + 8 * W_TAKEN, taken + 1)


@scan_path
def tape_scan(plan: Plan, now: int, wall: int, tick: int) -> None:
    """Write the record of this scan, and a picture of memory if one is wanted. Called when all but the timing is done."""
    table = plan.control[C_TAPE]
    if table == 0:
        return
    commands = load_i8(table + 8 * W_TAKEN)
    changes = _changes(plan, table)
    ring, mask = load_i8(table + 8 * W_RING), load_i8(table + 8 * W_MASK)
    length = HEAD_WORDS + commands * COMMAND_RECORD + changes * CHANGE_RECORD
    at = _open(ring, length)
    cells = ring + LINE
    _put_head(plan, cells, mask, at, now, wall, tick, length)
    _put(cells, mask, at + R_COMMANDS, commands)
    _put(cells, mask, at + R_CHANGES, changes)
    _put_bytes(cells, mask, at + HEAD_WORDS, load_i8(table + 8 * W_COMMANDS), commands * COMMAND_RECORD * 8)
    _put_changes(plan, table, cells, mask, at + HEAD_WORDS + commands * COMMAND_RECORD, changes)
    store_release(ring + 8 * HEAD, at + length)
    store_i8(table + 8 * W_TAKEN, 0)
    wanted = load_acquire(load_i8(table + 8 * W_WANTED))
    if wanted != load_i8(table + 8 * W_PICTURED):
        store_i8(table + 8 * W_PICTURED, wanted)
        _picture(plan, ring, mask, now, wall)


@scan_path
def _open(ring: int, length: int) -> int:
    """Say how far the record will reach, so that a reader knows what it overwrites; returns where it begins."""
    at = load_acquire(ring + 8 * HEAD)
    store_release(ring + 8 * BEGUN, at + length)
    fence()
    return at


@scan_path
def _put(cells: int, mask: int, at: int, word: int) -> None:
    store_i8(cells + (at & mask) * 8, word)


@scan_path
def _put_bytes(cells: int, mask: int, at: int, source: int, size: int) -> None:
    """Bytes into the ring, in two parts where they pass its end."""
    begin = (at & mask) * 8
    first = min(size, (mask + 1) * 8 - begin)
    copy_bytes(cells + begin, source, first)
    if first < size:
        copy_bytes(cells, source + first, size - first)


@scan_path
def _put_head(plan: Plan, cells: int, mask: int, at: int, now: int, wall: int, tick: int, length: int) -> None:
    """What this scan was told by clocks and by the loop around it, and a check of what it put out."""
    state, statistics, system = plan.state, plan.statistics, plan.system
    _put(cells, mask, at + R_LENGTH, length)
    _put(cells, mask, at + R_KIND, A_SCAN)
    _put(cells, mask, at + R_SCAN, state[S_SCAN])
    _put(cells, mask, at + R_NOW, now)
    _put(cells, mask, at + R_WALL, wall)
    _put(cells, mask, at + R_TICK, tick)
    _put(cells, mask, at + R_STATE, state[S_STATE])
    _put(cells, mask, at + R_INHIBIT, state[S_INHIBIT])
    _put(cells, mask, at + R_OVERRUNS, load_i8(system[P_OVERRUNS]))  # as the programs saw them: a command may have reset them since
    _put(cells, mask, at + R_IN_A_ROW, load_i8(system[P_IN_A_ROW]))
    _put(cells, mask, at + R_MISSED, load_i8(system[P_MISSED]))
    _put(cells, mask, at + R_TORN, state[S_TORN])
    _put(cells, mask, at + R_LATE, statistics[LATE * ROW + LAST])
    _put(cells, mask, at + R_LATE_MAX, statistics[LATE * ROW + GREATEST])
    _put(cells, mask, at + R_PERIOD, state[S_PERIOD])
    _put(cells, mask, at + R_SCAN_NS, statistics[SCAN * ROW + LAST])
    _put(cells, mask, at + R_SCAN_MAX, statistics[SCAN * ROW + GREATEST])
    _put(cells, mask, at + R_LATCH, statistics[LATCH * ROW + LAST])
    _put(cells, mask, at + R_COMMAND, statistics[COMMAND * ROW + LAST])
    _put(cells, mask, at + R_RUN, statistics[RUN * ROW + LAST])
    _put(cells, mask, at + R_PUBLISH, statistics[PUBLISH * ROW + LAST])
    _put(cells, mask, at + R_LATE_P99, load_i8(system[P_LATE_P99]))
    _put(cells, mask, at + R_CHECK, outbox_check(plan))


@scan_path
def outbox_check(plan: Plan) -> int:
    """A number that all outputs of the newest outbox enter (FNV-1a over words)."""
    ring, payload = plan.places[A_OUTBOX], plan.places[A_OUTBOX_SIZE]
    stride = LINE + (payload + LINE - 1) // LINE * LINE
    cells = ring + LINE + load_acquire(ring) % SLOTS * stride + LINE + STAMP
    found = np.int64(-3750763034362895579)
    for point in range(plan.outputs.shape[0]):
        found = (found ^ load_i8(cells + point * 8)) * np.int64(1099511628211)
    return int(found)


@scan_path
def _changes(plan: Plan, table: int) -> int:
    """Note which inbox cells are not what they were in the record before; returns how many."""
    state = plan.state
    if load_i8(table + 8 * W_SEEN) == state[S_INBOX_SEEN] and load_i8(table + 8 * W_INBOX) == state[S_INBOX_ADDRESS]:
        return 0
    store_i8(table + 8 * W_SEEN, state[S_INBOX_SEEN])
    store_i8(table + 8 * W_INBOX, state[S_INBOX_ADDRESS])
    values, times, qualities = load_i8(table + 8 * W_VALUES), load_i8(table + 8 * W_TIMES), load_i8(table + 8 * W_QUALITIES)
    changed, count = load_i8(table + 8 * W_CHANGED), 0
    for point in range(plan.inbox_value.size):
        value, time, quality = plan.inbox_value[point], plan.inbox_time[point], np.int64(plan.inbox_quality[point])
        place = point * 8
        if value != load_i8(values + place) or time != load_i8(times + place) or quality != load_i8(qualities + place):
            store_i8(values + place, value)
            store_i8(times + place, time)
            store_i8(qualities + place, quality)
            store_i8(changed + count * 8, point)
            count += 1
    return count


@scan_path
def _put_changes(plan: Plan, table: int, cells: int, mask: int, at: int, count: int) -> None:
    """The changed cells as three columns: what repeats stands together, and packs well."""
    changed = load_i8(table + 8 * W_CHANGED)
    for i in range(count):
        point = load_i8(changed + i * 8)
        _put(cells, mask, at + i, point | (np.int64(plan.inbox_quality[point]) << 32))
        _put(cells, mask, at + count + i, plan.inbox_time[point])
        _put(cells, mask, at + 2 * count + i, plan.inbox_value[point])


@scan_path
def _picture(plan: Plan, ring: int, mask: int, now: int, wall: int) -> None:
    """All that the next scan stands on: registers, the tasks' turns, which inputs were ever good, forces, inbox, memory."""
    inbox, memory = plan.places[A_INBOX_SIZE], plan.memory.size
    tasks, points = plan.tasks.shape[0], plan.inputs.shape[0]
    forces = FORCE_BYTES if plan.forces[0, H_COUNT] != 0 else 0
    length = PICTURE_WORDS + len(REGISTERS) + 2 * tasks + points + forces // 8 + (inbox + 7) // 8 + (memory + 7) // 8
    at, cells = _open(ring, length), ring + LINE
    _put(cells, mask, at + R_LENGTH, length)
    _put(cells, mask, at + R_KIND, A_PICTURE)
    _put(cells, mask, at + R_SCAN, plan.state[S_SCAN])
    _put(cells, mask, at + R_NOW, now)
    _put(cells, mask, at + R_WALL, wall)
    _put(cells, mask, at + R_MEMORY, memory)
    _put(cells, mask, at + R_INBOX, inbox)
    _put(cells, mask, at + R_TASKS, tasks)
    _put(cells, mask, at + R_POINTS, points)
    _put(cells, mask, at + R_REGISTERS, len(REGISTERS))
    _put(cells, mask, at + R_FORCES, forces)
    place = at + PICTURE_WORDS
    for i in range(len(REGISTERS)):
        _put(cells, mask, place + i, plan.state[REGISTERS[i]])
    place += len(REGISTERS)
    for task in range(tasks):
        _put(cells, mask, place + 2 * task, plan.tasks[task, T_LAST])
        _put(cells, mask, place + 2 * task + 1, plan.tasks[task, T_TURN])
    place += 2 * tasks
    for point in range(points):
        _put(cells, mask, place + point, plan.inputs[point, I_RECEIVED])
    place += points
    _put_bytes(cells, mask, place, plan.forces.ctypes.data, forces)
    place += forces // 8
    _put_bytes(cells, mask, place, plan.places[A_INBOX], inbox)
    _put_bytes(cells, mask, place + (inbox + 7) // 8, plan.memory.ctypes.data, memory)
    store_release(ring + 8 * HEAD, at + length)
