"""One TCP connection to a Modbus device: a request, its answer, and why there is none. It knows no tag.

Built on pymodbus' asynchronous client without its retries and its own reconnecting: after a time-out the connection is
useless, because a late answer must never be taken for a newer one.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from runtime.fieldbus.modbus_groups import ModbusSettings, ReadGroup
from runtime.fieldbus.modbus_register import BIT_TABLES, COIL, HOLDING, INPUT
from runtime.fieldbus.modbus_writes import WriteRun

NS = 1e-9
CONNECT_LIMIT = 2.0  # s
# pymodbus logs every failed request; the driver says each change of state once.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class LostError(Exception):
    """The connection is of no use any more; `kind` is the counter that it belongs to, the text says why."""

    def __init__(self, kind: str, reason: str):
        super().__init__(reason)
        self.kind = kind


class RefusedError(Exception):
    """The device answered with an exception; `code` is the protocol's."""

    def __init__(self, code: int):
        super().__init__(f"exception {code}")
        self.code = code


class Link:
    """A connected device. `read` and `write` raise LostError or RefusedError; one request at a time."""

    def __init__(self, settings: ModbusSettings):
        self._settings = settings
        self._client = AsyncModbusTcpClient(
            settings.host, port=settings.port, timeout=CONNECT_LIMIT, retries=0, reconnect_delay=0, trace_connect=self._notice
        )
        self._asking = False

    async def connect(self) -> None:
        """Connect, and send small packets at once. Raises LostError."""
        client = self._client
        if not await client.connect():
            raise LostError("connect", "cannot connect")
        line = client.ctx.transport.get_extra_info("socket")
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.ctx.comm_params.timeout_connect = self._settings.request_timeout * NS  # pymodbus has one time-out for both

    @property
    def is_up(self) -> bool:
        return bool(self._client.connected)

    def close(self) -> None:
        self._client.close()

    def _notice(self, connected: bool) -> None:
        """pymodbus lets a request wait for its time-out when the device closes the connection: end it at once."""
        if not connected and self._asking:
            answer = self._client.ctx.response_future
            if not answer.done():
                answer.set_exception(ConnectionException("closed"))

    async def read(self, group: ReadGroup) -> np.ndarray:
        """The registers of a group (uint16), bits as 0 and 1."""
        client = self._client
        call = {HOLDING: client.read_holding_registers, INPUT: client.read_input_registers, COIL: client.read_coils}.get(
            group.table, client.read_discrete_inputs
        )
        answer = await self._ask(lambda: call(group.address, count=group.count, device_id=self._settings.unit))
        values = answer.bits[: group.count] if group.table in BIT_TABLES else answer.registers
        if len(values) != group.count:
            raise LostError("malformed", f"{len(values)} values for {group}")
        return np.array(values, np.uint16)

    async def write(self, run: WriteRun) -> None:
        """Write a run: function 6 or 5 for a single one, 16 or 15 for several."""
        client, values, unit = self._client, run.values.tolist(), self._settings.unit
        bits = [bool(value) for value in values]
        if run.table == COIL and len(bits) == 1:
            answer = await self._ask(lambda: client.write_coil(run.address, bits[0], device_id=unit))
        elif run.table == COIL:
            answer = await self._ask(lambda: client.write_coils(run.address, bits, device_id=unit))
        elif len(values) == 1:
            answer = await self._ask(lambda: client.write_register(run.address, values[0], device_id=unit))
        else:
            answer = await self._ask(lambda: client.write_registers(run.address, values, device_id=unit))
        if answer.address != run.address:
            raise LostError("malformed", f"the answer to a write of {run} names address {answer.address}")

    async def _ask(self, request: Callable[[], Awaitable[Any]]) -> ModbusPDU:
        """The answer to a request; pymodbus may refuse to begin one as well as to end it."""
        self._asking = True
        try:
            answer: ModbusPDU = await request()
        except ModbusException as error:
            if isinstance(error, ConnectionException) or not self.is_up:
                raise LostError("closed", "the device closed the connection") from error
            raise LostError("timeout", "no answer in time") from error
        finally:
            self._asking = False
        if answer.isError():
            raise RefusedError(answer.exception_code)
        return answer
