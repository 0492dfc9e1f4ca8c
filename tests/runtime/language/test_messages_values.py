"""What the checker says about units, types and ranges, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.language import load_text
from runtime.source import SiteError
from tests.aids.site_text import said_about, texts
from tests.aids.wrong_site import block

CASES = {
    "a unit of another kind on a wire": (
        block("g: {type: FREQ_DROOP, F: 50 Hz, P_SET: bms.soc, P_RATED: 10 kW}"),
        """\
programs/p.yaml:3:42: error[E201]: `bms.soc` is in %, and `P_SET` of FREQ_DROOP takes kW
 3 |   g: {type: FREQ_DROOP, F: 50 Hz, P_SET: bms.soc, P_RATED: 10 kW}
   |                                          ^^^^^^^
""",
    ),
    "a unit of another kind in a number": (
        block("g: {type: FREQ_DROOP, F: 50 Hz, P_RATED: 10 V}"),
        """\
programs/p.yaml:3:44: error[E201]: `10 V` does not fit `P_RATED` of FREQ_DROOP, which takes kW
 3 |   g: {type: FREQ_DROOP, F: 50 Hz, P_RATED: 10 V}
   |                                            ^^^^
""",
    ),
    "a number without unit on a wire": (
        block("g: {type: FREQ_DROOP, F: 50 Hz, P_SET: hmi.x, P_RATED: 10 kW}"),
        """\
programs/p.yaml:3:42: error[E201]: `hmi.x` has no unit, and `P_SET` of FREQ_DROOP takes kW
 3 |   g: {type: FREQ_DROOP, F: 50 Hz, P_SET: hmi.x, P_RATED: 10 kW}
   |                                          ^^^^^
 = help: give the tag its `unit`, or multiply by one: `... * 1 kW`
""",
    ),
    "a unit where a number belongs": (
        block("a: {type: SQRT, IN: hmi.p_set}"),
        """\
programs/p.yaml:3:23: error[E201]: `hmi.p_set` is in kW, and `IN` of SQRT takes a plain number
 3 |   a: {type: SQRT, IN: hmi.p_set}
   |                       ^^^^^^^^^
 = help: divide by one to take the unit off: `... / 1 kW`
""",
    ),
    "a comparison of two kinds": (
        block("a: {type: NOT, IN: bms.soc > 5 kW}"),
        """\
programs/p.yaml:3:32: error[E201]: `5 kW` does not fit `IN2` of GT, which takes %
 3 |   a: {type: NOT, IN: bms.soc > 5 kW}
   |                                ^^^^
""",
    ),
    "active and reactive power": (
        texts("outputs: {q.v: p.v}", "p.v: {type: LREAL, unit: kW, write: operator}\nq.v: {type: LREAL, unit: kvar}"),
        """\
programs/p.yaml:2:16: error[E201]: `p.v` is in kW, and the tag `q.v` takes kvar
 2 | outputs: {q.v: p.v}
   |                ^^^
""",
    ),
    "a unit that does not exist": (
        block("a: {type: LAG, IN: hmi.x, T: 5 sec}"),
        """\
programs/p.yaml:3:34: error[E203]: no unit is written `sec`
 3 |   a: {type: LAG, IN: hmi.x, T: 5 sec}
   |                                  ^^^
""",
    ),
    "a unit in the wrong case": (
        block("g: {type: FREQ_DROOP, F: 50 Hz, P_RATED: 10 kw}"),
        """\
programs/p.yaml:3:47: error[E203]: no unit is written `kw`
 3 |   g: {type: FREQ_DROOP, F: 50 Hz, P_RATED: 10 kw}
   |                                               ^^ did you mean `kW`?
""",
    ),
    "a number where a truth belongs": (
        block("t: {type: TON, IN: bms.soc, PT: 5 s}"),
        """\
programs/p.yaml:3:22: error[E202]: `bms.soc` is an LREAL, and `IN` of TON takes BOOL
 3 |   t: {type: TON, IN: bms.soc, PT: 5 s}
   |                      ^^^^^^^ compare it: `... > 0`, `... <> 0`
""",
    ),
    "not before a comparison": (
        block("t: {type: TON, IN: not hmi.n = 3, PT: 5 s}"),
        """\
programs/p.yaml:3:26: error[E202]: `hmi.n` is a DINT, and `IN` of NOT takes BOOL
 3 |   t: {type: TON, IN: not hmi.n = 3, PT: 5 s}
   |                          ^^^^^ `not` comes before a comparison: `not (... = ...)`
""",
    ),
    "a LINT with a DINT": (
        block("a: {type: ADD, A: hmi.big, B: hmi.n}"),
        """\
programs/p.yaml:3:33: error[E202]: `hmi.n` is a DINT, and `B` of ADD takes LINT
 3 |   a: {type: ADD, A: hmi.big, B: hmi.n}
   |                                 ^^^^^ `to_lint(...)` converts it
""",
    ),
    "a TIME as a number": (
        block("a: {type: LAG, IN: hmi.t, T: 1 s}"),
        """\
programs/p.yaml:3:22: error[E202]: `hmi.t` is a TIME, and `IN` of LAG takes LREAL
 3 |   a: {type: LAG, IN: hmi.t, T: 1 s}
   |                      ^^^^^ `to_seconds(...)` converts it
""",
    ),
    "an LREAL into a DINT": (
        texts("outputs: {y.n: x.r}", "x.r: {type: LREAL, write: operator}\ny.n: {type: DINT}"),
        """\
