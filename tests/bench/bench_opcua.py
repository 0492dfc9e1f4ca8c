"""The OPC UA server beside node-opcua's from npm: one client for both (node-opcua's), in a process of its own.

Both serve 10,000 doubles, 1,000 of which count up every 100 ms. Server CPU is read from /proc in alternating windows. Ours runs
over the real scan and samples every 50 ms, so that no step of 100 ms is missed; node-opcua's samples as it is written to, which
costs it least.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack

from tests.bench.measure import Result
from tests.bench.programs import load
from tests.bench.servers import (
    CHANGING,
    NodeClient,
    big_site,
    cpu_seconds,
    missing_node,
    node_client,
    node_server,
    scanned,
    server_over,
    skipped,
)

TAGS, READ, WRITTEN = 10_000, 100, 1000
WINDOW_S, WINDOWS, CALLS = 4.0, 5, 300
PUBLISHING_MS, SAMPLING_MS = 100, 50
CHANGES = [f"ns=2;s=load.x{n}" for n in range(CHANGING)]


class Served:
    """A server under test: its process, and the client that asks it."""

    def __init__(self, pid: int, client: NodeClient):
        self.pid, self.client = pid, client
        self.lost = 0
        self.late: list[float] = []

    def us_per_value(self) -> float:
        """CPU per value delivered over one window."""
        self.client("counts")
        begun = cpu_seconds(self.pid)
        time.sleep(WINDOW_S)
        spent, seen = cpu_seconds(self.pid) - begun, self.client("counts")
        self.lost += seen["lost"]
        self.late.append(seen["p99"])
        return 1e6 * spent / seen["values"]

    def us_per_read(self) -> float:
        """CPU per call that reads 100 nodes."""
        begun = cpu_seconds(self.pid)
        done = self.client("read", nodes=CHANGES[:READ], times=CALLS)
        assert done["bad"] == 0
        return 1e6 * (cpu_seconds(self.pid) - begun) / CALLS


def _alternate(ours: list[float], theirs: list[float]) -> tuple[float, float, float]:
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return statistics.median(ours), statistics.median(theirs), ratio


def _writes(ours: Served) -> list[Result]:
    nodes = [f"ns=2;s=load.p{n}" for n in range(WRITTEN)]
    done = [ours.client("write", nodes=nodes, value=float(turn)) for turn in range(5)]
    seconds = statistics.median(write["ms"] for write in done) / 1000
    return [
        Result(f"OPC UA: bulk write of {WRITTEN:,} nodes", seconds, "s", 0.5),
        Result("OPC UA: of these refused", sum(write["bad"] for write in done), "", 0),
    ]


def _reads(ours: Served, theirs: Served) -> list[Result]:
    pairs = [(ours.us_per_read(), theirs.us_per_read()) for _ in range(WINDOWS + 1)][1:]  # the first warms node's compiler up
    mine, other, ratio = _alternate([a for a, _ in pairs], [b for _, b in pairs])
    return [
        Result(f"OPC UA: CPU per read of {READ} nodes", mine, "us"),
        Result(f"node-opcua: CPU per read of {READ} nodes", other, "us"),
        Result("OPC UA: read, ours / node-opcua", ratio, "x", 1.3),
    ]


def _values(ours: Served, theirs: Served) -> list[Result]:
    for served in (ours, theirs):
        sampling = SAMPLING_MS if served is ours else 0
        served.client("subscribe", nodes=CHANGES, every=PUBLISHING_MS, sampling=sampling, queue=10)
    time.sleep(2)
    ours.us_per_value()
    ours.lost, ours.late = 0, []
    pairs = [(ours.us_per_value(), theirs.us_per_value()) for _ in range(WINDOWS)]
    mine, other, ratio = _alternate([a for a, _ in pairs], [b for _, b in pairs])
    return [
        Result(f"OPC UA: CPU per value delivered, {CHANGING:,} items at 100 ms", mine, "us"),
        Result("node-opcua: CPU per value delivered", other, "us"),
        Result("OPC UA: value, ours / node-opcua", ratio, "x", 1.2),
        Result("OPC UA: values lost", ours.lost, "", 0),
        Result("OPC UA: lateness p99, sampled to arrived", statistics.median(ours.late), "ms", 1.5 * PUBLISHING_MS),
        Result("node-opcua: lateness p99", statistics.median(theirs.late), "ms"),
    ]


def run() -> list[Result]:
    """What `make bench` shows."""
    why = missing_node()
    if why:
        skipped("opcua", why)
        return []
    with ExitStack() as stack:
        site = load(big_site(TAGS, TAGS - CHANGING))
        folder = stack.enter_context(scanned(site))
        settings = {"port": "0", "anonymous": "operator", "every": f"{SAMPLING_MS} ms"}
        pid, address = stack.enter_context(server_over(site, folder, "opcua", **settings))
        other, node_address = stack.enter_context(node_server(TAGS, CHANGING))
        ours = Served(pid, stack.enter_context(node_client(address)))
        theirs = Served(other, stack.enter_context(node_client(node_address)))
        return [*_reads(ours, theirs), *_writes(ours), *_values(ours, theirs)]


if __name__ == "__main__":
    for result in run():
        print(f"{result.name:60} {result.value:10.2f} {result.unit}{'' if result.holds else '  (too much)'}")
