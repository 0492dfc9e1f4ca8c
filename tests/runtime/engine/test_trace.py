"""The oscilloscope: every sample of every scan, in order, as the program saw it; what is lost is known."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime.engine.image import HEADER
from runtime.engine.trace import C_TRACES, MOST_CHANNELS, N_NUMBER, Q_CHANNELS, Q_FIRST, question_file, ring_file
from runtime.engine.trace_view import Catcher, Channel, Trace, Trigger, channels_of
from tests.aids.engine import GENERATION, Bench, looping, wait_for
from tests.aids.site_text import load

PROGRAM = """
blocks:
  count: {type: ADD, A: last count.OUT, B: 1}
  odd: {type: EQ, IN1: (plc.scan mod 2), IN2: 1}
outputs:
  x.count: count.OUT
  x.odd: odd.OUT
"""
TAGS = """
x.count: {type: LREAL, unit: kW}
x.odd: {type: BOOL}
x.four: {type: "DINT[4]", default: 7}
hmi.p: {type: LREAL, default: 1, write: operator}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, load(PROGRAM, TAGS))


def named(bench: Bench, *names: str) -> list[Channel]:
    s = bench.schedule
    return [channel for name in names for channel in channels_of(name, s.tags, s.region, s.pins)]


def traced(bench: Bench, *names: str, every: int = 1, entries: int = 256, tracer: str = "cli") -> Trace:
    """A trace that the scan process has found."""
    trace = Trace(bench.folder, tracer, GENERATION, named(bench, *names), every, entries)
    bench.plc.attach()
    return trace


def test_every_scan_gives_one_sample_with_the_values_of_its_end(bench: Bench) -> None:
    trace = traced(bench, "x.count", "x.odd", "p.count.OUT", "x.four[2]", "plc.scan")
    bench.scan(100)
    samples = trace.read()
    count, odd, pin, four, scan = (channel.values(samples, place) for place, channel in enumerate(trace.channels))
    assert samples[:, N_NUMBER].tolist() == list(range(1, 101)) and (trace.taken, trace.lost) == (100, 0)
    assert scan.tolist() == count.tolist() == pin.tolist() == list(range(1, 101))
    assert odd.tolist() == [number % 2 for number in range(1, 101)] and set(four.tolist()) == {7}
    assert len(trace.read()) == 0


def test_every_nth_scan_where_so_many_are_enough(bench: Bench) -> None:
    trace = traced(bench, "plc.scan", every=5)
    bench.scan(23)
    assert trace.channels[0].values(trace.read(), 0).tolist() == [5, 10, 15, 20]


def test_samples_that_nobody_fetched_in_time_are_counted_as_lost_and_the_rest_is_whole(bench: Bench) -> None:
    trace = traced(bench, "plc.scan", entries=64)
    bench.scan(200)
    samples = trace.read()
    assert trace.lost + len(samples) == 200 and trace.lost >= 136
    assert samples[:, N_NUMBER].tolist() == trace.channels[0].values(samples, 0).tolist() == list(range(201 - len(samples), 201))
    bench.scan(10)
    assert len(trace.read()) == 10


def test_two_may_trace_and_each_sees_his_own(bench: Bench) -> None:
    one, other = traced(bench, "x.count"), traced(bench, "x.odd", every=2, tracer="hmi")
    bench.scan(10)
    assert (len(one.read()), len(other.read())) == (10, 5)


def test_the_scan_stops_when_the_tracer_leaves_dies_or_asks_for_something_else(bench: Bench) -> None:
    trace = traced(bench, "x.count")
    bench.scan()
    trace.close()
    bench.plc.attach()
    assert bench.plc.plan.control[C_TRACES] == 0 and not (bench.folder / ring_file("cli")).exists()
    died = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    again = traced(bench, "x.odd")
    assert bench.plc.plan.control[C_TRACES] != 0
    again._question.words[2] = int(died.stdout)  # WORD_PID
    bench.plc.attach()
    assert bench.plc.plan.control[C_TRACES] == 0


def test_a_restarted_scan_is_found_and_told(bench: Bench) -> None:
    trace = traced(bench, "plc.scan")
    bench.scan(3)
    assert len(trace.read()) == 3
    again = Bench(bench.folder, bench.site)
    again.scan(2)
    assert wait_for(lambda: trace.read().tolist(), 5, "samples of the new scan")[0][N_NUMBER] == 1
    assert trace.restarts == 1


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (Q_CHANNELS, 0),
        (Q_CHANNELS, 33),
        (Q_CHANNELS, -1),
        (2, 0),
        (3, 1),
        (3, 1 << 40),
        (Q_FIRST, -8),
        (Q_FIRST, 1 << 40),
        (Q_FIRST + 1, 5),
    ],
)
def test_a_damaged_question_is_not_answered(bench: Bench, word: int, value: int) -> None:
    trace = Trace(bench.folder, "cli", GENERATION, named(bench, "x.count"))
    trace._question.memory[HEADER:].view(np.int64)[word] = value
    bench.plc.attach()
    assert bench.plc.plan.control[C_TRACES] == 0
    bench.scan(3)


