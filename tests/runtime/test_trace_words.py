"""What a person says of a trace: a pin has the unit of what it is wired to, so it is labelled and compared in it."""

from __future__ import annotations

import pytest

from runtime.places_of_tags import WrongWordsError
from runtime.trace_words import channels_named, trigger_of
from tests.aids.site_text import load

PROGRAM = """
blocks:
  count: {type: ADD, A: last count.OUT, B: 1}
  big: {type: GT, IN1: count.OUT, IN2: 5}
outputs:
  x.count: count.OUT
"""
SCHEDULE = load(PROGRAM, "x.count: {type: LREAL, unit: kW}").schedule


def test_a_pin_has_the_unit_of_the_tag_that_it_feeds() -> None:
    found = channels_named(SCHEDULE, ["x.count", "p.count.OUT", "p.big.OUT"])
    assert [(channel.name, channel.unit) for channel in found] == [("x.count", "kW"), ("p.count.OUT", "kW"), ("p.big.OUT", "")]


def test_a_pattern_means_what_it_means_to_watch() -> None:
    assert [channel.name for channel in channels_named(SCHEDULE, ["X.*", "p.count.*"])] == [
        *("x.count", "p.count.A", "p.count.B", "p.count.OUT")
    ]
    with pytest.raises(WrongWordsError, match=r"no tag or pin named y\.\*"):
        channels_named(SCHEDULE, ["y.*"])


def test_a_pattern_that_fits_too_much_says_how_many_a_trace_has() -> None:
    many = load(PROGRAM, "x.count: {type: LREAL, unit: kW}\nx.cells: {type: 'LREAL[40]'}").schedule
    with pytest.raises(WrongWordsError, match="41 channels: a trace has 32 at most"):
        channels_named(many, ["x.*"])


def test_a_trigger_on_a_pin_is_compared_in_its_unit() -> None:
    channels = channels_named(SCHEDULE, ["p.count.OUT"])
    assert trigger_of(SCHEDULE, "p.count.OUT > 3 MW", channels).level == 3000.0
    with pytest.raises(WrongWordsError, match="kW"):
        trigger_of(SCHEDULE, "p.count.OUT > 3 V", channels)
