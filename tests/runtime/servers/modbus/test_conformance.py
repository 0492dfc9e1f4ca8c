"""The limits of MODBUS Application Protocol V1.1b3, function by function, and a server asked at random beside a model.

The map is as large as the tables: 2,000 coils and 300 registers that may be written, each a tag's element of its own.
"""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient

from runtime.model import Tag
from tests.aids.servers_modbus import ask, receive, request
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan

COILS, REGISTERS = 2000, 300
LIMIT = 1000
TAGS = (
    Tag("c.bits", "BOOL", COILS, 0, 0, "memory", owner="operator", write="operator"),
    Tag("c.words", "DINT", REGISTERS, 0, 0, "memory", "", "", -LIMIT, LIMIT, 0, "operator", "operator"),
    Tag("c.plus", "DINT", 60, 0, 0, "memory"),
    Tag("c.minus", "DINT", 60, 0, 0, "memory"),
)
MAP = """
c.bits: coil 0
c.words: {register: holding 0, as: int16}
c.plus: {register: input 0, as: int16}
c.minus: {register: input 60, as: int16}
"""


@dataclass
class Asked:
    """A server with that map."""

    scan: TestScan
    server: ServerProcess
    port: int

    def says(self, *words: int, data: bytes = b"", form: str = "") -> bytes:
        """The PDU that answers the request of these words: a function, and numbers of two bytes."""
        pdu = bytes((words[0],)) + struct.pack(form or f">{len(words) - 1}H", *words[1:]) + data
        return ask(self.port, request(7, 1, pdu))[7:]


