"""What every screen is given: the picture, the door, the records, who looks, and the site's own description."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hmi import texts
from hmi.alarms import Alarms
from hmi.scope import Scope
from hmi.sessions import Visitors
from hmi.settings import HmiSettings
from runtime import quality
from runtime.child import ServiceOrder
from runtime.servers.audit import Who
from runtime.servers.door import Door
from runtime.servers.peers import address_of
from runtime.servers.picture import Picture
from runtime.servers.records.states import AlarmState
from runtime.servers.records.store import Records
from runtime.servers.users import Users

AT_ONCE = 4  # long reads of the records at the same time: each holds a thread
Found = TypeVar("Found")


@dataclass
class Hall:
    """The HMI's parts; `records` is None on a site that keeps none. `generation` counts the programs that were followed."""

    settings: HmiSettings
    picture: Picture
    door: Door
    users: Users
    visitors: Visitors
    records: Records | None
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    generation: int = 0
    writes: int = 0
    alarms: Alarms = field(init=False)
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.alarms = Alarms(self.picture, self._known_alarms)
        self.scope = Scope(self.picture)

    async def _known_alarms(self) -> list[AlarmState]:
        return await self.read_records(lambda records: records.alarms()) or []

    @property
    def order(self) -> ServiceOrder:
        return self.picture.order

    async def read_records(self, read: Callable[[Records], Found]) -> Found | None:
        """What the records say, asked in a thread; None on a site that keeps none. Raises NotKeptError."""
        records = self.records
        if records is None:
            return None
        async with self.reading:
            return await asyncio.to_thread(read, records)

    def follow(self, order: ServiceOrder) -> None:
        """Show the tags of this order from now on; pages that are open load themselves anew."""
        self.picture.follow(order)
        self.generation += 1

    def close(self) -> None:
        self.scope.end("")
        if self.records is not None:
            self.records.close()


@dataclass(frozen=True)
class Visit:
    """One open page: its hall, and who looks at it. The role is asked anew with every deed, since a login may have ended."""

    hall: Hall
    token: str
    peer: str

    @property
    def who(self) -> Who:
        return self.hall.visitors.who(self.token, self.peer)

    @property
    def is_at_the_plant(self) -> bool:
        """Whether this page is shown by a panel of the plant, and not by a browser somewhere in the network."""
        host = address_of(self.peer.rpartition(":")[0].strip("[]"))
        return any(host in network for network in self.hall.settings.panels)

    def why_not_from_here(self) -> str:
        """Why nothing may be commanded from here, or nothing: in local control only the panels of the plant command."""
        picture = self.hall.picture
        tag = picture.tag(self.hall.order.authority) if self.hall.order.authority else None
        if tag is None or self.is_at_the_plant:
            return ""
        picture.look()
        chosen = picture.pick((tag.name,))
        is_remote = picture.values(chosen)[0] is True and quality.is_good(picture.qualities(chosen)[0])
        return "" if is_remote else texts.LOCAL_CONTROL
