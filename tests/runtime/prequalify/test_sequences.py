"""The test sequences against the tables of the operators (NUMBERS.md), written here as the tables stand there."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.prequalify import fast_reserve, sequences_1547
from runtime.prequalify import sequences_fcr as fcr
from runtime.prequalify.sequence import ramps, stairs


@pytest.mark.parametrize(
    ("minutes", "hz"),
    [(0.0, 50.0), (0.49, 50.0), (0.5, 49.95), (1.0, 50.0), (5.99, 50.0), (6.0, 49.9), (11.0, 50.1), (15.99, 50.1), (16.0, 50.0)],
)
def test_the_step_test_of_fcr_n_is_table_3(minutes, hz):
    assert fcr.step_test().f.at(np.array([minutes * 60.0]))[0] == hz
    assert fcr.step_test().seconds == 21 * 60


def test_for_endurance_both_full_steps_last_15_minutes():
    t, f = fcr.step_test(endurance=True).times(0.5), fcr.step_test(endurance=True).frequency(0.5)
    assert np.sum(f == 49.9) * 0.5 == np.sum(f == 50.1) * 0.5 == 900.0
    assert len(t) == (21 + 20) * 120


@pytest.mark.parametrize(
    ("seconds", "hz"),
    [
        (0.0, 49.9),
        (30.0, 49.9),
        (31.0, 49.76),  # 0.14 Hz/s
        (33.3, 49.45),
        (34.9, 49.45),
        (35.9, 49.54),  # 0.09 Hz/s
        (40.0, 49.9),
        (91.0, 49.66),  # 0.24 Hz/s
        (92.0, 49.5),
        (390.0, 49.5),
        (391.0, 49.74),
        (691.0, 49.66),
        (694.0, 49.0),
        (750.0, 49.0),
        (755.0, 50.0),
    ],
)
def test_the_ramp_test_of_fcr_d_is_table_4_and_mirrored_downwards(seconds, hz):
    for product, wanted in ((fcr.FCR_D_UP, hz), (fcr.FCR_D_DOWN, 100.0 - hz)):
        assert fcr.ramp_test(product).f.at(np.array([seconds]))[0] == pytest.approx(wanted, abs=1e-9)


def test_the_sines_swing_100_millihertz_about_the_middle_of_the_band_for_five_periods():
    assert fcr.PERIODS == (10.0, 15.0, 25.0, 40.0, 50.0, 60.0, 70.0)
    for product, centre in ((fcr.FCR_N, 50.0), (fcr.FCR_D_UP, 49.7), (fcr.FCR_D_DOWN, 50.3)):
        test = fcr.sine_test(product, 25.0)
        f = test.frequency(0.01)
        assert f.max() == pytest.approx(centre + 0.1, abs=1e-5)
        assert f.min() == pytest.approx(centre - 0.1, abs=1e-5)
        rising = np.flatnonzero(
            (f[:-1] < centre) & (f[1:] >= centre - 1e-12) & (test.times(0.01)[1:] >= test.marks["evaluate"] - 0.02)
        )
        assert len(rising) == 5
        assert test.marks["end"] - test.marks["evaluate"] == 5 * 25.0


def test_the_linearity_test_goes_through_the_band_in_the_prescribed_steps_and_back():
    up = [49.9, 49.8, 49.7, 49.6, 49.5, 49.6, 49.7, 49.8, 49.9]
    f = fcr.linearity_test(fcr.FCR_D_UP, hold=10.0).frequency(10.0)
    np.testing.assert_allclose(f, up, atol=1e-9)
    np.testing.assert_allclose(fcr.linearity_test(fcr.FCR_D_DOWN, hold=10.0).frequency(10.0), 100.0 - np.array(up), atol=1e-9)
    f = fcr.linearity_test(fcr.FCR_N, hold=10.0).frequency(10.0)
    assert (f.min(), f.max(), f[0], f[-1]) == (49.9, 50.1, 50.0, 50.0)
    np.testing.assert_allclose(np.abs(np.diff(f))[np.abs(np.diff(f)) > 1e-9], 0.02, atol=1e-9)


@pytest.mark.parametrize(("option", "threshold"), [(0, 49.7), (1, 49.6), (2, 49.5)])
def test_ffr_falls_below_its_threshold_twice_a_quarter_of_an_hour_apart(option, threshold):
    test = fast_reserve.sequence(option)
    f = test.frequency(0.1)
    falls = test.times(0.1)[1:][(f[1:] < threshold) & (f[:-1] >= threshold)]
    np.testing.assert_allclose(np.diff(falls), [900.0])
    assert falls[0] >= 10.0 and test.seconds - falls[0] >= 900.0, "the log begins 10 s before and lasts 15 min"


def test_ieee_1547_passes_each_threshold_for_longer_than_its_clearing_time():
    """Category III: OV2 1.2/0.16 s, OV1 1.1/13, UV1 0.88/21, UV2 0.5/2; OF2 62/0.16, OF1 61.2/300, UF1 58.5/300, UF2 56.5/0.16."""
    table = {(s.name, s.threshold, s.seconds) for s in sequences_1547.STAGES}
    assert table == {
        *(("OV2", 1.2, 0.16), ("OV1", 1.1, 13.0), ("UV1", 0.88, 21.0), ("UV2", 0.5, 2.0)),
        *(("OF2", 62.0, 0.16), ("OF1", 61.2, 300.0), ("UF1", 58.5, 300.0), ("UF2", 56.5, 0.16)),
    }
    for stage in sequences_1547.STAGES:
        test = sequences_1547.trip_test(stage)
        seen = test.voltage(0.01) if stage.quantity == "v" else test.frequency(0.01)
        side = 1.0 if stage.name[0] == "O" else -1.0
        past = side * (seen - stage.threshold)
        assert np.sum(past > 0.0) * 0.01 >= stage.seconds + 0.99
        assert past.max() == pytest.approx(0.02)  # twice the accuracy of 1 % and of 0.01 Hz beyond, and before it as much inside
        if stage.goes_on:
            assert np.sum(np.abs(past + 0.02) < 1e-6) * 0.01 > stage.seconds


def test_what_ieee_1547_lets_ride_through_stays_within_the_regions_of_category_iii():
    """Voltage below 0.88 for 20 s, below 0.7 for 10 s, below 0.5 for 1 s, above 1.1 for 12 s; 57.0 to 61.8 Hz for 299 s; 3 Hz/s."""
    regions = {"v": ((-0.88, 20.0), (-0.7, 10.0), (-0.5, 1.0), (1.1, 12.0)), "f": ((-58.8, 299.0), (61.2, 299.0))}
    for ride in sequences_1547.RIDES:
        test = sequences_1547.ride_through_test(ride)
        v, f = test.voltage(0.01), test.frequency(0.01)
        assert v.max() <= 1.2 and f.min() >= 57.0 and f.max() <= 61.8
        for edge, seconds in regions[ride.quantity]:
            seen = v if ride.quantity == "v" else f
            beyond = seen > edge if edge > 0.0 else seen < -edge
            assert np.sum(beyond) * 0.01 <= seconds
        if ride.name == "Rocof":
            assert np.max(np.abs(np.diff(f))) == pytest.approx(0.03)


def test_entering_service_misses_each_condition_alone_for_longer_than_the_delay():
    """0.917 to 1.05 of the voltage, 59.5 to 60.1 Hz, 300 s; table 11 of IEEE 1547.1 then loses it for 0.1 s after a quarter."""
    test = sequences_1547.enter_service_test()
    v, f = test.voltage(0.01), test.frequency(0.01)
    missed = np.array([v < 0.917, v > 1.05, f < 59.5, f > 60.1])
    alone = missed & (missed.sum(axis=0) == 1)
    assert np.all(alone.sum(axis=1) * 0.01 > 300.0)
    last = np.flatnonzero(missed.any(axis=0))[-1] * 0.01 + 0.01
    assert last == pytest.approx(test.marks["good"], abs=0.02)
    good = ~missed.any(axis=0)
    before = good[: round((last - 0.2) * 100)][::-1]
    assert np.argmin(before) * 0.01 == pytest.approx(75.0, abs=0.2)


def test_a_step_belongs_to_the_sample_it_falls_on_and_a_ramp_ends_where_its_rate_says():
    np.testing.assert_array_equal(stairs(((0.0, 1.0), (0.3, 2.0))).at(np.arange(5) * 0.1), [1, 1, 1, 2, 2])
    np.testing.assert_allclose(ramps(0.0, ((1.0, 2.0, 4.0),)).at(np.array([-1.0, 1.0, 1.25, 1.5, 9.0])), [0, 0, 1, 2, 2])
