"""A device's place on its Modbus line: a request, its answer, and why there is none. It knows no tag.

Errors are told apart by `modbus_errors.ERRORS`. Repeats are ours, not the line's: a request is repeated only where its late
answer cannot be taken for that of the next one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from runtime.fieldbus.modbus_errors import LostError, RefusedError
from runtime.fieldbus.modbus_frame import (
    Request,
    identify_request,
    objects_of,
    read_request,
    read_write_request,
    values_of,
    write_request,
)
from runtime.fieldbus.modbus_groups import Span
from runtime.fieldbus.modbus_line import NS, Line, join_line
from runtime.fieldbus.modbus_settings import ModbusSettings
from runtime.fieldbus.modbus_writes import WriteRun

__all__ = ["NS", "Link", "LostError", "RefusedError"]

_DAMAGED = ("crc", "malformed", "short", "wrong_unit", "wrong_function", "wrong_address")  # an answer, but of no use
MOST_OBJECTS = 256  # of an identification


class Link:
    """A connected device. `read` and `write` raise LostError or RefusedError; one request at a time.

    `count` is told the kind of each error that a repeated request has healed.
    """

    def __init__(self, settings: ModbusSettings, count: Callable[[str], None] | None = None):
        self._settings, self._count = settings, count
        self._limit = settings.line.request_timeout * NS
        self._line: Line | None = None
        self._is_connected = False
        self.unit = settings.unit
        self.lost: LostError | None = None
        self.round_trip = math.nan  # s, of the last answered request

    async def connect(self) -> None:
        """Have the line open, and wait where this unit has kept silent and the line is shared. Raises LostError."""
        self.close()
        self.lost = None
        line = self._line = join_line(self._settings.line, self)
        await line.admit(self)
        await line.up()
        self._is_connected = True

    @property
    def is_up(self) -> bool:
        """Whether nothing is known against the device; an idle connection may be closed meanwhile."""
        return self._is_connected and self.lost is None

    def close(self) -> None:
        self._is_connected = False
        if self._line is not None:
            line, self._line = self._line, None
            line.leave(self)

    async def read(self, group: Span) -> np.ndarray:
        """The registers of a group (uint16), bits as 0 and 1."""
        return await self.read_table(group.table, group.address, group.count)

    async def read_table(self, table: str, address: int, count: int) -> np.ndarray:
        """The registers (uint16) from a wire address of `holding`, `input`, `coil` or `discrete`, bits as 0 and 1."""
        answer = await self._ask(read_request(self.unit, table, address, count))
        return values_of(table, count, answer)

    async def write(self, run: WriteRun) -> None:
        """Write a run: function 6 or 5 for a single one, 16 or 15 for several."""
        await self._ask(write_request(self.unit, run.table, run.address, run.values))

    async def read_write(self, group: Span, run: WriteRun) -> np.ndarray:
        """Write holding registers and read others in one request (function 23)."""
        request = read_write_request(self.unit, group.address, group.count, run.address, run.values)
        return values_of(group.table, group.count, await self._ask(request))

    async def identify(self) -> dict[int, bytes]:
        """The device's basic identification (function 43/14): 0 vendor, 1 product code, 2 revision."""
        found: dict[int, bytes] = {}
        first = 0
        for _ in range(MOST_OBJECTS):
            objects, following = objects_of(await self._ask(identify_request(self.unit, first)))
            found.update(objects)
            if following <= first:
                break
            first = following
        return found

    async def _ask(self, request: Request) -> bytes:
        """The answer; a request that failed is repeated as often as the io_map says."""
        left = self._settings.line.retry
        while True:
            if self._line is None:
                raise LostError("closed", "the link is closed")
            try:
                answer = await self._line.ask(self, request, self._limit)
            except LostError as lost:
                if left == 0 or self.lost is not None or not self._may_repeat(lost):
                    self.lost = lost  # only `connect` knows when this unit may be asked again
                    raise
                left -= 1
                if self._count is not None:
                    self._count(lost.kind)
            else:
                self.round_trip = self._line.round_trip
                return answer

    def _may_repeat(self, lost: LostError) -> bool:
        """On RTU an answer carries no transaction id: one that may still come must not meet the repeated request."""
        if lost.kind in ("exception_10", "exception_11"):
            return False
        return not self._settings.line.is_rtu or (not lost.is_overdue and lost.kind in _DAMAGED)
