"""Latch: every input has a value, a quality with its reason, and a source time; what cannot be trusted takes its `bad` policy."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from runtime import quality
from runtime.engine.image import HEADER, LINE, SLOTS, padded
from runtime.engine.south import Inbox
from runtime.model import Site
from runtime.quality import (
    BAD_DEVICE_FAILURE,
    BAD_NO_COMMUNICATION,
    BAD_NOT_CONNECTED,
    BAD_OUT_OF_RANGE,
    BAD_SENSOR_FAILURE,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    UNCERTAIN_LAST_USABLE,
    UNCERTAIN_SUBSTITUTE,
)
from tests.aids.engine import GENERATION, MS, START, Bench
from tests.aids.site_text import load

RACK = """
device: rack
driver: fake
stale: 100 ms
inputs:
  bms.soc: {at: a, type: LREAL, initial: 50, bad: hold}
  bms.limit: {at: b, type: LREAL, initial: 7, bad: 3}
  bms.count: {at: c, type: DINT, initial: 1, bad: -1}
  bms.ok: {at: d, type: BOOL, initial: false, bad: false}
  bms.cell: {at: e, count: 3, type: LREAL, initial: 3.3, bad: 0}
"""
PROGRAM = "outputs: {x.soc: bms.soc, x.fresh: bms.soc.good}\n"
TAGS = "x.soc: {type: LREAL}\nx.fresh: {type: BOOL}"
INPUTS = 5
STALE = 100 * MS


def site() -> Site:
    return load(PROGRAM, TAGS, io={"rack": RACK})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, site())


def feed_all(bench: Bench) -> None:
    """One good reading of everything."""
    bench.feed("bms.soc", 80.0)
    bench.feed("bms.limit", 9.0)
    bench.feed("bms.count", 42)
    bench.feed("bms.ok", 1)
    for element, volts in enumerate((3.31, 3.32, 3.33)):
        bench.feed("bms.cell", volts, element=element)


def test_what_was_never_received_is_bad_at_its_initial_value(bench: Bench) -> None:
    bench.scan()
    assert (bench.value("bms.soc"), bench.value("bms.limit"), bench.value("bms.count"), bench.value("bms.ok")) == (50, 7, 1, False)
    assert bench.value("bms.cell") == [3.3, 3.3, 3.3]
    assert bench.quality("bms.soc") == BAD_WAITING_FOR_INITIAL_DATA
    assert not bench.good("bms.soc")
    assert (bench.value("x.soc"), bench.value("x.fresh")) == (50, False)
    assert bench.source_time("bms.soc") == 0
    assert bench.value("plc.bad_inputs") == INPUTS + sum(len(device.diagnostics) for device in bench.site.devices)


def test_the_same_holds_while_no_fieldbus_runs_at_all(tmp_path: Path) -> None:
    bench = Bench(tmp_path, site())
    bench.inbox.shared.remove()
    bench.scan(3)
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (50, BAD_WAITING_FOR_INITIAL_DATA)


def test_a_good_reading_is_seen_by_the_program_in_the_same_scan(bench: Bench) -> None:
    feed_all(bench)
    bench.scan()
    assert (bench.value("bms.limit"), bench.value("bms.count"), bench.value("bms.ok")) == (9, 42, True)
    assert (bench.value("x.soc"), bench.value("x.fresh")) == (80, True)
    assert bench.quality("bms.soc") == GOOD
    assert bench.source_time("bms.soc") == bench.now
    assert bench.value("plc.bad_inputs") == 0


def test_computed_tags_are_good_from_the_start_and_inherit_nothing(bench: Bench) -> None:
    bench.scan()
    assert bench.quality("x.soc") == GOOD


@pytest.mark.parametrize(
    ("name", "reading", "when_stale", "reason"),
    [
        ("bms.soc", 80.0, 80, UNCERTAIN_LAST_USABLE),
        ("bms.limit", 9.0, 3, UNCERTAIN_SUBSTITUTE),
        ("bms.count", 42, -1, UNCERTAIN_SUBSTITUTE),
        ("bms.ok", 1, False, UNCERTAIN_SUBSTITUTE),
    ],
)
def test_older_than_stale_is_uncertain_and_takes_its_policy(
    bench: Bench, name: str, reading: float, when_stale: float, reason: int
) -> None:
    bench.feed(name, reading, at=START)
    bench.scan_at(START + STALE)
    assert (bench.value(name), bench.quality(name), bench.good(name)) == (reading, GOOD, True), "exactly `stale` old is not older"
    bench.scan_at(START + STALE + 1)
    assert (bench.value(name), bench.quality(name), bench.good(name)) == (when_stale, reason, False)
    assert not quality.is_bad(bench.quality(name)) and not quality.is_good(bench.quality(name))


@pytest.mark.parametrize(
    "reason", [BAD_NO_COMMUNICATION, BAD_NOT_CONNECTED, BAD_DEVICE_FAILURE, BAD_SENSOR_FAILURE, BAD_OUT_OF_RANGE]
)
def test_a_device_that_is_down_is_bad_with_its_own_reason(bench: Bench, reason: int) -> None:
    feed_all(bench)
    bench.scan()
    bench.feed("bms.soc", 12.0, reason)
    bench.feed("bms.limit", 12.0, reason)
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc"), bench.good("bms.soc")) == (80, reason, False), (
        "hold: the last good value"
    )
    assert (bench.value("bms.limit"), bench.quality("bms.limit")) == (3, reason)
    assert bench.value("x.fresh") is False
    assert bench.value("plc.bad_inputs") == 2


def test_a_bad_device_stays_bad_when_its_reading_grows_old(bench: Bench) -> None:
    bench.feed("bms.limit", 12.0, BAD_NOT_CONNECTED, at=START)
    bench.scan_at(START + 10 * STALE)
    assert bench.quality("bms.limit") == BAD_NOT_CONNECTED


@pytest.mark.parametrize("reading", [math.nan, math.inf, -math.inf])
def test_a_reading_that_is_no_number_is_a_sensor_failure(bench: Bench, reading: float) -> None:
    feed_all(bench)
    bench.scan()
    bench.feed("bms.soc", reading)
    bench.feed("bms.limit", reading)
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (80, BAD_SENSOR_FAILURE)
    assert (bench.value("bms.limit"), bench.quality("bms.limit")) == (3, BAD_SENSOR_FAILURE)


def test_an_input_recovers_with_its_next_good_reading(bench: Bench) -> None:
    bench.feed("bms.limit", 9.0, at=START)
    bench.scan_at(START + 2 * STALE)
    assert bench.quality("bms.limit") == UNCERTAIN_SUBSTITUTE
    bench.feed("bms.limit", math.nan)
    bench.scan()
    assert bench.quality("bms.limit") == BAD_SENSOR_FAILURE
    bench.feed("bms.limit", 8.5)
    bench.scan()
    assert (bench.value("bms.limit"), bench.quality("bms.limit"), bench.good("bms.limit")) == (8.5, GOOD, True)


def test_the_source_time_is_that_of_the_last_good_reading(bench: Bench) -> None:
    bench.feed("bms.soc", 80.0, at=START)
    bench.scan_at(START + 5)
    bench.feed("bms.soc", 81.0, BAD_NOT_CONNECTED, at=START + 50)
    bench.scan_at(START + 60)
    assert bench.source_time("bms.soc") == START


def test_a_reading_taken_after_the_scan_began_is_not_old(bench: Bench) -> None:
    bench.feed("bms.soc", 80.0, at=START + 3 * MS)
    bench.scan_at(START)
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (80, GOOD)


def test_an_array_is_as_good_as_its_worst_element(bench: Bench) -> None:
    feed_all(bench)
    bench.scan()
    assert bench.quality("bms.cell") == GOOD
    bench.feed("bms.cell", 3.4, at=bench.now - 2 * STALE, element=0)
    bench.feed("bms.cell", 3.5, element=1)
    bench.scan()
    assert (bench.value("bms.cell"), bench.quality("bms.cell")) == ([0, 3.5, 3.33], UNCERTAIN_SUBSTITUTE)
    bench.feed("bms.cell", 3.6, BAD_NOT_CONNECTED, element=2)
    bench.scan()
    assert (bench.value("bms.cell"), bench.quality("bms.cell")) == ([0, 3.5, 0], BAD_NOT_CONNECTED)
    assert not bench.good("bms.cell")
    assert bench.value("plc.bad_inputs") == 1, "tags are counted, not elements"


def test_an_element_takes_its_bad_value_though_its_neighbour_was_never_received(bench: Bench) -> None:
    bench.feed("bms.cell", 3.31, element=0)
    bench.scan()
    assert (bench.value("bms.cell"), bench.quality("bms.cell")) == ([3.31, 3.3, 3.3], BAD_WAITING_FOR_INITIAL_DATA)
    bench.feed("bms.cell", 3.31, BAD_NOT_CONNECTED, element=0)
    bench.scan()
    assert bench.value("bms.cell") == [0, 3.3, 3.3], "the others still stand at `initial`"


def test_a_device_that_never_answered_leaves_its_tags_at_initial(bench: Bench) -> None:
    bench.feed("bms.limit", 12.0, BAD_NOT_CONNECTED)
    bench.scan()
    assert (bench.value("bms.limit"), bench.quality("bms.limit")) == (7, BAD_NOT_CONNECTED)


def test_the_source_time_of_an_array_is_that_of_its_oldest_element(bench: Bench) -> None:
    for element, age in enumerate((30, 70, 10)):
        bench.feed("bms.cell", 3.3, at=START - age * MS, element=element)
    bench.scan_at(START)
    assert bench.source_time("bms.cell") == START - 70 * MS


def test_a_cell_of_the_inbox_cannot_make_a_bool_that_is_neither_true_nor_false(bench: Bench) -> None:
    bench.feed("bms.ok", 0x100)
    bench.scan()
    tag = bench.schedule.tag("bms.ok")
    assert bench.plc.plan.memory[tag.offset] == 1


def test_an_inbox_of_another_program_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, site())
    foreign = Inbox(tmp_path, len(bench.schedule.inputs.tag), GENERATION + 1)
    foreign.lreal[:], foreign.quality[:], foreign.time[:] = 99.0, GOOD, START
    foreign.publish()
    bench.plc.attach()
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (50, BAD_WAITING_FOR_INITIAL_DATA)


def test_an_inbox_of_another_size_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, site())
    odd = Inbox(tmp_path, len(bench.schedule.inputs.tag) + 64, GENERATION)
    odd.lreal[:], odd.quality[:], odd.time[:] = 99.0, GOOD, START
    odd.publish()
    bench.plc.attach()
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (50, BAD_WAITING_FOR_INITIAL_DATA)


def test_a_restarted_fieldbus_trusts_nothing_old(bench: Bench) -> None:
    feed_all(bench)
    bench.scan()
    bench.restart_fieldbus()
    bench.inbox.publish()
    bench.scan()
    assert {bench.quality(name) for name in ("bms.soc", "bms.limit", "bms.count", "bms.ok", "bms.cell")} == {
        BAD_WAITING_FOR_INITIAL_DATA
    }
    assert bench.value("bms.soc") == 80, "hold: the last value, and not `initial`"
    assert (bench.value("bms.limit"), bench.value("bms.count"), bench.value("bms.ok")) == (3, -1, False)
    bench.feed("bms.limit", 9.5)
    bench.scan()
    assert (bench.value("bms.limit"), bench.quality("bms.limit")) == (9.5, GOOD)


def test_a_restarted_fieldbus_is_heard_from_its_first_inbox_on(bench: Bench) -> None:
    """Both published once, so that only the file tells the new inbox from the one already seen."""
    bench.feed("bms.soc", 80.0)
    bench.scan()
    bench.restart_fieldbus()
    bench.feed("bms.soc", 60.0)
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (60, GOOD)


def test_readings_of_a_dead_fieldbus_grow_stale(bench: Bench) -> None:
    feed_all(bench)
    bench.scan()
    bench.inbox.shared.remove()
    bench.plc.attach()
    bench.scan_at(bench.now + STALE + 1)
    assert (bench.value("bms.soc"), bench.quality("bms.soc")) == (80, UNCERTAIN_LAST_USABLE)
    assert (bench.value("bms.limit"), bench.quality("bms.limit")) == (3, UNCERTAIN_SUBSTITUTE)


def newest_slot(bench: Bench) -> int:
    """The index, in words, of the number of the inbox's newest slot."""
    words = bench.inbox.shared.memory.view("int64")
    number = int(words[HEADER // 8])
    return (HEADER + LINE + number % SLOTS * (LINE + padded(bench.inbox.payload))) // 8


def test_a_torn_inbox_leaves_the_scan_with_what_it_had_and_is_counted(bench: Bench) -> None:
    bench.feed("bms.soc", 80.0)
    bench.scan()
    bench.feed("bms.soc", 60.0)
    words, at = bench.inbox.shared.memory.view("int64"), newest_slot(bench)
    number, words[at] = int(words[at]), 0
    bench.scan()
    assert (bench.value("bms.soc"), bench.quality("bms.soc"), bench.value("plc.torn")) == (80, GOOD, 1)
    words[at] = number
    bench.scan()
    assert (bench.value("bms.soc"), bench.value("plc.torn")) == (60, 1)