programs/p.yaml:2:16: error[E202]: `x.r` is an LREAL, and the tag `y.n` takes DINT
 2 | outputs: {y.n: x.r}
   |                ^^^ `to_dint(...)` converts it
""",
    ),
    "a fraction into a DINT": (
        texts("outputs: {y.n: 2.5}", "y.n: {type: DINT}"),
        """\
programs/p.yaml:2:16: error[E202]: 2.5 is no whole number, and the tag `y.n` is a DINT
 2 | outputs: {y.n: 2.5}
   |                ^^^ a DINT has no fraction
""",
    ),
    "a type that does not exist": (
        texts("", "y.n: {type: REAL}"),
        """\
config/site.yaml:4:15: error[E202]: `REAL` is no type of a wire
 4 |   y.n: {type: REAL}
   |               ^^^^ did you mean `LREAL`?
 = help: the types are BOOL, DINT, LINT, TIME, LREAL, and arrays such as `LREAL[16]`
""",
    ),
    "a value below a pin's range": (
        block("t: {type: TON, IN: bms.ok, PT: -5 s}"),
        """\
programs/p.yaml:3:34: error[E204]: `-5 s` is out of range: `PT` of TON takes at least 0
 3 |   t: {type: TON, IN: bms.ok, PT: -5 s}
   |                                  ^^^^
""",
    ),
    "a default outside its range": (
        texts("", "hmi.r: {type: LREAL, unit: kW, range: -5..5, default: 7 kW, write: operator}"),
        """\
config/site.yaml:4:57: error[E204]: 7 kW is outside the range -5..5 of `hmi.r`
 4 |   hmi.r: {type: LREAL, unit: kW, range: -5..5, default: 7 kW, write: operator}
   |                                                         ^^^^
""",
    ),
    "a range that ends below its start": (
        texts("", "hmi.r: {type: LREAL, range: 5..3, write: operator}"),
        """\
config/site.yaml:4:31: error[E204]: the range ends below its start
 4 |   hmi.r: {type: LREAL, range: 5..3, write: operator}
   |                               ^^^^ low..high
""",
    ),
    "two lengths": (
        block("f:\n    type: NEG\n    count: 3\n    IN: bms.cell_v[*]"),
        """\
programs/p.yaml:6:9: error[E205]: `IN` of NEG takes one value for each of its 3 instances, and this brings 4
 6 |     IN: bms.cell_v[*]
   |         ^^^^^^^^^^^^^
""",
    ),
    "an array into one value": (
        block("f: {type: NEG, IN: bms.cell_v}"),
        """\
programs/p.yaml:3:22: error[E205]: `IN` of NEG takes one value, and this brings 4
 3 |   f: {type: NEG, IN: bms.cell_v}
   |                      ^^^^^^^^^^ `tag[1]` is its first element
""",
    ),
    "a list that is too long": (
        texts("outputs: {y.v: [1, 2, 3]}", 'y.v: {type: "LREAL[2]"}'),
        """\
programs/p.yaml:2:16: error[E205]: `y.v` has 2 elements, and this brings 3
 2 | outputs: {y.v: [1, 2, 3]}
   |                ^
""",
    ),
    "a number beyond an LREAL": (
        block("f: {type: NEG, IN: 1e999}"),
        """\
programs/p.yaml:3:22: error[E206]: `1e999` is beyond what an LREAL holds
 3 |   f: {type: NEG, IN: 1e999}
   |                      ^^^^^
""",
    ),
    "not a number": (
        block("f: {type: NEG, IN: nan}"),
        """\
programs/p.yaml:3:22: error[E206]: `nan` is not finite
 3 |   f: {type: NEG, IN: nan}
   |                      ^^^
""",
    ),
    "a time without its unit": (
        block("t: {type: TON, IN: bms.ok, PT: 5}"),
        """\
programs/p.yaml:3:34: error[E207]: a TIME is written with its unit, and `PT` of TON is a TIME
 3 |   t: {type: TON, IN: bms.ok, PT: 5}
   |                                  ^ `5 s`?
""",
    ),
    "an element that does not exist": (
        block("f:\n    type: NEG\n    IN: bms.cell_v[7]"),
        """\
programs/p.yaml:5:19: error[E208]: `bms.cell_v` has elements 1 to 4, not 7
 5 |     IN: bms.cell_v[7]
   |                   ^^^
""",
    ),
    "an element of what is no array": (
        block("f:\n    type: NEG\n    IN: bms.soc[1]"),
        """\
programs/p.yaml:5:16: error[E208]: `bms.soc` is no array
 5 |     IN: bms.soc[1]
   |                ^^^
""",
    ),
    "a word of YAML for a truth": (
        block("f: {type: NOT, IN: yes}"),
        """\
programs/p.yaml:3:22: error[E010]: `yes` is no value here
 3 |   f: {type: NOT, IN: yes}
   |                      ^^^ write `true`
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_reads(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert said_about(files, tmp_path) + "\n" == expected


def test_a_second_mistake_on_the_same_block_is_said_too():
    files = {
        "config/site.yaml": "tasks: {t: {interval: 10 ms, programs: [p]}}\n"
        "tags:\n  x.soc: {type: LREAL, unit: '%', write: operator, text: SoC}\n",
        "programs/p.yaml": "program: p\nblocks:\n  c: {type: CHARGE_LIMITER, SOC: x.sok, V_CELL: 3.3 V, P_RATED: 230 V}\n",
    }
    with pytest.raises(SiteError) as raised:
        load_text(files, {})
    assert [p.code for p in raised.value.problems if p.severity == "error"] == ["E101", "E201"]
