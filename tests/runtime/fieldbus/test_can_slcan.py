"""SLCAN lines in bulk: the protocol as python-can's own slcan bus speaks it, and hostile lines."""

import asyncio
import contextlib
import os
import socket
import time
import tty

import can
import pytest
from can.interfaces.slcan import slcanBus

from runtime.fieldbus import can_slcan
from runtime.fieldbus.can_slcan import ASK, BATCH, MOST_REFUSALS, SlcanWire
from runtime.fieldbus.can_tables import EXTENDED
from runtime.fieldbus.can_wire import Batch, open_wire


@pytest.fixture
def line():
    """A pty: the adapter's end as a descriptor, ours by name."""
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield master, os.ttyname(slave)
    for descriptor in (master, slave):
        os.close(descriptor)


@pytest.fixture
def wire(line):
    opened = SlcanWire(line[1], {"sleep_after_open": 0})
    lines_of(line[0], 1)  # the command that opens the bus
    yield opened
    with contextlib.suppress(can.CanError):  # the test has taken the line away
        opened.close()


def taken(wire: SlcanWire, count: int = 1) -> list[tuple[int, bytes]]:
    """The frames that arrive: a pty hands over what was written to it a moment later, and in pieces."""
    batch, found = Batch(), []
    deadline = time.monotonic() + (5 if count else 0.05)
    while time.monotonic() < deadline and not (count and len(found) >= count):
        wire.drain(batch)
        found += [(int(batch.keys[i]), bytes(batch.data[i, : batch.lengths[i]])) for i in range(batch.count)]
    return found


def lines_of(descriptor: int, count: int) -> bytes:
    """So many lines from the far end of a pty."""
    got, deadline = b"", time.monotonic() + 5
    while got.count(b"\r") < count and time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            got += os.read(descriptor, 4096)
    return got


def test_what_python_can_sends_we_read(line, wire):
    messages = [
        can.Message(arbitration_id=0x123, is_extended_id=False, data=b"\x01\xab"),
        can.Message(arbitration_id=0x1FFFFFFF, is_extended_id=True, data=bytes(range(8))),
        can.Message(arbitration_id=0x7FF, is_extended_id=False, data=b""),
        can.Message(arbitration_id=0x20, is_extended_id=False, is_fd=True, data=bytes(range(64))),
        can.Message(arbitration_id=0x21, is_extended_id=True, is_fd=True, bitrate_switch=True, data=bytes(12)),
    ]
    far, near = os.openpty()
    tty.setraw(near)
    other = slcanBus(os.ttyname(near), sleep_after_open=0)
    lines_of(far, 1)
    for message in messages:
        other.send(message)
    os.write(line[0], lines_of(far, len(messages)))
    other.shutdown()
    os.close(far), os.close(near)
    expected = [(m.arbitration_id | (EXTENDED if m.is_extended_id else 0), bytes(m.data)) for m in messages]
    assert taken(wire, len(expected)) == expected


def test_what_we_send_python_can_reads(line, wire):
    far, near = os.openpty()
    tty.setraw(near)
    other = slcanBus(os.ttyname(near), sleep_after_open=0)
    assert wire.send(0x7F, b"\x01\x02", False)
    assert wire.send(0x1ABCDEF | EXTENDED, bytes(8), False)
    assert wire.send(0x7F, bytes(range(16)), True)
    os.write(far, lines_of(line[0], 3))
    got = [other.recv(1) for _ in range(3)]
    other.shutdown()
    os.close(far), os.close(near)
    assert [(m.arbitration_id, m.is_extended_id, bytes(m.data), m.is_fd) for m in got] == [
        (0x7F, False, b"\x01\x02", False),
        (0x1ABCDEF, True, bytes(8), False),
        (0x7F, False, bytes(range(16)), True),
    ]


def test_a_frame_in_two_pieces_is_one_frame(line, wire):
    os.write(line[0], b"t1232")
    assert taken(wire, 0) == []
    os.write(line[0], b"0102\rt124")
    assert taken(wire) == [(0x123, b"\x01\x02")]
    os.write(line[0], b"10a\r")
    assert taken(wire) == [(0x124, b"\x0a")]


