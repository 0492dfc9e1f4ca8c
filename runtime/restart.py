"""What the programs of a site ask of the runtime that runs them: a new start of the application, or a reboot of the machine.

It must not know why they ask. A new start is an `exec` of the same command line in the same process: whoever started it, systemd
or a shell, goes on waiting for the same one and gets the exit code of the last start. How a machine is rebooted is said on the
command line alone, never in the site's files: who edits those is not thereby root.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runtime.app import RunOptions
from runtime.child import ROOT
from runtime.engine.cache import write_aside
from runtime.engine.north import Snapshot
from runtime.language.tables import digest_of
from runtime.model import Site
from runtime.quality import is_good
from runtime.rundir import state_folder_of
from runtime.servers.audit import Deed, Keep, Who

RESTART, REBOOT = "restart", "reboot"
LEAST_APART_S = {RESTART: 60.0, REBOOT: 600.0}  # what asks more often asks because of the start that it asked for
FILE = "asked.json"  # in the state folder: when each was last done, s since 1970
WHO = Who("the site's program", "engineer", "local")
COMMAND_S = 60.0
REBOOT_PATIENCE_S = 120.0  # a machine that goes down ends us; one that does not gets its site back
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)

Tell = Callable[[str, str, dict[str, Any]], None]


class Asked:
    """The requests of one program; `before` is the watch over the program that ran until now.

    A tag asks when it turns true, and has to have been seen false first: one that a start finds true asks for nothing. Files that
    were edited since are checked first, beside the running site: a mistake in them would leave the plant without a controller.
    """

    def __init__(self, site: Site, options: RunOptions, tell: Tell, keep: Keep, before: Asked | None = None):
        names = {RESTART: site.requests.restart, REBOOT: site.requests.reboot}
        self._tags = {word: site.schedule.tag(name) for word, name in names.items() if name}
        self._site, self._options, self._tell, self._keep = site, options, tell, keep
        self._state = state_folder_of(options.site)
        self._was: dict[str, bool] = dict(before._was) if before is not None else {}
        self._check: tuple[str, subprocess.Popen[bytes]] | None = None

    def look(self, snapshot: Snapshot) -> str:
        """What is asked for and shall be done: RESTART, REBOOT, or nothing. What is refused is told."""
        for word, tag in self._tags.items():
            now = bool(snapshot.value(tag)) and is_good(snapshot.quality(tag))
            was = self._was.get(word)
            self._was[word] = now
            if now and was is None:
                self._refuse(word, "it stood already when this start began to look: it has to fall and rise again")
            elif now and not was and self._check is None:
                if why := self._why_not(word):
                    self._refuse(word, why)
                elif is_as_read(self._site):
                    return self._take(word)
                else:
                    self._begin_check(word)
        return self._checked() if self._check is not None else ""

    def _begin_check(self, word: str) -> None:
        try:
            self._check = word, _check_of(self._options.site)
        except OSError as error:  # no process could be started: not a moment to give up the ones that run
            self._refuse(word, f"the files were edited and cannot be checked: {error}")

    def _checked(self) -> str:
        """What the check of edited files came to, once it has."""
        assert self._check is not None
        word, check = self._check
        code = check.poll()
        if code is None:
            return ""
        self._check = None
        if code:
            self._refuse(word, "the files were edited and have mistakes, which `bessplc check` shows")
        elif not self._was[word]:
            self._refuse(word, "the files were edited, and nothing asks for it any more now that they are checked")
        else:
            return self._take(word)
        return ""

    def _why_not(self, word: str) -> str:
        if word == REBOOT and not self._options.reboot:
            return "this machine does not allow it; `bessplc run --reboot-command` names the command that may do it"
        since = time.time() - _done(self._state).get(word, 0.0)
        if 0 <= since < LEAST_APART_S[word]:
            return f"the last one was {since:.0f} s ago; not again before {LEAST_APART_S[word]:.0f} s have passed"
        return ""

    def _refuse(self, word: str, why: str) -> None:
        self._say(word, f"refused: {why}", False)

    def _take(self, word: str) -> str:
        self._say(word, "taken: outputs go safe first", True)
        try:
            write_aside(self._state / FILE, json.dumps({**_done(self._state), word: time.time()}))
        except OSError as error:
            self._tell("runtime", "request not noted", {"error": str(error)})
        return word

    def _say(self, word: str, text: str, is_taken: bool) -> None:
        self._tell("runtime", word, {"tag": self._tags[word].name, "ok": is_taken, "text": text})
        self._keep(Deed("supervisor", WHO, word, "site", text, is_taken))


def is_as_read(site: Site) -> bool:
    """Whether the site's files are those that it was read from."""
    try:
        texts = {name: (Path(site.root) / name).read_bytes().decode().removeprefix("\ufeff") for name in site.files}
    except (OSError, UnicodeDecodeError):
        return False
    return digest_of(texts) == site.schedule.digest


def _check_of(site: Path) -> subprocess.Popen[bytes]:
    """`bessplc check` of the files as they are now; who wants to read what it says asks it again."""
    command = ["nice", sys.executable, "-m", "runtime.cli", "check", "--site", str(site.resolve())]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdin=nowhere, stdout=nowhere, stderr=nowhere, process_group=0)


def _done(state: Path) -> dict[str, float]:
    """When each was done last; nothing where the file is not there or not ours."""
    try:
        found = json.loads((state / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {word: float(at) for word, at in found.items() if isinstance(at, int | float)} if isinstance(found, dict) else {}


def command_of(text: str) -> tuple[str, ...]:
    """The words of the command that reboots this machine, without a shell. Raises ValueError in words for whoever typed it."""
    words = shlex.split(text)
    if not words or shutil.which(words[0]) is None:
        raise ValueError(f"there is no program `{words[0] if words else text}`: `--reboot-command 'systemctl reboot'`")
    return tuple(words)


def listen() -> None:
    """Take the signals that came while the application was started anew; their handlers are there now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def go_on(asked: str, reboot: Sequence[str], stop: Sequence[int], log: Any, close: Callable[[], None]) -> int:
    """Do what was asked for, now that the site has stopped. It returns an exit code where somebody asked to stop meanwhile."""
    if asked == REBOOT and not stop:
        trouble = _reboot(reboot, log)
        until = time.monotonic() + (0.0 if trouble else REBOOT_PATIENCE_S)
        while not stop and time.monotonic() < until:
            time.sleep(0.1)
        if not stop:
            log.error("the machine did not reboot; the site is started again", why=trouble or "it did not end us")
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # one that comes from here on is for the new start: `listen`
    if stop:
        listen()
        return 0
    words = [word for word in sys.orig_argv if word != "--cold"]  # that was for the first start: what is retained was just saved
    log.info("starting anew", command=words)
    close()
    try:
        os.execv(sys.executable, words)
    except OSError as error:
        sys.stderr.write(f"error: {sys.executable} cannot be started anew: {error}\n")
        return os.EX_OSERR


def _reboot(command: Sequence[str], log: Any) -> str:
    """Have the machine rebooted; what went wrong, or nothing."""
    log.info("rebooting", command=list(command))
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=COMMAND_S)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return f"{command[0]} ended with {done.returncode}" if done.returncode else ""
