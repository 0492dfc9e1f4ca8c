"""What a name of a program may stand for beside tags: an instance, a table of steps or modes, an expanded function block.

It must not know how names are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime.language.network import Feed, Node, Wire
from runtime.source import Text

if TYPE_CHECKING:
    from runtime.language.scope import Scope


@dataclass(slots=True, eq=False)
class Table:
    """A sequence or a mode table: what stands behind its dot, and where that comes from (`X` of a step is a Table in a Table)."""

    what: str
    members: dict[str, Wire | Table]
    at: Text


@dataclass(slots=True, eq=False)
class Expanded:
    """An instance of a function block defined in YAML, `copies` of it: each output is lowered when it is first asked for."""

    block: str
    copies: list[Scope]
    outputs: dict[str, Text]
    is_array: bool
    at: Text
    lowered: dict[tuple[int, str], Feed] = field(default_factory=dict)


Symbol = Node | Table | Expanded


def outputs_of(symbol: Symbol) -> list[str]:
    """The names that may follow its dot."""
    if isinstance(symbol, Node):
        return [p.name for p in symbol.block.outputs]
    return list(symbol.outputs if isinstance(symbol, Expanded) else symbol.members)


def described(symbol: Symbol) -> str:
    """The symbol in a sentence."""
    if isinstance(symbol, Node):
        return f"an instance of {symbol.block.name}"
    return f"an instance of {symbol.block}" if isinstance(symbol, Expanded) else symbol.what
