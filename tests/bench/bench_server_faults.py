"""Servers are killed, hung and kept from their port while clients load the demo: how soon clients see good values again, how many
old ones were shown as good, and how many scans were missed beside those of a C loop.

Each client reconnects by itself: pymodbus, httpx, asyncua, and node-opcua with a subscription.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.aids.scada import Scada
from tests.aids.servers_witness import Witness, modbus_witness, opcua_witness, rest_witness, stale, watching
from tests.aids.site import ROOT, RunningSite, running_site, until
from tests.bench.bench_lateness import PERIOD_NS, PRIORITY
from tests.bench.measure import Result, compile_c
from tests.bench.servers import NodeClient, missing_node, skipped

SERVERS = ("modbus", "opcua", "rest", "records")
SCAN = "runtime.engine.scan"
COUNTER_AT = 41  # of plc.scan in io_maps/scada.yaml, an input register
CONNECTIONS, REGISTERS = 5, 40
WINDOW_S = 10.0
HELD_S = 3.0
STOPPED_S = 2.0
PATIENCE_S = 120.0  # others may use the machine; the bars judge
RECOVERY_BAR_S, HUNG_BAR_S = 15.0, 60.0  # functional: a restart takes one to three seconds; a hung one is noticed after thirty
OPCUA_VALUES = "OPC UA subscription of node-opcua"


@dataclass
class Scene:
    """The running site, its witnesses by name, and the C loop that is to be beaten."""

    site: RunningSite
    witnesses: dict[str, Witness]
    program: Path
    node: NodeClient | None
    overruns: list[tuple[int, int]] = field(default_factory=list)

    def port(self, server: str) -> int:
        return port_of(self.site, server)

    def pid(self, server: str) -> int:
        return self.site.pid_of(SCAN if server == "scan" else f"runtime.servers.{server}")


def port_of(site: RunningSite, server: str) -> int:
    """Where a server of the site listens."""
    return int(urlsplit(site.status(server)["listening"]).port or 0)


def is_up(site: RunningSite, server: str) -> bool:
    """Whether the process that runs now says that it listens."""
    pid = site.pid_of(f"runtime.servers.{server}")
    return bool(pid) and site.status(server).get("pid") == pid


def overruns(site: RunningSite) -> int:
    scada = Scada(site.root, site.modbus)
    found = int(scada.read("plc.overruns"))
    scada.close()
    return found


# ------------------------------------------------------------------------------------------------ the load


async def poll(port: int) -> None:
    """Read registers as fast as the server answers, and connect again where it has gone."""
    request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 4, 0, REGISTERS)
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
                writer.close()  # nobody listens, and the kernel gave us the very port that we called: it must be free again
                raise ConnectionError
            while True:
                writer.write(request)
                header = await reader.readexactly(6)
                await reader.readexactly(struct.unpack(">H", header[4:])[0])
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.25)


async def pollers(port: int) -> None:
    await asyncio.gather(*(poll(port) for _ in range(CONNECTIONS)))


@contextmanager
def loaded(port: int) -> Iterator[None]:
    """Modbus clients at full speed in a process of their own."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bench_server_faults", str(port)], cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


# ---------------------------------------------------------------------------------------------- the faults


def killed(scene: Scene, server: str) -> None:
    """SIGKILL."""
    os.kill(scene.pid(server), signal.SIGKILL)


def kept_from_its_port(scene: Scene, server: str) -> None:
    """SIGKILL, and another program listens there for three seconds."""
    port = scene.port(server)
    killed(scene, server)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        until(lambda: _binds(other, port), 5, "the port is free after the kill")
        other.listen()
        time.sleep(HELD_S)


def _binds(other: socket.socket, port: int) -> bool:
    try:
        other.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def hung(scene: Scene, server: str) -> None:
    """SIGSTOP for good: the supervisor must notice."""
    os.kill(scene.pid(server), signal.SIGSTOP)


def stopped_for_a_while(scene: Scene, server: str) -> None:
    """SIGSTOP, and two seconds later SIGCONT."""
    pid = scene.pid(server)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    os.kill(pid, signal.SIGCONT)


Fault = Callable[[Scene, str], None]


@dataclass(frozen=True)
class Trial:
    """A fault, what it is done to, and whether its missed scans count: those of a scan that is stopped itself do not."""

    fault: Fault
    server: str
    bar: float = RECOVERY_BAR_S

    @property
    def name(self) -> str:
        return f"{self.server} {self.fault.__name__.replace('_', ' ')}"


