"""Records the demo's buses as third parties write them: CAN as a candump log, Modbus as a packet capture; and has them read back.

`python -m tests.aids.capture --seconds 60 --folder build/capture` runs the demo for a minute and says what cantools and tshark make
of it. It must not interpret a frame itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import can

from tests.aids.plant import RunningPlant, running_plant
from tests.aids.site import ROOT, RunningSite, copy_site, started, until

FRAME = re.compile(rb"t([0-9A-Fa-f]{3})(\d)((?:[0-9A-Fa-f]{2}){0,8})")
CAN_LOG, PACKETS = "can0.log", "modbus.pcapng"


class SlcanTap(threading.Thread):
    """A wire tap between an SLCAN adapter and its host: passes every byte on, and logs each frame as `candump -l` would."""

    def __init__(self, adapter: Path, host: Path, log: Path):
        super().__init__()
        self._near = os.open(adapter, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._far, self._held = os.openpty()
        for end in (self._near, self._far, self._held):
            tty.setraw(end)
            os.set_blocking(end, False)
        host.symlink_to(os.ttyname(self._held))
        self.frames = 0
        self._log = can.CanutilsLogWriter(log, channel="can0")
        self._rest = {self._near: b"", self._far: b""}
        self._ended = threading.Event()
        self.start()

    def run(self) -> None:
        other = {self._near: self._far, self._far: self._near}
        while not self._ended.is_set():
            for end in select.select(list(other), [], [], 0.1)[0]:
                with contextlib.suppress(BlockingIOError):
                    data = os.read(end, 65536)
                    _write_all(other[end], data)
                    self._note(end, data)

    def _note(self, end: int, data: bytes) -> None:
        *lines, self._rest[end] = (self._rest[end] + data).split(b"\r")
        for line in lines:
            found = FRAME.fullmatch(line.replace(b"\a", b"").removeprefix(b"z"))
            if found and len(found[3]) == 2 * int(found[2]):
                self.frames += 1
                payload = bytes.fromhex(found[3].decode())
                message = can.Message(time.time(), int(found[1], 16), is_extended_id=False, data=payload, is_rx=end == self._near)
                self._log.on_message_received(message)

    def close(self) -> None:
        self._ended.set()
        self.join()
        self._log.stop()
        for end in (self._near, self._far, self._held):
            os.close(end)


def _write_all(end: int, data: bytes) -> None:
    """Pass everything on; a full line waits, because a tap must not lose what it shows."""
    while data:
        try:
            data = data[os.write(end, data) :]
        except BlockingIOError:
            select.select([], [end], [], 0.1)


@contextmanager
def packets(ports: list[int], target: Path) -> Iterator[None]:
    """tshark on the loopback device, for the length of a `with`, until it has everything that was sent meanwhile."""
    only = " or ".join(f"tcp port {port}" for port in ports)
    command = ["tshark", "-q", "-i", "lo", "-f", only, "-w", str(target)]
    with (target.parent / "tshark.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: target.exists() and target.stat().st_size > 0, 30, "tshark captures")
        yield
        time.sleep(0.5)  # the kernel hands packets over in blocks
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def lacks_tshark() -> str:
    """Why there is no packet capture here, or empty."""
    if shutil.which("tshark") is None:
        return "tshark is not installed: apt install tshark"
    listed = subprocess.run(["tshark", "-D"], capture_output=True, text=True, check=False)
    return "" if re.search(r"\blo\b", listed.stdout) else "tshark may not capture on lo here"


@dataclass
class ModbusReading:
    """What tshark says of a capture: requests, those that were answered, malformed frames, exceptions, requests by function."""

    requests: int = 0
    unanswered: int = 0
    malformed: int = 0
    exceptions: int = 0
    functions: Counter[str] = field(default_factory=Counter)


def read_packets(capture: Path, ports: list[int]) -> ModbusReading:
    """Every Modbus frame of the capture as tshark dissects it. The last request of a connection may be cut by the capture's end."""
    wanted = ("tcp.stream", "tcp.dstport", "mbtcp.trans_id", "modbus.func_code", "modbus.exception_code")
    as_modbus = [word for port in ports for word in ("-d", f"tcp.port=={port},mbtcp")]
    fields = [word for name in wanted for word in ("-e", name)]
    command = ["tshark", "-r", str(capture), *as_modbus, "-T", "fields", "-E", "aggregator=,", *fields, "-Y"]
    lines = _run([*command, "mbtcp"]).splitlines()
    found, open_requests = ModbusReading(), {}
    for line in lines:
        stream, to, numbers, functions, exceptions = line.split("\t")
        found.exceptions += len(exceptions.split(",")) if exceptions else 0
        for number in numbers.split(","):
            if int(to) in ports:
                found.requests += 1
                found.functions.update(functions.split(","))
                open_requests[stream, number] = line
            else:
                open_requests.pop((stream, number), None)
    in_flight = {stream for stream, _ in open_requests}
    found.unanswered = len(open_requests) - len(in_flight)
    found.malformed = len(_run([*command, "(mbtcp || modbus) && _ws.malformed"]).splitlines())
    return found


