"""Requests a second and CPU per request of the Modbus server, beside pymodbus' own: 120 registers, 50 connections, loopback.

Run with `python -m tests.bench.bench_modbus_server`. Trust the CPU and the ratio, not the wall rates: client and server share
the cores.
"""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from runtime.model import Tag
from tests.aids.servers_process import serving
from tests.aids.servers_scan import TestScan
from tests.bench.measure import Result

REGISTERS, CONNECTIONS, SECONDS = 120, 50, 3.0
REQUEST = struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, 0, REGISTERS)
STOCK = f"""
import asyncio, uvloop
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
device = SimDevice(1, simdata=[SimData(0, count={REGISTERS}, values=7, datatype=DataType.REGISTERS)])
asyncio.run(StartAsyncTcpServer(device, address=("127.0.0.1", PORT)))
"""


class Asking(asyncio.Protocol):
    """One request at a time, for ever."""

    def __init__(self) -> None:
        self.answers, self._received = 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(REQUEST)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received >= 9 + 2 * REGISTERS:
            self._received = 0
            self.answers += 1
            self._transport.write(REQUEST)  # type: ignore[attr-defined]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(port: int, pid: int) -> dict[str, float]:
    """Answers a second over all connections, and the server's CPU microseconds for each."""
    loop = asyncio.get_running_loop()
    clients = [(await loop.create_connection(Asking, "127.0.0.1", port)) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.3)
    count, cpu, began = sum(c.answers for _, c in clients), cpu_seconds(pid), time.perf_counter()
    await asyncio.sleep(SECONDS)
    count, cpu, took = sum(c.answers for _, c in clients) - count, cpu_seconds(pid) - cpu, time.perf_counter() - began
    for transport, _ in clients:
        transport.abort()
    return {"per_second": round(count / took), "cpu_us": round(1e6 * cpu / max(count, 1), 1)}


def bench_ours() -> dict[str, float]:
    """Our server over a scan of 10 ms, so that the image is encoded 100 times a second."""
    tags = [Tag(f"a.t{n:03}", "LREAL", 0, 0, 0) for n in range(REGISTERS // 2)]
    with tempfile.TemporaryDirectory() as folder:
        scan = TestScan(Path(folder), tags)
        with serving(scan.order("modbus", clients="100")) as (server, port):
            found = uvloop.run(measure(port, server.process.pid))
        scan.stop()
    return found


def bench_stock() -> dict[str, float]:
    """pymodbus' server as its documentation starts it."""
    port = 20000 + os.getpid() % 20000
    server = subprocess.Popen([sys.executable, "-c", STOCK.replace("PORT", str(port))], stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)
        return uvloop.run(measure(port, server.pid))
    finally:
        server.kill()
        server.wait()


def run() -> list[Result]:
    """What `make bench` shows; our CPU per request may be at most half of pymodbus'."""
    ours, stock = bench_ours(), bench_stock()
    return [
        Result("Modbus server: requests", ours["per_second"], "1/s"),
        Result("Modbus server: CPU per request", ours["cpu_us"], "us", 0.5 * stock["cpu_us"]),
        Result("pymodbus server: requests", stock["per_second"], "1/s"),
        Result("pymodbus server: CPU per request", stock["cpu_us"], "us"),
    ]


if __name__ == "__main__":
    for result in run():
        print(f"{result.name:40} {result.value:10.1f} {result.unit}{'' if result.holds else '  (too much)'}")
