"""Opens the ways to a Modbus device: TCP, TLS, a serial port. Bytes go out and come in; what they mean is not known here.

Looking up a name, opening a port and reading certificates may hang: each line does them in a thread of its own, so that
neither the loop nor the threads of other devices wait.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import serial

from runtime.fieldbus.modbus_errors import LostError
from runtime.fieldbus.modbus_settings import RTU, TLS, LineSettings

CHUNK = 4096
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class Aside:
    """One blocking call at a time in a daemon thread: while one hangs, whoever asks again waits for the same one."""

    def __init__(self) -> None:
        self._running: asyncio.Future[Any] | None = None

    async def run(self, work: Callable[[], Any]) -> Any:
        """The result of the call, or its exception. One that came too late for who asked then is for who asks next."""
        running = self._running
        if running is None:
            loop = asyncio.get_running_loop()
            running = self._running = loop.create_future()
            running.add_done_callback(_retrieve)
            threading.Thread(target=_work, args=(loop, running, work), daemon=True, name="modbus aside").start()
        try:
            return await asyncio.shield(running)
        finally:
            if running.done() and self._running is running:
                self._running = None


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Nobody may be waiting any more when a call that hung fails at last."""
    if not future.cancelled():
        future.exception()


def _work(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], work: Callable[[], Any]) -> None:
    tell: Callable[[Any], None] = future.set_result
    try:
        found = work()
    except Exception as error:  # noqa: BLE001 - carried to whoever asked
        tell, found = future.set_exception, error
    with suppress(RuntimeError):  # the loop is closed: nobody asks any more
        loop.call_soon_threadsafe(tell, found)


