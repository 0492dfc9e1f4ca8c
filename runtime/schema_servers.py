"""The shapes of what a site says about its servers and of a Modbus register map, read out of the very readers of these words.

The reader of a setting is a closure such as `whole(1, 4096)`: its ends and choices are in it, and nothing is written twice.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from runtime import schema_words as words
from runtime.model import ROLES
from runtime.schema_drivers import register
from runtime.schema_values import ANY, TAG, Shape, choice, described, list_of, named, section, text, truth, whole
from runtime.servers import describe
from runtime.servers.modbus import map_common, map_words
from runtime.servers.modbus import settings as modbus_settings
from runtime.servers.modbus.map import BAD, DISCRETE, FORMATS, HOLDING, INPUT, TABLES
from runtime.servers.records import settings as records_settings
from runtime.servers.words import UNITS_OF_SIZE

Reader = Callable[[Any], Any]
NETWORK: Shape = {
    "type": "string",
    "pattern": r"^[0-9A-Fa-f.:]+(?:/\d{1,3})?$",
    "patternErrorMessage": "such as 10.1.0.0/24",
}
SECONDS: Shape = {
    "type": ["string", "number"],
    "pattern": r"^\s*(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*(?:ms|s|min|h)?\s*$",
    "patternErrorMessage": "a time such as `60 s` or `100 ms`",
}
DEADBAND: Shape = {
    "type": ["string", "number"],
    "minimum": 0,
    "pattern": r"^\s*\d*\.?\d+\s*%?\s*$",
    "patternErrorMessage": "a number in the tag's unit, or a share of its range such as `0.1 %`",
}


def servers() -> Shape:
    """The site's `servers:`."""
    known = {}
    for name in describe.SERVERS:
        table: Mapping[str, Reader] = _table(name)
        settings = {word: described(_shape(name, word, reader), words.setting(name, word)) for word, reader in table.items()}
        known[name] = {**section(settings), "type": ["object", "null"]} if table else {}
        known[name] = described(known[name], words.SERVERS.get(name, ""))
    return section(known, words.SITE["servers"])


def _table(server: str) -> Mapping[str, Reader]:
    """The readers of a server's settings, by word; none where it keeps them elsewhere."""
    found: Mapping[str, Reader] = getattr(
        importlib.import_module(f"{describe.module_of(server)}.settings"), f"_{server.upper()}", {}
    )
    return found


def _shape(server: str, word: str, reader: Reader) -> Shape:
    """The shape of one setting: by its name where it is a section of its own, else by its reader."""
    special = SPECIAL.get(f"{server}.{word}")
    return special if special is not None else of_reader(reader)


def of_reader(reader: Reader) -> Shape:
    """What a reader of `runtime.servers.words` takes; anything where it is none of them."""
    kept = inspect.getclosurevars(reader).nonlocals if inspect.isfunction(reader) else {}
    kind = reader.__qualname__.split(".", 1)[0]
    if kind == "whole":
        return whole(kept["low"], kept["high"])
    if kind == "one_of":
        return choice(kept["choices"])
    if kind == "seconds":
        return SECONDS
    return PLAIN.get(kind, ANY)


def _rules() -> Shape:
    """Tags and patterns that are recorded: a list, or each with words of its own."""
    own = {
        word: described(DEADBAND if word == "deadband" else of_reader(reader), words.setting("records", word))
        for word, reader in records_settings._OF_A_TAG.items()
    }
    rule = {**section(own), "type": ["object", "null"]}
    return {"type": ["string", "array", "object"], "items": {"type": "string"}, "additionalProperties": rule}


def _scaled(units: Mapping[str, float], example: str) -> Shape:
    pattern = rf"^\s*[\d.]+\s*(?:{'|'.join(units)})\s*$"
    return {
        "type": "string",
        "pattern": pattern,
        "patternErrorMessage": f"written like `{example}`; the units are {', '.join(units)}",
    }


def _words_of(table: Mapping[str, Reader], required: tuple[str, ...] = ()) -> Shape:
    return section({word: of_reader(reader) for word, reader in table.items()}, required=required)


def _place(*tables: str) -> Shape:
    return register(tables)


