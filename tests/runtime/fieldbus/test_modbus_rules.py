"""The words of a Modbus io_map beyond register and scale: fields of bits, classes, handshake, heartbeat; and their mistakes."""

import pytest

from runtime.fieldbus.modbus_handshake import raw_of
from runtime.fieldbus.modbus_register import BIT, Place
from runtime.fieldbus.modbus_rules import Heartbeat
from tests.aids.fieldbus import describe, problems

HEAD = "device: pcs\ndriver: modbus\nhost: 127.0.0.1\n"
MS = 1_000_000


def described(lines: str):
    found, report = describe(HEAD + lines)
    assert not report.problems, report.problems
    return found


def register(line: str):
    return described(f"inputs:\n  a.x: {line}\n").points["a.x"].addresses[0]


def explained(tmp_path, lines: str) -> str:
    return problems(HEAD + lines, root=tmp_path)


def test_fields_of_bits_are_numbers_and_single_bits_are_not():
    found = described("""\
inputs:
  a.field: {register: holding 1, bits: 4..7}
  a.wide: {register: holding 2, as: uint32, bits: 0..31}
  a.named: {register: holding 4, bits: 0..2, names: {0: OFF, 1: ON}}
  a.scaled: {register: holding 5, bits: 0..9, scale: 0.1}
  a.bit: {register: holding 6, as: uint32, bit: 31}
""")
    assert [found.points[f"a.{n}"].type for n in ("field", "wide", "named", "scaled", "bit")] == [
        "DINT",
        "LINT",
        "DINT",
        "LREAL",
        "BOOL",
    ]
    field = found.points["a.field"].addresses[0]
    assert (field.kind, field.bit, field.bits, field.mask, str(field)) == (BIT, 4, 4, 0xF0, "holding 1 bits 4 to 7")


def test_how_and_when_a_point_is_read_and_written():
    found = described("""\
inputs:
  a.p: {register: holding 1, as: int16, scale_from: input 40, invalid: [0x8000, -1], poll: 1 s}
outputs:
  a.q: {register: holding 100, safe: 0, verify: true, order: 2, every: 1 s}
""")
    p, q = found.points["a.p"].addresses[0], found.points["a.q"].addresses[0]
    assert (p.factor, p.invalid, p.poll) == (Place("input", 40), (0x8000, 0xFFFF), 1000 * MS)
    assert found.points["a.p"].type == "LREAL"
    assert (q.verify, q.order, q.every) == (True, 2, 1000 * MS)


def test_the_device_words_are_read():
    rules = described("""\
suspend: 30 s
read_write: true
heartbeat: {register: holding 9, every: 250 ms, limit: 255}
handshake:
  - {register: holding 40000, as: uint32, equals: 0x53756e53, text: SunSpec marker}
  - {register: input 0, in: [3, 4]}
  - {register: holding 7, as: int16, equals: -2}
  - {register: discrete 3, equals: 1}
inputs: {}
""").settings.rules
    assert (rules.suspend, rules.read_write, rules.heartbeat) == (30_000 * MS, True, Heartbeat(9, 250 * MS, 255))
    assert [question.expected for question in rules.handshake] == [(0x53756E53,), (3, 4), (0xFFFE,), (1,)]
    assert str(rules.handshake[0]) == "SunSpec marker" and str(rules.handshake[1]) == "input 0"


