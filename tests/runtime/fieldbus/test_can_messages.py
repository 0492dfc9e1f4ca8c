"""What `messages:` of an io_map may say, what comes of it, and how mistakes in it are explained."""

import textwrap

import pytest

from runtime.fieldbus.can_rules import AliveRule, CrcLaw, CrcRule, MessageRules
from runtime.fieldbus.can_tables import Bits
from tests.aids.fieldbus import describe, problems
from tests.aids.fieldbus_dbc import write_synthetic

SITE = "site: t\nchannels: {can0: {interface: virtual}}\n"
HEAD = "device: rack\ndriver: can\nchannel: can0\ndbc: dbc/synthetic.dbc\n"
INPUT = "inputs: {a.value: {signal: Protected.Value}}\n"
OUTPUT = "outputs: {a.mode: {signal: Command.Mode, safe: 0}}\n"
MS = 1_000_000


@pytest.fixture
def root(tmp_path):
    write_synthetic(tmp_path)
    return tmp_path


def rules_of(root, text: str) -> dict[str, MessageRules]:
    found, report = describe(HEAD + textwrap.dedent(text), SITE, root)
    assert not report.problems, report.problems
    return {rule.message: rule for rule in found.settings.rules}


def explained(root, text: str) -> str:
    return problems(HEAD + textwrap.dedent(text), SITE, root)


def test_all_that_is_expected_of_a_received_message(root):
    text = """\
        messages:
          Protected:
            cycle: 100 ms
            timeout: 300 ms
            window: 5 %
            alive: {signal: Alive, modulus: 15, step: 2}
            crc: {signal: CRC, polynomial: 0x1D, width: 8, init: 0xFF, xor: 0xFF, data_id: 0x3A, reflect: false}
    """
    alive = AliveRule(Bits(1, 1, 0, 4), 15, 2)
    crc = CrcRule(Bits(0, 1, 0, 8), CrcLaw(8, 0x1D, 0xFF, 0xFF), before=b"\x3a")
    assert rules_of(root, textwrap.dedent(text) + INPUT)["Protected"] == MessageRules(
        "Protected", 100 * MS, 5 * MS, 300 * MS, alive, crc
    )


def test_all_that_a_sent_message_may_be_told(root):
    text = "messages: {Command: {every: 200 ms, phase: 20 ms, send: change, alive: Alive}}\n"
    rules = rules_of(root, text + OUTPUT)["Command"]
    assert (rules.every, rules.phase, rules.send) == (200 * MS, 20 * MS, "change")
    assert rules.alive == AliveRule(Bits(0, 1, 4, 4), 16, 1)


@pytest.mark.parametrize(("said", "phase"), [("", None), ("phase: 0 ms", 0), ("phase: 0", 0), ("phase: 7 ms", 7 * MS)])
def test_the_first_phase_is_not_the_same_as_no_phase(root, said, phase):
    text = f"messages: {{Command: {{alive: Alive, {said}}}}}\n"
    assert rules_of(root, text + OUTPUT)["Command"].phase == phase


@pytest.mark.parametrize(
    ("said", "window"),
    [("cycle: 50 ms", 10 * MS), ("cycle: 50 ms, window: 2 ms", 2 * MS), ("cycle: 50 ms, window: 40 %", 20 * MS)],
)
def test_a_window_is_a_share_of_the_cycle_or_a_duration(root, said, window):
    assert rules_of(root, f"messages: {{Protected: {{{said}}}}}\n" + INPUT)["Protected"].window == window


def test_a_window_alone_goes_with_the_cycle_of_the_dbc(root):
    text = "messages: {Command: {window: 10 %}}\ninputs: {a.mode: {signal: Command.Mode}}\n"
    rules = rules_of(root, text)["Command"]
    assert (rules.cycle, rules.window) == (50 * MS, 5 * MS)


def test_a_message_that_only_counts_is_sent_without_outputs(root):
    found, report = describe(HEAD + "messages: {Command: {every: 20 ms, alive: Alive}}\noutputs: {}\n", SITE, root)
    assert not report.problems
    assert [(frame.message, frame.every) for frame in found.settings.frames] == [("Command", 20 * MS)]


def test_a_message_of_the_device_is_never_sent_because_its_input_was_forgotten(root):
    text = "messages: {Protected: {alive: Alive, crc: {signal: CRC, kind: sae_j1850}}}\n" + OUTPUT
    found, report = describe(HEAD + text, SITE, root)
    assert [problem.message for problem in report.problems] == ["no input reads `Protected` and no output writes it"]
    assert [frame.message for frame in found.settings.frames] == ["Command"]


