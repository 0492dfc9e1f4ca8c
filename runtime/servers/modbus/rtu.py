"""The Modbus server on a serial line: one unit among others, which speaks only when it is asked. It knows no tags.

A request is over when the line has been silent for three and a half characters; then it is answered. What others say to each
other is heard and forgotten. A request to everybody (unit 0) is carried out where it is a write, and never answered.
"""

from __future__ import annotations

import asyncio
import os
import termios

import serial
import structlog

from runtime.servers.audit import Who
from runtime.servers.modbus.answers import Answers, Writing
from runtime.servers.modbus.rtu_frame import BROADCAST, LONGEST, are_frames, frame, request_at_end
from runtime.servers.modbus.settings import SerialSettings

log = structlog.get_logger()
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
BITS = 11  # of one character: start, eight, parity or a second stop, stop
LEAST_SILENCE = 0.00175  # s: the specification's, above 19200 baud
GAP = 0.05  # s: drivers and USB adapters hand a request over in pieces; what is still no request after this never will be
MOST_HEARD = 2 * LONGEST


class SerialLine:
    """One serial port; `open` is called again and again, so that an adapter that comes back is used again."""

    def __init__(self, settings: SerialSettings, answers: Answers, role: str):
        self.name = f"modbus-rtu:{settings.port}?unit={settings.unit}"
        self._settings, self._answers = settings, answers
        self._who = Who("", role, settings.port)
        self._silence = max(LEAST_SILENCE, 3.5 * BITS / settings.baud)
        self._port: serial.Serial | None = None
        self._heard = b""
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._is_late = False  # somebody spoke while a write was with the scan: its answer would come in between
        self._trouble = ""

    def open(self) -> None:
        """Open the port where it is not; a port that cannot be opened is told once."""
        if self._port is not None:
            return
        settings = self._settings
        try:
            self._port = serial.Serial(
                settings.port,
                settings.baud,
                # a pseudo terminal has no parity, and glibc refuses to be asked for it twice
                parity=PARITIES["none" if os.path.realpath(settings.port).startswith("/dev/pts/") else settings.parity],
                stopbits=settings.stopbits or (2 if settings.parity == "none" else 1),
                timeout=0,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            self._tell(str(error))
            return
        self._tell("")
        os.set_blocking(self._port.fileno(), False)
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._hear)

    def close(self) -> None:
        """Leave the line."""
        if self._timer is not None:
            self._timer.cancel()
        if self._port is not None:
            asyncio.get_running_loop().remove_reader(self._port.fileno())
            self._port.close()
        self._port, self._heard = None, b""

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning("the serial line cannot be used, it is tried again every second", port=self._settings.port, reason=trouble)
        elif self._trouble and not trouble:
            log.info("the serial line is back", port=self._settings.port)
        self._trouble = trouble

    def _hear(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(str(error))
            return
        if not data:
            self._lose("the port is gone")
            return
        self._is_late = True
        self._heard = (self._heard + data)[-MOST_HEARD:]
        self._wait(self._silence, self._judge)

    def _lose(self, why: str) -> None:
        self.close()
        self._tell(why)

    def _wait(self, seconds: float, then: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)  # type: ignore[arg-type]

    def _judge(self) -> None:
        """The line is silent: answer the request that stands there now, or wait a little for the rest of it."""
        found = request_at_end(self._heard, self._settings.unit)
        if found is None and are_frames(self._heard):
            self._heard = b""  # others spoke to each other, and have finished
            return
        if found is None:
            self._wait(GAP, self._forget)
            return
        self._heard = b""
        unit, pdu = found
        if self._writing is not None:
            return  # the client gave the write before up and asks again: it must not be written twice
        answer = self._answers.answer_to(pdu, self._who)
        if isinstance(answer, bytes):
            self._say(unit, answer)
        else:
            self._is_late = False
            self._writing = asyncio.get_running_loop().create_task(self._write(unit, pdu, answer))

    def _forget(self) -> None:
        self._heard = b""

    async def _write(self, unit: int, pdu: bytes, writing: Writing) -> None:
        try:
            answer = await self._answers.write(pdu, writing)
        finally:
            self._writing = None
        if not self._is_late:
            self._say(unit, answer)

    def _say(self, unit: int, answer: bytes) -> None:
        if unit == BROADCAST or self._port is None:
            return
        data = frame(unit, answer)
        try:
            sent = os.write(self._port.fileno(), data)
        except OSError as error:
            self._lose(str(error))
            return
        if sent < len(data):
            log.warning("the serial port did not take a whole answer", port=self._settings.port)
