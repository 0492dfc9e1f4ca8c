"""Units: every conversion against pint, what does not measure the same, and temperatures that are differences."""

from __future__ import annotations

import textwrap
from fractions import Fraction

import pint
import pytest

from runtime.language.units import SIMPLE, Unit, conversion, difference, product, unit
from tests.aids.site_text import PlainScan, load

PINT = pint.UnitRegistry()
# how pint writes what it does not write as we do
SPELT = {
    "Ohm": "ohm",
    "Ω": "ohm",
    "°C": "kelvin",
    "degC": "kelvin",
    "Ah": "A*h",
    "Wh": "W*h",
    "VAh": "V*A*h",
    "varh": "W*h",
    "VA": "V*A",
    "var": "W",
    "Nm": "N*m",
    "deg": "degree",
    "l": "liter",
    "t": "tonne",
    "d": "day",
    "%": "percent",
    "‰": "permille",
    "pu": "dimensionless",
    "h": "hour",
    "m2": "m**2",
    "m3": "m**3",
    "1": "dimensionless",
    "": "dimensionless",
    "rpm": "revolutions_per_minute",
    "S": "siemens",
    "psi": "pound_force_per_square_inch",
}
OF_NO_REGISTRY = {"EUR", "kEUR", "MEUR", "ct"}


def in_pint(text: str) -> pint.Quantity:
    if text in SPELT:
        return 1 * PINT(SPELT[text]).units if SPELT[text] != "dimensionless" else PINT.Quantity(1, "")
    prefixes = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9}
    if len(text) > 1 and text[0] in prefixes and text[1:] in SPELT:
        return PINT.Quantity(prefixes[text[0]], SPELT[text[1:]])
    return PINT.Quantity(1, text)


def known(text: str) -> Unit:
    found = unit(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize("text", sorted(set(SIMPLE) - OF_NO_REGISTRY))
def test_every_unit_has_the_size_that_pint_knows(text: str) -> None:
    ours, theirs = known(text), in_pint(text).to_base_units()
    assert float(ours.factor) * (1e-3 if ours.dims[1] and "kilogram" not in str(theirs.units) else 1) == pytest.approx(
        theirs.magnitude, rel=1e-12
    )
    exponents = {str(k): v for k, v in theirs.dimensionality.items()}
    assert [exponents.get(f"[{name}]", 0) for name in ("length", "mass", "time", "current", "temperature")] == list(ours.dims[:5])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("W", "kW"),
        ("kW", "MW"),
        ("mHz", "Hz"),
        ("Ah", "A*s"),
        ("kWh", "MJ"),
        ("V/A", "mOhm"),
        ("kW/min", "W/s"),
        ("bar", "psi"),
        ("l/min", "m3/h"),
        ("km/h", "m/s"),
        ("mV", "V"),
        ("%", "ppm"),
        ("deg", "rad"),
        ("rpm", "rad/s"),
        ("m/s2", "cm/s2"),
        ("W*h", "kWh"),
        ("uF", "A*s/V"),
        ("kVA", "kW"),
    ],
)
def test_a_conversion_is_the_one_that_pint_makes(source: str, target: str) -> None:
    rule = conversion(known(source), known(target))
    assert rule is not None
    spelt = {
        "km/h": "km/hour",
        "Ah": "A*hour",
        "kWh": "kW*hour",
        "W*h": "W*hour",
        "l/min": "liter/min",
        "m3/h": "m**3/hour",
        "m/s2": "m/s**2",
        "cm/s2": "cm/s**2",
        "bar": "bar",
        "psi": "psi",
        "deg": "degree",
        "%": "percent",
        "mOhm": "milliohm",
        "kVA": "kV*A",
    }
    assert float(rule[0]) == pytest.approx(
        PINT.Quantity(1, spelt.get(source, source)).to(spelt.get(target, target)).magnitude, rel=1e-12
    )
    assert rule[1] == 0


def test_an_absolute_temperature_from_kelvins_has_an_offset() -> None:
    rule = conversion(known("K"), known("°C"))
    assert rule is not None
    assert float(300 * rule[0] + rule[1]) == pytest.approx(PINT.Quantity(300, "kelvin").to("degC").magnitude)


def test_degrees_where_kelvins_are_wanted_are_a_difference() -> None:
    assert conversion(known("°C"), known("K")) == (1, 0)
    assert conversion(known("°C/s"), known("K/min")) == (60, 0)
    assert difference(known("°C")) is known("K")
    assert difference(known("kW")) is known("kW")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("kW", "V"),
        ("kW", "kWh"),
        ("Hz", "rpm"),
        ("kW", "kvar"),
        ("kWh", "kvarh"),
        ("%", "kW"),
        ("V", "V/s"),
        ("EUR", "%"),
        ("s", "1/s"),
    ],
)
def test_units_that_measure_different_things_do_not_convert(source: str, target: str) -> None:
    assert conversion(known(source), known(target)) is None
    assert conversion(known(target), known(source)) is None


def test_apparent_power_converts_into_both_of_its_parts() -> None:
    assert conversion(known("kVA"), known("kW")) == (1, 0)
    assert conversion(known("kvar"), known("kVA")) == (1, 0)


@pytest.mark.parametrize("text", ["kw", "KW", "volt", "kW/", "/s", "kW//s", "kW s", "5", "°", "W-1x", "kW/5s", "*", "mm%", "hW"])
def test_what_is_no_unit_is_none(text: str) -> None:
    assert unit(text) is None


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([("V", 1), ("A", 1)], "W"),
        ([("kW", 1), ("h", 1)], "kWh"),
        ([("kWh", 1), ("h", -1)], "kW"),
        ([("kW", 1), ("kW", -1)], ""),
        ([("A", 1), ("h", 1)], "Ah"),
        ([("kW", 1), ("s", -1)], "kW/s"),
        ([("V", 1), ("A", -1)], "Ohm"),
        ([("kW", 1)], "kW"),
        ([("°C", 1), ("s", -1)], "K/s"),
    ],
)
def test_a_product_is_shown_as_people_write_it(parts: list[tuple[str, int]], shown: str) -> None:
    assert product([(known(text), power) for text, power in parts]).text == shown


def test_factors_are_exact() -> None:
    assert known("mHz").factor == Fraction(1, 1000)
    assert conversion(known("kW"), known("W")) == (1000, 0)
    assert known("kW") is known("kW"), "one unit is one object, so that the checker compares places"


@pytest.mark.parametrize(("written", "held"), [("2 K", 2.0), ("2 °C", 2.0), ("2", 2.0)])
def test_a_distance_of_temperatures_is_in_kelvins_however_it_is_written(written: str, held: float) -> None:
    tags = 'bms.t: {type: "LREAL[3]", unit: °C, default: 25}\nout.spread: {type: LREAL, unit: K, default: 0}'
    program = f"""
    blocks:
      seen: {{type: CELL_PLAUSIBILITY, V: "bms.t[*]", MIN: -40 °C, MAX: 100 °C, JUMP: {written}, SUM_TOL: 300 K, SPREAD: 30 K}}
      stats: {{type: CELL_STATS, V: "bms.t[*]"}}
    outputs: {{out.spread: stats.SPREAD}}
    """
    run = PlainScan(load(textwrap.dedent(program), tags).schedule)
    run["bms.t"] = [20.0, 25.0, 27.0]
    run.scan()
    assert run["p.seen.JUMP"] == held
    assert run["out.spread"] == 7.0
