"""A load of the lateness benchmark, in a process of its own: one OPC UA subscription.

usage: python -m tests.bench.load OPCUA_PORT MONITORED_ITEMS
"""

from __future__ import annotations

import asyncio
import sys


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


if __name__ == "__main__":
    asyncio.run(subscribe(*map(int, sys.argv[1:])))
