"""Modbus links for tests: to the misbehaving devices of `tests.aids.modbus_faults`, over every transport, and a CA for TLS."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import itertools
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime.fieldbus.modbus_errors import LostError, RefusedError
from runtime.fieldbus.modbus_link import Link
from runtime.fieldbus.modbus_settings import LineSettings, ModbusSettings
from runtime.fieldbus.process import _loop_factory
from tests.aids.fieldbus_child import DeviceProcess

MS = 1_000_000
TRANSPORTS = ("tcp", "tls", "rtu_over_tcp", "rtu")
_number = itertools.count()


class Far:
    """A server of the process, and the line settings that reach it."""

    def __init__(self, process: DeviceProcess, folder: Path, kind: str = "tcp", **listen: Any):
        self.process, self.kind = process, kind
        words: dict[str, Any] = {"transport": kind, "host": "127.0.0.1", "request_timeout": 300 * MS}
        if kind == "rtu":
            link = folder / f"tty{next(_number)}"
            listen["link"], words = str(link), {**words, "host": "", "serial": str(link), "parity": "none", "baud": 115200}
        if kind == "tls":
            chain = certify(folder, "device")
            listen = {"certificate": chain["certificate"], "key": chain["key"], **listen}
            words |= {"ca": chain["ca"], "server_name": "localhost"}
        found = process.ask("listen", kind=kind, **listen)
        self.number = found["server"]
        self.words = words if kind == "rtu" else {**words, "port": found["port"]}

    def ask(self, do: str, **details: Any) -> Any:
        return self.process.ask(do, server=self.number, **details)

    def settings(self, unit: int = 1, **words: Any) -> ModbusSettings:
        return ModbusSettings(LineSettings(**{**self.words, **words}), unit, 100 * MS, 8, 120)

    @contextmanager
    def link(self, unit: int = 1, count: Any = None, **words: Any) -> Iterator[Link]:
        link = Link(self.settings(unit, **words), count)
        try:
            yield link
        finally:
            link.close()


def run(talk: Coroutine[Any, Any, Any], seconds: float = 40.0) -> Any:
    """Run the test on the event loop that the fieldbus process uses."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(asyncio.wait_for(talk, seconds))


async def reads(link: Link, address: int = 0, count: int = 3, table: str = "holding") -> list[int] | str:
    """Connect where it is not, and read: the values, or the kind of what went wrong."""
    try:
        if not link.is_up:
            await link.connect()
        return (await link.read_table(table, address, count)).tolist()
    except (LostError, RefusedError) as error:
        return error.kind


async def until(holds: Any, what: str, seconds: float = 5.0) -> None:
    """Wait until the condition holds; it may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        found = holds()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)


def certify(folder: Path, name: str, issuer: str = "ca") -> dict[str, str]:
    """Files of a CA (made at its first use) and of a certificate of it for `localhost` and 127.0.0.1."""
    authority = folder / f"{issuer}.pem"
    if not authority.exists():
        _sign(folder, issuer, None)
    if not (folder / f"{name}.pem").exists():
        _sign(folder, name, issuer)
    return {"ca": str(authority), "certificate": str(folder / f"{name}.pem"), "key": str(folder / f"{name}.key")}


def _sign(folder: Path, name: str, issuer: str | None) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signing: Any = key
    if issuer is not None:
        signing = serialization.load_pem_private_key((folder / f"{issuer}.key").read_bytes(), None)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer or name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
    )
    certificate = builder.sign(signing, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
