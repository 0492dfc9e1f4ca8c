"""CURRENT_ZERO: never open under load; and what happens when the current does not go."""

from __future__ import annotations

import pytest

from blocks.charge.current_zero import CURRENT_ZERO
from tests.aids.scan_table import scan


@pytest.mark.parametrize("sign", [1, -1])
def test_nothing_must_flow_for_the_hold_time_whatever_the_sign(sign):
    scan(
        CURRENT_ZERO,
        table=f"""
        x  REQUEST I            P            | ZERO PERMIT
        9  0       0            0            | 0    0
        1  1       {90 * sign}  {70 * sign}  | 1    0
        50 1       {2 * sign}   0            | 1    0       # 2 A is not below 2 A
        50 1       {1.9 * sign} {1 * sign}   | 1    0       # nor 1 kW below 1 kW
        20 1       {1.9 * sign} {0.9 * sign}  | 1    0
        1  1       0            0            | 1    1       # 200 ms
    """,
    )


def test_zero_before_the_request_does_not_count_since_the_command_needs_its_time():
    scan(CURRENT_ZERO, I=0.0, table="x REQUEST | PERMIT\n 99 0 | 0\n 20 1 | 0\n 1 1 | 1\n 1 0 | 0\n 20 1 | 0\n 1 1 | 1")


def test_a_current_that_comes_back_takes_the_permit_away():
    scan(CURRENT_ZERO, REQUEST=True, table="x I | PERMIT\n 21 0 | 1\n 1 -40 | 0\n 20 0 | 0\n 1 0 | 1")


@pytest.mark.parametrize("current", ["80", "-80", "nan", "inf"])
def test_after_the_longest_wait_it_permits_all_the_same_and_says_so(current):
    scan(
        CURRENT_ZERO,
        I=0.0,
        table=f"""
        x   REQUEST I         | PERMIT FORCED ET
        500 1       {current} | 0      0      4990ms
        1   1       {current} | 1      1      5s
        99  1       {current} | 1      1      5s
        21  1       0         | 1      0      5s
        1   0       0         | 0      0      0s
        1   1       {current} | 0      0      0s
    """,
    )


@pytest.mark.parametrize("pin", ["P", "I_MAX", "P_MAX"])
def test_whatever_nobody_knows_counts_as_flowing(pin):
    good = {"P": 0.0, "I_MAX": 2.0, "P_MAX": 1.0}[pin]
    scan(CURRENT_ZERO, REQUEST=True, I=0.0, table=f"x {pin} | PERMIT\n 21 {good} | 1\n 1 nan | 0\n 20 {good} | 0\n 1 {good} | 1")
