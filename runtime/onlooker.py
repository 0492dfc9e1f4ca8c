"""A look at a running site from another process: its newest snapshot and the fieldbus' own words. It writes nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from runtime import quality, rundir
from runtime.app import generation_of
from runtime.child import FIELDBUS_STATUS
from runtime.engine.image import ImageError, Shared
from runtime.engine.north import Snapshot
from runtime.engine.south import SCAN_FILE
from runtime.model import STATES, Site, Tag

STALE_S = 1.0


class NotRunningError(Exception):
    """There is no site to look at; the message says why and what to do."""


class Onlooker:
    """A running site as read from its run folder. `refresh` takes the newest picture."""

    def __init__(self, site: Site, file: Path):
        self.site, self.file = site, file
        self.folder = rundir.folder_of(file)
        self._generation = generation_of(site.schedule)
        self.snapshot = Snapshot(self.folder, site.schedule.region, len(site.schedule.outputs.source), self._generation)
        self.fieldbus: dict[str, Any] = {}

    def attach(self, patience: float = 1.0) -> None:
        """Take the first picture. Raises NotRunningError where no site of these files runs."""
        until = time.monotonic() + patience
        while not self.refresh():
            holder = rundir.holder(self.file)
            if holder is None:
                raise NotRunningError(f"{self.file} is not running: `bessplc run --site {self.file}` starts it")
            if time.monotonic() > until:
                raise NotRunningError(self._why_not(holder))
            time.sleep(0.02)

    def _why_not(self, holder: int) -> str:
        try:
            Shared.attach(self.folder / SCAN_FILE, self._generation)
        except ImageError as error:
            if "another program" in str(error):
                return f"the site that process {holder} runs was read from other files than these: stop it and start it again"
            return f"the site of process {holder} does not scan yet"
        return f"the scan of process {holder} publishes nothing"

    def refresh(self) -> bool:
        """The newest snapshot and fieldbus status; whether there is any snapshot yet."""
        self.snapshot.refresh()
        try:
            read = json.loads((self.folder / FIELDBUS_STATUS).read_text())
            self.fieldbus = read if isinstance(read, dict) else {}
        except (OSError, ValueError):
            self.fieldbus = {}  # not written yet, or being started again
        return self.snapshot.scan > 0

    @property
    def age(self) -> float:
        """Seconds since the newest snapshot."""
        return (time.monotonic_ns() - self.snapshot.monotonic) / 1e9

    @property
    def state(self) -> str:
        """The scan's own word, or that it says nothing any more."""
        return STATES[self.snapshot.state] if self.age < STALE_S else "no scan"

    @property
    def outputs(self) -> str:
        """What the fieldbus does with the outputs: live, going safe, safe, inhibited; or that it does not say."""
        return str(self.fieldbus.get("outputs", "not known"))

    def device_words(self, name: str) -> dict[str, Any]:
        """What the device's driver says for people."""
        found = self.fieldbus.get("devices", {}).get(name, {})
        return found if isinstance(found, dict) else {}

    def tag(self, name: str) -> Tag:
        return self.site.schedule.tag(name)

    def value(self, tag: Tag) -> Any:
        return self.snapshot.value(tag)

    def quality(self, tag: Tag) -> int:
        """The tag's quality; nothing is good any more once the scan is silent."""
        said = self.snapshot.quality(tag)
        return quality.UNCERTAIN_LAST_USABLE if quality.is_good(said) and self.age >= STALE_S else said

    def age_of(self, tag: Tag) -> float | None:
        """Seconds since the tag's last good reading; None for what is computed, or was never read."""
        read = int(self.snapshot.times[tag.index])
        return (time.monotonic_ns() - read) / 1e9 if read else None
