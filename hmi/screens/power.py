"""The power in figures: phases and limits at the point of connection, and every converter against its set points."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from nicegui import ui
from nicegui.events import GenericEventArguments

from hmi.hall import Visit
from hmi.parts import gauges
from hmi.parts.gauges import derived, gauge, spark
from hmi.parts.values import put, value
from hmi.plant import Plant, plant_of
from hmi.screens.power_converters import converters_shown, table
from hmi.screens.power_phases import VOLTAGES, phases
from hmi.texts import power as texts

SCRIPTS = (gauges.SCRIPT, "/static/power.js")
START = (
    f"Promise.all({list(SCRIPTS)}.map(bess.script)).then(() => {{ const root = document.getElementById('power');"
    " if (root) bessPower.begin(root); })"
)


def build(visit: Visit) -> None:
    """Draw the screen; the address says which converters (`?converter=9` shows those of its page)."""
    plant = plant_of(visit.hall)
    asked = parse_qs(urlsplit(ui.context.client.sub_pages_router.current_path).query).get("converter", [""])[0]
    with ui.element("div").props("id=power").classes("power") as root:
        put(f'{gauges.STYLES}<link rel="stylesheet" href="/static/power.css">{connection(plant)}')
        listed = put(table(plant, converters_shown(plant, asked)))

    def show(event: GenericEventArguments) -> None:
        listed.set_content(table(plant, converters_shown(plant, str(event.args["detail"]))))

    root.on("converters", show, ["detail"])  # the script asks for another page of them
    ui.run_javascript(START)


def connection(plant: Plant) -> str:
    """HTML of the point of connection; what the site does not measure is left out."""
    body = phases(plant) + _flows(plant) + _rows(plant)
    body = body or f"<p>{texts.NO_METER}</p>"
    return f'<section class="panel connection" data-missing="{texts.NO_HISTORY}"><h2>{texts.POINT}</h2>{body}</section>'


def _flows(plant: Plant) -> str:
    """Frequency, power and reactive power as bars between their limits."""
    parts = []
    if plant.has("grid.frequency"):
        edges = [plant.rating(name, "Hz") for name in ("under_f1", "f_enter_low", "f_enter_high", "over_f1")]
        bar = ends = ""
        if all(edge is not None for edge in edges):
            low, start, stop, high = (float(edge or 0) for edge in edges)
            limits = {"LL": low, "HH": high}
            bar = gauge(texts.FREQUENCY, value="grid.frequency", low=low, high=high, band=[start, stop], limits=limits)
            ends = f"<span>{low:g}</span><span>{high:g} Hz</span>"
        parts.append(_flow(texts.FREQUENCY, "grid.frequency", 3, bar, ends, 0.1))
    if plant.has("grid.p"):
        parts.append(_import(plant))
    if plant.has("grid.q"):
        rating = plant.rating("q_site", "kvar") or plant.power_rating() or 1.0
        bar = gauge(texts.REACTIVE, value="grid.q", low=-rating, high=rating, origin=0)
        ends = f"<span>-{rating:g}</span><span>{rating:g} kvar</span>"
        parts.append(_flow(texts.REACTIVE, "grid.q", 1, bar, ends, 0.1 * rating))
    return f'<div class="flows">{"".join(parts)}</div>' if parts else ""


def _import(plant: Plant) -> str:
    """The power at the meter between the limits of export and import, which the operator may move."""
    has_limits = plant.has("set.import_limit") and plant.has("set.export_limit")
    sizes = [plant.rating("import_limit", "kW"), plant.rating("export_limit", "kW"), plant.power_rating()]
    size = 1.25 * max((abs(one) for one in sizes if one), default=1.0)
    limits = {"H": "set.import_limit", "L": "-set.export_limit"} if has_limits else {}
    band = ["-set.export_limit", "set.import_limit"] if has_limits else []
    bar = gauge(texts.POWER, value="grid.p", low=-size, high=size, origin=0, band=band, limits=limits)
    ends = ""
    if has_limits:
        out, into = value("set.export_limit", "bare", 0), value("set.import_limit", decimals=0)
        ends = f"<span>{texts.EXPORT} {out}</span><span>{texts.IMPORT} {into}</span>"
    return _flow(texts.POWER, "grid.p", 1, bar, ends, 0.1 * size)


def _flow(label: str, name: str, decimals: int, bar: str, ends: str, least: float) -> str:
    """A row: value, bar, and on a large screen the last hour."""
    trend = spark(texts.TREND_OF.format(what=label), name, least)
    return (
        f'<div class="flow"><h3>{label}</h3><b>{value(name, decimals=decimals)}</b>'
        f'<div>{bar}<div class="ends">{ends}</div></div>{trend}</div>'
    )


def _rows(plant: Plant) -> str:
    """What is left, as pairs in two columns."""
    pairs: list[tuple[str, str]] = []
    measured = [name for name in VOLTAGES if plant.has(name)]
    if len(measured) > 1:
        pairs.append((texts.UNBALANCE, derived("imbalance", measured, "%", 2)))
    if plant.has("grid.p") and plant.has("grid.q"):
        pairs.append((texts.APPARENT, derived("apparent", ["grid.p", "grid.q"], "kVA", 1)))
        pairs.append((texts.FACTOR, derived("factor", ["grid.p", "grid.q"], "", 3)))
    words = (
        ("grid_side.breaker_fb", texts.BREAKER, texts.CLOSED, texts.OPEN, ""),
        ("grid.ok", texts.GRID_STATE, texts.GRID_GOOD, texts.GRID_BAD, "false"),
        ("grid.in_service", texts.SERVICE, texts.IN_SERVICE, texts.NOT_IN_SERVICE, ""),
        ("grid.trip", texts.TRIP, texts.TRIPPED, texts.NOT_TRIPPED, "true"),
    )
    for name, label, on, off, wrong in words:
        if plant.has(name):
            pairs.append((label, f'<span class="{f"wrong-{wrong}" if wrong else ""}">{value(name, on=on, off=off)}</span>'))
    figures = {
        "grid.cause": texts.CAUSE,
        "grid.rocof": texts.ROCOF,
        "grid_side.v_grid": texts.BEYOND,
        "grid_side.f_grid": texts.BEYOND,
        "grid.e_import": texts.ENERGY_IN,
        "grid.e_export": texts.ENERGY_OUT,
        "grid.p_support": texts.SUPPORT,
        "grid.share": texts.SHARE,
    }
    decimals = {"grid.e_import": 1, "grid.e_export": 1, "grid_side.f_grid": 2}
    pairs += [(label, value(name, decimals=decimals.get(name))) for name, label in figures.items() if plant.has(name)]
    listed = "".join(f"<dl><dt>{label}</dt><dd>{shown}</dd></dl>" for label, shown in pairs)
    return f'<div class="pairs">{listed}</div>' if listed else ""
