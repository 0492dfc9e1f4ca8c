"""Who may do what over OPC UA, and the holes of asyncua 2.1 that are closed. It knows no tag values.

Closed: session tokens that can be guessed (ours are 32 random bytes), taking over a live session from another channel, acting on
another session's subscriptions, a user named `admin`, discovery registration by anybody, reading what is not readable,
sessions that outlive their connection, intervals of 0 ms and queues without an end.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import math
import os
import sys
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession

from runtime.model import ROLES
from runtime.servers.opcua.settings import NOBODY, OpcuaSettings
from runtime.servers.opcua.types import status

_N, _R, _P = 1 << 14, 8, 1
_READ, _WRITE = 1 << ua.AccessLevel.CurrentRead, 1 << ua.AccessLevel.CurrentWrite
_CODES = ua.StatusCodes


@dataclass
class Guest(User):
    """A client: `plc_role` is one of the site's roles, `peer` its address. To asyncua every guest is a plain user, never Admin."""

    role: UserRole = UserRole.User
    plc_role: str = "viewer"
    peer: str = ""


def hash_password(password: str) -> str:
    """The hash that stands in the site's `users:`: scrypt, with its salt."""
    salt = os.urandom(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8"), salt=salt, n=_N, r=_R, p=_P, dklen=32)


def is_password(password: str, hashed: str) -> bool:
    """Whether the password has this hash; takes the same time either way."""
    _, salt, digest = hashed.split("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))


class Users:
    """asyncua's user manager: who connects becomes a Guest, or None and is refused."""

    def __init__(self, settings: OpcuaSettings):
        self._anonymous, self._users = settings.anonymous, dict(settings.users)

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> Guest | None:
        """The guest for this name and password, or for nobody's."""
        if username is None:
            return None if self._anonymous == NOBODY else Guest(name="anonymous", plc_role=self._anonymous)
        known = self._users.get(username)
        if known is None or not is_password(password or "", known.password):
            return None
        return Guest(name=username, plc_role=known.role)


class Session(InternalSession):
    """A client's session: its own subscriptions only, and it ends with its connection."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.auth_token = ua.NodeId(os.urandom(32), 0, ua.NodeIdType.ByteString)  # type: ignore[arg-type]
        self.external = False  # asyncua keeps external sessions alive for a client that comes back and says their token

    def activate_session(self, params: ua.ActivateSessionParameters, peer_certificate: bytes | None) -> ua.ActivateSessionResult:
        result = super().activate_session(params, peer_certificate)
        if isinstance(self.user, Guest):
            self.user.peer = ":".join(map(str, self.name[:2])) if isinstance(self.name, tuple) else str(self.name)
        return result

    async def read(self, params: ua.ReadParameters) -> list[ua.DataValue]:
        """Read attributes; the user's access level is the role's, and what is not readable is not read."""
        results = await super().read(params)
        for n, wanted in enumerate(params.NodesToRead):
            if wanted.AttributeId == ua.AttributeIds.Value and not self._may_read(wanted.NodeId):
                results[n] = ua.DataValue(StatusCode=status(_CODES.BadNotReadable))
            elif wanted.AttributeId == ua.AttributeIds.UserAccessLevel:
                results[n] = self._access(wanted.NodeId, results[n])
        return results

    def _may_read(self, node: ua.NodeId) -> bool:
        level = self.aspace.read_attribute_value(node, ua.AttributeIds.AccessLevel)
        return level.Value is None or level.Value.Value is None or bool(level.Value.Value & _READ)

    def _access(self, node: ua.NodeId, usual: ua.DataValue) -> ua.DataValue:
        least = self.iserver.attribute_service.least_role(node)  # type: ignore[attr-defined]
        if not least or role_reaches(self.user, least):
            return usual
        return ua.DataValue(ua.Variant(_READ, ua.VariantType.Byte))

    async def create_subscription(self, params: Any, callback: Any, request_callback: Any = None) -> ua.CreateSubscriptionResult:
        """A subscription no faster than tags are published."""
        wanted = float(params.RequestedPublishingInterval)
        fastest = self.iserver.fastest  # type: ignore[attr-defined]
        params.RequestedPublishingInterval = min(wanted, 3_600_000.0) if math.isfinite(wanted) and wanted > fastest else fastest
        return await super().create_subscription(params, callback, request_callback)

    def _own(self, number: int) -> None:
        found = self.subscription_service.subscriptions.get(number)
        if found is None or found.session_id != self.session_id:
            raise ServiceError(_CODES.BadSubscriptionIdInvalid)

    def _is_own(self, number: int) -> bool:
        found = self.subscription_service.subscriptions.get(number)
        return found is not None and found.session_id == self.session_id

    async def create_monitored_items(self, params: ua.CreateMonitoredItemsParameters) -> list[ua.MonitoredItemCreateResult]:
        self._own(params.SubscriptionId)
        for item in params.ItemsToCreate:
            wanted = item.ItemToMonitor
            if wanted.AttributeId == ua.AttributeIds.Value and not self._may_read(wanted.NodeId):
                raise ServiceError(_CODES.BadNotReadable)
        return await super().create_monitored_items(params)

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
        return super().modify_subscription(params)

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        self._own(params.SubscriptionId)
        return super().republish(params)

    async def transfer_subscriptions(self, params: Any, callback: Any) -> list[ua.TransferResult]:  # type: ignore[override]
        for number in params.SubscriptionIds:
            self._own(int(number))
        return await super().transfer_subscriptions(params, callback)

    async def delete_subscriptions(self, ids: list[int]) -> list[ua.StatusCode]:
        gone = status(_CODES.BadSubscriptionIdInvalid)
        own = [number for number in ids if self._is_own(number)]
        results = dict(zip(own, await super().delete_subscriptions(own), strict=True))
        return [results.get(number, gone) for number in ids]

    def publish(self, acks: Any = None) -> tuple[int, list[ua.StatusCode]]:
        own = [ack for ack in acks or () if self._is_own(ack.SubscriptionId)]
        count, results = super().publish(own)
        left = iter(results)
        return count, [next(left) if ack in own else status(_CODES.BadSubscriptionIdInvalid) for ack in acks or ()]


class GuardedServer(InternalServer):
    """asyncua's internal server with our sessions, users and limits; `fastest` is the publishing interval in ms."""

    def __init__(self) -> None:
        super().__init__(user_manager=Users(OpcuaSettings(anonymous=NOBODY)))  # type: ignore[arg-type]
        self.allow_remote_admin = False
        self.fastest = 100.0
        self.max_pending_activation_seconds = 10.0
        self.max_pending_messages_per_connection = 100
        self.max_subscriptions = 500
        self.max_monitored_item_queue_size = 100
        self.max_unacked_messages_per_subscription = 100
        self.supported_tokens = (ua.AnonymousIdentityToken, ua.UserNameIdentityToken)  # type: ignore[assignment]

    def let_in(self, settings: OpcuaSettings) -> None:
        """Let in the users of the site, so many at once."""
        self.user_manager = Users(settings)  # type: ignore[assignment]
        self.fastest = settings.every * 1000
        self.max_connections = settings.clients
        if not settings.users:
            self.supported_tokens = (ua.AnonymousIdentityToken,)  # type: ignore[assignment]
        elif settings.anonymous == NOBODY:
            self.supported_tokens = (ua.UserNameIdentityToken,)  # type: ignore[assignment]

    def create_session(self, name: str, user: User | None = None, external: bool = False) -> InternalSession:
        return Session(self, self.aspace, self.subscription_service, name, user=user or User(), external=external)

    def lookup_external_session(self, auth_token: ua.NodeId) -> None:
        """No session is ever found for another channel."""

    def register_external_session(self, session: InternalSession) -> None:
        """Nothing to remember: sessions are not looked up."""

    def register_server(self, server: Any, conf: Any = None) -> None:
        raise ServiceError(_CODES.BadServiceUnsupported)


def role_reaches(user: Any, least: str) -> bool:
    """Whether this client's role is at least that one."""
    return isinstance(user, Guest) and ROLES.index(user.plc_role) >= ROLES.index(least)


if __name__ == "__main__":
    sys.stdout.write(hash_password(getpass.getpass("password: ")) + "\n")
