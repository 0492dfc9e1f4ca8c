"""CELL_EKF at the steep ends of its curve: points of 1 % between the first and the last two of the table, and a little beyond."""

from __future__ import annotations

import pytest

from blocks.cells.cell_ekf import CELL_EKF
from tests.aids.scan_table import scan

LINE = tuple(3.2 + 0.005 * place for place in range(21))  # 1 mV a percent from 5 to 95 %
OCV = (2.5, *LINE[1:20], 3.45)
ENDS = (2.75, 2.9, 3.0, 3.1, 3.3, 3.31, 3.34, 3.385)  # an LFP cell: half of what is missing is in the last percent
REST = {"I": 0.0, "R0": 0.0, "R1": 0.0, "V_BIAS": 0.0, "OCV": OCV, "dt": "1s"}


@pytest.mark.parametrize(
    ("volts", "percent"),
    [(2.625, 0.5), (2.9, 2), (3.05, 3.5), (3.325, 97.5), (3.385, 99), (3.45, 100)],
)
def test_at_rest_a_voltage_of_an_end_is_read_from_its_own_points(volts, percent):
    start = 5.0 if percent < 50 else 95.0
    scan(CELL_EKF, **REST, ENDS=ENDS, SOC0=start, table=f"x V | SOC\n600 {volts} | ~{percent}")


@pytest.mark.parametrize(("volts", "percent"), [(2.8525, 2.5), (3.3725, 97.5)])
def test_without_them_the_table_is_a_straight_line(volts, percent):
    start = 5.0 if percent < 50 else 95.0
    scan(CELL_EKF, **REST, SOC0=start, table=f"x V | SOC\n600 {volts} | ~{percent}")


def test_a_cell_that_is_charged_beyond_full_does_not_lose_its_capacity():
    """One cell of a string stands above the others: the charge goes on to 101 % of it, and its voltage says so."""
    beyond = 3.45 + (3.45 - 3.385)
    scan(CELL_EKF, **REST, ENDS=ENDS, SOC0=99.0, table=f"x V | SOC SOH\n600 {beyond} | 100 ~100")
