"""DEW_POINT against the saturation pressure of Hyland & Wexler (ASHRAE Handbook, Fundamentals), solved by bisection."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from blocks.climate.dew_point import DEW_POINT
from tests.aids.scan_table import Twin, scan


def saturation(celsius: float) -> float:
    """ln of the pressure over liquid water in Pa, Hyland & Wexler 1983; fitted from 0 to 200 °C."""
    t = celsius + 273.15
    powers = -5.8002206e3 / t + 1.3914993 - 4.8640239e-2 * t + 4.1764768e-5 * t**2 - 1.4452093e-8 * t**3
    return powers + 6.5459673 * math.log(t)


def test_it_is_the_dew_point_of_the_saturation_pressure(deviation):
    """Alduchov & Eskridge claim 0.4 % of the pressure at most from -40 to 50 °C, which is 0.06 K at 6 to 7 % per K."""
    twin = Twin(DEW_POINT)
    worst = 0.0
    for celsius in np.arange(1.0, 51.0, 1.0):
        for humidity in (5.0, 10.0, 20.0, 35.0, 50.0, 65.0, 80.0, 90.0, 95.0, 99.0, 100.0):
            wanted = saturation(celsius) + math.log(humidity / 100.0)
            if wanted < saturation(0.0):
                continue  # below 0 °C the reference's fit ends
            dew = brentq(lambda t, wanted=wanted: saturation(t) - wanted, -1.0, 60.0)
            twin.set("T", float(celsius))
            twin.set("RH", humidity)
            twin.scan(10_000_000)
            worst = max(worst, abs(float(twin.get("DEW")) - dew))
    deviation("DEW_POINT", "Hyland & Wexler 1983", "0 to 50 °C, dew point above 0 °C", worst, 0.06, "K")


def test_the_saturation_pressure_of_the_reference_is_that_of_the_steam_tables():
    """IAPWS: 0.6117 kPa at 0.01 °C, 2.3393 kPa at 20 °C, 7.3849 kPa at 40 °C."""
    for celsius, kilopascal in ((0.01, 0.6117), (20.0, 2.3393), (40.0, 7.3849)):
        assert math.exp(saturation(celsius)) / 1000.0 == pytest.approx(kilopascal, rel=5e-4)


def test_saturated_air_is_at_its_dew_point():
    scan(
        DEW_POINT,
        RH=100.0,
        table="T | DEW SPREAD\n -80 | -80 0\n -20 | -20 0\n 0 | 0 0\n 25 | 25 0\n 50 | 50 0\n 100 | 100 0\n 100.1 | nan nan",
    )


def test_a_humidity_outside_its_range_counts_as_its_end():
    scan(DEW_POINT, table="T RH | DEW\n 20 103 | 20\n 20 100 | 20")
    twin = Twin(DEW_POINT)
    twin.set("T", 20.0)
    seen = []
    for humidity in (0.1, 0.0, -2.0):
        twin.set("RH", humidity)
        twin.scan(10_000_000)
        seen.append(float(twin.get("DEW")))
    assert seen[0] == seen[1] == seen[2]
    assert -60.0 < seen[0] < -50.0


@pytest.mark.parametrize("row", ["nan 50", "20 nan", "-300 50", "1e6 50", "inf 50", "20 -2.1", "20 -10", "20 -inf"])
def test_what_nobody_knows_does_not_look_dry(row):
    scan(DEW_POINT, table=f"T RH | DEW SPREAD\n {row} | nan nan\n 20 100 | 20 0")
