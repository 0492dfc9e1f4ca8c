"""What a person sees of a running site: a live view on a terminal, a line now and then on a pipe. It reads snapshots only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime import quality
from runtime.engine.north import Snapshot
from runtime.model import Site, Tag
from runtime.system_tags import STATES

STALE_S = 1.0


@dataclass(frozen=True)
class Reading:
    """One tag as shown: its name, value with unit, and its quality in words where it is not good."""

    name: str
    value: str
    quality: str


def format_value(tag: Tag, value: Any) -> str:
    """A value with its unit, or the name of an enumeration's value."""
    names = dict(tag.names)
    if names and isinstance(value, int):
        return names.get(value, str(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g} {tag.unit}".rstrip()
    if isinstance(value, list):
        return f"[{len(value)}]"
    return f"{value} {tag.unit}".rstrip()


class Status:
    """The site's condition, refreshed from the newest snapshot."""

    def __init__(self, site: Site, folder: Path, generation: int):
        self.folder = folder
        self.follow(site, generation)

    def follow(self, site: Site, generation: int) -> None:
        """Show this site from now on."""
        self.site = site
        schedule = site.schedule
        self.snapshot = Snapshot(self.folder, schedule.region, generation)
        self.overview = [schedule.tag(name) for name in site.overview]
        self.alarms = [(alarm, schedule.tag(alarm.active)) for alarm in schedule.alarms]

    def refresh(self) -> bool:
        return self.snapshot.refresh()

    def value(self, name: str) -> Any:
        return self.snapshot.value(self.site.schedule.tag(name))

    @property
    def age(self) -> float:
        """Seconds since the newest snapshot was published."""
        return (time.monotonic_ns() - self.snapshot.monotonic) / 1e9

    @property
    def state(self) -> str:
        """The scan's own word, or that there is no scan to ask."""
        if not self.snapshot.scan:
            return "starting"
        return STATES[self.snapshot.state] if self.age < STALE_S else "no scan"

    def readings(self) -> Iterable[Reading]:
        """The tags of the site's overview."""
        for tag in self.overview:
            code = self.snapshot.quality(tag)
            yield Reading(
                tag.name, format_value(tag, self.snapshot.value(tag)), "" if quality.is_good(code) else quality.name(code)
            )

    def active_alarms(self) -> list[str]:
        """The texts of the alarms that are active now, critical first."""
        rank = {"critical": 0, "error": 1, "warning": 2}
        active = [a for a, tag in self.alarms if self.snapshot.value(tag)]
        return [f"{a.severity}: {a.text or a.name}" for a in sorted(active, key=lambda a: rank.get(a.severity, 3))]

    def listening(self) -> dict[str, str]:
        """Where each server listens, once it says so."""
        places = {}
        for name in self.site.servers:
            try:
                places[name] = str(json.loads((self.folder / f"{name}.json").read_text())["listening"])
            except (OSError, ValueError, KeyError):
                places[name] = "not listening yet"
        return places

    def timing(self) -> dict[str, float]:
        """The scan's own figures in microseconds."""
        names = ("scan_us", "scan_max_us", "late_us", "late_p99_us", "late_max_us")
        return {name: float(self.value(f"plc.{name}")) for name in names}

    def line(self) -> dict[str, Any]:
        """One line for a log."""
        timing = {name: round(value, 1) for name, value in self.timing().items()}
        shown = {r.name: f"{r.value} ({r.quality})" if r.quality else r.value for r in self.readings()}
        return {
            "state": self.state,
            "scan": self.snapshot.scan,
            "overruns": self.value("plc.overruns"),
            **timing,
            **shown,
            "alarms": self.active_alarms(),
        }


def render(status: Status, processes: dict[str, tuple[int, int]]) -> Any:
    """The live view as a rich renderable."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    colour = {"running": "green", "starting": "yellow", "inhibited": "yellow"}.get(status.state, "red")
    title = Text.assemble(
        (f"{status.site.name}  ", "bold"), (status.state.upper(), f"bold {colour}"), f"  scan {status.snapshot.scan}"
    )
    timing = status.timing()
    scan = Text(
        f"scan {timing['scan_us']:.0f} us (max {timing['scan_max_us']:.0f})   late {timing['late_us']:.0f} us "
        f"(p99 {timing['late_p99_us']:.0f}, max {timing['late_max_us']:.0f})   overruns {status.value('plc.overruns')}"
    )
    tags = Table.grid(padding=(0, 2))
    for reading in status.readings():
        tags.add_row(reading.name, Text(reading.value, style="bold"), Text(reading.quality, style="yellow"))
    alarms = [Text(f"! {text}", style="red") for text in status.active_alarms()] or [Text("no alarms", style="green")]
    servers = [Text(f"{name:8} {place}", style="dim") for name, place in status.listening().items()]
    down = [Text(f"{name} is down, restarted {n} times", style="red") for name, (pid, n) in processes.items() if not pid]
    return Group(title, scan, tags, *alarms, *down, *servers, Text("Ctrl-C stops with safe outputs", style="dim"))
