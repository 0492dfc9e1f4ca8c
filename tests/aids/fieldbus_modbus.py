"""A Modbus TCP device for tests: pymodbus' server as a process of its own, with a record of what was written to it.

`python -m tests.aids.fieldbus_modbus PORT` (0 picks a free one). Holding registers, input registers, coils and discrete
inputs 0 to 999 exist; the test can set them, forbid addresses, silence the device, and shut its port.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.aids.fieldbus_child import answer

TABLE = {1: "coil", 5: "coil", 15: "coil", 2: "discrete", 3: "holding", 6: "holding", 16: "holding", 4: "input"}
SIZE = 1000
UNIT = 1


class Store:
    """What pymodbus asks for values (`srv.context`)."""

    def __init__(self) -> None:
        self.values: dict[str, list[int]] = {name: [0] * SIZE for name in set(TABLE.values())}
        self.written: list[dict[str, Any]] = []
        self.requests: list[list[Any]] = []
        self.forbidden: set[tuple[str, int]] = set()
        self.silent = False
        self.delay = 0.0

    def device_ids(self) -> list[int]:
        return [UNIT]

    async def _answerable(self, table: str, address: int, count: int) -> ExcCodes | None:
        if self.delay:
            await asyncio.sleep(self.delay)
        while self.silent:
            await asyncio.sleep(0.01)
        if address + count > SIZE or any((table, a) in self.forbidden for a in range(address, address + count)):
            return ExcCodes.ILLEGAL_ADDRESS
        return None

    async def async_getValues(self, device_id: int, function: int, address: int, count: int) -> Any:
        table = TABLE[function]
        if function not in (5, 6):
            self.requests.append([function, address, count])
        refused = await self._answerable(table, address, count)
        values = self.values[table][address : address + count]
        return refused or ([bool(v) for v in values] if table in ("coil", "discrete") else values)

    async def async_setValues(self, device_id: int, function: int, address: int, values: Any) -> Any:
        table = TABLE[function]
        self.requests.append([function, address, len(values)])
        refused = await self._answerable(table, address, len(values))
        if refused:
            return refused
        values = [int(v) for v in values]
        self.values[table][address : address + len(values)] = values
        self.written.append({"t": time.monotonic_ns(), "table": table, "address": address, "values": values})
        return None


class Device:
    """The server, its store, and the commands of the test."""

    def __init__(self) -> None:
        self.store = Store()
        self.server: ModbusTcpServer | None = None
        self.port = int(sys.argv[1])
        self.buffer = ""

    async def listen(self) -> None:
        empty = SimDevice(UNIT, simdata=[SimData(0, count=1, values=0, datatype=DataType.REGISTERS)])
        self.server = ModbusTcpServer(empty, address=("127.0.0.1", self.port))
        self.server.context = self.store  # type: ignore[assignment]
        assert await self.server.listen()
        self.port = self.server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]

    async def do(self, asked: dict[str, Any]) -> Any:
        what, store = asked["do"], self.store
        if what == "set":
            for offset, value in enumerate(asked["values"]):
                store.values[asked["table"]][asked["address"] + offset] = value
        elif what == "get":
            return store.values[asked["table"]][asked["address"] : asked["address"] + asked.get("count", 1)]
        elif what == "written":
            written, store.written = store.written, []
            return written
        elif what == "requests":
            requests, store.requests = store.requests, []
            return requests
        elif what == "forbid":
            store.forbidden = {(table, address) for table, address in asked["addresses"]}
        elif what == "silence":
            store.silent = asked["on"]
        elif what == "delay":
            store.delay = asked["seconds"]
        elif what == "unplug":
            assert self.server is not None
            await self.server.shutdown()
        elif what == "plug":
            await self.listen()
        return True

    async def _answer(self, line: str) -> None:
        try:
            answer(await self.do(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - the test shows it
            answer({"error": repr(error)})

    async def run(self) -> None:
        await self.listen()
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
        answer({"port": self.port})
        await end.wait()


if __name__ == "__main__":
    asyncio.run(Device().run())
