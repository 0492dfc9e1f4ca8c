"""What the Modbus driver makes of an io_map, and how it explains mistakes."""

import textwrap

import pytest

from runtime.fieldbus import modbus
from runtime.fieldbus.modbus_settings import LINE_WORDS
from tests.aids.fieldbus import describe, problems, section

HEAD = "device: pcs\ndriver: modbus\nhost: 127.0.0.1\n"


def io_map(lines: str, head: str = HEAD) -> str:
    return head + textwrap.dedent(lines)


def points(lines: str) -> dict:
    found, report = describe(io_map(lines))
    assert not report.problems, report.problems
    return dict(found.points)


def explained(tmp_path, lines: str, head: str = HEAD) -> str:
    return problems(io_map(lines, head), root=tmp_path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{register: holding 1}", "DINT"),
        ("{register: holding 1, as: uint32}", "LINT"),
        ("{register: holding 1, as: int32}", "DINT"),
        ("{register: holding 1, scale: 0.1}", "LREAL"),
        ("{register: holding 1, unit: V}", "LREAL"),
        ("{register: holding 1, as: float32}", "LREAL"),
        ("{register: holding 1, bit: 3}", "BOOL"),
        ("{register: coil 1}", "BOOL"),
        ("{register: discrete 1}", "BOOL"),
        ("{register: input 1, names: {0: OFF, 1: ON}}", "DINT"),
        ("{register: input 1, type: LREAL}", ""),
    ],
)
def test_the_type_follows_the_format_unless_the_io_map_says_it(line, expected):
    assert points(f"inputs: {{a.x: {line}}}")["a.x"].type == expected


def test_defaults_are_those_of_the_word_list():
    found, _ = describe(io_map("inputs: {}"))
    settings = found.settings
    assert (settings.port, settings.unit, settings.gap, settings.max_read) == (502, 1, 8, 120)
    assert (settings.poll, settings.request_timeout) == (100_000_000, 300_000_000)


def test_count_and_braces_make_arrays():
    found = points("""\
        inputs:
          a.v: {register: holding 100, as: float32, count: 3}
          a.w: {register: "holding {10..12}"}
          a.one: {register: holding 20, count: 1}
    """)
    assert [r.address for r in found["a.v"].addresses] == [100, 102, 104]
    assert [r.address for r in found["a.w"].addresses] == [10, 11, 12]
    assert all(p.is_array for p in found.values())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{register: holding}", "`holding` is no register"),
        ("{register: 40001}", "`40001` is no register"),
        ("{register: holdng 1}", "there is no table `holdng`"),
        ("{register: holding 65536}", "address 65536 is beyond 65535"),
        ("{register: holding 65535, as: int32}", "is beyond the last address"),
        ("{register: holding 1, as: int24}", "`as` cannot be `int24`"),
        ("{register: holding 1, as: bool}", "needs the `bit`"),
        ("{register: holding 1, bit: 16}", "`bit` is 0 to 15, not 16"),
        ("{register: holding 1, as: int32, bit: 1}", "picks bits of uint16, uint32 or uint64, not of int32"),
        ("{register: coil 1, as: uint16}", "a coil is one bit"),
        ("{register: holding 1, scale: 0}", "makes every value the same"),
        ("{register: holding 1, scale: fast}", "`scale` is a number, not `fast`"),
        ("{register: holding 1, scale: nan}", "`scale` is a number, not `nan`"),
        ("{register: coil 1, scale: 2}", "a bit has no scale"),
        ("{register: holding 1, words: middle}", "`words` cannot be `middle`"),
        ("{register: holding 1, count: 0}", "`count` is 1 to"),
        ("{register: holding 65530, count: 10}", "is beyond the last address"),
        ('{register: "holding {1..2}", count: 2}', "both make an array"),
        ("{}", "`register` is missing"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_is_wrong(tmp_path, line, said):
    assert said in explained(tmp_path, f"inputs:\n  a.x: {line}\n")


NINES = "9" * 5000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (f"register: holding {NINES}", "E671"),
        (f"register: 'holding {{1..{NINES}}}'", "E671"),
        (f"register: holding 1, bits: {NINES}..3", "E654"),
        (f"register: holding 1, bit: {NINES}", "E654"),
        (f"register: holding 1, count: {NINES}", "E654"),
        (f"register: holding 1, invalid: {NINES}", "E654"),
        (f"register: holding 1, invalid: 0x{NINES}", "E654"),
        (f"register: holding 1, scale_from: holding {NINES}", "E671"),
        (f"register: holding 1, poll: {NINES} h", "E653"),
        ("register: holding 1, poll: 0.1 ns", "E653"),
        ("register: holding 1, scale: 1e400", "E654"),
        ("register: holding 1, offset: -1e400", "E654"),
    ],
)
def test_a_number_beyond_all_measure_is_a_mistake_with_its_place(words, code):
    _, report = describe(io_map(f"inputs:\n  a.x: {{{words}, initial: 0, bad: hold}}\n"))
    assert [problem.code for problem in report.problems] == [code]
    assert report.problems[0].at.line == 5


