"""Who asks: bearer tokens and passwords of the site's users, and what their roles may do. It knows no route."""

from __future__ import annotations

import base64
import binascii
import time
from collections import OrderedDict

from runtime.model import ROLES
from runtime.servers.audit import Who
from runtime.servers.door import Door
from runtime.servers.peers import host_of
from runtime.servers.rest.problems import ProblemError
from runtime.servers.rest.settings import NOBODY, RestSettings
from runtime.servers.users import User, Users

ANONYMOUS = "anonymous"
KNOWN = 256  # users and addresses whose login was noted lately
LOGIN_LASTS = 3600.0  # s: every request says who asks, but a login is noted once in this time
NOTED_A_MINUTE = 20  # refused logins that are noted from one address; a hostile client must not fill the disk
CHALLENGE = {"www-authenticate": 'Bearer realm="bessplc", Basic realm="bessplc", charset="UTF-8"'}


class Callers:
    """Finds out who asks, and notes logins and refused ones."""

    def __init__(self, users: Users, settings: RestSettings, door: Door):
        self._users, self._settings, self._door = users, settings, door
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._refused: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def identify(self, authorization: str, peer: str) -> Who:
        """Who sends this `Authorization` header; Who without a role where it sends none. Raises ProblemError 401."""
        scheme, _, credentials = authorization.partition(" ")
        if not authorization:
            return Who(ANONYMOUS, "" if self._settings.anonymous == NOBODY else self._settings.anonymous, peer)
        if scheme.lower() == "bearer":
            user = self._users.by_token(credentials.strip())
            return self._let_in(user, peer, "token") if user else self._turn_away("", peer, "the token is unknown or has expired")
        if scheme.lower() == "basic":
            return await self._by_password(credentials.strip(), peer)
        return self._turn_away("", peer, "only `Bearer` and `Basic` are understood")

    async def _by_password(self, credentials: str, peer: str) -> Who:
        if not self._settings.tls:
            return self._turn_away("", peer, "passwords are taken over TLS only: use a token")
        try:
            name, colon, password = base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return self._turn_away("", peer, "the `Basic` credentials cannot be read")
        user = await self._users.by_password(name, password, peer) if colon else None
        return self._let_in(user, peer, "password") if user else self._turn_away(name, peer, "the name or the password is wrong")

    def still(self, authorization: str, who: Who) -> bool:
        """Whether whoever has a long answer would still get it: their token may have ended, or they were removed meanwhile."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return self._users.by_token(token.strip()) == User(who.user, who.role)
        return who.user == ANONYMOUS or self._users.still(User(who.user, who.role, who.proof))

    def _let_in(self, user: User, peer: str, by: str) -> Who:
        who = Who(user.name, user.role, peer, user.proof)
        key, now = (user.name, host_of(peer)), time.monotonic()
        if now - self._seen.get(key, -LOGIN_LASTS) >= LOGIN_LASTS:
            self._door.note(who, "login", user.name, f"let in by {by}", True)
            self._seen[key] = now
            while len(self._seen) > KNOWN:
                self._seen.popitem(last=False)
        return who

    def _turn_away(self, name: str, peer: str, why: str) -> Who:
        if self._is_worth_a_line(host_of(peer)):
            self._door.note(Who(name, "", peer), "login", name, f"refused: {why}", False)
        raise ProblemError(401, "not-logged-in", f"refused: {why}", CHALLENGE)

    def _is_worth_a_line(self, host: str) -> bool:
        since, count = self._refused.pop(host, (0.0, 0))
        now = time.monotonic()
        if now - since > 60:
            since, count = now, 0
        self._refused[host] = since, count + 1
        while len(self._refused) > KNOWN:
            self._refused.popitem(last=False)
        return count < NOTED_A_MINUTE


def reaches(role: str, least: str) -> bool:
    """Whether a role may do what that one may."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(least)
