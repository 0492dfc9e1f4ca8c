"""The grid site (64 racks, 16,384 cells) running for real, in a copy on free ports; what its processes cost, and its commands."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.app import generation_of, read_site
from runtime.engine.north import Commands, Snapshot
from runtime.model import Site
from tests.aids.places import ROOT
from tests.aids.site import FOLDERS, RunningSite, free_ports, started, until

SERVERS = (4840, 5020, 8080, 8088)
DEVICES, SPAN = 15020, 640  # ten ports a converter, 64 of them; meter, panel and climate stand between the first two
SITE_FILE = "config/sites/grid.yaml"
UP_S = 600  # a machine that has other work takes minutes to read 108,000 block instances
TICKS_A_S = os.sysconf("SC_CLK_TCK")


@dataclass
class GridSite:
    """The running site, its program, its newest picture, and a ring for commands."""

    running: RunningSite
    site: Site
    snapshot: Snapshot
    commands: Commands

    def write(self, role: str, **values: float | bool) -> None:
        """Commands in this role; a tag's dot is two underlines."""
        for name, value in values.items():
            self.commands.write(self.site.schedule.tag(name.replace("__", ".")), value, role)

    def value(self, name: str) -> float:
        """A tag as it stands now."""
        self.snapshot.refresh()
        return float(self.snapshot.value(self.site.schedule.tag(name)))

    def processor_s(self) -> Mapping[str, float]:
        """Seconds of processor time that each process has had, by what it is."""
        pid = self.running.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {"supervisor": _processor_s(str(pid)), **{_name_of(child): _processor_s(child) for child in children}}


def _processor_s(pid: str) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS_A_S


def _name_of(pid: str) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    module = words[words.index("-m") + 1] if "-m" in words else words[0]
    return module.removeprefix("runtime.").removeprefix("engine.").removesuffix(".process").removesuffix(".__main__")


def write_site(folder: Path, site: str) -> list[int]:
    """A copy of what a site is made of, on ports that were free a moment ago; those of OPC UA, Modbus, the HMI and HTTP."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name)
    servers = free_ports(len(SERVERS))
    moved = dict(zip(SERVERS, servers, strict=True))
    first = _free_span()
    moved |= {port: first + port - DEVICES for port in range(DEVICES, DEVICES + 4)}
    for path in [*folder.glob(f"config/sites/{site}*.yaml"), *folder.glob("io_maps/*.yaml")]:
        path.write_text(re.sub(r"\b\d{4,5}\b", lambda m: str(moved.get(int(m[0]), m[0])), path.read_text()))
    return servers


def _free_span() -> int:
    """The first of so many ports below those that the system gives away."""
    while True:
        first = random.randrange(16000, 31000, SPAN)
        try:
            for port in range(first, first + SPAN, 10):
                for offset in range(4):
                    with socket.socket() as one:
                        one.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return first


@contextmanager
def running_grid(folder: Path) -> Iterator[GridSite]:
    """`bessplc run --sim` of the grid site; ends it by its process id."""
    root = folder / "grid"
    ports = write_site(root, "grid")
    with started(root, ports[:2], folder, "--sim", site_file=SITE_FILE) as running:
        running.wait_for("running", UP_S)
        site = read_site(root / SITE_FILE)[0]
        generation, region = generation_of(site.schedule), site.schedule.region
        snapshot = Snapshot(running.run_dir, region, generation)
        until(snapshot.refresh, 60, "the site scans")
        yield GridSite(running, site, snapshot, Commands(running.run_dir, "cli", region.size, generation))


def seconds_up(running: RunningSite) -> float:
    """From the command to the line that says that the site runs."""
    line = running.wait_for("running", 1)
    return float(line.get("seconds", time.monotonic() - running.begun))
