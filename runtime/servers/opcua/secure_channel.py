"""The secure channel of a client: whose certificate it is, and who asks for a session on it. It must not know tags.

asyncua looks at a client's certificate when a session is created only, and then at the one that the request names; it goes on after
a message whose signature is wrong; and it opens sessions on an unsecured channel whether that is offered or not. None of it here.
"""

from __future__ import annotations

import ipaddress
import time
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
from runtime.servers.opcua.settings import OpcuaSettings
from runtime.servers.opcua.types import standard, status

_IDS, _CODES = ua.ObjectIds, ua.StatusCodes
CREATE = standard(_IDS.CreateSessionRequest_Encoding_DefaultBinary)
ACTIVATE = standard(_IDS.ActivateSessionRequest_Encoding_DefaultBinary)
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

    async def process(self, header: Any, body: Any) -> bool:
        """One message; a channel whose message cannot be decoded, verified or accepted is told so and closed (part 6, 7.1.5)."""
        try:
            return bool(await super().process(header, body))
        except (ServiceError, ua.uaerrors.UaStatusCodeError) as error:
            return self._close_with(error.code)
        except (InvalidSignature, AsyncuaInvalidSignature):
            self._gate.tell(self._host, "a message with a wrong signature", "")
        except Exception as error:  # noqa: BLE001 - what a stranger's bytes can raise has no list; the connection ends either way
            self._gate.tell(self._host, f"a message that makes no sense: {type(error).__name__}: {error}"[:200], "")
        return self._close_with(_CODES.BadSecurityChecksFailed)

    def _close_with(self, code: int) -> bool:
        told: Any = ua.ErrorMessage(status(code), "")  # type: ignore[arg-type]
        self._transport.write(uatcp_to_binary(ua.MessageType.Error, told))  # type: ignore[arg-type]
        return False

    def open_secure_channel(self, algohdr: Any, seqhdr: Any, body: Any) -> None:
        """Open or renew the channel: here its signature is verified already, so the certificate is the client's own."""
        if algohdr.SecurityPolicyURI != SecurityPolicyNone.URI or not self._is_unsecured():
            self._gate.judge(algohdr.SenderCertificate or b"", self._host)
        super().open_secure_channel(algohdr, seqhdr, body)

    def _is_unsecured(self) -> bool:
        return bool(self._connection.security_policy.Mode == ua.MessageSecurityMode.None_)

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        if typeid == CREATE:
            self._check_create(struct_from_binary(ua.CreateSessionParameters, body.copy()))
        elif typeid == ACTIVATE and self.session is not None:
            await self._identify(struct_from_binary(ua.ActivateSessionParameters, body.copy()))
        return await super()._process_message(typeid, requesthdr, seqhdr, body)

    def _check_create(self, params: ua.CreateSessionParameters) -> None:
        if self.session is not None and self.session.state.name != "Closed":
            raise ServiceError(_CODES.BadTooManySessions)  # asyncua forgets the one before, which would then stay for ever
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


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