@pytest.mark.parametrize(
    ("line", "values", "expected"),
    [
        ("{register: holding 1}", [0x1234], 0x1234),
        ("{register: holding 1, as: uint32}", [0x5375, 0x6E53], 0x53756E53),
        ("{register: holding 1, as: uint32, words: little}", [0x6E53, 0x5375], 0x53756E53),
        ("{register: holding 1, as: uint32, bytes: little}", [0x7553, 0x536E], 0x53756E53),
        ("{register: holding 1, bits: 4..11}", [0x1234], 0x23),
        ("{register: holding 1, bit: 12}", [0x1000], 1),
        ("{register: coil 1}", [1], 1),
    ],
)
def test_the_handshake_reads_as_the_points_do(line, values, expected):
    assert raw_of(register(line), values) == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{register: holding 1, bits: 7..4}", "`7..4` is no field of bits"),
        ("{register: holding 1, bits: 4}", "`4` is no field of bits"),
        ("{register: holding 1, bits: 10..16}", "`bits` is 0 to 15, not 16"),
        ("{register: holding 1, as: uint64, bits: 0..40}", "a field has 32 bits at most, not 41"),
        ("{register: holding 1, bit: 1, bits: 1..2}", "`bit` and `bits` both pick bits"),
        ("{register: holding 1, as: float32, bits: 1..2}", "not of float32"),
        ("{register: coil 1, bits: 0..1}", "which is one bit"),
        ("{register: holding 1, scale_from: coil 3}", "a power of ten stands in a register"),
        ("{register: holding 1, scale_from: 40}", "`40` is no register"),
        ("{register: holding 1, bit: 1, scale_from: holding 2}", "a bit has no scale"),
        ("{register: holding 1, invalid: [0x10000]}", "`0x10000` does not fit 1 register"),
        ("{register: holding 1, invalid: [none]}", "`invalid` takes whole numbers"),
        ("{register: holding 1, as: float32, invalid: [0]}", "a float says by NaN that it has no value"),
        ("{register: holding 1, poll: often}", "`often` is no duration"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(tmp_path, line, said):
    assert said in explained(tmp_path, f"inputs:\n  a.x: {line}\n")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("handshake: {register: holding 1, equals: 2}\n", "`handshake` is a list"),
        ("handshake: [holding 1]\n", "a question of the handshake is a section"),
        ("handshake: [{register: holding 1}]\n", "one of `equals` and `in`"),
        ("handshake: [{register: holding 1, equals: 1, in: [2]}]\n", "one of `equals` and `in`"),
        ("handshake: [{register: holding 1, equals: 65536}]\n", "`65536` does not fit `holding 1`"),
        ("handshake: [{register: holding 1, bit: 1, equals: 2}]\n", "`2` does not fit `holding 1 bit 1`"),
        ("handshake: [{register: holding 1, as: float32, equals: 2}]\n", "a handshake compares whole numbers"),
        ("handshake: [{register: holding 1, equal: 2}]\n", "did you mean `equals`"),
        ('handshake: [{register: "holding {1..2}", equals: 2}]\n', "this takes one register"),
        ("handshake: [{register: holding 65535, as: uint32, equals: 2}]\n", "beyond the last address"),
        ("heartbeat: {register: input 1}\n", "a heartbeat is a holding register, not read only"),
        ("heartbeat: {register: coil 1}\n", "a heartbeat is a holding register, not a bit"),
        ("heartbeat: {every: 1 s}\n", "`register` is missing"),
        ("heartbeat: {register: holding 1, limit: 0}\n", "`limit` is 1 to 65535"),
        ("heartbeat: holding 1\n", "`heartbeat` is a section"),
        (
            "heartbeat: {register: holding 5}\noutputs:\n  a.x: {register: holding 4, as: int32, safe: 0}\n",
            "by `a.x` and by the heartbeat",
        ),
        ("unit: 0\ntransport: rtu_over_tcp\n", "unit 0 is everybody on a serial line"),
        ("read_write: yes\n", "`read_write` cannot be `yes`"),
        ("suspend: 0 s\n", "`0 s` is no duration"),
        ("outputs:\n  a.x: {register: holding 1, safe: 0, verify: yes}\n", "`verify` cannot be `yes`"),
        ("outputs:\n  a.x: {register: holding 1, safe: 0, order: -1}\n", "`order` is 0 to 1000, not -1"),
        (
            "outputs:\n  a.x: {register: holding 1, bit: 0, order: 1, safe: 0}\n  a.y: {register: holding 1, bit: 1, safe: 0}\n",
            "share a register and have different `order`s",
        ),
        (
            "outputs:\n  a.x: {register: holding 1, bits: 0..3, safe: 0}\n  a.y: {register: holding 1, bit: 3, safe: false}\n",
            "is written by `a.x` and by `a.y`",
        ),
    ],
)
def test_a_wrong_device_word_says_what_is_wrong(tmp_path, lines, said):
    assert said in explained(tmp_path, lines)


def test_all_mistakes_are_said_at_once_with_their_places(tmp_path):
    text = explained(
        tmp_path,
        "handshake: [{register: holding 1}]\nheartbeat: {register: coil 1}\ninputs:\n  a.x: {register: holding 1, bits: 9}\n",
    )
    assert [line.split(": ")[0] for line in text.splitlines() if line.startswith("io_maps")] == [
        "io_maps/device.yaml:4:13",
        "io_maps/device.yaml:5:23",
        "io_maps/device.yaml:7:36",
    ]
