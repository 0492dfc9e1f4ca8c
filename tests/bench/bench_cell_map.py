"""The HMI's map of 16,384 cells in a browser: when it is first seen, and its frames while every value changes once a second.

The HMI is its own process over a snapshot in memory, the browser a Chromium without a screen: it draws with the processor, which
is slower than a panel with graphics.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from runtime.model import Tag
from tests.aids.browser import PANEL, WHY_NOT, chromium, path_of_chromium
from tests.aids.servers_hmi import HmiSite, hmi_site
from tests.aids.servers_scan import TestScan
from tests.bench.measure import Result, quantile
from tests.bench.servers import skipped

RACKS, CELLS = 64, 256
LOADS, ANSWERS, SECONDS = 5, 50, 20
FRAMES = """(seconds) => new Promise((done) => {
  const frames = [], begun = performance.now();
  let last = begun;
  const step = (now) => {
    frames.push([now - begun, now - last]);
    last = now;
    if (now - begun < seconds * 1000) requestAnimationFrame(step); else done(frames.slice(1));
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(step); });
})"""


def big_tags() -> list[Tag]:
    """The tags of a plant with so many cells that the screen shows."""
    tags = [
        Tag("cells.soc", "LREAL", RACKS * CELLS, 0, 0, "memory", "%"),
        Tag("racks.closed", "BOOL", RACKS, 0, 0, "memory"),
        Tag("racks.tripped", "BOOL", RACKS, 0, 0, "memory"),
    ]
    for rack in range(1, RACKS + 1):
        tags += [
            Tag(f"rack[{rack}].cell_v", "LREAL", CELLS, 0, 0, "input", "V", "Voltage of each cell", 0.0, 5.0),
            Tag(f"rack[{rack}].cell_t", "LREAL", CELLS, 0, 0, "input", "°C", "Temperature of each cell"),
            Tag(f"rack[{rack}].balance", "BOOL", CELLS, 0, 0, "output"),
            Tag(f"rack[{rack}].soc", "LREAL", 0, 0, 0, "input", "%"),
        ]
    return tags


@contextlib.contextmanager
def changing(scan: TestScan) -> Iterator[None]:
    """Every cell has another voltage each second."""
    stop, chance = threading.Event(), np.random.default_rng(1)

    def change() -> None:
        while True:
            for rack in range(1, RACKS + 1):
                scan.set(f"rack[{rack}].cell_v", 3.3 + 0.02 * chance.standard_normal(CELLS))
            if stop.wait(1.0):
                return

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def first_paint(page: Any, site: HmiSite) -> float:
    """Seconds from the click on a link to the first map."""
    page.goto(f"{site.origin}/cells")
    page.wait_for_function("performance.getEntriesByName('cells:first').length > 0", timeout=30_000)
    return float(page.evaluate("performance.getEntriesByName('cells:first')[0].startTime")) / 1000


def busy_ms(page: Any) -> float:
    """The processor time that the page's thread takes each second: what others do on the machine is not counted."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime"))

    before = spent()
    page.wait_for_timeout(SECONDS * 1000)
    return 1000 * (spent() - before) / SECONDS


def answer_ms(site: HmiSite) -> list[float]:
    """How long each answer with all cells takes, when none has been made before."""
    found = []
    with site.client() as client:
        for _ in range(ANSWERS):
            time.sleep(0.21)  # one that was made for somebody else is given again until then
            begun = time.perf_counter()
            client.get("/data/cells", params={"what": "voltage"}).raise_for_status()
            found.append(1000 * (time.perf_counter() - begun))
    return found


def run() -> list[Result]:
    """What `make bench` shows."""
    if not path_of_chromium():
        skipped("cell_map", WHY_NOT)
        return []
    with (
        tempfile.TemporaryDirectory(prefix="bessplc-bench-", dir="/dev/shm") as folder,
        hmi_site(Path(folder), big_tags()) as site,
        changing(site.scan),
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": PANEL[0], "height": PANEL[1]})
        paints = [first_paint(page, site) for _ in range(LOADS)]
        spent = busy_ms(page)
        frames = page.evaluate(FRAMES, SECONDS)
        answers = answer_ms(site)
    slowest = [max(took for at, took in frames if second * 1000 <= at < (second + 1) * 1000) for second in range(SECONDS)]
    cells = f"{RACKS * CELLS:,} cells"
    return [
        Result(f"HMI: {cells}: first paint", statistics.median(paints), "s", 2),
        Result(f"HMI: {cells}: frame p95 at 1 Hz", quantile([took for _, took in frames], 0.95), "ms", 50),
        Result(f"HMI: {cells}: median of each second's slowest frame", statistics.median(slowest), "ms", 50),
        Result(f"HMI: {cells}: the page's processor time a second", spent, "ms", 200),
        Result(f"HMI: {cells}: one answer with all values, p95", quantile(answers, 0.95), "ms"),
    ]


if __name__ == "__main__":
    for result in run():
        print(f"{result.name:60} {result.value:10.2f} {result.unit}{'' if result.holds else '  (too much)'}")
