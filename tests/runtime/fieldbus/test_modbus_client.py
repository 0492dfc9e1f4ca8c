"""The Modbus connection against pymodbus' server in another process: reads, writes, and everything that can go wrong."""

import asyncio
import socket
import time

import pytest

from runtime.fieldbus.modbus_client import ModbusConnection
from runtime.quality import BAD_DEVICE_FAILURE, BAD_NO_COMMUNICATION, GOOD
from tests.aids.fieldbus import Cells, mapped
from tests.aids.fieldbus_child import device_process

INPUTS = """
  d.a: {register: holding 0}
  d.b: {register: holding 1, scale: 0.1}
  d.f: {register: input 10, as: float32}
  d.on: {register: discrete 0}
"""
OUTPUTS = """
  d.x: {register: holding 100, scale: 0.1, safe: 0, every: 10 s}
  d.y: {register: holding 101, safe: 0, every: 10 s}
  d.c: {register: coil 5, safe: false, every: 10 s}
"""


@pytest.fixture
def device():
    with device_process("fieldbus_modbus", "0") as process:
        yield process


class Talk:
    """A connection in the test's own loop."""

    def __init__(self, device, inputs: str = INPUTS, outputs: str = OUTPUTS, extra: str = "poll: 20 ms\n", port: int = 0):
        head = f"device: d\ndriver: modbus\nhost: 127.0.0.1\nport: {port or device.ready['port']}\n"
        self.map = mapped(f"{head}{extra}inputs:{inputs}\noutputs:{outputs}\n")
        self.inputs = Cells(len(self.map.device.inputs))
        self.outputs = Cells(len(self.map.device.outputs))
        self.connection = ModbusConnection(self.map.device, self.inputs, self.outputs)

    async def __aenter__(self) -> "Talk":
        await self.connection.open()
        return self

    async def __aexit__(self, *_) -> None:
        await self.connection.close()

    def slot(self, tag: str) -> int:
        return self.map.slots[tag][0]

    async def until(self, holds, what: str, seconds: float = 5.0):
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}; {self.connection.status()}"
            await asyncio.sleep(0.005)

    async def until_quality(self, tag: str, quality: int, seconds: float = 5.0):
        await self.until(lambda: self.inputs.quality[self.slot(tag)] == quality, f"{tag} has quality {quality:#x}", seconds)

    def write(self, **values: float) -> None:
        for tag, value in values.items():
            slot = self.slot(f"d.{tag}")
            if isinstance(value, float):
                self.outputs.lreal[slot] = value
            else:
                self.outputs.integer[slot] = value
        self.connection.write()


def test_registers_and_bits_become_cells(device):
    device.ask("set", table="holding", address=0, values=[7, 2500])
    device.ask("set", table="input", address=10, values=[0x4248, 0x0000])  # 50.0 as IEEE 754 single
    device.ask("set", table="discrete", address=0, values=[1])

    async def talk():
        async with Talk(device) as t:
            await t.until(lambda: (t.inputs.quality == GOOD).all(), "all are read")
            before = time.monotonic_ns()
            assert t.inputs.integer[t.slot("d.a")] == 7
            assert t.inputs.lreal[t.slot("d.b")] == 250.0
            assert t.inputs.lreal[t.slot("d.f")] == 50.0
            assert t.inputs.integer[t.slot("d.on")] == 1
            assert 0 < before - t.inputs.time[t.slot("d.a")] < 1e9
            await t.until(lambda: t.inputs.time[t.slot("d.a")] > before, "it is read again")

    asyncio.run(talk())
    reads = {tuple(request) for request in device.ask("requests")}
    assert reads == {(3, 0, 2), (4, 10, 2), (2, 0, 1)}, "neighbours in one request, and nothing else"


