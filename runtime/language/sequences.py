"""Turns `sequences:` into SEQUENCE, ELAPSED and STEP_ACTIVE, IEC 61131-3's SFC in words. It must not know types on wires."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from runtime.language.lower import hidden, lower_value
from runtime.language.network import ALL, Broken, Draft, Feed, Listed, Literal, Node, Program, TagDraft, Wire
from runtime.language.outputs import add_write, write_tag
from runtime.language.quantities import Quantity
from runtime.language.symbols import Table
from runtime.language.words import PLAIN_NAME, as_section, check_words, texts_of
from runtime.source import Section, Text, did_you_mean

STEP_WORDS = ("do", "goto", "text")


def declare_sequence_tag(name: Text, steps: Section, program: Program, draft: Draft) -> None:
    """The tag `<program>.<sequence>`: the number of the active step, with the steps' names."""
    names = tuple(enumerate(str(step) for step in steps))
    tag = TagDraft(
        f"{program.name}.{name}",
        draft.catalogue["SEQUENCE"].pin("STEP").element,  # type: ignore[union-attr,arg-type]
        text=f"Active step of {name}",
        owner=f"program {program.name}",
        names=names,
        at=name.at,
        is_read=True,
    )
    program.implicit[f"sequence {name}"] = draft.add_tag(tag)


def declare_sequence(name: Text, steps: Section, program: Program, draft: Draft) -> None:
    """The names that other lines may read: `contactors.STEP`, `contactors.closed.X`, `contactors.closed.T`."""
    chart = Node(f"{program.name}.{name}", draft.catalogue["SEQUENCE"], name)
    program.nodes.append(chart)
    members: dict[str, Wire | Table] = {pin.name: Wire(chart, pin) for pin in chart.block.outputs}
    for number, step in enumerate(steps):
        if not PLAIN_NAME.match(step) or step.upper() in members:
            draft.report.error(step.at, "E106", f"`{step}` is no name for a step", "")
            continue
        node = Node(f"{program.name}.{name}.{step}", draft.catalogue["STEP_ACTIVE"], step)
        active, place, time = (pin.name for pin in node.block.inputs)
        node.feeds = {active: _output(chart, "STEP"), place: _whole(number, step), time: _output(chart, "T")}
        program.nodes.append(node)
        members[str(step)] = Table(f"the step `{step}`", {pin.name: Wire(node, pin) for pin in node.block.outputs}, step)
    program.scope.define(name, Table(f"the sequence `{name}`", members, name))


def _output(node: Node, pin: str, last: bool = False) -> Wire:
    return Wire(node, node.block._by_name[pin], ALL, ALL, last)


def _whole(number: int, at: Any) -> Literal:
    return Literal(Quantity(Fraction(number), None, True), at, 0, len(at))


def read_sequence(name: Text, steps: Section, program: Program, draft: Draft) -> None:
    """The steps of one sequence: what each does, and where it may go."""
    table = program.scope.symbols.get(name.lower())
    if not isinstance(table, Table) or table.at is not name:
        return
    chart = table.members["STEP"]
    assert isinstance(chart, Wire)
    order = {step.lower(): number for number, step in enumerate(steps)}
    elapsed = hidden(program.scope, f"{program.name}.{name}#elapsed", "ELAPSED", name)
    elapsed.feeds = {elapsed.block.inputs[0].name: _output(chart.node, "T", last=True)}
    time = Wire(elapsed, elapsed.block.outputs[0], ALL, ALL)
    moves: list[tuple[Feed, int, int]] = []
    does: dict[str, list[tuple[Text, Wire]]] = {}
    for number, (step, words) in enumerate(steps.items()):
        body = as_section(words, step.at, f"the step `{step}`", draft.report)
        if body is None:
            continue
        check_words(body, STEP_WORDS, "a step", draft.report)
        _read_do(body, table.members.get(str(step)), does, draft)
        moves += _read_goto(body, number, order, f"{program.name}.{name}.{step}", time, steps, program, draft)
    _check_reached(order, moves, steps, draft)
    _wire_chart(chart.node, moves, name, draft)
    for tags in does.values():
        _write_do(tags, program, draft)
    tag = program.implicit.get(f"sequence {name}")
    if tag is not None and not chart.node.is_broken:
        add_write(tag, ALL, _output(chart.node, "STEP"), name, program)


def _read_do(body: Section, step: Wire | Table | None, does: dict[str, list[tuple[Text, Wire]]], draft: Draft) -> None:
    for tag in texts_of(body, "do", draft.report):
        if isinstance(step, Table):
            active = step.members["X"]
            assert isinstance(active, Wire)
            does.setdefault(tag.lower(), []).append((tag, active))


def _read_goto(
    body: Section, number: int, order: dict[str, int], owner: str, time: Wire, steps: Section, program: Program, draft: Draft
) -> list[tuple[Feed, int, int]]:
    goto = body.get("goto")
    if goto is None:
        return []
    found = []
    for target, condition in (as_section(goto, body.key_at("goto"), "`goto`", draft.report) or Section()).items():
        place = order.get(target.lower())
        feed = lower_value(condition, program.scope, f"{owner}.{target}", time)
        if place is None:
            draft.report.error(
                target.at, "E108", f"no step named `{target}`", did_you_mean(target, steps), f"the steps are {', '.join(steps)}"
            )
        else:
            found.append((feed, number, place))
    return found


def _check_reached(order: dict[str, int], moves: list[tuple[Feed, int, int]], steps: Section, draft: Draft) -> None:
    """Warn of steps that no chain of gotos reaches from the first."""
    reached = {0}
    while True:
        more = {target for _, source, target in moves if source in reached} - reached
        if not more:
            break
        reached |= more
    for number, step in enumerate(steps):
        if number not in reached:
            draft.report.warn(step.at, "W803", f"no `goto` leads to the step `{step}`", "")


def _wire_chart(chart: Node, moves: list[tuple[Feed, int, int]], name: Text, draft: Draft) -> None:
    if not moves:
        draft.report.error(
            name.at, "E007", f"the sequence `{name}` has no `goto`", "a step says where it may go: `goto: {closed: bms.main_fb}`"
        )
        chart.is_broken = True
        return
    go, source, target = (pin.name for pin in chart.block.inputs)
    chart.feeds = {
        go: Listed([feed for feed, _, _ in moves], name),
        source: Listed([_whole(s, name) for _, s, _ in moves], name),
        target: Listed([_whole(t, name) for _, _, t in moves], name),
    }
    chart.is_broken = any(feed.__class__ is Broken for feed, _, _ in moves)


def _write_do(tags: list[tuple[Text, Wire]], program: Program, draft: Draft) -> None:
    """A tag is true while any step that names it is active: one writer, whatever the number of steps."""
    first, wire = tags[0]
    feed: Feed = Wire(wire.node, wire.pin, ALL, ALL)
    for _, active in tags[1:]:
        either = hidden(program.scope, f"{program.name}.{first}#or", "OR", first)
        a, b = (pin.name for pin in either.block.inputs)
        either.feeds = {a: feed, b: Wire(active.node, active.pin, ALL, ALL)}
        feed = Wire(either, either.block.outputs[0], ALL, ALL)
    write_tag(first, feed, program, draft)
