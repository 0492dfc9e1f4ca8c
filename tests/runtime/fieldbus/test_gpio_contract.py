"""What a panel of lines promises, the same for the kernel's chip and for the simulated twin: one suite, two benches.

The kernel's chip is gpio-sim (`../shared/lab/lab`, or `modprobe gpio-sim`); the twin runs everywhere.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from runtime.quality import BAD_NO_COMMUNICATION, BAD_NOT_CONNECTED, BAD_WAITING_FOR_INITIAL_DATA, GOOD, is_bad
from tests.aids.gpio_bench import ESTOP, Bench, SimBench, TwinBench
from tests.aids.kernel import needs_gpio_sim

STALE, MARGIN = 0.3, 5
BOTH = ["simulated", pytest.param("gpio", marks=[pytest.mark.gpiochip, needs_gpio_sim])]


@pytest.fixture(params=BOTH)
def bench_of(request, tmp_path) -> Iterator[Any]:
    """A bench for an io_map's text."""
    made: list[Any] = []

    def make(io_map: str) -> Any:
        made.append({"simulated": TwinBench, "gpio": SimBench}[request.param](tmp_path, io_map))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def run(bench: Bench, test: Any) -> None:
    async def within() -> None:
        async with bench:
            await test()

    asyncio.run(within())


def test_levels_arrive_good_and_fresh(bench_of):
    b = bench_of("poll: 20 ms\ninputs:\n  p.a: {line: 0}\n  p.low: {line: 1, active: low}\n  p.estop: {line: ESTOP}\n")
    assert b.quality("p.a") == BAD_WAITING_FOR_INITIAL_DATA

    async def test():
        await b.online()
        assert (b.value("p.a"), b.value("p.low"), b.value("p.estop")) == (0, 1, 0)
        for line in (0, 1, ESTOP):
            await b.pull(line, True)
        await b.until(lambda: (b.value("p.a"), b.value("p.low"), b.value("p.estop")) == (1, 0, 1), "the levels")
        assert b.quality("p.a") == GOOD
        stood = b.time("p.a")
        assert 0 <= time.monotonic_ns() - stood < 10e9
        await b.until(lambda: b.time("p.a") > stood, "the next reading")

    run(b, test)


def test_an_open_wire_follows_the_chips_own_resistor(bench_of):
    b = bench_of("inputs:\n  p.up: {line: 0, bias: pull-up}\n  p.down: {line: 1, bias: pull-down}\n")

    async def test():
        await b.online()
        assert (b.value("p.up"), b.value("p.down")) == (1, 0)

    run(b, test)


def test_an_array_is_many_lines(bench_of):
    b = bench_of('poll: 20 ms\ninputs:\n  p.bank: {line: "{2..5}"}\n')

    async def test():
        await b.online()
        await b.pull(3, True)
        await b.pull(5, True)
        await b.until(lambda: b.values("p.bank") == [0, 1, 0, 1], "the pattern's order")

    run(b, test)


def test_an_edge_arrives_at_once_with_its_own_time(bench_of):
    """The lines are read every half a minute here: what comes sooner came as an edge."""
    b = bench_of("poll: 30 s\ninputs:\n  p.a: {line: 0}\n")

    async def test():
        await b.online()
        for level in (True, False, True):
            before = time.monotonic_ns()
            await b.pull(0, level)
            await b.until(lambda level=level: b.value("p.a") == level, "the edge")
            assert before <= b.time("p.a") <= time.monotonic_ns()

    run(b, test)


def test_a_line_without_edges_is_read(bench_of):
    b = bench_of("poll: 20 ms\ninputs:\n  p.a: {line: 0, edges: none}\n")

    async def test():
        await b.online()
        await b.pull(0, True)
        await b.until(lambda: b.value("p.a") == 1, "the level")
        assert b.state == "online", "the io_map asked for no edges: nothing is wrong"

    run(b, test)


def test_bounces_do_not_count_and_a_lasting_level_does(bench_of):
    b = bench_of(
        "poll: 10 s\ninputs:\n  p.a: {line: 0, debounce: 400 ms}\n  p.n: {line: 1, debounce: 400 ms, count: true, edges: both}\n"
    )

    async def test():
        await b.online()
        seen = set()
        for level in (True, False) * 5:
            await b.pull(0, level)
            await b.pull(1, level)
            await asyncio.sleep(0.003)
            seen.add(b.value("p.a"))
        await asyncio.sleep(0.6)
        assert seen == {0} and b.value("p.a") == 0 and b.value("p.n") == 0
        before = time.monotonic_ns()
        await b.pull(0, True)
        await b.pull(1, True)
        await b.until(lambda: b.value("p.a") == 1 and b.value("p.n") == 1, "the lasting level")
        assert time.monotonic_ns() - before >= 390e6
        await b.pull(1, False)
        await b.until(lambda: b.value("p.n") == 2, "the way back")

    run(b, test)


