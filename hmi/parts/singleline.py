"""The single-line diagram of a plant, drawn from its tags: from the grid to the cells of each rack, with what flows between."""

from __future__ import annotations

from hmi.parts import singleline_symbols as draw
from hmi.parts.singleline_symbols import link, live, switch, tagged, way, wire, words
from hmi.parts.singleline_tiles import field_of_racks
from hmi.plant import Plant
from hmi.texts import overview as texts

WIDTH, HEIGHT = 560, 520
BUS = 168
MOST_COLUMNS = 6  # racks that are drawn one by one; more become tiles
ROOMY, SPACIOUS = 120, 180  # columns that are wider have room for labels, and for words beside them
COARSE = 100.0  # kW: converters of this size need no tenth
SOURCES = 90, 290, 430  # where grid, photovoltaics and loads stand


def single_line(plant: Plant) -> str:
    """The diagram as SVG; what the site does not show is left out."""
    units = max(len(plant.racks), len(plant.converters))
    body = _grid(plant) + _loads(plant) + _solar(plant)
    if units > MOST_COLUMNS:
        below, height = field_of_racks(plant, WIDTH, BUS)
    else:
        below, height = _columns(plant, units), HEIGHT
    bar = wire(f"M16 {BUS} H{WIDTH - 16}", plant.first("grid.live"), "bus")
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" class="singleline" role="group" aria-label="{texts.TITLE}">{body}{bar}{below}</svg>'
    )


def least_of(rating: float | None) -> float:
    """Power below this is shown as none: meters are never quite still."""
    return max(0.02, 0.003 * (rating or 0))


def _grid(plant: Plant) -> str:
    """From the public grid through the breaker and the meter to the bus bar."""
    x, parts = SOURCES[0], []
    if not any(map(plant.has, ("grid.p", "grid.frequency", "grid_side.breaker_fb"))):
        return ""
    beyond = plant.first("pcs[1].grid_alive")
    parts += [draw.network(x, 21), words(x + 24, 17, texts.GRID, "title"), wire(f"M{x} 36 V52", beyond)]
    side = [name for name in ("grid_side.v_grid", "grid_side.f_grid") if plant.has(name)]
    parts += [live(x + 24 + 76 * place, 35, name, decimals=2 if name.endswith("f_grid") else 1) for place, name in enumerate(side)]
    if plant.has("grid_side.breaker_fb"):
        said = tagged("grid_side.breaker_fb", on=texts.BREAKER_CLOSED, off=texts.BREAKER_OPEN)
        parts += [switch(x, 67, "grid_side.breaker_fb", "breaker"), f'<text x="{x + 24}" y="72" class="word"{said}>–</text>']
    else:
        parts.append(wire(f"M{x} 52 V82", beyond))
    parts.append(wire(f"M{x} 82 V{BUS}", plant.first("grid.live")))
    return "".join(parts) + _meter(plant, x)


def _meter(plant: Plant, x: float) -> str:
    if not plant.has("grid.p"):
        return ""
    least = least_of(plant.power_rating())
    body = (
        f'<rect x="{x - 24}" y="88" width="200" height="50" class="touch"/>{draw.meter(x, 113)}'
        f"{live(x + 24, 111, 'grid.p', 'large', abs=1, decimals=1)}"
        f"{way(x + 24, 128, 'grid.p', texts.FROM_GRID, texts.TO_GRID, least)}"
    )
    return link("/power", texts.POINT, body) + draw.arrow(x, 149, "grid.p", True, least)


def _loads(plant: Plant) -> str:
    if not plant.has("site.p_load"):
        return ""
    x, least = SOURCES[2], least_of(plant.power_rating())
    body = (
        f'<rect x="{x - 24}" y="34" width="150" height="56" class="touch"/>{draw.loads(x, 59)}'
        + words(x + 22, 47, texts.LOADS if solar_of(plant) else texts.NET_LOADS, "title")
        + live(x + 22, 67, "site.p_load", "large", abs=1, decimals=1)
        + way(x + 22, 84, "site.p_load", texts.CONSUMES, texts.GIVES_BACK, least)
    )
    shown = link("/trends?tags=site.p_load", texts.TREND_OF.format(what=texts.LOADS), body)
    return wire(f"M{x} {BUS} V68", plant.first("grid.live")) + shown + draw.arrow(x, 120, "site.p_load", False, least)


