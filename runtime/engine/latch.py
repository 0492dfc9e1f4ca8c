"""The first step of a scan, compiled: take the newest inbox, and judge every input."""

from __future__ import annotations

import numpy as np

from runtime.engine.atomics import as_lreal, copy_bytes, scan_path
from runtime.engine.cells import REAL, store_wide
from runtime.engine.image import ring_read
from runtime.engine.plan import (
    A_INBOX,
    A_INBOX_SIZE,
    A_INBOX_SPARE,
    C_INBOX,
    I_BAD,
    I_HOLD,
    I_RECEIVED,
    I_STALE,
    I_TAG,
    I_TARGET,
    I_TYPE,
    S_BAD_INPUTS,
    S_INBOX_ADDRESS,
    S_INBOX_SEEN,
    S_TORN,
    Plan,
)
from runtime.quality import (
    BAD_SENSOR_FAILURE,
    UNCERTAIN_LAST_USABLE,
    UNCERTAIN_SUBSTITUTE,
)


@scan_path
def latch(plan: Plan, now: int) -> None:
    """Copy the newest inbox into the input tags, and judge each by its age and its device's word."""
    state = plan.state
    ring = plan.control[C_INBOX]
    if ring != state[S_INBOX_ADDRESS]:
        state[S_INBOX_ADDRESS] = ring
        state[S_INBOX_SEEN] = 0
    if ring != 0:
        size, spare = plan.places[A_INBOX_SIZE], plan.places[A_INBOX_SPARE]
        number = ring_read(ring, size, spare, state[S_INBOX_SEEN])
        if number == -1:
            state[S_TORN] += 1
        elif number != state[S_INBOX_SEEN]:
            state[S_INBOX_SEEN] = number
            copy_bytes(plan.places[A_INBOX], spare, size)
    _judge(plan, now)


@scan_path
def _judge(plan: Plan, now: int) -> None:
    """Every input point: its value where it may be trusted, its `bad` policy where not; and each tag's worst quality."""
    inputs, values, times, qualities = plan.inputs, plan.inbox_value, plan.inbox_time, plan.inbox_quality
    tag_quality, tag_time, tag_good = plan.tag_quality, plan.tag_time, plan.tag_good
    bad_tags = 0
    point, count = 0, inputs.shape[0]
    while point < count:
        tag = inputs[point, I_TAG]
        worst, oldest = np.uint32(0), np.int64(0x7FFFFFFFFFFFFFFF)
        while point < count and inputs[point, I_TAG] == tag:
            target, kind, hold = inputs[point, I_TARGET], inputs[point, I_TYPE], inputs[point, I_HOLD] != 0
            quality = _quality_of(qualities[point], values[point], kind, now - times[point] > inputs[point, I_STALE], hold)
            if quality >> 30 == 0:
                store_wide(target, kind, values[point])
                inputs[point, I_RECEIVED] = 1
            elif not hold and inputs[point, I_RECEIVED] != 0:  # until its first good reading it stands at `initial`
                store_wide(target, kind, inputs[point, I_BAD])
            worst, oldest = max(worst, quality), min(oldest, times[point])
            point += 1
        tag_quality[tag] = worst
        tag_good[tag] = worst >> 30 == 0
        if worst >> 30 == 0:
            tag_time[tag] = oldest
        else:
            bad_tags += 1
    plan.state[S_BAD_INPUTS] = bad_tags


@scan_path
def _quality_of(said: np.uint32, bits: int, kind: int, is_old: bool, hold: bool) -> np.uint32:
    """What the device said of a point, unless it is good and yet too old or no number."""
    if said >> 30 != 0:
        return said
    if is_old:
        return np.uint32(UNCERTAIN_LAST_USABLE if hold else UNCERTAIN_SUBSTITUTE)
    if kind == REAL and not np.isfinite(as_lreal(bits)):
        return np.uint32(BAD_SENSOR_FAILURE)
    return said