@pytest.mark.parametrize(
    "junk",
    [
        b"t12",
        b"t1239",
        b"t123zz",
        b"t12g100",
        b"t12320",
        b"T1FFFFFFFFF",
        b"TFFFFFFFF0",
        b"tFFF0",
        b"d123",
        b"t06481111112222222222222222",
        b"t123101ABC",
        b"t123101WXYZ",
        b"t12310102030405",
        b"\xff\xfe\x00",
        b"\x07",
    ],
)
def test_junk_is_left_out_and_the_next_frame_is_read(line, wire, junk):
    os.write(line[0], junk + b"\rt123101\r")
    assert taken(wire) == [(0x123, b"\x01")]


def test_a_line_with_a_time_stamp_is_a_frame(line, wire):
    """Lawicel's Z1: the adapter adds its milliseconds as four digits."""
    os.write(line[0], b"t1231014F1C\rt12400000\r")
    assert taken(wire, 2) == [(0x123, b"\x01"), (0x124, b"")]
    assert wire.counts["broken_lines"] == 0


def test_broken_lines_are_counted_and_answers_are_not(line, wire):
    os.write(line[0], b"z\rV1013\r\rr1230\rt1239\rT12\r")
    assert taken(wire, 0) == []
    assert wire.counts["broken_lines"] == 2


def test_a_line_that_never_ends_does_not_fill_the_memory(line, wire):
    batch = Batch()
    for _ in range(40):
        rest = b"9" * 4000
        while rest:
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(line[0], rest) :]
            wire.drain(batch)
    os.write(line[0], b"\rt123101\r")
    assert taken(wire) == [(0x123, b"\x01")]


def test_more_frames_than_a_batch_arrive_in_order(line, wire):
    sent = [f"t{i % 0x700:03X}2{i & 0xFFFF:04X}\r".encode() for i in range(BATCH * 2)]
    found = []
    for start in range(0, len(sent), 256):
        os.write(line[0], b"".join(sent[start : start + 256]))
        found += [int.from_bytes(data, "big") for _, data in taken(wire, 256)]
    assert found == [i & 0xFFFF for i in range(BATCH * 2)]


def test_a_full_line_drops_whole_frames_and_never_blocks(line, wire):
    """Nobody reads: the pty takes some kilobytes. What comes out later is whole frames only."""
    results = [wire.send(0x100, i.to_bytes(8, "big"), False) for i in range(2000)]
    assert not all(results) and results[0]
    assert wire.counts["not_sent"] == results.count(False)
    got = b""
    while True:
        try:
            got += os.read(line[0], 65536)
        except BlockingIOError:
            if not wire._unsent:
                break
            wire.send(0x101, b"", False)
    frames = [part for part in got.split(b"\r") if part]
    assert all(len(part) == 21 for part in frames[:-1])


def test_half_a_line_is_not_sent_until_its_rest_is(line, wire):
    assert wire.is_idle
    number = 0
    while not wire._unsent and number < 100_000:
        number += 1
        if not wire.send(0x100, bytes(8), False):  # full without half a line: make room for less than one
            os.read(line[0], 10)
    assert not wire.is_idle
    got, deadline = b"", time.monotonic() + 5
    while not (wire.is_idle and got.endswith(b"\r")) and time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            got += os.read(line[0], 65536)
        wire.drain(Batch())
    assert wire.is_idle and got.endswith(b"t10080000000000000000\r")


def test_the_end_of_the_line_is_an_error_not_silence(line, wire):
    os.close(line[0])
    with pytest.raises(OSError):
        taken(wire)
    os.dup2(os.open("/dev/null", os.O_RDONLY), line[0])  # so that the fixture finds something to close


