"""A site that runs in the test's hands, as another process finds it: run folder, lock, snapshots and the fieldbus' words."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime import rundir
from runtime.app import generation_of
from runtime.child import FIELDBUS_STATUS
from runtime.engine.plc import Plc
from runtime.engine.south import Inbox
from runtime.model import Site
from runtime.onlooker import Onlooker
from runtime.quality import GOOD


class HeldSite:
    """A site that is held, scanned and fed by hand, on the real clock."""

    def __init__(self, file: Path, site: Site, io_generation: int | None = None):
        self.file, self.site, self.schedule = file, site, site.schedule
        self.hold = rundir.hold(file)
        self.folder = self.hold.folder
        self.generation = generation_of(site.schedule)
        self.plc = Plc(site.schedule, self.folder, self.generation, io_generation=io_generation)
        self.inbox = Inbox(self.folder, len(site.schedule.inputs.tag), self.plc.io_generation)
        self.plc.attach()
        self.plc.compile()  # so that the first scan is as quick as any

    def feed(self, values: Mapping[str, Any], quality: int = GOOD, ago: float = 0.0) -> None:
        """The field gives these readings, taken so many seconds ago; a list is an array's elements."""
        points = [p for d in self.site.devices for p in (*d.inputs, *d.diagnostics) if p.tag in values]
        assert {p.tag for p in points} == set(values)
        for point in points:
            value = values[point.tag]
            value = value[point.element] if isinstance(value, list) else value
            (self.inbox.lreal if point.type == "LREAL" else self.inbox.integer)[point.slot] = value
            self.inbox.quality[point.slot] = quality
            self.inbox.time[point.slot] = time.monotonic_ns() - int(ago * 1e9)
        self.inbox.changed()
        self.inbox.publish()

    def scan(self) -> None:
        self.plc.scan(time.monotonic_ns())

    def say(self, outputs: str = "live", **devices: Mapping[str, Any]) -> None:
        """What the fieldbus process writes for people."""
        (self.folder / FIELDBUS_STATUS).write_text(json.dumps({"outputs": outputs, "devices": devices}))

    def seen(self) -> Onlooker:
        """What another process sees."""
        onlooker = Onlooker(self.site, self.file)
        onlooker.attach()
        return onlooker

    def close(self) -> None:
        self.hold.release()
