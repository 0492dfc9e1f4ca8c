"""The Server's methods about a subscription: GetMonitoredItems and ResendData (part 5, 9.1 and 9.2). It knows no value.

Clients call them after a connection was lost: which items are still there, and what their values are now.
"""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.server.monitored_item_service import MonitoredItemValues

from runtime.servers.opcua.methods import Methods
from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.types import standard, variant

_CODES, _TYPES = ua.StatusCodes, ua.VariantType
_SERVER = standard(ua.ObjectIds.Server)


class SubscriptionMethods:
    """Answers what a client asks of its own subscriptions."""

    def __init__(self, server: Any, methods: Methods, publisher: Publisher):
        self._subscriptions, self._publisher = server.subscription_service.subscriptions, publisher
        acts = {
            ua.ObjectIds.Server_GetMonitoredItems: self._monitored_items,
            ua.ObjectIds.Server_ResendData: self._resend,
        }
        for number, act in acts.items():
            methods.add(standard(number), act, (_TYPES.UInt32,), serves=_serves)

    def _own(self, session: Any, number: int) -> Any:
        """The subscription of that number, or why the session has none: part 5 tells apart whose it is."""
        found = self._subscriptions.get(number)
        if found is None:
            return int(_CODES.BadSubscriptionIdInvalid)
        return found if found.session_id == session.session_id else int(_CODES.BadUserAccessDenied)

    async def _monitored_items(self, session: Any, object_: ua.NodeId, arguments: list[Any]) -> int | list[ua.Variant]:
        found = self._own(session, arguments[0])
        if isinstance(found, int):
            return found
        items = found.items
        pairs = [(number, int.from_bytes(item.handle, "little")) for number, item in items.ours.items()]
        pairs += [(number, int(item.client_handle or 0)) for number, item in items._monitored_items.items()]
        pairs.sort()
        return [variant([pair[which] for pair in pairs], _TYPES.UInt32, is_array=True) for which in (0, 1)]

    async def _resend(self, session: Any, object_: ua.NodeId, arguments: list[Any]) -> int | list[ua.Variant]:
        found = self._own(session, arguments[0])
        if isinstance(found, int):
            return found
        for item in found.items.ours.values():
            if item.mode == ua.MonitoringMode.Reporting and not item.queue:  # what waits is the value that would be sent
                item.restart()
                self._publisher.refresh(item)
        for handle, number in list(found.items._monitored_datachange.items()):
            theirs = found.items._monitored_items[number]
            if theirs.mode == ua.MonitoringMode.Reporting:
                theirs.mvalue = MonitoredItemValues()
                await found.items.trigger_datachange(handle, theirs.read_value_id.NodeId, theirs.read_value_id.AttributeId)
        return []


def _serves(object_: ua.NodeId) -> int:
    return 0 if object_ == _SERVER else int(_CODES.BadMethodInvalid)
