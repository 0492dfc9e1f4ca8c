"""The second step of a scan, compiled: take the services' commands, check each, and answer it."""

from __future__ import annotations

import numpy as np

from runtime.engine.atomics import as_lreal, load_acquire, load_i8, load_u1, scan_path, store_i8, store_release, store_u1
from runtime.engine.cells import REAL, WORD, store_wide
from runtime.engine.force import end_forces, find_force, is_in_range, take_force
from runtime.engine.force_tables import F_KIND, FOR_EVER, H_COUNT, OF_RUNTIME
from runtime.engine.image import COMMAND_RINGS, COMMAND_WORDS, HEADER, LINE, REPLY_RING, REPLY_WORDS, RING_ENTRIES, WORD_SESSION
from runtime.engine.plan import (
    A_AUTHORITY,
    A_REPLIES,
    C_RINGS,
    C_SKIPS,
    D_LENGTH,
    D_PULSE,
    D_PULSES,
    D_ROLE,
    D_TARGET,
    D_TYPE,
    S_MISSED,
    S_NOT_FINITE,
    S_OVERRUNS,
    S_PROFILE,
    S_SCAN,
    S_SESSIONS,
    S_STATE,
    S_TAILS,
    S_TICK,
    S_TICK_NS,
    S_TORN,
    SAFE,
    Plan,
)
from runtime.engine.tape import tape_command

WRITE, RESET_STATISTICS, PROFILE, FORCE, UNFORCE = 1, 2, 3, 4, 5
TAKEN, NOT_WRITABLE, ROLE_TOO_LOW, OUT_OF_RANGE, NOT_FINITE, UNKNOWN_TAG, BAD_ELEMENT, REMOTE_LOCKED, NOT_RUNNING = range(1, 10)
FORCED, NOT_FORCEABLE, NOT_FORCED, TOO_MANY_FORCES = range(10, 14)
LOCAL_RINGS = 2  # supervisor and hmi stand at the plant; all later rings are remote
COMMANDS_A_SCAN = 64
FORCING_ROLE = 2  # engineer, its place in runtime.model.ROLES


@scan_path
def command(plan: Plan) -> None:
    """Take the waiting commands of every service, a bounded number, in the fixed order of the rings; answer each."""
    for i in range(plan.pulse_tags.size):
        store_u1(plan.pulse_tags[i], 0)
    for ring in range(COMMAND_RINGS):
        address = plan.control[C_RINGS + ring]
        if address != 0:
            _drain(plan, ring, address)


@scan_path
def _drain(plan: Plan, ring: int, address: int) -> None:
    """One ring. What waited in it before this scan process began was meant for another one: it is refused, not obeyed."""
    replies = plan.places[A_REPLIES] + ring * REPLY_RING
    session, skip = load_i8(address + 8 * WORD_SESSION), plan.control[C_SKIPS + ring]  # the ring's own word: it cannot be another's
    if plan.state[S_SESSIONS + ring] != session:
        plan.state[S_SESSIONS + ring] = session
        plan.state[S_TAILS + ring] = max(skip - RING_ENTRIES, 0)
        store_release(replies + 8, plan.state[S_TAILS + ring])
        store_release(replies, session)
    tail, head = plan.state[S_TAILS + ring], load_acquire(address + HEADER)
    budget = COMMANDS_A_SCAN
    while tail < head and budget > 0:
        tail += 1
        budget -= 1
        entry = address + HEADER + LINE + tail % RING_ENTRIES * COMMAND_WORDS * 8
        answer = _obey(plan, ring, entry) if tail > skip else NOT_RUNNING
        tape_command(plan, ring, entry, answer)
        reply = replies + LINE + tail % RING_ENTRIES * REPLY_WORDS * 8
        store_i8(reply, load_i8(entry))
        store_i8(reply + 8, answer)
        store_i8(reply + 16, plan.state[S_SCAN])
    if tail != plan.state[S_TAILS + ring]:
        plan.state[S_TAILS + ring] = tail
        store_release(replies + 8, tail)


