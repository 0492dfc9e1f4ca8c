"""Online change at 8,000 blocks in a real scan process: how much longer the gap between two scans gets, overruns, edit to live."""

from __future__ import annotations

import json
import pickle
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runtime import child
from runtime.app import generation_of, read_site
from runtime.child import ScanOrder, SwapOrder
from runtime.control_prepare import Prepared, PrepareOrder
from runtime.engine.north import Snapshot
from runtime.model import Site
from tests.aids.site import until
from tests.bench.measure import Result, compile_c
from tests.bench.programs import channel_files

CHANNELS, SWAPS, EDITS = 1000, 50, 5
PERIOD_NS, PRIORITY = 10_000_000, 80
SETTLE_S = 1.0
SCANS = 100  # of the C loop at a time, as long as the swaps take


def run() -> list[Result]:
    folder = Path(tempfile.mkdtemp(prefix="bessplc-online-", dir="/dev/shm"))
    try:
        return _measured(folder)
    finally:
        shutil.rmtree(folder)


def _measured(folder: Path) -> list[Result]:
    files = channel_files(CHANNELS)
    sites = [_write(folder / f"site{n}", _edited(files, n)) for n in range(2)]
    with _scan(folder, sites[0]) as scan:
        snapshot = Snapshot(folder, sites[0].schedule.region, generation_of(sites[0].schedule))
        until(snapshot.refresh, 60, "the scan publishes")
        before = _overruns(snapshot, sites[0])
        with _c_loop() as c_overruns:
            took = [scan.swap(sites[(n + 1) % 2])["took"] / 1e3 for n in range(SWAPS)]
        last = sites[SWAPS % 2]
        snapshot = Snapshot(folder, last.schedule.region, generation_of(last.schedule))
        until(snapshot.refresh, 60, "the scan publishes")
        ours = _overruns(snapshot, last) - before
        lived = [_edit(folder / "live", _edited(files, 2 + n), last, scan) for n in range(EDITS)]
    return [
        Result("8,000 blocks, swap: added to the scan's gap, p50", statistics.median(took), "us", 500.0),
        Result("8,000 blocks, swap: added to the scan's gap, max", max(took), "us"),
        Result(f"8,000 blocks, {SWAPS} swaps: overruns beyond a C loop's", ours - sum(c_overruns), "scans", 0.0),
        Result("8,000 blocks, edit to live", statistics.median(lived), "s", 2.0),
    ]


def _edited(files: dict[str, str], number: int) -> dict[str, str]:
    """The same program with one block more and another parameter."""
    text = files["programs/channels.yaml"].replace("PT: 100 ms", f"PT: {100 + number} ms", 1)
    return {**files, "programs/channels.yaml": f"{text}  more{number}: {{type: LAG, IN: plant.pv, T: {number + 1} s}}\n"}


def _write(root: Path, files: dict[str, str]) -> Site:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return read_site(root / "config/site.yaml")[0]


def _edit(root: Path, files: dict[str, str], running: Site, scan: _Scan) -> float:
    """From the saved file to the scan that runs it, as `bessplc load` does it."""
    site = _write(root, files)
    begun = time.perf_counter()
    preparer = child.start("runtime.control_prepare", PrepareOrder(str(root / "config/site.yaml"), running), stdout=subprocess.PIPE)
    prepared: Prepared = pickle.loads(preparer.communicate()[0])
    assert prepared.site is not None and prepared.site.schedule.digest == site.schedule.digest
    scan.swap(prepared.site)
    return time.perf_counter() - begun


def _overruns(snapshot: Snapshot, site: Site) -> int:
    snapshot.refresh()
    return int(snapshot.value(site.schedule.tag("plc.overruns")))


@contextmanager
def _c_loop() -> Iterator[list[int]]:
    """A C loop of the same period and priority beside it, half a period away: it meets the same machine. Yields its overruns."""
    program = compile_c("periodic.c", shared=False)
    arguments = [str(program), str(PERIOD_NS), str(SCANS), str(PRIORITY), str(PERIOD_NS // 2)]
    overruns: list[int] = []
    end = threading.Event()

    def loop() -> None:
        while not end.is_set():
            printed = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
            overruns.append(sum(int(line) >= PERIOD_NS for line in printed.split()))

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield overruns
    finally:
        end.set()
        thread.join()


class _Scan:
    """The scan process, and what it says."""

    def __init__(self, folder: Path, site: Site):
        self._process = child.begin("runtime.engine.scan", stdout=subprocess.PIPE)
        order = ScanOrder(str(folder), site.schedule, generation_of(site.schedule), -1, False, PRIORITY, 1)
        child.give(self._process, order, more_later=True)
        self._number = 0

    def hear(self, event: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said: dict[str, Any] = json.loads(line)
            if said["event"] == event:
                return said
        raise AssertionError(f"the scan ended before it said {event}")

    def swap(self, site: Site) -> dict[str, Any]:
        self._number += 1
        child.give(self._process, SwapOrder(self._number, site.schedule, generation_of(site.schedule)), more_later=True)
        said = self.hear("loaded")
        assert said["is_swapped"], said
        return said

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def _scan(folder: Path, site: Site) -> Iterator[_Scan]:
    scan = _Scan(folder, site)
    try:
        scan.hear("scanning")
        time.sleep(SETTLE_S)
        yield scan
    finally:
        scan.end()
