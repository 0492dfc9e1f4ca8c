"""Tells which forces ended by themselves, their time over or their scan gone: a line in the log and one in the audit log.

What somebody lifted, and what a load lifted, is told by whoever did that. The scan leaves in a row of its table how it ended.
It reads shared memory only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.force_list import ForceTable, Note, read_note
from runtime.engine.force_tables import (
    E_BITS,
    E_ELEMENT,
    E_END,
    E_NAME,
    E_TOKEN,
    E_USED,
    FOR_EVER,
    H_TICK,
    H_VERSION,
    LIFTED,
    number_of,
    plain_value,
)
from runtime.model import Schedule, Tag
from runtime.servers.audit import Deed, Keep, Who

FORCERS_ROLE = "engineer"  # the least that may force
TIME_IS_OVER, SCAN_RESTARTED = "time is over", "the scan was started anew"

Tell = Callable[[str, str, dict[str, Any]], None]


def force_end(tag: str, element: int, value: Any, note: Note | None, why: str, who: Who | None = None) -> Deed:
    """The audit line of a force that ended, and not by `unforce`. `element` is from 1; `who` ended it, else whoever had forced."""
    user, reason = (note.user, note.reason) if note is not None else ("", "")
    told = f"{why} (forced by {user or 'somebody unknown'}{f': {reason}' if reason else ''})"
    return Deed("supervisor", who or Who(user, FORCERS_ROLE, "local"), "unforce", tag, told, True, element, old=value)


class ForceWatch:
    """The forces of one program; `before` is the watch over the program that ran until now."""

    def __init__(self, schedule: Schedule, folder: Path, generation: int, tell: Tell, keep: Keep, before: ForceWatch | None = None):
        self._schedule, self._folder, self._tell, self._keep = schedule, folder, tell, keep
        self._table = ForceTable(folder, generation, schedule.region.size)
        self._seen, self._session = -1, 0
        self._held: dict[int, np.ndarray] = dict(before._held) if before is not None else {}
        self._told: set[int] = set(before._told) if before is not None else set()

    def look(self) -> None:
        """Tell what ended since the last look."""
        table = self._table.read()
        if table is None:
            return
        if self._session not in (0, self._table.session):  # forces are gone with the scan that held them
            for row in self._held.values():
                self._say(row, SCAN_RESTARTED)
            self._held, self._told, self._seen = {}, set(), -1
        self._session = self._table.session
        if table[0, H_VERSION] == self._seen:
            return
        self._seen = int(table[0, H_VERSION])
        rows = {int(row[E_TOKEN]): row for row in table[1:] if row[E_TOKEN]}
        over = [row for row in rows.values() if not row[E_USED] and LIFTED < row[E_END] < FOR_EVER]
        replaced = [row for token, row in self._held.items() if token not in rows]  # by another force in the same look
        over += [row for row in replaced if LIFTED < row[E_END] <= table[0, H_TICK]]
        for row in over:
            if int(row[E_TOKEN]) not in self._told:
                self._told.add(int(row[E_TOKEN]))
                self._say(row)
        self._told &= rows.keys()
        self._held = {token: row for token, row in rows.items() if row[E_USED]}

    def _say(self, row: np.ndarray, why: str = TIME_IS_OVER) -> None:
        tag = self._tag_of(int(row[E_NAME]))
        if tag is None:
            return  # its force was over in the moment of a load that has no such tag
        element, value = int(row[E_ELEMENT]) + 1 if tag.length else 0, plain_value(tag, row[E_BITS : E_BITS + 1])
        note = read_note(self._folder, int(row[E_TOKEN]))
        name = f"{tag.name}[{element}]" if element else tag.name
        facts = {"user": note.user, "reason": note.reason} if note is not None else {}
        self._tell("runtime", "force ended", {"tag": name, "value": value, "why": why, **facts})
        self._keep(force_end(tag.name, element, value, note, why))

    def _tag_of(self, number: int) -> Tag | None:
        return next((tag for tag in self._schedule.tags if number_of(tag) == number), None)
