"""RUN_HOURS: the hour meter."""

from __future__ import annotations

from blocks.control.run_hours import RUN_HOURS
from tests.aids.scan_table import Twin, scan


def test_it_counts_the_time_that_the_drive_ran_and_its_starts():
    """Of an on time of 30 s, seen in four scans 10 s apart, all 30 s are counted; the next start begins a new run."""
    scan(
        RUN_HOURS,
        dt="10s",
        table="""
        RUN | TOTAL STARTS THIS_RUN
        1   | 0s    1      0s        # at the first scan it has just been seen
        1   | 10s   1      10s
        1   | 20s   1      20s
        0   | 30s   1      30s
        0   | 30s   1      30s
        1   | 30s   2      0s
        0   | 40s   2      10s
    """,
    )


def test_a_chattering_drive_counts_each_start():
    scan(RUN_HOURS, dt="1s", table="RUN | STARTS TOTAL\n 1 | 1 0s\n 0 | 1 1s\n 1 | 2 1s\n 0 | 2 2s\n 1 | 3 2s")


def test_nothing_is_lost_in_a_hundred_years():
    """As LREAL hours, a nanosecond would vanish after some hours; as TIME it counts."""
    twin = Twin(RUN_HOURS)
    century = 100 * 8766 * 3_600_000_000_000
    twin.set("TOTAL", century)
    twin.set("ran", True)
    twin.set("RUN", True)
    twin.scan(1)
    assert twin.get("TOTAL") == century + 1
    assert float(twin.get("HOURS")) == 876_600.0


def test_the_service_is_due_until_it_is_done_and_counts_anew():
    scan(
        RUN_HOURS,
        dt="1h",
        SERVICE="2h",
        RUN=1,
        table="""
        DONE | HOURS DUE
        1    | 0     0       # stuck from the start
        0    | 1     0
        0    | 2     1
        0    | 3     1
        1    | 4     0
        0    | 5     0
        0    | 6     1
    """,
    )
    scan(RUN_HOURS, dt="1000h", RUN=1, table="x | DUE\n 10 | 0")


def test_a_new_motor_gets_a_new_meter():
    scan(
        RUN_HOURS,
        dt="1h",
        RUN=1,
        SERVICE="100h",
        PRESET="50h",
        table="LOAD | HOURS STARTS DUE\n 0 | 0 1 0\n 0 | 1 1 0\n 1 | 50 0 0\n 1 | 51 0 0\n 0 | 52 0 0",
    )
