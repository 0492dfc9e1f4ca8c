"""INTERLOCK: trips at once, returns by a deliberate act only (ISO 13850, 4.1.4)."""

from __future__ import annotations

import pytest

from blocks.control.interlock import INTERLOCK
from blocks.declare import INPUT
from tests.aids.scan_table import scan


def test_a_cold_start_needs_a_reset():
    scan(
        INTERLOCK,
        table="""
        PERMIT  RESET | OK FIRST MISSING
        [1,1,1] 0     | 0  0     0
        [1,1,1] 1     | 1  0     0
        [1,1,1] 0     | 1  0     0
    """,
    )


def test_a_permit_that_falls_trips_it_in_the_same_scan_and_its_return_changes_nothing():
    scan(
        INTERLOCK,
        table="""
        PERMIT  RESET | OK FIRST MISSING
        [1,1,1] 0     | 0  0     0
        [1,1,1] 1     | 1  0     0
        [1,0,1] 1     | 0  2     2
        [0,0,1] 1     | 0  2     1     # FIRST stays what tripped it
        [1,1,1] 1     | 0  2     0     # a RESET that is still held is no edge
        [1,1,1] 0     | 0  2     0
        [1,1,1] 1     | 1  0     0
    """,
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_permit_alone_trips_it(number):
    fallen = str([int(i != number) for i in (1, 2, 3)]).replace(" ", "")
    scan(
        INTERLOCK,
        table=f"""
        PERMIT   RESET | OK FIRST    MISSING
        [1,1,1]  0     | 0  0        0
        [1,1,1]  1     | 1  0        0
        {fallen} 0     | 0  {number} {number}
        [1,1,1]  0     | 0  {number} 0
    """,
    )


def test_several_permits_in_one_scan_name_the_lowest():
    scan(INTERLOCK, table="PERMIT RESET | OK FIRST\n [1,1,1] 0 | 0 0\n [1,1,1] 1 | 1 0\n [1,0,0] 0 | 0 2")


def test_a_reset_while_a_permit_is_missing_does_not_wait_for_it():
    scan(
        INTERLOCK,
        table="""
        PERMIT RESET | OK MISSING
        [1,0]  0     | 0  2
        [1,0]  1     | 0  2
        [1,1]  1     | 0  0
    """,
    )


def test_a_reset_button_stuck_from_the_start_never_arms_it():
    scan(INTERLOCK, table="x PERMIT RESET | OK\n 100 [1] 1 | 0\n 1 [1] 0 | 0\n 1 [1] 1 | 1")


def test_a_permit_that_is_missing_before_the_first_reset_tripped_nothing():
    scan(INTERLOCK, table="PERMIT RESET | OK FIRST MISSING\n [0,1] 0 | 0 0 1\n [1,1] 0 | 0 0 0")


def test_a_reset_that_turns_true_with_the_last_permit_arms_nothing():
    """Both show `initial: false` until their device answers; a button that is stuck would else start the plant."""
    scan(
        INTERLOCK,
        table="""
        PERMIT RESET | OK MISSING
        [0,1]  0     | 0  1
        [1,1]  1     | 0  0
        [1,1]  1     | 0  0
        [1,1]  0     | 0  0
        [1,1]  1     | 1  0
    """,
    )


def test_after_a_restart_it_is_not_armed_and_still_names_what_tripped_it():
    kept = {pin.name for pin in INTERLOCK.pins if pin.kind != INPUT and not pin.volatile}
    assert kept == {"FIRST"}
