"""Photovoltaic inverters on a grid that is too fast, gone, or back: the numbers are those of VDE-AR-N 4105:2018 and EN 50549-1."""

from __future__ import annotations

import pytest

from runtime.simulation.solar import Solar, shine


def after(solar: Solar, seconds: float, hz: float, sun_kw: float = 100.0) -> float:
    for _ in range(round(seconds / 0.05)):
        shine(solar, sun_kw, hz, 0.05)
    return solar.kw


@pytest.mark.parametrize(("hz", "kw"), [(49.0, 100.0), (50.2, 100.0), (50.7, 80.0), (51.2, 60.0), (51.5, 48.0)])
def test_above_50_2_hz_they_give_40_per_cent_a_hertz_less(hz: float, kw: float) -> None:
    solar = Solar(50.0)
    after(solar, 1.0, 50.0)
    assert after(solar, 10.0, hz) == pytest.approx(kw, rel=1e-3)
    assert after(solar, 5.0, 50.1) == pytest.approx(100.0)


def test_the_droop_is_of_what_they_gave_and_not_of_what_the_sun_would_let_them() -> None:
    solar = Solar(50.0)
    after(solar, 1.0, 50.0, sun_kw=50.0)
    assert after(solar, 10.0, 50.7, sun_kw=100.0) == pytest.approx(40.0, rel=1e-3)


def test_beyond_51_5_hz_they_are_off_and_come_back_after_a_minute_by_10_per_cent_a_minute() -> None:
    solar = Solar(50.0)
    after(solar, 1.0, 50.0)
    assert after(solar, 0.2, 51.6) == 0.0
    assert after(solar, 59.0, 50.0) == 0.0
    assert after(solar, 61.0, 50.0) == pytest.approx(10.0, abs=0.3)
    assert after(solar, 600.0, 50.0) == pytest.approx(100.0)


def test_a_minute_counts_only_at_a_good_frequency() -> None:
    solar = Solar(50.0)
    after(solar, 1.0, 52.0)
    assert after(solar, 300.0, 50.15) == 0.0


def test_a_gap_of_150_ms_is_ridden_through_and_an_outage_is_not() -> None:
    solar = Solar(50.0)
    after(solar, 1.0, 50.0)
    assert after(solar, 0.15, 0.0) == 0.0
    assert after(solar, 0.05, 50.0) == 100.0
    after(solar, 1.0, 0.0)
    assert after(solar, 30.0, 50.0) == 0.0
