"""COULOMB_COUNTER: ampere-hours by hand, the doubt in proportion to time, and corrections as Kalman's scalar filter makes them."""

from __future__ import annotations

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from blocks.cells.coulomb_counter import COULOMB_COUNTER
from tests.aids.scan_table import Twin, scan
from tests.blocks.cells.true_cells import estimates, nmc, profile, thevenin

SECOND = 1_000_000_000
EXACT = {"OFFSET_ERROR": 0.0, "GAIN_ERROR": 0.0, "SIGMA0": 0.0}


def test_discharging_lowers_and_charging_raises_with_the_true_time():
    """280 A are 1 % of 280 Ah in 36 s."""
    scan(
        COULOMB_COUNTER,
        CAPACITY=280.0,
        SOC0=50.0,
        table="""
        dt    x  I    | SOC
        1s    36 280  | 49
        36s   1  -280 | 50
        100ms 360 -140 | 50.5
        1ms   1  0    | 50.5
    """,
    )


def test_only_what_is_charged_is_subject_to_the_efficiency():
    scan(COULOMB_COUNTER, CAPACITY=100.0, ETA=90.0, dt="36s", table="I | SOC\n 100 | 49\n -100 | 49.9\n -100 | 50.8")


def test_the_offset_of_the_sensor_is_taken_off():
    scan(COULOMB_COUNTER, CAPACITY=100.0, OFFSET=2.0, dt="36s", table="I | SOC\n 2 | 50\n 102 | 49\n -98 | 50")


def test_the_doubt_grows_in_proportion_to_time():
    """1 A of 100 Ah is 1 % an hour, and 3 % at the start: the root of 9 + t^2."""
    scan(
        COULOMB_COUNTER,
        CAPACITY=100.0,
        I=0.0,
        SIGMA0=3.0,
        OFFSET_ERROR=1.0,
        GAIN_ERROR=0.0,
        dt="1h",
        table="x | SIGMA\n 1 | ~3.162278\n 3 | 5\n 196 | 100",
    )


def test_the_doubt_of_gain_and_capacity_grows_with_what_flows_in_either_direction():
    scan(
        COULOMB_COUNTER,
        CAPACITY=100.0,
        SIGMA0=0.0,
        OFFSET_ERROR=0.0,
        GAIN_ERROR=2.0,
        dt="36s",
        table="I | SOC SIGMA\n 100 | 49 0.02\n -100 | 50 0.04",
    )


def test_full_and_empty_set_it_once_each():
    scan(
        COULOMB_COUNTER,
        CAPACITY=100.0,
        dt="36s",
        SIGMA_END=0.5,
        table="""
        I   FULL EMPTY | SOC CORRECTION SIGMA
        100 0    0     | 49  0          -
        0   1    0     | 100 51         0.5
        100 1    0     | 99  51         -
        0   0    1     | 0   -99        0.5
        -100 0   1     | 1   -99        -
        0   1    1     | 1   -99        -      # a contradiction: neither
        0   0    0     | 1   -99        -
        0   1    1     | 1   -99        -
    """,
    )


def test_a_cell_that_is_full_at_the_start_is_full():
    scan(COULOMB_COUNTER, CAPACITY=100.0, I=0.0, FULL=1, table="SOC0 | SOC HELD\n 50 | 100 0")


def test_a_reading_at_rest_counts_once_and_as_much_as_it_is_worth():
    """3 % against 4 %: gain 9/25, 3.6 of 10 %; what is left is 3 sqrt(16/25) = 2.4 %."""
    scan(
        COULOMB_COUNTER,
        CAPACITY=100.0,
        I=0.0,
        **(EXACT | {"SIGMA0": 3.0}),
        table="""
        CORRECT SOC_REST SIGMA_REST | SOC  SIGMA CORRECTION SINCE
        0       60       4          | 50   3     0          10ms
        1       60       4          | 53.6 2.4   3.6        0ms
        1       60       4          | 53.6 2.4   3.6        10ms
        0       60       4          | 53.6 2.4   3.6        20ms
        1       nan      4          | 53.6 2.4   3.6        30ms
        0       60       4          | 53.6 2.4   3.6        40ms
        1       60       0          | 60   0     6.4        0ms
        0       60       0          | 60   0     6.4        10ms
        1       70       0          | 60   0     0          0ms     # two that are both certain: the older stays
    """,
    )


