"""One io_map for many devices: what `for` counts, what stands in braces, and how programs read `rack[*].soc`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.language.repeat import ComputeError, compute
from runtime.source import render
from tests.aids.site_text import PlainScan, load, load_all, problems_of, texts

RACKS = """for: rack in 1..3
device: rack{rack}
driver: fake
host: "10.0.0.{rack + 100}"
text: Rack {rack}
stale: 300 ms
timeout: 1 s
inputs:
  rack[{rack}].soc: {at: "{(rack - 1) * 0x20}", type: LREAL, unit: "%", bad: hold}
  rack[{rack}].cell_v: {at: "V_{1..4}", count: 4, type: LREAL, unit: V, bad: hold}
  rack[{rack}].ok: {at: ok, type: BOOL, bad: false}
outputs:
  rack[{rack}].p: {at: p, type: LREAL, unit: kW, safe: 0 kW}
"""
NO_OUTPUT = RACKS[: RACKS.index("outputs:")]


def racks(program: str, tags: str = "", io_map: str = RACKS) -> PlainScan:
    return PlainScan(load(program, tags, io={"racks": io_map}).schedule)


def test_one_file_makes_a_device_for_each_value() -> None:
    devices = load("", io={"racks": RACKS}).devices
    assert [(d.name, d.settings["host"]) for d in devices] == [
        ("rack1", "10.0.0.101"),
        ("rack2", "10.0.0.102"),
        ("rack3", "10.0.0.103"),
    ]
    assert [p.tag for p in devices[2].inputs] == ["rack[3].soc", *["rack[3].cell_v"] * 4, "rack[3].ok"]
    assert [d.inputs[0].address for d in devices] == ["0+0", "32+0", "64+0"]
    assert devices[1].inputs[1].address == "V_{1..4}+0", "the driver's own patterns are left to it"
    slots = [p.slot for d in devices for p in (*d.inputs, *d.diagnostics)]
    assert slots == list(range(len(slots)))


def test_each_device_has_its_own_tags_and_alarms() -> None:
    schedule = load("", io={"racks": RACKS}).schedule
    assert [a.text for a in schedule.alarms if a.severity == "error"] == [
        f"Rack {i}: The device does not answer" for i in (1, 2, 3)
    ]
    assert schedule.tag("device.rack2.state").owner == "device rack2"


def test_positions_point_into_the_file() -> None:
    device = load("", io={"racks": RACKS}).devices[2]
    assert str(device.inputs[0].at) == "io_maps/racks.yaml:9:3"


def test_a_list_of_values_leaves_holes() -> None:
    devices = load("", io={"racks": RACKS.replace("1..3", "[1, 2, 5]")}).devices
    assert [d.name for d in devices] == ["rack1", "rack2", "rack5"]


def test_a_range_of_a_pattern_may_be_computed() -> None:
    text = NO_OUTPUT.replace("V_{1..4}", "V_{(rack - 1) * 4 + 1..rack * 4}")
    assert [d.inputs[1].address for d in load("", io={"racks": text}).devices] == ["V_{1..4}+0", "V_{5..8}+0", "V_{9..12}+0"]


def test_a_program_reads_one_of_many() -> None:
    scan = racks(
        "outputs: {x.soc: 'rack[2].soc', x.v: 'rack[3].cell_v[4]'}", 'x.soc: {type: LREAL, unit: "%"}\nx.v: {type: LREAL, unit: V}'
    )
    scan["rack[2].soc"] = 42.0
    scan["rack[3].cell_v"] = [3.1, 3.2, 3.3, 3.4]
    scan.scan()
    assert (scan["x.soc"], scan["x.v"]) == (42.0, 3.4)


def test_a_program_reads_all_as_an_array_in_order() -> None:
    scan = racks("outputs: {x.soc: 'rack[*].soc'}", 'x.soc: {type: "LREAL[3]", unit: "%"}')
    for i in (1, 2, 3):
        scan[f"rack[{i}].soc"] = 10.0 * i
    scan.scan()
    assert scan["x.soc"] == [10.0, 20.0, 30.0]


def test_arrays_of_all_follow_each_other_and_one_element_of_each_may_be_picked() -> None:
    scan = racks(
        "outputs: {x.v: 'rack[*].cell_v', x.second: 'rack[*].cell_v[2]'}",
        'x.v: {type: "LREAL[12]", unit: V}\nx.second: {type: "LREAL[3]", unit: V}',
    )
    for i in (1, 2, 3):
        scan[f"rack[{i}].cell_v"] = [10.0 * i + k for k in range(1, 5)]
    scan.scan()
    assert scan["x.v"] == [10.0 * i + k for i in (1, 2, 3) for k in range(1, 5)]
    assert scan["x.second"] == [12.0, 22.0, 32.0]


def test_good_of_all_is_an_array_too() -> None:
    scan = racks("outputs: {x.trusted: 'rack[*].soc.good'}", 'x.trusted: {type: "BOOL[3]"}')
    scan["rack[2].soc.good"] = True
    scan.scan()
    assert scan["x.trusted"] == [False, True, False]


def test_all_of_them_feed_an_instance_array() -> None:
    scan = racks("blocks:\n  n: {type: NOT, count: 3, IN: 'rack[*].ok'}\noutputs: {x.bad: 'n[*].OUT'}", 'x.bad: {type: "BOOL[3]"}')
    scan["rack[3].ok"] = True
    scan.scan()
    assert scan["x.bad"] == [True, True, False]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("'rack[*].p': hmi.p", [6.0, 6.0, 6.0]),
        ("'rack[*].p': 'n[*].OUT'", [-10.0, -20.0, -30.0]),
        ("'rack[*].p': [1 kW, 2 kW, hmi.p]", [1.0, 2.0, 6.0]),
    ],
)
def test_a_program_writes_all_of_them(line: str, expected: list[float]) -> None:
    scan = racks(
        "blocks:\n  n: {type: NEG, count: 3, IN: hmi.each}\noutputs:\n  " + line,
        'hmi.p: {type: LREAL, unit: kW, write: operator}\nhmi.each: {type: "LREAL[3]", unit: kW, write: operator}',
    )
    scan["hmi.p"] = 6.0
    scan["hmi.each"] = [10.0, 20.0, 30.0]
    scan.scan()
    assert [scan[f"rack[{i}].p"] for i in (1, 2, 3)] == expected


def test_a_site_may_declare_tags_with_an_index_too() -> None:
    scan = PlainScan(
        load(
            "outputs: {x.a: 'rack[*].limit'}",
            "rack[1].limit: {type: DINT, default: 4, write: operator}\n"
            "rack[2].limit: {type: DINT, default: 5, write: operator}\n"
            'x.a: {type: "DINT[2]"}',
        ).schedule
    )
    scan.scan()
    assert scan["x.a"] == [4, 5]


@pytest.mark.parametrize(
    "name", ["rack[3]", "rack[03].soc", "rack[-1].soc", "rack[].soc", "rack[*].soc", "[3].soc", "rack[3].soc[1]"]
)
def test_a_tag_is_not_named_so(name: str) -> None:
    assert "E106" in [p.code for p in problems_of(texts("", f"'{name}': {{type: BOOL}}"))]


def test_the_overview_shows_one_or_all_of_them() -> None:
    files = texts("", io={"racks": RACKS})
    files["config/site.yaml"] += 'overview: ["rack[2].ok", "rack[*].soc", device.rack1.state]\n'
    assert load_all(files).overview == ("rack[2].ok", "rack[1].soc", "rack[2].soc", "rack[3].soc", "device.rack1.state")
    wrong_overview = {**files, "config/site.yaml": files["config/site.yaml"].replace("rack[*].soc", "rack[*].sock")}
    assert [(p.code, p.message) for p in problems_of(wrong_overview)] == [("E101", "no tags named `rack[*].sock`")]


# --- what is wrong, and how it is said -----------------------------------------------------------------------------


def wrong(io_map: str, program: str = "", tags: str = "") -> list[tuple[str, str, tuple[str, ...]]]:
    return [(p.code, p.message, p.help) for p in problems_of(texts(program, tags, io={"racks": io_map})) if p.severity == "error"]


def test_a_mistake_is_said_once_and_for_which_values() -> None:
    found = wrong(NO_OUTPUT.replace("bad: false", "bad: maybe"))
    assert [(code, help[-1]) for code, _, help in found] == [("E010", "for rack = 1, and for 2 more values")]


def test_a_mistake_of_one_value_names_it() -> None:
    found = wrong(NO_OUTPUT.replace("{(rack - 1) * 0x20}", "{8 // (rack - 2)}"))
    assert found == [("E606", "`{8 // (rack - 2)}`: it divides by 0 where rack is 2", ("for rack = 2",))]


def test_a_mistake_inside_a_filled_value_is_shown_under_the_whole_of_it(tmp_path: Path) -> None:
    files = texts(
        "", io={"racks": NO_OUTPUT.replace("bad: hold}\n  rack[{rack}].ok", 'initial: "{rack} kA", bad: hold}\n  rack[{rack}].ok')}
    )
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    said = render([p for p in problems_of(files) if p.severity == "error"], tmp_path)
    assert '"{rack} kA"' in said and said.count("^" * len('"{rack} kA"')) == 1
    assert "for rack = 1, and for 2 more values" in said


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("rack in 5..1", "the range 5..1 is empty"),
        ("rack in 1..1001", "a `for` has at most 1000 values, not 1001"),
        ("rack in [1, 2, 1]", "1 stands twice in this list"),
        ("rack in many", "`many` is no range and no list of whole numbers"),
        ("rack in 1..x", "`1..x` is no range and no list of whole numbers"),
        ("rack 1..4", "`for` names its values"),
        ("{a: b}", "`for` names its values"),
    ],
)
def test_a_for_that_counts_nothing(written: str, message: str) -> None:
    found = wrong(NO_OUTPUT.replace("rack in 1..3", written))
    assert found[0][:2] == ("E605", message)


@pytest.mark.parametrize(
    ("braces", "message"),
    [
        ("{rak}", "`{rak}`: there is no `rak`"),
        ("{rack + other}", "`{rack + other}`: there is no `other`"),
        ("{rack / 2}", "`{rack / 2}`: `/` would leave the whole numbers"),
        ("{rack * 1.5}", "`{rack * 1.5}`: only whole numbers, + - * // % and brackets"),
        ("{rack ** 9}", "`{rack ** 9}`: only whole numbers, + - * // % and brackets"),
        ("{rack(1)}", "`{rack(1)}`: only whole numbers, + - * // % and brackets"),
        ("{rack +}", "`{rack +}`: this is no expression of whole numbers"),
        ("{__import__('os')}", "`{__import__('os')}`: only whole numbers, + - * // % and brackets"),
        ("{" + "rack+" * 60 + "1}", "`{" + "rack+" * 60 + "1}`: longer than 200 characters"),
    ],
)
def test_braces_that_have_no_value(braces: str, message: str) -> None:
    found = wrong(NO_OUTPUT.replace("{(rack - 1) * 0x20}", braces))
    assert [f[:2] for f in found] == [("E606", message)]


def test_devices_and_tags_that_do_not_differ_are_said_with_the_value() -> None:
    found = wrong(NO_OUTPUT.replace("device: rack{rack}", "device: rack"))
    assert ("E105", "two devices are named `rack`") in [f[:2] for f in found]
    found = wrong(NO_OUTPUT.replace("rack[{rack}].ok", "rack.ok"))
    assert found == [
        (
            "E105",
            "a tag named `rack.ok` exists already",
            ("`rack.ok` is defined at io_maps/racks.yaml:11", "for rack = 2, and for 1 more value"),
        )
    ]


def test_two_keys_that_become_one() -> None:
    found = wrong(NO_OUTPUT + "  rack[2].ok: {at: other, type: BOOL, bad: false}\n")
    assert ("E002", "`rack[2].ok` stands twice in this section", ("for rack = 2",)) in found


@pytest.mark.parametrize(
    ("read", "message"),
    [
        ("rack[*].soc", "`rack[*].soc` is an array from 1 on, and there is no `rack[3].soc`: there is 1, 2, 5"),
        ("rack[*].sock", "no tags named `rack[*].sock`"),
        ("rack[*].cell_v[5]", "`rack[1].cell_v` has elements 1 to 4, not 5"),
        ("rack[*].soc.good[1]", "no tags named `rack[*].soc.good`"),
        ("rack[*].cell[*].v", "`rack[*].cell[*].v` has more than one `[*]`"),
        ("rack[4].soc", "no tag named `rack[4].soc`"),
    ],
)
def test_a_name_of_many_that_leads_nowhere(read: str, message: str) -> None:
    io_map = NO_OUTPUT.replace("1..3", "[1, 2, 5]" if "there is 1, 2, 5" in message else "1..3")
    found = wrong(io_map, f"outputs: {{x.a: '{read}'}}", 'x.a: {type: "LREAL[3]", unit: "%"}')
    assert len(found) == 1, found
    assert found[0][1].startswith(message)


def test_outputs_of_one_line_that_nobody_writes_are_one_warning() -> None:
    warnings = [(p.code, p.message) for p in problems_of(texts("", io={"racks": RACKS})) if p.severity == "warning"]
    assert warnings == [("W801", "no program writes the output `rack[1].p` and 2 more of this line")]


def test_a_thousand_devices_with_mistakes_are_said_in_a_moment() -> None:
    found = wrong(NO_OUTPUT.replace("1..3", "1..1000").replace("type: LREAL", "type: LREEL").replace("bad: false", "bad: maybe"))
    assert len(found) == 3 and all(help[-1] == "for rack = 1, and for 999 more values" for _, _, help in found)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_in_a_for_and_in_braces_is_read_or_refused_with_words(counted: str, braced: str) -> None:
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") for text in (counted, braced)]
    io_map = NO_OUTPUT.replace("for: rack in 1..3", f'for: "rack in {quoted[0]}"').replace(
        "{(rack - 1) * 0x20}", f"{{{quoted[1]}}}"
    )
    for problem in problems_of(texts("", io={"racks": io_map})):
        assert problem.code and problem.message


# --- the little arithmetic in braces ---------------------------------------------------------------------------------

NUMBERS = st.one_of(st.integers(0, 5000).map(str), st.integers(0, 0xFFF).map(hex), st.just("rack"))
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda text: f"-({text})"),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS, st.integers(-50, 1000))
def test_the_arithmetic_is_that_of_python(text: str, rack: int) -> None:
    try:
        expected = eval(text, {"__builtins__": {}}, {"rack": rack})
    except ZeroDivisionError:
        with pytest.raises(ComputeError, match="divides by 0"):
            compute(text, "rack", rack)
        return
    if len(text) > 200:
        with pytest.raises(ComputeError, match="longer than"):
            compute(text, "rack", rack)
    else:
        assert compute(text, "rack", rack) == expected


@given(st.text(max_size=40))
def test_any_other_text_is_refused_with_words(text: str) -> None:
    try:
        found = compute(text, "rack", 3)
    except ComputeError as error:
        found, text = None, str(error)
    assert text if found is None else ast.literal_eval(str(found)) == found


def test_what_function_blocks_bring_is_shared_out_also_where_each_brings_an_array() -> None:
    tags = "\n".join(f'x[{rack}].high: {{type: "BOOL[4]"}}' for rack in (1, 2, 3))
    program = "blocks: {bank: {type: BANK, count: 3, V: 'rack[*].cell_v'}}\noutputs: {'x[*].high': 'bank[*].HIGH'}"
    bank = (
        "function_block: BANK\ninputs: {V: {type: 'LREAL[4]', unit: V}}\n"
        "blocks: {high: {type: GT, count: 4, IN1: 'V[*]', IN2: 3 V}}\noutputs: {HIGH: 'high[*].OUT'}\n"
    )
    scan = PlainScan(load(program, tags, io={"racks": RACKS}, bank=bank).schedule)
    scan["rack[2].cell_v"] = [2.0, 3.5, 2.0, 3.5]
    scan.scan()
    assert [scan[f"x[{rack}].high"] for rack in (1, 2, 3)] == [[False] * 4, [False, True, False, True], [False] * 4]
