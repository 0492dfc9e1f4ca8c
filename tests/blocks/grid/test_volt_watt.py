"""VOLT_WATT against IEEE 1547-2018 and EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.volt_watt import VOLT_WATT
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, steps, their_run

PLANT = {"V_NOM": 100.0, "P_RATED": 500.0}


def test_the_default_curve_closes_between_106_and_110_percent():
    """IEEE 1547-2018, table 10."""
    scan(
        VOLT_WATT,
        **PLANT,
        OLRT=0.0,
        table="V | P_MAX LIMITING\n 90 | 500 0\n 106 | 500 0\n 107 | ~375.000 1\n 108 | ~250.000 1\n 110 | ~0.000 1\n 130 | 0 1",
    )


def test_a_negative_second_share_asks_for_charging():
    scan(VOLT_WATT, **PLANT, OLRT=0.0, SHARE2=-0.5, table="V | P_MAX\n 106 | 500\n 108 | ~125.000\n 120 | -250")


def test_points_that_cross_leave_the_second_share():
    scan(VOLT_WATT, **PLANT, OLRT=0.0, V1=1.1, V2=1.06, SHARE2=0.2, table="V | P_MAX\n 109 | 500\n 111 | 100")


def test_the_limit_closes_at_once_on_a_dead_voltage_and_opens_slowly():
    """90 % of the way after OLRT."""
    scan(VOLT_WATT, **PLANT, OLRT=10.0, table="x V | P_MAX BAD\n 1 100 | 500 0\n 1 nan | 0 1\n 1000 100 | ~450.0 0\n 1 inf | 0 1")


@pytest.mark.parametrize("pin", ["V_NOM", "P_RATED", "V1", "V2", "SHARE1"])
def test_a_broken_setting_closes_the_limit(pin):
    given = PLANT | {pin: float("nan")}
    scan(VOLT_WATT, **given, table="V | P_MAX BAD\n 100 | 0 1")


def test_it_follows_opender(deviation):
    """A battery asked for full power.

    Their filter is half a scan ahead (trapezoidal, 2.3e-3 of a step) with OLRT/2.3 (0.4e-3): 2.7e-3 of the greatest step, 88 kW.
    """
    v = steps((200, 1.0), (1500, 1.08), (1500, 1.07), (1500, 1.095), (2000, 1.02))
    series = [{"p_dem_kw": 100.0, "v_pu": x, "f": 60.0} for x in v]
    theirs = np.array([p for p, _, _ in their_run(battery(PV_MODE_ENABLE=True, PV_OLRT=5.0), 0.01, series)])
    ours = our_run(VOLT_WATT, {"V_NOM": 1.0, "P_RATED": 100.0, "OLRT": 5.0}, 0.01, {"V": v}, "P_MAX")
    assert np.min(theirs) < 15.0
    deviation("VOLT_WATT", "opender 2.2", "limit over a series of voltage steps", np.max(np.abs(ours - theirs)), 0.24, "kW of 100")


def test_a_smaller_rating_holds_at_once():
    scan(VOLT_WATT, V_NOM=100.0, V=100.0, table="x P_RATED | P_MAX LIMITING\n 9 500 | 500 0\n 1 100 | 100 0")


def test_it_says_that_it_limits_as_long_as_it_does():
    scan(
        VOLT_WATT, **PLANT, OLRT=10.0, table="x V | P_MAX LIMITING\n 9000 115 | ~0.00 1\n 1000 100 | ~450.0 1\n 9000 100 | ~500.0 0"
    )


def test_a_voltage_that_no_grid_has_closes_the_limit():
    scan(VOLT_WATT, **PLANT, table="V | P_MAX BAD\n 100 | 500 0\n 0 | 0 1\n 19 | 0 1\n -100 | 0 1")
    scan(VOLT_WATT, **PLANT, V_LEAST=0.0, table="V | P_MAX BAD\n 0 | 500 0")
