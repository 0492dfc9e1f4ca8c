"""A test of programs as plain data: what is given over time, and what is expected of which cells. It must not know YAML.

A check is a short list of operations on a stack, so that it can be judged in every scan without Python: a load takes a cell
of process memory, a comparison leaves 1 or 0. All numbers are LREAL: whole numbers beyond 2**53 compare as the nearest one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from blocks import declare
from runtime.source import NOWHERE, Position

TYPES = ("BOOL", "DINT", "LINT", "TIME", "LREAL")
SIZES = {name: kind.size for name, kind in declare.TYPES.items()}
# The operations; each row of a check's code is (operation, first, second).
CONST, LOAD, ADD, SUB, MUL, DIV, NEG, ABS, MIN, MAX, LT, LE, GT, GE, EQ, NE, AND, OR, XOR, NOT = range(20)
DEEPEST = 64  # operands that may wait at once
Code = tuple[tuple[int, float, int], ...]  # CONST: its value; LOAD: offset in `second`, place of the type in TYPES in `first`
GOOD, BAD, STALE = "good", "bad", "stale"


@dataclass(frozen=True, slots=True)
class Cell:
    """One value in process memory that a test names: where it stands, and how it is shown."""

    name: str
    type: str
    offset: int
    unit: str | None = ""  # None: it depends on the wiring
    names: tuple[tuple[int, str], ...] = ()
    is_input: bool = False
    elements: int = 0  # 0 for a scalar


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: its code, its words and place in the YAML, and the cells that it looks at."""

    code: Code
    text: str
    at: Position
    cells: tuple[Cell, ...]
    wanted: bool = True


def depth(code: Iterable[tuple[int, float, int]]) -> int:
    """How many operands wait at once while this code is walked."""
    waiting = deepest = 0
    for operation, _, _ in code:
        if operation in (CONST, LOAD):
            waiting += 1
        elif operation not in (NEG, ABS, NOT):
            waiting -= 1
        deepest = max(deepest, waiting)
    return deepest


@dataclass(frozen=True, slots=True)
class Setting:
    """What a device gives from now on at these slots: values (bits of the widened cell), a quality, or both."""

    slots: tuple[int, ...]
    bits: tuple[int, ...] = ()
    quality: str = GOOD
    name: str = ""


@dataclass(frozen=True, slots=True)
class Ramp:
    """A straight line at one slot: from where it is, or from `start`, to `end` within `over` nanoseconds."""

    slot: int
    start: float | None
    end: float
    over: int
    is_real: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """A command of a service: the tag, its value, who sends it and with which role, and whether it must be refused."""

    tag: str
    element: int
    value: float | int | bool
    role: str
    service: str
    is_refused: bool
    at: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Link:
    """A device that is lost (its inputs are BAD), silent (it sends nothing more) or back."""

    device: str
    state: str  # lost, silent, back


@dataclass(frozen=True, slots=True)
class Later:
    """Settings that a time series gives at `time` nanoseconds after its step."""

    time: int
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: wait until `until` (since the start) or for `wait`, do, then expect: now, `within` or `during` a time.

    Times are nanoseconds; -1 stands for none.
    """

    at: Position
    until: int = -1
    wait: int = 0
    settings: tuple[Setting, ...] = ()
    ramps: tuple[Ramp, ...] = ()
    writes: tuple[Write, ...] = ()
    links: tuple[Link, ...] = ()
    series: tuple[Later, ...] = ()
    checks: tuple[Check, ...] = ()
    within: int = -1
    during: int = -1


@dataclass(frozen=True, slots=True)
class Scenario:
    """One named test: its steps in order, and what must hold in every scan of it. `clock` is the wall clock at its start."""

    name: str
    file: str
    at: Position
    steps: tuple[Step, ...]
    always: tuple[Check, ...] = ()
    clock: int = 0
    cells: tuple[Cell, ...] = ()  # what is shown around a failure

    @property
    def full_name(self) -> str:
        """`protection: the contactors close in order`, as `-k` looks for it."""
        return f"{self.program}: {self.name}"

    @property
    def program(self) -> str:
        """The program that it tests."""
        return self.file.rpartition("/")[2].removesuffix(".yaml").removesuffix(".test")


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a test may exercise: a transition, a mode, an alarm or a permit, and where it is written.

    It is exercised when the cell goes from `before` to `after`; -1 stands for any value.
    """

    sort: str
    name: str
    cell: Cell
    before: int
    after: int
    at: Position = NOWHERE


@dataclass(frozen=True)
class Scenarios:
    """All tests of a site, what they may exercise, and notes about files that were left out."""

    tests: tuple[Scenario, ...]
    points: tuple[Point, ...]
    notes: tuple[str, ...] = ()
