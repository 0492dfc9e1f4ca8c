"""The plain instance holds what a column would hold: types, wrapping, arrays."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.declare import BOOL, DINT, LINT, LREAL
from blocks.plain import Instance, coerce
from blocks.standard.numeric import ADD
from blocks.standard.selection import MUX
from blocks.standard.timers import TON

HELD = [(BOOL, 2, True), (DINT, 2**31, -(2**31)), (LINT, 2**63, -(2**63)), (LREAL, 1, 1.0), (DINT, True, 1)]


@pytest.mark.parametrize(("type", "value", "held"), HELD)
def test_a_value_is_held_as_its_type(type, value, held):
    assert coerce(type, value) == held


def test_an_lreal_is_not_an_integer_without_rounding():
    with pytest.raises(TypeError, match=r"2\.0 is no DINT: use to_int\(\) or to_dint\(\)"):
        coerce(DINT, 2.0)


def test_an_instance_starts_from_its_defaults_and_keeps_its_state():
    timer = Instance(TON)
    timer.PT = 20
    timer.IN = True
    timer.scan(10)
    timer.scan(10)
    assert (timer.Q, timer.ET) == (False, 10)
    timer.scan(10)
    assert (timer.Q, timer.ET) == (True, 20)


def test_any_becomes_what_the_use_chose():
    adder = Instance(ADD, DINT)
    adder.A = 2**31 - 1
    adder.B = 1
    adder.scan(1)
    assert adder.OUT == -(2**31)


def test_an_array_has_the_length_of_the_instance():
    chosen = Instance(MUX, LREAL, length=3)
    chosen.IN = [1.0, 2.0, 3.0]
    chosen.K = 1
    chosen.scan(1)
    assert chosen.OUT == 2.0
    assert len(chosen.IN) == 3
    assert isinstance(chosen.IN[0], np.float64)


def test_a_pin_that_is_not_there_cannot_be_set():
    with pytest.raises(KeyError, match="QQ"):
        Instance(TON).QQ = True
