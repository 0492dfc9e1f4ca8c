"""How late scans start at 10 ms, against a C loop of the same priority beside it, idle and under load.

Both run at the same time, half a period apart, so they meet the same machine; they are read in alternating windows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from runtime.app import generation_of
from runtime.engine import realtime
from runtime.engine.loop import scan_loop
from runtime.engine.north import Commands, Snapshot
from runtime.engine.plc import Plc
from runtime.engine.statistics import LATE, timing
from runtime.model import Site
from tests.aids.site import ROOT, until
from tests.bench.measure import Result, compile_c, quantile
from tests.bench.programs import load
from tests.bench.servers import server_over

PERIOD_NS = 10_000_000
WINDOW_S = 6.0
WINDOWS = 5
PRIORITY = 80
ITEMS, CONNECTIONS, REGISTERS = 1000, 20, 120
LONG_S = 600  # longer than all windows

SITE = """
site: load
tasks: {fast: {interval: 10 ms, programs: [load]}}
tags:
  load.in: {type: LREAL, default: 1, write: operator, text: Input}
"""


def load_files() -> dict[str, str]:
    """A program whose 1,000 tags all change in every scan."""
    tags = "".join(f"  load.x{i}: {{type: LREAL, default: 0, text: Changing value}}\n" for i in range(ITEMS))
    blocks = "".join(f"  b{i}: {{type: ADD, A: last b{i}.OUT, B: {0.001 * (i + 1)}}}\n" for i in range(ITEMS))
    outputs = "".join(f"  load.x{i}: b{i}.OUT\n" for i in range(ITEMS))
    return {"config/site.yaml": SITE + tags, "programs/load.yaml": f"program: load\nblocks:\n{blocks}outputs:\n{outputs}"}


def c_lateness(program: Path, seconds: float) -> list[int]:
    """How late the C loop woke, each time in one window, in nanoseconds."""
    count = int(seconds * 1e9 / PERIOD_NS)
    arguments = [str(program), str(PERIOD_NS), str(count), str(PRIORITY), str(PERIOD_NS // 2)]
    printed = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    return [int(line) for line in printed.split()]


def c_p99(program: Path) -> float:
    """p99 of the C loop over one window, in microseconds."""
    return quantile(c_lateness(program, WINDOW_S), 0.99) / 1e3


def our_p99(plc: Plc, commands: Commands) -> float:
    """p99 of the running scan over one window, in microseconds, from its own histogram."""
    commands.reset_statistics()
    time.sleep(WINDOW_S)
    return timing(plc.plan.statistics, LATE).p99


@contextmanager
def scanning(site: Site, folder: Path) -> Iterator[tuple[Plc, Commands]]:
    """The scan of a site in a real-time thread of this process."""
    generation = generation_of(site.schedule)
    plc = Plc(site.schedule, folder, generation)
    commands = Commands(folder, "cli", site.schedule.region.size, generation)
    plc.attach()

    def scan() -> None:
        realtime.take_priority(PRIORITY)
        realtime.stay_awake()
        scan_loop(plc.plan)

    realtime.lock_memory()
    thread = threading.Thread(target=scan)
    thread.start()
    stop = threading.Event()

    def attend() -> None:
        while not stop.wait(0.1):
            plc.attach()

    attendant = threading.Thread(target=attend)
    attendant.start()
    try:
        yield plc, commands
    finally:
        stop.set()
        plc.stop()
        thread.join()
        attendant.join()


@contextmanager
def loaded(site: Site, folder: Path) -> Iterator[None]:
    """The load: all four servers, clients at full speed, and a Python thread that spins in this very process.

    Every one of the OPC UA items changes in every scan, and twenty Modbus connections, of a client in C, ask again as soon as they
    are answered.
    """
    many = {"port": "0", "clients_per_address": str(CONNECTIONS)}
    with (
        server_over(site, folder, "modbus", **many) as modbus,
        server_over(site, folder, "opcua", port="0") as opcua,
        server_over(site, folder, "rest", port="0", tls="false"),
        server_over(site, folder, "records"),
    ):
        ports = [str(urlsplit(address).port) for _, address in (modbus, opcua)]
        polling = [str(compile_c("modbus_client.c", shared=False)), ports[0], str(CONNECTIONS), str(REGISTERS), str(LONG_S)]
        subscribing = [sys.executable, "-m", "tests.bench.load", ports[1], str(ITEMS)]
        clients = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for command in (subscribing, polling)]
        stop = threading.Event()

        def spin() -> None:
            while not stop.is_set():
                sum(range(1000))

        spinner = threading.Thread(target=spin)
        try:
            assert clients[0].stdout is not None
            assert clients[0].stdout.readline() == b"subscribed\n", "the load did not come up"
            spinner.start()
            yield
            assert all(client.poll() is None for client in clients), "a client ended while it was measured"
        finally:
            stop.set()
            if spinner.is_alive():
                spinner.join()
            for client in clients:
                client.terminate()
                client.wait()


def compare(plc: Plc, commands: Commands, program: Path) -> tuple[float, float, float]:
    """Medians of our p99 and of C's, and of their ratio window by window."""
    pairs = [(our_p99(plc, commands), c_p99(program)) for _ in range(WINDOWS)]
    middle = sorted(a / b for a, b in pairs)[WINDOWS // 2]
    return sorted(a for a, _ in pairs)[WINDOWS // 2], sorted(b for _, b in pairs)[WINDOWS // 2], middle


def _results(name: str, ours: float, theirs: float, ratio: float) -> list[Result]:
    """The bar is a ratio of 1.3, or at most 20 us apart."""
    return [
        Result(f"lateness p99, {name}", ours, "us"),
        Result(f"lateness p99, {name}, C loop", theirs, "us"),
        Result(f"lateness p99, {name}, ours / C, or <= 20 us apart", ratio, "x", 1.3, otherwise=ours - theirs <= 20.0),
    ]


def run() -> list[Result]:
    site = load(load_files())
    program = compile_c("periodic.c", shared=False)
    with tempfile.TemporaryDirectory(prefix="bessplc-late-", dir="/dev/shm") as name:
        folder = Path(name)
        with scanning(site, folder) as (plc, commands):
            snapshot = Snapshot(folder, site.schedule.region, generation_of(site.schedule))
            until(snapshot.refresh, 10, "the scan publishes")
            results = _results("idle", *compare(plc, commands, program))
            with loaded(site, folder):
                results += _results("loaded", *compare(plc, commands, program))
    return results
