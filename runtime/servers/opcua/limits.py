"""How much of everything a client may have, so that a rude one leaves enough for the others. It knows no client and no tag.

Each limit that the standard has a name for is told in the object Server's capabilities (`TOLD`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError

CHUNK = 65_535  # bytes of one chunk
CHUNKS = 512  # of one message
LEAST_CHUNK = 8_192  # what every client must be able to take (part 6, 7.1.2.3)
LONGEST = 2 * 1024 * 1024  # bytes of one message: 10,000 tags fit; before a session is activated, one chunk
UNSENT = 1024 * 1024  # bytes that wait for a client to take them; beyond it nothing is published to it
WAITING = 100  # messages of a connection that wait to be carried out

STRANGERS = 32  # connections without a session, beside those with one
PATIENCE = 10.0  # s: as long as a connection may be without a session that is activated
STALLED = 30.0  # s: as long as a client may take none of its answers
LIFETIMES = (10_000, 3_600_000)  # ms: of a channel's token
LONGEST_SESSION = 600_000.0  # ms without a word

SUBSCRIPTIONS, OF_A_SESSION = 1_000, 50
SLOWEST = 3_600_000.0  # ms: publishing interval
ITEMS, ITEMS_OF_A_SESSION = 100_000, 50_000  # monitored items of tags and pins
OTHERS, OTHERS_OF_A_SESSION = 5_000, 1_000  # of anything else
EVENT_ITEMS, EVENT_ITEMS_OF_A_SESSION = 200, 20  # each may keep 2,000 events

READ, WRITE, BROWSE, PATHS, REGISTER, MONITOR = 10_000, 5_000, 500, 500, 10_000, 10_000  # nodes of one request
STEPS = 32  # of one browse path
TOLD = {
    "MaxSubscriptions": SUBSCRIPTIONS,
    "MaxSubscriptionsPerSession": OF_A_SESSION,
    "MaxMonitoredItems": ITEMS,
    "MaxMonitoredItemsPerSubscription": ITEMS_OF_A_SESSION,
    "OperationLimits_MaxNodesPerRead": READ,
    "OperationLimits_MaxNodesPerWrite": WRITE,
    "OperationLimits_MaxNodesPerBrowse": BROWSE,
    "OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIds": PATHS,
    "OperationLimits_MaxNodesPerRegisterNodes": REGISTER,
    "OperationLimits_MaxMonitoredItemsPerCall": MONITOR,
}


def check_count(wanted: Sized | None, most: int) -> None:
    """Raises ServiceError where a request wants nothing, or more at once than it may."""
    if not wanted:
        raise ServiceError(ua.StatusCodes.BadNothingToDo)
    if len(wanted) > most:
        raise ServiceError(ua.StatusCodes.BadTooManyOperations)


def within(wanted: float, least: float, most: float) -> float:
    """The nearest to what a client wants; what is no number becomes the most where it is too large, else the least."""
    return min(max(wanted, least), most) if not math.isnan(wanted) else least


MOST = {"values": ITEMS, "others": OTHERS, "events": EVENT_ITEMS}
MOST_OWN = {"values": ITEMS_OF_A_SESSION, "others": OTHERS_OF_A_SESSION, "events": EVENT_ITEMS_OF_A_SESSION}


class Room:
    """How many monitored items there are of tags and pins, of anything else, and of events; and how many there may be."""

    def __init__(self, most: Mapping[str, int]) -> None:
        self._most = most
        self._used = {"values": 0, "others": 0, "events": 0}

    def take(self, items: Any) -> None:
        """Count what a subscription has."""
        events = len(items.event_items())
        self._used["values"] += len(items.ours)
        self._used["events"] += events
        self._used["others"] += len(items._monitored_items) - events

    def is_full(self, kind: str) -> bool:
        """Whether there are as many as may be; if not, there is one more now."""
        if self._used[kind] >= self._most[kind]:
            return True
        self._used[kind] += 1
        return False
