"""DELAY, AVERAGE, STACK_INT."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.plain import Instance
from blocks.standard.annex_f_memory import AVERAGE, DELAY, STACK_INT
from tests.aids.scan_table import scan

MS = 1_000_000


@pytest.mark.parametrize("n", [0, 1, 5, 126, 127])
def test_a_delay_is_n_scans_for_every_n(n: int):
    delay = Instance(DELAY)
    delay.N = n
    for i in range(400):
        delay.XIN = 10.0 + i
        delay.scan(10 * MS)
        assert delay.XOUT == 10.0 + max(i - n, 0)  # the line is filled with the first value


def test_a_delay_beyond_its_line_is_as_long_as_the_line():
    scan(DELAY, N=500, table="x XIN | XOUT\n 1 1 | 1\n 127 2 | 1\n 1 2 | 2")
    scan(DELAY, N=-5, table="XIN | XOUT\n 1 | 1\n 2 | 2")


def test_a_delay_that_was_stopped_starts_with_the_value_it_stopped_at():
    scan(DELAY, N=2, table="RUN XIN | XOUT\n 1 1 | 1\n 1 2 | 1\n 0 9 | 9\n 0 8 | 8\n 1 7 | 8\n 1 6 | 8\n 1 5 | 7")


def test_a_changed_n_takes_effect_at_once():
    scan(DELAY, table="N XIN | XOUT\n 3 1 | 1\n 3 2 | 1\n 3 3 | 1\n 3 4 | 1\n 1 5 | 4\n 0 6 | 6\n 3 7 | 4")


def test_a_nan_passes_and_is_gone():
    scan(DELAY, N=1, table="XIN | XOUT\n 1 | 1\n nan | 1\n 3 | nan\n 4 | 3")
    scan(AVERAGE, N=2, table="XIN | XOUT\n 1 | 1\n nan | nan\n 3 | nan\n 5 | 4")


@pytest.mark.parametrize("n", [1, 2, 7, 128])
def test_an_average_is_numpys_mean_of_the_last_n(n: int, deviation):
    values = np.random.default_rng(n).normal(500, 100, 500)
    average, worst = Instance(AVERAGE), 0.0
    average.N = n
    for i, x in enumerate(values.tolist()):
        average.XIN = x
        average.scan(10 * MS)
        worst = max(worst, abs(average.XOUT - values[max(0, i + 1 - n) : i + 1].mean()))
    # n roundings of a sum of n values of some 500
    deviation("AVERAGE", "numpy 2.4", f"mean of {n}", worst, n * 1.2e-13, "kW")


def test_an_average_does_not_keep_what_rounding_left_of_a_spike():
    """1e17 and back: a running sum would be off by some units for ever."""
    scan(AVERAGE, N=3, table="XIN | XOUT\n 1 | 1\n 1e17 | -\n 1 | -\n 1 | -\n 1 | 1")


def test_an_average_asked_for_too_many_or_none_takes_what_it_can():
    scan(AVERAGE, N=0, table="XIN | XOUT\n 1 | 1\n 5 | 5")
    scan(AVERAGE, N=1000, table="x XIN | XOUT\n 1 1 | 1\n 1 3 | 2\n 128 5 | 5")


def test_a_stack_gives_back_in_the_opposite_order():
    scan(
        STACK_INT,
        table="""
        PUSH POP IN | OUT DEPTH EMPTY
        1    0   1  | 1   1     0
        0    0   2  | 1   1     0
        1    0   2  | 2   2     0
        0    0   3  | 2   2     0
        1    0   3  | 3   3     0
        0    1   9  | 2   2     0
        0    1   9  | 2   2     0       # no edge
        0    0   9  | 2   2     0
        0    1   9  | 1   1     0
        0    0   9  | 1   1     0
        0    1   9  | 0   0     1
        0    0   9  | 0   0     1
        0    1   9  | 0   0     1       # nothing to take
    """,
    )


def test_a_full_stack_refuses_and_says_so_until_there_is_room():
    scan(
        STACK_INT,
        N=1,
        table="""
        PUSH POP R1 IN | OUT OFLO DEPTH
        1    0   0  1  | 1   0    1
        0    0   0  2  | 1   0    1
        1    0   0  2  | 1   1    1
        0    0   0  2  | 1   1    1
        0    0   1  2  | 0   0    0
        1    0   1  2  | 0   0    0       # no push under reset
        0    0   0  2  | 0   0    0
        1    1   0  2  | 0   0    0       # both: the pop counts
    """,
    )


def test_a_stack_holds_128():
    stack = Instance(STACK_INT)
    for i in range(129):
        for push in (True, False):
            stack.PUSH, stack.IN = push, i
            stack.scan(10 * MS)
    assert (stack.DEPTH, stack.OUT, stack.OFLO) == (128, 127, True)
