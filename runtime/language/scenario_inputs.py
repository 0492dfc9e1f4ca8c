"""Reads what a test gives: values and qualities of inputs, ramps, and time series from CSV. It must not know steps or programs."""

from __future__ import annotations

import csv
import re
import struct
from pathlib import Path
from typing import Any

from blocks.declare import TYPES
from runtime.language.network import inside
from runtime.language.numbered import cut_index
from runtime.language.quantities import QuantityError, in_unit, nanoseconds, quantity
from runtime.language.scenario import BAD, GOOD, STALE, Later, Ramp, Setting
from runtime.language.scenario_names import Names
from runtime.language.units import NUMBER, unit
from runtime.language.words import check_words, duration, nearest_unit, value_of
from runtime.model import Point, Tag
from runtime.source import Listing, Section, Text, place_of

QUALITIES = (BAD, STALE, GOOD)
_RAMP = re.compile(r"(?:from\s+(?P<start>\S.*?)\s+)?to\s+(?P<end>\S.*?)\s+in\s+(?P<over>\S.*)\Z")
_HEAD = re.compile(r"\s*(?P<name>[^\[\s]+(?:\[\d+\])?)\s*(?:\[(?P<unit>[^\]]+)\])?\s*\Z")


class Inputs:
    """What the devices of one site may give to one program's tests."""

    def __init__(self, names: Names, root: Path):
        self.names, self.root, self.report = names, root, names.report

    def tag(self, name: Text) -> tuple[Tag, list[Point]] | None:
        """The input of this name and its points, all or that of one element; a mistake is reported."""
        plain, index = cut_index(name)
        tag = self.names.tag(plain)
        if tag is None:
            self.names.found(name)  # reports it, with the name that was meant
            return None
        points = self.names.inputs.get(tag.name.lower(), [])
        if not points:
            how = "`write:` commands it" if tag.write else "the programs compute it: `expect:` looks at it"
            self.names.error(name, "E961", f"`{tag.name}` is no input: no device gives it", how)
            return None
        if index and index != "*":
            points = [point for point in points if point.element == int(index) - 1]
            if not points:
                self.names.error(
                    name, "E208", f"`{tag.name}` has elements 1 to {tag.length}" if tag.length else f"`{tag.name}` is no array"
                )
                return None
        return tag, points

    def setting(self, name: Text, value: Any) -> Setting | None:
        """`bms.soc: 5 %`, `bms.soc: bad`, `bms.cell_v: [3.2 V, ...]`; one value for an array is that of each element."""
        found = self.tag(name)
        if found is None:
            return None
        tag, points = found
        slots = tuple(point.slot for point in points)
        if isinstance(value, Text) and value.lower() in QUALITIES and value.lower() not in {n.lower() for _, n in tag.names}:
            return Setting(slots, (), value.lower(), str(name))
        values = list(value) if isinstance(value, Listing) else [value]
        if len(values) not in (1, len(slots)):
            self.report.error(place_of(value), "E205", f"`{name}` takes {len(slots)} values, not {len(values)}", "")
            return None
        bits = [self.bits(tag, one, str(name)) for one in values]
        if any(one is None for one in bits):
            return None
        whole = [one for one in bits if one is not None]
        return Setting(slots, tuple(whole * len(slots) if len(whole) == 1 else whole), GOOD, str(name))

    def bits(self, tag: Tag, value: Any, name: str) -> int | None:
        """The bits of a value as the inbox holds them; a mistake is reported."""
        number = self.number(tag, value, name)
        if number is None:
            return None
        return int(struct.unpack("<q", struct.pack("<d", number))[0]) if tag.type == "LREAL" else int(number)

    def number(self, tag: Tag, value: Any, name: str) -> Any:
        """A value in the tag's unit, an enumeration's by its text; a mistake is reported."""
        if isinstance(value, Text):
            named = {text.lower(): number for number, text in tag.names}
            if value.lower() in named:
                return named[value.lower()]
        measured = unit(tag.unit) if tag.unit else None
        return value_of(value, TYPES[tag.type], measured, name, self.report)

    def ramp(self, name: Text, value: Any) -> Ramp | None:
        """`pcs.v_dc: to 800 V in 2 s`, `bms.soc: from 50 % to 5 % in 10 s`; mistakes are reported."""
        found = self.tag(name)
        match = _RAMP.match(value) if isinstance(value, Text) else None
        if match is None:
            at = place_of(value, name.at)
            self.report.error(at, "E967", "a ramp is written `to 800 V in 2 s`", "", "or `from 0 V to 800 V in 2 s`")
            return None
        if found is None:
            return None
        tag, points = found
        if tag.type == "BOOL" or len(points) != 1:
            why = "a BOOL steps" if tag.type == "BOOL" else "name one element"
            self.names.error(name, "E967", f"`{name}` cannot rise in a straight line", why)
            return None
        parts = {
            word: Text(match[word], inside(value, match.start(word), len(match[word])))
            for word in ("start", "end", "over")
            if match[word]
        }
        over = duration(parts["over"], "in", self.report)
        start = self.number(tag, parts["start"], str(name)) if "start" in parts else None
        end = self.number(tag, parts["end"], str(name))
        if over is None or end is None or ("start" in parts and start is None):
            return None
        return Ramp(points[0].slot, start, float(end), over, tag.type == "LREAL", str(name))

    def series(self, value: Any, at: Text) -> tuple[Later, ...]:
        """A CSV file: a column `time`, and one of each input, `grid.frequency [Hz]`; each row holds until the next."""
        name = value.get("file") if isinstance(value, Section) else value
        if isinstance(value, Section):
            check_words(value, ("file",), "`play`", self.report)
        if not isinstance(name, Text):
            self.report.error(place_of(value, at.at), "E005", "`play` names a CSV file", "`play: programs/frequency.csv`")
            return ()
        try:
            rows = list(csv.reader((self.root / name).read_text(encoding="utf-8-sig").splitlines()))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self.names.error(name, "E968", f"the file {name} cannot be read: {error}", "", "paths are relative to the site's root")
            return ()
        return self._rows(name, rows)

    def _rows(self, name: Text, rows: list[list[str]]) -> tuple[Later, ...]:
        if len(rows) < 2 or not rows[0] or not rows[0][0].strip().lower().startswith("time"):
            self.names.error(name, "E968", f"the first line of {name} is no head", "`time [s],grid.frequency [Hz]`")
            return ()
        heads = [_HEAD.match(head) for head in rows[0]]
        described = [self._column(name, head, text) for head, text in zip(heads[1:], rows[0][1:], strict=True)]
        columns = [column for column in described if column is not None]
        if len(columns) < len(described):
            return ()
        measure = (heads[0]["unit"] if heads[0] else None) or "s"
        found: list[Later] = []
        for line, row in enumerate(rows[1:], 2):
            if not any(row):
                continue
            try:
                written = quantity(f"{row[0].strip()} {measure}")
                time = None if written is None else nanoseconds(written)
                settings = [
                    Setting((point.slot,), (self._bits(tag, cell, measured),), GOOD, tag.name)
                    for (tag, point, measured), cell in zip(columns, row[1:], strict=True)
                    if cell.strip()
                ]
            except (QuantityError, ValueError) as error:
                self.names.error(name, "E968", f"line {line} of {name} cannot be read: {error}")
                return ()
            if time is None:
                self.names.error(name, "E968", f"line {line} of {name} cannot be read: `{row[0]}` is no time", "")
                return ()
            if found and time < found[-1].time:
                self.names.error(name, "E962", f"time goes backwards in line {line} of {name}", "")
                return ()
            found.append(Later(time, tuple(settings)))
        return tuple(found)

    def _column(self, name: Text, head: re.Match[str] | None, text: str) -> tuple[Tag, Point, str] | None:
        if head is None:
            self.names.error(name, "E968", f"`{text}` is no head of a column", "`grid.frequency [Hz]`")
            return None
        found = self.tag(Text(head["name"], name.at))
        if found is None or len(found[1]) != 1:
            return None
        tag, measured = found[0], head["unit"] or ""
        target = unit(tag.unit) or NUMBER
        written = unit(measured) if measured else target
        if written is None or written.dims != target.dims:
            self.names.error(
                name, "E201", f"the column `{text}` is not in {target!r}", nearest_unit(measured) if written is None else ""
            )
            return None
        return tag, found[1][0], measured

    def _bits(self, tag: Tag, cell: str, measured: str) -> int:
        named = {"true": 1, "false": 0, **{text.lower(): number for number, text in tag.names}}
        if cell.strip().lower() in named:
            return named[cell.strip().lower()]
        found = quantity(f"{cell.strip()} {measured}".strip())
        number = in_unit(found, unit(tag.unit) or NUMBER) if found is not None else None
        if number is None:
            raise ValueError(f"`{cell}` is no value of {tag.name}")
        return int(struct.unpack("<q", struct.pack("<d", float(number)))[0]) if tag.type == "LREAL" else int(number)
