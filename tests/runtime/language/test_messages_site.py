"""What the checker says about modes, sequences, devices and tasks, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aids.site_text import said_about, texts
from tests.aids.wrong_site import DOUBLER, OUTPUTS, RACK, block, program, rack, site

CASES = {
    "a mode that leaves a column out": (
        program("modes:\n  A: {when: bms.ok, P: 0 kW}\n  B: {P: 3 kW, Q: 3}\n" + OUTPUTS),
        """\
programs/p.yaml:3:3: error[E501]: the mode `A` gives no `Q`
 3 |   A: {when: bms.ok, P: 0 kW}
   |   ^ every mode gives every column
 = help: `Q` is first given at programs/p.yaml:4
""",
    ),
    "a mode without when, and a last with one": (
        program("modes:\n  A: {P: 0 kW}\n  B: {when: bms.ok, P: 3 kW}\n" + OUTPUTS),
        """\
programs/p.yaml:3:3: error[E501]: the mode `A` has no `when`
 3 |   A: {P: 0 kW}
   |   ^ only the last mode has none: those below it would never be reached

programs/p.yaml:4:7: error[E501]: the last mode `B` has a `when`
 4 |   B: {when: bms.ok, P: 3 kW}
   |       ^^^^ what is the mode where none holds?
 = help: the last mode is the one that is left, so it has no `when`
""",
    ),
    "function blocks in each other": (
        block(
            "d: {type: DBL, IN: 3 kW}",
            dbl=DOUBLER.replace("ADD, A: IN, B: IN", "TRIPLE, IN: IN"),
            tri=DOUBLER.replace("DBL", "TRIPLE").replace("ADD, A: IN, B: IN", "DBL, IN: IN"),
        ),
        """\
programs/tri.yaml:3:20: error[E502]: the function block DBL contains itself
 3 | blocks: {a: {type: DBL, IN: IN}}
   |                    ^^^
 = help: each contains the next:
    ┌─────┐
    │  DBL
    │    ↓
    │  TRIPLE
    └─────┘
""",
    ),
    "an input of a function block in another unit": (
        block("d: {type: DBL, IN: bms.soc}", dbl=DOUBLER),
        """\
programs/p.yaml:3:22: error[E201]: `bms.soc` is in %, and the input `IN` takes kW
 3 |   d: {type: DBL, IN: bms.soc}
   |                      ^^^^^^^
""",
    ),
    "an output without safe": (
        rack(", safe: 0 kW", ""),
        """\
io_maps/rack.yaml:12:3: error[E601]: the output `pcs.p_cmd` has no `safe`
 12 |   pcs.p_cmd: {at: 6, known: LREAL, measured: kW}
    |   ^^^^^^^^^ what is written when everything stops?
 = help: `safe: 0 kW`, or `safe: {value: false, after: 1 s}` to write it later than others
""",
    ),
    "an LREAL that is kept": (
        rack("safe: 0 kW", "safe: keep"),
        """\
io_maps/rack.yaml:12:56: error[E607]: `pcs.p_cmd` is an LREAL, which needs a safe value
 12 |   pcs.p_cmd: {at: 6, known: LREAL, measured: kW, safe: keep}
    |                                                        ^^^^ what is written where the program gives no finite number?
""",
    ),
    "an output that is kept after a while": (
        rack("{value: false, after: 1 s}", "{value: keep, after: 1 s}"),
        """\
io_maps/rack.yaml:11:48: error[E607]: `keep` has no time
 11 |   bms.main: {at: 5, known: BOOL, safe: {value: keep, after: 1 s}}
    |                                                ^^^^ nothing is ever written
 = help: `safe: keep`
""",
    ),
    "a kept output that nobody writes": (
        texts("outputs: {pcs.p_cmd: 0 kW}\n", io={"rack": RACK.replace("{value: false, after: 1 s}", "keep")}),
        """\
io_maps/rack.yaml:11:3: error[E607]: no program writes `bms.main`, and it is `safe: keep`
 11 |   bms.main: {at: 5, known: BOOL, safe: keep}
    |   ^^^^^^^^ who says what it shall be?
""",
    ),
    "an input without bad": (
        rack(", bad: false", ""),
        """\
io_maps/rack.yaml:9:3: error[E602]: the input `bms.ok` has no `bad`
 9 |   bms.ok: {at: 4, known: BOOL}
   |   ^^^^^^ what does it become when it is stale?
 = help: `bad: hold` keeps the last value; `bad: 0` takes that value
""",
    ),
    "a device without time-out": (
        rack("timeout: 500 ms\n", ""),
        """\
io_maps/rack.yaml:9:1: error[E603]: the device `rack` has outputs and no `timeout`
 9 | outputs:
   | ^^^^^^^ what does it do when our messages stop?
 = help: `timeout: 500 ms` is the device's own communication time-out, after which it falls back by itself
""",
    ),
    "an input without a type": (
        rack("known: BOOL, bad", "bad"),
        """\
io_maps/rack.yaml:9:3: error[E604]: neither the device nor the io_map says the type of `bms.ok`
 9 |   bms.ok: {at: 4, bad: false}
   |   ^^^^^^ add `type: LREAL`
""",
    ),
    "a type that the device contradicts": (
        rack("known: BOOL, bad", "type: DINT, known: BOOL, bad"),
        """\
