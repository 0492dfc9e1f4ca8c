"""The Modbus TCP server as SCADA meets it: pymodbus is the client, the server is its own process over a real image."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient

from runtime.engine import north
from runtime.quality import BAD_NOT_CONNECTED, UNCERTAIN_LAST_USABLE
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan

MAP = """
bms.soc: {register: input 0}
bms.current: [{register: input 2, as: float32, words: little}, {register: holding 40, as: float32, write: false}]
bms.cell_v: {register: input 10, as: uint16, scale: 0.001}
bms.cycles: {register: input 20, as: int32}
grid.energy: {register: input 22, as: int64}
plc.uptime: {register: input 26, as: uint32, scale: 1000000000}
bms.soc.quality: {register: input 30}
bms.ok.quality: {register: input 31, as: uint32}
pcs.state: {register: input 33, as: int16, bad: nan}
hmi.p_set: {register: holding 0, as: int16, scale: 0.1}
hmi.limit: {register: holding 1, as: int16}
hmi.steps: {register: holding 10, as: float64}
hmi.count: {register: holding 22, as: int64, words: little}
hmi.delay: {register: holding 26, as: uint32, scale: 1000000}
"hmi.steps[1]": {register: holding 30, as: float32}
bms.ok: {register: discrete 0}
bms.soc.good: {register: discrete 1}
hmi.enable: {register: coil 0}
"""
FLOAT32, FLOAT64 = ModbusTcpClient.DATATYPE.FLOAT32, ModbusTcpClient.DATATYPE.FLOAT64
INT16, INT32, INT64 = ModbusTcpClient.DATATYPE.INT16, ModbusTcpClient.DATATYPE.INT32, ModbusTcpClient.DATATYPE.INT64
UINT32 = ModbusTcpClient.DATATYPE.UINT32


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, ServerProcess, int]]:
    folder = tmp_path_factory.mktemp("modbus")
    (folder / "scada.yaml").write_text(MAP)
    scan = TestScan(folder)
    with serving(scan.order("modbus", map="scada.yaml", idle="2 s", clients="20")) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture
def scan(plant: Any) -> Iterator[TestScan]:
    scan: TestScan = plant[0]
    scan.taken.clear()
    yield scan
    scan.answer, scan.silent, scan.frozen = 0, False, False
    for name in scan.by_name:
        scan.spoil(name, 0)


@pytest.fixture
def client(plant: Any) -> Iterator[ModbusTcpClient]:
    with ModbusTcpClient("127.0.0.1", port=plant[2], timeout=3, retries=0) as client:
        yield client


def registers(client: ModbusTcpClient, address: int, count: int) -> list[int]:
    answer = client.read_input_registers(address, count=count, device_id=1)
    assert not answer.isError(), answer
    return answer.registers


def published(scan: TestScan, name: str, value: Any) -> None:
    """Set a tag and wait until a snapshot with it is out."""
    scan.set(name, value)
    before = int(scan.stamps[0])
    eventually(lambda: scan.stamps[0] > before + 1)


# reading: every type, as pymodbus decodes it


def test_a_float_has_its_high_word_first(scan: TestScan, client: ModbusTcpClient) -> None:
    published(scan, "bms.soc", 42.5)
    assert client.convert_from_registers(registers(client, 0, 2), FLOAT32) == 42.5
    assert registers(client, 0, 2) == [0x422A, 0x0000]  # IEEE 754: 42.5 is 0x422A0000


def test_little_puts_the_low_word_first(scan: TestScan, client: ModbusTcpClient) -> None:
    published(scan, "bms.current", -123.25)
    assert client.convert_from_registers(registers(client, 2, 2), FLOAT32, word_order="little") == -123.25


def test_an_array_stands_in_a_row_in_counts_of_its_scale(scan: TestScan, client: ModbusTcpClient) -> None:
    published(scan, "bms.cell_v", [3.3, 3.301, 3.2995, 2.5, 3.65, 0, 4.2, 3.4])
    assert registers(client, 10, 8) == [3300, 3301, 3300, 2500, 3650, 0, 4200, 3400]


@pytest.mark.parametrize("value", [0, -1, 2**31 - 1, -(2**31)])
def test_int32(scan: TestScan, client: ModbusTcpClient, value: int) -> None:
    published(scan, "bms.cycles", value)
    assert client.convert_from_registers(registers(client, 20, 2), INT32) == value


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**53 + 1, -1])
def test_int64_is_exact(scan: TestScan, client: ModbusTcpClient, value: int) -> None:
    published(scan, "grid.energy", value)
    assert client.convert_from_registers(registers(client, 22, 4), INT64) == value


@pytest.mark.parametrize(("nanoseconds", "seconds"), [(90_000_000_000, 90), (-5_000_000_000, 0), (2**63 - 1, 0xFFFFFFFF)])
def test_a_time_in_seconds_stops_at_the_ends_of_its_number(
    scan: TestScan, client: ModbusTcpClient, nanoseconds: int, seconds: int
) -> None:
    published(scan, "plc.uptime", nanoseconds)
    assert client.convert_from_registers(registers(client, 26, 2), UINT32) == seconds


def test_bits(scan: TestScan, client: ModbusTcpClient) -> None:
    published(scan, "bms.ok", 1)
    assert client.read_discrete_inputs(0, count=2, device_id=1).bits[:2] == [True, True]
    published(scan, "hmi.enable", 0)
    assert client.read_coils(0, count=1, device_id=1).bits[0] is False


# quality


def test_a_bad_float_is_nan_and_its_quality_says_why(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.spoil("bms.soc", BAD_NOT_CONNECTED)
    published(scan, "bms.soc", 50.0)
    value = client.convert_from_registers(registers(client, 0, 2), FLOAT32)
    assert value != value
    assert registers(client, 30, 1) == [0x808A]  # OPC UA part 6: Bad_NotConnected is 0x808A0000
    assert client.read_discrete_inputs(1, count=1, device_id=1).bits[0] is False


def test_an_uncertain_value_is_still_shown(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.spoil("bms.soc", UNCERTAIN_LAST_USABLE)
    published(scan, "bms.soc", 50.0)
    assert client.convert_from_registers(registers(client, 0, 2), FLOAT32) == 50.0
    assert registers(client, 30, 1) == [0x4090]


def test_a_quality_in_two_registers_is_the_whole_code(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.spoil("bms.ok", 0x80310007)
    published(scan, "bms.ok", 0)
    assert registers(client, 31, 2) == [0x8031, 0x0007]


def test_an_integer_that_wants_nan_is_sunspecs_not_available_when_bad(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.spoil("pcs.state", BAD_NOT_CONNECTED)
    published(scan, "pcs.state", 2)
    assert registers(client, 33, 1) == [0x8000]
    scan.spoil("pcs.state", 0)
    published(scan, "pcs.state", 2)
    assert registers(client, 33, 1) == [2]


def test_nan_in_an_integer_is_not_available_and_infinity_stops_nowhere(scan: TestScan, client: ModbusTcpClient) -> None:
    published(scan, "bms.cell_v", [float("nan"), float("inf"), -1.0, 99.0, 3, 3, 3, 3])
    assert registers(client, 10, 4) == [0xFFFF, 0xFFFF, 0, 0xFFFF]


# writing: one command a value, answered when the scan took it


def test_a_register_is_taken_by_the_scan_before_the_answer_comes(scan: TestScan, client: ModbusTcpClient) -> None:
    assert not client.write_register(0, 1234, device_id=1).isError()
    assert scan.taken == [("hmi.p_set", 0, 123.4, "operator")]
    assert client.read_holding_registers(0, count=1, device_id=1).registers == [1234]


@pytest.mark.parametrize(("counts", "value"), [(5000, 500.0), (0x10000 - 5000, -500.0), (3, 0.3), (0, 0.0)])
def test_a_scaled_value_is_the_nearest_double(scan: TestScan, client: ModbusTcpClient, counts: int, value: float) -> None:
    assert not client.write_register(0, counts, device_id=1).isError()
    assert scan.taken == [("hmi.p_set", 0, value, "operator")]


def test_several_registers_are_several_tags(scan: TestScan, client: ModbusTcpClient) -> None:
    words = [w for v in (1.5, -2.5, 1e-3) for w in client.convert_to_registers(v, FLOAT64)]
    assert not client.write_registers(10, words, device_id=1).isError()
    assert scan.taken == [("hmi.steps", 0, 1.5, "operator"), ("hmi.steps", 1, -2.5, "operator"), ("hmi.steps", 2, 1e-3, "operator")]


def test_one_element_in_the_middle_of_an_array(scan: TestScan, client: ModbusTcpClient) -> None:
    assert not client.write_registers(14, client.convert_to_registers(7.0, FLOAT64), device_id=1).isError()
    assert scan.taken == [("hmi.steps", 1, 7.0, "operator")]


def test_a_64_bit_integer_with_its_low_word_first(scan: TestScan, client: ModbusTcpClient) -> None:
    words = client.convert_to_registers(-(2**53) - 1, INT64, word_order="little")
    assert not client.write_registers(22, words, device_id=1).isError()
    assert scan.taken == [("hmi.count", 0, -(2**53) - 1, "operator")]


def test_a_time_is_written_in_its_counts(scan: TestScan, client: ModbusTcpClient) -> None:
    assert not client.write_registers(26, client.convert_to_registers(1500, UINT32), device_id=1).isError()
    assert scan.taken == [("hmi.delay", 0, 1_500_000_000, "operator")]


def test_coils(scan: TestScan, client: ModbusTcpClient) -> None:
    assert not client.write_coil(0, True, device_id=1).isError()
    assert client.read_coils(0, count=1, device_id=1).bits[0] is True
    assert not client.write_coils(0, [False], device_id=1).isError()
    assert scan.taken == [("hmi.enable", 0, 1, "operator"), ("hmi.enable", 0, 0, "operator")]


def test_a_mask_changes_some_bits_of_the_register(scan: TestScan, client: ModbusTcpClient) -> None:
    """Specification V1.1b3, 6.16: current 0x12, and 0xF2, or 0x25 gives 0x17."""
    assert not client.write_register(0, 0x12, device_id=1).isError()
    assert not client.mask_write_register(address=0, and_mask=0xF2, or_mask=0x25, device_id=1).isError()
    assert client.read_holding_registers(0, count=1, device_id=1).registers == [0x17]


def test_function_23_writes_first_and_then_reads(scan: TestScan, client: ModbusTcpClient) -> None:
    answer = client.readwrite_registers(read_address=0, read_count=1, write_address=0, values=[77], device_id=1)
    assert answer.registers == [77]
    assert scan.taken == [("hmi.p_set", 0, 7.7, "operator")]


# refusals: the exception that the specification or NUMBERS.md names


@pytest.mark.parametrize(("counts", "code"), [(5001, 3), (0x10000 - 5001, 3), (0x8000, 3)])
def test_a_value_out_of_range_is_exception_3(scan: TestScan, client: ModbusTcpClient, counts: int, code: int) -> None:
    assert client.write_register(0, counts, device_id=1).exception_code == code
    assert scan.taken == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_exception_3(scan: TestScan, client: ModbusTcpClient, value: float) -> None:
    assert client.write_registers(30, client.convert_to_registers(value, FLOAT32), device_id=1).exception_code == 3
    assert scan.taken == []


def test_a_tag_of_a_higher_role_is_exception_2(scan: TestScan, client: ModbusTcpClient) -> None:
    assert client.write_register(1, 5, device_id=1).exception_code == 2


def test_half_of_a_longer_value_is_exception_2_and_nothing_is_written(scan: TestScan, client: ModbusTcpClient) -> None:
    for address, count in ((10, 1), (11, 4), (10, 6), (22, 3)):
        assert client.write_registers(address, [0] * count, device_id=1).exception_code == 2
    assert scan.taken == []


def test_a_read_only_register_is_exception_2(scan: TestScan, client: ModbusTcpClient) -> None:
    assert client.write_registers(40, [0, 0], device_id=1).exception_code == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (north.OUT_OF_RANGE, 3),
        (north.NOT_FINITE, 3),
        (north.NOT_WRITABLE, 2),
        (north.ROLE_TOO_LOW, 2),
        (north.NOT_RUNNING, 4),
        (north.REMOTE_LOCKED, 4),
    ],
)
def test_the_scan_has_the_last_word(scan: TestScan, client: ModbusTcpClient, answer: int, code: int) -> None:
    scan.answer = answer
    assert client.write_register(0, 1, device_id=1).exception_code == code


def test_a_scan_that_takes_no_command_is_exception_6_after_a_second(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.silent = True
    began = time.monotonic()
    assert client.write_register(0, 1, device_id=1).exception_code == 6
    assert 0.9 < time.monotonic() - began < 5


def test_every_write_leaves_an_audit_line(plant: Any, scan: TestScan, client: ModbusTcpClient) -> None:
    client.write_register(0, 4321, device_id=1)
    client.write_register(0, 6000, device_id=1)

    def audit() -> list[dict[str, Any]]:
        return [line for line in plant[1].lines() if line.get("audit")]

    eventually(lambda: [line["value"] for line in audit()][-2:] == [432.1, 600.0])
    lines = audit()
    assert lines[-2] | {"peer": "", "timestamp": "", "scan": 0, "old": 0} == {
        "event": "write",
        "audit": True,
        "service": "modbus",
        "level": "info",
        "peer": "",
        "user": "",
        "role": "operator",
        "tag": "hmi.p_set",
        "old": 0,
        "value": 432.1,
        "answer": "taken",
        "scan": 0,
        "timestamp": "",
    }
    assert lines[-2]["peer"].startswith("127.0.0.1:")
    assert (lines[-1]["level"], lines[-1]["old"], lines[-1]["answer"]) == ("warning", 432.1, "refused: outside the tag's range")


@pytest.mark.parametrize(("address", "count"), [(4, 1), (0, 5), (34, 1), (65535, 1), (9, 2)])
def test_what_is_not_mapped_is_exception_2(client: ModbusTcpClient, address: int, count: int) -> None:
    assert client.read_input_registers(address, count=count, device_id=1).exception_code == 2


@pytest.mark.parametrize("unit", [0, 1, 255])
def test_the_units_of_the_site_answer(plant: Any, unit: int) -> None:
    assert ask(plant[2], request(1, unit, ONE_COIL))[6:9] == bytes((unit, 1, 1))


def test_another_unit_is_exception_0b(plant: Any) -> None:
    assert ask(plant[2], request(1, 7, b"\x03\x00\x00\x00\x01")) == request(1, 7, b"\x83\x0b")


def test_who_we_are(client: ModbusTcpClient) -> None:
    answer = client.read_device_information(read_code=3, object_id=0, device_id=1)
    assert answer.information[0] == b"bessplc"
    assert answer.information[6] == b"plant1"
    assert client.read_device_information(read_code=4, object_id=6, device_id=1).information == {6: b"plant1"}
    assert client.read_device_information(read_code=4, object_id=9, device_id=1).exception_code == 2


# bytes on the wire


def request(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            break
        data += part
    return data


def ask(port: int, data: bytes) -> bytes:
    """Send bytes; what comes back before the answer is complete or the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(data)
        header = receive(sock, 7)
        return header if len(header) < 7 else header + receive(sock, struct.unpack(">H", header[4:6])[0] - 1)


