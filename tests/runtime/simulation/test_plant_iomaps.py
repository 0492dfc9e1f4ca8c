"""The io_maps that ship fit the plant: every signal is in the DBC, every register in the device, with the same scale."""

from __future__ import annotations

import pytest
import yaml

from runtime.simulation.modbusmaps import map_meter, map_panel, map_pcs
from runtime.simulation.process import load_dbc
from runtime.simulation.settings import PlantSettings
from runtime.simulation.written import Written
from tests.aids.iomaps import check_registers, check_words, signals_of
from tests.aids.places import DEMO
from tests.aids.plant import ROOT, even_plant

MAPS = {"pcs": map_pcs, "meter": map_meter, "panel": map_panel}


def io_map(name):
    return yaml.safe_load((DEMO / "io_maps" / f"{name}.yaml").read_text(encoding="utf-8"))


def test_every_signal_of_the_rack_is_in_the_dbc_once_and_goes_the_right_way():
    rack, database = io_map("rack1"), load_dbc(ROOT / "dbc" / "rack.dbc")
    seen = signals_of(rack, database)
    assert len(seen) == 16 + 512 + 4 + 256
    for message, rules in rack["messages"].items():
        assert database.get_message_by_name(message).get_signal_by_name(rules["alive"]).length == 4


@pytest.mark.parametrize("device", MAPS)
def test_every_register_is_in_its_device_with_the_same_form_and_scale(device):
    mapped, settings = io_map(device), getattr(PlantSettings().buses, device)
    registers = MAPS[device](even_plant(), Written())
    assert (mapped["port"], mapped["unit"], mapped["host"]) == (settings.port, settings.unit, settings.host)
    check_registers(mapped, registers, device == "meter")


@pytest.mark.parametrize("device", ["rack1", *MAPS])
def test_every_input_says_what_it_becomes_when_bad_and_every_output_what_is_safe(device):
    check_words(io_map(device), "every")


def test_power_goes_to_zero_before_the_converter_stops_and_that_before_contactors_open():
    def after(device, tag):
        safe = io_map(device)["outputs"][tag]["safe"]
        text = safe["after"] if isinstance(safe, dict) else "0 ms"
        number, unit = text.split()
        return float(number) * {"ms": 1, "s": 1000}[unit]

    power, enable, main = after("pcs", "pcs.p_cmd"), after("pcs", "pcs.enable"), after("rack1", "bms.main")
    settings = PlantSettings()
    assert power == 0.0
    assert power + 1000 * settings.pcs.p_rated_kw / settings.pcs.ramp_kw_per_s <= enable < main
    assert after("rack1", "bms.precharge") <= main


def test_names_of_states_are_those_of_the_plant():
    from runtime.simulation import pcs

    lines = io_map("pcs")["inputs"]
    assert lines["pcs.state"]["names"] == {state.value: state.name for state in pcs.State}
    assert lines["pcs.fault"]["names"] == {fault.value: fault.name for fault in pcs.Fault}
