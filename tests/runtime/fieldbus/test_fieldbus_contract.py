"""What every driver promises, on its loopback: values arrive, unplugging is noticed, replugging heals, safe values are written
in order, bursts lose nothing. One list of benches, one set of tests: a new driver adds a bench."""

import asyncio
import os
import struct
import subprocess
import sys
import time
import tty
from collections import deque
from pathlib import Path
from typing import Any, Protocol

import can
import pytest
from can.interfaces.serial.serial_can import SerialBus

from runtime.fieldbus import driver
from runtime.fieldbus.safe import safe_steps, write_safe_values
from runtime.quality import BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA, GOOD, is_bad
from tests.aids.fieldbus import Cells, Mapped, mapped
from tests.aids.fieldbus_child import DeviceProcess
from tests.aids.fieldbus_dbc import write_synthetic

STALE = 0.3  # s: an io_map's usual limit
MARGIN = 5


class Bench(Protocol):
    """A device on a loopback, and the io_map for it: input `d.in`, outputs `d.power` (safe at once), `d.close` (0.3 s later)."""

    map: Mapped

    def give(self, value: int) -> None:
        """Let the device have this value for `d.in`."""

    def unplug(self) -> None: ...
    def plug(self) -> None: ...
    def seen(self) -> list[tuple[int, str, int]]:
        """What the device saw since the last call: time (CLOCK_MONOTONIC ns), output, value."""

    def burst(self, count: int) -> None:
        """Let the device say `count` values as fast as it can; the last one is `count`."""

    def close(self) -> None: ...


