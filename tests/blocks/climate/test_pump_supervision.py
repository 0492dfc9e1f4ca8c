"""PUMP_SUPERVISION: does the pump pump."""

from __future__ import annotations

import pytest

from blocks.climate.pump_supervision import PUMP_SUPERVISION
from tests.aids.scan_table import scan

QUICK = {"START_DELAY": "2s", "DELAY": "1s", "PAUSE": "2s", "HEALTHY": "3s", "dt": "1s"}


def test_without_any_sensor_it_is_the_command():
    scan(PUMP_SUPERVISION, **QUICK, table="x CMD | RUN FAULT REASON\n 1 0 | 0 0 0\n 99 1 | 1 0 0\n 1 0 | 0 0 0\n 1 1 | 1 0 0")


def test_nothing_is_watched_while_it_builds_up_pressure():
    scan(PUMP_SUPERVISION, **QUICK, CMD=1, table="x PRESSURE FLOW | RUN REASON\n 2 0 0 | 1 0\n 5 2 20 | 1 0")


@pytest.mark.parametrize(
    ("row", "reason", "psi"),
    [("0 2 20", 1, 0), ("1 0.4 20", 2, 1), ("1 nan 20", 2, 1), ("1 2 0.9", 3, 1), ("1 2 nan", 3, 1), ("0 0 0", 1, 0)],
)
def test_what_is_wrong_for_its_delay_stops_the_pump_and_is_named(row, reason, psi):
    scan(
        PUMP_SUPERVISION,
        **QUICK,
        CMD=1,
        table=f"""
        x RUNNING PRESSURE FLOW | RUN REASON   PUMP_PSI_LOW TRIES
        5 1 2 20                | 1   0        0            0
        1 {row}                 | 1   0        0            0
        1 1 2 20                | 1   0        0            0       # for a moment only
        1 {row}                 | 1   0        0            0
        1 {row}                 | 0   {reason} {psi}        1
    """,
    )


def test_after_its_retries_it_stays_off_until_the_reset():
    scan(
        PUMP_SUPERVISION,
        **QUICK,
        CMD=1,
        FLOW=0.0,
        RETRIES=1,
        table="""
        x  RESET | RUN FAULT TRIES
        3  0     | 1   0     0
        1  0     | 0   0     1
        1  0     | 0   0     1
        1  0     | 1   0     1       # after 2 s of rest
        2  0     | 1   0     1
        1  0     | 0   1     2
        50 0     | 0   1     2
        1  1     | 1   0     0
        3  1     | 0   0     1       # a RESET that is stuck resets once
        3  1     | 1   0     1
        9  1     | 0   1     2
    """,
    )


def test_a_fault_survives_the_command():
    scan(
        PUMP_SUPERVISION,
        **QUICK,
        FLOW=0.0,
        RETRIES=0,
        table="x CMD | RUN FAULT\n 3 1 | 1 0\n 1 1 | 0 1\n 1 0 | 0 1\n 5 1 | 0 1",
    )


def test_a_good_run_gives_all_tries_back_and_clears_the_reason():
    scan(
        PUMP_SUPERVISION,
        **QUICK,
        CMD=1,
        table="""
        x FLOW | RUN TRIES REASON
        3 0    | 1   0     0
        1 0    | 0   1     3
        2 0    | 1   1     3
        4 20   | 1   1     3
        1 20   | 1   0     0
    """,
    )


def test_a_dry_pump_stops_at_once_costs_no_try_and_returns_after_the_pause():
    scan(
        PUMP_SUPERVISION,
        **QUICK,
        CMD=1,
        RETRIES=0,
        table="""
        x  LEVEL | RUN FAULT REASON TRIES
        1  1     | 1   0     0      0
        1  0     | 0   0     4      0
        50 0     | 0   0     4      0
        1  1     | 0   0     4      0
        1  1     | 1   0     4      0
    """,
    )


def test_it_does_not_start_dry():
    scan(PUMP_SUPERVISION, LEVEL=0, table="CMD | RUN REASON\n 1 | 0 4")


def test_a_value_at_its_limit_is_good():
    scan(PUMP_SUPERVISION, **QUICK, CMD=1, PRESSURE=0.5, FLOW=1.0, table="x | RUN REASON\n 50 | 1 0")


def test_a_demand_that_comes_and_goes_does_not_hide_a_dry_run():
    """4 s of 5 s in turn: START_DELAY + DELAY are 5 s of running in all."""
    long = QUICK | {"START_DELAY": "4s"}
    scan(
        PUMP_SUPERVISION,
        **long,
        PRESSURE=0.0,
        table="""
        x CMD | RUN REASON TRIES
        3 1   | 1   0      0
        1 0   | 0   0      0
        2 1   | 1   0      0
        1 1   | 0   2      1
    """,
    )


def test_pulses_shorter_than_the_delay_do_not_hide_it_either():
    scan(
        PUMP_SUPERVISION,
        CMD=1,
        START_DELAY="20ms",
        DELAY="1s",
        table="x PRESSURE CMD | RUN REASON\n 9 2 1 | 1 0\n 1 0 0 | 0 0\n" + " 90 0 1 | 1 0\n 1 0 0 | 0 0\n" + " 12 0 1 | 0 2",
    )


def test_a_run_that_pumped_for_a_moment_forgets_the_ones_before():
    scan(
        PUMP_SUPERVISION,
        **QUICK,
        table="x CMD FLOW | RUN TRIES\n" + " 2 1 0 | 1 0\n 1 1 20 | 1 0\n 1 0 0 | 0 0\n" * 9,
    )
