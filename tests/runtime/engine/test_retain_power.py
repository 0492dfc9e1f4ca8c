"""The power goes at any moment: what was kept is the old set or the new one, never a mixture; and the disk is not worn out."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from runtime.engine import retain
from runtime.model import Schedule
from tests.aids.site_text import load

TAGS = """
  hmi.a: {type: LREAL, range: 0..1000000, default: 0, retain: true, write: operator}
  hmi.b: {type: DINT, default: 0, retain: true, write: operator}
  hmi.c: {type: "LREAL[64]", default: 0, retain: true, write: operator}
"""


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    return load("outputs: {}\nblocks: {x: {type: ABS, IN: hmi.a}}\n", TAGS).schedule


def put(folder: Path, schedule: Schedule, number: int) -> None:
    """The set of this number: every value of it is the number."""
    values = {"hmi.a": float(number), "hmi.b": number, "hmi.c": [float(number)] * 64}
    retain.save(folder, retain.retained(schedule), values)


def found(folder: Path, schedule: Schedule) -> int | None:
    """The number of the set that a start would find, None for no set; a mixture fails the test."""
    warm = retain.restore(schedule, folder)
    if not warm.restored:
        return None
    values = [warm.schedule.initial[t.offset :][: 8 * max(t.length, 1)] for t in retain.retained(schedule)]
    numbers = {float(x) for t, v in zip(retain.retained(schedule), values, strict=True) for x in _numbers(t, v)}
    assert len(numbers) == 1, f"a mixture: {sorted(numbers)}"
    return int(numbers.pop())


def _numbers(tag: Any, cells: Any) -> Any:
    code = retain.CODES[tag.type]
    return cells[: max(tag.length, 1) * int(code[1])].view(code).tolist()


def test_a_process_that_is_killed_while_it_saves_leaves_the_old_or_the_new_set(tmp_path: Path, schedule: Schedule) -> None:
    chance, number = random.Random(1), 0
    put(tmp_path, schedule, number)
    for _ in range(120):
        said, says = os.pipe()
        child = os.fork()
        if child == 0:  # it saves one set after another until it is killed, and tells which are done
            try:
                while True:
                    number += 1
                    put(tmp_path, schedule, number)
                    os.write(says, b"%d " % number)
            finally:
                os._exit(1)
        os.close(says)
        time.sleep(chance.uniform(0.001, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(said, "rb") as pipe:
            done = [number, *map(int, pipe.read().split())][-1]
        number = found(tmp_path, schedule)  # type: ignore[assignment]
        assert number in (done, done + 1)
    assert len(list(tmp_path.iterdir())) <= 3, "what killed ones left is cleared away"
    assert number > 10, "they did save"


def test_a_file_that_lost_its_end_costs_one_generation_at_most(tmp_path: Path, schedule: Schedule) -> None:
    put(tmp_path, schedule, 1)
    put(tmp_path, schedule, 2)
    chance = random.Random(2)
    for name, otherwise in ((retain.NEWEST, 1), (retain.BEFORE, 2)):
        whole = (tmp_path / name).read_bytes()
        for size in chance.sample(range(len(whole)), 100):
            (tmp_path / name).write_bytes(whole[:size])
            assert found(tmp_path, schedule) == otherwise, f"{name} cut at {size}"
        for place in chance.sample(range(len(whole)), 50):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << chance.randrange(8)
            (tmp_path / name).write_bytes(damaged)
            assert found(tmp_path, schedule) in (1, 2), f"{name} damaged at {place}"
        (tmp_path / name).write_bytes(whole)


class PowerCutError(BaseException):
    """The power is gone: nothing after this happens."""


@pytest.mark.parametrize("newest_is_whole", [True, False])
def test_after_every_single_step_of_saving_a_whole_set_is_there(
    tmp_path: Path, schedule: Schedule, monkeypatch: pytest.MonkeyPatch, newest_is_whole: bool
) -> None:
    """Also where the newest generation was damaged before: it must not take the place of the good one."""
    real = {name: getattr(os, name) for name in ("fsync", "replace", "unlink")}
    for last in range(8):
        folder = tmp_path / str(last)
        put(folder, schedule, 1)
        put(folder, schedule, 2)
        if not newest_is_whole:
            (folder / retain.NEWEST).write_text("{")
        steps = 0

        def step(name: str, *arguments: Any, last: int = last) -> Any:
            nonlocal steps
            steps += 1
            if steps > last:
                raise PowerCutError
            return real[name](*arguments)

        with monkeypatch.context() as cut:
            for name in real:
                cut.setattr(os, name, lambda *a, name=name, **_: step(name, *a))
            try:
                put(folder, schedule, 3)
            except PowerCutError:
                assert found(folder, schedule) in ((2, 3) if newest_is_whole else (1, 3)), f"cut before step {steps}"
            else:
                assert found(folder, schedule) == 3
    assert steps < 8, "the last round was not cut: every step was"


def test_a_changed_program_keeps_what_fits_and_says_what_it_dropped(tmp_path: Path, schedule: Schedule) -> None:
    put(tmp_path, schedule, 7)
    tags = TAGS.replace("hmi.a:", "hmi.new:").replace('"LREAL[64]"', '"LREAL[32]"')
    changed = load("outputs: {}\nblocks: {x: {type: ABS, IN: hmi.new}}\n", tags).schedule
    warm = retain.restore(changed, tmp_path)
    assert warm.restored == ("hmi.b",)
    assert warm.notes == (
        "hmi.c starts at its default: it has 32 elements now",
        "hmi.a is dropped: no tag or block of this name is retained any more",
    )


def test_a_value_that_moves_all_day_is_written_some_thousand_times(
    tmp_path: Path, schedule: Schedule, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, written = [5000.0], []
    monkeypatch.setattr(retain.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(retain, "save", lambda folder, tags, values: written.append((clock[0], values["hmi.b"])))
    keeper = retain.Keeper(tmp_path, schedule)
    moving = Moving()
    late = 0.0
    for second in range(86_400):
        clock[0] += 1
        moving.number = second
        keeper.keep(moving)  # type: ignore[arg-type]
        late = max(late, clock[0] - written[-1][0])
    assert len(written) <= 86_400 / retain.CREDIT_EVERY_S + retain.BURST + 1
    assert late <= retain.CREDIT_EVERY_S
    moving.number = -1
    assert keeper.keep(moving, at_last=True) and written[-1][1] == -1  # type: ignore[arg-type]


class Moving:
    """A snapshot in which everything is a number that the test moves."""

    number = 0

    def value(self, tag: Any) -> Any:
        return [float(self.number)] * tag.length if tag.length else self.number

    def quality(self, tag: Any) -> int:
        return 0
