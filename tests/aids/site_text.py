"""Sites written as text for tests: a driver that touches nothing, loading in one line, and a plain scan of a Schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blocks import catalogue
from blocks.declare import TYPES
from blocks.plain import Instance
from runtime.contract import Description, PointText
from runtime.language import load_text
from runtime.model import Described, Group, Schedule, Site
from runtime.source import Problem, Report, Section, SiteError, Text, place_of, render

MS = 1_000_000


class FakeDriver:
    """A driver's front: `at` is a tag's address, `count` makes it an array, `known` and `measured` are its type and unit."""

    DEVICE_WORDS: Mapping[str, str] = {"host": "where the device is"}
    INPUT_WORDS: Mapping[str, str] = {
        "at": "address",
        "count": "elements",
        "known": "type that the device gives",
        "measured": "its unit",
    }
    OUTPUT_WORDS: Mapping[str, str] = INPUT_WORDS
    ERRORS: Mapping[str, str] = {"timeout": "No answer in time", "refused": "The device answered with an exception"}
    CONDITIONS: Mapping[str, str] = {"suspended": "A register is suspended"}

    def describe(self, device: Section, points: Sequence[PointText], site: Section, root: Path, report: Report) -> Description:
        found: dict[str, Described] = {}
        for point in points:
            address = point.section.get("at")
            if not isinstance(address, Text):
                report.error(point.tag.at, "E671", f"`{point.tag}` has no `at`")
                continue
            count_text, known = str(point.section.get("count", "0")), str(point.section.get("known", ""))
            if not count_text.isdecimal() or len(count_text) > 4 or known not in ("", *TYPES):
                report.error(point.tag.at, "E672", f"`{point.tag}`: a wrong `count` or `known`")
                continue
            count = int(count_text)
            addresses = tuple(f"{address}+{i}" for i in range(count or 1))
            found[str(point.tag)] = Described(addresses, known, str(point.section.get("measured", "")), is_array=bool(count))
        return Description({"host": str(device.get("host", "")), "at": place_of(device)}, found)


DRIVERS = {"fake": FakeDriver()}
SITE = "tasks:\n  main: {interval: 10 ms, programs: [p]}\n"


def texts(program: str, tags: str = "", io: Mapping[str, str] | None = None, site: str = "", **more: str) -> dict[str, str]:
    """A site of one program `p`; `tags` are lines under `tags:`, `io` maps names to io_maps, `more` are further programs."""
    head = site or SITE
    if tags:
        head += "tags:\n" + "".join(f"  {line.strip()}\n" for line in tags.strip().splitlines())
    if io:
        head += f"io: [{', '.join(io)}]\n"
    found = {"config/site.yaml": head, "programs/p.yaml": program if program.startswith("program:") else f"program: p\n{program}"}
    found.update({f"io_maps/{name}.yaml": text for name, text in (io or {}).items()})
    found.update({f"programs/{name}.yaml": text for name, text in more.items()})
    return found


def load(program: str, tags: str = "", **more: Any) -> Site:
    """The site, loaded; a problem fails the test with its full text."""
    return load_all(texts(program, tags, **more))


def load_all(files: Mapping[str, str]) -> Site:
    """The site of these files; a problem fails the test with its full text."""
    try:
        return load_text(files, DRIVERS)[0]
    except SiteError as error:
        raise AssertionError("\n\n".join(map(str, error.problems))) from None


def problems_of(files: Mapping[str, str]) -> tuple[Problem, ...]:
    """All problems and warnings of a site."""
    try:
        return load_text(files, DRIVERS)[1]
    except SiteError as error:
        return error.problems


def said_about(files: Mapping[str, str], folder: Path) -> str:
    """What a person reads about these files, which are written into a folder so that the lines can be shown."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return render(problems_of(files), folder)


