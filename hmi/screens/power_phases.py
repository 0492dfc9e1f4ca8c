"""The phases at the point of connection: a column each, and what the meter measures of them as rows."""

from __future__ import annotations

from hmi.parts.gauges import derived, gauge
from hmi.parts.values import value
from hmi.plant import Plant
from hmi.texts import power as texts

PHASES = (1, 2, 3)
VOLTAGES = tuple(f"grid.v_l{phase}" for phase in PHASES)
UNITS = {"v": "V", "i": "A", "p": "kW", "q": "kvar"}
MEAN = "grid.voltage"


def phases(plant: Plant) -> str:
    """HTML of the table; empty where the meter tells of no phase."""
    letters = [letter for letter in UNITS if any(plant.has(f"grid.{letter}_l{phase}") for phase in PHASES)]
    if not letters:
        return ""
    nominal = plant.rating("v_nom", "V")
    rows = ""
    for letter in letters:
        rows += _row(plant, letter, nominal)
        if letter == "v" and nominal:
            rows += _deviations(plant, nominal)
    head = "".join(f'<th scope="col">L{phase}</th>' for phase in PHASES)
    head += f'<th scope="col">{texts.MEAN}</th>' if plant.has(MEAN) else ""
    return f'<table class="rows phases"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(plant: Plant, letter: str, nominal: float | None) -> str:
    names = [f"grid.{letter}_l{phase}" for phase in PHASES]
    cells = [value(name, "bare", 1) if plant.has(name) else "" for name in names]
    if letter == "v":
        cells = [cell and cell + _bar(plant, name, nominal) for name, cell in zip(names, cells, strict=True)]
    if plant.has(MEAN):
        cells.append(value(MEAN, "bare", 1) if letter == "v" else "")
    return _cells(f"{texts.OF_A_PHASE[letter]} <small>{UNITS[letter]}</small>", cells)


def _deviations(plant: Plant, nominal: float) -> str:
    names = [*VOLTAGES, MEAN] if plant.has(MEAN) else list(VOLTAGES)
    cells = [derived("deviation", [name], "", 1, nominal) if plant.has(name) else "" for name in names]
    return _cells(f"{texts.DEVIATION.format(nominal=nominal)} <small>%</small>", cells)


def _cells(label: str, cells: list[str]) -> str:
    return f'<tr><th scope="row">{label}</th>{"".join(f"<td>{one}</td>" for one in cells)}</tr>'


def _bar(plant: Plant, name: str, nominal: float | None) -> str:
    """The voltage between the limits that trip; within the band the plant may enter service."""
    edges = [plant.rating(word, "1") for word in ("under_v1", "v_enter_low", "v_enter_high", "over_v1")]
    if not nominal or any(edge is None for edge in edges):
        return ""
    low, start, stop, high = (nominal * float(edge or 0) for edge in edges)
    limits = {"LL": low, "HH": high}
    return gauge(f"L{name[-1]}", value=name, low=low, high=high, origin=nominal, band=[start, stop], limits=limits)
