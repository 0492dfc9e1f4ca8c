"""What clients can do and ask beside tags: commands, alarms, history. It brings them together, and knows none of their contents."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from asyncua import ua

from runtime.child import ServiceOrder
from runtime.model import Alarm
from runtime.servers.door import Door
from runtime.servers.opcua.alarms import Alarms
from runtime.servers.opcua.commands import Commands
from runtime.servers.opcua.condition_methods import ConditionMethods
from runtime.servers.opcua.condition_nodes import OF_ALARMS, ConditionNodes
from runtime.servers.opcua.conditions import ALARMS_FOLDER, SERVER
from runtime.servers.opcua.history import PastValues
from runtime.servers.opcua.methods import Methods
from runtime.servers.opcua.nodes import Face, common
from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.space import Space
from runtime.servers.opcua.subscription_methods import SubscriptionMethods
from runtime.servers.opcua.tags import access_of
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.store import Records

_LOOK = 10.0  # s: how often it is looked up which tags are recorded, and which alarms there are


class Operation:
    """The commands of a running server, and where the site keeps records its alarms and history."""

    def __init__(self, server: Any, door: Door, publisher: Publisher, space: Space, parent: Face, order: ServiceOrder):
        self._space, self._order = space, order
        self.methods = server.method_service = Methods(server.aspace, door)
        SubscriptionMethods(server, self.methods, publisher)
        self._commands = Commands(server.aspace, self.methods, door, publisher, parent)
        self._commands.follow(order.tags)
        self._records = Records(Path(order.state_dir), is_strict=True) if order.state_dir else None
        self._alarms: Alarms | None = None
        self._past: PastValues | None = None
        if self._records is not None:
            self._alarms = Alarms(server, self._records, door, order, publisher.every, (SERVER, parent.id, ALARMS_FOLDER))
            ConditionMethods(server.aspace, self.methods, self._records, door, self._alarms)
            self._conditions = ConditionNodes(server.aspace, parent, self._alarms)
            space.others.append(self._conditions.make)
            space.tags.also = self._conditions.references
            self._past = server.history_manager = PastValues(server, self._records.history)
        self._tasks: list[asyncio.Task[None]] = []
        self._shown: list[str] = []
        self._declared: tuple[Alarm, ...] = ()
        self._recorded: frozenset[str] | None = None  # not known yet

    async def start(self) -> None:
        """Take the alarms and the list of recorded tags, and go on with both."""
        if self._alarms is not None and self._past is not None:
            await self._alarms.recall()
            self._shown, self._declared = self._alarms.names(), self._order.alarms
            self._conditions.follow(self._alarms.sources())
            self._past.show(self._order.tags, None)
            await self._mark()
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._alarms.run()), loop.create_task(self._look_again())]

    def check(self) -> None:
        """Raises what ended the telling of alarms: a server that tells none any more is worse than none."""
        for task in self._tasks:
            if task.done():
                task.result()

    def follow(self, order: ServiceOrder) -> None:
        """Have the commands and alarms of this order's program. Call it when its tags have their nodes."""
        self._order = order
        self._commands.follow(order.tags)
        if self._alarms is not None and self._past is not None:
            self._alarms.follow(order)
            self._past.show(order.tags, self._recorded)
            self._show_alarms()

    def counters(self) -> dict[str, int]:
        """How many calls, told events and reads of history there were."""
        events = self._alarms.told if self._alarms is not None else 0
        return {"calls": self.methods.calls, "events": events, "history": self._past.reads if self._past is not None else 0}

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOK if self._space.tags.recorded else 1.0)
            await self._mark()
            self._show_alarms()

    def _show_alarms(self) -> None:
        """Have the folder of the alarms made anew where the program has others."""
        assert self._alarms is not None
        names, sources, before = self._alarms.names(), self._alarms.sources(), self._conditions.sources
        if names == self._shown and sources == before and self._declared == self._order.alarms:
            return
        for node in (self._conditions.folder, *(node for name in self._shown for node in self._conditions.identifiers(name))):
            self._space.forget(node)
        self._shown, self._declared = names, self._order.alarms
        self._conditions.follow(sources)
        for name, (tag, _) in {**before, **sources}.items():
            made = self._space.nodes.made(name)
            if made is not None:
                others = [reference for reference in made.references if reference.ReferenceTypeId not in OF_ALARMS]
                made.references = [*others, *self._conditions.references(tag)]

    async def _mark(self) -> None:
        """Have the variables say which of them have a history."""
        assert self._records is not None and self._past is not None
        try:
            recorded = self._recorded = await asyncio.to_thread(self._records.recorded)
        except NotKeptError:  # the log says so, and a client that reads it is told: what is recorded stays as it was
            return
        before, self._space.tags.recorded = self._space.tags.recorded, recorded
        self._past.show(self._order.tags, recorded)
        for tag in self._order.tags:
            made = self._space.nodes.made(tag.name) if (tag.name in recorded) != (tag.name in before) else None
            if made is not None:
                is_recorded = tag.name in recorded
                level = access_of(tag, is_recorded=is_recorded)
                made.attributes[ua.AttributeIds.AccessLevel] = common(level, ua.VariantType.Byte)
                made.attributes[ua.AttributeIds.UserAccessLevel] = common(level, ua.VariantType.Byte)
                made.attributes[ua.AttributeIds.Historizing] = common(is_recorded, ua.VariantType.Boolean)

    async def close(self) -> None:
        """Tell no more."""
        if self._alarms is not None:
            await self._alarms.close()
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._records is not None:
            self._records.close()
