"""What is read next: fast inputs first, slow ones never starved, and the way around registers that a device refuses."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus.modbus_poll import Poll
from runtime.fieldbus.modbus_powers import Powers
from runtime.fieldbus.modbus_register import FORMATS, Place, Register
from runtime.model import Point

MS = 1_000_000
ADDRESS, FUNCTION, FAILED = 2, 1, 4


def point(address: int, poll_ms: int = 0, form: str = "uint16", factor: Place | None = None, slot: int | None = None) -> Point:
    kind, width, tag_type = FORMATS[form]
    register = Register("holding", address, kind, width, -1, False, False, 1.0, 0.0, 0, poll=poll_ms * MS, factor=factor)
    return Point(f"t{address}", 0, tag_type, address if slot is None else slot, register)


def poll_of(*points: Point, outputs: tuple[Point, ...] = (), gap: int = 8, suspend_s: float = 10.0) -> Poll:
    powers = Powers(p.address for p in (*points, *outputs))
    poll = Poll(points, powers, outputs, 100 * MS, gap, 120, int(suspend_s * 1e9))
    poll.begin(0.0)
    return poll


class Bench:
    """A device with a clock of its own: each request takes `takes` seconds, `codes` are refused."""

    def __init__(self, poll: Poll, takes: float = 0.001, codes: dict[int, int] | None = None):
        self.poll, self.takes, self.codes = poll, takes, codes or {}
        self.now = 0.0
        self.reads: list[tuple[float, int, int]] = []  # when, address, count
        self.bad: set[int] = set()  # slots that are bad now

    def step(self) -> None:
        turn = self.poll.next(self.now)
        if turn is None:
            self.now = max(self.now + 1e-6, self.poll.next_due())
            return
        group = turn.group
        self.reads.append((self.now, group.address, group.count))
        self.now += self.takes
        code = next((self.codes[a] for a in range(group.address, group.address + group.count) if a in self.codes), None)
        if code is None:
            self.poll.done(turn, self.now)
            self.bad -= set(group.slots.tolist())
        else:
            for lost in self.poll.refused(turn, code, self.now):
                self.bad |= set(lost.slots.tolist())

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.step()

    def times(self, address: int) -> list[float]:
        return [when for when, first, count in self.reads if first <= address < first + count]


def test_each_class_is_read_on_its_own_grid():
    bench = Bench(poll_of(point(0, 50), point(1), point(2, 1000)))
    bench.run(2.01)
    assert [round(t, 3) for t in bench.times(0)[:4]] == [0.0, 0.05, 0.1, 0.15]
    assert len(bench.times(0)) == 41 and len(bench.times(1)) == 21 and len(bench.times(2)) == 3
    assert {count for _, _, count in bench.reads} == {1}, "neighbours of different periods are different requests"


def test_the_fastest_class_is_read_first():
    bench = Bench(poll_of(point(0, 1000), point(100), point(200, 20)))
    bench.run(0.003)
    assert [address for _, address, _ in bench.reads] == [200, 100, 0]


@settings(max_examples=60, deadline=None)
@given(
    periods=st.lists(st.sampled_from([10, 20, 50, 100, 500, 1000]), min_size=1, max_size=4, unique=True),
    takes_ms=st.integers(1, 40),
    each=st.integers(1, 4),
)
def test_no_class_starves_however_slow_the_device_is(periods, takes_ms, each):
    points = [point(1000 * i + 200 * k, ms) for i, ms in enumerate(periods) for k in range(each)]
    bench = Bench(poll_of(*points), takes=takes_ms / 1e3)
    bench.run(6.0)
    whole = takes_ms / 1e3 * len(points)  # the time that one reading of everything takes
    for i, ms in enumerate(periods):
        times = [0.0, *bench.times(1000 * i), bench.now]
        widest = max(b - a for a, b in pairwise(times))
        assert widest <= 3 * (ms / 1e3 + whole), f"{ms} ms is read after {widest} s at the latest"


def test_late_rounds_are_skipped_and_not_made_up_for():
    bench = Bench(poll_of(point(0, 10)), takes=0.025)
    bench.run(1.0)
    assert len(bench.reads) <= 40 and bench.poll.late(bench.now + 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_bad_registers_end_up_alone_and_their_neighbours_stay_good(seed):
    chance = random.Random(seed)
    addresses = sorted(chance.sample(range(90), 40))
    bad = set(chance.sample(addresses, chance.randint(1, 4)))
    bench = Bench(poll_of(*(point(a) for a in addresses)), codes=dict.fromkeys(bad, ADDRESS))
    bench.run(0.09)
    assert bench.bad <= bad, "the good ones were good in the first round already"
    bench.run(0.5)
    assert bench.bad == bad
    assert {group.address for group in bench.poll.suspended} == bad
    asked = Counter(a for when, first, count in bench.reads if when > 0.45 for a in range(first, first + count))
    assert not any(asked[a] for a in bad), "suspended: not asked any more"
    assert all(asked[a] for a in set(addresses) - bad)


def test_a_hole_that_does_not_exist_is_cut_out_first():
    bench = Bench(poll_of(point(0), point(1), point(4)), codes={2: ADDRESS})
    bench.run(0.2)
    assert [(a, c) for _, a, c in bench.reads[:4]] == [(0, 5), (0, 2), (4, 1), (0, 2)]
    assert not bench.bad and not bench.poll.suspended


def test_a_suspended_register_is_asked_three_times_and_then_seldom():
    bench = Bench(poll_of(point(0), point(50)), codes={50: ADDRESS})
    bench.run(25.0)
    times = bench.times(50)
    assert len(times) == 5, "three rounds, and after 10 s and 20 s"
    assert times[3] - times[2] >= 10.0 and times[4] - times[3] >= 10.0
    assert len(bench.times(0)) > 240


@pytest.mark.parametrize("code", [FAILED, 5, 6, 10])
def test_a_suspended_register_that_says_something_else_later_is_still_asked_seldom(code):
    bench = Bench(poll_of(point(0), point(50)), codes={50: ADDRESS})
    bench.run(5.0)
    assert len(bench.times(50)) == 3
    bench.codes[50] = code
    bench.run(33.0)
    assert len(bench.times(50)) == 6, "after 10, 20 and 30 s"
    assert len(bench.times(0)) > 340, "and the good ones go on"
    bench.codes.clear()
    bench.run(12.0)
    assert not bench.bad and not bench.poll.suspended


def test_a_register_that_answers_again_joins_its_group():
    bench = Bench(poll_of(*(point(a) for a in range(8)), suspend_s=1.0), codes={3: ADDRESS, 5: ADDRESS})
    bench.run(0.9)
    assert bench.bad == {3, 5}
    bench.codes.clear()
    bench.run(3.0)
    assert not bench.bad and not bench.poll.suspended
    assert [(g.address, g.count) for g in bench.poll.groups] == [(0, 8)], "one request again"


def test_one_of_two_suspended_registers_recovers_alone():
    bench = Bench(poll_of(*(point(a) for a in range(8)), suspend_s=1.0), codes={3: ADDRESS, 5: ADDRESS})
    bench.run(0.9)
    del bench.codes[5]
    bench.run(2.5)
    assert bench.bad == {3}
    assert [g.address for g in bench.poll.suspended] == [3]


def test_a_device_that_refuses_everything_while_it_starts_recovers_whole():
    bench = Bench(poll_of(*(point(a) for a in range(60)), suspend_s=1.0), codes=dict.fromkeys(range(60), ADDRESS))
    bench.run(0.9)
    assert len(bench.poll.suspended) == 60
    bench.codes.clear()
    bench.run(1.5)
    assert not bench.bad
    assert [(g.address, g.count) for g in bench.poll.groups] == [(0, 60)]


def test_one_refusal_does_not_leave_a_group_in_pieces_for_ever():
    poll = poll_of(*(point(a) for a in range(8)), suspend_s=1.0)
    bench = Bench(poll, codes={3: ADDRESS})
    bench.step()
    bench.codes.clear()
    bench.run(0.5)
    assert len(poll.groups) > 1
    bench.run(1.5)
    assert [(g.address, g.count) for g in poll.groups] == [(0, 8)]


def test_a_table_that_the_device_does_not_know_is_suspended_whole():
    bench = Bench(poll_of(*(point(a) for a in range(8))), codes=dict.fromkeys(range(8), FUNCTION))
    bench.run(1.0)
    assert len(bench.reads) == 3 and [(g.address, g.count) for g in bench.poll.suspended] == [(0, 8)]


def test_other_refusals_are_tried_again_in_the_next_round():
    bench = Bench(poll_of(point(0), point(50)), codes={50: FAILED})
    bench.run(1.05)
    assert len(bench.times(50)) == 11 and not bench.poll.suspended
    assert bench.bad == {50}


def test_a_register_that_fails_again_and_again_is_cut_out_and_still_asked():
    bench = Bench(poll_of(*(point(a) for a in range(8))), codes={3: FAILED})
    bench.run(0.15)
    assert bench.bad == set(range(8)), "a device may fail for once"
    bench.run(2.0)
    assert bench.bad == {3} and not bench.poll.suspended
    assert len(bench.times(3)) >= 20
    bench.codes.clear()
    bench.run(0.2)
    assert not bench.bad


def test_a_value_of_several_registers_is_never_cut():
    bench = Bench(poll_of(*(point(2 * i, form="uint32") for i in range(8))), codes={5: ADDRESS})
    bench.run(1.0)
    assert bench.bad == {4}
    assert all(first % 2 == 0 and count % 2 == 0 for _, first, count in bench.reads)


def test_a_power_of_ten_is_read_after_and_as_often_as_what_it_scales():
    poll = poll_of(point(0, 1000, factor=Place("holding", 500)), point(100, 50, factor=Place("holding", 500)))
    bench = Bench(poll)
    bench.run(1.0)
    assert [address for _, address, _ in bench.reads[:2]] == [100, 500]
    assert len(bench.times(500)) == len(bench.times(100)) == 20
    assert len(bench.times(0)) == 1


def test_a_power_of_ten_of_an_output_is_read_though_no_input_needs_it():
    bench = Bench(poll_of(outputs=(point(7, factor=Place("input", 3)),)))
    bench.run(0.35)
    assert [(a, c) for _, a, c in bench.reads] == [(3, 1)] * 4


def test_a_device_without_inputs_is_never_due():
    assert poll_of().next(1e9) is None and poll_of().next_due() == float("inf")
