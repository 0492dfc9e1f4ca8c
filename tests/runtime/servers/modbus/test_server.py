"""What the Modbus server shows and takes, value by value: pymodbus is the client, the server is its own process."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from runtime.engine import north
from runtime.quality import BAD_NOT_CONNECTED, UNCERTAIN_LAST_USABLE
from tests.aids.servers_modbus import ONE_COIL, ask, published, request
from tests.aids.servers_process import eventually
from tests.aids.servers_scan import TestScan

FLOAT32, FLOAT64 = ModbusTcpClient.DATATYPE.FLOAT32, ModbusTcpClient.DATATYPE.FLOAT64
INT16, INT32, INT64 = ModbusTcpClient.DATATYPE.INT16, ModbusTcpClient.DATATYPE.INT32, ModbusTcpClient.DATATYPE.INT64
UINT32 = ModbusTcpClient.DATATYPE.UINT32


def registers(client: ModbusTcpClient, address: int, count: int) -> list[int]:
    answer = client.read_input_registers(address, count=count, device_id=1)
    assert not answer.isError(), answer
    return answer.registers


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
