"""The overview: how power flows through the plant now, what limits it, and the figures that matter beside their limits."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from hmi.hall import Visit
from hmi.parts import gauges
from hmi.parts.gauges import attribute, gauge, spark
from hmi.parts.singleline import single_line
from hmi.parts.values import put, value
from hmi.plant import Plant, plant_of
from hmi.texts import overview as texts

SCRIPTS = (gauges.SCRIPT, "/static/overview.js")
START = (
    f"Promise.all({list(SCRIPTS)}.map(bess.script)).then(() => {{ const root = document.getElementById('overview');"
    " if (root) { bessGauges.begin(root); bessOverview.begin(root); } })"
)
COARSE = 1000.0  # kW: a plant of this size needs no tenth
CELL_VOLTAGES, CELL_TEMPERATURES = (2.4, 3.8), (-25.0, 65.0)  # V and °C: the ends of their bars; alarm limits stand inside


def build(visit: Visit) -> None:
    """Draw the screen."""
    plant = plant_of(visit.hall)
    plan = attribute(plan_of(plant, visit.hall.order.pins))
    put(
        f'{gauges.STYLES}<link rel="stylesheet" href="/static/overview.css">'
        f'<div id="overview" class="overview" data-plan="{plan}" data-missing="{texts.NO_HISTORY}">'
        f'<div class="diagram">{single_line(plant)}</div><div class="figures">{_standing(plant)}{figures(plant)}</div></div>',
        "stack grow",
    )
    ui.run_javascript(START)


def plan_of(plant: Plant, pins: Any = ()) -> dict[str, Any]:
    """What the screen's script needs: the racks, the words, and what is noted as soon as a tag says so."""
    notes = (
        ("site.ready", False, texts.NOT_READY, "error"),
        ("grid.trip", True, texts.LEFT_GRID, "error"),
        ("grid.island", True, texts.ON_ISLAND, "note"),
        ("site.maintenance", True, texts.MAINTENANCE, "note"),
        ("site.asleep", True, texts.ASLEEP, "note"),
    )
    return {
        "has": plant.has("site.p_reason"),
        "racks": plant.racks if plant.has("racks.charge_by") and plant.has("racks.discharge_by") else (),
        "pins": "racks.power[1].charge.ACTIVE" in pins,
        "reasons": texts.REASONS,
        "rackReasons": texts.RACK_REASONS,
        "cellReasons": texts.CELL_REASONS,
        "words": {"site.first_permit": texts.PERMITS},
        "notes": [{"tag": tag, "when": when, "text": text, "level": level} for tag, when, text, level in notes if plant.has(tag)],
        "texts": {
            "unknown": texts.REASON_UNKNOWN,
            "nothing": texts.NOTHING_ASKED,
            "other": texts.UNKNOWN_REASON,
            "one": texts.ONE_RACK,
            "several": texts.SEVERAL_RACKS,
            "more": texts.AND_MORE,
            "rated": texts.RATED_RACKS,
        },
    }


def _standing(plant: Plant) -> str:
    limit = f'<small>{texts.LIMIT}</small><b data-limit class="live" aria-live="polite">–</b>' if plant.has("site.p_reason") else ""
    return f'<section class="panel standing">{limit}<ul class="notes live" data-notes></ul></section>'


def figures(plant: Plant) -> str:
    """HTML of the figures that matter, each beside its limits."""
    shown = (_charge(plant), _power(plant), _reactive(plant), _frequency(plant), _cells(plant), _temperatures(plant))
    return f'<section class="panel board">{"".join(shown)}</section>'


def _figure(label: str, now: str, bar: str, ends: str, trend: str = "") -> str:
    """One row; all of it is HTML."""
    ends = f'<div class="ends">{ends}</div>' if ends else ""
    style = "figure" if trend else "figure wide"
    return f'<div class="{style}"><div><h2>{label}</h2><div class="now">{now}</div></div><div>{bar}{ends}</div>{trend}</div>'


def _trend(what: str, tag: str, least: float, more: str = "") -> str:
    return spark(f"{texts.TREND_OF.format(what=what)}, {texts.LAST_HOUR}", tag, least, more)


def _charge(plant: Plant) -> str:
    if not plant.has("bms.soc"):
        return ""
    marks = [name for name in ("set.reserve",) if plant.has(name)]
    band = ["site.soc_low", "site.soc_high"] if plant.has("site.soc_low") and plant.has("site.soc_high") else []
    ends = ""
    if len(plant.racks) > 1 and plant.has("bms.soc_min") and plant.has("bms.soc_max"):
        ends = f"<span>{texts.SOC_RACKS.format(low=value('bms.soc_min', 'bare'), high=value('bms.soc_max'))}</span>"
    bar = gauge(texts.SOC, value="bms.soc", low=0, high=100, origin=0, band=band, marks=marks)
    return _figure(texts.SOC, value("bms.soc"), bar, ends, _trend(texts.SOC, "bms.soc", 2.0))


