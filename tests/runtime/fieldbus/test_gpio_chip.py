"""The driver gpio on the kernel's own chip (gpio-sim, run under ../shared/lab/lab).

How a chip is found, who holds a line, what an output drives over start, restart and kill -9, and edges that come too fast.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.fieldbus import gpio_chip
from runtime.fieldbus.gpio_chip import ChipLines, find_chip
from runtime.fieldbus.gpio_lines import LineError
from runtime.fieldbus.gpio_words import ChipName, InputLine, OutputLine
from runtime.quality import GOOD, is_bad
from tests.aids.fieldbus import COLD_S, fieldbus_run
from tests.aids.fieldbus_child import until
from tests.aids.gpio_bench import SimBench, SimChip
from tests.aids.kernel import needs_gpio_sim

pytestmark = [pytest.mark.gpiochip, needs_gpio_sim]
gpiod = pytest.importorskip("gpiod", reason="gpiod is for Linux only")


@pytest.fixture
def chip() -> Iterator[SimChip]:
    made = SimChip(f"panel-{os.getpid()}", {3: "TWICE", 4: "TWICE", 8: "ESTOP"})
    yield made
    made.remove()


@pytest.fixture
def bench_of(tmp_path) -> Iterator[Any]:
    made: list[SimBench] = []

    def make(io_map: str) -> SimBench:
        made.append(SimBench(tmp_path, io_map))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


def opened(chip: SimChip) -> ChipLines:
    lines = ChipLines(ChipName("label", chip.label), "bessplc panel")
    lines.open()
    return lines


def refusal(work: Any) -> LineError:
    with pytest.raises(LineError) as caught:
        work()
    return caught.value


def test_a_chip_is_found_by_label_name_and_path(chip):
    for by, value in (("label", chip.label), ("name", chip.name), ("path", chip.path), ("", chip.label), ("", chip.name)):
        assert find_chip(ChipName(by, value)) == chip.path
    assert refusal(lambda: find_chip(ChipName("name", chip.label))).kind == "chip_absent"


def test_a_chip_that_is_not_there_is_told_with_those_that_are(chip):
    error = refusal(lambda: find_chip(ChipName("label", "garage")))
    assert error.kind == "chip_absent" and "label `garage`" in str(error)
    assert f"{chip.path} (label `{chip.label}`)" in str(error)
    assert refusal(ChipLines(ChipName("path", "/dev/gpiochip99"), "x").open).kind == "chip_absent"
    error = refusal(ChipLines(ChipName("path", "/dev/null"), "x").open)
    assert error.kind == "chip_absent" and "/dev/null" in str(error)


def test_a_label_that_two_chips_have_is_refused_until_one_is_gone(chip):
    second = SimChip(chip.label)
    try:
        error = refusal(lambda: find_chip(ChipName("label", chip.label)))
        assert error.kind == "chip_ambiguous" and "name one by its path" in str(error)
        assert chip.path in str(error) and second.path in str(error)
        assert find_chip(ChipName("path", second.path)) == second.path
        second.live(False)
        assert find_chip(ChipName("label", chip.label)) == chip.path
    finally:
        second.remove()


def test_a_chip_that_is_not_ours_to_open_says_what_to_do(chip):
    os.seteuid(65534)
    try:
        by_label = refusal(lambda: find_chip(ChipName("label", chip.label)))
        by_path = refusal(ChipLines(ChipName("path", chip.path), "x").open)
    finally:
        os.seteuid(0)
    for error in (by_label, by_path):
        assert error.kind == "permission" and error.is_of_the_chip
        assert "usermod -aG gpio" in str(error) and 'SUBSYSTEM=="gpio"' in str(error) and chip.path in str(error)


def test_a_line_that_is_not_there_is_told_with_the_nearest(chip):
    lines = opened(chip)
    assert "did you mean `ESTOP`?" in str(refusal(lambda: lines.hold_input(InputLine("ESTP"))))
    assert "lines 0 to 15, not 16" in str(refusal(lambda: lines.hold_input(InputLine(16))))
    error = refusal(lambda: lines.hold_input(InputLine("TWICE")))
    assert error.kind == "line_absent" and "3, 4 are all named `TWICE`" in str(error) and not error.is_of_the_chip
    lines.close()


def test_a_line_is_told_with_its_holder_also_where_we_are_it(chip):
    lines = opened(chip)
    held = lines.hold_input(InputLine("ESTOP"))
    with gpiod.Chip(chip.path) as other:
        info = other.get_line_info(8)
        assert (info.consumer, info.used) == ("bessplc panel", True)
        with other.request_lines({5: None}, consumer="gpioset"):
            assert "line 5 is held by `gpioset`" in str(refusal(lambda: lines.hold_output(OutputLine(5), True)))
        with other.request_lines({5: None}):
            assert refusal(lambda: lines.hold_input(InputLine(5))).kind == "busy"
    assert "this device itself, by another name" in str(refusal(lambda: lines.hold_input(InputLine(8))))
    held.release()
    lines.close()


def test_the_kernel_is_asked_for_what_the_words_say(chip):
    lines = opened(chip)
    held = [
        lines.hold_input(InputLine(0, active_low=True, bias="pull-up", debounce=5_000_000)),
        lines.hold_input(InputLine(1, count=True, edges="falling")),
        lines.hold_output(OutputLine(2, active_low=True, drive="open-source"), True),
    ]
    with gpiod.Chip(chip.path) as other:
        infos = [other.get_line_info(i) for i in range(3)]
    assert infos[0].active_low and infos[0].bias is gpiod.line.Bias.PULL_UP
    assert infos[0].debounced and infos[0].debounce_period.total_seconds() == 0.005
    assert infos[0].edge_detection is gpiod.line.Edge.BOTH and infos[0].event_clock is gpiod.line.Clock.MONOTONIC
    assert infos[1].edge_detection is gpiod.line.Edge.FALLING
    assert infos[2].direction is gpiod.line.Direction.OUTPUT and infos[2].drive is gpiod.line.Drive.OPEN_SOURCE
    for line in held:
        line.release()
    lines.close()


def test_edges_that_nobody_took_in_time_are_counted_all_the_same(bench_of, monkeypatch):
    """The kernel keeps 16 edges here and drops the older ones; their numbers say how many there were."""
    monkeypatch.setattr(gpio_chip, "EVENT_BUFFER", 16)
    b = bench_of("poll: 20 ms\ninputs:\n  p.n: {line: 0, count: true}\n  p.all: {line: 1, count: true, edges: both}\n")

    async def test() -> None:
        async with b:
            await b.online()
            for _ in range(60):  # the loop stands still meanwhile
                for level in (True, False):
                    b.chip.pull(0, level)
                    b.chip.pull(1, level)
                    time.sleep(0.003)
            await b.until(lambda: b.value("p.n") >= 60 and b.value("p.all") >= 120, "the counts")
            assert (b.value("p.n"), b.value("p.all")) == (60, 120)
            await b.until(lambda: b.state == "degraded", "degraded")
            health = b.connection.health()
            assert health.conditions == {"edges_lost"} and health.errors["lost_edges"] >= 100

    asyncio.run(test())


def test_a_storm_of_edges_leaves_the_loop_to_others_and_loses_no_count(bench_of, monkeypatch):
    monkeypatch.setattr(gpio_chip, "STORM", 20)
    b = bench_of("poll: 20 ms\ninputs:\n  p.n: {line: 0, count: true, edges: both}\n  p.calm: {line: 1}\n")

    async def test() -> None:
        async with b:
            await b.online()
            for _ in range(4):
                for _ in range(15):
                    for level in (True, False):
                        b.chip.pull(0, level)
                        time.sleep(0.003)
                await asyncio.sleep(0)
            b.chip.pull(1, True)
            await b.until(lambda: b.value("p.n") == 120 and b.value("p.calm") == 1, "the count and the other line")
            assert b.state == "online"

    asyncio.run(test())


def test_an_output_is_requested_once_with_its_value_and_never_reconfigured(bench_of):
    """What the kernel itself tells of the line: one request, no change of its configuration, the level right behind it."""
    b = bench_of("poll: 20 ms\noutputs:\n  p.main: {line: 7, bias: pull-up, safe: true}\n")

    async def test() -> None:
        with gpiod.Chip(b.chip.path) as other:
            assert not other.watch_line_info(7).used
            async with b:
                await b.online()
                assert not other.wait_info_event(0), "nothing is touched before there is a value"
                b.want(main=True)
                await b.until(lambda: b.connection.status()["outputs"] == 1, "driven")
                await asyncio.sleep(0.1)
                events = []
                while other.wait_info_event(0):
                    events.append(other.read_info_event())
                assert [event.event_type.name for event in events] == ["LINE_REQUESTED"]
                assert events[0].line_info.direction is gpiod.line.Direction.OUTPUT
                assert b.chip.level(7) is True

    asyncio.run(test())


class Watch:
    """A thread that reads a line's level all the time and keeps every change."""

    def __init__(self, file: Path):
        self.file, self.seen, self._end = file, [], threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self.file.open() as level:
            while not self._end.is_set():
                level.seek(0)
                now = level.read(1)
                if not self.seen or self.seen[-1] != now:
                    self.seen.append(now)
                time.sleep(0)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._end.set()
        self._thread.join()


