"""A channel that several devices share: whose frames are asked for, what a loss does to all, and how it comes back."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest

from runtime.fieldbus import can_channel
from runtime.fieldbus.can_channel import join_channel, leave_channel
from runtime.fieldbus.can_tables import ChannelSettings
from tests.aids.can_pair import pack, register, unpack

DEADLINE = 20  # s


class Seat:
    """A listener that notes what it is told."""

    def __init__(self, *keys: int):
        self.keys = frozenset(keys)
        self.frames: list[int] = []
        self.told: list[str] = []

    def take(self, batch) -> None:
        self.frames += batch.keys[: batch.count].tolist()

    def went_up(self) -> None:
        self.told.append("up")

    def went_down(self, reason: str) -> None:
        self.told.append("down")


class Broken(Seat):
    """A listener with a bug."""

    def take(self, batch) -> None:
        raise RuntimeError("a bug in one device")


class Far:
    """The far ends of the bus: one for each time that it is opened."""

    def __init__(self, path):
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listening.bind(str(path))
        self.listening.listen()
        self.listening.settimeout(DEADLINE)

    async def accept(self) -> socket.socket:
        end, _ = await asyncio.to_thread(self.listening.accept)
        end.settimeout(DEADLINE)
        return end


@pytest.fixture
def far(tmp_path):
    register()
    found = Far(tmp_path / "bus")
    yield found
    found.listening.close()


async def until(holds) -> None:
    async with asyncio.timeout(DEADLINE):
        while not holds():
            await asyncio.sleep(0.005)


def settings(path) -> ChannelSettings:
    return ChannelSettings("can0", "pair", "$RUN/bus", 500_000, ())


def test_devices_share_one_bus_and_its_filters_grow(far, tmp_path):
    async def run():
        first, second = Seat(0x10), Seat(0x20)
        channel = join_channel(settings(tmp_path), str(tmp_path), first)
        end = await far.accept()
        await until(lambda: first.told)
        for identifier in (0x20, 0x30, 0x10):
            end.send(pack(identifier, b""))
        await until(lambda: 0x10 in first.frames)
        assert first.frames == [0x10], "nobody has asked for the others"
        assert join_channel(settings(tmp_path), str(tmp_path), second) is channel
        assert second.told == ["up"]
        for identifier in (0x30, 0x20, 0x10):
            end.send(pack(identifier, b""))
        await until(lambda: 0x10 in second.frames)
        assert second.frames == [0x20, 0x10]
        await leave_channel(channel, second)
        assert channel.is_up
        await leave_channel(channel, first)
        assert not channel.is_up and channel.state == "down"
        end.close()

    asyncio.run(run())


def test_a_bug_in_one_device_silences_no_other(far, tmp_path):
    async def run():
        broken, well = Broken(1), Seat(1)
        channel = join_channel(settings(tmp_path), str(tmp_path), broken)
        join_channel(settings(tmp_path), str(tmp_path), well)
        end = await far.accept()
        await until(lambda: well.told)
        end.send(pack(1, b""))
        await until(lambda: well.frames)
        assert broken.told == ["up", "down", "up"] and well.told == ["up"] and channel.is_up
        for seat in (broken, well):
            await leave_channel(channel, seat)
        end.close()

    asyncio.run(run())


def test_a_lost_bus_is_opened_again_and_everybody_knows(far, tmp_path):
    async def run():
        seats = [Seat(1), Seat(2)]
        for seat in seats:
            channel = join_channel(settings(tmp_path), str(tmp_path), seat)
        end = await far.accept()
        await until(lambda: all(seat.told == ["up"] for seat in seats))
        end.close()
        end = await far.accept()
        await until(lambda: all(seat.told[-1] == "up" and "down" in seat.told for seat in seats))
        assert channel.losses == 1
        end.send(pack(2, b""))
        await until(lambda: seats[1].frames == [2])
        assert channel.send(7, b"x", False)
        assert unpack(await asyncio.to_thread(end.recv, 72)) == (7, False, b"x")
        for seat in seats:
            await leave_channel(channel, seat)
        end.close()

    asyncio.run(run())


def test_bus_off_is_a_state_and_sending_into_a_lost_bus_is_refused(far, tmp_path):
    async def run():
        seat = Seat(1)
        channel = join_channel(settings(tmp_path), str(tmp_path), seat)
        assert not channel.send(1, b"", False), "nothing is open yet"
        end = await far.accept()
        await until(lambda: seat.told)
        assert channel.state == "active"
        end.send(pack(0x40, bytes(8), error=True))
        await until(lambda: channel.state == "bus_off")
        end.send(pack(1, b""))
        await until(lambda: channel.state == "active")
        await leave_channel(channel, seat)
        end.close()

    asyncio.run(run())


def test_a_bus_that_is_not_there_is_tried_until_it_is(tmp_path):
    register()

    async def run():
        seat = Seat(1)
        channel = join_channel(settings(tmp_path), str(tmp_path), seat)
        await until(lambda: seat.told == ["down"])
        assert "cannot open" in channel.last_error
        far = Far(tmp_path / "bus")
        with contextlib.closing(far.listening):
            end = await far.accept()
            await until(lambda: seat.told[-1] == "up")
            await leave_channel(channel, seat)
            end.close()

    asyncio.run(run())


class HungWire:
    """A wire that fails as soon as it is watched, and whose closing takes until the test lets it."""

    counts: dict[str, int] = {}
    state, is_idle = "active", True

    def __init__(self, gate: threading.Event):
        self.gate, self.thread = gate, None

    def watch(self, loop, ready) -> None:
        loop.call_soon(ready)

    def unwatch(self, loop) -> None:
        self.thread = threading.current_thread()

    def set_filters(self, keys) -> None:
        if keys and 99 in keys:
            raise OSError("no filters")

    def drain(self, batch) -> bool:
        raise OSError("lost at once")

    def close(self) -> None:
        self.thread = threading.current_thread()
        self.gate.wait(DEADLINE)


def test_a_bus_that_fails_at_once_is_not_opened_in_a_storm(monkeypatch, tmp_path):
    gate, opened = threading.Event(), []
    gate.set()
    monkeypatch.setattr(can_channel, "open_wire", lambda *_: opened.append(time.monotonic()) or HungWire(gate))

    async def run():
        seat = Seat(1)
        channel = join_channel(settings(tmp_path), str(tmp_path), seat)
        await until(lambda: len(opened) >= 4)
        await leave_channel(channel, seat)

    asyncio.run(run())
    assert opened[3] - opened[0] > 0.9 * 0.1 * (1 + 2 + 4)


def test_a_bus_whose_closing_hangs_keeps_no_process(monkeypatch, tmp_path):
    """Neither the loop's own threads nor the end of the process wait for it."""
    gate, wires = threading.Event(), []
    monkeypatch.setattr(can_channel, "open_wire", lambda *_: wires.append(HungWire(gate)) or wires[-1])
    monkeypatch.setattr(can_channel, "CLOSE_LIMIT", 0.05)

    async def run():
        seat = Seat(1)
        channel = join_channel(settings(tmp_path), str(tmp_path), seat)
        await until(lambda: len(wires) >= 3)
        await leave_channel(channel, seat)

    begun = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - begun < DEADLINE / 2, "not the time for which closing hangs"
    assert wires[0].thread.is_alive() and wires[0].thread.daemon
    gate.set()


