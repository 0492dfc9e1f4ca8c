"""CONTACTOR: feedback (foxBMS: 20 events, then 100 ms), opening without current, and wear."""

from __future__ import annotations

import pytest

from blocks.charge.contactor import CONTACTOR, FAULTS
from tests.aids.scan_table import scan

NOT_CLOSED, WELDED, BY_ITSELF = (FAULTS.index(f) for f in ("did not close", "did not open", "opened by itself"))
FAST = {"EVENTS": 1, "DELAY": "0ms"}


def test_did_not_close_20_events_and_100_ms_after_the_coil():
    """At 10 ms a scan: events 1 to 20 in the 20 scans after closing, then ten scans of 10 ms."""
    scan(
        CONTACTOR,
        FB=False,
        I=0.0,
        table=f"""
        x  CLOSE | COIL FAULT
        1  1     | 1    0
        29 1     | 1    0
        1  1     | 0    {NOT_CLOSED}
        90 1     | 0    {NOT_CLOSED}
    """,
    )


def test_at_slow_scans_the_events_take_longer_and_the_delay_does_not():
    scan(CONTACTOR, FB=False, I=0.0, dt="100ms", table=f"x CLOSE | FAULT\n 1 1 | 0\n 20 1 | 0\n 1 1 | {NOT_CLOSED}")


def test_a_feedback_that_comes_within_the_time_is_no_fault():
    scan(CONTACTOR, CLOSE=True, I=0.0, table="x FB | COIL CLOSED FAULT\n 30 0 | 1 0 0\n 1 1 | 1 1 0\n 90 1 | 1 1 0")


def test_a_feedback_that_flickers_shows_on_closed_and_is_no_fault():
    lines = "\n".join(f"{i % 2} | 1 {i % 2} 0" for i in range(80))
    scan(CONTACTOR, CLOSE=True, I=0.0, table=f"FB | COIL CLOSED FAULT\n{lines}")


def test_opened_by_itself_differs_from_never_closed():
    scan(
        CONTACTOR,
        I=0.0,
        **FAST,
        table=f"""
        CLOSE FB | COIL CLOSED FAULT
        1     0  | 1    0      0
        1     1  | 1    1      0
        1     0  | 0    0      {BY_ITSELF}
        1     1  | 0    0      {BY_ITSELF}    # it does not close again by itself
    """,
    )


def test_opened_by_itself_while_a_current_flows_brings_the_current_to_zero_first():
    """The current proves that the contactor is closed and the feedback is broken: the coil must not drop under load."""
    scan(
        CONTACTOR,
        CLOSE=True,
        **FAST,
        table=f"""
        FB I   | COIL WAITING FAULT       LOADED_OPENINGS
        0  0   | 1    0       0           0
        1  150 | 1    0       0           0
        0  150 | 1    1       {BY_ITSELF} 0
        0  1   | 0    0       {BY_ITSELF} 0
    """,
    )


def test_welded_and_only_a_reset_without_close_forgets_it():
    scan(
        CONTACTOR,
        I=0.0,
        EVENTS=2,
        DELAY="10ms",
        table=f"""
        CLOSE FB RESET | COIL FAULT
        1     0  0     | 1    0
        1     1  0     | 1    0
        0     1  0     | 0    0
        0     1  0     | 0    0
        0     1  0     | 0    0
        0     1  0     | 0    {WELDED}
        1     1  1     | 0    {WELDED}    # CLOSE stands in the way
        0     0  1     | 0    {WELDED}    # no edge
        0     0  0     | 0    {WELDED}
        0     0  1     | 0    0
        1     0  1     | 1    0
    """,
    )


