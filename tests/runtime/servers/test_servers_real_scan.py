"""Both servers against the real scan process: a program of one block, from YAML to the wire and back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.ua.uaerrors import BadOutOfRange
from pymodbus.client import ModbusTcpClient

from runtime import child
from runtime.child import ScanOrder, ServiceOrder
from runtime.language import load_text
from tests.aids.servers_process import eventually, serving

SITE = """
site: plant1
tasks:
  control: {interval: 10 ms, programs: [follow]}
tags:
  hmi.p_set: {type: LREAL, unit: kW, range: -500..500, default: 0, write: operator, text: Power setpoint}
  hmi.close: {type: BOOL, pulse: true, write: operator, text: Close contactors}
  site.p: {type: LREAL, unit: kW, default: 0, text: Twice the setpoint}
  site.closes: {type: DINT, default: 0, text: How often close was asked for}
servers: {modbus: {map: scada.yaml}}
"""
PROGRAM = """
program: follow
description: Twice the setpoint, and a count of the closes.
blocks:
  double: {type: MUL, A: hmi.p_set, B: 2}
  count: {type: CTU, CU: hmi.close, R: false, PV: 1000}
outputs:
  site.p: double.OUT
  site.closes: count.CV
"""
MAP = """
hmi.p_set: {register: holding 0, as: int16, scale: 0.1}
hmi.close: {register: coil 0}
site.p: {register: input 0, as: float32}
site.closes: {register: input 2, as: int16}
"""
GENERATION = 77


class Plant:
    """The site and its scan process."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "scada.yaml").write_text(MAP)
        self.site, _ = load_text({"config/site.yaml": SITE, "programs/follow.yaml": PROGRAM})
        self.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.start()

    def start(self) -> None:
        order = ScanOrder(str(self.folder), self.site.schedule, GENERATION, self.wake, False, 0)
        self.scan = child.start("runtime.engine.scan", order, (self.wake,), stdout=subprocess.PIPE)
        assert self.scan.stdout is not None
        while (line := self.scan.stdout.readline()) and json.loads(line)["event"] != "scanning":
            pass  # it imports and compiles
        assert line, f"the scan ended with {self.scan.wait(5)} before it scanned"

    def end(self, *, kill: bool = False) -> None:
        self.scan.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.scan.wait(10)
        assert self.scan.stdout is not None
        self.scan.stdout.close()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    plant = Plant(tmp_path_factory.mktemp("real"))
    yield plant
    plant.end()
    os.close(plant.wake)


def order(plant: Plant, service: str, **settings: Any) -> ServiceOrder:
    site, folder = plant.site, plant.folder
    schedule = site.schedule
    settings = {**(site.servers.get(service) or {}), "port": "0", **settings}
    return ServiceOrder(
        service,
        site.name,
        str(folder),
        str(folder),
        GENERATION,
        schedule.tags,
        schedule.region,
        schedule.alarms,
        settings,
    )


def test_modbus_to_the_program_and_back(plant: Plant) -> None:
    def read(client: ModbusTcpClient, address: int, count: int, kind: Any) -> Any:
        return client.convert_from_registers(client.read_input_registers(address, count=count, device_id=1).registers, kind)

    with serving(order(plant, "modbus")) as (_, port), ModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0) as client:
        eventually(lambda: not client.read_holding_registers(0, count=1, device_id=1).isError())
        assert not client.write_register(0, 1500, device_id=1).isError()
        assert read(client, 0, 2, client.DATATYPE.FLOAT32) == 300.0
        closes = read(client, 2, 1, client.DATATYPE.INT16)
        assert not client.write_coil(0, True, device_id=1).isError()
        eventually(lambda: read(client, 2, 1, client.DATATYPE.INT16) == closes + 1)
        eventually(lambda: client.read_coils(0, count=1, device_id=1).bits[0] is False)  # a pulse cannot stick
        assert client.write_register(0, 5001, device_id=1).exception_code == 3


def test_opcua_to_the_program_and_back(plant: Plant) -> None:
    async def run(port: int) -> None:
        async with Client(f"opc.tcp://127.0.0.1:{port}/bessplc") as client:
            node = client.get_node("ns=2;s=hmi.p_set")
            await node.write_value(-20.0)
            assert await client.get_node("ns=2;s=site.p").read_value() == -40.0
            with pytest.raises(BadOutOfRange):
                await node.write_value(500.5)
            closes = await client.get_node("ns=2;s=site.closes").read_value()
            await client.get_node("ns=2;s=hmi.close").write_value(True)
            for _ in range(200):
                if await client.get_node("ns=2;s=site.closes").read_value() == closes + 1:
                    break
                await asyncio.sleep(0.02)
            assert await client.get_node("ns=2;s=site.closes").read_value() == closes + 1
            value = await client.get_node("ns=2;s=plc.scan").read_data_value()
            assert value.Value.Value > 0 and value.Value.VariantType == ua.VariantType.Int64

    with serving(order(plant, "opcua", anonymous="operator")) as (_, port):
        asyncio.run(run(port))


def test_a_restarted_scan_does_not_carry_out_old_commands_again(plant: Plant) -> None:
    def closes(client: ModbusTcpClient) -> int:
        answer = client.read_input_registers(2, count=1, device_id=1)
        return -1 if answer.isError() else answer.registers[0]

    with serving(order(plant, "modbus")) as (_, port), ModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0) as client:
        eventually(lambda: closes(client) >= 0)
        assert not client.write_coil(0, True, device_id=1).isError()
        plant.end(kill=True)
        eventually(lambda: closes(client) == -1)
        plant.start()
        eventually(lambda: closes(client) >= 0)
        time.sleep(0.3)
        assert closes(client) == 0, "the contactors were closed by a command to the scan before"
        assert not client.write_register(0, 100, device_id=1).isError(), "the new scan answers"
