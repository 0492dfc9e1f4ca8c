"""BALANCING_HISTORY: charge and time bled from each cell."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.cells.balancing_history import BALANCING_HISTORY
from tests.aids.scan_table import SIGNATURE, Twin, scan


def test_the_charge_is_volts_by_ohms_by_hours():
    """3.3 V, 33 Ohm: 100 mA."""
    scan(
        BALANCING_HISTORY,
        R=33,
        V=[3.3, 3.3],
        dt="6min",
        table="""
            x BLEED | AH HOURS TOTAL I_NOW
            10 [1,0] | [0.1,0] [1,0] 0.1 0.1
            5 [1,1] | [0.15,0.05] [1.5,0.5] 0.2 0.2
            9 [0,0] | - [1.5,0.5] 0.2 0
        """,
    )


def test_it_names_the_cells_bled_least_and_most():
    scan(
        BALANCING_HISTORY,
        R=33,
        V=[3.3, 3.3, 3.3],
        dt="1h",
        table="BLEED | LEAST_AT MOST_AT\n [0,0,0] | 1 1\n [1,0,1] | 2 1\n [0,1,1] | 1 3",
    )


def test_a_dead_voltage_counts_time_only_and_a_reset_is_an_edge():
    scan(
        BALANCING_HISTORY,
        R=33,
        BLEED=[1],
        dt="1h",
        table="""
            V RESET | AH HOURS
            [3.3] 1 | [0.1] [1]
            [nan] 0 | [0.1] [2]
            [inf] 0 | [0.1] [3]
            [-1] 0 | [0.1] [4]
            [3.3] 1 | [0.1] [1]
        """,
    )


def test_ten_milliseconds_are_not_lost_after_years(deviation):
    """100,000 scans of 10 ms at 100 mA on top of 1e6 Ah."""
    twin = Twin(BALANCING_HISTORY, length=1)
    for name, value in {"BLEED": [True], "V": [3.3], "R": 33.0, "AH": [1e6]}.items():
        twin.set(name, value)
    for _ in range(100_000):
        SIGNATURE(twin.kernel.address)(twin._addresses.ctypes.data, 1, 1, 10_000_000)
    found = twin.columns["AH"][0] - 1e6
    expected = 100_000 * 0.01 / 3600.0 * 0.1
    assert np.float64(1e6) + 0.01 / 3600.0 * 0.1 != 1e6 + expected
    # the unit in the last place of 1e6 is 1.2e-10
    deviation("BALANCING_HISTORY", "exact product", "1e5 scans on 1e6 Ah", abs(found - expected), 1.2e-10, "Ah")
    assert twin.columns["HOURS"][0] == pytest.approx(100_000 * 0.01 / 3600.0, rel=1e-15)
