"""The site's certificates: its own, whom it trusts, and what it says to the certificate of a client. It must not know a protocol.

`<state folder>/pki` has `own/` (certificate and key of this site), `trusted/` (clients, or authorities whose clients are trusted),
`issuers/` (authorities that only complete a chain), `crl/` (their revocation lists) and `rejected/` (the last turned away).
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from runtime.servers.certificates_make import Own, make, make_private, put, read_pair
from runtime.servers.certificates_read import (
    LARGEST,
    CertificateError,
    alternatives_of,
    blocks_of,
    chain_of,
    fingerprint_of,
    load,
    name_of,
    read_list,
)
from runtime.servers.certificates_rules import (
    has_signed,
    is_certificate,
    is_old_list,
    may_be_client,
    weakness,
    wrong_time,
)
from runtime.servers.certificates_tls import admit, context_of

FOLDERS = ("own", "trusted", "issuers", "rejected", "crl")
MOST_REJECTED = 50
MOST_KEPT = 20  # new ones a minute: whoever makes one for each connection neither wears out the disk nor pushes the others out
SOON = timedelta(days=60)
LONGEST_CHAIN = 5
ENDINGS = (".der", ".pem", ".crt", ".cer", ".crl")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said to a certificate. `why` is "" where it is taken, otherwise one word; `text` says it to a person."""

    why: str  # "", broken, weak, early, expired, use, uri, untrusted, revoked
    text: str
    name: str = ""
    fingerprint: str = ""

    @property
    def is_taken(self) -> bool:
        return not self.why


