"""The JSON Schema of an io_map: the language's words, and by its driver the driver's own. It must not know programs or servers."""

from __future__ import annotations

from collections.abc import Mapping

from blocks.declare import BOOL, LREAL
from runtime import schema_words as words
from runtime.contract import DriverFront
from runtime.language.devices import DEVICE_WORDS, INPUT_WORDS, OUTPUT_WORDS
from runtime.schema_drivers import DEVICE, INPUT, NEEDED, NEEDED_OF_A_POINT, OUTPUT, shapes
from runtime.schema_program import type_word
from runtime.schema_values import ANY, TAG, Shape, counted, described, duration, named, section, text, unit_word, value

# a value of a tag: a number with or without its unit, a truth; which of them, the device says
PLAIN: Shape = {"type": ["string", "number", "boolean"], "pattern": value(LREAL, "{TAG}")["pattern"] + r"|\{"}
MANY: Shape = {**PLAIN, "type": [*PLAIN["type"], "array"], "items": PLAIN}
SNIPPET = {
    "label": "modbus device",
    "description": "a device on Modbus TCP with one input",
    "body": {
        "device": "${1:name}",
        "driver": "modbus",
        "host": "${2:192.168.1.20}",
        "unit": 1,
        "stale": "300 ms",
        "inputs": {"${3:area.tag}": {"register": "input 0", "as": "float32", "initial": 0, "bad": "hold"}},
    },
}
NAMES: Shape = {"type": ["array", "object"], "propertyNames": {"pattern": r"^-?\d+$"}}


def io_map(drivers: Mapping[str, DriverFront]) -> Shape:
    """A file of `io_maps/` that names a device."""
    own: dict[str, Shape] = {
        "device": {"type": "string", "minLength": 1},
        "driver": {
            "enum": list(drivers),
            "enumDescriptions": [_about(front) for front in drivers.values()],
            "markdownEnumDescriptions": [_about(front) for front in drivers.values()],
        },
        "stale": duration(),
        "timeout": duration(),
        "suppress": {**value(BOOL), "pattern": value(BOOL)["pattern"] + r"|\{"},
        "inputs": {"type": ["object", "null"]},
        "outputs": {"type": ["object", "null"]},
        "text": text(),
        "description": text(),
        "for": counted(""),
    }
    top = {word: described(own.get(word, ANY), words.DEVICE.get(word, "")) for word in dict.fromkeys(("for", *DEVICE_WORDS))}
    return {
        "type": "object",
        "required": ["device", "driver"],
        "properties": top,
        "allOf": [
            *(
                {"if": {"required": ["driver"], "properties": {"driver": {"const": name}}}, "then": _device(name, front, top)}
                for name, front in drivers.items()
            ),
            {
                "if": {"required": ["outputs"], "properties": {"outputs": {"type": "object", "minProperties": 1}}},
                "then": {"required": ["timeout"]},
            },
            {
                "if": {"not": {"required": ["stale"]}},
                "then": {"properties": {"inputs": {"additionalProperties": {"required": ["stale"]}}}},
            },
        ],
        "defaultSnippets": [SNIPPET],
    }


def _about(front: DriverFront) -> str:
    return str(front.__doc__).split("\n", 1)[0]


def _device(name: str, front: DriverFront, top: Mapping[str, Shape]) -> Shape:
    """What a device of this driver may say: all words, with their sentences where the driver has one."""
    inputs = _points(name, _input_words(), shapes(name, front.INPUT_WORDS, INPUT), ["bad"], words.DEVICE["inputs"])
    outputs = _points(name, _output_words(), shapes(name, front.OUTPUT_WORDS, OUTPUT), ["safe"], words.DEVICE["outputs"])
    plain: dict[str, Shape] = {word: {} for word in top}  # their shapes and sentences stand above
    known = {**plain, **shapes(name, front.DEVICE_WORDS, DEVICE), "inputs": inputs, "outputs": outputs}
    return section(known, required=NEEDED.get(name, ()))


def _points(driver: str, own: dict[str, Shape], theirs: dict[str, Shape], required: list[str], sentence: str) -> Shape:
    point = section({**own, **theirs}, required=[*required, *NEEDED_OF_A_POINT.get(driver, ())])
    return {**named(point, sentence, TAG), "type": ["object", "null"]}


def _input_words() -> dict[str, Shape]:
    known: dict[str, Shape] = {
        "initial": MANY,
        "bad": {**PLAIN, "examples": ["hold"]},
        "text": text(),
        "type": type_word(""),
        "unit": unit_word(),
        "stale": duration(),
        "names": NAMES,
    }
    return {word: described(known.get(word, ANY), words.INPUT.get(word, "")) for word in INPUT_WORDS}


def _output_words() -> dict[str, Shape]:
    later = section({"value": MANY, "after": duration()}, required=["value"])
    safe = {**later, **MANY, "type": [*MANY["type"], "object"]}
    known: dict[str, Shape] = {
        "safe": safe,
        "text": text(),
        "type": type_word(""),
        "unit": unit_word(),
        "min": PLAIN,
        "max": PLAIN,
        "names": NAMES,
    }
    later_snippet = {"label": "{value: ..., after: ...}", "body": {"value": "${1:false}", "after": "${2:1 s}"}}
    known["safe"]["defaultSnippets"] = [later_snippet, {"label": "keep", "body": "keep"}]
    return {word: described(known.get(word, ANY), words.OUTPUT.get(word, "")) for word in OUTPUT_WORDS}
