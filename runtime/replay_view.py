"""What a replay has to say: what happened, what was shown, where two runs differ; as plain data, and as text for people."""

from __future__ import annotations

import contextlib
import csv
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from runtime.engine.replay_cells import Cell, all_cells, cells_like
from runtime.engine.replay_diff import CHUNK, Compared, compare
from runtime.engine.replay_run import Facts, Rows, TapeRun
from runtime.model import Schedule
from runtime.records_view import number, plain, when
from runtime.source import did_you_mean
from runtime.system_tags import STATES


@dataclass(frozen=True)
class Question:
    """What is asked of a replay: the tape, an edited program or None, from and until when (ns; 0: all), and what is to be shown."""

    paths: tuple[Path, ...]
    edited: Schedule | None = None
    since: int = 0
    until: int = 0
    names: tuple[str, ...] = ()
    csv: Path | None = None
    diff: Path | None = None
    limit: int = 200


def answer(asked: Question) -> dict[str, Any]:
    """Replay, and say what was found. Raises ReplayError, OSError, and KeyError with the name that nothing has."""
    run = TapeRun(asked.paths, asked.edited, asked.until)
    events, shown = _Changes(asked.limit, True), _Changes(asked.limit, False)
    with contextlib.ExitStack() as stack:
        table = _Table(stack.enter_context(asked.csv.open("w", newline="", encoding="utf-8"))) if asked.csv else None
        for rows in run.rows(lambda schedule: [*_events_of(schedule), *_named(schedule, asked.names)]):
            count, rows = len(_events_of(rows.schedule)), _within(rows, asked)
            if not len(rows.scans):
                continue
            events.note(rows, 0, count)
            shown.note(rows, count, len(rows.cells))
            if table is not None:
                table.write(rows, count)
    found = _about(run.facts) | {"is_edited": asked.edited is not None}
    found |= {"events": events.found, "shown": shown.found, "left_out": events.left_out + shown.left_out}
    if asked.diff is not None:
        other = TapeRun([asked.diff], None, asked.until, CHUNK)
        found["diff"] = _difference(compare(TapeRun(asked.paths, asked.edited, asked.until, CHUNK), other, same_tape=False))
    elif asked.edited is not None:
        edited = TapeRun(asked.paths, asked.edited, asked.until, CHUNK)
        found["diff"] = _difference(compare(TapeRun(asked.paths, None, asked.until, CHUNK), edited, same_tape=True))
    return found


def _within(rows: Rows, asked: Question) -> Rows:
    """The rows of the time that was asked for; a tape is run from the picture before it on."""
    which = (rows.walls >= asked.since) & (rows.walls <= (asked.until or rows.walls.max()))
    if which.all():
        return rows
    return Rows(rows.scans[which], rows.walls[which], rows.equal[which], rows.bits[which], rows.cells, rows.schedule)


def _events_of(schedule: Schedule) -> list[Cell]:
    """What tells a story: the state of the scan, and every alarm."""
    names = {"plc.state", *(alarm.active.lower() for alarm in schedule.alarms)}
    return [cell for cell in all_cells(schedule) if cell.name.lower() in names]


def _named(schedule: Schedule, names: Sequence[str]) -> list[Cell]:
    found = []
    for name in names:
        cells = cells_like(schedule, name)
        if not cells:
            known = [cell.name for cell in all_cells(schedule) if "#" not in cell.name]
            raise KeyError(f"the program has no tag or pin {name}: {did_you_mean(name, known) or '`bessplc show` lists them'}")
        found += cells
    return found


