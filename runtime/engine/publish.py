"""The fourth step of a scan, compiled: publish the outbox for the fieldbus and the snapshot for everybody else."""

from __future__ import annotations

import numpy as np

from runtime.engine.atomics import as_lreal, copy_bytes, scan_path, store_i8
from runtime.engine.cells import REAL, load_wide
from runtime.engine.image import STAMP, ring_close, ring_open
from runtime.engine.plan import (
    A_OUTBOX,
    A_OUTBOX_SIZE,
    A_REGION,
    A_REGION_SIZE,
    A_SNAPSHOT,
    A_SNAPSHOT_SIZE,
    INHIBITED,
    O_SAFE,
    O_SOURCE,
    O_TYPE,
    RUNNING,
    S_INHIBIT,
    S_NOT_FINITE,
    S_SCAN,
    S_SESSION,
    S_STATE,
    SAFE,
    Plan,
)


@scan_path
def publish_outputs(plan: Plan, now: int) -> None:
    """Publish the outbox: every output value, or its safe value where the scan is safe or the value is no number."""
    state = plan.state
    ring, payload = plan.places[A_OUTBOX], plan.places[A_OUTBOX_SIZE]
    slot = ring_open(ring, payload)
    _stamp(plan, slot, now, np.int64(0))
    cells = slot + STAMP
    stopped = state[S_STATE] == SAFE
    for point in range(plan.outputs.shape[0]):
        kind = plan.outputs[point, O_TYPE]
        bits = load_wide(plan.outputs[point, O_SOURCE], kind)
        if stopped:
            bits = plan.outputs[point, O_SAFE]
        elif kind == REAL and not np.isfinite(as_lreal(bits)):
            bits = plan.outputs[point, O_SAFE]
            state[S_NOT_FINITE] += 1
        store_i8(cells + point * 8, bits)
    ring_close(ring, payload)


@scan_path
def publish_snapshot(plan: Plan, now: int, wall: int) -> None:
    """Publish the tag region as it stands."""
    ring, payload = plan.places[A_SNAPSHOT], plan.places[A_SNAPSHOT_SIZE]
    slot = ring_open(ring, payload)
    _stamp(plan, slot, now, wall)
    copy_bytes(slot + STAMP, plan.places[A_REGION], plan.places[A_REGION_SIZE])
    ring_close(ring, payload)


@scan_path
def _stamp(plan: Plan, slot: int, now: int, wall: int) -> None:
    state = plan.state
    shown = INHIBITED if state[S_INHIBIT] != 0 and state[S_STATE] == RUNNING else state[S_STATE]
    store_i8(slot, state[S_SCAN])
    store_i8(slot + 8, now)
    store_i8(slot + 16, wall)
    store_i8(slot + 24, shown)
    store_i8(slot + 32, state[S_SESSION])
