"""From a change in a CAN frame on the wire to the Modbus write that it causes, in scans of 10 ms.

The real site runs in its own processes; this process is the rack's end of an SLCAN pty and the Modbus device at the other end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cantools
import numpy as np

from runtime.simulation.canlinks import SlcanLink
from tests.aids.site import ROOT, free_ports
from tests.bench.measure import Result, quantile

CHANGES = 300
SCAN_S = 0.010

SITE = """
site: reaction
tasks: {{fast: {{interval: 10 ms, programs: [echo]}}}}
io: [rack, sink]
channels: {{can0: {{interface: slcan, channel: {can0}, bitrate: 500 kbit/s}}}}
"""
PROGRAM = "program: echo\noutputs: {sink.value: rack.soc}\n"
RACK = """
device: rack
driver: can
channel: can0
dbc: dbc/rack.dbc
stale: 1 s
inputs:
  rack.soc: {signal: BMS_Status.SOC, initial: 0 %, bad: hold, text: State of charge}
"""
SINK = """
device: sink
driver: modbus
host: 127.0.0.1
port: {port}
poll: 1 s
stale: 5 s
timeout: 5 s
outputs:
  sink.value: {{register: holding 0, as: uint16, scale: 0.01, unit: "%", safe: 0 %, every: 60 s, text: Echo}}
"""


class Sink(asyncio.Protocol):
    """A Modbus TCP device that takes writes and stamps them; `written` maps a register value to when it arrived."""

    written: dict[int, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        while len(data) >= 8:
            length = struct.unpack(">H", data[4:6])[0]
            request, data = data[: 6 + length], data[6 + length :]
            function = request[7]
            if function == 6:
                self.written.setdefault(struct.unpack(">H", request[10:12])[0], now)
                answer = request[6:12]
            elif function == 16:
                self.written.setdefault(struct.unpack(">H", request[13:15])[0], now)
                answer = request[6:12]
            else:
                answer = bytes([request[6], function | 0x80, 1])
            self.transport.write(request[:4] + struct.pack(">H", len(answer)) + answer)  # type: ignore[attr-defined]


async def _change_often(can0: Path, port: int) -> list[float]:
    """Seconds from each change on the bus to its write."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", port)
    link = SlcanLink(can0)
    link.listen(loop, lambda frame: None)
    database = cantools.database.load_file(ROOT / "dbc/rack.dbc")
    message = database.get_message_by_name("BMS_Status")
    prepared = link.prepare(np.array([message.frame_id]))
    values = {signal.name: 0 for signal in message.signals}
    sent: dict[int, int] = {}
    until = time.monotonic() + 60
    while not link.adapter.is_open or not Sink.written:
        _send(link, message, prepared, values, 1)
        await asyncio.sleep(0.02)
        assert time.monotonic() < until, "the site did not answer"
    for number in range(2, CHANGES + 2):
        await asyncio.sleep(0.05 + random.random() * SCAN_S * 3)
        sent[number] = time.monotonic_ns()
        _send(link, message, prepared, values, number)
    await asyncio.sleep(0.5)
    server.close()
    link.close()
    missing = [n for n in sent if n not in Sink.written]
    assert not missing, f"{len(missing)} changes were never written"
    return [(Sink.written[n] - t) / 1e9 for n, t in sent.items()]


def _send(link: SlcanLink, message: cantools.database.Message, prepared: object, values: dict[str, int], number: int) -> None:
    data = message.encode({**values, "SOC": number / 100}, scaling=True, strict=False)
    link.send(prepared, np.frombuffer(bytes(data).ljust(8, b"\0"), np.uint8).reshape(1, 8))  # type: ignore[arg-type]
    link.flush()


def run() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bessplc-react-") as name:
        folder = Path(name)
        port = free_ports(1)[0]
        can0 = folder / "can0"
        files = {
            "config/site.yaml": SITE.format(can0=can0),
            "programs/echo.yaml": PROGRAM,
            "io_maps/rack.yaml": RACK,
            "io_maps/sink.yaml": SINK.format(port=port),
            "dbc/rack.dbc": (ROOT / "dbc/rack.dbc").read_text(),
        }
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
        command = [sys.executable, "-m", "runtime.cli", "run", "--site", str(folder / "config/site.yaml")]
        with (folder / "log").open("wb") as log:
            plc = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "BESSPLC_RUN": str(folder / "run")}
            )
        try:
            seconds = asyncio.run(_change_often(can0, port))
        finally:
            plc.send_signal(signal.SIGINT)
            plc.wait(60)
    scans = [s / SCAN_S for s in seconds]
    return [
        Result("CAN change to Modbus write, p50", quantile(scans, 0.5), "scans"),
        Result("CAN change to Modbus write, p99", quantile(scans, 0.99), "scans", 2.0),
    ]
