"""Reads `blocks:`: instances of blocks and of function blocks written in YAML, and what feeds their pins.

It must not know types on wires.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from blocks.declare import INPUT, BlockType
from runtime.language.expression import KEYWORDS
from runtime.language.function_blocks import Definition, expand_ports, part_of
from runtime.language.lower import hidden, lower_value
from runtime.language.network import ALL, BROKEN, Broken, Feed, Node, Wire
from runtime.language.scope import Scope
from runtime.language.symbols import Expanded
from runtime.language.words import PLAIN_NAME, as_section, truth_of
from runtime.source import Section, Text, did_you_mean, place_of

WORDS = frozenset({"type", "count", "retain", "text"})
MOST = 1_000_000


@dataclass(slots=True)
class _Opened:
    """An instance that is declared and whose pins are still to be read."""

    symbol: Node | Expanded
    words: Section
    scope: Scope
    inner: list[list[_Opened]] = field(default_factory=list)  # the instances inside each copy of a function block


def read_instances(section: Section, scope: Scope) -> None:
    """All instances of a program: first every name, so that a pin may name an instance further down, then every pin."""
    _fill(_open(section, scope, ()))


def _open(section: Section, scope: Scope, inside_of: tuple[str, ...], inside_retained: bool = False) -> list[_Opened]:
    draft = scope.draft
    opened = []
    for name, words in section.items():
        body = words if isinstance(words, Section) else as_section(words, name.at, f"the block `{name}`", draft.report)
        if body is None or not _is_name(name, scope):
            continue
        kind = body.get("type")
        if not isinstance(kind, Text):
            draft.report.error(place_of(kind, name.at), "E007", f"the block `{name}` has no `type`", "`type: TON`")
            _define_broken(name, scope)
            continue
        count = _count(body, scope)
        retain = inside_retained or truth_of(body, "retain", draft.report)
        block = draft.catalogue.get(kind) or draft.catalogue.get(kind.upper())
        if block is not None:
            node = Node(scope.prefix + name, block, name, {}, count, retain=retain)
            if scope.define(name, node):
                scope.program.nodes.append(node)
                opened.append(_Opened(node, body, scope))
        elif kind.lower() in draft.function_blocks:
            opened += _open_function_block(name, kind, count, body, scope, inside_of, retain)
        else:
            known = [*draft.catalogue, *(text for _, text, _ in draft.function_blocks.values())]
            draft.report.error(
                kind.at, "E102", f"no block type named `{kind}`", did_you_mean(kind, known), "`bessplc blocks` lists the catalogue"
            )
            _define_broken(name, scope)
    return opened


def _is_name(name: Text, scope: Scope) -> bool:
    if PLAIN_NAME.match(name) and name.lower() not in KEYWORDS:
        return True
    scope.draft.report.error(
        name.at, "E106", f"`{name}` is no name for a block", "letters, digits and _, and no word of expressions"
    )
    return False


def _define_broken(name: Text, scope: Scope) -> None:
    """Enter an instance whose type is not known, so that reading it raises no second problem."""
    node = Node(scope.prefix + name, next(iter(scope.draft.catalogue.values())), name, is_broken=True)
    scope.define(name, node)


def _count(body: Section, scope: Scope) -> int:
    text = body.get("count")
    if text is None:
        return 0
    if isinstance(text, Text) and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= MOST:
        return int(text)
    scope.draft.report.error(place_of(text), "E010", f"`count` is a whole number from 1 to {MOST}", "")
    return 0


def _open_function_block(
    name: Text, kind: Text, count: int, body: Section, scope: Scope, inside_of: tuple[str, ...], retain: bool
) -> list[_Opened]:
    draft = scope.draft
    file, defined_as, section = draft.function_blocks[kind.lower()]
    draft.opened_blocks.add(kind.lower())
    if kind.lower() in inside_of:
        names = [draft.function_blocks[n][1] for n in inside_of[inside_of.index(kind.lower()) :]]
        chain = "".join(f"\n    │    ↓\n    │  {n}" for n in names[1:])
        draft.report.error(
            kind.at,
            "E502",
            f"the function block {defined_as} contains itself",
            "",
            f"each contains the next:\n    ┌─────┐\n    │  {names[0]}{chain}\n    └─────┘",
        )
        _define_broken(name, scope)
        return []
    definition = Definition(section, file, draft)
    symbol = Expanded(str(defined_as), [], definition.outputs, bool(count), name)
    if not scope.define(name, symbol):
        return []
    opened = _Opened(symbol, body, scope)
    for i in range(count or 1):
        prefix = f"{scope.prefix}{name}[{i + 1}]." if count else f"{scope.prefix}{name}."
        inner = Scope(draft, scope.program, prefix, {}, definition.ports())
        symbol.copies.append(inner)
        opened.inner.append(_open(definition.blocks, inner, (*inside_of, kind.lower()), retain))
    return [opened]


def _fill(opened: list[_Opened]) -> None:
    for one in opened:
        if isinstance(one.symbol, Node):
            _fill_node(one.symbol, one.words, one.scope)
        else:
            _fill_function_block(one.symbol, one)


def _fill_node(node: Node, words: Section, scope: Scope) -> None:
    block = node.block
    by_name = block._by_name
    feeds = node.feeds
    extra: list[tuple[Text, Feed]] = []
    for key, value in words.items():
        pin = by_name.get(key)
        if pin is not None and pin.kind == INPUT:
            feeds[pin.name] = lower_value(value, scope, f"{node.name}.{key}")
        elif key not in WORDS:
            if _is_operand(key, block):
                extra.append((key, lower_value(value, scope, f"{node.name}.{key}")))
            else:
                _no_pin(key, node, scope)
                node.is_broken = True
    for pin in () if node.is_broken else block.inputs:  # a pin that is written wrong is not missing as well
        if pin.required and pin.name not in feeds:
            scope.draft.report.error(
                node.at.at, "E301", f"`{node.at}`: the input `{pin.name}` of {block.name} must be wired", pin.doc
            )
            node.is_broken = True
    if extra and not node.is_broken:
        _chain(node, extra, scope)
    if any(feed.__class__ is Broken for feed in feeds.values()):
        node.is_broken = True


def _is_operand(key: Text, block: BlockType) -> bool:
    """Whether it is a third or later operand: `IN3` of an AND; `C` or `IN3` of an ADD."""
    if block.fold is None:
        return False
    if key.startswith("IN") and key[2:].isdecimal():
        return int(key[2:]) > 2
    return block.fold[0] == "A" and len(key) == 1 and "C" <= key <= "Z"


def _no_pin(key: Text, node: Node, scope: Scope) -> None:
    block = node.block
    inputs = [p.name for p in block.inputs]
    pin = block._by_name.get(key)
    if pin is not None:
        scope.draft.report.error(
            key.at,
            "E103",
            f"`{key}` is {'an output' if pin.kind == 'output' else 'a variable'} of {block.name}: only inputs can be wired",
            "",
            f"its inputs are {', '.join(inputs)}",
        )
        return
    close = key.upper() if key.upper() in inputs else ""
    hint = f"pins are written in capitals: `{close}`" if close else did_you_mean(key, inputs)
    scope.draft.report.error(key.at, "E103", f"{block.name} has no input `{key}`", hint, f"its inputs are {', '.join(inputs)}")


def _chain(node: Node, extra: list[tuple[Text, Feed]], scope: Scope) -> None:
    """A block with more than two operands: hidden ones before it take the first, it takes the last itself."""
    assert node.block.fold is not None
    first, second, out = node.block.fold
    operands = [node.feeds[first], node.feeds[second], *(feed for _, feed in extra)]
    left = operands[0]
    for operand in operands[1:-1]:
        link = hidden(scope, f"{node.name}#{node.block.name.lower()}", node.block.name, node.at)
        link.count = node.count
        link.feeds = {first: left, second: operand}
        link.is_broken = any(f.__class__ is Broken for f in (left, operand))
        left = Wire(link, node.block._by_name[out], ALL, ALL)
    node.feeds = {first: left, second: operands[-1]}


def _fill_function_block(symbol: Expanded, opened: _Opened) -> None:
    scope = opened.scope
    report = scope.draft.report
    ports = symbol.copies[0].ports if symbol.copies else {}
    inputs = [port.name for port in ports.values()]
    given: dict[str, Feed] = {}
    for key, value in opened.words.items():
        if key.lower() in ports and key not in WORDS:
            given[key.lower()] = lower_value(value, scope, f"{scope.prefix}{symbol.at}.{key}")
        elif key not in WORDS:
            report.error(
                key.at,
                "E103",
                f"{symbol.block} has no input `{key}`",
                did_you_mean(key, inputs),
                f"its inputs are {', '.join(inputs) or 'none'}",
            )
    for name, port in ports.items():
        if name not in given and port.feed is BROKEN:
            report.error(symbol.at.at, "E301", f"`{symbol.at}`: the input `{port.name}` of {symbol.block} must be wired", "")
    for i, (copy, inner) in enumerate(zip(symbol.copies, opened.inner, strict=True)):
        expand_ports(copy, {name: part_of(feed, i, len(symbol.copies) if symbol.is_array else 0) for name, feed in given.items()})
        _fill(inner)
