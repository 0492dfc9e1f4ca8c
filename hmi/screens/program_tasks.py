"""How late and how long the scans are, step by step and task by task."""

from __future__ import annotations

import html
from typing import Any

from hmi.hall import Hall
from hmi.parts.values import has, value
from hmi.screens.program_histogram import histogram
from hmi.screens.program_words import cell, heads, micros, table, time_of
from hmi.texts import program as texts
from runtime.engine.image import ImageError
from runtime.engine.statistics import LATE, SCAN, Timing, timing
from runtime.model import Task
from runtime.servers.condition import statistics

ZERO_IS_WELL = frozenset({"plc.overruns", "plc.overruns_in_a_row", "plc.missed", "plc.bad_inputs", "plc.not_finite"})
NUMBERS = frozenset((*texts.COLUMNS.values(), texts.EVERY, texts.SHARE))


def tasks_html(hall: Hall) -> str:
    """The tab, or that no scan has left any figures."""
    picture = hall.picture
    picture.look()
    try:
        found = statistics(picture)
        words = picture.door.snapshot.statistics()
    except ImageError:
        return f'<p class="note">{texts.NO_SCAN}</p>'
    late, scan = timing(words, LATE), timing(words, SCAN)
    figures = histogram(words, LATE, late, texts.LATENESS) + histogram(words, SCAN, scan, texts.DURATION, hall.order.tick / 1e3)
    return f'<div class="beside">{_counters(hall)}<div class="figures live">{figures}</div></div>{_table(hall, found)}'


def _counters(hall: Hall) -> str:
    tick = f'<tr><th scope="row">{texts.TICK}</th><td>{time_of(hall.order.tick / 1e3)}</td></tr>'
    rows = "".join(
        f'<tr><th scope="row">{label}</th><td>{_counter(name)}</td></tr>' for label, name in texts.SCAN_ROWS if has(hall, name)
    )
    return f'<section class="panel counters"><h2>{texts.SCAN}</h2><table class="rows">{tick}{rows}</table></section>'


def _counter(name: str) -> str:
    """A value; what should be zero is marked by the style while it is not."""
    return value(name, should="0") if name in ZERO_IS_WELL else value(name)


def _table(hall: Hall, found: dict[str, Any]) -> str:
    tick = hall.order.tick / 1e3
    head = heads((texts.WHAT, texts.EVERY, *texts.COLUMNS.values(), texts.SHARE), NUMBERS)
    steps = "".join(_row(texts.STEPS.get(name, name), tick, row, "", name == "scan") for name, row in found["steps"].items())
    tasks = "".join(
        _row(texts.TASK.format(name=task.name), task.every * tick, found["tasks"][task.name], _of(task), True)
        for task in hall.order.tasks
    )
    return table("times", head, tasks + steps, texts.TIMING)


def _of(task: Task) -> str:
    return f"<small>{html.escape(', '.join(task.programs))}</small>"


def _row(name: str, every: float, row: dict[str, Any], more: str, has_limit: bool) -> str:
    numbers = "".join(
        cell(row[word] if word == "count" else micros(row[word]), "number")
        for word in texts.COLUMNS
        if word in Timing.__annotations__
    )
    share = _share(row["greatest"], every) if has_limit else "<td></td>"
    label = f'<th scope="row">{html.escape(name)} {more}</th>'
    return f"<tr>{label}{cell(time_of(every), 'number')}{numbers}{share}</tr>"


def _share(greatest: float, every: float) -> str:
    """The longest of all beside what there is time for."""
    share = greatest / every if every else 0.0
    over = " data-over" if share > 1 else ""
    bar = f'<span class="share"{over}><span style="width:{min(share, 1):.1%}"></span></span>'
    return f'<td class="number">{bar}{share:.0%}</td>'
