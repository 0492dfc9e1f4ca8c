"""Modbus clients at the demo: mbpoll for every table, pymodbus over TCP, over TLS with a certificate, and over a serial line.

libmodbus is in tests/runtime/servers/modbus/test_other_clients.py. What they said is in build/transcripts/modbus.txt.
"""

from __future__ import annotations

import shutil
import ssl
import struct
from collections.abc import Callable
from typing import Any

import pytest
from pymodbus.client import ModbusSerialClient, ModbusTcpClient, ModbusTlsClient
from pymodbus.exceptions import ModbusException

from tests.aids.servers_modbus_tls import Badge
from tests.aids.servers_proof import UNIT, Proof, Transcript, run

P_SET, ENABLE, SCAN, SOC, CELL_V = 0, 0, 41, 0, 8  # addresses of io_maps/scada.yaml
needs_mbpoll = pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed")
Poll = Callable[..., str]


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    return Transcript("modbus", "mbpoll, and pymodbus over TCP, TLS and a serial line")


@pytest.fixture(scope="module")
def poll(proof: Proof, transcript: Transcript) -> Poll:
    """mbpoll over TCP, addresses from 0, once; what it said."""

    def call(*words: str) -> str:
        done = run(transcript, "mbpoll", "-m", "tcp", "-p", str(proof.modbus), "-a", "1", "-0", "-1", "-o", "5", *words)
        return done.stdout + done.stderr

    return call


@needs_mbpoll
@pytest.mark.parametrize(
    ("words", "low", "high"),
    [
        (["-t", "3:float", "-B", "-r", f"{SOC}"], 0.0, 100.0),
        (["-t", "3", "-r", f"{CELL_V}"], 2_000, 4_000),
        (["-t", "3:int", "-B", "-r", f"{SCAN + 2}"], 1, 2**31),
        (["-t", "1", "-r", "5"], 1, 1),
        (["-t", "0", "-r", "4"], 0, 1),
        (["-t", "4", "-r", f"{P_SET}"], -5_000, 5_000),
    ],
)
def test_mbpoll_reads_every_table(poll: Poll, words: list[str], low: float, high: float) -> None:
    said = poll(*words, "127.0.0.1")
    values = [float(line.split()[1]) for line in said.splitlines() if line.startswith("[")]
    assert values and low <= values[0] <= high, said


@needs_mbpoll
def test_mbpoll_writes_and_is_refused(poll: Poll) -> None:
    assert "Written 1 reference" in poll("-t", "4", "-r", f"{P_SET}", "127.0.0.1", "250")
    assert "250" in poll("-t", "4", "-r", f"{P_SET}", "127.0.0.1")
    assert "Illegal data value" in poll("-t", "4", "-r", f"{P_SET}", "127.0.0.1", "5001")
    assert "Illegal data address" in poll("-t", "4", "-r", "77", "127.0.0.1")
    assert "Written 1 reference" in poll("-t", "0", "-r", f"{ENABLE}", "127.0.0.1", "0")


def test_pymodbus_over_tcp(proof: Proof, transcript: Transcript) -> None:
    with ModbusTcpClient("127.0.0.1", port=proof.modbus, timeout=5) as client:
        uses(client, 1, transcript, "pymodbus over TCP")
        who = client.read_device_information()
        assert who.information[0] == b"bessplc", who
        assert client.mask_write_register(address=P_SET, and_mask=0xFFF0, or_mask=0x0003).isError() is False
        back = client.readwrite_registers(read_address=P_SET, read_count=1, write_address=P_SET, values=[44])
        assert back.registers == [44]


def test_pymodbus_over_a_serial_line(proof: Proof, transcript: Transcript) -> None:
    with ModbusSerialClient(proof.wire.near, baudrate=19200, timeout=3) as client:
        uses(client, UNIT, transcript, "pymodbus over RTU")
    with ModbusSerialClient(proof.wire.near, baudrate=19200, timeout=0.3, retries=0) as client, pytest.raises(ModbusException):
        client.read_input_registers(SOC, count=2, device_id=UNIT + 1)  # a neighbour's id: silence


@pytest.mark.parametrize(("badge", "may_write"), [("scada", True), ("screen", False)])
def test_pymodbus_over_tls_may_do_what_its_certificate_says(
    proof: Proof, transcript: Transcript, badge: str, may_write: bool
) -> None:
    with over_tls(proof, proof.badges[badge]) as client:
        assert not client.read_input_registers(SOC, count=2).isError()
        answer = client.write_coil(ENABLE, False)
        transcript.note(f"\npymodbus over TLS as {badge}: write_coil: {answer}")
        assert answer.isError() == (not may_write)
        if may_write:
            uses(client, 1, transcript, f"pymodbus over TLS as {badge}")


@pytest.mark.parametrize("badge", ["stranger", ""])
def test_over_tls_nobody_comes_without_a_certificate_that_the_site_trusts(proof: Proof, badge: str) -> None:
    with pytest.raises((ModbusException, AssertionError, OSError)), over_tls(proof, proof.badges.get(badge)) as client:
        assert not client.read_input_registers(SOC, count=2).isError()


def over_tls(proof: Proof, badge: Badge | None) -> ModbusTlsClient:
    """A client that believes this site's certificate only."""
    context = ssl.create_default_context(cafile=str(proof.certificate))
    context.check_hostname = False  # pymodbus hands TLS no name to check
    if badge is not None:
        context.load_cert_chain(badge.pem, badge.key)
    return ModbusTlsClient("127.0.0.1", port=proof.tls, sslctx=context, timeout=3, retries=0)


def uses(client: Any, unit: int, transcript: Transcript, how: str) -> None:
    """Each function code of reading and writing, and the refusals that the standard has for them."""
    said = {
        "FC 1": client.read_coils(0, count=5, device_id=unit),
        "FC 2": client.read_discrete_inputs(0, count=6, device_id=unit),
        "FC 3": client.read_holding_registers(P_SET, count=1, device_id=unit),
        "FC 4": client.read_input_registers(SOC, count=12, device_id=unit),
        "FC 5": client.write_coil(ENABLE, False, device_id=unit),
        "FC 6": client.write_register(P_SET, 123, device_id=unit),
        "FC 15": client.write_coils(ENABLE, [False], device_id=unit),
        "FC 16": client.write_registers(P_SET, [321], device_id=unit),
        "read back": client.read_holding_registers(P_SET, count=1, device_id=unit),
        "out of range": client.write_register(P_SET, 5001, device_id=unit),
        "unmapped": client.read_input_registers(900, count=1, device_id=unit),
    }
    transcript.note(f"\n{how}", *(f"{what}: {answer}" for what, answer in said.items()))
    wrong = {what: answer.exception_code for what, answer in said.items() if answer.isError()}
    assert wrong == {"out of range": 3, "unmapped": 2}
    assert said["read back"].registers == [321]
    soc = struct.unpack(">f", struct.pack(">HH", *said["FC 4"].registers[:2]))[0]
    assert 0 <= soc <= 100
