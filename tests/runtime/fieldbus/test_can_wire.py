"""Any python-can bus as a wire: frames of both kinds, other people's frames, a full bus, and a controller that leaves it."""

import asyncio
import contextlib
import socket
import time

import can
import pytest

from runtime.fieldbus.can_bus import REOPEN, SEND_QUEUE, BusWire
from runtime.fieldbus.can_tables import EXTENDED
from runtime.fieldbus.can_wire import BATCH, Batch, open_wire
from tests.aids.can_pair import PairBus, pack, register, unpack

DEADLINE = 10  # s, far beyond what anything here takes


class Rig:
    """A wire on one end of a socket pair, watched by a loop; the test holds the far end."""

    def __init__(self) -> None:
        self.far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.far.settimeout(DEADLINE)
        self.bus = PairBus(str(near.detach()))
        self.wire = BusWire(self.bus, "socketcan")
        self.batch = Batch()
        self.frames: list[tuple[int, bytes]] = []
        self.times: list[int] = []
        self.failure: Exception | None = None
        self.calls = 0

    def ready(self) -> None:
        self.calls += 1
        try:
            more = self.wire.drain(self.batch)
        except can.CanError as error:
            self.failure = error
            return
        batch = self.batch
        self.frames += [(int(batch.keys[i]), bytes(batch.data[i, : batch.lengths[i]])) for i in range(batch.count)]
        self.times += batch.times[: batch.count].tolist()
        if more:
            asyncio.get_running_loop().call_soon(self.ready)

    async def until(self, holds) -> None:
        async with asyncio.timeout(DEADLINE):
            while not holds():
                await asyncio.sleep(0.005)

    def run(self, scene) -> None:
        async def play() -> None:
            loop = asyncio.get_running_loop()
            self.wire.watch(loop, self.ready)
            try:
                await scene()
            finally:
                self.wire.unwatch(loop)
                await asyncio.to_thread(self.wire.close)

        asyncio.run(play())
        self.far.close()


@pytest.fixture
def rig():
    found = Rig()
    yield found
    found.far.close()
    with contextlib.suppress(OSError):
        found.bus.shutdown()


def test_frames_arrive_in_order_with_their_time(rig):
    async def scene():
        before = time.monotonic_ns()
        rig.far.send(pack(0x123, b"\x01\x02"))
        rig.far.send(pack(0x123, bytes(range(64)), extended=True))
        rig.far.send(pack(0x7FF, b""))
        await rig.until(lambda: len(rig.frames) == 3)
        assert all(before - 10**9 < at <= time.monotonic_ns() for at in rig.times)

    rig.run(scene)
    assert rig.frames == [(0x123, b"\x01\x02"), (0x123 | EXTENDED, bytes(range(64))), (0x7FF, b"")]


def test_more_than_a_batch_is_taken_whole(rig):
    count = BATCH + 1000

    async def scene():
        sending = asyncio.get_running_loop().run_in_executor(
            None, lambda: [rig.far.send(pack(1, i.to_bytes(8, "big"))) for i in range(count)]
        )
        await sending
        await rig.until(lambda: len(rig.frames) == count)

    rig.run(scene)
    assert [int.from_bytes(data, "big") for _, data in rig.frames] == list(range(count))


def test_frames_of_others_do_not_reach_the_loop(rig):
    rig.wire.set_filters({0x10, 0x20 | EXTENDED})

    async def scene():
        for identifier in range(0x40):
            rig.far.send(pack(identifier, b"x"))
            rig.far.send(pack(identifier, b"y", extended=True))
        rig.far.send(pack(0x10, b"end"))
        await rig.until(lambda: (0x10, b"end") in rig.frames)

    rig.run(scene)
    assert rig.frames == [(0x10, b"x"), (0x20 | EXTENDED, b"y"), (0x10, b"end")]
    assert rig.calls <= 6