@pytest.mark.parametrize(
    ("said", "before", "after"),
    [
        ("kind: sae_j1850, data_id: 0x3A", b"\x3a", b""),
        ("kind: sae_j1850, data_id: 0x1234", b"\x34\x12", b""),
        ("kind: e2e_p01, data_id: [0x3A, 0]", b"\x3a\x00", b""),
        ("kind: e2e_p02, data_id: 7", b"", b"\x07"),
        ("kind: sae_j1850, data_id: 7, data_id_at: end", b"", b"\x07"),
        ("kind: sae_j1850", b"", b""),
    ],
)
def test_a_data_identifier_goes_before_the_frame_or_after_it(root, said, before, after):
    crc = rules_of(root, f"messages: {{Protected: {{crc: {{signal: CRC, {said}}}}}}}\n" + INPUT)["Protected"].crc
    assert (crc.before, crc.after) == (before, after)


# Mistakes -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("Protekted: {cycle: 1 s}", "the DBC has no message `Protekted`"),
        ("Protected: 100 ms", "`Protected` takes a section"),
        ("Protected: {cicle: 100 ms}", "`Protected` has no word `cicle`"),
        ("Protected: {cycle: 100}", "`100` is no duration"),
        ("Protected: {window: 5 %}", "a window needs a `cycle`"),
        ("Protected: {cycle: 100 ms, window: 100 %}", "the window is as wide as the cycle"),
        ("Protected: {cycle: 100 ms, window: five}", "`five` is no duration"),
        ("Protected: {cycle: 100 ms, timeout: 100 ms}", "the time-out is not longer than the cycle"),
        ("Protected: {every: 100 ms}", "`every` is said of a message that we send; `Protected` is received at"),
        ("Command: {timeout: 1 s}", "`timeout` is said of a message that we receive; `Command` is sent by us"),
        ("Slow: {timeout: 1 s}", "`timeout` is said of a message that we receive, and no input reads `Slow`"),
        ("Command: {every: 100 ms, phase: 100 ms}", "the phase is not inside the period"),
        ("Command: {send: sometimes}", "`send` cannot be `sometimes`"),
        ("Protected: {alive: Alife}", "message `Protected` has no signal `Alife`"),
        ("Protected: {alive: Value}", "`Protected.Value` cannot count: it is signed, a float or multiplexed"),
        ("Protected: {alive: [Alive]}", "`alive` names one signal"),
        ("Protected: {alive: {modulus: 4}}", "`signal` is missing: which signal counts"),
        ("Protected: {alive: {signal: Alive, modulus: 17}}", "`modulus` is a whole number of 2 to 16"),
        ("Protected: {alive: {signal: Alive, step: 16}}", "`step` is a whole number of 1 to 15"),
        ("Protected: {alive: CRC, crc: {signal: CRC, kind: crc8}}", "the alive counter and the CRC of `Protected` are one signal"),
        ("Protected: {crc: CRC}", "`crc` takes a section: `{signal: CRC, kind: sae_j1850}`"),
        ("Protected: {crc: {signal: CRC}}", "a CRC needs its `kind` or its `polynomial`"),
        ("Protected: {crc: {signal: CRC, kind: sae_j1580}}", "no CRC is named `sae_j1580`"),
        ("Protected: {crc: {signal: CRC, kind: ccitt_false}}", "a CRC of 16 bits does not fit `Protected.CRC` of 8 bits"),
        ("Protected: {crc: {signal: CRC, polynomial: 0x11D}}", "`polynomial` is a whole number of 1 to 255 (0xFF), not `0x11D`"),
        ("Protected: {crc: {signal: CRC, polynomial: x1D}}", "`polynomial` is a whole number of 1 to 255 (0xFF), not `x1D`"),
        ("Protected: {crc: {signal: CRC, kind: crc8, data_id: [1, 256]}}", "a byte of the data_id is a whole number of 0 to 255"),
        ("Protected: {crc: {signal: CRC, kind: crc8, data_id: []}}", "`data_id` is a number, or a list of at most 8 bytes"),
        ("Protected: {crc: {signal: CRC, kind: crc8, reflect: yes}}", "`reflect` cannot be `yes`"),
        ("Protected: {crc: {signal: Value, kind: ccitt_false}}", "`Protected.Value` cannot be a CRC"),
    ],
)
def test_a_mistake_in_the_rules_says_what_is_wrong(root, rules, said):
    assert said in explained(root, f"messages: {{{rules}}}\n" + INPUT + OUTPUT)


