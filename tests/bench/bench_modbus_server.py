"""Answers a second of the Modbus server, beside libmodbus' C server and pymodbus' own: 120 registers, 1 to 50 connections.

A client in C (modbus_client.c) asks one server after the other, in turns; what disturbs the machine meets all of them.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.model import Tag
from tests.aids.servers_process import serving
from tests.aids.servers_scan import TestScan
from tests.bench.measure import Result, alternate_ratio, compile_c

REGISTERS, CONNECTIONS, MOST = 120, (1, 10, 50), 50
WINDOWS, WINDOW = 7, 0.7  # s
BAR = 1.11  # libmodbus' answers to ours
STOCK = f"""
import asyncio, socket, sys
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
device = SimDevice(1, simdata=[SimData(0, count={REGISTERS}, values=7, datatype=DataType.REGISTERS)])
asyncio.run(StartAsyncTcpServer(device, address=("127.0.0.1", int(sys.argv[1]))))
"""


@dataclass(frozen=True)
class Server:
    """A server that is asked: its port and its process."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def ours() -> Iterator[Server]:
    """Our server over a scan of 10 ms, so that the image is encoded 100 times a second."""
    tags = [Tag(f"a.t{n:03}", "LREAL", 0, 0, 0) for n in range(REGISTERS // 2)]
    with tempfile.TemporaryDirectory() as folder:
        scan = TestScan(Path(folder), tags)
        with serving(scan.order("modbus", clients_per_address="64")) as (server, port):
            yield Server(port, server.process.pid)
        scan.stop()


@contextlib.contextmanager
def libmodbus() -> Iterator[Server]:
    """libmodbus' server as its examples write it (modbus_server.c)."""
    program = compile_c("modbus_server.c", shared=False, libraries=["modbus"])
    server = subprocess.Popen([program, str(REGISTERS)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield Server(int(server.stdout.readline()), server.pid)
    finally:
        _end(server)


@contextlib.contextmanager
def stock() -> Iterator[Server]:
    """pymodbus' server as its documentation starts it."""
    port = 20000 + os.getpid() % 20000
    server = subprocess.Popen([sys.executable, "-c", STOCK, str(port)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)
        yield Server(port, server.pid)
    finally:
        _end(server)


def _end(server: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()
    if server.stdout is not None:
        server.stdout.close()


class Load:
    """The client in C: answers a second of a server in one window, and the CPU (us) that each answer cost it."""

    def __init__(self) -> None:
        self._program = compile_c("modbus_client.c", shared=False)
        self.cpu_us: dict[int, list[float]] = {}

    def rate(self, server: Server, connections: int) -> Callable[[], float]:
        def window() -> float:
            command = [str(self._program), str(server.port), str(connections), str(REGISTERS), str(WINDOW)]
            cpu = server.cpu_seconds()
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            answers, exceptions, seconds = int(said[0]), int(said[1]), float(said[2])
            assert answers > 0 and exceptions == 0, f"{exceptions} of {answers} answers are exceptions"
            self.cpu_us.setdefault(server.pid, []).append(1e6 * (server.cpu_seconds() - cpu) / answers)
            return answers / seconds

        return window


def run() -> list[Result]:
    """What `make bench` shows: at least 0.9 of libmodbus' answers, or, where others use the cores too, its CPU for each."""
    results, load = [], Load()
    with ours() as mine, libmodbus() as theirs:
        for connections in CONNECTIONS:
            load.cpu_us.clear()
            other, own, ratio = alternate_ratio(load.rate(theirs, connections), load.rate(mine, connections), WINDOWS)
            cpu = {server: statistics.median(load.cpu_us[server.pid]) for server in (mine, theirs)}
            name = f"Modbus server, {connections} connection{'s' if connections > 1 else ''}"
            is_as_cheap = cpu[mine] <= BAR * cpu[theirs]
            results += [
                Result(f"{name}: answers", own, "1/s"),
                Result("libmodbus' server, the same: answers", other, "1/s"),
                Result(f"{name}: CPU of an answer", cpu[mine], "us"),
                Result("libmodbus' server, the same: CPU of an answer", cpu[theirs], "us"),
                Result(f"{name}: libmodbus' answers to ours (or as cheap)", ratio, "x", BAR, otherwise=is_as_cheap),
            ]
        with stock() as plain:
            slow, _, ratio = alternate_ratio(load.rate(plain, MOST), load.rate(mine, MOST), 3)
            cost = statistics.median(load.cpu_us[plain.pid])
    return [
        *results,
        Result(f"pymodbus' server, {MOST} connections: answers", slow, "1/s"),
        Result("pymodbus' server, the same: CPU of an answer", cost, "us"),
        Result("pymodbus' server, the same: its answers to ours", ratio, "x"),
    ]


if __name__ == "__main__":
    for result in run():
        print(f"{result.name:70} {result.value:10.2f} {result.unit}{'' if result.holds else '  (too much)'}")
