"""`bessplc discover`: units, identifications and SunSpec models of devices that we did not write, on a list of addresses."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from runtime.discover import AddressError, Line, discover, io_map_head, read_addresses, read_serial, read_units, rows
from runtime.fieldbus.modbus_settings import RTU, LineSettings
from tests.aids.fieldbus import describe
from tests.aids.fieldbus_child import ROOT, DeviceProcess, device_process

DER = "device_1547.json"


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[DeviceProcess, int]]:
    """A gateway with units 1, 3 and 9 behind it; it keeps silent for the others."""
    with device_process("modbus_faults") as process:
        yield process, process.ask("listen", kind="tcp", units=[1, 3, 9])["port"]


def ask(*lines: LineSettings, units: str = "1-4", timeout: float = 0.3) -> tuple[Line, ...]:
    return asyncio.run(discover(lines, read_units(units), timeout, lambda text: None))


def test_units_that_answer_are_found_with_their_identification(gateway: tuple[DeviceProcess, int]) -> None:
    (line,) = ask(LineSettings(host="127.0.0.1", port=gateway[1]))
    assert [unit.unit for unit in line.units] == [1, 3]
    assert all(unit.answer == "holding 0" for unit in line.units)
    assert all(unit.identity.get("vendor") for unit in line.units), "function 43/14 of pymodbus"
    assert all(unit.sunspec is None for unit in line.units)
    assert line.units[0].round_trip > 0


def test_an_exception_is_an_answer(gateway: tuple[DeviceProcess, int]) -> None:
    process, port = gateway
    process.ask("fault", name="exception", value=2, unit=3)
    try:
        (line,) = ask(LineSettings(host="127.0.0.1", port=port), units="3")
    finally:
        process.ask("clear")
    assert [(unit.unit, unit.answer, unit.identity) for unit in line.units] == [(3, "exception 02", {})]


@pytest.mark.parametrize("fault", ["wrong_unit", "wrong_function", "garbage", "short", "reset", "crc", "protocol"])
def test_a_device_that_answers_wrongly_is_not_found_and_hangs_nothing(gateway: tuple[DeviceProcess, int], fault: str) -> None:
    process, port = gateway
    process.ask("fault", name=fault, value=5, unit=9)
    begun = time.monotonic()
    try:
        (line,) = ask(LineSettings(host="127.0.0.1", port=port), units="9,1")
    finally:
        process.ask("clear")
    assert time.monotonic() - begun < 30
    assert 1 in [unit.unit for unit in line.units], "the one beside it is"
    assert fault == "crc" or 9 not in [unit.unit for unit in line.units]


@pytest.mark.parametrize(("away_s", "is_whole"), [(0.2, True), (60.0, False)])
def test_a_unit_that_answered_and_then_broke_off_is_found(away_s: float, is_whole: bool) -> None:
    """A device with one socket: function 43 makes it restart, and nobody listens meanwhile; then it has a SunSpec marker."""
    marker = {40000: 0x5375, 40001: 0x6E53, 40002: 0xFFFF}

    async def talk() -> tuple[Line, ...]:
        restarts = set[asyncio.Task[None]]()
        server: asyncio.Server | None = None

        async def restart(port: int) -> None:
            nonlocal server
            await asyncio.sleep(away_s)
            server = await asyncio.start_server(serve, "127.0.0.1", port)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert server is not None
            port = server.sockets[0].getsockname()[1]
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    head = await reader.readexactly(8)
                    rest = await reader.readexactly(int.from_bytes(head[4:6], "big") - 2)
                    if head[7] != 3:
                        server.close()
                        restarts.add(asyncio.create_task(restart(port)))
                        break
                    first, count = struct.unpack(">HH", rest)
                    data = b"".join(marker.get(a, 0).to_bytes(2, "big") for a in range(first, first + count))
                    writer.write(head[:4] + struct.pack(">HBBB", 3 + len(data), head[6], 3, len(data)) + data)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        line = LineSettings(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        found = await discover([line], [7], 1.0, lambda text: None)
        for task in restarts:
            task.cancel()
        server.close()
        return found

    (line,) = asyncio.run(talk())
    assert [(unit.unit, unit.answer, unit.identity) for unit in line.units] == [(7, "holding 0", {})]
    assert (line.units[0].sunspec is not None) == is_whole


def test_where_nobody_listens_the_reason_is_said_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (line,) = ask(LineSettings(host="127.0.0.1", port=free.getsockname()[1]), units="1-247")
    assert (line.units, line.asked) == ((), 1)
    assert "refused" in line.reason.lower()
    assert "refused" in rows([line])[0][2].lower()


def test_sunspec_devices_say_their_models_and_texts() -> None:
    with device_process("modbus_device", "0") as process:
        process.ask("sunspec", file=DER, base=40000)
        (line,) = ask(LineSettings(host="127.0.0.1", port=process.ready["port"]), units="1")
    (unit,) = line.units
    assert unit.sunspec is not None
    assert unit.sunspec.base == 40000
    assert unit.sunspec.is_whole
    assert {1, 701, 702, 704, 705, 713} <= {model.number for model in unit.sunspec.models}
    described, report = describe(io_map_head(unit, 1) + "\ninputs: {}\n")
    assert report.problems == [], "what is printed can be pasted"
    assert described.settings is not None


def test_a_serial_line_is_asked_like_any_other(tmp_path: Path) -> None:
    link = tmp_path / "tty"
    with device_process("modbus_faults") as process:
        process.ask("listen", kind="rtu", link=str(link), units=[2, 5])
        (line,) = ask(read_serial(f"{link},19200,none"), units="1-5")
    assert [unit.unit for unit in line.units] == [2, 5]
    assert "serial: " in io_map_head(line.units[0], 1)


def test_the_verb_prints_a_table_and_heads_of_io_maps(gateway: tuple[DeviceProcess, int]) -> None:
    place = f"127.0.0.1:{gateway[1]}"
    done = bessplc("discover", place, "--units", "1-3", "--timeout", "0.3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["address", "unit", "answer", "round-trip", "device", "sunspec"]
    assert sum(line.startswith(place) for line in done.stdout.splitlines()) == 2
    assert "unit: 3" in done.stdout and "driver: modbus" in done.stdout
    assert done.stderr == "", "on a pipe nothing but the answer"
    found = json.loads(bessplc("discover", place, "--units", "1-3", "--timeout", "0.3", "--json").stdout)
    assert [unit["unit"] for unit in found["lines"][0]["units"]] == [1, 3]


def bessplc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "runtime.cli", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)


# What may be written ------------------------------------------------------------------------------------------------------


def test_addresses_are_expanded_and_never_more_than_256() -> None:
    assert [
        (a.host, a.port) for a in read_addresses(["a.example:1502", "10.0.0.8-10", "10.1.0.0/30:503", "[::1]:504", "10.0.0.9"])
    ] == [
        ("a.example", 1502),
        *((f"10.0.0.{n}", 502) for n in (8, 9, 10)),
        ("10.1.0.1", 503),
        ("10.1.0.2", 503),
        ("::1", 504),
    ]
    assert len(read_addresses(["10.0.0.0-255"])) == 256


@pytest.mark.parametrize(
    "wrong", ["10.0.0.0/16", "10.0.0.9-3", "10.0.0.1-400", "a b", "host:0", "host:99999", "[::1", "10.0.0.0/40"]
)
def test_what_is_no_address_is_refused_with_how_it_is_written(wrong: str) -> None:
    with pytest.raises(AddressError):
        read_addresses([wrong])
    done = bessplc("discover", wrong)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_units_and_serial_lines_as_they_are_written() -> None:
    assert read_units("1-3,247,2") == (1, 2, 3, 247)
    assert read_serial("/dev/ttyUSB0") == LineSettings(transport=RTU, serial="/dev/ttyUSB0")
    assert read_serial("/dev/ttyS1,9600,none").stopbits == 2
    for wrong in ("", "3-1", "256", "-1", "x", "1-300"):
        with pytest.raises(AddressError):
            read_units(wrong)
    with pytest.raises(AddressError):
        read_serial("/dev/ttyUSB0,fast")
