"""JSON Schemas of everything an engineer writes, for editors with yaml-language-server: completion, hover texts, range errors.

They are put together from what the checker itself reads: the blocks' declarations, the drivers' and servers' words, the language's
own. Where a site is there, its function blocks and files complete as well, and its tags in `outputs:`, in `do: [...]`, and in `of:`
and `setpoint:` of an alarm. What needs the whole site is `bessplc check`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import blocks
from runtime import fieldbus
from runtime.language.loader import read_yaml
from runtime.schema_blocks import function_block
from runtime.schema_io import io_map
from runtime.schema_plant import plant
from runtime.schema_program import program
from runtime.schema_servers import scada
from runtime.schema_site import site
from runtime.schema_tests import tests_of_a_file
from runtime.schema_values import TAG, Shape
from runtime.site_files import CONFIG, SITES
from runtime.source import Report, Section

DRAFT = "http://json-schema.org/draft-07/schema#"
BASE = "https://bessplc.invalid/schema/"  # a name, not an address: nothing is fetched
TITLES = {
    "site": "bessplc site",
    "program": "bessplc program",
    "io_map": "bessplc device",
    "scada": "bessplc register map",
    "test": "bessplc tests",
    "plant": "bessplc simulated plant",
}
KINDS = tuple(TITLES)
LONG = 60  # characters of a pattern that is worth a name


@dataclass(frozen=True)
class Known:
    """What a site adds to the schemas: its function blocks, and the names of its files and tags."""

    function_blocks: dict[str, Shape] = field(default_factory=dict)
    io_maps: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()  # of the tags those that a program may write


def known_of(root: Path) -> Known:
    """What there is in the folder of a site. A file that cannot be read adds nothing: `bessplc check` says why."""
    programs, defined = [], {}
    for path, section in _sections(root, "programs"):
        if "function_block" in section:
            name, found = _definition(section)
            defined[name] = found
        else:
            programs.append(path.stem)
    io_maps = [(path, section) for path, section in _sections(root, "io_maps")]
    files = [(f"{folder}/{path.name}", section) for folder in (CONFIG, SITES) for path, section in _sections(root, folder)]
    configs = [(name, section) for name, section in files if {"tasks", "include", "constants"} & set(section)]
    return Known(
        defined,
        tuple(path.stem for path, section in io_maps if "driver" in section),
        tuple(f"io_maps/{path.name}" for path, section in io_maps if "driver" not in section),
        tuple(programs),
        tuple(name for name, _ in configs),
        *_tags([section for _, section in configs], [section for _, section in io_maps]),
    )


def _tags(sites: Iterable[Section], devices: Iterable[Section]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tags that the files name by themselves, without a `for:`, and those of them that a program may write."""
    declared = [(name, words) for site in sites for name, words in _lines(site, "tags")]
    free = [name for name, words in declared if not (isinstance(words, Section) and "write" in words)]
    read, written = ([name for one in devices for name, _ in _lines(one, word)] for word in ("inputs", "outputs"))
    return tuple(sorted({name for name, _ in declared} | {*read, *written})), tuple(sorted({*free, *written}))


def _lines(section: Section, word: str) -> list[tuple[str, Any]]:
    inner: Any = section.get(word)
    plain = re.compile(TAG)
    return (
        [(str(name), line) for name, line in inner.items() if plain.match(str(name)) and "{" not in str(name)]
        if isinstance(inner, Section)
        else []
    )


def _sections(root: Path, folder: str) -> Iterable[tuple[Path, Section]]:
    for path in sorted((root / folder).glob("*.yaml")):
        text = path.read_bytes().decode("utf-8", "replace")
        section = read_yaml(f"{folder}/{path.name}", text, Report())
        if section is not None and not path.name.endswith((".test.yaml", "users.yaml")):
            yield path, section


def _definition(section: Section) -> tuple[str, Shape]:
    inputs: Any = section.get("inputs")
    words = {str(name): line for name, line in inputs.items() if isinstance(line, Section)} if isinstance(inputs, Section) else {}
    name = str(section["function_block"])
    return name, function_block(str(section.get("description", name)), words)


