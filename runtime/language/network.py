"""The site between text and schedule: drafts of tags, block instances, and what feeds their pins.

It must not know YAML or layout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from blocks.declare import BlockType, Pin, Type
from runtime.language.places import Filled
from runtime.language.quantities import Quantity
from runtime.language.units import Unit
from runtime.source import NOWHERE, Position, Report, Section, Text

if TYPE_CHECKING:
    from runtime.language.scope import Scope

ALL = -1  # every row of an instance array, or every element of an array


def inside(text: Any, start: int, width: int) -> Position:
    """Where a part of a scalar stands; the whole scalar where it spans lines."""
    while isinstance(text, Filled):
        start, width = text.back(start, width)
        text = text.source
    at: Position = getattr(text, "at", NOWHERE)
    if not at.line or at.width >= 1_000:
        return at
    return at.part(start + (1 if text.quoted else 0), max(1, width))


@dataclass(slots=True, eq=False)
class TagDraft:
    """A tag as declared. `type` is None where its declaration has a mistake: reading it then raises no second one."""

    name: str
    type: Type | None
    length: int = 0
    kind: str = "memory"
    unit: Unit | None = None
    text: str = ""
    minimum: float | None = None
    maximum: float | None = None
    default: Any = 0
    owner: str = ""
    write: str = ""
    pulse: bool = False
    retain: bool = False
    keeps: bool = False
    names: tuple[tuple[int, str], ...] = ()
    at: Position = NOWHERE
    index: int = -1
    offset: int = -1
    is_read: bool = False
    state_of: str = ""
    writes: list[TagWrite] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Literal:
    """A value that stands in the text: a quantity or a truth value."""

    value: Quantity | bool
    text: Any
    start: int
    width: int


@dataclass(slots=True, eq=False)
class Constant:
    """A checked literal: the numbers as the pin's column holds them."""

    values: tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Wire:
    """What another instance's output says; `row` counts from 0 in an instance array, `element` in an array pin."""

    node: Node
    pin: Pin
    row: int = ALL
    element: int = ALL
    last: bool = False
    text: Any = None
    start: int = 0
    width: int = 1


@dataclass(slots=True, eq=False)
class Cell:
    """What a tag says, or whether it is good."""

    tag: TagDraft
    element: int = ALL
    good: bool = False
    last: bool = False
    text: Any = None
    start: int = 0
    width: int = 1


@dataclass(slots=True, eq=False)
class Listed:
    """Several feeds in a row, for an array pin or an instance array."""

    feeds: list[Feed]
    text: Any = None


@dataclass(slots=True, eq=False)
class Port:
    """An input of a function block defined in YAML: what feeds it, brought to the declared type and unit first."""

    feed: Feed
    type: Type
    length: int
    unit: Unit | None
    name: str
    settled: Feed | None = None


@dataclass(slots=True, eq=False)
class Broken:
    """A feed with a mistake that was already reported."""


BROKEN = Broken()
Feed = Literal | Constant | Wire | Cell | Listed | Port | Broken


@dataclass(slots=True, eq=False)
class Node:
    """One block instance, or `count` of them; `name` is its full name, `dispatch.drive`."""

    name: str
    block: BlockType
    at: Any  # Text that names it
    feeds: dict[str, Feed] = field(default_factory=dict)
    count: int = 0  # 0 for a single instance
    chosen: Type | None = None
    length: int = 0
    units: dict[str, Unit | None] = field(default_factory=dict)
    retain: bool = False
    is_settled: bool = False
    is_broken: bool = False
    # while it is put in order and laid out
    waiting: int = 0
    readers: list[Any] = field(default_factory=list)
    key: Any = None
    group: Any = None
    row: int = 0

    @property
    def rows(self) -> int:
        return self.count or 1


@dataclass(slots=True, eq=False)
class TagWrite:
    """A program's line that writes a tag: `outputs:`, `do:`, or an implicit tag."""

    tag: TagDraft
    element: int
    feed: Feed
    at: Any  # Text that names the tag
    program: Program
    waiting: int = 0
    readers: list[Any] = field(default_factory=list)
    step: int = -1  # its place in the task
    copies: list[tuple[int, int, int]] = field(default_factory=list)  # source, target, bytes
    early: list[tuple[int, int, int]] = field(default_factory=list)  # `last` values that are saved before it

    @property
    def name(self) -> str:
        return self.tag.name if self.element == ALL else f"{self.tag.name}[{self.element + 1}]"


@dataclass(slots=True, eq=False)
class AlarmDraft:
    """An alarm as declared: the fields of `runtime.model.Alarm`, with the tags that say whether it is active and suppressed."""

    name: str
    active: TagDraft
    of: str
    limit: str
    severity: str
    text: str
    at: Position
    kind: str
    id: str
    source: str
    setpoint: str
    suppressed: TagDraft | None
    shelve: int
    is_latched: bool


@dataclass(eq=False)
class Program:
    """One program: its text, its instances and what it writes. One without a file is the runtime's own, which nobody is shown."""

    name: str
    file: str
    section: Section
    scope: Scope = None  # type: ignore[assignment]
    nodes: list[Node] = field(default_factory=list)
    writes: list[TagWrite] = field(default_factory=list)
    implicit: dict[str, TagDraft] = field(default_factory=dict)
    hidden: dict[str, int] = field(default_factory=dict)  # how often a hidden instance's name was given


@dataclass(eq=False)
class Draft:
    """Everything that is known while a site is read."""

    report: Report
    catalogue: dict[str, BlockType]
    tags: dict[str, TagDraft] = field(default_factory=dict)
    function_blocks: dict[str, tuple[str, Text, Section]] = field(default_factory=dict)  # lower name -> file, name, definition
    opened_blocks: set[str] = field(default_factory=set)  # those that an instance opened, by lower name
    programs: dict[str, Program] = field(default_factory=dict)
    alarms: list[AlarmDraft] = field(default_factory=list)

    def add_tag(self, tag: TagDraft) -> TagDraft:
        """Enter a tag; a second one of the same name is reported and left out."""
        key = tag.name.lower()
        before = self.tags.get(key)
        if before is None:
            self.tags[key] = tag
            return tag
        where = (
            f"`{before.name}` is defined at {before.at.file}:{before.at.line}"
            if before.at.line
            else f"`{before.name}` belongs to the runtime"
        )
        same = before.name == tag.name
        self.report.error(
            tag.at,
            "E105",
            f"a tag named `{tag.name}` exists already" if same else f"`{tag.name}` and `{before.name}` differ only in case",
            "" if same else "names are compared without case",
            where,
        )
        return tag
