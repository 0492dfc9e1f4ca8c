"""One service's doors to the scan: the newest snapshot, any pin, and commands with their answers. It knows no protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from runtime.child import ServiceOrder
from runtime.engine.command import COMMANDS_A_SCAN
from runtime.engine.north import ANSWERS, ROLE_TOO_LOW, SERVICES, TAKEN, Commands, Pins, Reply, Snapshot
from runtime.model import ROLES, Tag
from runtime.servers.audit import Deed, Keep, Who, say
from runtime.servers.refusals import WINDOW, Refusals

STALE = 1_000_000_000  # ns: an older snapshot is no picture of the plant any more
PATIENCE = 1.0  # s: how long a client waits for the scan's answer
POLL = 0.002  # s: a scan takes 10 ms or more, so this adds little

NO_SCAN, NO_ANSWER, RING_FULL = 101, 102, 103
_WHY = ANSWERS | {
    NO_SCAN: "refused: no scan is running",
    NO_ANSWER: f"no answer from the scan within {PATIENCE:g} s",
    RING_FULL: "refused: too many commands are waiting for the scan",
}

Result = TypeVar("Result")
Write = tuple[Tag, float | int | bool, int]  # a tag, what it shall be, and its element from 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write: the scan's answer, or why it never got one."""

    answer: int
    scan: int = 0

    @property
    def is_taken(self) -> bool:
        return self.answer == TAKEN

    @property
    def text(self) -> str:
        return _WHY.get(self.answer, f"answer {self.answer}")


