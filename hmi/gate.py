"""Stands before the pages: which host name was meant, which page asks, who is logged in, and the headers of every answer.

A page of another site may make this browser send requests here, with our cookie. So whatever changes something must come from
a page of ours (`Origin`), and `Host` must be a name that is ours (or a page elsewhere could rebind its own name to this machine).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

from hmi.sessions import COOKIE, Visitors
from hmi.settings import HmiSettings
from runtime.servers.audit import Who
from runtime.servers.peers import peer_of
from runtime.servers.rest.guard import BODY

OPEN, OPEN_FOLDERS = ("/login", "/favicon.ico"), ("/static/", "/_nicegui/")  # what tells nothing of the plant
NOBODY_LISTENS = "No response returned."  # how starlette says that the browser left before its answer
METHODS = ("GET", "HEAD", "POST")
POLICY = (
    # NiceGUI's pages are inline modules, and Vue compiles their templates in the browser
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "manifest-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # `no-referrer` would make the browser send `Origin: null` with the login form
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
STRICT = (b"strict-transport-security", b"max-age=31536000")


class Gate:
    """The outermost ASGI application."""

    def __init__(self, app: Any, settings: HmiSettings, visitors: Visitors):
        self._app, self._settings, self._visitors = app, settings, visitors
        self._names = {"localhost", socket.gethostname().lower(), settings.host.lower(), *settings.names}
        self._headers = [*HEADERS, STRICT] if settings.tls else HEADERS
        self.requests = self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        headers = _headers_of(scope)
        token = token_of(headers.get("cookie", ""))
        peer = peer_of(*(scope["client"] or ("", 0)))
        who = self._visitors.who(token, peer)
        scope["state"].update(who=who, token=token, peer=peer)
        is_socket = scope["type"] == "websocket"
        why = self._why_not(scope, headers, is_socket)
        is_kept = scope["path"].startswith(OPEN_FOLDERS)

        async def send_guarded(message: Any) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                said = [one for one in message.get("headers", ()) if is_kept or one[0].lower() != b"cache-control"]
                message["headers"] = [*said, *self._headers, *([] if is_kept else [(b"cache-control", b"no-store")])]
                self.refused += message["status"] >= 400
            await send(message)

        if not is_socket and scope["method"] not in METHODS:  # NiceGUI would draw a page for any of them
            await _refuse(send_guarded, 405, f"only {', '.join(METHODS)} are understood", is_socket)
        elif why:
            await _refuse(send_guarded, 403, why, is_socket)
        elif not who.role and scope["path"] not in OPEN and not scope["path"].startswith(OPEN_FOLDERS):
            await self._to_the_login(scope, who, send_guarded, is_socket)
        else:
            await self._answer(scope, receive, send_guarded)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:
            if str(error) != NOBODY_LISTENS:
                raise

    def _why_not(self, scope: Any, headers: Mapping[str, str], is_socket: bool) -> str:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return f"`{host[:80]}` is no name of this machine: `names:` of `servers: hmi:` in the site says which it has besides"
        if is_socket or scope["method"] not in ("GET", "HEAD"):
            scheme = "https" if self._settings.tls else "http"
            # behind a proxy that does TLS the browser says https
            if headers.get("origin", "") not in (f"{scheme}://{host}", f"https://{host}"):
                return "this request does not come from a page of this HMI"
            if int(headers.get("content-length", "0")[:9] or 0) > BODY or "transfer-encoding" in headers:
                return f"a request may carry {BODY // 1024} kB"
        return ""

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        name = name.strip("[]").lower()
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True  # nobody can rebind an address

    async def _to_the_login(self, scope: Any, who: Who, send: Any, is_socket: bool) -> None:
        if is_socket or scope["path"].startswith(("/data/", "/_nicegui_ws/")):
            await _refuse(send, 401, "log in first", is_socket)
            return
        where = f"/login?next={quote(scope['path'])}".encode()
        await send({"type": "http.response.start", "status": 303, "headers": [(b"location", where), (b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def token_of(cookies: str) -> str:
    """The session's token in a `Cookie` header, or nothing."""
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _headers_of(scope: Any) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def _refuse(send: Any, status: int, why: str, is_socket: bool) -> None:
    body = f"refused: {why}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    kind = "websocket.http.response" if is_socket else "http.response"
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
