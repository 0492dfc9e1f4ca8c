"""A campaign of faults on inputs: a real site, devices that misbehave at random, and a watch on every snapshot.

Every tag carries the time, or a line of a counter, so that each snapshot shows whether a tag that says GOOD tells the truth: a
value that was never true is poison, one that is older than `stale` (and the slack of a loaded machine) is old. Both are violations.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime import quality
from runtime.app import generation_of, read_site
from runtime.engine.north import Snapshot
from tests.aids.fault_can import CAN_KINDS
from tests.aids.fault_modbus import RTU_KINDS, TCP_KINDS
from tests.aids.fault_panel import PANEL_KINDS, WIDTH, Panel
from tests.aids.field_site import write_site
from tests.aids.field_watch import ACTIVE, IDLE, LOW, MS, RECOVERING, US, Kind, Watched, WatchedPanel
from tests.aids.fieldbus_child import DeviceProcess
from tests.aids.site import RunningSite, free_ports, started, until

SETTLED_S = 0.4  # a device is left alone for about so long between two faults
LONGEST_RECOVERY_S = 40.0
FIELDBUS, PLANT = "fieldbus killed", "devices killed"
COLD_S = 180.0
MOST = 100  # violations that are told


@dataclass
class Campaign:
    """A running campaign. `run` injects; `kinds` and `violations` say what came of it."""

    site: RunningSite
    snapshot: Snapshot
    devices: list[Watched]
    plants: list[DeviceProcess]
    orders: list[str]
    random: random.Random
    slack_ms: float
    longest_s: float
    kinds: dict[str, Kind] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    injected: int = 0
    looks: int = 0
    good_looks: int = 0

    def run(self, injections: int, kills: int = 0) -> None:
        """Inject at least so many faults, kill the fieldbus and a process of devices so often each, and wait until all is well."""
        self._settle()
        first_kill = injections // (2 * kills + 1) if kills else injections + 1
        next_kill, turn = first_kill, 0
        while self.injected < injections:
            if self.injected >= next_kill:
                self._kill_fieldbus() if turn % 2 else self._kill_devices()
                turn, next_kill = turn + 1, next_kill + first_kill
            self._step(inject=True)
        for device in self.devices:
            if device.state == ACTIVE:
                device.ends = 0.0
        self._settle()

    def _settle(self) -> None:
        """No more faults: until every device is well."""
        until = time.monotonic() + COLD_S
        while any(device.state != IDLE for device in self.devices):
            self._step(inject=False)
            assert time.monotonic() < until, f"not recovered: {[d.name for d in self.devices if d.state != IDLE]}"

    def _step(self, inject: bool) -> None:
        """Look at the newest snapshot and move every device on."""
        assert self.site.process.poll() is None, f"the site ended: {self.site.log_path.read_text()[-3000:]}"
        if not self.snapshot.refresh():
            time.sleep(0.002)
            return
        now, stamp = time.monotonic(), self.snapshot.monotonic
        self.looks += 1
        troubles = [f"{d.name}: {d.panel.trouble}" for d in self.devices if isinstance(d, WatchedPanel) and d.panel.trouble]
        assert not troubles, troubles
        for device in self.devices:
            is_well = self._look(device)
            if device.state == IDLE:
                if inject and now >= device.ends:
                    self._inject(device, now)
            elif device.state == ACTIVE:
                self._watch_fault(device, is_well, now, stamp)
            elif is_well and stamp / 1e9 > device.cleared_at():
                self._recover(device, now)
            elif device.kind is not None and now - device.ends > LONGEST_RECOVERY_S:
                self.violations.append(f"{device.name} did not recover from {device.kind.name}")
                device.kind, device.ends = None, now

    def _look(self, device: Watched) -> bool:
        """Whether all tags of the device are good; what a good tag says that is not so is a violation."""
        found = device.look(self.snapshot, self.slack_ms)
        self.good_looks += found.good
        if device.kind is not None:
            device.kind.qualities.update(quality.name(code) for code in found.bad)
        during = device.kind.name if device.kind else "nothing"
        self.violations += [f"{device.name}: good but {wrong}, during {during}" for wrong in found.wrong][
            : MOST - len(self.violations)
        ]
        return found.is_well

    def _inject(self, device: Watched, now: float) -> None:
        name = self.random.choice(device.kinds)
        device.kind = self.kinds.setdefault(f"{_bus(device.name)} {name}", Kind(f"{_bus(device.name)} {name}"))
        device.kind.count += 1
        self.injected += 1
        if isinstance(device, WatchedPanel):
            device.panel.fault(name)
        else:
            self.plants[device.process].ask("fault", device=device.name, kind=name)
        device.state, device.began, device.bad_at = ACTIVE, time.monotonic(), 0.0
        device.ends = now + self.random.uniform(0.3, device.longest_s(self.longest_s, self.slack_ms))

    def _watch_fault(self, device: Watched, is_well: bool, now: float, stamp: int) -> None:
        if not is_well and not device.bad_at:
            device.bad_at = max(stamp / 1e9, device.began)
        if now >= device.ends:
            self._clear(device)
            device.state, device.ends = RECOVERING, time.monotonic()

    def _clear(self, device: Watched) -> None:
        if isinstance(device, WatchedPanel):
            device.panel.clear()
        else:
            self.plants[device.process].ask("clear", device=device.name)

    def _recover(self, device: Watched, now: float) -> None:
        kind = device.kind
        if kind is not None:
            if device.bad_at:
                kind.to_bad.append(device.bad_at - device.began)
                kind.to_recover.append(now - (device.ends if kind.name == FIELDBUS else device.cleared_at()))
            else:
                kind.unseen += 1
        device.kind, device.state = None, IDLE
        device.ends = now + self.random.uniform(0.5, 1.5) * SETTLED_S

    def _strike(self, devices: Sequence[Watched], name: str, began: float) -> None:
        """The devices have a fault of everybody now; the one that each had ends with it."""
        kind = self.kinds.setdefault(name, Kind(name))
        kind.count += 1
        self.injected += 1
        for device in devices:
            if device.kind is not None:
                device.kind.overlapped += 1
            if device.state == ACTIVE and name == FIELDBUS:
                self._clear(device)
            device.kind, device.state = kind, RECOVERING
            device.began, device.ends, device.bad_at = began, time.monotonic(), 0.0

    def _kill_fieldbus(self) -> None:
        """kill -9; the supervisor starts another."""
        pid = self.site.pid_of("runtime.fieldbus.process")
        if pid:
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            self._strike(self.devices, FIELDBUS, began)
            self._wait_until_seen(self.devices)

    def _kill_devices(self) -> None:
        """kill -9 of a process of devices, and another one in its place after half a second."""
        number = self.random.randrange(len(self.plants))
        struck = [device for device in self.devices if device.process == number]
        began = time.monotonic()
        self.plants[number].kill()
        self._strike(struck, PLANT, began)
        self._wait_until_seen(struck)
        self.plants[number].close()
        self.plants[number] = DeviceProcess("fault_plant", self.orders[number])
        for device in struck:
            device.ends = time.monotonic()

    def _wait_until_seen(self, struck: Sequence[Watched]) -> None:
        """Until all struck devices are shown as not good, and the others are watched meanwhile."""
        patience = time.monotonic() + 5
        others = [device for device in self.devices if device not in struck]
        while time.monotonic() < patience and not all(device.bad_at for device in struck):
            if not self.snapshot.refresh():
                time.sleep(0.002)
                continue
            stamp = self.snapshot.monotonic
            for device in others:
                self._look(device)
            for device in struck:
                if not self._look(device) and not device.bad_at:
                    device.bad_at = stamp / 1e9

    def rows(self) -> list[dict[str, Any]]:
        return [self.kinds[name].row() for name in sorted(self.kinds)]


def _bus(device: str) -> str:
    return {"m": "modbus tcp", "r": "modbus rtu", "c": "can", "p": "lines"}[device[0]]


@contextmanager
def campaign(
    folder: Path,
    *,
    seed: int,
    tcp: int = 8,
    rtu: int = 2,
    can: int = 4,
    panels: int = 2,
    slack_ms: float = 500,
    longest_s: float = 1.0,
) -> Iterator[Campaign]:
    """Devices in two processes, panels of lines, and a site that reads them; ends all of them by their pid."""
    lines = folder / "lines"
    lines.mkdir(parents=True)
    ports = dict(zip((f"m{n}" for n in range(tcp)), free_ports(tcp), strict=True))
    serial = {f"r{n}": lines / f"r{n}" for n in range(rtu)}
    buses = {f"c{n}": lines / f"c{n}" for n in range(can)}
    site_file = write_site(folder / "site", ports, serial, buses, [f"p{n}" for n in range(panels)])
    orders = [_order(seed, half, ports, serial, buses) for half in range(2)]
    plants = [DeviceProcess("fault_plant", order) for order in orders]
    wires: dict[str, Panel] = {}
    try:
        with started(folder / "site", [0, 0], folder) as site:
            site.wait_for("running", COLD_S)
            wires |= {f"p{n}": Panel(site.run_dir / f"p{n}.lines", seed + n) for n in range(panels)}
            for panel in wires.values():
                panel.start()
            yield _watching(site, site_file, plants, orders, wires, seed, slack_ms, longest_s)
    finally:
        for panel in wires.values():
            panel.close()
        for plant in plants:
            plant.close()


def _half(device: str) -> int:
    return int(device[1:]) % 2


def _order(seed: int, half: int, ports: dict[str, int], serial: dict[str, Path], buses: dict[str, Path]) -> str:
    return json.dumps(
        {
            "seed": seed + half,
            "tcp": {name: port for name, port in ports.items() if _half(name) == half},
            "rtu": {name: str(link) for name, link in serial.items() if _half(name) == half},
            "can": {name: (str(link), 0x100) for name, link in buses.items() if _half(name) == half},
        }
    )


def _watching(
    site: RunningSite,
    site_file: Path,
    plants: list[DeviceProcess],
    orders: list[str],
    wires: dict[str, Panel],
    seed: int,
    slack_ms: float,
    longest_s: float,
) -> Campaign:
    schedule = read_site(site_file)[0].schedule
    snapshot = Snapshot(site.run_dir, schedule.region, generation_of(schedule))
    until(snapshot.refresh, 30, "a snapshot")
    what = {"t": MS, "u": US, "low": LOW}
    devices: list[Watched] = []
    for name, panel in wires.items():
        lines = [(schedule.tag(f"{name}.l{line}"), line) for line in range(WIDTH + 1)]
        cells = tuple((snapshot.column(tag), tag.index, line) for tag, line in lines)
        devices.append(WatchedPanel(name, PANEL_KINDS, -1, cells, panel=panel))
    for name in [part.stem for part in sorted((site_file.parents[1] / "io_maps").glob("[mrc]*.yaml"))]:
        kinds = {"m": TCP_KINDS, "r": RTU_KINDS, "c": CAN_KINDS}[name[0]]
        tags = [schedule.tag(f"{name}.{end}") for end in (("t", "low") if name[0] == "c" else ("t", "u"))]
        columns = tuple((snapshot.column(tag), tag.index, what[tag.name.split(".")[1]]) for tag in tags)
        devices.append(Watched(name, kinds, _half(name), columns))
    return Campaign(site, snapshot, devices, plants, orders, random.Random(seed), slack_ms, longest_s)
