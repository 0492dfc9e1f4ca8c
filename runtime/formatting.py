"""Formats what an engineer writes: indents by two, keeps and repairs columns, puts the sections of a file into their order.

Comments, quotes and the order inside a section stay: modes, blocks, tasks and steps mean something by their order. The text is
read before and after; where both do not say the same, nothing is done.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import yaml

from runtime.formatting_lines import Entry, Layout, comment_of, lay_out, tokens, with_comment
from runtime.language.loader import read_yaml
from runtime.source import Listing, Position, Report, Section, SiteError

PROGRAM = ("program", "description", "blocks", "modes", "sequences", "outputs", "alarms", "tests")
FUNCTION_BLOCK = ("function_block", "description", "inputs", "outputs", "blocks")
SITE = (
    *("site", "description", "include", "constants", "tasks", "libraries", "io", "channels", "tags"),
    *("authority", "watchdog", "overview", "runtime", "servers", "sim"),
)
DEVICE = ("for", "device", "driver", "", "inputs", "outputs")  # "": the words of the device, in the engineer's order
OPEN, CLOSE = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken), (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class MeaningError(Exception):
    """The formatted text would not say what the text says: a mistake of ours, and nothing is written."""


def format_text(name: str, text: str) -> str:
    """The file as it should be. Raises SiteError where it cannot be read, MeaningError where it would say something else."""
    section = _read(name, text)
    order = order_of(section)
    made = text
    for step in (_space, _indent, _arrange, _indent):  # again: sections that became neighbours share a column
        made = step(made, order)
    again = _read(name, made)
    if _meaning(section, bool(order)) != _meaning(again, bool(order)) or _comments(text) != _comments(made):
        raise MeaningError(name)
    return made


def order_of(section: Section) -> tuple[str, ...]:
    """The order of the words of this kind of file; none where their order is the engineer's."""
    if "function_block" in section:
        return FUNCTION_BLOCK
    if "program" in section:
        return PROGRAM
    if "driver" in section and "device" in section:
        return DEVICE
    return SITE if {"tasks", "include", "constants"} & set(section) else ()


def _read(name: str, text: str) -> Section:
    report = Report()
    _refuse_signs(name, text, report)
    section = read_yaml(name, text, report) if not report.problems else None
    if section is None or report.problems:
        raise SiteError(report.problems)
    return section


def _refuse_signs(name: str, text: str, report: Report) -> None:
    """Signs that no editor shows and that a person should decide about."""
    if text.startswith("\ufeff"):
        report.error(Position(name, 1, 1), "E001", "the file starts with a byte order mark", "", "save it as UTF-8 without BOM")
    if "\r" in text:
        at = Position(name, 1 + text.count("\n", 0, text.index("\r")), 1)
        report.error(at, "E001", "the lines end with CR LF", "", "save it with LF, or `sed -i 's/\\r$//' FILE`")
    for number, line in enumerate(text.split("\n"), 1):
        before = line.partition("#")[0]
        if "\t" in before and not re.search(r"[\"'].*\t.*[\"']", before):
            report.error(Position(name, number, line.index("\t") + 1), "E001", "a tab stands here", "", "YAML wants spaces")
            return


def _meaning(part: Any, any_order: bool = False) -> Any:
    """What a part says, with its quotes; the order of the file's own words says nothing where `any_order`."""
    if isinstance(part, Section):
        pairs = [(str(key), key.quoted, _meaning(value)) for key, value in part.items()]
        return ("section", sorted(pairs, key=lambda pair: pair[0]) if any_order else pairs)
    if isinstance(part, Listing):
        return ("list", [_meaning(one) for one in part])
    return (str(part), part.quoted)


def _comments(text: str) -> Counter[str]:
    layout = lay_out(text)
    return Counter(
        comment
        for number, line in enumerate(layout.lines)
        if number not in layout.in_text and (comment := comment_of(line, layout.ends.get(number, 0)))
    )


