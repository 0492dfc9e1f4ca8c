"""What the supervisor itself has to say in the audit log: loads, and forces that ended. It never waits for a disk.

Records are opened where they are first written, in the writer's thread: another process may hold the file for seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtime.servers.audit import Deed
from runtime.servers.records.store import Records
from runtime.servers.records.writer import Writer

ROOM = 1000  # deeds that may wait for the file to be opened
GATHER_S = 0.02


class SiteAudit:
    """The audit log of a site's state folder, for one process that must not be held up."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._records: Records | None = None
        self._writer: Writer[Deed] = Writer("audit log", self._write, room=ROOM, gather=GATHER_S)

    def keep(self, deed: Deed) -> None:
        """Write the deed soon. Never blocks."""
        self._writer.give(deed)

    def _write(self, deeds: Sequence[Deed]) -> None:
        if self._records is None:
            self._records = Records(self._folder)
        for deed in deeds:
            self._records.keep(deed)

    def close(self) -> None:
        """Write what waits, and end; this waits for the disk, some seconds at most."""
        self._writer.close()
        if self._records is not None:
            self._records.close()