class Door:
    """One service's doors to the scan: the newest snapshot, any pin, and commands whose answers are waited for.

    `pictures` counts the snapshots taken, so that whoever encodes them knows a new one. Every write and every refusal is given
    to each of `keep`; of a host's flood of refusals only the first, and a sum. A write is seen through to its end and noted, also
    where whoever asked for it is gone meanwhile.
    """

    def __init__(self, order: ServiceOrder):
        self.service = order.service
        self.keep: list[Keep] = [say]
        self.pictures = 0
        self._refusals = Refusals()
        self._under_way: set[asyncio.Future[Any]] = set()
        self._commands: Commands | None = None
        self._portion = asyncio.Lock()
        self.follow(order)

    def follow(self, order: ServiceOrder) -> None:
        """Turn to the scan of this order's program. Writes that still wait for the one before get no answer."""
        folder = Path(order.run_dir)
        self.close()
        self.snapshot = Snapshot(folder, order.region, order.generation)
        self.pins = Pins(folder, order.generation, order.pins)
        if order.service in SERVICES:
            self._commands = Commands(folder, order.service, order.region.size, order.generation)
        self._is_of_this_scan = False
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._collector: asyncio.Task[None] | None = None

    def refresh(self) -> bool:
        """Take the newest snapshot; whether there was a newer one."""
        taken = self.snapshot.refresh()
        self.pictures += taken
        # a restarted scan's file holds no picture at first, and the one that we still have is its predecessor's
        self._is_of_this_scan = taken or (self._is_of_this_scan and self.snapshot.is_attached)
        return taken

    def is_stale(self) -> bool:
        """Whether the scan has published nothing for a second, or never has."""
        return not self._is_of_this_scan or time.monotonic_ns() - self.snapshot.monotonic > STALE

    async def write(self, tag: Tag, value: float | int | bool, who: Who, element: int = 0) -> Outcome:
        """Have the scan write a tag; returns when a scan has taken or refused it, and its snapshot is here, or after a second.

        Nothing is put into the ring while no scan runs: a `close` must not wait there for the next start. `element` is from 0.
        """
        return await self._to_its_end(self._write(tag, value, who, element))

    async def _write(self, tag: Tag, value: float | int | bool, who: Who, element: int) -> Outcome:
        self.refresh()
        old = self._old(tag, element)
        outcome = await self.command(tag, value, who.role, element)
        self._note_write(who, (tag, value, element), old, outcome)
        return outcome

    async def _to_its_end(self, work: Coroutine[Any, Any, Result]) -> Result:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def write_all(self, wanted: Sequence[Write], who: Who) -> list[Outcome]:
        """Have the scan write many values in this order, as many at a time as one scan takes; returns as `write` does.

        The portions of several such requests take turns, and leave most of the ring to single writes: nobody's hundred recipes
        keep another's stop waiting. The first portion that gets no answer ends the request.
        """
        return await self._to_its_end(self._write_all(wanted, who))

    async def _write_all(self, wanted: Sequence[Write], who: Who) -> list[Outcome]:
        self.refresh()
        olds = [self._old(tag, element) for tag, _, element in wanted]
        outcomes: list[Outcome] = []
        commands = self._commands
        while len(outcomes) < len(wanted):
            async with self._portion:
                if self._commands is not commands:  # another program has come: its tags stand elsewhere
                    outcomes += [Outcome(NO_ANSWER)] * (len(wanted) - len(outcomes))
                    break
                outcomes += await self._write_portion(wanted[len(outcomes) : len(outcomes) + COMMANDS_A_SCAN], who.role)
            if outcomes[-1].answer in (NO_SCAN, NO_ANSWER):
                outcomes += [outcomes[-1]] * (len(wanted) - len(outcomes))
        await self._until_published(max((outcome.scan for outcome in outcomes if outcome.is_taken), default=0))
        for write, old, outcome in zip(wanted, olds, outcomes, strict=True):
            self._note_write(who, write, old, outcome)
        return outcomes

    async def _write_portion(self, wanted: Sequence[Write], role: str) -> list[Outcome]:
        self.refresh()
        if self.is_stale() or self._commands is None:
            return [Outcome(NO_SCAN)] * len(wanted)
        if role not in ROLES:
            return [Outcome(ROLE_TOO_LOW)] * len(wanted)
        waiting = self._waiting
        numbers = [self._commands.write(tag, value, role, element) for tag, value, element in wanted]
        replies = {number: self._promise(number) for number in numbers if number}
        if replies:
            await asyncio.wait(replies.values(), timeout=PATIENCE)
        for number in replies:
            waiting.pop(number, None)
        return [_outcome_of(replies.get(number)) for number in numbers]

    def refuse(self, tag: Tag, value: Any, who: Who, answer: str, element: int = 0) -> None:
        """Note a write that was refused here and never reached the scan."""
        if not self._refusals.may_note(who):
            return
        old = self._old(tag, element) if isinstance(value, (bool, int, float)) else None
        self._note(Deed(self.service, who, "write", tag.name, answer, False, _place(tag, element), old, value))

    def note(self, who: Who, action: str, subject: str, answer: str, taken: bool, **words: Any) -> None:
        """Note anything else that somebody did: a login, an acknowledgement. What is refused is counted as refused writes are."""
        if taken or self._refusals.may_note(who):
            self._note(Deed(self.service, who, action, subject, answer, taken, **words))

    async def reset_statistics(self, who: Who) -> Outcome:
        """Have the scan start its maxima, counters and histograms afresh. Whose role suffices is the caller's to know."""
        self.refresh()
        is_silent = self.is_stale() or self._commands is None
        outcome = Outcome(NO_SCAN) if is_silent else await self._answered(self._commands.reset_statistics())  # type: ignore[union-attr]
        self.note(who, "reset statistics", "plc", outcome.text, outcome.is_taken, scan=outcome.scan)
        return outcome

    async def ask(self, put: Callable[[Commands], int]) -> Outcome:
        """Have the scan do what `put` puts into the ring, such as a force; returns as `write` does. It is noted by whoever asks."""
        return await self._to_its_end(self._ask(put))

    async def _ask(self, put: Callable[[Commands], int]) -> Outcome:
        self.refresh()
        if self.is_stale() or self._commands is None:
            return Outcome(NO_SCAN)
        return await self._answered(put(self._commands))

    def tick(self) -> None:
        """Once a second: note how many refusals were not noted one by one."""
        for who, count in self._refusals.sums():
            told = f"refused: {count} more within {WINDOW:g} s"
            self._note(Deed(self.service, who, "refusals", self.service, told, False))

    def _note_write(self, who: Who, write: Write, old: Any, outcome: Outcome) -> None:
        tag, value, element = write
        if outcome.is_taken or outcome.answer == NO_ANSWER or self._refusals.may_note(who):
            told, place = outcome.text, _place(tag, element)
            self._note(Deed(self.service, who, "write", tag.name, told, outcome.is_taken, place, old, value, outcome.scan))

    def _note(self, deed: Deed) -> None:
        for keep in self.keep:
            keep(deed)

    def _old(self, tag: Tag, element: int) -> Any:
        column = self.snapshot.column(tag)
        return column[element].item() if 0 <= element < len(column) and not self.is_stale() else None

    async def command(self, tag: Tag, value: float | int | bool, role: str, element: int = 0) -> Outcome:
        """As `write`, but noted nowhere: for what tries again and again, and notes its success itself."""
        if self.is_stale() or self._commands is None:
            return Outcome(NO_SCAN)
        if role not in ROLES:
            return Outcome(ROLE_TOO_LOW)
        return await self._answered(self._commands.write(tag, value, role, element))

    async def _answered(self, number: int) -> Outcome:
        """What the scan says to a command, once its snapshot is here; 0 is the number of one that found the ring full."""
        if not number:
            return Outcome(RING_FULL)
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._answer_to(number)
        except TimeoutError:
            return Outcome(NO_ANSWER)
        if reply.is_taken:
            await self._until_published(reply.scan)
        return Outcome(reply.answer, reply.scan)

    async def _answer_to(self, number: int) -> Reply:
        waiting = self._waiting  # another program's commands wait elsewhere, and may have the same numbers
        try:
            return await self._promise(number)
        finally:
            waiting.pop(number, None)

    def _promise(self, number: int) -> asyncio.Future[Reply]:
        """The scan's reply to this command, when it comes."""
        loop = asyncio.get_running_loop()
        promised = self._waiting[number] = loop.create_future()
        if self._collector is None:
            self._collector = loop.create_task(self._collect())
        return promised

    async def _collect(self) -> None:
        while self._waiting:
            for reply in self._commands.replies() if self._commands is not None else ():
                waiting = self._waiting.get(reply.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
            await asyncio.sleep(POLL)
        self._collector = None

    async def _until_published(self, scan: int) -> None:
        """Wait for the snapshot of that scan, so that a client reads back what it wrote; a restarted scan counts afresh."""
        until = time.monotonic() + PATIENCE / 4
        self.refresh()
        while self.snapshot.scan < scan and time.monotonic() < until:
            await asyncio.sleep(POLL)
            self.refresh()

    def close(self) -> None:
        """Take the command ring away."""
        if self._commands is not None:
            self._commands.close()


def _outcome_of(promised: asyncio.Future[Reply] | None) -> Outcome:
    if promised is None:
        return Outcome(RING_FULL)
    if not promised.done():
        return Outcome(NO_ANSWER)
    return Outcome(promised.result().answer, promised.result().scan)


def _place(tag: Tag, element: int) -> int:
    return element + 1 if tag.length else 0
