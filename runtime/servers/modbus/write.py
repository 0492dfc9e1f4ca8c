"""Carries out Modbus writes: registers become values of tags, and each value one command to the scan. It knows no socket."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import numpy as np

from runtime.engine import north
from runtime.model import ROLES, Tag
from runtime.servers.audit import Who
from runtime.servers.door import NO_ANSWER, NO_SCAN, RING_FULL, Door, Outcome
from runtime.servers.integers import holds
from runtime.servers.modbus.heartbeat import Beat
from runtime.servers.modbus.image import Cell, RegisterImage, scale_factor
from runtime.servers.modbus.map import COIL, EXPECT, FORMATS, HOLDING
from runtime.servers.modbus.protocol import WriteRequest
from runtime.servers.modbus.refusal import BUSY, DEVICE_FAILURE, ILLEGAL_ADDRESS, ILLEGAL_VALUE, RefusedError

# What the client hears. A register that this client may not write looks to it like one that nobody may write.
EXCEPTIONS = {
    north.NOT_WRITABLE: ILLEGAL_ADDRESS,
    north.ROLE_TOO_LOW: ILLEGAL_ADDRESS,
    north.UNKNOWN_TAG: ILLEGAL_ADDRESS,
    north.BAD_ELEMENT: ILLEGAL_ADDRESS,
    north.OUT_OF_RANGE: ILLEGAL_VALUE,
    north.NOT_FINITE: ILLEGAL_VALUE,
    north.REMOTE_LOCKED: DEVICE_FAILURE,
    north.NOT_RUNNING: DEVICE_FAILURE,
    north.FORCED: DEVICE_FAILURE,
    NO_SCAN: DEVICE_FAILURE,
    NO_ANSWER: BUSY,
    RING_FULL: BUSY,
}
FEW = 8  # values that do not have to queue behind the blocks of others


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value for one element of one tag; or for `beat`, the register of the server's own that SCADA keeps changing."""

    tag: Tag
    element: int
    value: float | int | bool
    beat: Beat | None = None


def plan(request: WriteRequest, image: RegisterImage) -> list[Wanted]:
    """The values that a request writes. Raises RefusedError: 02 for what is not writable or only half covered, 03 for no value."""
    table, end = image.tables[request.table], request.address + request.count
    wanted, address = [], request.address
    while address < end:
        cell = table.cells.get(address)
        if cell is None or not cell.entry.writable or address + cell.entry.width > end:
            raise RefusedError(ILLEGAL_ADDRESS)
        wanted.append(_wanted(cell, request, image))
        address += cell.entry.width
    return wanted


def _wanted(cell: Cell, request: WriteRequest, image: RegisterImage) -> Wanted:
    tag, start = cell.entry.tag, cell.address - request.address
    if request.table == COIL:
        return Wanted(tag, cell.element, bool(request.data[start]))
    data = request.data[2 * start : 2 * (start + cell.entry.width)]
    if request.masks is not None:
        keep, put = request.masks
        now = int.from_bytes(image.tables[HOLDING].read(cell.address, 1), "big")
        data = (now & keep | put & ~keep & 0xFFFF).to_bytes(2, "big")
    return Wanted(tag, cell.element, _value(cell, data), image.beat if cell.entry.part == EXPECT else None)


def _value(cell: Cell, data: bytes) -> float | int | bool:
    entry, code = cell.entry, FORMATS[cell.entry.format][1]
    if entry.little:
        data = b"".join(data[n : n + 2] for n in range(len(data) - 2, -1, -2))
    raw = np.frombuffer(data, f">{code}")[0].item()
    if entry.tag.type == "BOOL":
        if raw not in (0, 1):
            raise RefusedError(ILLEGAL_VALUE)
        return bool(raw)
    if entry.scale != 1.0:
        per_unit, divides = scale_factor(entry.scale)
        raw = raw * per_unit if divides else raw / per_unit
    if entry.tag.type == "LREAL":
        return float(raw)
    if not math.isfinite(raw) or not holds(entry.tag.type, round(raw)):
        raise RefusedError(ILLEGAL_VALUE)
    return round(raw)


def check(wanted: list[Wanted], who: Who, door: Door) -> None:
    """Refuse the request as a whole before any of it is sent; the scan has the last word on each value. Raises RefusedError."""
    for one in wanted:
        answer = _judge(one, who.role)
        if answer and one.beat is not None:
            door.note(who, "write", one.tag.name, Outcome(answer).text, False, new=one.value)
            raise RefusedError(EXCEPTIONS[answer])
        if answer:
            door.refuse(one.tag, one.value, who, Outcome(answer).text, one.element)
            raise RefusedError(EXCEPTIONS[answer])


def _judge(one: Wanted, role: str) -> int:
    if not one.tag.write:
        return north.NOT_WRITABLE
    if not role or ROLES.index(role) < ROLES.index(one.tag.write):
        return north.ROLE_TOO_LOW
    if not math.isfinite(one.value):
        return north.NOT_FINITE
    low, high = one.tag.minimum, one.tag.maximum
    if one.tag.type != "BOOL" and ((low is not None and one.value < low) or (high is not None and one.value > high)):
        return north.OUT_OF_RANGE
    return 0


async def carry_out(wanted: list[Wanted], who: Who, door: Door) -> None:
    """Send each value to the scan, in order, and wait for all answers. Raises RefusedError for the first that was not taken.

    Several tags in one request are several commands: the scan may take one and refuse the next. A few of them go to the scan
    together with those of other clients; many (a block of coils) in portions, since the ring to the scan has no room for all.
    """
    for one in wanted:
        if one.beat is not None:  # a sign of life: none of the scan's business, and no deed to keep a record of
            one.beat.take(int(one.value))
    tags = [one for one in wanted if one.beat is None]
    if len(tags) <= FEW:
        outcomes = await asyncio.gather(*(door.write(one.tag, one.value, who, one.element) for one in tags))
    else:
        outcomes = await door.write_all([(one.tag, one.value, one.element) for one in tags], who)
    for outcome in outcomes:
        if not outcome.is_taken:
            raise RefusedError(EXCEPTIONS.get(outcome.answer, DEVICE_FAILURE))