@dataclass
class CanReading:
    """What cantools' command line says of a candump log: frames by message, frames that the DBC does not know, and complaints."""

    frames: int = 0
    unknown: int = 0
    complaints: list[str] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)


def read_candump(log: Path, dbc: Path) -> CanReading:
    """`python -m cantools decode --single-line DBC < LOG`, line by line."""
    command = [sys.executable, "-m", "cantools", "decode", "--single-line", str(dbc)]
    with log.open("rb") as lines:
        done = subprocess.run(command, stdin=lines, capture_output=True, text=True, check=True)
    found = CanReading(complaints=[line for line in done.stderr.splitlines() if line])
    for line in done.stdout.splitlines():
        found.frames += 1
        _, separator, text = line.partition(" :: ")
        name = text.partition("(")[0].strip()
        if not separator or "Unknown frame id" in text:
            found.unknown += 1
        elif not name.isidentifier() or not text.rstrip().endswith(")"):
            found.complaints.append(line)
        else:
            found.messages[name] += 1
    return found


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@dataclass
class Captured:
    """A demo that runs between the taps."""

    site: RunningSite
    plant: RunningPlant
    tap: SlcanTap
    can_log: Path
    packets: Path
    ports: list[int]


@contextmanager
def captured_demo(folder: Path, target: Path, cold_s: float = 180) -> Iterator[Captured]:
    """The demo site beside a plant of its own, its CAN line tapped; what passes is in `target` when the `with` has ended."""
    target.mkdir(parents=True, exist_ok=True)
    can_log, capture = target / CAN_LOG, target / PACKETS
    for old in (can_log, capture):
        old.unlink(missing_ok=True)
    plant_dir = folder / "plant"
    plant_dir.mkdir()
    host = folder / "can0"
    root, ports = copy_site(folder / "demo", can0=str(host))
    with running_plant(plant_dir, "--ports-from-config", config=root / "config/plant.yaml") as plant:
        tap = SlcanTap(Path(plant.can0), host, can_log)
        try:
            devices = sorted(plant.ports.values())
            modbus = packets(devices, capture) if not lacks_tshark() else contextlib.nullcontext()
            with modbus, started(root, ports, folder) as site:
                site.wait_for("running", cold_s)
                yield Captured(site, plant, tap, can_log, capture, devices)
        finally:
            tap.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--folder", type=Path, default=ROOT / "build/capture")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bessplc-capture-") as name:
        with captured_demo(Path(name), given.folder) as demo:
            time.sleep(given.seconds)
        frames = read_candump(demo.can_log, ROOT / "dbc/rack.dbc")
        print(f"{demo.can_log}: {frames.frames} frames, {len(frames.messages)} messages, {frames.unknown} unknown to dbc/rack.dbc")
        for complaint in frames.complaints[:20]:
            print(f"cantools: {complaint}")
        is_clean = not frames.unknown and not frames.complaints
        if demo.packets.exists():
            modbus = read_packets(demo.packets, demo.ports)
            print(
                f"{demo.packets}: {modbus.requests} requests {dict(modbus.functions)}, {modbus.unanswered} unanswered, "
                f"{modbus.exceptions} exceptions, {modbus.malformed} malformed"
            )
            is_clean = is_clean and not modbus.malformed and not modbus.unanswered
        else:
            print(f"no Modbus capture: {lacks_tshark()}")
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