def test_a_question_for_another_program_is_not_answered(bench: Bench) -> None:
    trace = Trace(bench.folder, "cli", GENERATION + 1, named(bench, "x.count"))
    bench.plc.attach()
    bench.scan(3)
    assert bench.plc.plan.control[C_TRACES] == 0 and len(trace.read()) == 0


def test_too_many_channels_are_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="1 to 32"):
        Trace(bench.folder, "cli", GENERATION, named(bench, "x.count") * (MOST_CHANNELS + 1))
    assert not os.path.exists(bench.folder / question_file("cli"))


def test_names_mean_tags_elements_qualities_and_pins_and_nothing_else(bench: Bench) -> None:
    assert [c.name for c in named(bench, "X.Four", "x.four[3]", "x.count.good", "P.count.out")] == [
        "x.four[1]",
        "x.four[2]",
        "x.four[3]",
        "x.four[4]",
        "x.four[3]",
        "x.count.good",
        "p.count.OUT",
    ]
    for wrong in ("x.nothing", "x.four[5]", "x.four[0]", "x.count[1]", ""):
        with pytest.raises(KeyError):
            named(bench, wrong)


def fired(trigger: Trigger, values: list[float]) -> int:
    return trigger.first(np.array(values), None)[0]


def test_a_level_fires_at_once_and_an_edge_must_see_the_other_side_first() -> None:
    assert fired(Trigger(0, ">", 100), [101, 99, 101]) == 0
    assert fired(Trigger(0, ">", 100, "rise"), [101, 99, 101]) == 2
    assert fired(Trigger(0, ">", 100, "fall"), [101, 100, 101]) == 1
    assert fired(Trigger(0, "<=", 5, "rise"), [6, 5.5, 5]) == 2
    assert fired(Trigger(0, "=", 1, "rise"), [1, 1, 0, 0, 1]) == 4
    assert fired(Trigger(0, "<>", 3), [3, 3, 4]) == 2
    assert fired(Trigger(0, ">", 100), [math.nan, 99]) == -1


def test_hysteresis_keeps_noise_at_the_level_from_firing_again_and_again() -> None:
    noise = [90, 101, 99, 101, 99, 94, 101]
    trigger = Trigger(0, ">", 100, "rise", hysteresis=5)
    at, held = trigger.first(np.array(noise), None)
    assert (at, held) == (1, True)
    assert trigger.first(np.array(noise[2:]), held)[0] == 4  # only after 94, which is below 95
    assert Trigger(0, ">", 100, "rise").first(np.array(noise[2:]), True)[0] == 1


def test_a_window_has_its_share_before_the_trigger_whatever_the_portions_it_came_in(bench: Bench) -> None:
    trace = traced(bench, "x.count")
    catcher = Catcher(trace, length=20, before=6, trigger=Trigger(0, ">", 50))
    windows = []
    for portion in (1, 7, 30, 25, 2, 40):
        bench.scan(portion)
        windows += catcher.feed(trace.read())
        if windows:
            break
    (window,) = windows[:1]
    assert window.values(0).tolist() == list(range(45, 65)) and window.trigger == 6
    assert window.missing == 0 and window.seconds[6] == 0.0
    assert np.allclose(np.diff(window.seconds), 0.01)


def test_a_trigger_before_the_share_is_full_gives_what_there_is(bench: Bench) -> None:
    trace = traced(bench, "x.count")
    catcher = Catcher(trace, length=20, before=10, trigger=Trigger(0, ">", 2))
    bench.scan(40)
    window = next(catcher.feed(trace.read()))
    assert window.trigger == 2 and window.values(0).tolist() == list(range(1, 21))


def test_windows_follow_each_other_where_one_is_not_enough(bench: Bench) -> None:
    trace = traced(bench, "x.count", "x.odd")
    catcher = Catcher(trace, length=8, before=2, trigger=Trigger(1, "=", 1, "rise"))
    bench.scan(40)
    first, second, *_ = catcher.feed(trace.read())
    assert first.values(1)[first.trigger] == second.values(1)[second.trigger] == 1
    assert second.values(0)[0] > first.values(0)[-1] - 2


def test_without_a_trigger_a_window_begins_with_the_first_sample(bench: Bench) -> None:
    trace = traced(bench, "x.count")
    catcher = Catcher(trace, length=5)
    bench.scan(11)
    assert [window.values(0).tolist() for window in catcher.feed(trace.read())] == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]


def test_a_real_loop_loses_no_sample(tmp_path: Path) -> None:
    bench = Bench(tmp_path, load(PROGRAM, TAGS))
    trace = traced(bench, "x.count", "x.odd", "x.four", "plc.scan", entries=1024)
    numbers: list[int] = []
    with looping(bench.plc):
        wait_for(lambda: numbers.extend(trace.read()[:, N_NUMBER].tolist()) or len(numbers) >= 50, 30, "50 samples")
    numbers.extend(trace.read()[:, N_NUMBER].tolist())
    assert numbers == list(range(1, len(numbers) + 1)) and trace.lost == 0
