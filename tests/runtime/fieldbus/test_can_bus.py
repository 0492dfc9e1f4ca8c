"""A bus that only queues, hangs, breaks in odd ways, or ends without a word: nothing of it passes for sent or heard."""

import asyncio
import socket
import struct
import threading
import time

import can
import pytest

from runtime.fieldbus import can as driver
from runtime.fieldbus import can_bus, can_channel, can_wire
from runtime.fieldbus.can_bus import BusWire
from runtime.fieldbus.can_wire import Batch, open_wire
from runtime.fieldbus.safe import safe_steps, write_safe_values
from runtime.fieldbus.station import Station
from tests.aids.fieldbus import Cells, mapped
from tests.aids.fieldbus_dbc import write_synthetic

DEADLINE = 20  # s
ERROR_FRAME = can.Message(arbitration_id=4, is_error_frame=True, is_extended_id=False, data=bytes([0, 0x1C, 0, 0]))


class OddBus(can.BusABC):
    """A bus whose sending and receiving do what the test says."""

    def __init__(self, channel: str = "odd", **_):
        self.channel_info = "odd"
        self.full = False
        self.gate = threading.Event()  # sending waits for it
        self.gate.set()
        self.breaks: Exception | None = None
        self.waiting: list[can.Message] = []
        self.sent: list[bytes] = []
        self.now = can.BusState.ACTIVE
        self.ended = False
        super().__init__(channel)

    def _recv_internal(self, timeout):
        if self.breaks is not None:
            raise self.breaks
        if self.waiting:
            return self.waiting.pop(), True
        time.sleep(min(timeout or 0, 0.02))
        return None, True

    def send(self, msg, timeout=None):
        self.gate.wait(DEADLINE)
        if self.full:
            raise can.CanOperationError("Transmit buffer full")
        self.sent.append(bytes(msg.data))

    def shutdown(self):
        super().shutdown()
        self.ended = True

    @property
    def state(self):
        return self.now


@pytest.fixture
def bus():
    found = OddBus()
    yield found
    found.gate.set()
    found.shutdown()


async def until(holds) -> None:
    async with asyncio.timeout(DEADLINE):
        while not holds():
            await asyncio.sleep(0.005)


def failure_of(wire: BusWire) -> str:
    """What the wire says when it is drained until it fails."""

    async def run() -> str:
        called = asyncio.Event()
        wire.watch(asyncio.get_running_loop(), called.set)
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    wire.drain(Batch())
                    await called.wait()
                    called.clear()
        except can.CanError as error:
            return str(error)
        finally:
            wire.unwatch(None)
            await asyncio.to_thread(wire.close)

    return asyncio.run(run())


def test_a_queued_frame_waits_for_room_also_when_the_wire_is_being_closed(bus):
    async def run():
        wire = BusWire(bus)
        wire.watch(asyncio.get_running_loop(), lambda: None)
        assert wire.is_idle
        bus.full = True
        assert wire.send(1, b"safe", False)
        assert not wire.is_idle
        wire.unwatch(None)
        closing = asyncio.get_running_loop().run_in_executor(None, wire.close)
        await asyncio.sleep(0.05)
        bus.full = False
        await closing
        assert bus.sent == [b"safe"] and wire.is_idle and wire.counts["not_sent"] == 0

    asyncio.run(run())


@pytest.mark.parametrize(("room", "missed"), [(False, {"d"}), (True, set())])
def test_a_safe_value_that_is_only_queued_is_missed(bus, tmp_path, monkeypatch, room, missed):
    """STEP_LIMIT is the time that a device has; a full bus that takes the frame within it has taken the value."""
    write_synthetic(tmp_path)
    text = "device: d\ndriver: can\nchannel: can0\ndbc: dbc/synthetic.dbc\noutputs:\n  d.mode: {signal: Command.Mode, safe: 0}\n"
    device = mapped(text, "site: t\nchannels: {can0: {interface: virtual, channel: odd}}", tmp_path).device
    monkeypatch.setattr(can_channel, "open_wire", lambda *_: BusWire(bus))

    async def run():
        station = Station(driver, device, Cells(1), Cells(1), tmp_path)
        station.connect()
        await station.open()
        await until(lambda: station.status()["connected"])
        bus.full = True
        if room:
            asyncio.get_running_loop().call_later(0.03, setattr, bus, "full", False)
        assert await write_safe_values(safe_steps([device]), {"d": station}) == missed
        assert bool(bus.sent) is room
        bus.full = False
        await station.close()

    asyncio.run(run())


