"""DEADBAND: with and without a step."""

from __future__ import annotations

from blocks.control.deadband import DEADBAND
from tests.aids.scan_table import scan


def test_outside_it_goes_on_without_a_step():
    scan(DEADBAND, WIDTH=20.0, CENTER=50.0, table="IN | OUT\n 50 | 50\n 70 | 50\n 30 | 50\n 71 | 51\n 0 | 20\n 100 | 80")


def test_with_a_step_the_value_itself_comes_through():
    scan(DEADBAND, WIDTH=20.0, CENTER=50.0, STEP=True, table="IN | OUT\n 50 | 50\n 70 | 50\n 30 | 50\n 71 | 71\n 0 | 0")


def test_a_width_without_sense_is_0_and_a_broken_value_is_shown():
    scan(DEADBAND, table="IN WIDTH | OUT\n 3 -5 | 3\n 3 nan | 3\n nan 1 | nan\n inf 1 | inf\n 3 1 | 2\n -0.5 1 | 0")
