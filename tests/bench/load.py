"""The load of the lateness benchmark, in a process of its own: Modbus clients that poll, and one OPC UA subscription.

usage: python -m tests.bench.load MODBUS_PORT MODBUS_CLIENTS OPCUA_PORT MONITORED_ITEMS
"""

from __future__ import annotations

import asyncio
import struct
import sys

REGISTERS = 100


async def poll(port: int) -> None:
    """Read registers as fast as the server answers: the next request leaves with the answer to the last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, 0, REGISTERS)
    while True:
        writer.write(request)
        header = await reader.readexactly(6)
        await reader.readexactly(struct.unpack(">H", header[4:])[0])


async def subscribe(port: int, items: int) -> None:
    """Monitor that many tags at 100 ms."""
    from asyncua import Client

    async with Client(f"opc.tcp://127.0.0.1:{port}/bessplc") as client:
        listener = Listener()
        subscription = await client.create_subscription(100, listener)
        nodes = [client.get_node(f"ns=2;s=load.x{i}") for i in range(items)]
        await subscription.subscribe_data_change(nodes)
        print("subscribed", flush=True)
        while True:
            await asyncio.sleep(1)


class Listener:
    """Counts what arrives."""

    count = 0

    def datachange_notification(self, node: object, value: object, data: object) -> None:
        self.count += 1


async def main() -> None:
    modbus, clients, opcua, items = map(int, sys.argv[1:])
    await asyncio.gather(*(poll(modbus) for _ in range(clients)), subscribe(opcua, items))


if __name__ == "__main__":
    asyncio.run(main())