def _space(text: str, order: Sequence[str]) -> str:
    """Inside brackets: none behind `{` and before `}`, at least one behind a comma and a colon. More than one is a column."""
    layout = lay_out(text)
    edits: dict[int, list[tuple[int, int, int]]] = {}
    depth, before = 0, None
    for token in tokens(text):
        if before is not None and depth and before.end_mark.line == token.start_mark.line:
            start, end = before.end_mark.column, token.start_mark.column
            wanted = _gap(before, token, end - start)
            if wanted != end - start:
                edits.setdefault(before.end_mark.line, []).append((start, end, wanted))
        depth += isinstance(token, OPEN) - isinstance(token, CLOSE)
        before = token
    lines = list(layout.lines)
    for number, found in edits.items():
        end = layout.ends[number]
        content = lines[number][:end]
        for start, stop, wanted in reversed(found):
            content = content[:start] + " " * wanted + content[stop:]
        lines[number] = with_comment(content, lines[number], end) if number not in layout.in_text else content
    return "\n".join(lines)


def _gap(before: Any, token: Any, gap: int) -> int:
    if isinstance(before, yaml.ValueToken):
        return gap if isinstance(token, (*CLOSE, yaml.FlowEntryToken)) else max(gap, 1)
    if isinstance(token, (*CLOSE, yaml.FlowEntryToken, yaml.ValueToken)) or isinstance(before, OPEN):
        return 0
    return max(gap, 1) if isinstance(before, yaml.FlowEntryToken) else gap


def _indent(text: str, order: Sequence[str]) -> str:
    """Every line in its column: entries by their depth, values by their neighbours, comments with what they stand above."""
    layout = lay_out(text)
    columns = _value_columns(layout, order)
    entries = {entry.line: entry for entry in layout.entries}
    shifts: dict[int, int] = {}
    lines = list(layout.lines)
    for number, line in enumerate(layout.lines):
        end = layout.ends.get(number, 0)
        if not line.strip():
            lines[number] = line if number in layout.inside else ""
            continue
        if number in layout.owner:
            shift = shifts.get(layout.owner[number], 0)
            spaces = max(0, len(line) - len(line.lstrip()) + shift)
            lines[number] = " " * spaces + (line.lstrip() if number in layout.in_text else line.strip())
            shifts[number] = shift
            continue
        if not end:
            lines[number] = " " * _comment_column(number, layout) + line.strip()
            continue
        old = len(line) - len(line.lstrip())
        new = layout.indent.get(number, old)
        content = " " * new + line[old:end]
        entry = entries.get(number)
        shifts[number] = new - old
        if entry is not None and entry.value >= 0:
            head = line[entry.key : entry.key_end] + ":"
            at = new + columns.get(number, len(head) + 1)
            content = f"{' ' * new}{head}{' ' * (at - new - len(head))}{line[entry.value : end]}"
            shifts[number] = at - entry.value
        lines[number] = content if number in layout.in_text else with_comment(content.rstrip(), line, end)
    return "\n".join(lines)


def _value_columns(layout: Layout, order: Sequence[str]) -> dict[int, int]:
    """Where the values of one-line entries stand, counted from their keys: in the column of their group, where it has one."""
    found: dict[int, int] = {}
    for group in _groups(layout, order == DEVICE):
        widths = [entry.key_end - entry.key + 2 for entry in group]
        places = [entry.value - entry.key for entry in group]
        is_whole = len(set(places)) == 1 and all(p >= w for p, w in zip(places, widths, strict=True))
        if len(group) > 1 and is_whole:
            column = places[0]  # aligned as it is, however wide
        elif len(group) > 1 and (_is_points(group, order) or _has_column(places, widths)):
            column = max(widths)
        else:
            column = 0
        found |= {entry.line: max(column, width) for entry, width in zip(group, widths, strict=True)}
    return found


def _has_column(places: Sequence[int], widths: Sequence[int]) -> bool:
    """Whether somebody aligned these: half of them stand in one place, and not because their keys are of one length."""
    place, count = Counter(places).most_common(1)[0]
    return 2 * count >= len(places) and any(p == place > w for p, w in zip(places, widths, strict=True))


def _is_points(group: Sequence[Entry], order: Sequence[str]) -> bool:
    return order == DEVICE and group[0].depth == 1 and group[0].top in ("inputs", "outputs")


