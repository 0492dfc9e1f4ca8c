"""What programs mean, run scan by scan in plain Python: expressions, types, units, arrays, `last`, pulses, function blocks."""

from __future__ import annotations

import math

import pytest

from tests.aids.site_text import MS, PlainScan, load, load_all, problems_of, texts

TAGS = """
x.a: {type: LREAL, write: operator}
x.b: {type: LREAL, write: operator}
x.p: {type: BOOL, write: operator}
x.q: {type: BOOL, write: operator}
x.n: {type: DINT, write: operator}
x.m: {type: LINT, write: operator}
p.kw: {type: LREAL, unit: kW, write: operator}
p.w: {type: LREAL, unit: W, write: operator}
t.c: {type: LREAL, unit: °C, write: operator}
t.k: {type: LREAL, unit: K, write: operator}
c.v: {type: "LREAL[4]", unit: V, write: operator}
y.r: {type: LREAL}
y.b: {type: BOOL}
y.n: {type: DINT}
y.kw: {type: LREAL, unit: kW}
y.w: {type: LREAL, unit: W}
y.k: {type: LREAL, unit: K}
y.c: {type: LREAL, unit: °C}
y.pct: {type: LREAL, unit: "%"}
y.v: {type: "LREAL[4]", unit: V}
y.t: {type: TIME}
"""


def value_of(expression: str, into: str = "y.r", **tags: object) -> object:
    """What an expression writes into a tag in one scan."""
    quoted = f'"{expression}"' if '"' not in expression else expression
    run = PlainScan(load(f"outputs:\n  {into}: {quoted}\n", TAGS).schedule)
    for name, value in tags.items():
        run[name.replace("__", ".")] = value
    run.scan()
    return run[into]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4", 20.0),
        ("7 - 2 - 1", 4.0),
        ("2 ** 3 ** 2", 64.0),
        ("-2 ** 2", 4.0),
        ("7 / 2", 3.5),
        ("8 / 4 / 2", 1.0),
        ("x.a * x.a + x.b", 13.0),
        ("abs(x.a - 10)", 7.0),
        ("max(x.a, x.b, 9, 5)", 9.0),
        ("min(x.a, x.b)", 3.0),
        ("limit(0, x.a, 2)", 2.0),
        ("sel(x.p, x.a, x.b)", 4.0),
        ("sqrt(16)", 4.0),
        ("exp(0)", 1.0),
        ("ln(1)", 0.0),
        ("floor(-2.5)", -3.0),
        ("to_lreal(x.n) / 2", 3.5),
        ("x.n / 2.0", 3.5),
        ("-x.a", -3.0),
        ("x.n + x.a", 10.0),
        ("to_lreal(x.m)", 11.0),
        ("x.a + 5 %", 3.05),
    ],
)
def test_a_number_is_what_structured_text_makes_of_it(expression: str, value: float) -> None:
    assert value_of(expression, x__a=3.0, x__b=4.0, x__p=1, x__n=7, x__m=11) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("x.p and not x.q", True),
        ("x.q or x.p", True),
        ("x.p xor x.p", False),
        ("x.a > 2 and x.a <= 3", True),
        ("x.a = 3", True),
        ("x.a <> 3", False),
        ("not (x.a = 3)", False),
        ("x.p = x.q", False),
        ("x.n >= 7", True),
        ("x.n mod 4 = 3", True),
        ("p.kw > 1500 W", True),
        ("p.kw < 1 MW", True),
        ("p.w = p.kw", True),
        ("x.p & true", True),
        ("plc.first_scan or x.p", True),
        ("x.a.good", True),
        ("t.c - t.c < 1 °C", True),
    ],
)
def test_a_condition_is_what_structured_text_makes_of_it(expression: str, value: bool) -> None:
    assert value_of(expression, "y.b", x__a=3.0, x__p=1, x__n=7, p__kw=2.0, p__w=2000.0) is value


def test_integers_stay_integers() -> None:
    assert value_of("x.n / 2", "y.n", x__n=7) == 3
    assert value_of("trunc(x.a)", "y.n", x__a=-2.7) == -2
    assert value_of("to_dint(x.a)", "y.n", x__a=2.5) == 2, "half to even, as IEC rounds"
    assert value_of("to_dint(x.m mod 4)", "y.n", x__m=7) == 3


