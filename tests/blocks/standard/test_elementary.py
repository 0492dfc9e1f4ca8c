"""LOG and the trigonometric functions: exact where they must be, close to the C library everywhere, the same bits compiled."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from blocks.declare import BlockType
from blocks.plain import Instance
from blocks.standard.elementary import ACOS, ASIN, ATAN, ATAN2, COS, LOG, SIN, TAN
from tests.aids.scan_table import scan

CHANCE = np.random.default_rng(3)
TURNS = np.concatenate([CHANCE.uniform(-7, 7, 1000), CHANCE.uniform(-1e6, 1e6, 500), CHANCE.uniform(-8e8, 8e8, 500)])
SHARES = np.concatenate(
    [CHANCE.uniform(-1, 1, 1000), 1 - 10.0 ** CHANCE.uniform(-16, -1, 200), 10.0 ** CHANCE.uniform(-300, -1, 200)]
)
SIZES = np.concatenate(
    [CHANCE.uniform(-10, 10, 1000), 10.0 ** CHANCE.uniform(-300, 300, 300), -(10.0 ** CHANCE.uniform(-9, 9, 300))]
)
ABOVE_ZERO = np.concatenate([CHANCE.uniform(0.5, 2, 1000), 10.0 ** CHANCE.uniform(-307, 308, 1000)])
# glibc is within 1 unit in the last place of the truth, `laws.py` within 2 (3 for TAN and LOG): a bar is the sum of the two.
CASES = [
    (SIN, math.sin, TURNS, 3.0),
    (COS, math.cos, TURNS, 3.0),
    (TAN, math.tan, TURNS, 4.0),
    (ASIN, math.asin, SHARES, 3.0),
    (ACOS, math.acos, SHARES, 3.0),
    (ATAN, math.atan, SIZES, 3.0),
    (LOG, math.log10, ABOVE_ZERO, 4.0),
]


def answer(block: BlockType, *values: float) -> float:
    instance = Instance(block)
    for pin, value in zip(block.inputs, values, strict=True):
        setattr(instance, pin.name, value)
    instance.scan(1)
    return float(instance.OUT)


def places_off(got: float, want: float) -> float:
    """The difference in units of the wanted number's last place."""
    return abs(got - want) / math.ulp(want)


@pytest.mark.parametrize(("block", "law", "points", "bar"), CASES, ids=lambda c: getattr(c, "name", ""))
def test_it_is_the_c_librarys_function_to_the_last_places(
    block: BlockType, law: Callable[[float], float], points: np.ndarray, bar: float, deviation
):
    error = max(places_off(answer(block, x), law(x)) for x in points.tolist())
    deviation(block.name, "glibc", "value", error, bar, "ulp")


def test_atan2_is_the_c_librarys_function_to_the_last_places(deviation):
    points = CHANCE.normal(0, 1, (2000, 2)) * 10.0 ** CHANCE.uniform(-5, 5, (2000, 2))
    error = max(places_off(answer(ATAN2, y, x), math.atan2(y, x)) for y, x in points.tolist())
    deviation("ATAN2", "glibc", "value", error, 3.0, "ulp")


def test_the_logarithm_of_a_power_of_ten_is_its_exponent():
    for k in range(-22, 309):
        assert answer(LOG, float(f"1e{k}")) == k


def test_the_logarithm_has_no_value_at_zero_and_below():
    scan(LOG, table="IN | OUT\n 0 | -inf\n -0.0 | -inf\n -1 | nan\n nan | nan\n inf | inf\n -inf | nan")
    assert answer(LOG, 5e-324) == pytest.approx(-323.3062153431158, abs=1e-12)  # the smallest number there is


def test_sine_and_cosine_at_the_quarters_of_a_turn():
    assert [answer(SIN, k * math.pi / 2) for k in range(-3, 4)] == pytest.approx([1, 0, -1, 0, 1, 0, -1], abs=1e-15)
    assert [answer(COS, k * math.pi / 2) for k in range(-3, 4)] == pytest.approx([0, -1, 0, 1, 0, -1, 0], abs=1e-15)
    assert answer(SIN, math.pi / 2) == answer(COS, 0.0) == 1.0
    assert answer(SIN, math.pi) == math.sin(math.pi)  # 1.2e-16: what the LREAL pi lacks, to the last bit


def test_sine_squared_and_cosine_squared_are_one():
    for x in TURNS.tolist():
        s, c = answer(SIN, x), answer(COS, x)
        assert s * s + c * c == pytest.approx(1.0, abs=1e-15)
        assert abs(s) <= 1.0 and abs(c) <= 1.0


def test_an_angle_that_has_no_place_in_the_turn_is_no_number():
    for block in (SIN, COS, TAN):
        scan(block, table="IN | OUT\n 8.1e8 | nan\n 1e308 | nan\n inf | nan\n -inf | nan\n nan | nan")


def test_the_tangent_is_large_but_finite_at_a_quarter_turn():
    assert answer(TAN, math.pi / 2) == pytest.approx(1.633123935319537e16, rel=1e-15)


def test_arcsine_and_arccosine_have_no_value_beyond_one():
    for block in (ASIN, ACOS):
        scan(block, table="IN | OUT\n 1.0000000000000002 | nan\n -1.1 | nan\n inf | nan\n nan | nan")
    assert (answer(ASIN, 1.0), answer(ASIN, -1.0)) == (math.pi / 2, -math.pi / 2)
    assert (answer(ACOS, 1.0), answer(ACOS, 0.0), answer(ACOS, -1.0)) == (0.0, math.pi / 2, math.pi)


def test_the_arctangent_of_infinity_is_a_quarter_turn():
    scan(ATAN, table=f"IN | OUT\n inf | {math.pi / 2}\n -inf | {-math.pi / 2}\n nan | nan\n 1 | {math.pi / 4}")


def test_atan2_on_the_axes_and_at_infinity():
    scan(
        ATAN2,
        table=f"""
        Y    X    | OUT
        0    0    | 0
        0    2    | 0
        0    -2   | {math.pi}
        -0.0 -2   | {math.pi}       # -0 counts as 0
        3    0    | {math.pi / 2}
        -3   0    | {-math.pi / 2}
        inf  1    | {math.pi / 2}
        1    inf  | 0
        1    -inf | {math.pi}
        inf  inf  | {math.pi / 4}
        inf  -inf | {3 * math.pi / 4}
        nan  1    | nan
        1    nan  | nan
    """,
    )
