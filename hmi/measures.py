"""In which unit, and how exactly, what an alarm watches is shown: a tag, a pin of a block, or an expression of these."""

from __future__ import annotations

import re

from blocks import catalogue
from hmi.hall import Hall
from hmi.live import DECIMALS, decimals_of

WORD = re.compile(r"[A-Za-z_]\w*(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*")
UNKNOWN = ("", 3)
_MOST = 10_000  # expressions that are remembered


def difference(unit: str) -> str:
    """The unit of a difference of two such values."""
    return "K" if unit == "°C" else unit


class Measures:
    """The units of what the alarms of a hall watch."""

    def __init__(self, hall: Hall):
        self._hall = hall
        self._generation = -1
        self._blocks: dict[str, str] = {}  # an instance without its program -> its block
        self._known: dict[str, tuple[str, int]] = {}

    def of(self, watched: str) -> tuple[str, int]:
        """The unit, and how many decimals are worth showing; no unit where its parts have several, or none is known."""
        if self._generation != self._hall.generation or len(self._known) > _MOST:
            groups = self._hall.order.groups
            self._blocks = {name.lower().partition(".")[2]: group.block for group in groups for name in group.instances}
            self._known, self._generation = {}, self._hall.generation
        if watched not in self._known:
            self._known[watched] = self._measure(watched)
        return self._known[watched]

    def _measure(self, watched: str) -> tuple[str, int]:
        found = [one for word in WORD.findall(watched) if (one := self._of_word(word)) is not None]
        units = {unit for unit, _ in found}
        if len(units) != 1:
            return UNKNOWN
        unit = units.pop()
        return (difference(unit) if " - " in watched else unit), max(decimals for _, decimals in found)

    def _of_word(self, word: str) -> tuple[str, int] | None:
        tag = self._hall.picture.tag(word)
        if tag is not None:
            return None if tag.length else (tag.unit, decimals_of(tag))
        instance, _, name = word.rpartition(".")
        block = catalogue().get(self._blocks.get(instance.lower(), ""))
        pin = next((pin for pin in block.outputs if pin.name == name), None) if block is not None else None
        unit = pin.unit if pin is not None else ""
        return (unit, DECIMALS.get(unit, 3)) if unit and "{" not in unit else None
