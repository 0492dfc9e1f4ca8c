"""A program as a drawing: boxes with pins, what feeds each pin, what each output writes. Plain data, without places on the paper.

It reads the checked network of the office; it must not know SVG, layout or a running site.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

TAG, VALUE, MARK = "tag", "value", "mark"


@dataclass(frozen=True, slots=True)
class Chip:
    """A name or a value at the end of a short wire: a tag, a literal, or a mark (a value drawn elsewhere, or one scan old).

    `key` is what a running site is asked for: a tag's name, or a pin's path where the kind is `mark`; `element` counts from 1.
    `letters` is the room that its live value takes.
    """

    kind: str
    text: str
    title: str = ""
    key: str = ""
    element: int = 0
    is_good: bool = False
    letters: int = 10


@dataclass(frozen=True, slots=True)
class End:
    """The output of a box that a wire comes from."""

    box: str
    plug: int


@dataclass(slots=True)
class Socket:
    """One input pin as drawn: its label, what feeds it, and whether the value is negated on its way (the small circle)."""

    label: str
    path: str
    title: str
    source: End | Chip
    is_negated: bool = False


@dataclass(slots=True)
class Plug:
    """One output pin as drawn, and the tags that it writes."""

    label: str
    path: str
    title: str
    unit: str = ""
    writes: list[Chip] = field(default_factory=list)


@dataclass(slots=True)
class Box:
    """One instance. `kind`: block, operator (a part of an expression) or copy (a tag that takes what another says).

    `order` is its place in its task, from 1; `count` the instances of an array; `names` all instances that the box stands for.
    """

    name: str
    short: str
    type: str
    kind: str
    title: str
    order: int = 0
    count: int = 0
    inputs: list[Socket] = field(default_factory=list)
    outputs: list[Plug] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    defaults: str = ""
    defaults_title: str = ""

    @property
    def sources(self) -> Iterator[End]:
        """The outputs of other boxes that feed it."""
        return (socket.source for socket in self.inputs if isinstance(socket.source, End))


@dataclass(frozen=True, slots=True)
class Word:
    """A text in a table, and what tells its live value: a tag or a pin; `title` is shown where the pointer rests on it."""

    text: str
    title: str = ""
    key: str = ""
    kind: str = ""
    number: int = -1  # the word is lit where the live value is this number; -1: where it is true


@dataclass(slots=True)
class Grid:
    """A mode table or the alarms: heads and rows. `names` are the instances behind it."""

    name: str
    title: str
    heads: list[str]
    rows: list[list[Word]]
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Step:
    """A step of a sequence: what it does, and its transitions (target, condition)."""

    name: Word
    does: list[Word]
    moves: list[tuple[str, Word]]


@dataclass(slots=True)
class Chart:
    """A sequence. `names` are the instances behind it."""

    name: str
    title: str
    steps: list[Step]
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Drawing:
    """Everything that is drawn of one program."""

    program: str
    description: str
    task: str
    boxes: dict[str, Box]
    grids: list[Grid]
    charts: list[Chart]
