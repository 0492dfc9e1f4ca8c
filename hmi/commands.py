"""What a page has the scan do: write a tag, force one and let it go. Every deed is noted, and every refusal says why."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hmi import texts
from hmi.hall import Hall, Visit
from hmi.roles import why_not
from runtime.engine.force_list import Force, Note, put_force, put_unforce, read_forces
from runtime.engine.image import ImageError
from runtime.force_watch import FORCERS_ROLE
from runtime.model import Tag
from runtime.servers.integers import INTEGERS, holds


async def write(visit: Visit, name: str, value: Any, element: int = 0) -> str:
    """Have the scan write a tag (`element` from 0); why not, or nothing."""
    hall, who, tag = visit.hall, visit.who, visit.hall.picture.tag(name)
    if tag is None:
        return texts.NO_SUCH_TAG.format(name=name)
    why = why_not(who, tag.write) if tag.write else "refused: nobody may write this tag"
    if not why:
        why = unfit(tag, value)
    if why:
        hall.door.refuse(tag, value, who, why, element)
        return why
    hall.writes += 1
    outcome = await hall.door.write(tag, int(value) if tag.type in INTEGERS else value, who, element)
    return "" if outcome.is_taken else outcome.text


def unfit(tag: Tag, value: Any) -> str:
    """Why the tag cannot be this, whatever the scan says, or nothing."""
    if isinstance(value, bool) != (tag.type == "BOOL") or not isinstance(value, (bool, int, float)):
        return "refused: true or false is needed" if tag.type == "BOOL" else "refused: a number is needed"
    if tag.type in INTEGERS and not (float(value).is_integer() and holds(tag.type, int(value))):
        return "refused: a whole number is needed"
    return ""


async def force(visit: Visit, name: str, value: Any, reason: str, lasts: float, element: int = 0) -> str:
    """Hold a tag (or its element from 0) at a value for `lasts` s, 0 until it is lifted; why not, or nothing."""
    hall, who, tag = visit.hall, visit.who, visit.hall.picture.tag(name)
    if tag is None:
        return texts.NO_SUCH_TAG.format(name=name)
    why = why_not(who, FORCERS_ROLE) or unfit(tag, value) or ("" if reason.strip() else "refused: say why")
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
    why = why_not(who, FORCERS_ROLE)
    if not why:
        hall.writes += 1
        outcome = await hall.door.ask(lambda ring: put_unforce(ring, tag, who.role, element))
        why = "" if outcome.is_taken else outcome.text
    hall.door.note(who, "unforce", name, why or "taken", not why, element=element + 1 if tag.length else 0)
    return why


def forces(hall: Hall) -> list[Force]:
    """The forces that hold now; none where no scan runs."""
    order = hall.order
    try:
        return read_forces(Path(order.run_dir), order.generation, order.region.size, order.tags, order.tick)
    except (ImageError, TimeoutError):
        return []
