"""Modbus devices for tests that misbehave on demand: real sockets and ptys, several units each, in a process of their own.

`python -m tests.aids.modbus_faults`; then `listen` opens a server and answers its number and port:

    device.ask("listen", kind="tcp")                       -> {"server": 0, "port": 40123}; also tls (certificate, key, ca),
    device.ask("listen", kind="rtu", link="/tmp/x/tty")       rtu_over_tcp, and rtu on a pty whose near end is named `link`
    device.ask("fault", name="slow", value=900, unit=2)    until `clear`; `times=3` for the next three answers only
    device.ask("set", table="holding", address=0, values=[1, 2], unit=1)

Every unit that is named in `units=[1, 2]` (default 1) has 1,000 registers and bits of each table. Requests are read and answers
built by pymodbus, so that our own framing is never its own judge. Faults are the keys of FAULTS.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import ssl
import struct
import time
import tty
from pathlib import Path
from typing import Any

from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers
from pymodbus.pdu.mei_message import ReadDeviceInformationResponse

from tests.aids.fieldbus_child import answer

TABLE = {1: "coil", 5: "coil", 15: "coil", 2: "discrete", 3: "holding", 6: "holding", 16: "holding", 4: "input", 23: "holding"}
SIZE = 1000
FAULTS = {
    "timeout": "no answer",
    "slow": "the answer comes after `value` ms",
    "dribble": "byte by byte, `value` ms between them",
    "exception": "exception code `value`",
    "reset": "the connection is broken off (RST)",
    "close": "the connection is closed in good order",
    "half_close": "half an answer, then the connection is closed",
    "wrong_unit": "the answer names another unit",
    "wrong_function": "the answer is of another function",
    "wrong_transaction": "the answer names another transaction",
    "wrong_address": "the answer to a write names another address",
    "short": "half an answer",
    "few": "one register less than asked, in a sound frame",
    "many": "one register more than asked, in a sound frame",
    "crc": "one bit of the checksum is wrong",
    "bit": "one bit of the data is wrong",
    "garbage": "random bytes",
    "protocol": "a header of another protocol",
    "extra": "two bytes after the answer",
    "glitch": "a null byte before the answer",
    "echo": "the request comes back before the answer",
    "twice": "the answer comes twice",
}


class Server:
    """One listening socket or pty, its units, and what is wrong with it."""

    def __init__(self, asked: dict[str, Any]):
        self.kind = asked["kind"]
        self.asked = asked
        self.port = asked.get("port", 0)
        self.units = {unit: {name: [0] * SIZE for name in set(TABLE.values())} for unit in asked.get("units", [1])}
        self.objects = {0: b"Maker", 1: b"Code", 2: b"1.0"}
        self.faults: dict[int, dict[str, Any]] = {}  # by unit, 0 for all
        self.requests: list[list[Any]] = []
        self.written: list[dict[str, Any]] = []
        self.accepted = 0
        self.open: set[Connection] = set()
        self.most_open = asked.get("sockets", 1000)
        self.random = random.Random(7)
        decoder = DecodePDU(True)
        self.framer: FramerBase = FramerRTU(decoder) if self.kind.startswith("rtu") else FramerSocket(decoder)
        self.server: asyncio.Server | None = None
        self.master = self.slave = -1

    async def plug(self) -> None:
        loop = asyncio.get_running_loop()
        if self.kind == "rtu":
            self._plug_pty(loop)
            return
        context = None
        if self.kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.asked["certificate"], self.asked["key"])
            if self.asked.get("ca"):
                context.load_verify_locations(self.asked["ca"])
                context.verify_mode = ssl.CERT_REQUIRED
        host = self.asked.get("host", "127.0.0.1")
        self.server = await loop.create_server(lambda: Connection(self), host, self.port, ssl=context)
        self.port = self.server.sockets[0].getsockname()[1]

    def _plug_pty(self, loop: asyncio.AbstractEventLoop) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        link = Path(self.asked["link"])
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self.slave))
        connection = Connection(self)
        self.open = {connection}
        loop.add_reader(self.master, lambda: self._read_pty(connection))

    def _read_pty(self, connection: Connection) -> None:
        try:
            data = os.read(self.master, 4096)
        except BlockingIOError:
            return
        connection.data_received(data)

    def unplug(self) -> None:
        if self.kind == "rtu":
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            os.close(self.slave)
            Path(self.asked["link"]).unlink()
            return
        assert self.server is not None
        self.server.close()
        for connection in set(self.open):
            connection.reset()

    def values_of(self, unit: int, table: str) -> list[int]:
        return self.units[unit][table]

    def fault_of(self, unit: int) -> dict[str, Any]:
        """The fault that holds for this answer."""
        for key in (unit, 0):
            fault = self.faults.get(key)
            if fault is not None:
                if "times" in fault:
                    fault["times"] -= 1
                    if fault["times"] <= 0:
                        del self.faults[key]
                return fault
        return {"name": ""}

    def respond(self, request: ModbusPDU) -> ModbusPDU:
        """What a sound device would answer, and what it does to its memory."""
        function, unit = request.function_code, request.dev_id
        if function == 43:
            return ReadDeviceInformationResponse(information=self.objects)
        if function not in TABLE:
            return ExceptionResponse(function, 1)
        values = self.values_of(unit, TABLE[function])
        if function == 23:
            asked: Any = request
            values[asked.write_address : asked.write_address + asked.write_count] = asked.write_registers
            self._note(unit, "holding", asked.write_address, list(asked.write_registers))
            return registers.ReadWriteMultipleRegistersResponse(
                registers=values[asked.read_address : asked.read_address + asked.read_count]
            )
        address = request.address
        count = request.count if function in (1, 2, 3, 4) else max(len(request.registers), len(request.bits))
        if function in (15, 16):
            count = request.count
        if address + count > SIZE:
            return ExceptionResponse(function, 2)
        read = values[address : address + count]
        if function in (1, 2):
            kind = bits.ReadCoilsResponse if function == 1 else bits.ReadDiscreteInputsResponse
            return kind(bits=[bool(v) for v in read])
        if function in (3, 4):
            reply = registers.ReadHoldingRegistersResponse if function == 3 else registers.ReadInputRegistersResponse
            return reply(registers=read)
        written = [int(v) for v in (request.bits if function in (5, 15) else request.registers)][:count]
        values[address : address + count] = written
        self._note(unit, TABLE[function], address, written)
        if function == 5:
            return bits.WriteSingleCoilResponse(address=address, bits=[bool(written[0])])
        if function == 6:
            return registers.WriteSingleRegisterResponse(address=address, registers=written)
        if function == 15:
            return bits.WriteMultipleCoilsResponse(address=address, count=count)
        return registers.WriteMultipleRegistersResponse(address=address, count=count)

    def _note(self, unit: int, table: str, address: int, values: list[int]) -> None:
        self.written.append({"t": time.monotonic_ns(), "unit": unit, "table": table, "address": address, "values": values})


class Connection(asyncio.Protocol):
    """One client of a server."""

    def __init__(self, server: Server):
        self.server = server
        self.buffer = b""
        self.transport: Any = None
        self.after = 0.0  # answers leave in the order of their requests, also where they are slow

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.server.accepted += 1
        if len(self.server.open) >= self.server.most_open:
            transport.abort()
            return
        self.server.open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.server.open.discard(self)

    def reset(self) -> None:
        if self.transport is None:
            return
        line = self.transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.buffer:
            used, request = self.server.framer.handleFrame(self.buffer, 0, 0)
            self.buffer = self.buffer[used:]
            if request is None:
                return
            self.serve(request)

    def serve(self, request: ModbusPDU) -> None:
        server, unit = self.server, request.dev_id
        server.requests.append([unit, request.function_code, request.address, time.monotonic_ns()])
        if unit not in server.units:
            return
        fault = server.fault_of(unit)
        name, value = fault["name"], fault.get("value", 0)
        reply = ExceptionResponse(request.function_code, value) if name == "exception" else server.respond(request)
        if name in ("few", "many"):
            reply.registers = [*reply.registers[:-1]] if name == "few" else [*reply.registers, 4711]
        if name == "wrong_address":
            reply.address += 1
        reply.dev_id = unit + (name == "wrong_unit")
        reply.transaction_id = (request.transaction_id + (name == "wrong_transaction")) & 0xFFFF
        frame = self.spoil(name, server.framer.buildFrame(reply), server.framer.buildFrame(request))
        loop = asyncio.get_running_loop()
        if name in ("reset", "close"):
            self.reset() if name == "reset" else self.transport.close()
        elif name == "half_close":
            self.send(frame[: len(frame) // 2])
            self.transport.close()
        elif name == "dribble":
            for number in range(len(frame)):
                loop.call_later(number * value / 1e3, self.send, frame[number : number + 1])
        elif name == "slow" and value:
            loop.call_later(value / 1e3, self.send, frame)
        elif name != "timeout":
            self.send(frame)

    def spoil(self, name: str, frame: bytes, request: bytes) -> bytes:
        """The frame with its bytes changed as the fault says."""
        rtu = self.server.kind.startswith("rtu")
        if name == "wrong_function":
            at = 1 if rtu else 7
            frame = frame[:at] + bytes([{3: 4, 4: 3, 16: 15, 15: 16, 6: 5, 5: 6, 1: 2, 2: 1}[frame[at]]]) + frame[at + 1 :]
            return frame[:-2] + FramerRTU.compute_CRC(frame[:-2]).to_bytes(2, "big") if rtu else frame
        if name == "short":
            return frame[: len(frame) // 2]
        if name == "crc":
            return frame[:-1] + bytes([frame[-1] ^ 1])
        if name == "bit":
            at = len(frame) - 3
            return frame[:at] + bytes([frame[at] ^ 4]) + frame[at + 1 :]
        if name == "garbage":
            return self.server.random.randbytes(40)
        if name == "protocol":
            return frame[:2] + b"\xff\xff" + frame[4:]
        before = {"glitch": b"\0", "echo": request}.get(name, b"")
        behind = {"extra": b"\xde\xad", "twice": frame}.get(name, b"")
        return before + frame + behind

    def send(self, data: bytes) -> None:
        if self.transport is None:
            if self.server.master >= 0:
                os.write(self.server.master, data)
        elif not self.transport.is_closing():
            self.transport.write(data)


class Process:
    """The servers of this process, and the commands of the test."""

    def __init__(self) -> None:
        self.servers: list[Server] = []
        self.buffer = ""

    async def do(self, asked: dict[str, Any]) -> Any:
        what = asked["do"]
        if what == "listen":
            server = Server(asked)
            await server.plug()
            self.servers.append(server)
            return {"server": len(self.servers) - 1, "port": server.port}
        server, unit = self.servers[asked.get("server", 0)], asked.get("unit", 1)
        if what == "set":
            values = server.values_of(unit, asked["table"])
            values[asked["address"] : asked["address"] + len(asked["values"])] = asked["values"]
        elif what == "get":
            return server.values_of(unit, asked["table"])[asked["address"] : asked["address"] + asked.get("count", 1)]
        elif what in ("written", "requests"):
            found = getattr(server, what)
            setattr(server, what, [])
            return found
        elif what == "count":
            return len(server.requests)
        elif what == "fault":
            if asked["name"] not in FAULTS:
                raise ValueError(f"no fault {asked['name']}")
            server.faults[asked.get("unit", 0)] = {k: asked[k] for k in ("name", "value", "times") if k in asked}
        elif what == "clear":
            server.faults.clear()
        elif what == "connections":
            return {"open": len(server.open), "accepted": server.accepted}
        elif what == "say":  # bytes that nobody asked for
            for connection in server.open:
                connection.send(bytes.fromhex(asked["data"]))
        elif what == "unplug":
            server.unplug()
        elif what == "plug":
            await server.plug()
        else:
            raise ValueError(f"no command {what}")
        return True

    async def _answer(self, line: str) -> None:
        try:
            answer(await self.do(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - the test shows it
            answer({"error": repr(error)})

    async def run(self) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        tasks = []

        def read() -> None:
            data = os.read(0, 1 << 20).decode()
            if not data:
                end.set()
                return
            *lines, self.buffer = (self.buffer + data).split("\n")
            tasks.extend(loop.create_task(self._answer(line)) for line in lines)

        loop.add_reader(0, read)
        answer({"up": True})
        await end.wait()


if __name__ == "__main__":
    asyncio.run(Process().run())
