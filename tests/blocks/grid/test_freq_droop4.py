"""FREQ_DROOP4 against IEEE 1547-2018 and EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.freq_droop4 import FREQ_DROOP4
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, steps, their_run

NORTH_AMERICA = {"F0": 60.0, "P_RATED": 100.0}


def test_the_check_values_of_the_standards_law():
    """20 kW of a 100 kW battery: 59.5 Hz asks for 35.467 kW, 59.97 Hz lies inside the deadband (NUMBERS.md)."""
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        P_SET=20.0,
        OLRT=0.0,
        table="""
        F     | P        STATE
        60    | 20       0
        59.97 | 20       0
        59.5  | ~35.467  2
        60    | 20       0
        60.5  | ~4.533   1
        60.03 | 20       0
        55    | 100      2
        60    | 20       0
        66    | -100     1
    """,
    )


def test_each_side_has_its_deadband_and_its_slope():
    """Above: (50.3 - 50.1)/(50 * 0.04) * 100 kW = 10 kW. Below: (49.8 - 49.6)/(50 * 0.1) * 100 kW = 4 kW."""
    sides = {"DB_OF": "100mHz", "K_OF": 0.04, "DB_UF": "200mHz", "K_UF": 0.1}
    scan(
        FREQ_DROOP4,
        P_RATED=100.0,
        OLRT=0.0,
        **sides,
        table="""
        F    | P     STATE
        50.09 | 0        0
        50.3 | ~-10.000  1
        49.81 | 0        0
        49.6 | ~4.000    2
        44.8 | ~100.000  2    # f1 = f2 - F0 K_UF: all of it
        50   | 0         0
        52.1 | ~-100.000 1    # f4 = f3 + F0 K_OF
    """,
    )


def test_the_power_before_the_disturbance_is_frozen_until_it_is_over():
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        OLRT=0.0,
        table="""
        F     P_SET | P        P_PRE STATE
        60    10    | 10       10    0
        59.5  10    | ~25.467  10    2
        59.5  -50   | ~25.467  10    2
        59.7  -50   | ~18.800  10    2
        60    -50   | -50      -50   0
        59.5  -50   | ~-34.533 -50   2
    """,
    )


def test_the_limits_hold_inside_a_disturbance_and_outside():
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        P_MIN=-20.0,
        P_MAX=30.0,
        OLRT=0.0,
        table="F P_SET | P\n 60 50 | 30\n 59 0 | 30\n 60 0 | 0\n 61.5 0 | -20\n 60 -90 | -20",
    )


def test_a_broken_frequency_or_setpoint_is_shown_and_forgotten():
    scan(FREQ_DROOP4, **NORTH_AMERICA, table="F P_SET | P STATE\n 60 20 | 20 0\n nan 20 | nan 0\n 60 nan | nan 0\n 60 20 | 20 0")
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        OLRT=5.0,
        P_SET=20.0,
        table="x F | P STATE\n 500 59.5 | ~33.92 2\n 1 nan | nan 0\n 500 59.5 | ~33.92 2",
    )


def test_it_follows_opender_through_a_series_of_disturbances(deviation):
    """Their filter is trapezoidal: half a scan ahead, 3.8e-3 of a step; their time constant is OLRT/2.3: 0.4e-3 of a step.

    Plain steps only: from one side to the other, or back before P is settled, OpenDER counts from what P has just then.
    Together 0.21 kW of the greatest step, 50 kW, plus 0.1 kW: on the way back both jump to the setpoint when they are that close.
    """
    f = steps(
        (100, 60), (900, 59.5), (900, 60), (500, 61.2), (300, 60.2), (1200, 60), (600, 59.9), (900, 60), (200, 60.3), (1000, 60)
    )
    p_set = np.where(np.arange(len(f)) < 3000, 20.0, -35.0)
    settings = {"PF_OLRT": 3.0, "PF_DBOF": 0.05, "PF_DBUF": 0.03, "PF_KOF": 0.03, "PF_KUF": 0.045}
    series = [{"p_dem_kw": p, "v_pu": 1.0, "f": hz} for p, hz in zip(p_set, f, strict=True)]
    theirs = np.array([p for p, _, _ in their_run(battery(**settings), 0.01, series)])
    params = NORTH_AMERICA | {"OLRT": 3.0, "DB_OF": 0.05, "DB_UF": 0.03, "K_OF": 0.03, "K_UF": 0.045}
    ours = our_run(FREQ_DROOP4, params, 0.01, {"F": f, "P_SET": p_set}, "P")
    assert np.max(theirs) > 30.0
    assert np.min(theirs) < -35.0
    deviation("FREQ_DROOP4", "opender 2.2", "P over a series of frequency steps", np.max(np.abs(ours - theirs)), 0.31, "kW of 100")


@pytest.mark.parametrize("pin", ["P_MIN", "P_MAX", "P_RATED", "F0", "K_OF", "K_UF", "DB_OF", "DB_UF"])
@pytest.mark.parametrize("f", [60.0, 59.5, 60.5])
def test_a_broken_setting_is_shown_and_opens_nothing(pin, f):
    scan(FREQ_DROOP4, **(NORTH_AMERICA | {pin: float("nan")}), P_SET=1e5, F=f, table="x | P STATE\n 1 | nan 0\n 9 | nan 0")


def test_limits_may_be_infinite():
    scan(FREQ_DROOP4, **NORTH_AMERICA, P_MIN=float("-inf"), P_MAX=float("inf"), table="F P_SET | P\n 60 1e5 | 100\n 60 -1e5 | -100")


def test_a_frequency_that_no_grid_has_is_no_reason_to_discharge():
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        OLRT=0.0,
        table="F | P STATE\n 60 | 0 0\n 0 | nan 0\n 47.9 | nan 0\n 72.1 | nan 0\n 48.1 | 100 2",
    )


def test_short_visits_to_the_deadband_do_not_make_the_power_climb():
    """OpenDER counts anew from what P has after each visit: 35, 51, 66 ... kW."""
    visits = "\n".join("1 60 | - 20\n 2000 59.5 | ~35.47 20" for _ in range(6))
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        P_SET=20.0,
        OLRT=5.0,
        table=f"x F | P P_PRE\n 1 60 | 20 20\n 4000 59.5 | ~35.467 20\n {visits}",
    )


def test_a_change_of_sides_counts_from_the_same_power():
    """(60.5 - 60.036)/(60 * 0.05) * 100 kW = 15.467 kW below 20 kW."""
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        P_SET=20.0,
        table="x F | P P_PRE STATE\n 1 60 | 20 20 0\n 4000 59.5 | ~35.467 20 2\n 4000 60.5 | ~4.533 20 1",
    )


def test_switched_off_it_follows_the_setpoint_at_once_whatever_the_frequency():
    scan(
        FREQ_DROOP4,
        **NORTH_AMERICA,
        OLRT=5.0,
        table="""
        x    F    P_SET EN | P       STATE
        1    60   20    1  | 20      0
        4000 59.5 0     1  | ~35.467 2
        1    59.5 0     0  | 0       0
        1    nan  -150  0  | -100    0
        1    59.5 0     0  | 0       0
        4000 59.5 0     1  | ~15.467 2
    """,
    )
