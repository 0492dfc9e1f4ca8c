"""The loop: scans on the tick, skips what it missed, keeps the overrun policy, stops safe, and waits for nobody."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from runtime.engine.loop import _judge_end, _judge_start
from runtime.engine.plan import (
    RUNNING,
    S_IN_A_ROW,
    S_LIMIT,
    S_MISSED,
    S_OVERRUNS,
    S_SCAN,
    S_START,
    S_STATE,
    S_THEN_SAFE,
    S_TICK,
    S_TICK_NS,
    SAFE,
)
from runtime.engine.plc import Plc
from runtime.model import Site
from runtime.system_tags import STATES
from tests.aids.engine import GENERATION, MS, Bench, looping, outbox_of, snapshot_of, wait_for
from tests.aids.site_text import load_all

ROOT = Path(__file__).parents[3]
US = 1000
DEVICE = "device: pcs\ndriver: fake\ntimeout: 500 ms\noutputs:\n  pcs.p: {at: a, type: LREAL, safe: -7}\n"
LIGHT = "program: p\nblocks:\n  watch: {type: TON, IN: true, PT: 1000 s}\noutputs: {x.t: watch.ET, pcs.p: hmi.p}\n"
HEAVY_CELLS = 60_000  # 0.7 ms of work or more, at an interval of 100 us
HEAVY = LIGHT.replace("blocks:\n", f"blocks:\n  cells: {{type: CELL_EKF, count: {HEAVY_CELLS}, V: 3.3, I: 10}}\n")


def site(program: str = LIGHT, interval: str = "5 ms", watchdog: str = "") -> Site:
    text = (
        f"tasks:\n  t: {{interval: {interval}, programs: [p]}}\nio: [pcs]\n{watchdog}"
        "tags:\n  x.t: {type: TIME}\n  hmi.p: {type: LREAL, default: 3, write: operator}\n"
    )
    return load_all({"config/site.yaml": text, "programs/p.yaml": program, "io_maps/pcs.yaml": DEVICE})


def shown(plc: Plc, name: str) -> Any:
    """A tag as the newest picture has it."""
    return snapshot_of(plc).value(plc.schedule.tag(name))


def scans(plc: Plc) -> int:
    return int(plc.plan.state[S_SCAN])


def test_it_scans_at_its_interval_and_accounts_for_every_tick(tmp_path: Path) -> None:
    plc = Plc(site().schedule, tmp_path, GENERATION)
    with looping(plc):
        begun = time.monotonic()
        wait_for(lambda: scans(plc) >= 40, 5 * 40 * 0.005, "40 scans at 5 ms, with a margin of five")
    ended = time.monotonic()
    state = plc.plan.state
    assert state[S_SCAN] + state[S_MISSED] == state[S_TICK] + 1, "each tick was scanned or counted as missed"
    assert state[S_TICK] <= (ended - begun) / 0.005 + 2, "never faster than the interval"
    assert state[S_START] % state[S_TICK_NS] == 0, "ticks stand on whole multiples of the interval"


def test_every_scan_starts_on_or_after_its_tick_and_dt_is_the_ticks_between(tmp_path: Path) -> None:
    plc = Plc(site(interval="1 ms").schedule, tmp_path, GENERATION)
    with looping(plc):
        seen = follow(plc, 50)
    start = int(plc.plan.state[S_START])
    check_true_time(seen, start, MS)


def follow(plc: Plc, pictures: int) -> list[tuple[int, int, int]]:
    """Scan number, start and the stopwatch's time of as many pictures."""
    wait_for(lambda: scans(plc) > 1, 5, "the first scans")
    seen: list[tuple[int, int, int]] = []
    until = time.monotonic() + 20
    while len(seen) < pictures and time.monotonic() < until:
        picture = snapshot_of(plc)
        if not seen or picture.scan > seen[-1][0]:
            seen.append((picture.scan, picture.monotonic, picture.value(plc.schedule.tag("x.t"))))
    assert len(seen) == pictures
    return seen


