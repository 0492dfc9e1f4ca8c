"""What somebody did or was refused, in the words of the audit log: who, from where, what, old, new, and the answer.

Every write of every server passes here. A line goes to the log at once; whoever keeps records is given the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks: the user ("" where the protocol knows none), the role (one of ROLES; "" may do nothing), and the address."""

    user: str
    role: str
    peer: str
    proof: str = field(default="", compare=False, repr=False)  # what of the users file let them in; it never leaves the process


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the audit log. `action` is "write", "acknowledge", "login" ...; `subject` a tag, an alarm, a user.

    `element` counts from 1, 0 for a scalar; `old` and `new` are None where there is none. `answer` is what the one who asked was
    told, in words; `taken` whether it was done, and in which scan (0 where none was asked). `time` is ns since 1970 UTC.
    """

    service: str
    who: Who
    action: str
    subject: str
    answer: str
    taken: bool
    element: int = 0
    old: Any = None
    new: Any = None
    scan: int = 0
    time: int = field(default_factory=time.time_ns)


Keep = Callable[[Deed], None]


def say(deed: Deed) -> None:
    """Write the deed to the log of this process."""
    tell = log.info if deed.taken else log.warning
    place = {"element": deed.element} if deed.element else {}
    shown = deed.new if isinstance(deed.new, (bool, int, float, type(None))) else repr(deed.new)[:100]
    tell(
        deed.action,
        audit=True,
        peer=deed.who.peer,
        user=deed.who.user,
        role=deed.who.role or "none",
        **{"tag" if deed.action == "write" else "subject": deed.subject},
        **place,
        old=deed.old,
        value=shown,
        answer=deed.answer,
        scan=deed.scan,
    )
