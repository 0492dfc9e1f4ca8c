"""`constants: {racks: 4}` and `$racks`: where it may stand, what is computed, and where a mistake is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from runtime.language.places import filled
from runtime.language.repeat import _BRACES
from runtime.source import Text
from tests.aids.site_text import PlainScan, load_all, problems_of, said_about, texts

SITE = """constants: {racks: 3, p_rack: 250 kW, limit: 45 °C}
tasks:
  main: {interval: 10 ms, programs: [p]}
"""


def wrong(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(p.code, p.message) for p in problems_of(files) if p.severity == "error"]


def test_a_constant_may_stand_wherever_a_value_may() -> None:
    files = texts(
        "blocks:\n  n: {type: NEG, count: $racks, IN: 'rack[*].limit'}\n  lim: {type: LIMIT, MN: 0 kW, IN: hmi.p, MX: $p_rack}\n"
        "outputs: {x.each: 'n[*].OUT', x.p: lim.OUT}\n"
        "alarms: {hot: {of: x.t, H: $limit, severity: error, text: hotter than $limit}}",
        'x.each: {type: "LREAL[$racks]", unit: kW}\nx.p: {type: LREAL, unit: kW}\nx.t: {type: LREAL, unit: °C, write: operator}\n'
        "hmi.p: {type: LREAL, unit: kW, range: -$p_rack..$p_rack, default: $p_rack, write: operator}",
        io={
            "racks": "for: rack in 1..$racks\ndevice: rack{rack}\ndriver: fake\nstale: 1 s\ninputs:\n"
            "  rack[{rack}].limit: {at: l, type: LREAL, unit: kW, bad: hold}\n"
        },
        site=SITE,
    )
    site = load_all(files)
    assert len(site.devices) == 3
    assert site.schedule.tag("x.each").length == 3
    assert (site.schedule.tag("hmi.p").minimum, site.schedule.tag("hmi.p").default) == (-250.0, 250.0)
    assert next(alarm.text for alarm in site.schedule.alarms if alarm.name == "hot") == "hotter than 45 °C"
    assert site.constants == {"racks": "3", "p_rack": "250 kW", "limit": "45 °C"}
    scan = PlainScan(site.schedule)
    scan["hmi.p"] = 300.0
    scan.scan()
    assert scan["x.p"] == 250.0


def test_it_may_stand_in_a_function_block_too() -> None:
    block = "function_block: HALVED\ninputs: {IN: {type: LREAL, unit: kW}}\n"
    block += "blocks: {d: {type: MUL, A: IN, B: $part}}\noutputs: {OUT: d.OUT}"
    files = texts(
        "blocks: {h: {type: HALVED, IN: 10 kW}}\noutputs: {x.p: h.OUT}",
        "x.p: {type: LREAL, unit: kW}",
        site=SITE.replace("racks: 3", "part: 0.5"),
        halved=block,
    )
    scan = PlainScan(load_all(files).schedule)
    scan.scan()
    assert scan["x.p"] == 5.0


def test_a_block_of_another_site_may_need_constants_that_this_site_has_not() -> None:
    block = "function_block: SHARE\ninputs: {IN: {type: LREAL, unit: kW}}\n"
    block += "blocks: {d: {type: MUL, A: IN, B: $part}}\noutputs: {OUT: d.OUT}"
    unused = texts("", site=SITE, share=block)
    assert wrong(unused) == []
    used = texts(
        "blocks: {h: {type: SHARE, IN: 10 kW}}\noutputs: {x.p: h.OUT}", "x.p: {type: LREAL, unit: kW}", site=SITE, share=block
    )
    assert wrong(used) == [("E110", "no constant is named `$part`")]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("{a: 4, b: 256, c: '{$a * $b}'}", "1024"),
        ("{c: '{$a * $b}', a: 4, b: 256}", "1024"),  # in any order
        ("{a: 4, c: 'V_{1..$a}'}", "V_{1..4}"),  # a pattern of the driver is left as it is
        ("{a: 0x10, c: '{($a + 1) // 2}'}", "8"),
        ("{a: 250, c: '{$a * 2} kW'}", "500 kW"),
        ("{a: x, c: '$$a is $a'}", "$a is x"),
        ("{c: $RUN/can0}", "$RUN/can0"),  # in capitals: the runtime's
    ],
)
def test_a_constant_may_use_others_and_count(declared: str, expected: str) -> None:
    files = texts("", site=SITE.replace("{racks: 3, p_rack: 250 kW, limit: 45 °C}", declared))
    assert load_all(files).constants["c"] == expected


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("{a: $b, b: $a}", [("E110", "the constant `b` needs its own value")]),
        ("{a: $a}", [("E110", "the constant `a` needs its own value")]),
        ("{a: $racs, racks: 3}", [("E110", "no constant is named `$racs`")]),
        ("{Racks: 3}", [("E106", "`Racks` is no name for a constant")]),
        ("{racks: [3]}", [("E005", "the constant `racks` is a single value")]),
        ("{racks: }", [("E005", "the constant `racks` is a single value")]),
        ("{a: '{racks * 2}'}", [("E606", "`{racks * 2}`: there is no `racks`")]),
        ("{a: 250 kW, b: '{$a * 2}'}", [("E606", "`{250 kW * 2}`: this is no expression of whole numbers")]),
        ("{a: 0, b: '{1 // $a}'}", [("E606", "`{1 // 0}`: it divides by 0")]),
        ("3", [("E005", "`constants` is a section of `word: value` lines")]),
    ],
)
def test_a_declaration_that_means_nothing(declared: str, found: list[tuple[str, str]]) -> None:
    assert wrong(texts("", site=SITE.replace("{racks: 3, p_rack: 250 kW, limit: 45 °C}", declared))) == found


def test_a_name_that_is_no_constant_is_shown_with_what_was_meant(tmp_path: Path) -> None:
    said = said_about(texts("blocks: {n: {type: NEG, count: $rack, IN: 1}}", site=SITE), tmp_path)
    assert "programs/p.yaml:2:32: error[E110]: no constant is named `$rack`" in said
    assert "^^^^^ did you mean `$racks` or `$p_rack`?" in said
    assert "help: constants are declared at config/site.yaml:1" in said


def test_a_site_without_constants_is_told_how_to_declare_one() -> None:
    found = problems_of(texts("blocks: {n: {type: NEG, count: $racks, IN: 1}}"))
    assert found[0].help == ("the site declares them: `constants: {racks: 4}`",)


@pytest.mark.parametrize(
    ("line", "carets"),
    [
        ("IN: $p_rack + hmi.pp", "hmi.pp"),  # behind a constant that is longer than its name
        ("IN: hmi.pp + $p_rack", "hmi.pp"),
        ("IN: $racks + $p_rack * $racks + hmi.pp + $racks", "hmi.pp"),
        ('IN: "$racks + $racks * hmi.pp"', "hmi.pp"),
    ],
)
def test_a_caret_stands_under_what_the_engineer_wrote(line: str, carets: str, tmp_path: Path) -> None:
    files = texts(f"blocks:\n  n: {{type: NEG, {line}}}", "hmi.p: {type: LREAL, unit: kW, write: operator}", site=SITE)
    problem = next(p for p in problems_of(files) if p.code == "E101")
    text = files["programs/p.yaml"].splitlines()[problem.at.line - 1]
    assert text[problem.at.column - 1 :][: problem.at.width] == carets


def test_a_mistake_in_a_value_is_shown_under_its_name() -> None:
    files = texts("blocks: {n: {type: TON, IN: true, PT: $p_rack}}", site=SITE)
    problem = next(p for p in problems_of(files) if p.severity == "error")
    text = files["programs/p.yaml"].splitlines()[problem.at.line - 1]
    assert text[problem.at.column - 1 :][: problem.at.width] == "$p_rack"


def test_the_place_of_a_part_is_found_again_through_two_fillings() -> None:
    once: Any = filled(Text("a$x b{n}c"), re.compile(r"\$x"), lambda _: "LONG")
    twice: Any = filled(once, _BRACES, lambda _: "7")
    assert twice == "aLONG b7c"
    letters = {letter: once.back(*twice.back(twice.index(letter), 1)) for letter in "ab7c"}
    assert letters == {"a": (0, 1), "b": (4, 1), "7": (5, 3), "c": (8, 1)}
    assert once.back(*twice.back(1, 4)) == (1, 2)


@pytest.mark.parametrize(
    ("written", "default"),
    [("{$racks * 100} kW", 300.0), ("{($racks + 0x1) // 2 * 7} kW", 14.0), ("-{$racks} MW", -3000.0)],
)
def test_whole_numbers_are_computed_wherever_a_constant_may_stand(written: str, default: float) -> None:
    site = load_all(texts("", f'hmi.p: {{type: LREAL, unit: kW, default: "{written}", write: operator}}', site=SITE))
    assert site.schedule.tag("hmi.p").default == default


def test_braces_of_a_for_compute_with_constants_too() -> None:
    site = load_all(
        texts(
            "",
            'a.x{rack}: {for: "rack in 1..2", type: DINT, default: "{(rack - 1) * $racks + $racks}", write: operator}',
            site=SITE,
        )
    )
    assert [site.schedule.tag(f"a.x{i}").default for i in (1, 2)] == [3, 6]


def test_arithmetic_that_has_no_value_is_said() -> None:
    files = texts("", 'hmi.p: {type: LREAL, unit: kW, default: "{$racks / 2} kW", write: operator}', site=SITE)
    assert wrong(files) == [("E606", "`{3 / 2}`: `/` would leave the whole numbers")]


def test_a_constant_that_nobody_uses_is_no_mistake() -> None:
    assert wrong(texts("", site=SITE)) == []


def test_a_changed_constant_is_another_program() -> None:
    files = texts("", site=SITE)
    other = {**files, "config/site.yaml": files["config/site.yaml"].replace("racks: 3", "racks: 4")}
    assert load_all(files).schedule.digest != load_all(other).schedule.digest
