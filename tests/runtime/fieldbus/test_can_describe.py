"""What the CAN driver makes of an io_map, and how it explains mistakes. The DBC is the one of tests/aids/fieldbus_dbc.py."""

import textwrap

import pytest

from runtime.fieldbus.can_tables import CanSettings
from tests.aids.fieldbus import describe, problems, section
from tests.aids.fieldbus_dbc import SYNTHETIC, write_synthetic

SITE = "site: t\nchannels: {can0: {interface: slcan, channel: $RUN/can0, bitrate: 500 kbit/s, listen_only: false}}\n"
HEAD = "device: rack\ndriver: can\nchannel: can0\ndbc: dbc/synthetic.dbc\n"


@pytest.fixture
def root(tmp_path):
    write_synthetic(tmp_path)
    return tmp_path


def io_map(lines: str, head: str = HEAD) -> str:
    return head + textwrap.dedent(lines)


def explained(root, lines: str, head: str = HEAD, site: str = SITE) -> str:
    return problems(io_map(lines, head), site, root)


def test_type_unit_range_and_names_come_from_the_dbc(root):
    found, report = describe(
        io_map("""\
        inputs:
          a.t: {signal: Intel.C}
          a.bit: {signal: Intel.A}
          a.state: {signal: Named.State}
          a.free: {signal: Intel.E}
    """),
        SITE,
        root,
    )
    assert not report.problems
    t, bit, state, free = (found.points[f"a.{name}"] for name in ("t", "bit", "state", "free"))
    assert (t.type, t.unit, t.minimum, t.maximum) == ("LREAL", "°C", -200.0, 200.0)
    assert (bit.type, bit.unit, bit.minimum) == ("BOOL", "", None)
    assert (state.type, state.names) == ("DINT", ((0, "OFF"), (1, "ON"), (14, "ERROR"), (15, "SNA")))
    assert (free.minimum, free.maximum) == (None, None), "[0|0] in a DBC means that there is no range"
    assert not t.is_array


def test_braces_make_an_array_in_the_order_of_the_pattern(root):
    found, report = describe(
        io_map("""\
        inputs:
          a.v: {signal: "{Motorola,Intel}.{B,C}"}
    """),
        SITE,
        root,
    )
    assert report.problems, "kW and °C in one array"
    found, report = describe(io_map("inputs:\n  a.v: {signal: 'Motorola.{A,C}'}\n"), SITE, root)
    assert not report.problems
    assert found.points["a.v"].is_array
    assert [address.name for address in found.points["a.v"].addresses] == ["A", "C"]


def test_the_channel_is_found_in_the_site_with_its_options(root):
    found, _ = describe(io_map("inputs: {a.x: {signal: Slow.Word}}"), SITE, root)
    settings: CanSettings = found.settings
    channel = settings.channel
    assert (channel.interface, channel.channel, channel.bitrate) == ("slcan", "$RUN/can0", 500_000)
    assert dict(channel.options) == {"listen_only": False}


def test_the_period_is_every_then_the_dbc_then_100_ms(root):
    text = """\
        messages: {Command: {alive: Alive}}
        outputs:
          a.close: {signal: Command.Close, safe: false}
          a.page: {signal: MuxedCommand.First, safe: 0, every: 20 ms}
          a.second: {signal: MuxedCommand.Second, safe: 0}
    """
    found, report = describe(io_map(text), SITE, root)
    assert not report.problems
    periods = {frame.message: frame.every for frame in found.settings.frames}
    assert periods == {"Command": 50_000_000, "MuxedCommand": 20_000_000}
    slow, _ = describe(io_map("outputs: {a.word: {signal: Slow.Word, safe: 0}}"), SITE, root)
    assert slow.settings.frames[0].every == 100_000_000


def test_a_signal_that_nobody_writes_keeps_the_start_value_of_the_dbc(root):
    found, _ = describe(io_map("outputs: {a.close: {signal: Command.Close, safe: false}}"), SITE, root)
    assert found.settings.frames[0].template == bytes([0, 0, 0, 0, 0, 0, 0, 170])


