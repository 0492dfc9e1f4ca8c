"""How long an alarm stays on the shelf, whatever the wall clock does meanwhile. It knows no file.

The wall clock may jump: by a time server, by hand, or to 1970 on a machine without a battery. So a shelving lasts by the clock that
runs since the machine was switched on and that nobody can set; only after another start of the machine there is nothing but the
wall clock. Where that cannot be right, the shelving is over: an alarm that is seen too early does less harm than one that is not.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, replace
from pathlib import Path

from runtime.servers.records.states import AlarmState

JUMP = 1_000_000_000  # ns: so far the wall clock may run away before the end of a shelving is told anew


@dataclass(frozen=True, slots=True)
class Clocks:
    """A moment (ns): the wall clock, and how long the machine runs since the start named `boot`."""

    wall: int
    boot: str
    running: int


@dataclass(frozen=True, slots=True)
class Shelving:
    """An alarm was put on the shelf for `length` ns at the moment `at`."""

    length: int
    at: Clocks

    def left(self, now: Clocks, most: int) -> int:
        """How much of it is left (ns), 0 or less where it is over. `most` is the longest that the site allows now."""
        length = min(self.length, most)
        if now.boot == self.at.boot:
            return length - (now.running - self.at.running)
        gone = now.wall - self.at.wall
        return length - gone if gone >= 0 else 0


def clocks() -> Clocks:
    """Now."""
    return Clocks(time.time_ns(), _boot(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def told_anew(state: AlarmState, left: int, now: Clocks) -> AlarmState:
    """The state with the end of its shelving as the wall clock has it now."""
    until = now.wall + left
    return state if abs(until - state.shelved_until) < JUMP else replace(state, shelved_until=until)


@functools.cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
