"""How a server process logs: structlog and the libraries' logging, to stderr and the site's log. It knows nothing else."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import structlog

from runtime.journal import Journal, kept_log


class Sparing(logging.Filter):
    """Lets a library say at most so much a minute: a hostile client must not fill the disk through our log."""

    def __init__(self, most: int):
        super().__init__()
        self._most, self._until, self._said, self._dropped = most, 0.0, 0, 0

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now > self._until:
            if self._dropped:
                record.msg, record.args = f"{record.getMessage()} ({self._dropped} more messages in the minute before)", ()
            self._until, self._said, self._dropped = now + 60, 0, 0
        self._said += 1
        self._dropped += self._said > self._most
        return self._said <= self._most


def printable(_: Any, __: str, event: Any) -> Any:
    """The line with what a terminal would obey made visible: a client may call itself anything, also `ESC [2J`."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in value)
    return event


def log_to_stderr() -> None:
    """Send structlog and the libraries' logging to stderr and the site's log: JSON lines, but for people on a terminal."""
    kept = kept_log()
    journal = Journal(sys.stderr.fileno(), kept)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        printable,
    ]
    by_hand = sys.stderr.isatty() and kept is None
    renderer: Any = structlog.dev.ConsoleRenderer() if by_hand else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        logger_factory=structlog.WriteLoggerFactory(journal),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(journal)
    cleaned = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[cleaned, structlog.processors.format_exc_info, renderer]
        )
    )
    handler.addFilter(Sparing(20))
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
