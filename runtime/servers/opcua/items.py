"""The event items of a subscription: which events they want, and how many wait. It knows no alarm.

asyncua queues a hundred events and drops the oldest in silence; here as many wait as one flood of alarms brings, and what is
dropped after all is said (EventQueueOverflowEventType, part 4, 5.13.1.5).
"""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.server.monitored_item_service import MonitoredItemData, MonitoredItemService

from runtime.servers.opcua.conditions import system_notice
from runtime.servers.opcua.filters import Where, judge_filter
from runtime.servers.opcua.types import status

EVENTS_QUEUED = 2_000  # an item: a flood of a thousand alarms, and their going
_OVERFLOW = int(ua.ObjectIds.EventQueueOverflowEventType)
_CODES = ua.StatusCodes


class EventItems(MonitoredItemService):
    """asyncua's monitored items, with event filters that are judged when they come and queues that say when they ran over."""

    def __init__(self, isub: Any, aspace: Any):
        super().__init__(isub, aspace)
        self._overflowed: set[int] = set()

    def _create_events_monitored_item(self, params: ua.MonitoredItemCreateRequest) -> ua.MonitoredItemCreateResult:
        node, wanted = params.ItemToMonitor.NodeId, params.RequestedParameters.Filter
        result, mdata = self._make_monitored_item_common(params)
        refused, result.FilterResult = self._judge(node, wanted)  # type: ignore[assignment]
        if refused:
            result.StatusCode, result.MonitoredItemId = status(refused), 0  # type: ignore[assignment]
            return result
        self._take(mdata, wanted)
        result.RevisedQueueSize = EVENTS_QUEUED  # type: ignore[assignment]
        self._commit_monitored_item(result, mdata)
        self._monitored_events.setdefault(node, []).append(int(result.MonitoredItemId))
        return result

    def _judge(self, node: ua.NodeId, wanted: Any) -> tuple[int, Any]:
        if node not in self.aspace:
            return int(_CODES.BadNodeIdUnknown), None
        notifier = self.aspace.read_attribute_value(node, ua.AttributeIds.EventNotifier).Value
        if notifier is None or notifier.Value is None:
            return int(_CODES.BadAttributeIdInvalid), None
        if not notifier.Value & 1 << ua.EventNotifier.SubscribeToEvents:
            return int(_CODES.BadServiceUnsupported), None
        return judge_filter(wanted)

    def _take(self, mdata: MonitoredItemData, wanted: ua.EventFilter) -> None:
        mdata.filter, mdata.queue_size = wanted, EVENTS_QUEUED
        mdata.where_clause_evaluator = Where(self.aspace, wanted.WhereClause)  # type: ignore[assignment]

    def _modify_monitored_item(self, params: ua.MonitoredItemModifyRequest) -> ua.MonitoredItemModifyResult:
        mdata = self._monitored_items.get(int(params.MonitoredItemId))
        if mdata is None:
            return ua.MonitoredItemModifyResult(StatusCode=status(_CODES.BadMonitoredItemIdInvalid))
        if mdata.where_clause_evaluator is None:
            return super()._modify_monitored_item(params)
        result = ua.MonitoredItemModifyResult()
        wanted = params.RequestedParameters.Filter
        if wanted is not None:
            refused, result.FilterResult = judge_filter(wanted)  # type: ignore[assignment]
            if refused:
                result.StatusCode = status(refused)
                return result
            self._take(mdata, wanted)
        mdata.client_handle = params.RequestedParameters.ClientHandle
        result.RevisedQueueSize = EVENTS_QUEUED  # type: ignore[assignment]
        return result

    def event_items(self) -> list[int]:
        """The ids of the items that want events."""
        return [item for items in self._monitored_events.values() for item in items]

    def has(self, item: int) -> bool:
        """Whether there is an item of this id."""
        return item in self._monitored_items

    async def trigger_event(self, event: Any, mid: int | None = None) -> bool:
        """Queue an event for each item that watches where it is reported, and wants it; whether there was such an item."""
        at = [item for notifier in event.notifiers for item in self._monitored_events.get(notifier, ())]
        items = at if mid is None else [mid]
        for item in items:
            self.offer(event, item)
        return bool(items)

    def offer(self, event: Any, item: int, *, unasked: bool = False) -> None:
        """Queue an event for one item, where its filter lets it pass; an `unasked` one passes every filter."""
        mdata = self._monitored_items.get(item)
        if mdata is None or mdata.where_clause_evaluator is None or mdata.mode != ua.MonitoringMode.Reporting:
            return
        if unasked or mdata.where_clause_evaluator.holds(event):  # type: ignore[attr-defined]
            self._queue(item, mdata, event)

    def _queue(self, item: int, mdata: MonitoredItemData, event: Any) -> None:
        queued = self.isub._triggered_events.setdefault(item, [])
        if not queued:
            self._overflowed.discard(item)
        if len(queued) >= EVENTS_QUEUED:
            if item not in self._overflowed:
                self._overflowed.add(item)
                queued[0] = self._fields(mdata, system_notice(_OVERFLOW, "Events were lost: the queue ran over", 500))
            del queued[1]
        queued.append(self._fields(mdata, event))

    def _fields(self, mdata: MonitoredItemData, event: Any) -> ua.EventFieldList:
        fields = event.to_event_fields(mdata.filter.SelectClauses)
        return ua.EventFieldList(ClientHandle=mdata.client_handle, EventFields=fields)  # type: ignore[arg-type]
