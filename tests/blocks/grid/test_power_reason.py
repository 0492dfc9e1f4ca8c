"""POWER_REASON: the tightest limit decides, and is named."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.grid.power_reason import POWER_REASON
from blocks.plain import Instance
from tests.aids.scan_table import scan

LIMITS = {"P_MIN": [-100.0, -50.0, -200.0], "P_MAX": [80.0, 143.0, 60.0]}


def test_the_tightest_limit_of_each_direction_is_named():
    scan(
        POWER_REASON,
        **LIMITS,
        table="""
        REQUEST | P   ACTIVE LOW HIGH LOW_BY HIGH_BY
        40      | 40  0      -50 60   2      3
        60      | 60  0      -50 60   2      3
        90      | 60  3      -50 60   2      3
        -90     | -50 2      -50 60   2      3
    """,
    )


def test_of_equal_limits_the_first_is_named():
    scan(POWER_REASON, P_MIN=[-9.0, -9.0], P_MAX=[9.0, 9.0], table="REQUEST | ACTIVE\n 20 | 1\n -20 | 1\n 9 | 0")


def test_limits_that_cross_give_what_is_nearest_to_zero():
    scan(POWER_REASON, REQUEST=70.0, P_MAX=[20.0, 90.0], table="P_MIN | P CROSSED\n [-50,50] | 20 1\n [-50,10] | 20 0")
    scan(
        POWER_REASON,
        REQUEST=70.0,
        P_MAX=[-20.0, 90.0],
        table="P_MIN | P CROSSED\n [-50,50] | 0 1\n [-10,-50] | -10 1\n [-50,-50] | -20 0",
    )


def test_what_is_no_number_closes_the_limit_or_asks_for_nothing():
    scan(
        POWER_REASON,
        P_MIN=[-50.0, -50.0],
        REQUEST=70.0,
        table="P_MAX | P ACTIVE\n [60,nan] | 0 2\n [60,-inf] | 0 2\n [60,inf] | 60 1",
    )
    scan(
        POWER_REASON,
        P_MAX=[50.0, 50.0],
        REQUEST=-70.0,
        table="P_MIN | P ACTIVE\n [-60,nan] | 0 2\n [-60,inf] | 0 2\n [-inf,-60] | -60 2",
    )
    scan(POWER_REASON, **LIMITS, table="REQUEST | P ACTIVE BAD\n nan | 0 0 1\n inf | 0 0 1\n 90 | 60 3 0")
    scan(POWER_REASON, REQUEST=5.0, P_MAX=[9.0], table="P_MIN | P BAD\n [nan] | 5 1\n [inf] | 5 1\n [-inf] | 5 0\n [-9] | 5 0")
    scan(POWER_REASON, REQUEST=5.0, P_MIN=[-9.0], table="P_MAX | P BAD\n [nan] | 0 1\n [-inf] | 0 1\n [inf] | 5 0\n [9] | 5 0")


def test_limits_that_do_not_limit_are_shown_wide_open():
    """Wired on as limits of another block, a 0 would close the plant."""
    table = "P_MIN P_MAX | LOW HIGH LOW_BY HIGH_BY\n [-inf] [inf] | -1e9 1e9 0 0\n [nan] [nan] | 0 0 1 1\n [-5] [inf] | -5 1e9 1 0"
    scan(POWER_REASON, REQUEST=3.0, table=table)


@settings(max_examples=100, deadline=None)
@given(
    request=st.floats(-1e6, 1e6),
    limits=st.lists(st.tuples(st.floats(-1e6, 0), st.floats(0, 1e6)), min_size=1, max_size=8),
)
def test_no_limit_is_broken_and_the_named_one_is_reached(request, limits):
    one = Instance(POWER_REASON, length=len(limits))
    one.REQUEST, one.P_MIN, one.P_MAX = request, [low for low, _ in limits], [high for _, high in limits]
    one.scan(10_000_000)
    assert all(low <= one.P <= high for low, high in limits)
    if one.ACTIVE:
        assert one.P in limits[int(one.ACTIVE) - 1]
    else:
        assert one.P == request
