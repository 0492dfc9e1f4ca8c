"""SocketCAN on the kernel's own virtual bus: frames, filters, drops, error frames, an interface that goes down, and a flood.

Run under ../shared/lab/lab. What the other side sends and reads is python-can's or a raw socket of the test.
"""

import asyncio
import errno
import shutil
import socket
import struct
import subprocess
import time

import can
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus.can_channel import join_channel, leave_channel
from runtime.fieldbus.can_socket import MOST_FILTERS, pack_filters
from runtime.fieldbus.can_tables import EXTENDED, ChannelSettings
from runtime.fieldbus.can_wire import Batch, open_wire
from tests.aids.can_pair import pack
from tests.aids.kernel import needs_vcan
from tests.bench.bench_can_bus import measure

EFF_FLAG, RTR_FLAG, ERR_FLAG = 0x80000000, 0x40000000, 0x20000000  # linux/can.h
DEADLINE = 30  # s
keys_of_both_kinds = st.one_of(st.integers(0, 0x7FF), st.integers(0, 0x1FFFFFFF).map(lambda key: key | EXTENDED))


def passes(filters: bytes, can_id: int) -> bool:
    """Whether the kernel lets a frame through: `(received & mask) == (filter & mask)` for any filter (linux/can.h)."""
    return any(can_id & mask == value & mask for value, mask in struct.iter_unpack("=II", filters))


def can_id_of(key: int) -> int:
    return key & 0x1FFFFFFF | EFF_FLAG if key & EXTENDED else key


@given(st.sets(keys_of_both_kinds, max_size=40), keys_of_both_kinds)
def test_few_filters_let_exactly_the_wanted_frames_through(keys, other):
    filters = pack_filters(keys)
    assert all(passes(filters, can_id_of(key)) for key in keys)
    assert passes(filters, can_id_of(other)) == (other in keys)
    assert not any(passes(filters, can_id_of(key) | RTR_FLAG) for key in keys)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False), st.integers(MOST_FILTERS + 1, 3000))
def test_many_filters_are_widened_and_lose_nothing(random, count):
    keys = {random.randrange(1 << 29) | EXTENDED for _ in range(count)} | set(range(0, 0x7FF, 3))
    filters = pack_filters(keys)
    assert len(filters) <= 8 * MOST_FILTERS
    assert all(passes(filters, can_id_of(key)) for key in keys)


def test_no_filter_lets_everything_through_and_no_key_nothing():
    assert passes(pack_filters(None), 0x123) and passes(pack_filters(None), 0x123 | EFF_FLAG)
    assert pack_filters(set()) == b""


def test_a_missing_interface_is_named():
    with pytest.raises(OSError, match="can77"):
        open_wire("socketcan", "can77", None, ())


def test_an_option_that_is_not_ours_is_refused_by_name():
    with pytest.raises(ValueError, match="sample_point"):
        open_wire("socketcan", "can77", None, (("sample_point", 80),))


def raw_socket(bus: str) -> socket.socket:
    found = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
    found.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
    found.bind((bus,))
    found.settimeout(DEADLINE)
    return found


@pytest.fixture
def wire():
    opened = open_wire("socketcan", "vcan0", None, (("fd", True),))
    yield opened
    opened.close()


@pytest.fixture
def other():
    with raw_socket("vcan0") as found:
        yield found


