"""Forces, compiled: a value that somebody holds a tag at, whatever writes it. Nothing is done here where nothing is forced.

A computed tag's force takes the place of the source of the one copy that writes it, so that every later reader of the same scan
sees it; an input is overwritten right after the latch; a tag of the operator by nobody, since writes to it are refused. Forces
begin in the command step, end between two scans, and are counted down in ticks. Who forces, and why, is not known here.
"""

from __future__ import annotations

import numpy as np

from runtime.engine.atomics import as_lreal, fence, load_i8, scan_path, store_i4, store_release, store_u1
from runtime.engine.cells import BYTE, REAL, load_wide, store_wide
from runtime.engine.force_tables import (
    E_BITS,
    E_CELL,
    E_ELEMENT,
    E_END,
    E_FEED,
    E_KIND,
    E_NAME,
    E_SCAN,
    E_TAG,
    E_TOKEN,
    E_TYPE,
    E_UNDER,
    E_USED,
    F_CELL,
    F_KIND,
    F_NAME,
    FORCE_WORDS,
    FORCES,
    H_COUNT,
    H_HIGH,
    H_OF,
    H_TICK,
    H_VERSION,
    LATCHED,
    LIFTED,
    OF_RUNTIME,
    W_ROW,
    W_SIZE,
    W_SOURCE,
    W_TARGET,
)
from runtime.engine.plan import A_REGION, D_LENGTH, D_PULSE, D_PULSES, D_TARGET, D_TYPE, S_SCAN, S_TICK, SYSTEM, Plan
from runtime.quality import GOOD, GOOD_LOCAL_OVERRIDE

P_FORCED = SYSTEM["plc.forced"]


@scan_path
def _begin_change(plan: Plan) -> None:
    store_release(plan.forces.ctypes.data, plan.forces[0, H_VERSION] + 1)
    fence()


@scan_path
def _end_change(plan: Plan) -> None:
    """The table is whole again; the tag `plc.forced` says how many hold."""
    forces, high, count = plan.forces, 0, 0
    for row in range(1, FORCES + 1):
        if forces[row, E_USED] != 0:
            high, count = row, count + 1
    forces[0, H_HIGH], forces[0, H_COUNT] = high, count
    store_i4(plan.system[P_FORCED], count)
    store_release(forces.ctypes.data, forces[0, H_VERSION] + 1)


@scan_path
def find_force(plan: Plan, tag: int, element: int) -> int:
    """The row of the force on this element, 0 where there is none."""
    forces = plan.forces
    for row in range(1, forces[0, H_HIGH] + 1):
        if forces[row, E_USED] != 0 and forces[row, E_TAG] == tag and forces[row, E_ELEMENT] == element:
            return row
    return 0


@scan_path
def find_feed(feeds: np.ndarray, cell: int) -> int:
    """The copy that writes this cell, -1 where none does."""
    low, high = 0, feeds.shape[0]
    while low < high:
        middle = (low + high) // 2
        if feeds[middle, W_TARGET] <= cell:
            low = middle + 1
        else:
            high = middle
    return low - 1 if low > 0 and cell < feeds[low - 1, W_TARGET] + feeds[low - 1, W_SIZE] else -1


@scan_path
def take_force(plan: Plan, tag: int, element: int, bits: int, end: int, token: int) -> bool:
    """Hold one element of a tag from now on; False where the table is full. The value has been checked."""
    forces, kind = plan.forces, plan.commands[tag, D_TYPE]
    row = find_force(plan, tag, element)
    is_new = row == 0
    if is_new:
        row = 1
        while row <= FORCES and forces[row, E_USED] != 0:
            row += 1
        if row > FORCES:
            return False
    _begin_change(plan)
    cell = plan.force_tags[tag, F_CELL] + element * (kind % 16)
    if is_new:
        forces[row, E_UNDER] = load_wide(cell, kind)
        forces[row, E_FEED] = find_feed(plan.feeds, cell)
    forces[row, E_USED], forces[row, E_TAG], forces[row, E_ELEMENT] = 1, tag, element
    forces[row, E_BITS] = (1 if bits != 0 else 0) if kind == BYTE else bits
    forces[row, E_END], forces[row, E_TOKEN], forces[row, E_SCAN] = end, token, plan.state[S_SCAN]
    forces[row, E_CELL], forces[row, E_TYPE], forces[row, E_KIND] = cell, kind, plan.force_tags[tag, F_KIND]
    forces[row, E_NAME], forces[0, H_OF] = plan.force_tags[tag, F_NAME], plan.places[A_REGION]
    if forces[row, E_FEED] >= 0:
        turn_copy(plan, row)
    store_wide(cell, kind, forces[row, E_BITS])
    _mark(plan, tag)
    _end_change(plan)
    return True