def test_a_count_counts_every_edge_it_is_asked_for(bench_of):
    b = bench_of("""
        poll: 30 s
        inputs:
          p.up: {line: 0, count: true}
          p.down: {line: 1, count: true, edges: falling}
          p.all: {line: 2, count: true, edges: both, active: low}
    """)

    async def test():
        await b.online()
        assert [b.value(f"p.{name}") for name in ("up", "down", "all")] == [0, 0, 0]
        for pulse in range(1, 6):
            for line in (0, 1, 2):
                await b.pull(line, True)
            await b.until(lambda n=pulse: (b.value("p.up"), b.value("p.all")) == (n, 2 * n - 1), "the rise")
            for line in (0, 1, 2):
                await b.pull(line, False)
            await b.until(lambda n=pulse: (b.value("p.down"), b.value("p.all")) == (n, 2 * n), "the fall")
        assert b.value("p.up") == 5
        assert b.connection.health().errors.get("lost_edges", 0) == 0

    run(b, test)


OUTPUTS = """
    poll: 20 ms
    inputs:
      p.in: {line: 0}
    outputs:
      p.lamp: {line: 11, safe: false}
      p.trip: {line: 12, active: low, safe: {value: true, after: 100 ms}}
      p.horn: {line: 13, safe: false}
"""


def test_no_output_is_taken_before_it_has_a_value(bench_of):
    """Inhibited outputs stay untouched, and a line that a process before us left driven is not disturbed."""
    b = bench_of(OUTPUTS)

    async def test():
        await b.pull(12, True)
        await b.online()
        await asyncio.sleep(0.1)
        assert b.connection.status()["outputs"] == 0
        assert await b.level(12) is True
        b.want(lamp=True, trip=False, horn=False)
        await b.until(lambda: b.connection.status()["outputs"] == 3, "taken")
        assert [await b.level(line) for line in (11, 12, 13)] == [True, True, False], "trip is active low"

    run(b, test)


async def reaches(b: Any, line: int, level: bool) -> None:
    deadline = time.monotonic() + 10
    while await b.level(line) is not level:
        assert time.monotonic() < deadline, f"line {line} is not {level}: {b.connection.status()}"
        await asyncio.sleep(0.002)


def test_outputs_follow_and_safe_values_hold(bench_of):
    b = bench_of(OUTPUTS)

    async def test():
        await b.online()
        for lamp in (True, False, True):
            b.want(lamp=lamp, trip=False, horn=not lamp)
            await reaches(b, 11, lamp)
            await reaches(b, 13, not lamp)
        slots = {p.tag: p.slot for p in b.device.outputs}
        await b.connection.write_safe([slots["p.lamp"], slots["p.horn"]])
        assert [await b.level(line) for line in (11, 12, 13)] == [False, True, False], "the trip's turn comes later"
        await b.connection.write_safe([slots["p.trip"]])
        assert await b.level(12) is False
        await asyncio.sleep(0.1)
        assert [await b.level(line) for line in (11, 12, 13)] == [False, False, False], "held while lines are written again"

    run(b, test)


def test_a_line_that_is_kept_is_left_at_its_level(bench_of):
    b = bench_of(OUTPUTS.replace("safe: false", "safe: keep"))

    async def test():
        await b.online()
        b.want(lamp=True, trip=True, horn=False)
        await reaches(b, 11, True)
        b.connection.release([p.slot for p in b.device.outputs])
        await asyncio.sleep(0.1)
        assert await b.level(11) is True

    run(b, test)


def test_an_open_drain_output_lets_its_line_go_high(bench_of):
    b = bench_of("outputs:\n  p.bus: {line: 7, drive: open-drain, bias: pull-up, safe: false}\n")

    async def test():
        b.want(bus=True)
        await b.online()
        await reaches(b, 7, True)
        b.want(bus=False)
        await reaches(b, 7, False)

    run(b, test)


def test_unplugging_is_noticed_within_stale_and_plugging_in_heals(bench_of):
    b = bench_of(OUTPUTS.replace("20 ms", "100 ms"))

    async def test():
        await b.pull(0, True)
        b.want(lamp=True, trip=True, horn=False)
        await b.until(lambda: b.value("p.in") == 1 and b.state == "online", "online")
        await b.unplug()
        await b.until(lambda: is_bad(b.quality("p.in")), "bad", STALE * MARGIN)
        assert b.quality("p.in") == BAD_NO_COMMUNICATION
        assert b.value("p.in") == 1, "the last value stays in its cell"
        stood = b.time("p.in")
        health = b.connection.health()
        assert b.state == "lost" and health.conditions == {"chip_missing"}
        before = time.monotonic()
        await b.connection.write_safe([p.slot for p in b.device.outputs])
        assert time.monotonic() - before < STALE, "safe values that cannot be written hold nobody up"
        assert not b.connection.status()["connected"]
        b.want(lamp=True, trip=True, horn=True)
        await asyncio.sleep(STALE)
        assert b.time("p.in") == stood
        await b.plug()
        await b.until(lambda: b.state == "online" and b.quality("p.in") == GOOD, "healed", 20)
        assert b.time("p.in") > stood
        await reaches(b, 11, True)
        await reaches(b, 13, True)
        assert sum(b.connection.health().errors.values()) >= 1

    run(b, test)


