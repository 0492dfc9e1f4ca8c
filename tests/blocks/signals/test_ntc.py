"""NTC_BETA, NTC_STEINHART and VOLTAGE_DIVIDER against data sheets and the root of the forward law."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.declare import BlockType
from blocks.plain import Instance
from blocks.signals.ntc import NTC_BETA, NTC_STEINHART, VOLTAGE_DIVIDER
from tests.aids.scan_table import scan

# Vishay NTCLE100E3103 (10 kOhm, B25/85 3977 K), data sheet 29049: ln(R/R25) = A + B/T + C/T^2 + D/T^3 with these four.
SHEET = (-14.6337, 4791.842, -115334.0, -3.730535e6)
VISHAY = {t: 1e4 * math.exp(sum(k / (t + 273.15) ** n for n, k in enumerate(SHEET))) for t in (-40, -20, 0, 25, 50, 85, 100, 125)}
B25_85 = 3977.0


def coefficients(points: dict[float, float]) -> tuple[float, float, float]:
    """The three Steinhart-Hart coefficients through three rows of a table, by Cramer's rule."""
    rows = [(1.0, math.log(r), math.log(r) ** 3, 1.0 / (t + 273.15)) for t, r in points.items()]

    def determinant(columns: tuple[int, int, int]) -> float:
        (a, b, c), (d, e, f), (g, h, i) = ([row[k] for k in columns] for row in rows)
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    whole = determinant((0, 1, 2))
    return determinant((3, 1, 2)) / whole, determinant((0, 3, 2)) / whole, determinant((0, 1, 3)) / whole


def read(block: BlockType, **pins: float) -> Instance:
    sensor = Instance(block, None, 0)
    if block is not VOLTAGE_DIVIDER:
        sensor.SUBSTITUTE = -999.0
    for name, value in pins.items():
        setattr(sensor, name, value)
    sensor.scan(10_000_000)
    return sensor


@pytest.mark.parametrize("t", [0, 25, 50, 85, 100])
def test_beta_meets_the_data_sheet_near_the_temperatures_it_is_given_for(t: int):
    assert read(NTC_BETA, R=VISHAY[t], R25=10000.0, BETA=B25_85).OUT == pytest.approx(t, abs=1.0)


@given(st.floats(-54.0, 154.0), st.floats(100.0, 1e6), st.floats(2500.0, 5000.0))
def test_beta_inverts_its_own_law_at_every_temperature(t: float, r25: float, beta: float):
    """R(T) of IEC 60539-1, computed with the C library's exp."""
    r = r25 * math.exp(beta * (1 / (t + 273.15) - 1 / 298.15))
    sensor = read(NTC_BETA, R=r, R25=r25, BETA=beta)
    assert sensor.OUT == pytest.approx(t, abs=1e-9)
    assert not (sensor.FAULT or sensor.OPEN or sensor.SHORT)


@pytest.mark.parametrize("t", VISHAY)
def test_steinhart_meets_the_data_sheet_over_its_range(t: int):
    a, b, c = coefficients({k: VISHAY[k] for k in (0, 25, 85)})
    assert read(NTC_STEINHART, R=VISHAY[t], A=a, B=b, C=c).OUT == pytest.approx(t, abs=0.35)


def test_steinhart_is_exact_where_its_coefficients_were_taken():
    a, b, c = coefficients({k: VISHAY[k] for k in (0, 25, 85)})
    for t in (0, 25, 85):
        assert read(NTC_STEINHART, R=VISHAY[t], A=a, B=b, C=c).OUT == pytest.approx(t, abs=1e-8)


@given(st.floats(-54.0, 154.0))
def test_steinhart_inverts_the_root_of_the_cubic(t: float):
    """ln R from the closed solution of the cubic (Cardano), as thermistor makers print it."""
    a, b, c = 1.129241e-3, 2.341077e-4, 8.775468e-8  # the 10 kOhm thermistor of many data loggers
    x = (a - 1 / (t + 273.15)) / c
    y = math.sqrt((b / (3 * c)) ** 3 + x * x / 4)
    r = math.exp(math.cbrt(y - x / 2) - math.cbrt(y + x / 2))
    assert read(NTC_STEINHART, R=r, A=a, B=b, C=c).OUT == pytest.approx(t, abs=1e-7)


NTC = {"R25": 10000.0, "BETA": 3977.0, "SUBSTITUTE": -999.0}


