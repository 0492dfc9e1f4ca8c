"""The JSON Schema of a program, and of a function block written in YAML. It must not know devices or servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from blocks.declare import BOOL, LREAL, TIME, TYPES, BlockType
from runtime import schema_words as words
from runtime.language import function_blocks
from runtime.language.alarm_words import ERROR_ID, KINDS, SOURCES, Kind
from runtime.language.program import PROGRAM_WORDS
from runtime.language.sequences import STEP_WORDS
from runtime.model import SEVERITIES
from runtime.schema_blocks import instance
from runtime.schema_tests import named_tests
from runtime.schema_values import (
    ANY,
    NAME,
    NAMES_OF_MANY,
    TAG,
    Shape,
    choice,
    counted,
    described,
    duration,
    list_of,
    named,
    section,
    text,
    unit_word,
    value,
)

TYPE_PATTERN = rf"^\s*(?:{'|'.join(TYPES)})\s*(?:\[\s*\d+\s*\])?\s*$"
ANYTHING: Shape = {"type": ["string", "number", "boolean"], "pattern": value(LREAL, "{ANY}")["pattern"]}


def type_word(description: str) -> Shape:
    """`LREAL`, or an array such as `LREAL[16]`."""
    shape = {
        "type": "string",
        "pattern": TYPE_PATTERN,
        "patternErrorMessage": f"one of {', '.join(TYPES)}, or an array such as LREAL[16]",
        "examples": [*TYPES, "LREAL[16]"],
    }
    return described(shape, description)


def program(
    blocks: Iterable[BlockType], defined: Mapping[str, Shape], tags: Sequence[str] = (), outputs: Sequence[str] = ()
) -> Shape:
    """A file of `programs/`: a program, or a function block. `tags` and `outputs`, which it may write, complete."""
    shapes = {
        "program": described({"type": "string", "pattern": NAME}, words.PROGRAM["program"]),
        "function_block": described({"type": "string", "pattern": NAME}, words.FUNCTION_BLOCK["function_block"]),
        "description": text(words.PROGRAM["description"]),
        "blocks": _blocks(blocks, defined),
        "modes": _modes(),
        "sequences": _sequences(outputs),
        "alarms": _alarms(tags),
        "inputs": _inputs(),
        "outputs": _outputs(outputs),
        "tests": described(named_tests(), words.PROGRAM["tests"]),
    }
    known = {word: shapes.get(word, described(ANY, words.PROGRAM.get(word, ""))) for word in PROGRAM_WORDS}
    own = {word: shapes[word] for word in function_blocks.WORDS}
    return {
        "type": "object",
        "properties": {**known, **own},
        "additionalProperties": False,
        "if": {"required": ["function_block"]},
        "then": {"properties": {word: False for word in known if word not in own}},
        "else": {"required": ["program"], "properties": {word: False for word in own if word not in known}},
        "defaultSnippets": [
            {
                "label": "program",
                "description": "a program with one block and one output",
                "body": {
                    "program": "${1:name}",
                    "description": "${2:what it does}",
                    "blocks": {"${3:instance}": {"type": "${4:TON}"}},
                    "outputs": {"${5:area.tag}": "${3:instance}.${6:Q}"},
                },
            }
        ],
    }


def _blocks(blocks: Iterable[BlockType], defined: Mapping[str, Shape]) -> Shape:
    return named(instance(blocks, defined), words.PROGRAM["blocks"])


def _modes() -> Shape:
    row = {
        "type": "object",
        "properties": {"when": described(value(BOOL), "The mode holds where this is true; the last mode has none.")},
        "additionalProperties": ANYTHING,
    }
    return named(row, words.PROGRAM["modes"])


def _sequences(outputs: Sequence[str]) -> Shape:
    tag: Shape = {"type": "string", "pattern": TAG, "patternErrorMessage": "a BOOL tag: `bms.main`", **_examples(outputs)}
    known = {
        "do": list_of(tag, words.STEP["do"]),
        "goto": named(value(BOOL), words.STEP["goto"]),
        "text": text(words.STEP["text"]),
    }
    step = section({word: known.get(word, described(ANY, words.STEP.get(word, ""))) for word in STEP_WORDS})
    step["defaultSnippets"] = [{"label": "step", "body": {"do": ["${1:area.output}"], "goto": {"${2:next}": "${3:after 1 s}"}}}]
    many = {"if": {"type": "string"}, "then": counted(words.FOR), "else": step}  # a step may be named `for`
    sequence = {**named(step), "properties": {"for": many}, "minProperties": 1}
    return named(sequence, words.PROGRAM["sequences"], NAMES_OF_MANY)


def _alarms(tags: Sequence[str]) -> Shape:
    times = {word: described(value(TIME, low=0), words.ALARM[word]) for word in ("delay", "off_delay", "settle")}
    known = {
        **{word: described(ANYTHING, words.ALARM[word]) for kind in KINDS for word in kind.pins if word not in times},
        **{word: described({**ANYTHING, **_examples(tags)}, words.ALARM[word]) for word in ("of", "setpoint")},
        "when": described(value(BOOL), words.ALARM["when"]),
        **times,
        "filter": described(value(LREAL, "s", low=0), words.ALARM["filter"]),
        **{word: described(value(BOOL), words.ALARM[word]) for word in ("latch", "suppress")},
        "severity": _severity(),
        "shelve": described({"anyOf": [duration(), choice(["never"])], "default": "8 h"}, words.ALARM["shelve"]),
        "id": text(words.ALARM["id"], pattern=ERROR_ID.pattern.replace(r"\Z", "$"), examples=["ERR_COMM_LOST"]),
        "source": choice(SOURCES, words.ALARM["source"]),
        "text": text(words.ALARM["text"]),
    }
    alarm = section({"for": counted(words.FOR), **known}) | {
        "oneOf": [_kind(kind, known) for kind in KINDS],
        "defaultSnippets": [
            {"label": "limit", "body": {"of": "${1:tag}", "HH": "${2:55 °C}", "delay": "1 s", "severity": "error", "text": "${3}"}},
            {"label": "deviation", "body": {"of": "${1:tag}", "setpoint": "${2:tag}", "deviation": "${3:10 kW}", "settle": "2 s"}},
            {"label": "rate", "body": {"of": "${1:tag}", "rise": "${2:0.1 K/s}", "filter": "30 s", "text": "${3}"}},
            {"label": "condition", "body": {"when": "${1:tag}", "severity": "warning", "text": "${2}"}},
        ],
    }
    return named(alarm, words.PROGRAM["alarms"], NAMES_OF_MANY)


def _severity() -> Shape:
    limits = [limit for kind in KINDS for limit in kind.limits if limit]
    each = section({limit: choice(SEVERITIES, f"The severity of {limit}.") for limit in limits})
    return described({"anyOf": [choice(SEVERITIES), each], "default": SEVERITIES[0]}, words.ALARM["severity"])


def _kind(kind: Kind, known: Iterable[str]) -> Shape:
    """One kind of alarm: what it needs, and the words of the others that it has not."""
    given = [{"required": [word]} for word, _ in kind.limits.values()]
    return {
        "required": ["when" if "when" in kind.pins else "of", *kind.needs],
        "anyOf": given,
        "properties": {word: False for word in known if word not in kind.words},
    }


def _inputs() -> Shape:
    known = {
        "type": type_word(words.FUNCTION_BLOCK_INPUT["type"]),
        "unit": unit_word(words.FUNCTION_BLOCK_INPUT["unit"]),
        "default": described(ANYTHING, words.FUNCTION_BLOCK_INPUT["default"]),
        "text": text(words.FUNCTION_BLOCK_INPUT["text"]),
    }
    return named(
        section({word: known.get(word, {}) for word in function_blocks.INPUT_WORDS}, required=["type"]),
        words.FUNCTION_BLOCK["inputs"],
    )


def _examples(tags: Sequence[str]) -> Shape:
    """What an editor offers besides what the shape takes."""
    return {"examples": list(tags)} if tags else {}


def _outputs(tags: Sequence[str]) -> Shape:
    shape: Shape = {"type": "object", "additionalProperties": {**ANYTHING, "type": [*ANYTHING["type"], "array"]}}
    if tags:  # for completion: others are taken as well
        shape["properties"] = {tag: dict(shape["additionalProperties"]) for tag in tags}
    return described(shape, words.PROGRAM["outputs"])
