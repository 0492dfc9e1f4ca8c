"""Holding the test setpoint: it is somebody's while their page is there and says so; then it goes back to zero.

The program knows nothing of pages. So that a hold ends also where this server dies in the midst of it, who holds is noted in a
file of the running site; the next server finds it and writes the zero.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from weakref import WeakKeyDictionary

import structlog
from nicegui import background_tasks

from hmi import commands
from hmi.hall import Hall, Visit
from hmi.parts.entry import present
from hmi.roles import why_not
from hmi.texts import control as said
from runtime.servers.audit import Who
from runtime.servers.picture import Picture

SETPOINT, MODE, TEST = "set.p_test", "site.mode", "TEST"
PATIENCE = 3.0  # s without a sign of life of the page
LOOK = 0.5  # s
HELD = "test_setpoint.held"
TRIES = 20  # to write zero, LOOK apart: the scan may be between two programs
log = structlog.get_logger()
_held: WeakKeyDictionary[Picture, Hold] = WeakKeyDictionary()


def is_test(hall: Hall) -> bool:
    """Whether mode test is chosen."""
    tag = hall.picture.tag(MODE)
    if tag is None:
        return False
    now = present(hall, tag)
    return any(number == now and name == TEST for number, name in tag.names)


def holder(hall: Hall) -> Hold | None:
    """Who holds the test setpoint of this site."""
    return _held.get(hall.picture)


class Hold:
    """One person's hold of the test setpoint. `is_there` says whether their page still shows it; `ended` is told why it ended."""

    def __init__(self, visit: Visit, is_there: Callable[[], bool], ended: Callable[[str, str], None]):
        self.visit, self._is_there, self._ended = visit, is_there, ended
        self.who = visit.who
        self._heard = 0.0
        self._why = ""
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()

    @property
    def is_held(self) -> bool:
        return _held.get(self.visit.hall.picture) is self

    async def begin(self) -> str:
        """Take the setpoint, from zero; why not, or nothing."""
        hall, tag = self.visit.hall, self.visit.hall.picture.tag(SETPOINT)
        self.who = self.visit.who
        other = holder(hall)
        if other is not None:
            return said.HELD_BY_OTHER.format(user=other.who.user, peer=other.who.peer.rpartition(":")[0])
        why = why_not(self.who, tag.write) if tag is not None and tag.write else said.NO_SETPOINTS
        if not why and not is_test(hall):
            why = said.MUST_BE_TEST
        if why:
            return why
        _held[hall.picture] = self
        why = _note(hall, self.who) or await commands.write(self.visit, SETPOINT, 0.0)
        if why:
            del _held[hall.picture]
            _forget(hall)
            return why
        self.heard()
        background_tasks.create(self._watch(), name="test setpoint")
        return ""

    def heard(self) -> None:
        """The page has given a sign of life."""
        self._heard = time.monotonic()

    async def put(self, wanted: Callable[[float], float]) -> str:
        """Set what `wanted` makes of the present setpoint, within the range; why not, or nothing."""
        async with self._turn:
            hall, tag = self.visit.hall, self.visit.hall.picture.tag(SETPOINT)
            if not self.is_held or self._why or tag is None:
                return said.FREE
            number = wanted(float(present(hall, tag) or 0.0))
            number = max(number, tag.minimum) if tag.minimum is not None else number
            number = min(number, tag.maximum) if tag.maximum is not None else number
            return await commands.write(self.visit, SETPOINT, round(number, 6))

    def end(self, why: str) -> None:
        """Let the setpoint go: the watch sets it to zero at once."""
        self._why = self._why or why
        self._wake.set()

    async def _watch(self) -> None:
        try:
            while not (self._why or self._fault()):
                await self._pause()
        except asyncio.CancelledError:
            self._why = self._why or "closing"  # of the server: zero is written all the same
        why = self._why or self._fault() or "left"
        self._why = why
        try:
            refused = await _to_zero(self.visit.hall, self.who, self._turn)
        finally:
            if self.is_held:
                del _held[self.visit.hall.picture]
        self._ended(why, refused)

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), LOOK)
        except TimeoutError:
            return  # time to look again

    def _fault(self) -> str:
        """Why nobody may hold the setpoint any more, or nothing."""
        if not self._is_there():
            return "left"
        if time.monotonic() - self._heard > PATIENCE:
            return "silent"
        if self.visit.who != self.who:
            return "role"
        return "" if is_test(self.visit.hall) else "mode"


async def end_hold_of_before(hall: Hall) -> None:
    """Where a server died while somebody held the test setpoint: set it to zero in their name."""
    try:
        found = json.loads(_file(hall).read_text(encoding="utf-8"))
        who = Who(str(found["user"]), str(found["role"]), str(found["peer"]))
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("who held the test setpoint is not known", error=repr(error))
        who = Who("hmi", "engineer", "")
    log.warning("the server died while the test setpoint was held: it is set to 0", user=who.user)
    await _to_zero(hall, who, asyncio.Lock())


async def _to_zero(hall: Hall, who: Who, turn: asyncio.Lock) -> str:
    """Zero, whatever it takes; then nobody holds it. Why not, or nothing."""
    why = ""
    for _ in range(TRIES):
        async with turn:
            why = await commands.take_back(hall, who, SETPOINT, 0.0)
        if not why:
            _forget(hall)
            return ""
        await asyncio.sleep(LOOK)
    log.error("the test setpoint could not be set to 0", why=why, user=who.user)
    return why


def _file(hall: Hall) -> Path:
    return Path(hall.order.run_dir) / HELD


def _note(hall: Hall, who: Who) -> str:
    """Note who holds; why it cannot be, or nothing."""
    try:
        _file(hall).write_text(json.dumps({"user": who.user, "role": who.role, "peer": who.peer}), encoding="utf-8")
    except OSError as error:
        return said.NOT_NOTED.format(why=error.strerror)
    return ""


def _forget(hall: Hall) -> None:
    _file(hall).unlink(missing_ok=True)
