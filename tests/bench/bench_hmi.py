"""The web page in real Chromium over the commercial site: how soon the first page stands, and how evenly five of them are told.

Each page runs in a window of its own of one browser, on the machine that also runs the plant, the scan and all servers.
"""

from __future__ import annotations

import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.aids.browser import chromium, path_of_chromium, screen
from tests.aids.workshop import Workshop, running_workshop
from tests.bench.measure import Result, quantile

CLIENTS, SECONDS = 5, 30
LISTEN = "window.heard = []; document.addEventListener('bess:news', () => window.heard.push(performance.now()))"
SHOWN = "window.bess?.pictures > 0 && [...document.querySelectorAll('#screen [data-tag]')].some(e => e.dataset.q === 'good')"
TICKS_A_S = os.sysconf("SC_CLK_TCK")


def run() -> list[Result]:
    if not path_of_chromium():
        return [Result("hmi: no chromium here", 0.0, "")]
    with tempfile.TemporaryDirectory() as folder, running_workshop(Path(folder)) as site, chromium() as browser:
        first = _first_page(browser, site)
        site.verb("control", "--state", "run", "--mode", "self-consumption", "--commission")
        gaps, core = _updates(browser, site)
    return [
        Result("hmi: first page of a cold browser, until values stand", first, "s", 3.0),
        Result("hmi: interval of updates, overview, 5 clients, p50", 1000 * quantile(gaps, 0.5), "ms"),
        Result("hmi: interval of updates, overview, 5 clients, p95", 1000 * quantile(gaps, 0.95), "ms", 150.0),
        Result("hmi: share of a core of its process, 5 clients", 100 * core, "%", 25.0),
    ]


def _first_page(browser: Any, site: Workshop) -> float:
    with screen(browser, site.page) as seen:
        begun = time.monotonic()
        seen.page.goto(site.page)
        seen.page.wait_for_function(SHOWN, polling=20)
        return time.monotonic() - begun


def _updates(browser: Any, site: Workshop) -> tuple[list[float], float]:
    """Seconds between two pictures, of all pages together; and the share of a core that the process took meanwhile."""
    pid = site.running.pid_of("hmi")
    open_pages = [screen(browser, site.page) for _ in range(CLIENTS)]
    pages = [one.__enter__() for one in open_pages]
    try:
        for page in pages:
            page.open()
            page.page.evaluate(LISTEN)
        time.sleep(3)
        before, begun = _processor_s(pid), time.monotonic()
        for page in pages:
            page.page.evaluate("window.heard.length = 0")
        time.sleep(SECONDS)
        core = (_processor_s(pid) - before) / (time.monotonic() - begun)
        heard = [page.page.evaluate("window.heard") for page in pages]
    finally:
        for one in open_pages:
            one.__exit__(None, None, None)
    return [(later - earlier) / 1000 for times in heard for earlier, later in pairwise(times)], core


def _processor_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS_A_S
