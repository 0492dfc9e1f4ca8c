"""How many refused writes of one host are noted one by one: a flood of them must not push real deeds out of the audit log.

It knows no socket and no registers.
"""

from __future__ import annotations

import time
from collections import Counter

from runtime.servers.audit import Who
from runtime.servers.door import Door

WINDOW = 60.0  # s
MOST_NOTED = 100  # of one host in that time; the rest is noted as a number
MOST_HOSTS = 1000  # beyond, hosts that are not counted yet share one account


class Refusals:
    """The accounts of all hosts. What is not noted one by one is noted as a sum when the time is over."""

    def __init__(self, door: Door):
        self._door = door
        self._counts: Counter[str] = Counter()
        self._who: dict[str, Who] = {}
        self._until = 0.0

    def may_note(self, who: Who) -> bool:
        """Count one more refused write; whether it shall be noted by itself."""
        self.tick()
        host = who.peer.rpartition(":")[0] or who.peer
        if host not in self._counts and len(self._counts) >= MOST_HOSTS:
            host = "others"
        self._counts[host] += 1
        self._who[host] = who
        return self._counts[host] <= MOST_NOTED

    def tick(self) -> None:
        """Note the sums of the time that is over."""
        now = time.monotonic()
        if now < self._until:
            return
        for host, count in self._counts.items():
            if count > MOST_NOTED:
                who = self._who[host]
                said = f"refused: {count - MOST_NOTED} more writes within {WINDOW:g} s"
                self._door.note(Who(who.user, who.role, host), "writes", "modbus", said, False)
        self._counts.clear()
        self._who.clear()
        self._until = now + WINDOW