def solar_of(plant: Plant) -> str:
    """The tag of the photovoltaics' power, or nothing where the site shows none."""
    return plant.first("pv.p", "pv[1].p", "site.p_pv")


def _solar(plant: Plant) -> str:
    tag = solar_of(plant)
    if not tag:
        return ""
    x, least = SOURCES[1], least_of(plant.power_rating())
    shown = draw.panels(x, 55) + words(x + 22, 47, texts.SOLAR, "title") + live(x + 22, 67, tag, "large", decimals=1)
    return wire(f"M{x} {BUS} V70", plant.first("grid.live")) + shown + draw.arrow(x, 120, tag, True, least)


def _columns(plant: Plant, units: int) -> str:
    if not units:
        return ""
    width = (WIDTH - 10) / units
    used = min(width, 250)
    return "".join(_column(plant, n, 5 + (n - 0.5) * width - used / 2, used) for n in range(1, units + 1))


def _column(plant: Plant, n: int, left: float, width: float) -> str:
    """One converter and its rack, from the bus bar down."""
    x = left + (64 if width > SPACIOUS else 52 if width > ROOMY else 22)
    parts = []
    if n in plant.converters:
        parts.append(_converter(plant, n, x, width))
    if n in plant.racks:
        parts += [
            _contactor(plant, n, x, width > ROOMY),
            draw.battery(x, 330),
            wire(f"M{x:g} 341 V352"),
            _rack(plant, n, left, width),
        ]
    return "".join(parts)


def _converter(plant: Plant, n: int, x: float, width: float) -> str:
    """The converter's power, symbol and state; its fault where there is room, else its colour sends whoever looks to its screen."""
    least, alive, is_spacious = least_of(plant.converter_rating()), plant.first("grid.live"), width > SPACIOUS
    size = _size(width > ROOMY)
    parts, right = [wire(f"M{x:g} {BUS} V{226 - size / 2:g}", alive)], x + size / 2 + (7 if width > ROOMY else 4)
    body = [f'<rect x="{x - 24:g}" y="{BUS + 14}" width="{min(width, 110):g}" height="74" class="touch"/>']
    body += [draw.converter(x, 226, size), words(right, 222, texts.CONVERTER.format(number=n), "title")]
    if plant.has(f"pcs[{n}].p"):
        parts.append(draw.arrow(x, BUS + 20, f"pcs[{n}].p", False, least))
        body.append(live(x + 14, BUS + 24, f"pcs[{n}].p", "large" if is_spacious else "", abs=1, decimals=_digits(plant)))
        if is_spacious:
            body.append(way(x + 110, BUS + 24, f"pcs[{n}].p", texts.DISCHARGES, texts.CHARGES, least))
    if plant.has(f"pcs[{n}].state"):
        body.append(live(right, 238, f"pcs[{n}].state", "word pcs-state"))
    if plant.has(f"pcs[{n}].fault") and is_spacious:
        body.append(live(right, 253, f"pcs[{n}].fault", "fault word"))
    return "".join(parts) + link(f"/power?converter={n}", texts.POWER_OF.format(number=n), "".join(body))


def _size(is_roomy: bool) -> float:
    """How large the symbol of a converter is."""
    return 40 if is_roomy else 32


def _contactor(plant: Plant, n: int, x: float, is_roomy: bool) -> str:
    """The DC side: link, main contactor, and the precharge beside it."""
    link_v, side = plant.first(f"pcs[{n}].v_dc"), x - 24
    least = 0.5 * (plant.rating("v_rack_low", "V") or 60)
    parts = [wire(f"M{x:g} {226 + _size(is_roomy) / 2:g} V270", link_v, least=least), wire(f"M{x:g} 300 V321")]
    if link_v:
        parts.append(live(x + 14, 270, link_v, "small", decimals=0))
    closed = plant.first(f"racks.closed[{n}]", f"rack[{n}].main_fb")
    if closed:
        said = tagged(closed, on=texts.CLOSED, off=texts.OPEN)
        parts += [switch(x, 285, closed, "contactor"), f'<text x="{x + 14:g}" y="290" class="word"{said}>–</text>']
    else:
        parts.append(wire(f"M{x:g} 270 V300"))
    pre = plant.first(f"rack[{n}].precharge_fb")
    if pre and is_roomy:
        parts += [wire(f"M{x:g} 256 H{side - 14:g} V262 M{side - 14:g} 290 V312 H{x:g}"), draw.resistor(side - 14, 301)]
        parts.append(f'<g transform="translate({side - 14:g} 276) scale(0.9)">{switch(0, 0, pre, "contactor")}</g>')
    return "".join(parts)


