"""PUSHBUTTON: a press is a rise after a release that was seen (ISO 13850: a reset is a deliberate act)."""

from __future__ import annotations

from blocks.control.pushbutton import PUSHBUTTON
from blocks.declare import INPUT
from tests.aids.scan_table import scan

QUICK = {"FILTER": "0s", "T_STUCK": "50ms"}


def test_a_press_is_one_scan_long_and_needs_a_release_before_the_next():
    scan(PUSHBUTTON, **QUICK, table="IN | PRESSED\n 0 | 0\n 1 | 1\n 1 | 0\n 1 | 0\n 0 | 0\n 1 | 1\n 0 | 0")


def test_a_button_that_is_down_at_the_start_is_no_press():
    scan(PUSHBUTTON, **QUICK, table="x IN | PRESSED\n 100 1 | 0\n 1 0 | 0\n 1 1 | 1")


def test_a_button_that_got_down_while_its_device_was_lost_is_no_press():
    """Before the device answers the tag shows its initial value, which is no release."""
    scan(
        PUSHBUTTON,
        **QUICK,
        table="""
        IN GOOD | PRESSED STUCK
        0  0    | 0       0
        1  1    | 0       0        # the first answer
        0  1    | 0       0
        0  0    | 0       0        # lost again
        0  0    | 0       0
        1  1    | 0       0
        0  1    | 0       0
        1  1    | 1       0
        1  0    | 0       0
    """,
    )


def test_press_and_release_must_last_for_the_filter():
    scan(
        PUSHBUTTON,
        FILTER="20ms",
        table="""
        x IN | PRESSED
        2 0  | 0
        9 1  | 0        # the release was too short to be believed
        3 0  | 0
        2 1  | 0
        1 0  | 0        # bounces
        2 1  | 0
        1 1  | 1
        2 1  | 0
        2 0  | 0        # bounces when it is let go, which is no second press
        9 1  | 0
    """,
    )


def test_a_button_that_stays_down_is_stuck_pressed_or_not():
    scan(PUSHBUTTON, **QUICK, table="x IN | STUCK\n 5 1 | 0\n 1 1 | 1\n 9 1 | 1\n 1 0 | 0\n 5 1 | 0\n 1 1 | 1")
    scan(PUSHBUTTON, **QUICK, table="x IN GOOD | STUCK\n 6 1 1 | 1\n 1 1 0 | 0\n 5 1 1 | 0\n 1 1 1 | 1")


def test_nothing_of_it_survives_a_restart():
    assert all(pin.volatile for pin in PUSHBUTTON.pins if pin.kind != INPUT)