def schema(kind: str, known: Known | None = None) -> Shape:
    """One of KINDS as a JSON Schema, draft 7."""
    here = known or Known()
    if kind == "site":
        body = site(here.io_maps, here.programs)
    elif kind == "program":
        body = program(blocks.catalogue().values(), here.function_blocks, here.tags, here.outputs)
    elif kind == "io_map":
        body = io_map(fieldbus.drivers())
    elif kind == "plant":
        body = plant()
    else:
        body = scada() if kind == "scada" else tests_of_a_file()
    shared: dict[str, tuple[str, Shape]] = {}
    short = _share(body if kind == "plant" else _with_constants(body), shared)
    definitions = dict(shared.values())
    return {"$schema": DRAFT, "$id": f"{BASE}{kind}.json", "title": TITLES[kind], **short, "definitions": definitions}


def _with_constants(part: Any) -> Any:
    """The schema in which `$racks` may stand for a number, and inside a text that has a form: what it says is the checker's."""
    if isinstance(part, list):
        return [_with_constants(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: one if key in PLAIN else _with_constants(one) for key, one in part.items()}
    pattern = made.get("pattern")
    if isinstance(pattern, str) and not re.search(pattern, "$x"):
        made["pattern"] = f"{pattern}|\\$[a-z]"
    elif isinstance(made.get("type"), str) and made["type"] in SAID:
        made |= {"type": [made["type"], "string"], "pattern": CONSTANT, "patternErrorMessage": SAID[made["type"]]}
    elif isinstance(made.get("enum"), list):
        choices = {key: made.pop(key) for key in OF_A_CHOICE if key in made}
        made["anyOf"] = [choices, {"type": "string", "pattern": CONSTANT}]
    return made


CONSTANT = r"^\$[a-z][a-z0-9_]*$"
SAID = {"integer": "a whole number", "number": "a number", "boolean": "`true` or `false`"}
OF_A_CHOICE = ("enum", "enumDescriptions", "markdownEnumDescriptions", "errorMessage")
PLAIN = ("enum", "const", "examples", "defaultSnippets", "if")  # keywords whose values are no shapes, or tell shapes apart
SHARED = ("type", "pattern", "patternErrorMessage", "minimum", "maximum", "items", "if", "then")


def _share(part: Any, shared: dict[str, tuple[str, Shape]]) -> Any:
    """The schema with the shape of each kind of value written once: a thousand pins are of a hundred kinds."""
    if isinstance(part, list):
        return [_share(one, shared) for one in part]
    if not isinstance(part, dict):
        return part
    if not (isinstance(part.get("pattern"), str) and len(part["pattern"]) > LONG):
        return {key: _share(one, shared) for key, one in part.items()}
    core = {key: part[key] for key in SHARED if key in part}
    if "items" in core:
        core["items"] = _share(core["items"], shared)
    name, _ = shared.setdefault(json.dumps(core, sort_keys=True), (f"value{len(shared) + 1}", core))
    # its type stands here too: completion writes `PIN: ` only where it knows it
    rest = {key: _share(one, shared) for key, one in part.items() if key == "type" or key not in SHARED}
    return {"allOf": [{"$ref": f"#/definitions/{name}"}], **rest}


def as_text(shape: Shape) -> str:
    """A schema as the text of its file."""
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":")) + "\n"


def editor_settings(folder: str, known: Known, before: dict[str, Any]) -> dict[str, Any]:
    """VS Code's settings with `yaml.schemas` for these files; what was there of others stays."""
    maps = known.maps or ("io_maps/scada.yaml",)
    files = {
        "site": list(known.sites or ("config/site.yaml",)),
        "program": ["programs/*.yaml", "!programs/*.test.yaml"],
        "io_map": ["io_maps/*.yaml", *(f"!{name}" for name in maps)],
        "scada": list(maps),
        "test": ["programs/*.test.yaml"],
        "plant": ["config/plant.yaml", "config/*_plant.yaml", "config/**/*.plant.yaml"],
    }
    ours = {f"./{folder}/{kind}.json": files[kind] for kind in KINDS}
    others = {key: value for key, value in before.get("yaml.schemas", {}).items() if key not in ours}
    return {**before, "yaml.schemas": {**others, **ours}, "yaml.yamlVersion": "1.2", "yaml.schemaStore.enable": False}