class _Changes:
    """When cells changed; at the beginning what they are, or only what is true.

    Of so many changes each cell has its share, the newest: a noisy measurement must not hide the one fall of an interlock.
    """

    def __init__(self, limit: int, only_true: bool):
        self._only_true = only_true
        self.left_out = 0
        self._limit, self._last = limit, dict[str, int]()
        self._kept = dict[str, deque[dict[str, Any]]]()

    @property
    def found(self) -> list[dict[str, Any]]:
        """What is kept, oldest first."""
        return sorted((one for kept in self._kept.values() for one in kept), key=lambda one: (one["time"], one["scan"]))

    def note(self, rows: Rows, first: int, last: int) -> None:
        share = max(self._limit // max(last - first, 1), 1)
        for place in range(first, last):
            cell, column = rows.cells[place], rows.bits[:, place]
            before = self._last.get(cell.name)
            changed = ((column[1:] != column[:-1]).nonzero()[0] + 1).tolist()
            is_new = before != column[0] and (before is not None or column[0] or not self._only_true)
            here = [0, *changed] if is_new else changed
            kept = self._kept.setdefault(cell.name, deque(maxlen=share))
            self.left_out += max(len(kept) + len(here) - share, 0)
            kept.extend(_change_of(rows, row, place, column[row - 1] if row else before) for row in here[-share:])
            self._last[cell.name] = int(column[-1])


def _change_of(rows: Rows, row: int, place: int, was: int | None) -> dict[str, Any]:
    cell = rows.cells[place]
    value = plain(cell.value(int(rows.bits[row, place])))
    old = None if was is None else plain(cell.value(int(was)))
    return {"scan": int(rows.scans[row]), "time": when(int(rows.walls[row])), "name": cell.name, "was": old, "value": value}


class _Table:
    """Every scan a line of CSV; a line of names where the columns begin, or another program comes."""

    def __init__(self, file: TextIO):
        self._out = csv.writer(file)
        self._cells: Sequence[Cell] = ()

    def write(self, rows: Rows, first: int) -> None:
        cells = rows.cells[first:]
        if cells != self._cells:
            self._cells = cells
            self._out.writerow(["scan", "time", *(cell.name for cell in cells)])
        for row, (scan, wall) in enumerate(zip(rows.scans.tolist(), rows.walls.tolist(), strict=True)):
            values = (cell.value(int(rows.bits[row, first + i])) for i, cell in enumerate(cells))
            self._out.writerow([scan, when(wall), *values])


def _about(facts: Facts) -> dict[str, Any]:
    length = (facts.until - facts.since) / 1e9
    return {
        "site": facts.site,
        "programs": facts.digests,
        "scans": facts.scans,
        "first_scan": facts.first,
        "last_scan": facts.last,
        "since": when(facts.since),
        "until": when(facts.until),
        "seconds": round(length, 3),
        "took_s": round(facts.took, 3),
        "times_real": round(length / facts.took, 1) if facts.took else 0.0,
        "pictures": facts.pictures,
        "wrong_pictures": [{"scan": scan, "first": name} for scan, name in facts.wrong_pictures],
        "wrong_outputs": facts.wrong_outputs,
        "gaps": [{"after": a, "before": b} for a, b in facts.gaps],
        "cuts": facts.cuts,
        "incidents": facts.notes,
        "edited_blocks": list(facts.edited_blocks),
        "not_carried": list(facts.not_carried),
    }


def _difference(compared: Compared) -> dict[str, Any]:
    first = compared.first
    return {
        "scans": compared.scans,
        "edited": [{"name": n, "was": plain(a), "is": plain(b)} for n, a, b in compared.edited],
        "first": None
        if first is None
        else {
            "scan": first.scan,
            "time": when(first.wall),
            "count": first.count,
            "cells": [{"name": n, "one": plain(a), "other": plain(b)} for n, a, b in first.cells],
        },
    }


def is_good(found: dict[str, Any], *, is_diff_asked: bool = False) -> bool:
    """Whether the replay was what was recorded, and another tape, where one was asked for, is the same in scans of both."""
    is_same = not is_diff_asked or (found["diff"]["first"] is None and found["diff"]["scans"] > 0)
    return _is_as_recorded(found) and is_same


def _is_as_recorded(found: dict[str, Any]) -> bool:
    return not found["wrong_pictures"] and not found["wrong_outputs"] and found["scans"] > 0


def as_text(found: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [f"{found['site']}: scans {found['first_scan']:,} to {found['last_scan']:,}, {found['since']} to {found['until']}"]
    lines += [f"incident: {note['why']} in scan {note['scan']:,} at {when(note['wall'])}" for note in found["incidents"]]
    lines += [
        f"replayed {found['scans']:,} scans ({found['seconds']:g} s) in {found['took_s']:g} s: {found['times_real']:g} x real time"
    ]
    lines += _verdict(found)
    for title, key in (("what happened", "events"), ("shown", "shown")):
        if found[key]:
            lines += ["", f"{title}:", *(_change(one) for one in found[key])]
    if found["left_out"]:
        lines.append(
            f"... and {found['left_out']:,} more changes, which were earlier; --limit or --since and --until show them, --csv all"
        )
    if "diff" in found:
        lines += ["", *_diff_text(found["diff"])]
    return "\n".join(lines)


def _verdict(found: dict[str, Any]) -> list[str]:
    lines = [f"note: {cut}" for cut in found["cuts"]]
    for gap in found["gaps"]:
        lines.append(f"gap: scans {gap['after'] + 1:,} to {gap['before'] - 1:,} are not replayed: not recorded as a whole")
    if found["edited_blocks"]:
        lines.append(f"note: the code of these blocks was edited since: {', '.join(found['edited_blocks'])}")
    lines += [f"not taken over: {why}" for why in found["not_carried"]]
    if not found["scans"]:
        lines.append("nothing to replay: a tape is run from its first picture on, and this stretch has none")
    elif found["is_edited"]:
        lines.append("an edited program: what it did is not what was recorded")
    elif _is_as_recorded(found):
        pictures = f"{found['pictures']} picture{'' if found['pictures'] == 1 else 's'}"
        lines.append(f"bit for bit: all outputs of every replayed scan, and all memory at {pictures}, are as recorded")
    for wrong in found["wrong_pictures"]:
        lines.append(f"DIFFERS from the recording at scan {wrong['scan']:,}: {wrong['first']}")
    if found["wrong_outputs"]:
        lines.append(f"DIFFERS from the recording: outputs of scan {found['wrong_outputs']:,}")
    return lines


def _change(one: dict[str, Any]) -> str:
    was, value = (_word(one["name"], one[key]) for key in ("was", "value"))
    return f"  scan {one['scan']:>9,}  {one['time']}  {one['name']} {value if one['was'] is None else f'{was} -> {value}'}"


def _word(name: str, value: Any) -> str:
    if name == "plc.state" and isinstance(value, int) and 0 <= value < len(STATES):
        return STATES[value]
    return number(value)


def _diff_text(diff: dict[str, Any]) -> list[str]:
    lines = [f"edited: {one['name']} {number(one['was'])} -> {number(one['is'])}" for one in diff["edited"]]
    first = diff["first"]
    if first is None and not diff["scans"]:
        return [*lines, "nothing to compare: the two have no scan in common"]
    if first is None:
        return [*lines, f"no difference in {diff['scans']:,} scans"]
    cell = first["cells"][0]
    lines.append(f"first difference: scan {first['scan']:,}, {cell['name']} ({first['time']})")
    lines += [f"  {one['name']}: {number(one['one'])} | {number(one['other'])}" for one in first["cells"]]
    if first["count"] > len(first["cells"]):
        lines.append(f"  ... and {first['count'] - len(first['cells'])} more")
    return lines
