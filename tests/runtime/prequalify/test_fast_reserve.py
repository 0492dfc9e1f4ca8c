"""FFR: a profile that keeps all the rules passes; with one thing wrong it fails the requirement of that thing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blocks.grid.ffr import FFR
from runtime.prequalify import fast_reserve
from runtime.prequalify.criterion import failed
from runtime.prequalify.programme import Terms, evaluate
from runtime.prequalify.record import Record
from tests.aids.reserve_plants import answer, converter

C, DT = 1000.0, 0.05
TERMS = Terms(capacity=C, rated=C)


@dataclasses.dataclass(frozen=True)
class Cycle:
    """What a plant does after each fall: seconds, shares of the capacity."""

    power: float = 1.0
    lag: float = 0.1
    hold: float = 6.0
    rate: float = 0.2
    buffer: float = 11.0
    recovery: float = 0.25
    again: bool = True


def record(cycle: Cycle, option: int = 0) -> Record:
    test = fast_reserve.sequence(option)
    t = test.times(DT)
    p = np.zeros(len(t))
    for start in (test.marks["first"], test.marks["second"])[: 2 if cycle.again else 1]:
        down = start + cycle.hold + cycle.power / cycle.rate
        back = down + cycle.buffer
        corners = (start, start, start + cycle.hold, down, back, back, back + 26.0, back + 26.0)
        shares = (0.0, cycle.power, cycle.power, 0.0, 0.0, -cycle.recovery, -cycle.recovery, 0.0)
        inside = (t >= start - 1e-9) & (t < start + 400.0)
        p[inside] = C * np.interp(t[inside], np.array(corners) + np.arange(8) * 1e-9, shares)
    return Record.of(t, test.frequency(DT), converter(p, DT, lag=cycle.lag))


def judged(cycle: Cycle, option: int = 0) -> set[str]:
    terms = dataclasses.replace(TERMS, option=option)
    return failed(evaluate("ffr", terms, {"Act": record(cycle, option)}).findings)


@pytest.mark.parametrize("option", [0, 1, 2])
def test_a_fast_converter_passes_every_option(option):
    """Dead time 0.1 s and a lag of 0.1 s: 99 % after 0.56 s."""
    assert judged(Cycle(), option) == set()
    found = fast_reserve.judge(record(Cycle(), option), C, fast_reserve.sequence(option))
    times = [f.value for f in found if f.requirement.id in ("ffr.activation", "ffr.repeat")]
    assert times == pytest.approx([0.56, 0.56], abs=2.0 * DT)


@pytest.mark.parametrize(
    ("cycle", "wanted"),
    [
        (Cycle(lag=0.35, hold=8.0), {"ffr.activation", "ffr.repeat"}),
        (Cycle(power=0.9), {"ffr.activation", "ffr.repeat", "ffr.duration"}),
        (Cycle(power=1.4), {"ffr.overdelivery"}),
        (Cycle(hold=4.0), {"ffr.duration"}),
        (Cycle(rate=1.0), {"ffr.duration"}),
        (Cycle(buffer=8.0), {"ffr.buffer"}),
        (Cycle(recovery=0.3), {"ffr.recovery"}),
        (Cycle(again=False), {"ffr.repeat"}),
    ],
    ids=["too slow", "too weak", "too strong", "too short", "stops at once", "recovers too soon", "recovers too hard", "only once"],
)
def test_one_fault_fails_its_own_requirement(cycle, wanted):
    assert judged(cycle) == wanted


def test_the_same_plant_is_fast_enough_for_49_7_hz_and_too_slow_for_49_5():
    """99 % of a lag of 0.2 s takes 0.1 + 4.6 x 0.2 = 1.02 s: within 1.3 s, not within 0.7 s."""
    assert judged(Cycle(lag=0.2, hold=7.0), 0) == set()
    assert judged(Cycle(lag=0.2, hold=7.0), 2) == {"ffr.activation", "ffr.repeat"}


def test_who_stops_at_once_must_have_given_30_seconds():
    assert judged(Cycle(rate=1.0, hold=31.0)) == set()


def test_our_block_passes_where_its_support_covers_the_rise_of_the_converter():
    """Its least support of 5 s counts from the activation; at the meter full power stands later, so 6 s are asked of it."""
    test = fast_reserve.sequence(2)
    f = test.frequency(DT)
    for support, wanted in ((6_000_000_000, set()), (0, {"ffr.duration"})):
        asked = answer(FFR, f, DT, {"CAPACITY": C, "OPTION": 2, "SUPPORT": support, "RECOVERY": 25.0})
        seen = Record.of(test.times(DT), f, converter(asked, DT, lag=0.1))
        assert failed(fast_reserve.judge(seen, C, test)) == wanted
