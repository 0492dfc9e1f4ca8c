"""LOAD_FOLLOWING: feed-forward of a measured load."""

from __future__ import annotations

import math

import pytest

from blocks.grid.load_following import LOAD_FOLLOWING
from tests.aids.scan_table import Twin, scan

WIDE = {"P_MIN": -100.0, "P_MAX": 100.0}


def test_it_gives_the_share_above_the_base():
    scan(
        LOAD_FOLLOWING,
        **WIDE,
        BASE=20.0,
        table="LOAD SHARE | P LIMITED\n 20 1 | 0 0\n 60 1 | 40 0\n 60 0.5 | 20 0\n 0 1 | -20 0\n 500 1 | 100 1\n -500 1 | -100 1",
    )


def test_without_a_charging_limit_it_never_charges():
    scan(LOAD_FOLLOWING, P_MIN=0.0, P_MAX=100.0, BASE=20.0, table="LOAD | P\n 0 | 0\n 50 | 30")


def test_the_smoothing_is_of_first_order_and_starts_at_the_first_load(deviation):
    """1 - exp(-t/T); `settling` errs by x*x*x/6 a scan, 1.7e-4 at dt/T = 0.1; summed over T less than ten times that."""
    twin = Twin(LOAD_FOLLOWING)
    for name, value in (WIDE | {"T": 1.0, "LOAD": 10.0}).items():
        twin.set(name, value)
    twin.scan(100_000_000)
    assert twin.get("P") == 10.0
    twin.set("LOAD", 60.0)
    worst = 0.0
    for i in range(1, 51):
        twin.scan(100_000_000)
        worst = max(worst, abs(float(twin.get("P")) - (60.0 - 50.0 * math.exp(-0.1 * i))) / 50.0)
    deviation("LOAD_FOLLOWING", "exponential", "smoothing at dt = T/10", worst, 1.7e-3, "of step")


@pytest.mark.parametrize("broken", ["nan", "inf", "-inf"])
def test_what_is_no_number_sets_0_and_is_forgotten(broken):
    scan(LOAD_FOLLOWING, **WIDE, T=10.0, table=f"LOAD | P BAD\n 50 | 50 0\n {broken} | 0 1\n 30 | 30 0")
    scan(LOAD_FOLLOWING, **WIDE, T=10.0, table=f"LOAD BASE | P\n 50 0 | 50\n 30 {broken} | 0\n 30 0 | 30")
    scan(LOAD_FOLLOWING, LOAD=50.0, P_MIN=-1.0, table="P_MAX | P\n 100 | 50\n nan | 0\n 100 | 50")