@pytest.fixture(scope="module")
def tester(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("conformance")
    (folder / "scada.yaml").write_text(MAP)
    scan = TestScan(folder, TAGS)
    with serving(scan.order("modbus", map="scada.yaml", clients="64", clients_per_address="64")) as (server, port):
        yield Asked(scan, server, port)
    scan.stop()


READS, WRITE_MANY, READ_WRITE = ">HH", ">HHB", ">HHHHB"


def many(function: int, count: int, size: int | None) -> bytes:
    """Functions 15 and 16 with so many zeros from 0 on; `size` is a byte count that lies."""
    length = (count + 7) // 8 if function == 15 else 2 * count
    data = bytes(min(length, 246))  # more does not fit a frame: such a request lies about its length
    return struct.pack(">BHHB", function, 0, count, (length if size is None else size) & 0xFF) + data


@pytest.mark.parametrize(
    ("function", "count", "code"),
    [
        *((function, count, code) for function in (1,) for count, code in ((0, 3), (1, 0), (2000, 0), (2001, 3), (65535, 3))),
        *((function, count, code) for function in (3, 4) for count, code in ((0, 3), (1, 0), (125, 0), (126, 3), (65535, 3))),
        (2, 1, 2),  # no discrete inputs are mapped
        (2, 2001, 3),  # the count is looked at before the address
    ],
)
def test_how_much_may_be_read(tester: Asked, function: int, count: int, code: int) -> None:
    if function == 4 and count == 125:
        count = 120  # all that is mapped there
    answer = tester.says(function, 0, count)
    if code:
        assert answer == bytes((function | 0x80, code))
    else:
        size = (count + 7) // 8 if function == 1 else 2 * count
        assert answer[:2] == bytes((function, size)) and len(answer) == 2 + size


@pytest.mark.parametrize(
    ("function", "count", "size", "code"),
    [
        (15, 0, None, 3),
        (15, 1, None, 0),
        (15, 1968, None, 0),
        (15, 1969, None, 3),
        (15, 9, 1, 3),
        (16, 0, None, 3),
        (16, 1, None, 0),
        (16, 123, None, 0),
        (16, 124, None, 3),
        (16, 2, 3, 3),
        (16, 2, 255, 3),
    ],
)
def test_how_much_may_be_written(tester: Asked, function: int, count: int, size: int | None, code: int) -> None:
    pdu = many(function, count, size)
    answer = ask(tester.port, request(7, 1, pdu))[7:]
    assert answer == (bytes((function | 0x80, code)) if code else pdu[:5])


@pytest.mark.parametrize(
    ("read", "write", "size", "code"),
    [(1, 1, 2, 0), (125, 121, 242, 0), (0, 1, 2, 3), (126, 1, 2, 3), (1, 0, 0, 3), (1, 122, 244, 3), (1, 2, 2, 3), (1, 1, 4, 3)],
)
def test_how_much_function_23_reads_and_writes(tester: Asked, read: int, write: int, size: int, code: int) -> None:
    answer = tester.says(23, 0, read, 0, write, size, form=READ_WRITE, data=bytes(min(2 * write, 242)))
    assert answer == (bytes((0x97, code)) if code else bytes((23, 2 * read)) + bytes(2 * read))


@pytest.mark.parametrize("value", [0x0001, 0x00FF, 0xFF01, 0xFFFF, 0x0100])
def test_a_coil_is_ff00_or_0000_and_nothing_else_even_where_there_is_no_coil(tester: Asked, value: int) -> None:
    assert tester.says(5, 0, value) == tester.says(5, 60000, value) == b"\x85\x03"


@pytest.mark.parametrize(("address", "count"), [(299, 2), (300, 1), (65535, 2), (65535, 125)])
def test_what_reaches_beyond_the_table_is_exception_2(tester: Asked, address: int, count: int) -> None:
    assert tester.says(3, address, count) == b"\x83\x02"
    assert tester.says(16, address, 2, 4, form=WRITE_MANY, data=bytes(4)) == b"\x90\x02"


def test_a_block_of_coils_is_taken_as_a_whole_though_it_is_longer_than_the_ring_to_the_scan(tester: Asked) -> None:
    bits = [random.Random(5).random() < 0.5 for _ in range(1968)]
    with ModbusTcpClient("127.0.0.1", port=tester.port, timeout=5, retries=0) as client:
        assert not client.write_coils(0, bits, device_id=1).isError()
        assert client.read_coils(0, count=1968, device_id=1).bits[:1968] == bits
    assert [bool(bit) for bit in tester.scan.get("c.bits")[:1968]] == bits


def test_where_one_value_of_a_block_is_out_of_range_none_is_written(tester: Asked) -> None:
    before = tester.scan.get("c.words")
    words = [77] * 50 + [LIMIT + 1] + [77] * 20
    assert tester.says(16, 10, len(words), 2 * len(words), form=WRITE_MANY, data=struct.pack(">71h", *words)) == b"\x90\x03"
    assert tester.says(23, 400, 1, 10, 1, 2, form=READ_WRITE, data=b"\x00\x4d") == b"\x97\x02", "nor where it cannot be read then"
    assert tester.scan.get("c.words") == before


def test_a_device_identification_that_is_too_long_for_one_answer_comes_in_parts(tester: Asked) -> None:
    found: dict[int, bytes] = {}
    following, more = 0, 0xFF
    while more:
        answer = tester.says(43, form="", data=bytes((14, 3, following)))
        assert answer[:4] == b"\x2b\x0e\x03\x82"
        more, following, count, at = answer[4], answer[5], answer[6], 7
        for _ in range(count):
            number, size = answer[at : at + 2]
            found[number] = answer[at + 2 : at + 2 + size]
            at += 2 + size
        assert at == len(answer) <= 253
    assert list(found) == list(range(7))


def test_a_hundred_pipelined_requests_come_back_in_order_byte_by_byte(tester: Asked) -> None:
    data = b"".join(request(n, n % 2, b"\x03\x00\x00\x00\x02") for n in range(100))
    with socket.create_connection(("127.0.0.1", tester.port), timeout=5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(data)):
            sock.send(data[place : place + 1])
        answers = receive(sock, 100 * 13)
    assert [struct.unpack(">HHHB", answers[13 * n : 13 * n + 7]) for n in range(100)] == [(n, 0, 7, n % 2) for n in range(100)]


def test_all_values_of_one_answer_are_of_one_scan(tester: Asked) -> None:
    """A program that keeps plus == -minus, with new numbers each scan."""
    scan, seen = tester.scan, set[int]()

    def look() -> bool:
        number = (len(seen) * 37 + 1) % 30000
        with scan._lock:
            scan.column("c.plus")[:] = number
            scan.column("c.minus")[:] = -number
        words = struct.unpack(">120h", tester.says(4, 0, 120)[2:])
        assert set(words[:60]) == {words[0]} and set(words[60:]) == {-words[0]}
        seen.add(words[0])
        return len(seen) > 30

    eventually(look, timeout=20)


# asked at random, beside a model of two lists

Step = tuple[str, int, list[int]]
steps = st.lists(
    st.tuples(
        st.sampled_from(["register", "registers", "coil", "coils", "mask", "both"]),
        st.one_of(st.integers(0, 20), st.integers(REGISTERS - 3, REGISTERS + 2)),
        st.lists(st.one_of(st.integers(-LIMIT, LIMIT), st.sampled_from([-LIMIT - 1, LIMIT + 1, 32767])), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=6,
)


def words_of(values: list[int]) -> list[int]:
    return [value & 0xFFFF for value in values]


def expected_code(address: int, values: list[int], size: int) -> int:
    """An address before a value, as the specification orders them."""
    if address + len(values) > size:
        return 2
    return 3 if any(not -LIMIT <= value <= LIMIT for value in values) else 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_pymodbus_finds_what_the_map_says_whatever_it_writes(tester: Asked, steps: list[Step]) -> None:
    words, bits = list(tester.scan.get("c.words")), [bool(bit) for bit in tester.scan.get("c.bits")]
    with ModbusTcpClient("127.0.0.1", port=tester.port, timeout=5, retries=0) as client:
        for what, address, values in steps:
            if what in ("coil", "coils"):
                flags = [value > 0 for value in values][: 1 if what == "coil" else None]
                address += COILS - REGISTERS if address > 20 else 0
                code = 2 if address + len(flags) > COILS else 0
                answer = client.write_coil(address, flags[0]) if what == "coil" else client.write_coils(address, flags)
                if not code:
                    bits[address : address + len(flags)] = flags
            else:
                values = values if what in ("registers", "both") else values[:1]
                if what == "mask" and address < REGISTERS:
                    masks = 0xFF0F, values[0] & 0xFFFF
                    put = words[address] & masks[0] | masks[1] & ~masks[0] & 0xFFFF
                    values = [(put & 0xFFFF) - (put & 0x8000) * 2]
                    answer = client.mask_write_register(address=address, and_mask=masks[0], or_mask=masks[1])
                elif what == "mask":
                    answer = client.mask_write_register(address=address, and_mask=0, or_mask=0)
                elif what == "register":
                    answer = client.write_register(address, words_of(values)[0])
                elif what == "registers":
                    answer = client.write_registers(address, words_of(values))
                else:
                    answer = client.readwrite_registers(
                        read_address=0, read_count=9, write_address=address, values=words_of(values)
                    )
                code = expected_code(address, values, REGISTERS)
                if not code:
                    words[address : address + len(values)] = values
                    assert what != "both" or answer.registers == words_of(words[:9])
            assert getattr(answer, "exception_code", 0) == code, (what, address, values)
        assert client.read_holding_registers(0, count=30).registers == words_of(words[:30])
        assert client.read_holding_registers(REGISTERS - 10, count=10).registers == words_of(words[-10:])
        assert client.read_coils(0, count=32).bits[:32] == bits[:32]
    assert tester.scan.get("c.words") == words and [bool(bit) for bit in tester.scan.get("c.bits")] == bits
