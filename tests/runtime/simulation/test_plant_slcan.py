"""SLCAN: the codec against the protocol's manual, the pty against python-can's own slcan bus."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import can
import numpy as np
import pytest

from runtime.simulation.canlinks import PythonCanLink, SlcanLink
from runtime.simulation.slcan import Adapter, Frame, line_template, take, write_lines


def opened():
    adapter = Adapter()
    take(adapter, b"O\r")
    return adapter


def test_frames_become_the_lines_of_the_manual():
    # LAWICEL CANUSB manual: tiiildd..[CR]
    payload = np.array([[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88], [0xFF] * 8], dtype=np.uint8)
    text = write_lines(line_template(np.array([0x100, 0x2F])), payload)
    assert text == b"t10081122334455667788\rt02F8FFFFFFFFFFFFFFFF\r"


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        (b"t1002ABcd\r", Frame(0x100, b"\xab\xcd")),
        (b"t7FF0\r", Frame(0x7FF, b"")),
        (b"T1FFFFFFF10A\r", Frame(0x1FFFFFFF, b"\x0a", extended=True)),
        (b"r1008\r", Frame(0x100, b"", remote=True)),
        (b"R000001003\r", Frame(0x100, b"", extended=True, remote=True)),
    ],
)
def test_lines_become_frames(line, frame):
    frames, answers, _ = take(opened(), line)
    assert frames == [frame]
    assert answers == (b"Z\r" if frame.extended else b"z\r")


@pytest.mark.parametrize("line", [b"t1002AB", b"t100", b"t1009AABBCCDDEEFF0011", b"t8001AA", b"tXYZ0", b"t1001G0", b"t\xff", b"q"])
def test_noise_is_answered_by_a_bell_and_counted(line):
    adapter = opened()
    frames, answers, _ = take(adapter, line + b"\r")
    assert (frames, answers, adapter.refused) == ([], b"\a", 1)


def test_a_line_may_come_in_pieces():
    adapter = opened()
    pieces = [take(adapter, bytes([byte]))[0] for byte in b"t1002ABCD\r"]
    assert [frame for piece in pieces for frame in piece] == [Frame(0x100, b"\xab\xcd")]


def test_endless_noise_without_a_line_end_does_not_grow():
    adapter = opened()
    take(adapter, b"t" * 1_000_000)
    assert len(adapter.buffer) <= 64
    assert take(adapter, b"\rt1000\r")[0] == [Frame(0x100, b"")]


def test_commands_are_answered():
    adapter = Adapter()
    assert take(adapter, b"C\rS6\r\rV\rN\rF\rO\r")[1] == b"\r\rV1013\rNBESS\rF00\r\r"
    assert adapter.is_open
    assert take(adapter, b"S6\r")[1] == b"\a", "the speed may not change while the channel is open"
    assert take(adapter, b"C\r")[1] == b"\r"
    assert take(adapter, b"t1000\r") == ([], b"\a", False)


def test_listen_only_takes_no_frames():
    adapter = Adapter()
    take(adapter, b"L\r")
    assert take(adapter, b"t1000\r")[0] == []


@pytest.fixture
def link(tmp_path):
    made = SlcanLink(tmp_path / "can0")
    yield made
    made.close()
    assert not (tmp_path / "can0").exists()


async def with_bus(link, work):
    """Run `work` with python-can's slcan bus on the far end, while our loop plays the adapter."""
    got: list[Frame] = []
    link.listen(asyncio.get_running_loop(), got.append)
    bus = await asyncio.to_thread(can.Bus, interface="slcan", channel=str(link.path), bitrate=500_000, sleep_after_open=0)
    try:
        # An answer shows that the adapter has done all the commands before it; opening drops what was sent earlier.
        assert await asyncio.to_thread(bus.get_version, 5.0) == (10, 13)
        await work(bus, got)
    finally:
        await asyncio.to_thread(bus.shutdown)


def test_python_can_receives_what_the_rack_sends(link):
    async def work(bus, got):
        ids = np.arange(0x200, 0x240)
        template = link.prepare(ids)
        payload = np.arange(512, dtype=np.uint8).reshape(64, 8)
        link.send(template, payload)
        link.flush()
        for number, data in zip(ids, payload):
            message = await asyncio.to_thread(bus.recv, 2.0)
            assert (message.arbitration_id, bytes(message.data), message.is_extended_id) == (number, data.tobytes(), False)
        assert link.sent == 64

    asyncio.run(with_bus(link, work))


def test_the_rack_receives_what_python_can_sends(link):
    async def work(bus, got):
        for number in range(30):
            bus.send(can.Message(arbitration_id=0xA0, data=[number, 255 - number], is_extended_id=False))
        await _until(lambda: len(got) == 30)
        assert got == [Frame(0xA0, bytes([number, 255 - number])) for number in range(30)]

    asyncio.run(with_bus(link, work))


