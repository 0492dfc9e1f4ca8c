"""Alarms and conditions: tells clients every event of the records, and carries out what operators say about an alarm.

The state is in the records, so conditions outlive this process and the site. It must not know tags' values or programs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from asyncua import ua

from runtime.child import ServiceOrder
from runtime.model import Alarm, Tag
from runtime.servers.audit import Who
from runtime.servers.door import Door
from runtime.servers.opcua.conditions import SERVER, Notice, alarm_of, notice_of, number_of, system_notice
from runtime.servers.opcua.items import EventItems
from runtime.servers.opcua.methods import Methods
from runtime.servers.opcua.types import named, standard
from runtime.servers.opcua.write import who_of
from runtime.servers.records.states import AlarmEvent, AlarmState, name_of
from runtime.servers.records.store import Records

log = structlog.get_logger()
LOOK = 5.0  # s: how often it is looked whether the records and their alarms are still the same
PORTION = 100  # events at once: a flood is told in tenths of a second, between which values are published as ever
_IDS, _CODES, _TYPES = ua.ObjectIds, ua.StatusCodes, ua.VariantType
# the records' reasons (records/states.py), as part 9, 5.7.3 and 5.7.4 name them; all others are a wrong event
_REFUSALS = {
    "acknowledged already": _CODES.BadConditionBranchAlreadyAcked,
    "not active and acknowledged already": _CODES.BadConditionBranchAlreadyAcked,
    "it has never been active": _CODES.BadEventIdUnknown,
    "not acknowledged yet": _CODES.BadConditionBranchAlreadyConfirmed,  # nothing to confirm: ConfirmedState is still true
    "confirmed already": _CODES.BadConditionBranchAlreadyConfirmed,
}
Say = Callable[[str, Who, str, int], str]


class Alarms:
    """The conditions of the site: their events to every subscription, and the methods of their types."""

    def __init__(
        self,
        server: Any,
        methods: Methods,
        records: Records,
        door: Door,
        order: ServiceOrder,
        every: float,
        notifiers: Sequence[ua.NodeId],
    ):
        self._notifiers = notifiers
        self._subscriptions = server.subscription_service.subscriptions
        self._aspace, self._records, self._door, self._every = server.aspace, records, door, every
        self._last: dict[str, AlarmEvent] = {}  # the newest event of each alarm that ever had one
        self._states: dict[str, AlarmState] = {}
        self._number = 0
        self._turn = asyncio.Lock()
        self._refreshing: dict[int, asyncio.Task[None]] = {}
        self.told = 0
        self.follow(order)
        self._bind(methods)

    def follow(self, order: ServiceOrder) -> None:
        """Know the tags and limits of this order's alarms."""
        self._tags = {tag.name.lower(): tag for tag in order.tags}
        self._alarms = {name_of(alarm): alarm for alarm in order.alarms}
        self._limits = {pin.rpartition(".alarm.")[2]: pin for pin in order.pins if ".alarm." in pin}

    async def recall(self) -> None:
        """Take the conditions as the records have them: what happened before we were started is told by a refresh only."""
        self._number = await asyncio.to_thread(self._records.newest_event)  # before the states: what comes between is told, too
        states = await asyncio.to_thread(self._records.alarms)
        self._states = {state.name: state for state in states}
        self._last = await asyncio.to_thread(self._newest, [state.event for state in states if state.retained and state.event])

    def _newest(self, numbers: Sequence[int]) -> dict[str, AlarmEvent]:
        found = [event for number in numbers for event in self._records.events_after(number - 1, 1)]
        return {event.alarm: event for event in found}

    def names(self) -> list[str]:
        """The alarms of the site, in the order in which it declares them."""
        return list(self._states)

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
            await self.tell()
            await asyncio.sleep(self._every)
            if time.monotonic() - looked > LOOK:
                looked = time.monotonic()
                await self._check_numbers()

    async def _check_numbers(self) -> None:
        """Know new alarms of the program. Begin again where the records have: their file was lost, and numbers are smaller now."""
        if await asyncio.to_thread(self._records.newest_event) >= self._number:
            states = {state.name: state for state in await asyncio.to_thread(self._records.alarms)}
            self._states = {name: self._states.get(name, state) for name, state in states.items()}
            return
        log.warning("the records have begun again: clients are asked to refresh their alarms")
        async with self._turn:
            await self.recall()
        required = system_notice(_IDS.RefreshRequiredEventType, "Refresh the conditions")
        for subscription in list(self._subscriptions.values()):
            items: EventItems = subscription.monitored_item_srv
            for item in items.event_items():
                items.offer(required, item, unasked=True)

    async def tell(self) -> None:
        """Tell the next events, in the order in which they happened."""
        async with self._turn:
            events = await asyncio.to_thread(self._records.events_after, self._number, PORTION)
            for event in events:
                self._number = event.number
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
        state, alarm = event.state, self._alarms.get(event.alarm)
        of, source = self._tags.get(state.of.lower()), self._source(state)
        limit = self._limit(alarm) if alarm and alarm.limit else None
        if source is None:  # of a program that runs no more
            return notice_of(event, SERVER, event.alarm, None, limit)
        return notice_of(event, named(source.name), source.name, named(of.name) if of else None, limit)

    def _source(self, state: AlarmState) -> Tag | None:
        """The tag that the alarm is about: the one it watches, else its own; None for an alarm of a program that runs no more."""
        alarm = self._alarms.get(state.name)
        return self._tags.get(state.of.lower()) or (self._tags.get(alarm.active.lower()) if alarm else None)

    def _limit(self, alarm: Alarm) -> float | None:
        pin = self._limits.get(f"{alarm.name}.{alarm.limit}")
        value = self._door.pins.value(pin) if pin and self._door.pins.attach() else None
        return float(value) if isinstance(value, (int, float)) else None

    # methods

    def _bind(self, methods: Methods) -> None:
        event_and_comment = (_TYPES.ByteString, _TYPES.LocalizedText)
        acts: dict[int, tuple[str, Say]] = {
            _IDS.AcknowledgeableConditionType_Acknowledge: ("acknowledge", self._records.acknowledge),
            _IDS.AcknowledgeableConditionType_Confirm: ("confirm", self._records.confirm),
            _IDS.ConditionType_AddComment: ("comment", self._records.comment),
        }
        for number, (action, say) in acts.items():
            methods.add(standard(number), self._saying(action, say), event_and_comment, least="operator", serves=self._serves)
        methods.add(standard(_IDS.ConditionType_Enable), self._enable, (), least="operator", serves=self._serves)
        methods.add(standard(_IDS.ConditionType_ConditionRefresh), self._refresh, (_TYPES.UInt32,))
        methods.add(standard(_IDS.ConditionType_ConditionRefresh2), self._refresh, (_TYPES.UInt32, _TYPES.UInt32))
        disable = self._aspace[standard(_IDS.ConditionType_Disable)].attributes
        for attribute in (
            ua.AttributeIds.Executable,
            ua.AttributeIds.UserExecutable,
        ):  # an alarm is never switched off from outside
            disable[attribute].value = ua.DataValue(ua.Variant(False, _TYPES.Boolean))

    def _serves(self, condition: ua.NodeId) -> int:
        return 0 if alarm_of(condition) in self._states else int(_CODES.BadNodeIdUnknown)

    def _saying(self, action: str, say: Say) -> Any:
        async def act(session: Any, condition: ua.NodeId, arguments: list[Any]) -> int:
            number, comment = number_of(arguments[0]), str(getattr(arguments[1], "Text", None) or "")
            alarm, who = alarm_of(condition), who_of(session.user)
            refused = await asyncio.to_thread(say, alarm, who, comment, number) if number else "no such event"
            self._door.note(who, action, alarm, refused or "taken", not refused, new=comment or None)
            if refused:
                return int(_REFUSALS.get(refused, _CODES.BadEventIdUnknown))
            await self.tell()  # who asked sees the new state with the next publishing
            return 0

        return act

    async def _enable(self, session: Any, condition: ua.NodeId, arguments: list[Any]) -> int:
        return int(_CODES.BadConditionAlreadyEnabled)

    async def _refresh(self, session: Any, condition: ua.NodeId, arguments: list[Any]) -> int:
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
        task = asyncio.get_running_loop().create_task(self._replay(items, [item] if item else items.event_items()))
        self._refreshing[number] = task
        task.add_done_callback(lambda _: self._refreshing.pop(number, None))
        return 0

    async def _replay(self, items: EventItems, wanted: Sequence[int]) -> None:
        self._mark(items, wanted, _IDS.RefreshStartEventType, "Refresh starts")
        for n, alarm in enumerate(list(self._last)):
            event = self._last[alarm]  # as it is by now: an older state must not come after a newer one
            if not event.state.retained:
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
