"""Tasks: whole multiples of one tick, in order, with the true time since each ran last; timers fire on the tick that PT names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.aids.engine import MS, Bench
from tests.aids.site_text import load_all

COUNT = "program: {name}\nblocks:\n  runs: {{type: ADD, A: last runs.OUT, B: 1.0}}\noutputs: {{x.{name}: runs.OUT}}\n"


def bench_of(folder: Path, tasks: str, tags: str, **programs: str) -> Bench:
    """A PLC of these tasks and programs; tags are `name: type` lines."""
    lines = "".join(f"  {line.strip()}\n" for line in tags.strip().splitlines())
    files = {f"programs/{name}.yaml": f"program: {name}\n{text}" for name, text in programs.items()}
    return Bench(folder, load_all({"config/site.yaml": f"tasks:\n{tasks}tags:\n{lines}", **files}))


def counting(folder: Path, **tasks: str) -> Bench:
    """One counting program a task."""
    text = "".join(f"  {name}: {{{words}, programs: [{name}]}}\n" for name, words in tasks.items())
    tags = "".join(f"  x.{name}: {{type: LREAL}}\n" for name in tasks)
    programs = {f"programs/{name}.yaml": COUNT.format(name=name) for name in tasks}
    return Bench(folder, load_all({"config/site.yaml": f"tasks:\n{text}tags:\n{tags}", **programs}))


def runs(bench: Bench, scans: int, *names: str) -> dict[str, list[int]]:
    """The numbers of the scans, from 0, in which each task ran."""
    found: dict[str, list[int]] = {name: [] for name in names}
    for number in range(scans):
        before = {name: bench.value(f"x.{name}") for name in names}
        bench.scan()
        for name in names:
            done = bench.value(f"x.{name}") - before[name]
            assert done in (0, 1)
            found[name] += [number] * int(done)
    return found


def test_each_task_runs_at_its_interval(tmp_path: Path) -> None:
    bench = counting(tmp_path, a="interval: 10 ms", b="interval: 20 ms", c="interval: 50 ms")
    assert runs(bench, 11, "a", "b", "c") == {"a": list(range(11)), "b": [0, 2, 4, 6, 8, 10], "c": [0, 5, 10]}


def test_a_phase_moves_a_task_to_other_ticks(tmp_path: Path) -> None:
    bench = counting(tmp_path, a="interval: 10 ms", b="interval: 30 ms, phase: 10 ms", c="interval: 30 ms, phase: 20 ms")
    assert runs(bench, 9, "a", "b", "c") == {"a": list(range(9)), "b": [1, 4, 7], "c": [2, 5, 8]}


def test_the_base_tick_is_the_shortest_interval_wherever_it_stands(tmp_path: Path) -> None:
    bench = counting(tmp_path, slow="interval: 100 ms", fast="interval: 5 ms")
    assert bench.schedule.tick == 5 * MS
    assert runs(bench, 41, "slow", "fast") == {"slow": [0, 20, 40], "fast": list(range(41))}


def test_a_task_missed_with_its_tick_runs_once_in_the_next_scan_and_then_on_its_own_ticks(tmp_path: Path) -> None:
    bench = counting(tmp_path, a="interval: 10 ms", b="interval: 50 ms")
    bench.scan()
    bench.scan(ticks=7)
    assert (bench.value("x.a"), bench.value("x.b")) == (2, 2), "ticks 1 to 6 are skipped, not run back to back"
    bench.scan(2)
    assert bench.value("x.b") == 2, "ticks 8 and 9"
    bench.scan()
    assert bench.value("x.b") == 3, "tick 10"


def test_many_missed_turns_are_one_run(tmp_path: Path) -> None:
    bench = counting(tmp_path, a="interval: 10 ms", b="interval: 20 ms")
    bench.scan()
    bench.scan(ticks=1000)
    assert (bench.value("x.a"), bench.value("x.b")) == (2, 2)


STOPWATCH = "blocks:\n  watch: {{type: TON, IN: true, PT: 1000 s}}\noutputs: {{x.{}: watch.ET}}\n"


def test_dt_is_the_true_time_since_the_task_ran_last(tmp_path: Path) -> None:
    tasks = "  fast: {interval: 10 ms, programs: [f]}\n  slow: {interval: 50 ms, programs: [s]}\n"
    bench = bench_of(tmp_path, tasks, "x.f: {type: TIME}\nx.s: {type: TIME}", f=STOPWATCH.format("f"), s=STOPWATCH.format("s"))
    seen: list[tuple[int, int]] = []
    for ticks in (1, 1, 3, 2, 1, 9, 3):  # the scans stand at ticks 0, 1, 4, 6, 7, 16, 19
        bench.scan(ticks=ticks)
        seen.append((bench.value("x.f") // MS, bench.value("x.s") // MS))
    assert seen == [(0, 0), (10, 0), (40, 0), (60, 60), (70, 60), (160, 160), (190, 160)]


def test_tasks_that_are_due_together_run_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A later task reads what an earlier one wrote in this tick; an earlier task reads a later one's last value."""
    names = {"first": "a", "second": "b", "third": "c"}
    tasks = "".join(f"  {task}: {{interval: 10 ms, programs: [{program}]}}\n" for task, program in names.items())
    bench = bench_of(
        tmp_path,
        tasks,
        "x.n: {type: LREAL}\nx.seen_before: {type: LREAL}\nx.seen_after: {type: LREAL}",
        a="outputs: {x.seen_before: x.n}\n",
        b="blocks:\n  n: {type: ADD, A: last n.OUT, B: 1.0}\noutputs: {x.n: n.OUT}\n",
        c="outputs: {x.seen_after: x.n}\n",
    )
    seen = []
    for _ in range(3):
        bench.scan()
        seen.append((bench.value("x.n"), bench.value("x.seen_before"), bench.value("x.seen_after")))
    assert seen == [(1, 0, 1), (2, 1, 2), (3, 2, 3)]


