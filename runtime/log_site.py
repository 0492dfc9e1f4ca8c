"""The log of a running site as its supervisor begins it: where its own lines go, and where those of the processes that it starts.

Every process writes JSON lines to standard error, which systemd and containers take, and to its own file in the site's log folder.
On a terminal the live view would be torn by them: there they go to the files alone, and whatever a process says past its log, a
traceback of an interpreter that ends, becomes a line of ours.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from runtime.journal import FOLDER, SUFFIX, Journal, LogFile, log_folder_of

OURS = "runtime"  # the supervisor's name in the log
LONGEST = 65536  # bytes of stray text that are taken at once


class SiteLog:
    """The log of the site with this state folder. `logger` is the supervisor's own, `strays` the standard error of its processes.

    `strays` is None where they share ours.
    """

    def __init__(self, state: Path, *, on_terminal: bool):
        self.folder = log_folder_of(state)
        os.environ[FOLDER] = str(self.folder)
        trouble = _make(state)
        journal: Any = Journal(None if on_terminal else sys.stderr.fileno(), LogFile(self.folder / f"{OURS}{SUFFIX}"))
        shown = structlog.processors.JSONRenderer(ensure_ascii=False)
        structlog.configure(
            processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), shown],
            logger_factory=structlog.WriteLoggerFactory(journal),
        )
        self.logger: Any = structlog.get_logger()
        self._journal = journal
        if trouble:
            self.logger.error("the log is not kept", folder=str(self.folder), error=trouble)
        self.strays = self._listen() if on_terminal else None

    def close(self) -> None:
        """Write what waits; nothing is logged after that."""
        self._journal.close()

    def _listen(self) -> BinaryIO:
        reader, writer = os.pipe()
        threading.Thread(target=self._hear, args=(reader,), name="strays", daemon=True).start()
        return os.fdopen(writer, "wb", buffering=0)

    def _hear(self, reader: int) -> None:
        """What stands on the processes' standard error and in no file. Their log lines are in their own files."""
        rest = b""
        while data := os.read(reader, LONGEST):
            *lines, rest = (rest + data).split(b"\n")
            strays = [line.decode(errors="replace") for line in lines if line.strip() and not line.startswith(b"{")]
            if strays:
                self.logger.warning("said", text="\n".join(strays))


def _make(state: Path) -> str:
    """The state folder, for nobody else to look into; what is wrong with it, or nothing."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return str(error)
    return ""
