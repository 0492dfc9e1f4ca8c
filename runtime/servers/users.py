"""Who may come in: the users of the site by password, token or certificate. It must not know a protocol.

The file is looked at again at most once a second. A file that has become wrong changes nothing: the users that were known stay.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter, OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog

from runtime.servers.certificates_read import CertificateError, fingerprint_of, load, sha256
from runtime.servers.passwords import LONGEST, USUAL, cost_of, is_password, nobodys
from runtime.servers.peers import host_of
from runtime.servers.users_change import (
    UsersError,
    add_certificate,
    add_token,
    add_user,
    remove_certificate,
    remove_tokens,
    remove_user,
    set_password,
    set_role,
)
from runtime.servers.users_file import Account, check_users, is_open_to_others, read_users, users_of
from runtime.source import Report

__all__ = [
    "Account",
    "Throttle",
    "User",
    "Users",
    "UsersError",
    "add_certificate",
    "add_token",
    "add_user",
    "check_users",
    "is_open_to_others",
    "read_users",
    "remove_certificate",
    "remove_tokens",
    "remove_user",
    "set_password",
    "set_role",
    "users_of",
]
LOOK_AGAIN = 1.0  # s
AT_ONCE = 2  # passwords that are hashed at the same time: each takes 32 MiB and a core for a fifth of a second
MOST_WAITING, MOST_OF_A_HOST = 16, 4
TELL_AGAIN = 60.0  # s
HERE = ("127.0.0.1", "::1")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who proved who they are."""

    name: str
    role: str
    proof: str = field(default="", compare=False, repr=False)  # what of the users file let them in


class Throttle:
    """Counts failures by name and by peer: after `free` of them each further one locks out for twice as long, up to `longest`."""

    def __init__(self, free: int = 5, longest: float = 300.0, forget: float = 900.0, most: int = 1024):
        self._free, self._longest, self._forget, self._most = free, longest, forget, most
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()  # a peer that came in by this name before is not locked out by others

    def wait(self, name: str, peer: str) -> float:
        """Seconds for which nobody by this name, or from this peer, is even listened to.

        What others do in their name locks out neither whoever came in from this peer before, nor the panel on this machine.
        """
        return max(map(self._wait, [f"peer {peer}"] if self._is_theirs(name, peer) else [f"peer {peer}", f"name {name}"]))

    def _is_theirs(self, name: str, peer: str) -> bool:
        return f"{name} {peer}" in self._known or peer in HERE

    def _wait(self, key: str) -> float:
        count, last = self._failures.get(key, (0, 0.0))
        if count < self._free:
            return 0.0
        locked: float = min(2.0 ** min(count - self._free, 30), self._longest)
        return max(0.0, last + locked - time.monotonic())

    def failed(self, name: str, peer: str) -> None:
        now = time.monotonic()
        for key in (f"name {name}", f"peer {peer}"):
            count, last = self._failures.pop(key, (0, now))
            self._failures[key] = (1 if now - last > self._forget else count + 1, now)
        _bound(self._failures, self._most)

    def succeeded(self, name: str, peer: str) -> None:
        self._failures.pop(f"peer {peer}", None)
        if not self._is_theirs(name, peer):  # or a client that logs in again and again would give a guesser a fresh start each time
            self._failures.pop(f"name {name}", None)
        self._known[f"{name} {peer}"] = None
        _bound(self._known, self._most)


def _bound(table: OrderedDict[str, object] | OrderedDict[str, tuple[int, float]] | OrderedDict[str, None], most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)


