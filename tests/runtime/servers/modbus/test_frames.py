"""The Modbus server byte by byte: frames whole, cut, merged and broken, and what the specification answers to each."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymodbus.pdu import DecodePDU

from runtime.servers.modbus.protocol import WRITES, parse_write
from runtime.servers.modbus.refusal import RefusedError
from tests.aids.servers_modbus import ONE_COIL, ask, published, receive, request
from tests.aids.servers_scan import TestScan


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        (b"\x07", 1),
        (b"\x08\x00\x00\xa5\x37", 1),
        (b"\x0b", 1),
        (b"\x11", 1),
        (b"\x14\x07\x06\x00\x01\x00\x00\x00\x01", 1),
        (b"\x00", 1),
        (b"\x2b\x0d\x00\x00", 1),
        (b"\x80", 1),
        (b"\xff", 1),
        (b"\x03\x00\x00\x00\x00", 3),
        (b"\x03\x00\x00\x00\x7e", 3),
        (b"\x04\x00\x00\xff\xff", 3),
        (b"\x01\x00\x00\x07\xd1", 3),
        (b"\x03\x00\x00\x00", 3),
        (b"\x03\x00\x00\x00\x01\x00", 3),
        (b"\x03", 3),
        (b"\x05\x00\x00\x12\x34", 3),
        (b"\x05\x00\x00", 3),
        (b"\x06\x00\x00\x00", 3),
        (b"\x06\x00\x00\x00\x00\x00", 3),
        (b"\x0f\x00\x00\x00\x01\x02\x01\x00", 3),
        (b"\x0f\x00\x00\x00\x00\x00", 3),
        (b"\x10\x00\x00\x00\x01\x02\x00", 3),
        (b"\x10\x00\x00\x00\x00\x00", 3),
        (b"\x10\x00\x00\x00\x02\x02\x00\x00", 3),
        (b"\x16\x00\x00\x00", 3),
        (b"\x17\x00\x00\x00\x00\x00\x00\x00\x01\x02\x00\x00", 3),
        (b"\x17\x00\x63\x00\x01\x00\x00\x00\x01\x02\x00\x00", 2),
        (b"\x2b\x0e\x05\x00", 3),
        (b"\x2b\x0e\x01", 3),
        (b"\x2b", 1),
    ],
)
def test_a_request_that_contradicts_itself_gets_the_exception_of_the_specification(
    plant: Any, scan: TestScan, pdu: bytes, code: int
) -> None:
    assert ask(plant[2], request(9, 1, pdu)) == request(9, 1, bytes((pdu[0] | 0x80, code)))
    assert scan.taken == []


def test_requests_in_one_segment_are_answered_in_their_order_writes_among_them(plant: Any, scan: TestScan) -> None:
    pdus = [ONE_COIL, b"\x06\x00\x00\x00\x0b", b"\x03\x00\x00\x00\x01", b"\x06\x00\x00\x00\x16", b"\x03\x00\x00\x00\x01"]
    expected = [b"\x01\x01", pdus[1], b"\x03\x02\x00\x0b", pdus[3], b"\x03\x02\x00\x16"]
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.sendall(b"".join(request(n, 1, pdu) for n, pdu in enumerate(pdus)))
        for n, pdu in enumerate(expected):  # of the first, whose coil may be either, only function and size
            header = receive(sock, 7)
            assert struct.unpack(">H", header[:2])[0] == n
            body = receive(sock, struct.unpack(">H", header[4:6])[0] - 1)
            assert body[: len(pdu)] == pdu


def test_requests_may_be_cut_anywhere_and_glued_together(plant: Any) -> None:
    """The same three requests in two segments, cut at each byte in turn."""
    data = b"".join(request(n, 1, ONE_COIL) for n in range(3))
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in range(1, len(data)):
            sock.sendall(data[:cut])
            time.sleep(0.001)
            sock.sendall(data[cut:])
            answers = receive(sock, 30)
            assert [answers[n : n + 2] for n in (0, 10, 20)] == [b"\x00\x00", b"\x00\x01", b"\x00\x02"]
            assert len(answers) == 30


def test_an_answer_that_was_kept_is_as_fresh_as_the_picture_and_each_client_has_its_own_number(plant: Any, scan: TestScan) -> None:
    """The same block is asked for by two connections in turns, while the value changes with each scan."""
    block = b"\x04\x00\x14\x00\x02"
    with contextlib.ExitStack() as stack:
        talks = [stack.enter_context(socket.create_connection(("127.0.0.1", plant[2]), timeout=5)) for _ in range(2)]
        for value in range(20):
            published(scan, "bms.cycles", value)
            for number, sock in enumerate(talks, 100 * value):
                sock.sendall(request(number, 1, block))
                assert receive(sock, 13) == request(number, 1, b"\x04\x04" + value.to_bytes(4, "big"))
            talks[0].sendall(request(7, 255, block))
            assert receive(talks[0], 13)[6] == 255


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x00\x01\x00\x06\x01\x01\x00\x00\x00\x01",  # protocol id 1
        b"\x00\x01\x00\x00\x00\x00\x01\x01\x00\x00\x00\x01",  # length 0
        b"\x00\x01\x00\x00\x00\x01\x01\x01\x00\x00\x00\x01",  # no function
        b"\x00\x01\x00\x00\x01\x00\x01\x01\x00\x00\x00\x01",  # length 256
        b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n",
    ],
    ids=["protocol", "length 0", "length 1", "length 256", "http"],
)
def test_what_is_not_modbus_ends_the_connection(plant: Any, data: bytes) -> None:
    assert ask(plant[2], data) == b""


def test_answers_before_the_broken_request_still_come(plant: Any) -> None:
    good = request(3, 1, ONE_COIL)
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.sendall(good + b"\xff" * 12)
        assert receive(sock, 10)[:2] == b"\x00\x03"
        assert receive(sock, 1) == b""


pdus = st.one_of(
    st.binary(min_size=1, max_size=253),
    st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43]), st.binary(max_size=40)).map(lambda t: bytes((t[0],)) + t[1]),
)


def check_with_pymodbus(answer: bytes) -> None:
    """A client that we did not write understands it, and would have written it so."""
    decoded = DecodePDU(False).decode(answer)
    assert decoded is not None
    if answer[0] & 0x80:
        assert answer[1] in (1, 2, 3, 4, 6, 11)
    else:
        assert decoded.encode() == answer[1:]


@given(pdus)
def test_what_we_take_for_a_write_pymodbus_takes_for_the_same(pdu: bytes) -> None:
    if pdu[0] not in WRITES:
        return
    try:
        ours = parse_write(pdu)
    except RefusedError:
        return
    theirs = DecodePDU(True).decode(pdu)
    assert theirs is not None
    if ours.function == 23:
        assert (ours.address, ours.count) == (theirs.write_address, theirs.write_count)
        assert ours.read == (theirs.read_address, theirs.read_count)
        assert ours.data == struct.pack(f">{ours.count}H", *theirs.write_registers)
    elif ours.masks is not None:
        assert (ours.address, ours.masks) == (theirs.address, (theirs.and_mask, theirs.or_mask))
    elif ours.table == "coil":
        assert (ours.address, list(map(bool, ours.data))) == (theirs.address, theirs.bits[: ours.count])
    else:
        assert (ours.address, ours.data) == (theirs.address, struct.pack(f">{ours.count}H", *theirs.registers))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 65535), pdus), min_size=1, max_size=8), st.integers(1, 400))
def test_any_well_framed_request_is_answered_in_order_however_it_is_cut(
    plant: Any, requests: list[tuple[int, bytes]], cut: int
) -> None:
    data = b"".join(request(number, 1, pdu) for number, pdu in requests)
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(data), cut):
            sock.sendall(data[start : start + cut])
        for number, pdu in requests:
            header = receive(sock, 7)
            transaction, protocol, length, unit = struct.unpack(">HHHB", header)
            assert (transaction, protocol, unit) == (number, 0, 1)
            answer = receive(sock, length - 1)
            assert answer[0] & 0x7F == pdu[0] & 0x7F
            if pdu[0] & 0x7F:  # no request has function 0, so pymodbus knows no exception of it
                check_with_pymodbus(answer)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_answered_or_end_the_connection(plant: Any, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(4096):
            pass
    assert plant[1].process.poll() is None
    assert ask(plant[2], request(1, 1, ONE_COIL))[:2] == b"\x00\x01"
