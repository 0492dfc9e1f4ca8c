"""Draws the mode table, the alarms and the sequences of a program beneath its boxes. It must not know boxes or wires."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from runtime.graph import TAG, Chart, Drawing, Grid, Step, Word
from runtime.graph_paper import width_of

ROW, PAD, CAPTION = 22, 8, 14
BETWEEN, WIDEST = 42, 1500
LONGEST = 72  # letters of a cell
STEP_HEIGHT, MOVE, DO_GAP = 24, 24, 18


def draw_tables(drawing: Drawing, values: Any, x: int, y: int) -> tuple[list[str], int, int]:
    """All tables from this place on, side by side where they fit; the width and height that they take."""
    lines: list[str] = []
    at_x, at_y, tallest, widest = x, y, 0, 0
    tables: list[Chart | Grid] = [*drawing.charts, *drawing.grids]
    for table in tables:
        drawn, width, height = (_chart if isinstance(table, Chart) else _grid)(table, values, 0, 0)  # type: ignore[arg-type]
        if at_x > x and at_x + width > WIDEST:
            at_x, at_y, tallest = x, at_y + tallest + BETWEEN, 0
        names = escape(" ".join(table.names))
        lines += [f'<g class="table" data-instances="{names}" transform="translate({at_x},{at_y})">', *drawn, "</g>"]
        at_x, tallest = at_x + width + BETWEEN, max(tallest, height)
        widest = max(widest, at_x - x - BETWEEN)
    return lines, widest, at_y + tallest - y if lines else 0


def marks_of(shown: Any, *more: tuple[str, Any]) -> str:
    """The attributes by which a live page finds what a value stands at; none of a picture with values."""
    if shown is None or not shown.marks:
        return ""
    return "".join(f' data-{word}="{escape(str(said))}"' for word, said in (*shown.marks, *more))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _lit(word: Word, values: Any) -> str:
    shown = values.of_word(word) if values is not None else None
    return " lit" if shown is not None and shown.state == "on" else ""


def _marked(word: Word, values: Any, when: Word | None = None) -> str:
    return marks_of(values.of_word(word, when)) if values is not None else ""


def _titled(word: Word, values: Any) -> str:
    shown = values.of_word(word) if values is not None else None
    value = shown.text if shown is not None and not shown.marks else ""
    said = "\n".join(text for text in (word.title or word.text, value) if text)
    return f"<title>{escape(said)}</title>"


def _text(word: Word, x: int, y: int, values: Any, kind: str = "", when: Word | None = None) -> str:
    key = f' data-tag="{escape(word.key)}"' if word.kind == TAG and word.key else ""
    key += _marked(word, values, when)
    return f'<text class="{kind}{_lit(word, values)}"{key} x="{x}" y="{y}">{escape(_cut(word.text))}{_titled(word, values)}</text>'


# --- modes and alarms ---------------------------------------------------------------------------------------------------


def _grid(grid: Grid, values: Any, x: int, y: int) -> tuple[list[str], int, int]:
    """A table with heads; the mode that is in force, and an alarm that is active, is lit."""
    columns = list(zip(*([Word(head) for head in grid.heads], *grid.rows), strict=True))
    widths = [max(width_of(_cut(word.text)) for word in column) + 2 * PAD for column in columns]
    lines = [f'<text class="caption" x="{x}" y="{y - 6 + CAPTION}">{escape(grid.title)}</text>']
    top = y + CAPTION + 4
    tags = " ".join(word.key for row in grid.rows for word in row if word.kind == TAG)
    lines.append(f'<g data-tags="{escape(tags)}">')
    lines += _row([Word(head) for head in grid.heads], widths, x, top, None, "heads", "headtext")
    for number, row in enumerate(grid.rows, 1):
        lines += _row(row, widths, x, top + ROW * number, values, "alarm cell" if grid.name == "alarms" else "cell", "")
    return [*lines, "</g>"], sum(widths), CAPTION + 4 + ROW * (len(grid.rows) + 1)


def _row(words: list[Word], widths: list[int], x: int, y: int, values: Any, cell: str, kind: str) -> Iterable[str]:
    for word, width in zip(words, widths, strict=True):
        place = f'x="{x}" y="{y}" width="{width}" height="{ROW}"'
        yield f'<rect class="{cell}{_lit(word, values)}"{_marked(word, values)} {place}/>'
        yield _text(word, x + PAD, y + 15, values, kind)
        x += width


# --- sequences ----------------------------------------------------------------------------------------------------------


def _chart(chart: Chart, values: Any, x: int, y: int) -> tuple[list[str], int, int]:
    """Steps from top to bottom, what each does at its right, its transitions beneath: a bar, the condition, the next step."""
    lines = [f'<text class="caption" x="{x}" y="{y - 6 + CAPTION}">{escape(chart.title)}</text>']
    body = max([width_of(step.name.text) for step in chart.steps], default=60) + 28
    top = y + CAPTION + 10
    right = width_of(chart.title)
    for number, step in enumerate(chart.steps):
        is_asked = bool(_lit(step.name, values) or _marked(step.name, values))  # only an active step asks
        is_last = number + 1 == len(chart.steps)
        lines += _step(step, number == 0, x, top, body, values)
        spine = x + body // 2
        end = top + STEP_HEIGHT + MOVE * len(step.moves)
        if step.moves:
            falls = not is_last and any(target.lower() == chart.steps[number + 1].name.text.lower() for target, _ in step.moves)
            foot = end + 12 if falls else end - MOVE // 2
            lines.append(f'<path class="spine" d="M{spine} {top + STEP_HEIGHT}V{foot}"/>')
        for place, (target, word) in enumerate(step.moves):
            at = top + STEP_HEIGHT + MOVE * place + MOVE // 2
            lines.append(f'<path class="bar" d="M{spine - 8} {at}H{spine + 8}"/>')
            lines.append(_text(word, spine + 16, at + 4, values if is_asked else None, when=step.name))
            told = spine + 16 + width_of(_cut(word.text)) + 12
            lines.append(f'<text class="target" x="{told}" y="{at + 4}">→ {escape(target)}</text>')
            right = max(right, told - x + width_of(f"→ {target}"))
        right = max(right, body + sum(width_of(word.text) + 12 + DO_GAP for word in step.does))
        top = end + 12
    return lines, right, top - 12 - y


def _step(step: Step, is_first: bool, x: int, y: int, width: int, values: Any) -> Iterable[str]:
    lit = _lit(step.name, values)
    yield f'<rect class="step{lit}"{_marked(step.name, values)} x="{x}" y="{y}" width="{width}" height="{STEP_HEIGHT}"/>'
    if is_first:
        yield f'<rect class="first" x="{x + 3}" y="{y + 3}" width="{width - 6}" height="{STEP_HEIGHT - 6}"/>'
    yield _text(step.name, x + 14, y + 16, values, "caption")
    at = x + width
    for word in step.does:
        wide = width_of(word.text) + 12
        yield f'<path class="spine" d="M{at} {y + 12}H{at + DO_GAP}"/>'
        lit = " on" if _lit(word, values) else ""
        yield f'<g class="chip tag{lit}"{_marked(word, values)}>'
        yield f'<rect x="{at + DO_GAP}" y="{y + 4}" width="{wide}" height="16" rx="8"/>'
        label = f'<text class="label" data-tag="{escape(word.key)}" x="{at + DO_GAP + 6}" y="{y + 16}">{escape(word.text)}'
        yield f"{label}{_titled(word, values)}</text></g>"
        at += DO_GAP + wide
