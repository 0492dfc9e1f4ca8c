"""How a watch is shown: a live table on a terminal, and lines, JSON or CSV for a script. It reads no memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from runtime import columns, quality
from runtime.columns import Cell, Row
from runtime.model import Tag
from runtime.records_view import plain
from runtime.watch_view import Course, Item, Sample, Watch

HEADS = ("name", "value", "quality", "age", "min", "max", "course")
NOW = 4  # the first columns say how it is now
BARS = "▁▂▃▄▅▆▇█"
FRAME = 5  # lines of a terminal that are not rows of the table


def title(watch: Watch) -> str:
    """The site, its state, and which scan this is."""
    seen = watch.site
    return f"{seen.site.name}: {seen.state}, scan {seen.snapshot.scan}, outputs {seen.outputs}"


def rows(watch: Watch, samples: Sequence[Sample]) -> list[Row]:
    """One row a sample under HEADS."""
    return [_row(sample, watch.courses[sample.item.name]) for sample in samples]


def _row(sample: Sample, course: Course) -> Row:
    is_good = quality.is_good(sample.quality)
    about = sample.item.about
    counts = about.type == "BOOL" or bool(about.names)
    least, greatest = (
        ("", "") if counts or course.least is None else (_number(about, course.least), _number(about, course.greatest))
    )
    return (
        Cell(sample.item.name, "bold"),
        Cell(value_text(sample), "" if is_good else "dim"),
        Cell(quality.name(sample.quality), "" if is_good else "red" if quality.is_bad(sample.quality) else "yellow"),
        Cell("-" if sample.age is None else f"{sample.age * 1e3:.0f} ms" if sample.age < 10 else f"{sample.age:.0f} s"),
        Cell(least),
        Cell(greatest),
        Cell(sparkline(course.recent, is_bool=about.type == "BOOL"), "cyan"),
    )


def value_text(sample: Sample) -> str:
    """The value with its unit, the name of an enumeration's value, or how many an array has and how far they reach."""
    value, about = sample.value, sample.item.about
    if value is None:
        return "-"
    if not isinstance(value, list):
        return sample.text or with_unit(about, value)
    if about.type == "BOOL":
        return f"{sum(value)} of {len(value)} true"
    return f"[{len(value)}] {_number(about, min(value))} .. {with_unit(about, max(value))}"


def with_unit(about: Tag, value: Any) -> str:
    """`12.5 kW`, `true`, `250 ms`."""
    if about.type == "BOOL":
        return "true" if value else "false"
    return f"{_number(about, value)} {'' if about.type == 'TIME' else about.unit}".rstrip()


def _number(about: Tag, value: Any) -> str:
    if about.type == "TIME":
        return f"{value / 1e6:g} ms" if abs(value) < 1e9 else f"{value / 1e9:.6g} s"
    return f"{value:.6g}" if about.type == "LREAL" else f"{value:.0f}"


def sparkline(values: Sequence[float | None], *, is_bool: bool = False) -> str:
    """The latest values as bars between the least and the greatest of them, or false and true; a gap where there was none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = (0.0, 1.0) if is_bool else (min(known), max(known))
    if high == low:
        return "".join(" " if value is None else BARS[3] for value in values)
    step = (high - low) / (len(BARS) - 1)
    return "".join(" " if value is None else BARS[round((value - low) / step)] for value in values)


def as_text(watch: Watch, samples: Sequence[Sample]) -> str:
    """One look as a plain table, without what only a longer watch can tell."""
    return f"{title(watch)}\n\n{columns.plain(HEADS[:NOW], [row[:NOW] for row in rows(watch, samples)])}"


def table(watch: Watch, samples: Sequence[Sample], height: int) -> Any:
    """Everything that a terminal of this height has room for, as a rich renderable."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    room = max(1, height - FRAME)
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in HEADS:
        found.add_column(head, justify="right" if head in ("value", "age", "min", "max") else "left", no_wrap=True)
    for row in rows(watch, samples[:room]):
        found.add_row(*(Text(cell.text, style=cell.style) for cell in row))
    left_out = [Text(f"{len(samples) - room} more: a taller window or fewer names show them", style="dim")] * (len(samples) > room)
    return Group(Text(title(watch)), Text(""), found, *left_out)


def changed(samples: Sequence[Sample], before: dict[str, tuple[Any, int]]) -> Iterator[Sample]:
    """The samples with another value or quality than the last time; `before` keeps what was seen."""
    for sample in samples:
        now = (repr(sample.value), sample.quality)
        if before.get(sample.item.name) != now:
            before[sample.item.name] = now
            yield sample


def as_line(watch: Watch, sample: Sample) -> str:
    """Time, name, value and quality for a pipe."""
    return f"{_time(watch)}  {sample.item.name}  {value_text(sample)}  {quality.name(sample.quality)}"


def as_json(watch: Watch, sample: Sample) -> str:
    """One object on one line; `name` is there where the value is one of an enumeration."""
    value = [plain(one) for one in sample.value] if isinstance(sample.value, list) else plain(sample.value)
    facts: dict[str, Any] = {
        "time": _time(watch),
        "scan": watch.site.snapshot.scan,
        "state": watch.site.state,
        "tag": sample.item.name,
        "value": value,
        **({"name": sample.text} if sample.text else {}),
        "unit": sample.item.about.unit,
        "quality": quality.name(sample.quality),
        "good": quality.is_good(sample.quality),
        "age_s": None if sample.age is None else round(sample.age, 3),
    }
    return json.dumps(facts, ensure_ascii=False)


def csv_head(items: Sequence[Item]) -> str:
    """The columns: time, scan, and one for each name with its unit."""
    return _csv(["time", "scan", *(f"{item.name} [{item.about.unit}]" if item.about.unit else item.name for item in items)])


def as_csv(watch: Watch, samples: Sequence[Sample]) -> str:
    """One line a look; what is bad is empty."""
    return _csv([_time(watch), str(watch.site.snapshot.scan), *map(_bare, samples)])


def _bare(sample: Sample) -> str:
    if sample.value is None or quality.is_bad(sample.quality):
        return ""
    if sample.text:
        return sample.text
    values = sample.value if isinstance(sample.value, list) else [sample.value]
    return " ".join(("true" if one else "false") if isinstance(one, bool) else str(one) for one in values)


def _csv(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def _time(watch: Watch) -> str:
    """When the scan of these values began, in UTC."""
    return datetime.fromtimestamp(watch.site.snapshot.wall // 1000 / 1e6, UTC).isoformat(timespec="milliseconds")
