"""Whatever the files hold, loading ends with a site or with problems that have places: never with an exception of another kind."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from runtime.language import load_text
from runtime.language.codes import CODES
from runtime.source import SiteError, render
from tests.aids.site_text import DRIVERS, problems_of, texts
from tests.aids.wrong_site import DOUBLER, OUTPUTS, RACK, TAGS, block, program
from tests.runtime.language.test_design_example import DISPATCH
from tests.runtime.language.test_design_example import RACK as DESIGN_RACK
from tests.runtime.language.test_design_example import SITE as DESIGN_SITE

FILES = {
    "config/site.yaml": DESIGN_SITE,
    "io_maps/rack1.yaml": DESIGN_RACK,
    "programs/dispatch.yaml": DISPATCH,
    "programs/dbl.yaml": DOUBLER,
}
BITS = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "'",
    '"',
    "\n",
    "  ",
    "last ",
    "not ",
    "*",
    "[*]",
    "[3]",
    "9" * 30,
    "kW",
    "and",
    "(",
    ")",
    "max(",
    "-",
    "%",
    "\t",
    "&a",
    "!x",
    "é",
    "\x00",
    "\ud800",
    "count: 0",
    "count: 999999999",
    "type: MUX",
    "..",
    "NaN",
    "<<",
    ".good",
    "#",
    "|",
    ">",
    "- ",
]


def mutated(rng: random.Random, text: str) -> str:
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = rng.randrange(len(text))
        end = place + rng.choice([0, 0, 1, 3, 20])
        words = text.split()
        text = text[:place] + rng.choice([rng.choice(BITS), rng.choice(words), ""]) + text[end:]
    return text


@pytest.mark.parametrize("seed", range(400))
def test_any_edit_gives_a_site_or_problems_with_places(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    files = dict(FILES)
    name = rng.choice([n for n in FILES if n != "programs/dbl.yaml"] + ["programs/dispatch.yaml"] * 2)
    files[name] = mutated(rng, files[name])
    try:
        _, problems = load_text(files, DRIVERS)
    except SiteError as error:
        problems = error.problems
        assert any(p.severity == "error" for p in problems)
    for problem in problems:
        assert problem.code in CODES or problem.code.startswith("E67")
        assert problem.at.file in files or problem.at.file.startswith(("programs/", "io_maps/"))
    render(problems, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "a: {type: NEG, count: -1, IN: 3}",
        "a: {type: NEG, count: x, IN: 3}",
        "a: {type: [NEG], IN: 3}",
        "a: {type: NEG, IN: [[1]]}",
        "a: []",
        "a:",
        "a: {}",
        "1a: {type: NEG, IN: 3}",
        "'': {type: NEG, IN: 3}",
        "a.b: {type: NEG, IN: 3}",
        "a: {type: MUX, K: 0, IN: []}",
        "a: {type: NEG, IN: ''}",
        "a: {type: NEG, IN: last a.OUT}",
        "a: {type: MUX, K: 0, IN: [last a.OUT]}",
        "a: {type: MOVE, IN: last b.OUT}\n  b: {type: MOVE, IN: last a.OUT}",
        "a: {type: MUX, K: 0, IN: last b.BLEED}\n  b: {type: CELL_BALANCING, V: bms.cell_v, I: 1 A}",
        "a: {type: NEG, IN: 'bms.cell_v[99999999999999999999]'}",
        "a: {type: NEG, IN: '((((1))))'}",
        "a: {type: NEG, IN: last bms.soc}",
        "a: {type: ADD, A: 1, B: 2, A3: 3}",
        "modes: {type: NEG, IN: 3}",
        "a: {type: LAG, IN: bms.soc.good, T: 1 s}",
        "a: {type: NEG, IN: plc.scan.good}",
        "a: {type: NEG, IN: 1 .. 2}",
        "a: {type: UNIT, IN: bms.soc, K: 2}",
    ],
)
def test_odd_lines_are_loaded_or_reported(line: str) -> None:
    assert all(problem.code in CODES for problem in problems_of(block(line)))


def test_all_mistakes_of_all_files_come_in_one_go() -> None:
    files = texts(
        f"blocks:\n  a: {{type: NEGG, IN: 3}}\n{OUTPUTS}",
        TAGS + "bad: {type: BOOL}",
        io={"rack": RACK.replace("bad: hold", "bad: hold, foo: 1", 1)},
    )
    files["config/site.yaml"] += "wachdog: 3\n"
    assert {(p.code, p.at.file) for p in problems_of(files)} == {
        ("E006", "config/site.yaml"),
        ("E106", "config/site.yaml"),
        ("E006", "io_maps/rack.yaml"),
        ("E102", "programs/p.yaml"),
    }


def test_one_mistake_is_reported_once_however_often_it_is_used() -> None:
    text = "blocks:\n  a: {type: NEG, IN: bms.socc}\n  b: {type: NEG, IN: a.OUT}\n  c: {type: ADD, A: b.OUT, B: a.OUT}\n"
    text += "outputs: {bms.main: c.OUT > 3, pcs.p_cmd: c.OUT * 1 kW}\n"
    assert [p.code for p in problems_of(program(text)) if p.severity == "error"] == ["E101"]


def test_a_broken_tag_does_not_make_its_readers_wrong() -> None:
    files = texts("outputs: {bms.main: bms.ok, pcs.p_cmd: 1 kW * hmi.y}\n", "hmi.y: {type: FLOAT}", io={"rack": RACK})
    assert [p.code for p in problems_of(files) if p.severity == "error"] == ["E202"]


def test_every_code_that_is_used_is_in_the_table_and_has_its_message_tested() -> None:
    here = Path(__file__).parent
    office = here.parents[2] / "runtime" / "language"
    own = {code for code in CODES if code[1] != "9" and not "E650" <= code < "E700"}  # drivers' and servers' are tested with them
    used = set()
    for path in office.glob("*.py"):
        if path.name != "codes.py":
            text = path.read_text()
            used |= {code for code in own if f'"{code}"' in text}
    assert used == own
    said = "".join(path.read_text() for path in here.glob("test_messages_*.py"))
    assert {code for code in own if f"[{code}]" not in said} == set()


def test_a_deep_chain_of_blocks_loads() -> None:
    lines = ["  b0: {type: NEG, IN: hmi.x}"] + [
        f"  b{i}: {{type: {'NEG' if i % 2 else 'ABS'}, IN: b{i - 1}.OUT}}" for i in range(1, 3000)
    ]
    found = problems_of(program("blocks:\n" + "\n".join(reversed(lines)) + "\n" + OUTPUTS))
    assert [p for p in found if p.severity == "error"] == []


def test_function_blocks_inside_each_other_are_limited_by_recursion_only_when_they_are() -> None:
    library = {f"l{i}": DOUBLER.replace("DBL", f"L{i}").replace("ADD, A: IN, B: IN", f"L{i + 1}, IN: IN") for i in range(30)}
    library["l30"] = DOUBLER.replace("DBL", "L30")
    found = problems_of(block("a: {type: L0, IN: 3 kW}", **library))
    assert [p for p in found if p.severity == "error"] == []
