"""How many alarms stand and which came first, as the scan counts them: in the text's order, and over an online change."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from runtime.engine.carry import Program, carry_list, do_copies
from runtime.engine.image import address_of
from runtime.engine.plan import S_STATE, SAFE
from runtime.model import Site
from tests.aids.engine import Bench
from tests.aids.site_text import load

pytestmark = pytest.mark.timeout(300)  # the loop may have to be compiled on a busy machine
TAGS = "".join(f"x.{name}: {{type: BOOL, write: operator}}\n" for name in "abcdw") + "y.stop: {type: BOOL}\ny.n: {type: DINT}\n"
COUNTS = ("warning", "error", "critical")
ALARMS = {
    "warn": "warn: {when: x.w}",
    "a": "a: {when: x.a, severity: error}",
    "b": "b: {when: x.b, severity: critical, latch: x.d}",
    "c": "c: {when: x.c, severity: critical, suppress: x.d}",
}


@functools.cache
def site_of(*names: str) -> Site:
    lines = "".join(f"  {ALARMS[name]}\n" for name in names)
    return load(f"alarms:\n{lines}outputs: {{y.stop: plc.alarms_critical > 0, y.n: plc.first_out}}\n", TAGS)


class Alarms:
    """A PLC with alarms whose conditions the test sets."""

    def __init__(self, folder: Path, *names: str):
        folder.mkdir(exist_ok=True)
        self.bench = Bench(folder, site_of(*(names or ("warn", "a", "b", "c"))))
        self.ring = self.bench.commands()

    def set(self, standing: str) -> None:
        """These conditions hold, and no others; and one scan."""
        for name in "abcdw":
            self.ring.write(self.bench.schedule.tag(f"x.{name}"), name in standing, "operator", 0)
        self.bench.scan()
        list(self.ring.replies())

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(self.bench.value(f"plc.alarms_{severity}") for severity in COUNTS)

    @property
    def first_out(self) -> str:
        """Its name as every server shows it."""
        return dict(self.bench.schedule.tag("plc.first_out").names)[self.bench.value("plc.first_out")]


@pytest.fixture
def alarms(tmp_path: Path) -> Alarms:
    return Alarms(tmp_path)


def test_the_counts_are_those_at_the_end_of_the_scan_and_programs_see_them_in_the_next(alarms: Alarms) -> None:
    alarms.set("bw")
    assert alarms.counts == (1, 0, 1)
    assert not alarms.bench.value("y.stop")
    alarms.bench.scan()
    assert alarms.bench.value("y.stop")
    assert alarms.bench.snapshot().value(alarms.bench.schedule.tag("plc.alarms_critical")) == 1
    alarms.set("abcw")
    assert alarms.counts == (1, 1, 2)
    alarms.set("d")
    assert alarms.counts == (0, 0, 0)


def test_first_out_is_the_one_that_came_first_and_stays_until_a_new_first_one(alarms: Alarms) -> None:
    assert alarms.first_out == "none"
    alarms.set("w")
    assert alarms.first_out == "none", "a warning is no trip"
    alarms.set("wc")
    alarms.set("abc")
    assert alarms.first_out == "c", "what came later does not hide what came first"
    alarms.set("ab")
    assert alarms.first_out == "c", "there is always one since"
    alarms.set("d")
    assert (alarms.counts, alarms.first_out) == ((0, 0, 0), "c"), "it is shown until there is another"
    alarms.set("a")
    assert alarms.first_out == "a"


def test_of_two_that_come_in_one_scan_the_one_that_is_written_first_is_first(alarms: Alarms) -> None:
    alarms.set("cb")
    assert alarms.first_out == "b"
    alarms.set("d")
    alarms.set("wcba")
    assert alarms.first_out == "a"


def test_a_suppressed_alarm_does_not_count_and_a_latched_one_does(alarms: Alarms) -> None:
    alarms.set("cd")
    assert (alarms.counts, alarms.first_out) == ((0, 0, 0), "none")
    alarms.set("b")
    alarms.set("")
    assert (alarms.counts, alarms.first_out) == ((0, 0, 1), "b")


def test_a_scan_that_is_stopped_counts_on(alarms: Alarms) -> None:
    """What stands when the program stops goes on to be told."""
    alarms.set("a")
    alarms.bench.plc.plan.state[S_STATE] = SAFE
    alarms.bench.scan(3)
    assert alarms.counts == (0, 1, 0)


@pytest.mark.parametrize(
    ("names", "first_out"),
    [(("c", "a", "b"), "c"), (("warn", "b", "c"), "c"), (("c",), "c"), (("a", "b"), "none"), (("warn",), "none")],
)
def test_over_an_online_change_first_out_is_found_by_its_name(tmp_path: Path, names: tuple[str, ...], first_out: str) -> None:
    old, new = Alarms(tmp_path / "old"), Alarms(tmp_path / "new", *names)
    old.set("c")
    old.set("abc")
    assert (old.first_out, old.bench.value("plc.first_out")) == ("c", 3)
    carry = carry_list(Program(old.bench.schedule, old.bench.plc.plan), Program(new.bench.schedule, new.bench.plc.plan))
    do_copies(address_of(carry.copies), len(carry.copies))
    new.bench.scan()
    assert new.bench.value("y.n") == new.bench.value("plc.first_out"), "programs of that scan see the new number"
    grave = len(set(names) & {"a", "b", "c"})
    assert (new.first_out, sum(new.counts)) == (first_out, grave), "counted anew"
    new.set("ab")
    assert new.first_out == first_out, "no new first one while one stands" if grave else "there is none"