class Users:
    """The users of a site's file; "" or a file that is not there has none."""

    def __init__(self, path: Path | str):
        self._path = Path(path) if path else None
        self._lock = threading.Lock()
        self._seen: object = ()
        self._looked = float("-inf")
        self._accounts: dict[str, Account] = {}
        self._throttle = Throttle()
        self._hashing = ThreadPoolExecutor(AT_ONCE, "passwords", _stand_back)
        self._waiting: Counter[str] = Counter()  # by host
        self._told = float("-inf")
        self._nobody = nobodys(USUAL)
        self._look()

    def is_empty(self) -> bool:
        return not self._look()

    def still(self, user: User) -> bool:
        """Whether this user is still one, with the same role, and would still be let in by what they came in with."""
        account = self._look().get(user.name)
        return account is not None and account.role == user.role and (not user.proof or user.proof in account.proofs())

    async def by_password(self, name: str, password: str, peer: str) -> User | None:
        """The user with this password. Takes as long for a name that nobody has; None at once while locked out."""
        host = host_of(peer)
        if self.locked_out(name, peer):
            return None  # takes no place of those who wait: a thousand guesses a second cost nobody else the login
        if self._waiting[host] >= MOST_OF_A_HOST or self._waiting.total() >= MOST_WAITING:
            if time.monotonic() >= self._told + TELL_AGAIN:
                self._told = time.monotonic()
                log.warning("logins are turned away: too many wait for their password to be looked at", peer=peer)
            return None
        self._waiting[host] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, self.by_password_now, name, password, peer)
        finally:
            self._waiting -= Counter((host,))

    def by_password_now(self, name: str, password: str, peer: str) -> User | None:
        """The same for whoever can wait."""
        name, host = name[:LONGEST], host_of(peer)
        account = self._look().get(name)
        with self._lock:
            if self._throttle.wait(name, host) > 0:
                return None
        hashed = account.password if account is not None else ""
        is_right = is_password(password[: LONGEST + 1], hashed or self._nobody) and bool(hashed)
        if not is_right or account is None:
            with self._lock:
                self._throttle.failed(name, host)
            self._tell_lockout(name, host)
            return None
        with self._lock:
            self._throttle.succeeded(name, host)
        return User(account.name, account.role, hashed)

    def locked_out(self, name: str, peer: str) -> float:
        """Seconds for which this name from this peer is not listened to: for the audit log, never for the client."""
        with self._lock:
            return self._throttle.wait(name[:LONGEST], host_of(peer))

    def _tell_lockout(self, name: str, host: str) -> None:
        wait = self.locked_out(name, host)
        if wait:
            log.warning("locked out after wrong passwords", user=name, peer=host, seconds=round(wait))

    def by_certificate(self, der: bytes) -> User | None:
        """The user whose certificate this is, while it is valid. Whoever calls has seen proof of its private key."""
        fingerprint = fingerprint_of(der)
        account = next((a for a in self._look().values() if fingerprint in a.certificates), None)
        if account is None:
            return None
        try:
            certificate = load(der)
        except CertificateError:
            return None
        is_valid = certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc
        return User(account.name, account.role, fingerprint) if is_valid else None

    def by_token(self, token: str) -> User | None:
        """The user with this API token, while it is good."""
        digest, today = sha256(token.encode("utf-8", "replace")), datetime.now(UTC).date()
        good = (a for a in self._look().values() for t in a.tokens if t.digest == digest and t.is_good(today))
        account = next(good, None)
        return None if account is None else User(account.name, account.role, digest)

    def _look(self) -> dict[str, Account]:
        """The accounts as the file has them, or had them when it could last be read."""
        now = time.monotonic()
        if self._path is None or now < self._looked + LOOK_AGAIN:
            return self._accounts
        with self._lock:
            self._looked = now
            state = _state_of(self._path)
            if state != self._seen:
                self._seen = state
                self._read(self._path)
            return self._accounts

    def _read(self, path: Path) -> None:
        report = Report()
        accounts = read_users(path, report)
        for problem in report.errors:
            log.error("the users file was not taken, the users known before stay", place=str(problem.at), why=problem.message)
        if not report.errors:
            self._accounts = accounts
            hashed = next((a.password for a in accounts.values() if a.password), "")
            self._nobody = nobodys(cost_of(hashed) if hashed else USUAL)  # an unknown name takes as long as a known one
            if is_open_to_others(path):
                log.warning("other users of this machine can read the users file: chmod 600", file=str(path))


def _stand_back() -> None:
    """Let everything else on this machine go first: a flood of logins must not make the fieldbus late."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)


def _state_of(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)