def test_a_wire_converts_between_units_of_one_kind() -> None:
    assert value_of("p.kw", "y.w", p__kw=1.5) == 1500.0
    assert value_of("p.w + p.kw", "y.kw", p__w=500.0, p__kw=1.0) == pytest.approx(1.5)
    assert value_of("x.a", "y.pct", x__a=0.5) == 50.0
    assert value_of("c.v[1] * 100 A", "y.kw", c__v=[400.0, 0, 0, 0]) == pytest.approx(40.0)
    assert value_of("p.kw / 2 kW", "y.pct", p__kw=1.0) == 50.0


def test_temperatures_are_absolute_and_their_differences_kelvins() -> None:
    assert value_of("t.k", "y.c", t__k=300.0) == pytest.approx(26.85)
    assert value_of("t.c - t.c", "y.k", t__c=20.0) == 0.0
    assert value_of("t.c + 5 K", "y.c", t__c=20.0) == 25.0
    assert value_of("t.c - 5 °C", "y.k", t__c=20.0) == 15.0
    assert value_of("max(t.c, 30 °C)", "y.c", t__c=20.0) == 30.0


def test_a_duration_is_a_time_or_seconds_as_the_pin_wants() -> None:
    run = PlainScan(
        load(
            "blocks:\n  on: {type: TON, IN: true, PT: 25ms}\n  lag: {type: LAG, IN: 1, T: 100 ms}\noutputs: {y.t: on.ET}\n", TAGS
        ).schedule
    )
    assert run["p.on.PT"] == 25 * MS
    assert run["p.lag.T"] == 0.1
    for expected in (0, 10, 20, 25, 25):
        run.scan()
        assert run["y.t"] == expected * MS


def test_rise_and_fall_see_one_scan() -> None:
    run = PlainScan(load("outputs:\n  y.b: rise(x.p) or fall(x.p)\n", TAGS).schedule)
    seen = []
    for level in (0, 1, 1, 0, 0):
        run["x.p"] = level
        run.scan()
        seen.append(run["y.b"])
    assert seen[1:] == [True, False, True, False], "F_TRIG is true in a first scan that starts low: IEC 61131-3, table 44"


def test_last_is_the_value_of_one_scan_ago() -> None:
    program = "blocks:\n  sum: {type: ADD, A: last sum.OUT, B: x.a}\noutputs: {y.r: sum.OUT}\n"
    run = PlainScan(load(program, TAGS).schedule)
    run["x.a"] = 1.5
    for expected in (1.5, 3.0, 4.5):
        run.scan()
        assert run["y.r"] == expected


def test_a_tag_that_the_program_writes_is_read_as_written_in_this_scan() -> None:
    program = (
        "blocks:\n"
        "  a: {type: ADD, A: y.r, B: 1}\n"
        "  b: {type: ADD, A: last y.r, B: 100}\n"
        "outputs:\n"
        "  y.r: x.a\n"
        "  y.w: 1 W * a.OUT\n"
        "  y.kw: 1 kW * b.OUT\n"
    )
    run = PlainScan(load(program, TAGS).schedule)
    for now, before in ((5.0, 0.0), (7.0, 5.0), (8.0, 7.0)):
        run["x.a"] = now
        run.scan()
        assert run["y.w"] == now + 1
        assert run["y.kw"] == before + 100


def test_a_list_of_outputs_may_mix_this_scan_and_the_last() -> None:
    program = (
        "blocks:\n"
        "  n: {type: NEG, IN: x.a}\n"
        "  m: {type: MUX, K: 1, IN: [n.OUT, last n.OUT]}\n"
        "outputs:\n"
        "  y.v: [1 V * n.OUT, 1 V, 1 V * last n.OUT, 2 V]\n"
        "  y.r: m.OUT\n"
    )
    run = PlainScan(load(program, TAGS).schedule)
    for now, before in ((5.0, 0.0), (7.0, -5.0), (8.0, -7.0)):
        run["x.a"] = now
        run.scan()
        assert run["y.v"] == [-now, 1.0, before, 2.0]
        assert run["y.r"] == before