def _power(plant: Plant) -> str:
    if not plant.has("site.p"):
        return ""
    rating, marks = plant.power_rating(), [name for name in ("site.p_request",) if plant.has(name)]
    has_range = plant.has("site.p_min") and plant.has("site.p_max")
    scale: dict[str, Any] = {"low": -rating, "high": rating} if rating else {"low": 0}
    bar = gauge(texts.POWER, value="site.p", origin=0, band=["site.p_min", "site.p_max"] if has_range else [], marks=marks, **scale)
    digits = 0 if (rating or 0) >= COARSE else 1
    said = texts.RANGE.format(low=value("site.p_min", "bare", digits), high=value("site.p_max", "", digits))
    ends = f"<span>{said}</span>" if has_range else ""
    more = "site.p_request" if marks else ""
    label = texts.RATED.format(label=texts.POWER, rating=rating, unit="kW") if rating else texts.POWER
    return _figure(label, value("site.p", decimals=digits), bar, ends, _trend(texts.POWER, "site.p", 0.1 * (rating or 1), more))


def _reactive(plant: Plant) -> str:
    if not plant.has("site.q"):
        return ""
    rating = plant.rating("q_site", "kvar") or plant.power_rating()
    marks = [name for name in ("site.q_request",) if plant.has(name)]
    scale: dict[str, Any] = {"low": -rating, "high": rating} if rating else {"low": 0}
    bar = gauge(texts.REACTIVE, value="site.q", origin=0, marks=marks, **scale)
    ends = f"<span>-{rating:g}</span><span>{rating:g} kvar</span>" if rating else ""
    return _figure(texts.REACTIVE, value("site.q", decimals=0 if (rating or 0) >= COARSE else 1), bar, ends)


def _frequency(plant: Plant) -> str:
    if not plant.has("grid.frequency"):
        return ""
    edges = [plant.rating(name, "Hz") for name in ("under_f1", "f_enter_low", "f_enter_high", "over_f1")]
    bar, ends = "", ""
    if all(edge is not None for edge in edges):
        low, start, stop, high = (float(edge or 0) for edge in edges)
        bar = gauge(texts.FREQUENCY, value="grid.frequency", low=low, high=high, band=[start, stop], limits={"LL": low, "HH": high})
        ends = f"<span>{low:g}</span><span>{high:g} Hz</span>"
    return _figure(texts.FREQUENCY, value("grid.frequency"), bar, ends, _trend(texts.FREQUENCY, "grid.frequency", 0.1))


def _cells(plant: Plant) -> str:
    low, high = "bms.v_cell_min", "bms.v_cell_max"
    if not (plant.has(low) and plant.has(high)):
        return ""
    lowest, highest = _of_rack(plant, "bms.v_min_rack"), _of_rack(plant, "bms.v_max_rack")
    ends = f"<span>{texts.LOWEST} {value(low)} {lowest}</span><span>{highest}</span>"
    ends = ends if highest else f"<span>{texts.LOWEST} {value(low)}</span>"
    return _extremes(plant, texts.CELL_VOLTAGE, (low, high), ("rack[1].v_cell_min", "rack[1].v_cell_max"), CELL_VOLTAGES, ends, "")


def _temperatures(plant: Plant) -> str:
    low, high = "bms.t_cell_min", "bms.t_cell_max"
    if not (plant.has(low) and plant.has(high)):
        return ""
    ends = f"<span>{texts.COLDEST} {value(low)}</span><span>{_of_rack(plant, 'bms.t_max_rack')}</span>"
    trend = _trend(texts.CELL_TEMPERATURE, high, 2.0, low)
    return _extremes(
        plant, texts.CELL_TEMPERATURE, (low, high), ("rack[1].t_cell_min", "rack[1].t_cell_max"), CELL_TEMPERATURES, ends, trend
    )


def _of_rack(plant: Plant, name: str) -> str:
    if len(plant.racks) < 2 or not plant.has(name):
        return ""
    return f"{texts.OF_RACK} {value(name)}"


def _extremes(
    plant: Plant, label: str, span: tuple[str, str], watched: tuple[str, str], ends_at: tuple[float, float], ends: str, trend: str
) -> str:
    limits = {**plant.limits(watched[0]), **plant.limits(watched[1])}
    bar = gauge(label, span=span, low=ends_at[0], high=ends_at[1], limits=limits)
    return _figure(label, value(span[1]), bar, ends, trend)