class Certificates:
    """The `pki` folder of a site. With `trust_any` everybody's certificate is trusted, though still looked at."""

    def __init__(self, folder: Path, *, trust_any: bool = False):
        self.folder, self._trust_any = folder, trust_any
        self._files: dict[Path, tuple[object, tuple[Any, ...]]] = {}
        self._kept_since, self._kept = float("-inf"), 0

    def own_pair(self, uri: str, hosts: Sequence[str]) -> Own:
        """The site's certificate (DER) and key (PEM, 0600), made where there is none. Raises CertificateError."""
        with self._changing():
            if not (self.folder / "own" / "certificate.der").exists():
                make(self.folder / "own", uri, hosts)
                log.info("made the site's own certificate", folder=str(self.folder / "own"))
            return self.read_own()  # while nobody can renew it: between the two files they would not fit

    def read_own(self) -> Own:
        """The site's certificate that is there already. Raises CertificateError."""
        folder = self.folder / "own"
        return read_pair(folder / "certificate.der", folder / "key.pem")

    def renew(self, uri: str, hosts: Sequence[str], days: int) -> Own:
        """Replace the site's own certificate and key; every client must trust the new one."""
        with self._changing():
            make(self.folder / "own", uri, hosts, days)
            return self.read_own()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """The folder with its rooms, for one process at a time: all servers start at once.

        It is closed to others: whoever can open it can lock it, and every server would wait for them.
        """
        make_private(self.folder)
        for name in FOLDERS:
            make_private(self.folder / name)
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    # what stands in the folders

    def listed(self, room: str) -> list[tuple[Path, bytes]]:
        """The certificates of one folder, each with its file; what is no certificate is left out with a log line."""
        return [(path, found) for path, many in self._room(room) for found in many]

    def trust(self, der: bytes) -> Path:
        """Trust this certificate, and take it out of `rejected/`. Raises CertificateError."""
        return self._move(der, "trusted", "rejected")

    def reject(self, der: bytes) -> Path:
        """Trust this certificate no more."""
        return self._move(der, "rejected", "trusted")

    def find(self, fingerprint: str) -> list[bytes]:
        """The certificates whose fingerprint starts so (8 digits or more, colons or not), in `trusted/` and `rejected/`."""
        wanted = fingerprint.replace(":", "").lower()
        found = {der for room in ("trusted", "rejected") for _, der in self.listed(room)}
        return sorted(der for der in found if fingerprint_of(der).startswith(wanted)) if len(wanted) >= 8 else []

    def _move(self, der: bytes, there: str, here: str) -> Path:
        with self._changing():
            path = self.folder / there / _file_name(der)
            put({path: (der, 0o644)})
            for old in [path for path, found in self.listed(here) if found == der]:
                old.unlink(missing_ok=True)
        return path

    def _room(self, room: str) -> Iterator[tuple[Path, tuple[Any, ...]]]:
        try:
            entries = sorted(os.scandir(self.folder / room), key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        for entry in entries:
            path = Path(entry.path)
            if path.suffix.lower() not in ENDINGS or entry.name.startswith("."):
                continue
            key: object = ()
            try:
                state = entry.stat()
                key = (state.st_mtime_ns, state.st_size, state.st_ino)
                if self._files.get(path, ((), ()))[0] != key:
                    self._files[path] = (key, tuple(_read(path, room)))
            except (OSError, CertificateError) as error:
                log.warning("left out of the site's certificates", file=str(path), why=str(error))
                self._files[path] = (key, ())
            yield path, self._files[path][1]

    # judging

    def judge(self, der: bytes, *, purpose: str, uri: str = "") -> Verdict:
        """What is said to this certificate, or chain of them, its owner's first; an untrusted one is kept in `rejected/`.

        `purpose` is "client" (an application, which must be trusted), "tls" (the same over TLS), or "user" (a person, whom the
        users file names: not asked here). Dates are judged by this machine's clock. `uri` must stand in the certificate where told.
        """
        chain = chain_of(der[: LARGEST + 1])
        try:
            if not chain or len(der) > LARGEST:
                raise CertificateError("too large or empty")
            certificate = load(chain[0])
        except CertificateError as error:
            return Verdict("broken", str(error))
        why, text = self._judged(certificate, chain, purpose, uri)
        if why == "untrusted":
            self._keep_rejected(chain[0])
        return Verdict(why, text, name_of(certificate), fingerprint_of(chain[0]))

    def _judged(self, certificate: Any, chain: list[bytes], purpose: str, uri: str) -> tuple[str, str]:
        weak = weakness(certificate)
        if weak:
            return "weak", weak
        if purpose != "user" and not self._trust_any and not self._is_trusted(certificate, chain):
            return "untrusted", "not trusted: `bessplc certificate trust` takes it from the rejected ones"
        late = wrong_time(certificate)
        if late[0]:
            return late
        if self._is_revoked(certificate, chain):
            return "revoked", "its authority has revoked it"
        if purpose in ("client", "tls") and not may_be_client(certificate):
            return "use", "it is not made for clients (its key usage)"
        if uri and uri not in alternatives_of(certificate)[0]:
            return "uri", f"it belongs to another application than {uri!r}"
        return "", "taken"

    def _is_trusted(self, certificate: Any, chain: list[bytes]) -> bool:
        trusted = {der for _, der in self.listed("trusted")}
        return any(der_of(link) in trusted for link in self._links(certificate, chain))

    def _links(self, certificate: Any, chain: list[bytes]) -> Iterator[Any]:
        """The certificate, its issuer, that one's issuer ...: each has signed the one before, and may."""
        yield certificate  # before the others are read: mostly it is enough
        known = [load(der) for room in ("trusted", "issuers") for _, der in self.listed(room)]
        known += [load(der) for der in chain[1:LONGEST_CHAIN] if is_certificate(der)]
        for _ in range(LONGEST_CHAIN):
            issuer = next((found for found in known if found != certificate and has_signed(found, certificate)), None)
            if issuer is None:
                return
            yield issuer
            certificate = issuer

    def _is_revoked(self, certificate: Any, chain: list[bytes]) -> bool:
        lists = [crl for _, many in self._room("crl") for crl in many]
        links = list(self._links(certificate, chain)) if lists else []
        return any(
            crl.get_revoked_certificate_by_serial_number(link.serial_number) is not None
            for link, issuer in itertools.pairwise(links)
            for crl in lists
            if crl.issuer == issuer.subject and crl.is_signature_valid(issuer.public_key())
        )

    def _keep_rejected(self, der: bytes) -> None:
        path, now = self.folder / "rejected" / _file_name(der), time.monotonic()
        if path.exists():
            return
        if now - self._kept_since > 60:
            self._kept_since, self._kept = now, 0
        self._kept += 1
        if self._kept > MOST_KEPT:
            return
        try:
            with self._changing():
                there = sorted((self.folder / "rejected").glob("*.der"), key=lambda found: found.stat().st_mtime_ns)
                for old in there[: max(0, len(there) + 1 - MOST_REJECTED)]:
                    old.unlink(missing_ok=True)
                put({path: (der, 0o644)})
        except OSError as error:  # a full disk: refused all the same
            log.warning("a rejected certificate could not be kept", file=str(path), why=str(error))

    def worry(self, own: Own) -> str:
        """What somebody should do about the site's own certificate soon, in words; "" where all is well."""
        certificate = load(own.der)
        why, text = wrong_time(certificate)
        if why:
            return f"the site's own certificate: {text}; `bessplc certificate new` makes another"
        left = certificate.not_valid_after_utc - datetime.now(UTC)
        return (
            f"the site's own certificate ends in {left.days} days; `bessplc certificate new` makes another" if left < SOON else ""
        )

    # TLS

    def server_context(self, own: Own, *, clients: str = "none") -> ssl.SSLContext:
        """A TLS context with the site's certificate. `clients`: theirs are "none", "optional" or "required".

        Whoever serves judges the certificate once more with purpose "tls": a session may be resumed without showing it again.
        """
        return context_of(self, own, clients)

    def admit(self, context: ssl.SSLContext) -> None:
        """Let the context know whoever is trusted by now; whom it knew before, `judge` refuses."""
        admit([der for _, der in self.listed("trusted")], context)


def der_of(certificate: Any) -> bytes:
    """The bytes of a loaded certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding

    found: bytes = certificate.public_bytes(Encoding.DER)
    return found


def _file_name(der: bytes) -> str:
    """`scada-4f0c21d7....der`: a name for people, and the start of the fingerprint."""
    name = re.sub(r"[^A-Za-z0-9.]+", "_", name_of(load(der))).strip("._")[:40]
    return f"{name or 'certificate'}-{fingerprint_of(der)[:16]}.der"


def _read(path: Path, room: str) -> list[Any]:
    if path.stat().st_size > LARGEST and room != "crl":
        raise CertificateError("too large for a certificate")
    found = blocks_of(path.read_bytes())
    if room != "crl":
        for der in found:
            load(der)
        return list(found)
    lists = [read_list(der) for der in found]
    for crl in lists:
        if is_old_list(crl):
            log.warning("a newer revocation list should be here by now", file=str(path), ended=str(crl.next_update_utc))
    return lists
