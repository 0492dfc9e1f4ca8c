"""Stands before the application: who asks, how large the request is, and the headers that every answer carries.

A request that is refused here has cost neither a parsed body nor a look at the snapshot.
"""

from __future__ import annotations

from typing import Any

from runtime.servers.audit import Who
from runtime.servers.peers import peer_of
from runtime.servers.rest.callers import CHALLENGE, Callers, reaches
from runtime.servers.rest.problems import ProblemError, response_of
from runtime.servers.rest.settings import RestSettings

HEAD = 32 * 1024  # bytes of a request's first line and headers: a thousand names of tags
BODY = 64 * 1024  # bytes that a request may carry
OPEN = ("/health", "/health/live")  # what tells nothing secret
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]


class Guard:
    """The outermost ASGI application."""

    def __init__(self, app: Any, settings: RestSettings, callers: Callers):
        self._app, self._settings, self._callers = app, settings, callers
        self.requests = self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1

        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
                self.refused += message["status"] >= 400
            await send(message)

        try:
            scope["state"]["who"] = await self._who(scope)
            receive = await _read(scope, receive)
        except ProblemError as problem:
            await response_of(problem)(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    async def _who(self, scope: Any) -> Who:
        """Who asks; everything but the open addresses needs at least a viewer. Raises ProblemError."""
        if len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(n) + len(v) for n, v in scope["headers"]) > HEAD:
            raise ProblemError(431, "too-large", f"a request's address and headers may have {HEAD // 1024} kB")
        said = [value for name, value in scope["headers"] if name == b"authorization"]
        peer = peer_of(*(scope["client"] or ("", 0)))
        is_open = scope["path"] in OPEN or (scope["path"] == "/metrics" and self._settings.metrics == "open")
        if len(said) > 1:
            raise ProblemError(400, "invalid-request", "two `Authorization` headers in one request")
        if is_open and not said:
            return Who("", "", peer)
        who = await self._callers.identify(said[0].decode("latin-1") if said else "", peer)
        if not is_open and not reaches(who.role, "viewer"):
            raise ProblemError(401, "not-logged-in", "refused: this needs a user's token or password", CHALLENGE)
        return who


async def _read(scope: Any, receive: Any) -> Any:
    """The request's body, read whole before anybody looks at it, to be received once. Raises ProblemError 400 and 413."""
    if scope["method"] not in ("PUT", "POST"):
        return receive
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if len(announced) > 9 or int(announced) > BODY:
        raise ProblemError(413, "too-large", f"a request may carry {BODY // 1024} kB")
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ProblemError(400, "invalid-request", "the connection ended within the request")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY:
            raise ProblemError(413, "too-large", f"a request may carry {BODY // 1024} kB")
    pending = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def receive_again() -> Any:
        return pending.pop() if pending else await receive()

    return receive_again
