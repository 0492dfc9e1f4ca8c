"""FULL_EMPTY: the end of CC/CV charging at 0.05C, the end of a discharge, and how long ago they were."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from blocks.cells.coulomb_counter import COULOMB_COUNTER
from blocks.cells.full_empty import FULL_EMPTY
from blocks.charge.charge_limiter import CHARGE_LIMITER
from blocks.charge.discharge_limiter import DISCHARGE_LIMITER
from blocks.plain import Instance
from tests.aids.scan_table import scan
from tests.blocks.cells.true_cells import lfp


def test_full_is_a_high_voltage_with_a_small_charging_current():
    scan(
        FULL_EMPTY,
        V_MIN=3.3,
        HOLD=0,
        table="""
        V_MAX I   | FULL
        3.65  -15 | 0       # 0.05C of 280 Ah are 14 A
        3.44  -10 | 0
        3.65  5   | 0       # discharging
        3.65  -14 | 1
    """,
    )


def test_full_lasts_until_enough_was_taken_however_slowly():
    """2 Ah: 12 A for ten minutes. What comes back in between counts back, but there is no more than full."""
    scan(
        FULL_EMPTY,
        V_MIN=3.3,
        HOLD=0,
        BACK=2.0,
        dt="5min",
        table="""
        V_MAX I   | FULL SINCE_FULL
        3.65  -10 | 1    0s
        3.35  -10 | 1    0s      # float charge
        3.35  12  | 1    0s      # 1 Ah
        3.35  -6  | 1    0s      # 0.5
        3.35  12  | 1    0s      # 1.5
        3.35  0   | 1    0s
        3.35  6   | 0    5min    # 2.0
        3.35  0   | 0    10min
        3.65  0   | 1    0s
        3.35  12  | 1    0s
    """,
    )


def test_empty_is_a_low_voltage_and_falls_when_something_was_charged():
    """50 A for 144 s are 2 Ah."""
    scan(
        FULL_EMPTY,
        V_MAX=3.0,
        HOLD="72s",
        I_EMPTY=100.0,
        BACK=2.0,
        dt="72s",
        table="""
        V_MIN I   | EMPTY SINCE_EMPTY HAD_EMPTY
        2.7   -5  | 0     72s         0      # charging: on its way up
        2.7   100 | 0     144s        0
        2.7   100 | 1     0s          1
        2.9   0   | 1     0s          1      # relaxes
        3.0   -50 | 1     0s          1
        3.0   nan | 1     0s          1
        3.0   -50 | 0     72s         1
    """,
    )


def test_a_voltage_that_sags_under_a_heavy_load_is_not_empty():
    """0.05C of 280 Ah, as at the other end; where more is meant, I_EMPTY says so."""
    scan(FULL_EMPTY, V_MAX=3.2, V_MIN=2.7, HOLD=0, table="I | EMPTY\n 280 | 0\n 15 | 0\n 14 | 1")
    scan(FULL_EMPTY, V_MAX=3.2, V_MIN=2.7, HOLD=0, I_EMPTY=20.0, table="I | EMPTY\n 200 | 0\n 21 | 0\n 20 | 1")


def test_an_interruption_starts_the_waiting_anew_and_a_nan_changes_nothing():
    scan(
        FULL_EMPTY,
        V_MIN=3.3,
        HOLD="20s",
        dt="10s",
        table="""
        V_MAX I   | FULL
        3.65  -10 | 0
        3.65  -10 | 0
        nan   -10 | 0
        3.65  -10 | 0
        3.65  -10 | 0
        3.65  nan | 0
        3.65  -10 | 0
        3.65  -10 | 0
        3.65  -10 | 1
        nan   nan | 1
    """,
    )


def test_both_at_once_are_possible_in_a_pack_out_of_balance():
    scan(FULL_EMPTY, V_MAX=3.65, V_MIN=2.5, I=0.0, table="HOLD | FULL EMPTY\n 0ms | 1 1\n 0ms | 1 1")


def test_a_voltage_that_no_full_cell_shows_ends_full_though_nobody_measured_what_was_taken():
    scan(FULL_EMPTY, V_MIN=3.3, HOLD=0, dt="1h", table="V_MAX I | FULL\n 3.65 -10 | 1\n 3.2 nan | 1\n nan nan | 1\n 2.99 nan | 0")
    scan(FULL_EMPTY, V_MAX=3.3, HOLD=0, dt="1h", table="V_MIN I | EMPTY\n 2.7 10 | 1\n 3.3 nan | 1\n nan nan | 1\n 3.41 nan | 0")


def test_after_an_unseen_discharge_empty_sets_the_counter():
    """Full, then the current sensor is dead for an hour, then empty: the counter must not stay at 100 %."""
    ends, counter = Instance(FULL_EMPTY), Instance(COULOMB_COUNTER)
    ends.HOLD, counter.CAPACITY, counter.SOC0 = 0, 280.0, 90.0
    for scans, v, i in ((3, 3.65, -5.0), (60, 3.3, float("nan")), (3, 2.7, 10.0)):
        for _ in range(scans):
            ends.V_MAX, ends.V_MIN, ends.I = v, v, i
            ends.scan(60_000_000_000)
            counter.I, counter.FULL, counter.EMPTY = i, ends.FULL, ends.EMPTY
            counter.scan(60_000_000_000)
    assert ends.EMPTY and not ends.FULL
    assert counter.SOC == pytest.approx(0.0, abs=0.2)


@pytest.mark.parametrize(
    ("limiter", "power", "start", "reached"), [(CHARGE_LIMITER, "P_MIN", 0.97, "FULL"), (DISCHARGE_LIMITER, "P_MAX", 0.12, "EMPTY")]
)
def test_with_the_limiters_and_all_defaults_full_and_empty_are_reached(limiter, power: str, start: float, reached: str):
    """A cell of 280 Ah with 0.6 mOhm, driven at what the limiter leaves of C/2 until it is 0: within a day."""
    curve: Callable = lfp
    limit, ends = Instance(limiter), Instance(FULL_EMPTY)
    z, u, amps, hold = start, 0.0, 0.0, 10.0
    for _ in range(8640):
        v = float(curve(z)) - u - 3e-4 * amps
        limit.V_CELL, limit.SOC, limit.P_RATED = v, min(100.0 * z, 100.0), 0.5 * 3.3 * 280.0 / 1000.0
        limit.scan(10_000_000_000)
        ends.V_MAX, ends.V_MIN, ends.I = v, v, amps
        ends.scan(10_000_000_000)
        if getattr(ends, reached):
            break
        amps = 1000.0 * float(getattr(limit, power)) / v
        z -= amps * hold / 3600.0 / 280.0
        u += hold / (30.0 + hold) * (3e-4 * amps - u)
    assert getattr(ends, reached), f"{reached} was not reached: {v:.4f} V, {amps:.2f} A"
