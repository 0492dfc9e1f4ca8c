"""Faults upon faults on a panel: whatever happens, no reading that claims to be newer than a change shows what was before it.

The rule needs no clock of its own: each cell says of what time it is. The sequence of faults is the same in each run.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.fieldbus.safe import safe_steps, write_safe_values
from runtime.quality import GOOD
from tests.aids.gpio_bench import SimBench, TwinBench
from tests.aids.kernel import needs_gpio_sim

FAULTS = 150
PANEL = """
    poll: 10 ms
    inputs:
      p.a: {line: 0}
      p.low: {line: 1, active: low}
      p.polled: {line: 2, edges: none}
      p.n: {line: 3, count: true, edges: both}
    outputs:
      p.lamp: {line: 9, safe: false}
"""
LEVELS = {"p.a": (0, False), "p.low": (1, True), "p.polled": (2, False)}  # line, active low


@pytest.fixture(params=[TwinBench, pytest.param(SimBench, marks=[pytest.mark.gpiochip, needs_gpio_sim])])
def bench(request, tmp_path) -> Iterator[Any]:
    made = request.param(tmp_path, PANEL)
    yield made
    made.close()


class Truth:
    """What the wires carry, since when, and whether anybody can know it."""

    def __init__(self, bench: Any):
        self.bench = bench
        self.levels = dict.fromkeys((0, 1, 2, 3), False)
        self.changed = dict.fromkeys(self.levels, 0)
        self.unplugged_at = 0

    async def pull(self, line: int, high: bool) -> None:
        self.changed[line] = 2**63  # in between, both are true
        await self.bench.pull(line, high)
        self.levels[line], self.changed[line] = high, time.monotonic_ns()

    def wrong(self) -> list[str]:
        """The tags that show as good what is not so."""
        found = []
        for tag, (line, active_low) in LEVELS.items():
            if self.bench.quality(tag) != GOOD:
                continue
            at, value = self.bench.time(tag), bool(self.bench.value(tag))
            if self.unplugged_at and at > self.unplugged_at:
                found.append(f"{tag} was read after the chip had gone")
            elif not self.unplugged_at and at > self.changed[line] and value is not (self.levels[line] is not active_low):
                found.append(f"{tag} is {value} at {at}, the wire changed at {self.changed[line]}")
        return found


async def break_something(truth: Truth, chance: random.Random, freeing: list[Any]) -> str:
    """One fault, or the end of one."""
    bench = truth.bench
    if truth.unplugged_at:
        kind = chance.choice(["plug", "plug", "write"])
    else:
        kind = chance.choice(["level", "level", "bounce", "unplug", "busy", "write", "free"])
    if kind == "level":
        line = chance.choice((0, 1, 2, 3))
        await truth.pull(line, not truth.levels[line])
    elif kind == "bounce":
        line = chance.choice((0, 1, 2))
        for _ in range(chance.randrange(1, 8)):
            await truth.pull(line, not truth.levels[line])
    elif kind == "unplug":
        await bench.unplug()
        truth.unplugged_at = time.monotonic_ns()
    elif kind == "plug":
        await bench.plug()
        truth.unplugged_at = 0
        for line in truth.levels:  # gpio-sim comes back with all lines low
            await truth.pull(line, chance.random() < 0.5)
    elif kind == "busy" and not freeing:
        await bench.until(lambda: bench.connection.status()["inputs"] == 4, "all inputs")
        await bench.unplug()
        await bench.plug()
        freeing.append(await bench.occupy(9))
        for line in truth.levels:
            await truth.pull(line, False)
    elif kind == "free" and freeing:
        await freeing.pop()()
    elif kind == "write":
        bench.want(lamp=chance.random() < 0.5)
    return kind


@pytest.mark.timeout(120)
def test_no_fault_makes_a_wrong_value_good_and_all_of_them_heal(bench):
    async def test() -> None:
        chance, truth, kinds, freeing = random.Random(3), Truth(bench), Counter[str](), []
        async with bench:
            await bench.online()
            for line in truth.levels:
                await truth.pull(line, False)
            for _ in range(FAULTS):
                kinds[await break_something(truth, chance, freeing)] += 1
                for _ in range(chance.randrange(1, 6)):
                    await asyncio.sleep(chance.choice((0, 0, 0.001, 0.004)))
                    assert truth.wrong() == []
            for free in freeing:
                await free()
            if truth.unplugged_at:
                await bench.plug()
            truth.unplugged_at = 0
            await bench.until(lambda: bench.state == "online", "all healed", 30)
            for line in truth.levels:
                await truth.pull(line, True)
            await bench.until(lambda: [bench.value(tag) for tag in LEVELS] == [1, 0, 1], "the levels")
            assert truth.wrong() == []
        assert min(kinds[kind] for kind in ("level", "bounce", "unplug", "plug", "busy", "free", "write")) >= 3, kinds

    asyncio.run(test())


def test_a_chip_that_was_pulled_just_before_the_stop_has_not_taken_its_safe_values(tmp_path):
    """The twin obeys within this turn of the loop: no reading comes between the pulling and the stop."""
    bench = TwinBench(tmp_path, "poll: 100 ms\nstale: 300 ms\noutputs:\n  p.lamp: {line: 4, safe: false}\n")

    async def run() -> None:
        async with bench:
            await bench.online()
            bench.want(lamp=True)
            await bench.until(lambda: bench.connection.status()["connected"], "it drives")
            bench.connection._lines.obey({"live": False})
            assert await write_safe_values(safe_steps([bench.device]), {"panel": bench.connection}) == {"panel"}
            bench.connection._lines.obey({"live": True})
            await bench.online()
            await bench.until(lambda: bench.connection.status()["connected"], "it is back")
            assert await write_safe_values(safe_steps([bench.device]), {"panel": bench.connection}) == set()

    asyncio.run(run())
