"""A PLC on a bench whose scans are taped, and the demo's rack and converter, healthy unless the test says otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from runtime.app import read_site
from runtime.engine.tape_file import DATA, HEAD, PROGRAM, Span, pack, pack_object
from runtime.engine.tape_program import as_text, blocks_of
from runtime.engine.tape_read import TapeReader, records
from runtime.engine.tape_words import A_PICTURE, R_SCAN
from runtime.model import Site
from runtime.quality import GOOD
from tests.aids.engine import GENERATION, Bench
from tests.aids.site import copy_site


class TapedBench(Bench):
    """A bench whose every scan is taken from the tape; `words` is all of it so far."""

    def __init__(self, folder: Path, site: Site):
        super().__init__(folder, site)
        self.reader = TapeReader(folder, GENERATION)
        self.plc.attach()
        self._parts: list[np.ndarray] = []

    def scan(self, count: int = 1, ticks: int = 1) -> None:
        for _ in range(count):
            super().scan(1, ticks)
            self._parts.append(self.reader.take())

    @property
    def words(self) -> np.ndarray:
        return np.concatenate([*self._parts, np.zeros(0, np.int64)])

    def tape(self, path: Path) -> Path:
        """The tape as a file that carries its program, in blocks of a hundred scans."""
        schedule = self.schedule
        head = {"site": "bench", "digest": schedule.digest, "session": 1, "blocks": blocks_of(schedule)}
        blocks = [pack(PROGRAM, as_text(schedule).encode()), pack_object(HEAD, head)]
        parts = [part for part in self._parts if len(part)]
        for start in range(0, len(parts), 100):
            words = np.concatenate(parts[start : start + 100])
            blocks.append(pack(DATA, words.tobytes(), Span(int(words[R_SCAN]), int(parts[start : start + 100][-1][R_SCAN]))))
        path.write_bytes(b"".join(blocks))
        return path


def demo(folder: Path, *edits: tuple[str, str, str]) -> Site:
    """The demo site in a folder of its own; each edit is a file, a text in it, and what stands there instead."""
    copy_site(folder)
    for name, was, becomes in edits:
        path = folder / name
        text = path.read_text()
        assert was in text
        path.write_text(text.replace(was, becomes))
    return read_site(folder / "config/site.yaml")[0]


HEALTHY = {
    "bms.ok": 1,
    "pcs.ok": 1,
    "panel.estop_ok": 1,
    "panel.remote": 0,
    "bms.t_cell_max": 25.0,
    "bms.v_pack": 800.0,
    "pcs.v_dc": 800.0,
    "bms.soc": 60.0,
}


class DemoBench(TapedBench):
    """The demo's three programs, with every input fresh in every scan."""

    def __init__(self, folder: Path, site: Site):
        super().__init__(folder, site)
        self.values: dict[str, Any] = dict(HEALTHY)
        self._slots = {name: self.slot(name) for name in HEALTHY}
        own = {p.slot for device in site.devices for p in device.diagnostics}
        self._field = np.array([i for i in range(len(self.schedule.inputs.tag)) if i not in own])

    def pass_time(self, scans: int) -> None:
        """So many scans, with the field as `values` says."""
        for _ in range(scans):
            for name, value in self.values.items():
                cells = self.inbox.lreal if isinstance(value, float) else self.inbox.integer
                cells[self._slots[name]] = value
            self.inbox.quality[self._field] = GOOD
            self.inbox.time[self._field] = self.now + self.schedule.tick
            self.inbox.changed()
            self.inbox.publish()
            self.scan()


def first_picture(words: np.ndarray) -> int | None:
    """Where the first picture among these records begins."""
    return next((at for at, kind in records(words) if kind == A_PICTURE), None)


def first_scan_of(text: str, name: str) -> int:
    """The first scan in which the verb says that something changed."""
    found = re.search(rf"scan +([\d,]+) .* {re.escape(name)} ", text)
    assert found, text
    return int(found[1].replace(",", ""))
