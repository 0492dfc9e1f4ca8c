"""QUANTIZE: whole steps without flutter."""

from __future__ import annotations

import numpy as np

from blocks.control.quantize import QUANTIZE
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import response

MS = 1_000_000


def test_without_hysteresis_it_rounds(deviation):
    values = np.random.default_rng(1).uniform(-100.0, 100.0, 2000)
    seen = response(QUANTIZE, {"IN": values}, MS, STEP=2.5, HYSTERESIS=0.0)
    deviation("QUANTIZE", "numpy.round", "uniform values", np.max(np.abs(seen - 2.5 * np.round(values / 2.5))), 0.0)


def test_noise_at_the_middle_of_two_does_not_make_it_flutter():
    noise = 5.0 + np.random.default_rng(2).uniform(-0.99, 0.99, 1000)
    assert len(set(response(QUANTIZE, {"IN": noise}, MS, STEP=10.0))) == 1


def test_it_is_never_further_off_than_half_a_step_and_the_hysteresis():
    walk = np.cumsum(np.random.default_rng(3).normal(0.0, 1.0, 2000))
    assert np.max(np.abs(response(QUANTIZE, {"IN": walk}, MS, STEP=3.0, HYSTERESIS=0.2) - walk)) <= 3.0 * 0.7


def test_a_step_without_sense_is_a_wire_and_a_broken_value_is_shown():
    scan(QUANTIZE, table="IN STEP | OUT\n 3.3 0 | 3.3\n 3.4 -1 | 3.4\n 3.4 nan | 3.4\n nan 1 | nan\n 3.4 1 | 3")


def test_a_new_step_puts_out_on_its_own_grid_at_once():
    scan(QUANTIZE, table="IN STEP | OUT\n 10 10 | 10\n 10.5 3 | 12\n 10.4 3 | 12\n 10.4 4 | 12\n 10.4 0 | 10.4")
