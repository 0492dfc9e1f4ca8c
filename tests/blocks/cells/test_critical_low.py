"""CRITICAL_LOW: reduce, stop, open, lock."""

from __future__ import annotations

from blocks.cells.critical_low import CRITICAL_LOW
from tests.aids.scan_table import scan


def test_the_share_falls_in_a_line_from_v_reduce_to_v_stop():
    scan(
        CRITICAL_LOW,
        table="V | STAGE SHARE DISCHARGE_OK\n 3.0 | 0 1 1\n 2.95 | 1 0.75 1\n 2.85 | 1 0.25 1\n 2.81 | 1 ~0.05 1\n 2.8 | 2 0 0",
    )


def test_discharging_returns_only_with_the_hysteresis():
    """Without it: the load goes, the voltage jumps up, the load comes back, and so on."""
    scan(CRITICAL_LOW, table="V | STAGE DISCHARGE_OK\n 2.79 | 2 0\n 2.9 | 2 0\n 2.99 | 2 0\n 3.01 | 1 1\n 2.9 | 1 1")


def test_the_contactors_open_after_the_delay_and_a_good_sample_takes_off_no_more_than_its_time():
    scan(
        CRITICAL_LOW,
        dt="1s",
        DELAY="3s",
        table="x V | STAGE OPEN CHARGE_OK\n 3 2.5 | 2 0 1\n 1 2.51 | 2 0 1\n 1 2.5 | 2 0 1\n 1 2.5 | 3 1 1",
    )


def test_a_deeply_discharged_cell_locks_until_service():
    scan(
        CRITICAL_LOW,
        dt="1s",
        DELAY="3s",
        table="""
        x V   SERVICE | STAGE LOCKED CHARGE_OK OPEN
        3 2.0 0       | 2     0      1         0
        1 2.0 0       | 4     1      0         1
        1 2.0 1       | 4     1      0         1      # the cell has not been replaced
        1 2.1 0       | 4     1      0         1
        1 2.0 1       | 4     1      0         1      # nor when it comes back for a moment
        1 3.3 1       | 4     1      0         1      # no edge
        1 nan 0       | 4     1      0         1
        1 nan 1       | 4     1      0         1      # nobody knows what it is
        1 3.3 0       | 4     1      0         1
        1 3.3 1       | 1     0      1         0      # SHARE rises again
    """,
    )


def test_a_button_that_is_stuck_from_the_start_clears_nothing():
    scan(CRITICAL_LOW, dt="1s", DELAY="0s", SERVICE=True, table="V | LOCKED\n 1.9 | 1\n 3.3 | 1")


def test_an_unknown_voltage_stops_at_once_opens_later_and_does_not_lock():
    scan(
        CRITICAL_LOW,
        dt="1s",
        DELAY="3s",
        table="""
            x V | STAGE SHARE DISCHARGE_OK OPEN LOCKED
            1 3.3 | 0 1 1 0 0
            1 nan | 2 0 0 0 0
            3 nan | 3 0 0 1 0
            3 3.3 | 3 0 0 1 0
            1 3.3 | 1 0.1 1 0 0      # back for DELAY
            10 3.3 | 0 1 1 0 0
        """,
    )


def test_limits_that_are_no_numbers_stop_the_discharge():
    scan(
        CRITICAL_LOW,
        V=3.3,
        table="V_STOP V_REDUCE | DISCHARGE_OK SHARE\n 2.8 3 | 1 1\n nan 3 | 0 0\n 2.8 3 | 1 ~0.001\n 2.8 nan | 0 0",
    )


def test_a_rebound_does_not_close_the_contactors():
    """Without the load the voltage jumps up: only DISCHARGE_OK's hysteresis, for DELAY, ends OPEN."""
    scan(
        CRITICAL_LOW,
        dt="1s",
        DELAY="3s",
        table="""
        x   V    | STAGE OPEN
        4   2.4  | 3     1
        1   2.55 | 3     1
        999 2.99 | 3     1
        2   3.0  | 3     1
        1   2.9  | 3     1
        1   3.0  | 1     0
    """,
    )
    scan(CRITICAL_LOW, DELAY="0s", table="V | OPEN\n 2.5 | 1\n 2.9 | 1\n 3 | 0")


def test_a_reset_closes_them_for_charging_and_a_cell_that_stays_low_opens_them_again():
    scan(
        CRITICAL_LOW,
        dt="1s",
        DELAY="3s",
        table="""
        x V   RESET | STAGE OPEN CHARGE_OK DISCHARGE_OK
        4 2.4 0     | 3     1    1         0
        1 2.4 1     | 2     0    1         0
        2 2.4 1     | 2     0    1         0
        1 2.4 1     | 3     1    1         0
        1 2.4 0     | 3     1    1         0
        1 2.4 1     | 2     0    1         0
        9 2.7 1     | 2     0    1         0      # it charges
    """,
    )
    scan(CRITICAL_LOW, dt="1s", DELAY="3s", RESET=True, table="x V | OPEN\n 3 2.4 | 0\n 9 2.4 | 1")


def test_a_low_voltage_with_a_good_sample_now_and_then_opens():
    lines = "9 2.3 | 0\n 1 2.51 | 0\n"
    scan(CRITICAL_LOW, dt="1s", DELAY="10s", table=f"x V | OPEN\n {lines} 2 2.3 | 0\n 1 2.3 | 1\n 99 2.51 | 1")


def test_the_share_comes_back_slowly_and_falls_at_once():
    """10 % a second: a share that jumps from 0 to 1 would pull the voltage down again."""
    scan(
        CRITICAL_LOW,
        dt="1s",
        table="""
        x V    | SHARE STAGE
        1 3.2  | 1     0
        1 2.79 | 0     2
        1 3.2  | 0.1   1
        1 3.2  | 0.2   1
        1 2.83 | 0.15  1
        1 3.2  | 0.25  1
        8 3.2  | 1     0
    """,
    )
    scan(CRITICAL_LOW, dt="1s", table="V RISE | SHARE\n 2.79 10 | 0\n 3.2 nan | 0\n 3.2 10 | 0.1")


def test_a_voltage_that_is_no_voltage_permits_nothing_and_does_not_lock():
    """0 V is a broken wire, not a cell: without a lock that only service ends. Nobody may charge what nobody sees."""
    for dead in ("inf", "-inf", "nan", "0", "0.49"):
        scan(
            CRITICAL_LOW,
            dt="1s",
            DELAY="3s",
            table=f"""
            x V      | STAGE SHARE DISCHARGE_OK CHARGE_OK OPEN LOCKED
            1 3.3    | 0     1     1            1         0    0
            1 {dead} | 2     0     0            0         0    0
            9 {dead} | 3     0     0            0         1    0
            4 3.3    | 1     0.1   1            1         0    0
        """,
        )
