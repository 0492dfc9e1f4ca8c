"""Measures the way of an E-stop in scans: a GPIO edge, latched by a scan, to a CAN frame on vcan0 and to a Modbus write.

A site of its own, in which one interlock drives one output on each bus; the receivers are a raw CAN socket and a bare Modbus
device, which stamp what arrives with CLOCK_MONOTONIC.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.aids.kernel import SimChip
from tests.aids.lab_watch import ScanWatcher
from tests.aids.site import free_ports, started

ESTOP, RESET = 0, 1
COMMAND_ID = 0x0A0
PATIENCE = 60.0
TICK_MS = 10

DBC = """VERSION ""

NS_ :

BS_:

BU_: PLC RACK

BO_ 160 Command: 1 PLC
 SG_ Close : 0|1@1+ (1,0) [0|1] "" RACK
"""
SITE = f"""site: estop
tasks: {{{{protection: {{{{interval: {TICK_MS} ms, programs: [estop]}}}}}}}}
io: [panel, rack, pcs]
channels: {{{{can0: {{{{interface: socketcan, channel: vcan0, bitrate: 500 kbit/s}}}}}}}}
"""
PROGRAM = """program: estop
blocks:
  ready: {type: INTERLOCK, PERMIT: [panel.estop_ok, panel.estop_ok.good], RESET: panel.reset}
outputs:
  rack.close: ready.OK
  pcs.enable: ready.OK
"""
PANEL = """device: panel
driver: gpio
chip: {label: lab}
stale: 300 ms
inputs:
  panel.estop_ok: {line: 0, initial: false, bad: false, text: E-stop chain is closed}
  panel.reset: {line: 1, initial: false, bad: false, text: Button RESET}
"""
RACK = """device: rack
driver: can
channel: can0
dbc: dbc/command.dbc
stale: 300 ms
timeout: 500 ms
outputs:
  rack.close: {signal: Command.Close, safe: false, every: 100 ms, text: Close main contactors}
"""
PCS = """device: pcs
driver: modbus
host: 127.0.0.1
port: {port}
poll: 50 ms
stale: 300 ms
timeout: 500 ms
outputs:
  pcs.enable: {{register: coil 0, safe: false, every: 200 ms, text: Let the converter run}}
"""


@dataclass(frozen=True)
class Press:
    """One press of the button, in scans after the scan that latched it: its outbox, and the scans begun when it arrived."""

    outbox: int
    can: int
    modbus: int


class Receivers(threading.Thread):
    """A rack and a converter that only listen: (time, value) of every change, for each bus."""

    def __init__(self, port: int):
        super().__init__()
        self.can: list[tuple[int, bool]] = []
        self.modbus: list[tuple[int, bool]] = []
        self._port, self._up = port, threading.Event()
        self._loop = asyncio.new_event_loop()
        self.start()
        assert self._up.wait(PATIENCE), "the receivers did not start"

    def run(self) -> None:
        self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        self._end = asyncio.Event()
        raw = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        raw.bind(("vcan0",))
        raw.setblocking(False)
        self._loop.add_reader(raw, self._frame, raw)
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._up.set()
        await self._end.wait()
        self._loop.remove_reader(raw)
        raw.close()
        server.close()

    def _frame(self, raw: socket.socket) -> None:
        identifier, _, data = struct.unpack("<IB3x8s", raw.recv(16))
        if identifier == COMMAND_ID:
            _note(self.can, bool(data[0] & 1))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(head := await reader.read(7)) == 7:
            request = await reader.readexactly(struct.unpack(">H", head[4:6])[0] - 1)
            if request[0] == 5:
                _note(self.modbus, request[3] == 0xFF)
                reply = request
            elif request[0] == 15:
                _note(self.modbus, bool(request[6] & 1))
                reply = request[:5]
            else:
                reply = bytes([request[0] | 0x80, 1])
            writer.write(head[:4] + struct.pack(">H", len(reply) + 1) + head[6:] + reply)
        writer.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self.join()
        self._loop.close()


def _note(changes: list[tuple[int, bool]], value: bool) -> None:
    if not changes or changes[-1][1] != value:
        changes.append((time.monotonic_ns(), value))


@contextmanager
def estop_site(folder: Path) -> Iterator[tuple[ScanWatcher, Receivers]]:
    """The site, running, with its receivers and a watcher."""
    port = free_ports(1)[0]
    files = {
        "config/site.yaml": SITE.format(),
        "programs/estop.yaml": PROGRAM,
        "io_maps/panel.yaml": PANEL,
        "io_maps/rack.yaml": RACK,
        "io_maps/pcs.yaml": PCS.format(port=port),
        "dbc/command.dbc": DBC,
    }
    root = folder / "estop"
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    receivers = Receivers(port)
    try:
        with started(root, [0, 0], folder) as site:
            site.wait_for("running", 6 * PATIENCE)
            tags, outputs = ("panel.estop_ok",), ("rack.close", "pcs.enable")
            watcher = ScanWatcher(root / "config/site.yaml", site.run_dir, tags, outputs)
            try:
                yield watcher, receivers
            finally:
                watcher.close()
    finally:
        receivers.close()


def measure(folder: Path, chip: SimChip, presses: int) -> list[Press]:
    """Press, look, release and reset, so many times, at random moments of the scan."""
    chip.pull(ESTOP, True)
    chip.pull(RESET, False)
    dice = random.Random(1)
    with estop_site(folder) as (watcher, receivers):
        found = []
        for _ in range(presses):
            _arm(chip, receivers)
            time.sleep(0.1 + dice.random() * TICK_MS / 1000)
            found.append(_press(chip, watcher, receivers))
        return found


def _arm(chip: SimChip, receivers: Receivers) -> None:
    """Reset the interlock until both buses say closed."""
    until = time.monotonic() + PATIENCE
    chip.pull(ESTOP, True)
    while not (receivers.can and receivers.can[-1][1] and receivers.modbus and receivers.modbus[-1][1]):
        assert time.monotonic() < until, f"the interlock does not arm: {receivers.can[-3:]}, {receivers.modbus[-3:]}"
        chip.pull(RESET, True)
        time.sleep(0.2)
        chip.pull(RESET, False)
        time.sleep(0.2)


def _press(chip: SimChip, watcher: ScanWatcher, receivers: Receivers) -> Press:
    since = watcher.scan
    chip.pull(ESTOP, False)
    before, _ = watcher.wait_for(watcher.tags["panel.estop_ok"], 0.0, since, PATIENCE, "a scan latches the E-stop")
    latched = before + 1
    boxes = [watcher.wait_for(box, 0.0, before, PATIENCE, "the outbox is safe")[1] for box in watcher.outputs.values()]
    until = time.monotonic() + PATIENCE
    while receivers.can[-1][1] or receivers.modbus[-1][1]:
        assert time.monotonic() < until, "the safe values did not arrive"
        time.sleep(0.005)
    arrived = [watcher.scan_at(changes[-1][0]) for changes in (receivers.can, receivers.modbus)]
    return Press(max(boxes) - latched, *(scan - latched for scan in arrived))