def test_an_adapter_that_refuses_our_frames_was_reset(line, wire):
    """Lawicel: BELL answers a frame while the channel is closed. One is an error of its own, many in a row are a reset."""
    os.write(line[0], b"\x07" * 10 + b"z\r" + b"\x07" * 10 + b"t123101\r")
    assert taken(wire) == [(0x123, b"\x01")]
    os.write(line[0], b"\x07" * MOST_REFUSALS)
    with pytest.raises(OSError, match="reset"):
        taken(wire)


@pytest.mark.parametrize(
    ("flags", "state", "overflow"), [(b"F00", "active", 0), (b"F01", "active", 1), (b"F04", "warning", 0), (b"F2C", "passive", 1)]
)
def test_the_status_flags_of_the_adapter_are_taken(line, wire, flags, state, overflow):
    """Lawicel CANUSB manual, command F: bit 0 receive queue full, 2 error warning, 3 data overrun, 5 error passive."""
    os.write(line[0], flags + b"\rt123101\r")
    assert taken(wire) == [(0x123, b"\x01")]
    assert (wire.state, wire.counts["overflow"]) == (state, overflow)


def test_the_adapter_is_asked_for_its_flags_now_and_then(line, wire):
    wire._asked -= 2 * ASK
    os.write(line[0], b"t123101\r")
    assert taken(wire) == [(0x123, b"\x01")]
    assert lines_of(line[0], 1) == b"F\r"
    os.write(line[0], b"t123101\r")
    assert taken(wire) == [(0x123, b"\x01")]
    assert wire.send(0x7F, b"", False)
    assert lines_of(line[0], 1) == b"t07F0\r", "not asked again so soon"


def test_a_silent_adapter_is_asked_for_its_flags(line, wire):
    """One that left the bus hears nothing, so no frame ever asks it; one that never answers is left in peace."""
    batch = Batch()

    async def run():
        loop = asyncio.get_running_loop()
        wire.watch(loop, lambda: wire.drain(batch))
        try:
            assert await asyncio.to_thread(lines_of, line[0], 1) == b"F\r"
            os.write(line[0], b"F20\r")
            async with asyncio.timeout(5):
                while wire.state != "passive":
                    await asyncio.sleep(0.01)
        finally:
            wire.unwatch(loop)

    asyncio.run(run())


def test_an_adapter_that_does_not_know_the_question_is_not_taken_for_a_reset_one(line, wire):
    for _ in range(2 * MOST_REFUSALS):
        wire._asked -= 2 * ASK
        taken(wire, 0)
        with contextlib.suppress(BlockingIOError):
            os.write(line[0], b"\x07" * os.read(line[0], 4096).count(b"F\r"))
    assert taken(wire, 0) == []


def test_refusals_with_a_yes_between_are_no_reset(line, wire):
    os.write(line[0], b"\x07\r" * 2 * MOST_REFUSALS)
    assert taken(wire, 0) == []


def test_a_connection_that_its_far_end_half_closed_is_a_loss():
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = SlcanWire(f"socket://127.0.0.1:{server.getsockname()[1]}", {"sleep_after_open": 0})
        far, _ = server.accept()
        far.sendall(b"t123101\r")
        assert taken(wire) == [(0x123, b"\x01")]
        far.shutdown(socket.SHUT_WR)
        with pytest.raises(OSError, match="other end"):
            taken(wire)
        with contextlib.suppress(can.CanError, OSError):
            wire.close()
        far.close()


def test_an_adapter_that_cannot_be_used_is_not_left_open(line, monkeypatch):
    opened = []
    monkeypatch.setattr(can_slcan, "slcanBus", lambda *a, **k: opened.append(slcanBus(*a, **k)) or opened[-1])
    monkeypatch.setattr(SlcanWire, "_parse", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        SlcanWire(line[1], {"sleep_after_open": 0})
    assert not opened[0].serialPortOrig.is_open


def test_a_pty_is_opened_without_the_pause_for_adapters(line):
    before = time.monotonic()
    open_wire("slcan", line[1], 500_000, ()).close()
    assert time.monotonic() - before < 1.0, "python-can waits 2 s for an adapter to restart"
    commands = lines_of(line[0], 6).split(b"\r")
    assert b"S6" in commands and b"O" in commands