@scan_path
def turn_copy(plan: Plan, row: int) -> None:
    """Let the copy that writes the tag bring the forced value: a scalar's by its source, an array's by a touch after it."""
    forces, feed, copies = plan.forces, plan.forces[row, E_FEED], plan.copies
    copy = plan.feeds[feed, W_ROW]
    if plan.feeds[feed, W_SIZE] == forces[row, E_TYPE] % 16:
        copies[copy, 1] = forces.ctypes.data + (row * FORCE_WORDS + E_BITS) * 8
    else:
        copies[copy, 2] = -plan.feeds[feed, W_SIZE]


@scan_path
def touch(table: int, target: int, size: int) -> None:
    """An array was copied: put the forced elements of it back. `table` is the address of the forces."""
    for row in range(1, load_i8(table + H_HIGH * 8) + 1):
        entry = table + row * FORCE_WORDS * 8
        cell = load_i8(entry + E_CELL * 8)
        if load_i8(entry + E_USED * 8) != 0 and target <= cell < target + size:
            store_wide(cell, load_i8(entry + E_TYPE * 8), load_i8(entry + E_BITS * 8))


@scan_path
def _mark(plan: Plan, tag: int) -> None:
    """A forced tag is Good_LocalOverride; an array of which another element is bad stays bad."""
    if plan.tag_quality[tag] >> 30 == 0 or plan.commands[tag, D_LENGTH] == 0:
        plan.tag_quality[tag] = GOOD_LOCAL_OVERRIDE
        plan.tag_good[tag] = 1


@scan_path
def end_forces(plan: Plan, tag: int, element: int) -> int:
    """Let forces end before the next scan: of one element, of a tag (element -1), or all (tag -1). Returns how many."""
    forces, ended = plan.forces, 0
    _begin_change(plan)
    for row in range(1, forces[0, H_HIGH] + 1):
        fits = tag < 0 or (forces[row, E_TAG] == tag and (element < 0 or forces[row, E_ELEMENT] == element))
        if forces[row, E_USED] != 0 and fits:
            forces[row, E_END] = LIFTED
            ended += 1
    store_release(forces.ctypes.data, forces[0, H_VERSION] + 1)
    return ended


@scan_path
def lift_forces(plan: Plan) -> None:
    """A scan begins: forces whose time is over end, and inputs stand again as they were latched last."""
    forces, tick = plan.forces, plan.state[S_TICK]
    forces[0, H_TICK] = tick
    if forces[0, H_OF] != plan.places[A_REGION]:
        _take_over(plan)
    over = False
    for row in range(1, forces[0, H_HIGH] + 1):
        if forces[row, E_USED] == 0:
            continue
        if forces[row, E_KIND] == LATCHED:
            store_wide(forces[row, E_CELL], forces[row, E_TYPE], forces[row, E_UNDER])
        over = over or forces[row, E_END] <= tick
    if over:
        _begin_change(plan)
        for row in range(1, forces[0, H_HIGH] + 1):
            if forces[row, E_USED] != 0 and forces[row, E_END] <= tick:
                _release(plan, row)
        _end_change(plan)