TRIALS = (
    *(Trial(killed, server) for server in SERVERS),
    Trial(kept_from_its_port, "modbus"),
    Trial(hung, "opcua", HUNG_BAR_S),
    Trial(killed, "scan"),
    Trial(stopped_for_a_while, "scan"),
)


def try_it(scene: Scene, trial: Trial) -> list[Result]:
    """Do it under load, beside the C loop, and see what became of every client."""
    is_server = trial.server != "scan"
    before = overruns(scene.site) if is_server else 0
    count = int(WINDOW_S * 1e9 / PERIOD_NS)
    arguments = [str(scene.program), str(PERIOD_NS), str(count), str(PRIORITY), str(PERIOD_NS // 2)]
    c_loop = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    pid, begun = scene.pid(trial.server), time.monotonic()
    trial.fault(scene, trial.server)
    if trial.fault is not stopped_for_a_while:
        until(lambda: scene.pid(trial.server) not in (0, pid), PATIENCE_S, f"{trial.name}: another process")
    concerned = _concerned(scene, trial.server)
    until(lambda: all(w.is_good_again(begun) for w in concerned), PATIENCE_S, f"{trial.name}: good values again")
    if is_server:
        until(lambda: is_up(scene.site, trial.server), PATIENCE_S, f"{trial.name}: it says that it listens")
    up = time.monotonic() - begun
    results = []
    if trial.server == "opcua" and scene.node is not None:
        results.append(Result(f"{trial.name}: {OPCUA_VALUES} goes on", _node_seconds(scene.node, begun), "s", trial.bar))
    late = [int(line) for line in c_loop.communicate()[0].split()]
    recovery = max((w.seconds_without(begun) or 0.0 for w in concerned), default=up)
    old = sum(len(stale(w.after(begun - 2.0))) for w in scene.witnesses.values())
    results += [
        Result(f"{trial.name}: until {'values are good' if concerned else 'it watches'} again", recovery, "s", trial.bar),
        Result(f"{trial.name}: old values shown as good", old, "values", 0),
    ]
    if is_server:
        ours, theirs = overruns(scene.site) - before, sum(ns > PERIOD_NS for ns in late)
        scene.overruns.append((ours, theirs))
        results += [
            Result(f"{trial.name}: missed scans", ours, "scans"),
            Result(f"{trial.name}: missed by the C loop", theirs, "scans"),
        ]
    return results


def _concerned(scene: Scene, server: str) -> list[Witness]:
    """Whose values stop with this server; all do with the scan's, none with the records'."""
    return list(scene.witnesses.values()) if server == "scan" else [w for name, w in scene.witnesses.items() if name == server]


def _node_seconds(node: NodeClient, begun: float) -> float:
    """Until the subscription of a client that connects again by itself brings values again."""
    node("counts")
    until(lambda: node("counts")["values"] > 0, PATIENCE_S, "node-opcua's subscription goes on")
    return time.monotonic() - begun


def run() -> list[Result]:
    """What `make bench` shows."""
    program, why = compile_c("periodic.c", shared=False), missing_node()
    if why:
        skipped("server_faults: node-opcua", why)
    with tempfile.TemporaryDirectory(prefix="bessplc-faults-") as folder, running_site(Path(folder)) as site, ExitStack() as stack:
        site.wait_for("running", 180)
        until(lambda: all(is_up(site, server) for server in SERVERS), 60, "all servers listen")
        witnesses = [
            modbus_witness(port_of(site, "modbus"), COUNTER_AT),
            opcua_witness(port_of(site, "opcua")),
            rest_witness(port_of(site, "rest")),
        ]
        node = None
        if not why:
            node = NodeClient(site.status("opcua")["listening"])
            stack.callback(node.close)
            node("subscribe", nodes=["ns=2;s=plc.scan", "ns=2;s=plc.uptime"], every=100, sampling=100, queue=10)
        scene = Scene(site, {w.name: w for w in witnesses}, program, node)
        stack.enter_context(watching(witnesses))
        stack.enter_context(loaded(port_of(site, "modbus")))
        until(lambda: all(any(look.is_good for look in w.looks) for w in witnesses), 30, "all witnesses see good values")
        results = [result for trial in TRIALS for result in try_it(scene, trial)]
    ours, theirs = (sum(column) for column in zip(*scene.overruns, strict=True))
    return [
        *results,
        Result("all faults of servers: missed by the C loop", theirs, "scans"),
        Result("all faults of servers: missed scans", ours, "scans", float(theirs)),
    ]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(pollers(int(sys.argv[1])))