def check_true_time(seen: list[tuple[int, int, int]], start: int, tick: int) -> None:
    """The stopwatch went by exactly the ticks between any two scans, however many were missed."""
    _, begun, shown_first = seen[0]
    for number, at, et in seen[1:]:
        assert at >= start
        assert et - shown_first == ((at - start) // tick - (begun - start) // tick) * tick, f"scan {number}"


@pytest.mark.slow
def test_an_overlong_scan_skips_what_it_missed_and_keeps_true_time(tmp_path: Path) -> None:
    plc = Plc(site(HEAVY, "100 us").schedule, tmp_path, GENERATION)
    with looping(plc):
        seen = follow(plc, 60)
    state = plc.plan.state
    assert state[S_OVERRUNS] >= 50, "every scan takes longer than its interval"
    assert state[S_MISSED] >= state[S_SCAN] / 2
    assert state[S_SCAN] + state[S_MISSED] == state[S_TICK] + 1, "missed ticks are skipped, never run back to back"
    check_true_time(seen, int(state[S_START]), 100 * US)
    assert state[S_STATE] == SAFE and shown(plc, "plc.overruns") > 0


@pytest.mark.slow
def test_the_watchdog_stops_with_safe_outputs_after_so_many_overruns_in_a_row(tmp_path: Path) -> None:
    plc = Plc(site(HEAVY, "100 us", "watchdog: {overruns: 10, then: safe}\n").schedule, tmp_path, GENERATION)
    with looping(plc) as thread:
        wait_for(lambda: STATES[shown(plc, "plc.state")] == "safe", 20, "the watchdog stops the program")
        ran, number = shown(plc, "x.t"), scans(plc)
        box = outbox_of(plc)
        assert (box.state, float(box.lreal[0])) == (SAFE, -7.0)
        wait_for(lambda: scans(plc) > number + 20, 20, "pictures and outboxes go on")
        assert shown(plc, "x.t") == ran, "no task runs any more"
        assert thread.is_alive()
        assert shown(plc, "plc.overruns") >= 10


@pytest.mark.slow
def test_a_watchdog_that_says_run_goes_on(tmp_path: Path) -> None:
    plc = Plc(site(HEAVY, "100 us", "watchdog: {overruns: 2, then: run}\n").schedule, tmp_path, GENERATION)
    with looping(plc):
        wait_for(lambda: shown(plc, "plc.overruns_in_a_row") > 10, 20, "overruns in a row")
        assert STATES[shown(plc, "plc.state")] == "running"
        box = outbox_of(plc)
        assert (box.state, float(box.lreal[0])) == (RUNNING, 3.0)


def judged(plc: Plc, starts: list[tuple[int, bool]]) -> list[int]:
    """The overruns in a row after scans that start at these ticks, each ending in time or not."""
    state, tick = plc.plan.state, plc.schedule.tick
    state[S_START] = 1000 * tick
    found = []
    for at, late in starts:
        _judge_start(plc.plan, int(state[S_START]) + at * tick, at)
        state[S_TICK] = at
        _judge_end(plc.plan, late)
        found.append(int(state[S_IN_A_ROW]))
    return found


@pytest.mark.parametrize(
    ("starts", "in_a_row", "overruns"),
    [
        ([(0, False), (1, False), (2, False)], [0, 0, 0], 0),
        ([(0, True), (2, True), (5, True)], [1, 2, 3], 3),
        ([(0, True), (2, False), (3, True)], [1, 0, 1], 2),
        ([(0, False), (4, False), (9, False)], [0, 1, 2], 2),
        ([(0, False), (4, False), (5, False)], [0, 1, 0], 1),
        ([(0, False), (4, True), (6, False)], [0, 2, 0], 2),
    ],
    ids=[
        "in time",
        "each ends late",
        "one in time between",
        "each starts late",
        "late start, then in time",
        "late start and late end",
    ],
)
def test_a_row_of_overruns_ends_with_a_scan_that_began_and_ended_in_time(
    tmp_path: Path, starts: list[tuple[int, bool]], in_a_row: list[int], overruns: int
) -> None:
    plc = Plc(site().schedule, tmp_path, GENERATION)
    assert judged(plc, starts) == in_a_row
    assert plc.plan.state[S_OVERRUNS] == overruns


def test_starts_that_are_late_again_and_again_stop_the_program_too(tmp_path: Path) -> None:
    plc = Plc(site().schedule, tmp_path, GENERATION)
    plc.plan.state[S_LIMIT], plc.plan.state[S_THEN_SAFE] = 3, 1
    judged(plc, [(0, False), (2, False), (4, False)])
    assert plc.plan.state[S_STATE] != SAFE
    judged(plc, [(6, False)])
    assert plc.plan.state[S_STATE] == SAFE


def test_stop_publishes_safe_outputs_last(tmp_path: Path) -> None:
    plc = Plc(site().schedule, tmp_path, GENERATION)
    with looping(plc):
        wait_for(lambda: scans(plc) > 3 and outbox_of(plc).state == RUNNING, 5, "a running scan")
        assert float(outbox_of(plc).lreal[0]) == 3.0
    box = outbox_of(plc)
    assert (box.state, float(box.lreal[0])) == (SAFE, -7.0)
    assert STATES[shown(plc, "plc.state")] == "safe"


def test_each_outbox_wakes_the_fieldbus(tmp_path: Path) -> None:
    wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    try:
        plc = Plc(site().schedule, tmp_path, GENERATION, wake=wake)
        with looping(plc):
            wait_for(lambda: scans(plc) > 5, 5, "a few scans")
        assert os.eventfd_read(wake) == scans(plc) + 1, "one for each scan and one for the safe outbox"
    finally:
        os.close(wake)


def test_a_python_thread_that_holds_the_interpreter_does_not_stop_the_scan(tmp_path: Path) -> None:
    """With a switch interval of half a second, a scan that needed the GIL would come twice a second."""
    plc = Plc(site().schedule, tmp_path, GENERATION)
    stop = False

    def spin() -> None:
        while not stop:
            pass

    spinner, before = threading.Thread(target=spin, daemon=True), sys.getswitchinterval()
    with looping(plc):
        wait_for(lambda: scans(plc) > 1, 5, "the first scans")
        sys.setswitchinterval(0.5)
        spinner.start()
        try:
            first, begun = scans(plc), time.monotonic()
            time.sleep(1.0)
            done, took = scans(plc) - first, time.monotonic() - begun
        finally:
            stop = True
            sys.setswitchinterval(before)
            spinner.join(10)
    assert done >= took / 0.005 / 5, f"{done} scans in {took:.2f} s at 5 ms"


SERVICE = """
import pickle, sys
from pathlib import Path
from runtime.engine.north import Commands
folder, generation, region, tag = pickle.load(sys.stdin.buffer)
ring = Commands(Path(folder), "opcua", region, generation)
print("up", flush=True)
n = 0
while True:
    n += 1
    if ring.write(tag, float(n % 100), "operator") == 0:
        for reply in ring.replies():
            pass
"""


def test_a_service_stopped_in_the_middle_of_its_work_delays_nobody(tmp_path: Path) -> None:
    bench = Bench(tmp_path, site())
    plc, schedule = bench.plc, bench.schedule
    order = pickle.dumps((str(tmp_path), GENERATION, schedule.region.size, schedule.tag("hmi.p")))
    with subprocess.Popen([sys.executable, "-c", SERVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as service:
        try:
            assert service.stdin is not None and service.stdout is not None
            service.stdin.write(order)
            service.stdin.close()
            assert service.stdout.readline() == b"up\n"
            hmi = bench.commands("hmi")
            with looping(plc):
                wait_for(lambda: shown(plc, "hmi.p") not in (0, 3), 10, "the service's commands are taken")
                service.send_signal(signal.SIGSTOP)
                first = scans(plc)
                wait_for(lambda: scans(plc) > first + 40, 5 * 40 * 0.005, "scans go on while the service stands still")
                number = hmi.write(schedule.tag("hmi.p"), -55.0, "operator")
                answer = wait_for(lambda: list(hmi.replies()), 5, "another service is answered")
                assert [(r.id, r.is_taken) for r in answer] == [(number, True)]
                assert shown(plc, "hmi.p") == -55
        finally:
            service.send_signal(signal.SIGCONT)
            service.kill()
