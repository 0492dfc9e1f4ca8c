"""The scan process: says what it does, ends with safe outputs when asked or left alone, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pickle
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import pytest

from runtime import child
from runtime.child import ScanOrder
from runtime.engine.north import Commands, Snapshot
from runtime.engine.plan import RUNNING, SAFE
from runtime.engine.south import SCAN_FILE, Outbox
from runtime.model import Site
from tests.aids.engine import GENERATION, wait_for
from tests.aids.site_text import load_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[3]
COLD_S = 150  # the loop and its kernels may have to be compiled on a busy machine
SITE = "tasks:\n  t: {interval: 10 ms, programs: [p]}\nio: [pcs]\ntags:\n  hmi.p: {type: LREAL, default: 3, write: operator}\n"
PROGRAM = "program: p\nblocks:\n  a: {type: ADD, A: hmi.p, B: 1.0}\n  s: {type: SUB, A: a.OUT, B: 1.0}\noutputs: {pcs.p: s.OUT}\n"
DEVICE = "device: pcs\ndriver: fake\ntimeout: 500 ms\noutputs:\n  pcs.p: {at: a, type: LREAL, safe: -7}\n"


def site() -> Site:
    return load_all({"config/site.yaml": SITE, "programs/p.yaml": PROGRAM, "io_maps/pcs.yaml": DEVICE})


class Scan:
    """A scan process and what it said."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None):
        self.folder, self.schedule = folder, site().schedule
        self.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.said: list[dict[str, Any]] = []
        self.process = child.begin(
            "runtime.engine.scan", (self.wake,), stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}
        )

    def order(self, inhibit: bool = False) -> ScanOrder:
        return ScanOrder(str(self.folder), self.schedule, GENERATION, self.wake, inhibit, 0)

    def hear(self, event: str, seconds: float = COLD_S) -> dict[str, Any]:
        """Read its lines until this event."""
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.5)[0]:
                line = self.process.stdout.readline()
                assert line, f"it ended: {self.said}"
                self.said.append(json.loads(line))
                if self.said[-1]["event"] == event:
                    return self.said[-1]
        raise AssertionError(f"no {event} in {self.said}")

    def outbox(self) -> Outbox:
        box = Outbox(self.folder, len(self.schedule.outputs.source), GENERATION)
        box.attach()
        return box

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.wake)


@contextmanager
def scanning(folder: Path, **environment: str) -> Iterator[Scan]:
    """A scan process that was given its order and scans."""
    scan = Scan(folder, environment)
    try:
        child.give(scan.process, scan.order())
        scan.hear("scanning")
        yield scan
    finally:
        scan.end()


def test_it_says_when_it_has_imported_compiled_and_begun_to_scan(tmp_path: Path) -> None:
    """With the loop in the cache and no kernel: both of the program are compiled, one after another, and said."""
    fresh, run = tmp_path / "cache", tmp_path / "run"
    run.mkdir()
    loop = Path(numba.config.CACHE_DIR)
    shutil.copytree(loop, fresh / loop.name)
    with scanning(run, BESSPLC_CACHE=str(fresh)) as scan:
        milestones = [e for e in scan.said if e["event"] in ("imported", "compiled", "scanning")]
        assert [e["event"] for e in milestones] == ["imported", "compiled", "compiled", "scanning"]
        assert [(e["done"], e["of"]) for e in milestones[1:3]] == [(1, 2), (2, 2)]
        assert {e["name"] for e in milestones[1:3]} == {"ADD_LREAL", "SUB_LREAL"}
        assert isinstance(scan.said[-1]["warnings"], list)


def test_on_sigterm_the_last_outbox_is_safe_the_file_goes_and_the_exit_is_clean(tmp_path: Path) -> None:
    with scanning(tmp_path) as scan:
        box = scan.outbox()
        wait_for(lambda: box.take() and box.state == RUNNING, 10, "a running outbox")
        assert float(box.lreal[0]) == 3.0
        assert box.scan_pid == scan.process.pid
        scan.process.send_signal(signal.SIGTERM)
        assert scan.process.wait(30) == 0
        while box.take():
            continue
        assert (box.state, float(box.lreal[0])) == (SAFE, -7.0)
        assert not (tmp_path / SCAN_FILE).exists()
        assert scan.hear("stopped")["scan"] == box.scan


def test_every_outbox_wakes_the_fieldbus_process(tmp_path: Path) -> None:
    with scanning(tmp_path) as scan:
        box = scan.outbox()
        wait_for(lambda: box.take() and box.scan > 20, 10, "some scans")
        assert os.eventfd_read(scan.wake) >= 20


def test_ctrl_c_is_left_to_the_supervisor(tmp_path: Path) -> None:
    with scanning(tmp_path) as scan:
        box = scan.outbox()
        wait_for(box.take, 10, "the first outbox")
        for _ in range(3):
            scan.process.send_signal(signal.SIGINT)
        before = box.scan
        wait_for(lambda: box.take() and box.scan > before + 20, 10, "scans go on")
        assert box.state == RUNNING
        assert scan.process.poll() is None


def test_a_service_that_comes_later_is_found_and_answered(tmp_path: Path) -> None:
    with scanning(tmp_path) as scan:
        tag = scan.schedule.tag("hmi.p")
        ring = Commands(tmp_path, "hmi", scan.schedule.region.size, GENERATION)
        picture = Snapshot(tmp_path, scan.schedule.region, GENERATION)
        number = ring.write(tag, 12.0, "operator")
        answers = wait_for(lambda: list(ring.replies()), 10, "the answer")
        assert [(r.id, r.is_taken) for r in answers] == [(number, True)]
        wait_for(
            lambda: picture.refresh() and picture.scan >= answers[0].scan and picture.value(tag) == 12,
            10,
            "the value in the picture",
        )


SUPERVISOR = """
import pickle, subprocess, sys, time
from runtime import child
order = pickle.load(sys.stdin.buffer)
scan = child.start("runtime.engine.scan", order, stdout=subprocess.PIPE)
for line in scan.stdout:
    if b'"scanning"' in line:
        break
print(scan.pid, flush=True)
time.sleep(600)
"""


def test_without_its_supervisor_it_stops_safe_and_ends(tmp_path: Path) -> None:
    schedule = site().schedule
    order = ScanOrder(str(tmp_path), schedule, GENERATION, -1, False, 0)
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as supervisor:
        try:
            assert supervisor.stdin is not None and supervisor.stdout is not None
            supervisor.stdin.write(pickle.dumps(order))
            supervisor.stdin.close()
            pid = int(supervisor.stdout.readline())
            death = os.pidfd_open(pid)
            box = Outbox(tmp_path, len(schedule.outputs.source), GENERATION)
            box.attach()
        finally:
            supervisor.kill()
    try:
        assert select.select([death], [], [], 25)[0], "the scan process goes on without a supervisor"
    except AssertionError:
        signal.pidfd_send_signal(death, signal.SIGKILL)
        raise
    finally:
        os.close(death)
    while box.take():
        continue
    assert (box.state, float(box.lreal[0])) == (SAFE, -7.0)
    assert not (tmp_path / SCAN_FILE).exists()


def test_without_an_order_it_says_so_and_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runtime.engine.scan"], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == os.EX_USAGE
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "no order came"
    assert "Traceback" not in done.stderr
