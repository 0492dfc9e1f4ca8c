"""Who a client of the OPC UA server is: nobody, a name with a password, or a certificate. It must not know tags or channels.

asyncua decrypts passwords by any algorithm, takes them in the clear, compares no nonce and takes SHA-1 signatures: none here.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any

import structlog
from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto import uacrypto
from asyncua.crypto.permission_rules import User as AsyncuaUser
from asyncua.crypto.permission_rules import UserRole
from cryptography.exceptions import InvalidSignature

from runtime.servers.audit import Who
from runtime.servers.certificates import Certificates
from runtime.servers.certificates_make import Own
from runtime.servers.certificates_read import CertificateError, chain_of, fingerprint_of, key_of, load, name_of
from runtime.servers.door import Door
from runtime.servers.opcua.settings import NOBODY, OpcuaSettings
from runtime.servers.passwords import LONGEST
from runtime.servers.peers import peer_of
from runtime.servers.users import User, Users

ANONYMOUS = "anonymous"
OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep"
OAEP_SHA256 = "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
PSS_SHA256 = "http://opcfoundation.org/UA/security/rsa-pss-sha2-256"
_DECRYPT = {OAEP: uacrypto.decrypt_rsa_oaep, OAEP_SHA256: uacrypto.decrypt_rsa_oaep_sha256}
_VERIFY = {RSA_SHA256: uacrypto.verify_sha256, PSS_SHA256: uacrypto.verify_pss_sha256}
_CODES = ua.StatusCodes

log = structlog.get_logger()


@dataclass
class Guest(AsyncuaUser):
    """A client: `plc_role` is one of the site's roles, `peer` its address. To asyncua every guest is a plain user, never Admin."""

    role: UserRole = UserRole.User
    plc_role: str = "viewer"
    peer: str = ""
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """The connection that asks to be let in: its address, the nonce it was given, and whether nobody can listen."""

    host: str
    port: int
    nonce: bytes
    is_private: bool

    @property
    def peer(self) -> str:
        return peer_of(self.host, self.port)


class RefusedError(ServiceError):  # type: ignore[misc]
    """Somebody is not let in: the status code for the client, the reason for the audit log."""

    def __init__(self, code: int, name: str, reason: str):
        super().__init__(code)
        self.name, self.reason = name, reason


