"""Runs a site: reads it, starts scan, fieldbus, servers and plant, each its own process, and stops them in the right order.

The only file that knows every room.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from blocks import catalogue
from runtime import child, rundir
from runtime.child import FieldbusOrder, ScanOrder, ServiceOrder, SwapOrder
from runtime.fieldbus import drivers
from runtime.io_generation import io_generation_of
from runtime.language import load_site
from runtime.model import ROLES, Schedule, Site
from runtime.servers.describe import SERVERS, describe_servers, module_of
from runtime.servers.users_file import users_of
from runtime.site_audit import SiteAudit
from runtime.site_files import plant_of
from runtime.source import Problem
from runtime.supervisor import Supervisor

SCAN, FIELDBUS, PLANT = "runtime.engine.scan", "runtime.fieldbus.process", "runtime.simulation"
ALWAYS = ("records", "recorder")  # run whether or not the site says a word of them: what happened is nobody's option
PRIORITY = 80
SAFE_PATIENCE_S = 30.0
STOP_PATIENCE_S = 5.0
PLANT_PATIENCE_S = 60.0

Tell = Callable[[str, str, dict[str, Any]], None]
Listener = Callable[[str, str, dict[str, Any]], None]


@dataclass(frozen=True)
class RunOptions:
    """What `bessplc run` was asked for."""

    site: Path
    sim: bool = False
    cold: bool = False
    inhibit: bool = False
    log: IO[bytes] | None = None  # where the processes write their logs; our standard error where it is None
    reboot: tuple[str, ...] = ()  # the command by which the site may reboot the machine; empty: it may not


@dataclass(frozen=True)
class Stopped:
    """How a site ended: whether the fieldbus ended by itself, and the devices that did not take their safe values."""

    by_itself: bool
    missed: tuple[str, ...] = ()

    @property
    def outputs(self) -> str:
        """What the outputs are now, in words."""
        if not self.by_itself:
            return "not known to be safe"
        return f"safe but for {', '.join(self.missed)}: there the device's own time-out must act" if self.missed else "safe"


def read_site(path: Path) -> tuple[Site, tuple[Problem, ...]]:
    """The checked site and its warnings. Raises SiteError with every mistake of every file."""
    return load_site(path, drivers(), catalogue(), describe_servers)


def generation_of(schedule: Schedule) -> int:
    """The number that all shared files of this program must carry."""
    return int(schedule.digest[:16], 16) >> 1


class App:
    """A running site. `start` brings it up, `attend` keeps it up, `stop` ends it with safe outputs."""

    def __init__(self, options: RunOptions, tell: Tell):
        self.options, self.tell = options, tell
        self.hold = rundir.hold(options.site)
        self.folder = self.hold.folder
        self.supervisor = Supervisor(self._hear)
        self.audit = SiteAudit(rundir.state_folder_of(options.site))
        self.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.scanning = False
        self.plant: dict[str, Any] = {}
        self.starts = 0
        self.read_at = 0  # when the site's files began to be read, ns since 1970
        self.listeners: list[Listener] = []  # hear what the processes say: process, event, facts
        self.site: Site | None = None
        self.warnings: tuple[Problem, ...] = ()
        self._commands: tuple[int, Any] | None = None  # of which program (its generation), and our ring to its scan

    def start(self, asked_to_stop: Callable[[], bool] = lambda: False) -> bool:
        """Bring the site up, the scan first; False where somebody asked to stop meanwhile.

        Raises SiteError before anything but the plant was started.
        """
        early = self._begin_scan()
        try:
            if self.options.sim:
                self.supervisor.take("plant", self._start_plant)
            self.read_at = time.time_ns()
            self.site, self.warnings = read_site(self.options.site)
        except BaseException:
            early.kill()
            early.wait()
            raise
        ready = [early]
        self.supervisor.take("scan", lambda: self._start_scan(ready))
        until = time.monotonic() + PLANT_PATIENCE_S
        while not self.scanning or (self.options.sim and not self.plant and time.monotonic() < until):
            self.supervisor.attend(0.02)
            if asked_to_stop():
                return False
        self.supervisor.take("fieldbus", self._start_fieldbus)
        for name in SERVERS:
            if name in self.site.servers or name in ALWAYS:
                self.supervisor.take(name, lambda name=name: self._start_server(name))  # type: ignore[misc]
        return True

    def _warm(self, schedule: Schedule) -> Schedule:
        """The schedule with retained values over its defaults."""
        from runtime.engine import retain

        warm = retain.restore(schedule, rundir.state_folder_of(self.options.site))
        if warm.restored or warm.notes:
            self.tell("runtime", "warm start", {"restored": list(warm.restored), "notes": list(warm.notes)})
        return warm.schedule

    def _hear(self, name: str, event: dict[str, Any]) -> None:
        kind = event.pop("event", "said")
        if name == "scan" and kind == "scanning":
            self.scanning = True
        if name == "plant" and event.get("ready"):
            self.plant, kind = event, "ready"
        self.tell(name, kind, event)
        for listener in self.listeners:
            listener(name, kind, event)

    def tell_scan(self, order: SwapOrder) -> bool:
        """Give the running scan a further order; False where none runs."""
        scan = self.supervisor.charges["scan"].child
        if scan is None or scan.poll() is not None:
            return False
        child.give(scan, order, more_later=True)
        return True

    def give(self, command: str) -> None:
        """Write a command of the site as the runtime itself: true, once. Nobody waits for the scan's answer."""
        from runtime.engine.north import Commands

        assert self.site is not None
        schedule, generation = self.site.schedule, generation_of(self.site.schedule)
        if self._commands is None or self._commands[0] != generation:
            self._commands = (generation, Commands(self.folder, "supervisor", schedule.region.size, generation))
        ring = self._commands[1]
        for reply in ring.replies():
            self.tell("runtime", "command", {"answer": reply.text, "scan": reply.scan})
        ring.write(schedule.tag(command), True, ROLES[-1])

    def take_site(self, site: Site) -> None:
        """The scan runs this site's program now: the servers follow it, and whatever is restarted starts with it."""
        self.site = site
        for name in SERVERS:
            charge = self.supervisor.charges.get(name)
            if charge is not None and charge.child is not None and charge.child.poll() is None:
                child.give(charge.child, self._server_order(name), more_later=True)

    def _begin_scan(self) -> subprocess.Popen[bytes]:
        return child.begin(SCAN, (self.wake, self.hold.handle), stdout=subprocess.PIPE, stderr=self.options.log)

    def _start_scan(self, ready: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """The scan with what is retained now: a restarted one must not fall back to what was retained at the first start."""
        process = ready.pop() if ready else self._begin_scan()
        child.give(process, self._scan_order(), more_later=True)
        self.scanning = False
        self.starts += 1
        return process

    def _scan_order(self) -> ScanOrder:
        assert self.site is not None
        schedule = self.site.schedule if self.options.cold and not self.starts else self._warm(self.site.schedule)
        generation, of_io = generation_of(schedule), io_generation_of(self.site)
        return ScanOrder(str(self.folder), schedule, generation, self.wake, self.options.inhibit, PRIORITY, of_io)

    def _start_fieldbus(self) -> subprocess.Popen[bytes]:
        assert self.site is not None
        schedule = self.site.schedule
        order = FieldbusOrder(
            run_dir=str(self.folder),
            root=self.site.root,
            generation=io_generation_of(self.site),
            devices=self.site.devices,
            inputs=len(schedule.inputs.tag),
            outputs=len(schedule.outputs.source),
            wake=self.wake,
            scan_timeout=schedule.watchdog.heartbeat,
            inhibit=self.options.inhibit,
        )
        return child.start(FIELDBUS, order, (self.wake, self.hold.handle), stderr=self.options.log)

    def _start_server(self, name: str) -> subprocess.Popen[bytes]:
        return child.start(module_of(name), self._server_order(name), more_later=True, stderr=self.options.log)

    def _server_order(self, name: str) -> ServiceOrder:
        assert self.site is not None
        schedule = self.site.schedule
        return ServiceOrder(
            service=name,
            site=self.site.name,
            run_dir=str(self.folder),
            root=self.site.root,
            generation=generation_of(schedule),
            tags=schedule.tags,
            region=schedule.region,
            alarms=schedule.alarms,
            settings=dict(self.site.servers.get(name) or {}),
            state_dir=str(rundir.state_folder_of(self.options.site)),
            users=str(users_of(self.options.site)),
            tick=schedule.tick,
            tasks=schedule.tasks,
            groups=schedule.groups,
            pins=schedule.pins,
            schedule=schedule if name == "recorder" else None,
            constants=self.site.constants,
            authority=next((tag.name for tag in schedule.tags if tag.offset == schedule.authority), ""),
        )

    def _start_plant(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", PLANT, "--config", str(plant_of(self.options.site)), "--run-dir", str(self.folder)]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.options.log, cwd=child.ROOT, process_group=0
        )  # the terminal's Ctrl-C must not take the plant before the safe values are written

    def attend(self, seconds: float) -> None:
        """Keep everything alive for this long."""
        self.supervisor.attend(seconds)

    def processes(self) -> Mapping[str, tuple[int, int]]:
        """Process id (0 while down) and number of restarts of every process."""
        charges = self.supervisor.charges.values()
        return {c.name: (c.child.pid if c.child else 0, c.restarts) for c in charges}

    def stop(self) -> Stopped:
        """Stop: servers first, then the scan, whose last outbox is safe, then the fieldbus once the safe values are written."""
        stop = self.supervisor.stop
        for name in SERVERS:
            self.supervisor.stopping = True
            charge = self.supervisor.charges.get(name)
            if charge and charge.child and charge.child.poll() is None:
                charge.child.send_signal(signal.SIGTERM)
        stop("scan", STOP_PATIENCE_S)
        stop("fieldbus", SAFE_PATIENCE_S)
        for name in (*SERVERS, "plant"):
            stop(name, STOP_PATIENCE_S)
        stopped = self._how_the_fieldbus_ended()
        self.audit.close()
        self.hold.release()
        return stopped

    def _how_the_fieldbus_ended(self) -> Stopped:
        fieldbus = self.supervisor.charges.get("fieldbus")
        code = fieldbus.child.returncode if fieldbus is not None and fieldbus.child is not None else None
        if code != child.EXIT_MISSED:
            return Stopped(code == 0)
        try:
            missed = json.loads((self.folder / child.FIELDBUS_STATUS).read_text())["missed"]
            return Stopped(True, tuple(map(str, missed)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.tell("runtime", "fieldbus status not read", {"error": str(error)})
            return Stopped(True, ("a device whose name is not known",))
