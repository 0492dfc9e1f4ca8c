"""The command line's own way into the scan: one command at a time, its answer waited for, in the name of whoever types it.

Whoever may write into the run folder (it is the site's user's alone, mode 0700) could edit the site just as well, and so has the
role of an engineer; the audit log gets the user's name from the system.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.app import generation_of
from runtime.engine.north import Commands, Reply
from runtime.onlooker import NotRunningError, Onlooker
from runtime.servers.audit import Who

LOCAL_ROLE = "engineer"
PATIENCE_S = 5.0  # the scan looks for new rings twenty times a second, and answers within a scan


def who_types() -> Who:
    """Who runs us, by the system's own word: the environment may say anything."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return Who(name, LOCAL_ROLE, "local")


class CommandLine:
    """The ring of the service `cli`, ours until `command_line` ends."""

    def __init__(self, commands: Commands):
        self._commands = commands

    def ask(self, put: Callable[[Commands], int]) -> Reply | None:
        """Put one command in and wait for its answer; None where the scan gives none in time, or Ctrl-C ends the wait.

        The scan may still take it after that: whoever asked has to note in the audit log that it was asked.
        """
        number = put(self._commands)
        until = time.monotonic() + PATIENCE_S
        try:
            while number and time.monotonic() < until:
                for reply in self._commands.replies():
                    if reply.id == number:
                        return reply
                time.sleep(0.002)
        except KeyboardInterrupt:
            return None
        return None


@contextmanager
def command_line(seen: Onlooker) -> Iterator[CommandLine]:
    """The ring to the scan of this site, alone: two command lines take turns. Raises NotRunningError where the other never ends."""
    lock = os.open(seen.folder / "cli.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + 2 * PATIENCE_S
        while not _taken(lock):
            if time.monotonic() > until:
                raise NotRunningError("another command line talks to the scan and does not end")
            time.sleep(0.02)
        schedule = seen.site.schedule
        commands = Commands(seen.folder, "cli", schedule.region.size, generation_of(schedule))
        try:
            yield CommandLine(commands)
        finally:
            commands.close()
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
