"""The schema of `config/plant.yaml`: what the plant takes it takes, it refuses slips, and each setting has its sentence."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runtime.schema import editor_settings, known_of, schema
from runtime.simulation.settings import PlantSettings, SettingsError, read_settings
from tests.aids.places import DEMO

ROOT = Path(__file__).parents[2]
PLANTS = [
    *sorted(DEMO.glob("config/*plant.yaml")),
    *sorted(ROOT.glob("config/sites/*.plant.yaml")),
    *sorted(ROOT.glob("runtime/templates/*/config/plant.yaml")),
]
MISTAKES = {
    "a setting that is none": ("rack: {socc: 0.5}", ["rack"]),
    "a text for a number": ("rack: {cell: {capacity_ah: much}}", ["rack", "cell", "capacity_ah"]),
    "half a module": ("rack: {modules: 1.5}", ["rack", "modules"]),
    "a number for a section": ("buses: {pcs: 15020}", ["buses", "pcs"]),
    "a list": ("[1, 2]", []),
}


@cache
def judge() -> Any:
    made = schema("plant")
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


@pytest.mark.parametrize("path", PLANTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_plant_that_is_shipped_is_good(path: Path) -> None:
    text = path.read_text()
    for mark, number in (("PCS", 15020), ("METER", 15021), ("PANEL", 15022)):
        text = text.replace(f"@PORT_{mark}@", str(number))
    assert list(judge().iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize(("text", "place"), MISTAKES.values(), ids=MISTAKES)
def test_a_slip_is_found_where_it_is_and_the_plant_refuses_it_too(text: str, place: list[str], tmp_path: Path) -> None:
    assert [list(error.absolute_path) for error in judge().iter_errors(yaml.safe_load(text))] == [place]
    (tmp_path / "plant.yaml").write_text(text)
    with pytest.raises(SettingsError):
        read_settings(tmp_path / "plant.yaml")


def test_every_setting_has_its_sentence_and_the_default_of_the_plant() -> None:
    def look(shape: dict[str, Any], settings: Any, path: str) -> list[str]:
        wrong = []
        for name, one in shape["properties"].items():
            value = getattr(settings, name)
            inner = look(one, value, f"{path}{name}.") if "properties" in one else []
            is_said = one.get("description") and ("properties" in one or one["default"] == value)
            wrong += [*inner, *([] if is_said else [f"{path}{name}"])]
        return wrong

    assert look(schema("plant"), PlantSettings(), "") == []


def test_the_editor_maps_the_plants_of_a_site() -> None:
    mapped = editor_settings(".bessplc/schema", known_of(ROOT), {})["yaml.schemas"]
    assert mapped["./.bessplc/schema/plant.json"] == ["config/plant.yaml", "config/*_plant.yaml", "config/**/*.plant.yaml"]
