"""HIGH_PASS against the exact discretisation of T s/(1 + T s)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from blocks.control.high_pass import HIGH_PASS
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


@pytest.mark.parametrize("constant", [0.5, 2.0])
def test_it_answers_as_its_transfer_function_says(constant, deviation):
    steps = np.repeat(np.random.default_rng(1).uniform(-1.0, 1.0, 40), 100)
    steps[0] = 0.0
    b, a, _ = signal.cont2discrete(([constant, 0.0], [constant, 1.0]), 0.01, "zoh")
    error = np.max(np.abs(response(HIGH_PASS, {"IN": steps}, 10 * MS, T=constant) - signal.lfilter(b.ravel(), a, steps)))
    # exp() by its Pade approximant: (dt/T)^2/6, 7e-5 at T = 0.5 s, of a way of 2
    deviation("HIGH_PASS", "scipy 1.17", f"steps, T = {constant:g} s", error, 2e-4)


def test_a_constant_offset_is_forgotten_exactly():
    scan(HIGH_PASS, T=0.2, table="x IN | OUT\n 1 1000000 | 0\n 500 1000000 | 0\n 1 1000001 | 1\n 2000 1000001 | ~0.000")


def test_a_ramp_leaves_its_slope_times_t(deviation):
    ramp = np.arange(5000) * 0.01 * 3.0
    # the ramp comes in steps: half a scan, 0.015, is missing or too much
    error = abs(response(HIGH_PASS, {"IN": ramp}, 10 * MS, T=2.0)[-1] - 6.0)
    deviation("HIGH_PASS", "theory", "ramp of 3/s, T = 2 s", error, 0.02)


def test_the_response_does_not_depend_on_how_time_is_cut():
    scan(HIGH_PASS, T=1.0, table="dt x IN | OUT\n 10ms 1 0 | 0\n 10ms 1 1 | 1\n 10ms 100 1 | ~0.368")
    scan(HIGH_PASS, T=1.0, table="dt x IN | OUT\n 10ms 1 0 | 0\n 10ms 1 1 | 1\n 1ms 1000 1 | ~0.368")
    scan(HIGH_PASS, T=1.0, table="dt x IN | OUT\n 10ms 1 0 | 0\n 10ms 1 1 | 1\n 50ms 20 1 | ~0.37")


def test_without_a_time_constant_nothing_comes_through():
    scan(HIGH_PASS, T=0.0, table="IN | OUT\n 5 | 0\n 7 | 0\n 7 | 0")


def test_a_broken_input_is_shown_and_the_filter_starts_anew():
    scan(HIGH_PASS, T=1.0, table="IN | OUT\n 5 | 0\n nan | nan\n inf | nan\n 8 | 0\n 9 | 1")
    scan(HIGH_PASS, IN=5.0, table="T | OUT\n 1 | 0\n nan | nan\n 1 | 0")
