"""Units of measure: their dimensions, and the exact factor and offset between two of them. It must not know types or wires."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

Dims = tuple[int, int, int, int, int, int, int]  # m, kg, s, A, K, rad, EUR
NO_DIMS: Dims = (0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A unit: value in base units = value * factor + offset. `sort` tells active, reactive and apparent power apart."""

    text: str
    dims: Dims
    factor: Fraction
    offset: Fraction = Fraction(0)
    sort: str = ""

    def __repr__(self) -> str:
        return self.text or "(no unit)"

    @property
    def is_number(self) -> bool:
        """Whether it is a plain number times something: 1, %, ppm, pu."""
        return self.dims == NO_DIMS


def _dims(m: int = 0, kg: int = 0, s: int = 0, a: int = 0, k: int = 0, rad: int = 0, eur: int = 0) -> Dims:
    return (m, kg, s, a, k, rad, eur)


PREFIX = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "µ": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "c": Fraction(1, 100),
    "": Fraction(1),
    "k": Fraction(1000),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
}
POWER = _dims(2, 1, -3)
ENERGY = _dims(2, 1, -2)
PRESSURE = _dims(-1, 1, -2)
_PI = Fraction(math.pi)
# symbol, prefixes, dimensions, factor, sort. The first symbol of a meaning is the one that results are shown in.
TABLE: tuple[tuple[str, str, Dims, Fraction, str], ...] = (
    ("V", "u m k M", _dims(2, 1, -3, -1), Fraction(1), ""),
    ("A", "u m k", _dims(a=1), Fraction(1), ""),
    ("W", "m k M G", POWER, Fraction(1), "active"),
    ("VA", "k M G", POWER, Fraction(1), "apparent"),
    ("var", "k M G", POWER, Fraction(1), "reactive"),
    ("Hz", "m k M", _dims(s=-1), Fraction(1), ""),
    ("s", "n u µ m", _dims(s=1), Fraction(1), ""),
    ("min", "", _dims(s=1), Fraction(60), ""),
    ("h", "", _dims(s=1), Fraction(3600), ""),
    ("d", "", _dims(s=1), Fraction(86400), ""),
    ("K", "m", _dims(k=1), Fraction(1), ""),
    ("Ohm", "u m k M", _dims(2, 1, -3, -2), Fraction(1), ""),
    ("Ω", "u m k M", _dims(2, 1, -3, -2), Fraction(1), ""),
    ("S", "u m k", _dims(-2, -1, 3, 2), Fraction(1), ""),
    ("F", "n u m k", _dims(-2, -1, 4, 2), Fraction(1), ""),
    ("H", "u m", _dims(2, 1, -2, -2), Fraction(1), ""),
    ("Ah", "m k", _dims(s=1, a=1), Fraction(3600), ""),
    ("J", "k M G", ENERGY, Fraction(1), ""),
    ("Wh", "k M G", ENERGY, Fraction(3600), "active"),
    ("VAh", "k M", ENERGY, Fraction(3600), "apparent"),
    ("varh", "k M", ENERGY, Fraction(3600), "reactive"),
    ("N", "k", _dims(1, 1, -2), Fraction(1), ""),
    ("Nm", "k", ENERGY, Fraction(1), ""),
    ("Pa", "m k M", PRESSURE, Fraction(1), ""),
    ("bar", "m", PRESSURE, Fraction(10**5), ""),
    ("psi", "", PRESSURE, Fraction(44482216152605, 6451600000), ""),
    ("m", "u m c k", _dims(m=1), Fraction(1), ""),
    ("m2", "", _dims(m=2), Fraction(1), ""),
    ("m3", "", _dims(m=3), Fraction(1), ""),
    ("l", "m", _dims(m=3), Fraction(1, 1000), ""),
    ("g", "m k", _dims(kg=1), Fraction(1, 1000), ""),
    ("t", "", _dims(kg=1), Fraction(1000), ""),
    ("rad", "m", _dims(rad=1), Fraction(1), ""),
    ("deg", "", _dims(rad=1), _PI / 180, ""),
    ("rpm", "", _dims(s=-1, rad=1), 2 * _PI / 60, ""),
    ("%", "", NO_DIMS, Fraction(1, 100), ""),
    ("‰", "", NO_DIMS, Fraction(1, 1000), ""),
    ("ppm", "", NO_DIMS, Fraction(1, 10**6), ""),
    ("pu", "", NO_DIMS, Fraction(1), ""),
    ("EUR", "k M", _dims(eur=1), Fraction(1), ""),
    ("ct", "", _dims(eur=1), Fraction(1, 100), ""),
)

