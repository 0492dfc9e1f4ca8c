"""What a name means in a test: a tag, a quality, a pin of any block, an alarm, a permit. It must not know values or times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from blocks.declare import BlockType
from runtime.language.network import inside
from runtime.language.numbered import cut_index
from runtime.language.scenario import SIZES, Cell
from runtime.model import Device, Point, Schedule, Tag
from runtime.source import Listing, Report, Section, Text, did_you_mean, nearest

GOOD = ".good"


class Names:
    """The names that the tests of one program may use; its own blocks, modes and sequences go without the program's name."""

    def __init__(
        self,
        schedule: Schedule,
        devices: tuple[Device, ...],
        catalogue: Mapping[str, BlockType],
        program: str,
        sections: Mapping[str, Section],
        report: Report,
    ):
        self.schedule, self.program, self.sections, self.report = schedule, program, sections, report
        self.devices = {device.name.lower(): device for device in devices}
        self.inputs: dict[str, list[Point]] = {}
        for device in devices:
            for point in (*device.inputs, *device.diagnostics):
                self.inputs.setdefault(point.tag.lower(), []).append(point)
        self._catalogue = catalogue
        self._blocks = {name: group.block for group in schedule.groups for name in group.instances}
        self._pins = {name.lower(): name for name in schedule.pins}
        self._lengths = {name: group.length for group in schedule.groups if group.block == "INTERLOCK" for name in group.instances}

    def tag(self, name: str) -> Tag | None:
        """The tag of this name, with or without the program's name before it."""
        for whole in (name, f"{self.program}.{name}"):
            try:
                return self.schedule.tag(whole)
            except KeyError:
                continue
        return None

    def error(self, text: Any, code: str, message: str, hint: str = "", *help: str, start: int = 0, width: int = 0) -> None:
        """A mistake in a part of a text, or in all of it."""
        self.report.error(inside(text, start, width or len(text)), code, message, hint, *help)

    def found(self, text: Text, start: int = 0, width: int = 0, name: str = "") -> Cell | None:
        """The cell of a name as written: a tag or one element of it, `tag.good`, or `instance.PIN`; a mistake is reported."""
        name = name or str(text)
        plain, index = cut_index(name)
        is_flag = name.lower().endswith(GOOD)
        tag = self.tag(name[: -len(GOOD)]) if is_flag else self.tag(plain)
        if tag is not None and is_flag:
            return Cell(f"{tag.name}{GOOD}", "BOOL", self.schedule.region.good + tag.index)
        if tag is not None:
            cell = Cell(tag.name, tag.type, tag.offset, tag.unit, tag.names, tag.kind == "input", tag.length)
            return self._element(cell, index, text, start, width)
        for whole in (plain, f"{self.program}.{plain}"):
            pin = self._pins.get(whole.lower()) or self._pins.get(name.lower())
            if pin is not None:
                type_name, offset, length = self.schedule.pins[pin]
                cell = Cell(pin, type_name, offset, self._unit_of(pin), (), False, length)
                return self._element(cell, index if pin.lower() == whole.lower() else "", text, start, width)
        self._unknown(name, text, start, width)
        return None

    def _element(self, cell: Cell, index: str, text: Text, start: int, width: int) -> Cell | None:
        if not index or index == "*":
            return cell
        if not cell.elements or not 1 <= int(index) <= cell.elements:
            what = f"has elements 1 to {cell.elements}" if cell.elements else "is no array"
            self.error(text, "E208", f"`{cell.name}` {what}", start=start, width=width)
            return None
        place = cell.offset + (int(index) - 1) * SIZES[cell.type]
        return Cell(f"{cell.name}[{index}]", cell.type, place, cell.unit, cell.names, cell.is_input)

    def _unit_of(self, pin: str) -> str | None:
        """The unit of a pin, None where it depends on what is wired to the block."""
        instance, _, name = pin.rpartition(".")
        block = self._blocks.get(instance)
        declared = self._catalogue[block].pin(name) if block else None
        return "" if declared is None else None if "{" in declared.unit else declared.unit

    def _unknown(self, name: str, text: Text, start: int, width: int) -> None:
        known = [tag.name for tag in self.schedule.tags]
        own = [tag.name.partition(".")[2] for tag in self.schedule.tags if tag.name.startswith(f"{self.program}.")]
        hint = did_you_mean(name, [*known, *own])
        if not hint and "." in name:
            hint = did_you_mean(name, [pin.removeprefix(f"{self.program}.") for pin in self._pins.values() if "#" not in pin])
        close = nearest(name, known, 1)
        tag = self.tag(close[0]) if close and hint else None
        where = (f"`{tag.name}` is defined at {tag.at.file}:{tag.at.line}",) if tag is not None and tag.at.line else ()
        what = "tag" if "." in name else "tag, mode or sequence"
        self.error(text, "E101", f"no {what} named `{name}`", hint, *where, start=start, width=width)

    def alarm(self, text: Text) -> list[Cell]:
        """The cells of an alarm: `not_ready`, `cell_hot.H`, or all limits of `cell_hot`; a mistake is reported."""
        name, _, limit = text.partition(".")
        alarms = {alarm.name.lower(): alarm.name for alarm in self.schedule.alarms}
        fitting = [a for a in self.schedule.alarms if a.name.lower() == name.lower()] or [
            a for a in self.schedule.alarms if a.name.lower() == text.lower()
        ]
        if not fitting:
            self.error(text, "E969", f"no alarm named `{name}`", did_you_mean(name, alarms.values()))
            return []
        chosen = [a for a in fitting if not limit or a.limit.lower() == limit.lower() or a.name.lower() == text.lower()]
        if not chosen:
            limits = [a.limit for a in fitting if a.limit]
            has = f"its limits are {', '.join(limits)}" if limits else "it has no limits"
            self.error(text, "E969", f"the alarm `{name}` has no limit `{limit}`", has)
        tags = [self.schedule.tag(a.active) for a in chosen]
        return [Cell(tag.name, "BOOL", tag.offset) for tag in tags]

    def permits(self, interlock: str) -> list[Text | None] | None:
        """The permits of an INTERLOCK as its program writes them, None each where that cannot be told; None for no interlock."""
        by_name = {name.lower(): name for name in self._lengths}
        name = by_name.get(interlock.lower()) or by_name.get(f"{self.program}.{interlock}".lower())
        if name is None:
            return None
        body = self._body(name)
        written = body.get("PERMIT") if isinstance(body, Section) else None
        texts = [one if isinstance(one, Text) else None for one in written] if isinstance(written, Listing) else []
        return texts if len(texts) == self._lengths[name] else [None] * self._lengths[name]

    def _body(self, instance: str) -> Any:
        """What is written of a block, also of one inside a function block: `racks.guard[1].tripped`."""
        program, *path = re.sub(r"\[\d+\]", "", instance).split(".")
        section: Any = self.sections.get(program)
        body: Any = None
        for name in path:
            blocks = section.get("blocks") if isinstance(section, Section) else None
            body = blocks.get(name) if isinstance(blocks, Section) else None
            section = self.sections.get(str(body.get("type"))) if isinstance(body, Section) else None
        return body

    def tripped(self, text: Text) -> tuple[Cell, list[Text | None]] | None:
        """The FIRST of an interlock and its permits; a mistake is reported."""
        permits = self.permits(text)
        if permits is None:
            known = [name.removeprefix(f"{self.program}.") for name in self._lengths]
            self.error(text, "E969", f"no interlock named `{text}`", did_you_mean(text, known), _list(known))
            return None
        for whole in (text, f"{self.program}.{text}"):
            pin = self._pins.get(f"{whole}.FIRST".lower())
            if pin is not None:
                return Cell(pin, "DINT", self.schedule.pins[pin][1]), permits
        return None


def _list(known: list[str]) -> str:
    return f"there are: {', '.join(known)}" if known else "there are none"
