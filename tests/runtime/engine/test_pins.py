"""Any pin of any block can be read from outside while the scan runs, and a scan that has ended is no source."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.app import generation_of
from runtime.engine.image import ImageError
from runtime.engine.north import Pins
from runtime.engine.plc import Plc
from tests.bench.programs import load

SITE = """
site: pins
tasks: {fast: {interval: 10 ms, programs: [count]}}
tags:
  a.in: {type: LREAL, default: 3, text: Input}
  a.out: {type: LREAL, default: 0, text: Output}
"""
PROGRAM = """
program: count
blocks:
  sum: {type: ADD, A: last sum.OUT, B: a.in}
  high: {type: GT, IN1: sum.OUT, IN2: 10}
outputs:
  a.out: sum.OUT
"""


def test_a_pin_is_read_by_name_and_is_as_fresh_as_the_scan(tmp_path: Path) -> None:
    schedule = load({"config/site.yaml": SITE, "programs/count.yaml": PROGRAM}).schedule
    plc = Plc(schedule, tmp_path, generation_of(schedule))
    pins = Pins(tmp_path, generation_of(schedule), schedule.pins)
    assert pins.attach()
    seen = []
    for scan in range(1, 6):
        plc.scan(scan * 10_000_000)
        seen.append((pins.value("count.sum.OUT"), pins.value("count.high.OUT")))
    assert seen == [(3.0, False), (6.0, False), (9.0, False), (12.0, True), (15.0, True)]
    assert pins.value("count.sum.OUT") == plc.pin("count.sum.OUT")


def test_there_is_nothing_to_read_before_a_scan_and_of_another_program(tmp_path: Path) -> None:
    schedule = load({"config/site.yaml": SITE, "programs/count.yaml": PROGRAM}).schedule
    pins = Pins(tmp_path, generation_of(schedule), schedule.pins)
    assert not pins.attach()
    with pytest.raises(ImageError):
        pins.value("count.sum.OUT")
    plc = Plc(schedule, tmp_path, generation_of(schedule) + 1)
    assert not pins.attach()
    plc.memory.remove()


def test_a_restarted_scan_is_found_again(tmp_path: Path) -> None:
    schedule = load({"config/site.yaml": SITE, "programs/count.yaml": PROGRAM}).schedule
    pins = Pins(tmp_path, generation_of(schedule), schedule.pins)
    first = Plc(schedule, tmp_path, generation_of(schedule))
    first.scan(10_000_000)
    assert pins.attach() and pins.value("count.sum.OUT") == 3.0
    first.memory.remove()
    assert not pins.attach()
    Plc(schedule, tmp_path, generation_of(schedule))
    assert pins.attach() and pins.value("count.sum.OUT") == 0.0
