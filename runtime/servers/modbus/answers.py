"""What the Modbus server answers to a request, from the newest picture of the plant. It knows no socket and no serial line.

Exceptions a client may see: 01 unknown function; 02 an address that is not mapped, not writable (for this client), or half of
a longer value; 03 a wrong count or length, a value out of range or not finite; 04 no scan is running or it is stopped or in
local control, or a tag is bad whose line says so; 06 the scan did not answer within a second, too many writes wait, or another
program came in between; 0B another unit id than the site's.
"""

from __future__ import annotations

import time

import runtime
from runtime.child import ServiceOrder
from runtime.servers.audit import Who
from runtime.servers.door import Door
from runtime.servers.modbus.access import Access
from runtime.servers.modbus.image import RegisterImage
from runtime.servers.modbus.map import Entry
from runtime.servers.modbus.protocol import (
    IDENTIFY,
    READS,
    WRITES,
    WriteRequest,
    answer_identify,
    answer_read,
    answer_write,
    check_read_after_write,
    frame,
    parse_write,
    refuse,
)
from runtime.servers.modbus.refusal import BUSY, DEVICE_FAILURE, ILLEGAL_FUNCTION, NO_SUCH_UNIT, RefusedError
from runtime.servers.modbus.settings import ModbusSettings
from runtime.servers.modbus.write import Wanted, carry_out, check, plan

LOOK = 1_000_000  # ns: a snapshot is looked for at most this often, however many requests come
MOST_READY = 4096  # answers kept of one picture: a client that asks for ever other addresses fills no memory

Writing = tuple[WriteRequest, list[Wanted], Who, RegisterImage]


class Answers:
    """Answers requests from the register image, which is encoded once for each snapshot; writes go through the door."""

    def __init__(self, order: ServiceOrder, settings: ModbusSettings, entries: tuple[Entry, ...], door: Door, access: Access):
        self.requests = self.writes = 0
        self._door = door
        self._ready: dict[bytes, bytes] = {}  # of this picture: what follows the transaction number, of request and answer
        self.follow(order, settings, entries, access)

    def follow(self, order: ServiceOrder, settings: ModbusSettings, entries: tuple[Entry, ...], access: Access) -> None:
        """Answer from this map from now on."""
        self.image = RegisterImage(entries, order.region, settings.gaps)
        self._access = access
        self._identity = _identity(order.site)
        self._looked = self._encoded = 0
        self._is_stale = True
        self._ready.clear()

    def ready(self, asked: bytes) -> bytes | None:
        """The answer that somebody has had from this picture already; both without their transaction numbers.

        SCADA systems ask for the same blocks again and again: this is what makes the server as fast as one in C.
        """
        now = time.monotonic_ns()
        if now - self._looked > LOOK:
            self._look(now)
        found = self._ready.get(asked)
        if found is not None:
            self.requests += 1
        return found

    def current(self, *, now: bool = False) -> RegisterImage:
        """The image of the newest snapshot. Raises RefusedError where the scan has gone silent."""
        time_now = time.monotonic_ns()
        if now or time_now - self._looked > LOOK:
            self._look(time_now)
        if self._is_stale:
            raise RefusedError(DEVICE_FAILURE)
        return self.image

    def look(self) -> None:
        """Look for a picture now: the first look loads what is compiled, for a second, which no client should wait."""
        self._look(time.monotonic_ns())

    def _look(self, time_now: int) -> None:
        self._looked = time_now
        self._door.refresh()
        if self._door.pictures != self._encoded:
            self._encoded = self._door.pictures
            self.image.encode(self._door.snapshot)
            self._ready.clear()
        self._is_stale = self._door.is_stale()
        if self._is_stale:
            self._ready.clear()

    def answer(self, unit: int, pdu: bytes, who: Who) -> bytes | Writing:
        """The answer to a request over TCP; or, for a write, what must go to the scan first."""
        who_here = self._access.in_unit(who, unit)
        if who_here is None:
            self.requests += 1
            return refuse(pdu[0], NO_SUCH_UNIT)
        answer = self.answer_to(pdu, who_here)
        if pdu[0] in READS and isinstance(answer, bytes) and answer[0] == pdu[0]:
            if len(self._ready) >= MOST_READY:
                self._ready.clear()
            self._ready[frame(0, unit, pdu)[2:]] = frame(0, unit, answer)[2:]
        return answer

    def answer_to(self, pdu: bytes, who: Who) -> bytes | Writing:
        """The same to a request whose unit id was looked at already."""
        self.requests += 1
        function = pdu[0]
        try:
            if function in READS:
                return answer_read(pdu, self.current())
            if function in WRITES:
                return self._begin_write(pdu, who)
            if function == IDENTIFY:
                return answer_identify(pdu, self._identity)
            raise RefusedError(ILLEGAL_FUNCTION)
        except RefusedError as refusal:
            return refuse(function, refusal.code)

    def _begin_write(self, pdu: bytes, who: Who) -> Writing:
        request = parse_write(pdu)
        image = self.current(now=request.masks is not None)
        wanted = plan(request, image)
        check_read_after_write(request, image)
        check(wanted, who, self._door)
        return request, wanted, who, image

    async def write(self, pdu: bytes, writing: Writing) -> bytes:
        """Have the scan take the values; the answer says what became of them."""
        self.writes += 1
        request, wanted, who, image = writing
        if image is not self.image:  # another program has come in between: its tags stand elsewhere
            return refuse(request.function, BUSY)
        try:
            await carry_out(wanted, who, self._door)
            return answer_write(request, pdu, self.current(now=True))
        except RefusedError as refusal:
            return refuse(request.function, refusal.code)


def _identity(site: str) -> list[bytes]:
    texts = ("bessplc", "bessplc", runtime.__version__, "", "Soft PLC for battery energy storage", "bessplc", site)
    return [text.encode("utf-8")[:100] for text in texts]