class Wire(asyncio.Protocol):
    """One open connection. While somebody listens, what arrives is collected in `data` and the listener called."""

    def __init__(self, gone: Callable[[Wire, LostError], None], discards: bool):
        self.data = bytearray()
        self.is_open = True
        self.reason: LostError | None = None  # why it is not, where that was not our decision
        self.heard = 0.0  # when the last byte came (time.monotonic: uvloop's own clock counts milliseconds)
        self._gone, self._discards = gone, discards
        self._listener: Callable[[], None] | None = None
        self._mourner: Callable[[LostError], None] | None = None
        self._transport: Any = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        line = transport.get_extra_info("socket")
        if line is not None:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def is_own_echo(self) -> bool:
        """Whether we called ourselves: towards a port of this machine where nobody listens, the kernel may give us that very port.

        Our requests would come back, and some are their own answers: safe values would count as taken.
        """
        return bool(self._transport.get_extra_info("sockname") == self._transport.get_extra_info("peername"))

    def listen(self, listener: Callable[[], None] | None, mourner: Callable[[LostError], None] | None) -> None:
        """Who is told that bytes have arrived, and who that none will come; what came before is forgotten."""
        self.data.clear()
        self._listener, self._mourner = listener, mourner

    def send(self, data: bytes) -> None:
        """Send at once. Raises LostError."""
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self.heard = monotonic()
        if self._listener is not None:
            self.data += data
            self._listener()
        elif not self._discards:
            self.end(LostError("extra", f"{len(data)} bytes arrived that nobody had asked for"))

    def connection_lost(self, error: Exception | None) -> None:
        if isinstance(error, ssl.SSLError):
            self.end(LostError("tls", f"the TLS connection failed: {error}"))
        elif error is not None:
            self.end(LostError("reset", f"the device broke the connection off: {error}"))
        else:
            self.end(LostError("closed", "the device closed the connection"))

    def end(self, reason: LostError) -> None:
        """The connection is of no use any more, and not by our decision."""
        if self.is_open:
            self.reason = reason
            self.close()
            if self._mourner is not None:
                self._mourner(reason)
            self._gone(self, reason)

    def close(self) -> None:
        """Close it without a word to anybody."""
        if self.is_open:
            self.is_open = False
            self._shut()

    def _shut(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class SerialWire(Wire):
    """A serial port; its descriptor is watched by the loop."""

    def __init__(self, gone: Callable[[Wire, LostError], None], port: serial.Serial):
        super().__init__(gone, discards=True)
        self._port = port
        self._descriptor = port.fileno()
        os.set_blocking(self._descriptor, False)
        self._loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self.end(LostError("serial", f"the serial port failed: {error}"))
            return
        if data:
            self.data_received(data)
        else:
            self.end(LostError("serial", "the serial port is gone"))

    def send(self, data: bytes) -> None:
        lost = None
        try:
            if os.write(self._descriptor, data) < len(data):
                lost = LostError("serial", "the serial port does not take the whole request")
        except OSError as error:
            lost = LostError("serial", f"the serial port does not take the request: {error}")
        if lost is not None:
            self.end(lost)
            raise lost

    def _shut(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._port.close()


async def open_wire(settings: LineSettings, aside: Aside, gone: Callable[[Wire, LostError], None], limit: float) -> Wire:
    """Open the way to the device, or to its gateway; its addresses share the `limit` (s). Raises LostError."""
    if settings.transport == RTU:
        return await _open_serial(settings, aside, gone)
    addresses, context = await _prepare(settings, aside)
    name = settings.server_name if context is not None else None
    loop = asyncio.get_running_loop()
    failure = LostError("unresolved", f"`{settings.host}` has no address")
    for address in addresses:
        where = f"{address}:{settings.port}"
        try:
            async with asyncio.timeout(limit / len(addresses)):
                _, wire = await loop.create_connection(
                    lambda: Wire(gone, discards=False), address, settings.port, ssl=context, server_hostname=name
                )
        except TimeoutError:
            failure = LostError("unreachable", f"{where} does not take a connection in time")
        except (OSError, ssl.CertificateError) as error:
            failure = _explain(error, where)
        else:
            if not wire.is_own_echo():
                return wire
            wire.close()
            failure = LostError("refused", f"nobody listens on {where}: the connection came back to itself")
    raise failure


async def _open_serial(settings: LineSettings, aside: Aside, gone: Callable[[Wire, LostError], None]) -> Wire:
    def open_port() -> serial.Serial:
        return serial.Serial(
            settings.serial,
            settings.baud,
            parity=serial.PARITY_NONE if _is_pseudo(settings.serial) else PARITIES[settings.parity],
            stopbits=settings.stopbits,
            timeout=0,
            exclusive=True,
        )

    try:
        return SerialWire(gone, await aside.run(open_port))
    except (OSError, ValueError, termios.error) as error:
        raise LostError("serial", f"cannot open the serial port: {error}") from error


def _is_pseudo(path: str) -> bool:
    """A pseudo terminal has no parity, and glibc refuses to be asked for it twice."""
    return os.path.realpath(path).startswith("/dev/pts/")


async def _prepare(settings: LineSettings, aside: Aside) -> tuple[list[str], ssl.SSLContext | None]:
    """The host's addresses, and what TLS needs."""
    numeric = _is_address(settings.host)
    if numeric and settings.transport != TLS:
        return [settings.host], None

    def look_up() -> tuple[list[str], ssl.SSLContext | None]:
        context = _context(settings) if settings.transport == TLS else None
        if numeric:
            return [settings.host], context
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        return [str(entry[4][0]) for entry in found], context

    try:
        found: tuple[list[str], ssl.SSLContext | None] = await aside.run(look_up)
    except (socket.gaierror, UnicodeError) as error:
        raise LostError("unresolved", f"`{settings.host}` has no address: {error}") from error
    except OSError as error:  # certificates, keys: ssl.SSLError is one
        raise LostError("tls", f"certificate or key cannot be used: {error}") from error
    return found


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):  # it is no address of this family
            socket.inet_pton(family, host)
            return True
    return False


def _context(settings: LineSettings) -> ssl.SSLContext:
    """TLS 1.2 or later (MODBUS/TCP Security, 8.1); the device's certificate is checked unless the io_map says otherwise."""
    context = ssl.create_default_context(cafile=settings.ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.certificate:
        context.load_cert_chain(settings.certificate, settings.key)
    return context


def _explain(error: OSError, where: str) -> LostError:
    """The kind of a failed attempt to connect."""
    if isinstance(error, ssl.SSLError | ssl.CertificateError):
        return LostError("tls", f"TLS with {where} failed: {error}")
    if isinstance(error, ConnectionRefusedError):
        return LostError("refused", f"{where} refused the connection")
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return LostError("reset", f"{where} broke the connection off")
    why = os.strerror(error.errno) if error.errno is not None and error.errno in errno.errorcode else str(error)
    return LostError("unreachable", f"{where} cannot be reached: {why}")
