"""What the verb `watch` looks at: tags, elements of arrays and pins of blocks, as they stand now and since the watch began.

It reads the newest snapshot and the scan's memory, which costs the scan nothing. It must not know how anything is shown.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from blocks.declare import BlockType
from runtime import onlooker, quality
from runtime.engine.image import ImageError, Shared
from runtime.engine.north import Pins
from runtime.engine.south import SCAN_FILE
from runtime.model import Schedule, Site, Tag
from runtime.onlooker import Onlooker
from runtime.source import did_you_mean, pattern_of
from runtime.watch_units import Units

RECENT = 24  # samples of a sparkline
REREAD_S = 1.0  # how long a scan is silent before we look whether it runs another program now
_ELEMENT = re.compile(r"(?P<source>.+)\[(?P<number>\d+)\]\Z")


class UnknownNameError(Exception):
    """A word that fits no tag and no pin; the message has a hint."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row: a tag, or a pin described as one; `element` is its place from 0 in an array, None for the whole."""

    name: str
    about: Tag
    is_pin: bool
    element: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is an array that is looked at as one."""
        return self.about.length > 0 and self.element is None


@dataclass(frozen=True, slots=True)
class Sample:
    """What stands in an item now; `value` is None where no scan can be read, `age` (s) where it was read from no device."""

    item: Item
    value: Any
    quality: int
    age: float | None

    @property
    def text(self) -> str:
        """The name of an enumeration's value, or nothing."""
        return dict(self.item.about.names).get(self.value, "") if isinstance(self.value, int) else ""


@dataclass
class Course:
    """How an item went since the watch began: its least and greatest good value, and the latest ones."""

    least: float | None = None
    greatest: float | None = None
    recent: deque[float | None] = field(default_factory=lambda: deque(maxlen=RECENT))

    def note(self, sample: Sample) -> None:
        """Take one sample in; a bad one and what is no number count for neither end."""
        values = sample.value if isinstance(sample.value, list) else [sample.value]
        numbers = [float(v) for v in values if v is not None and isfinite(v)]
        self.recent.append(sum(numbers) / len(numbers) if numbers else None)
        if numbers and not quality.is_bad(sample.quality):
            self.least = min(numbers) if self.least is None else min(self.least, *numbers)
            self.greatest = max(numbers) if self.greatest is None else max(self.greatest, *numbers)


def choose(schedule: Schedule, catalogue: Mapping[str, BlockType], words: Sequence[str]) -> list[Item]:
    """The tags and pins that the words name, each once, in their order; `*` stands for any letters.

    A `*` finds tags, and inputs and outputs of the blocks that somebody wrote; what a block remembers and what the compiler made of
    an expression is found by its full name. Raises UnknownNameError with all words that fit nothing.
    """
    units = Units(schedule, catalogue)
    found: dict[str, Item] = {}
    wrong = []
    for word in words:
        items = list(_named(schedule, units, word))
        if not items:
            hint = did_you_mean(word, [*(tag.name for tag in schedule.tags), *schedule.pins])
            wrong.append(f"no tag and no pin fits {word}: {hint or '`bessplc show` lists what runs'}")
        found |= {item.name: item for item in items if item.name not in found}
    if wrong:
        raise UnknownNameError("\n".join(wrong))
    return list(found.values())


def _named(schedule: Schedule, units: Units, word: str) -> Iterator[Item]:
    """The items of one word: an exact name (an array is its elements then), one element, or everything that a pattern fits."""
    exact = {name.lower(): name for name in schedule.pins} | {tag.name.lower(): tag.name for tag in schedule.tags}
    whole = exact.get(word.lower())
    if whole is not None:
        yield from _elements(_item(schedule, units, whole))
        return
    parts = _ELEMENT.match(word)
    source = exact.get(parts["source"].lower()) if parts else None
    if parts and source is not None:
        yield from (item for item in _elements(_item(schedule, units, source)) if item.element == int(parts["number"]) - 1)
        return
    if "*" not in word:
        return
    of_elements = word.endswith("[*]")
    for name in names_like(schedule, word):
        item = _item(schedule, units, name)
        if not of_elements:
            yield item
        elif item.is_whole:
            yield from _elements(item)