def test_error_frames_move_the_state_and_are_no_frames(rig):
    async def scene():
        rig.far.send(pack(0x04, bytes([0, 0x20, 0, 0, 0, 0, 0, 0]), error=True))
        await rig.until(lambda: rig.wire.state == "passive")
        rig.far.send(pack(0x40, bytes(8), error=True))
        await rig.until(lambda: rig.wire.state == "bus_off")

    rig.run(scene)
    assert not rig.frames and rig.wire.counts["bus_off"] == 1 and rig.wire.counts["error_frames"] == 2


def test_what_we_send_arrives_with_both_kinds_of_identifier(rig):
    async def scene():
        assert rig.wire.send(0x7F, b"\x01", False)
        assert rig.wire.send(0x7F | EXTENDED, bytes(64), True)
        got = [unpack(await asyncio.to_thread(rig.far.recv, 72)) for _ in range(2)]
        assert got == [(0x7F, False, b"\x01"), (0x7F, True, bytes(64))]

    rig.run(scene)


def test_a_bus_that_takes_nothing_never_holds_up_the_loop(rig):
    """Nobody reads the far end: the socket fills, then the queue, then frames are refused and counted."""

    async def scene():
        begun, results = time.monotonic(), []
        while time.monotonic() < begun + DEADLINE and (len(results) < SEND_QUEUE * 4 or results[-1]):
            results.append(rig.wire.send(0x100, len(results).to_bytes(4, "big"), False))
            await asyncio.sleep(0)
        assert not results[-1] and rig.wire.counts["not_sent"] >= 1
        last = len(results)
        numbers = []
        rig.far.setblocking(False)

        def drain() -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    numbers.append(int.from_bytes(unpack(rig.far.recv(72))[2], "big"))
            return rig.wire.send(0x100, last.to_bytes(4, "big"), False)

        await rig.until(drain)  # there is room again
        await rig.until(lambda: drain() and last in numbers)
        assert numbers == sorted(numbers), "in order, and none twice"

    rig.run(scene)


def test_the_state_that_the_interface_knows_is_taken(rig):
    async def scene():
        rig.bus.now = can.BusState.PASSIVE
        await rig.until(lambda: rig.wire.state == "passive")
        rig.bus.now = can.BusState.ACTIVE
        await rig.until(lambda: rig.wire.state == "active")

    rig.run(scene)
    assert rig.wire.counts["error_passive"] == 1


def test_a_controller_that_stays_off_the_bus_is_given_up(rig):
    async def scene():
        begun = time.monotonic()
        rig.bus.now = can.BusState.ERROR
        await rig.until(lambda: rig.wire.state == "bus_off")
        await rig.until(lambda: rig.failure is not None)
        assert time.monotonic() - begun > REOPEN
        assert "off the bus" in str(rig.failure)

    rig.run(scene)
    assert rig.wire.counts["bus_off"] == 1


def test_a_far_end_that_closes_is_a_loss_for_receiving_and_sending(rig):
    async def scene():
        rig.far.close()
        await rig.until(lambda: rig.failure is not None)
        with pytest.raises(can.CanError):
            rig.wire.send(1, b"", False)

    rig.run(scene)


def test_frames_that_are_queued_go_out_before_the_bus_is_closed(rig):
    async def scene():
        for i in range(SEND_QUEUE):
            assert rig.wire.send(i, b"safe", False)

    rig.far.setblocking(True)
    far = rig.far.dup()
    rig.run(scene)
    got = []
    far.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while packet := far.recv(72):
            got.append(unpack(packet)[0])
    far.close()
    assert got == list(range(SEND_QUEUE))


def test_an_interface_is_opened_by_its_name(tmp_path):
    register()
    path = str(tmp_path / "bus")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen()
        wire = open_wire("pair", path, 250_000, (), {1})
        assert isinstance(wire, BusWire) and wire.state == "active"
        wire.close()
    with pytest.raises((OSError, can.CanError)):
        open_wire("pair", str(tmp_path / "none"), None, ())