def test_a_bus_that_refuses_what_a_late_device_needs_is_closed(monkeypatch, tmp_path):
    gate, wires, joined = threading.Event(), [], threading.Event()
    gate.set()

    def open_slowly(*_):
        joined.wait(DEADLINE)
        wires.append(HungWire(gate))
        return wires[-1]

    monkeypatch.setattr(can_channel, "open_wire", open_slowly)

    async def run():
        seats = [Seat(1), Seat(99)]
        for seat in seats:
            channel = join_channel(settings(tmp_path), str(tmp_path), seat)
            await asyncio.sleep(0.01)
        joined.set()
        await until(lambda: wires and wires[0].thread is not None and not wires[0].thread.is_alive())
        assert wires[0].thread.name == "can close" or "filters" in channel.last_error
        for seat in seats:
            await leave_channel(channel, seat)

    asyncio.run(run())


def test_a_bus_that_opens_after_its_last_device_has_left_is_closed(monkeypatch, tmp_path):
    gate, wires, left = threading.Event(), [], threading.Event()
    gate.set()

    def open_slowly(*_):
        left.wait(DEADLINE)
        wires.append(HungWire(gate))
        return wires[-1]

    monkeypatch.setattr(can_channel, "open_wire", open_slowly)

    async def run():
        seat = Seat(1)
        channel = join_channel(settings(tmp_path), str(tmp_path), seat)
        await asyncio.sleep(0.01)
        await leave_channel(channel, seat)
        left.set()
        await until(lambda: wires and wires[0].thread is not None)

    asyncio.run(run())
