"""The JSON Schema of the tests of programs: `tests:` in a program, and `programs/NAME.test.yaml`. It must not know tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runtime.language.scenario_steps import ACTS, HOPES, SERVICES, STEP_WORDS, TIMES
from runtime.language.scenarios import FILE_WORDS, TEST_WORDS
from runtime.model import ROLES
from runtime.schema_values import ANY, Shape, choice, described, duration, list_of, section, text, truth

FILE: Mapping[str, str] = {
    "description": "One sentence about what is tested.",
    "needs": "What the site must have, by its constants: `$racks >= 2`. Another site leaves the tests out.",
    "given": "The inputs at the start of every test: `bms.ok: true`.",
    "always": "Conditions that hold in every scan of every test.",
    "never": "Conditions that hold in no scan of any test.",
    "openings": "Lists of steps by name, that tests or other openings begin with: `- {begin: closed}`.",
    "tests": "The tests by name, each a list of steps.",
}
TEST: Mapping[str, str] = {
    **FILE,
    "given": "The inputs at the start of this test.",
    "clock": "The wall clock at the start: `2026-06-01T12:00:00Z`.",
    "steps": "What happens, and what is expected, in the order of time.",
}
STEP: Mapping[str, str] = {
    "begin": "The opening whose steps come first; `at` counts from its beginning. Alone, and the first step.",
    "at": "When the step begins, counted from the start of the test.",
    "after": "When it begins, counted from the end of the step before.",
    "set": "Inputs that change at once: `bms.soc: 80 %`.",
    "ramp": "Inputs that move: `pcs.v_dc: to 800 V in 1 s`.",
    "play": "A CSV file of times and inputs.",
    "write": "What somebody writes: `hmi.close: true`.",
    "as": "The role of who writes (default operator).",
    "from": "The service that the write comes through (default hmi).",
    "refused": "`true`: the write must be refused.",
    "lose": "Devices that stop answering.",
    "silence": "Devices that are there and send nothing new.",
    "restore": "Devices that are back.",
    "expect": "Values, names of modes and steps, or conditions.",
    "raised": "Alarms that are active.",
    "quiet": "Alarms that are not.",
    "tripped": "The permits that opened an interlock.",
    "within": "The latest time at which what is expected has come true.",
    "during": "How long what is expected holds, in every scan.",
}
LISTED = (*(word for word in ACTS if word not in ("set", "ramp", "write", "play")), *(word for word in HOPES if word == "quiet"))
OBJECT: Shape = {"type": "object"}
NEEDS = list_of({"type": "string"})


def tests_of_a_file() -> Shape:
    """A file of tests."""
    openings = {"type": "object", "additionalProperties": {"type": "array", "items": _step(), "minItems": 1}}
    shapes: dict[str, Shape] = {
        "description": text(),
        "needs": NEEDS,
        "given": OBJECT,
        "openings": openings,
        "tests": named_tests(),
    }
    return section(_described(FILE_WORDS, shapes, FILE), required=["tests"])


def named_tests() -> Shape:
    """`tests:`: a name, and its steps alone or with words of the test's own."""
    steps = {"type": "array", "items": _step()}
    shapes: dict[str, Shape] = {"description": text(), "needs": NEEDS, "given": OBJECT, "clock": text(), "steps": steps}
    test = section(_described(TEST_WORDS, shapes, TEST))
    one = {**test, "type": ["array", "object"], "items": steps["items"]}  # a list of steps alone is a test too
    return {"type": "object", "additionalProperties": one}


def _step() -> Shape:
    shapes: dict[str, Shape] = {
        **dict.fromkeys((*TIMES, "within", "during"), duration()),
        **dict.fromkeys(("set", "ramp", "write"), OBJECT),
        **dict.fromkeys(LISTED, list_of({"type": "string"})),
        "begin": text(),
        "as": choice(ROLES),
        "from": choice(SERVICES),
        "refused": truth(),
    }
    both = [{"not": {"required": pair}} for pair in (list(TIMES), ["within", "during"])]
    return section(_described(STEP_WORDS, shapes, STEP), allOf=both)


def _described(words: Iterable[str], shapes: Mapping[str, Shape], sentences: Mapping[str, str]) -> dict[str, Shape]:
    return {word: described(shapes.get(word, ANY), sentences.get(word, "")) for word in words}
