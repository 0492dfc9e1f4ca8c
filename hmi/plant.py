"""What of a plant the running program shows: its racks and converters, its ratings, and the limits that its alarms watch."""

from __future__ import annotations

from collections.abc import Iterable

from hmi.hall import Hall
from runtime.child import ServiceOrder
from runtime.language.quantities import QuantityError, in_unit, quantity
from runtime.language.units import unit
from runtime.model import Tag

RACK_SHOWS = ("soc", "state", "main_fb", "v_pack")  # any of these makes a rack; likewise a converter
CONVERTER_SHOWS = ("p", "state", "ok", "running")


class Plant:
    """A view of the tags, constants and alarms of one order, for the screens that draw equipment."""

    def __init__(self, order: ServiceOrder, tags: Iterable[Tag] | None = None):
        self._order = order
        self._tags = {tag.name: tag for tag in (order.tags if tags is None else tags)}
        self.racks = self._numbered("rack", RACK_SHOWS)
        self.converters = self._numbered("pcs", CONVERTER_SHOWS)

    def _numbered(self, kind: str, shows: tuple[str, ...]) -> tuple[int, ...]:
        found: list[int] = []
        while any(f"{kind}[{len(found) + 1}].{word}" in self._tags for word in shows):
            found.append(len(found) + 1)
        return tuple(found)

    def has(self, name: str) -> bool:
        """Whether the program has this tag, or for `tag[3]` an array that is long enough."""
        if name in self._tags:
            return True
        base, _, place = name.rpartition("[")
        tag = self._tags.get(base)
        return tag is not None and place.endswith("]") and place[:-1].isdigit() and 1 <= int(place[:-1]) <= tag.length

    def first(self, *names: str) -> str:
        """The first of these tags that there is, or nothing."""
        return next((name for name in names if self.has(name)), "")

    def names_of(self, name: str) -> tuple[str, ...]:
        """The words for the numbers of a tag; none where it has no words."""
        tag = self._tags.get(name)
        return tuple(word for _, word in tag.names) if tag else ()

    def rating(self, constant: str, of: str) -> float | None:
        """A constant of the site in this unit (`1` for none); None where it is not given or is no quantity of that unit."""
        try:
            found, wanted = quantity(self._order.constants.get(constant, "")), unit(of)
        except QuantityError:
            return None  # a constant may be any text
        exact = None if found is None or wanted is None else in_unit(found, wanted)
        return None if exact is None else float(exact)

    def power_rating(self) -> float | None:
        """How much power the site is made for in kW, either way."""
        return self.rating("p_site", "kW") or self._largest("set.p") or self._sum_of_converters()

    def _largest(self, name: str) -> float | None:
        tag = self._tags.get(name)
        return tag.maximum if tag else None

    def _sum_of_converters(self) -> float | None:
        parts = [self._largest(f"pcs[{n}].p_cmd") for n in self.converters]
        return sum(part for part in parts if part is not None) or None

    def converter_rating(self) -> float | None:
        """How much power one converter is made for in kW."""
        return self.rating("p_rack", "kW") or self._largest("pcs[1].p_cmd")

    def limits(self, of: str) -> dict[str, str]:
        """The live limits (L, LL, H, HH) that alarms watch on a tag: the limit's name and the block pin that holds it."""
        found = {}
        for alarm in self._order.alarms:
            if alarm.of == of and alarm.limit in ("L", "LL", "H", "HH"):
                owner = self._tags.get(alarm.active)
                pin = f"{owner.owner.removeprefix('program ')}.alarm.{alarm.name}.{alarm.limit}" if owner else ""
                if pin in self._order.pins:
                    found[alarm.limit] = f"pin:{pin}"
        return found


def plant_of(hall: Hall) -> Plant:
    """The plant of the program that runs now."""
    return Plant(hall.order)
