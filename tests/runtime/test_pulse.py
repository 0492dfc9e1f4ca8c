"""A server that lives and does nothing is found by the sign of life that it no longer shows; nobody else is taken for one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runtime.pulse import Pulses

MOST = 4
PID = 4711


def beat(folder: Path, at: int, pid: int = PID) -> None:
    path = folder / "modbus.json"
    path.write_text(json.dumps({"listening": "somewhere", "pid": pid}))
    os.utime(path, ns=(at, at))


def looks(pulses: Pulses, count: int, pid: int = PID) -> list[str]:
    return [name for _ in range(count) for name in pulses.silent({"modbus": (pid, 0), "scan": (1, 0)})]


@pytest.fixture
def pulses(tmp_path: Path) -> Pulses:
    return Pulses(tmp_path, ("modbus", "rest"), MOST)


def test_one_that_beats_is_alive_also_when_the_clock_is_set_back(tmp_path: Path, pulses: Pulses) -> None:
    for at in (5_000, 6_000, 1_000, 2_000):
        beat(tmp_path, at)
        assert looks(pulses, MOST) == []


def test_one_that_beats_no_more_is_silent_once_and_again_after_as_many_looks(tmp_path: Path, pulses: Pulses) -> None:
    beat(tmp_path, 5_000)
    assert looks(pulses, MOST) == []
    assert looks(pulses, 1) == ["modbus"]
    assert looks(pulses, MOST - 1) == []
    assert looks(pulses, 1) == ["modbus"]


def test_one_that_still_starts_is_not_judged_by_its_predecessors_file(tmp_path: Path, pulses: Pulses) -> None:
    assert looks(pulses, 3 * MOST) == []
    beat(tmp_path, 5_000)
    assert looks(pulses, 3 * MOST, pid=PID + 1) == []
    assert looks(pulses, 3 * MOST, pid=0) == []


def test_in_a_folder_that_cannot_be_written_nobody_is_silent(
    tmp_path: Path, pulses: Pulses, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError("read-only file system")

    beat(tmp_path, 5_000)
    monkeypatch.setattr(os, "utime", refuse)
    assert looks(pulses, 3 * MOST) == []