def _own_register(sentences: Mapping[str, str], shapes: Mapping[str, Shape]) -> Shape:
    """`heartbeat` or `expect` of a map: a section, or the register alone."""
    inner = section(
        {word: described(shapes.get(word, ANY), sentence) for word, sentence in sentences.items()}, required=["register"]
    )
    return {**inner, "type": ["object", "string"], "pattern": shapes["register"]["pattern"]}


PLAIN: dict[str, Shape] = {
    "text": text(),
    "networks": list_of(NETWORK),
    "network": NETWORK,
    "truth": truth(),
}
COMMON: dict[str, Shape] = {
    "bad": choice(BAD),
    "qualities": _place(DISCRETE),
    "heartbeat": _own_register(
        map_common._HEARTBEAT, {"register": _place(INPUT, HOLDING), "every": SECONDS, "limit": whole(1, 65535)}
    ),
    "expect": _own_register(
        map_common._EXPECT,
        {
            "register": _place(HOLDING),
            "within": SECONDS,
            "status": _place(DISCRETE),
            "tag": {"type": "string", "pattern": TAG},
        },
    ),
}
_ROLE = choice(ROLES)
_LINE = _words_of(modbus_settings._SERIAL, ("port", "unit"))
SPECIAL: dict[str, Shape] = {
    "modbus.port": {"anyOf": [whole(0, 65535), {"const": "none"}]},
    "modbus.tls": {"anyOf": [truth(), _words_of(modbus_settings._TLS)]},
    "modbus.serial": {"anyOf": [_LINE, {"type": "array", "items": _LINE}]},
    "modbus.units": {
        "type": ["integer", "array", "object", "string"],
        "minimum": 0,
        "maximum": 255,
        "pattern": "^any$",
        "items": whole(0, 255),
        "propertyNames": {"pattern": r"^\d{1,3}$"},
        "additionalProperties": _ROLE,
    },
    "modbus.write": {
        "type": ["string", "array", "object"],
        "pattern": NETWORK["pattern"],
        "items": NETWORK,
        "additionalProperties": _ROLE,
    },
    **{f"modbus.{word}": COMMON[word] for word in COMMON},
    "opcua.users": {"not": {}},
    "records.history": _rules(),
    "records.keep": _scaled(records_settings.UNITS_OF_AGE, "30 d"),
    "records.audit": _scaled(records_settings.UNITS_OF_AGE, "1 y"),
    "records.size": _scaled(UNITS_OF_SIZE, "2 GB"),
    "records.deadband": DEADBAND,
    "recorder.keep": {**SECONDS, "pattern": r"^\s*[\d.]+\s*(?:ms|s|min|h|d)?\s*$"},
    "recorder.size": _scaled(UNITS_OF_SIZE, "10 GB"),
    "recorder.on": list_of({"type": "string", "pattern": TAG}),
}


def scada() -> Shape:
    """A register map for SCADA: `tag: {register: input 0, as: float32}`, and what holds for the whole map."""
    shapes: dict[str, Shape] = {
        "register": register(TABLES),
        "as": choice([name for name in FORMATS if name != "bool"]),
        "words": choice(("big", "little")),
        "scale": {"type": "number", "not": {"const": 0}},
        "bad": choice(BAD),
        "write": truth(),
        "fallback": {"type": ["string", "number", "boolean"]},
        "timeout": {**SECONDS, "pattern": SECONDS["pattern"] + "|^never$"},
        "stride": whole(1, 65535),
    }
    line = section(
        {word: described(shapes.get(word, ANY), sentence) for word, sentence in map_words.WORDS.items()},
        required=["register"],
        defaultSnippets=[{"label": "{register: ...}", "body": {"register": "${1:input 0}", "as": "${2:float32}"}}],
    )
    one = {**line, "type": ["object", "string"], "pattern": shapes["register"]["pattern"], "patternErrorMessage": "a register"}
    entry = {**one, "type": ["object", "string", "array"], "items": one}
    common = {word: described(COMMON.get(word, ANY), words.setting("modbus", word)) for word in map_common.COMMON}
    return {**named(entry, names=rf"{TAG}|^(?:{'|'.join(map_common.COMMON)})$"), "properties": common}