def test_a_signal_that_we_fill_in_is_no_output(root):
    text = "outputs: {a.alive: {signal: Command.Alive, safe: 0}}\nmessages: {Command: {alive: Alive}}\n"
    assert "`Command.Alive` is ours to count, and mapped at io_maps/device.yaml:5:29" in explained(root, text)


def test_the_nearest_word_is_named_under_its_caret(root):
    text = "messages:\n  Protected: {cicle: 100 ms}\n" + INPUT
    assert explained(root, text) == textwrap.dedent("""\
        io_maps/device.yaml:6:15: error[E655]: `Protected` has no word `cicle`
         6 |   Protected: {cicle: 100 ms}
           |               ^^^^^ did you mean `cycle`?
         = help: known: cycle, window, timeout, every, phase, send, alive, crc""")


# The offset of the identifiers --------------------------------------------------------------------------------------------


def test_one_dbc_serves_many_racks(root):
    plain, _ = describe(HEAD + INPUT + OUTPUT, SITE, root)
    for offset in ("0x20", "32"):
        moved, report = describe(HEAD + f"id_offset: {offset}\n" + INPUT + OUTPUT, SITE, root)
        assert not report.problems
        assert moved.points["a.value"].addresses[0].key == plain.points["a.value"].addresses[0].key + 32 == 29 + 32
        assert moved.points["a.mode"].addresses[0].key == moved.settings.frames[0].key == 32 + 32


def test_an_offset_may_go_down_and_works_on_29_bits(root):
    moved, report = describe(HEAD + "id_offset: -512\ninputs: {a.x: {signal: Extended.Counter}}", SITE, root)
    assert not report.problems
    assert moved.points["a.x"].addresses[0].key == 0x80000000


@pytest.mark.parametrize(
    ("offset", "message", "said"),
    [
        ("0x7F0", "Slow.Word", "`Slow` 0x22 + 0x7F0, which has 11 bits"),
        ("-35", "Slow.Word", "`Slow` 0x22 - 0x23, which has 11 bits"),
        ("0x1FFFFFF0", "Extended.Counter", "`Extended` 0x200 + 0x1FFFFFF0, which has 29 bits"),
        ("0x80000000", "Slow.Word", "`Slow` 0x22 + 0x80000000, which has 11 bits"),
        ("1e3", "Slow.Word", "`id_offset` is a whole number, not `1e3`"),
        ("9" * 40, "Slow.Word", "which has 11 bits"),
    ],
)
def test_an_offset_beyond_the_identifiers_is_refused(root, offset, message, said):
    text = explained(root, f"id_offset: {offset}\ninputs: {{a.x: {{signal: {message}}}}}\n")
    assert said in text and text.startswith("io_maps/device.yaml:5:12: error[E654]")


# Raw values that are no value ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("0x100", "`Pressure` has 8 bits: its raw values are 0 to 0xFF, read without a sign"),
        ("-1", "`Pressure` has 8 bits: its raw values are 0 to 0xFF, read without a sign"),
        ("[1..]", "`invalid` lists raw values and ranges of them"),
        ("[9..3]", "`invalid` lists raw values and ranges of them"),
        ("[1..2..3]", "`invalid` lists raw values and ranges of them"),
        ("{a: 1}", "`invalid` lists raw values and ranges of them"),
        ("all", "`invalid` lists raw values and ranges of them"),
    ],
)
def test_raw_values_that_cannot_be_are_refused(root, said, problem):
    assert problem in explained(root, f"inputs: {{a.p: {{signal: Words.Pressure, invalid: {said}}}}}\n")


NINES = "9" * 5000


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"messages: {{Protected: {{cycle: 100 ms, window: {NINES[:400]} %}}}}\n" + INPUT, "E654"),
        (f"messages: {{Protected: {{cycle: {NINES[:25]} ms}}}}\n" + INPUT, "E653"),
        (f"messages: {{Protected: {{alive: {{signal: Alive, modulus: {NINES}}}}}}}\n" + INPUT, "E654"),
        (f"id_offset: {NINES}\n" + INPUT, "E654"),
        (f"id_offset: 0x{NINES}\n" + INPUT, "E654"),
        (f"inputs: {{a.value: {{signal: Protected.Value, invalid: [{NINES}]}}}}\n", "E654"),
    ],
)
def test_numbers_of_any_length_are_explained(root, text, code):
    said = explained(root, text)
    assert said.startswith("io_maps/device.yaml:") and f"error[{code}]" in said
