"""What the checker says about names and wires, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aids.site_text import said_about, texts
from tests.aids.wrong_site import OUTPUTS, block, program, rack

CASES = {
    "a tag that does not exist": (
        block("hot: {type: LAG, IN: bms.t_cel_max, T: 5 s}"),
        """\
programs/p.yaml:3:24: error[E101]: no tag named `bms.t_cel_max`
 3 |   hot: {type: LAG, IN: bms.t_cel_max, T: 5 s}
   |                        ^^^^^^^^^^^^^ did you mean `bms.t_cell_max`?
 = help: `bms.t_cell_max` is defined at io_maps/rack.yaml:7
""",
    ),
    "an output to a tag that does not exist": (
        program("outputs: {bms.main: bms.ok, pcs.p_cm: 3 kW, pcs.p_cmd: 0 kW}\n"),
        """\
programs/p.yaml:2:29: error[E101]: no tag named `pcs.p_cm`
 2 | outputs: {bms.main: bms.ok, pcs.p_cm: 3 kW, pcs.p_cmd: 0 kW}
   |                             ^^^^^^^^ did you mean `pcs.p_cmd`?
 = help: `pcs.p_cmd` is defined at io_maps/rack.yaml:12
""",
    ),
    "a block type that does not exist": (
        block("a: {type: LAGG, IN: bms.soc, T: 5 s}"),
        """\
programs/p.yaml:3:13: error[E102]: no block type named `LAGG`
 3 |   a: {type: LAGG, IN: bms.soc, T: 5 s}
   |             ^^^^ did you mean `LAG`?
 = help: `bessplc blocks` lists the catalogue
""",
    ),
    "a pin that does not exist": (
        block("a: {type: LAG, INN: bms.soc, T: 5 s}"),
        """\
programs/p.yaml:3:18: error[E103]: LAG has no input `INN`
 3 |   a: {type: LAG, INN: bms.soc, T: 5 s}
   |                  ^^^ did you mean `IN`?
 = help: its inputs are IN, T
""",
    ),
    "a pin in small letters": (
        block("a: {type: LAG, in: bms.soc, T: 5 s}"),
        """\
programs/p.yaml:3:18: error[E103]: LAG has no input `in`
 3 |   a: {type: LAG, in: bms.soc, T: 5 s}
   |                  ^^ pins are written in capitals: `IN`
 = help: its inputs are IN, T
""",
    ),
    "an output that does not exist": (
        block("a: {type: LAG, IN: bms.soc, T: 5 s}\n  b: {type: NEG, IN: a.Q}"),
        """\
programs/p.yaml:4:24: error[E103]: LAG has no output `Q`
 4 |   b: {type: NEG, IN: a.Q}
   |                        ^
 = help: its outputs are OUT
""",
    ),
    "an input that is read": (
        block("a: {type: LAG, IN: bms.soc, T: 5 s}\n  b: {type: NEG, IN: a.T}"),
        """\
programs/p.yaml:4:24: error[E103]: `T` is an input of `a`
 4 |   b: {type: NEG, IN: a.T}
   |                        ^ only outputs can be read
 = help: the outputs of LAG are OUT: read what feeds `T`
""",
    ),
    "an instance without its pin": (
        block("a: {type: LAG, IN: bms.soc, T: 5 s}\n  b: {type: NEG, IN: a}"),
        """\
programs/p.yaml:4:22: error[E103]: `a` is an instance of LAG: a value is one of its outputs
 4 |   b: {type: NEG, IN: a}
   |                      ^ `a.OUT`?
""",
    ),
    "an instance that does not exist": (
        block("filter: {type: LAG, IN: bms.soc, T: 5 s}\n  b: {type: NEG, IN: filtre.OUT}"),
        """\
programs/p.yaml:4:22: error[E104]: no tag and no instance named `filtre.OUT`
 4 |   b: {type: NEG, IN: filtre.OUT}
   |                      ^^^^^^^^^^ did you mean `filter`?
""",
    ),
    "a bare word": (
        block("b: {type: NEG, IN: soc}"),
        """\
