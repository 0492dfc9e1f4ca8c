"""PRECHARGE: foxBMS's numbers (NUMBERS.md): dV < 1 V and I < 50 mA within 2 s, 3 tries, then locked for 10 s."""

from __future__ import annotations

import pytest

from blocks.charge.precharge import PHASES, PRECHARGE
from tests.aids.scan_table import Twin, scan

IDLE, RUNNING, PAUSED, READY, LOCKED, OPENED = range(6)
MS = 1_000_000
CALM = {"V_BATT": 800.0, "I": 0.0}


@pytest.mark.parametrize(
    ("v_bus", "current", "done"),
    [(799.01, 0.049, 1), (800.99, -0.049, 1), (799.0, 0.0, 0), (801.0, 0.0, 0), (800.0, 0.05, 0), (800.0, -0.05, 0), (0.0, 0.0, 0)],
)
def test_it_is_done_when_the_voltages_match_and_the_current_has_died(v_bus, current, done):
    scan(PRECHARGE, V_BATT=800.0, V_BUS=v_bus, I=current, table=f"EN | RELAY DONE\n 1 | 1 0\n 1 | 1 {done}")


@pytest.mark.parametrize("pin", ["V_BATT", "V_BUS", "I", "DV_MAX", "I_MAX"])
def test_what_nobody_knows_never_matches(pin):
    good = {"V_BATT": 800.0, "V_BUS": 800.0, "I": 0.0, "DV_MAX": 1.0, "I_MAX": 0.05}
    rest = {name: value for name, value in good.items() if name != pin}
    scan(PRECHARGE, **rest, EN=True, table=f"{pin} | RELAY DONE\n nan | 1 0\n nan | 1 0\n {good[pin]} | 1 1\n nan | 0 0")


def test_a_match_at_exactly_2_s_counts_and_10_ms_later_does_not():
    scan(
        PRECHARGE,
        **CALM,
        EN=True,
        table=f"""
        x   V_BUS | RELAY PHASE     ET
        1   0     | 1     {RUNNING} 0ms
        199 0     | 1     {RUNNING} 1990ms
        1   800   | 1     {READY}   2s
    """,
    )
    scan(
        PRECHARGE,
        **CALM,
        EN=True,
        table=f"""
        x   V_BUS | RELAY PHASE     ET
        1   0     | 1     {RUNNING} 0ms
        199 0     | 1     {RUNNING} 1990ms
        1   0     | 0     {PAUSED}  2s
        1   800   | 0     {PAUSED}  2s
    """,
    )


def test_three_tries_then_locked_for_10_s_exactly_in_scans():
    scan(
        PRECHARGE,
        **CALM,
        V_BUS=0.0,
        dt="100ms",
        table=f"""
        x  EN | RELAY PHASE     TRY
        1  1  | 1     {RUNNING} 1
        19 1  | 1     {RUNNING} 1
        1  1  | 0     {PAUSED}  1     # 2 s
        9  1  | 0     {PAUSED}  1
        1  1  | 1     {RUNNING} 2     # 1 s later
        20 1  | 0     {PAUSED}  2
        10 1  | 1     {RUNNING} 3
        20 1  | 0     {LOCKED}  3
        50 1  | 0     {LOCKED}  3
        1  0  | 0     {LOCKED}  3     # taking EN away does not unlock
        1  1  | 0     {LOCKED}  3
        46 0  | 0     {LOCKED}  3
        1  0  | 0     {LOCKED}  3     # 9.9 s
        1  0  | 0     {IDLE}    0     # 10 s
        1  1  | 1     {RUNNING} 1
    """,
    )
    assert PHASES[LOCKED] == "locked"


def test_after_the_lock_it_needs_a_new_command():
    scan(
        PRECHARGE,
        **CALM,
        V_BUS=0.0,
        TRIES=1,
        dt="1s",
        table=f"""
        x  EN | RELAY PHASE     LOCKED
        3  1  | 0     {LOCKED}  1
        60 1  | 0     {LOCKED}  1
        1  0  | 0     {IDLE}    0
        1  1  | 1     {RUNNING} 0
    """,
    )


def test_toggling_the_command_does_not_heat_the_resistor():
    """Each EN that closes the relay counts as a try, also where it is taken away at once."""
    twin = Twin(PRECHARGE)
    for name, value in {"V_BATT": 800.0, "V_BUS": 0.0, "I": 1.0}.items():
        twin.set(name, value)
    closed = 0
    for i in range(900):  # 9 s, EN toggles each scan
        twin.set("EN", i % 2 == 0)
        twin.scan(10 * MS)
        closed += int(twin.get("RELAY"))
    assert closed == 3
    assert twin.get("LOCKED")


