"""Writes the laid-out site into the hall's Schedule: tasks, groups, copies, and the tables of inputs, outputs and commands.

It must not know text or types on wires.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blocks.declare import BOOL
from runtime.language.alarms import alarm_model
from runtime.language.border import command_table, input_table, output_table
from runtime.language.layout import Layout
from runtime.language.memory import CopyList
from runtime.language.network import AlarmDraft, Program, TagDraft, TagWrite
from runtime.language.order import GroupDraft, gather
from runtime.language.pin_units import pin_type
from runtime.language.points import DeviceDraft
from runtime.model import (
    Group,
    Schedule,
    Tag,
    TagRegion,
    Task,
    Watchdog,
)
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA


@dataclass(slots=True)
class TaskDraft:
    """One task of the site: nanoseconds, and its programs in order."""

    name: str
    interval: int
    phase: int
    programs: list[Program]


def digest_of(texts: Mapping[str, str]) -> str:
    """SHA-256 over all texts and their names, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(texts):
        for part in (name.encode(), texts[name].encode("utf-8", "surrogatepass")):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()


def schedule(
    tags: Sequence[TagDraft],
    region: TagRegion,
    tasks: Sequence[TaskDraft],
    devices: Sequence[DeviceDraft],
    alarms: Sequence[AlarmDraft],
    watchdog: Watchdog,
    authority: TagDraft | None,
    texts: Mapping[str, str],
) -> Schedule:
    """Lay everything out. The tags have their places in the region already."""
    layout = Layout(region)
    copies = CopyList(region.size)
    tick = min((task.interval for task in tasks), default=10_000_000)
    groups: list[Group] = []
    pins: dict[str, tuple[str, int, int]] = {}
    laid = [_lay_task(task, tick, layout, copies, groups, pins) for task in tasks]
    _first_values(tags, region, layout)
    return Schedule(
        digest_of(texts),
        tick,
        region,
        layout.memory.image(),
        tuple(map(tag_model, tags)),
        tuple(laid),
        tuple(groups),
        copies.table(),
        input_table(devices),
        output_table(devices),
        command_table(tags, layout),
        watchdog,
        tuple(map(alarm_model, alarms)),
        -1 if authority is None else authority.offset,
        pins,
    )


def _lay_task(
    task: TaskDraft, tick: int, layout: Layout, copies: CopyList, groups: list[Group], pins: dict[str, tuple[str, int, int]]
) -> Task:
    layout.task = task.name
    first_group = len(groups)
    waiting: list[tuple[int, int, int]] = []  # tag writes since the last group
    step = 0
    for program in task.programs:
        plan = gather(program, step)
        step += len(plan)
        layout.program = program
        layout.place_outputs(plan)
        for group in plan:
            if isinstance(group, GroupDraft):
                layout.place_inputs(group)
            else:
                layout.place_write(group)
        for part in plan:
            if isinstance(part, TagWrite):
                waiting += part.early + part.copies
                continue
            start = len(copies)
            copies.extend(waiting + part.early + part.copies, start)
            waiting = []
            groups.append(_group(part, start, len(copies)))
            _name_pins(part, pins)
    start = len(copies)
    copies.extend(waiting, start)
    pulses = tuple(cells for (name, _), cells in layout.pulse_cells.items() if name == task.name)
    return Task(
        task.name,
        task.interval // tick,
        task.phase // tick,
        first_group,
        len(groups),
        start,
        len(copies),
        tuple(p.name for p in task.programs if p.file),
        pulses,
    )


def _group(group: GroupDraft, copy_from: int, copy_to: int) -> Group:
    names: list[str] = []
    for node in group.nodes:
        names += [f"{node.name}[{i + 1}]" for i in range(node.count)] if node.count else [node.name]
    columns = tuple([group.columns[pin.name] for pin in group.block.pins])
    return Group(
        group.block.name,
        group.chosen.name if group.chosen else "",
        group.rows,
        group.length,
        columns,
        copy_from,
        copy_to,
        tuple(names),
    )


def _name_pins(group: GroupDraft, pins: dict[str, tuple[str, int, int]]) -> None:
    for pin in group.block.pins:
        type = pin_type(group.nodes[0], pin)
        length = 0 if not pin.length else group.length if pin.length == "N" else int(pin.length)
        offset, step, name, type_name = group.columns[pin.name], type.size * (length or 1), pin.name, type.name
        for node in group.nodes:
            if node.count:
                for i in range(node.count):
                    pins[f"{node.name}[{i + 1}].{name}"] = (type_name, offset, length)
                    offset += step
            else:
                pins[f"{node.name}.{name}"] = (type_name, offset, length)
                offset += step


def _first_values(tags: Sequence[TagDraft], region: TagRegion, layout: Layout) -> None:
    """Defaults; and inputs have never been received, everything else is good."""
    for tag in tags:
        assert tag.type is not None
        layout.memory.fill(
            tag.offset, tag.type, tag.default if isinstance(tag.default, tuple) else [tag.default] * (tag.length or 1)
        )
    good = [int(tag.kind != "input") for tag in tags]
    layout.memory.fill(region.good, BOOL, good)
    for tag in tags:
        if tag.kind == "input":
            quality = BAD_WAITING_FOR_INITIAL_DATA.to_bytes(4, "little")
            layout.memory.fill(region.quality + 4 * tag.index, BOOL, list(quality))


def tag_model(tag: TagDraft) -> Tag:
    """The tag as everybody outside the office sees it."""
    assert tag.type is not None
    default = tag.default
    if tag.type is BOOL:
        default = tuple(map(bool, default)) if isinstance(default, tuple) else bool(default)
    return Tag(
        tag.name,
        tag.type.name,
        tag.length,
        tag.index,
        tag.offset,
        tag.kind,
        tag.unit.text if tag.unit else "",
        tag.text,
        tag.minimum,
        tag.maximum,
        default,
        tag.owner,
        tag.write,
        tag.pulse,
        tag.retain,
        tag.names,
        tag.at,
        tag.state_of,
    )
