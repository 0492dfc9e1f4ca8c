"""Frames as bytes, read by compiled code: SocketCAN's structures as python-can reads them, SLCAN lines however they are cut."""

import struct

import numpy as np
from can.interfaces.socketcan.socketcan import dissect_can_frame
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus.can_slcan import _LENGTHS, FD_LENGTHS, parse
from runtime.fieldbus.can_socket import (
    CHUNK,
    CONTROL,
    CONTROL_AT,
    FRAME,
    RECEIVED_AT,
    S_DROPS,
    S_ERRORS,
    SO_RXQ_OVFL,
    SO_TIMESTAMPNS,
    read_control,
    read_frames,
)
from runtime.fieldbus.can_tables import EXTENDED
from runtime.fieldbus.can_wire import Batch

EFF_FLAG, RTR_FLAG, ERR_FLAG = 0x80000000, 0x40000000, 0x20000000  # linux/can.h
NOW = 10**15
compiled_inside = settings(deadline=None)  # the first example may compile what it calls


@st.composite
def packets(draw):
    """A packet as the kernel hands it over: any identifier word, classic or FD."""
    length = draw(st.sampled_from(FD_LENGTHS))
    size = 8 if length <= 8 and draw(st.booleans()) else 64
    head = struct.pack("=IBB2x", draw(st.integers(0, 0xFFFFFFFF)), length, draw(st.integers(0, 255)))
    return head + draw(st.binary(min_size=length, max_size=length)).ljust(size, b"\0")


def read(received: list[bytes], stamps: list[int] | None = None) -> tuple[Batch, np.ndarray, np.ndarray]:
    """What `read_frames` makes of packets, as they lie in its buffers after a recvmmsg."""
    frames, controls = np.zeros((CHUNK, FRAME), np.uint8), np.zeros((CHUNK, CONTROL), np.int64)
    headers = np.zeros((CHUNK, 16), np.uint32)
    for i, packet in enumerate(received):
        frames[i, : len(packet)] = np.frombuffer(packet, np.uint8)
        headers[i, RECEIVED_AT] = len(packet)
        if stamps:
            controls[i, :4] = (32, 1 | SO_TIMESTAMPNS << 32, *divmod(stamps[i], 10**9))
            headers[i, CONTROL_AT] = 32
    batch, errors, seen = Batch(), np.zeros((16, FRAME), np.uint8), np.zeros(3, np.int64)
    rows = (0, batch.keys, batch.data, batch.lengths, batch.times)
    batch.count = read_frames(frames, headers, controls, len(received), rows, (0, NOW), errors, seen)
    return batch, errors, seen


@compiled_inside
@given(st.lists(packets(), max_size=30))
def test_every_packet_is_read_as_python_can_reads_it(received):
    batch, errors, seen = read(received)
    expected, broken = [], []
    for packet in received:
        word, length, _, data = dissect_can_frame(packet)
        if word & RTR_FLAG:
            continue
        if word & ERR_FLAG:
            broken.append(packet)
            continue
        key = word & 0x1FFFFFFF | EXTENDED if word & EFF_FLAG else word & 0x7FF
        expected.append((key, bytes(data[: min(length, len(packet) - 8)])))
    assert [(int(batch.keys[i]), bytes(batch.data[i, : batch.lengths[i]])) for i in range(batch.count)] == expected
    assert seen[S_ERRORS] == len(broken)
    assert [bytes(row[: len(packet)]) for row, packet in zip(errors, broken)] == broken[: len(errors)]


@compiled_inside
@given(st.binary(min_size=8, max_size=72))
def test_no_packet_makes_a_frame_longer_than_itself(packet):
    batch, _, _ = read([packet])
    assert batch.count <= 1 and batch.lengths[0] <= len(packet) - 8


@compiled_inside
@given(st.lists(st.integers(0, 2 * NOW), min_size=1, max_size=20))
def test_a_frame_keeps_the_kernels_time_unless_it_is_of_another_clock(stamps):
    batch, _, _ = read([struct.pack("=IB3x8s", 1, 0, b"")] * len(stamps), stamps)
    assert batch.times[: batch.count].tolist() == [t if NOW - 10**9 < t <= NOW else NOW for t in stamps]


@compiled_inside
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=CONTROL, max_size=CONTROL), st.integers(0, 8 * CONTROL))
def test_no_control_message_breaks_the_reader(words, size):
    found = np.zeros(2, np.int64)
    read_control(np.array(words, np.int64), size, found)
    assert -1 <= found[1] <= 0xFFFFFFFF


def test_time_and_drops_are_found_in_either_order():
    time_stamp, drops = [32, 1 | SO_TIMESTAMPNS << 32, 7, 9], [20, 1 | SO_RXQ_OVFL << 32, 4_000_000_000]
    for words in (time_stamp + drops, drops + time_stamp):
        found = np.zeros(2, np.int64)
        read_control(np.array([*words, 0], np.int64), 56, found)
        assert found.tolist() == [7_000_000_009, 4_000_000_000]


def test_drops_are_taken_from_the_last_frame_that_tells_them():
    frames, controls, headers = np.zeros((4, FRAME), np.uint8), np.zeros((4, CONTROL), np.int64), np.zeros((4, 16), np.uint32)
    headers[:, RECEIVED_AT] = 16
    for i, drops in ((1, 5), (2, 8)):
        controls[i, :3] = (20, 1 | SO_RXQ_OVFL << 32, drops)
        headers[i, CONTROL_AT] = 24
    batch, seen = Batch(), np.zeros(3, np.int64)
    rows = (0, batch.keys, batch.data, batch.lengths, batch.times)
    assert read_frames(frames, headers, controls, 4, rows, (0, NOW), np.zeros((1, FRAME), np.uint8), seen) == 4
    assert seen[S_DROPS] == 8


def lines(text: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """The frames in a whole text, and how many bytes were used."""
    batch, counts = Batch(), np.array([0, 0, -1], np.int64)
    buffer = np.frombuffer(text.ljust(1, b"\0"), np.uint8)
    count, used = parse(buffer, len(text), batch.keys, batch.data, batch.lengths, _LENGTHS, counts)
    return [(int(batch.keys[i]), bytes(batch.data[i, : batch.lengths[i]])) for i in range(count)], used


noise = st.binary(max_size=200).map(
    lambda text: text.translate(bytes(c if c > 31 else b"\r\atTdDxbF0123"[c % 13] for c in range(256)))
)


@compiled_inside
@given(noise, st.integers(0, 200))
def test_lines_mean_the_same_however_they_arrive(text, at):
    first, used = lines(text[:at])
    rest, _ = lines(text[:at][used:] + text[at:])
    assert first + rest == lines(text)[0]


@compiled_inside
@given(
    st.lists(st.tuples(st.integers(0, 0x1FFFFFFF), st.booleans(), st.sampled_from(FD_LENGTHS), st.booleans()), max_size=20),
    st.data(),
)
def test_lines_of_the_protocol_are_frames(frames, data):
    """Lawicel: `t` 3 digits, `T` 8 digits, length, bytes in hex; `d` and `D` the same for CAN FD, lengths above 8 as their code."""
    text, expected = b"", []
    for number, extended, length, flexible in frames:
        flexible = flexible or length > 8
        number = number if extended else number & 0x7FF
        payload = data.draw(st.binary(min_size=length, max_size=length))
        letter = "tTdD"[extended + 2 * flexible]
        text += f"{letter}{number:0{8 if extended else 3}X}{FD_LENGTHS.index(length):X}{payload.hex()}\r".encode()
        expected.append((number | (EXTENDED if extended else 0), payload))
    assert lines(text) == (expected, len(text))
