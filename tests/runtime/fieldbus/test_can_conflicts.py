"""What the checker finds where a site is read whole: devices that share a CAN bus, and safe values that no signal can carry."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus import drivers
from runtime.fieldbus.can_kernel import raw_of
from runtime.fieldbus.can_tables import FLOAT16, FLOAT32, FLOAT64, SIGNED, UNSIGNED, Bits, CanSignal, _Rows
from runtime.language import load_text
from runtime.source import SiteError

DBC = """VERSION ""
BU_: PLC RACK
BO_ 16 Status: 8 RACK
 SG_ Soc : 0|16@1+ (0.1,0) [0|0] "%" PLC
BO_ 32 Command: 8 PLC
 SG_ Word : 0|16@1+ (1,0) [0|0] "" RACK
 SG_ Signed : 16|16@1- (0.1,0) [0|0] "A" RACK
 SG_ Half : 32|16@1- (1,0) [0|0] "V" RACK
SIG_VALTYPE_ 32 Half : 1;
"""
CHANNELS = "  can0: {interface: virtual, channel: a}\n"
SITE = "site: t\ntasks: {{main: {{interval: 10 ms, programs: [p]}}}}\nchannels:\n{channels}io: [{io}]\n"
RACKS = """for: rack in 1..3
device: rack{rack}
driver: can
channel: can0
dbc: dbc/d.dbc
stale: 1 s
timeout: 1 s
"""
INPUT = "inputs:\n  rack[{rack}].soc: {signal: Status.Soc, bad: hold}\n"
OUTPUT = "outputs:\n  rack[{rack}].word: {signal: Command.Word, safe: 0}\n"


def one(name: str, lines: str, channel: str = "can0") -> str:
    """An io_map of one device."""
    return f"device: {name}\ndriver: can\nchannel: {channel}\ndbc: dbc/d.dbc\nstale: 1 s\ntimeout: 1 s\n{lines}"


def errors(root, channels: str = CHANNELS, **io_maps: str) -> list[str]:
    """The problems of a site with these io_maps; none where it can be loaded."""
    (root / "dbc").mkdir(exist_ok=True)
    (root / "dbc" / "d.dbc").write_text(DBC, encoding="utf-8")
    texts = {
        "config/site.yaml": SITE.format(channels=channels, io=", ".join(io_maps)),
        "programs/p.yaml": "program: p\n",
        **{f"io_maps/{name}.yaml": text for name, text in io_maps.items()},
    }
    try:
        load_text(texts, drivers(), root=root)
    except SiteError as error:
        return [f"{p.at} {p.code}: {p.message}; {p.hint}; {', '.join(p.help)}" for p in error.problems]
    return []


# Identifiers --------------------------------------------------------------------------------------------------------------


def test_many_racks_without_an_offset_would_all_show_the_first_one(tmp_path):
    (said,) = errors(tmp_path, racks=RACKS + INPUT)
    assert "io_maps/racks.yaml:9" in said and "E666" in said
    assert "`rack1` and `rack2` both receive `Status`" in said and "id_offset" in said


def test_many_racks_without_an_offset_would_command_each_other(tmp_path):
    (said,) = errors(tmp_path, racks=RACKS + OUTPUT)
    assert "`rack1` and `rack2` both send `Command`" in said and "identifier 0x20 on channel `can0`" in said


def test_many_racks_with_an_offset_are_well(tmp_path):
    assert not errors(tmp_path, racks=RACKS + 'id_offset: "{rack * 0x100}"\n' + INPUT + OUTPUT)


def test_an_offset_that_leads_onto_the_next_device(tmp_path):
    status = one("a", "id_offset: 0x10\ninputs: {a.soc: {signal: Status.Soc, bad: hold}}\n")
    command = one("b", "outputs: {b.word: {signal: Command.Word, safe: 0}}\n")
    (said,) = errors(tmp_path, a=status, b=command)
    assert "`b` sends `Command`, which `a` receives from somebody else (identifier 0x20" in said
    (said,) = errors(tmp_path, b=command, a=status)
    assert "`a` receives `Status` from somebody else, and `b` sends it" in said


def test_two_io_maps_may_read_one_frame_and_not_send_one(tmp_path):
    soc = "inputs: {{{0}.soc: {{signal: Status.Soc, bad: hold}}}}\n"
    assert not errors(tmp_path, a=one("a", soc.format("a")), b=one("b", soc.format("b")))
    word = "outputs: {{{0}.word: {{signal: Command.Word, safe: 0}}}}\n"
    (said,) = errors(tmp_path, a=one("a", word.format("a")), b=one("b", word.format("b")))
    assert "`a` and `b` both send `Command`" in said and "`a` is at io_maps/a.yaml:1:9" in said


def test_a_frame_that_is_sent_with_nothing_but_its_count_has_one_sender_too(tmp_path):
    beat = "messages: {Command: {every: 100 ms}}\n"
    (said,) = errors(tmp_path, a=one("a", beat), b=one("b", beat))
    assert "io_maps/b.yaml:7:12" in said and "both send `Command`" in said


def test_one_identifier_on_two_buses_is_well(tmp_path):
    word = "outputs: {{{0}.word: {{signal: Command.Word, safe: 0}}}}\n"
    channels = CHANNELS + "  can1: {interface: virtual, channel: b}\n"
    assert not errors(tmp_path, channels, a=one("a", word.format("a")), b=one("b", word.format("b"), "can1"))


def test_two_names_of_one_bus_are_one_bus(tmp_path):
    word = "outputs: {{{0}.word: {{signal: Command.Word, safe: 0}}}}\n"
    channels = CHANNELS + "  can1: {interface: virtual, channel: a}\n"
    (said,) = errors(tmp_path, channels, a=one("a", word.format("a")), b=one("b", word.format("b"), "can1"))
    assert "both send `Command`" in said


@pytest.mark.parametrize("second", ["bitrate: 250 kbit/s", "bitrate: 500 kbit/s, fd: true"])
def test_one_bus_is_opened_in_one_way(tmp_path, second):
    channels = (
        f"  can0: {{interface: virtual, channel: a, bitrate: 500 kbit/s}}\n  can1: {{interface: virtual, channel: a, {second}}}\n"
    )
    soc = "inputs: {{{0}.soc: {{signal: Status.Soc, bad: hold}}}}\n"
    (said,) = errors(tmp_path, channels, a=one("a", soc.format("a")), b=one("b", soc.format("b"), "can1"))
    assert "io_maps/b.yaml:3:10" in said and "E679" in said and "`can0` and `can1` are one bus, virtual a" in said


# Safe values --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{signal: Command.Word, safe: ^70000}", "`Command.Word` has 16 bits, for values of 0 to 65535"),
        ("{signal: Command.Word, safe: ^-1}", "`Command.Word` has 16 bits"),
        ("{signal: Command.Signed, safe: ^3276.8 A}", "for values of -3276.8 to 3276.7"),
        ("{signal: Command.Half, safe: ^65520 V}", "`Command.Half` is a float of 16 bits"),
        ("{signal: Command.Word, safe: {value: ^65536, after: 1 s}}", "for values of 0 to 65535"),
    ],
)
def test_a_safe_value_that_can_never_be_written_is_refused(tmp_path, written, says):
    line = f"  a.x: {written}"
    (said,) = errors(tmp_path, a=one("a", f"outputs:\n{line.replace('^', '')}\n"))
    assert said.startswith(f"io_maps/a.yaml:8:{line.index('^') + 1} E204: ")
    assert "can never be written" in said and says in said


@pytest.mark.parametrize("line", ["{signal: Command.Word, safe: 65535}", "{signal: Command.Signed, safe: -3276.8 A}"])
def test_the_ends_of_a_signal_are_safe_values(tmp_path, line):
    assert not errors(tmp_path, a=one("a", f"outputs:\n  a.x: {line}\n"))


def test_a_safe_value_that_a_register_cannot_carry_is_refused(tmp_path):
    modbus = "device: m\ndriver: modbus\nhost: 127.0.0.1\ntimeout: 1 s\noutputs:\n  m.x: {register: holding 1, as: int16, %s}\n"
    (said,) = errors(tmp_path, m=modbus % "scale: 0.1, safe: 4000")
    assert "io_maps/m.yaml:6" in said and "holding 1 has 16 bits, for values of -3276.8 to 3276.7" in said
    assert not errors(tmp_path, m=modbus % "scale: 0.1, safe: -3276.8")


def test_what_is_sent_as_one_is_kept_as_one(tmp_path):
    word, other = "  a.word: {signal: Command.Word, type: DINT, safe: keep}\n", "  a.signed: {signal: Command.Signed, safe: 0 A}\n"
    said, *_ = errors(tmp_path, a=one("a", f"outputs:\n{word}{other}"))
    assert "io_maps/a.yaml:8:3 E607: `a.word` shall be kept, and the message `Command` is written with the safe value" in said
    head = "device: m\ndriver: modbus\nhost: 127.0.0.1\ntimeout: 1 s\noutputs:\n  m.b: {register: %s, safe: false}\n"
    kept = "  m.a: {register: %s, safe: keep}\n"
    said, *_ = errors(tmp_path, m=head % "holding 1, bit: 0" + kept % "holding 1, bit: 1")
    assert "E607: `m.a` shall be kept, and holding 1 is written with the safe value of `m.b`" in said


FLOATS = {FLOAT16: 16, FLOAT32: 32, FLOAT64: 64}


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from([UNSIGNED, SIGNED, *FLOATS]),
    length=st.integers(1, 64),
    scale=st.sampled_from([1.0, 0.1, -2.0, 0.001, 1e30]),
    offset=st.sampled_from([0.0, -40.0, 1e6]),
    value=st.floats() | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([65519.0, 65520.0, 3.4e38, 3.41e38, 2.0**63]),
)
def test_the_checker_refuses_what_the_kernel_refuses(kind, length, scale, offset, value):
    length = FLOATS.get(kind, length)
    signal = CanSignal("M", "s", 1, 8, False, Bits(0, 1, 0, length), kind, scale, offset, None, None, (), ())
    is_whole = isinstance(value, int) and length < 64
    rows = _Rows()
    rows.add(signal, 0, "LINT" if is_whole else "LREAL", conditions=False)
    columns, factors = rows.columns()
    value = value if is_whole else float(value)
    bits = value if is_whole else struct.unpack("<q", struct.pack("<d", value))[0]
    _, fits = raw_of(columns[0], factors[0], np.zeros(0, np.int64), bits)
    raw = (value - offset) / scale if math.isfinite(value) else value
    assert bool(fits) == (signal.misfit(value) == ""), (raw, signal.misfit(value))
