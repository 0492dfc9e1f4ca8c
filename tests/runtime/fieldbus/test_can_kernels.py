"""The table kernels against cantools: every signal of the demo's DBC and of a synthetic one, in and out."""

import math
import random

import numpy as np
import pytest
from cantools.database.errors import DecodeError

from runtime.fieldbus.can_supervise import E_SHORT, E_TAKEN
from runtime.fieldbus.can_tables import EXTENDED
from runtime.fieldbus.can_transmit import Transmitter
from runtime.quality import BAD_OUT_OF_RANGE, BAD_SENSOR_FAILURE, BAD_WAITING_FOR_INITIAL_DATA, GOOD
from tests.aids.fieldbus import ROOT, Cells, Mapped, mapped
from tests.aids.fieldbus_codec import SITE, database, is_no_value, key_of, map_all, reader
from tests.aids.fieldbus_dbc import SYNTHETIC, write_synthetic


def corners_and_random(length: int, seed: str, count: int) -> list[bytes]:
    chance = random.Random(seed)
    return [bytes(length), b"\xff" * length, b"\x80" * length, *(chance.randbytes(length) for _ in range(count))]


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    write_synthetic(root)
    synthetic, rack = database(SYNTHETIC), database((ROOT / "dbc" / "rack.dbc").read_text(encoding="utf-8"))
    return {
        "synthetic": (synthetic, map_all("dbc/synthetic.dbc", root, synthetic)),
        "rack": (rack, map_all("dbc/rack.dbc", ROOT, rack)),
    }


@pytest.mark.parametrize(("which", "count"), [("synthetic", 300), ("rack", 20)])
def test_every_signal_decodes_as_cantools_decodes_it(databases, which, count):
    known, device = databases[which]
    compared = 0
    for message in known.messages:
        for data in corners_and_random(message.length, message.name, count):
            try:
                expected = message.decode(data, decode_choices=False)
            except DecodeError:  # a selector that the DBC does not know
                continue
            reading = reader(device)
            reading.read([(key_of(message), data)])
            cells = reading.cells
            for signal in message.signals:
                check_signal(cells, device.slots[f"{message.name}.{signal.name}"][0], signal, expected, device)
                compared += signal.name in expected
    assert compared > 1000


def check_signal(cells: Cells, slot: int, signal, expected: dict, device: Mapped) -> None:
    if signal.name not in expected:
        assert cells.quality[slot] == BAD_WAITING_FOR_INITIAL_DATA, f"{signal.name} is not in this frame"
        return
    value = expected[signal.name]
    assert cells.time[slot] == 1000
    if is_no_value(signal, value):
        assert cells.quality[slot] == BAD_SENSOR_FAILURE
        assert cells.integer[slot] == 0, "a broken reading must not reach the cell"
        return
    point = next(p for p in device.device.inputs if p.slot == slot)
    got = cells.lreal[slot] if point.type == "LREAL" else cells.integer[slot]
    assert (got, cells.quality[slot]) == (float(value), GOOD), signal.name


def test_a_batch_keeps_the_order_of_its_frames(databases):
    _, device = databases["synthetic"]
    reading = reader(device)
    assert reading.read([(34, b"\x01\x00"), (34, b"\x02\x00"), (34, b"\x03\x00")]) == 3
    slot = device.slots["Slow.Word"][0]
    assert (reading.cells.lreal[slot], reading.cells.time[slot]) == (3.0, 1002)
    assert reading.seen("Slow", E_TAKEN) == 3


def test_foreign_and_short_frames_are_told_apart(databases):
    _, device = databases["synthetic"]
    reading = reader(device)
    assert reading.read([(0x7FF, bytes(8)), (34, b"\x01"), (35 | EXTENDED, b"\x09\x09"), (512, bytes(4))]) == 0
    assert reading.seen("Slow", E_SHORT) == 1
    assert reading.watch.seen[:, E_SHORT].sum() == 1, "the others are not ours, however long they are"
    assert (reading.cells.quality == BAD_WAITING_FOR_INITIAL_DATA).all()


def test_the_same_number_with_11_and_with_29_bits_is_two_messages(databases):
    _, device = databases["synthetic"]
    reading = reader(device)
    reading.read([(34, b"\x01\x02"), (34 | EXTENDED, b"\x01\x02")])
    words = [reading.cells.lreal[device.slots[f"{name}.Word"][0]] for name in ("Slow", "SlowExtended")]
    assert words == [0x0201, 0x0102]


def test_a_frame_longer_than_its_message_is_read_as_far_as_the_message_goes(databases):
    _, device = databases["synthetic"]
    reading = reader(device)
    reading.read([(34, b"\x02\x01" + b"\xff" * 6)])
    assert reading.cells.lreal[device.slots["Slow.Word"][0]] == 0x0102


