"""The secure channel of a client: whose certificate it is, and who asks for a session on it. It must not know tags.

asyncua looks at a client's certificate when a session is created only, and then at the one that the request names; it goes on after
a message whose signature is wrong; and it opens sessions on an unsecured channel whether that is offered or not. None of it here.
"""

from __future__ import annotations

import ipaddress
import time
from contextvars import ContextVar
from typing import Any

import structlog
from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.crypto.uacrypto import InvalidSignature as AsyncuaInvalidSignature
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary, uatcp_to_binary
from cryptography.exceptions import InvalidSignature

from runtime.servers.audit import Who
from runtime.servers.certificates import Certificates, Verdict
from runtime.servers.certificates_read import chain_of
from runtime.servers.door import Door
from runtime.servers.opcua.identity import Caller, Identity, RefusedError
from runtime.servers.opcua.limits import CHUNK, CHUNKS, LEAST_CHUNK, LIFETIMES, LONGEST
from runtime.servers.opcua.settings import OpcuaSettings
from runtime.servers.opcua.types import standard, status

_IDS, _CODES = ua.ObjectIds, ua.StatusCodes
CREATE = standard(_IDS.CreateSessionRequest_Encoding_DefaultBinary)
ACTIVATE = standard(_IDS.ActivateSessionRequest_Encoding_DefaultBinary)
SESSIONLESS = {
    CREATE,
    standard(_IDS.GetEndpointsRequest_Encoding_DefaultBinary),
    standard(_IDS.FindServersRequest_Encoding_DefaultBinary),
    standard(_IDS.RegisterServerRequest_Encoding_DefaultBinary),
    standard(_IDS.RegisterServer2Request_Encoding_DefaultBinary),
    standard(_IDS.CloseSecureChannelRequest_Encoding_DefaultBinary),
}
DEEDS = {standard(_IDS.WriteRequest_Encoding_DefaultBinary), standard(_IDS.CallRequest_Encoding_DefaultBinary)}
HINT: ContextVar[float] = ContextVar("HINT", default=0.0)  # s: how long the client waits for the answer under way, 0 for ever
REFUSALS = {
    "broken": _CODES.BadCertificateInvalid,
    "weak": _CODES.BadCertificatePolicyCheckFailed,
    "early": _CODES.BadCertificateTimeInvalid,
    "expired": _CODES.BadCertificateTimeInvalid,
    "use": _CODES.BadCertificateUseNotAllowed,
    "uri": _CODES.BadCertificateUriInvalid,
    "untrusted": _CODES.BadCertificateUntrusted,
    "revoked": _CODES.BadCertificateRevoked,
}
QUIET = 60.0  # s: how long the same refusal of the same peer is not told again

log = structlog.get_logger()


class Gate:
    """What the site says about channels: networks, certificates, and the least security a session needs."""

    def __init__(self, settings: OpcuaSettings, certificates: Certificates, identity: Identity, door: Door):
        self._allow, self._certificates, self.identity, self._door = settings.allow, certificates, identity, door
        self.takes_unsecured = settings.takes_unsecured
        self._told: dict[tuple[str, str, str], float] = {}

    def admits(self, host: str) -> bool:
        """Whether a client of this address may connect at all."""
        if not self._allow:
            return True
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        plain = getattr(address, "ipv4_mapped", None) or address
        if any(plain in network for network in self._allow):
            return True
        self.tell(host, "not in `allow`", "")
        return False

    def judge(self, chain: bytes, host: str, uri: str = "") -> None:
        """Raises ServiceError where this client's certificate is not taken."""
        verdict = self._certificates.judge(chain or b"", purpose="client", uri=uri)
        if not verdict.is_taken:
            self.tell(host, verdict.text, _shown(verdict))
            raise ServiceError(REFUSALS[verdict.why])

    def tell(self, host: str, why: str, subject: str) -> None:
        """Log and audit that somebody was turned away: once a minute for each reason, or a hostile client would fill the disk."""
        now = time.monotonic()
        if now < self._told.get((host, why, subject), 0.0):
            return
        if len(self._told) > 256:
            self._told = {key: until for key, until in self._told.items() if until > now}
        if len(self._told) <= 256:
            self._told[host, why, subject] = now + QUIET
            self._door.note(Who("", "", host), "connect", subject, why, False)


