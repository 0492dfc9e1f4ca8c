"""Turns `modes:` into FIRST_TRUE over the conditions and one MUX a column. It must not know types on wires."""

from __future__ import annotations

from runtime.language.lower import lower_value
from runtime.language.network import ALL, BROKEN, Draft, Feed, Listed, Literal, Node, Program, TagDraft, Wire
from runtime.language.outputs import add_write
from runtime.language.symbols import Table
from runtime.language.words import as_section
from runtime.source import Section, Text

MODE = "MODE"


def declare_mode_tag(section: Section, key: Text, program: Program, draft: Draft) -> None:
    """The tag `<program>.mode`: the number of the mode, with the modes' names."""
    names = tuple(enumerate(str(name) for name in section))
    tag = TagDraft(
        f"{program.name}.mode",
        draft.catalogue["MUX"].pin("K").element,  # type: ignore[union-attr,arg-type]
        text=f"Mode of the program {program.name}",
        owner=f"program {program.name}",
        names=names,
        at=key.at,
        is_read=True,
    )
    program.implicit["mode"] = draft.add_tag(tag)


def declare_modes(section: Section, key: Text, program: Program, draft: Draft) -> None:
    """The names that other lines may read: `modes.MODE` and one wire a column."""
    first = Node(f"{program.name}.modes", draft.catalogue["FIRST_TRUE"], key)
    members: dict[str, Wire | Table] = {MODE: Wire(first, first.block.outputs[0])}
    program.nodes.append(first)
    for column in _columns(section):
        mux = Node(f"{program.name}.modes.{column}", draft.catalogue["MUX"], column)
        program.nodes.append(mux)
        members[str(column)] = Wire(mux, mux.block.outputs[0])
    program.scope.define(key, Table("the mode table", members, key))


def _columns(section: Section) -> list[Text]:
    found: dict[str, Text] = {}
    for row in section.values():
        if isinstance(row, Section):
            for word in row:
                if word != "when":
                    found.setdefault(str(word), word)
    return list(found.values())


def read_modes(section: Section, key: Text, program: Program, draft: Draft) -> None:
    """The rows in order: the first whose `when` holds is the mode; the last has none."""
    table = program.scope.symbols.get("modes")
    if not isinstance(table, Table):
        return
    rows = [
        (name, row)
        for name, words in section.items()
        if (row := as_section(words, name.at, f"the mode `{name}`", draft.report)) is not None
    ]
    whens = _whens(rows, program, draft)
    columns = _columns(section)
    for name, row in rows:
        for column in columns:
            if column not in row:
                draft.report.error(
                    name.at,
                    "E501",
                    f"the mode `{name}` gives no `{column}`",
                    "every mode gives every column",
                    f"`{column}` is first given at {column.at.file}:{column.at.line}",
                )
    first = _node(table, MODE)
    first.feeds = {first.block.inputs[0].name: Listed(whens, key)}
    first.is_broken = not whens or BROKEN in whens
    for column in columns:
        mux = _node(table, str(column))
        values = [lower_value(row[column], program.scope, f"{mux.name}.{name}") if column in row else BROKEN for name, row in rows]
        k, array = (pin.name for pin in mux.block.inputs)
        mux.feeds = {k: Wire(first, first.block.outputs[0], ALL, ALL), array: Listed(values, column)}
        mux.is_broken = first.is_broken or BROKEN in values
    tag = program.implicit.get("mode")
    if tag is not None and not first.is_broken:
        add_write(tag, ALL, Wire(first, first.block.outputs[0], ALL, ALL), key, program)


def _node(table: Table, member: str) -> Node:
    wire = table.members[member]
    assert isinstance(wire, Wire)
    return wire.node


def _whens(rows: list[tuple[Text, Section]], program: Program, draft: Draft) -> list[Feed]:
    if not rows:
        return []
    for name, row in rows[:-1]:
        if "when" not in row:
            draft.report.error(
                name.at,
                "E501",
                f"the mode `{name}` has no `when`",
                "only the last mode has none: those below it would never be reached",
            )
    last, row = rows[-1]
    if "when" in row:
        draft.report.error(
            row.key_at("when"),
            "E501",
            f"the last mode `{last}` has a `when`",
            "what is the mode where none holds?",
            "the last mode is the one that is left, so it has no `when`",
        )
    if len(rows) == 1:
        return [Literal(True, last, 0, len(last))]
    return [
        lower_value(row["when"], program.scope, f"{program.name}.modes.{name}") if "when" in row else BROKEN
        for name, row in rows[:-1]
    ]
