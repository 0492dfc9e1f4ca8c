"""How a program is laid out: few groups, columns shared where they are fed in order, copies elsewhere, aligned and compact."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from blocks import catalogue
from runtime.model import Group, Schedule
from tests.aids.site_text import PlainScan, load

CHANNEL = """
  lag{i}: {{type: LAG, IN: pv.v{i}, T: 500 ms}}
  ramp{i}: {{type: RAMP, IN: lag{i}.OUT, UP: 50 /s, DOWN: 50 /s}}
  hys{i}: {{type: HYSTERESIS, IN: ramp{i}.OUT, LOW: 10, HIGH: 20}}
  ton{i}: {{type: TON, IN: hys{i}.Q, PT: 2 s}}
  and{i}: {{type: AND, IN1: ton{i}.Q, IN2: hys{i}.Q}}
  or{i}: {{type: OR, IN1: and{i}.OUT, IN2: ton{i}.Q}}
  sr{i}: {{type: SR, S1: or{i}.OUT, R: hmi.reset}}
""".replace("50 /s", "50 1/s")


def channels(count: int, order: list[int] | None = None) -> Schedule:
    text = "blocks:" + "".join(CHANNEL.format(i=i) for i in (order or range(count)))
    tags = "hmi.reset: {type: BOOL, write: operator}\n" + "\n".join(
        f"pv.v{i}: {{type: LREAL, write: operator}}" for i in range(count)
    )
    return load(text, tags).schedule


def column(schedule: Schedule, group: Group, pin: str) -> int:
    names = [p.name for p in catalogue()[group.block].pins]
    return group.columns[names.index(pin)]


def group_of(schedule: Schedule, block: str) -> Group:
    found = [g for g in schedule.groups if g.block == block]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("count", [1, 7, 300])
def test_equal_channels_become_one_group_a_block(count: int) -> None:
    schedule = channels(count)
    assert [g.block for g in schedule.groups] == ["LAG", "RAMP", "HYSTERESIS", "TON", "AND", "OR", "SR"]
    assert {g.rows for g in schedule.groups} == {count}


def test_a_whole_column_that_is_fed_in_order_is_shared_and_costs_no_copy() -> None:
    schedule = channels(50)
    for block, pin, source, out in (
        ("RAMP", "IN", "LAG", "OUT"),
        ("HYSTERESIS", "IN", "RAMP", "OUT"),
        ("TON", "IN", "HYSTERESIS", "Q"),
        ("AND", "IN2", "HYSTERESIS", "Q"),
        ("OR", "IN2", "TON", "Q"),
    ):
        assert column(schedule, group_of(schedule, block), pin) == column(schedule, group_of(schedule, source), out)
    assert column(schedule, group_of(schedule, "LAG"), "IN") == schedule.tag("pv.v0").offset
    assert len(schedule.copies.size) == 2, "only the common reset is copied: once, and repeated for the other rows"


def test_rows_follow_what_feeds_them_where_that_saves_copies() -> None:
    order = list(np.random.default_rng(5).permutation(40))
    schedule = channels(40, order)
    assert len(schedule.copies.size) == 2
    assert list(group_of(schedule, "LAG").instances) == [f"p.lag{i}" for i in range(40)], (
        "the tags stand in the order of their declaration"
    )


def test_the_smallest_program_stays_compact() -> None:
    schedule = channels(1)
    assert schedule.initial.size - schedule.region.size < 512
    for group in schedule.groups:
        assert all(offset % 8 == 0 or offset < schedule.region.size for offset in group.columns)


def test_large_columns_start_on_a_cache_line() -> None:
    schedule = channels(600)
    ramp = group_of(schedule, "RAMP")
    assert column(schedule, ramp, "OUT") % 64 == 0


def test_a_row_in_between_that_is_fed_otherwise_gives_the_group_its_own_column() -> None:
    program = """
blocks:
  a1: {type: NEG, IN: x.a}
  a2: {type: NEG, IN: x.b}
  b1: {type: LAG, IN: a1.OUT, T: 1 s}
  b2: {type: LAG, IN: 7, T: 2 s}
  b3: {type: LAG, IN: a2.OUT, T: 3 s}
