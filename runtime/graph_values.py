"""What a drawing says of a running site: the value behind each chip, pin and word, and how much it is to be trusted.

It must not know places or SVG. It looks only: tags from the newest snapshot, pins out of the scan's memory, free for the scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime import quality
from runtime.app import generation_of
from runtime.graph import TAG, Chip, Plug, Word
from runtime.status import format_value

GOOD, UNCERTAIN, BAD, ON, FORCED = "good", "uncertain", "bad", "on", "forced"

SILENT_S = 2.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as text; `state` is its quality, or `on` for a BOOL that is true, or `forced`; `words` says the quality in full.

    `marks` are attributes (`live`: `data-live`) for whoever fills in the value later.
    """

    text: str
    state: str = GOOD
    words: str = ""
    number: Any = None
    marks: tuple[tuple[str, str], ...] = ()


class Values:
    """The values of one moment; `refresh` takes the next."""

    def __init__(self, seen: Any):
        from runtime.engine.north import Pins

        self._seen = seen
        schedule = seen.site.schedule
        self._pins = Pins(seen.folder, generation_of(schedule), schedule.pins)
        self._types = schedule.pins
        self.is_attached = self._pins.attach()

    def refresh(self) -> None:
        """The newest snapshot."""
        self._seen.refresh()
        self.is_attached = self._pins.attach()

    @property
    def is_silent(self) -> bool:
        """Whether the scan publishes nothing any more under this program: it ended, or it runs another one by now."""
        return bool(self._seen.age > SILENT_S)

    @property
    def title(self) -> str:
        """The site's state and scan in a line."""
        return f"{self._seen.site.name}: {self._seen.state}, scan {self._seen.snapshot.scan}, outputs {self._seen.outputs}"

    def of_chip(self, chip: Chip) -> Shown | None:
        """What the chip's tag or pin says now; None for a literal."""
        if not chip.key:
            return None
        if chip.kind == TAG:
            return self._tag(chip.key, chip.element, chip.is_good)
        return self._pin(chip.key, "", chip.element)

    def of_plug(self, plug: Plug) -> Shown | None:
        """What the output says now."""
        path, element = plug.path, 0
        if path not in self._types and path.endswith("]"):
            path, _, number = path[:-1].rpartition("[")
            element = int(number)
        return self._pin(path, plug.unit, element)

    def of_word(self, word: Word, when: Word | None = None) -> Shown | None:
        """What the word of a table stands for; `on` where it holds. Whoever asks has seen to `when`."""
        if not word.key:
            return None
        found = self._tag(word.key, 0, False) if word.kind == TAG else self._pin(word.key, "", 0)
        if found is None or word.number < 0:
            return found
        return Shown(found.text, ON if found.number == word.number else GOOD, "", found.number)

    def _tag(self, name: str, element: int, is_good: bool) -> Shown | None:
        try:
            tag = self._seen.tag(name)
        except KeyError:
            return None
        code = self._seen.quality(tag)
        if is_good:
            return _shown_bool(quality.is_good(code))
        value = self._seen.value(tag)
        value = value[element - 1] if element and isinstance(value, list) else value
        state = GOOD if quality.is_good(code) else BAD if quality.is_bad(code) else UNCERTAIN
        state = FORCED if code == quality.GOOD_LOCAL_OVERRIDE else state
        text = _short(value, tag.unit) if isinstance(value, float) else format_value(tag, value)
        return Shown(text, ON if value is True and state == GOOD else state, "" if state == GOOD else quality.name(code), value)

    def _pin(self, path: str, unit: str, element: int) -> Shown | None:
        if not self.is_attached or path not in self._types:
            return None
        value = self._pins.value(path)
        if isinstance(value, list):
            if not element:
                return Shown(f"[{len(value)}]")
            value = value[element - 1]
        if isinstance(value, bool):
            return _shown_bool(value)
        if self._types[path][0] == "TIME":
            return Shown(_short(value / 1e9, "s"), number=value)
        return Shown(_short(value, unit) if isinstance(value, float) else f"{value} {unit}".rstrip(), number=value)


def _shown_bool(value: bool) -> Shown:
    return Shown("true" if value else "false", ON if value else GOOD, "", value)


def _short(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip() if abs(value) < 1e4 or value != value else f"{value:.6g} {unit}".rstrip()
