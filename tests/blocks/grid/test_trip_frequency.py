"""TRIP_FREQUENCY against IEEE 1547-2018 and EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.trip_frequency import TRIP_FREQUENCY
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, steps, their_run


@pytest.mark.parametrize(
    ("hertz", "dt", "before", "cause"),
    [(62.5, "10ms", 15, 2), (61.5, "1s", 299, 1), (58.0, "1s", 299, 4), (56.0, "10ms", 15, 5)],
    ids=["OF2 0.16 s", "OF1 300 s", "UF1 300 s", "UF2 0.16 s"],
)
def test_each_stage_trips_in_the_scan_that_fills_its_time(hertz, dt, before, cause):
    scan(
        TRIP_FREQUENCY,
        dt=dt,
        table=f"x F | TRIP PICKUP CAUSE\n 1 60 | 0 0 0\n {before} {hertz} | 0 1 0\n 1 {hertz} | 1 1 {cause}\n 1 60 | 0 0 {cause}",
    )


def test_a_recovery_of_one_scan_starts_the_time_anew():
    scan(TRIP_FREQUENCY, table="x F | TRIP\n 15 63 | 0\n 1 60 | 0\n 15 63 | 0\n 1 63 | 1")


def test_thresholds_of_a_50_hertz_grid():
    """EN 50549-1 leaves the settings open; 51.5 and 47.5 Hz at once are what operators ask for."""
    scan(
        TRIP_FREQUENCY,
        OVER=(51.5, 52.0, 99.0),
        OVER_TIME=("100ms", "100ms", "0s"),
        UNDER=(47.5, 47.0, 0.0),
        UNDER_TIME=("100ms", "100ms", "0s"),
        table="x F | TRIP CAUSE\n 1 50 | 0 0\n 9 51.6 | 0 0\n 1 51.6 | 1 1\n 9 47.4 | 0 1\n 1 47.4 | 1 4",
    )


def test_a_dead_frequency_trips_unless_the_voltage_is_too_low_to_measure_it():
    scan(
        TRIP_FREQUENCY,
        table="x F BLOCK | TRIP\n 15 nan 0 | 0\n 1 nan 0 | 1\n 1 nan 1 | 0\n 100 nan 1 | 0\n 15 nan 0 | 0\n 1 60 0 | 0",
    )


@pytest.mark.parametrize(("level", "dt", "scans"), [(62.5, 0.01, 40), (61.5, 1.0, 330), (58.2, 1.0, 330), (56.2, 0.01, 40)])
def test_it_trips_in_the_same_scan_as_opender(level, dt, scans, deviation):
    """Both count the first scan; OpenDER adds its steps as floats, which may cost it one scan."""
    f = steps((10, 60.0), (scans, level))
    series = [{"p_dem_kw": 10.0, "v_pu": 1.0, "f": x} for x in f]
    theirs = [status == "Trip" for _, _, status in their_run(battery(), dt, series)]
    ours = our_run(TRIP_FREQUENCY, {}, dt, {"F": f}, "TRIP")
    assert np.any(ours)
    assert np.any(theirs)
    late = abs(int(np.argmax(ours)) - int(np.argmax(theirs)))
    deviation("TRIP_FREQUENCY", "opender 2.2", f"scan of the trip at {level} Hz", late, 1, "scans")


def test_a_lost_sample_does_not_start_a_running_stage_anew():
    scan(TRIP_FREQUENCY, table="x F | TRIP CAUSE\n 10 63 | 0 0\n 1 nan | 0 0\n 4 63 | 0 0\n 1 63 | 1 2\n 1 60 | 0 2")
    scan(TRIP_FREQUENCY, table="x F | TRIP CAUSE\n 15 nan | 0 0\n 1 60 | 0 0\n 15 63 | 0 0\n 1 63 | 1 2")


def test_a_broken_threshold_does_not_disable_its_stage():
    scan(TRIP_FREQUENCY, OVER=(61.2, float("nan"), 99.0), table="x F | TRIP CAUSE\n 15 60 | 0 0\n 1 60 | 1 2")
    scan(TRIP_FREQUENCY, UNDER=(58.5, float("nan"), 0.0), table="x F | TRIP CAUSE\n 15 60 | 0 0\n 1 60 | 1 5")
