"""What a page has the scan do: write a tag, force one and let it go. Every deed is noted, and every refusal says why."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hmi import texts
from hmi.hall import Hall, Visit
from hmi.roles import why_not
from runtime.engine.force_list import Force, Note, put_force, put_unforce, read_forces
from runtime.engine.image import ImageError
from runtime.force_watch import FORCERS_ROLE
from runtime.model import Tag
from runtime.servers.audit import Who
from runtime.servers.integers import INTEGERS, holds

SHORTEST, LONGEST = 60.0, 8 * 3600.0  # s that a force lasts, where it is not for until it is lifted
REASON = 200  # characters
LARGEST = 1.7e308  # a whole number beyond is none that a tag can have
MOST = 64  # writes at once: as many as one scan takes


async def write(visit: Visit, name: str, value: Any, element: int = 0) -> str:
    """Have the scan write a tag (`element` from 0); why not, or nothing."""
    hall, who, tag = visit.hall, visit.who, visit.hall.picture.tag(name)
    if tag is None:
        return texts.NO_SUCH_TAG.format(name=name)
    why = _why_not(visit, tag.write) if tag.write else "refused: nobody may write this tag"
    if not why:
        why = unfit(tag, value)
    if why:
        hall.door.refuse(tag, value, who, why, element)
        return why
    hall.writes += 1
    outcome = await hall.door.write(tag, int(value) if tag.type in INTEGERS else value, who, element)
    return "" if outcome.is_taken else outcome.text


async def write_all(visit: Visit, wanted: Sequence[tuple[str, Any, int]]) -> str:
    """Have one scan write several (tag, value, element from 0), all or, where one cannot be, none; why not, or nothing."""
    hall, who = visit.hall, visit.who
    found: list[tuple[Tag, Any, int]] = []
    if len(wanted) > MOST:
        return texts.TOO_MUCH.format(most=MOST)
    for name, value, element in wanted:
        tag = hall.picture.tag(name)
        if tag is None:
            return texts.NO_SUCH_TAG.format(name=name)
        why = (_why_not(visit, tag.write) if tag.write else "refused: nobody may write this tag") or unfit(tag, value)
        why = why or out_of_range(tag, value, element)
        if why:
            hall.door.refuse(tag, value, who, why, element)
            return f"{name}: {why.removeprefix('refused: ')}"
        found.append((tag, int(value) if tag.type in INTEGERS else value, element))
    hall.writes += len(found)
    outcomes = await hall.door.write_all(found, who)
    return next((f"{tag.name}: {one.text}" for (tag, _, _), one in zip(found, outcomes, strict=True) if not one.is_taken), "")


async def take_back(hall: Hall, who: Who, name: str, value: Any) -> str:
    """Write what ends something that `who` began and was allowed to, also where they are logged out by now; why not, or nothing."""
    tag = hall.picture.tag(name)
    if tag is None:
        return ""  # another program has come, and what was held is gone with the one before
    hall.writes += 1
    outcome = await hall.door.write(tag, value, who)
    return "" if outcome.is_taken else outcome.text


def _why_not(visit: Visit, least: str) -> str:
    """Why this role may not command, or nobody from where this page is shown; or nothing."""
    return why_not(visit.who, least) or visit.why_not_from_here()


def unfit(tag: Tag, value: Any) -> str:
    """Why the tag cannot be this, whatever the scan says, or nothing."""
    if isinstance(value, bool) != (tag.type == "BOOL") or not isinstance(value, (bool, int, float)):
        return "refused: true or false is needed" if tag.type == "BOOL" else "refused: a number is needed"
    if not -LARGEST <= value <= LARGEST:  # nor may it be none
        return "refused: not a finite number"
    if tag.type in INTEGERS and not (math.floor(value) == value and holds(tag.type, int(value))):
        return "refused: a whole number is needed"
    return ""


def out_of_range(tag: Tag, value: float, element: int = 0) -> str:
    """Why the scan would not take this number, as far as that is known beforehand, or nothing."""
    if not 0 <= element < max(tag.length, 1):
        return "refused: no such element"
    low, high = tag.minimum, tag.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return "refused: outside the tag's range"
    return ""


def _wrong_force(reason: str, lasts: float) -> str:
    if not reason.strip():
        return "refused: say why"
    if len(reason) > REASON:
        return f"refused: a reason has {REASON} characters at the most"
    return "" if lasts == 0 or SHORTEST <= lasts <= LONGEST else "refused: a force lasts 1 min to 8 h, or until it is lifted"


async def force(visit: Visit, name: str, value: Any, reason: str, lasts: float, element: int = 0) -> str:
    """Hold a tag (or its element from 0) at a value for `lasts` s, 0 until it is lifted; why not, or nothing."""
    hall, who, tag = visit.hall, visit.who, visit.hall.picture.tag(name)
    if tag is None:
        return texts.NO_SUCH_TAG.format(name=name)
    why = _why_not(visit, FORCERS_ROLE) or unfit(tag, value) or _wrong_force(reason, lasts)
    if not why:
        hall.writes += 1
        note = Note(who.user, "hmi", reason.strip(), time.time_ns(), int(lasts * 1e9))
        folder, now = Path(hall.order.run_dir), int(value) if tag.type in INTEGERS else value
        outcome = await hall.door.ask(lambda ring: put_force(ring, folder, tag, now, note, who.role, element))
        why = "" if outcome.is_taken else outcome.text
    told = why or f"taken {f'for {lasts:g} s' if lasts else 'until it is lifted'}: {reason.strip()}"
    hall.door.note(who, "force", name, told, not why, new=value, element=element + 1 if tag.length else 0)
    return why


async def unforce(visit: Visit, name: str, element: int = -1) -> str:
    """Let a tag go (`element` from 0, -1: all of it); why not, or nothing."""
    hall, who, tag = visit.hall, visit.who, visit.hall.picture.tag(name)
    if tag is None:
        return texts.NO_SUCH_TAG.format(name=name)
    why = _why_not(visit, FORCERS_ROLE)
    if not why:
        hall.writes += 1
        outcome = await hall.door.ask(lambda ring: put_unforce(ring, tag, who.role, element))
        why = "" if outcome.is_taken else outcome.text
    hall.door.note(who, "unforce", name, why or "taken", not why, element=element + 1 if tag.length else 0)
    return why


async def unforce_all(visit: Visit) -> str:
    """End every force; why not, or nothing."""
    hall, who = visit.hall, visit.who
    why = _why_not(visit, FORCERS_ROLE)
    if not why:
        hall.writes += 1
        outcome = await hall.door.ask(lambda ring: put_unforce(ring, None, who.role))
        why = "" if outcome.is_taken else outcome.text
    hall.door.note(who, "unforce", "all forces", why or "taken", not why)
    return why


def forces(hall: Hall) -> list[Force]:
    """The forces that hold now; none where no scan runs."""
    order = hall.order
    try:
        return read_forces(Path(order.run_dir), order.generation, order.region.size, order.tags, order.tick)
    except (ImageError, TimeoutError):
        return []
