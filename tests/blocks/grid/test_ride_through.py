"""RIDE_THROUGH against IEEE 1547-2018, tables 16 and 19, and where it has the same regions EPRI's OpenDER."""

from __future__ import annotations

import pytest

from blocks.grid.ride_through import FREQUENCY_MODES, RIDE_THROUGH, VOLTAGE_MODES
from tests.aids.scan_table import Twin, scan
from tests.blocks.grid.opender_battery import battery, their_run


@pytest.mark.parametrize(
    ("volts", "mode", "seconds"),
    [(115, 2, 12), (85, 1, 20), (88.1, 0, 0), (109.9, 0, 0), (60, 1, 10), (30, 2, 1)],
)
def test_the_regions_of_the_voltage_and_their_times(volts, mode, seconds):
    """IEEE 1547-2018, table 16: the plant may trip after the time, not in it."""
    twin = Twin(RIDE_THROUGH, None, 1)
    for name, value in {"V_NOM": 100.0, "F": 60.0, "V": [volts]}.items():
        twin.set(name, value)
    for _ in range(seconds * 10 + 1):
        twin.scan(100_000_000)
        assert not twin.get("MAY_TRIP")
    assert twin.get("MODE_V") == mode
    assert twin.get("CEASE") == (mode >= 2)
    twin.scan(100_000_000)
    assert twin.get("MAY_TRIP") == (mode > 0)


def test_above_120_percent_nothing_is_asked_but_to_cease():
    scan(
        RIDE_THROUGH,
        V_NOM=100.0,
        F=60.0,
        table="x V | MODE_V CEASE MAY_TRIP\n 2 [120.1] | 3 1 0\n 1 [120.1] | 3 1 1\n 1 [100] | 0 0 0",
    )


@pytest.mark.parametrize(("hertz", "mode"), [(60, 0), (61.2, 0), (61.5, 1), (61.8, 1), (58.8, 0), (58.5, 1), (57.0, 1)])
def test_the_regions_of_the_frequency(hertz, mode):
    """IEEE 1547-2018, table 19: 299 s."""
    scan(
        RIDE_THROUGH,
        V_NOM=100.0,
        V=(100.0,),
        dt="1s",
        table=f"x F | MODE_F MAY_TRIP\n 1 60 | 0 0\n 300 {hertz} | {mode} 0\n 1 {hertz} | {mode} {int(mode > 0)}",
    )


def test_far_off_frequencies_end_the_obligation_once_confirmed():
    scan(
        RIDE_THROUGH,
        V_NOM=100.0,
        V=(100.0,),
        table="x F | MODE_F MAY_TRIP\n 2 56.9 | 2 0\n 1 56.9 | 2 1\n 1 60 | 0 0\n 3 61.9 | 2 1",
    )


def test_each_depth_has_its_own_time():
    """9 s at 0.6, then at 0.8: still mandatory until 20 s below 0.88 are over."""
    scan(
        RIDE_THROUGH,
        V_NOM=100.0,
        F=60.0,
        dt="1s",
        table="x V | MAY_TRIP\n 10 [60] | 0\n 11 [80] | 0\n 1 [80] | 1\n 1 [100] | 0\n 5 [80] | 0",
    )


def test_a_dead_voltage_ceases_and_a_dead_frequency_asks_for_nothing():
    scan(
        RIDE_THROUGH,
        V_NOM=100.0,
        table="V F | MODE_V MODE_F CEASE\n [nan,100] 60 | 2 0 1\n [100,100] nan | 0 2 0\n [100,100] 60 | 0 0 0",
    )


THEIRS = {
    "Continuous Operation": "continuous",
    "Mandatory Operation": "mandatory",
    "Momentary Cessation": "momentary cessation",
    "Not Defined": "none",
}


@pytest.mark.parametrize("volts", [1.0, 1.09, 1.15, 0.89, 0.85, 0.75, 0.65, 0.45, 0.2])
def test_the_mode_of_the_voltage_is_openders(volts):
    """Left out: above 1.2, where OpenDER stays in momentary cessation and the table says cease to energize."""
    der = battery(MC_ENABLE=True)
    their_run(der, 0.01, [{"p_dem_kw": 10.0, "v_pu": volts, "f": 60.0}])
    twin = Twin(RIDE_THROUGH, None, 1)
    for name, value in {"V_NOM": 1.0, "F": 60.0, "V": [volts]}.items():
        twin.set(name, value)
    twin.scan(10_000_000)
    assert VOLTAGE_MODES[twin.get("MODE_V")] == THEIRS[der.opstatus.ridethroughcrit.rt_mode_v]


@pytest.mark.parametrize("hertz", [60.0, 61.1, 61.5, 61.9, 58.9, 58.4, 57.1, 56.9])
def test_the_mode_of_the_frequency_is_openders(hertz):
    """Left out: 58.5 to 58.8 Hz, which OpenDER counts as both."""
    der = battery()
    their_run(der, 0.01, [{"p_dem_kw": 10.0, "v_pu": 1.0, "f": hertz}])
    twin = Twin(RIDE_THROUGH, None, 1)
    for name, value in {"V_NOM": 1.0, "F": hertz, "V": [1.0]}.items():
        twin.set(name, value)
    twin.scan(10_000_000)
    assert FREQUENCY_MODES[twin.get("MODE_F")] == THEIRS[der.opstatus.ridethroughcrit.rt_mode_f]


@pytest.mark.parametrize("bad", ["[100] nan", "[125] 59", "[100] 0", "[nan] 59"])
def test_one_bad_sample_lets_nothing_trip_for_the_rest_of_the_disturbance(bad):
    table = f"x V F | MAY_TRIP\n 9 [85] 59 | 0\n 1 {bad} | 0\n 9 [85] 59 | 0\n 1 {bad} | 0\n 9 [85] 59 | 0"
    scan(RIDE_THROUGH, V_NOM=100.0, table=table)


def test_a_dead_frequency_may_trip_as_long_as_it_lasts():
    scan(RIDE_THROUGH, V_NOM=100.0, V=(85.0,), table="x F | MAY_TRIP\n 2 nan | 0\n 1 nan | 1\n 1 60 | 0")


@pytest.mark.parametrize(
    ("hertz", "mode"), [(50, 0), (51, 0), (51.1, 1), (51.4, 1), (51.6, 2), (49, 0), (48.9, 1), (47.6, 1), (47.4, 2)]
)
def test_the_regions_of_a_50_hertz_grid_are_in_proportion(hertz, mode):
    scan(RIDE_THROUGH, V_NOM=100.0, V=(100.0,), F0=50.0, table=f"F | MODE_F\n {hertz} | {mode}")
