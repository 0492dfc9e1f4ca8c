"""One SQLite file that several processes share and that a power cut, a full disk or a bad block must not stop the plant with.

It knows connections, schema versions and what a broken file is; it does not know what stands in the tables.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

BUSY_S = 5.0  # how long one process waits for another's transaction; ours last milliseconds
BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
SAY_EVERY_S = 60.0
UNUSABLE = "the records cannot be used"  # how every refusal begins, for whoever has a code for it
READ_ONLY = (-1, -1)  # the identity of what is not to be used again: the next call may find that it can write
IDLE = 4  # connections that wait for their next use
# WAL: readers never wait for the writer. synchronous NORMAL: the disk is synced at checkpoints and not at every commit, which
# would cost a flash cell's wear and 10-50 ms each. A dying process loses nothing by it; a power cut may lose the last commits
# (as old as the kernel lets them wait, half a minute), and never harms the file.
PRAGMAS = (
    "PRAGMA auto_vacuum = INCREMENTAL",  # says nothing to a file that has tables already
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA temp_store = MEMORY",
)


class NotKeptError(Exception):
    """The file cannot be written now; the text says why."""


class RecordFile:
    """A file in the state folder with its schema: a list of scripts, each of which leads to the next version.

    Connections are taken with `reading` and `writing` and belong to one thread at a time, so no call waits for another's lock.
    A broken file is set aside under a name that tells when, and a new one begun; the processes that have the old one open
    notice that at their next call.
    """

    def __init__(self, path: Path, schema: Sequence[str]):
        self.path, self._schema = path, schema
        self._idle: list[tuple[sqlite3.Connection, tuple[int, int]]] = []
        self._said: dict[str, float] = {}
        self.is_closed = False
        with contextlib.suppress(NotKeptError), self.writing() as connection:  # why not has been said
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries. Raises NotKeptError where there is no file to read from."""
        connection, of = self._take()
        try:
            yield connection
        except sqlite3.Error as error:
            connection.close()
            raise self._not_kept(error, of) from error
        except BaseException:
            connection.close()
            raise
        else:
            if len(self._idle) < IDLE and not self.is_closed:
                self._idle.append((connection, of))
            else:
                connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing. Raises NotKeptError where it could not be."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def shrink(self, most: int) -> None:
        """Give at most so many free pages back to the disk, where more than a tenth are free: fewer are soon used again."""
        with self.reading() as connection:
            pages, free = (connection.execute(f"PRAGMA {word}").fetchone()[0] for word in ("page_count", "freelist_count"))
            if free > pages // 10:
                connection.executescript(f"PRAGMA incremental_vacuum({most})")  # `execute` would stop after its first page

    def close(self) -> None:
        """Close what is open; a call still under way in another thread closes its own."""
        self.is_closed = True
        while self._idle:
            self._idle.pop()[0].close()

    def _take(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        while True:
            try:
                connection, of = self._idle.pop()
            except IndexError:
                break
            if self.identity() == of:
                return connection, of
            connection.close()  # another process has set this file aside
        if self.is_closed:
            raise NotKeptError(f"{UNUSABLE}: they are closed")
        for _ in range(3):
            try:
                return self._open()
            except (sqlite3.Error, OSError) as error:
                refusal = self._not_kept(error, self.identity())
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in BROKEN:
                    break
        raise refusal

    def identity(self) -> tuple[int, int]:
        """Which file it is now: another one, or none, where it was set aside."""
        try:
            found = os.stat(self.path)
        except OSError:
            return (0, 0)
        return found.st_dev, found.st_ino

    def _open(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        try:
            return self._open_to_write()
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES) or not os.access(self.path, os.R_OK):
                raise
        return self._open_to_read(), READ_ONLY  # a worn card is mounted read-only: the night before is on it all the same

    def _open_to_read(self) -> sqlite3.Connection:
        waiting = self.path.with_name(self.path.name + "-wal")
        # with nothing in the log beside it the file is whole; otherwise SQLite needs both, and refuses where it has not got them
        mode = "mode=ro" if waiting.exists() and waiting.stat().st_size else "immutable=1"
        return sqlite3.connect(f"{self.path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None, check_same_thread=False)

    def _open_to_write(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        with self._alone():
            self._make()
            of = self.identity()
            connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            try:
                for pragma in PRAGMAS:
                    connection.execute(pragma)
                self._migrate(connection)
            except BaseException:
                connection.close()
                raise
        return connection, of

    def _make(self) -> None:
        """See to it that the file is there and can be written. Raises OSError.

        One that is there must not be opened but by SQLite: to close any descriptor of a file drops all locks that this process has
        on it, and the next process that leaves would take the log from under the connections that we have.
        """
        if not self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # its -wal and -shm get the same mode
        elif not os.access(self.path, os.W_OK):
            raise PermissionError(errno.EACCES, "the file cannot be written", str(self.path))

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(self._schema):
            raise sqlite3.OperationalError(f"{self.path} was written by a newer bessplc (version {version})")
        for number, script in enumerate(self._schema[version:], version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one process at a time opens, migrates or sets aside: the lock is on the folder, and ends with its holder."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _not_kept(self, error: Exception, of: tuple[int, int]) -> NotKeptError:
        """Say it (sparingly), set a broken file aside, and give the refusal."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in BROKEN:
            self._set_aside(str(error), of)
        else:
            self.say(str(error))
        return NotKeptError(f"{UNUSABLE}: {error}")

    def say(self, why: str, **words: Any) -> None:
        """Log an error at most once a minute."""
        now = time.monotonic()
        if now - self._said.get(why, -SAY_EVERY_S) >= SAY_EVERY_S:
            self._said[why] = now
            log.error("records not kept", file=str(self.path), why=why, **words)

    def _set_aside(self, why: str, of: tuple[int, int]) -> None:
        try:
            with self._alone():
                if self.identity() != of:
                    return  # another process was faster
                stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + f".{time.time_ns() // 1_000_000 % 1000:03}"
                aside = self.path.with_name(f"{self.path.stem}.broken-{stamp}{self.path.suffix}")
                self.path.replace(aside)
                wal, shm = (self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))
                if wal.exists():
                    wal.replace(aside.with_name(aside.name + "-wal"))
                shm.unlink(missing_ok=True)
        except OSError as error:
            self.say(f"the broken file cannot be set aside: {error}")
            return
        log.error("records broken: a new file is begun", file=str(self.path), why=why, set_aside=str(aside))