class ModbusBench:
    def __init__(self, folder: Path):
        self.device = DeviceProcess("fieldbus_modbus", "0")
        self.map = mapped(f"""
            device: d
            driver: modbus
            host: 127.0.0.1
            port: {self.device.ready["port"]}
            poll: 20 ms
            inputs:
              d.in: {{register: holding 0}}
            outputs:
              d.power: {{register: holding 10, safe: 0, every: 100 ms}}
              d.close: {{register: coil 0, safe: {{value: false, after: 300 ms}}, every: 100 ms}}
        """)

    def give(self, value: int) -> None:
        self.device.ask("set", table="holding", address=0, values=[value])

    def unplug(self) -> None:
        self.device.ask("unplug")

    def plug(self) -> None:
        self.device.ask("plug")

    def seen(self) -> list[tuple[int, str, int]]:
        names = {("holding", 10): "power", ("coil", 0): "close"}
        return [(w["t"], names[w["table"], w["address"]], w["values"][0]) for w in self.device.ask("written")]

    def burst(self, count: int) -> None:
        for value in range(1, count + 1, max(1, count // 50)):
            self.give(value)
        self.give(count)

    def close(self) -> None:
        self.device.close()


CAN_TEXT = """
    device: d
    driver: can
    channel: can0
    dbc: dbc/synthetic.dbc
    messages: {Command: {alive: Alive}}
    inputs:
      d.in: {signal: Slow.Word}
    outputs:
      d.power: {signal: Command.Power, safe: 0 kW}
      d.close: {signal: Command.Close, safe: {value: false, after: 300 ms}}
"""


def outputs_of(at: int, data: bytes) -> list[tuple[int, str, int]]:
    """Power and contactor of a Command frame (tests/aids/fieldbus_dbc.py)."""
    return [(at, "power", struct.unpack(">h", data[1:3])[0] // 10), (at, "close", data[0] & 1)]


class SlcanBench:
    """A pty with an SLCAN adapter at its far end, in a process of its own."""

    def __init__(self, folder: Path):
        write_synthetic(folder)
        self.device = DeviceProcess("fieldbus_slcan", str(folder / "can0"))
        site = "site: t\nchannels: {can0: {interface: slcan, channel: $RUN/can0, bitrate: 500 kbit/s}}"
        self.map = mapped(CAN_TEXT, site, folder)
        self.give(0)

    def give(self, value: int) -> None:
        self.device.ask("repeat", lines=[f"t0222{value & 0xFF:02X}{value >> 8:02X}"], every=0.02)

    def unplug(self) -> None:
        self.device.ask("unplug")

    def plug(self) -> None:
        self.device.ask("plug")

    def seen(self) -> list[tuple[int, str, int]]:
        frames = [f for f in self.device.ask("frames") if f["id"] == 32]
        return [entry for f in frames for entry in outputs_of(f["t"], bytes.fromhex(f["data"]))]

    def burst(self, count: int) -> None:
        self.device.ask("repeat", lines=[], every=1)
        self.device.ask("send", lines=[f"t0222{v & 0xFF:02X}{v >> 8:02X}" for v in range(1, count + 1)])

    def close(self) -> None:
        self.device.close()


class VirtualBench:
    """python-can's bus inside one process: an interface without a file descriptor, read by a thread."""

    def __init__(self, folder: Path):
        write_synthetic(folder)
        self.name = f"virtual-{folder.name}"
        self.map = mapped(CAN_TEXT, f"site: t\nchannels: {{can0: {{interface: virtual, channel: {self.name}}}}}", folder)
        self.bus: can.BusABC | None = can.Bus(interface="virtual", channel=self.name)
        self.task: Any = None

    def _send(self, value: int) -> None:
        assert self.bus is not None
        self.bus.send(can.Message(arbitration_id=34, is_extended_id=False, data=struct.pack("<H", value)))

    def give(self, value: int) -> None:
        if self.task is not None:
            self.task.stop()
        assert self.bus is not None
        message = can.Message(arbitration_id=34, is_extended_id=False, data=struct.pack("<H", value))
        self.task = self.bus.send_periodic(message, 0.02)

    def seen(self) -> list[tuple[int, str, int]]:
        assert self.bus is not None
        found = []
        while (message := self.bus.recv(0)) is not None:
            if message.arbitration_id == 32:
                found += outputs_of(int(message.timestamp * 1e9) + time.monotonic_ns() - time.time_ns(), bytes(message.data))
        return found

    def burst(self, count: int) -> None:
        if self.task is not None:
            self.task.stop()
        for value in range(1, count + 1):
            self._send(value)

    def close(self) -> None:
        if self.bus is not None:
            self.bus.shutdown()


class SerialBench(VirtualBench):
    """python-can's binary serial bus over a pty: an interface whose `recv` blocks whatever time-out it is given."""

    def __init__(self, folder: Path):
        write_synthetic(folder)
        self.far, near = os.openpty()
        tty.setraw(near)
        self.near = near
        self.map = mapped(CAN_TEXT, f"site: t\nchannels: {{can0: {{interface: serial, channel: {os.ttyname(near)}}}}}", folder)
        self.task: Any = None
        self.bus = SerialBus(self._far_name())
        self.frames: deque[tuple[int, can.Message]] = deque()
        self.notifier = can.Notifier(self.bus, [lambda message: self.frames.append((time.monotonic_ns(), message))])

    def _far_name(self) -> str:
        """A second pty whose far end is wired to ours, so that both ends are serial lines."""
        self.other, other_near = os.openpty()
        tty.setraw(other_near)
        self.other_near = other_near
        self.pump = subprocess.Popen([sys.executable, "-c", PUMP, str(self.far), str(self.other)], pass_fds=(self.far, self.other))
        return os.ttyname(other_near)

    def seen(self) -> list[tuple[int, str, int]]:
        found = []
        while self.frames:
            at, message = self.frames.popleft()
            if message.arbitration_id == 32:
                found += outputs_of(at, bytes(message.data))
        return found

    def close(self) -> None:
        if self.task is not None:
            self.task.stop()
        self.notifier.stop()
        super().close()
        self.pump.kill()
        self.pump.wait()
        for descriptor in (self.far, self.near, self.other, self.other_near):
            os.close(descriptor)


class SocketCanBench(VirtualBench):
    """The kernel's own CAN, where there is a vcan0: `lab`, or `modprobe vcan` on a normal machine."""

    def __init__(self, folder: Path):
        write_synthetic(folder)
        self.map = mapped(CAN_TEXT, "site: t\nchannels: {can0: {interface: socketcan, channel: vcan0}}", folder)
        self.bus = can.Bus(interface="socketcan", channel="vcan0")
        self.task: Any = None


PUMP = """
import os, select, sys
a, b = int(sys.argv[1]), int(sys.argv[2])
while True:
    for ready in select.select([a, b], [], [])[0]:
        data = os.read(ready, 4096)
        while data:
            data = data[os.write(b if ready == a else a, data):]
"""

BENCHES = {
    "modbus": ModbusBench,
    "can over slcan": SlcanBench,
    "can over a virtual bus": VirtualBench,
    "can over a serial bus": SerialBench,
}
if Path("/sys/class/net/vcan0").exists():
    BENCHES["can over socketcan"] = SocketCanBench
PLUGGABLE = ["modbus", "can over slcan"]  # a virtual bus has no plug


class Running:
    """A driver's connection in the test's loop."""

    def __init__(self, bench: Any, folder: Path):
        self.bench, self.map = bench, bench.map
        self.inputs, self.outputs = Cells(1), Cells(2)
        self.connection = driver(self.map.device.driver).connect(self.map.device, self.inputs, self.outputs, folder)

    async def __aenter__(self) -> "Running":
        await self.connection.open()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.connection.close()

    @property
    def value(self) -> float:
        point = self.map.device.inputs[0]
        return float(self.inputs.lreal[0] if point.type == "LREAL" else self.inputs.integer[0])

    def write(self, power: int, close: int) -> None:
        if self.map.device.outputs[0].type == "LREAL":
            self.outputs.lreal[0] = power
        else:
            self.outputs.integer[0] = power
        self.outputs.integer[1] = close
        self.connection.write()

    async def until(self, holds: Any, seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}; {self.connection.status()}"
            await asyncio.sleep(0.005)


@pytest.fixture(params=BENCHES)
def bench(request, tmp_path):
    made = BENCHES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture(params=PLUGGABLE)
def pluggable(request, tmp_path):
    made = BENCHES[request.param](tmp_path)
    yield made
    made.close()


def test_nothing_is_good_before_the_first_value(bench, tmp_path):
    async def run():
        running = Running(bench, tmp_path)
        assert running.inputs.quality[0] == BAD_WAITING_FOR_INITIAL_DATA
        await running.connection.close()

    asyncio.run(run())


def test_values_arrive_with_their_time_and_say_that_they_did(bench, tmp_path):
    async def run():
        async with Running(bench, tmp_path) as running:
            await running.until(lambda: running.connection.status()["connected"], 5, "connected")
            bench.give(1234)
            await running.until(lambda: running.value == 1234, 5, "the value")
            assert running.inputs.quality[0] == GOOD
            assert 0 <= time.monotonic_ns() - running.inputs.time[0] < 1e9
            assert running.inputs.changes > 0
            stood = running.inputs.time[0]
            await running.until(lambda: running.inputs.time[0] > stood, 5, "the next one")

    asyncio.run(run())


def test_unplugging_is_noticed_within_stale_and_time_stands_still(pluggable, tmp_path):
    async def run():
        async with Running(pluggable, tmp_path) as running:
            pluggable.give(5)
            await running.until(lambda: running.inputs.quality[0] == GOOD, 5, "good")
            pluggable.unplug()
            await running.until(lambda: is_bad(int(running.inputs.quality[0])), STALE * MARGIN, "bad")
            assert running.inputs.quality[0] == BAD_NO_COMMUNICATION
            assert running.value == 5, "the last value stays in its cell"
            stood = running.inputs.time[0]
            await asyncio.sleep(STALE)
            assert running.inputs.time[0] == stood
            assert not running.connection.status()["connected"]

    asyncio.run(run())


def test_replugging_heals(pluggable, tmp_path):
    async def run():
        async with Running(pluggable, tmp_path) as running:
            pluggable.give(5)
            await running.until(lambda: running.inputs.quality[0] == GOOD, 5, "good")
            running.write(3, 1)
            await running.until(lambda: ("close", 1) in [s[1:] for s in pluggable.seen()], 5, "written")
            pluggable.unplug()
            await running.until(lambda: is_bad(int(running.inputs.quality[0])), STALE * MARGIN, "bad")
            pluggable.plug()
            pluggable.give(6)
            await running.until(lambda: running.value == 6 and running.inputs.quality[0] == GOOD, 10, "good again")
            pluggable.seen()
            await running.until(lambda: ("close", 1) in [s[1:] for s in pluggable.seen()], 5, "outputs go on without being asked")

    asyncio.run(run())


def test_a_device_that_appears_late_is_found(pluggable, tmp_path):
    async def run():
        pluggable.unplug()
        async with Running(pluggable, tmp_path) as running:
            running.write(8, 1)
            await asyncio.sleep(0.3)
            pluggable.plug()
            pluggable.give(9)
            await running.until(lambda: running.value == 9, 10, "the value")
            await running.until(lambda: ("power", 8) in [s[1:] for s in pluggable.seen()], 5, "the output")

    asyncio.run(run())


def test_a_change_reaches_the_device_at_once(bench, tmp_path):
    """Well before the message's period of 50 ms, or the refresh of 100 ms, comes round."""

    async def run():
        async with Running(bench, tmp_path) as running:
            await running.until(lambda: running.connection.status()["connected"], 5, "connected")
            late = []
            for power in range(1, 21):
                before = time.monotonic_ns()
                running.write(power, 1)
                await asyncio.sleep(0.04)
                seen: list[tuple[int, str, int]] = []

                def arrived(seen=seen, power=power) -> bool:
                    seen += bench.seen()
                    return any(entry[1:] == ("power", power) for entry in seen)

                await running.until(arrived, 5, "the change")
                late.append(next(at for at, name, value in seen if (name, value) == ("power", power)) - before)
            assert sorted(late)[10] < 25e6, [value / 1e6 for value in late]

    asyncio.run(run())


def test_stopping_writes_the_safe_values_in_their_order(bench, tmp_path):
    async def run():
        async with Running(bench, tmp_path) as running:
            await running.until(lambda: running.connection.status()["connected"], 5, "connected")
            running.write(50, 1)
            await running.until(lambda: {("power", 50), ("close", 1)} <= {s[1:] for s in bench.seen()}, 5, "running")
            steps = safe_steps([running.map.device])
            assert [step.after for step in steps] == [0, 300_000_000]
            assert await write_safe_values(steps, {"d": running.connection}) == frozenset(), "no device missed its part"
            await asyncio.sleep(0.05)

    asyncio.run(run())
    seen = bench.seen()
    power = next(at for at, name, value in seen if (name, value) == ("power", 0))
    opened = next(at for at, name, value in seen if (name, value) == ("close", 0))
    assert opened - power > 250e6, "the contactor opens after the power is zero"
    assert ("close", 1) in [s[1:] for s in seen if power < s[0] < opened], "held and repeated meanwhile"
    assert [s[1:] for s in seen if s[0] >= opened and s[1] == "power"][-1:] in ([], [("power", 0)])


def test_a_burst_loses_nothing_and_blocks_nobody(bench, tmp_path):
    async def run():
        async with Running(bench, tmp_path) as running:
            bench.give(7)
            await running.until(lambda: running.value == 7, 5, "the first value")
            longest, last, ended = 0.0, time.monotonic(), False

            async def beat():
                nonlocal longest, last
                while not ended:
                    await asyncio.sleep(0.001)
                    now = time.monotonic()
                    longest, last = max(longest, now - last), now

            beating = asyncio.create_task(beat())
            counted = running.connection.status().get("frames", 0)
            await asyncio.to_thread(bench.burst, 3000)
            await running.until(lambda: running.value == 3000, 10, "the last value of the burst")
            ended = True
            await beating
            if "frames" in running.connection.status():
                assert running.connection.status()["frames"] - counted >= 3000
            assert longest < 0.1 * MARGIN, "the loop was free for the other devices"

    asyncio.run(run())
