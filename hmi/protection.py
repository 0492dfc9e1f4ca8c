"""The rows of programs/PROTECTION.md: what is watched, beyond which limits, and what the plant does then."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

PLACE = "programs/PROTECTION.md"
LARGEST = 1_000_000  # bytes
COLUMNS = ("what", "limits", "events, delay", "severity", "reaction", "permit")  # what an operator is told
ALARM = "alarm"
NUMBER = re.compile(r"\\\{\w+\\\}")  # `{rack}` in an alarm's name, as re.escape writes it


def rows_about(root: str, alarm: str) -> list[dict[str, str]]:
    """The rows that name this alarm, most of them one; none where the site's folder has no such table. It reads a file."""
    path = Path(root) / PLACE
    try:
        about = path.stat()
    except OSError:
        return []
    if about.st_size > LARGEST:
        return []
    return [row for pattern, row in _rows(path, about.st_mtime_ns) if pattern.fullmatch(alarm)]


@lru_cache(maxsize=4)
def _rows(path: Path, _: int) -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """Each row with the names of its alarms."""
    found: list[tuple[re.Pattern[str], dict[str, str]]] = []
    heads: list[str] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            heads = []
        elif not heads:
            heads = cells if ALARM in cells else []
        elif len(cells) == len(heads) and set(line) - set("|-: "):
            named: dict[str, Any] = dict(zip(heads, cells, strict=True))
            names = [NUMBER.sub(r"\\d+", re.escape(word)) for word in named[ALARM].split()]
            if names:
                told = {word: named[word] for word in COLUMNS if named.get(word)}
                found.append((re.compile("|".join(names), re.IGNORECASE), told))
    return found
