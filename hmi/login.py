"""The login: a plain form, so that it needs no script and shows nothing of the site to those who may not look."""

from __future__ import annotations

import html
from ipaddress import ip_address
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from hmi import texts
from hmi.hall import Hall
from hmi.sessions import COOKIE
from runtime.servers.audit import Who
from runtime.servers.peers import address_of

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/hmi.css"></head>
<body class="login"><main><form method="post" action="/login">
<h1>{site}</h1>
<p class="why" role="alert">{why}</p>
<input type="hidden" name="next" value="{next}">
<label for="name">{name}</label><input id="name" name="name" autocomplete="username" autofocus required maxlength="100">
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="200">
<button type="submit">{enter}</button>
{look}
</form></main></body></html>
"""


def login_routes(hall: Hall) -> APIRouter:
    """The form, logging in, and logging out."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def form(next: str = "/") -> Response:
        return _page(hall, next, "")

    @router.post("/login")
    async def enter(request: Request) -> Response:
        asked = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=8)
        name, password, after = (asked.get(word, [""])[0] for word in ("name", "password", "next"))
        peer = request.scope["state"]["peer"]
        if not hall.settings.tls and not _is_near(request):
            return _turn_away(hall, name, peer, after, texts.NEEDS_TLS)
        user = await hall.users.by_password(name, password, peer)
        if user is None:
            locked = hall.users.locked_out(name, peer)
            return _turn_away(hall, name, peer, after, texts.LOCKED_OUT if locked else texts.WRONG_LOGIN)
        hall.door.note(Who(user.name, user.role, peer), "login", user.name, "let in by password", True)
        answer = RedirectResponse(_safe(after), 303)
        secure = hall.settings.tls or request.headers["origin"].startswith("https:")
        answer.set_cookie(COOKIE, hall.visitors.sessions.begin(user), secure=secure, httponly=True, samesite="strict")
        return answer

    @router.post("/logout")
    async def leave(request: Request) -> Response:
        user = hall.visitors.sessions.end(request.scope["state"]["token"])
        if user is not None:
            hall.door.note(Who(user.name, user.role, request.scope["state"]["peer"]), "logout", user.name, "taken", True)
        answer = RedirectResponse("/" if hall.settings.anonymous != "none" else "/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return router


def _turn_away(hall: Hall, name: str, peer: str, after: str, why: str) -> Response:
    hall.door.note(Who(name[:100], "", peer), "login", name[:100], f"refused: {why}", False)
    found = _page(hall, after, why)
    found.status_code = 401
    return found


def _page(hall: Hall, after: str, why: str) -> Response:
    site = html.escape(hall.order.site)
    look = f'<p><a href="/">{texts.LOOK_ONLY}</a></p>' if hall.settings.anonymous != "none" else ""
    return HTMLResponse(
        PAGE.format(
            title=f"{site}: {texts.LOG_IN}",
            site=site,
            why=html.escape(why),
            next=html.escape(_safe(after)),
            name=texts.NAME,
            password=texts.PASSWORD,
            enter=texts.LOG_IN,
            look=look,
        )
    )


def _safe(after: str) -> str:
    """Where to go after the login: a path of ours, never another host (`//host`, `/\\host`)."""
    return after if after.startswith("/") and not after.startswith(("//", "/\\")) and after.isprintable() else "/"


def _is_near(request: Request) -> bool:
    """Whether the request did not cross a network in the clear: from this machine, be it a proxy with TLS."""
    host = request.client.host if request.client else ""
    try:
        return ip_address(str(address_of(host))).is_loopback
    except ValueError:
        return False
