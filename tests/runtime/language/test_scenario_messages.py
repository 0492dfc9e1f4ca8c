"""Mistakes in tests of programs: each has its place, its caret, what was meant, and all of them are told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.language.scenario import DEEPEST
from tests.aids.program_tests import PROGRAM, files, read, said, steps, write

FIRST = "programs/p.test.yaml:3:"


def test_an_unknown_tag_is_named_with_the_one_that_was_meant_and_where_it_is(tmp_path: Path) -> None:
    assert said(tmp_path, steps("set: {bms.cel_v: 5 V}")) == (
        "programs/p.test.yaml:3:14: error[E101]: no tag named `bms.cel_v`\n"
        " 3 |     - {set: {bms.cel_v: 5 V}}\n"
        "   |              ^^^^^^^^^ did you mean `bms.cell_v`?\n"
        " = help: `bms.cell_v` is defined at io_maps/rack.yaml:8"
    )


def test_an_expectation_on_an_input_says_that_the_test_gives_it_itself(tmp_path: Path) -> None:
    text = said(tmp_path, steps("set: {bms.soc: 5 %}, expect: {bms.soc: 5 %}"))
    assert "error[E963]: `bms.soc` is an input: the test itself gives it" in text
    assert " 3 |     - {set: {bms.soc: 5 %}, expect: {bms.soc: 5 %}}\n   |                                      ^^^^^^^" in text


def test_time_that_goes_backwards_says_how_long_the_step_before_may_last(tmp_path: Path) -> None:
    text = said(
        tmp_path, steps("at: 1 s, expect: {door: open}", "within: 2 s, expect: {door: shut}", "at: 2.5 s, expect: {door: shut}")
    )
    assert text.startswith("programs/p.test.yaml:5:12: error[E962]: time goes backwards: the step before may last until 3 s")


@pytest.mark.parametrize(
    ("step", "message", "hint"),
    [
        ("set: {bms.soc: 5 kW}", "[E201]: `5 kW` does not fit `bms.soc`, which takes %", ""),
        ("set: {bms.soc: 5 kw}", "[E203]: no unit is written `kw`", "did you mean `kW`?"),
        ("set: {bms.ok: 5}", "[E202]: a BOOL is `true` or `false`", ""),
        ("set: {hmi.p: 5 kW}", "[E961]: `hmi.p` is no input: no device gives it", "`write:` commands it"),
        ("set: {site.v: 5 V}", "[E961]: `site.v` is no input", "the programs compute it: `expect:` looks at it"),
        ('set: {"bms.cell_v[5]": 5 V}', "[E208]: `bms.cell_v` has elements 1 to 4", ""),
        ("set: {bms.cell_v: [3 V, 4 V]}", "[E205]: `bms.cell_v` takes 4 values, not 2", ""),
        ("ramp: {bms.soc: 5 %}", "[E967]: a ramp is written `to 800 V in 2 s`", ""),
        ("ramp: {bms.ok: to 1 in 1 s}", "[E967]: `bms.ok` cannot rise in a straight line", "a BOOL steps"),
        ("ramp: {bms.soc: to 5 V in 1 s}", "[E201]: `5 V` does not fit `bms.soc`, which takes %", ""),
        ("ramp: {bms.soc: to 5 % in 1 kW}", "[E207]: `1 kW` is no duration", ""),
        ("write: {pcs.p: 5 kW}", "[E964]: nobody may write `pcs.p`", "a program writes it"),
        ("write: {hmi.p: 5 V}", "[E201]: `5 V` does not fit `hmi.p`, which takes kW", ""),
        (
            "write: {hmi.p: 5 kW}, as: operatr",
            "[E010]: `as` is one of viewer, operator, engineer, admin",
            "did you mean `operator`?",
        ),
        ("write: {hmi.p: 5 kW}, from: opc", "[E010]: `from` is one of hmi, opcua, modbus, rest, cli", ""),
        ("set: {bms.soc: 5 %}, as: admin", "[E965]: `as` belongs to `write`, and nothing is written", ""),
        ("set: {bms.soc: 5 %}, within: 1 s", "[E965]: `within` says when something is expected, and nothing is", ""),
        ("within: 1 s, during: 1 s, expect: {door: open}", "[E965]: a step has `within` or `during`, not both", ""),
        ("at: 1 s, after: 1 s, expect: {door: open}", "[E965]: a step has `at` or `after`, not both", ""),
        ("lose: rak", "[E969]: no device named `rak`", "did you mean `rack`?"),
        ("expect: {door: shutt}", "[E010]: `p.door` is never `shutt`", "did you mean `shut`?"),
        ("expect: {mode: HALT}", "[E010]: `p.mode` is never `HALT`", ""),
        ("expect: {bms.main: 1 V}", "[E202]: `bms.main` is a BOOL", "`true` or `false`"),
        ("expect: {pcs.p: 5 V}", "[E201]: `pcs.p` is in kW, not in V", ""),
        ("expect: {pcs.p: 5 kW ± 1 V}", "[E201]: `pcs.p` is in kW, not in V", ""),
        ("expect: {pcs.p: 5..1 kW}", "[E970]: the range ends below its start", "low..high"),
        ("expect: {pcs.p: 5 kW ± x}", "[E970]: `5 kW ± x` is no value with a tolerance", ""),
        ("expect: {ready.OKK: true}", "[E101]: no tag named `ready.OKK`", "did you mean `ready.OK`?"),
        ("expect: [bms.soc]", "[E966]: this is a value and no condition", ""),
        ("expect: [bms.soc > 5 V]", "[E201]: `bms.soc` is in %, not in V", ""),
        ("expect: [bms.soc > 5 % and 3 %]", "[E202]: `and` joins conditions, and this is a number", ""),
        ("expect: [bms.soc > 5 % after 2 s]", "[E401]", ""),
        ("expect: [rise(bms.ok)]", "[E966]: a condition of a test cannot use `rise`", ""),
        ("expect: [last bms.ok]", "[E966]: a condition of a test looks at one scan: it has no `last`", ""),
        ("expect: [door = shutt]", "[E010]: `p.door` is never `shutt`", "did you mean `shut`?"),
        ("raised: hott", "[E969]: no alarm named `hott`", "did you mean `hot`?"),
        ("raised: hot.L", "[E969]: the alarm `hot` has no limit `L`", "its limits are H, HH"),
        ("quiet: jam.H", "[E969]: the alarm `jam` has no limit `H`", "it has no limits"),
        ("tripped: {redy: bms.ok}", "[E969]: no interlock named `redy`", "did you mean `ready`?"),
        ("tripped: {ready: bms.okk}", "[E969]: `ready` has no permit `bms.okk`", "did you mean `bms.ok`"),
        ("tripped: {ready: 4}", "[E969]: `ready` has no permit `4`", ""),
        ("play: nothing.csv", "[E968]: the file nothing.csv cannot be read", ""),
        ("at: 1 s, expect: ", "[E965]: `expect` expects nothing", ""),
        ("at: 1 s, expect: {}", "[E965]: `expect` expects nothing", ""),
        ("at: 1 s, raised: []", "[E965]: `raised` expects nothing", ""),
        ("expects: {door: open}", "[E006]: `expects` is no word of a step", "did you mean `expect`?"),
    ],
)
def test_a_wrong_step_says_what_was_meant(tmp_path: Path, step: str, message: str, hint: str) -> None:
    text = said(tmp_path, steps(step))
    assert text.startswith(FIRST)
    assert message in text and hint in text
    assert "^" in text


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    tests = "given: {bms.okay: true}\nnever: [bms.soc > 1 V]\n" + steps("set: {bms.x: 1}", "expect: {door: shutt}")
    codes = [line.split("error[")[1][:4] for line in said(tmp_path, tests).splitlines() if "error[" in line]
    assert codes == ["E101", "E201", "E101", "E010"]


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("", "the first line of t.csv is no head"),
        ("time,bms.sock\n0,5\n", "no tag named `bms.sock`"),
        ("time,bms.soc [V]\n0,5\n", "[E201]: the column `bms.soc [V]` is not in %"),
        ("time,bms.soc\n1,5\n0,5\n", "[E962]: time goes backwards in line 3 of t.csv"),
        ("time,bms.soc\n0,much\n", "[E968]: line 2 of t.csv cannot be read: `much` is no value of bms.soc"),
        ("time,bms.soc\n0\n", "[E968]: line 2 of t.csv cannot be read"),
    ],
)
def test_a_time_series_that_cannot_be_read_says_where(tmp_path: Path, csv: str, message: str) -> None:
    assert message in said(tmp_path, steps("play: t.csv"), **{"t.csv": csv})


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        (steps("write: {hmi.p: 5 kW}", "at: 1 s"), "2:3: error[E965]: the test `t` expects nothing"),
        ("tests:\n  t: {steps: []}\n", "2:14: error[E965]: the test `t` has no step"),
        ("never: []\n" + steps("at: 1 s, expect: {door: open}"), "1:1: error[E965]: `never` expects nothing"),
    ],
)
def test_a_test_that_could_not_fail_is_a_mistake(tmp_path: Path, tests: str, message: str) -> None:
    assert said(tmp_path, tests).startswith(f"programs/p.test.yaml:{message}")


def test_a_guard_or_a_command_that_must_be_refused_is_something_expected(tmp_path: Path) -> None:
    assert said(tmp_path, "never: [door = jammed]\n" + steps("at: 1 s")) == ""
    assert said(tmp_path, steps("write: {hmi.p: 501 kW}, refused: true")) == ""


def test_a_condition_deeper_than_the_stack_is_a_mistake(tmp_path: Path) -> None:
    def nested(brackets: int) -> str:
        return steps(f"expect: ['{'bms.soc + 1 * (' * brackets}bms.soc{')' * brackets} > 5 %']")  # two wait at each, one inside

    assert said(tmp_path, nested(DEEPEST // 2 - 1)) == ""
    assert "[E966]: more than 64 values wait for each other here" in said(tmp_path, nested(DEEPEST // 2))


def test_rows_of_a_time_series_after_the_end_of_the_test_are_told(tmp_path: Path) -> None:
    csv = {"t.csv": "time,bms.soc\n0,5\n3,6\n"}
    text = said(tmp_path, steps("at: 1 s, play: t.csv", "at: 2 s, expect: {door: open}"), **csv)
    assert text.startswith("programs/p.test.yaml:3:17: warning[E968]: the test ends at 2 s, before the last row is given at 4 s")
    assert said(tmp_path, steps("at: 1 s, play: t.csv", "at: 4 s, expect: {door: open}"), **csv) == ""


def test_a_file_named_after_no_program_says_which_was_meant(tmp_path: Path) -> None:
    text = said(tmp_path, "", **{"programs/pp.test.yaml": steps("at: 1 s")})
    assert text.startswith("programs/pp.test.yaml: error[E960]: no program is named `pp`")


def test_a_file_for_a_program_that_this_site_does_not_run_is_left_out_with_a_note(tmp_path: Path) -> None:
    other = {"programs/q.yaml": "program: q\n", "programs/q.test.yaml": steps("set: {not.there: 1}")}
    _, found, report = read(tmp_path, steps("at: 1 s, expect: {door: open}"), more=other)
    assert not report.problems and len(found.tests) == 1
    assert found.notes == ("programs/q.test.yaml is left out: no task of this site runs the program q",)


def test_tests_stand_in_the_program_itself_too_and_check_takes_them_for_no_program(tmp_path: Path) -> None:
    _, found, report = read(tmp_path, "", PROGRAM + steps("at: 1 s, expect: {door: open}"))
    assert not report.problems and [test.full_name for test in found.tests] == ["p: t"]
    write(tmp_path, files(steps("at: 1 s")))
    from runtime.language import load_site
    from tests.aids.site_text import DRIVERS

    _, warnings = load_site(tmp_path / "config/site.yaml", DRIVERS)
    assert [w for w in warnings if "test" in w.message] == []
