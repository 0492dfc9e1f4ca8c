"""Answers that wait for the powers of ten of another request."""

import numpy as np

from runtime.fieldbus.modbus_groups import read_groups
from runtime.fieldbus.modbus_hold import Answer, Hold
from runtime.fieldbus.modbus_powers import Powers
from runtime.fieldbus.modbus_register import FORMATS, Place, Register
from runtime.model import Point


def scaled(address: int, power: int) -> Point:
    register = Register("holding", address, *FORMATS["uint16"][:2], -1, False, False, 1.0, 0.0, 0, factor=Place("holding", power))
    return Point(f"t{address}", 0, "LREAL", address, register)


def bench(*points: Point):
    powers = Powers(p.address for p in points)
    groups = read_groups(points, 8, 120, powers)
    return powers, Hold(powers), [Answer(group, np.zeros(group.count, np.uint16), 7) for group in groups]


def test_an_answer_is_ready_when_its_power_was_the_same_before_and_after():
    powers, hold, (answer,) = bench(scaled(0, 500))
    powers.take(1, 2)
    assert hold.put(answer)
    assert hold.power_read(1, powers.take(1, 2)) == [answer]
    assert hold.power_read(1, False) == [], "once"


def test_an_answer_beside_a_change_is_dropped():
    powers, hold, (answer,) = bench(scaled(0, 500))
    assert hold.put(answer)
    assert hold.power_read(1, powers.take(1, 2)) == [], "nothing was known before it"
    assert hold.put(answer)
    assert hold.power_read(1, powers.take(1, 3)) == []
    assert hold.power_read(1, powers.take(1, 3)) == [], "gone"


def test_an_answer_waits_for_all_of_its_powers():
    powers, hold, (answer,) = bench(scaled(0, 500), scaled(1, 600))
    powers.take(1, 0), powers.take(2, 0)
    hold.put(answer)
    assert hold.power_read(1, False) == [] and hold.power_read(2, False) == [answer]
    hold.put(answer)
    assert hold.power_read(1, True) == [] and hold.power_read(2, False) == []


def test_a_power_that_the_device_does_not_give_is_not_waited_for():
    powers, hold, (answer,) = bench(scaled(0, 500))
    powers.take(1, 0x8000)
    assert not hold.put(answer), "it is decoded at once, and bad"
    powers.forget(1)
    assert not hold.put(answer)


def test_an_answer_that_brings_its_own_powers_never_waits():
    point = scaled(0, 1)
    powers = Powers([point.address])
    (group,) = read_groups([point], 8, 120, powers, [1])
    assert not group.foreign and not Hold(powers).put(Answer(group, np.zeros(2, np.uint16), 7))