def taken(wire, count: int, seconds: float = DEADLINE) -> list[tuple[int, bytes]]:
    """The frames that arrive, until there are so many."""
    batch, found, deadline = Batch(), [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        wire.drain(batch)
        found += [(int(batch.keys[i]), bytes(batch.data[i, : batch.lengths[i]])) for i in range(batch.count)]
    return found


@needs_vcan
@pytest.mark.socketcan
def test_what_python_can_sends_we_read_with_the_kernels_time(wire):
    messages = [
        can.Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01\xab"),
        can.Message(arbitration_id=0x1FFFFFFF, is_extended_id=True, data=bytes(range(8))),
        can.Message(arbitration_id=0x7FF, is_extended_id=False, data=b""),
        can.Message(arbitration_id=0x7FF, is_extended_id=False, is_remote_frame=True, dlc=4),
        can.Message(arbitration_id=0x20, is_extended_id=False, is_fd=True, data=bytes(range(64))),
        can.Message(arbitration_id=0x21, is_extended_id=True, is_fd=True, bitrate_switch=True, data=bytes(12)),
    ]
    before = time.monotonic_ns()
    with can.Bus(interface="socketcan", channel="vcan0", fd=True) as bus:
        for message in messages:
            bus.send(message)
    time.sleep(0.05)
    batch = Batch()
    wire.drain(batch)
    assert [(int(batch.keys[i]), bytes(batch.data[i, : batch.lengths[i]])) for i in range(batch.count)] == [
        (m.arbitration_id | (EXTENDED if m.is_extended_id else 0), bytes(m.data)) for m in messages if not m.is_remote_frame
    ]
    times = batch.times[: batch.count].tolist()
    assert times == sorted(times) and before < times[0] < times[-1] < time.monotonic_ns() - 40_000_000


@needs_vcan
@pytest.mark.socketcan
def test_what_we_send_python_can_reads(wire):
    with can.Bus(interface="socketcan", channel="vcan0", fd=True) as bus:
        assert wire.send(0x7F, b"\x01\x02", False)
        assert wire.send(0x1ABCDEF | EXTENDED, bytes(8), False)
        assert wire.send(0x7F, bytes(range(16)), True)
        got = [bus.recv(DEADLINE) for _ in range(3)]
    assert [(m.arbitration_id, m.is_extended_id, bytes(m.data), m.is_fd) for m in got] == [
        (0x7F, False, b"\x01\x02", False),
        (0x1ABCDEF, True, bytes(8), False),
        (0x7F, False, bytes(range(16)), True),
    ]


@needs_vcan
@pytest.mark.socketcan
def test_error_frames_move_the_state(wire, other):
    """vcan has no controller: the error frames are sent by the test, and the bus hands them on as they are."""
    told = []
    for identifier, about in [(0x04, 0x08), (0x04, 0x20), (0x40, 0), (0x100, 0)]:
        other.send(pack(identifier, bytes([0, about, 0, 0, 0, 0, 0, 0]), error=True))
        deadline, batch = time.monotonic() + DEADLINE, Batch()
        while wire.counts["error_frames"] == len(told) and time.monotonic() < deadline:
            wire.drain(batch)
            assert batch.count == 0
        told.append(wire.state)
    assert told == ["warning", "passive", "bus_off", "active"]
    assert wire.counts["bus_off"] == wire.counts["error_passive"] == wire.counts["restarts"] == 1


@needs_vcan
@pytest.mark.socketcan
def test_a_flood_of_foreign_frames_never_arrives(wire, other):
    wire.set_filters({0x123, 0x1ABCDEF | EXTENDED})
    for i in range(20_000):
        other.send(pack(0x200 + i % 0x400, bytes(8)))
    other.send(pack(0x123, b"ours"))
    other.send(pack(0x1ABCDEF, b"ours too", extended=True))
    begun = time.process_time()
    assert taken(wire, 2) == [(0x123, b"ours"), (0x1ABCDEF | EXTENDED, b"ours too")]
    assert time.process_time() - begun < 1.0
    assert wire.counts["overflow"] == 0


@needs_vcan
@pytest.mark.socketcan
def test_frames_that_the_kernel_drops_are_counted(wire, other):
    """Nobody takes them: the receive buffer fills and the rest is dropped, and the count says how many."""
    sent = 60_000
    for i in range(sent):
        other.send(pack(0x10, i.to_bytes(4, "big")))
    got = taken(wire, sent, seconds=0.5)
    other.send(pack(0x10, b"last"))  # the kernel tells its drops with the next frame
    got += taken(wire, 1)
    assert 1000 < len(got) <= sent and got[-1][1] == b"last"
    assert wire.counts["overflow"] == sent + 1 - len(got) > 0


@needs_vcan
@pytest.mark.socketcan
def test_a_full_send_buffer_drops_and_counts_and_never_blocks(wire):
    """vcan always has room, so the wire is given a socket of the same manners that has none: non-blocking, one packet a frame."""
    far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.setblocking(False)
    wire._raw.close()
    wire._raw = near
    results = [wire.send(0x100, i.to_bytes(8, "big"), False) for i in range(5000)]
    assert results[0] and not results[-1]
    assert wire.counts["not_sent"] == results.count(False)
    assert far.recv(72) == pack(0x100, bytes(8))
    assert wire.send(0x100, b"", False)
    far.close()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@pytest.fixture
def link():
    """An interface that a test may take down, and that is up again afterwards."""
    if shutil.which("ip") is None:
        pytest.skip("no `ip` here to take an interface down")
    try:
        ip("link", "set", "vcan1", "up")
    except subprocess.CalledProcessError:
        pytest.skip("no right to take an interface down")
    yield "vcan1"
    ip("link", "set", "vcan1", "up")


@needs_vcan
@pytest.mark.socketcan
def test_an_interface_that_is_down_says_how_it_comes_up(link):
    wire = open_wire("socketcan", link, None, ())
    ip("link", "set", link, "down")
    with pytest.raises(OSError) as met:
        for _ in range(100):
            wire.drain(Batch())
            time.sleep(0.01)
    assert met.value.errno == errno.ENETDOWN
    with pytest.raises(OSError):
        wire.send(1, b"", False)
    wire.close()
    with pytest.raises(OSError, match="ip link set vcan1 up type can bitrate"):
        open_wire("socketcan", link, None, ())


class Seat:
    keys = frozenset({0x55})

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.told: list[str] = []

    def take(self, batch) -> None:
        self.frames += batch.keys[: batch.count].tolist()

    def went_up(self) -> None:
        self.told.append("up")

    def went_down(self, reason: str) -> None:
        self.told.append("down")


@needs_vcan
@pytest.mark.socketcan
def test_a_channel_survives_its_interface(link):
    async def until(holds) -> None:
        async with asyncio.timeout(DEADLINE):
            while not holds():
                await asyncio.sleep(0.01)

    async def run():
        seat = Seat()
        channel = join_channel(ChannelSettings("can1", "socketcan", link, None, ()), "/run", seat)
        await until(lambda: seat.told == ["up"])
        ip("link", "set", link, "down")
        await until(lambda: seat.told[-1] == "down")
        assert not channel.send(1, b"", False)
        await until(lambda: "ip link set" in channel.last_error)
        ip("link", "set", link, "up")
        await until(lambda: seat.told[-1] == "up")
        assert channel.send(1, b"", False)
        with raw_socket(link) as other:
            other.send(pack(0x55, b""))
            await until(lambda: seat.frames == [0x55])
        await leave_channel(channel, seat)

    asyncio.run(run())


@needs_vcan
@pytest.mark.socketcan
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_voltage_and_temperature_of_1024_cells_arrives(tmp_path):
    """Four racks, 5,120 frames a second where the machine can: as many are taken as were sent, and every cell has its value."""
    found = measure("socketcan", "vcan0", tmp_path, seconds=2.0)
    assert found["sent"] == 20 * 512
    assert found["lost"] == 0 and found["overflow"] == 0 and found["wrong"] == 0
