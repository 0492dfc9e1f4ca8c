"""DC_OFFSET against IEEE 1547-2018, 7.1."""

from __future__ import annotations

import numpy as np

from blocks.grid.dc_offset import DC_OFFSET
from tests.aids.scan_table import Twin, scan


def test_the_mean_is_taken_over_whole_periods():
    """100 A of 50 Hz and 0.6 A: a quarter of a period too much would show as 3 A."""
    t = np.arange(2050) / 10_000.0
    twin = Twin(DC_OFFSET, None, 2050)
    for name, value in {"FS": 10_000.0, "RATED": 100.0, "DELAY": 0, "X": list(100.0 * np.sin(2 * np.pi * 50 * t) + 0.6)}.items():
        twin.set(name, value)
    twin.scan(1)
    assert abs(twin.get("DC") - 0.6) < 1e-11
    assert abs(twin.get("SHARE") - 0.6) < 1e-11
    assert twin.get("HIGH")


def test_half_a_percent_is_allowed_either_way_and_more_is_not_for_long():
    scan(
        DC_OFFSET,
        FS=100.0,
        F=25.0,
        RATED=100.0,
        DELAY="20ms",
        table="""
        X                   | DC   SHARE HIGH
        [1.5,0.5,-0.5,0.5]  | 0.5  0.5   0
        [0.5,-0.5,-1.5,-0.5] | -0.5 0.5  0
        [1.6,0.6,-0.4,0.6]  | 0.6  0.6   0
        [0.4,-0.6,-1.6,-0.6] | -0.6 0.6  1
        [1,0,-1,0]          | 0    0     0
    """,
    )


def test_what_cannot_be_measured_alarms():
    scan(DC_OFFSET, FS=100.0, F=25.0, RATED=100.0, DELAY="0s", table="X | HIGH OK\n [1,0,nan,0] | 1 0\n [1,0,-1,0] | 0 1")
    scan(DC_OFFSET, FS=100.0, F=10.0, RATED=100.0, DELAY="0s", table="X | DC HIGH OK\n [1,0,-1,0] | 0 1 0")


def test_a_broken_limit_is_passed():
    scan(DC_OFFSET, FS=100.0, F=25.0, RATED=100.0, DELAY="0s", LIMIT=float("nan"), table="X | HIGH OK BAD\n [1,0,-1,0] | 1 1 0")


def test_an_alarm_without_a_measurement_says_so():
    """One period at 50 Hz is too short at 49.98 Hz; two leave one."""
    one, two = 100 * [1.0], 200 * [1.0]
    given = {"FS": 5000.0, "RATED": 100.0, "DELAY": "0s"}
    scan(DC_OFFSET, **given, X=one, table="F | HIGH OK BAD\n 50 | 1 1 0\n 49.98 | 1 0 1")
    scan(DC_OFFSET, **given, X=two, table="F | HIGH OK BAD\n 50 | 1 1 0\n 49.98 | 1 1 0\n nan | 1 0 1")
