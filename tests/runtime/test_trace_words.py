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


def test_a_trigger_on_a_pin_is_compared_in_its_unit() -> None:
    channels = channels_named(SCHEDULE, ["p.count.OUT"])
    assert trigger_of(SCHEDULE, "p.count.OUT > 3 MW", channels).level == 3000.0
    with pytest.raises(WrongWordsError, match="kW"):
        trigger_of(SCHEDULE, "p.count.OUT > 3 V", channels)
