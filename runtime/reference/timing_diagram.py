"""The example of a block run in plain Python, and drawn as a timing diagram in text: one column a line of its scan table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from blocks.declare import BOOL, DINT, LREAL, TIME, BlockType, Pin, Type
from blocks.plain import Instance
from blocks.scan_table import Table

WIDTH = 110
LONGEST_CELL = 16
LEAD = 7  # what stands beside a pin's name


@dataclass(frozen=True)
class Column:
    """One line of a scan table: when its last scan begins (ns), how many scans it stands for, and what each of them showed."""

    time: int
    repeats: int
    values: tuple[dict[str, Any], ...]

    @property
    def last(self) -> dict[str, Any]:
        return self.values[-1]


@dataclass(frozen=True)
class Trace:
    """What a block showed while its example ran: the pins of the table's header, inputs first, and a column a line."""

    block: BlockType
    inputs: tuple[Pin, ...]
    outputs: tuple[Pin, ...]
    types: dict[str, Type]
    columns: tuple[Column, ...]


def trace(block: BlockType) -> Trace:
    """Run the block's example in plain Python. Raises ValueError for a block without one."""
    if block.example is None:
        raise ValueError(f"{block.name} has no example")
    table = Table(block, block.example)
    names = [name for name in (*table.lines[0].given, *table.lines[0].wanted) if name not in ("dt", "x")]
    pins = [pin for pin in map(block.pin, dict.fromkeys(names)) if pin is not None]
    instance = Instance(block, table.chosen, table.length)
    for name, value in table.params.items():
        setattr(instance, name, value)
    columns, seen, now = [], [], 0
    for i, scan in enumerate(table.scans):
        for name, value in scan.given.items():
            setattr(instance, name, value)
        instance.scan(scan.dt)
        now += scan.dt if i else 0
        seen.append({pin.name: _value(getattr(instance, pin.name)) for pin in pins})
        if scan.is_last:
            columns.append(Column(now, len(seen), tuple(seen)))
            seen = []
    wanted = table.lines[0].wanted
    inputs = tuple(pin for pin in pins if pin.name not in wanted)
    outputs = tuple(pin for pin in pins if pin.name in wanted)
    return Trace(block, inputs, outputs, {pin.name: table.type_of(pin.name) for pin in pins}, tuple(columns))


def diagram(block: BlockType, width: int = WIDTH) -> str:
    """The trace as text, folded at `width`: a BOOL is a waveform, everything else its value where it changes."""
    found = trace(block)
    cells = {pin.name: [shown(pin, found.types[pin.name], c.last[pin.name]) for c in found.columns] for pin in _shown(found)}
    head = [short_time(c.time) + (f" ×{c.repeats}" if c.repeats > 1 else "") for c in found.columns]
    widths = [
        max(3, len(head[i]), *(len(cells[p.name][i]) for p in _shown(found) if found.types[p.name] is not BOOL or p.length)) + 2
        for i in range(len(head))
    ]
    names = max(len(name) for name in (*cells, "time"))
    return "\n\n".join("\n".join(_strip(found, cells, head, widths, part, names)) for part in _folded(widths, width - names - LEAD))


def _shown(found: Trace) -> tuple[Pin, ...]:
    return found.inputs + found.outputs


def _folded(widths: Sequence[int], room: int) -> list[range]:
    """The columns in strips that fit."""
    parts, begun, used = [], 0, 0
    for i, width in enumerate(widths):
        if used + width > room and i > begun:
            parts.append(range(begun, i))
            begun, used = i, 0
        used += width
    return [*parts, range(begun, len(widths))]


def _strip(found: Trace, cells: dict[str, list[str]], head: list[str], widths: list[int], part: range, names: int) -> list[str]:
    lines = [f"     {'time':{names}}  " + "".join(f"{head[i]:{widths[i]}}" for i in part).rstrip()]
    for pin in _shown(found):
        lead = f"  {'->' if pin in found.outputs else '  '} {pin.name:{names}}  "
        if found.types[pin.name] is BOOL and not pin.length:
            upper, lower = _waveform([bool(c.last[pin.name]) for c in found.columns], widths, part)
            lines += [" " * len(lead) + upper.rstrip(), lead + lower.rstrip()]
        else:
            lines.append(lead + _held(cells[pin.name], widths, part))
    return lines


def _waveform(values: Sequence[bool], widths: Sequence[int], part: range) -> tuple[str, str]:
    """The two lines of a BOOL: `┌──┐` above, `┘  └` below; an edge stands where its column begins."""
    upper = lower = ""
    before = values[part.start - 1] if part.start else None
    for i in part:
        edge = before is not None and before != values[i]
        level = "─" * (widths[i] - (1 if edge else 0))
        blank = " " * len(level)
        if values[i]:
            upper, lower = upper + ("┌" if edge else "") + level, lower + ("┘" if edge else "") + blank
        else:
            upper, lower = upper + ("┐" if edge else "") + blank, lower + ("└" if edge else "") + level
        before = values[i]
    return upper, lower


def _held(cells: Sequence[str], widths: Sequence[int], part: range) -> str:
    """A value where it changes, and a line while it stays."""
    text = ""
    for i in part:
        stays = i > part.start and cells[i] == cells[i - 1]
        text += ("─" * widths[i] if stays else cells[i] + " " + "─" * (widths[i] - len(cells[i]) - 1))[: widths[i]]
    return text


def shown(pin: Pin, type: Type, value: Any) -> str:
    """A value as a person reads it: an enumeration by its name, a time with a unit, few digits."""
    if isinstance(value, list):
        text = "[" + ",".join(shown(pin, type, v) for v in value) + "]"
        return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
    if type is BOOL:
        return "1" if value else "0"
    if type is TIME:
        return short_time(int(value))
    if type is LREAL:
        return f"{float(value):.5g}"
    if type is DINT and pin.names and 0 <= int(value) < len(pin.names):
        return pin.names[int(value)]
    return str(int(value))


def short_time(ns: int) -> str:
    """`1.5s`, `20ms`: the largest unit that leaves a short number."""
    for size, unit in ((3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")):
        if abs(ns) >= size:
            return f"{ns / size:.4g}{unit}"
    return f"{ns}ns" if ns else "0"


def _value(value: Any) -> Any:
    return list(value.values) if hasattr(value, "values") else value