io_maps/rack.yaml:9:25: error[E604]: the device gives `bms.ok` as BOOL, not as DINT
 9 |   bms.ok: {at: 4, type: DINT, known: BOOL, bad: false}
   |                         ^^^^ leave `type` out
""",
    ),
    "a unit that the device contradicts": (
        rack("measured: V,", "measured: V, unit: A,"),
        """\
io_maps/rack.yaml:8:66: error[E201]: the device gives `bms.cell_v` in V, not in A
 8 |   bms.cell_v: {at: 3, count: 4, known: LREAL, measured: V, unit: A, bad: hold}
   |                                                                  ^ leave `unit` out: wires convert by themselves
""",
    ),
    "an initial value in another unit": (
        rack("initial: 20 °C", "initial: 20 V"),
        """\
io_maps/rack.yaml:7:64: error[E201]: `20 V` does not fit `initial`, which takes °C
 7 |   bms.t_cell_max: {at: 2, known: LREAL, measured: °C, initial: 20 V, bad: hold}
   |                                                                ^^^^
""",
    ),
    "a word that the driver does not know": (
        rack("stale: 300 ms", "stale: 300 ms\nhots: 3"),
        """\
io_maps/rack.yaml:4:1: error[E006]: `hots` is no word of a device of the driver fake
 4 | hots: 3
   | ^^^^ did you mean `host`?
 = help: the words are device, driver, stale, timeout, suppress, inputs, outputs, text, description, host
""",
    ),
    "an interval that does not fit": (
        site("tasks:\n  a: {interval: 10 ms}\n  b: {interval: 25 ms}\n  c: {interval: 20 ms, phase: 5 ms}\n"),
        """\
config/site.yaml:3:17: error[E701]: the interval of `b` is not a whole multiple of the base tick of 10 ms
 3 |   b: {interval: 25 ms}
   |                 ^^^^^ 20 ms or 30 ms?
 = help: the shortest interval of all tasks is the base tick

config/site.yaml:4:31: error[E701]: the phase of `c` is not a whole number of base ticks below its interval
 4 |   c: {interval: 20 ms, phase: 5 ms}
   |                               ^^^^ the base tick is 10 ms
""",
    ),
    "a program used twice": (
        site("tasks:\n  a: {interval: 10 ms, programs: [p]}\n  b: {interval: 20 ms, programs: [p]}\n", p="program: p\n"),
        """\
config/site.yaml:3:35: error[E702]: the program `p` is used twice
 3 |   b: {interval: 20 ms, programs: [p]}
   |                                   ^
 = help: the first is at config/site.yaml:2
""",
    ),
    "a task without interval": (
        site("tasks: {a: {programs: []}}\n"),
        """\
config/site.yaml:1:9: error[E007]: the task `a` has no `interval`
 1 | tasks: {a: {programs: []}}
   |         ^ `interval: 50 ms`
""",
    ),
    "a program of another name": (
        site("tasks: {a: {interval: 10 ms, programs: [p]}}\n", p="program: x\n"),
        """\
programs/p.yaml:1:10: error[E010]: the program in programs/p.yaml is named `p`
 1 | program: x
   |          ^ the file's name is the program's
""",
    ),
    "an alarm without limits": (
        program("alarms: {x: {of: bms.soc}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:10: error[E007]: the alarm `x` has no limit
 2 | alarms: {x: {of: bms.soc}}
   |          ^ one or more of H, HH, L and LL
 = help: or `setpoint` and `deviation`, or `rise` and `fall`
""",
    ),
    "an output that nobody writes": (
        program(
            "outputs: {pcs.p_cmd: 0 kW}\n"
            ""
            "blocks: {a: {type: NEG, IN: hmi.n + hmi.n}, b: {type: NEG, IN: hmi.big}, c: {type: NEG, IN: hmi.x}, "
            "d: {type: NEG, IN: hmi.t}, e: {type: NEG, IN: hmi.p_set}}\n"
        ),
        """\
io_maps/rack.yaml:11:3: warning[W801]: no program writes the output `bms.main`
 11 |   bms.main: {at: 5, known: BOOL, safe: {value: false, after: 1 s}}
    |   ^^^^^^^^ it stays at its safe value
""",
    ),
    "a tag that nobody uses": (
        texts("", "hmi.a: {type: BOOL, write: operator}"),
        """\
config/site.yaml:4:3: warning[W802]: no program uses the tag `hmi.a`
 4 |   hmi.a: {type: BOOL, write: operator}
   |   ^^^^^
""",
    ),
    "a step that nothing leads to": (
        texts("sequences:\n  s:\n    shut: {goto: {shut: true}}\n    open: {goto: {shut: true}}\n"),
        """\
programs/p.yaml:5:5: warning[W803]: no `goto` leads to the step `open`
 5 |     open: {goto: {shut: true}}
   |     ^^^^
""",
    ),
    "a program that no task runs": (
        site("tasks: {a: {interval: 10 ms}}\n", z="program: z\n"),
        """\
programs/z.yaml: warning[W804]: no task runs the program `z`
 = help: a task names it in config/site.yaml: `programs: [...]`
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_reads(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert said_about(files, tmp_path) + "\n" == expected
