"""One Modbus TCP device on the network: pymodbus's server over our own registers, and what can go wrong with its line.

It must not know what the registers mean.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusIOException, NoSuchIdException
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from runtime.simulation.registers import (
    COIL,
    DISCRETE,
    HOLDING,
    INPUT,
    RefusedAddressError,
    RefusedValueError,
    Registers,
    read_span,
    write_span,
)

SPACES = {1: COIL, 2: DISCRETE, 3: HOLDING, 4: INPUT, 5: COIL, 6: HOLDING, 15: COIL, 16: HOLDING, 22: HOLDING, 23: HOLDING}


@dataclass(slots=True)
class Line:
    """What is wrong with a device's line, and what has passed over it.

    `silent`: requests vanish. `exception`: every request is answered by this exception code. `delay_s`: answers come late.
    """

    silent: bool = False
    exception: int = 0
    delay_s: float = 0.0
    requests: int = 0
    refused: int = 0
    foreign: int = 0
    lost: int = 0
    errors: list[str] = field(default_factory=list)


class Context:
    """The registers in the shape that pymodbus's requests ask for. Its methods never wait."""

    def __init__(self, unit: int, registers: Registers, line: Line) -> None:
        self.unit, self.registers, self.line = unit, registers, line

    def device_ids(self) -> list[int]:
        return [self.unit]

    async def async_getValues(self, device_id: int, func_code: int, address: int, count: int = 1) -> list[int] | ExcCodes:
        self._check(device_id)
        try:
            return read_span(self.registers, SPACES[func_code], address, count)
        except RefusedAddressError as refusal:
            return self._refuse(ExcCodes.ILLEGAL_ADDRESS, refusal)

    async def async_setValues(self, device_id: int, func_code: int, address: int, values: list[int]) -> ExcCodes | None:
        self._check(device_id)
        try:
            write_span(self.registers, SPACES[func_code], address, values)
        except RefusedAddressError as refusal:
            return self._refuse(ExcCodes.ILLEGAL_ADDRESS, refusal)
        except RefusedValueError as refusal:
            return self._refuse(ExcCodes.ILLEGAL_VALUE, refusal)
        return None

    def _check(self, device_id: int) -> None:
        if device_id != self.unit:
            raise NoSuchIdException(f"unit {device_id}: this device is unit {self.unit}")

    def _refuse(self, code: ExcCodes, refusal: Exception) -> ExcCodes:
        self.line.refused += 1
        self.line.errors = [*self.line.errors[-9:], str(refusal)]
        return code


class Peer(ServerRequestHandler):
    """One connection: answers every request of a TCP segment (pymodbus answers the first only), at once and in order."""

    def callback_data(self, data: bytes, addr: tuple[Any, ...] | None = None) -> int:
        used = 0
        while used < len(data):
            try:
                taken, request = self.framer.handleFrame(data[used:], 0, 0)
            except ModbusIOException as error:
                self._answer(ExceptionResponse(error.fcode or 0, ExcCodes.ILLEGAL_FUNCTION, error.dev_id, error.transaction_id))
                return len(data)
            used += taken
            if request is None:
                break
            self._take(request)
        return used

    def _take(self, request: ModbusPDU) -> None:
        context: Context = self.server.context
        line = context.line
        line.requests += 1
        if line.silent:
            line.lost += 1
            return
        if line.exception:
            answer: ModbusPDU = ExceptionResponse(request.function_code, line.exception)
        else:
            try:
                answer = _finish(request.datastore_update(context, request.dev_id))  # type: ignore[arg-type]
            except NoSuchIdException:
                line.foreign += 1
                answer = ExceptionResponse(request.function_code, ExcCodes.GATEWAY_NO_RESPONSE)
        answer.transaction_id, answer.dev_id = request.transaction_id, request.dev_id
        if line.delay_s > 0:
            self.loop.call_later(line.delay_s, self._answer, answer)
        else:
            self._answer(answer)

    def _answer(self, answer: ModbusPDU) -> None:
        if self.transport:
            self.pdu_send(answer)


def _finish(work: Coroutine[Any, Any, ModbusPDU]) -> ModbusPDU:
    """Run a coroutine that never waits, without a task: this halves the cost of a request."""
    try:
        work.send(None)
    except StopIteration as finished:
        answer: ModbusPDU = finished.value
        return answer
    work.close()
    raise RuntimeError("a register access waited for something")


class Server(ModbusTcpServer):
    """pymodbus's TCP server with our connections and our registers."""

    def __init__(self, context: Context, host: str, port: int) -> None:
        unused = SimDevice(context.unit, simdata=[SimData(0, values=0, datatype=DataType.REGISTERS)])
        super().__init__(unused, address=(host, port))
        self.context = context  # type: ignore[assignment]

    def callback_new_connection(self) -> Peer:
        return Peer(self, self.trace_packet, self.trace_pdu, self.trace_connect)  # type: ignore[no-untyped-call]


class ModbusDevice:
    """One device on the network: it can be plugged in and unplugged, and keeps its port."""

    def __init__(self, unit: int, registers: Registers, host: str, port: int) -> None:
        self.line = Line()
        self.host, self.port = host, port
        self._context = Context(unit, registers, self.line)
        self._server: Server | None = None

    async def plug(self) -> None:
        """Listen. Raises RuntimeError when the port is taken."""
        if self._server is not None:
            return
        server = Server(self._context, self.host, self.port)
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise RuntimeError(f"cannot listen on {self.host}:{self.port}: is another plant running?") from error
        self._server = server
        listener: Any = server.transport  # an asyncio.Server; pymodbus calls it a transport
        self.port = listener.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None