def names_like(schedule: Schedule, word: str) -> Iterator[str]:
    """The tags that a pattern fits, and the inputs and outputs of blocks that somebody wrote; `[*]` at its end is no part of it."""
    pattern = pattern_of(word.removesuffix("[*]"))
    names = (*(tag.name for tag in schedule.tags), *(pin for pin in schedule.pins if _is_open(pin, word)))
    return (name for name in names if pattern.match(name))


def _is_open(pin: str, word: str) -> bool:
    """Whether a pattern may find the pin: an input or output (in capitals) of a block that somebody wrote."""
    return ("#" not in pin or "#" in word) and pin.rpartition(".")[2].isupper()


def _item(schedule: Schedule, units: Units, name: str) -> Item:
    if name in schedule.pins:
        return Item(name, units.as_tag(name), True)
    tag = schedule.tag(name)
    return Item(tag.name, tag, False)


def _elements(item: Item) -> Iterator[Item]:
    if not item.is_whole:
        yield item
        return
    for place in range(item.about.length):
        yield Item(f"{item.name}[{place + 1}]", item.about, item.is_pin, place)


class Watch:
    """A running site under watch. `look` takes one sample of everything; a restarted or changed scan is found again.

    `read` reads the site's files anew, None where they have mistakes.
    """

    def __init__(self, site: Onlooker, catalogue: Mapping[str, BlockType], words: Sequence[str], read: Callable[[], Site | None]):
        self._catalogue, self._words, self._read = catalogue, words, read
        self.courses: dict[str, Course] = {}
        self.items: list[Item] = []
        self._watch(site, choose(site.site.schedule, catalogue, words))
        self._reread_due = 0.0

    def _watch(self, site: Onlooker, items: list[Item]) -> None:
        self.site, self.items = site, items
        schedule = site.site.schedule
        self._pins = Pins(site.folder, onlooker.generation_of(schedule), schedule.pins)
        self.courses = {item.name: self.courses.get(item.name, Course()) for item in items}

    def look(self) -> list[Sample]:
        """Everything as it stands now."""
        self.site.refresh()
        if self.site.age > REREAD_S and time.monotonic() > self._reread_due:
            self._reread_due = time.monotonic() + REREAD_S
            self._follow()
        has_pins = self._pins.attach()
        arrays: dict[str, Any] = {}
        samples = [self._sample(item, has_pins, arrays) for item in self.items]
        for sample in samples:
            self.courses[sample.item.name].note(sample)
        return samples

    def _follow(self) -> None:
        """Go on with the program that runs now, where it is another one; what it does not have any more is left out."""
        try:
            Shared.attach(self.site.folder / SCAN_FILE, onlooker.generation_of(self.site.site.schedule))
            return
        except ImageError as error:
            if "another program" not in str(error):
                return
        read = self._read()
        if read is None:
            return
        site = Onlooker(read, self.site.file)
        if not site.refresh() and not (site.turn_to_running() and site.refresh()):
            return  # the scan is just starting
        items: list[Item] = []
        for word in self._words:
            try:
                items += [item for item in choose(site.site.schedule, self._catalogue, [word]) if item not in items]
            except UnknownNameError:
                continue
        self._watch(site, items)

    def _sample(self, item: Item, has_pins: bool, arrays: dict[str, Any]) -> Sample:
        whole = arrays.get(item.about.name)
        if whole is None:
            whole = self._value(item, has_pins)
            if item.about.length:
                arrays[item.about.name] = whole
        value = whole if item.element is None or whole is None else whole[item.element]
        if item.is_pin:
            is_live = has_pins and self.site.age < onlooker.STALE_S
            return Sample(item, value, quality.GOOD if is_live else quality.UNCERTAIN_LAST_USABLE, None)
        age = self.site.age_of(item.about)
        return Sample(item, value, self.site.quality(item.about), age)

    def _value(self, item: Item, has_pins: bool) -> Any:
        if not item.is_pin:
            return self.site.value(item.about)
        return self._pins.value(item.about.name) if has_pins else None
