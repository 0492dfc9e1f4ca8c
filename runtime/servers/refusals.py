"""How many refused writes of one host are noted one by one: a flood of them must not push real deeds out of the audit log.

It knows no protocol and no tag.
"""

from __future__ import annotations

import time
from collections import Counter

from runtime.servers.audit import Who
from runtime.servers.peers import host_of

WINDOW = 60.0  # s
MOST_NOTED = 100  # of one host in that time; the rest is noted as a number
MOST_HOSTS = 1000  # beyond, hosts that are not counted yet share one account


class Refusals:
    """The accounts of all hosts. What is not noted one by one is noted as a sum when the time is over."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._who: dict[str, Who] = {}
        self._until = time.monotonic() + WINDOW

    def may_note(self, who: Who) -> bool:
        """Count one more refused write; whether it shall be noted by itself."""
        host = host_of(who.peer)
        if host not in self._counts and len(self._counts) >= MOST_HOSTS:
            host = "others"
        self._counts[host] += 1
        self._who[host] = who
        return self._counts[host] <= MOST_NOTED

    def sums(self) -> list[tuple[Who, int]]:
        """Once the time is over: who had more refusals than were noted, and how many more. Then all begin anew."""
        now = time.monotonic()
        if now < self._until:
            return []
        beyond = [(host, count - MOST_NOTED) for host, count in self._counts.items() if count > MOST_NOTED]
        found = [(Who(self._who[host].user, self._who[host].role, host), count) for host, count in beyond]
        self._counts.clear()
        self._who.clear()
        self._until = now + WINDOW
        return found
