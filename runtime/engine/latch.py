"""The first step of a scan, compiled: take the newest inbox, and judge every input."""

from __future__ import annotations

import numpy as np
from numba import njit

from runtime.engine.atomics import as_lreal, copy_bytes
from runtime.engine.cells import REAL, store_wide
from runtime.engine.image import ring_read
from runtime.engine.plan import C_INBOX, S_BAD_INPUTS, S_INBOX_ADDRESS, S_INBOX_SEEN, S_TORN, Plan
from runtime.quality import (
    BAD_SENSOR_FAILURE,
    BAD_WAITING_FOR_INITIAL_DATA,
    UNCERTAIN_LAST_USABLE,
    UNCERTAIN_SUBSTITUTE,
)


@njit(cache=True, nogil=True)
def latch(plan: Plan, now: int) -> None:
    """Copy the newest inbox into the input tags, and judge each by its age and its device's word."""
    state = plan.state
    ring = plan.control[C_INBOX]
    if ring != state[S_INBOX_ADDRESS]:
        state[S_INBOX_ADDRESS] = ring
        state[S_INBOX_SEEN] = 0
    if ring != 0:
        size = plan.inbox.size
        number = ring_read(ring, size, plan.inbox_spare.ctypes.data, state[S_INBOX_SEEN])
        if number == -1:
            state[S_TORN] += 1
        elif number != state[S_INBOX_SEEN]:
            state[S_INBOX_SEEN] = number
            copy_bytes(plan.inbox.ctypes.data, plan.inbox_spare.ctypes.data, size)
    _judge(plan, now)


@njit(cache=True, nogil=True)
def _judge(plan: Plan, now: int) -> None:
    bad_tags = 0
    count = plan.input_tag.size
    point = 0
    while point < count:
        tag = plan.input_tag[point]
        worst, oldest = np.uint32(0), np.int64(0x7FFFFFFFFFFFFFFF)
        while point < count and plan.input_tag[point] == tag:
            quality = _take_point(plan, point, now)
            worst = max(worst, quality)
            oldest = min(oldest, plan.inbox_time[point])
            point += 1
        plan.tag_quality[tag] = worst
        plan.tag_good[tag] = worst >> 30 == 0
        if worst >> 30 == 0:
            plan.tag_time[tag] = oldest
        else:
            bad_tags += 1
    plan.state[S_BAD_INPUTS] = bad_tags


@njit(cache=True, nogil=True)
def _take_point(plan: Plan, point: int, now: int) -> np.uint32:
    """One input point: its value where it may be trusted, its `bad` policy where not; returns the quality."""
    quality = plan.inbox_quality[point]
    target, kind = plan.input_target[point], plan.input_type[point]
    bits = plan.inbox_value[point]
    hold = plan.input_hold[point] != 0
    if quality == BAD_WAITING_FOR_INITIAL_DATA:
        if not hold and plan.tag_time[plan.input_tag[point]] != 0:  # received once, before the fieldbus was restarted
            store_wide(target, kind, plan.input_bad[point])
        return np.uint32(BAD_WAITING_FOR_INITIAL_DATA)
    if quality >> 30 == 0 and now - plan.inbox_time[point] > plan.input_stale[point]:
        quality = np.uint32(UNCERTAIN_LAST_USABLE if hold else UNCERTAIN_SUBSTITUTE)
    if quality >> 30 == 0 and kind == REAL and not np.isfinite(as_lreal(bits)):
        quality = np.uint32(BAD_SENSOR_FAILURE)
    if quality >> 30 == 0:
        store_wide(target, kind, bits)
    elif not hold:
        store_wide(target, kind, plan.input_bad[point])
    return quality
