"""The schemas in an editor: yaml-language-server, which we did not write, completes, hovers and reports with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runtime.schema import KINDS, as_text, editor_settings, known_of, schema
from tests.aids.places import DEMO
from tests.aids.yaml_editor import Editor, editor, why_not

FOLDER = ".bessplc/schema"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is an editor")]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor in a site's folder that has the schemas, and the mapping of `.vscode/settings.json`."""
    root = tmp_path_factory.mktemp("site")
    known = known_of(DEMO)
    (root / FOLDER).mkdir(parents=True)
    for kind in KINDS:
        (root / FOLDER / f"{kind}.json").write_text(as_text(schema(kind, known)))
    mapping = editor_settings(FOLDER, known, {})["yaml.schemas"]
    with editor(root) as one:
        one.start({(root / path).as_uri(): files for path, files in mapping.items()})
        yield one


def completed(opened: Editor, name: str, text: str) -> dict[str, str]:
    """What is offered at the mark: the label, and what it inserts."""
    place, _ = opened.open(name, text)
    found: Any = opened.ask("textDocument/completion", place)
    return {item["label"]: item.get("insertText", "") for item in (found["items"] if isinstance(found, dict) else found)}


def test_a_block_type_completes(opened: Editor) -> None:
    found = completed(opened, "programs/a.yaml", "program: a\nblocks:\n  low:\n    type: HY|>\n")
    assert {"HYSTERESIS", "TON", "CHARGE_LIMITER"} <= set(found)


def test_a_pin_completes_with_its_default_and_its_unit(opened: Editor) -> None:
    found = completed(
        opened, "programs/b.yaml", "program: b\nblocks:\n  cap:\n    type: CHARGE_LIMITER\n    SOC: bms.soc\n    |>\n"
    )
    assert found["T_MAX"] == "T_MAX: ${1:25 °C}" and found["P_RATED"] == "P_RATED: "
    assert "SOC" not in found, "it is wired already"
    assert not {"PT", "LOW"} & set(found), "those are pins of other types"


def test_a_pins_sentence_unit_and_range_hover(opened: Editor) -> None:
    text = "program: c\nblocks:\n  cap: {type: CHARGE_LIMITER, SOC: bms.soc, V_CELL: bms.v, P_|>RATED: 5 kW}\n"
    place, mistakes = opened.open("programs/c.yaml", text)
    said = opened.ask("textDocument/hover", place)["contents"]["value"]
    assert "power at a share of 1" in said and "`LREAL, kW, 0 or more, required`" in said
    assert mistakes == []


def test_a_types_law_and_outputs_hover(opened: Editor) -> None:
    place, _ = opened.open("programs/d.yaml", "program: d\nblocks:\n  late: {type: TO|>N, IN: a.b, PT: 1 s}\n")
    said = opened.ask("textDocument/hover", place)["contents"]["value"]
    assert "On-delay timer" in said and "`ET` TIME" in said and "IEC 61131-3" in said


def test_mistakes_are_reported_in_their_lines_and_say_what_to_do(opened: Editor) -> None:
    text = """program: e
blocks:
  cap:
    type: CHARGE_LIMITER
    SOC: bms.soc
    V_CELL: 3.3 kW
    P_RATED: -5 kW
    V_SHARES: [1, 1, 1, 1, 1.5]
    P_MAX: 3
  late: {type: TON, IN: a.b == 1, PT: 5}
  other: {type: TOM}
"""
    _, mistakes = opened.open("programs/e.yaml", text)
    assert {
        "6: a value in V, a tag, `instance.PIN`, or an expression (`=` compares; `and`, `or`, `not`)",
        "7: a value in kW, 0 or more, a tag, `instance.PIN`, or an expression",
        "8: Value is above the maximum of 1.",
        "9: Property P_MAX is not allowed.",
        "10: a time is written with its unit, such as `500 ms`",
        "10: `true` or `false`, a tag, `instance.PIN`, or an expression (`=` compares; `and`, `or`, `not`)",
        "11: no block type has this name: `bessplc blocks` lists the catalogue",
    } == set(mistakes)


def test_a_drivers_words_complete_in_an_io_map(opened: Editor) -> None:
    text = "device: m\ndriver: modbus\nhost: h\nstale: 1 s\ninputs:\n  grid.p:\n    register: input 0\n    |>\n"
    found = completed(opened, "io_maps/new.yaml", text)
    assert {"as", "scale", "bad", "unit"} <= set(found) and not {"signal", "line", "safe"} & set(found)
    assert {"float32", "int16"} <= set(completed(opened, "io_maps/new2.yaml", text.replace("|>", "as: |>")))


def test_the_register_map_beside_the_devices_has_its_own_schema(opened: Editor) -> None:
    found = completed(opened, "io_maps/scada.yaml", "bms.soc:\n  register: input 0\n  |>\n")
    assert {"fallback", "stride"} <= set(found)


def test_a_servers_words_complete_in_the_site(opened: Editor) -> None:
    found = completed(opened, "config/site.yaml", "tasks: {main: {interval: 10 ms}}\nservers:\n  opcua:\n    |>\n")
    assert {"security", "anonymous", "port"} <= set(found)


def test_the_sites_tags_complete_where_a_program_writes_them(opened: Editor) -> None:
    found = completed(opened, "programs/w.yaml", "program: w\noutputs:\n  site.ready: true\n  |>\n")
    assert {"pcs.p_cmd", "panel.horn", "cells.soc"} <= set(found) and found["pcs.p_cmd"] == "pcs.p_cmd: "
    assert not {"site.ready", "bms.soc", "hmi.p_set"} & set(found), "it is written already, or is not a program's to write"
    step = "program: w\nsequences:\n  s:\n    on:\n      do: [|>]\n"
    assert {"bms.main", "panel.lamp_run"} <= set(completed(opened, "programs/w2.yaml", step))


def test_the_sites_tags_complete_where_an_alarm_watches_one(opened: Editor) -> None:
    found = completed(opened, "programs/v.yaml", "program: v\nalarms:\n  hot:\n    of: |>\n")
    assert {"bms.t_cell_max", "hmi.p_set", "site.p_max"} <= set(found)


@pytest.mark.parametrize("name", ["config/lab.yaml", "programs/dispatch.yaml", "programs/protection.yaml", "io_maps/rack1.yaml"])
def test_nothing_is_said_of_files_that_are_good(opened: Editor, name: str) -> None:
    assert opened.open(name, (DEMO / name).read_text())[1] == []


def test_the_tests_of_programs_are_no_programs(opened: Editor) -> None:
    _, mistakes = opened.open("programs/e.test.yaml", "given: {a.b: 1}\ntests:\n  t:\n    - {at: 1 s, expct: {a.b: 1}}\n")
    assert mistakes == ["4: Property expct is not allowed."]
