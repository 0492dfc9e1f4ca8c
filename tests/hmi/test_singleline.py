"""The overview and the power screen, drawn from the tags of each site: what there is is shown, what there is not is left out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hmi.parts import gauges
from hmi.parts.singleline import MOST_COLUMNS, single_line
from hmi.plant import Plant
from hmi.screens.overview import figures, plan_of
from hmi.screens.power import connection
from hmi.screens.power_converters import PAGE, converters_shown, table
from runtime.child import ServiceOrder
from runtime.model import Tag
from runtime.options import read

SITES = {"residential": 1, "commercial": 2, "industrial": 4, "grid": 64}
ELEMENT = re.compile(r"(.+)\[(\d+)\]")


@cache
def order_of(site: str) -> ServiceOrder:
    made = read(Path("config/sites") / f"{site}.yaml", warn=False)
    s = made.schedule
    assert s is not None
    return ServiceOrder("hmi", made.name, "", "", 0, s.tags, s.region, s.alarms, {}, pins=s.pins, constants=dict(made.constants))


def plant_with(*names: str, **constants: str) -> Plant:
    tags = tuple(Tag(name, "LREAL", 0, n, 0, "memory") for n, name in enumerate(names))
    return Plant(replace(order_of("residential"), tags=tags, alarms=(), pins={}, constants=constants))


def shown_by(markup: str) -> set[str]:
    return set(re.findall(r'data-tag="([^"]+)"', markup))


def drawn_by_scripts(markup: str) -> set[str]:
    """The names in the plans of bars and trends."""
    plans = [json.loads(html.unescape(told)) for told in re.findall(r'data-(?:gauge|spark|derived)="([^"]*)"', markup)]
    words = {word for plan in plans for word in _leaves({key: said for key, said in plan.items() if key not in ("kind", "unit")})}
    return {word.removeprefix("-") for word in words}


def _leaves(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, (list, dict)):
        for part in said.values() if isinstance(said, dict) else said:
            yield from _leaves(part)


def is_known(order: ServiceOrder, name: str) -> bool:
    tags = {tag.name: tag for tag in order.tags}
    found = ELEMENT.fullmatch(name)
    if name in tags:
        return not tags[name].length
    return found is not None and found[1] in tags and 1 <= int(found[2]) <= tags[found[1]].length


@pytest.mark.parametrize("site", SITES)
def test_a_site_is_drawn_from_its_own_tags_only(site: str) -> None:
    order = order_of(site)
    plant = Plant(order)
    assert (plant.racks, plant.converters) == (tuple(range(1, SITES[site] + 1)),) * 2
    drawing = single_line(plant)
    ElementTree.fromstring(drawing)  # an SVG that is not well formed is drawn by no browser
    screens = drawing + figures(plant) + connection(plant) + table(plant, converters_shown(plant, "1"))
    named = shown_by(screens) | {name for name in drawn_by_scripts(screens) if not name.startswith("pin:")}
    assert [name for name in named if not is_known(order, name)] == []
    assert {f"rack[{n}].soc" for n in plant.racks} <= shown_by(drawing)
    assert drawing.count('href="/cells?rack=') == SITES[site]


def test_many_racks_become_tiles_and_few_are_drawn_one_by_one() -> None:
    few, many = (plant_with(*(f"rack[{n}].soc" for n in range(1, count + 1))) for count in (MOST_COLUMNS, MOST_COLUMNS + 1))
    assert 'class="tile"' not in single_line(few)
    assert single_line(many).count('class="tile"') == MOST_COLUMNS + 1


def test_a_site_without_anything_has_screens_too() -> None:
    plant = plant_with()
    ElementTree.fromstring(single_line(plant))
    assert shown_by(single_line(plant) + figures(plant) + connection(plant) + table(plant, converters_shown(plant, ""))) == set()
    assert plan_of(plant)["notes"] == []


def test_photovoltaics_are_drawn_where_they_are_measured() -> None:
    assert "pv.p" in shown_by(single_line(plant_with("site.p_load", "pv.p")))


@pytest.mark.parametrize("asked", ["", "0", "65", "-3", "٣", "1e3", "9" * 5000, "<script>"])
def test_a_converter_that_there_is_not_shows_the_first_page(asked: str) -> None:
    assert converters_shown(Plant(order_of("grid")), asked) == tuple(range(1, PAGE + 1))


def test_a_converter_is_shown_on_its_page() -> None:
    plant = Plant(order_of("grid"))
    for asked in plant.converters:
        assert asked in converters_shown(plant, str(asked))
    assert converters_shown(plant, "64")[-1] == 64


def test_limits_are_those_of_the_alarms_and_come_live() -> None:
    order = order_of("commercial")
    limits = Plant(order).limits("rack[1].v_cell_max")
    assert set(limits) == {"H", "HH"}
    assert all(pin.removeprefix("pin:") in order.pins for pin in limits.values())
    assert Plant(order).limits("rack[1].soc") == {}


def test_ratings_are_read_in_their_unit_and_a_wrong_one_is_none() -> None:
    plant = plant_with(p_site="1.5 MW", v_nom="text", f0="50 Hz", over_v1="1.15")
    assert plant.rating("p_site", "kW") == 1500
    assert plant.rating("over_v1", "1") == 1.15
    assert [plant.rating(name, "V") for name in ("v_nom", "f0", "nothing")] == [None] * 3


def test_names_cannot_leave_their_attribute() -> None:
    hostile = 'x"><script>alert(1)</script>'
    markup = gauges.gauge(hostile, value=hostile) + gauges.spark(hostile, hostile, 1.0)
    assert "<script" not in markup
    told = re.search(r'data-gauge="([^"]*)"', markup)
    assert told is not None
    assert json.loads(html.unescape(told[1]))["value"] == hostile


def test_every_reason_of_the_program_has_its_words() -> None:
    plant, plan = Plant(order_of("commercial")), plan_of(Plant(order_of("commercial")))
    assert set(plant.names_of("site.p_reason")) <= set(plan["reasons"])
    assert set(plant.names_of("site.first_permit")) <= set(plan["words"]["site.first_permit"])
    assert set(plant.names_of("racks.charge_by")) - {"NOTHING"} <= set(plan["rackReasons"])
    used = {name for text in plan["reasons"].values() for name in re.findall(r"\{([\w.]+)\}", text)} - {"battery"}
    assert [name for name in sorted(used) if not plant.has(name)] == []
