"""How a block is declared: its pins, their types and units, and its law.

This room knows arithmetic only. It must not know tags, buses, YAML, clocks or logging.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Type:
    """One of the five types that a wire may carry; `code` is its NumPy code in process memory."""

    name: str
    code: str
    size: int

    def __repr__(self) -> str:
        return self.name


BOOL = Type("BOOL", "u1", 1)
DINT = Type("DINT", "i4", 4)
LINT = Type("LINT", "i8", 8)
TIME = Type("TIME", "i8", 8)
LREAL = Type("LREAL", "f8", 8)
TYPES = {t.name: t for t in (BOOL, DINT, LINT, TIME, LREAL)}


@dataclass(frozen=True, slots=True)
class AnyType:
    """A type that each use of a block picks from `choices`; all pins of a block declared so pick the same one."""

    name: str
    choices: tuple[Type, ...]

    def __repr__(self) -> str:
        return self.name


ANY_INT = AnyType("ANY_INT", (DINT, LINT))
ANY_NUM = AnyType("ANY_NUM", (LREAL, DINT, LINT, TIME))
ANY = AnyType("ANY", (LREAL, DINT, LINT, TIME, BOOL))


@dataclass(frozen=True, slots=True)
class Array:
    """A fixed-length array on a wire: `length` is a number, or "N" where each instance brings its own."""

    of: Type | AnyType
    length: int | str

    def __repr__(self) -> str:
        return f"{self.of}[{self.length}]"


REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "required"})()

INPUT, OUTPUT, VAR = "input", "output", "var"


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a block's declaration.

    `unit` is a unit ("kW"), or names other pins in braces ("{IN}/s" is IN's unit per second). An input without a
    `default` must be wired. `names` are the texts of an enumeration's values 0, 1, 2 ... `default` is a number, or a
    tuple for an array. `difference` says that it is the distance of two such values: of temperatures in °C, kelvins.
    `volatile` says that it starts anew at every start, also where the instance is retained.
    """

    kind: str
    type: Type | AnyType | Array
    doc: str
    unit: str = ""
    default: Any = 0
    min: float | None = None
    max: float | None = None
    names: tuple[str, ...] = ()
    difference: bool = False
    volatile: bool = False
    name: str = ""

    @property
    def element(self) -> Type | AnyType:
        """The type of the pin, or of one element where it is an array."""
        return self.type.of if isinstance(self.type, Array) else self.type

    @property
    def length(self) -> int | str:
        """0 for a scalar, a number for a fixed array, "N" where the instance decides."""
        return self.type.length if isinstance(self.type, Array) else 0

    @property
    def required(self) -> bool:
        return self.kind == INPUT and self.default is REQUIRED


def Input(
    type: Type | AnyType | Array,
    doc: str,
    *,
    unit: str = "",
    default: Any = REQUIRED,
    min: float | None = None,
    max: float | None = None,
    names: tuple[str, ...] = (),
    difference: bool = False,
) -> Any:
    """An input pin. Unwired it is a parameter and keeps its `default`; without a default it must be wired."""
    return Pin(INPUT, type, doc, unit, default, min, max, names, difference)


def Output(
    type: Type | AnyType | Array,
    doc: str,
    *,
    unit: str = "",
    default: Any = 0,
    min: float | None = None,
    max: float | None = None,
    names: tuple[str, ...] = (),
    difference: bool = False,
    volatile: bool = False,
) -> Any:
    """An output pin; `default` is its value before the first scan, `min` and `max` hold for every input."""
    return Pin(OUTPUT, type, doc, unit, default, min, max, names, difference, volatile)


def Var(type: Type | AnyType | Array, doc: str, *, unit: str = "", default: Any = 0, volatile: bool = False) -> Any:
    """A variable that the instance keeps from scan to scan."""
    return Pin(VAR, type, doc, unit, default, volatile=volatile)


class Example:
    """A scan table that shows what a block does; `blocks/scan_table.py` says how one is written.

    The tests run it, plain and compiled, and `bessplc blocks` draws it as a timing diagram. `params` are the inputs that stay as
    they are, `length` is N, `chosen` the type where the block is declared over ANY.
    """

    def __init__(self, *, table: str, dt: str = "10ms", length: int = 0, chosen: Type | None = None, **params: Any):
        self.table, self.dt, self.length, self.chosen, self.params = table, dt, length, chosen, params