def _rack(plant: Plant, n: int, left: float, width: float) -> str:
    """The rack itself: state, charge and what is extreme in it; it leads to its cells."""
    name, x, right = f"rack[{n}]", left + 12, left + width - 12
    is_roomy = width > ROOMY
    parts = [f'<rect x="{left + 3:g}" y="352" width="{width - 6:g}" height="162" rx="4" class="rack"/>']
    parts.append(words(x, 371, texts.RACK.format(number=n), "title"))
    if plant.has(f"{name}.state"):
        at = (right, 371) if is_roomy else (x, 387)
        parts.append(live(*at, f"{name}.state", "word rack-state", "end" if is_roomy else ""))
    y = 380 if is_roomy else 394
    if plant.has(f"{name}.soc"):
        parts += [draw.charge(x, y, width - 24, 13, f"{name}.soc"), live(x, y + 32, f"{name}.soc", "large")]
    used = plant.first(f"racks.available[{n}]")
    if used and is_roomy:
        parts.append(live(right, y + 32, used, "soft", "end", on=texts.IN_USE, off=texts.NOT_IN_USE))
    rows = [(texts.VOLTAGE, "v_pack"), (texts.CURRENT, "current"), (texts.HOTTEST, "t_cell_max")]
    rows = [row for row in rows if plant.has(f"{name}.{row[1]}")]
    for place, (label, word) in enumerate(rows):
        low = y + 49 + 16 * place
        parts.append(words(x, low, label, "soft") if is_roomy else "")
        parts.append(live(right, low, f"{name}.{word}", "", "end", decimals=1))
    if is_roomy:
        parts.append(_range(plant, n, x if width > SPACIOUS else None, right, y + 49 + 16 * len(rows)))
    return link(f"/cells?rack={n}", texts.CELLS_OF.format(number=n), "".join(parts) + _trip(plant, n, left, width))


def _range(plant: Plant, n: int, x: float | None, right: float, y: float) -> str:
    """The power that the rack can take and give now."""
    low, high = plant.first(f"racks.p_min[{n}]"), plant.first(f"racks.p_max[{n}]")
    if not (low and high):
        return ""
    digits = _digits(plant)
    shown = live(right - 74, y, low, "", "end", "bare", decimals=digits) + words(right - 70, y, texts.TO, "soft")
    label = "" if x is None else words(x, y, texts.POSSIBLE, "soft")
    return label + shown + live(right, y, high, "", "end", decimals=digits)


def _digits(plant: Plant) -> int:
    return 0 if (plant.converter_rating() or 0) >= COARSE else 1


def _trip(plant: Plant, n: int, left: float, width: float) -> str:
    """Why the rack has tripped, over its lower edge; nothing is to be seen where it has not."""
    tripped, why = plant.first(f"racks.tripped[{n}]"), plant.first(f"racks.first_permit[{n}]")
    if not tripped:
        return ""
    badge = f'<rect x="{left + 6:g}" y="485" width="{width - 12:g}" height="26" rx="2"/>'
    has_both, has_reason = width > SPACIOUS, bool(why) and width > ROOMY
    said = (
        words(left + 12, 503, texts.TRIPPED if has_both else texts.TRIPPED_ONLY, "on-badge") if has_both or not has_reason else ""
    )
    reason = live(left + (78 if has_both else 12), 503, why, "on-badge word") if has_reason else ""
    return f'<g class="badge"{tagged(tripped, "lamp")}>{badge}{said}{reason}</g>'