def test_changed_outputs_are_written_with_the_fewest_requests(device):
    async def talk():
        async with Talk(device, inputs=" {}") as t:
            t.write(x=12.5, y=3, c=1)
            await t.until(lambda: device.ask("get", table="holding", address=100, count=2) == [125, 3], "both registers")
            await t.until(lambda: device.ask("get", table="coil", address=5) == [1], "the coil")
            assert sorted(r[0] for r in device.ask("requests") if r[0] in (5, 6, 15, 16)) == [5, 16]
            t.write(y=4)
            await t.until(lambda: device.ask("get", table="holding", address=101) == [4], "one register")
            assert [r[:2] for r in device.ask("requests") if r[0] in (6, 16)] == [[6, 101]]
            t.write(y=4)
            await asyncio.sleep(0.1)
            assert device.ask("requests") == [], "what did not change is not written before its refresh"

    asyncio.run(talk())


def test_outputs_are_refreshed(device):
    async def talk():
        async with Talk(device, inputs=" {}", outputs="\n  d.y: {register: holding 101, safe: 0, every: 50 ms}") as t:
            t.write(y=9)
            await asyncio.sleep(0.6)
            writes = [w["values"] for w in device.ask("written")]
            assert 5 <= len(writes) <= 14, "about one each 50 ms"
            assert set(map(tuple, writes)) == {(9,)}

    asyncio.run(talk())


def test_nothing_is_written_before_the_first_output(device):
    async def talk():
        async with Talk(device) as t:
            await t.until_quality("d.a", GOOD)
            await asyncio.sleep(0.1)

    asyncio.run(talk())
    assert device.ask("written") == []


def test_a_write_waits_for_one_request_at_most(device):
    """Many slow read groups: a changed output goes out after the read in flight, not after the round."""
    many = "".join(f"\n  d.r{i}: {{register: holding {20 * i}}}" for i in range(30))

    async def talk():
        async with Talk(device, inputs=many, extra="poll: 10 ms\n") as t:
            await t.until_quality("d.r29", GOOD)
            device.ask("delay", seconds=0.05)
            await asyncio.sleep(0.2)
            device.ask("requests")
            t.write(y=77)
            await t.until(lambda: device.ask("get", table="holding", address=101) == [77], "written")
            order = [r[0] for r in device.ask("requests")]
            assert order.index(6 if 6 in order else 16) <= 2, order

    asyncio.run(talk())


def test_outputs_that_never_rest_do_not_starve_the_inputs(device):
    async def talk():
        async with Talk(device, extra="poll: 20 ms\n") as t:
            await t.until_quality("d.a", GOOD)
            device.ask("delay", seconds=0.02)
            number, oldest = 0, 0.0
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                number += 1
                t.write(y=number % 1000)
                await asyncio.sleep(0.005)
                oldest = max(oldest, time.monotonic_ns() - t.inputs.time[t.slot("d.a")])
            assert oldest < 0.5e9

    asyncio.run(talk())


def test_a_device_that_is_away_and_comes_back(device):
    async def talk():
        async with Talk(device) as t:
            t.write(x=1.0, y=5, c=1)
            await t.until_quality("d.a", GOOD)
            device.ask("unplug")
            await t.until_quality("d.a", BAD_NO_COMMUNICATION)
            stood = t.inputs.time.copy()
            device.ask("set", table="holding", address=100, values=[0, 0])
            device.ask("set", table="coil", address=5, values=[0])
            await asyncio.sleep(0.3)
            assert (t.inputs.time == stood).all()
            device.ask("plug")
            await t.until_quality("d.a", GOOD, 10.0)
            await t.until(
                lambda: device.ask("get", table="holding", address=100, count=2) == [10, 5],
                "a device that restarted is told its outputs again",
            )
            assert t.connection.status()["losses"] == 1

    asyncio.run(talk())


def test_a_device_that_is_not_there_is_retried_with_growing_pauses():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def talk():
        async with Talk(None, port=port) as t:
            await t.until_quality("d.a", BAD_NO_COMMUNICATION)
            await asyncio.sleep(1.0)
            assert 3 <= t.connection.status()["errors"]["refused"] <= 6, "after 0.1, 0.2, 0.4, 0.8 s"

    asyncio.run(talk())