programs/p.yaml:3:22: error[E104]: no value named `soc`
 3 |   b: {type: NEG, IN: soc}
   |                      ^^^
 = help: a value is a quantity, a tag (`area.thing`), an output (`instance.PIN`) or an expression
""",
    ),
    "two blocks of one name": (
        block("a: {type: NEG, IN: 3}\n  A: {type: ABS, IN: 3}"),
        """\
programs/p.yaml:4:3: error[E105]: `A` is defined twice here
 4 |   A: {type: ABS, IN: 3}
   |   ^ names are compared without case
 = help: the first is at programs/p.yaml:3
""",
    ),
    "two tags of one name": (
        texts("", "hmi.a: {type: BOOL, write: operator}\nHMI.A: {type: BOOL, write: operator}"),
        """\
config/site.yaml:5:3: error[E105]: `HMI.A` and `hmi.a` differ only in case
 5 |   HMI.A: {type: BOOL, write: operator}
   |   ^^^^^ names are compared without case
 = help: `hmi.a` is defined at config/site.yaml:4
""",
    ),
    "a name that is none": (
        texts("", "hmi: {type: BOOL}"),
        """\
config/site.yaml:4:3: error[E106]: `hmi` is not written as tags are
 4 |   hmi: {type: BOOL}
   |   ^^^ `area.thing` or `rack[3].thing`, of letters, digits and _; `.good` is the runtime's
""",
    ),
    "a block named as an operator": (
        block("and: {type: NEG, IN: 3}"),
        """\
programs/p.yaml:3:3: error[E106]: `and` is no name for a block
 3 |   and: {type: NEG, IN: 3}
   |   ^^^ letters, digits and _, and no word of expressions
""",
    ),
    "a function that does not exist": (
        block("b: {type: NEG, IN: flor(3)}"),
        """\
programs/p.yaml:3:22: error[E107]: no function named `flor`
 3 |   b: {type: NEG, IN: flor(3)}
   |                      ^^^^ did you mean `floor`?
""",
    ),
    "a step that does not exist": (
        program("sequences:\n  s:\n    shut: {goto: {opn: bms.ok}}\n    open: {goto: {shut: true}}\n" + OUTPUTS),
        """\
programs/p.yaml:4:19: error[E108]: no step named `opn`
 4 |     shut: {goto: {opn: bms.ok}}
   |                   ^^^ did you mean `open`?
 = help: the steps are shut, open

programs/p.yaml:5:5: warning[W803]: no `goto` leads to the step `open`
 5 |     open: {goto: {shut: true}}
   |     ^^^^
""",
    ),
    "a driver that does not exist": (
        rack("driver: fake", "driver: fak"),
        """\
io_maps/rack.yaml:2:9: error[E109]: no driver named `fak`
 2 | driver: fak
   |         ^^^ did you mean `fake`?
 = help: the drivers are fake
""",
    ),
    "a constant that there is not": (
        texts(
            "blocks: {n: {type: NEG, count: $raks, IN: 1}}\n",
            site="constants: {racks: 4}\ntasks: {main: {interval: 10 ms, programs: [p]}}\n",
        ),
        """\
programs/p.yaml:2:32: error[E110]: no constant is named `$raks`
 2 | blocks: {n: {type: NEG, count: $raks, IN: 1}}
   |                                ^^^^^ did you mean `$racks`?
 = help: constants are declared at config/site.yaml:1
""",
    ),
    "an input that must be wired": (
        block("a: {type: LAG, IN: bms.soc}"),
        """\
programs/p.yaml:3:3: error[E301]: `a`: the input `T` of LAG must be wired
 3 |   a: {type: LAG, IN: bms.soc}
   |   ^ time constant; 0 switches the filter off
""",
    ),
    "two writers in one program": (
        program(
            "sequences:\n"
            "  s:\n"
            "    shut: {goto: {open: bms.ok}}\n"
            "    open: {do: [bms.main], goto: {shut: true}}\n"
            "outputs:\n"
            "  bms.main: bms.ok\n"
            "  pcs.p_cmd: 0 kW\n"
        ),
        """\