def test_the_serial_number_is_told(link):
    async def work(bus, got):
        assert await asyncio.to_thread(bus.get_serial_number, 2.0) == "BESS"

    asyncio.run(with_bus(link, work))


async def _until(holds, within_s=5.0):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.005)


def test_nothing_is_sent_on_a_closed_channel(link):
    link.send(link.prepare(np.array([0x100])), np.zeros((1, 8), dtype=np.uint8))
    link.flush()
    assert (link.sent, link.dropped) == (0, 0)


def test_what_nobody_reads_is_dropped_whole_and_never_waits(link):
    link.adapter.is_open = True
    template, payload = link.prepare(np.arange(64)), np.full((64, 8), 0xAB, dtype=np.uint8)
    began = time.monotonic()
    for _ in range(300):
        link.send(template, payload)
        link.flush()
    assert time.monotonic() - began < 2.0
    assert link.dropped > 0
    assert link.sent + link.dropped == 300 * 64
    # When somebody reads again, what comes is whole lines in order, however often the writing was cut in two.
    far = os.open(link.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    text = b""
    quiet = reads = 0
    while quiet < 20:
        try:
            text += os.read(far, 700)
            quiet = 0
            reads += 1
        except BlockingIOError:
            quiet += 1
            time.sleep(0.001)
        if reads < 50:
            link.send(template[:8], payload[:8])
        link.flush()
    assert reads > 5
    os.close(far)
    lines = text.split(b"\r")
    assert lines.pop() == b""
    assert len(lines) == link.sent
    assert {len(line) for line in lines} == {21}
    assert all(line[:1] == b"t" and line[4:] == b"8" + b"AB" * 8 for line in lines)


def test_a_new_controller_is_not_told_what_was_meant_for_the_one_before(link):
    async def work():
        link.listen(asyncio.get_running_loop(), lambda frame: None)
        link.adapter.is_open = True
        link.send(link.prepare(np.array([0x111])), np.zeros((1, 8), dtype=np.uint8))
        link.flush()
        far = os.open(link.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        os.write(far, b"C\rO\r")
        await _until(lambda: link.adapter.is_open and not link.adapter.buffer)
        await asyncio.sleep(0.05)
        answer = os.read(far, 4096)
        os.close(far)
        assert answer == b"\r\r"

    asyncio.run(work())


def test_any_other_interface_of_python_can_works_too():
    async def work():
        link = PythonCanLink("virtual", "plant-test")
        other = can.Bus(interface="virtual", channel="plant-test")
        got: list[Frame] = []
        link.listen(asyncio.get_running_loop(), got.append)
        try:
            link.send(link.prepare(np.array([0x100, 0x101])), np.ones((2, 8), dtype=np.uint8))
            assert [other.recv(1.0).arbitration_id for _ in range(2)] == [0x100, 0x101]
            other.send(can.Message(arbitration_id=0xA0, data=b"\x01\x02", is_extended_id=False))
            await _until(lambda: link.flush() is None and got)
            assert got == [Frame(0xA0, b"\x01\x02")]
        finally:
            other.shutdown()
            link.close()

    asyncio.run(work())


def test_an_answer_waits_for_room_and_is_not_dropped(link):
    async def work():
        link.listen(asyncio.get_running_loop(), lambda frame: None)
        link.adapter.is_open = True
        template, payload = link.prepare(np.arange(64)), np.zeros((64, 8), dtype=np.uint8)
        while link.dropped < 64 * 200:  # full for good: the kernel moves what it holds a little later
            link.send(template, payload)
            link.flush()
        far = os.open(link.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        os.write(far, b"V\r")
        text = b""

        def read_on():
            nonlocal text
            with contextlib.suppress(BlockingIOError):
                text += os.read(far, 4096)
            link.flush()
            return b"V1013\r" in text

        await _until(read_on)
        os.close(far)

    asyncio.run(work())


@pytest.mark.skipif(not Path("/sys/class/net/vcan0").exists(), reason="this kernel has no vcan0")
def test_a_real_can_interface_works_by_its_file():
    async def work():
        link = PythonCanLink("socketcan", "vcan0")
        other = can.Bus(interface="socketcan", channel="vcan0")
        got: list[Frame] = []
        link.listen(asyncio.get_running_loop(), got.append)
        try:
            link.send(link.prepare(np.array([0x100])), np.ones((1, 8), dtype=np.uint8))
            assert other.recv(2.0).arbitration_id == 0x100
            other.send(can.Message(arbitration_id=0xA0, data=b"\x01\x02", is_extended_id=False))
            await _until(lambda: got)
            assert got == [Frame(0xA0, b"\x01\x02")]
        finally:
            other.shutdown()
            link.close()

    asyncio.run(work())