def test_a_selector_with_a_sign_never_has_the_values_above(tmp_path):
    (tmp_path / "dbc").mkdir()
    dbc = 'VERSION ""\nNS_ :\nBS_:\nBU_: A\nBO_ 16 M: 2 A\n SG_ S M : 0|4@1- (1,0) [0|0] "" A\n'
    dbc += ' SG_ Seven m7 : 8|8@1+ (1,0) [0|0] "V" A\n SG_ Fifteen m15 : 8|8@1+ (1,0) [0|0] "A" A\n'
    (tmp_path / "dbc" / "signed.dbc").write_text(dbc)
    known = database(dbc)
    with pytest.raises(DecodeError):
        known.decode_message(16, b"\x0f\x01")
    device = map_all("dbc/signed.dbc", tmp_path, known)
    reading = reader(device)
    reading.read([(16, b"\x0f\x01")])
    assert reading.cells.quality[device.slots["M.Fifteen"][0]] == BAD_WAITING_FOR_INITIAL_DATA
    reading.read([(16, b"\x07\x01")])
    assert reading.cells.lreal[device.slots["M.Seven"][0]] == known.decode_message(16, b"\x07\x01")["Seven"] == 1


@pytest.mark.parametrize("raw", [2**63, 2**64 - 1, 2**63 - 2**10, 1])
def test_an_enumeration_beyond_a_lint_never_wraps(tmp_path, raw):
    (tmp_path / "dbc").mkdir()
    dbc = 'VERSION ""\nNS_ :\nBS_:\nBU_: A\nBO_ 16 M: 8 A\n SG_ S : 0|64@1+ (1,0) [0|0] "" A\nVAL_ 16 S 0 "Off" ;\n'
    (tmp_path / "dbc" / "wide.dbc").write_text(dbc)
    device = map_all("dbc/wide.dbc", tmp_path, database(dbc))
    reading, slot = reader(device), device.slots["M.S"][0]
    reading.read([(16, raw.to_bytes(8, "little"))])
    expected = (GOOD, raw) if raw < 2**63 else (BAD_OUT_OF_RANGE, 0)
    assert (reading.cells.quality[slot], reading.cells.integer[slot]) == expected


@pytest.mark.parametrize(
    ("signal", "data", "value"),
    [
        ("Contact", b"\x02", 2),  # an error is a state of an enumeration, and a program must see it
        ("Contact", b"\x03", None),
        ("Reading", b"\x00", 0),  # an enumeration that tells valid from invalid has both as values
        ("Reading", b"\x04", 1),
        ("Flag", b"\x00", 0),  # a bit has no raw value to spare
        ("Pressure", b"\x00\xfd", 253.0),  # outside the range of the DBC, but a number
        ("Pressure", b"\x00\xfe", None),
        ("Pressure", b"\x00\xff", None),
    ],
)
def test_what_the_value_table_calls_no_value_never_becomes_a_number(databases, signal, data, value):
    _, device = databases["synthetic"]
    reading, slot = reader(device), device.slots[f"Words.{signal}"][0]
    reading.read([(30, data.ljust(4, b"\0"))])
    kind = next(p for p in device.device.inputs if p.slot == slot).type
    if value is None:
        assert (reading.cells.quality[slot], reading.cells.integer[slot]) == (BAD_SENSOR_FAILURE, 0)
    else:
        got = (reading.cells.lreal if kind == "LREAL" else reading.cells.integer)[slot]
        assert (reading.cells.quality[slot], got) == (GOOD, value)


@pytest.mark.parametrize(
    ("words", "raw", "is_bad"),
    [
        ("invalid: 0xAA", 0xAA, True),
        ("invalid: [1, 0xA0..0xAF]", 0xA0, True),
        ("invalid: [1, 0xA0..0xAF]", 0xAF, True),
        ("invalid: [1, 0xA0..0xAF]", 0xB0, False),
        ("invalid: [1, 0xA0..0xAF]", 0xFF, True),  # beside those of the DBC
        ("invalid: none", 0xFF, False),
    ],
)
def test_the_io_map_says_which_raw_values_are_none(tmp_path, words, raw, is_bad):
    write_synthetic(tmp_path)
    text = f"device: d\ndriver: can\nchannel: can0\ndbc: dbc/synthetic.dbc\ninputs: {{a.p: {{signal: Words.Pressure, {words}}}}}"
    reading = reader(mapped(text, SITE, tmp_path))
    reading.read([(30, bytes([0, raw, 0, 0]))])
    assert (reading.cells.quality[0] == BAD_SENSOR_FAILURE) == is_bad
    assert reading.cells.lreal[0] == (0.0 if is_bad else raw)


# Sending ------------------------------------------------------------------------------------------------------------------


