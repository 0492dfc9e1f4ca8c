"""Alarms and conditions: tells clients every event of the records, and again when they ask for it.

The state is in the records, so conditions outlive this process and the site. It must not know tags' values or programs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from asyncua import ua

from runtime.child import ServiceOrder
from runtime.model import Alarm, Tag
from runtime.servers.door import Door
from runtime.servers.opcua.conditions import LIMITS, About, Notice, is_retained, notice_of, system_notice
from runtime.servers.opcua.items import EventItems
from runtime.servers.opcua.shelving import Move, moved
from runtime.servers.opcua.types import named
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.states import AlarmEvent, AlarmState, name_of
from runtime.servers.records.store import Records

log = structlog.get_logger()
LOOK = 5.0  # s: how often it is looked whether the records and their alarms are still the same
RETRY = 1.0  # s: how often it is tried to read records that could not be read
PORTION = 100  # events at once: a flood is told in tenths of a second, between which values are published as ever
_IDS, _CODES = ua.ObjectIds, ua.StatusCodes


class Alarms:
    """The conditions of the site and their events to every subscription. `records` are strict ones.

    While the records cannot be read (`is_readable`) nothing is known of any alarm, and nobody is told that there is none.
    """

    def __init__(
        self, server: Any, records: Records, door: Door, order: ServiceOrder, every: float, notifiers: Sequence[ua.NodeId]
    ):
        self._notifiers = notifiers
        self._subscriptions = server.subscription_service.subscriptions
        self._records, self._door, self._every = records, door, every
        self._last: dict[str, AlarmEvent] = {}  # the newest event of each alarm that ever had one
        self._states: dict[str, AlarmState] = {}
        self._moves: dict[str, Move] = {}
        self._number, self._file = 0, (0, 0)
        self._turn = asyncio.Lock()
        self._refreshing: dict[int, asyncio.Task[None]] = {}
        self.is_readable = False
        self.told = 0
        self.follow(order)

    def follow(self, order: ServiceOrder) -> None:
        """Know the tags and limits of this order's alarms."""
        self._tags = {tag.name.lower(): tag for tag in order.tags}
        self._alarms = {name_of(alarm): alarm for alarm in order.alarms}
        self._limits = {pin.rpartition(".alarm.")[2]: pin for pin in order.pins if ".alarm." in pin}

    async def recall(self) -> None:
        """Take the conditions as the records have them: what happened before we were started is told by a refresh only."""
        try:
            await self._recall()
        except NotKeptError as error:
            log.warning("no alarms: their records cannot be read", why=str(error))

    async def _recall(self) -> None:
        self._file = self._records.file.identity()
        self._number = await asyncio.to_thread(self._records.newest_event)  # before the states: what comes between is told, too
        states = await asyncio.to_thread(self._records.alarms)
        self._states = {state.name: state for state in states}
        self._last = await asyncio.to_thread(self._newest, [state for state in states if is_retained(state) and state.event])
        self._moves = {state.name: move for state in states if (move := moved(None, state, 0)) is not None}
        self.is_readable = True

    def _newest(self, states: Sequence[AlarmState]) -> dict[str, AlarmEvent]:
        found = {}
        for state in states:
            known = [event for event in self._records.events_after(state.event - 1, 1) if event.number == state.event]
            time = max(state.active_at, state.cleared_at, state.acked_at)  # where the event has been trimmed away
            found[state.name] = known[0] if known else AlarmEvent(state.event, time, state.name, "", state)
        return found

    def names(self) -> list[str]:
        """The alarms of the site, in the order in which it declares them."""
        return list(self._states)

    def knows(self, alarm: str) -> bool:
        """Whether there is an alarm of this name."""
        return alarm in self._states

    def sources(self) -> dict[str, tuple[Tag, list[str]]]:
        """The tags that alarms are about, by name, each with its alarms."""
        found: dict[str, tuple[Tag, list[str]]] = {}
        for name, state in self._states.items():
            tag = self._source(state)
            if tag is not None:
                found.setdefault(tag.name, (tag, []))[1].append(name)
        return found

    def newest(self, alarm: str) -> Notice | None:
        """The newest event of an alarm, or how it has stood ever since; None where there is no such alarm."""
        state = self._states.get(alarm)
        if state is None:
            return None
        time = max(state.active_at, state.cleared_at, state.acked_at)
        return self._notice(self._last.get(alarm) or AlarmEvent(state.event, time, alarm, "", state))

    async def run(self) -> None:
        """Tell what happens, for ever."""
        looked = time.monotonic()
        while True:
            if self._goes_on():
                await self.tell()
            await asyncio.sleep(self._every)
            if time.monotonic() - looked > (LOOK if self._goes_on() else RETRY):
                looked = time.monotonic()
                await self._check_records()

    async def _check_records(self) -> None:
        """Know new alarms of the program. Begin again where the records have: their file was lost, or could not be read."""
        try:
            newest = await asyncio.to_thread(self._records.newest_event)
            if self._goes_on() and newest >= self._number:
                self._renew(await asyncio.to_thread(self._records.alarms))
                return
            async with self._turn:
                await self._recall()
        except NotKeptError as error:
            self._lose(error)
            return
        log.warning("the records have begun again: clients are asked to refresh their alarms")
        required = system_notice(_IDS.RefreshRequiredEventType, "Refresh the conditions")
        for subscription in list(self._subscriptions.values()):
            items: EventItems = subscription.monitored_item_srv
            for item in items.event_items():
                items.offer(required, item, unasked=True)

    def _goes_on(self) -> bool:
        """Whether the records are those that were read so far: a new file's numbers are greater than all of the one before it."""
        return self.is_readable and self._records.file.identity() == self._file

    def _renew(self, states: Sequence[AlarmState]) -> None:
        """Know the alarms that there are, and when their shelvings end: that is told anew where somebody has set the clock."""
        self._states = {state.name: self._states.get(state.name, state) for state in states}
        for state in states:
            known = self._last.get(state.name)
            if known is not None and known.state.shelved and known.number == state.event:
                self._last[state.name] = replace(known, state=state)  # its end by the clock as it is now, or that it is over

    def _lose(self, error: NotKeptError) -> None:
        if self.is_readable:
            log.error("the alarms are not known any more: their records cannot be read", why=str(error))
        self.is_readable = False

    async def tell(self) -> None:
        """Tell the next events, in the order in which they happened."""
        async with self._turn:
            try:
                events = await asyncio.to_thread(self._records.events_after, self._number, PORTION)
            except NotKeptError as error:
                self._lose(error)
                return
            for event in events:
                self._number = event.number
                move = moved(self._states.get(event.alarm), event.state, event.time)
                if move is not None:
                    self._moves[event.alarm] = move
                self._last[event.alarm] = event
                self._states[event.alarm] = event.state
                await self._report(event)

    async def _report(self, event: AlarmEvent) -> None:
        self.told += 1
        if not self._subscriptions:
            return
        notice = self._notice(event)
        for subscription in list(self._subscriptions.values()):
            await subscription.monitored_item_srv.trigger_event(notice)

    def _notice(self, event: AlarmEvent) -> Notice:
        notice = self._told_of(event)
        notice.notifiers = self._notifiers
        return notice

    def _told_of(self, event: AlarmEvent) -> Notice:
        state, alarm, move = event.state, self._alarms.get(event.alarm), self._moves.get(event.alarm)
        source = self._source(state)
        if source is None:  # of a program that runs no more
            return notice_of(event, About(source_name=event.alarm, move=move))
        setpoint, limit = (self._node(alarm.setpoint), self._limit(alarm)) if alarm is not None else (None, None)
        return notice_of(event, About(named(source.name), source.name, self._node(state.of), setpoint, limit, alarm, move))

    def _node(self, written: str) -> ua.NodeId | None:
        """The node of the tag that a program names, None where it is an expression."""
        tag = self._tags.get(written.lower())
        return named(tag.name) if tag is not None else None

    def _source(self, state: AlarmState) -> Tag | None:
        """The tag that the alarm is about: the one it watches, else its own; None for an alarm of a program that runs no more."""
        alarm = self._alarms.get(state.name)
        return self._tags.get(state.of.lower()) or (self._tags.get(alarm.active.lower()) if alarm else None)

    def _limit(self, alarm: Alarm) -> float | None:
        if not alarm.limit:
            return None
        _, word, sign = LIMITS[alarm.limit]
        pin = self._limits.get(f"{alarm.name}.{word}")
        value = self._door.pins.value(pin) if pin and self._door.pins.attach() else None
        return sign * float(value) if isinstance(value, (int, float)) else None

    async def refresh(self, session: Any, condition: ua.NodeId, arguments: list[Any]) -> int:
        """Part 9, 5.5.7 and 5.5.8: every retained condition again, to one subscription or one item of it."""
        number, item = arguments[0], arguments[1] if len(arguments) > 1 else 0
        subscription = self._subscriptions.get(number)
        if subscription is None or subscription.session_id != session.session_id:
            return int(_CODES.BadSubscriptionIdInvalid)
        items: EventItems = subscription.monitored_item_srv
        if len(arguments) > 1 and not items.has(item):
            return int(_CODES.BadMonitoredItemIdInvalid)
        if number in self._refreshing:
            return int(_CODES.BadRefreshInProgress)
        if not self.is_readable:
            return int(_CODES.BadResourceUnavailable)
        task = asyncio.get_running_loop().create_task(self._replay(items, [item] if item else items.event_items()))
        self._refreshing[number] = task
        task.add_done_callback(lambda _: self._refreshing.pop(number, None))
        return 0

    async def _replay(self, items: EventItems, wanted: Sequence[int]) -> None:
        self._mark(items, wanted, _IDS.RefreshStartEventType, "Refresh starts")
        for n, alarm in enumerate(list(self._last)):
            event = self._last[alarm]  # as it is by now: an older state must not come after a newer one
            if not is_retained(event.state):
                continue
            notice = self._notice(event)
            for item in wanted:
                items.offer(notice, item)
            if n % PORTION == PORTION - 1:
                await asyncio.sleep(self._every)
        self._mark(items, wanted, _IDS.RefreshEndEventType, "Refresh ends")

    def _mark(self, items: EventItems, wanted: Sequence[int], kind: int, message: str) -> None:
        notice = system_notice(kind, message)
        for item in wanted:
            items.offer(notice, item, unasked=True)  # part 9, 4.5: filters do not hold these back

    async def close(self) -> None:
        """End what still runs."""
        for task in list(self._refreshing.values()):
            task.cancel()