"""
    schedule = load(program, "x.a: {type: LREAL, write: operator}\nx.b: {type: LREAL, write: operator}").schedule
    lag = group_of(schedule, "LAG")
    assert lag.rows == 3
    assert column(schedule, lag, "IN") != column(schedule, group_of(schedule, "NEG"), "OUT")
    assert lag.copy_to - lag.copy_from == 2, "only the rows that are fed are copied"
    run = PlainScan(schedule)
    assert [run[f"p.b{i}.T"] for i in (1, 2, 3)] == [1.0, 2.0, 3.0]
    run["x.a"], run["x.b"] = 1.0, 2.0
    run.scan()
    assert [run[f"p.b{i}.IN"] for i in (1, 2, 3)] == [-1.0, 7.0, -2.0]


def test_neighbours_in_memory_are_one_copy() -> None:
    """Two runs of four outputs each, with a constant between them."""
    lines = [f"  a{i}: {{type: NEG, IN: x.a}}" for i in range(8)]
    lines += [f"  b{i}: {{type: LAG, IN: {'5' if i == 4 else f'a{i - (i > 4)}.OUT'}, T: 1 s}}" for i in range(9)]
    schedule = load("blocks:\n" + "\n".join(lines) + "\n", "x.a: {type: LREAL, write: operator}").schedule
    lag = group_of(schedule, "LAG")
    assert sorted(schedule.copies.size[lag.copy_from : lag.copy_to]) == [32, 32]


def test_a_group_never_reads_its_own_output_column() -> None:
    program = "blocks:\n  a: {type: ADD, A: last a.OUT, B: 1}\n  b: {type: ADD, A: last b.OUT, B: 2}\n"
    schedule = load(program).schedule
    add = group_of(schedule, "ADD")
    assert column(schedule, add, "A") != column(schedule, add, "OUT")
    assert schedule.copies.size.tolist() == [16]


def test_last_from_a_group_that_runs_later_is_shared() -> None:
    program = "blocks:\n  early: {type: NEG, IN: last late.OUT}\n  late: {type: ABS, IN: early.OUT}\n"
    schedule = load(program).schedule
    assert [g.block for g in schedule.groups] == ["NEG", "ABS"]
    assert column(schedule, schedule.groups[0], "IN") == column(schedule, schedule.groups[1], "OUT")
    assert len(schedule.copies.size) == 0


def test_last_from_a_group_that_ran_before_is_copied_before_it_runs() -> None:
    program = "blocks:\n  first: {type: NEG, IN: x.a}\n  then: {type: ADD, A: first.OUT, B: last first.OUT}\n"
    schedule = load(program, "x.a: {type: LREAL, write: operator}").schedule
    neg, add = schedule.groups
    assert (neg.copy_to - neg.copy_from, add.copy_to - add.copy_from) == (1, 0)
    assert schedule.copies.target[neg.copy_from] == column(schedule, add, "B")


def test_a_tags_copy_stays_apart_from_its_neighbours_so_that_it_can_be_forced() -> None:
    program = "blocks:\n" + "".join(f"  a{i}: {{type: NEG, IN: x.a}}\n" for i in range(4)) + "outputs:\n"
    program += "".join(f"  y.t{i}: a{i}.OUT\n" for i in range(4))
    tags = "x.a: {type: LREAL, write: operator}\n" + "\n".join(f"y.t{i}: {{type: LREAL}}" for i in range(4))
    schedule = load(program, tags).schedule
    task = schedule.tasks[0]
    targets = schedule.copies.target[task.copy_from : task.copy_to].tolist()
    assert targets == [schedule.tag(f"y.t{i}").offset for i in range(4)]


def test_the_tag_region_holds_values_times_qualities_and_good_flags() -> None:
    lines = (
        "a.b: {type: BOOL}",
        "a.l: {type: LREAL, default: 2.5}",
        "a.d: {type: DINT, default: -7}",
        "a.t: {type: TIME, default: 2 s}",
    )
    tags = "\n".join((*lines, 'a.x: {type: "BOOL[3]", default: [true, false, true]}'))
    schedule = load("outputs: {a.b: true}\n", tags).schedule
    region, image = schedule.region, schedule.initial
    cells = {(tag.offset, tag.offset + (tag.length or 1) * {"BOOL": 1, "DINT": 4}.get(tag.type, 8)) for tag in schedule.tags}
    cells |= {
        (region.source_time, region.source_time + 8 * region.tags),
        (region.quality, region.quality + 4 * region.tags),
        (region.good, region.good + region.tags),
    }
    ordered = sorted(cells)
    assert all(end <= start for (_, end), (start, _) in pairwise(ordered)), "nothing overlaps"
    assert ordered[-1][1] <= region.size and region.size % 64 == 0
    assert [tag.index for tag in schedule.tags] == list(range(region.tags))
    eight = [t.offset for t in schedule.tags if t.type in ("LREAL", "LINT", "TIME")]
    assert (
        max(eight)
        < region.source_time
        < min(t.offset for t in schedule.tags if t.type == "DINT")
        < region.quality
        < schedule.tag("a.b").offset
    )
    run = PlainScan(schedule)
    assert (run["a.l"], run["a.d"], run["a.t"], run["a.x"]) == (2.5, -7, 2_000_000_000, [True, False, True])
    assert image[region.good : region.good + region.tags].all(), "what has no device is good from the start"


def test_every_pin_of_every_instance_has_an_address_and_a_type() -> None:
    schedule = load("blocks:\n  c: {type: TON, IN: true, PT: 1 s}\n  s: {type: CELL_STATS, count: 2, V: [1, 2, 3]}\n").schedule
    assert {name: (type, length) for name, (type, _, length) in schedule.pins.items() if name.startswith(("p.c", "p.s[2]"))} == {
        "p.c.IN": ("BOOL", 0),
        "p.c.PT": ("TIME", 0),
        "p.c.Q": ("BOOL", 0),
        "p.c.ET": ("TIME", 0),
        "p.c.was": ("BOOL", 0),
        "p.s[2].V": ("LREAL", 3),
        "p.s[2].MIN": ("LREAL", 0),
        "p.s[2].MAX": ("LREAL", 0),
        "p.s[2].MEAN": ("LREAL", 0),
        "p.s[2].SPREAD": ("LREAL", 0),
        "p.s[2].MIN_AT": ("DINT", 0),
        "p.s[2].MAX_AT": ("DINT", 0),
        "p.s[2].BAD": ("DINT", 0),
    }
    run = PlainScan(schedule)
    run.scan()
    assert run["p.s[2].MEAN"] == 2.0


def test_cells_in_great_number_are_one_group_and_few_copies() -> None:
    program = "blocks:\n  cells:\n    type: LAG\n    count: 16384\n    IN: c.v[*]\n    T: x.t\n"
    schedule = load(program, 'c.v: {type: "LREAL[16384]", write: operator}\nx.t: {type: LREAL, unit: s, write: operator}').schedule
    assert [(g.block, g.rows) for g in schedule.groups] == [("LAG", 16384)]
    assert schedule.groups[0].columns[0] == schedule.tag("c.v").offset
    assert len(schedule.copies.size) <= 16


@pytest.mark.parametrize("rows", range(2, 12))
def test_a_value_for_many_rows_is_there_in_the_same_scan(rows: int) -> None:
    """The scan makes a copy of 4 or 8 bytes with one load: one that overlaps itself would be a scan late from row to row."""
    blocks = "".join(f"  n{i}: {{type: NOT, IN: hmi.on}}\n  a{i}: {{type: NEG, IN: hmi.n}}\n" for i in range(rows))
    outputs = "".join(f"  site.q{i}: n{i}.OUT\n  site.n{i}: a{i}.OUT\n" for i in range(rows))
    tags = "hmi.on: {type: BOOL, write: operator}\nhmi.n: {type: DINT, write: operator}\n" + "".join(
        f"site.q{i}: {{type: BOOL}}\nsite.n{i}: {{type: DINT}}\n" for i in range(rows)
    )
    copies = load(f"blocks:\n{blocks}outputs:\n{outputs}", tags).schedule.copies
    for source, target, size in zip(copies.source, copies.target, copies.size, strict=True):
        assert size not in (4, 8) or not source < target < source + size
