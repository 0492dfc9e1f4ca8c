"""The plant's YAML: what is left out keeps its default, what is wrong is named with its place, all of it in one go."""

from __future__ import annotations

import re

import pytest

from runtime.simulation.__main__ import read_arguments
from runtime.simulation.settings import PlantSettings, SettingsError, read_settings
from tests.aids.places import DEMO


def read(tmp_path, text):
    path = tmp_path / "plant.yaml"
    path.write_text(text)
    return read_settings(path)


def test_the_file_that_ships_reads_as_it_says():
    settings = read_settings(DEMO / "config/plant.yaml")
    assert settings.rack.cells == 256
    assert settings.rack.cell.capacity_ah == 280.0
    assert (settings.buses.pcs.port, settings.buses.meter.port, settings.buses.panel.port) == (15020, 15021, 15022)
    assert settings.buses.can.interface == "slcan"


def test_an_empty_file_is_the_default_plant(tmp_path):
    assert read(tmp_path, "# nothing\n") == PlantSettings()


def test_what_is_left_out_keeps_its_own_default(tmp_path):
    settings = read(tmp_path, "buses: {meter: {host: 127.0.0.2}, panel: {unit: 9}}\nrack: {cell: {capacity_ah: 100}}\n")
    assert (settings.buses.meter.host, settings.buses.meter.port, settings.buses.meter.unit) == ("127.0.0.2", 15021, 2)
    assert (settings.buses.panel.port, settings.buses.panel.unit) == (15022, 9)
    assert (settings.rack.cell.capacity_ah, settings.rack.cell.tau_s) == (100.0, 60.0)


def test_every_mistake_is_named_with_its_place_in_one_go(tmp_path):
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, "seed: 1.5\nrack:\n  capacty: 3\n  soc: much\n  soh: .nan\npcs: 7\ngrid: {pv_peak_kw: 1, pv_peak_kw: 2}\n")
    path = tmp_path / "plant.yaml"
    assert str(refused.value).splitlines() == [
        f"{path}:1:7: error: `seed` must be a whole number",
        f"{path}:3:3: error: `rack.capacty` is no setting of the plant; the names here are " + _names("rack"),
        f"{path}:4:8: error: `rack.soc` must be a number",
        f"{path}:5:8: error: `rack.soh` must be a number",
        f"{path}:6:6: error: `pcs` must be a list of `name: value` lines",
        f"{path}:7:23: error: `grid.pv_peak_kw` is given twice",
    ]


def _names(section):
    return ", ".join(type(getattr(PlantSettings(), section)).__dataclass_fields__)


def test_a_slip_of_the_pen_is_answered_with_the_nearest_name(tmp_path):
    with pytest.raises(SettingsError, match="did you mean `capacity_ah`"):
        read(tmp_path, "rack: {cell: {capacity_a: 280}}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tick_s: 0\n", "`tick_s` must be from 0.001 to 0.2 s, not 0"),
        ("buses: {can: {racks_per_channel: 0}}\n", "`buses.can.racks_per_channel` must be at least 1, not 0"),
        ("tick_s: 0.1\nbuses: {can: {cell_period_s: 0.05}}\n", "`buses.can.cell_period_s` must be from `tick_s` to 60 s"),
    ],
)
def test_a_rhythm_that_cannot_be_is_refused(tmp_path, text, said):
    with pytest.raises(SettingsError, match=re.escape(said)):
        read(tmp_path, text)


@pytest.mark.parametrize("text", ["rack: [1, 2\n", "\tseed: 1\n", "- 1\n"])
def test_what_is_no_settings_file_is_refused(tmp_path, text):
    with pytest.raises(SettingsError, match=r"plant\.yaml"):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere\.yaml: error: cannot be read"):
        read_settings(tmp_path / "nowhere.yaml")


def test_the_command_line_overrides_the_file(tmp_path):
    config = str(DEMO / "config/plant.yaml")
    order = read_arguments(["--config", config, "--run-dir", str(tmp_path), "--seed", "9", "--speed", "60", "--free-ports"])
    assert (order.settings.seed, order.settings.speed) == (9, 60.0)
    assert {order.settings.buses.pcs.port, order.settings.buses.meter.port, order.settings.buses.panel.port} == {0}
    assert order.root == DEMO


@pytest.mark.parametrize(
    "name",
    ["rack.p_rated_kw", "rack.cell.capacity_ah", "rack.cell.tau_s", "pcs.link_farad", "grid.nominal_v", "climate.coolant_l_rack"],
)
@pytest.mark.parametrize("value", ["0", "-1"])
def test_what_is_divided_by_cannot_be_zero_or_less(tmp_path, name, value):
    text = value
    for word in reversed(name.split(".")):
        text = f"{{{word}: {text}}}"
    with pytest.raises(SettingsError, match=re.escape(f"`{name}` must be above 0")):
        read(tmp_path, text)


def test_all_settings_that_must_be_above_zero_are_named_in_one_go(tmp_path):
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, "rack: {soh: 0, soc: 1.2}\ngrid: {inertia_s: 0}\n")
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize("soc", ["50", "-0.1", "1.01"])
def test_the_state_of_charge_is_a_part_and_no_percentage(tmp_path, soc):
    with pytest.raises(SettingsError, match=re.escape(f"`rack.soc` is a part, from 0 to 1, not {soc}")):
        read(tmp_path, f"rack: {{soc: {soc}}}\n")


def test_a_rack_may_be_full_or_empty(tmp_path):
    assert [read(tmp_path, f"rack: {{soc: {soc}}}\n").rack.soc for soc in (0, 1)] == [0.0, 1.0]
