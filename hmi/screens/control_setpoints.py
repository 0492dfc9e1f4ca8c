"""Setpoints: every one of them in a group, beside what the plant does, its unit and its range. A touch changes it."""

from __future__ import annotations

import html

from nicegui import ui

from hmi.hall import Hall, Visit
from hmi.parts.entry import ask_clock, change, number_of, present, write_confirmed
from hmi.parts.values import has, put, value
from hmi.screens.control_parts import button, deeds, head, may_not, tell
from hmi.texts import control as said
from runtime.model import Tag

GROUPS: dict[str, tuple[str, ...]] = {
    "energy": ("set.p", "set.q", "set.p_local", "set.q_local", "set.heartbeat"),
    "mode": ("set.mode", "set.grid_target", "set.soc_target", "set.c_rate", "set.charge_from", "set.charge_until", "set.load_base"),
    "limits": ("set.import_limit", "set.export_limit", "set.reserve"),
    "reactive": ("set.q_mode", "set.pf", "set.pf_inject"),
    "services": ("set.fcr_n", "set.fcr_d_up", "set.fcr_d_down", "set.ffr", "set.ffr_option", "set.lfsm", "set.droop"),
    "plant": ("set.commissioned", "set.rack_out", "set.cells_replaced"),
    "climate": ("set.climate_force", "set.climate_pump", "set.climate_fan"),
}
ELSEWHERE = ("set.schedule", "set.price", "set.p_test")  # what begins so has a part of its own
CLOCKS = ("set.charge_from", "set.charge_until")  # seconds after midnight
ACTUAL = {  # what the plant does about a setpoint
    "set.p": "site.p",
    "set.q": "site.q",
    "set.p_local": "site.p",
    "set.q_local": "site.q",
    "set.mode": "site.mode",
    "set.grid_target": "grid.p",
    "set.soc_target": "bms.soc",
    "set.load_base": "site.p_load",
    "set.import_limit": "grid.p",
    "set.export_limit": "grid.p",
    "set.reserve": "bms.soc",
    "set.fcr_n": "services.fcr_n",
    "set.fcr_d_up": "services.fcr_d_up",
    "set.fcr_d_down": "services.fcr_d_down",
    "set.ffr": "services.ffr",
    "set.lfsm": "grid.p_support",
    "set.droop": "grid.p_support",
    "set.climate_pump": "climate.pump_fb",
    "set.climate_fan": "climate.fan_fb",
}


def build(visit: Visit) -> None:
    """Draw this part: one group at a time, so that all of it is seen."""
    head(visit, "setpoints")
    groups = groups_of(visit.hall)
    if not groups:
        put(f'<p class="note">{said.NO_SETPOINTS}</p>')
        return
    place = ui.element("div").classes("stack")

    async def choose(_: str, group: str) -> None:
        if group in groups:
            show(group)

    def show(group: str) -> None:
        place.clear()
        with place:
            chips = "".join(button("group", name, said.GROUPS[name], aria_pressed=str(name == group).lower()) for name in groups)
            deeds(f'<div class="chips" role="group" aria-label="{said.TABS["setpoints"]}">{chips}</div>', choose)
            table(visit, groups[group])
            put(f'<p class="note">{said.TOUCH_TO_CHANGE} {said.ELSEWHERE}</p>')

    show(next(iter(groups)))


def groups_of(hall: Hall) -> dict[str, list[Tag]]:
    """The setpoints of this program by group; one that no group knows is in the last."""
    known = {name for names in GROUPS.values() for name in names}
    found = {group: [tag for name in names if (tag := _setpoint(hall, name))] for group, names in GROUPS.items()}
    found["more"] = [
        tag
        for tag in hall.picture.tags
        if tag.write and not tag.pulse and tag.name not in known and not tag.name.startswith(ELSEWHERE)
    ]
    return {group: tags for group, tags in found.items() if tags}


def _setpoint(hall: Hall, name: str) -> Tag | None:
    tag = hall.picture.tag(name)
    return tag if tag is not None and tag.write and not tag.pulse else None


def table(visit: Visit, tags: list[Tag]) -> None:
    """Rows of setpoints, to be touched."""

    async def do(_: str, about: str) -> None:
        await alter(visit, about)

    rows = "".join(_row(visit, tag) for tag in tags)
    heads = f'<div class="setpoint heads" aria-hidden="true"><span></span><span>{said.REQUESTED}</span><span>{said.ACTUAL}</span>'
    deeds(f'<div class="setpoints panel">{heads}<span>{said.RANGE}</span></div>{rows}</div>', do)


def _row(visit: Visit, tag: Tag) -> str:
    if tag.length:
        return _array(visit, tag)
    why, actual = may_not(visit, tag), ACTUAL.get(tag.name, "")
    beside = value(actual) if actual and has(visit.hall, actual) else ""
    limits = (
        number_of(tag, "").range if (tag.minimum, tag.maximum) != (None, None) and not tag.names and tag.name not in CLOCKS else ""
    )
    inner = f"{_label(tag, why)}<b>{_setting(tag)}</b><span>{beside}</span><span class=limits>{html.escape(limits)}</span>"
    return button("change", tag.name, inner, why, "setpoint")


def _label(tag: Tag, why: str) -> str:
    needs = f" · {html.escape(said.NEEDS_ROLE.format(role=tag.write))}" if why else ""
    return f'<span class="what">{html.escape(label_of(tag))}<small>{html.escape(tag.name)}{needs}</small></span>'


def _setting(tag: Tag) -> str:
    if tag.name in CLOCKS:
        return f'<span class="value live" data-clock="{tag.name}">–</span>'
    return value(tag.name)


def _array(visit: Visit, tag: Tag) -> str:
    """One button for each element."""
    why = may_not(visit, tag)
    on, off = said.TRUTHS.get(tag.name, ("", ""))
    buttons = ""
    for number in range(1, tag.length + 1):
        name = f"{tag.name}[{number}]"
        buttons += button("change", name, f"<small>{number}</small> {value(name, on=on, off=off)}", why, "element")
    return f'<div class="setpoint array">{_label(tag, why)}<div class="elements">{buttons}</div></div>'


def label_of(tag: Tag) -> str:
    """What a setpoint is."""
    return said.LABELS.get(tag.name) or tag.text or tag.name


async def alter(visit: Visit, about: str) -> bool:
    """Change what was touched: `tag` or `tag[3]`; whether it was."""
    name, bracket, rest = about.partition("[")
    number = rest.removesuffix("]")
    element = int(number) - 1 if bracket and number.isascii() and number.isdigit() else None
    tag = visit.hall.picture.tag(about) or visit.hall.picture.tag(name)
    if tag is None or tag.name.startswith("set.p_test") or (element is not None and not 0 <= element < tag.length):
        return False
    if tag.name not in CLOCKS:
        return await change(visit, tag.name, element)
    why = may_not(visit, tag)
    if why:
        tell(why)
        return False
    now = present(visit.hall, tag)
    wanted = await ask_clock(label_of(tag), int(now or 0))
    return wanted is not None and await write_confirmed(visit, tag, float(wanted))