NUMBER = Unit("", NO_DIMS, Fraction(1))
CELSIUS = Unit("°C", _dims(k=1), Fraction(1), Fraction(27315, 100))


def _simple() -> dict[str, Unit]:
    table = {"": NUMBER, "1": NUMBER, "°C": CELSIUS, "degC": CELSIUS}
    for symbol, prefixes, dims, factor, sort in TABLE:
        for prefix in ["", *prefixes.split()]:
            text = prefix + symbol
            if text in table:
                raise ValueError(f"two units are written {text}")
            table[text] = Unit(text, dims, PREFIX[prefix] * factor, sort=sort)
    return table


SIMPLE = _simple()
KELVIN = SIMPLE["K"]
_known: dict[str, Unit | None] = dict(SIMPLE)
_by_meaning: dict[tuple[Dims, Fraction], Unit] = {}
for _unit in SIMPLE.values():
    if _unit.sort in ("", "active") and _unit.offset == 0 and _unit.text != "pu":
        _by_meaning.setdefault((_unit.dims, _unit.factor), _unit)

_FACTOR = re.compile(r"([*/·]?)\s*((?:[A-Za-zµΩ°%‰]+|1)(?![A-Za-z]))\^?(-?\d)?")


def unit(text: str) -> Unit | None:
    """The unit written so (`kW`, `kW/s`, `m/s2`, `1/h`), or None where no unit is."""
    if text in _known:
        return _known[text]
    found = _known[text] = _compound(text)
    return found


def _compound(text: str) -> Unit | None:
    parts: list[tuple[Unit, int]] = []
    place = 0
    while place < len(text):
        match = _FACTOR.match(text, place)
        if match is None or bool(match[1]) != bool(place):
            return None
        simple = SIMPLE.get(match[2] + (match[3] or ""))
        power = 1
        if simple is None:
            simple, power = SIMPLE.get(match[2]), int(match[3] or 1)
        if simple is None:
            return None
        parts.append((simple, -power if match[1] == "/" else power))
        place = match.end()
    combined = product(parts) if parts else None
    return combined and Unit(text, combined.dims, combined.factor, sort=combined.sort if len(parts) == 1 else "")


def product(parts: Iterable[tuple[Unit, int]]) -> Unit:
    """The unit of a product of powers. Offsets fall away: a temperature in a product is a difference in kelvins."""
    powers: dict[Unit, int] = {}
    for part, power in parts:
        if part is not NUMBER:
            powers[part] = powers.get(part, 0) + power
    used = [(part, power) for part, power in powers.items() if power]
    if len(used) == 1 and used[0][1] == 1:
        return used[0][0]
    used = [(difference(part), power) for part, power in used]
    dims = NO_DIMS
    factor = Fraction(1)
    for part, power in used:
        dims = tuple(d + p * power for d, p in zip(dims, part.dims, strict=True))  # type: ignore[assignment]
        factor *= part.factor**power
    if dims == NO_DIMS and factor == 1:
        return NUMBER
    named = _by_meaning.get((dims, factor))
    if named is not None:
        return named
    up = "*".join(_power_text(p, n) for p, n in used if n > 0)
    down = "".join("/" + _power_text(p, -n) for p, n in used if n < 0)
    text = (up or "1") + down
    made = Unit(text, dims, factor)
    _by_meaning[(dims, factor)] = made
    return made


def _power_text(part: Unit, power: int) -> str:
    text = part.text if part.text.isalpha() or part.text in SIMPLE else f"({part.text})"
    return text if power == 1 else f"{text}{power}"


def difference(of: Unit) -> Unit:
    """The unit of a difference of two values in this unit: °C gives K."""
    return KELVIN if of.offset else of


_conversions: dict[tuple[Unit, Unit], tuple[Fraction, Fraction] | None] = {}


def conversion(source: Unit, target: Unit) -> tuple[Fraction, Fraction] | None:
    """(k, offset) so that target value = k * source value + offset, or None where the two do not measure the same.

    °C into K means a difference of temperatures, so it has no offset; K into °C is an absolute temperature and has one.
    """
    pair = (source, target)
    if pair not in _conversions:
        _conversions[pair] = _conversion(source, target)
    return _conversions[pair]


def _conversion(source: Unit, target: Unit) -> tuple[Fraction, Fraction] | None:
    if source is target:
        return Fraction(1), Fraction(0)
    sorts = {source.sort, target.sort}
    if source.dims != target.dims or sorts == {"active", "reactive"}:
        return None
    k = source.factor / target.factor
    if source.offset or not target.offset:
        return k, Fraction(0) if not target.offset else (source.offset - target.offset) / target.factor
    return k, -target.offset / target.factor