def test_corrections_are_those_of_a_scalar_kalman_filter(deviation):
    """filterpy does the same arithmetic in another order: rounding of 1e-13 % over 50 readings."""
    chance = np.random.default_rng(3)
    reference = KalmanFilter(dim_x=1, dim_z=1)
    reference.x, reference.P, reference.F, reference.H = np.array([[50.0]]), np.array([[400.0]]), np.eye(1), np.eye(1)
    reference.Q = np.zeros((1, 1))
    twin, worst = Twin(COULOMB_COUNTER), 0.0
    for name, value in {**EXACT, "SIGMA0": 20.0, "CAPACITY": 100.0, "I": 0.0}.items():
        twin.set(name, value)
    for _ in range(50):
        reading, sigma = float(chance.uniform(40, 60)), float(chance.uniform(1, 10))
        for correct in (False, True):
            for name, value in {"CORRECT": correct, "SOC_REST": reading, "SIGMA_REST": sigma}.items():
                twin.set(name, value)
            twin.scan(SECOND)
        reference.update(np.array([[reading]]), R=np.array([[sigma**2]]))
        error = max(abs(twin.get("SOC") - reference.x[0, 0]), abs(twin.get("SIGMA") - np.sqrt(reference.P[0, 0])))
        worst = max(worst, error)
    deviation("COULOMB_COUNTER", "filterpy 2.0 KalmanFilter", "SOC and SIGMA after 50 readings", worst, 1e-10, "%")


def test_on_pybamms_circuit_it_counts_what_flows(deviation):
    """Ten hours sampled each second, where the true current ramps within a second at each change: 0.01 % is 600 of these at C/4."""
    truth = thevenin(nmc, profile(280.0, 10.0, 0.5), 280.0, 3e-4, [(3e-4, 30.0)])
    case = {**EXACT, "CAPACITY": 280.0, "SOC0": 60.0}
    twin_i = np.concatenate([[0.0], 0.5 * (truth.i[1:] + truth.i[:-1])])
    counted = estimates(COULOMB_COUNTER, [case], None, twin_i, ["SOC"])["SOC"][:, 0]
    deviation("COULOMB_COUNTER", "pybamm 26.10 Thevenin", "SoC over 10 h", np.max(np.abs(counted - 100.0 * truth.z)), 0.01, "%")


def test_the_sensors_offset_is_found_at_the_next_full_charge():
    """The sensor shows 1 A where none flows, for two hours: the correction of 2 Ah says so; put 1 A into OFFSET."""
    scan(
        COULOMB_COUNTER,
        CAPACITY=280.0,
        SOC0=100.0,
        I=1.0,
        dt="30min",
        table="""
        x FULL | SOC        DRIFT
        3 0    | -          0
        1 1    | 100        1
        1 0    | -          1
        1 1    | 100        1      # within an hour: too soon to say
    """,
    )


@pytest.mark.parametrize("capacity", ["0", "-5", "nan"])
def test_without_a_capacity_nothing_is_counted(capacity):
    scan(COULOMB_COUNTER, I=50.0, dt="36s", table=f"CAPACITY | SOC HELD\n 100 | 49.5 0\n {capacity} | 49.5 1\n 100 | 49 0")


def test_a_dead_current_holds_the_charge_while_the_doubt_goes_on():
    scan(
        COULOMB_COUNTER,
        CAPACITY=100.0,
        SIGMA0=0.0,
        OFFSET_ERROR=0.0,
        GAIN_ERROR=1.0,
        dt="36s",
        table="""
        x   I   | SOC SIGMA HELD
        1   100 | 49  0.01  0
        100 nan | 49  1.01  1
        1   100 | 48  1.02  0
    """,
    )


def test_it_leaves_the_ends_at_once():
    scan(COULOMB_COUNTER, CAPACITY=100.0, SOC0=99.5, dt="36s", table="I | SOC\n -100 | 100\n -100 | 100\n 100 | 99")


def test_a_start_value_that_is_no_number_is_not_believed():
    scan(COULOMB_COUNTER, CAPACITY=100.0, I=0.0, table="SOC0 | SOC SIGMA HELD\n nan | 0 100 1\n 40 | 40 ~20 0\n 70 | 40 ~20 0")


def test_an_error_that_nobody_knows_makes_the_doubt_complete_while_it_counts_on():
    scan(
        COULOMB_COUNTER,
        CAPACITY=100.0,
        I=100.0,
        dt="36s",
        table="OFFSET_ERROR | SOC SIGMA HELD\n 0.1 | 49 ~20 0\n nan | 48 100 0\n 0.1 | 47 100 0",
    )
    scan(COULOMB_COUNTER, CAPACITY=100.0, I=0.0, table="FULL SIGMA_END | SOC SIGMA\n 0 1 | 50 ~20\n 1 nan | 100 100")


def test_what_stays_true_acts_when_the_contradiction_has_gone():
    """Empty comes while full still stands: it counts as soon as full falls, and once."""
    scan(
        COULOMB_COUNTER,
        CAPACITY=100.0,
        SOC0=50.0,
        dt="36s",
        table="""
        I    FULL EMPTY | SOC
        0    1    0     | 100
        100  1    1     | 99
        100  1    1     | 98
        100  0    1     | 0
        -100 0    1     | 1
        -100 1    1     | 2
        -100 1    0     | 100     # and the other way round
        100  1    1     | 99
        100  1    0     | 98      # full has acted already
    """,
    )