def test_a_program_later_in_the_task_sees_what_an_earlier_one_wrote() -> None:
    site = "tasks:\n  main: {interval: 10 ms, programs: [p, q]}\n"
    files = texts("outputs: {y.r: x.a}\n", TAGS, site=site, q="program: q\noutputs:\n  y.w: y.r * 1 W\n")
    run = PlainScan(load_all(files).schedule)
    run["x.a"] = 3.0
    run.scan()
    assert run["y.w"] == 3.0
    files["config/site.yaml"] = files["config/site.yaml"].replace("[p, q]", "[q, p]")
    run = PlainScan(load_all(files).schedule)
    run["x.a"] = 3.0
    run.scan()
    assert run["y.w"] == 0.0, "the first program sees the last value"
    run.scan()
    assert run["y.w"] == 3.0


def test_tasks_run_at_their_interval_and_phase() -> None:
    site = "tasks:\n  fast: {interval: 10 ms, programs: [p]}\n  slow: {interval: 30 ms, phase: 10 ms, programs: [q]}\n"
    counting = "blocks:\n  n: {{type: ADD, A: last n.OUT, B: 1}}\noutputs: {{{tag}: n.OUT}}\n"
    files = texts(
        counting.format(tag="y.r"), TAGS, site=site, q="program: q\n" + counting.format(tag="y.w").replace("B: 1}", "B: 1 W}")
    )
    run = PlainScan(load_all(files).schedule)
    seen = []
    for _ in range(7):
        run.scan()
        seen.append((run["y.r"], run["y.w"]))
    assert seen == [(1, 0), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2), (7, 2)]


def test_a_pulse_is_true_for_one_run_of_each_task_that_reads_it() -> None:
    site = "tasks:\n  fast: {interval: 10 ms, programs: [p]}\n  slow: {interval: 20 ms, programs: [q]}\n"
    tags = "go.a: {type: BOOL, pulse: true, write: operator}\nn.p: {type: LREAL}\nn.q: {type: LREAL}"
    count = "blocks:\n  n: {{type: ADD, A: last n.OUT, B: 'sel(go.a, 0, 1)'}}\noutputs: {{n.{0}: n.OUT}}\n"
    run = PlainScan(load_all(texts(count.format("p"), tags, site=site, q="program: q\n" + count.format("q"))).schedule)
    run.scan()
    run.press("go.a")
    for _ in range(6):
        run.scan()
    assert (run["n.p"], run["n.q"]) == (1.0, 1.0)


def test_more_than_two_operands_are_a_chain() -> None:
    program = (
        "blocks:\n"
        "  all: {type: AND, IN1: x.p, IN2: x.q, IN3: x.a > 1, IN4: true}\n"
        "  sum: {type: ADD, A: 1, B: 2, C: 3, D: x.a}\n"
        "outputs: {y.b: all.OUT, y.r: sum.OUT}\n"
    )
    run = PlainScan(load(program, TAGS).schedule)
    run["x.p"] = run["x.q"] = 1
    run["x.a"] = 2.0
    run.scan()
    assert run["y.b"] is True
    assert run["y.r"] == 8.0
    run["x.q"] = 0
    run.scan()
    assert run["y.b"] is False


def test_an_instance_array_takes_an_element_each_and_scalars_for_all() -> None:
    program = """
blocks:
  cells:
    type: ADD
    count: 4
    A: c.v[*]
    B: p.kw / 1 kA
  top: {type: CELL_STATS, V: "cells[*].OUT"}
  third: {type: NEG, IN: "cells[3].OUT"}
outputs:
  y.v: cells[*].OUT
  y.r: top.MAX / 1 V + third.OUT / 1 V
"""
    run = PlainScan(load(program, TAGS).schedule)
    run["c.v"] = [1.0, 5.0, 3.0, 2.0]
    run["p.kw"] = 10.0
    run.scan()
    assert run["y.v"] == [11.0, 15.0, 13.0, 12.0]
    assert run["y.r"] == 2.0
    assert run["p.cells[2].OUT"] == 15.0