def is_turned_away(port: int) -> bool:
    """Whether a request on a new connection ends it without an answer."""
    try:
        return ask(port, request(1, 1, ONE_COIL)) == b""
    except ConnectionResetError:
        return True


ONE_COIL = b"\x01\x00\x00\x00\x01"


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        (b"\x07", 1),
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
        for n, pdu in enumerate(expected):
            length = 6 if n == 0 else len(pdu)
            header = receive(sock, 7)
            assert struct.unpack(">H", header[:2])[0] == n
            body = receive(sock, struct.unpack(">H", header[4:6])[0] - 1)
            assert body[:length] == pdu or n == 0


def test_a_request_may_come_in_pieces(plant: Any) -> None:
    data = request(5, 1, ONE_COIL)
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            sock.sendall(bytes((byte,)))
            time.sleep(0.002)
        assert receive(sock, 10)[:6] == b"\x00\x05\x00\x00\x00\x04"


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
            assert receive(sock, length - 1)[0] & 0x7F == pdu[0] & 0x7F


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


def test_a_client_that_does_not_fetch_its_answers_holds_up_nobody(plant: Any, scan: TestScan) -> None:
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as deaf:
        deaf.setblocking(False)
        chunk = request(1, 1, b"\x04\x00\x0a\x00\x08") * 1000
        sent = 0
        until = time.monotonic() + 3
        while time.monotonic() < until and sent < 50_000_000:
            try:
                sent += deaf.send(chunk)
            except BlockingIOError:
                break
        assert ask(plant[2], request(2, 1, ONE_COIL))[:2] == b"\x00\x02"
    memory = int(Path(f"/proc/{plant[1].process.pid}/statm").read_text().split()[1]) * 4096
    assert memory < 500e6


