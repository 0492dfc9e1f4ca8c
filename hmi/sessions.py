"""Who is logged in: a random token a browser, that ends after a time, without a touch, and with the user. It knows no page."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from runtime.servers.audit import Who
from runtime.servers.users import User, Users

COOKIE = "bessplc"
MOST = 256  # logins at once; beyond, the one that was touched longest ago ends


@dataclass
class Session:
    """One login of one browser; times are CLOCK_MONOTONIC in s."""

    user: User
    begun: float
    touched: float


class Sessions:
    """All logins. A user who is removed, or whose password or role changes, is out within a second."""

    def __init__(self, users: Users, lasts: float, idle: float):
        self._users, self._lasts, self._idle = users, lasts, idle
        self._open: dict[str, Session] = {}

    def begin(self, user: User) -> str:
        """Log somebody in; returns the token for the browser's cookie."""
        now = time.monotonic()
        if len(self._open) >= MOST:
            del self._open[min(self._open, key=lambda token: self._open[token].touched)]
        token = secrets.token_urlsafe(32)
        self._open[token] = Session(user, now, now)
        return token

    def find(self, token: str) -> User | None:
        """Whose token this is, while it is good."""
        session = self._open.get(token)
        if session is None:
            return None
        now = time.monotonic()
        if now - session.begun > self._lasts or now - session.touched > self._idle or not self._users.still(session.user):
            self.end(token)
            return None
        return session.user

    def touch(self, token: str) -> None:
        """Somebody touched the screen."""
        if self.find(token) is not None:
            self._open[token].touched = time.monotonic()

    def end(self, token: str) -> User | None:
        """Log out; whose token it was."""
        session = self._open.pop(token, None)
        return session.user if session else None

    def tick(self) -> None:
        """Forget what has ended."""
        for token in list(self._open):
            self.find(token)

    def listed(self) -> list[tuple[User, float, float]]:
        """Each login: whose it is, and how many s ago it began and was touched last."""
        now = time.monotonic()
        return [(session.user, now - session.begun, now - session.touched) for session in self._open.values()]

    def __len__(self) -> int:
        return len(self._open)


class Visitors:
    """Who a request is from: by its cookie, else whatever the site lets those do who did not log in."""

    def __init__(self, sessions: Sessions, anonymous: str):
        self.sessions, self._anonymous = sessions, anonymous

    def who(self, token: str, peer: str) -> Who:
        """The user behind the token; without one somebody whose role is "" or what the site says."""
        user = self.sessions.find(token) if token else None
        if user is not None:
            return Who(user.name, user.role, peer, user.proof)
        return Who("anonymous", self._anonymous, peer)
