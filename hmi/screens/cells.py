"""Racks and cells: a map of every cell's voltage, temperature, charge or balancing, the extremes and where, each rack's state."""

from __future__ import annotations

import html
import json
from typing import Any

from nicegui import ui

from hmi.cellmap import QUANTITIES, SOC, Layout, layout_of
from hmi.hall import Hall, Visit
from hmi.parts.values import has, put, value
from hmi.texts import cells as texts

BLED = "cells.bank[{rack}].history.AH"
CLOSED, TRIPPED = "racks.closed[{rack}]", "racks.tripped[{rack}]"
CHARGE = ("rack[{rack}].soc", "cells.soc_rack[{rack}]")  # the first that the site has
DECIMALS = {"rack[{rack}].insulation": 0}  # more of them would tell nothing
# those of the second row use those of the first while they load; within a row they come in any order
SCRIPTS = (
    ("lists", "cells_scale", "cells_paint"),
    ("cells_values", "cells_figures", "cells_panel", "cells_touch", "cells"),
)
START = (
    f"{json.dumps(SCRIPTS)}.reduce((before, row) => before.then(() => Promise.all(row.map((name) => "
    "bess.script(`/static/${name}.js`)))), Promise.resolve()).then(() => bessCells.begin())"
)


def build(visit: Visit) -> None:
    """Draw the screen; a site without values of single cells says so."""
    layout = layout_of(visit.hall.picture)
    if not layout.shown:
        put(f'<p class="note">{html.escape(texts.NO_CELLS)}</p>')
        return
    told = html.escape(json.dumps(_told(visit.hall, layout)))
    put(
        '<link rel="stylesheet" href="/static/cells.css">'
        f'<div id="cells" data-told="{told}">{_tools(layout)}'
        f'<div class="map-and-figures">{_map()}{_figures()}</div>'
        f'<div class="beside">{_cell()}{_racks(visit.hall, layout)}</div></div>',
        "cells-holder",
    )
    ui.run_javascript(START)


def _told(hall: Hall, layout: Layout) -> dict[str, Any]:
    """What the script needs to know."""
    first = layout.racks[0].number
    rows = [row for row in texts.RACK_ROWS if _exists(hall, row[1], first)]
    of_cell = {what: {"tag": QUANTITIES[what].tag, "shared": QUANTITIES[what].tag == SOC} for what in layout.shown}
    if _exists(hall, BLED, first):
        of_cell["bled"] = {"tag": BLED, "shared": False}
    return {
        "racks": layout.racks,
        "perModule": layout.per_module,
        "shown": layout.shown,
        "names": {what: texts.QUANTITIES[what] for what in layout.shown},
        "tags": of_cell,
        "cellRows": texts.CELL_ROWS,
        "rackRows": rows,
        "decimals": DECIMALS,
        "tripped": TRIPPED if _exists(hall, TRIPPED, first) else "",
        "texts": texts.BROWSER,
    }


def _exists(hall: Hall, name: str, rack: int) -> bool:
    """Whether this is a tag of the rack, or an element of an array of all racks."""
    said = name.format(rack=rack)
    return has(hall, said) or (said.endswith("]") and has(hall, said.rpartition("[")[0]))


def _tools(layout: Layout) -> str:
    choices = "".join(
        f'<button type="button" data-what="{what}" aria-pressed="false" title="{texts.QUANTITIES[what]}">'
        f"{texts.SHORT[what]}</button>"
        for what in layout.shown
    )
    racks = "".join(f'<option value="{rack.number}">{texts.RACK} {rack.number}</option>' for rack in layout.racks)
    scales = "".join(
        f'<button type="button" data-scale="{name}" aria-pressed="false" title="{hint}">{label}</button>'
        for name, label, hint in (("fixed", texts.FIXED, texts.FIXED_HINT), ("auto", texts.AUTO, texts.AUTO_HINT))
    )
    chooser = (
        f'<label><span>{texts.RACK}</span><select data-rack aria-label="{texts.RACK}">'
        f'<option value="">{texts.ALL_RACKS}</option>{racks}</select></label>'
    )
    return (
        f'<div class="tools"><div class="choice" role="group" aria-label="{texts.WHAT}">{choices}</div>'
        f"{chooser if len(layout.racks) > 1 else ''}"
        f'<div class="choice" role="group" aria-label="{texts.SCALE}"><span class="note">{texts.SCALE}</span>{scales}</div></div>'
    )


def _map() -> str:
    return (
        f'<div class="map panel live" tabindex="0" role="application" aria-label="{texts.MAP}" aria-describedby="cells-said">'
        '<canvas aria-hidden="true"></canvas><div class="tip" hidden></div></div>'
        '<p id="cells-said" class="unseen"></p><p class="unseen" data-selected aria-live="polite"></p>'
    )


def _figures() -> str:
    return (
        '<p class="old" role="status" hidden></p>'
        f'<div class="figures live" role="group" aria-label="{texts.SUMMARY}"></div>'
        f'<canvas class="scale live" role="img" aria-label="{texts.DISTRIBUTION}"></canvas>'
    )


def _cell() -> str:
    return f'<section class="panel cell" aria-label="{texts.CELL}"><p class="note">{texts.CELL_HINT}</p></section>'


def _racks(hall: Hall, layout: Layout) -> str:
    rows = "".join(_rack_row(hall, rack.number) for rack in layout.racks)
    heads = "".join(f'<th scope="col" data-column="{name}">{label}</th>' for name, label in texts.COLUMNS.items())
    return (
        f'<section class="panel racks scroll" tabindex="0" aria-label="{texts.RACKS}">'
        f'<table class="list all"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        '<div class="one" hidden></div></section>'
    )


def _rack_row(hall: Hall, rack: int) -> str:
    charge = next((name for name in CHARGE if _exists(hall, name, rack)), "")
    soc = value(charge.format(rack=rack), "bare") if charge else ""
    closed = value(CLOSED.format(rack=rack), on=texts.CLOSED, off=texts.OPEN) if _exists(hall, CLOSED, rack) else ""
    tripped = value(TRIPPED.format(rack=rack), on=texts.TRIPPED, off="") if _exists(hall, TRIPPED, rack) else ""
    return (
        f'<tr data-of="{rack}"><td><button type="button" class="plain" aria-label="{texts.RACK} {rack}">{rack}</button></td>'
        f'<td class="number live" data-low></td><td class="number live" data-high></td><td class="number">{soc}</td>'
        f'<td class="state">{closed} {tripped}</td></tr>'
    )