def test_an_output_keeps_its_level_over_a_restart_of_the_driver(bench_of):
    """gpio-sim lets a released line follow its resistor, here the driven level: no step may go the other way."""
    b = bench_of("poll: 20 ms\noutputs:\n  p.main: {line: 7, bias: pull-up, safe: true}\n")

    async def test() -> None:
        b.chip.pull(7, True)
        with Watch(b.chip.level_file(7)) as watch:
            for _ in range(5):
                await b.connection.open()
                b.want(main=True)
                await b.until(lambda: b.connection.status()["outputs"] == 1, "driven")
                await b.connection.close()
                b.connection = b.connect()
        assert watch.seen == ["1"]

    asyncio.run(test())


def test_the_chip_is_taken_away_under_uvloop_as_well(bench_of):
    uvloop = pytest.importorskip("uvloop", reason="uvloop is optional")
    b = bench_of("poll: 10 s\ninputs:\n  p.a: {line: 0}\n")
    broken: list[Any] = []

    async def test() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
        async with b:
            await b.online()
            b.chip.pull(0, True)
            await b.until(lambda: b.value("p.a") == 1, "an edge")
            b.chip.live(False)
            await b.until(lambda: is_bad(b.quality("p.a")), "bad long before the next reading")
            b.chip.live(True)
            await b.until(lambda: b.quality("p.a") == GOOD and b.value("p.a") == 0, "healed")
            b.chip.pull(0, True)
            await b.until(lambda: b.value("p.a") == 1, "an edge of the chip that came back")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test())
    assert broken == []


