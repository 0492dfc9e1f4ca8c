"""Lists what tests may exercise: transitions of sequences, modes, alarms, permits, each with its place. It must not know tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runtime.language.scenario import Cell, Point
from runtime.model import Schedule
from runtime.source import NOWHERE, Listing, Section, Text, place_of

ANY = -1


def points_of(schedule: Schedule, sections: Mapping[str, Section]) -> tuple[Point, ...]:
    """Everything that the programs of these sections can go through, in the order in which they write it."""
    found: list[Point] = []
    for program, section in sections.items():
        found += [
            *_transitions(schedule, program, section),
            *_modes(schedule, program, section),
            *_permits(schedule, program, section),
        ]
    found += _alarms(schedule)
    return tuple(found)


def _transitions(schedule: Schedule, program: str, section: Section) -> Iterator[Point]:
    sequences = section.get("sequences")
    for name, steps in sequences.items() if isinstance(sequences, Section) else ():
        tag = schedule.tag(f"{program}.{name}")
        cell = Cell(tag.name, tag.type, tag.offset, tag.unit, tag.names)
        order = {step.lower(): number for number, step in enumerate(steps)}
        for step, words in steps.items():
            goto = words.get("goto") if isinstance(words, Section) else None
            for target in goto if isinstance(goto, Section) else ():
                yield Point(
                    "transition", f"{tag.name}: {step} -> {target}", cell, order[step.lower()], order[target.lower()], target.at
                )


def _modes(schedule: Schedule, program: str, section: Section) -> Iterator[Point]:
    modes = section.get("modes")
    if isinstance(modes, Section) and modes:
        tag = schedule.tag(f"{program}.mode")
        cell = Cell(tag.name, tag.type, tag.offset, tag.unit, tag.names)
        for number, name in enumerate(modes):
            yield Point("mode", f"{tag.name}: {name}", cell, ANY, number, name.at)


def _permits(schedule: Schedule, program: str, section: Section) -> Iterator[Point]:
    """Each permit that may trip an interlock, and its reset; where the program does not write them out, their numbers."""
    blocks = section.get("blocks")
    for group in schedule.groups:
        for instance in group.instances if group.block == "INTERLOCK" else ():
            if instance.partition(".")[0] != program:
                continue
            body = blocks.get(instance.partition(".")[2]) if isinstance(blocks, Section) else None
            written = body.get("PERMIT") if isinstance(body, Section) else None
            texts = list(written) if isinstance(written, Listing) and len(written) == group.length else []
            cell = Cell(f"{instance}.FIRST", "DINT", schedule.pins[f"{instance}.FIRST"][1])
            for number in range(1, group.length + 1):
                text = texts[number - 1] if texts else ""
                at = place_of(text, place_of(body, NOWHERE))
                shown = f" {text}" if isinstance(text, Text) else ""
                yield Point("permit", f"{instance}: {number}{shown}", cell, ANY, number, at)


def _alarms(schedule: Schedule) -> Iterator[Point]:
    """The alarms of programs; those that every device has by itself are the runtime's own."""
    for alarm in schedule.alarms:
        tag = schedule.tag(alarm.active)
        if tag.owner.startswith("program"):
            name = f"{alarm.name}.{alarm.limit}" if alarm.limit else alarm.name
            yield Point("alarm", name, Cell(tag.name, "BOOL", tag.offset), ANY, 1, alarm.at)
