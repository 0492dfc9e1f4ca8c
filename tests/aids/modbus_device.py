"""A Modbus TCP device with a full address space for tests of single points: pymodbus' server in a process of its own.

`python -m tests.aids.modbus_device PORT`. Beside the commands of `fieldbus_modbus`: single addresses answer exception codes
of their own (`refuse`), registers keep their value whatever is written (`stick`), and pysunspec2 lays out the models of one of
its device files (`sunspec`).
"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Any

from pymodbus.constants import ExcCodes
from sunspec2.file.client import FileClientDevice

from tests.aids.fieldbus_modbus import TABLE, Device, Store

TABLES = {**TABLE, 23: "holding"}
SIZE = 65536


class Memory(Store):
    """What pymodbus asks for values, with faults of single addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.values = {name: [0] * SIZE for name in set(TABLES.values())}
        self.codes: dict[tuple[str, int], int] = {}
        self.functions: dict[int, int] = {}
        self.stuck: set[int] = set()

    async def _refused(self, function: int, address: int, count: int) -> ExcCodes | None:
        if function in self.functions:
            return ExcCodes(self.functions[function])
        if self.delay:
            await asyncio.sleep(self.delay)
        while self.silent:
            await asyncio.sleep(0.01)
        codes = [self.codes.get((TABLES[function], a)) for a in range(address, address + count)]
        found = next((code for code in codes if code is not None), None)
        return ExcCodes.ILLEGAL_ADDRESS if address + count > SIZE else None if found is None else ExcCodes(found)

    async def async_getValues(self, device_id: int, function: int, address: int, count: int) -> Any:
        if function not in (5, 6):
            self.requests.append([function, address, count])
        refused = await self._refused(function, address, count)
        values = self.values[TABLES[function]][address : address + count]
        return refused or ([bool(v) for v in values] if TABLES[function] in ("coil", "discrete") else values)

    async def async_setValues(self, device_id: int, function: int, address: int, values: Any) -> Any:
        table = TABLES[function]
        self.requests.append([function, address, len(values)])
        refused = await self._refused(function, address, len(values))
        if refused:
            return refused
        for offset, value in enumerate(int(v) for v in values):
            if address + offset not in self.stuck:
                self.values[table][address + offset] = value
        self.written.append({"table": table, "address": address, "values": [int(v) for v in values]})
        return None


class PointDevice(Device):
    """The server with its faults of single points."""

    def __init__(self) -> None:
        super().__init__()
        self.store: Memory = Memory()

    async def do(self, asked: dict[str, Any]) -> Any:
        what, store = asked["do"], self.store
        if what == "refuse":
            store.codes = {(table, address): code for table, address, code in asked["addresses"]}
        elif what == "refuse_function":
            store.functions = {int(function): code for function, code in asked["functions"].items()}
        elif what == "scale":
            store.values["holding"][asked["address"]] = asked["value"]
            store.values["holding"][asked["power_address"]] = asked["power"]
        elif what == "stick":
            store.stuck = set(asked["addresses"])
        elif what == "sunspec":
            return self.lay_out(asked["file"], asked["base"], asked.get("values", {}))
        else:
            return await super().do(asked)
        return True

    def lay_out(self, file: str, base: int, values: dict[str, dict[str, int]]) -> int:
        """The models of a device file of pysunspec2 from the marker on; `values` replaces points of models by number."""
        device = FileClientDevice(str(files("sunspec2.tests") / "test_data" / file))
        device.scan()
        data = b"SunS"
        for model in device.model_list:
            model.set_dict(values.get(str(model.model_id), {}))
            data += model.get_mb()
        data += b"\xff\xff\x00\x00"
        registers = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        self.store.values["holding"][base : base + len(registers)] = registers
        return len(registers)


if __name__ == "__main__":
    asyncio.run(PointDevice().run())
