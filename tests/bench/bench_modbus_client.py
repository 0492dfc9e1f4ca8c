"""The Modbus client: how even its polls are, what they cost, and whether dead and slow devices disturb the others.

The polls are timed where they arrive, in the devices' processes; the fieldbus process is the real one, beside a scan.
"""

from __future__ import annotations

import logging
import signal
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import uvloop
from pymodbus.client import AsyncModbusTcpClient

from runtime.fieldbus.modbus_link import Link
from runtime.fieldbus.modbus_settings import LineSettings, ModbusSettings
from tests.aids.fieldbus import FieldbusRun
from tests.aids.fieldbus_child import device_process
from tests.aids.modbus_fleet import Fleet, cpu_share, fleet
from tests.bench.measure import Result, alternate_ratio, quantile

DEVICES, REGISTERS = 16, 120
MANY, FAULTS = 58, ("unplugged", "timeout", "reset", "unreachable", "slow", "patient")
NOISE_MS = 2.0  # two windows of one and the same fleet differ by more than this on a shared machine
WINDOWS, WINDOW = 5, 3.0  # s; medians of the windows: a stall of the machine is not the client's


def bench_sixteen() -> list[Result]:
    """16 devices with 120 registers at 100 ms."""
    worst, shares, asked = [], [], []
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder), DEVICES, REGISTERS) as (ships, run):
        assert run.process is not None
        for _ in range(WINDOWS):
            ships.forget()
            shares.append(cpu_share(run.process.pid, WINDOW))
            errors = ships.errors()
            worst.append(1e3 * quantile(errors, 0.99))
            asked.append(len(errors) / WINDOW)
    return [
        Result("Modbus client, 16 x 120 registers at 100 ms: p99 period error", statistics.median(worst), "ms", 20.0),
        Result("Modbus client, the same: CPU of the fieldbus process", 100 * max(shares), "%", 60.0),
        Result("Modbus client, the same: polls (160 are asked for)", statistics.median(asked), "1/s"),
    ]


def bench_bad_ones() -> list[Result]:
    """58 good devices, and the same with four dead and two slow ones beside them: two fieldbus processes that take turns."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        alone = stack.enter_context(fleet(folders[0], MANY, 10))
        mixed = stack.enter_context(fleet(folders[1], MANY, 10, FAULTS))
        pause(mixed[1])
        disturbed, quiet, ratio = alternate_ratio(lambda: _p99(mixed, alone), lambda: _p99(alone, mixed), WINDOWS)
    close = disturbed - quiet <= NOISE_MS
    return [
        Result("Modbus client, 58 good devices alone: p99 period error", quiet, "ms"),
        Result("Modbus client, with 4 dead and 2 slow ones: p99 of the 58", disturbed, "ms"),
        Result("Modbus client, the ratio of the two (or at most 2 ms more)", ratio, "x", 1.2, otherwise=close),
    ]


def _p99(asked: tuple[Fleet, FieldbusRun], other: tuple[Fleet, FieldbusRun]) -> float:
    """One window of this fleet (ms) while the other's fieldbus process stands still."""
    pause(other[1])
    resume(asked[1])
    time.sleep(1.0)  # what was due meanwhile is done
    asked[0].forget()
    time.sleep(WINDOW)
    return 1e3 * quantile(asked[0].errors(), 0.99)


def pause(run: FieldbusRun) -> None:
    assert run.process is not None
    run.process.send_signal(signal.SIGSTOP)


def resume(run: FieldbusRun) -> None:
    assert run.process is not None
    run.process.send_signal(signal.SIGCONT)


def bench_cost() -> list[Result]:
    """CPU of one request for 120 registers: ours, and pymodbus' own client on the same loop."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    with device_process("modbus_faults") as device:
        port = device.ask("listen", kind="tcp")["port"]
        ours, theirs = uvloop.run(_compare(port))
    return [
        Result("Modbus client: CPU per request of 120 registers", ours, "us", theirs),
        Result("pymodbus client: CPU per request of 120 registers", theirs, "us"),
    ]


async def _compare(port: int) -> tuple[float, float]:
    link = Link(ModbusSettings(LineSettings(host="127.0.0.1", port=port), 1, 0, 0, 0))
    await link.connect()
    client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
    await client.connect()
    found = []
    for ask in (lambda: link.read_table("holding", 0, REGISTERS), lambda: client.read_holding_registers(0, count=REGISTERS)):
        found.append(min([await _cost(ask) for _ in range(5)]))
    client.close()
    link.close()
    return found[0], found[1]


async def _cost(ask: Callable[[], Awaitable[object]], times: int = 500) -> float:
    begun = time.process_time()
    for _ in range(times):
        await ask()
    return 1e6 * (time.process_time() - begun) / times


def run() -> list[Result]:
    """What `make bench` shows."""
    return [*bench_cost(), *bench_sixteen(), *bench_bad_ones()]


if __name__ == "__main__":
    for result in run():
        print(f"{result.name:70} {result.value:10.2f} {result.unit}{'' if result.holds else '  (too much)'}")
