"""What the reader of YAML says, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aids.site_text import said_about
from tests.aids.wrong_site import OUTPUTS, block, program, site

CASES = {
    "a bracket that is not closed": (
        block("a: {type: NEG, IN: 3"),
        """\
programs/p.yaml:3:6: error[E001]: this `{` is not closed
 3 |   a: {type: NEG, IN: 3
   |      ^
 = help: noticed in line 4
""",
    ),
    "a colon in plain text": (
        program("description: a: b\n" + OUTPUTS),
        """\
programs/p.yaml:2:15: error[E001]: this is not YAML: mapping values are not allowed in this context
 2 | description: a: b
   |               ^
 = help: a text that holds a colon and a space is quoted
""",
    ),
    "a tab": (
        program("blocks:\n\ta: {type: NEG, IN: 3}\n" + OUTPUTS),
        """\
programs/p.yaml:3:1: error[E001]: a tab indents this line: YAML wants spaces
 3 |  a: {type: NEG, IN: 3}
   | ^
""",
    ),
    "a key that stands twice": (
        block("a: {type: NEG, IN: 3}\n  a: {type: ABS, IN: 3}"),
        """\
programs/p.yaml:4:3: error[E002]: `a` stands twice in this section
 4 |   a: {type: ABS, IN: 3}
   |   ^ the second would silently win
 = help: the first is at programs/p.yaml:3
""",
    ),
    "an anchor": (
        block("a: &x {type: NEG, IN: 3}"),
        """\
programs/p.yaml:3:6: error[E003]: YAML anchor `&x` is not part of the language
 3 |   a: &x {type: NEG, IN: 3}
   |      ^
 = help: what several places share is a tag, or a block defined with `function_block:`
""",
    ),
    "an alias": (
        block("a: *x"),
        """\
programs/p.yaml:3:6: error[E003]: YAML alias `*x` is not part of the language
 3 |   a: *x
   |      ^
 = help: what several places share is a tag, or a block defined with `function_block:`
""",
    ),
    "a YAML tag": (
        block("a: !foo {type: NEG, IN: 3}"),
        """\
programs/p.yaml:3:6: error[E003]: YAML tags such as `!foo` are not part of the language
 3 |   a: !foo {type: NEG, IN: 3}
   |      ^
 = help: write the plain value
""",
    ),
    "a merge key": (
        block("a: {<<: b, type: NEG, IN: 3}"),
        """\
programs/p.yaml:3:7: error[E003]: the YAML merge key `<<` is not part of the language
 3 |   a: {<<: b, type: NEG, IN: 3}
   |       ^^
 = help: write the words out, or define a `function_block:`
""",
    ),
    "a program that does not exist": (
        site("tasks: {a: {interval: 10 ms, programs: [dispatc]}}\n", dispatch="program: dispatch\n"),
        """\
config/site.yaml:1:41: error[E004]: the file programs/dispatc.yaml cannot be read: No such file or directory
 1 | tasks: {a: {interval: 10 ms, programs: [dispatc]}}
   |                                         ^^^^^^^
 = help: did you mean `programs/dispatch.yaml`?
""",
    ),
    "a list where a section belongs": (
        program("blocks: [3]\n" + OUTPUTS),
        """\
programs/p.yaml:2:9: error[E005]: `blocks` is a section of `word: value` lines
 2 | blocks: [3]
   |         ^
""",
    ),
    "a section where a value belongs": (
        block("a: {type: NEG, IN: {x: 3}}"),
        """\
programs/p.yaml:3:22: error[E005]: a value or an expression stands here, not a section
 3 |   a: {type: NEG, IN: {x: 3}}
   |                      ^
 = help: inside {} and [] an expression with brackets or commas is quoted
""",
    ),
    "an unknown word": (
        program("bloks: {}\n" + OUTPUTS),
        """\
programs/p.yaml:2:1: error[E006]: `bloks` is no word of a program
 2 | bloks: {}
   | ^^^^^ did you mean `blocks`?
 = help: the words are program, description, blocks, modes, sequences, outputs, alarms, tests
""",
    ),
    "an empty file": (
        site(""),
        """\
config/site.yaml:1:1: error[E008]: the file is empty
""",
    ),
    "two documents": (
        program(OUTPUTS + "---\nx: 1\n"),
        """\
programs/p.yaml:3:1: error[E008]: a second document starts here: a file holds one
 3 | ---
   | ^
""",
    ),
    "a comma in braces": (
        block("a: {type: NEG, IN: max(hmi.p_set, 3 kW)}"),
        """\
programs/p.yaml:3:22: error[E009]: the comma ends the value here
 3 |   a: {type: NEG, IN: max(hmi.p_set, 3 kW)}
   |                      ^^^^^^^^^^^^^ inside {} and [] an expression with a comma is quoted
 = help: write "max(hmi.p_set, 3 kW)"
""",
    ),
    "a bracket in braces": (
        block("a: {type: NEG, IN: bms.cell_v[1]}"),
        """\
programs/p.yaml:3:32: error[E009]: the bracket ends the value here
 3 |   a: {type: NEG, IN: bms.cell_v[1]}
   |                                ^ inside {} and [] an expression with brackets is quoted
 = help: write "bms.cell_v[1]"
""",
    ),
    "an opened bracket in braces": (
        block("a: {type: NEG, IN: (3 + 2, T: 5}"),
        """\
programs/p.yaml:3:22: error[E009]: a bracket opens here and does not close
 3 |   a: {type: NEG, IN: (3 + 2, T: 5}
   |                      ^^^^^^
 = help: inside {} and [] such an expression is quoted
""",
    ),
    "a double equals sign": (
        block("a: {type: NOT, IN: bms.ok == true}"),
        """\
programs/p.yaml:3:29: error[E401]: `==` is no operator
 3 |   a: {type: NOT, IN: bms.ok == true}
   |                             ^^ `=` compares
""",
    ),
    "an expression that ends too early": (
        block("a: {type: NOT, IN: bms.soc > }"),
        """\
programs/p.yaml:3:30: error[E401]: the expression ends too early
 3 |   a: {type: NOT, IN: bms.soc > }
   |                              ^ a value is missing
""",
    ),
    "a missing operator": (
        block("a:\n    type: NOT\n    IN: bms.ok and (bms.soc > 5 % bms.ok)"),
        """\
programs/p.yaml:5:35: error[E401]: `)` or an operator is missing before `bms.ok`
 5 |     IN: bms.ok and (bms.soc > 5 % bms.ok)
   |                                   ^^^^^^
""",
    ),
    "a function with too few values": (
        block('a: {type: NEG, IN: "limit(1, hmi.x)"}'),
        """\
programs/p.yaml:3:23: error[E401]: `limit` takes 3 values, not 2
 3 |   a: {type: NEG, IN: "limit(1, hmi.x)"}
   |                       ^^^^^ limit(MN, IN, MX)
""",
    ),
    "after outside of a sequence": (
        block("a: {type: NOT, IN: after 3 s}"),
        """\
programs/p.yaml:3:22: error[E402]: `after` compares the time in a step: it belongs into a sequence's `goto`
 3 |   a: {type: NOT, IN: after 3 s}
   |                      ^^^^^ elsewhere a TON waits
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_reads(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert said_about(files, tmp_path) + "\n" == expected