@scan_path
def _take_over(plan: Plan) -> None:
    """The forces are those of another program, of which this one goes on: hold here what has the same name, type and unit."""
    forces, tags = plan.forces, plan.force_tags
    _begin_change(plan)
    forces[0, H_OF] = plan.places[A_REGION]
    for row in range(1, FORCES + 1):
        if forces[row, E_USED] == 0:
            continue
        tag = _find_name(tags, forces[row, E_NAME], forces[row, E_TAG])
        if tag < 0 or tags[tag, F_KIND] == OF_RUNTIME:
            forces[row, E_USED], forces[row, E_END] = 0, LIFTED
            continue
        kind, bits = forces[row, E_TYPE], forces[row, E_BITS]
        cell = tags[tag, F_CELL] + forces[row, E_ELEMENT] * (kind % 16)
        forces[row, E_TAG], forces[row, E_CELL], forces[row, E_KIND] = tag, cell, tags[tag, F_KIND]
        forces[row, E_FEED] = find_feed(plan.feeds, cell)
        if not is_in_range(plan, tag, bits):
            forces[row, E_END] = LIFTED
        if forces[row, E_FEED] >= 0:
            turn_copy(plan, row)
        elif tags[tag, F_KIND] != LATCHED and plan.commands[tag, D_TARGET] == 0:  # nobody writes it: it is the new text's constant
            forces[row, E_UNDER] = load_wide(cell, kind)
        store_wide(cell, kind, bits)
        _mark(plan, tag)
    _end_change(plan)


@scan_path
def _find_name(tags: np.ndarray, name: int, near: int) -> int:
    """The tag of this name, -1 for none. It stands near where it stood, since an edit moves few tags far."""
    for away in range(max(tags.shape[0], near + 1)):
        for tag in (near + away, near - away):
            if 0 <= tag < tags.shape[0] and tags[tag, F_NAME] == name:
                return tag
    return -1


@scan_path
def _release(plan: Plan, row: int) -> None:
    """The tag is what it would be without the force: read, computed, or as it was written last."""
    forces, feed, tag = plan.forces, plan.forces[row, E_FEED], plan.forces[row, E_TAG]
    forces[row, E_USED] = 0
    cell, kind, under = forces[row, E_CELL], forces[row, E_TYPE], forces[row, E_UNDER]
    if feed >= 0:
        copy, target, source = plan.feeds[feed, W_ROW], plan.feeds[feed, W_TARGET], plan.feeds[feed, W_SOURCE]
        others = False
        for other in range(1, forces[0, H_HIGH] + 1):
            others = others or (forces[other, E_USED] != 0 and forces[other, E_FEED] == feed)
        plan.copies[copy, 1] = source
        if not others:
            plan.copies[copy, 2] = plan.feeds[feed, W_SIZE]
        under = load_wide(source + cell - target, kind)
    pulse = plan.commands[tag, D_PULSE]
    if pulse >= 0:
        under = 0
        for place in range(pulse, pulse + plan.commands[tag, D_PULSES]):
            store_u1(plan.pulse_cells[place], 0)
    store_wide(cell, kind, under)
    marked = False
    for other in range(1, forces[0, H_HIGH] + 1):
        marked = marked or (forces[other, E_USED] != 0 and forces[other, E_TAG] == tag)
    if not marked:
        plan.tag_quality[tag] = GOOD


@scan_path
def hold_inputs(plan: Plan) -> None:
    """The latch is done: forced inputs take their forced values, and what was read is remembered below."""
    forces = plan.forces
    for row in range(1, forces[0, H_HIGH] + 1):
        if forces[row, E_USED] != 0 and forces[row, E_KIND] == LATCHED:
            forces[row, E_UNDER] = load_wide(forces[row, E_CELL], forces[row, E_TYPE])
            store_wide(forces[row, E_CELL], forces[row, E_TYPE], forces[row, E_BITS])
            _mark(plan, forces[row, E_TAG])


@scan_path
def hold_pulses(plan: Plan) -> None:
    """The commands are taken: a forced pulse is what it is forced to in every run of every task that reads it."""
    forces = plan.forces
    for row in range(1, forces[0, H_HIGH] + 1):
        if forces[row, E_USED] == 0:
            continue
        pulse = plan.commands[forces[row, E_TAG], D_PULSE]
        if pulse >= 0:
            store_u1(forces[row, E_CELL], forces[row, E_BITS])
            for place in range(pulse, pulse + plan.commands[forces[row, E_TAG], D_PULSES]):
                store_u1(plan.pulse_cells[place], forces[row, E_BITS])


@scan_path
def is_in_range(plan: Plan, tag: int, bits: int) -> bool:
    """Whether the tag's own range holds the value, also where nobody may write the tag."""
    value = as_lreal(bits) if plan.commands[tag, D_TYPE] == REAL else np.float64(bits)
    return plan.ranges[tag, 0] <= value <= plan.ranges[tag, 1]
