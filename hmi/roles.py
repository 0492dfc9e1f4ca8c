"""What a role may do, and what is said to whoever may not."""

from __future__ import annotations

from hmi import texts
from runtime.servers.audit import Who
from runtime.servers.rest.callers import reaches

__all__ = ["reaches", "why_not"]


def why_not(who: Who, least: str) -> str:
    """Why they may not do what needs this role, or nothing."""
    if reaches(who.role, least):
        return ""
    if who.user == "anonymous":
        return texts.LOGIN_NEEDED.format(role=least)
    return texts.ROLE_NEEDED.format(role=least, mine=who.role or texts.VIEWER)