def test_array_pins_take_lists_elements_and_short_lists() -> None:
    program = """
blocks:
  pick: {type: MUX, K: x.n, IN: [x.a, 2, "c.v[2] / 1 V"]}
  cap: {type: CHARGE_LIMITER, SOC: 50 %, V_CELL: 3.3 V, P_RATED: 100 kW, T_SHARES: [0.5, 1]}
outputs:
  y.r: pick.OUT
"""
    run = PlainScan(load(program, TAGS).schedule)
    run["x.a"], run["c.v"] = 9.0, [0, 7.0, 0, 0]
    for k, expected in ((0, 9.0), (1, 2.0), (2, 7.0)):
        run["x.n"] = k
        run.scan()
        assert run["y.r"] == expected
    assert run["p.cap.T_SHARES"] == [0.5] + [1.0] * 7


def test_elements_of_an_array_tag_may_have_their_own_lines() -> None:
    run = PlainScan(load('outputs:\n  "y.v[2]": c.v[4]\n  "y.v[1]": 5 V\n', TAGS).schedule)
    run["c.v"] = [1.0, 2.0, 3.0, 4.0]
    run.scan()
    assert run["y.v"] == [5.0, 4.0, 0.0, 0.0]


DOUBLER = """
function_block: DOUBLER
inputs:
  IN: {type: LREAL, unit: W}
  GAIN: {type: LREAL, default: 2}
blocks:
  twice: {type: MUL, A: IN, B: GAIN}
  memory: {type: ADD, A: twice.OUT, B: last memory.OUT}
outputs:
  OUT: twice.OUT
  SUM: memory.OUT
  BIG: twice.OUT > 1 kW
"""


def test_a_function_block_in_yaml_is_used_like_any_other() -> None:
    program = (
        "blocks:\n"
        "  d: {type: doubler, IN: p.kw}\n"
        "  e: {type: DOUBLER, IN: d.OUT, GAIN: x.a}\n"
        "outputs: {y.w: e.OUT, y.kw: d.SUM, y.b: d.BIG}\n"
    )
    run = PlainScan(load(program, TAGS, doubler=DOUBLER).schedule)
    run["p.kw"], run["x.a"] = 1.0, 3.0
    run.scan()
    run.scan()
    assert run["y.w"] == 6000.0
    assert run["y.kw"] == pytest.approx(4.0)
    assert run["y.b"] is True
    assert run["p.d.twice.OUT"] == 2000.0


def test_function_blocks_nest_and_come_in_arrays() -> None:
    outer = (
        "function_block: OUTER\n"
        "inputs: {IN: {type: LREAL, unit: V}}\n"
        "blocks:\n"
        "  inner: {type: DOUBLER, IN: IN * 1 A}\n"
        "outputs: {OUT: inner.OUT / 1 A}\n"
    )
    program = "blocks:\n  o:\n    type: OUTER\n    count: 4\n    IN: c.v[*]\noutputs:\n  y.v: o[*].OUT\n  y.r: o[2].OUT / 1 V\n"
    run = PlainScan(load(program, TAGS, doubler=DOUBLER, outer=outer).schedule)
    run["c.v"] = [1.0, 2.0, 3.0, 4.0]
    run.scan()
    assert run["y.v"] == [2.0, 4.0, 6.0, 8.0]
    assert run["y.r"] == 4.0
    assert run["p.o[3].inner.twice.OUT"] == 6.0
    groups = [(g.block, g.rows) for g in load(program, TAGS, doubler=DOUBLER, outer=outer).schedule.groups]
    assert ("MUL", 4) in groups, "the copies of a function block run as rows of one group"