def test_a_thread_that_hung_in_sending_ends_when_its_call_comes_back(bus, monkeypatch):
    monkeypatch.setattr(can_bus, "GIVE_UP", 0.05)

    async def run():
        wire = BusWire(bus)
        wire.watch(asyncio.get_running_loop(), lambda: None)
        bus.gate.clear()
        while wire.send(1, b"x", False):
            await asyncio.sleep(0)
        wire.unwatch(None)
        await asyncio.to_thread(wire.close)
        bus.gate.set()
        await until(lambda: not any(thread.is_alive() for thread in wire._threads))

    asyncio.run(run())


@pytest.mark.parametrize("error", [struct.error("unpack requires 8 bytes"), IndexError("half a frame"), KeyError("?")])
def test_whatever_an_interface_raises_is_a_loss(bus, error):
    bus.breaks = error
    assert str(error) in failure_of(BusWire(bus))


def test_whatever_an_interface_raises_when_it_sends_is_a_loss(bus, monkeypatch):
    def send(*_, **__):
        raise struct.error("argument out of range")

    monkeypatch.setattr(bus, "send", send)
    wire = BusWire(bus)
    wire.send(1, b"", False)
    assert "out of range" in failure_of(wire)
    assert not wire.is_idle, "nothing of it was sent"


def test_error_frames_of_other_makers_are_counted_and_say_nothing_of_the_state(bus):
    """PCAN's error frame 4 has a place in a frame in its second byte; linux/can/error.h would read 0x1C as passive."""

    async def run():
        bus.waiting.append(ERROR_FRAME)
        wire = BusWire(bus, "pcan")
        wire.watch(asyncio.get_running_loop(), lambda: None)
        await until(lambda: wire.counts["error_frames"] == 1)
        assert wire.state == "active" and wire.counts["error_passive"] == 0
        bus.now = can.BusState.PASSIVE
        await until(lambda: wire.state == "passive")
        wire.unwatch(None)
        await asyncio.to_thread(wire.close)

    asyncio.run(run())


def test_an_interface_that_does_not_wait_for_frames_is_not_asked_without_end(bus, monkeypatch):
    asked = []
    monkeypatch.setattr(bus, "recv", lambda timeout: asked.append(time.monotonic()))

    async def run():
        wire = BusWire(bus)
        wire.watch(asyncio.get_running_loop(), lambda: None)
        await until(lambda: len(asked) >= 6)
        wire.unwatch(None)
        await asyncio.to_thread(wire.close)

    asyncio.run(run())
    assert asked[5] - asked[0] > 5 * can_bus.LISTEN / 2 * 0.9


def test_a_socketcand_that_closes_is_a_loss():
    """The handshake of socketcand's protocol, one frame, and the end."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        line, _ = server.accept()
        line.settimeout(DEADLINE)
        line.sendall(b"< hi >")
        assert b"open" in line.recv(100)
        line.sendall(b"< ok >")
        assert b"rawmode" in line.recv(100)
        line.sendall(b"< ok >")
        time.sleep(0.1)
        line.sendall(b"< frame 066 1.0 0500 >")
        line.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    wire = open_wire("socketcand", "can0", None, (("host", "127.0.0.1"), ("port", server.getsockname()[1])))
    assert "closed at its other end" in failure_of(wire)
    thread.join(DEADLINE)
    server.close()


def test_a_bus_that_refuses_its_filters_is_not_left_open(monkeypatch):
    opened = []

    def open_bus(**_):
        opened.append(OddBus())
        opened[-1].set_filters = lambda *_: (_ for _ in ()).throw(can.CanOperationError("no filters"))
        return opened[-1]

    monkeypatch.setattr(can_wire.can, "Bus", open_bus)
    with pytest.raises(can.CanError, match="no filters"):
        open_wire("odd", "x", None, (), {1})
    assert opened[0].ended
