"""What it costs the scan that a person watches 1,000 pins at 10 Hz: the scan's own time, watched and not, in alternating windows.

Each watched window stands between two unwatched ones. What the two differ by from each other is what the machine does by itself:
watching costs nothing where it adds no more than that.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from runtime import rundir
from runtime.app import read_site
from runtime.engine.plc import Plc
from runtime.engine.statistics import LAST, ROW, SCAN
from tests.aids.site import ROOT
from tests.bench.bench_lateness import ITEMS, load_files, scanning
from tests.bench.measure import Result, quantile

WINDOW_S = 2.0
ROUNDS = 9
LOOK_S = 0.005
RESOLUTION_US = 0.1  # a scan is timed by clocks of some tens of nanoseconds


def times(plc: Plc) -> list[float]:
    """The scan times of one window in microseconds, as the scan itself takes them."""
    words, found = plc.plan.statistics, []
    until = time.monotonic() + WINDOW_S
    while time.monotonic() < until:
        time.sleep(LOOK_S)
        found.append(float(words[SCAN * ROW + LAST]) / 1e3)
    return found


@contextmanager
def watching(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`bessplc watch` of 1,000 pins ten times a second, every value printed every time."""
    command = [sys.executable, "-m", "runtime.cli", "watch", "load.b*.OUT", "--every", "100 ms", "--json", "--steady"]
    process = subprocess.Popen([*command, "--site", str(file)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        for _ in range(ITEMS):  # it has begun
            assert process.stdout.readline(), "the watch ended"
        yield process
    finally:
        process.kill()
        process.wait()


def run() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bessplc-watch-", dir="/dev/shm") as name:
        base = os.environ.pop("BESSPLC_RUN", None)
        os.environ["BESSPLC_RUN"] = f"{name}/run"
        for path, text in load_files().items():
            (Path(name) / path).parent.mkdir(exist_ok=True)
            (Path(name) / path).write_text(text)
        file = Path(name) / "config/site.yaml"
        site = read_site(file)[0]
        hold = rundir.hold(file)
        try:
            with scanning(site, hold.folder) as (plc, _), watching(file) as watch:
                return _compare(plc, watch)
        finally:
            hold.release()
            os.environ.pop("BESSPLC_RUN")
            os.environ.update({"BESSPLC_RUN": base} if base else {})


def _compare(plc: Plc, watch: subprocess.Popen[bytes]) -> list[Result]:
    """Unwatched, watched, unwatched, again and again; a watch that is stopped reads nothing."""
    drain = subprocess.Popen(["cat"], stdin=watch.stdout, stdout=subprocess.DEVNULL)  # or it would wait for its reader
    plain: list[list[float]] = []
    watched: list[list[float]] = []
    try:
        for _ in range(ROUNDS):
            for windows, number in ((plain, signal.SIGSTOP), (watched, signal.SIGCONT)):
                watch.send_signal(number)
                time.sleep(0.1)
                windows.append(times(plc))
        watch.send_signal(signal.SIGSTOP)
        plain.append(times(plc))
    finally:
        watch.send_signal(signal.SIGCONT)
        drain.kill()
        drain.wait()
    return [*_results("median", 0.5, plain, watched), *_results("p99", 0.99, plain, watched)[:2]]


def _results(name: str, share: float, plain: list[list[float]], watched: list[list[float]]) -> list[Result]:
    alone = [quantile(window, share) for window in plain]
    seen = [quantile(window, share) for window in watched]
    added = statistics.median(now - (before + after) / 2 for (before, after), now in zip(pairwise(alone), seen))
    noise = max(RESOLUTION_US, quantile([abs(after - before) for before, after in pairwise(alone)], 0.75))
    return [
        Result(f"scan time {name}, nobody watches", statistics.median(alone), "us"),
        Result(f"scan time {name}, 1,000 pins watched at 10 Hz", statistics.median(seen), "us"),
        Result(f"scan time {name}, added by the watch; the bar is what it differs by unwatched", added, "us", noise),
    ]