def test_two_racks_on_one_dbc_share_its_reading(root):
    first, _ = describe(io_map("inputs: {a.x: {signal: Slow.Word}}"), SITE, root)
    second, _ = describe(io_map("inputs: {b.x: {signal: Slow.Word}}"), SITE, root)
    assert first.points["a.x"].addresses == second.points["b.x"].addresses


# Mistakes -----------------------------------------------------------------------------------------------------------------


def test_an_unknown_signal_names_the_nearest(root):
    assert explained(root, "inputs:\n  a.x: {signal: Named.Stat}\n") == textwrap.dedent("""\
        io_maps/device.yaml:6:23: error[E664]: message `Named` has no signal `Stat`
         6 |   a.x: {signal: Named.Stat}
           |                       ^^^^ did you mean `State`?""")


def test_an_unknown_message_names_the_nearest(root):
    assert explained(root, "inputs:\n  a.x: {signal: Motorrola.A}\n") == textwrap.dedent("""\
        io_maps/device.yaml:6:17: error[E664]: the DBC has no message `Motorrola`
         6 |   a.x: {signal: Motorrola.A}
           |                 ^^^^^^^^^ did you mean `Motorola`?""")


def test_a_pattern_with_a_wrong_name_says_which_one(root):
    assert "`F` (the pattern names 6 signals)" in explained(root, 'inputs:\n  a.x: {signal: "Intel.{A,B,C,D,E,F}"}\n')


def test_an_unknown_channel_names_the_nearest_and_where_they_are(root):
    head = HEAD.replace("can0", "can1")
    assert explained(root, "inputs: {}", head) == textwrap.dedent("""\
        io_maps/device.yaml:3:10: error[E662]: no channel named `can1`
         3 | channel: can1
           |          ^^^^ did you mean `can0`?
         = help: `channels:` is at config/site.yaml:2:11""")


def test_a_site_without_channels_is_told_how_to_write_them(root):
    assert "channels: {can0: {interface: socketcan}}" in explained(root, "inputs: {}", site="site: t\n")


def test_an_interface_that_python_can_does_not_have_is_found_before_the_start(root):
    text = explained(root, "inputs: {}", site=SITE.replace("slcan", "soketcan"))
    assert text.startswith("config/site.yaml:2:30: error[E662]: python-can has no interface `soketcan`")
    assert "did you mean `socketcan`" in text


def test_a_missing_dbc_is_a_problem_where_it_is_named(root):
    head = HEAD.replace("synthetic", "missing")
    assert explained(root, "inputs: {}", head) == textwrap.dedent("""\
        io_maps/device.yaml:4:6: error[E661]: `dbc/missing.dbc` cannot be used: cannot read it: No such file or directory
         4 | dbc: dbc/missing.dbc
           |      ^^^^^^^^^^^^^^^""")


def test_a_broken_dbc_is_shown_at_its_own_line(root):
    (root / "dbc" / "synthetic.dbc").write_text('VERSION ""\n\nBO_ 1 Broken: 8 RACK\n SG_ A : what\n', encoding="utf-8")
    text = explained(root, "inputs: {}")
    assert text.startswith("dbc/synthetic.dbc:4:10: error[E661]: `dbc/synthetic.dbc` cannot be read: it is no DBC:")
    assert "the device at io_maps/device.yaml:4:6 uses it" in text


def test_overlapping_signals_are_refused(root):
    text = SYNTHETIC.replace("SG_ B : 1|7@1+ (1,0) [0|127]", "SG_ B : 0|8@1+ (1,0) [0|127]")
    (root / "dbc" / "synthetic.dbc").write_text(text, encoding="utf-8")
    assert "the signals B and A are overlapping in message Intel" in explained(root, "inputs: {}")


