"""The Modbus server on a serial line: pymodbus and mbpoll are its clients, over a pair of pseudo terminals."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import ModbusSerialClient
from pymodbus.framer.rtu import FramerRTU

from runtime.servers.modbus.rtu_frame import are_frames, crc, frame, request_at_end
from tests.aids.servers_modbus import MAP, ONE_COIL, ask, published, request, serving_many_ways
from tests.aids.servers_modbus_serial import SerialWire
from tests.aids.servers_process import ServerProcess, eventually
from tests.aids.servers_scan import TestScan

UNIT = 5
QUIET = 0.25  # s: five times what the server waits for the rest of a request
MBPOLL = shutil.which("mbpoll")


@dataclass
class Line:
    scan: TestScan
    wire: SerialWire
    server: ServerProcess
    port: int


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("rtu")
    (folder / "scada.yaml").write_text(MAP)
    scan, wire = TestScan(folder), SerialWire()
    serial = {"port": wire.far, "baud": "19200", "parity": "even", "unit": str(UNIT), "role": "operator"}
    with serving_many_ways(scan.order("modbus", map="scada.yaml", serial=serial, role="viewer")) as (server, port):
        yield Line(scan, wire, server, port)
    wire.close()
    scan.stop()


@pytest.fixture
def client(line: Line) -> Iterator[ModbusSerialClient]:
    line.scan.taken.clear()
    client = ModbusSerialClient(line.wire.near, baudrate=19200, timeout=2, retries=0)
    client.connect()
    yield client
    client.close()
    line.scan.silent, line.scan.frozen = False, False
    eventually(lambda: ask(line.port, request(1, 1, ONE_COIL))[7] == 1)


# frames, against pymodbus


@given(st.binary(min_size=1, max_size=256))
def test_the_crc_is_that_of_pymodbus(data: bytes) -> None:
    assert crc(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")


def test_the_crc_is_that_of_the_specification() -> None:
    """Serial line guide V1.02, 6.2.2: the frame 02 07 ends with 41 12."""
    assert frame(2, b"\x07") == b"\x02\x07\x41\x12"


some_requests = st.sampled_from([ONE_COIL, b"\x10\x00\x00\x00\x01\x02\x00\x01", b"\x16\x00\x00\x00\xff\x00\x0f"])


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=4), some_requests)
def test_a_request_is_found_behind_what_others_said(others: list[bytes], pdu: bytes) -> None:
    said = b"".join(frame(UNIT + 1, other) for other in others)
    assert request_at_end(said + frame(UNIT, pdu), UNIT) == (UNIT, pdu)
    assert are_frames(said) is bool(others) and not are_frames(said + b"\x01")


@given(st.binary(max_size=2), some_requests)
def test_a_request_is_found_behind_the_glitch_of_a_driver_that_is_switched_on(glitch: bytes, pdu: bytes) -> None:
    assert request_at_end(glitch + frame(UNIT, pdu), UNIT) == (UNIT, pdu)


@pytest.mark.parametrize("unit", [0, UNIT])
def test_the_end_of_anothers_answer_is_no_write_though_its_crc_fits(unit: int) -> None:
    """Unit 6 answers 48 registers; the last bytes look like a write to us, as one answer in 65,536 of that shape does."""
    for number in range(1 << 16):
        body = b"\x06\x04\x60" + bytes(84) + number.to_bytes(2, "big") + bytes((unit, 6)) + b"\x00\x00\x13\x88"
        found = body + crc(body)
        if crc(found[-8:-2]) == found[-2:]:
            break
    else:
        pytest.fail("no such answer")
    assert request_at_end(found, UNIT) is None and are_frames(found)


@given(st.binary(max_size=80))
def test_noise_is_no_request(noise: bytes) -> None:
    assert request_at_end(frame(UNIT + 1, noise)[:-1], UNIT) is None or crc(noise[:-2]) == noise[-2:]


# over the line


def test_every_table_reads_and_writes(line: Line, client: ModbusSerialClient) -> None:
    published(line.scan, "bms.soc", 42.5)
    answer = client.read_input_registers(0, count=2, device_id=UNIT)
    assert client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32) == 42.5
    assert not client.write_register(0, 1234, device_id=UNIT).isError()
    assert client.read_holding_registers(0, count=1, device_id=UNIT).registers == [1234]
    assert not client.write_coils(0, [True], device_id=UNIT).isError()
    assert client.read_coils(0, count=1, device_id=UNIT).bits[0] is True
    assert client.read_discrete_inputs(0, count=2, device_id=UNIT).isError() is False
    assert not client.write_registers(10, [0] * 12, device_id=UNIT).isError()
    assert not client.mask_write_register(address=0, and_mask=0xF2, or_mask=0x25, device_id=UNIT).isError()
    assert client.readwrite_registers(read_address=0, read_count=1, write_address=0, values=[77], device_id=UNIT).registers == [77]
    assert client.read_device_information(read_code=1, object_id=0, device_id=UNIT).information[0] == b"bessplc"
    assert line.scan.taken[0] == ("hmi.p_set", 0, 123.4, "operator")


def test_refusals_are_the_exceptions_of_the_specification(line: Line, client: ModbusSerialClient) -> None:
    assert client.write_register(0, 5001, device_id=UNIT).exception_code == 3
    assert client.read_input_registers(4, count=1, device_id=UNIT).exception_code == 2
    assert client.report_device_id(device_id=UNIT).exception_code == 1
    line.scan.frozen = True
    eventually(lambda: getattr(client.read_coils(0, count=1, device_id=UNIT), "exception_code", 0) == 4)
    assert line.scan.taken == []


def test_the_line_has_its_own_role_and_the_network_another(line: Line, client: ModbusSerialClient) -> None:
    assert ask(line.port, request(1, 1, b"\x06\x00\x00\x00\x01"))[7:] == b"\x86\x02"
    assert not client.write_register(0, 1, device_id=UNIT).isError()


def test_a_foreign_unit_is_never_answered(line: Line) -> None:
    line.scan.taken.clear()
    for pdu in (ONE_COIL, b"\x06\x00\x00\x00\x01", b"\x99"):
        line.wire.speak(frame(UNIT + 1, pdu))
    assert line.wire.answers_within(QUIET) == b""
    assert line.scan.taken == []


def test_a_request_behind_a_foreign_unit_and_its_answer_is_answered(line: Line) -> None:
    line.wire.speak(frame(6, b"\x03\x00\x00\x00\x02") + frame(6, b"\x03\x04\x05\x03\x00\x00") + frame(UNIT, ONE_COIL))
    assert line.wire.answers_within(QUIET)[:2] == bytes((UNIT, 1))


def test_a_broadcast_is_written_and_not_answered(line: Line) -> None:
    line.scan.taken.clear()
    line.wire.speak(frame(0, b"\x06\x00\x00\x00\x37"))
    assert line.wire.answers_within(QUIET) == b""
    assert line.scan.taken == [("hmi.p_set", 0, 5.5, "operator")]
    line.wire.speak(frame(0, ONE_COIL))
    assert line.wire.answers_within(QUIET) == b""


def test_a_request_in_pieces_is_one_request(line: Line) -> None:
    data = frame(UNIT, ONE_COIL)
    line.wire.speak(*(data[n : n + 1] for n in range(len(data))), pause=0.004)
    assert line.wire.answers_within(QUIET)[:2] == bytes((UNIT, 1))


def test_noise_and_a_wrong_crc_are_not_answered_and_the_next_request_is(line: Line) -> None:
    broken = bytearray(frame(UNIT, ONE_COIL))
    broken[-1] ^= 1
    line.wire.speak(bytes(broken), b"\xff\x00\x55" * 40, pause=0.01)
    assert line.wire.answers_within(QUIET) == b""
    line.wire.speak(frame(UNIT, ONE_COIL))
    assert line.wire.answers_within(QUIET)[:2] == bytes((UNIT, 1))


def test_an_unknown_function_for_us_is_exception_1(line: Line) -> None:
    for function in (7, 8, 11, 17, 100):
        line.wire.speak(frame(UNIT, bytes((function, 0, 0))))
        assert line.wire.answers_within(QUIET) == frame(UNIT, bytes((function | 0x80, 1)))


def test_a_late_answer_does_not_come_while_the_client_asks_again(line: Line, client: ModbusSerialClient) -> None:
    """A scan that takes no command: the client gives up after 0.3 s and asks another thing, and hears only that."""
    line.scan.silent = True
    line.wire.speak(frame(UNIT, b"\x06\x00\x00\x00\x01"))
    time.sleep(0.3)
    line.wire.speak(frame(UNIT + 1, ONE_COIL))
    assert line.wire.answers_within(1.2) == b""


def test_all_values_of_one_answer_are_of_one_scan(line: Line, client: ModbusSerialClient) -> None:
    for number in range(5):
        line.scan.set("bms.cell_v", [number / 10] * 8)
        answer = client.read_input_registers(10, count=8, device_id=UNIT)
        assert len(set(answer.registers)) == 1


def test_a_port_that_is_not_there_does_not_keep_the_network_out(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    path = tmp_path / "tty"
    with serving_many_ways(scan.order("modbus", serial={"port": str(path), "unit": "1"})) as (server, port):
        assert len(ask(port, request(1, 1, ONE_COIL))) == 10
        assert any("serial line" in one["event"] and one["level"] == "warning" for one in server.lines())
        wire = SerialWire()
        path.symlink_to(wire.far)
        eventually(lambda: any(one["event"] == "the serial line is back" for one in server.lines()), timeout=10)
        wire.speak(frame(1, ONE_COIL))
        assert wire.answers_within(QUIET)[:2] == b"\x01\x01"
    wire.close()
    scan.stop()


@pytest.mark.skipif(MBPOLL is None, reason="mbpoll is not installed")
def test_mbpoll_over_the_line(line: Line) -> None:
    assert MBPOLL is not None
    line.wire.hush()  # it takes whatever stands there for its answer
    published(line.scan, "bms.soc", 12.5)
    common = [MBPOLL, "-m", "rtu", "-b", "19200", "-P", "none", "-a", str(UNIT), "-0", "-1", "-o", "2"]
    read = subprocess.run([*common, "-t", "3:float", "-B", "-r", "0", line.wire.near], capture_output=True, text=True, timeout=20)
    assert "12.5" in read.stdout, read.stdout + read.stderr
    line.scan.taken.clear()
    words = ["-t", "4", "-r", "0", line.wire.near, "250"]
    wrote = subprocess.run([*common, *words], capture_output=True, text=True, timeout=20)
    assert "Written 1 references" in wrote.stdout, wrote.stdout + wrote.stderr
    assert line.scan.taken == [("hmi.p_set", 0, 25.0, "operator")]
