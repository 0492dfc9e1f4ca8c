"""RACK_LIMITS: sums of separate racks, the weakest of parallel ones."""

from __future__ import annotations

from blocks.grid.rack_limits import RACK_LIMITS
from tests.aids.scan_table import scan

RACKS = {"P_MIN": [-50.0, -60.0, -10.0], "P_MAX": [50.0, 30.0, 70.0]}


def test_separate_racks_add_up():
    scan(
        RACK_LIMITS,
        **RACKS,
        table="AVAILABLE | P_MIN_SITE P_MAX_SITE COUNT\n [1,1,1] | -120 150 3\n [1,0,1] | -60 120 2\n [0,0,0] | 0 0 0",
    )


def test_parallel_racks_are_as_strong_as_the_weakest_times_their_number():
    scan(
        RACK_LIMITS,
        **RACKS,
        PARALLEL=True,
        table="""
        AVAILABLE | P_MIN_SITE P_MAX_SITE WEAKEST_IN WEAKEST_OUT
        [1,1,1]   | -30        90         3          2
        [1,1,0]   | -100       60         1          2
        [0,0,0]   | 0          0          0          0
    """,
    )


def test_a_limit_that_is_no_number_or_has_the_wrong_sign_is_0():
    table = "P_MIN | P_MIN_SITE\n [-50,nan,-10] | -60\n [-50,20,-10] | -60\n [-50,inf,-10] | -60\n [-50,-60,-10] | -120"
    scan(RACK_LIMITS, P_MAX=[1.0, 1.0, 1.0], table=table)
    scan(RACK_LIMITS, P_MAX=[5.0, 5.0], PARALLEL=True, table="P_MIN | P_MIN_SITE\n [-50,nan] | 0\n [-50,-50] | -100")
