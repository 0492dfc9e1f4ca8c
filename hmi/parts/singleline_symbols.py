"""The symbols of the single-line diagram (IEC 60617) as SVG, each about its centre; what is live in them follows its tag."""

from __future__ import annotations

import html
from typing import Any


def tagged(tag: str, kind: str = "", **more: Any) -> str:
    """The attributes that make an element live; `more` become `data-...`."""
    known = {"tag": tag, "as": kind, **more}
    return "".join(f' data-{word}="{html.escape(str(said))}"' for word, said in known.items() if said not in ("", None))


def words(x: float, y: float, said: str, style: str = "", anchor: str = "") -> str:
    """A line of text that stays as it is."""
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:g}" y="{y:g}" class="{style}"{place}>{html.escape(said)}</text>'


def live(x: float, y: float, tag: str, style: str = "", anchor: str = "", kind: str = "", **more: Any) -> str:
    """A line of text that shows the value of a tag; `kind` is `bare` for one without its unit."""
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:g}" y="{y:g}" class="number {style}"{place}{tagged(tag, kind, **more)}>–</text>'


def wire(path: str, tag: str = "", style: str = "", least: float | None = None) -> str:
    """A conductor, drawn strong while the tag says that it has voltage: a BOOL, or with `least` a value of at least this."""
    if not tag:
        return f'<path d="{path}" class="wire {style}"/>'
    kind = tagged(tag, "lamp") if least is None else tagged(tag, "flow", least=least)
    return f'<path d="{path}" class="wire {style}"{kind}/>'


def link(href: str, label: str, body: str) -> str:
    """Something of the diagram that leads to another screen; `label` is read aloud before what stands there."""
    return f'<a href="{html.escape(href)}" class="part"><text class="said">{html.escape(label)}: </text>{body}</a>'


def arrow(x: float, y: float, tag: str, down: bool, least: float) -> str:
    """Which way power flows in an upright conductor; `down` is the way of positive values. Nothing flows below `least`."""
    head_down, head_up = "M-7 -5 L7 -5 L0 7 Z", "M-7 5 L7 5 L0 -7 Z"
    ahead, back = (head_down, head_up) if down else (head_up, head_down)
    return (
        f'<g transform="translate({x:g} {y:g})" class="arrow"{tagged(tag, "flow", least=least)}>'
        f'<path class="ahead" d="{ahead}"/><path class="back" d="{back}"/></g>'
    )


def way(x: float, y: float, tag: str, ahead: str, back: str, least: float) -> str:
    """In words which way power flows."""
    return (
        f'<g class="way"{tagged(tag, "flow", least=least)}>{words(x, y, ahead, "soft ahead")}{words(x, y, back, "soft back")}</g>'
    )


def network(x: float, y: float) -> str:
    """The public grid: a feeding network."""
    wave = '<path d="M-9 0 q4.5 -9 9 0 t9 0" class="symbol"/>'
    return f'<g transform="translate({x:g} {y:g})"><circle r="15" class="symbol"/>{wave}</g>'


def switch(x: float, y: float, tag: str, kind: str) -> str:
    """A `breaker` or `contactor` of 30 units height, with its blade as the tag says, and a question mark while nobody knows."""
    if kind == "breaker":
        fixed = '<path class="symbol" d="M-5 -13 L5 -3 M5 -13 L-5 -3"/>'
    else:
        fixed = '<path class="symbol" d="M0 -8 a4 4 0 0 1 0 -8"/>'
    return (
        f'<g transform="translate({x:g} {y:g})" class="switch"{tagged(tag, "lamp")}>'
        f'<rect x="-16" y="-17" width="32" height="34" class="ground"/>{fixed}'
        '<path class="blade closed" d="M0 -15 L0 15"/>'
        '<path class="blade open" d="M0 -15 L0 -8 M0 15 L-12 -7"/>'
        '<text class="unsure" x="-14" y="5">?</text></g>'
    )


def converter(x: float, y: float, size: float) -> str:
    """AC to DC and back: a square with its diagonal."""
    half, mark = size / 2, size / 4
    outline = f"M{-half:g} {-half:g} h{size:g} v{size:g} h{-size:g} Z"
    return (
        f'<g transform="translate({x:g} {y:g})"><path d="{outline}" class="symbol box"/>'
        f'<path d="M{-half:g} {half:g} L{half:g} {-half:g}" class="symbol"/>'
        f'<path d="M{-mark - 6:g} {-mark:g} q3 -6 6 0 t6 0" class="symbol thin"/>'
        f'<path d="M{mark - 6:g} {mark - 2:g} h12 M{mark - 6:g} {mark + 3:g} h3.5 m1.5 0 h2.5 m1.5 0 h3" class="symbol thin"/></g>'
    )


def meter(x: float, y: float) -> str:
    """A meter that measures power."""
    return f'<g transform="translate({x:g} {y:g})"><circle r="15" class="symbol box"/>{words(0, 5, "W", "mark", "middle")}</g>'


def battery(x: float, y: float) -> str:
    """A battery of several cells, 24 units high."""
    return (
        f'<g transform="translate({x:g} {y:g})"><path class="symbol" d="M-14 -9 H14 M-14 5 H14"/>'
        '<path class="symbol heavy" d="M-7 -3 H7 M-7 11 H7"/></g>'
    )


def resistor(x: float, y: float) -> str:
    """The resistor of a precharge."""
    return f'<rect x="{x - 5:g}" y="{y - 9:g}" width="10" height="18" class="symbol box"/>'


def loads(x: float, y: float) -> str:
    """What the site consumes: an arrow out of the diagram."""
    return f'<path transform="translate({x:g} {y:g})" class="symbol box" d="M0 -17 L13 6 L-13 6 Z"/>'


def panels(x: float, y: float) -> str:
    """Photovoltaics: a generator's square with the light that falls on it."""
    return (
        f'<g transform="translate({x:g} {y:g})"><rect x="-15" y="-15" width="30" height="30" class="symbol box"/>'
        '<path class="symbol thin" d="M-15 -15 L0 0 L15 -15 M-28 -20 l8 8 m-5 -1 l5 1 l-1 -5 M-28 -9 l8 8 m-5 -1 l5 1 l-1 -5"/></g>'
    )


def charge(x: float, y: float, width: float, height: float, tag: str) -> str:
    """A lying bar of the state of charge, from 0 to 100 %."""
    frame = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    fill = f'<rect {frame} class="fill"{tagged(tag, "bar", min=0, max=100)}/>'
    return f'<rect {frame} class="track"/>{fill}<rect {frame} class="rim"/>'
