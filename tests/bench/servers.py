"""What the benchmarks of the servers share: a big site on the real scan, a server process over it, and node-opcua from npm."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime import child
from runtime.app import generation_of
from runtime.child import ServiceOrder
from runtime.engine import realtime
from runtime.engine.loop import scan_loop
from runtime.engine.north import Snapshot
from runtime.engine.plc import Plc
from runtime.model import Site
from runtime.servers.describe import module_of
from tests.aids.site import ROOT, until

CLIENTS = ROOT / "tests" / "clients"
CHANGING, PRIORITY = 1000, 80


def big_site(tags: int, writable: int) -> dict[str, str]:
    """A site of so many tags: load.x0 ... count up together every 100 ms, load.p0 ... may be written by operators."""
    changing = min(CHANGING, tags - writable)
    lines = [
        "site: load",
        "tasks:",
        "  fast: {interval: 10 ms, programs: [fast]}",
        "  load: {interval: 100 ms, programs: [load]}",
        "tags:",
        "  fast.scans: {type: LREAL, default: 0, text: Scans so far}",
        *(f"  load.x{n}: {{type: LREAL, default: 0, unit: kW, text: Changing value {n}}}" for n in range(changing)),
        *(
            f"  load.p{n}: {{type: LREAL, default: 0, unit: kW, range: -500..500, write: operator, text: Setpoint {n}}}"
            for n in range(tags - changing)
        ),
    ]
    blocks = [f"  b{n}: {{type: ADD, A: last b{n}.OUT, B: 1}}" for n in range(changing)]
    outputs = [f"  load.x{n}: b{n}.OUT" for n in range(changing)]
    fast = "program: fast\nblocks:\n  count: {type: ADD, A: last count.OUT, B: 1}\noutputs:\n  fast.scans: count.OUT\n"
    return {
        "config/site.yaml": "\n".join(lines) + "\n",
        "programs/fast.yaml": fast,
        "programs/load.yaml": "\n".join(["program: load", "blocks:", *blocks, "outputs:", *outputs]) + "\n",
    }


@contextlib.contextmanager
def scanned(site: Site) -> Iterator[Path]:
    """The scan of a site in a real-time thread of this process, as `bessplc run` has it; its folder."""
    with tempfile.TemporaryDirectory(prefix="bessplc-bench-", dir="/dev/shm") as name:
        folder = Path(name)
        plc = Plc(site.schedule, folder, generation_of(site.schedule))
        plc.attach()
        stop = threading.Event()

        def run() -> None:
            realtime.take_priority(PRIORITY)
            scan_loop(plc.plan)

        scan = threading.Thread(target=run)

        def attend() -> None:
            while not stop.wait(0.1):
                plc.attach()

        attendant = threading.Thread(target=attend)
        scan.start()
        attendant.start()
        try:
            until(Snapshot(folder, site.schedule.region, generation_of(site.schedule)).refresh, 60, "the scan publishes")
            yield folder
        finally:
            stop.set()
            plc.stop()
            scan.join()
            attendant.join()


def order(site: Site, folder: Path, service: str, **settings: Any) -> ServiceOrder:
    """What the supervisor would tell this server."""
    schedule = site.schedule
    return ServiceOrder(
        service=service,
        site=site.name,
        run_dir=str(folder),
        root=str(ROOT),
        generation=generation_of(schedule),
        tags=schedule.tags,
        region=schedule.region,
        alarms=(),
        settings=settings,
        state_dir=str(folder / "state"),
        tick=schedule.tick,
        tasks=schedule.tasks,
        groups=schedule.groups,
        pins=schedule.pins,
    )


@contextlib.contextmanager
def server_over(site: Site, folder: Path, service: str, **settings: Any) -> Iterator[tuple[int, str]]:
    """A server process of ours over a running scan: its process id and its address."""
    process = child.start(module_of(service), order(site, folder, service, **settings), stderr=subprocess.DEVNULL)
    status = folder / f"{service}.json"
    try:
        until(status.exists, 60, f"{service} listens")
        yield process.pid, json.loads(status.read_text())["listening"]
    finally:
        process.terminate()
        process.wait()


def missing_node() -> str:
    """Why node-opcua cannot run here, and what to do; empty where it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no node and npm here: install Node.js 20 or newer to compare with node-opcua"
    if not (CLIENTS / "node_modules" / "node-opcua").is_dir():
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=CLIENTS, capture_output=True, text=True)
        if done.returncode:
            return f"npm ci in tests/clients failed: {done.stderr.strip().splitlines()[-1:]}"
    return ""


def _node(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["node", str(CLIENTS / script), *map(str, arguments)],
        env={**os.environ, "NODE_ENV": "production"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextlib.contextmanager
def node_server(variables: int, changing: int) -> Iterator[tuple[int, str]]:
    """node-opcua's server with the same variables: its process id and its address."""
    process = _node("opcua_server.js", variables, changing)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process.pid, f"opc.tcp://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(10)


class NodeClient:
    """node-opcua's client in a process of its own, connected to one server."""

    def __init__(self, address: str):
        self._process = _node("opcua_client.js")
        self("connect", url=address)

    def __call__(self, do: str, **words: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **words}) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in found:
            raise RuntimeError(f"{do}: {found['error']}")
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(RuntimeError):
            self("disconnect")
        self._process.stdin.close()
        self._process.wait(10)


@contextlib.contextmanager
def node_client(address: str) -> Iterator[NodeClient]:
    """node-opcua's client, connected, and closed on the way out."""
    client = NodeClient(address)
    try:
        yield client
    finally:
        client.close()


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def skipped(group: str, why: str) -> None:
    """Say that a comparison is left out."""
    print(f"{group}: skipped: {why}", file=sys.stderr, flush=True)