@scan_path
def _obey(plan: Plan, ring: int, entry: int) -> int:
    kind = load_i8(entry + 8)
    if kind == WRITE:
        tag, element = load_i8(entry + 16), load_i8(entry + 24)
        return _write_tag(plan, ring, tag, element, load_i8(entry + 32), load_i8(entry + 40))
    if kind in (FORCE, UNFORCE):
        return _force_tag(plan, ring, entry)
    if kind == RESET_STATISTICS:
        plan.statistics[:] = 0
        plan.state[S_OVERRUNS] = 0
        plan.state[S_MISSED] = 0
        plan.state[S_NOT_FINITE] = 0
        plan.state[S_TORN] = 0
        return TAKEN
    if kind == PROFILE:
        plan.state[S_PROFILE] = load_i8(entry + 40)
        return TAKEN
    return UNKNOWN_TAG


@scan_path
def _write_tag(plan: Plan, ring: int, tag: int, element: int, role: int, bits: int) -> int:
    """Check one write in the order that helps whoever sent it, and do it; returns the answer."""
    if tag < 0 or tag >= plan.commands.shape[0]:
        return UNKNOWN_TAG
    target = plan.commands[tag, D_TARGET]
    if target == 0:
        return NOT_WRITABLE
    if role < plan.commands[tag, D_ROLE]:
        return ROLE_TOO_LOW
    if element < 0 or element >= max(plan.commands[tag, D_LENGTH], 1):
        return BAD_ELEMENT
    if plan.state[S_STATE] == SAFE:
        return NOT_RUNNING
    if _is_locked(plan, ring):
        return REMOTE_LOCKED
    if plan.forces[0, H_COUNT] != 0 and find_force(plan, tag, element) != 0:
        return FORCED
    answer = _judge_value(plan, tag, bits)
    if answer != TAKEN:
        return answer
    kind = plan.commands[tag, D_TYPE]
    store_wide(target + element * (kind % 16), kind, bits)
    first = plan.commands[tag, D_PULSE]
    if first >= 0 and bits != 0:
        for cell in range(first, first + plan.commands[tag, D_PULSES]):
            store_u1(plan.pulse_cells[cell], 1)
    return TAKEN


@scan_path
def _judge_value(plan: Plan, tag: int, bits: int) -> int:
    """Whether a tag may take this value: TAKEN, or what is wrong with it."""
    kind = plan.commands[tag, D_TYPE]
    if kind == REAL and not np.isfinite(as_lreal(bits)):
        return NOT_FINITE
    if not is_in_range(plan, tag, bits) or (kind == WORD and bits != np.int32(bits)):
        return OUT_OF_RANGE
    return TAKEN


@scan_path
def _is_locked(plan: Plan, ring: int) -> bool:
    """Whether the site is in local control, and this ring's service stands elsewhere."""
    return ring >= LOCAL_RINGS and plan.places[A_AUTHORITY] != 0 and load_u1(plan.places[A_AUTHORITY]) == 0


@scan_path
def _force_tag(plan: Plan, ring: int, entry: int) -> int:
    """Check one force, or the end of some (tag -1: all, element -1: of the whole tag), as a write is checked, and do it."""
    tag, element, bits = load_i8(entry + 16), load_i8(entry + 24), load_i8(entry + 40)
    if load_i8(entry + 32) < FORCING_ROLE:
        return ROLE_TOO_LOW
    if load_i8(entry + 8) == UNFORCE:
        if _is_locked(plan, ring):
            return REMOTE_LOCKED
        return TAKEN if end_forces(plan, tag, element) > 0 else NOT_FORCED
    if tag < 0 or tag >= plan.commands.shape[0]:
        return UNKNOWN_TAG
    if plan.force_tags[tag, F_KIND] == OF_RUNTIME:
        return NOT_FORCEABLE
    if element < 0 or element >= max(plan.commands[tag, D_LENGTH], 1):
        return BAD_ELEMENT
    if plan.state[S_STATE] == SAFE:
        return NOT_RUNNING
    if _is_locked(plan, ring):
        return REMOTE_LOCKED
    answer = _judge_value(plan, tag, bits)
    if answer != TAKEN:
        return answer
    ticks = -(-load_i8(entry + 48) // plan.state[S_TICK_NS])
    end = plan.state[S_TICK] + ticks if ticks > 0 else FOR_EVER
    return TAKEN if take_force(plan, tag, element, bits, end, load_i8(entry + 56)) else TOO_MANY_FORCES
