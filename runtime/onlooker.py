"""A look at a running site from another process: its newest snapshot and the fieldbus' own words. It writes nothing."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from runtime import quality, rundir
from runtime.app import generation_of
from runtime.child import FIELDBUS_STATUS
from runtime.engine.image import ImageError, Shared
from runtime.engine.north import Snapshot
from runtime.engine.south import OUTBOX_FILE, SCAN_FILE
from runtime.io_generation import io_generation_of
from runtime.model import Site, Tag
from runtime.running_program import running_program
from runtime.system_tags import STATES

STALE_S = 1.0
NOT_LOADED = "the files were edited since: this is the program that runs (`bessplc load --dry-run` shows what differs)"
OTHER_DEVICES = "the devices in the files are not those of the site that runs: put the io_maps back, or restart the site"


class NotRunningError(Exception):
    """There is no site to look at; the message says why and what to do."""


class Onlooker:
    """A running site as read from its run folder. `refresh` takes the newest picture."""

    def __init__(self, site: Site, file: Path):
        self.file = file
        self.folder = rundir.folder_of(file)
        self.fieldbus: dict[str, Any] = {}
        self._turn_to(site)

    def _turn_to(self, site: Site) -> None:
        self.site, self._generation = site, generation_of(site.schedule)
        self.snapshot = Snapshot(self.folder, site.schedule.region, self._generation)

    def attach(self, patience: float = 1.0, *, with_devices: bool = False, as_in_files: bool = False) -> None:
        """Take the first picture, of the program that runs where the files were edited since: that is said on standard error.

        Raises NotRunningError where the site does not run, or, `with_devices`, where its devices are not those of the files, or,
        `as_in_files`, where its program is not.
        """
        until = time.monotonic() + patience
        while not self.refresh():
            if not as_in_files and self.turn_to_running():
                if with_devices and not self.site.devices:
                    raise NotRunningError(OTHER_DEVICES)
                sys.stderr.write(f"{NOT_LOADED}\n")
                continue
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
                return f"the program that process {holder} runs is not that of the files: `bessplc load` loads what was edited"
            return f"the site of process {holder} does not scan yet"
        return f"the scan of process {holder} publishes nothing"

    def turn_to_running(self) -> bool:
        """Look at the program that runs, where it is another one than until now; whether it is.

        It has no devices where those of the files are others.
        """
        running = running_program(self.folder)
        if running is None or generation_of(running) == self._generation:
            return False
        site = replace(self.site, schedule=running)
        try:
            Shared.attach(self.folder / OUTBOX_FILE, io_generation_of(site))
        except ImageError:
            site = replace(site, devices=())
        self._turn_to(site)
        return True

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