def _shown(verdict: Verdict) -> str:
    return f"{verdict.name} {verdict.fingerprint[:16]}".strip()


class GuardedProcessor(UaProcessor):
    """asyncua's processor of one connection behind the gate."""

    def __init__(self, server: Any, transport: Any, limits: Any):
        super().__init__(server, transport, limits)
        self._gate: Gate = server.gate
        self._host, self._port = (str(self.name[0]), int(self.name[1])) if isinstance(self.name, tuple) else (str(self.name), 0)
        self._is_greeted = False
        self.keys_until = float("inf")  # when the channel's keys are too old, on the clock `monotonic`

    async def process(self, header: Any, body: Any) -> bool:
        """One message; a channel whose message cannot be decoded, verified or accepted is told so and closed (part 6, 7.1.5)."""
        try:
            self._check_order(header, body)
            return bool(await super().process(header, body))
        except (ServiceError, ua.uaerrors.UaStatusCodeError) as error:
            return self._close_with(error.code)
        except (InvalidSignature, AsyncuaInvalidSignature):
            self._gate.tell(self._host, "a message with a wrong signature", "")
        except Exception as error:  # noqa: BLE001 - what a stranger's bytes can raise has no list; the connection ends either way
            self._gate.tell(self._host, f"a message that makes no sense: {type(error).__name__}: {error}"[:200], "")
        return self._close_with(_CODES.BadSecurityChecksFailed)

    def _check_order(self, header: Any, body: Any) -> None:
        """A Hello, then a channel, then messages of one chunk until somebody is let in. Raises ServiceError (part 6, 7.1)."""
        kind = header.MessageType
        if (kind == ua.MessageType.Hello) == self._is_greeted or kind not in _CLIENTS:
            raise ServiceError(_CODES.BadTcpMessageTypeInvalid)
        if kind == ua.MessageType.Hello:
            hello = struct_from_binary(ua.Hello, body.copy())
            if min(hello.ReceiveBufferSize, hello.SendBufferSize) < LEAST_CHUNK:
                raise ServiceError(_CODES.BadConnectionRejected)
            self._is_greeted = True
            return
        if kind != ua.MessageType.SecureOpen and not self._connection.is_open():
            raise ServiceError(_CODES.BadTcpSecureChannelUnknown)
        is_in = self.session is not None and self.session.is_activated()
        self._limits.max_message_size, self._limits.max_chunk_count = (LONGEST, CHUNKS) if is_in else (CHUNK, 1)

    def _close_with(self, code: int) -> bool:
        told: Any = ua.ErrorMessage(status(code), "")  # type: ignore[arg-type]
        self._transport.write(uatcp_to_binary(ua.MessageType.Error, told))  # type: ignore[arg-type]
        return False

    def open_secure_channel(self, algohdr: Any, seqhdr: Any, body: Any) -> None:
        """Open or renew the channel: here its signature is verified already, so the certificate is the client's own."""
        if algohdr.SecurityPolicyURI != SecurityPolicyNone.URI or not self._is_unsecured():
            self._gate.judge(algohdr.SenderCertificate or b"", self._host)
        request = struct_from_binary(ua.OpenSecureChannelRequest, body)
        wanted = request.Parameters
        if self._connection.is_open() != (wanted.RequestType == ua.SecurityTokenRequestType.Renew):
            raise ServiceError(_CODES.BadRequestTypeInvalid)
        if not self._connection.is_open():
            self._connection.select_policy(algohdr.SecurityPolicyURI, algohdr.SenderCertificate, wanted.SecurityMode)
        if (
            not self._is_unsecured()
            and len(wanted.ClientNonce or b"") < self._connection.security_policy.secure_channel_nonce_length
        ):
            raise ServiceError(_CODES.BadNonceInvalid)
        wanted.RequestedLifetime = min(max(wanted.RequestedLifetime, LIFETIMES[0]), LIFETIMES[1])
        self.keys_until = time.monotonic() + wanted.RequestedLifetime / 1000 * 1.25  # part 4, 5.5.2.1
        response = ua.OpenSecureChannelResponse()
        response.Parameters = self._connection.open(wanted, self.iserver)
        self.send_response(request.RequestHeader.RequestHandle, seqhdr, response, ua.MessageType.SecureOpen)

    def _is_unsecured(self) -> bool:
        return bool(self._connection.security_policy.Mode == ua.MessageSecurityMode.None_)

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        if typeid not in SESSIONLESS:
            self._check_token(requesthdr.AuthenticationToken)
        if typeid == CREATE:
            self._check_create(struct_from_binary(ua.CreateSessionParameters, body.copy()))
            self._end_watch()
        elif typeid == ACTIVATE:
            await self._identify(struct_from_binary(ua.ActivateSessionParameters, body.copy()))
        elif typeid in DEEDS:
            HINT.set(requesthdr.TimeoutHint / 1000)
        return await super()._process_message(typeid, requesthdr, seqhdr, body)

    def _check_token(self, token: ua.NodeId) -> None:
        """asyncua takes any token on the channel of a session. Raises ServiceError where it is not this session's."""
        if self.session is None or self.session.auth_token != token:
            raise ServiceError(_CODES.BadSessionIdInvalid)
        if self.session.state.name == "Closed":
            raise ServiceError(_CODES.BadSessionClosed)

    def _end_watch(self) -> None:
        """Each session starts a watch, which asyncua forgets when the next session comes on the same channel."""
        if self._session_watchdog_task is not None:
            self._session_watchdog_task.cancel()

    def _check_create(self, params: ua.CreateSessionParameters) -> None:
        if self.session is not None and self.session.state.name != "Closed":
            raise ServiceError(_CODES.BadTooManySessions)  # asyncua forgets the one before, which would then stay for ever
        self.iserver.check_room(self._host)  # type: ignore[attr-defined]
        if self._is_unsecured():
            if not self._gate.takes_unsecured:
                self._gate.tell(self._host, "a session without security, where the site asks for it", "")
                raise ServiceError(_CODES.BadSecurityPolicyRejected)
            return
        own = self._connection.security_policy.peer_certificate
        if not params.ClientCertificate or chain_of(bytes(params.ClientCertificate))[0] != own:
            raise ServiceError(_CODES.BadSecurityChecksFailed)
        if len(params.ClientNonce or b"") < 32:
            raise ServiceError(_CODES.BadNonceInvalid)
        self._gate.judge(bytes(params.ClientCertificate), self._host, params.ClientDescription.ApplicationUri or "-")

    async def _identify(self, params: ua.ActivateSessionParameters) -> None:
        """Find out who it is before asyncua activates the session: a password takes a while, and nobody else shall wait."""
        session: Any = self.session
        policy = self._connection.security_policy
        try:
            signed = (policy.host_certificate or b"") + session.nonce
            policy.asymmetric_cryptography.verify(signed, params.ClientSignature.Signature)
        except (InvalidSignature, AsyncuaInvalidSignature):
            raise ServiceError(_CODES.BadApplicationSignatureInvalid) from None
        is_private = policy.Mode == ua.MessageSecurityMode.SignAndEncrypt or _is_here(self._host)
        caller = Caller(self._host, self._port, session.nonce, is_private)
        session.guest = None
        try:
            session.guest = await self._gate.identity.identify(params.UserIdentityToken, params.UserTokenSignature, caller)
        except RefusedError as refused:
            raise ServiceError(refused.code) from None


_CLIENTS = (ua.MessageType.Hello, ua.MessageType.SecureOpen, ua.MessageType.SecureMessage, ua.MessageType.SecureClose)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