def test_a_device_that_hangs_is_left_and_its_late_answer_is_never_used(device):
    device.ask("set", table="holding", address=0, values=[1])

    async def talk():
        async with Talk(device, extra="poll: 20 ms\nrequest_timeout: 100 ms\n") as t:
            await t.until_quality("d.a", GOOD)
            device.ask("silence", on=True)
            await t.until_quality("d.a", BAD_NO_COMMUNICATION)
            assert t.connection.status()["errors"]["timeout"] >= 1
            device.ask("set", table="holding", address=0, values=[2])
            device.ask("silence", on=False)
            await t.until_quality("d.a", GOOD, 10.0)
            assert t.inputs.integer[t.slot("d.a")] == 2

    asyncio.run(talk())


def test_an_exception_marks_its_group_only(device):
    device.ask("forbid", addresses=[["input", 10]])

    async def talk():
        async with Talk(device) as t:
            await t.until_quality("d.f", BAD_DEVICE_FAILURE)
            await t.until_quality("d.a", GOOD)
            assert t.connection.status()["errors"]["exception_2"] >= 1
            device.ask("forbid", addresses=[])
            await t.until_quality("d.f", GOOD)

    asyncio.run(talk())


def test_registers_that_do_not_exist_in_a_hole_are_read_around(device):
    device.ask("forbid", addresses=[["holding", 2]])

    async def talk():
        async with Talk(device, inputs="\n  d.a: {register: holding 0}\n  d.b: {register: holding 5}") as t:
            await t.until_quality("d.a", GOOD)
            await t.until_quality("d.b", GOOD)

    asyncio.run(talk())


def test_a_refused_write_is_counted_and_tried_again_at_the_refresh(device):
    device.ask("forbid", addresses=[["holding", 101]])

    async def talk():
        async with Talk(device, outputs="\n  d.y: {register: holding 101, safe: 0, every: 50 ms}") as t:
            t.write(y=3)
            await t.until(lambda: t.connection.status()["errors"].get("exception_2", 0) >= 2, "refused, and tried again")
            device.ask("forbid", addresses=[])
            await t.until(lambda: device.ask("get", table="holding", address=101) == [3], "written at last")
            await t.until_quality("d.a", GOOD)

    asyncio.run(talk())


@pytest.mark.parametrize(
    "reply",
    [
        b"\x00\x01\x00\x00\x00\x05\x01\x03\x02\x00",  # half an answer
        b"\x00\x00\xff\xff\x00\x05\x01\x03\x02\x00\x07",  # another protocol
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x63\x00\x00\x00\x07\x01\x03\x04\x00\x09\x00\x09",  # the answer to another request
        b"",  # closes the connection
    ],
)
def test_a_device_that_answers_nonsense_is_never_believed(reply):
    async def nonsense(reader, writer):
        await reader.read(12)
        if not reply:
            writer.close()
            return
        writer.write(reply)
        await reader.read()
        writer.close()

    async def talk():
        server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Talk(None, port=port, extra="poll: 20 ms\nrequest_timeout: 80 ms\n") as t:
            await t.until(lambda: sum(t.connection.status()["errors"].values()) >= 2, "counted twice, and tried again")
            assert (t.inputs.quality == BAD_NO_COMMUNICATION).all()
            assert (t.inputs.integer == 0).all()
        server.close()

    asyncio.run(talk())


def test_safe_values_are_on_the_wire_when_the_call_returns(device):
    async def talk():
        async with Talk(device) as t:
            t.write(x=30.0, y=5, c=1)
            await t.until(lambda: device.ask("get", table="coil", address=5) == [1], "written")
            device.ask("written")
            await asyncio.wait_for(t.connection.write_safe([t.slot("d.x"), t.slot("d.c")]), 2.0)
            assert device.ask("get", table="holding", address=100, count=2) == [0, 5], "only what was asked"
            assert device.ask("get", table="coil", address=5) == [0]

    asyncio.run(talk())


def test_safe_values_for_a_device_that_is_away_return_at_once(device):
    async def talk():
        async with Talk(device) as t:
            t.write(x=30.0, y=5, c=1)
            await t.until_quality("d.a", GOOD)
            device.ask("unplug")
            await t.until_quality("d.a", BAD_NO_COMMUNICATION)
            await asyncio.wait_for(t.connection.write_safe([t.slot("d.x")]), 1.0)
            device.ask("plug")
            await t.until(lambda: device.ask("get", table="holding", address=100) == [0], "told when it is back", 10.0)

    asyncio.run(talk())