def test_programs_of_one_task_run_in_their_order(tmp_path: Path) -> None:
    reader, writer = "outputs: {x.seen: x.n}\n", "blocks:\n  n: {type: ADD, A: last n.OUT, B: 1.0}\noutputs: {x.n: n.OUT}\n"
    tags = "x.n: {type: LREAL}\nx.seen: {type: LREAL}"
    seen = {}
    for order in ("[w, r]", "[r, w]"):
        folder = tmp_path / order
        folder.mkdir()
        bench = bench_of(folder, f"  t: {{interval: 10 ms, programs: {order}}}\n", tags, w=writer, r=reader)
        bench.scan(3)
        seen[order] = bench.value("x.seen")
    assert seen == {"[w, r]": 3, "[r, w]": 2}


def test_a_fast_task_reads_the_last_value_of_a_slow_one(tmp_path: Path) -> None:
    tasks = "  fast: {interval: 10 ms, programs: [f]}\n  slow: {interval: 30 ms, programs: [s]}\n"
    bench = bench_of(
        tmp_path,
        tasks,
        "x.n: {type: LREAL}\nx.seen: {type: LREAL}",
        f="outputs: {x.seen: x.n}\n",
        s="blocks:\n  n: {type: ADD, A: last n.OUT, B: 1.0}\noutputs: {x.n: n.OUT}\n",
    )
    seen = []
    for _ in range(8):
        bench.scan()
        seen.append(bench.value("x.seen"))
    assert seen == [0, 1, 1, 1, 2, 2, 2, 3]


def test_last_is_the_value_of_the_run_before(tmp_path: Path) -> None:
    program = "blocks:\n  n: {type: ADD, A: last n.OUT, B: 1.0}\n  late: {type: ADD, A: last n.OUT, B: 0.0}\n"
    program += "outputs: {x.n: n.OUT, x.late: late.OUT}\n"
    bench = bench_of(tmp_path, "  t: {interval: 10 ms, programs: [p]}\n", "x.n: {type: LREAL}\nx.late: {type: LREAL}", p=program)
    seen = []
    for _ in range(3):
        bench.scan()
        seen.append((bench.value("x.n"), bench.value("x.late")))
    assert seen == [(1, 0), (2, 1), (3, 2)]


def test_first_scan_is_true_once(tmp_path: Path) -> None:
    bench = bench_of(
        tmp_path, "  t: {interval: 10 ms, programs: [p]}\n", "x.first: {type: BOOL}", p="outputs: {x.first: plc.first_scan}\n"
    )
    seen = []
    for _ in range(4):
        bench.scan()
        seen.append((bench.value("plc.first_scan"), bench.value("x.first"), bench.value("plc.scan")))
    assert seen == [(True, True, 1), (False, False, 2), (False, False, 3), (False, False, 4)]


TIMER = "blocks:\n  t: {{type: {type}, IN: hmi.in, PT: {pt}}}\noutputs: {{x.q: t.Q}}\n"
TIMER_TAGS = "hmi.in: {type: BOOL, write: operator}\nx.q: {type: BOOL}"


def edges(bench: Bench, fed: list[bool]) -> list[bool]:
    """Q in each scan while IN is fed."""
    found: list[Any] = []
    for value in fed:
        bench.plc.set("hmi.in", value)
        bench.scan()
        found.append(bench.value("x.q"))
    return found


@pytest.mark.parametrize(("pt", "ticks"), [("10 ms", 1), ("30 ms", 3), ("100 ms", 10), ("1 s", 100), ("25 ms", 3), ("0.1 s", 10)])
def test_an_on_delay_fires_on_the_first_tick_at_which_pt_has_passed(tmp_path: Path, pt: str, ticks: int) -> None:
    bench = bench_of(tmp_path, "  t: {interval: 10 ms, programs: [p]}\n", TIMER_TAGS, p=TIMER.format(type="TON", pt=pt))
    q = edges(bench, [False] + [True] * (ticks + 2))
    assert q == [False] + [False] * ticks + [True, True], "IN rose in the second scan; Q follows PT later, not one scan late"


def test_a_pulse_timer_lasts_exactly_pt(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "  t: {interval: 10 ms, programs: [p]}\n", TIMER_TAGS, p=TIMER.format(type="TP", pt="40 ms"))
    assert edges(bench, [True] * 8) == [True] * 4 + [False] * 4


def test_a_timer_does_not_lose_the_time_of_missed_scans(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "  t: {interval: 10 ms, programs: [p]}\n", TIMER_TAGS, p=TIMER.format(type="TON", pt="100 ms"))
    bench.plc.set("hmi.in", True)
    bench.scan()
    bench.scan(ticks=9)
    assert bench.value("x.q") is False
    bench.scan(ticks=1)
    assert bench.value("x.q") is True
