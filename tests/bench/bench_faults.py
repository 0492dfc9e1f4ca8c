"""While a server and the fieldbus are killed: overruns of the demo's scan against those of the C loop beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.aids.scada import Scada
from tests.aids.site import running_site, until
from tests.bench.bench_lateness import PERIOD_NS, PRIORITY
from tests.bench.measure import Result, compile_c

WINDOW_S = 20.0
VICTIMS = ("runtime.servers.modbus", "runtime.fieldbus.process", "runtime.servers.opcua")


def run() -> list[Result]:
    program = compile_c("periodic.c", shared=False)
    with tempfile.TemporaryDirectory(prefix="bessplc-faults-") as folder, running_site(Path(folder)) as site:
        site.wait_for("running", 180)
        until(lambda: site.status("modbus").get("listening") and site.status("opcua").get("listening"), 60, "both servers listen")
        before = _overruns(site.root, site.modbus)
        count = int(WINDOW_S * 1e9 / PERIOD_NS)
        arguments = [str(program), str(PERIOD_NS), str(count), str(PRIORITY), str(PERIOD_NS // 2)]
        c_loop = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        for victim in VICTIMS:
            time.sleep(2)
            os.kill(site.pid_of(victim), signal.SIGKILL)
        late = [int(line) for line in c_loop.communicate()[0].split()]
        ours = _overruns(site.root, site.modbus) - before
    theirs = sum(ns > PERIOD_NS for ns in late)
    return [
        Result("overruns of the C loop while processes die", theirs, "scans"),
        Result("overruns of the scan while processes die", ours, "scans", float(theirs)),
    ]


def _overruns(root: Path, port: int) -> int:
    scada = Scada(root, port)
    found = int(scada.read("plc.overruns"))
    scada.close()
    return found
