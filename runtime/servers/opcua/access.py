"""Who may do what over OPC UA, and the holes of asyncua 2.1 that are closed. It knows no tag values.

Closed: session tokens that can be guessed (ours are 32 random bytes), taking over a live session from another channel, acting on
another session's subscriptions, a user named `admin`, discovery registration by anybody, reading what is not readable,
sessions that outlive their connection, intervals of 0 ms and queues without an end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession

from runtime.model import ROLES
from runtime.servers.opcua import limits
from runtime.servers.opcua.identity import Guest
from runtime.servers.opcua.limits import Room, check_count, within
from runtime.servers.opcua.nodes import READ, WRITE
from runtime.servers.opcua.settings import OpcuaSettings
from runtime.servers.opcua.types import status
from runtime.servers.opcua.view import View
from runtime.servers.opcua.wire import part_of

_CODES = ua.StatusCodes


class Session(InternalSession):
    """A client's session: its own subscriptions only, and it ends with its connection."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.auth_token = ua.NodeId(os.urandom(32), 0, ua.NodeIdType.ByteString)  # type: ignore[arg-type]
        self.external = False  # asyncua keeps external sessions alive for a client that comes back and says their token
        self.guest: Guest | None = None  # who the identity token of the activation under way proves

    def activate_session(self, params: ua.ActivateSessionParameters, peer_certificate: bytes | None) -> ua.ActivateSessionResult:
        """Activate the session for the guest whom the channel has identified; asyncua itself asks nobody's identity."""
        guest, self.guest = self.guest, None
        if guest is None:
            raise ServiceError(_CODES.BadUserAccessDenied)
        result = super().activate_session(params, peer_certificate)
        self.user = guest
        return result

    async def create_session(self, params: Any, sockname: Any = None) -> ua.CreateSessionResult:
        """A session that ends after a while without a word, whatever the client asks for: what is no number would never end."""
        wanted = float(params.RequestedSessionTimeout or 0)
        params.RequestedSessionTimeout = within(wanted, self.iserver.min_session_timeout_ms, limits.LONGEST_SESSION)
        result = await super().create_session(params, sockname)
        result.MaxRequestMessageSize = limits.LONGEST  # type: ignore[assignment]
        return result

    async def close_session(self, delete_subs: bool = True) -> None:
        """End the session with all its subscriptions: nobody else may take them over."""
        self.iserver.guests.discard(self)  # type: ignore[attr-defined]
        await super().close_session(True)

    async def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        """Read attributes; the user's access level is the role's, and what is not readable is not read."""
        check_count(params.NodesToRead, limits.READ)
        results = await super().read(params)
        for n, wanted in enumerate(params.NodesToRead):
            if wanted.AttributeId == ua.AttributeIds.Value and not self._may_read(wanted.NodeId):
                results[n] = ua.DataValue(StatusCode=status(_CODES.BadNotReadable))
            elif wanted.AttributeId == ua.AttributeIds.Value and wanted.IndexRange:
                results[n] = part_of(results[n], wanted.IndexRange)
            elif wanted.AttributeId == ua.AttributeIds.UserAccessLevel:
                results[n] = self._access(wanted.NodeId, results[n])
            elif wanted.AttributeId == ua.AttributeIds.UserExecutable and not self._may_call(wanted.NodeId):
                results[n] = ua.DataValue(ua.Variant(False, ua.VariantType.Boolean))
        return results

    def _may_read(self, node: ua.NodeId) -> bool:
        if self.iserver.is_tag(node):  # type: ignore[attr-defined]
            return True  # every role may read every tag, and its node need not be made to know it
        level = self.aspace.read_attribute_value(node, ua.AttributeIds.AccessLevel)
        return level.Value is None or level.Value.Value is None or bool(level.Value.Value & READ)

    def _access(self, node: ua.NodeId, usual: ua.DataValue) -> ua.DataValue:
        least = self.iserver.attribute_service.least_role(node)  # type: ignore[attr-defined]
        if not least or role_reaches(self.user, least):
            return usual
        level = usual.Value.Value if usual.Value is not None else READ
        return ua.DataValue(ua.Variant(level & ~WRITE, ua.VariantType.Byte))

    def _may_call(self, node: ua.NodeId) -> bool:
        return bool(self.iserver.method_service.may_call(node, self.user))  # type: ignore[attr-defined]

    async def call(self, params: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        """Call methods in this session's name."""
        return await self.iserver.method_service.call_by(self, params)  # type: ignore[attr-defined, no-any-return]

    async def write(self, params: ua.WriteParameters) -> list[ua.StatusCode]:
        """Write tags."""
        check_count(params.NodesToWrite, limits.WRITE)
        return await super().write(params)

    async def browse(self, params: ua.BrowseParameters) -> list[ua.BrowseResult]:
        """Browse nodes."""
        check_count(params.NodesToBrowse, limits.BROWSE)
        return await super().browse(params)

    async def translate_browsepaths_to_nodeids(self, params: list[ua.BrowsePath]) -> list[ua.BrowsePathResult]:
        """Find nodes by the names that lead to them."""
        check_count(params, limits.PATHS)
        return await super().translate_browsepaths_to_nodeids(params)

    async def add_nodes(self, params: Any) -> Any:
        """Nobody changes the address space: it is the program's."""
        raise ServiceError(_CODES.BadUserAccessDenied)

    delete_nodes = add_references = delete_references = history_update = add_nodes

    async def create_subscription(self, params: Any, callback: Any, request_callback: Any = None) -> ua.CreateSubscriptionResult:
        """A subscription no faster than tags are published."""
        subscriptions = self.subscription_service.subscriptions
        own = sum(found.session_id == self.session_id for found in subscriptions.values())
        share = limits.SUBSCRIPTIONS // 2 // self.iserver.most_guests  # type: ignore[attr-defined]
        if own >= limits.OF_A_SESSION or (own >= share and len(subscriptions) >= limits.SUBSCRIPTIONS // 2):
            raise ServiceError(_CODES.BadTooManySubscriptions)
        fastest = self.iserver.fastest  # type: ignore[attr-defined]
        params.RequestedPublishingInterval = within(float(params.RequestedPublishingInterval), fastest, limits.SLOWEST)
        if params.RequestedLifetimeCount and params.RequestedMaxKeepAliveCount:  # at least three times as long (part 4, 5.13.2)
            params.RequestedLifetimeCount = max(params.RequestedLifetimeCount, 3 * params.RequestedMaxKeepAliveCount)
        result = await super().create_subscription(params, callback, request_callback)
        self._limit(int(result.SubscriptionId), params)
        return result

    def _limit(self, number: int, params: Any) -> None:
        """Note how many values the client wants in one notification; asyncua sends all that there are."""
        found: Any = self.subscription_service.subscriptions.get(number)
        if found is not None:
            found.most = int(params.MaxNotificationsPerPublish)

    def _own(self, number: int) -> None:
        found = self.subscription_service.subscriptions.get(number)
        if found is None or found.session_id != self.session_id:
            raise ServiceError(_CODES.BadSubscriptionIdInvalid)

    def _is_own(self, number: int) -> bool:
        found = self.subscription_service.subscriptions.get(number)
        return found is not None and found.session_id == self.session_id

    async def create_monitored_items(self, params: ua.CreateMonitoredItemsParameters) -> list[ua.MonitoredItemCreateResult]:
        """Monitor what may be read, as many as a session may; each item is judged on its own."""
        self._own(params.SubscriptionId)
        wanted = params.ItemsToCreate
        check_count(wanted, limits.MONITOR)
        refused = self._refusals(wanted)
        params.ItemsToCreate = [item for item, code in zip(wanted, refused, strict=True) if not code]
        made = iter(await super().create_monitored_items(params))
        return [ua.MonitoredItemCreateResult(StatusCode=status(code)) if code else next(made) for code in refused]

    def _refusals(self, wanted: list[ua.MonitoredItemCreateRequest]) -> list[int]:
        """Why these items cannot be, each as a status code; 0 where it can."""
        all_subscriptions: Any = self.subscription_service.subscriptions
        of_all, own = Room(limits.MOST), Room(limits.MOST_OWN)
        for found in all_subscriptions.values():
            of_all.take(found.items)
            if found.session_id == self.session_id:
                own.take(found.items)
        return [self._refusal(item.ItemToMonitor, of_all, own) for item in wanted]

    def _refusal(self, wanted: ua.ReadValueId, of_all: Room, own: Room) -> int:
        is_value, is_event = (wanted.AttributeId == known for known in (ua.AttributeIds.Value, ua.AttributeIds.EventNotifier))
        if is_value and not self._may_read(wanted.NodeId):
            return int(_CODES.BadNotReadable)
        kind = "events" if is_event else "values" if is_value and self.iserver.is_published(wanted.NodeId) else "others"  # type: ignore[attr-defined]
        if of_all.is_full(kind) or own.is_full(kind):
            return int(_CODES.BadTooManyMonitoredItems)
        return 0

    async def modify_monitored_items(self, params: ua.ModifyMonitoredItemsParameters) -> list[ua.MonitoredItemModifyResult]:
        self._own(params.SubscriptionId)
        return await super().modify_monitored_items(params)

    async def delete_monitored_items(self, params: ua.DeleteMonitoredItemsParameters) -> list[ua.StatusCode]:
        self._own(params.SubscriptionId)
        return await super().delete_monitored_items(params)

    async def set_monitoring_mode(self, params: ua.SetMonitoringModeParameters) -> list[ua.StatusCode]:
        self._own(params.SubscriptionId)
        return await super().set_monitoring_mode(params)

    async def set_publishing_mode(self, params: ua.SetPublishingModeParameters) -> list[ua.StatusCode]:
        for number in params.SubscriptionIds:
            self._own(number)
        return await super().set_publishing_mode(params)

    def modify_subscription(self, params: ua.ModifySubscriptionParameters) -> ua.ModifySubscriptionResult:
        self._own(params.SubscriptionId)
        self._limit(params.SubscriptionId, params)
        return super().modify_subscription(params)

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        self._own(params.SubscriptionId)
        message = super().republish(params)
        if not message.SequenceNumber:  # asyncua says Good with an empty message, and node-opcua asks for the next one for ever
            raise ServiceError(_CODES.BadMessageNotAvailable)
        return message

    async def transfer_subscriptions(self, params: Any, callback: Any) -> list[ua.TransferResult]:  # type: ignore[override]
        """Of a session's own subscriptions only; each id has a result of its own (part 4, 5.14.7)."""
        ids = [int(number) for number in params.SubscriptionIds]
        own = [number for number in ids if self._is_own(number)]
        moved = await super().transfer_subscriptions(replace(params, SubscriptionIds=own), callback) if own else []
        results = dict(zip(own, moved, strict=True))
        return [results.get(number) or ua.TransferResult(status(_CODES.BadSubscriptionIdInvalid)) for number in ids]

    async def delete_subscriptions(self, ids: list[int]) -> list[ua.StatusCode]:
        gone = status(_CODES.BadSubscriptionIdInvalid)
        own = [number for number in ids if self._is_own(number)]
        results = dict(zip(own, await super().delete_subscriptions(own), strict=True))
        return [results.get(number, gone) for number in ids]

    def publish(self, acks: Any = None) -> tuple[int, list[ua.StatusCode]]:
        count = sum(found.session_id == self.session_id for found in self.subscription_service.subscriptions.values())
        if not count:
            raise ServiceError(_CODES.BadNoSubscription)
        own = [ack for ack in acks or () if self._is_own(ack.SubscriptionId)]
        results = super().publish(own)[1]
        left = iter(results)
        return count, [next(left) if ack in own else status(_CODES.BadSubscriptionIdInvalid) for ack in acks or ()]


class GuardedServer(InternalServer):
    """asyncua's internal server with our sessions, users and limits; `fastest` is the publishing interval in ms."""

    def __init__(self) -> None:
        super().__init__()
        self.user_manager = None  # type: ignore[assignment]
        self.allow_remote_admin = False
        self.fastest = 100.0
        self.max_session_timeout_ms = limits.LONGEST_SESSION
        self.max_pending_activation_seconds = limits.PATIENCE
        self.max_pending_messages_per_connection = limits.WAITING
        self.max_subscriptions = limits.SUBSCRIPTIONS
        self.guests: set[InternalSession] = set()
        self.most_guests = 1
        self.max_monitored_item_queue_size = 100
        self.max_unacked_messages_per_subscription = 100
        self.supported_tokens = ()  # type: ignore[assignment]
        self.is_tag: Callable[[ua.NodeId], bool] = lambda node: False
        self.is_published: Callable[[ua.NodeId], bool] = lambda node: False
        self.view_service = View(self.aspace)

    def let_in(self, settings: OpcuaSettings, tokens: tuple[type, ...]) -> None:
        """Let in so many clients at once, with these kinds of identity."""
        self.supported_tokens = tokens  # type: ignore[assignment]
        self.fastest = settings.every * 1000
        self.most_guests = settings.clients
        self.max_connections = settings.clients + limits.STRANGERS

    def check_room(self, host: str) -> None:
        """Raises ServiceError where there is no room for one more session: one address may have three quarters of them."""
        own = sum(str(session.name[0]) == host for session in self.guests)
        if len(self.guests) >= self.most_guests or own >= self.most_guests - self.most_guests // 4:
            raise ServiceError(_CODES.BadTooManySessions)

    def create_session(self, name: str, user: User | None = None, external: bool = False) -> InternalSession:
        session = Session(self, self.aspace, self.subscription_service, name, user=user or User(), external=external)
        if external:
            self.guests.add(session)
        return session

    def lookup_external_session(self, auth_token: ua.NodeId) -> None:
        """No session is ever found for another channel."""

    def register_external_session(self, session: InternalSession) -> None:
        """Nothing to remember: sessions are not looked up."""

    def register_server(self, server: Any, conf: Any = None) -> None:
        raise ServiceError(_CODES.BadServiceUnsupported)


def role_reaches(user: Any, least: str) -> bool:
    """Whether this client's role is at least that one."""
    return isinstance(user, Guest) and ROLES.index(user.plc_role) >= ROLES.index(least)
