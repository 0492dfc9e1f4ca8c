"""ENTER_SERVICE against IEEE 1547-2018, table 4, and EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.enter_service import ENTER_SERVICE
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, their_run

PLANT = {"V_NOM": 100.0, "TRIP": False}


def test_it_is_off_after_the_start_and_waits_300_seconds():
    scan(ENTER_SERVICE, **PLANT, V=(100.0,), F=60.0, dt="1s", table="x | RUN STATE\n 1 | 0 1\n 299 | 0 1\n 1 | 1 2")


@pytest.mark.parametrize(
    ("given", "good"),
    [
        ("[91.7] 60 1", True),
        ("[91.6] 60 1", False),
        ("[105] 60 1", True),
        ("[105.1] 60 1", False),
        ("[100] 59.5 1", True),
        ("[100] 59.4 1", False),
        ("[100] 60.1 1", True),
        ("[100] 60.2 1", False),
        ("[100] 60 0", False),
        ("[nan] 60 1", False),
        ("[100] nan 1", False),
    ],
)
def test_the_windows_of_the_standard(given, good):
    """0.917 to 1.05 of nominal voltage, 59.5 to 60.1 Hz, both ends included, and the permit."""
    scan(ENTER_SERVICE, **PLANT, table=f"V F PERMIT | STATE\n {given} | {int(good)}")


def test_one_bad_phase_starts_the_delay_anew():
    scan(
        ENTER_SERVICE,
        **PLANT,
        F=60.0,
        DELAY="10s",
        dt="1s",
        table="x V | STATE LEFT\n 6 [100,100] | 1 5s\n 1 [100,90] | 0 0s\n 1 [100,100] | 1 10s\n 10 [100,100] | 2 0s",
    )


def test_the_random_part_is_added_to_the_delay():
    scan(
        ENTER_SERVICE,
        **PLANT,
        V=(100.0,),
        F=60.0,
        DELAY="10s",
        RANDOM="5s",
        dt="1s",
        table="x | STATE LEFT\n 1 | 1 15s\n 15 | 2 0s",
    )


def test_the_ramp_is_a_line_and_a_ramp_of_nothing_is_at_once():
    ready = {"V": (100.0,), "F": 60.0, "DELAY": "0s", "dt": "1s"}
    scan(ENTER_SERVICE, **PLANT, **ready, RAMP="4s", table="x | SHARE STATE\n 1 | 0 2\n 1 | 0.25 2\n 2 | 0.75 2\n 5 | 1 3")
    scan(ENTER_SERVICE, **PLANT, **ready, RAMP="0s", table="x | SHARE STATE\n 1 | 1 3")


def test_in_service_only_a_trip_or_a_lost_permit_ends_it():
    scan(
        ENTER_SERVICE,
        V_NOM=100.0,
        DELAY="1s",
        RAMP="1s",
        dt="1s",
        table="""
        V     F  TRIP PERMIT | RUN SHARE
        [100] 60 0    1      | 0   0
        [100] 60 0    1      | 1   0
        [100] 60 0    1      | 1   1
        [50]  60 0    1      | 1   1
        [nan] 0  0    1      | 1   1
        [100] 60 1    1      | 0   0
        [100] 60 0    1      | 0   0
        [100] 60 0    1      | 1   0
        [100] 60 0    0      | 0   0
    """,
    )


def test_it_returns_as_opender_does(deviation):
    """Trip by 62.5 Hz, good grid after 20 s. OpenDER counts the scan that first saw it, and ramps from the one that enters.

    Both cost a scan; ours never waits less than the delay.
    """
    f = np.where(np.arange(1000) < 20, 62.5, 60.0)
    series = [{"p_dem_kw": 100.0, "v_pu": 1.0, "f": x} for x in f]
    p = np.array([p for p, _, _ in their_run(battery(STATUS_INIT=False), 1.0, series)])
    ours = our_run(ENTER_SERVICE, PLANT | {"V_NOM": 1.0, "V": [1.0]}, 1.0, {"F": f, "TRIP": f > 62.0}, ("RUN", "SHARE"), length=1)
    assert p[-1] == pytest.approx(100.0)
    deviation(
        "ENTER_SERVICE",
        "opender 2.2",
        "first scan of power",
        abs(int(np.argmax(ours["SHARE"] > 0)) - int(np.argmax(p > 0))),
        2,
        "s",
    )
    deviation(
        "ENTER_SERVICE", "opender 2.2", "share on the ramp", np.max(np.abs(ours["SHARE"] - p / 100.0)), 2.01 / 300.0, "of rated"
    )


def test_a_new_ramp_goes_on_from_the_share_that_is_there():
    scan(
        ENTER_SERVICE,
        **PLANT,
        V=(100.0,),
        F=60.0,
        DELAY="0s",
        dt="1s",
        table="""
        x  RAMP | SHARE STATE
        1  10s  | 0     2
        5  10s  | 0.5   2
        1  100s | 0.51  2
        49 100s | 1     3
        1  1h   | 1     3
        1  10s  | 1     3
    """,
    )
