"""Every device: how it is, how fast it answers, and what went wrong with it."""

from __future__ import annotations

import html
import time
from typing import Any, NamedTuple

from hmi.hall import Hall
from hmi.parts.values import has, value
from hmi.screens.program_words import heads, span
from hmi.texts import program as texts
from runtime.devices_view import ERRORS_OF, WHERE
from runtime.servers.condition import DEVICE, devices, fieldbus

OWN = frozenset({"state", "lost", "round_trip", "exchanges", "errors", "last_good", "suppressed"})
WELL = "online"
NUMBERS = frozenset(texts.DEVICE_HEADS[3:])


class Trouble(NamedTuple):
    """An error that was counted, or a condition that holds: its tag, and what the tag means."""

    tag: str
    word: str
    text: str


def devices_html(hall: Hall) -> str:
    """The tab: a row a device, and beneath it whatever is not as it should be."""
    picture = hall.picture
    picture.look()
    said = fieldbus(picture)
    words = said.get("devices")
    listed = devices(picture, words if isinstance(words, dict) else {})
    if not listed:
        return f'<p class="note">{texts.NO_DEVICES}</p>'
    trouble = _trouble(hall)
    rows = "".join(_device(hall, one, trouble.get(one["name"], [])) for one in listed)
    outputs = f"{texts.OUTPUTS}: {html.escape(str(said['outputs']))}" if "outputs" in said else texts.FIELDBUS_SILENT
    table = f'<table class="list devices">{heads(texts.DEVICE_HEADS, NUMBERS)}<tbody>{rows}</tbody></table>'
    return f'<p class="note live">{outputs}</p><section class="panel scroll">{table}</section>'


def _trouble(hall: Hall) -> dict[str, list[Trouble]]:
    """By device: kinds of errors that were counted, conditions that hold."""
    picture = hall.picture
    chosen = picture.select(match=f"{DEVICE}*")
    found: dict[str, list[Trouble]] = {}
    for tag, now in zip(chosen.tags, picture.values(chosen), strict=True):
        _, device, *rest = tag.name.split(".")
        word = ".".join(rest)
        if word in OWN or not now or tag.length:
            continue
        found.setdefault(device, []).append(Trouble(tag.name, word.removeprefix(ERRORS_OF).replace("_", " "), tag.text))
    return found


def _device(hall: Hall, one: dict[str, Any], trouble: list[Trouble]) -> str:
    name, words = one["name"], one["status"] if isinstance(one["status"], dict) else {}
    driver = html.escape(str(words.get("driver", "")))
    address = html.escape(next((str(words[word]) for word in WHERE if words.get(word)), ""))
    states = [_value(hall, name, "state")] + (
        [f'<small class="off">{html.escape(one["state"])}</small>'] if one["state"] == "not known" else []
    )
    spark = (
        f'<svg class="spark" data-spark="{html.escape(f"{DEVICE}{name}.round_trip")}" role="img" aria-label="{texts.SPARK}"></svg>'
    )
    cells = (
        f"<small>{driver}</small> {address}",
        f'<span class="state" data-well="{str(one["state"] == WELL).lower()}">{" ".join(states)}</span>',
    )
    numbers = (
        spark + _value(hall, name, "round_trip") if one["round_trip_ms"] else "",  # of CAN: nobody asks, nobody answers
        _value(hall, name, "exchanges"),
        _value(hall, name, "errors"),
        f'<span class="live">{_last_good(hall, name)}</span>',
    )
    row = "".join(f"<td>{one}</td>" for one in cells) + "".join(f'<td class="number">{one}</td>' for one in numbers)
    return f'<tr><th scope="row">{html.escape(name)}</th>{row}</tr>{_below(trouble, str(words.get("last_error") or ""))}'


def _value(hall: Hall, device: str, word: str) -> str:
    name = f"{DEVICE}{device}.{word}"
    return value(name, decimals=1 if word == "round_trip" else None) if has(hall, name) else ""


def _last_good(hall: Hall, device: str) -> str:
    tag = hall.picture.tag(f"{DEVICE}{device}.last_good")
    if tag is None or not hall.picture.has_any():
        return ""
    at = hall.picture.door.snapshot.value(tag)
    return texts.AGO.format(time=span(time.time() - at / 1e9)) if at else texts.NEVER


def _below(trouble: list[Trouble], last_error: str) -> str:
    """A row beneath the device's own; nothing where all is well."""
    lines = [f"<li>{value(one.tag)} <b>{html.escape(one.word)}</b> <small>{html.escape(one.text)}</small></li>" for one in trouble]
    if last_error:
        lines.append(f"<li>{html.escape(texts.SAID.format(text=last_error))}</li>")
    return f'<tr class="below"><td></td><td colspan="6"><ul>{"".join(lines)}</ul></td></tr>' if lines else ""