def test_a_chip_that_is_there_late_is_found(bench_of):
    b = bench_of("poll: 20 ms\ninputs:\n  p.a: {line: 0}\n")

    async def test():
        await b.unplug()
        await b.until(lambda: b.state == "lost", "lost")
        assert b.connection.status()["last_error"]
        await b.plug()
        await b.online()
        await b.pull(0, True)
        await b.until(lambda: b.value("p.a") == 1, "the level")

    run(b, test)


def test_a_busy_line_costs_its_neighbours_nothing(bench_of):
    b = bench_of("""
        poll: 20 ms
        inputs:
          p.a: {line: 0}
          p.b: {line: 1}
        outputs:
          p.c: {line: 2, safe: false}
          p.d: {line: 3, safe: false}
    """)

    async def test():
        await b.online()
        await b.unplug()
        await b.until(lambda: b.state == "lost", "lost")
        await b.plug()
        freed = [await b.occupy(line) for line in (1, 2)]  # before we find the chip again, as at a restart
        b.want(c=True, d=True)
        await b.until(lambda: b.state == "degraded", "degraded")
        await b.pull(0, True)
        await b.until(lambda: b.value("p.a") == 1 and b.quality("p.a") == GOOD, "the neighbour")
        await reaches(b, 3, True)
        assert b.quality("p.b") == BAD_NOT_CONNECTED
        health = b.connection.health()
        assert health.conditions == {"line_busy"} and health.errors["busy"] >= 2
        assert "held by `another`" in b.connection.status()["last_error"]
        assert not b.connection.status()["connected"], "an output that is not ours cannot be made safe"
        for free in freed:
            await free()
        await b.online()
        assert b.quality("p.b") == GOOD
        await reaches(b, 2, True)

    run(b, test)


def test_without_interrupts_the_lines_are_polled_and_debounced_by_us(bench_of, monkeypatch):
    b = bench_of("""
        poll: 50 ms
        inputs:
          p.a: {line: 0, debounce: 300 ms}
          p.n: {line: 1, count: true}
    """)

    async def test():
        await b.online()
        await b.without_interrupts(monkeypatch)
        await b.until(lambda: b.state == "degraded", "degraded")
        assert b.connection.health().conditions == {"no_edges"}
        before = time.monotonic_ns()
        await b.pull(0, True)
        for _ in range(3):
            await b.pull(1, True)
            await asyncio.sleep(0.15)
            await b.pull(1, False)
            await asyncio.sleep(0.15)
        await b.until(lambda: b.value("p.a") == 1, "the lasting level")
        assert time.monotonic_ns() - before >= 300e6
        assert 1 <= b.value("p.n") <= 3, "what a slow reading sees"

    run(b, test)


def test_health_counts_what_was_taken(bench_of):
    b = bench_of("poll: 20 ms\ninputs:\n  p.a: {line: 0}\n")

    async def test():
        assert b.state == "connecting" or b.state == "online"
        await b.online()
        first = b.connection.health()
        assert first.conditions == frozenset() and not any(first.errors.values())
        await b.until(lambda: b.connection.health().exchanges >= first.exchanges + 3, "more readings")
        later = b.connection.health()
        assert later.last_good > first.last_good
        assert math.isfinite(later.round_trip) and 0 <= later.round_trip < 10
        await b.connection.close()
        assert b.state == "closed"
        assert is_bad(b.quality("p.a"))

    run(b, test)


def test_a_chip_that_blocks_does_not_block_the_loop(bench_of):
    """A dead USB chip takes its time for every call; the other devices must not notice."""
    b = bench_of("poll: 20 ms\ninputs:\n  p.a: {line: 0}\noutputs:\n  p.lamp: {line: 1, safe: false}\n")

    async def test():
        b.want(lamp=True)
        await b.online()
        held = b.connection._held[0]
        real = held.read
        held.read = partial(_slowly, real)
        longest, last = 0.0, time.monotonic()
        for _ in range(200):
            b.want(lamp=bool(_ % 2))
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        held.read = real
        assert longest < 0.4, "the loop was free while a call took 0.6 s"

    run(b, test)


def test_a_chip_that_does_not_answer_is_lost_until_it_does(bench_of, monkeypatch):
    monkeypatch.setattr("runtime.fieldbus.gpio_connection.NO_ANSWER", 0.15)
    b = bench_of("poll: 20 ms\ninputs:\n  p.a: {line: 0}\noutputs:\n  p.lamp: {line: 1, safe: false}\n")

    async def test():
        b.want(lamp=True)
        await b.online()
        held, answers = b.connection._held[0], threading.Event()
        real = held.read
        held.read = lambda: answers.wait(30) and real()
        try:
            await b.until(lambda: b.state == "lost", "lost")
            assert b.connection.health().conditions == {"no_answer"}
            assert not b.connection.status()["connected"]
            stood = b.time("p.a")
            await asyncio.sleep(0.1)
            assert b.time("p.a") == stood, "the input grows old, so that the scan sees it is stale"
        finally:
            held.read = real
            answers.set()
        await b.online()
        assert b.connection.health().conditions == frozenset()

    run(b, test)


def _slowly(work: Any) -> Any:
    time.sleep(0.6)
    return work()