def test_modes_take_the_first_row_that_holds() -> None:
    program = """
modes:
  FAULT: {when: x.p, P: 0 kW, ON: false}
  FOLLOW: {when: x.q, P: p.kw, ON: true}
  IDLE: {P: 5 W, ON: x.a > 1}
outputs: {y.kw: modes.P, y.b: modes.ON}
"""
    site = load(program, TAGS)
    run = PlainScan(site.schedule)
    run["p.kw"] = 7.0
    for p, q, mode, power, on in ((1, 1, 0, 0.0, False), (0, 1, 1, 7.0, True), (0, 0, 2, 0.005, False)):
        run["x.p"], run["x.q"] = p, q
        run.scan()
        assert (run["p.mode"], run["y.kw"], run["y.b"]) == (mode, pytest.approx(power), on)
    assert site.schedule.tag("p.mode").names == ((0, "FAULT"), (1, "FOLLOW"), (2, "IDLE"))


def test_a_single_mode_is_always_the_mode() -> None:
    run = PlainScan(load("modes:\n  ONLY: {P: 3 kW}\noutputs: {y.kw: modes.P}\n", TAGS).schedule)
    run.scan()
    assert (run["p.mode"], run["y.kw"]) == (0, 3.0)


SEQUENCE = """
sequences:
  door:
    shut: {goto: {opening: rise(x.p)}}
    opening: {do: [y.b], goto: {shut: x.q, open: after 30 ms}}
    open: {do: [y.b, z.b], goto: {shut: x.q}}
outputs:
  y.t: door.opening.T
  z.x: door.open.X
"""


