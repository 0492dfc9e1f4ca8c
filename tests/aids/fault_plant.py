"""Devices that misbehave on demand, on Modbus TCP, Modbus RTU and CAN; their values are the time, so that a wrong one shows.

`python -m tests.aids.fault_plant ORDER`; ORDER is JSON:
{"tcp": {"m1": PORT}, "rtu": {"r1": LINK}, "can": {"c1": [LINK, ID]}, "seed": 1}.

Commands are JSON lines: {"do": "fault", "device": "m1", "kind": "timeout"}, {"do": "clear", "device": "m1"}.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.aids.fault_can import CanDevice
from tests.aids.fault_modbus import RtuDevice, TcpDevice
from tests.aids.fieldbus_child import answer


class Plant:
    """All devices of this process and the commands of the campaign."""

    def __init__(self, order: dict[str, Any]):
        seed = order["seed"]
        self.devices: dict[str, Any] = {}
        for number, (name, port) in enumerate(order.get("tcp", {}).items()):
            self.devices[name] = TcpDevice(port, seed + number)
        for number, (name, link) in enumerate(order.get("rtu", {}).items()):
            self.devices[name] = RtuDevice(Path(link), seed + 100 + number)
        for number, (name, (link, identifier)) in enumerate(order.get("can", {}).items()):
            self.devices[name] = CanDevice(Path(link), identifier, seed + 200 + number)

    async def do(self, asked: dict[str, Any]) -> Any:
        device = self.devices[asked["device"]]
        if asked["do"] == "fault":
            await device.fault(asked["kind"])
        else:
            await device.clear()
        return True


async def main() -> None:
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    plant = Plant(json.loads(sys.argv[1]))
    for device in plant.devices.values():
        await device.start()
    tasks, buffer = [], ""

    async def reply(line: str) -> None:
        try:
            answer(await plant.do(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - the campaign shows it
            answer({"error": repr(error)})

    def read() -> None:
        nonlocal buffer
        data = os.read(0, 1 << 16).decode()
        if not data:
            end.set()
            return
        *lines, buffer = (buffer + data).split("\n")
        tasks.extend(loop.create_task(reply(line)) for line in lines)

    loop.add_reader(0, read)
    answer({"pid": os.getpid()})
    await end.wait()


if __name__ == "__main__":
    asyncio.run(main())