@dataclass(frozen=True, slots=True)
class BlockType:
    """A declared block: what the catalogue, the checker, the kernels and the documentation all read.

    `fold` names two inputs and an output of a block that takes any number of operands: `IN3` of an ADD is a second ADD.
    """

    name: str
    doc: str
    source: str
    pins: tuple[Pin, ...]
    step: Callable[..., None]
    module: str
    example: Example | None = None
    fold: tuple[str, str, str] | None = None
    _by_name: dict[str, Pin] = field(default_factory=dict, repr=False, compare=False)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def family(self) -> str:
        """The folder of `blocks/` that the block is in."""
        return self.module.split(".")[1] if "." in self.module else ""

    def pin(self, name: str) -> Pin | None:
        return self._by_name.get(name)

    def of_kind(self, kind: str) -> Iterator[Pin]:
        return (pin for pin in self.pins if pin.kind == kind)

    @property
    def inputs(self) -> tuple[Pin, ...]:
        return tuple(self.of_kind(INPUT))

    @property
    def outputs(self) -> tuple[Pin, ...]:
        return tuple(self.of_kind(OUTPUT))

    @property
    def any_type(self) -> AnyType | None:
        """The type that each use picks, where the block is declared over one."""
        return next((p.element for p in self.pins if isinstance(p.element, AnyType)), None)

    @property
    def has_length(self) -> bool:
        """Whether each instance brings an array length N."""
        return any(p.length == "N" for p in self.pins)


CATALOGUE: dict[str, BlockType] = {}


class DeclarationError(Exception):
    """A block is declared in a way that the rules of the house do not allow."""


def block(*, source: str, name: str = "", fold: tuple[str, str, str] | None = None) -> Callable[[type], Any]:
    """Declare a function block.

    `source` names the standard and clause, or the paper and equation, that the law is taken from. `name` is for
    blocks whose IEC name is a Python keyword or builtin.
    """

    def declare(cls: type) -> BlockType:
        declared = _declared(cls, name or cls.__name__, source, fold)
        if declared.name in CATALOGUE:
            raise DeclarationError(
                f"two blocks are named {declared.name}: in {CATALOGUE[declared.name].module} and {declared.module}"
            )
        CATALOGUE[declared.name] = declared
        return declared

    return declare


def _declared(cls: type, name: str, source: str, fold: tuple[str, str, str] | None) -> BlockType:
    doc = inspect.cleandoc(cls.__doc__ or "")
    if not doc:
        raise DeclarationError(f"block {name} has no docstring: say in one sentence what it does")
    if not source:
        raise DeclarationError(f"block {name} names no source")
    pins = tuple(_named(name, key, value) for key, value in vars(cls).items() if isinstance(value, Pin))
    twice = [a.name for a in pins for b in pins if a.name != b.name and a.name.lower() == b.name.lower()]
    if twice:
        raise DeclarationError(f"block {name}: {' and '.join(twice)} differ only in case, and names are compared without it")
    step = vars(cls).get("step")
    if step is None:
        raise DeclarationError(f"block {name} has no step")
    anys = {p.element for p in pins if isinstance(p.element, AnyType)}
    if len(anys) > 1:
        raise DeclarationError(f"block {name} is declared over {' and '.join(map(repr, anys))}: one is allowed")
    example = vars(cls).get("example")
    return BlockType(name, doc, source, pins, step, cls.__module__, example, fold, {p.name: p for p in pins})


def _named(block_name: str, name: str, pin: Pin) -> Pin:
    if not pin.doc:
        raise DeclarationError(f"{block_name}.{name} has no doc: say in one sentence what it carries")
    if pin.kind != VAR and name != name.upper():
        raise DeclarationError(f"{block_name}.{name}: inputs and outputs are named in upper case")
    default = pin.default
    if isinstance(default, tuple) and len(default) != pin.length:
        raise DeclarationError(f"{block_name}.{name}: {len(default)} defaults for {pin.length} elements")
    return replace(pin, name=name)
