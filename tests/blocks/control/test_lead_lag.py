"""LEAD_LAG against the exact discretisation of its transfer function, and what happens at the edges of its settings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from blocks.control.lead_lag import LEAD_LAG
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


@pytest.mark.parametrize(("lead", "lag"), [(2.0, 1.0), (0.5, 3.0), (0.0, 1.0), (1.0, 1.0)])
def test_it_answers_as_its_transfer_function_says(lead, lag, deviation):
    steps = np.repeat(np.random.default_rng(1).uniform(-1.0, 1.0, 40), 100)
    steps[0] = 0.0
    b, a, _ = signal.cont2discrete(([lead, 1.0], [lag, 1.0]), 0.01, "zoh")
    wanted = signal.lfilter(b.ravel(), a, steps)
    error = np.max(np.abs(response(LEAD_LAG, {"IN": steps}, 10 * MS, T_LEAD=lead, T_LAG=lag) - wanted))
    # exp() by its Pade approximant: (dt/T)^2/6 = 2e-5 of the way (2 at most), once more for the lead
    deviation("LEAD_LAG", "scipy 1.17", f"steps, {lead:g} s over {lag:g} s", error, 1e-4)


def test_the_response_does_not_depend_on_how_time_is_cut():
    cuts = np.random.default_rng(2).integers(1, 40, 500).cumsum()
    held = (np.arange(len(cuts)) // 25 % 2).astype(float)
    one = response(LEAD_LAG, {"IN": held}, np.diff(cuts, prepend=0) * MS, T_LEAD=2.0, T_LAG=1.0)
    fine = np.repeat(held[:-1], np.diff(cuts))
    many = response(LEAD_LAG, {"IN": fine}, MS, T_LEAD=2.0, T_LAG=1.0)
    assert np.max(np.abs(one[1:-1] - many[np.diff(cuts).cumsum()[:-1]])) < 1e-3


def test_it_starts_settled_with_its_gain():
    scan(LEAD_LAG, T_LEAD=5.0, T_LAG=1.0, GAIN=3.0, table="x IN | OUT\n 1 20 | 60\n 50 20 | 60")


def test_equal_times_are_a_wire_and_none_too():
    scan(LEAD_LAG, T_LEAD=1.0, T_LAG=1.0, table="IN | OUT\n 5 | 5\n 7 | 7\n -2 | -2")
    scan(LEAD_LAG, T_LAG=0.0, table="IN | OUT\n 5 | 5\n 7 | 7\n -2 | -2")


def test_a_lead_without_a_lag_is_held_to_a_hundredfold():
    scan(LEAD_LAG, T_LEAD=1.0, T_LAG=0.0, table="IN | OUT\n 5 | 5\n 6 | 105")


def test_a_broken_input_is_shown_and_the_filter_starts_anew():
    scan(LEAD_LAG, T_LEAD=2.0, T_LAG=1.0, table="IN | OUT\n 5 | 5\n nan | nan\n inf | -\n 8 | 8\n 8 | 8\n 9 | 10")
    scan(LEAD_LAG, T_LEAD=2.0, IN=5.0, table="T_LAG | OUT\n 1 | 5\n nan | nan\n 1 | 5")
