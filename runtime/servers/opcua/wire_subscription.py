"""Subscriptions whose values are bytes from the start. It knows no snapshot: the publisher brings the values.

asyncua's subscription keeps the loop, the sequence numbers and the acknowledgements; events and nodes of the standard address space
stay its own, too. Ours are the monitored items of tags and pins, and the notification that carries them.
"""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.ua.ua_binary import struct_to_binary

from runtime.servers.opcua.items import EventItems
from runtime.servers.opcua.limits import ITEMS
from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.types import standard, status
from runtime.servers.opcua.wire import elements, joined
from runtime.servers.opcua.wire_items import DEEPEST, ROOM, Item, configure, turns_for

LARGEST = 20_000  # values in one notification: 700 kB; what is left follows with the next publish request
UNACKNOWLEDGED = 4 * 1024 * 1024  # bytes of sent notifications kept for a client that may ask again
_CHANGES = standard(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
_NO_DIAGNOSTICS = b"\xff\xff\xff\xff"
_CODES = ua.StatusCodes


class Items(EventItems):
    """The monitored items of one subscription: ours by number, asyncua's where a node is not published by us."""

    def __init__(self, subscription: Subscription, aspace: Any, publisher: Publisher):
        super().__init__(subscription, aspace)
        self._publisher = publisher
        self.ours: dict[int, Item] = {}
        self.ready: dict[int, Item] = {}
        self._times = ua.TimestampsToReturn.Both

    async def create_monitored_items(self, params: ua.CreateMonitoredItemsParameters) -> list[ua.MonitoredItemCreateResult]:
        self._times = params.TimestampsToReturn
        return await super().create_monitored_items(params)

    async def _create_data_change_monitored_item(self, params: ua.MonitoredItemCreateRequest) -> ua.MonitoredItemCreateResult:
        node = params.ItemToMonitor.NodeId
        is_value = params.ItemToMonitor.AttributeId == ua.AttributeIds.Value
        if node is None or not is_value or not self._publisher.is_ours(node):
            return await super()._create_data_change_monitored_item(params)
        result = ua.MonitoredItemCreateResult()
        if self._publisher.count() >= ITEMS:
            result.StatusCode = status(_CODES.BadTooManyMonitoredItems)
            return result
        row = self._publisher.rows.get(node, -1)
        tag = self._publisher.picture.tags[row] if row >= 0 else None
        self._monitored_item_counter += 1
        item = Item(self._monitored_item_counter, node, tag, self.ready)
        item.row, item.read = row, None if row >= 0 else self._publisher.finder(node)
        item.mode, item.times = ua.MonitoringMode(params.MonitoringMode), self._times
        refused = self._limit(item, params.ItemToMonitor) or self._configure(item, params.RequestedParameters)
        if refused:
            result.StatusCode = status(refused)
            return result
        self.ours[item.number] = item
        self._publisher.add(item)
        result.MonitoredItemId, result.RevisedQueueSize = item.number, item.size
        result.RevisedSamplingInterval = self._interval(item)
        return result

    def _configure(self, item: Item, wanted: ua.MonitoringParameters) -> int:
        publishing = self.isub.data.RevisedPublishingInterval
        turns = turns_for(wanted.SamplingInterval, self._publisher.every * 1000, publishing)
        return configure(item, wanted, turns, ROOM - self._publisher.kept)

    def _interval(self, item: Item) -> float:
        return item.turns * self._publisher.every * 1000

    def _limit(self, item: Item, wanted: ua.ReadValueId) -> int:
        """Note which elements of an array are wanted. Returns a status code where it cannot be, else 0."""
        if wanted.DataEncoding is not None and wanted.DataEncoding.Name not in (None, "", "Default Binary"):
            return int(_CODES.BadDataEncodingInvalid)
        if wanted.IndexRange:
            found = elements(wanted.IndexRange, item.tag.length if item.tag is not None else 0)
            if isinstance(found, int):
                return found
            item.range = found
        return 0

    def _modify_monitored_item(self, params: ua.MonitoredItemModifyRequest) -> ua.MonitoredItemModifyResult:
        result = ua.MonitoredItemModifyResult()
        item = self.ours.get(params.MonitoredItemId)
        if item is None:
            if params.MonitoredItemId in self._monitored_items:
                wanted = params.RequestedParameters  # asyncua keeps as many as it is asked to, and without an end where it is 0
                wanted.QueueSize = min(max(wanted.QueueSize, 1), DEEPEST)
                return super()._modify_monitored_item(params)
            result.StatusCode = status(_CODES.BadMonitoredItemIdInvalid)
            return result
        result.StatusCode = status(self._publisher.change(item, lambda: self._configure(item, params.RequestedParameters)))
        result.RevisedSamplingInterval, result.RevisedQueueSize = self._interval(item), item.size
        return result

    async def _set_monitoring_mode(self, mode: ua.MonitoringMode, mid: int) -> ua.StatusCode:
        item = self.ours.get(mid)
        if item is None:
            return await super()._set_monitoring_mode(mode, mid)
        before = item.mode

        def alter() -> int:
            item.mode = ua.MonitoringMode(mode)
            return 0

        self._publisher.change(item, alter)
        if mode == ua.MonitoringMode.Disabled:
            item.queue.clear()
            self.ready.pop(mid, None)
            item.restart()
        elif before == ua.MonitoringMode.Disabled:
            self._publisher.refresh(item)
        return status(0)

    def _delete_monitored_items(self, mid: int) -> ua.StatusCode:
        item = self.ours.pop(mid, None)
        if item is None:
            return super()._delete_monitored_items(mid)
        self._publisher.remove(item)
        self.ready.pop(mid, None)
        return status(0)

    def delete_all_monitored_items(self) -> None:
        self.delete_monitored_items([*self.ours, *self._monitored_items])

    def drain(self, most: int) -> list[bytes]:
        """Take out what waits to be reported, `most` values at most."""
        taken: list[bytes] = []
        for item in list(self.ready.values()):
            if item.mode == ua.MonitoringMode.Reporting:
                if len(taken) >= most:
                    break
                taken += item.drain(most - len(taken))
                if item.queue:
                    break
                del self.ready[item.number]
        return taken

    def has_more(self) -> bool:
        """Whether anything waits to be reported."""
        return any(item.mode == ua.MonitoringMode.Reporting for item in self.ready.values())


class Subscription(InternalSubscription):
    """asyncua's subscription with our items. `most` is the client's limit of values in one notification, 0 for none."""

    publisher: Publisher  # set once, before the server listens
    most = 0

    def __init__(self, data: Any, aspace: Any, *args: Any, **options: Any):
        super().__init__(data, aspace, *args, **options)
        self.items = self.monitored_item_srv = Items(self, aspace, self.publisher)

    def has_published_results(self) -> bool:
        return bool(self._publishing_enabled and self.items.ready and self.items.has_more()) or super().has_published_results()

    async def publish_results(self, requestdata: Any = None) -> bool:
        published = await super().publish_results(requestdata)
        more = published
        while more and self._publishing_enabled and self.items.ready and self.items.has_more():
            more = await super().publish_results()
        return published

    def _pop_publish_result(self) -> ua.PublishResult:
        result = super()._pop_publish_result()
        result.MoreNotifications = bool(self._publishing_enabled and self.items.ready and self.items.has_more())
        self._forget()
        return result

    def _pop_triggered_datachanges(self, result: ua.PublishResult) -> None:
        values = self.items.drain(min(self.most or LARGEST, LARGEST))
        for waiting in self._triggered_datachanges.values():  # asyncua's own items
            values += [struct_to_binary(change) for change in waiting]
        self._triggered_datachanges = {}
        if values:
            body = joined(values, len(values)) + _NO_DIAGNOSTICS
            result.NotificationMessage.NotificationData.append(ua.ExtensionObject(TypeId=_CHANGES, Body=body))  # type: ignore[arg-type]

    def _forget(self) -> None:
        """Keep no more unacknowledged notifications than a few megabytes, and always the newest."""
        kept = self._not_acknowledged_results
        sizes = [sum(len(d.Body or b"") for d in r.NotificationMessage.NotificationData if _is_ours(d)) for r in kept.values()]
        total = sum(sizes)
        for number, size in zip(list(kept)[:-1], sizes, strict=False):
            if total <= UNACKNOWLEDGED:
                return
            del kept[number]
            total -= size


def _is_ours(data: Any) -> bool:
    return isinstance(data, ua.ExtensionObject)
