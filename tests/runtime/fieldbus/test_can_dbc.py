"""A DBC that contradicts itself or is cut off is refused, at the line of the mistake and with what to do."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.fieldbus.can_dbc import DbcError, load
from tests.aids.fieldbus import describe, problems
from tests.aids.fieldbus_dbc import SYNTHETIC

SITE = "site: t\nchannels: {can0: {interface: virtual}}\n"
IO_MAP = "device: rack\ndriver: can\nchannel: can0\ndbc: dbc/hostile.dbc\n"
SMALL = 'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: PLC\n\n'


@pytest.fixture
def root(tmp_path):
    (tmp_path / "dbc").mkdir()
    return tmp_path


def explained(root, dbc: str | bytes, io_map: str = IO_MAP + "inputs: {}") -> str:
    (root / "dbc" / "hostile.dbc").write_bytes(dbc.encode() if isinstance(dbc, str) else dbc)
    return problems(io_map, SITE, root)


def test_overlapping_signals_are_shown_at_the_second_of_them(root):
    dbc = SMALL + 'BO_ 16 Cells: 8 PLC\n SG_ First : 0|12@1+ (1,0) [0|0] "V" PLC\n SG_ Second : 8|12@1+ (1,0) [0|0] "V" PLC\n'
    assert explained(root, dbc) == (
        "dbc/hostile.dbc:11:6: error[E661]: `dbc/hostile.dbc` cannot be read: "
        "the signals Second and First are overlapping in message Cells; First is at line 10\n"
        ' 11 |  SG_ Second : 8|12@1+ (1,0) [0|0] "V" PLC\n'
        "    |      ^^^^^^\n"
        " = help: two signals share bits: correct start bit or length of one of them in the DBC\n"
        " = help: the device at io_maps/device.yaml:4:6 uses it"
    )


@pytest.mark.parametrize(
    ("lines", "place", "said"),
    [
        ('BO_ 16 M: 2 PLC\n SG_ A : 8|9@1+ (1,0) [0|0] "" PLC\n', "10:6", "the signal A does not fit in message M"),
        ('BO_ 16 M: 2 PLC\n SG_ A : 0|10@0+ (1,0) [0|0] "" PLC\n', "10:6", "the signal A does not fit in message M"),
        ('BO_ 16 M: 2 PLC\n SG_ A : 0|0@1+ (1,0) [0|0] "" PLC\n', "10:6", "the signal A length 0 is not greater than 0"),
        ("BO_ 2048 M: 2 PLC\n", "9:10", "standard frame id 0x800 is more than 11 bits in message M"),
        ("BO_ 3758096384 M: 2 PLC\n", "9:16", "is more than 29 bits in message M"),
        ("BO_ 16 M: 2 PLC\n\nBO_ 16 N: 2 PLC\n", "11:8", "messages M and N have the same identifier 0x10; the first is at line 9"),
        ("BO_ 16 M: 2 PLC\n\nBO_ 17 M: 2 PLC\n", "11:8", "message M is declared twice; the first is at line 9"),
        (
            'BO_ 16 M: 2 PLC\n SG_ A : 0|8@1+ (1,0) [0|0] "" PLC\n SG_ A : 8|8@1+ (1,0) [0|0] "" PLC\n',
            "11:6",
            "signal A is declared twice in message M; the first is at line 10",
        ),
        ("BO_ 16 M: 2 PLC\n SG_ A : 0|8@1+ (1,0", "10:20", "it is cut off inside its last statement"),
        ("BO_ sixteen M: 2 PLC\n", "9:5", "it is no DBC"),
    ],
)
def test_a_mistake_is_shown_where_it_stands(root, lines, place, said):
    text = explained(root, SMALL + lines)
    assert text.startswith(f"dbc/hostile.dbc:{place}: error[E661]: `dbc/hostile.dbc` cannot be read: ")
    assert said in text and "the device at io_maps/device.yaml:4:6 uses it" in text


@pytest.mark.parametrize(
    "statement", ['VAL_ 16 A 255 "SNA" ;', "SIG_VALTYPE_ 16 A : 1;", 'BA_DEF_ SG_ "SignalInvalidRaw" INT 0 255;', "BO_ 17 N: 2 PLC"]
)
def test_a_file_that_ends_inside_a_statement_is_refused_however_much_of_it_is_there(root, statement):
    """cantools would read it without the statement: the value table that says which raw value is none would be gone."""
    whole = SMALL + 'BO_ 16 M: 4 PLC\n SG_ A : 0|32@1+ (1,0) [0|0] "V" PLC\n\n' + statement
    assert explained(root, whole) == ""
    for end in range(len(whole) - len(statement) + 4, len(whole.removesuffix("PLC"))):
        text = explained(root, whole[:end])
        assert text.startswith("dbc/hostile.dbc:12:"), whole[:end]


def test_a_comment_may_quote_a_declaration(root):
    dbc = SMALL + 'BO_ 16 M: 2 PLC\n\nCM_ BO_ 16 "was\nBO_ 16 M: 2 PLC\nbefore";\n'
    assert explained(root, dbc) == ""


def test_the_same_number_with_11_and_29_bits_is_no_mistake(root):
    dbc = SMALL + "BO_ 16 M: 2 PLC\n\nBO_ 2147483664 N: 2 PLC\n"
    assert explained(root, dbc) == ""


def test_an_empty_file_and_one_without_messages_are_no_dbc(root):
    assert "`dbc/hostile.dbc` cannot be" in explained(root, "")
    assert "it has no messages" in explained(root, SMALL)


# Letters ------------------------------------------------------------------------------------------------------------------

WITH_UNIT = SMALL + 'BO_ 16 M: 2 PLC\n SG_ A : 0|8@1+ (1,0) [0|0] "UNIT" PLC\n'


@pytest.mark.parametrize(
    ("unit", "encoding"), [("°C", "utf-8"), ("°C", "utf-8-sig"), ("°C", "cp1252"), ("Ω", "gb18030"), ("丂丄", "gb18030")]
)
def test_a_unit_is_read_in_the_code_that_it_was_written_in(root, unit, encoding):
    (root / "dbc" / "hostile.dbc").write_bytes(WITH_UNIT.replace("UNIT", unit).encode(encoding))
    signal = load(root / "dbc" / "hostile.dbc").messages[0].signals[0]
    if (unit, encoding) == ("Ω", "gb18030"):
        assert signal.unit == "¦¸", "two letters of Windows' code page too: nobody can tell"
    else:
        assert signal.unit == unit


def test_bytes_that_are_no_text_are_shown_where_they_stand(root):
    assert explained(root, WITH_UNIT.replace("UNIT", "\0").encode()).startswith(
        "dbc/hostile.dbc:10:30: error[E661]: `dbc/hostile.dbc` cannot be read: it is no text: byte 0x00 is no letter"
    )
    assert "save it as UTF-8" in explained(root, WITH_UNIT.encode("utf-16"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_dbc_that_is_cut_off_or_garbled_anywhere_is_read_or_refused(root, data):
    """Whatever a broken disk or a bad merge leaves of a file: never a crash, and a mistake has a place inside the file."""
    raw = SYNTHETIC.encode()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.sampled_from([start, len(raw), min(len(raw), start + 7)]))
    raw = raw[:start] + data.draw(st.one_of(st.just(b""), st.binary(max_size=6))) + raw[end:]
    path = root / "dbc" / "hostile.dbc"
    path.write_bytes(raw)
    database, refusal = None, None
    try:
        database = load(path)
    except DbcError as error:
        refusal = error
    if refusal is not None:
        assert 0 <= refusal.line <= raw.count(b"\n") + 1 and str(refusal)
        return
    lines = [
        f"  m{i}.s{j}: {{signal: {m.name}.{s.name}}}" for i, m in enumerate(database.messages) for j, s in enumerate(m.signals)
    ]
    describe(IO_MAP + "inputs:\n  m.s: {signal: Intel.A}\n" + "\n".join(lines), SITE, root)


# What can be declared but not carried -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('BO_ 16 M: 65 PLC\n SG_ A : 0|8@1+ (1,0) [0|0] "" PLC\n', "`M` has 65 bytes: no CAN frame is longer than 64"),
        ('BO_ 16 M: 8 PLC\n SG_ A : 0|24@1- (1,0) [0|0] "" PLC\nSIG_VALTYPE_ 16 A : 1;\n', "`A` is a float of 24 bits"),
        ('BO_ 16 M: 16 PLC\n SG_ A : 0|72@1+ (1,0) [0|0] "" PLC\n', "`A` has 72 bits: a number has at most 64"),
        ('BO_ 16 M: 8 PLC\n SG_ A : 0|8@1+ (0,1) [0|0] "" PLC\n', "`A` has the factor 0"),
        (
            'BO_ 16 M: 8 PLC\n SG_ A m0 : 0|8@1+ (1,0) [0|0] "" PLC\nSG_MUL_VAL_ 16 A Nowhere 0-0;\n',
            "`A` is multiplexed, and `M` has no selector for it",
        ),
        (
            'BO_ 2566844160 M: 20 PLC\n SG_ A : 0|8@1+ (1,0) [0|0] "" PLC\n'
            'BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";\n'
            'BA_DEF_DEF_ "VFrameFormat" "J1939PG";\nBA_ "VFrameFormat" BO_ 2566844160 3;\n',
            "`M` has 20 bytes: J1939 sends it in several frames, which are not put together",
        ),
        (
            'BO_ 16 M: 8 PLC\n SG_ Outer m1M : 0|4@1+ (1,0) [0|0] "" PLC\n SG_ A m1M : 4|4@1+ (1,0) [0|0] "" PLC\n'
            "SG_MUL_VAL_ 16 Outer A 1-1;\nSG_MUL_VAL_ 16 A Outer 1-1;\n",
            "select each other in a circle",
        ),
    ],
)
def test_a_signal_that_cannot_be_carried_is_refused_when_it_is_mapped(root, lines, said):
    text = explained(root, SMALL + lines, IO_MAP + "inputs: {a.x: {signal: M.A}}")
    assert said in text, text


ATTRIBUTES = (
    SMALL + 'BO_ 16 M: 2 PLC\n SG_ A : 0|8@1+ (1,0) [0|0] "V" PLC\n'
    'BA_DEF_ BO_ "GenMsgCycleTime" STRING;\nBA_DEF_ SG_ "SignalInvalidRaw" STRING;\n'
    'BA_DEF_DEF_ "GenMsgCycleTime" "";\nBA_DEF_DEF_ "SignalInvalidRaw" "";\n'
)
READ = IO_MAP + "inputs: {a.x: {signal: M.A}}"


def test_attributes_that_are_declared_as_texts_are_read_as_the_numbers_in_them(root):
    dbc = ATTRIBUTES + 'BA_ "GenMsgCycleTime" BO_ 16 "20";\nBA_ "SignalInvalidRaw" SG_ 16 A "0xFF";\n'
    assert explained(root, dbc, READ) == ""
    found, _ = describe(READ, SITE, root)
    assert found.points["a.x"].addresses[0].invalid == ((255, 255),)
    assert found.settings.patience == (("M", 60_000_000),)
    assert explained(root, ATTRIBUTES, READ) == "", "an empty text says nothing"


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ('BA_ "GenMsgCycleTime" BO_ 16 "fast";', "9:8", "GenMsgCycleTime is no number: `fast`, in message M"),
        ('BA_ "SignalInvalidRaw" SG_ 16 A "none";', "10:6", "SignalInvalidRaw of signal A is no number: `none`, in message M"),
        ('BA_ "SignalInvalidRaw" SG_ 16 A "1.5";', "10:6", "SignalInvalidRaw of signal A is no whole number: 1.5, in message M"),
        (f'BA_ "GenMsgCycleTime" BO_ 16 "{"9" * 5000}";', "9:8", "GenMsgCycleTime is no number"),
    ],
)
def test_an_attribute_that_holds_no_number_is_shown_at_what_it_speaks_of(root, line, place, said):
    text = explained(root, ATTRIBUTES + line + "\n", READ)
    assert text.startswith(f"dbc/hostile.dbc:{place}: error[E661]") and said in text


def test_a_name_that_no_file_can_have_is_explained(root):
    text = explained(root, ATTRIBUTES, 'device: rack\ndriver: can\nchannel: can0\ndbc: "a\\0b"\ninputs: {}')
    assert "io_maps/device.yaml:4:6: error[E661]" in text and "no file is named so" in text
