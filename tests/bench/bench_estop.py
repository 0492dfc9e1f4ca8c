"""The E-stop on GPIO to safe outputs on CAN and Modbus, in scans: here where the kernel has both devices, else in the lab's."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.aids.estop import measure
from tests.aids.kernel import SimChip, lacks_gpio_sim, lacks_vcan
from tests.aids.site import ROOT
from tests.bench.measure import Result, quantile

PRESSES = 50
LAB = ROOT.parent / "shared/lab/lab"


def run() -> list[Result]:
    counts = _measure() if not (lacks_vcan() or lacks_gpio_sim()) else _measure_in_lab()
    if not counts:
        print(f"estop: not measured: {lacks_vcan()}", file=sys.stderr)
        return []
    results = []
    for name, what in (
        ("outbox", "the outbox that is safe"),
        ("can", "the CAN frame on the wire"),
        ("modbus", "the Modbus write on the wire"),
    ):
        scans = [count[name] for count in counts]
        results.append(Result(f"latched E-stop to {what}, p50", quantile(scans, 0.5), "scans", 2.0))
        results.append(Result(f"latched E-stop to {what}, most of {len(scans)}", max(scans), "scans", 2.0))
    return results


def _measure() -> list[dict[str, int]]:
    with tempfile.TemporaryDirectory(prefix="bessplc-estop-") as name:
        return [vars_of(press) for press in measure(Path(name), SimChip(), PRESSES)]


def vars_of(press: object) -> dict[str, int]:
    return {name: getattr(press, name) for name in ("outbox", "can", "modbus")}


def _measure_in_lab() -> list[dict[str, int]]:
    """The same in the lab's kernel; empty where there is none."""
    if not LAB.exists():
        return []
    command = [str(LAB), sys.executable, "-m", "tests.bench.bench_estop"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the lab failed: {done.stderr[-2000:]}")
    found: list[dict[str, int]] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    print(json.dumps(_measure()))
