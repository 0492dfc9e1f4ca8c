"""The oscilloscope that a page calls: every scan's values in words of its names, over an online change, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.child import ServiceOrder
from runtime.engine.trace_view import TracerBusyError
from runtime.servers.oscilloscope import Oscilloscope
from tests.aids.engine import GENERATION, Bench
from tests.aids.site_text import load

PROGRAM = """
blocks:
  count: {type: ADD, A: last count.OUT, B: 1}
outputs:
  x.count: count.OUT
"""
TAGS = """
x.count: {type: LREAL, unit: kW}
x.on: {type: BOOL, default: true}
x.many: {type: "DINT[40]", default: 7}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, load(PROGRAM, TAGS))


def order_of(bench: Bench, *without: str) -> ServiceOrder:
    """What a server of this bench is told; `without` are pins that an edited program has no more."""
    s = bench.schedule
    pins = {name: place for name, place in s.pins.items() if name not in without}
    return ServiceOrder("rest", "s", str(bench.folder), "", GENERATION, s.tags, s.region, (), {}, pins=pins)


@pytest.fixture
def scope(bench: Bench) -> Iterator[Oscilloscope]:
    made = Oscilloscope(order_of(bench), ["x.count", "x.on", "p.count.OUT", "x.many[3]"])
    bench.plc.attach()
    yield made
    made.close()


def test_every_scan_is_a_row_of_values(bench: Bench, scope: Oscilloscope) -> None:
    bench.scan(50)
    seen = scope.read()
    assert [channel.name for channel in scope.channels] == ["x.count", "x.on", "p.count.OUT", "x.many[3]"]
    assert scope.channels[0].unit == "kW"
    assert seen.scans == list(range(1, 51)) and seen.lost == 0
    counts = [float(number) for number in range(1, 51)]
    assert seen.values == [counts, [True] * 50, counts, [7] * 50]
    assert seen.monotonic == sorted(set(seen.monotonic)) and len(seen.wall) == 50
    assert scope.read().scans == [], "each scan comes once"


def test_what_a_slow_reader_lost_is_counted_once(bench: Bench, scope: Oscilloscope) -> None:
    bench.scan(8192 + 100)
    seen = scope.read()
    assert len(seen.scans) + seen.lost == 8192 + 100 and seen.lost > 0
    bench.scan(1)
    assert (scope.read().lost, seen.scans[-1]) == (0, 8192 + 100)


def test_it_goes_on_with_a_loaded_program_and_says_what_is_gone(bench: Bench, scope: Oscilloscope) -> None:
    bench.scan(5)
    assert scope.follow(order_of(bench, "p.count.OUT")) == ("p.count.OUT",)
    bench.plc.attach()
    bench.scan(3)
    assert scope.read().values == [[6.0, 7.0, 8.0], [True] * 3, [7] * 3]


def test_there_is_one_at_a_time_and_names_are_judged(bench: Bench, scope: Oscilloscope) -> None:
    with pytest.raises(TracerBusyError):
        Oscilloscope(order_of(bench), ["x.count"])
    with pytest.raises(KeyError, match=r"x\.cuont"):
        Oscilloscope(order_of(bench), ["x.cuont"])
    with pytest.raises(ValueError, match="40 channels"):
        Oscilloscope(order_of(bench), ["x.many"])