class PlainScan:
    """Runs a Schedule in plain Python, one block step after another: what the compiled engine must do with the same data."""

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        self.memory = schedule.initial.copy()
        self.count = 0
        self.blocks = catalogue()

    def scan(self) -> None:
        """One base tick: each due task, its copies and groups in order."""
        for task in self.schedule.tasks:
            if (self.count - task.phase) % task.every == 0:
                for pending, visible in task.pulses:
                    self.memory[visible], self.memory[pending] = self.memory[pending], 0
                for group in self.schedule.groups[task.group_from : task.group_to]:
                    self._copy(group.copy_from, group.copy_to)
                    self._run(group, task.every * self.schedule.tick)
                self._copy(task.copy_from, task.copy_to)
        self.count += 1

    def _copy(self, first: int, end: int) -> None:
        copies = self.schedule.copies
        for source, target, size in zip(copies.source[first:end], copies.target[first:end], copies.size[first:end], strict=True):
            repeats = source < target < source + size
            assert repeats or source + size <= target or target + size <= source, "a copy overlaps itself"
            block = self.memory[source : min(source + size, target) if repeats else source + size].copy()
            self.memory[target : target + size] = np.resize(block, size)

    def _run(self, group: Group, dt: int) -> None:
        block = self.blocks[group.block]
        chosen = TYPES[group.chosen] if group.chosen else None
        before = {}
        for pin, offset in zip(block.pins, group.columns, strict=True):
            if pin.kind == "input":
                type = chosen if chosen and not hasattr(pin.element, "code") else pin.element
                cells = group.rows * (1 if not pin.length else group.length if pin.length == "N" else int(pin.length))
                before[pin.name] = self.memory[offset : offset + cells * type.size].copy()
        for row in range(group.rows):
            instance = Instance(block, chosen, group.length)
            for pin, offset in zip(block.pins, group.columns, strict=True):
                view, length = self._cells(pin, chosen, offset, row, group)
                values = view.astype(bool) if view.dtype == np.uint8 else view
                setattr(instance, pin.name, list(values) if length else values[0])
            instance.scan(dt)
            for pin, offset in zip(block.pins, group.columns, strict=True):
                if pin.kind != "input":
                    view, length = self._cells(pin, chosen, offset, row, group)
                    value = getattr(instance, pin.name)
                    view[:] = list(value) if length else [value]
        for pin, offset in zip(block.pins, group.columns, strict=True):
            if pin.name in before:
                now = self.memory[offset : offset + before[pin.name].size]
                assert np.array_equal(now, before[pin.name]), f"{group.block} writes over its own input {pin.name}"

    def _cells(self, pin: Any, chosen: Any, offset: int, row: int, group: Group) -> tuple[np.ndarray, int]:
        type = chosen if chosen is not None and not hasattr(pin.element, "code") else pin.element
        length = 0 if not pin.length else group.length if pin.length == "N" else int(pin.length)
        start = offset + row * (length or 1) * type.size
        return self.memory[start : start + (length or 1) * type.size].view(type.code), length

    def __getitem__(self, name: str) -> Any:
        """A tag, or a pin by its full name."""
        type, offset, length = self._place(name)
        cells = self.memory[offset : offset + type.size * (length or 1)].view(type.code)
        values = [bool(v) if type.name == "BOOL" else v.item() for v in cells]
        return values if length else values[0]

    def __setitem__(self, name: str, value: Any) -> None:
        type, offset, length = self._place(name)
        self.memory[offset : offset + type.size * (length or 1)].view(type.code)[:] = value

    def _place(self, name: str) -> tuple[Any, int, int]:
        if name.endswith(".good"):
            tag = self.schedule.tag(name[:-5])
            return TYPES["BOOL"], self.schedule.region.good + tag.index, 0
        if name in self.schedule.pins:
            type, offset, length = self.schedule.pins[name]
            return TYPES[type], offset, length
        tag = self.schedule.tag(name)
        return TYPES[tag.type], tag.offset, tag.length

    def press(self, name: str) -> None:
        """What the command step does with a pulse: every task that reads it has it pending."""
        tag, commands = self.schedule.tag(name), self.schedule.commands
        first = commands.pulse[tag.index]
        for cell in commands.pulse_cells[first : first + commands.pulse_count[tag.index]]:
            self.memory[cell] = 1
