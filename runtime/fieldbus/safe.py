"""The safe sequence: which outputs get their safe values when, after a stop. It knows no driver and starts nothing.

Power goes to zero before contactors open: each output has its time after the stop, and devices are written side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from runtime.contract import Connection
from runtime.model import Device, Point

NS = 1e-9
STEP_LIMIT = 0.3  # s: a device that does not answer must not hold up the next step


@dataclass(frozen=True)
class SafeStep:
    """What is written at one time (ns after the stop): the slots of each device, by its name."""

    after: int
    slots: Mapping[str, tuple[int, ...]]


def kept_slots(devices: Sequence[Device]) -> Mapping[str, tuple[int, ...]]:
    """The outputs of each device, by its name, that a stop leaves as they are."""
    found = {d.name: tuple(p.slot for p in d.outputs if p.keeps) for d in devices}
    return {name: slots for name, slots in found.items() if slots}


def safe_steps(devices: Sequence[Device]) -> tuple[SafeStep, ...]:
    """The steps of the safe sequence in the order of their times."""
    times = sorted({point.safe_after for device in devices for point in device.outputs if not point.keeps})
    return tuple(SafeStep(after, _slots_at(devices, after)) for after in times)


def _slots_at(devices: Sequence[Device], after: int) -> dict[str, tuple[int, ...]]:
    found = {d.name: tuple(p.slot for p in d.outputs if p.safe_after == after and not p.keeps) for d in devices}
    return {name: slots for name, slots in found.items() if slots}


def safe_bits(point: Point) -> int:
    """The point's safe value as the bits of an outbox cell."""
    if point.type == "LREAL":
        return int(np.array([point.safe], np.float64).view(np.int64)[0])
    return int(point.safe)


async def write_safe_values(steps: Sequence[SafeStep], connections: Mapping[str, Connection]) -> frozenset[str]:
    """Write all safe values in their order; returns the devices that did not take their part within its time.

    Times count from the call. Values written earlier are held and repeated by the drivers meanwhile, so that no device's
    own time-out fires before its turn.
    """
    loop = asyncio.get_running_loop()
    start, missed = loop.time(), set[str]()
    for step in steps:
        await asyncio.sleep(max(0.0, start + step.after * NS - loop.time()))
        done = await asyncio.gather(*(_write(name, slots, connections) for name, slots in step.slots.items()))
        missed.update(name for name, taken in zip(step.slots, done, strict=True) if not taken)
    return frozenset(missed)


def steps_again(steps: Sequence[SafeStep], devices: frozenset[str]) -> tuple[SafeStep, ...]:
    """The parts of these devices once more, in the same order and without the waits: their times are over."""
    again = ({name: slots for name, slots in step.slots.items() if name in devices} for step in steps)
    return tuple(SafeStep(0, slots) for slots in again if slots)


async def _write(name: str, slots: Sequence[int], connections: Mapping[str, Connection]) -> bool:
    log = structlog.get_logger().bind(device=name, outputs=len(slots))
    connection = connections.get(name)
    if connection is None:
        log.error("safe values cannot be written: the device is not connected")
        return False
    try:
        async with asyncio.timeout(STEP_LIMIT):  # not wait_for: that of Python 3.11 may swallow the end of the sequence
            taken = await connection.write_safe(slots)
    except TimeoutError:
        log.error("safe values not taken in time", limit_s=STEP_LIMIT)
        return False
    except Exception:  # one device's bug must not keep the others from their safe values
        log.exception("safe values not written")
        return False
    if taken is False:
        log.error("safe values not written: the device refuses them, or its registers cannot carry them")
        return False
    if not connection.status().get("connected", True):
        log.error("safe values not written: the device is lost; its own time-out must act")
        return False
    return True