def test_connections_beyond_the_cap_are_turned_away_and_idle_ones_closed(plant: Any) -> None:
    eventually(lambda: plant[1].status()["clients"] == 0, timeout=10)
    parked = [socket.create_connection(("127.0.0.1", plant[2]), timeout=5) for _ in range(20)]
    try:
        eventually(lambda: plant[1].status()["clients"] == 20)
        assert is_turned_away(plant[2])
        eventually(lambda: plant[1].status()["clients"] == 0, timeout=15)  # idle is 2 s
        assert ask(plant[2], request(1, 1, ONE_COIL))[:2] == b"\x00\x01"
    finally:
        for sock in parked:
            sock.close()


# the scan comes and goes


def test_a_scan_that_hangs_is_exception_4_and_it_recovers_by_itself(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.frozen = True
    eventually(lambda: getattr(client.read_coils(0, count=1, device_id=1), "exception_code", 0) == 4)
    assert client.write_register(0, 1, device_id=1).exception_code == 4
    scan.frozen = False
    eventually(lambda: not client.read_coils(0, count=1, device_id=1).isError())
    assert scan.taken == [], "a write that was refused must not be carried out later"


def test_a_restarted_scan_is_found_again(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.stop()
    eventually(lambda: getattr(client.read_coils(0, count=1, device_id=1), "exception_code", 0) == 4)
    scan.start()
    eventually(lambda: not client.read_coils(0, count=1, device_id=1).isError())
    assert getattr(client.write_register(0, 10, device_id=1), "exception_code", 0) == 0
    assert scan.taken == [("hmi.p_set", 0, 1.0, "operator")]


# who may


def test_a_client_outside_allow_is_turned_away(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    with serving(scan.order("modbus", allow=["192.0.2.0/24"])) as (server, port):
        assert is_turned_away(port)
        eventually(lambda: any(line["event"] == "turned away" for line in server.lines()))
    scan.stop()


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (["192.0.2.0/24"], 2),
        ({"127.0.0.0/8": "viewer"}, 2),
        ({"127.0.0.0/8": "viewer", "127.0.0.1": "operator"}, 0),
    ],
)
def test_who_may_write_is_a_matter_of_the_address(tmp_path: Path, write: Any, code: int) -> None:
    scan = TestScan(tmp_path)
    with serving(scan.order("modbus", write=write)) as (_, port), ModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        assert not client.read_coils(0, count=1, device_id=1).isError()
        answer = client.write_coil(0, True, device_id=1)
        assert getattr(answer, "exception_code", 0) == code
    scan.stop()


def test_gaps_read_as_zero_where_the_site_wants_it(tmp_path: Path) -> None:
    (tmp_path / "scada.yaml").write_text("bms.cycles: {register: input 10, as: int16}\n")
    scan = TestScan(tmp_path)
    published(scan, "bms.cycles", 7)
    order = scan.order("modbus", map="scada.yaml", gaps="zero")
    with serving(order) as (_, port), ModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        assert client.read_input_registers(8, count=3, device_id=1).registers == [0, 0, 7]
        assert client.read_input_registers(8, count=4, device_id=1).exception_code == 2
    scan.stop()


# the process


def test_sigterm_ends_it_in_order_and_sigint_does_not(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("modbus"))
    server.wait_until_listening()
    os.kill(server.process.pid, signal.SIGINT)
    time.sleep(0.2)
    assert server.process.poll() is None
    assert server.end() == 0
    assert not (tmp_path / "modbus.json").exists()
    assert not (tmp_path / "modbus.commands").exists()
    scan.stop()


def test_a_port_in_use_names_the_port_and_how_to_change_it(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ServerProcess(scan.order("modbus", port=str(port)))
        assert server.process.wait(20) == 69
    (line,) = server.lines()
    assert f"port {port}" in line["event"] and "config/site.yaml" in line["event"]
    server.end()
    scan.stop()


def test_a_broken_map_is_shown_as_the_checker_shows_it(tmp_path: Path) -> None:
    (tmp_path / "scada.yaml").write_text("bms.sok: input 0\n")
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("modbus", map="scada.yaml"))
    assert server.process.wait(20) == 78
    assert "scada.yaml:1:1: error[E101]" in server.log() and "^^^^^^^" in server.log()
    server.end()
    scan.stop()