def test_an_open_wire_is_not_arctic_cold_and_a_short_is_no_fire():
    scan(
        NTC_BETA,
        **NTC,
        table="""
        R      | OUT   FAULT OPEN SHORT
        10000  | 25    0     0    0
        5e6    | -999  1     1    0
        inf    | -999  1     1    0
        50     | -999  1     0    1
        0      | -999  1     0    1
        -10    | -999  1     0    1
        -inf   | -999  1     0    1
        nan    | -999  1     0    0
        10000  | 25    0     0    0
    """,
    )


def test_steinhart_tells_open_and_short_apart():
    scan(
        NTC_STEINHART,
        A=1.129241e-3,
        B=2.341077e-4,
        C=8.775468e-8,
        SUBSTITUTE=-999.0,
        HOLD=True,
        table="""
        R      | OUT     FAULT OPEN SHORT
        inf    | -999    1     1    0
        10000  | ~25.00  0     0    0
        inf    | ~25.00  1     1    0
        0      | ~25.00  1     0    1
        -1     | ~25.00  1     0    1
        nan    | ~25.00  1     0    0
    """,
    )


@pytest.mark.parametrize("t_min", [-200.0, -273.15])
def test_an_infinite_resistance_is_open_however_cold_may_be_trusted(t_min: float):
    """The law itself gives about -171 °C for the largest number: an open wire is no such thing."""
    beta = read(NTC_BETA, R=math.inf, R25=1e4, BETA=3435.0, T_MIN=t_min)
    assert (beta.OUT, beta.FAULT, beta.OPEN, beta.SHORT) == (-999.0, True, True, False)
    steinhart = read(NTC_STEINHART, R=math.inf, A=1.129241e-3, B=2.341077e-4, C=0.0, T_MIN=t_min)
    assert (steinhart.OUT, steinhart.FAULT, steinhart.OPEN, steinhart.SHORT) == (-999.0, True, True, False)


def test_a_narrower_range_is_a_tighter_watch():
    scan(NTC_BETA, **NTC, T_MIN=0.0, T_MAX=60.0, table="R | FAULT OPEN SHORT\n 10000 | 0 0 0\n 34000 | 1 1 0\n 2000 | 1 0 1")


@pytest.mark.parametrize("pins", [{"R25": 0.0}, {"R25": -1.0}, {"BETA": 0.0}, {"BETA": math.nan}, {"T_REF": math.nan}])
def test_a_thermistor_without_a_size_is_a_fault(pins: dict[str, float]):
    sensor = read(NTC_BETA, R=10000.0, **{"R25": 10000.0, "BETA": 3977.0, **pins})
    assert (sensor.OUT, sensor.FAULT) == (-999.0, True)


def test_the_divider_gives_the_sensors_resistance():
    """Ohm's law by hand: 5 V over 10 kOhm and the sensor."""
    scan(
        VOLTAGE_DIVIDER,
        V_REF=5.0,
        R_REF=10000.0,
        table="""
        V     HIGH_SIDE | R      FAULT OPEN SHORT
        2.5   0         | 10000  0     0    0
        1     0         | 2500   0     0    0
        1     1         | 40000  0     0    0
        0.02  0         | 0      1     0    1
        4.98  0         | inf    1     1    0
        0.02  1         | inf    1     1    0
        4.98  1         | 0      1     0    1
        nan   0         | inf    1     0    0
        -1    0         | 0      1     0    1
        6     0         | inf    1     1    0
    """,
    )


@pytest.mark.parametrize("pins", [{"V_REF": 0.0}, {"V_REF": math.nan}, {"R_REF": 0.0}, {"R_REF": -10.0}])
def test_a_divider_without_a_reference_measures_nothing(pins: dict[str, float]):
    sensor = read(VOLTAGE_DIVIDER, **{"V": 2.5, "V_REF": 5.0, "R_REF": 1e4, **pins})
    assert (sensor.R, sensor.FAULT) == (math.inf, True)


@given(st.floats(100.0, 1e6), st.booleans())
def test_a_divider_and_a_thermistor_make_a_thermometer(r: float, high: bool):
    tap = 5.0 * (1e4 / (r + 1e4) if high else r / (r + 1e4))
    divider = read(VOLTAGE_DIVIDER, V=tap, V_REF=5.0, R_REF=1e4, HIGH_SIDE=high)
    if not divider.FAULT:
        assert divider.R == pytest.approx(r, rel=1e-12)