def test_two_messages_with_one_identifier_are_refused(root):
    text = SYNTHETIC.replace("BO_ 17 Motorola", "BO_ 16 Motorola").replace("SG_ 17 E", "SG_ 16 E")
    (root / "dbc" / "synthetic.dbc").write_text(text, encoding="utf-8")
    assert "messages Intel and Motorola have the same identifier 0x10" in explained(root, "inputs: {}")


def test_a_dbc_in_the_code_page_of_windows_is_read(root):
    text = SYNTHETIC.replace('"degC"', '"°C"')
    (root / "dbc" / "synthetic.dbc").write_bytes(text.encode("cp1252"))
    found, report = describe(io_map("inputs: {a.t: {signal: Intel.C}}"), SITE, root)
    assert not report.problems and found.points["a.t"].unit == "°C"


def test_one_signal_has_one_tag(root):
    assert explained(root, "inputs:\n  a.x: {signal: Slow.Word}\n  a.y: {signal: Slow.Word}\n") == textwrap.dedent("""\
        io_maps/device.yaml:7:17: error[E665]: signal `Slow.Word` is mapped twice
         7 |   a.y: {signal: Slow.Word}
           |                 ^^^^^^^^^
         = help: it is first mapped at io_maps/device.yaml:6:17""")


def test_a_message_has_one_sender(root):
    text = explained(root, "inputs:\n  a.x: {signal: Command.Mode}\noutputs:\n  a.y: {signal: Command.Close, safe: false}\n")
    assert "message `Command` is sent here and received at io_maps/device.yaml:6:17" in text


def test_a_message_has_one_period(root):
    text = explained(
        root,
        """\
        outputs:
          a.x: {signal: Command.Mode, safe: 0, every: 50 ms}
          a.y: {signal: Command.Close, safe: false, every: 20 ms}
    """,
    )
    assert "message `Command` has two periods" in text


def test_an_alive_counter_is_ours_alone(root):
    head = HEAD + "messages: {Command: {alive: Alive}}\n"
    assert "is ours to count" in explained(root, "outputs: {a.x: {signal: Command.Alive, safe: 0}}", head)
    assert "has no signal `Alife`" in explained(root, "outputs: {}", HEAD + "messages: {Command: {alive: Alife}}\n")
    assert "cannot count" in explained(root, "outputs: {}", HEAD + "messages: {Command: {alive: Power}}\n")


def test_the_selector_of_a_command_is_not_an_output(root):
    text = explained(root, "outputs:\n  a.p: {signal: MuxedCommand.Page, safe: 0}\n  a.f: {signal: MuxedCommand.First, safe: 0}\n")
    assert "the selector of `MuxedCommand` is mapped as an output" in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{signal: Slow}", "`Slow` is no signal: write Message.Signal"),
        ("{signal: [Slow.Word]}", "`signal` takes one value"),
        ("{}", "`signal` is missing"),
        ('{signal: "Slow.{1.."}', "this brace is never closed"),
        ("{signal: Slow.Word, safe: 0, every: 100}", "`100` is no duration"),
        ("{signal: Slow.Word, safe: 0, every: -1 ms}", "`-1 ms` is no duration"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_is_wrong(root, line, said):
    assert said in explained(root, f"outputs:\n  a.x: {line}\n")


def test_all_mistakes_are_reported_in_one_go(root):
    _, report = describe(
        io_map(
            """\
        inputs:
          a.x: {signal: No.Word}
          a.y: {signal: Slow.No}
          a.z: {signal: Slow.Word}
    """,
            HEAD.replace("can0", "can9"),
        ),
        SITE,
        root,
    )
    assert [problem.code for problem in report.problems] == ["E662", "E664", "E664"]


def test_the_word_lists_cover_the_words_that_are_read():
    from runtime.fieldbus import can

    text = section(io_map("messages: {Command: {alive: Alive}}\nid_offset: 0x20\nmin_gap: 5 ms\n"))
    assert set(text) - {"device", "driver"} == set(can.DEVICE_WORDS)