@pytest.mark.slow
@pytest.mark.timeout(240)  # the lab has no cache: both starts may compile
def test_kill_9_lets_the_lines_fall_to_their_resistors_and_a_restart_drives_them_without_a_pulse(bench_of, tmp_path):
    """`main` has a resistor to its safe value, which opens it when the process dies; `hold` is true and safe at true throughout."""
    b = bench_of("""
        poll: 20 ms
        inputs:
          p.in: {line: 0}
        outputs:
          p.main: {line: 11, bias: pull-down, safe: false}
          p.hold: {line: 12, bias: pull-up, safe: true}
    """)
    with fieldbus_run(tmp_path, [b.device]) as run:
        scan = run.start_scan()
        scan.ask("set", values={0: 1, 1: 1})
        with Watch(b.chip.level_file(11)) as main, Watch(b.chip.level_file(12)) as hold:
            run.start()
            until(lambda: b.chip.level(11) and b.chip.level(12), COLD_S, "driven as the scan wants")
            assert run.process is not None
            run.process.kill()
            run.process.wait()
            until(lambda: not b.chip.level(11), 5, "the resistor opens the contactor")
            run.start()
            until(lambda: b.chip.level(11), COLD_S, "driven again")
            run.stop()
            until(lambda: not b.chip.level(11), 5, "safe at the end")
        assert main.seen == ["0", "1", "0", "1", "0"]
        assert hold.seen in (["0", "1"], ["1"]), "never a pulse to the other level"
