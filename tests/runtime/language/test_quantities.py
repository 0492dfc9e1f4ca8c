"""Quantities as written: numbers kept exactly, units told apart from operators, durations in whole nanoseconds, ranges."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.language.quantities import QuantityError, in_unit, nanoseconds, quantity, range_of
from runtime.language.units import unit


@pytest.mark.parametrize(
    ("text", "number", "measured", "is_whole"),
    [
        ("50 kW/s", 50, "kW/s", False),
        ("100ms", 100, "ms", True),
        ("-3", -3, None, True),
        ("+4.5", Fraction(9, 2), None, False),
        ("1e3", 1000, None, False),
        ("20 mHz", 20, "mHz", True),
        ("5 %", 5, "%", True),
        ("1_000", 1000, None, True),
        (".5 V", Fraction(1, 2), "V", False),
        ("45 °C", 45, "°C", True),
        ("0.1", Fraction(1, 10), None, False),
        ("5.", 5, None, False),
    ],
)
def test_a_quantity_is_a_number_and_one_unit(text: str, number: Fraction, measured: str | None, is_whole: bool) -> None:
    found = quantity(text)
    assert found is not None
    assert found.number == number
    assert found.unit is (unit(measured) if measured else None)
    assert found.is_whole == (is_whole or text == "50 kW/s")


@pytest.mark.parametrize("text", ["bms.soc", "x", "2 * 3", "3 - 2", "", "true", "--5", "5 > 3", "a 5", "0x10", "1.2.3"])
def test_what_is_no_quantity_is_left_to_the_expressions(text: str) -> None:
    try:
        found = quantity(text)
    except QuantityError:
        found = None
    assert found is None


@pytest.mark.parametrize(
    ("text", "code"), [("5 kw", "E203"), ("5 foo", "E203"), ("1e999", "E206"), ("1" * 500, "E206"), ("1e999999999", "E206")]
)
def test_a_wrong_quantity_says_what_is_wrong(text: str, code: str) -> None:
    with pytest.raises(QuantityError) as caught:
        quantity(text)
    assert caught.value.code == code


@given(st.decimals(min_value=Decimal(-(10**9)), max_value=Decimal(10**9), places=9))
def test_seconds_become_nanoseconds_exactly(seconds: Decimal) -> None:
    found = quantity(f"{seconds:f} s")
    assert found is not None
    assert nanoseconds(found) == int(seconds * 10**9)


def test_a_duration_is_a_whole_number_of_nanoseconds() -> None:
    for text, expected in (
        ("0.3 s", 300_000_000),
        ("2 min", 120_000_000_000),
        ("1 h", 3600 * 10**9),
        ("100 us", 100_000),
        ("0", 0),
        ("0.1 ns", None),
        ("5", None),
        ("5 kW", None),
    ):
        found = quantity(text)
        assert found is not None
        assert nanoseconds(found) == expected, text


def test_a_number_in_another_unit_is_exact() -> None:
    found, kilowatts, ratio = quantity("0.1 MW"), unit("kW"), unit("")
    assert found is not None and kilowatts is not None and ratio is not None
    assert in_unit(found, kilowatts) == 100
    assert in_unit(found, ratio) is None
    percent = quantity("5 %")
    assert percent is not None
    assert in_unit(percent, ratio) == Fraction(1, 20)


def test_a_range_has_two_ends_and_one_unit() -> None:
    low, high = range_of("-500..500") or (None, None)
    assert low is not None and high is not None
    assert (low.number, high.number) == (-500, 500)
    low, high = range_of("0 .. 100 %") or (None, None)
    assert low is not None and high is not None
    assert low.unit is high.unit is unit("%")
    assert range_of("5") is None
    assert range_of("a..b") is None
