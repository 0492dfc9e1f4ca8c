"""CHARGE_COMMAND: a command may come twice, and no charge without closed contactors."""

from __future__ import annotations

from blocks.charge.charge_command import CHARGE_COMMAND, REASONS
from tests.aids.scan_table import scan

OPEN = REASONS.index("contactors are not closed")
STOPPED = REASONS.index("stopped by command")
FORBIDDEN = REASONS.index("no permit")


def test_a_repeated_start_triggers_nothing_twice():
    scan(
        CHARGE_COMMAND,
        CLOSED=True,
        table="""
        x   START | ENABLE TAKEN REPEATS
        1   0     | 0      0     0
        1   1     | 1      1     0
        100 1     | 1      0     0       # held
        1   0     | 1      0     0
        1   1     | 1      0     1       # written again
        1   0     | 1      0     1
        1   1     | 1      0     2
    """,
    )


def test_stop_wins_and_a_start_that_is_still_held_does_not_come_back():
    scan(
        CHARGE_COMMAND,
        CLOSED=True,
        table=f"""
        START STOP | ENABLE WHY       REFUSED
        0     0    | 0      1         0
        1     0    | 1      0         0
        1     1    | 0      {STOPPED} 0
        1     0    | 0      {STOPPED} 0
        0     1    | 0      {STOPPED} 0
        1     1    | 0      {STOPPED} 1
        0     0    | 0      {STOPPED} 0
        1     0    | 1      0         0
    """,
    )


def test_no_software_only_charge_into_an_open_circuit():
    scan(
        CHARGE_COMMAND,
        table=f"""
        START CLOSED | ENABLE REFUSED WHY
        0     0      | 0      0       1
        1     0      | 0      1       {OPEN}
        1     1      | 0      0       {OPEN}    # closing later does not start what was refused
        0     1      | 0      0       {OPEN}
        1     1      | 1      0       0
    """,
    )


def test_a_feedback_that_chatters_stops_it_once_and_for_all():
    scan(
        CHARGE_COMMAND,
        table=f"""
        START CLOSED | ENABLE TAKEN WHY
        0     1      | 0      0     1
        1     1      | 1      1     0
        1     0      | 0      0     {OPEN}
        1     1      | 0      0     {OPEN}
        1     0      | 0      0     {OPEN}
        1     1      | 0      0     {OPEN}
        0     1      | 0      0     {OPEN}
        1     1      | 1      1     0
    """,
    )


def test_a_permit_that_falls_ends_it():
    table = f"START PERMIT | ENABLE WHY\n 0 1 | 0 1\n 1 1 | 1 0\n 1 0 | 0 {FORBIDDEN}\n 1 1 | 0 {FORBIDDEN}"
    scan(CHARGE_COMMAND, CLOSED=True, table=table)


def test_a_start_that_is_stuck_from_the_first_scan_on_starts_nothing():
    scan(CHARGE_COMMAND, CLOSED=True, table="START | ENABLE\n 1 | 0\n 1 | 0\n 0 | 0\n 1 | 1")


def test_a_restart_of_the_controller_needs_a_new_start():
    assert CHARGE_COMMAND.pin("ENABLE").volatile
