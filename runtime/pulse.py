"""Which servers live and do nothing any more: each shows a sign of life once a second. It ends nobody and knows no protocol."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path


class Pulses:
    """Looks at the status files of the servers. `most` is how many looks in a row may find one untouched.

    Looks are counted and not seconds: a machine that was suspended, and a clock that was set, make nobody silent.
    """

    def __init__(self, folder: Path, names: Iterable[str], most: int):
        self._folder, self._names, self._most = folder, tuple(names), most
        self._seen: dict[str, tuple[object, int]] = {}

    def silent(self, processes: Mapping[str, tuple[int, int]]) -> list[str]:
        """The servers, among these processes (id, restarts) by name, that show no sign of life."""
        return [name for name in self._names if name in processes and self._is_silent(name, processes[name][0])]

    def _is_silent(self, name: str, pid: int) -> bool:
        path = self._folder / f"{name}.json"
        try:
            touched = path.stat().st_mtime_ns
        except OSError:
            touched = 0
        state = (pid, touched)
        before, looks = self._seen.get(name, (None, 0))
        looks = looks + 1 if state == before else 0
        self._seen[name] = (state, looks)
        if looks < self._most or not pid or not self._is_of(path, pid) or not self._can_be_touched():
            return False
        self._seen[name] = (state, 0)
        return True

    def _is_of(self, path: Path, pid: int) -> bool:
        """Whether this process wrote it: one that still starts finds that of its predecessor, and may take its time."""
        try:
            return bool(json.loads(path.read_text())["pid"] == pid)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _can_be_touched(self) -> bool:
        """Whether the folder can be written at all; where not, silence says nothing of the servers."""
        try:
            os.utime(self._folder)
        except OSError:
            return False
        return True