def test_a_reset_does_not_hide_a_contactor_that_is_still_welded():
    scan(
        CONTACTOR,
        I=0.0,
        FB=True,
        **FAST,
        table=f"CLOSE RESET | COIL FAULT\n 0 0 | 0 {WELDED}\n 0 1 | 0 {WELDED}\n 1 0 | 0 {WELDED}",
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_it_opens_without_current_whatever_its_sign(sign):
    scan(
        CONTACTOR,
        table=f"""
        x  CLOSE FB I            | COIL WAITING LOADED LOADED_OPENINGS
        1  1     0  0            | 1    0       0      0
        1  1     1  {100 * sign} | 1    0       0      0
        99 0     1  {100 * sign} | 1    1       0      0
        1  0     1  {2 * sign}   | 1    1       0      0
        1  0     1  {1.9 * sign} | 0    0       0      0
    """,
    )


@pytest.mark.parametrize("current", ["80", "-80", "nan", "inf"])
def test_after_the_longest_wait_it_opens_all_the_same_and_counts_it(current):
    """A current that nobody knows counts as flowing; 5 s from the scan in which opening began."""
    scan(
        CONTACTOR,
        table=f"""
        x   CLOSE FB I         | COIL WAITING LOADED LOADED_OPENINGS CLOSINGS
        1   1     0  0         | 1    0       0      0               1
        1   1     1  {current} | 1    0       0      0               1
        500 0     1  {current} | 1    1       0      0               1
        1   0     1  {current} | 0    0       1      1               1
        1   0     0  0         | 0    0       1      1               1
        1   1     0  0         | 1    0       0      1               2
    """,
    )


def test_a_close_that_returns_while_it_waits_ends_the_wait_and_the_next_one_starts_anew():
    scan(
        CONTACTOR,
        MAX_WAIT="30ms",
        table="""
        CLOSE FB I  | COIL WAITING CLOSINGS
        1     0  0  | 1    0       1
        1     1  90 | 1    0       1
        0     1  90 | 1    1       1
        0     1  90 | 1    1       1
        1     1  90 | 1    0       1
        0     1  90 | 1    1       1
        0     1  90 | 1    1       1
        0     1  90 | 1    1       1
        0     1  90 | 0    0       1
    """,
    )


def test_force_opens_at_once_and_it_is_counted_as_under_load():
    scan(
        CONTACTOR,
        CLOSE=True,
        table="FB I FORCE | COIL LOADED LOADED_OPENINGS\n 0 0 0 | 1 0 0\n 1 300 0 | 1 0 0\n 1 300 1 | 0 1 1\n 1 300 1 | 0 1 1",
    )


def test_commands_that_are_repeated_each_scan_count_as_one_switching():
    scan(CONTACTOR, I=0.0, table="x CLOSE FB | CLOSINGS\n 1 1 0 | 1\n 50 1 1 | 1\n 20 0 0 | 1\n 1 1 0 | 2\n 50 1 1 | 2")


def test_a_start_with_the_contactor_already_closed():
    """Wanted closed: taken over without a switching. Not wanted: a coil that nobody drove is not driven, whatever flows."""
    scan(CONTACTOR, I=0.0, FB=True, table="x CLOSE | COIL CLOSED CLOSINGS FAULT\n 1 1 | 1 1 0 0\n 90 1 | 1 1 0 0")
    scan(CONTACTOR, CLOSE=False, table="FB I | COIL WAITING\n 1 -50 | 0 0\n 1 -50 | 0 0\n 1 0 | 0 0")


@pytest.mark.parametrize("current", ["0", "nan", "2", "-500"])
def test_at_the_start_a_feedback_or_a_current_never_drives_a_coil_that_nobody_wants(current):
    scan(CONTACTOR, CLOSE=False, FB=True, table=f"x I | COIL\n 1 {current} | 0\n 50 {current} | 0")


def test_a_stuck_reset_button_is_no_reset():
    scan(CONTACTOR, FB=True, I=0.0, CLOSE=False, **FAST, table=f"RESET | FAULT\n 1 | {WELDED}\n 1 | {WELDED}")


def test_after_a_reset_the_events_are_counted_anew():
    scan(
        CONTACTOR,
        I=0.0,
        FB=True,
        EVENTS=3,
        DELAY="0ms",
        table=f"x CLOSE RESET | FAULT\n 2 0 0 | 0\n 1 0 0 | {WELDED}\n 1 0 1 | 0\n 1 0 1 | 0\n 1 0 1 | {WELDED}",
    )
