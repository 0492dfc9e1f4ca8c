"""The grid site in real time: 16,384 cells on 64 racks at 100 ms beside protection at 10 ms, against a C loop beside it.

Twice: all of `bessplc run --sim` with its plant, fieldbus over 67 Modbus connections and 8 SLCAN lines, servers and recorder; and
the scan alone in this process, every cell's voltage new each 50 ms, for a machine without room for a plant beside it. The C loop
sleeps at the same period, half a period apart, with the same priority; a wake-up later than a period is its overrun.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from runtime.app import generation_of
from runtime.engine.north import Snapshot
from runtime.engine.plan import RUNNING
from runtime.engine.south import Inbox
from runtime.engine.statistics import GREATEST, LATE, ROW, SCAN, STEPS, timing
from runtime.model import Site
from runtime.quality import GOOD
from tests.aids.grid_site import GridSite, running_grid, seconds_up
from tests.aids.site import until
from tests.bench.bench_lateness import PERIOD_NS, WINDOWS, c_lateness, scanning
from tests.bench.measure import Result, compile_c, quantile

WINDOW_S = 12.0
CONNECTED_S = 240
BAR_US = 5000.0
FED_EVERY_S = 0.05


def run() -> list[Result]:
    program = compile_c("periodic.c", shared=False)
    with tempfile.TemporaryDirectory(prefix="bessplc-grid-", ignore_cleanup_errors=True) as name, running_grid(Path(name)) as grid:
        count = _connect(grid)
        site, begun, spent = grid.site, time.monotonic(), grid.processor_s()
        seen = _measure("grid site, all of it", site, grid.snapshot, program)
        passed, after = time.monotonic() - begun, grid.processor_s()
        costs = {process: 100 * (after.get(process, had) - had) / passed for process, had in spent.items()}
        results = [
            Result("grid site, from the command until it runs", seconds_up(grid.running), "s"),
            Result("grid site, all of it: racks of 64 that took part", count, ""),
            *seen,
            *(Result(f"grid site, all of it: {process}", cost, "% of a core") for process, cost in costs.items()),
        ]
    return [*results, *_alone(site, program)]


def _alone(site: Site, program: Path) -> list[Result]:
    """The scan in this process, with inputs that change, and nothing else of the site."""
    with (
        tempfile.TemporaryDirectory(prefix="bessplc-grid-", dir="/dev/shm") as name,
        scanning(site, Path(name)),
        _fed(site, Path(name)),
    ):
        snapshot = Snapshot(Path(name), site.schedule.region, generation_of(site.schedule))
        until(snapshot.refresh, 60, "the scan publishes")
        time.sleep(2.0)  # the first scans touch their memory for the first time
        return _measure("grid site, the scan alone", site, snapshot, program)


@contextmanager
def _fed(site: Site, folder: Path) -> Iterator[None]:
    """Every input good and fresh, and every cell's voltage another one, all the time."""
    inbox = Inbox(folder, len(site.schedule.inputs.tag), generation_of(site.schedule))
    cells = np.array([p.slot for device in site.devices for p in device.inputs if p.tag.endswith(".cell_v")])
    random, end = np.random.default_rng(1), threading.Event()

    def feed() -> None:
        while not end.wait(FED_EVERY_S):
            inbox.lreal[cells] = 3.3 + 0.002 * random.standard_normal(len(cells))
            inbox.quality[:] = GOOD
            inbox.time[:] = time.monotonic_ns()
            inbox.changed()
            inbox.publish()

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        end.set()
        feeder.join()


def _connect(grid: GridSite) -> float:
    """Close the racks and sell a reserve, so that power follows the grid's frequency in every scan; returns how many take part.

    On a machine too slow for 64 racks in real time some are lost: what was measured is then measured with the others.
    """
    racks, ends = grid.site.schedule.tag("racks.closed").length, time.monotonic() + CONNECTED_S
    grid.write("engineer", set__commissioned=True, cmd__reset=True)
    time.sleep(1.0)
    grid.write("operator", set__fcr_n=2000.0, cmd__GoToMode_SelfConsumption=True, cmd__GoToState_Running=True)
    while grid.value("racks.count") < racks and time.monotonic() < ends:
        time.sleep(0.5)
    return grid.value("racks.count")


def _measure(what: str, site: Site, snapshot: Snapshot, program: Path) -> list[Result]:
    """Windows of the scan's own statistics, and of the C loop's lateness meanwhile."""
    words = snapshot.statistics()
    cells = len(STEPS) + [task.name for task in site.schedule.tasks].index("cells")
    overruns = site.schedule.tag("plc.overruns")
    p99: list[tuple[float, float, float, float]] = []
    ours = theirs = stood = 0
    for _ in range(WINDOWS):
        snapshot.refresh()
        before, counted = words.copy(), snapshot.value(overruns)
        woken = c_lateness(program, WINDOW_S)
        seen = np.where(_is_greatest(words), words, words - before)
        snapshot.refresh()
        ours += snapshot.value(overruns) - counted
        theirs += sum(ns > PERIOD_NS for ns in woken)
        stood += snapshot.state != RUNNING  # too many overruns in a row: then a scan is short, and no figure
        p99.append((*(timing(seen, row).p99 for row in (SCAN, cells, LATE)), quantile(woken, 0.99) / 1e3))  # type: ignore[arg-type]
    scans, task, late, c_late = zip(*p99, strict=True)
    windows = f"{WINDOWS} windows of {WINDOW_S:g} s"
    return [
        Result(f"{what}: scan p99 (execution), median of {windows}", sorted(scans)[WINDOWS // 2], "us", BAR_US),
        Result(f"{what}: scan p99 (execution), the worst window", max(scans), "us"),
        Result(f"{what}: task `cells` p99, median window", sorted(task)[WINDOWS // 2], "us"),
        Result(f"{what}: overruns in {windows}, at most those of the C loop", ours, "", theirs),
        Result(f"{what}: windows in which the program stood", stood, "", 0),
        Result(f"{what}: lateness p99, median window", sorted(late)[WINDOWS // 2], "us"),
        Result(f"{what}: lateness p99, C loop", sorted(c_late)[WINDOWS // 2], "us"),
        Result(f"{what}: load of the machine (1 min)", os.getloadavg()[0], ""),
    ]


def _is_greatest(words: np.ndarray) -> np.ndarray:
    """Where a row keeps its greatest value, which is no count that a window could be taken from."""
    return np.arange(len(words)) % ROW == GREATEST
