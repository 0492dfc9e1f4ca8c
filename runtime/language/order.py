"""Puts a program's instances and tag writes in data-flow order, draws its loops, and gathers equal instances into few groups.

It must not know types, units or memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from blocks.declare import BlockType, Type
from runtime.language.network import ALL, Cell, Feed, Listed, Node, Port, Program, TagWrite, Wire, inside
from runtime.source import Position, Report, place_of

Step = Node | TagWrite


@dataclass(slots=True, eq=False)
class GroupDraft:
    """Instances of one block type that run at the same step of the data flow; layout fills in the rest."""

    block: BlockType
    chosen: Type | None
    length: int
    nodes: list[Node]
    step: int
    rows: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    copies: list[tuple[int, int, int]] = field(default_factory=list)
    early: list[tuple[int, int, int]] = field(default_factory=list)  # `last` copies that must be made before this group runs


def sources(feed: Feed, program: Program) -> Iterator[tuple[Step, Any]]:
    """What must have run in this scan before the feed may be read, and the feed that says so."""
    if feed.__class__ is Wire:
        if not feed.last:  # type: ignore[union-attr]
            yield feed.node, feed  # type: ignore[union-attr]
    elif isinstance(feed, Cell):
        if not feed.last and not feed.good:
            for write in feed.tag.writes:
                if write.program is program and (feed.element == ALL or write.element in (ALL, feed.element)):
                    yield write, feed
    elif isinstance(feed, Listed):
        for part in feed.feeds:
            yield from sources(part, program)
    elif isinstance(feed, Port):
        yield from sources(feed.settled or feed.feed, program)


def feeds_of(step: Step) -> Iterable[Feed]:
    """What an instance or a tag write reads."""
    return step.feeds.values() if isinstance(step, Node) else (step.feed,)


def link(program: Program) -> list[Step]:
    """Fill in who waits for whom; the steps that wait for nobody come back, in the order of the file."""
    steps: list[Step] = [*program.nodes, *program.writes]
    for step in steps:
        step.readers = []
    for place, node in enumerate(program.nodes):
        node.row = place
        waiting = 0
        for feed in node.feeds.values():
            if feed.__class__ is Wire:
                if not feed.last:  # type: ignore[union-attr]
                    feed.node.readers.append(node)  # type: ignore[union-attr]
                    waiting += 1
            else:
                for source, _ in sources(feed, program):
                    source.readers.append(node)
                    waiting += 1
        node.waiting = waiting
    for write in program.writes:
        write.waiting = 0
        for source, _ in sources(write.feed, program):
            source.readers.append(write)
            write.waiting += 1
    return [step for step in steps if not step.waiting]


def in_order(program: Program, report: Report) -> list[Step]:
    """All steps, each after what it reads. Loops are reported, and what stands in or behind one is left out."""
    ready = link(program)
    for step in ready:  # grows while it is walked
        for reader in step.readers:
            reader.waiting -= 1
            if not reader.waiting:
                ready.append(reader)
    everything: list[Step] = [*program.nodes, *program.writes]
    stuck = [step for step in everything if step.waiting > 0]
    if stuck:
        _report_loops(stuck, program, report)
    return ready


def _report_loops(stuck: list[Step], program: Program, report: Report) -> None:
    visited: set[int] = set()
    for start in stuck:
        path: list[tuple[Step, Any]] = []
        places: dict[int, int] = {}
        step = start
        while id(step) not in visited and id(step) not in places:
            places[id(step)] = len(path)
            before, feed = next((s, f) for f0 in feeds_of(step) for s, f in sources(f0, program) if s.waiting > 0)
            path.append((step, feed))
            step = before
        if id(step) in places:
            _draw(path[places[id(step)] :], report)
        visited.update(places)


def _draw(loop: list[tuple[Step, Any]], report: Report) -> None:
    """One loop, as arrows through its names. The path runs against the data flow, so it is drawn backwards."""
    first = min(range(len(loop)), key=lambda i: (_is_implied(loop[i][1]), _at(loop[i])))
    at = _at(loop[first])
    flow = [_name(loop[(first - i) % len(loop)][0]) for i in range(len(loop))]
    chain = "".join(f"\n    │    ↓\n    │  {name}" for name in flow[1:])
    what = "this feeds itself" if len(loop) == 1 else f"these {len(loop)} feed each other"
    report.error(
        at,
        "E303",
        f"{what} within one scan",
        "put `last` before one name of the loop",
        f"the loop is\n    ┌─────┐\n    │  {flow[0]}{chain}\n    └─────┘",
        "`last x` is the value of one scan ago: a loop needs one",
    )


def _at(part: tuple[Step, Any]) -> Position:
    step, feed = part
    return inside(feed.text, feed.start, feed.width) if feed.text is not None else place_of(step.at)


def _is_implied(feed: Any) -> bool:
    """Whether nobody wrote this wire as a name: it belongs to a sequence, or leads from a part of an expression."""
    return feed.text is None or (isinstance(feed, Wire) and "#" in feed.node.name)


def _name(step: Step) -> str:
    return step.name if isinstance(step, TagWrite) else step.name.partition(".")[2]


def gather(program: Program, first_step: int) -> list[GroupDraft | TagWrite]:
    """The program as few groups: of the kinds that are ready, one of which nothing is left to come runs first, else the largest.

    Tag writes cost no call, so each is made as soon as it can be. Running the largest set that is ready (list scheduling) is
    what turns a thousand equal channels of eight blocks into eight groups.
    """
    plan: list[GroupDraft | TagWrite] = []
    left: dict[Any, int] = {}
    for node in program.nodes:
        node.key = (node.block.name, node.chosen, node.length)
        left[node.key] = left.get(node.key, 0) + 1
    ready: dict[Any, list[Node]] = {}
    fresh: list[Step] = link(program)
    while True:
        for step in fresh:  # grows: a write may set others free
            if isinstance(step, Node):
                ready.setdefault(step.key, []).append(step)
            else:
                step.step = first_step + len(plan)
                plan.append(step)
                _release(step, fresh)
        if not ready:
            return plan
        key = next((k for k, nodes in ready.items() if len(nodes) == left[k]), None)
        if key is None:
            key = max(ready, key=lambda k: len(ready[k]))
        nodes = sorted(ready.pop(key), key=lambda n: n.row)
        left[key] -= len(nodes)
        group = GroupDraft(nodes[0].block, nodes[0].chosen, nodes[0].length, nodes, first_step + len(plan))
        plan.append(group)
        fresh = []
        for node in nodes:
            node.group = group
            _release(node, fresh)


def _release(step: Step, fresh: list[Step]) -> None:
    for reader in step.readers:
        reader.waiting -= 1
        if not reader.waiting:
            fresh.append(reader)
