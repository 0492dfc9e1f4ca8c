"""States and modes: which there are, which holds, what keeps the plant from going there, and the buttons that ask for it."""

from __future__ import annotations

import asyncio
import html

from hmi import commands
from hmi.hall import Hall, Visit
from hmi.parts.dialogs import carry_out, confirm
from hmi.parts.entry import present, shown
from hmi.parts.values import has, rows, value
from hmi.screens.control_parts import button, deeds, head, may_not, panel, tell, worded, words_of
from hmi.texts import control as said
from runtime.model import Tag

MACHINE, MODE = "state.machine", "site.mode"
STATES = tuple(said.STATES_OF)
MODES = tuple(said.MODES_OF)
FIRST = "cmd.GoToState_Running"
RESET = "cmd.reset"
ANSWER = 0.3  # s: the program looks at commands every 50 ms, and the picture is of some scans ago
# what the program says to a command, and in which words
ANSWERS = {FIRST: ("site.refused", said.WHY_STATE), **dict.fromkeys(MODES, ("site.mode_refused", said.WHY_MODE))}


def build(visit: Visit) -> None:
    """Draw this part."""
    head(visit, "")

    async def do(_: str, name: str) -> None:
        await ask(visit, name)

    hall = visit.hall
    more = [tag.name for tag in hall.picture.tags if tag.pulse and tag.write and tag.name not in (*STATES, *MODES)]
    parts = [
        (said.STATE_COMMANDS, [name for name in STATES if has(hall, name)]),
        (said.MODE_COMMANDS, [name for name in MODES if has(hall, name)]),
        (said.MORE_COMMANDS, more),
    ]
    drawn = "".join(panel(title, _buttons(visit, names), "commands") for title, names in parts if names)
    deeds(f'{_standing(hall)}<div class="stack">{drawn}</div>', do, "state-part")


def _standing(hall: Hall) -> str:
    """What holds now, and what was refused last."""
    found = [
        (said.STATE, value(MACHINE) if has(hall, MACHINE) else ""),
        (said.MODE, value(MODE) if has(hall, MODE) else ""),
        ("", _readiness(hall)),
        (said.LAST_STATE, worded(hall, "site.refused", _with_verdict(said.WHY_STATE), said.ACCEPTED)),
        (said.LAST_MODE, worded(hall, "site.mode_refused", _with_verdict(said.WHY_MODE), said.ACCEPTED)),
    ]
    lines = "".join(f"<div><small>{label}</small><b>{inner}</b></div>" for label, inner in found if inner)
    power = rows(hall, [(said.POWER, "site.p")])
    return f'<section class="panel standing">{lines}{power}</section>' if lines or power else ""


def _readiness(hall: Hall) -> str:
    if not has(hall, "site.ready"):
        return ""
    lamp = value("site.ready", on=said.READY, off=said.NOT_READY)
    return f"{lamp} {worded(hall, 'site.first_permit', said.PERMITS)}"


def _with_verdict(words: dict[str, str]) -> dict[str, str]:
    return {name: said.REFUSED.format(why=why) if why else "" for name, why in words.items()}


def _buttons(visit: Visit, names: list[str]) -> str:
    return f'<div class="buttons">{"".join(_command(visit, name) for name in names)}</div>'


def _command(visit: Visit, name: str) -> str:
    hall, tag = visit.hall, visit.hall.picture.tag(name)
    label = html.escape(label_of(tag, name))
    return button("command", name, label, may_not(visit, tag), "marked", **_marks(hall, name))


def _marks(hall: Hall, name: str) -> dict[str, str]:
    """Which values of which tag mean that a command has its way: the page marks its button then."""
    if name in said.STATES_OF:
        tag, wanted = hall.picture.tag(MACHINE), said.STATES_OF[name]
    else:
        tag, wanted = hall.picture.tag(MODE), (said.MODES_OF.get(name, ""),)
    numbers = [str(number) for number, word in tag.names if word in wanted] if tag is not None else []
    return {"data-marked-by": tag.name, "data-marked-at": " ".join(numbers)} if tag is not None and numbers else {}


def label_of(tag: Tag | None, name: str) -> str:
    """A command's name on its button."""
    return said.COMMANDS.get(name) or (tag.text if tag is not None and tag.text else name)


async def ask(visit: Visit, name: str) -> bool:
    """Say what a command will do, have it confirmed, give it and say what the program made of it; whether it was accepted."""
    tag = visit.hall.picture.tag(name)
    if tag is None or not tag.pulse:
        return False  # an old page: it loads itself anew
    why = may_not(visit, tag)
    if why:
        tell(why)
        return False
    label = label_of(tag, name)
    effect = said.EFFECTS.get(name) or tag.text
    if not await confirm(said.SURE.format(what=label), f"{effect} {_now(visit.hall)}".strip(), label):
        return False
    return await carry_out(label, give(visit, name))


def _now(hall: Hall) -> str:
    machine, mode = hall.picture.tag(MACHINE), hall.picture.tag(MODE)
    if machine is None or mode is None:
        return ""
    return said.NOW_IS.format(state=shown(machine, present(hall, machine)), mode=shown(mode, present(hall, mode)))


async def give(visit: Visit, name: str) -> str:
    """Give a command; why the scan or the program refuses it, or nothing."""
    why = await commands.write(visit, name, True)
    answered, words = ANSWERS.get(name, ("", {}))
    tag = visit.hall.picture.tag(answered) if answered else None
    if why or tag is None:
        return why
    await asyncio.sleep(ANSWER)
    answer = present(visit.hall, tag)
    if answer is None or visit.hall.picture.door.is_stale():
        return said.NOT_ANSWERED
    return words_of(tag, words).get(str(answer), str(answer)) if answer else ""
