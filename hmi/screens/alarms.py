"""The screen of alarms: what stands and who has seen it, what is out of sight, what happened, and how the alarms perform.

The browser draws the lists and keeps its place in them; every deed comes here, is checked, and goes the way of all deeds.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from hmi.alarm_deeds import LEAST, settle
from hmi.hall import Visit
from hmi.parts.dialogs import carry_out
from hmi.parts.values import put
from hmi.roles import reaches
from hmi.texts import alarms as words
from runtime.servers.records.states import name_of

MOST = 1000  # alarms of one deed: as many as a page shows
COMMENT = 500  # characters
LONGEST = 365 * 86_400.0  # s
_WORDS = ("action", "alarms", "comment", "seconds")
# each uses those before it
SCRIPTS = ("lists", "alarms_details", "performance", "alarms_rows", "alarms_deeds", "alarms_tabs", "alarms")
BEGIN = (
    f"{json.dumps(SCRIPTS)}.reduce((before, name) => before.then(() => "
    'bess.script(`/static/${name}.js`)), Promise.resolve()).then(() => bessAlarms.begin(document.getElementById("alarms")))'
)


@dataclass(frozen=True)
class Wanted:
    """A deed that a page asks for: which alarms, each with the number of the event that was seen."""

    action: str
    alarms: tuple[tuple[str, int], ...]
    comment: str = ""
    seconds: float | None = None


def build(visit: Visit) -> None:
    """Draw the screen."""
    said = {"texts": {**words.LABELS, **words.LISTS}, "may": reaches(visit.who.role, LEAST)}
    put(
        '<link rel="stylesheet" href="/static/lists.css"><link rel="stylesheet" href="/static/alarms.css">'
        f'<section id="alarms" class="alarms" aria-label="{words.LABELS["title"]}" data-said="{html.escape(json.dumps(said))}">'
        "</section>",
        "list-holder",
    ).on("deed", lambda event: _asked(visit, event), args=["detail"])
    ui.run_javascript(BEGIN)


async def _asked(visit: Visit, event: GenericEventArguments) -> None:
    """Somebody touched a button of an alarm."""
    asked = event.args.get("detail") if isinstance(event.args, dict) else None
    wanted = wanted_of(visit, asked)
    if wanted is None:
        await carry_out(words.ASKED, _not_understood())
    else:
        await carry_out(words.DONE[wanted.action].format(what=_name(wanted)), settle_all(visit, wanted))
    ui.run_javascript("window.bessAlarms?.look()")


async def _not_understood() -> str:
    return words.NOT_UNDERSTOOD


def wanted_of(visit: Visit, asked: Any) -> Wanted | None:
    """The deed that a page asks for; None where it is none that a page of ours would ask for."""
    action, listed, comment, seconds = (asked.get(word) for word in _WORDS) if isinstance(asked, dict) else (None,) * len(_WORDS)
    if not isinstance(action, str) or action not in words.DONE or not isinstance(comment or "", str):
        return None
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST:
        return None
    if seconds is not None and not (type(seconds) in (int, float) and math.isfinite(seconds) and 0 < seconds <= LONGEST):
        return None
    known = {name_of(alarm).lower(): name_of(alarm) for alarm in visit.hall.order.alarms}
    found = [_seen(known, one) for one in listed]
    alarms = dict(one for one in found if one is not None)
    return Wanted(action, tuple(alarms.items()), (comment or "").strip()[:COMMENT], seconds) if None not in found else None


def _seen(known: Mapping[str, str], one: Any) -> tuple[str, int] | None:
    """An alarm that a page names, and the number of the event that was seen; 0: whatever is newest."""
    name, event = (one.get("name"), one.get("event") or 0) if isinstance(one, dict) else (None, 0)
    if not isinstance(name, str) or name.lower() not in known or type(event) is not int or not 0 <= event < 2**63:
        return None
    return known[name.lower()], event


async def settle_all(visit: Visit, wanted: Wanted) -> str:
    """Do it to one alarm after another; what was refused, or nothing. Whoever may do none is told so once."""
    if not reaches(visit.who.role, LEAST):
        return await settle(visit, wanted.action, wanted.alarms[0][0], wanted.comment, wanted.seconds)
    refused: dict[str, str] = {}
    for name, event in wanted.alarms:
        why = await settle(visit, wanted.action, name, wanted.comment, wanted.seconds, event)
        if why:
            refused[name] = why
    if len(wanted.alarms) == 1 or not refused:
        return next(iter(refused.values()), "")
    why = "; ".join(dict.fromkeys(f"{name}: {why}" for name, why in list(refused.items())[:3]))
    return words.SOME_REFUSED.format(refused=len(refused), count=len(wanted.alarms), why=why)


def _name(wanted: Wanted) -> str:
    """What a message calls these alarms."""
    if len(wanted.alarms) > 1:
        return words.SEVERAL.format(count=len(wanted.alarms))
    return wanted.alarms[0][0]
