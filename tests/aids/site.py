"""Starts the real demo site (PLC, plant, servers) in a copy of its own, on free ports, and looks at it from outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.aids.places import DEMO, ROOT
from tests.aids.plant import RunningPlant, running_plant

FOLDERS = ("config", "programs", "io_maps", "dbc")


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [int(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait for a condition; the deadline is functional, with margin."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class RunningSite:
    """A running copy of the demo: its folder, process, ports, and what it logged."""

    root: Path
    process: subprocess.Popen[bytes]
    opcua: int
    modbus: int
    run_base: Path
    log_path: Path
    begun: float

    @property
    def run_dir(self) -> Path:
        return next(p for p in self.run_base.iterdir() if p.is_dir())

    def log(self) -> list[dict[str, Any]]:
        """The log lines so far."""
        lines = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append({"text": line})
        return lines

    def wait_for(self, event: str, seconds: float = 60, **facts: Any) -> dict[str, Any]:
        """The first log line of this event and these facts."""

        def found() -> dict[str, Any] | None:
            assert self.process.poll() is None or event == "stopped", f"the site ended:\n{self.log_path.read_text()[-4000:]}"
            return next((e for e in self.log() if e.get("event") == event and all(e.get(k) == v for k, v in facts.items())), None)

        result: dict[str, Any] = until(found, seconds, f"log line {event} {facts}")
        return result

    def pid_of(self, module: str) -> int:
        """The process id of a child of the supervisor, by the module that it runs; 0 where there is none."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in children:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if module.encode() in words:
                return int(pid)
        return 0

    def status(self, service: str) -> dict[str, Any]:
        """What a process wrote to its status file; empty where it did not yet."""
        try:
            read: dict[str, Any] = json.loads((self.run_dir / f"{service}.json").read_text())
        except (OSError, ValueError, StopIteration):
            return {}
        return read

    def stop(self, seconds: float = 60) -> int:
        """Ctrl-C, and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=seconds)


def copy_site(target: Path, can0: str = "$RUN/can0", without: Collection[str] = ()) -> tuple[Path, list[int]]:
    """A copy of the demo with free ports everywhere: OPC UA, Modbus, the plant's devices, and HTTP; and without some servers."""
    for folder in FOLDERS:
        shutil.copytree(DEMO / folder, target / folder)
    written = ("4840", "5020", "15020", "15021", "15022", "8080", "8088")
    ports = free_ports(len(written))
    numbers = dict(zip(written, map(str, ports), strict=True))
    for path in [*target.glob("config/*.yaml"), *target.glob("io_maps/*.yaml")]:
        text = path.read_text().replace("$RUN/can0", can0)
        path.write_text(re.sub(rf"\b({'|'.join(written)})\b", lambda m: numbers[m.group()], text))
    for server in without:
        path = target / "config/site.yaml"
        text, found = re.subn(rf"^  {server}: {{.*\n", "", path.read_text(), flags=re.MULTILINE)
        assert found == 1, f"the demo has no line of the server {server}"
        path.write_text(text)
    return target, ports


@contextmanager
def running_site(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[RunningSite]:
    """Run a copy of the demo with its own plant; ends it, and whatever it left, by its pid."""
    root, ports = copy_site(folder / "demo")
    with started(root, ports, folder, "--sim", *arguments, environment=environment) as site:
        yield site


@contextmanager
def running_beside(folder: Path, *arguments: str) -> Iterator[tuple[RunningSite, RunningPlant]]:
    """Run a copy of the demo against a plant that is not its child, and so outlives it."""
    plant_dir = folder / "plant"
    plant_dir.mkdir()
    root, ports = copy_site(folder / "demo", can0=str(plant_dir / "can0"))
    with (
        running_plant(plant_dir, "--ports-from-config", config=root / "config/plant.yaml") as plant,
        started(root, ports, folder, *arguments) as site,
    ):
        yield site, plant


@contextmanager
def started(
    root: Path,
    ports: list[int],
    folder: Path,
    *arguments: str,
    environment: dict[str, str] | None = None,
    site_file: str = "config/site.yaml",
) -> Iterator[RunningSite]:
    """`bessplc run` on this copy."""
    run_base = folder / "run"
    run_base.mkdir(exist_ok=True)
    log_path = folder / "site.log"
    env = {**os.environ, "BESSPLC_RUN": str(run_base), "XDG_STATE_HOME": str(folder / "state"), **(environment or {})}
    command = [sys.executable, "-m", "runtime.cli", "run", "--site", str(root / site_file), *arguments]
    begun = time.monotonic()
    with log_path.open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    site = RunningSite(root, process, ports[0], ports[1], run_base, log_path, begun)
    try:
        yield site
    finally:
        if process.poll() is None:
            try:
                site.stop()
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
