"""The io_maps of the sites fit their plants: every signal is in the DBC, every register in the device, sizes and limits agree.

Constants are filled in by hand here, so that the language's own reading is not what is believed.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
import yaml

from runtime.simulation.climatemap import map_climate
from runtime.simulation.modbusmaps import map_meter, map_panel, map_pcs
from runtime.simulation.panel import INPUT_LINES, OUTPUT_LINES
from runtime.simulation.pcs import Fault, State
from runtime.simulation.plant import build_plant
from runtime.simulation.process import load_dbc
from runtime.simulation.settings import ID_STEP, read_settings
from runtime.simulation.written import Written
from tests.aids.iomaps import check_registers, check_words, signals_of
from tests.aids.places import ROOT

SITES = ("residential", "commercial", "industrial", "grid")
MAPS = {
    "converters": (map_pcs, "pcs"),
    "breaker": (map_pcs, "pcs"),
    "grid_meter": (map_meter, "meter"),
    "operator_panel": (map_panel, "panel"),
    "climate": (map_climate, "climate"),
}


@cache
def constants(site):
    """What common.yaml and the site declare, the site's own over the others."""
    texts = [(ROOT / name).read_text() for name in ("config/common.yaml", f"config/sites/{site}.yaml")]
    found = {}
    for text in texts:
        found |= yaml.load(text, Loader=yaml.BaseLoader)["constants"]
    return found


def io_map(name, site, rack=1):
    known = constants(site) | {"rack": rack}
    text = (ROOT / "io_maps" / f"{name}.yaml").read_text()
    text = re.sub(r"\$(\w+)", lambda found: str(known[found[1]]), text)
    text = re.sub(r"\{([\d\sx()+*/%-]*\brack\b[\d\sx()+*/%-]*)\}", lambda found: str(eval(found[1], {"rack": rack})), text)
    return yaml.safe_load(text)


@pytest.fixture(scope="module", params=SITES)
def site(request):
    return request.param, read_settings(ROOT / f"config/sites/{request.param}.plant.yaml")


def test_the_plant_has_the_sizes_of_the_site(site):
    name, plant = site
    known = constants(name)
    rack, can = plant.rack, plant.buses.can
    assert (plant.racks, rack.modules, rack.cells_per_module) == tuple(
        int(known[k]) for k in ("racks", "modules", "cells_per_module")
    )
    assert f"{rack.cell.capacity_ah:g} Ah" == known["capacity"]
    assert f"{plant.pcs.p_rated_kw:g} kW" == known["p_rack"]
    assert plant.pcs.power_step_kw == float(known["pcs_step"])
    assert (can.dbc, can.racks_per_channel) == (known["dbc"], int(known["racks_per_channel"]))
    assert plant.climate.zones == 1
    assert plant.climate.liquid_w_per_k > 0, "without it there is no climate controller"
    number, unit = known["cell_stale"].split()
    assert float(number) * {"ms": 0.001, "s": 1.0}[unit] >= 2 * can.cell_period_s


def test_the_racks_management_lets_the_converters_rating_through_and_trips_above_the_sites_limit(site):
    name, plant = site
    assert plant.rack.p_rated_kw > plant.pcs.p_rated_kw + plant.pcs.loss_fixed_kw
    amperes = float(constants(name)["i_rack_max"].split()[0])
    assert plant.rack.over_current_a > amperes > plant.pcs.p_rated_kw * 1000 / (3.0 * plant.rack.cells)


def test_every_signal_of_a_rack_is_in_the_dbc_once_and_goes_the_right_way(site):
    name, plant = site
    rack, database = io_map("racks", name), load_dbc(ROOT / plant.buses.can.dbc)
    seen = signals_of(rack, database)
    assert len(seen) == 16 + 4 + 3 * plant.rack.cells


def test_racks_stand_where_the_plant_has_them(site):
    name, plant = site
    each = plant.buses.can.racks_per_channel
    for rack in {1, 2, 9, plant.racks} & set(range(1, plant.racks + 1)):
        mapped = io_map("racks", name, rack)
        assert mapped["channel"] == f"can{(rack - 1) // each}"
        assert int(mapped["id_offset"]) == (rack - 1) % each * ID_STEP
        assert int(io_map("converters", name, rack)["port"]) == plant.buses.pcs.port + 10 * (rack - 1)


@pytest.mark.parametrize("device", MAPS)
def test_every_register_is_in_its_device_with_the_same_form_and_scale(site, device):
    name, settings = site
    mapped, (make, line_of) = io_map(device, name), MAPS[device]
    registers = make(build_plant(settings), Written())
    line_settings = getattr(settings.buses, line_of)
    assert (int(mapped["port"]), mapped["unit"], mapped["host"]) == (line_settings.port, line_settings.unit, line_settings.host)
    check_registers(mapped, registers, device == "grid_meter")


@pytest.mark.parametrize("device", ["racks", "operator_panel_gpio", *MAPS])
def test_every_input_says_what_it_becomes_when_bad_and_every_output_what_is_safe(device):
    check_words(io_map(device, "residential"))


def test_the_panel_is_the_same_on_gpio_lines_and_on_modbus():
    modbus, gpio = io_map("operator_panel", "residential"), io_map("operator_panel_gpio", "residential")
    for section, lines in (("inputs", INPUT_LINES), ("outputs", OUTPUT_LINES)):
        assert list(modbus[section]) == list(gpio[section])
        for tag, line in gpio[section].items():
            assert lines[line["line"]] == tag.split(".")[1]
            assert {word: line.get(word) for word in ("initial", "bad", "safe", "text")} == {
                word: modbus[section][tag].get(word) for word in ("initial", "bad", "safe", "text")
            }


def test_power_goes_to_zero_before_a_converter_stops_and_that_before_contactors_open(site):
    name, plant = site

    def after(device, tag):
        safe = io_map(device, name)["outputs"][tag]["safe"]
        number, unit = (safe["after"] if isinstance(safe, dict) else "0 ms").split()
        return float(number) * {"ms": 0.001, "s": 1}[unit]

    power, enable, main = after("converters", "pcs[1].p_cmd"), after("converters", "pcs[1].enable"), after("racks", "rack[1].main")
    assert power == 0.0
    assert power + plant.pcs.p_rated_kw / plant.pcs.ramp_kw_per_s <= enable < main
    assert plant.pcs.comms_timeout_s < plant.rack.comms_timeout_s, "left alone, power goes first too"


def test_names_of_states_are_those_of_the_plant():
    lines = io_map("converters", "commercial")["inputs"]
    assert lines["pcs[1].state"]["names"] == {state.value: state.name for state in State}
    assert lines["pcs[1].fault"]["names"] == {fault.value: fault.name for fault in Fault}
