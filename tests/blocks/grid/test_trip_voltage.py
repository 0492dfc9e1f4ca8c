"""TRIP_VOLTAGE against IEEE 1547-2018, category III, and EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.trip_voltage import TRIP_VOLTAGE
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, steps, their_run


@pytest.mark.parametrize(
    ("volts", "before", "cause"),
    [(125, 15, 2), (115, 1299, 1), (85, 2099, 4), (45, 199, 5)],
    ids=["OV2 0.16 s", "OV1 13 s", "UV1 21 s", "UV2 2 s"],
)
def test_each_stage_trips_in_the_scan_that_fills_its_time(volts, before, cause):
    """The times of NUMBERS.md in scans of 10 ms: one less does nothing, and the next trips."""
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        table=f"""
        x        V       | TRIP PICKUP CAUSE
        1        [100]   | 0 0 0
        {before} [{volts}] | 0 1 0
        1        [{volts}] | 1 1 {cause}
        1        [100]   | 0 0 {cause}
    """,
    )


def test_a_voltage_on_the_threshold_does_not_count():
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        UNDER=(0.5, 0.25, 0.0),
        OVER=(1.5, 2.0, 9.0),
        dt="1h",
        length=1,
        table="V | PICKUP\n [50] | 0\n [150] | 0",
    )


def test_a_recovery_of_one_scan_starts_the_time_anew():
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        table="x V | TRIP\n 199 [45] | 0\n 1 [100] | 0\n 199 [45] | 0\n 1 [45] | 1",
    )


def test_the_worst_voltage_counts_on_each_side():
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        table="V | LOWEST HIGHEST PICKUP\n [99,101,100] | 0.99 1.01 0\n [99,115,100] | 0.99 1.15 1\n [80,101,100] | 0.8 1.01 1",
    )


def test_a_third_stage_acts_where_it_is_set():
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        OVER=(1.1, 1.2, 1.3),
        OVER_TIME=("13s", "160ms", "20ms"),
        length=1,
        table="x V | TRIP CAUSE\n 1 [140] | 0 0\n 1 [140] | 1 3",
    )


def test_a_dead_measurement_is_no_voltage_and_an_infinite_one_too_much():
    scan(TRIP_VOLTAGE, V_NOM=100.0, table="x V | TRIP CAUSE\n 199 [100,nan] | 0 0\n 1 [100,nan] | 1 5\n 1 [100,100] | 0 5")
    scan(TRIP_VOLTAGE, V_NOM=100.0, table="x V | TRIP CAUSE\n 15 [100,inf] | 0 0\n 1 [100,inf] | 1 2\n 1 [100,100] | 0 2")


def test_times_are_true_times():
    scan(TRIP_VOLTAGE, V_NOM=100.0, table="dt V | TRIP\n 1s [45] | 0\n 999ms [45] | 0\n 1ms [45] | 1")


@pytest.mark.parametrize("level", [1.25, 1.15, 0.8, 0.4, 0.6])
def test_it_trips_in_the_same_scan_as_opender(level, deviation):
    """Both count the first scan; OpenDER adds its steps as floats, which may cost it one scan of 10 ms."""
    v = steps((10, 1.0), (2200, level))
    series = [{"p_dem_kw": 10.0, "v_pu": x, "f": 60.0} for x in v]
    theirs = [status == "Trip" for _, _, status in their_run(battery(), 0.01, series)]
    ours = our_run(TRIP_VOLTAGE, {"V_NOM": 1.0}, 0.01, {"V": v[:, None]}, "TRIP", length=1)
    late = abs(int(np.argmax(ours)) - int(np.argmax(theirs)))
    assert np.any(ours)
    assert np.any(theirs)
    deviation("TRIP_VOLTAGE", "opender 2.2", f"scan of the trip at {level} pu", late, 1, "scans of 10 ms")


def test_a_lost_sample_does_not_start_a_running_stage_anew():
    """1.3 of nominal for 0.16 s with a NaN at 0.1 s; and a NaN alone starts no over-voltage stage."""
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        table="x V | TRIP CAUSE\n 10 [130] | 0 0\n 1 [nan] | 0 0\n 4 [130] | 0 0\n 1 [130] | 1 2\n 1 [100] | 0 2",
    )
    scan(TRIP_VOLTAGE, V_NOM=100.0, table="x V | TRIP CAUSE\n 100 [nan] | 0 0\n 1 [100] | 0 0\n 15 [130] | 0 0\n 1 [130] | 1 2")


def test_a_broken_threshold_does_not_disable_its_stage():
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        length=1,
        OVER=(1.1, float("nan"), 9.0),
        table="x V | TRIP CAUSE\n 15 [100] | 0 0\n 1 [100] | 1 2",
    )
    scan(
        TRIP_VOLTAGE,
        V_NOM=100.0,
        length=1,
        UNDER=(0.88, float("nan"), 0.0),
        table="x V | TRIP CAUSE\n 199 [100] | 0 0\n 1 [100] | 1 5",
    )


def test_a_broken_nominal_voltage_is_no_voltage():
    scan(
        TRIP_VOLTAGE,
        V=(100.0,),
        table="x V_NOM | TRIP CAUSE\n 1 100 | 0 0\n 199 nan | 0 0\n 1 nan | 1 5\n 1 100 | 0 5\n 200 inf | 1 5",
    )
