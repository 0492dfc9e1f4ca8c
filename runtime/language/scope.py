"""What a name means inside one program or function block: an instance's pin, a step's flag, a tag.

It must not know types on wires.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from blocks.declare import INPUT, OUTPUT, Pin
from runtime.language.network import ALL, BROKEN, Cell, Draft, Feed, Listed, Node, Port, Program, TagDraft, Wire, inside
from runtime.language.numbered import NumberError, cut_index, is_numbered, numbered
from runtime.language.symbols import Expanded, Symbol, Table, described, outputs_of
from runtime.source import Text, did_you_mean, nearest


@dataclass(slots=True, eq=False)
class Scope:
    """The names that one program or function block sees; `prefix` starts the full names of its instances."""

    draft: Draft
    program: Program
    prefix: str
    symbols: dict[str, Symbol] = field(default_factory=dict)  # by lower name
    ports: dict[str, Port] = field(default_factory=dict)  # inputs of a function block, by lower name

    def define(self, name: Text, symbol: Symbol) -> bool:
        """Enter a name; one that exists already is reported."""
        before = self.symbols.get(name.lower())
        if before is None and name.lower() not in self.ports:
            self.symbols[name.lower()] = symbol
            return True
        first = getattr(before, "at", None)
        where = (f"the first is at {first.at.file}:{first.at.line}",) if isinstance(first, Text) else ()
        self.draft.report.error(name.at, "E105", f"`{name}` is defined twice here", "names are compared without case", *where)
        return False

    def resolve(self, name: str, text: Text, start: int, last: bool = False) -> Feed:
        """What a name as written feeds; a mistake is reported and gives a broken feed."""
        head, dot, rest = name.partition(".")
        symbol = self.symbols.get(head) or self.symbols.get(head.lower())
        if symbol.__class__ is Node and dot:
            pin = symbol.block._by_name.get(rest)  # type: ignore[union-attr]
            if pin is not None and pin.kind == OUTPUT and not symbol.count:  # type: ignore[union-attr]
                return Wire(symbol, pin, ALL, ALL, last, text, start, len(name))  # type: ignore[arg-type]
        if "[" not in name:
            tag = self.draft.tags.get(name.lower())
            if tag is not None and symbol is None:
                tag.is_read = True
                return Cell(tag, ALL, False, last, text, start, len(name)) if tag.type is not None else BROKEN
        return _Resolving(self, name, text, start, last).feed()


@dataclass(slots=True)
class _Resolving:
    """One name on its way, with its place for the problem that it may become."""

    scope: Scope
    name: str
    text: Text
    start: int
    last: bool

    def feed(self) -> Feed:
        head, dot, rest = self.name.partition(".")
        plain, index = cut_index(head)
        symbol = self.scope.symbols.get(plain.lower())
        if symbol is not None and not dot:
            return self._error(
                f"`{self.name}` is {described(symbol)}: a value is one of its outputs",
                0,
                len(self.name),
                hint=f"`{self.name}.{next(iter(outputs_of(symbol)), 'OUT')}`?",
                code="E103",
            )
        if isinstance(symbol, Node):
            return self._node(symbol, index, rest, len(head) + 1)
        if isinstance(symbol, Expanded):
            return self._expanded(symbol, index, rest, len(head) + 1)
        if isinstance(symbol, Table):
            return self._table(symbol, rest, len(head) + 1)
        return self._port_or_tag(plain, index) if not dot else self._tag()

    def _error(self, message: str, start: int, width: int, hint: str = "", code: str = "E101", help: Iterable[str] = ()) -> Feed:
        self.scope.draft.report.error(inside(self.text, self.start + start, width), code, message, hint, *help)
        return BROKEN

    def _wire(self, node: Node, pin: Pin, row: int, element: int) -> Feed:
        if node.is_broken:
            return BROKEN
        return Wire(node, pin, row, element, self.last, self.text, self.start, len(self.name))

    def _node(self, node: Node, index: str, rest: str, offset: int) -> Feed:
        pin_name, element_text = cut_index(rest)
        pin = node.block._by_name.get(pin_name) or node.block._by_name.get(pin_name.upper())
        if pin is None or pin.kind != OUTPUT:
            tag = self.scope.draft.tags.get(self.name.lower())
            if tag is not None:
                return self._tag()
            if node.is_broken:
                return BROKEN
            outputs = [p.name for p in node.block.outputs]
            if pin is not None and pin.kind == INPUT:
                return self._error(
                    f"`{pin.name}` is an input of `{node.at}`",
                    offset,
                    len(rest),
                    "only outputs can be read",
                    "E103",
                    [f"the outputs of {node.block.name} are {', '.join(outputs)}: read what feeds `{pin.name}`"],
                )
            return self._error(
                f"{node.block.name} has no output `{pin_name}`",
                offset,
                len(rest),
                did_you_mean(pin_name, outputs),
                "E103",
                [f"its outputs are {', '.join(outputs)}"],
            )
        if not index and node.count:
            return self._error(
                f"`{node.at}` is {node.count} instances",
                0,
                offset - 1,
                f"write `{node.at}[*].{pin.name}` or `{node.at}[1].{pin.name}`",
                "E205",
            )
        row = self._index(index, node.count, f"`{node.at}`", offset - 1)
        if row is None:
            return BROKEN
        length = 0 if not pin.length else int(pin.length) if isinstance(pin.length, int) else 0
        element = self._index(element_text, length or (10**9 if pin.length else 0), f"`{pin.name}`", offset + len(pin_name))
        return BROKEN if element is None else self._wire(node, pin, row, element)

    def _index(self, text: str, length: int, what: str, offset: int) -> int | None:
        if text in ("", "*") and (length or not text):
            return ALL
        if not length:
            self._error(f"{what} is no array", offset, len(self.name) - offset, "", "E208")
            return None
        number = int(text) if len(text) < 10 else 10**9
        if not 1 <= number <= length:
            self._error(f"{what} has elements 1 to {length}, not {text}", offset, len(self.name) - offset, "", "E208")
            return None
        return number - 1

    def _expanded(self, symbol: Expanded, index: str, rest: str, offset: int) -> Feed:
        outputs = {name.lower(): name for name in symbol.outputs}
        found = outputs.get(rest.lower())
        if found is None:
            return self._error(
                f"{symbol.block} has no output `{rest}`",
                offset,
                len(rest),
                did_you_mean(rest, symbol.outputs),
                "E103",
                [f"its outputs are {', '.join(symbol.outputs)}"],
            )
        if not index and symbol.is_array:
            return self._error(
                f"`{symbol.at}` is {len(symbol.copies)} instances", 0, offset - 1, f"write `{symbol.at}[*].{found}`", "E205"
            )
        row = self._index(index, len(symbol.copies) if symbol.is_array else 0, f"`{symbol.at}`", offset - 1)
        if row is None:
            return BROKEN
        if row == ALL and symbol.is_array:
            return Listed([self._output(symbol, i, found) for i in range(len(symbol.copies))], self.text)
        return self._output(symbol, max(row, 0), found)

    def _output(self, symbol: Expanded, row: int, name: str) -> Feed:
        from runtime.language.lower import lower_value

        feed = symbol.lowered.get((row, name))
        if feed is None:
            symbol.lowered[(row, name)] = BROKEN  # an output that reads itself is found as a name that leads nowhere
            scope = symbol.copies[row]
            feed = symbol.lowered[(row, name)] = lower_value(symbol.outputs[name], scope, f"{scope.prefix}{name}")
        if self.last and isinstance(feed, Wire):
            return Wire(feed.node, feed.pin, feed.row, feed.element, True, self.text, self.start, len(self.name))
        return feed

    def _table(self, table: Table, rest: str, offset: int) -> Feed:
        place = offset
        for part in rest.split("."):
            members = {name.lower(): name for name in table.members}
            name = members.get(part.lower())
            if name is None:
                tag = self.scope.draft.tags.get(self.name.lower())
                if tag is not None:
                    return self._tag()
                return self._error(
                    f"{table.what} has no `{part}`",
                    place,
                    len(part),
                    did_you_mean(part, table.members),
                    "E103",
                    [f"it has {', '.join(table.members)}"],
                )
            member = table.members[name]
            if isinstance(member, Wire):
                return self._wire(member.node, member.pin, ALL, ALL)
            table = member
            place += len(part) + 1
        return self._error(
            f"`{self.name}` is {table.what}",
            0,
            len(self.name),
            f"`{self.name}.X` is true while it is active, `.T` the time in it",
            "E103",
        )

    def _port_or_tag(self, plain: str, index: str) -> Feed:
        port = self.scope.ports.get(plain.lower())
        if port is None:
            known = [str(getattr(s, "at", n)) for n, s in self.scope.symbols.items()] + [p.name for p in self.scope.ports.values()]
            return self._error(
                f"no value named `{self.name}`",
                0,
                len(self.name),
                did_you_mean(plain, known),
                "E104",
                ["a value is a quantity, a tag (`area.thing`), an output (`instance.PIN`) or an expression"],
            )
        if index not in ("", "*"):
            return self._error(f"`{self.name}`: an element of an input cannot be picked", 0, len(self.name), "", "E208")
        return port

    def _tag(self) -> Feed:
        name, good = (self.name[:-5], True) if self.name.lower().endswith(".good") else (self.name, False)
        plain, index = cut_index(name)
        tag = self.scope.draft.tags.get(plain.lower())
        if tag is None and is_numbered(plain):
            return self._all_numbered(plain, index, good)
        if tag is None:
            return self._no_tag(plain)
        return self._cell(tag, index, good, plain)

    def _all_numbered(self, plain: str, index: str, good: bool) -> Feed:
        """`rack[*].soc`: what each of the numbered tags says."""
        try:
            tags = numbered(plain, self.scope.draft)
        except NumberError as error:
            close = nearest(plain, (tag.name for tag in self.scope.draft.tags.values()), 1)
            hint = f"did you mean `{close[0]}`?" if close and str(error).startswith("no tags") else ""
            return self._error(str(error), 0, len(plain), hint, "E101" if hint else "E208")
        cells: list[Feed] = []
        for tag in tags:
            cells.append(self._cell(tag, index, good, plain))
            if cells[-1] is BROKEN:  # what is wrong with one is wrong with all: said once
                return BROKEN
        return Listed(cells, self.text)

    def _cell(self, tag: TagDraft, index: str, good: bool, plain: str) -> Feed:
        tag.is_read = True
        if tag.type is None:
            return BROKEN
        element = self._index("" if good else index, tag.length, f"`{tag.name}`", len(plain))
        return BROKEN if element is None else Cell(tag, element, good, self.last, self.text, self.start, len(self.name))

    def _no_tag(self, plain: str) -> Feed:
        tags = self.scope.draft.tags
        head = plain.partition(".")[0]
        close_names = nearest(plain, (tag.name for tag in tags.values()), 1)
        hint = f"did you mean `{close_names[0]}`?" if close_names else ""
        near = did_you_mean(head, (str(s.at) for s in self.scope.symbols.values()))
        close = tags[close_names[0].lower()] if close_names else None
        if close is None and near:
            return self._error(f"no tag and no instance named `{plain}`", 0, len(plain), near, "E104")
        where = [] if close is None or not close.at.line else [f"`{close.name}` is defined at {close.at.file}:{close.at.line}"]
        return self._error(f"no tag named `{plain}`", 0, len(plain), hint, "E101", where)
