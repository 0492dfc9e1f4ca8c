"""The converters side by side: a column each, what they do against what they are told; many of them in pages."""

from __future__ import annotations

from hmi.parts.gauges import attribute, gauge
from hmi.parts.values import value
from hmi.plant import Plant
from hmi.texts import power as texts

PAGE = 6  # converters side by side
ROOMY = 4  # so many have room for units and names
UNITS = {
    "p": "kW",
    "p_cmd": "kW",
    "q": "kvar",
    "q_cmd": "kvar",
    "v_ac": "V",
    "i_ac": "A",
    "f_ac": "Hz",
    "v_dc": "V",
    "i_dc": "A",
    "temperature": "°C",
}
DECIMALS = {"f_ac": 2}
COARSE = 1000.0  # kW: a converter of this size needs no tenth
DIVIDERS = ("p", "v_ac", "v_dc", "temperature")  # the rows that begin something else


def converters_shown(plant: Plant, asked: str) -> tuple[int, ...]:
    """The page of converters that holds the one asked for; the first page where there is no such converter."""
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    first = (number - 1) // PAGE * PAGE if number in plant.converters else 0
    return plant.converters[first : first + PAGE]


def table(plant: Plant, shown: tuple[int, ...]) -> str:
    """HTML of the converters that are shown, and the way to the others."""
    if not shown:
        return f'<section class="panel"><h2>{texts.CONVERTERS}</h2><p>{texts.NO_CONVERTER}</p></section>'
    is_narrow = len(shown) > ROOMY
    head = "".join(f'<th scope="col">{n if is_narrow else texts.CONVERTER.format(number=n)}</th>' for n in shown)
    rows = "".join(_row(plant, word, shown) for word in texts.ROWS)
    corner = texts.CONVERTER_SHORT if is_narrow else ""
    return (
        f'<section class="panel converters {"narrow" if is_narrow else "wide"}"><header><h2>{texts.CONVERTERS}</h2>'
        f"{_unwell(plant, shown)}</header>{_pages(plant, shown)}"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{texts.CONVERTERS}"><table class="rows">'
        f"<thead><tr><td>{corner}</td>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _unwell(plant: Plant, shown: tuple[int, ...]) -> str:
    """Where the script lists the converters that are not well, since they may be on another page."""
    if len(plant.converters) <= PAGE or not plant.has(f"pcs[{shown[0]}].ok"):
        return ""
    return f'<p class="unwell live" data-unwell="{attribute(plant.converters)}" data-label="{texts.WITH_FAULT}" hidden></p>'


def _pages(plant: Plant, shown: tuple[int, ...]) -> str:
    """Links to all pages of converters."""
    if len(plant.converters) <= PAGE:
        return ""
    firsts = plant.converters[::PAGE]
    links = "".join(_page(first, min(first + PAGE - 1, len(plant.converters)), first == shown[0]) for first in firsts)
    return f'<nav class="pages" aria-label="{texts.PAGES}">{links}</nav>'


def _page(first: int, last: int, is_shown: bool) -> str:
    here = ' aria-current="page"' if is_shown else ""
    return f'<a class="button" href="/power?converter={first}"{here}>{texts.PAGE.format(first=first, last=last)}</a>'


def _row(plant: Plant, word: str, shown: tuple[int, ...]) -> str:
    names = [f"device.pcs{n}.state" if word == "device" else f"pcs[{n}].{word}" for n in shown]
    if not any(map(plant.has, names)):
        return ""
    unit = f" <small>{UNITS[word]}</small>" if word in UNITS else ""
    cells = "".join(
        f"<td>{_cell(plant, word, name, n) if plant.has(name) else ''}</td>" for name, n in zip(names, shown, strict=True)
    )
    style = f"{'divided' if word in DIVIDERS else ''} of-{word}".strip()
    return f'<tr class="{style}"><th scope="row">{texts.ROWS[word]}{unit}</th>{cells}</tr>'


def _cell(plant: Plant, word: str, name: str, n: int) -> str:
    if word == "running":
        return value(name, on=texts.RUNNING, off=texts.STOPPED)
    if word == "enable":
        return value(name, on=texts.ENABLED, off=texts.DISABLED)
    if word not in UNITS:
        return value(name)
    rating = plant.converter_rating()
    number = value(name, "bare", 0 if word in ("p", "q") and (rating or 0) >= COARSE else DECIMALS.get(word, 1))
    if word not in ("p", "q") or not rating:
        return number
    told = f"pcs[{n}].{word}_cmd"
    bar = gauge(texts.ROWS[word], value=name, low=-rating, high=rating, origin=0, marks=[told] if plant.has(told) else [])
    return f"{number}{bar}"
