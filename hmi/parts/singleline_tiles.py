"""The racks of a large plant as a field of tiles below the bus bar: number, charge, contactor, and what is wrong."""

from __future__ import annotations

from hmi.parts import singleline_symbols as draw
from hmi.parts.singleline_symbols import link, live, tagged, wire, words
from hmi.plant import Plant
from hmi.texts import overview as texts

ACROSS, TILE, GAP = 11, 46, 3
TOP = 72  # from the bus bar to the first tile


def field_of_racks(plant: Plant, width: float, bus: float) -> tuple[str, float]:
    """All converters as one symbol, all racks as tiles; with it how high the diagram becomes."""
    racks = plant.racks or plant.converters
    pitch = (width - 10) / ACROSS
    tiles = "".join(
        _tile(plant, n, 5 + place % ACROSS * pitch, bus + TOP + place // ACROSS * (TILE + GAP), pitch - GAP)
        for place, n in enumerate(racks)
    )
    rows = -(-len(racks) // ACROSS)
    return _converters(plant, bus) + tiles, bus + TOP + rows * (TILE + GAP) + 2


def _converters(plant: Plant, bus: float) -> str:
    x, y = 90, bus + 44
    parts = [wire(f"M{x} {bus} V{y - 18}", plant.first("grid.live")), wire(f"M{x} {y + 18} V{y + 27}")]
    body = [f'<rect x="{x - 24}" y="{y - 24}" width="330" height="48" class="touch"/>', draw.converter(x, y, 36)]
    body.append(words(x + 28, y - 4, texts.CONVERTERS.format(count=len(plant.converters)), "title"))
    if plant.has("racks.count"):
        body.append(live(x + 28, y + 15, "racks.count"))
        body.append(words(x + 54, y + 15, texts.RACKS_IN_USE, "soft"))
    if plant.has("site.p"):
        least = max(0.02, 0.003 * (plant.power_rating() or 0))
        parts.append(draw.arrow(x, bus + 14, "site.p", False, least))
        body.append(live(x + 150, y - 4, "site.p", "large", abs=1, decimals=1))
        body.append(draw.way(x + 150, y + 15, "site.p", texts.DISCHARGES, texts.CHARGES, least))
    return "".join(parts) + link("/power", texts.POWER_OF_ALL, "".join(body)) + _legend(plant, bus)


def _legend(plant: Plant, bus: float) -> str:
    x, y = 380, bus + 30
    lines = ((texts.LEGEND_CLOSED, "sample-closed"), (texts.LEGEND_OPEN, "sample"), (texts.LEGEND_FAULT, "sample-fault"))
    return "".join(
        f'<rect x="{x}" y="{y - 10 + 18 * place}" width="18" height="12" class="{style}"/>'
        + words(x + 25, y + 18 * place, said, "soft")
        for place, (said, style) in enumerate(lines)
    )


def _tile(plant: Plant, n: int, x: float, y: float, width: float) -> str:
    rack, box = f"rack[{n}]", f'x="{x:g}" y="{y:g}" width="{width:g}" height="{TILE}" rx="3"'
    parts = [f'<rect {box} class="tile"/>']
    closed = plant.first(f"racks.closed[{n}]", f"{rack}.main_fb")
    if closed:
        parts.append(f'<rect {box} class="tile-closed"{tagged(closed, "lamp")}/>')
    tripped, ok = plant.first(f"racks.tripped[{n}]"), plant.first(f"pcs[{n}].ok")
    if tripped:
        parts.append(f'<rect {box} class="tile-tripped"{tagged(tripped, "lamp")}/>')
    if ok:
        corner = f"M{x + width:g} {y + 16:g} V{y:g} h-16 Z"
        parts.append(f'<path d="{corner}" class="tile-fault"{tagged(ok, "lamp")}/>')
    parts.append(words(x + 5, y + 14, str(n), "number-of"))
    if plant.has(f"{rack}.soc"):
        parts.append(live(x + width - 5, y + 28, f"{rack}.soc", "small", "end", decimals=0))
        parts.append(draw.charge(x + 5, y + 33, width - 10, 6, f"{rack}.soc"))
    return link(f"/cells?rack={n}", texts.CELLS_OF.format(number=n), "".join(parts))
