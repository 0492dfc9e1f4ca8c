"""RTD: the table of IEC 60751 both ways, and wires that break or touch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.plain import Instance
from blocks.signals.rtd import RTD
from tests.aids.scan_table import scan

# IEC 60751:2022, table 1 (Pt100, ohms to 10 mOhm); 100 and -200 °C with the digits that its equations give.
TABLE = {
    -200: 18.52,
    -150: 39.72,
    -100: 60.26,
    -50: 80.31,
    -10: 96.09,
    0: 100.00,
    10: 103.90,
    25: 109.73,
    50: 119.40,
    100: 138.51,
    200: 175.86,
    300: 212.05,
    400: 247.09,
    500: 280.98,
    600: 313.71,
    700: 345.28,
    800: 375.70,
    850: 390.48,
}


def resistance(t: float, r0: float = 100.0) -> float:
    """The standard's equations, from temperature to resistance; the block goes the other way."""
    a, b, c = 3.9083e-3, -5.775e-7, -4.183e-12
    return r0 * (1 + a * t + b * t**2 + (c * (t - 100) * t**3 if t < 0 else 0.0))


def read(r: float, **pins: float) -> Instance:
    sensor = Instance(RTD, None, 0)
    for name, value in {"R": r, "SUBSTITUTE": -999.0, **pins}.items():
        setattr(sensor, name, value)
    sensor.scan(10_000_000)
    return sensor


@pytest.mark.parametrize(("t", "r"), TABLE.items())
def test_the_standards_table_read_backwards(t: int, r: float):
    """10 mOhm is 0.023 K at -200 and 0.034 K at 850 °C: half of it may be lost by rounding."""
    assert read(r).OUT == pytest.approx(t, abs=0.018)
    assert not read(r).FAULT


def test_the_whole_table_of_the_standard(deviation):
    worst = max(abs(float(read(r).OUT) - t) for t, r in TABLE.items())
    deviation("RTD", "IEC 60751:2022", "table 1 read backwards, rounded to 10 mOhm", worst, 0.018, "K")


@pytest.mark.parametrize(("t", "r"), [(-200, 18.52008), (0, 100.0), (100, 138.5055), (850, 390.481125)])
def test_the_standards_equations_are_met_exactly(t: int, r: float):
    assert read(r).OUT == pytest.approx(t, abs=1e-9)
    assert read(5 * r, R0=500.0).OUT == pytest.approx(t, abs=1e-9)
    assert read(10 * r, R0=1000.0).OUT == pytest.approx(t, abs=1e-9)


@given(st.floats(-200.0, 850.0), st.sampled_from([100.0, 500.0, 1000.0]), st.floats(0.0, 20.0))
def test_every_temperature_comes_back(t: float, r0: float, lead: float):
    sensor = read(resistance(t, r0) + lead, R0=r0, R_LEAD=lead)
    assert sensor.OUT == pytest.approx(t, abs=1e-8)
    assert not sensor.FAULT and not sensor.OPEN and not sensor.SHORT


def test_wires_that_break_or_touch_are_told_apart_in_both_worlds():
    scan(
        RTD,
        SUBSTITUTE=-999.0,
        table="""
        R        | OUT   FAULT OPEN SHORT
        138.5055 | 100   0     0    0
        390.7    | -999  1     1    0
        1e9      | -999  1     1    0
        inf      | -999  1     1    0
        18.2     | -999  1     0    1
        0        | -999  1     0    1
        -5       | -999  1     0    1
        nan      | -999  1     0    0
        60.25584 | ~-100.000 0 0    0
    """,
    )


def test_two_wires_have_a_resistance_of_their_own():
    scan(RTD, SUBSTITUTE=0.0, R_LEAD=2.5, table="R | OUT\n 141.0055 | 100\n 102.5 | 0")


def test_hold_keeps_the_last_good_temperature():
    scan(RTD, SUBSTITUTE=-999.0, HOLD=True, table="R | OUT FAULT\n inf | -999 1\n 100 | 0 0\n inf | 0 1\n 138.5055 | 100 0")


@pytest.mark.parametrize("r0", [0.0, -100.0, float("nan"), float("inf")])
def test_a_sensor_without_a_size_is_a_fault(r0: float):
    sensor = read(100.0, R0=r0)
    assert (sensor.OUT, sensor.FAULT, sensor.OPEN, sensor.SHORT) == (-999.0, True, False, False)