def test_tries_are_forgotten_after_the_lock_time_without_one():
    scan(
        PRECHARGE, **CALM, V_BUS=0.0, dt="1s", table="x EN | TRY RELAY\n 1 1 | 1 1\n 1 0 | 1 0\n 1 1 | 2 1\n 10 0 | 2 0\n 1 0 | 0 0"
    )


def test_the_relay_opens_once_the_main_contactor_is_closed_and_rest_forgets_the_tries():
    scan(
        PRECHARGE,
        **CALM,
        dt="1s",
        table=f"""
        x EN V_BUS MAIN | RELAY DONE PHASE     TRY
        1 1  0     0    | 1     0    {RUNNING} 1
        1 1  0     0    | 1     0    {RUNNING} 1
        1 1  0     0    | 0     0    {PAUSED}  1
        1 1  0     0    | 1     0    {RUNNING} 2
        1 1  800   0    | 1     1    {READY}   2
        1 1  800   1    | 0     1    {READY}   2
        9 1  700   1    | 0     1    {READY}   2     # closed: the bus may move now
        1 1  700   1    | 0     1    {READY}   0     # 10 s of rest
    """,
    )


def test_a_match_that_is_lost_before_the_main_contactor_closes_is_a_failed_try():
    table = f"V_BUS | RELAY DONE PHASE\n 0 | 1 0 {RUNNING}\n 800 | 1 1 {READY}\n 800 | 1 1 {READY}\n 790 | 0 0 {PAUSED}"
    scan(PRECHARGE, **CALM, EN=True, table=table)


def test_a_main_contactor_that_opens_needs_a_new_command():
    scan(
        PRECHARGE,
        **CALM,
        V_BUS=800.0,
        MAIN_DELAY="10ms",
        table=f"""
        EN MAIN | RELAY DONE PHASE
        1  0    | 1     0    {RUNNING}
        1  0    | 1     1    {READY}
        1  1    | 0     1    {READY}
        1  0    | 0     1    {READY}
        1  0    | 0     0    {OPENED}
        1  1    | 0     0    {OPENED}    # a feedback that chatters does not help
        0  0    | 0     0    {IDLE}
        1  0    | 1     0    {RUNNING}
    """,
    )


def test_a_start_with_the_main_contactor_closed_needs_no_precharge():
    scan(PRECHARGE, **CALM, V_BUS=800.0, EN=True, table=f"MAIN | RELAY DONE PHASE\n 1 | 0 1 {READY}\n 1 | 0 1 {READY}")


def test_closings_that_succeed_again_and_again_do_not_heat_the_resistor():
    """Each takes 1.9 s with the full current: after three the resistor rests for 10 s, as after three that failed."""
    twin = Twin(PRECHARGE)
    for name, value in {"V_BATT": 800.0, "I": 0.0}.items():
        twin.set(name, value)
    closed = scans = 0
    for _ in range(20):
        for count, given in ((190, (1, 0, 0)), (2, (1, 800, 0)), (2, (1, 800, 1)), (2, (0, 800, 0))):
            for _ in range(count):
                for name, value in zip(("EN", "V_BUS", "MAIN"), given, strict=True):
                    twin.set(name, value)
                twin.scan(10 * MS)
                closed += int(twin.get("RELAY"))
                scans += 1
    assert closed <= 0.4 * scans  # 3 times 1.9 s in each 15.7 s


@pytest.mark.parametrize(("volts", "done"), [(0.0, 0), (49.9, 0), (50.0, 1)])
def test_two_voltages_near_0_do_not_match(volts, done):
    scan(PRECHARGE, V_BATT=volts, V_BUS=volts, I=0.0, EN=True, table=f"x | DONE\n 1 | 0\n 1 | {done}")


def test_a_feedback_of_the_main_contactor_that_is_lost_for_less_than_the_delay_ends_nothing():
    scan(
        PRECHARGE,
        **CALM,
        V_BUS=800.0,
        EN=True,
        table=f"""
        x  MAIN | DONE PHASE
        2  0    | 1    {READY}
        1  1    | 1    {READY}
        10 0    | 1    {READY}     # 90 ms
        1  1    | 1    {READY}
        10 0    | 1    {READY}
        1  0    | 0    {OPENED}    # 100 ms
    """,
    )


def test_a_restart_begins_anew_but_remembers_that_it_was_locked():
    volatile = {pin.name for pin in PRECHARGE.pins if pin.volatile}
    assert {"RELAY", "DONE", "PHASE"} <= volatile
    twin = Twin(PRECHARGE)
    for name, value in {"V_BATT": 800.0, "V_BUS": 0.0, "I": 0.0, "EN": True, "TRY": 3}.items():
        twin.set(name, value)
    twin.scan(10 * MS)
    assert (twin.get("PHASE"), twin.get("RELAY")) == (LOCKED, 0)
