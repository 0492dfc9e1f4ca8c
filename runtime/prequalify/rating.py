"""What a site can sell: its rated power and energy, from its constants or its simulated plant, and the terms of a test from them.

It must not know how a test is driven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.language.quantities import QuantityError, in_unit, quantity
from runtime.language.units import unit
from runtime.prequalify.programme import Terms
from runtime.simulation.settings import PlantSettings

CELL_V = 3.2  # of LFP: what its energy is stated with
ROOM_N = 1.34  # FCR-N: power free beyond the capacity, and two hours of energy; NUMBERS.md, table 10
HOURS_N, HOURS_D = 2.0, 1.0 / 3.0
LIMITED = 2.0  # h


class RatingError(ValueError):
    """A power or an energy that cannot be meant; the text says how it is written."""


@dataclass(frozen=True)
class Rating:
    """Rated power either way in kW, and energy in kWh."""

    power: float
    energy: float


def power_in_kw(text: str, what: str) -> float:
    """A power as a person writes it: `1 MW`, `250 kW`, or a number of kW. Raises RatingError."""
    return _in("kW", text, what)


def rating_of(constants: Mapping[str, str], plant: PlantSettings) -> Rating:
    """From the site's constants `p_site` and `e_site`; where it has none, from its simulated plant."""
    cells, converters = plant.racks * plant.rack.cells, plant.converters or plant.racks
    power = _in("kW", constants["p_site"], "p_site") if "p_site" in constants else converters * plant.pcs.p_rated_kw
    if "e_site" in constants:
        return Rating(power, _in("kWh", constants["e_site"], "e_site"))
    return Rating(power, cells * plant.rack.cell.capacity_ah * CELL_V / 1000.0)


def capacity_of(service: str, rating: Rating) -> float:
    """The most that this battery may sell of a service, in kW: its power, and what its energy lasts for."""
    if service == "fcr-n":
        return min(rating.power / ROOM_N, rating.energy / HOURS_N)
    if service.startswith("fcr-d"):
        return min(rating.power, rating.energy / HOURS_D)
    return rating.power


def terms_of(service: str, rating: Rating, capacity: float | None, option: int, tests: tuple[str, ...]) -> Terms:
    """The terms of a test: of this capacity, or of the most that may be sold.

    A battery that could give it in full for two hours (FCR-N: either way) is no limited reservoir, and its energy is not judged.
    """
    sold = capacity if capacity is not None else capacity_of(service, rating)
    is_limited = service.startswith("fcr") and rating.energy < LIMITED * sold * (2.0 if service == "fcr-n" else 1.0)
    energy = rating.energy if is_limited else 0.0
    return Terms(sold, rating.power, energy, (rating.power, rating.power), option, tests=tests)


def _in(target: str, text: str, what: str) -> float:
    try:
        said = quantity(text)
    except QuantityError as error:
        raise RatingError(f"`{text}` for {what}: {error}") from None
    kind = unit(target)
    number = in_unit(said, kind) if said is not None and kind is not None else None
    if not number or number <= 0:
        raise RatingError(f"`{text}` for {what} is not in {target}, or not above 0; write `250 {target}`")
    return float(number)
