"""INSULATION: 500 and 100 Ohm per volt, the device's start-up time, and what is not known."""

from __future__ import annotations

from blocks.cells.insulation import INSULATION
from tests.aids.scan_table import scan

AT_ONCE = {"BLIND": "0s", "CONFIRM": "0s", "LOST": "0s"}


def test_the_limits_are_ohms_for_each_volt():
    """800 V: 400 kOhm and 80 kOhm."""
    scan(
        INSULATION,
        U=800,
        **AT_ONCE,
        table="""
        R     | LEVEL OHM_PER_V OK WARNING TRIP
        400   | 0     500       1  0       0
        399.9 | 1     499.875   1  1       0
        80    | 1     100       1  1       0
        79.9  | 2     99.875    0  1       1
    """,
    )


def test_nothing_is_claimed_before_the_first_measurement():
    """A device reads low while it charges the leakage capacitances: no trip, but no permit either."""
    scan(
        INSULATION,
        U=800,
        dt="1s",
        table="""
        x  R    | LEVEL OK TRIP
        10 0    | 3     0  0
        1  2000 | 0     1  0
    """,
    )


def test_a_device_without_the_duty_is_not_judged_and_starts_blind_again():
    scan(
        INSULATION,
        U=800,
        R=2000,
        BLIND="2s",
        dt="1s",
        table="""
        x  ENABLE | LEVEL OK WARNING TRIP
        3  1      | 0     1  0       0
        99 0      | 3     0  0       0
        2  1      | 3     0  1       0
        1  1      | 0     1  0       0
    """,
    )


def test_a_short_dip_does_nothing_and_the_permit_stays_until_the_trip():
    scan(
        INSULATION,
        U=800,
        BLIND="0s",
        CONFIRM="3s",
        dt="1s",
        table="""
        x R    | LEVEL OK TRIP
        1 2000 | 0     1  0
        3 20   | 2     1  0
        1 2000 | 0     1  0
        3 20   | 2     1  0
        1 20   | 2     0  1
    """,
    )


def test_a_device_that_starts_low_never_gets_the_permit():
    scan(INSULATION, U=800, BLIND="0s", CONFIRM="3s", dt="1s", table="x R | OK TRIP\n 3 20 | 0 0\n 1 20 | 0 1\n 1 2000 | 0 1")


def test_what_is_not_known_gives_no_permit_and_trips_in_the_end():
    for pin, dead in (("R", "nan"), ("VALID", "0"), ("TEST_OK", "0"), ("R", "inf"), ("U", "nan")):
        good = {"R": "2000", "VALID": "1", "TEST_OK": "1", "U": "800"}
        bad = good | {pin: dead}
        scan(
            INSULATION,
            BLIND="0s",
            LOST="5s",
            dt="1s",
            table=f"""
            x {" ".join(good)}          RESET | LEVEL OK WARNING TRIP
            1 {" ".join(bad.values())}  0     | 3     0  1       0
            1 {" ".join(good.values())} 0     | 0     1  0       0
            5 {" ".join(bad.values())}  0     | 3     1  1       0
            1 {" ".join(bad.values())}  0     | 3     0  1       1
            1 {" ".join(bad.values())}  1     | 3     0  1       1
            1 {" ".join(good.values())} 1     | 0     0  0       1
            1 {" ".join(good.values())} 0     | 0     0  0       1
            1 {" ".join(good.values())} 1     | 0     1  0       0
        """,
        )


def test_a_limit_that_is_no_number_closes():
    scan(INSULATION, U=800, R=2000, **AT_ONCE, table="R_TRIP | LEVEL OK TRIP\n 100 | 0 1 0\n nan | 2 0 1")


def test_a_low_value_that_is_unknown_now_and_then_trips_all_the_same():
    """Neither undoes the time of the other; only a value above the trip limit does."""
    lines = "1 20 1 | 2 0\n 1 20 0 | 3 0\n" * 3
    scan(INSULATION, U=800, BLIND="0s", CONFIRM="3s", dt="1s", table=f"x R VALID | LEVEL TRIP\n {lines} 1 20 1 | 2 1")
    scan(
        INSULATION,
        U=800,
        BLIND="0s",
        CONFIRM="3s",
        dt="1s",
        table=f"x R VALID | LEVEL TRIP\n {lines} 1 99 1 | 0 0\n 3 20 1 | 2 0".replace("99", "900"),
    )


def test_unknown_that_is_low_now_and_then_trips_after_lost():
    scan(
        INSULATION,
        U=800,
        BLIND="0s",
        CONFIRM="1h",
        LOST="4s",
        dt="1s",
        table="x R | LEVEL TRIP\n 2 nan | 3 0\n 1 20 | 2 0\n 1 nan | 3 0\n 1 nan | 3 1",
    )