def transmitter(device: Mapped, sent: list[tuple[int, bytes]]) -> Transmitter:
    def send(key: int, data: bytes, fd: bool) -> bool:
        sent.append((key, data))
        return True

    return Transmitter("d", device.device.settings.frames, device.device.outputs, 0, send)


def outbox(device: Mapped, values: dict[str, float]) -> np.ndarray:
    cells = np.zeros(len(device.device.outputs), np.int64)
    for name, value in values.items():
        slot = device.slots[name][0]
        if next(p for p in device.device.outputs if p.slot == slot).type == "LREAL":
            cells.view(np.float64)[slot] = value
        else:
            cells[slot] = int(value)
    return cells


@pytest.mark.parametrize(
    "name",
    [
        "Intel",
        "Motorola",
        "Odd",
        "Floats",
        "Double",
        "Extended",
        "Named",
        "Command",
        "Flexible",
        "Slow",
    ],
)
def test_every_signal_encodes_as_cantools_encodes_it(tmp_path, name):
    write_synthetic(tmp_path)
    known = database(SYNTHETIC)
    message = known.get_message_by_name(name)
    device = map_all("dbc/synthetic.dbc", tmp_path, known, "outputs", (name,))
    chance = random.Random(name)
    for _ in range(300):
        values = {signal.name: some_value(signal, chance) for signal in message.signals}
        sender = transmitter(device, [])
        sender.write(outbox(device, {f"{name}.{signal}": value for signal, value in values.items()}))
        assert sender.refused == 0, values
        assert bytes(sender._current[0, : message.length]) == message.encode(values, strict=True), values


def some_value(signal, chance: random.Random) -> float:
    """A value that the signal can carry: a corner of its range or anything between, also off the raster."""
    if signal.conversion.is_float:
        return chance.choice([0.0, -0.0, 1e-3, chance.uniform(-1e6, 1e6), 3.0e38 if signal.length == 32 else 1e300])
    low = -(1 << signal.length - 1) if signal.is_signed else 0
    high = (1 << signal.length - signal.is_signed) - 1
    low, high = max(low, -(1 << 53)), min(high, 1 << 53)  # what a double carries exactly
    physical = [low * signal.scale + signal.offset, high * signal.scale + signal.offset]
    if signal.minimum is not None:
        physical[0] = max(physical[0], signal.minimum)
    if signal.maximum is not None:
        physical[1] = min(physical[1], signal.maximum)
    value = chance.choice([*physical, chance.uniform(*physical)])
    if signal.unit:
        return float(value)
    return int(value)


def test_a_value_that_the_signal_cannot_carry_leaves_the_old_one_and_is_counted(tmp_path):
    write_synthetic(tmp_path)
    device = map_all("dbc/synthetic.dbc", tmp_path, database(SYNTHETIC), "outputs", ("Command",))
    sender = transmitter(device, [])
    good = {"Command.Power": 100.0, "Command.Mode": 2, "Command.Limit": 1.0}
    sender.write(outbox(device, good))
    before = bytes(sender._current[0])
    bad = [("Power", 500.2), ("Power", math.inf), ("Mode", 5), ("Mode", -1), ("Limit", 1e300)]
    for signal, value in bad:
        sender.write(outbox(device, good | {f"Command.{signal}": value}))
        assert bytes(sender._current[0]) == before, (signal, value)
    assert sender.refused == 5


def test_a_named_value_outside_the_range_is_carried_as_cantools_does(tmp_path):
    write_synthetic(tmp_path)
    known = database(SYNTHETIC)
    device = map_all("dbc/synthetic.dbc", tmp_path, known, "outputs", ("Command",))
    sender = transmitter(device, [])
    sender.write(outbox(device, {"Command.Mode": 7}))
    assert sender.refused == 0
    assert known.decode_message(32, bytes(sender._current[0, :8]))["Mode"] == "TEST"


def test_a_multiplexed_command_is_one_frame_for_each_selector_value(tmp_path):
    write_synthetic(tmp_path)
    text = """
        device: d
        driver: can
        channel: can0
        dbc: dbc/synthetic.dbc
        outputs:
          a.first: {signal: MuxedCommand.First, safe: 0}
          a.second: {signal: MuxedCommand.Second, safe: 0}
    """
    device = mapped(text, SITE, tmp_path)
    sender = transmitter(device, [])
    cells = np.zeros(2, np.int64)
    cells.view(np.float64)[:] = (200.0, -3.5)
    sender.write(cells)
    message = database(SYNTHETIC).get_message_by_name("MuxedCommand")
    frames = [bytes(sender._current[f, :4]) for f in range(2)]
    assert frames == [message.encode({"Page": 1, "First": 200}), message.encode({"Page": 2, "Second": -3.5})]