class Identity:
    """Lets people in by the site's users file, and notes every login and every one that was refused."""

    def __init__(self, settings: OpcuaSettings, users: Users, certificates: Certificates, own: Own | None, door: Door):
        self._anonymous, self._users, self._certificates, self._own, self._door = settings.anonymous, users, certificates, own, door
        self._key = own.private_key() if own else None

    def tokens(self, has_file: bool) -> tuple[type, ...]:
        """The kinds of identity that are offered. `has_file`: the site has a users file, or may have one any time."""
        nameless = (ua.AnonymousIdentityToken,) if self._anonymous != NOBODY else ()
        named = (ua.UserNameIdentityToken,) if has_file else ()
        certified = (ua.X509IdentityToken,) if has_file and self._own else ()
        return (*nameless, *named, *certified)

    async def identify(self, token: Any, signature: ua.SignatureData, caller: Caller) -> Guest:
        """The guest whom this token proves. Raises RefusedError."""
        try:
            guest = await self._identified(token, signature, caller)
        except RefusedError as refused:
            self._door.note(Who(refused.name, "", caller.peer), "login", refused.name, refused.reason, False)
            raise
        self._door.note(Who(guest.name or "", guest.plc_role, caller.peer), "login", guest.name or "", "let in", True)
        return guest

    async def _identified(self, token: Any, signature: ua.SignatureData, caller: Caller) -> Guest:
        if isinstance(token, ua.UserNameIdentityToken):
            return _guest(await self._by_password(token, caller), caller)
        if isinstance(token, ua.X509IdentityToken):
            return _guest(self._by_certificate(token, signature, caller), caller)
        is_null = isinstance(token, ua.ExtensionObject) and token.TypeId == ua.NodeId()
        if not is_null and not isinstance(token, ua.AnonymousIdentityToken):
            raise RefusedError(_CODES.BadIdentityTokenInvalid, "", "an identity token of an unknown kind")
        if self._anonymous == NOBODY:
            raise RefusedError(_CODES.BadIdentityTokenRejected, ANONYMOUS, "clients without a name are not let in")
        return Guest(name=ANONYMOUS, plc_role=self._anonymous, peer=caller.peer)

    async def _by_password(self, token: ua.UserNameIdentityToken, caller: Caller) -> User:
        name = str(token.UserName or "")[:LONGEST]
        password = self._password(token, name, caller)
        user = await self._users.by_password(name, password, caller.host)
        if user is None:
            wait = self._users.locked_out(name, caller.host)
            reason = f"locked out for {wait:.0f} s after wrong passwords" if wait else "wrong name or password"
            raise RefusedError(_CODES.BadUserAccessDenied, name, reason)
        return user

    def _password(self, token: ua.UserNameIdentityToken, name: str, caller: Caller) -> str:
        """The password as it was typed (OPC UA part 4, 7.40.2.2)."""
        secret = token.Password or b""
        sent = secret.encode("utf-8") if isinstance(secret, str) else bytes(secret)
        if not token.EncryptionAlgorithm:
            if not caller.is_private:
                raise RefusedError(_CODES.BadIdentityTokenRejected, name, "a password in the clear over a network")
            found = sent
        else:
            decrypt = _DECRYPT.get(token.EncryptionAlgorithm)
            if decrypt is None or self._key is None:
                raise RefusedError(_CODES.BadIdentityTokenRejected, name, f"a password encrypted by {token.EncryptionAlgorithm!r}")
            found = self._opened(decrypt, sent, name, caller.nonce)
        try:
            return found.decode("utf-8")
        except UnicodeDecodeError:
            raise RefusedError(_CODES.BadIdentityTokenInvalid, name, "a password that is no text") from None

    def _opened(self, decrypt: Any, sent: bytes, name: str, nonce: bytes) -> bytes:
        """What was encrypted for us: length, password, and our nonce, so that it cannot be played back."""
        assert self._key is not None
        block = self._key.key_size // 8
        wrong = RefusedError(_CODES.BadIdentityTokenInvalid, name, "a password that was not encrypted for this session")
        if not sent or len(sent) % block or len(sent) > 4 * block:
            raise wrong
        try:
            plain = b"".join(decrypt(self._key, sent[n : n + block]) for n in range(0, len(sent), block))
        except ValueError:
            raise wrong from None
        length = int.from_bytes(plain[:4], "little")
        body = plain[4 : 4 + length]
        if len(body) != length or length < len(nonce) or not hmac.compare_digest(body[length - len(nonce) :], nonce):
            raise wrong
        return body[: length - len(nonce)]

    def _by_certificate(self, token: ua.X509IdentityToken, signature: ua.SignatureData, caller: Caller) -> User:
        """The user whose certificate it is, once the signature over our certificate and nonce proves the private key."""
        try:
            der = chain_of(bytes(token.CertificateData or b""))[0]
            certificate = load(der)
        except (CertificateError, IndexError):
            raise RefusedError(_CODES.BadIdentityTokenInvalid, "", "a user certificate that is none") from None
        shown = name_of(certificate)
        verify = _VERIFY.get(signature.Algorithm or "")
        if verify is None or self._own is None or key_of(certificate)[0] != "RSA":
            raise RefusedError(_CODES.BadIdentityTokenRejected, shown, f"a user certificate with signature {signature.Algorithm!r}")
        try:
            verify(certificate, self._own.der + caller.nonce, bytes(signature.Signature or b""))
        except InvalidSignature:
            raise RefusedError(_CODES.BadUserSignatureInvalid, shown, "a user certificate without its private key") from None
        verdict = self._certificates.judge(der, purpose="user")
        if not verdict.is_taken:
            raise RefusedError(_CODES.BadIdentityTokenRejected, shown, f"the user's certificate: {verdict.text}")
        user = self._users.by_certificate(der)
        if user is None:
            reason = f"no user has the certificate {fingerprint_of(der)}: `bessplc user certificate`"
            raise RefusedError(_CODES.BadUserAccessDenied, shown, reason)
        return user

    def is_still(self, guest: Guest) -> bool:
        """Whether this guest would still be let in: the users file may have changed since."""
        return guest.name == ANONYMOUS or self._users.still(User(guest.name or "", guest.plc_role, guest.proof))

    def note_put_out(self, guest: Guest) -> None:
        """Note that a session was ended because its user is gone."""
        who = Who(guest.name or "", guest.plc_role, guest.peer)
        self._door.note(
            who, "logout", guest.name or "", "the user was removed, or has another role, password or certificate now", True
        )


def _guest(user: User, caller: Caller) -> Guest:
    return Guest(name=user.name, plc_role=user.role, peer=caller.peer, proof=user.proof)
