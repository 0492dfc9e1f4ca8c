"""1,024 cells over CAN, each voltage and temperature every 100 ms (5,120 frames/s): the fieldbus process's CPU per frame, no loss.

The frames come through a python-can bus on a SEQPACKET socket, where the kernel drops nothing and python-can makes an object
of each frame; where the kernel has vcan0, the same traffic goes over SocketCAN.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from runtime.model import Device
from tests.aids.can_pair import register_for_children
from tests.aids.cell_traffic import CELLS, RACKS, degrees, racks, volts
from tests.aids.fieldbus import COLD_S, FieldbusRun, fieldbus_run
from tests.aids.fieldbus_child import DeviceProcess, device_process, until
from tests.aids.kernel import lacks_vcan
from tests.bench.measure import Result

SECONDS = 5.0
BAR_US = 25.0


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(interface: str, target: str, folder: Path, seconds: float = SECONDS) -> dict[str, float]:
    """Frames sent and taken, wrong values at the end, and the fieldbus process's CPU microseconds a frame."""
    devices = racks(interface, target)
    with device_process("cell_traffic", target) as traffic, fieldbus_run(folder, devices) as run:
        run.start_scan()
        run.start()
        until(lambda: _status(run) and all(d["connected"] for d in _status(run).values()), COLD_S, "all racks are connected")
        _send(traffic, 0.5)  # warm
        _settled(run)
        before, cpu, began = _taken(run), cpu_seconds(run.process.pid), time.perf_counter()
        sent = _send(traffic, seconds)
        took = time.perf_counter() - began
        taken = _settled(run) - before
        cpu = cpu_seconds(run.process.pid) - cpu
        wrong = _wrong(run, devices)
        overflow = sum(d["errors"].get("receive_overflow", 0) for d in _status(run).values())
        assert run.stop() == 0
    return {
        "sent": sent,
        "lost": sent - taken,
        "overflow": overflow,
        "wrong": wrong,
        "cpu_us": 1e6 * cpu / sent,
        "rate": sent / took,
    }


def _send(traffic: DeviceProcess, seconds: float) -> int:
    traffic.process.stdin.write(f'{{"seconds": {seconds}}}\n')
    traffic.process.stdin.flush()
    return int(traffic._read(60 + 20 * seconds)["sent"])


def _status(run: FieldbusRun) -> dict[str, dict]:
    try:
        return run.status()["devices"]
    except (FileNotFoundError, KeyError):
        return {}


def _taken(run: FieldbusRun) -> int:
    return sum(device["frames"] for device in _status(run).values())


def _settled(run: FieldbusRun) -> int:
    """Frames taken, once no more come: the status file is written a few times a second."""
    last, since = _taken(run), time.monotonic()
    while time.monotonic() - since < 2.0:
        time.sleep(0.1)
        now = _taken(run)
        if now != last:
            last, since = now, time.monotonic()
    return last


def _wrong(run: FieldbusRun, devices: list[Device]) -> int:
    """Cells whose value is not the one that was sent."""
    told = np.array(run.inbox()["lreal"][: 2 * CELLS * RACKS], np.float64).reshape(RACKS, 2, CELLS)
    meant = [[[value(rack, cell) for cell in range(CELLS)] for value in (volts, degrees)] for rack in range(RACKS)]
    assert len(devices) == RACKS
    return int((np.abs(told - np.array(meant)) > 1e-6).sum())


def run() -> list[Result]:
    """What `make bench` shows."""
    results = []
    with tempfile.TemporaryDirectory(prefix="bessplc-can-") as name:
        folder = Path(name)
        kept = os.environ.get("PYTHONPATH")
        os.environ |= register_for_children(folder / "site-packages")
        try:
            (folder / "pair").mkdir()
            results += _results("socketpair behind python-can", measure("pair", str(folder / "bus"), folder / "pair"))
            if not lacks_vcan():
                (folder / "vcan").mkdir()
                results += _results("SocketCAN", measure("socketcan", "vcan0", folder / "vcan"))
        finally:
            if kept is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = kept
    return results


def _results(how: str, found: dict[str, float]) -> list[Result]:
    what = f"1,024 cells each 100 ms, {how}"
    return [
        Result(f"{what}: fieldbus CPU per frame", found["cpu_us"], "us", BAR_US),
        Result(f"{what}: frames lost", found["lost"], "", 0),
        Result(f"{what}: values wrong at the end", found["wrong"], "", 0),
        Result(f"{what}: frames", found["rate"], "1/s"),
    ]


if __name__ == "__main__":
    for result in run():
        print(f"{result.name:75} {result.value:10.1f} {result.unit}{'' if result.holds else '  (too much)'}")
