"""The timing diagram: what is drawn is what the example's table says, whatever the width."""

from __future__ import annotations

import re

import pytest

from blocks import catalogue
from blocks.declare import BlockType, Example
from blocks.standard.timers import TON
from runtime.reference.timing_diagram import diagram, short_time, trace

every_block = pytest.mark.parametrize("block", catalogue().values(), ids=catalogue())


def shown_by(example: Example, width: int = 110) -> str:
    block = BlockType(TON.name, TON.doc, TON.source, TON.pins, TON.step, TON.module, example, None, TON._by_name)
    return re.sub(r" +$", "", diagram(block, width), flags=re.MULTILINE)


def test_a_timer_is_drawn_as_in_the_standard():
    table = "IN | Q ET\n 0 | 0 0ms\n 1 | 0 0ms\n 1 | 0 10ms\n 1 | 1 20ms\n 0 | 0 0ms"
    drawn = shown_by(Example(PT="20ms", table=table))
    waves = drawn.splitlines()
    assert waves[0].split() == ["time", "0", "10ms", "20ms", "30ms", "40ms"]
    assert (waves[1].index("┌"), waves[1].index("┐")) == (waves[0].index("10ms"), waves[0].index("40ms"))
    assert (waves[2].index("┘"), waves[2].index("└")) == (waves[1].index("┌"), waves[1].index("┐"))
    assert (waves[3].index("┌"), waves[3].index("┐")) == (waves[0].index("30ms"), waves[0].index("40ms"))
    assert waves[5].split()[:2] == ["->", "ET"]
    assert re.findall(r"[0-9]+(?:ms)?", waves[5]) == ["0", "10ms", "20ms", "0"]


def test_a_repeated_line_is_one_column_and_says_so():
    drawn = shown_by(Example(PT="1s", table="IN x | Q ET\n 1 1 | 0 0ms\n 1 99 | 0 990ms\n 1 1 | 1 1s"))
    assert drawn.splitlines()[0].split() == ["time", "0", "990ms", "×99", "1s"]


def test_a_wide_table_is_folded_and_the_level_goes_on():
    table = "IN | Q\n" + "\n".join(["0 | 0"] + ["1 | 0"] * 29 + ["0 | 0"])
    parts = shown_by(Example(PT="10s", table=table), width=60).split("\n\n     ")
    assert len(parts) > 2
    assert all(len(line) <= 60 for part in parts for line in part.splitlines())
    assert [len(re.findall("[┌┐]", part)) for part in parts] == [1] + [0] * (len(parts) - 2) + [1]
    times = [time for part in parts for time in part.splitlines()[0].split() if time != "time"]
    assert times == [short_time(10_000_000 * i) for i in range(31)]


def test_a_block_without_an_example_says_so():
    with pytest.raises(ValueError, match="TON has no example"):
        trace(BlockType(TON.name, TON.doc, TON.source, TON.pins, TON.step, TON.module))


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0"), (1, "1ns"), (-20_000_000, "-20ms"), (1_500_000_000, "1.5s"), (90_000_000_000, "1.5min"), (7_200_000_000_000, "2h")],
)
def test_a_time_is_short(ns, text):
    assert short_time(ns) == text


@every_block
def test_every_example_is_drawn_within_the_width(block: BlockType):
    drawn = diagram(block, 100)
    found = trace(block)
    for pin in found.inputs + found.outputs:
        assert re.search(rf"^  (->|  ) {pin.name} ", drawn, re.MULTILINE), pin.name
    assert max(map(len, drawn.splitlines())) <= 100
