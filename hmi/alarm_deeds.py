"""What an operator may do to an alarm: acknowledge, confirm, shelve and unshelve it. Each is noted with who did it."""

from __future__ import annotations

from collections.abc import Callable

from hmi import texts
from hmi.hall import Visit
from hmi.roles import why_not
from runtime.servers.audit import Who
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.store import Records

LEAST = "operator"  # who may


def _act(action: str, name: str, who: Who, comment: str, seconds: float | None, event: int) -> Callable[[Records], str]:
    found: dict[str, Callable[[Records], str]] = {
        "acknowledge": lambda records: records.acknowledge(name, who, comment, event),
        "confirm": lambda records: records.confirm(name, who, comment, event),
        "shelve": lambda records: records.shelve(name, who, seconds, comment),
        "unshelve": lambda records: records.unshelve(name, who, comment),
    }
    return found[action]


async def settle(visit: Visit, action: str, name: str, comment: str = "", seconds: float | None = None, event: int = 0) -> str:
    """Acknowledge, confirm, shelve (for `seconds`; None: until it clears) or unshelve an alarm; why not, or nothing.

    `event` is the event that was seen, 0 for the newest: an alarm that came again since is not taken for seen. What was done or
    refused is noted with who did it.
    """
    hall, who = visit.hall, visit.who
    why = why_not(who, LEAST)
    if not why:
        hall.writes += 1
        try:
            said = await hall.read_records(_act(action, name, who, comment, seconds, event))
            why = texts.NO_RECORDS if said is None else said
        except NotKeptError as error:
            why = str(error)
    new = {"seconds": seconds, "comment": comment} if action == "shelve" else comment or None
    hall.door.note(who, action, name, f"refused: {why}" if why else "taken", not why, new=new)
    hall.alarms.forget()
    return why
