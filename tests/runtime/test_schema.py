"""`bessplc schema`: what the checker takes the schemas take, and they refuse an engineer's slips; a JSON Schema library judges."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

import blocks
from blocks.declare import BOOL
from runtime import fieldbus, schema_tests, schema_words
from runtime.cli import app
from runtime.language import (
    alarm_words,
    devices,
    function_blocks,
    program,
    references,
    scenario_steps,
    scenarios,
    sequences,
    site_words,
    tags,
)
from runtime.language.units import unit
from runtime.language.words import value_of
from runtime.reference.usage import usage
from runtime.schema import KINDS, Known, editor_settings, known_of, schema
from runtime.schema_blocks import default_text
from runtime.schema_drivers import DEVICE, INPUT, OUTPUT
from runtime.schema_servers import servers
from runtime.schema_site import WATCHDOG
from runtime.source import Report, Text
from tests.aids.places import DEMO
from tests.aids.yaml_core import values

ROOT = Path(__file__).parents[2]
FILES = [
    *(DEMO / "config" / name for name in ("site.yaml", "lab.yaml")),
    *(ROOT / "config" / name for name in ("common.yaml", "grid_60hz.yaml")),
    *(path for path in sorted((ROOT / "config/sites").glob("*.yaml")) if not path.name.endswith(".plant.yaml")),
    *(path for root in (ROOT, DEMO) for folder in ("programs", "io_maps") for path in sorted((root / folder).glob("*.yaml"))),
]
README = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@cache
def judge(kind: str) -> Any:
    """The judge of one kind of file, who knows draft 7."""
    made = schema(kind, known_of(ROOT))
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


def kind_of(document: dict[str, Any]) -> str:
    if "driver" in document:
        return "io_map"
    if "program" in document or "function_block" in document:
        return "program"
    if "tests" in document:
        return "test"
    return "site" if {"tasks", "servers", "include", "constants"} & set(document) else "scada"


def wrong(kind: str, text: str) -> list[str]:
    """Where the schema finds a mistake, as a path, deepest first."""
    return ["/".join(map(str, e.absolute_path)) for e in sorted(judge(kind).iter_errors(values(text)), key=lambda e: -len(e.path))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_that_is_shipped_is_good(path: Path) -> None:
    text = path.read_text()
    assert wrong(kind_of(values(text)), text) == []


@pytest.mark.parametrize("text", README, ids=lambda text: text.split("\n", 1)[0])
def test_every_example_of_the_readme_is_good(text: str) -> None:
    if text.startswith(("modes:", "alarms:")):
        text = f"program: p\n{text}"
    elif text.startswith("servers:"):
        text = f"tasks: {{main: {{interval: 10 ms}}}}\n{text}"
    assert wrong(kind_of(values(text)), text) == []


def test_every_example_of_the_catalogue_is_good() -> None:
    """These the checker accepts too: tests/runtime/reference/ loads each of them."""
    for block in blocks.catalogue().values():
        if block.example:
            assert wrong("program", f"program: p\n{usage(block).text}\n") == [], block.name


def test_every_default_is_written_as_the_checker_reads_it() -> None:
    """Completion inserts it: `T_MIN: 25 °C` must be the 25.0 of the declaration."""
    for block in blocks.catalogue().values():
        for pin in block.inputs:
            text = default_text(pin)
            if text is None or not hasattr(pin.element, "code"):
                continue
            report = Report()
            written = str(text).lower() if pin.element is BOOL else str(text)
            read = value_of(
                Text(written), pin.element, unit(pin.unit) if pin.unit and "{" not in pin.unit else None, pin.name, report
            )
            assert not report.problems and read == pin.default, (block.name, pin.name, text)


HEAD = "program: p\nblocks:\n  a: "
IO = "device: d\ndriver: modbus\nhost: h\nstale: 1 s\ntimeout: 1 s\n"
TAGS = "tasks: {main: {interval: 10 ms}}\ntags:\n  a.b: "
MISTAKES = {
    "no such block": ("program", HEAD + "{type: TOM, IN: x.y}", "blocks/a/type"),
    "no such pin": ("program", HEAD + "{type: TON, IN: x.y, PT: 1 s, QT: 1 s}", "blocks/a"),
    "a pin in small letters": ("program", HEAD + "{type: TON, in: x.y, PT: 1 s}", "blocks/a"),
    "a required pin is missing": ("program", HEAD + "{type: TON, IN: x.y}", "blocks/a"),
    "another unit": ("program", HEAD + "{type: FREQ_DROOP, F: g.f, P_SET: 3 V, P_RATED: 1 kW}", "blocks/a/P_SET"),
    "no such unit": ("program", HEAD + "{type: FREQ_DROOP, F: g.f, P_SET: 3 kWatt, P_RATED: 1 kW}", "blocks/a/P_SET"),
    "a time without its unit": ("program", HEAD + "{type: TON, IN: x.y, PT: 5}", "blocks/a/PT"),
    "a negative time": ("program", HEAD + "{type: TON, IN: x.y, PT: -5 s}", "blocks/a/PT"),
    "a negative rating": ("program", HEAD + "{type: FREQ_DROOP, F: g.f, P_SET: 3 kW, P_RATED: -1 MW}", "blocks/a/P_RATED"),
    "a negative bare number": ("program", HEAD + "{type: FREQ_DROOP, F: g.f, P_SET: 3 kW, P_RATED: -1}", "blocks/a/P_RATED"),
    "C's equals": ("program", HEAD + "{type: TON, IN: x.y == 3, PT: 1 s}", "blocks/a/IN"),
    "a number for a truth": ("program", HEAD + "{type: TON, IN: 2, PT: 1 s}", "blocks/a/IN"),
    "a section for a value": ("program", HEAD + "{type: TON, IN: {x: 1}, PT: 1 s}", "blocks/a/IN"),
    "too short a table": (
        "program",
        HEAD + "{type: CHARGE_LIMITER, SOC: x.s, V_CELL: x.v, P_RATED: 1 kW, V_SHARES: [1, 0]}",
        "blocks/a/V_SHARES",
    ),
    "beyond the range of a share": (
        "program",
        HEAD + "{type: CHARGE_LIMITER, SOC: x.s, V_CELL: x.v, P_RATED: 1 kW, V_SHARES: [1, 1.5, 1, 1, 1]}",
        "blocks/a/V_SHARES/1",
    ),
    "a block without a type": ("program", HEAD + "{IN: x.y}", "blocks/a"),
    "a word of a function block in a program": ("program", "program: p\ninputs: {}\n", ""),
    "no name": ("program", "blocks: {}\n", ""),
    "a step's word": ("program", "program: p\nsequences: {s: {a: {gote: {b: x.y}}}}", "sequences/s/a"),
    "an alarm without a limit": ("program", "program: p\nalarms: {a: {of: x.y, severity: error}}", "alarms/a"),
    "an alarm of two kinds": ("program", "program: p\nalarms: {a: {of: x.y, when: x.z, H: 1}}", "alarms/a"),
    "a limit and a rate in one alarm": ("program", "program: p\nalarms: {a: {of: x.y, H: 1, rise: 1 K/s}}", "alarms/a"),
    "a deviation from nothing": ("program", "program: p\nalarms: {a: {of: x.y, deviation: 1 K}}", "alarms/a"),
    "a severity": ("program", "program: p\nalarms: {a: {when: x.y, severity: fatal}}", "alarms/a/severity"),
    "a severity of a limit that no alarm has": (
        "program",
        "program: p\nalarms: {a: {of: x.y, H: 1, severity: {HI: error}}}",
        "alarms/a/severity",
    ),
    "an error id in small letters": ("program", "program: p\nalarms: {a: {when: x.y, id: err_lost}}", "alarms/a/id"),
    "shelving without a time": ("program", "program: p\nalarms: {a: {when: x.y, shelve: true}}", "alarms/a/shelve"),
    "a driver": ("io_map", "device: d\ndriver: modbs\n", "driver"),
    "another driver's word": ("io_map", IO + "dbc: x.dbc\n", ""),
    "a table": ("io_map", IO + "inputs: {a.b: {register: inptu 3, bad: hold}}", "inputs/a.b/register"),
    "an input register as output": ("io_map", IO + "outputs: {a.b: {register: input 3, safe: 0}}", "outputs/a.b/register"),
    "a number format": ("io_map", IO + "inputs: {a.b: {register: input 3, as: uint15, bad: hold}}", "inputs/a.b/as"),
    "an input without bad": ("io_map", IO + "inputs: {a.b: {register: input 3}}", "inputs/a.b"),
    "an output without safe": ("io_map", IO + "outputs: {a.b: {register: coil 3}}", "outputs/a.b"),
    "outputs without time-out": ("io_map", "device: d\ndriver: modbus\noutputs: {a.b: {register: coil 3, safe: 0}}", ""),
    "inputs without stale": ("io_map", "device: d\ndriver: modbus\ninputs: {a.b: {register: coil 3, bad: 0}}", "inputs/a.b"),
    "a port": ("io_map", IO.replace("host", "port: 99999\nhost") + "inputs: {}", "port"),
    "a tag without an area": ("io_map", IO + "inputs: {soc: {register: input 3, bad: hold}}", "inputs"),
    "a safe value without its value": ("io_map", IO + "outputs: {a.b: {register: coil 3, safe: {after: 1 s}}}", "outputs/a.b/safe"),
    "a pull-up": (
        "io_map",
        "device: d\ndriver: gpio\nchip: c\nstale: 1 s\ninputs: {a.b: {line: 1, bad: 0, bias: up}}",
        "inputs/a.b/bias",
    ),
    "no chip": ("io_map", "device: d\ndriver: gpio\nstale: 1 s\ninputs: {}", ""),
    "a type": ("site", TAGS + "{type: REAL}", "tags/a.b/type"),
    "no type": ("site", TAGS + "{unit: kW}", "tags/a.b"),
    "a unit": ("site", TAGS + "{type: LREAL, unit: kw/h2o}", "tags/a.b/unit"),
    "a range": ("site", TAGS + "{type: LREAL, range: 0-5}", "tags/a.b/range"),
    "a role": ("site", TAGS + "{type: BOOL, write: everybody}", "tags/a.b/write"),
    "a pulse that nobody writes": ("site", TAGS + "{type: BOOL, pulse: true}", "tags/a.b"),
    "no tasks": ("site", "io: [a]", ""),
    "no interval": ("site", "tasks: {main: {programs: [p]}}", "tasks/main"),
    "a bare interval": ("site", "tasks: {main: {interval: 10}}", "tasks/main/interval"),
    "a word of the site": ("site", "tasks: {main: {interval: 10 ms}}\nwatchdogs: {}", ""),
    "a server": ("site", "tasks: {main: {interval: 10 ms}}\nservers: {opc: {}}", "servers"),
    "a server's word": ("site", "tasks: {main: {interval: 10 ms}}\nservers: {opcua: {prot: 1}}", "servers/opcua"),
    "a server's port": ("site", "tasks: {main: {interval: 10 ms}}\nservers: {opcua: {port: 70000}}", "servers/opcua/port"),
    "a server's choice": ("site", "tasks: {main: {interval: 10 ms}}\nservers: {opcua: {security: tls}}", "servers/opcua/security"),
    "a register of SCADA": ("scada", "a.b: {register: input}", "a.b/register"),
    "a format of SCADA": ("scada", "a.b: {register: input 0, as: float}", "a.b/as"),
    "a step of a test": ("test", "tests: {t: [{at: 1 s, expct: {a.b: 1}}]}", "tests/t/0"),
    "a time of a test": ("test", "tests: {t: [{at: 1, expect: {a.b: 1}}]}", "tests/t/0/at"),
    "both times of a test": ("test", "tests: {t: [{at: 1 s, after: 1 s}]}", "tests/t/0"),
    "a role of a test": ("test", "tests: {t: {steps: [{write: {a.b: 1}, as: boss}]}}", "tests/t/steps/0/as"),
    "a step of a program's test": ("program", "program: p\ntests: {t: [{wait: 1 s}]}", "tests/t/0"),
    "a truth that is none": ("site", TAGS + "{type: BOOL, write: operator, retain: maybe}", "tags/a.b/retain"),
    "a word of the runtime": ("site", "tasks: {main: {interval: 10 ms}}\nruntime: {reset: a.b}", "runtime"),
    "no tag of the runtime": ("site", "tasks: {main: {interval: 10 ms}}\nruntime: {restart: yes please}", "runtime/restart"),
    "a word of SCADA": ("scada", "a.b: {register: input 0, order: big}", "a.b"),
}


@pytest.mark.parametrize(("kind", "text", "place"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found_where_it_is(kind: str, text: str, place: str) -> None:
    found = wrong(kind, text)
    assert place in found, found


GOOD = {
    "a bare number of the pin's unit": HEAD + "{type: FREQ_DROOP, F: g.f, P_SET: -3.5, P_RATED: 230}",
    "another size of the unit": HEAD + "{type: FREQ_DROOP, F: g.f, P_SET: 1e3 W, P_RATED: 3600 kJ/h}",
    "an expression": HEAD + '{type: TON, IN: "not x.y and (a.b > 3 kW or last c.Q)", PT: 5 s + x.t}',
    "a negative value in an expression": HEAD + '{type: FREQ_DROOP, F: g.f, P_SET: -x.p, P_RATED: "max(-3 kW, x.p)"}',
    "a time of no length": HEAD + "{type: TON, IN: x.y, PT: 0}",
    "many operands": HEAD + "{type: AND, IN1: x.a, IN2: x.b, IN3: x.c, IN12: x.d}",
    "a list for many instances": HEAD + "{type: TON, count: 2, IN: [x.a, x.b], PT: 1 s}",
    "a pin named NO": "program: p\nmodes: {NO: {when: x.y, ON: 1}, YES: {ON: 2}}",
    "a function block": "function_block: F\ninputs: {IN: {type: BOOL}}\noutputs: {Q: t.Q}\nblocks: {t: {type: NOT, IN: IN}}",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_the_language_takes_the_schema_takes(text: str) -> None:
    assert wrong("program", text) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("site", "constants: {racks: 4}"),
        ("site", "description: The grid's rules in America\nconstants: {f0: 60 Hz}"),
        ("site", TAGS + "{type: $kind, write: $who, retain: $keep, pulse: $once}"),
        ("site", "tasks: {main: {interval: 10 ms}}\nservers: {rest: {anonymous: $everybody}}\nwatchdog: {then: $then}"),
        ("program", HEAD + "{type: $block, IN: x.y}\nalarms: {hot: {when: x.y, severity: $severity}}"),
        ("io_map", "device: d\ndriver: $driver\ninputs: {}\nstale: 1 s"),
    ],
)
def test_a_constant_stands_for_a_truth_or_a_choice_and_a_file_of_constants_is_a_part_of_a_site(kind: str, text: str) -> None:
    assert wrong(kind, text) == []


def test_the_sites_own_function_blocks_are_types_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs/filter.yaml").write_text(
        "function_block: FILTER\ninputs: {IN: {type: LREAL, unit: kW, text: raw}, T: {type: TIME, default: 1 s}}\n"
    )
    (tmp_path / "programs/broken.yaml").write_text("program: [")
    judge = jsonschema.Draft7Validator(schema("program", known_of(tmp_path)))
    assert judge.is_valid(values(HEAD + "{type: FILTER, IN: x.p}"))
    assert not judge.is_valid(values(HEAD + "{type: FILTER, IN: x.p, K: 3}"))
    assert not judge.is_valid(values(HEAD + "{type: FILTER, T: 3 s}"))
    assert not judge.is_valid(values(HEAD + "{type: FILTER, IN: 3 V}"))


def test_every_word_of_the_checker_has_its_sentence() -> None:
    """The words come from the checker, their sentences from schema_words: a new word without one is found here."""
    pairs = {
        "site": (site_words.SITE_WORDS, schema_words.SITE),
        "task": (site_words.TASK_WORDS, schema_words.TASK),
        "tag": (tags.TAG_WORDS, schema_words.TAG),
        "program": (program.PROGRAM_WORDS, schema_words.PROGRAM),
        "function block": (function_blocks.WORDS, schema_words.FUNCTION_BLOCK),
        "its input": (function_blocks.INPUT_WORDS, schema_words.FUNCTION_BLOCK_INPUT),
        "step": (sequences.STEP_WORDS, schema_words.STEP),
        "alarm": ([word for kind in alarm_words.KINDS for word in kind.words], schema_words.ALARM),
        "device": (devices.DEVICE_WORDS, schema_words.DEVICE),
        "input": (devices.INPUT_WORDS, schema_words.INPUT),
        "output": (devices.OUTPUT_WORDS, schema_words.OUTPUT),
        "watchdog": (WATCHDOG, schema_words.WATCHDOG),
        "what the runtime is asked": (references.RUNTIME_WORDS, schema_words.SITE_RUNTIME),
        "file of tests": (scenarios.FILE_WORDS, schema_tests.FILE),
        "test": (scenarios.TEST_WORDS, schema_tests.TEST),
        "step of a test": (scenario_steps.STEP_WORDS, schema_tests.STEP),
    }
    assert {what: set(words) - set(known) for what, (words, known) in pairs.items() if set(words) - set(known)} == {}
    settings = servers()["properties"]
    assert [
        f"{name}.{word}"
        for name, one in settings.items()
        for word, shape in one.get("properties", {}).items()
        if not shape["description"]
    ] == []


def test_no_shape_is_for_a_word_that_no_driver_has() -> None:
    for name, driver in fieldbus.drivers().items():
        for shapes, known in ((DEVICE, driver.DEVICE_WORDS), (INPUT, driver.INPUT_WORDS), (OUTPUT, driver.OUTPUT_WORDS)):
            assert set(shapes.get(name, {})) <= set(known)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["schema", *arguments])


def test_the_verb_writes_schemas_and_maps_them_in_the_editor(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / ".vscode").mkdir()
    settings = tmp_path / ".vscode/settings.json"
    settings.write_text(json.dumps({"editor.tabSize": 2, "yaml.schemas": {"https://example.com/a.json": "a.yaml"}}))
    done = run("--site", str(tmp_path / "config/site.yaml"), "--vscode")
    assert done.exit_code == 0, done.output
    assert "programs/  # yaml-language-server: $schema=../.bessplc/schema/program.json" in done.output
    for kind in KINDS:
        made = json.loads((tmp_path / f".bessplc/schema/{kind}.json").read_text())
        assert made["$schema"] == "http://json-schema.org/draft-07/schema#" and made["$id"].endswith(f"/{kind}.json")
    now = json.loads(settings.read_text())
    assert now["editor.tabSize"] == 2 and now["yaml.schemas"]["https://example.com/a.json"] == "a.yaml"
    assert now["yaml.schemas"]["./.bessplc/schema/program.json"] == ["programs/*.yaml", "!programs/*.test.yaml"]
    assert editor_settings(".bessplc/schema", known_of(tmp_path), now) == now


def test_settings_that_are_not_plain_json_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / ".vscode").mkdir()
    settings = tmp_path / ".vscode/settings.json"
    settings.write_text("{ // my own\n}")
    done = run("--site", str(tmp_path / "config/site.yaml"), "--vscode")
    assert done.exit_code == 1 and "left as it is" in done.output
    assert settings.read_text() == "{ // my own\n}"


def test_one_schema_is_printed(tmp_path: Path) -> None:
    done = run("scada", "--site", str(tmp_path / "config/site.yaml"))
    assert json.loads(done.stdout) == schema("scada", Known())
    wrong = run("programm")
    assert wrong.exit_code == 2 and "did you mean `program`?" in wrong.output