programs/p.yaml:7:3: error[E302]: `bms.main` has two writers
 7 |   bms.main: bms.ok
   |   ^^^^^^^^ a tag has one writer
 = help: the other is at programs/p.yaml:5
 = help: combine the two with SEL, MAX or a mode table, and write the result once
""",
    ),
    "the operator and a program as writers": (
        program("outputs: {bms.main: bms.ok, pcs.p_cmd: 0 kW, hmi.n: 3}\n"),
        """\
programs/p.yaml:2:46: error[E302]: `hmi.n` has two writers: the operator and the program p
 2 | outputs: {bms.main: bms.ok, pcs.p_cmd: 0 kW, hmi.n: 3}
   |                                              ^^^^^ a tag has one writer
 = help: `hmi.n` is defined at config/site.yaml:5
""",
    ),
    "an input as an output": (
        program("outputs: {bms.main: true, pcs.p_cmd: 0 kW, bms.soc: 3 %}\n"),
        """\
programs/p.yaml:2:44: error[E304]: `bms.soc` is an input of the device rack: a program cannot write it
 2 | outputs: {bms.main: true, pcs.p_cmd: 0 kW, bms.soc: 3 %}
   |                                            ^^^^^^^
""",
    ),
    "a block that feeds itself": (
        block("a: {type: ADD, A: hmi.x, B: a.OUT}"),
        """\
programs/p.yaml:3:31: error[E303]: this feeds itself within one scan
 3 |   a: {type: ADD, A: hmi.x, B: a.OUT}
   |                               ^^^^^ put `last` before one name of the loop
 = help: the loop is
    ┌─────┐
    │  a
    └─────┘
 = help: `last x` is the value of one scan ago: a loop needs one
""",
    ),
    "three blocks in a loop": (
        block(
            "a: {type: NEG, IN: c.OUT}\n"
            "  b: {type: ABS, IN: a.OUT}\n"
            "  c: {type: ADD, A: 1, B: b.OUT * 2}\n"
            "  d: {type: NEG, IN: c.OUT}"
        ),
        """\
programs/p.yaml:3:22: error[E303]: these 4 feed each other within one scan
 3 |   a: {type: NEG, IN: c.OUT}
   |                      ^^^^^ put `last` before one name of the loop
 = help: the loop is
    ┌─────┐
    │  a
    │    ↓
    │  b
    │    ↓
    │  c.B#mul
    │    ↓
    │  c
    └─────┘
 = help: `last x` is the value of one scan ago: a loop needs one
""",
    ),
    "a step that decides about itself": (
        program("sequences:\n  s:\n    shut: {goto: {open: bms.ok and not s.shut.X}}\n    open: {goto: {shut: true}}\n" + OUTPUTS),
        """\
programs/p.yaml:4:40: error[E303]: these 4 feed each other within one scan
 4 |     shut: {goto: {open: bms.ok and not s.shut.X}}
   |                                        ^^^^^^^^ put `last` before one name of the loop
 = help: the loop is
    ┌─────┐
    │  s.shut.open#not
    │    ↓
    │  s.shut.open#and
    │    ↓
    │  s
    │    ↓
    │  s.shut
    └─────┘
 = help: `last x` is the value of one scan ago: a loop needs one
""",
    ),
    "a tag that goes round": (
        program("blocks:\n  a: {type: NEG, IN: pcs.p_cmd}\noutputs: {bms.main: bms.ok, pcs.p_cmd: a.OUT}\n"),
        """\
programs/p.yaml:3:22: error[E303]: these 2 feed each other within one scan
 3 |   a: {type: NEG, IN: pcs.p_cmd}
   |                      ^^^^^^^^^ put `last` before one name of the loop
 = help: the loop is
    ┌─────┐
    │  a
    │    ↓
    │  pcs.p_cmd
    └─────┘
 = help: `last x` is the value of one scan ago: a loop needs one
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_reads(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert said_about(files, tmp_path) + "\n" == expected