def _groups(layout: Layout, is_device: bool) -> list[list[Entry]]:
    """Neighbours that share a column: lines of one section without a break; of a device all inputs and outputs together."""
    groups: list[list[Entry]] = []
    points: list[Entry] = []
    before: Entry | None = None
    for entry in sorted(layout.entries, key=lambda entry: entry.line):
        if entry.value < 0 or entry.last != entry.line:
            before = None
            continue
        if is_device and _is_points([entry], DEVICE):
            points.append(entry)
        elif before is not None and before.section == entry.section and before.line == entry.line - 1:
            groups[-1].append(entry)
        else:
            groups.append([entry])
        before = entry
    return [*groups, points] if points else groups


def _comment_column(number: int, layout: Layout) -> int:
    """A comment stands with the next line, or with the last line before it that began where it begins."""
    line = layout.lines[number]
    old = len(line) - len(line.lstrip())
    following = next((n for n in range(number + 1, len(layout.lines)) if n in layout.indent), None)
    before = [n for n in range(number - 1, -1, -1) if n in layout.indent]
    for other in [following, *before]:
        if other is not None and len(layout.lines[other]) - len(layout.lines[other].lstrip()) == old:
            return layout.indent[other]
    return old


def _arrange(text: str, order: Sequence[str]) -> str:
    """The sections of the file in their order, with one blank line around those of several lines, and none at the ends."""
    layout = lay_out(text)
    tops = sorted((entry for entry in layout.entries if entry.depth == 0), key=lambda entry: entry.line)
    starts = [_first_line(entry.line, layout, entry is tops[0]) for entry in tops]
    head = _without_gaps(range(starts[0]), layout)
    end = len(layout.lines) - (not layout.lines[-1])  # behind the last line end there is no line
    chunks = []
    for place, (entry, start) in enumerate(zip(tops, starts, strict=True)):
        stop = starts[place + 1] if place + 1 < len(starts) else end
        body = _without_gaps(range(start, stop), layout)
        follows_blank = start > 0 and not layout.lines[start - 1].strip()
        chunks.append((entry.top, body, follows_blank, entry.value < 0 and entry.last > entry.line))
    made = list(head)
    is_open = False
    for place, (_, body, follows_blank, is_section) in enumerate(_sorted(chunks, order)):
        if (place or (head and follows_blank)) and (follows_blank or is_section or is_open):
            made.append("")
        made += body
        is_open = is_section
    ends_in_text = bool(layout.lines[-1]) and len(layout.lines) - 1 in layout.inside  # behind `|` a line end would be content
    return "\n".join(made) + ("" if ends_in_text else "\n")


def _first_line(line: int, layout: Layout, is_first: bool) -> int:
    """Where a section begins: with the comment right above it, except at the head of the file, whose comment is the file's."""
    while not is_first and line > 0 and layout.lines[line - 1].startswith("#") and line - 1 not in layout.owner:
        line -= 1
    return line


def _without_gaps(numbers: range, layout: Layout) -> list[str]:
    """Lines without blank ones at the end, and with one where there were several."""
    kept: list[int] = []
    for number in numbers:
        is_blank = not layout.lines[number].strip() and number not in layout.inside
        if is_blank and (not kept or not layout.lines[kept[-1]].strip()):
            continue
        kept.append(number)
    while kept and not layout.lines[kept[-1]].strip() and kept[-1] not in layout.inside:
        kept.pop()
    return [layout.lines[number] for number in kept]


def _sorted(chunks: list[tuple[str, list[str], bool, bool]], order: Sequence[str]) -> list[tuple[str, list[str], bool, bool]]:
    """By the order of the words; a word that it does not name stays behind the one before it."""
    if not order:
        return chunks
    ranks, rank = [], order.index("") if "" in order else -1
    for word, *_ in chunks:
        rank = order.index(word) if word in order else order.index("") if "" in order else rank
        ranks.append(rank)
    return [chunk for _, chunk in sorted(zip(ranks, chunks, strict=True), key=lambda pair: pair[0])]