@pytest.mark.parametrize("table", ["input", "discrete"])
def test_an_output_must_be_writable(tmp_path, table):
    assert f"`{table} 3` cannot be written" in explained(tmp_path, f"outputs:\n  a.x: {{register: {table} 3, safe: 0}}\n")


def test_overlapping_registers_name_the_other_place(tmp_path):
    assert explained(
        tmp_path,
        """\
        inputs:
          a.p: {register: holding 10, as: int32}
          a.q: {register: holding 11}
    """,
    ) == textwrap.dedent("""\
        io_maps/device.yaml:6:19: error[E674]: `a.q` (holding 11) overlaps `a.p` (holding 10 to 11)
         6 |   a.q: {register: holding 11}
           |                   ^^^^^^^^^^ one register, one meaning
         = help: `a.p` is mapped at io_maps/device.yaml:5:19""")


@pytest.mark.parametrize(
    "lines",
    [
        "inputs:\n  a.p: {register: holding 10}\n  a.q: {register: holding 10, scale: 0.1}\n",
        "inputs:\n  a.p: {register: holding 10, bit: 0}\n  a.q: {register: holding 10, bit: 1}\n  a.r: {register: holding 10}\n",
        "inputs:\n  a.p: {register: holding 10}\noutputs:\n  a.q: {register: holding 10, safe: 0}\n",
        "inputs:\n  a.p: {register: holding 10}\n  a.q: {register: input 10}\n  a.r: {register: coil 10}\n",
        "outputs:\n  a.p: {register: holding 10, bit: 0, safe: false}\n  a.q: {register: holding 10, bit: 1, safe: false}\n",
    ],
)
def test_reading_twice_reading_back_and_single_bits_are_allowed(lines):
    points(lines)


@pytest.mark.parametrize(
    "lines",
    [
        "outputs:\n  a.p: {register: holding 10, safe: 0}\n  a.q: {register: holding 10, safe: 0}\n",
        "outputs:\n  a.p: {register: holding 10, safe: 0}\n  a.q: {register: holding 10, bit: 1, safe: 0}\n",
        "outputs:\n  a.p: {register: coil 1, safe: 0}\n  a.q: {register: coil 1, safe: 0}\n",
    ],
)
def test_a_register_has_one_writer(tmp_path, lines):
    assert "is written by `a.p` and by `a.q`" in explained(tmp_path, lines)


def test_the_device_needs_a_host_and_sane_numbers(tmp_path):
    text = explained(tmp_path, "inputs: {}\n", "device: pcs\ndriver: modbus\nport: 70000\nunit: 256\npoll: soon\nmax_read: 126\n")
    for said in ("`host` is missing", "`port` is 1 to 65535", "`unit` is 0 to 255", "`soon` is no duration", "is 4 to 125"):
        assert said in text


def test_the_word_lists_cover_the_words_that_are_read():
    own = "suspend: 5 s\nread_write: true\nhandshake: []\nheartbeat: {register: holding 9}\nsunspec: {base: auto}\n"
    text = section(io_map("port: 1\nunit: 1\npoll: 1 s\ngap: 1\nmax_read: 9\nrequest_timeout: 1 s\n" + own))
    assert set(text) - {"device", "driver", *LINE_WORDS} == set(modbus.DEVICE_WORDS) - set(LINE_WORDS)
