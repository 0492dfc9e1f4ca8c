"""The JSON Schema of a site's file: tasks, tags, channels, watchdog, servers. It must not know programs or devices."""

from __future__ import annotations

from collections.abc import Iterable

from runtime import schema_words as words
from runtime.language.references import RUNTIME_WORDS
from runtime.language.site_words import SITE_WORDS, TASK_WORDS
from runtime.language.tags import TAG_WORDS
from runtime.model import ROLES
from runtime.schema_io import MANY, NAMES
from runtime.schema_program import type_word
from runtime.schema_servers import servers
from runtime.schema_values import (
    ANY,
    NUMBER,
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
    truth,
    unit_word,
    whole,
)

RANGE = rf"^\s*{NUMBER}(?:\s*[^\s\d.]\S*?)?\s*\.\.\s*{NUMBER}(?:\s*[^\s\d.]\S*)?\s*$"
CONSTANT = r"^[a-z][a-z0-9_]*$"
WATCHDOG = {"overruns": whole(0, 999_999_999), "then": choice(("run", "safe")), "heartbeat": duration(zero=False)}


def site(io_maps: Iterable[str] = (), programs: Iterable[str] = ()) -> Shape:
    """A site's file. `io_maps` and `programs` are the names of the files that are there, for completion."""
    tags: Shape = {"type": "string", "pattern": TAG, "patternErrorMessage": "a tag is `area.thing`"}
    shapes: dict[str, Shape] = {
        "site": text(),
        "description": text(),
        "include": list_of({"type": "string", "examples": ["config/common.yaml"]}),
        "constants": {**named(text(), names=CONSTANT), "type": ["object", "null"]},
        "tasks": {**_tasks(programs), "minProperties": 1},
        "io": list_of({"type": "string", "examples": sorted(io_maps)}),
        "tags": {**named(_tag(), names=TAG), "type": ["object", "null"]},
        "libraries": list_of({"type": "string"}),
        "channels": named(_channel(), names=r"\S"),
        "watchdog": section({word: described(shape, words.WATCHDOG[word]) for word, shape in WATCHDOG.items()}),
        "servers": servers(),
        "authority": tags,
        "overview": list_of(tags),
        "runtime": section({word: described(tags, words.SITE_RUNTIME[word]) for word in RUNTIME_WORDS}),
    }
    return {
        **section({word: described(shapes.get(word, ANY), words.SITE.get(word, "")) for word in SITE_WORDS}),
        # a file that includes others has its tasks from them; one of constants alone is there to be included
        "if": {"not": {"anyOf": [{"required": ["include"]}, {"propertyNames": {"enum": ["description", "constants"]}}]}},
        "then": {"required": ["tasks"]},
        "defaultSnippets": [
            {
                "label": "site",
                "description": "a site with one task",
                "body": {"site": "${1:name}", "tasks": {"control": {"interval": "50 ms", "programs": ["${2:program}"]}}, "io": []},
            }
        ],
    }


def _tasks(programs: Iterable[str]) -> Shape:
    known: dict[str, Shape] = {
        "interval": duration(zero=False),
        "phase": duration(),
        "programs": list_of({"type": "string", "examples": sorted(programs)}),
        "text": text(),
    }
    task = section({word: described(known.get(word, ANY), words.TASK.get(word, "")) for word in TASK_WORDS}, required=["interval"])
    task["defaultSnippets"] = [{"label": "task", "body": {"interval": "${1:50 ms}", "programs": ["${2:program}"]}}]
    return named(task)


def _channel() -> Shape:
    """A CAN bus: its interface's own options go to python-can as they are."""
    known: dict[str, Shape] = {
        "interface": {"type": "string", "examples": ["socketcan", "slcan", "pcan", "kvaser", "vector", "ixxat", "virtual"]},
        "channel": text(),
        "bitrate": {
            "type": ["string", "number"],
            "pattern": r"^\s*\d+(?:\.\d+)?\s*(?:bit/s|kbit/s|Mbit/s)?\s*$",
            "patternErrorMessage": "a bit rate such as `500 kbit/s`",
        },
    }
    properties = {"for": counted(words.FOR), **{word: described(shape, words.CHANNEL[word]) for word, shape in known.items()}}
    return {"type": "object", "properties": properties, "required": ["interface"]}


def _tag() -> Shape:
    known: dict[str, Shape] = {
        "type": type_word(""),
        "unit": unit_word(),
        "range": {"type": "string", "pattern": RANGE, "patternErrorMessage": "a range is written `low..high`, such as `-500..500`"},
        "default": MANY,
        "retain": truth(),
        "write": choice(ROLES[1:]),
        "text": text(),
        "pulse": truth(),
        "names": NAMES,
    }
    shape = section(
        {"for": counted(words.FOR), **{word: described(known.get(word, ANY), words.TAG.get(word, "")) for word in TAG_WORDS}},
        required=["type"],
    )
    is_pulse = {"required": ["pulse"], "properties": {"pulse": {"const": True}}}
    shape |= {
        "if": is_pulse,
        "then": {"required": ["write"], "properties": {"type": {"const": "BOOL"}, "retain": {"const": False}}},
        "defaultSnippets": [
            {"label": "setpoint", "body": {"type": "LREAL", "unit": "kW", "range": "-500..500", "default": 0, "write": "operator"}},
            {"label": "command", "body": {"type": "BOOL", "pulse": True, "write": "operator", "text": "${1}"}},
            {"label": "shared", "body": {"type": "${1:BOOL}", "default": "${2:false}", "text": "${3}"}},
        ],
    }
    return shape
