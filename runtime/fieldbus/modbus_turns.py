"""Who may use a Modbus line next, and how often those that keep silent are asked. It must not know what is asked.

Decision. A unit that does not answer costs the line its whole request time-out, and the others wait meanwhile. So units that
missed twice in a row are asked one after another, and all of them together get a tenth of the line's time, as long as
others do answer. Consequence: a unit behind a busy gateway that comes back is found a few seconds later.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from time import monotonic

PATIENCE = 0.25  # s: a read that has waited this long is served before the next write
MISSES = 2  # in a row make a unit silent
SHARE = 9  # seconds of rest for each second lost to silent units
MOST_REST, LOOK = 10.0, 0.1  # s: the longest rest, and how soon its end is noticed where it comes early
LATE = 1.0  # s: after a time-out on a line without transaction ids, its answer may still come for this long


class Turns:
    """The queue of a line: writes before reads, each in the order of asking, so that units take turns."""

    def __init__(self) -> None:
        self._busy = False
        self._owed = False  # a read that had waited too long went before a write
        self._writes: deque[asyncio.Future[None]] = deque()
        self._reads: deque[tuple[float, asyncio.Future[None]]] = deque()

    @property
    def is_idle(self) -> bool:
        return not self._busy

    async def take(self, is_write: bool) -> None:
        """Wait for our turn; `give` must follow."""
        if not self._busy:
            self._busy = True
            return
        turn = asyncio.get_running_loop().create_future()
        if is_write:
            self._writes.append(turn)
        else:
            self._reads.append((monotonic(), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()  # it was our turn already
            raise

    def give(self) -> None:
        """Our turn is over: the next one's begins."""
        now = monotonic()
        while self._writes or self._reads:
            is_write = bool(self._writes) and (not self._reads or self._owed or now - self._reads[0][0] < PATIENCE)
            turn = self._writes.popleft() if is_write else self._reads.popleft()[1]
            if not turn.done():
                self._owed = not is_write and bool(self._writes)
                turn.set_result(None)
                return
        self._busy = False


class Silence:
    """What a line remembers of its units: which of them miss their answers, and when they may be asked again."""

    def __init__(self) -> None:
        self._misses: Counter[int] = Counter()
        self._late: dict[int, float] = {}
        self._next = 0.0  # when the line can spare time for the next silent unit
        self._being_asked = 0.0  # one of them is, until then at the latest
        self._order = asyncio.Lock()  # silent units in the order of their asking

    def missed(self, unit: int, cost: float, now: float, may_come_late: bool) -> None:
        """The unit did not answer; that took `cost` seconds of the line."""
        self._misses[unit] += 1
        if may_come_late:
            self._late[unit] = now + LATE
        if self._misses[unit] >= MISSES:
            self._being_asked = 0.0
            self._next = max(self._next, now + min(SHARE * cost, MOST_REST))

    def answered(self, unit: int) -> None:
        """The unit lives. One that was silent gives its rest back to the others that are."""
        if self._misses.pop(unit, 0) >= MISSES:
            self._next = self._being_asked = 0.0

    def is_silent(self, unit: int) -> bool:
        return self._misses[unit] >= MISSES

    async def admit(self, unit: int, others_answer: bool) -> None:
        """Wait until the unit may be asked: its late answer is no longer expected, and the line can spare the time."""
        await asyncio.sleep(max(0.0, self._late.get(unit, 0.0) - monotonic()))
        if not self.is_silent(unit) or not others_answer:
            return
        async with self._order:
            while (rest := max(self._next, self._being_asked) - monotonic()) > 0:
                await asyncio.sleep(min(rest, LOOK))
            self._being_asked = monotonic() + MOST_REST
