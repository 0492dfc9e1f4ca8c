"""The commercial site running for real with its simulated plant, users and the web page; and faults in the plant by its socket."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from runtime.servers.users import add_user
from tests.aids.grid_site import write_site
from tests.aids.places import ROOT
from tests.aids.servers_rest import PASSWORD
from tests.aids.site import RunningSite, started, until

SITE_FILE = "config/sites/commercial.yaml"
RUN, ERROR = 5, 8  # of state.machine


@dataclass
class Workshop:
    """The running site; `page` is the address of its HMI."""

    running: RunningSite
    folder: Path
    page: str
    rest: httpx.Client

    def plant(self, do: str, **details: Any) -> dict[str, Any]:
        """One request to the simulated plant, such as a fault."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(str(self.running.run_dir / "plant.sock"))
            control.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(control.makefile().readline())
        assert answer["ok"], answer
        return answer

    def value(self, tag: str) -> Any:
        """A tag as the HTTP API tells it."""
        return self.rest.get(f"/api/v1/tags/{tag}").json()["tag"]["value"]

    def is_connected(self) -> bool:
        """Whether every device of the site is online."""
        devices = self.rest.get("/api/v1/devices").json()["items"]
        return bool(devices) and all(device["state"] == "online" for device in devices)

    def until(self, holds: Callable[[], Any], seconds: float, what: str) -> Any:
        """Wait for a condition, and leave the machine to the plant meanwhile."""

        def look() -> Any:
            time.sleep(0.2)
            return holds()

        return until(look, seconds, what)

    def until_it_runs(self, seconds: float) -> None:
        """Wait for state Run. A machine too busy for scans of 10 ms trips the site: it is reset as an operator would."""

        self.until(self._runs, seconds, "the site runs")

    def until_metered(self, kw: float, seconds: float) -> None:
        """Wait until this power, or nearly so, is taken from the grid while the site runs."""
        self.until(lambda: self._runs() and abs(self.value("grid.p") - kw) < 3, seconds, f"{kw} kW at the connection")

    def _runs(self) -> bool:
        state = self.value("state.machine")
        if state == ERROR:
            self.verb("control", "--reset", "--state", "run")
        return bool(state == RUN)

    def verb(self, *words: str) -> str:
        """A verb of the command line, at this site."""
        environment = {**os.environ, "BESSPLC_RUN": str(self.running.run_base), "XDG_STATE_HOME": str(self.folder / "state")}
        command = [sys.executable, "-m", "runtime.cli", *words, "--site", str(self.running.root / SITE_FILE)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def running_workshop(folder: Path) -> Iterator[Workshop]:
    """`bessplc run --sim` of the commercial site with the users operator1, engineer1 and viewer1; ended on the way out."""
    root = folder / "site"
    ports = write_site(root, "commercial")
    file = root / SITE_FILE  # nobody waits ten minutes here until the plant may give all its power
    text = file.read_text().replace("constants:\n", "constants:\n  reconnect_after: 5 s\n  return_ramp: 10 s\n")
    file.write_text(text.replace("records: {", "records: {confirm: true, "))
    for role in ("viewer", "operator", "engineer"):
        add_user(root / "config/sites/users.yaml", f"{role}1", role, PASSWORD)
    with started(root, ports[:2], folder, "--sim", site_file=SITE_FILE) as running:
        running.wait_for("running", 300)
        for name in ("hmi", "rest"):
            until(functools.partial(_listening, running, name), 60, f"{name} listens")
        with httpx.Client(base_url=f"http://127.0.0.1:{ports[3]}", timeout=20) as rest:
            site = Workshop(running, folder, _listening(running, "hmi"), rest)
            site.until(site.is_connected, 60, "every device is online")
            yield site


def _listening(running: RunningSite, server: str) -> str:
    return str(running.status(server).get("listening", ""))