def test_a_sequence_moves_once_a_scan_and_does_what_its_step_says() -> None:
    site = load(SEQUENCE, TAGS + "z.b: {type: BOOL}\nz.x: {type: BOOL}\n")
    run = PlainScan(site.schedule)
    seen = []
    for p, q in ((0, 0), (1, 0), (1, 0), (1, 0), (1, 0), (1, 0), (1, 1), (1, 0)):
        run["x.p"], run["x.q"] = p, q
        run.scan()
        seen.append((run["p.door"], run["y.b"], run["z.b"], run["z.x"], run["y.t"] // MS))
    assert seen == [
        (0, False, False, False, 0),
        (1, True, False, False, 0),
        (1, True, False, False, 10),
        (1, True, False, False, 20),
        (2, True, True, True, 0),  # entered 30 ms before
        (2, True, True, True, 0),
        (0, False, False, False, 0),
        (0, False, False, False, 0),  # x.p stays: no new rise
    ]
    assert site.schedule.tag("p.door").names == ((0, "shut"), (1, "opening"), (2, "open"))


def test_the_first_goto_has_priority() -> None:
    run = PlainScan(
        load("sequences:\n  s:\n    a: {goto: {b: true, c: true}}\n    b: {}\n    c: {goto: {a: true}}\n", TAGS).schedule
    )
    run.scan()
    assert run["p.s"] == 1


def test_alarms_have_tags_of_their_own() -> None:
    program = """
alarms:
  hot: {of: t.c, H: 45 °C, HH: 55 °C, deadband: 1 °C, delay: 10 ms, severity: critical, text: Too hot}
  odd: {when: x.p and not x.q, severity: error}
"""
    site = load(program, TAGS)
    assert [(a.name, a.active, a.of, a.limit, a.severity, a.text) for a in site.schedule.alarms] == [
        ("hot", "alarm.hot_h", "t.c", "H", "critical", "Too hot"),
        ("hot", "alarm.hot_hh", "t.c", "HH", "critical", "Too hot"),
        ("odd", "alarm.odd", "x.p and not x.q", "", "error", "odd"),
    ]
    run = PlainScan(site.schedule)
    run["t.c"], run["x.p"] = 50.0, 1
    run.scan()
    assert (run["alarm.hot_h"], run["alarm.odd"]) == (False, True)
    run.scan()
    assert (run["alarm.hot_h"], run["alarm.hot_hh"]) == (True, False)
    assert run["p.alarm.hot.DEADBAND"] == 1.0
    assert math.isinf(run["p.alarm.hot.L"])


def test_an_alarm_tag_may_be_read_by_any_program() -> None:
    run = PlainScan(load("alarms:\n  odd: {when: x.p}\noutputs: {y.b: alarm.odd}\n", TAGS).schedule)
    run["x.p"] = 1
    run.scan()
    assert run["y.b"] is True


def test_an_expression_of_a_thousand_operands_loads() -> None:
    site = load(f"outputs:\n  y.b: {' or '.join(['x.p'] * 1000)}\n", TAGS)
    assert sum(g.rows for g in site.schedule.groups) == 999


def test_names_are_compared_without_case() -> None:
    run = PlainScan(load("blocks:\n  Neg: {type: neg, IN: X.A}\noutputs: {Y.r: neg.out}\n", TAGS).schedule)
    run["x.a"] = 2.0
    run.scan()
    assert run["y.r"] == -2.0


def test_hidden_blocks_have_names_that_can_be_watched() -> None:
    pins = load("blocks:\n  g: {type: GATE, IN: p.kw, EN: x.p and not x.q}\noutputs: {y.w: g.OUT}\n", TAGS).schedule.pins
    assert {"p.g.EN#and.OUT", "p.g.EN#not.IN", "p.y.w#unit.OUT", "p.g.OUT"} <= set(pins)


def test_last_carries_type_and_unit_from_what_is_declared_below() -> None:
    program = """
blocks:
  held: {type: MOVE, IN: last flag.OUT}
  flag: {type: MOVE, IN: x.p}
  most: {type: MAX, IN1: last watts.OUT, IN2: last kilowatts.OUT}
  more: {type: ADD, A: most.OUT, B: 1 kW}
  watts: {type: NEG, IN: p.w}
  kilowatts: {type: NEG, IN: p.kw}
outputs: {y.b: held.OUT, y.kw: most.OUT, y.w: more.OUT}
"""
    run = PlainScan(load(program, TAGS).schedule)
    run["x.p"], run["p.w"], run["p.kw"] = 1, -3000.0, -2.0
    run.scan()
    assert run["y.b"] is False
    run.scan()
    assert run["y.b"] is True
    assert run["y.kw"] == 3.0
    assert run["y.w"] == 4000.0


def test_last_of_another_unit_is_found_however_it_goes_round() -> None:
    program = "blocks:\n  a: {type: NEG, IN: last b.OUT}\n  b: {type: NEG, IN: p.kw}\n"
    program += "  c: {type: FREQ_DROOP, F: 50 Hz, P_RATED: 1 kW, DROOP: a.OUT}\n"
    found = problems_of(texts(program, TAGS))
    assert [(p.code, p.message) for p in found if p.severity == "error"] == [
        ("E201", "`a.OUT` is in kW, and `DROOP` of FREQ_DROOP takes a plain number")
    ]


def test_a_function_block_may_feed_itself_with_last_in_any_unit() -> None:
    library = """
function_block: SUMMER
inputs:
  ADD: {type: LREAL, unit: kW}
  SOFAR: {type: LREAL, unit: W}
blocks:
  sum: {type: ADD, A: SOFAR, B: ADD}
outputs: {KW: sum.OUT * 1}
"""
    program = "blocks:\n  s: {type: SUMMER, ADD: p.kw, SOFAR: last k.OUT}\n  k: {type: LIMIT, MN: 0 kW, IN: s.KW, MX: 9 kW}\n"
    program += "outputs: {y.kw: k.OUT}\n"
    run = PlainScan(load(program, TAGS, summer=library).schedule)
    run["p.kw"] = 2.0
    for expected in (2.0, 4.0, 6.0, 8.0, 9.0):
        run.scan()
        assert run["y.kw"] == expected


@pytest.mark.parametrize(
    ("expression", "into", "message"),
    [
        ("2 * p.kw", "y.r", "this expression is in kW, and the tag `y.r` takes a plain number"),
        ("p.kw / 2", "y.pct", "this expression is in kW, and the tag `y.pct` takes %"),
        ("p.kw * 2 / x.a", "y.w", ""),
        ("2 * 3", "y.kw", "this expression has no unit, and the tag `y.kw` takes kW"),
        ("p.kw * p.kw", "y.kw", "this expression is in kW2, and the tag `y.kw` takes kW"),
    ],
)
def test_a_plain_factor_keeps_the_unit(expression: str, into: str, message: str) -> None:
    found = [p.message for p in problems_of(texts(f"outputs: {{{into}: {expression}}}\n", TAGS)) if p.severity == "error"]
    assert found == ([message] if message else [])
