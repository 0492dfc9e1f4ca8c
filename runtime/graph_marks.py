"""What a drawing carries instead of values where whoever shows it fills them in: the name behind each chip, pin and word.

It must not know places or SVG, nor how the values come to the screen.
"""

from __future__ import annotations

from runtime.graph import TAG, Chip, Plug, Word
from runtime.graph_values import GOOD, Shown
from runtime.model import Schedule

EMPTY = "–"


class Marks:
    """The names that a live page asks for: a tag, `tag[3]`, or `pin:` and a pin's path. An array says only how long it is."""

    title = ""

    def __init__(self, schedule: Schedule):
        self._tags = {tag.name.lower(): tag for tag in schedule.tags}
        self._pins = schedule.pins

    def of_chip(self, chip: Chip) -> Shown | None:
        """The name behind a chip; None for a literal."""
        if not chip.key:
            return None
        if chip.kind == TAG:
            return self._tag(chip.key, chip.element, chip.is_good)
        return self._pin(chip.key, chip.title.partition("\n")[0].partition(", ")[2], chip.element)  # `a.OUT: LREAL, kW`

    def of_plug(self, plug: Plug) -> Shown | None:
        """The name behind an output."""
        return self._pin(plug.path, plug.unit, 0)

    def of_word(self, word: Word, when: Word | None = None) -> Shown | None:
        """The name behind a word of a table; a transition's word holds only `when` its step is active."""
        if not word.key:
            return None
        found = self._tag(word.key, 0, False) if word.kind == TAG else self._pin(word.key, "", 0)
        if found is None:
            return None
        more = (*found.marks, ("lit", str(word.number) if word.number >= 0 else "true"))
        if when is not None and when.key:
            more += (("when", f"pin:{when.key}"), ("being", str(when.number)))
        return Shown(EMPTY, GOOD, marks=more)

    def _tag(self, name: str, element: int, is_good: bool) -> Shown | None:
        tag = self._tags.get(name.lower())
        if tag is None:
            return None
        if tag.length and not element:
            return Shown(f"[{tag.length}]")
        marks = (("live", f"{tag.name}[{element}]" if element else tag.name),)
        return Shown(EMPTY, GOOD, marks=(*marks, ("good", "true")) if is_good else marks)

    def _pin(self, path: str, unit: str, element: int) -> Shown | None:
        if path not in self._pins and path.endswith("]"):
            path, _, number = path[:-1].rpartition("[")
            element = int(number)
        known = self._pins.get(path)
        if known is None:
            return None
        if known[2] and not element:
            return Shown(f"[{known[2]}]")
        marks: tuple[tuple[str, str], ...] = (("live", f"pin:{path}[{element}]" if element else f"pin:{path}"),)
        unit = "s" if known[0] == "TIME" else unit
        return Shown(EMPTY, GOOD, marks=(*marks, ("unit", unit)) if unit else marks)
