"""Keeps the processes of a site alive: starts them, restarts those that die, stops them in order. It knows no tags."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 5.0)
CALM_S = 30.0  # a child that lived this long is restarted at once again

Event = Callable[[str, dict[str, Any]], None]


@dataclass
class Charge:
    """One process in our charge: how to start it, and how often it had to be."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    child: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    restarts: int = 0
    row: int = 0
    due: float = 0.0
    rest: bytes = b""


@dataclass
class Supervisor:
    """The charges in the order of their start. `on_event(name, event)` hears what they print as JSON lines."""

    on_event: Event
    charges: dict[str, Charge] = field(default_factory=dict)
    stopping: bool = False

    def __post_init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def take(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> Charge:
        """Start a process and keep it alive from now on."""
        charge = Charge(name, start)
        self.charges[name] = charge
        self._begin(charge)
        return charge

    def _begin(self, charge: Charge) -> None:
        try:
            charge.child = charge.start()
        except OSError as error:
            charge.row += 1
            charge.due = time.monotonic() + BACKOFF_S[min(charge.row, len(BACKOFF_S)) - 1]
            self.on_event(charge.name, {"event": "died", "error": str(error)})
            return
        charge.since = time.monotonic()
        charge.rest = b""
        if charge.child.stdout is not None:
            os.set_blocking(charge.child.stdout.fileno(), False)
            self._selector.register(charge.child.stdout, selectors.EVENT_READ, charge)

    def hear(self, source: Any, call: Callable[[], None]) -> None:
        """Call this whenever there is something to read from a file or socket that is no charge's."""
        self._selector.register(source, selectors.EVENT_READ, call)

    def unhear(self, source: Any) -> None:
        self._selector.unregister(source)

    def attend(self, seconds: float) -> None:
        """Hear the charges for up to this long, and restart those that died."""
        until = time.monotonic() + seconds
        while True:
            for key, _ in self._selector.select(max(0.0, min(0.05, until - time.monotonic()))):
                if isinstance(key.data, Charge):
                    self._hear(key.data)
                else:
                    key.data()
            self._restart_the_dead()
            if time.monotonic() >= until:
                return

    def _hear(self, charge: Charge) -> None:
        assert charge.child is not None and charge.child.stdout is not None
        try:
            data = os.read(charge.child.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(charge.child.stdout)
            charge.child.stdout.close()
            charge.child.stdout = None
            return
        *lines, charge.rest = (charge.rest + data).split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if not isinstance(event, dict):
                event = {"event": "said", "text": line.decode(errors="replace")}
            self.on_event(charge.name, event)

    def _restart_the_dead(self) -> None:
        if self.stopping:
            return
        now = time.monotonic()
        for charge in self.charges.values():
            if charge.child is not None and charge.child.poll() is not None:
                self._bury(charge, now)
            elif charge.child is None and now >= charge.due:
                charge.restarts += 1
                self._begin(charge)
                self.on_event(charge.name, {"event": "restarted", "restarts": charge.restarts})

    def _bury(self, charge: Charge, now: float) -> None:
        assert charge.child is not None
        code = charge.child.returncode
        if charge.child.stdout is not None:
            self._hear(charge)
        if charge.child is not None and charge.child.stdout is not None:
            self._selector.unregister(charge.child.stdout)
            charge.child.stdout.close()
        charge.row = 0 if now - charge.since > CALM_S else charge.row + 1
        wait = BACKOFF_S[min(charge.row, len(BACKOFF_S)) - 1] if charge.row else 0.0
        if code == os.EX_UNAVAILABLE:  # its port is taken, perhaps by one that is just ending
            wait = BACKOFF_S[-1]
        charge.child, charge.due = None, now + wait
        self.on_event(charge.name, {"event": "died", "code": code, "again_in": wait})

    def kill(self, name: str, why: str) -> None:
        """End a process that lives and does nothing; it is restarted like any that died."""
        charge = self.charges[name]
        if charge.child is not None and charge.child.poll() is None:
            self.on_event(name, {"event": "killed", "why": why})
            charge.child.kill()

    def stop(self, name: str, patience: float) -> None:
        """Ask one process to end and wait; after `patience` seconds it is killed."""
        self.stopping = True
        charge = self.charges.get(name)
        if charge is None or charge.child is None:
            return
        if charge.child.poll() is None:
            charge.child.send_signal(signal.SIGTERM)
        until = time.monotonic() + patience
        while charge.child.poll() is None:
            self.attend(0.02)
            if time.monotonic() > until:
                self.on_event(name, {"event": "killed", "patience": patience})
                charge.child.kill()
                charge.child.wait()
        if charge.child.stdout is not None:
            self._hear(charge)
