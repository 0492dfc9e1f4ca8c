"""How a line of the log is shown: one line for a person, coloured by its level on a terminal, or JSON. It reads no files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from runtime.log_read import Line
from runtime.records_view import printable, when

STYLES = {"debug": "2", "info": "", "warning": "33", "error": "31", "critical": "1;31"}
NAME, LEVEL = 9, 8  # the widths of the columns
BELOW = ("exception", "where", "text")  # what has lines of its own, and stands under the event


def as_text(line: Line, *, colour: bool) -> str:
    """Time, level, process, event and its facts; a traceback stands below."""
    below = [row for word in BELOW for row in _rows(line.facts.get(word))]
    facts = " ".join(
        f"{word}={_short(value)}"
        for word, value in line.facts.items()
        if value not in ("", None) and not (word in BELOW and _rows(value))
    )
    head = f"{when(line.time)} {line.level:{LEVEL}} {line.process:{NAME}} {printable(line.event)}"
    style = STYLES[line.level] if colour else ""
    if style:
        head = f"\x1b[{style}m{head}\x1b[0m"
    dim = ("\x1b[2m", "\x1b[0m") if colour else ("", "")
    shown = f"{head}  {dim[0]}{facts}{dim[1]}" if facts else head
    return "\n".join([shown, *(f"    {printable(row)}" for row in below)])


def as_json(line: Line) -> str:
    """One JSON object on one line, times in UTC."""
    at = datetime.fromtimestamp(line.time // 1000 / 1e6, UTC).isoformat(timespec="microseconds")
    return json.dumps(
        {"time": at, "level": line.level, "process": line.process, "event": line.event, **line.facts},
        ensure_ascii=False,
        default=str,
    )


def _rows(value: Any) -> list[str]:
    """The lines of a text that has more than one."""
    return value.splitlines() if isinstance(value, str) and "\n" in value else []


def _short(value: Any) -> str:
    """A fact for a person: bare where it is one word, quoted where it is more."""
    if isinstance(value, str):
        text = printable(value)
        return text if text and " " not in text and "=" not in text else json.dumps(text, ensure_ascii=False)
    if isinstance(value, float):
        return f"{value:.12g}"  # 57, not 56.99999999999999: what arithmetic left over says nothing
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return f"[{', '.join(printable(_short(one) if isinstance(one, float) else str(one)) for one in value)}]"
    return printable(json.dumps(value, ensure_ascii=False, default=str))
