"""Every coding of a Modbus value, for all values and both ways, against struct and pymodbus' own conversion."""

import math
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from runtime.fieldbus.modbus_groups import read_groups
from runtime.fieldbus.modbus_kernel import decode
from runtime.fieldbus.modbus_powers import Powers
from runtime.fieldbus.modbus_register import BIT, FORMATS, UNSIGNED, Place, Register
from runtime.fieldbus.modbus_writes import Image
from runtime.model import Point
from runtime.quality import BAD_OUT_OF_RANGE, BAD_SENSOR_FAILURE, GOOD
from tests.aids.fieldbus import Cells

CODES = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d"}
FORMS = sorted(CODES)
WORD = st.integers(0, 0xFFFF)
FACTOR = Place("holding", 900)


def point(form: str, tag_type: str = "", slot: int = 0, **more) -> Point:
    kind, width, default = FORMATS[form]
    words = {"bit": -1, "words_little": False, "bytes_little": False, "scale": 1.0, "offset": 0.0, "every": 10**9, **more}
    kind = BIT if words["bit"] >= 0 else kind
    return Point("t", 0, tag_type or default, slot, Register("holding", 0, kind, width, **words))


def swapped(words: list[int]) -> list[int]:
    return [((w >> 8) | (w << 8)) & 0xFFFF for w in words]


def read(found: Point, words: list[int], powers: Powers | None = None) -> Cells:
    powers = powers or Powers()
    (group,) = read_groups([found], 0, 120, powers)
    cells = Cells(1)
    decode(np.array(words, np.uint16), group.rows, (cells.lreal, cells.integer, cells.quality, cells.time), 7)
    return cells


def value_of(found: Point, cells: Cells) -> float:
    return cells.lreal[0] if found.type == "LREAL" else int(cells.integer[0])


def written(found: Point, value: float, powers: Powers | None = None) -> Image:
    cells = Cells(1)
    (cells.lreal if found.type == "LREAL" else cells.integer)[0] = value
    image = Image("d", [found], powers)
    image.take(cells.integer)
    return image


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORD, min_size=4, max_size=4), words_little=st.booleans(), bytes_little=st.booleans())
@example(words=[0x7FC0, 0, 0, 0], words_little=False, bytes_little=False)
@example(words=[0x8000, 0, 0, 0], words_little=False, bytes_little=False)
@example(words=[0xFFFF] * 4, words_little=True, bytes_little=True)
def test_what_is_read_is_what_pymodbus_and_struct_read(form, words, words_little, bytes_little):
    found = point(form, words_little=words_little, bytes_little=bytes_little)
    words = words[: FORMATS[form][1]]
    plain = swapped(words) if bytes_little else words
    kind = ModbusClientMixin.DATATYPE[form.upper()]
    theirs = ModbusClientMixin.convert_from_registers(plain, kind, "little" if words_little else "big")
    big = list(reversed(plain)) if words_little else plain
    assert struct.pack(f">{CODES[form]}", theirs) == struct.pack(f">{len(big)}H", *big) or math.isnan(theirs)
    cells = read(found, words)
    if not math.isfinite(theirs):
        assert cells.quality[0] == BAD_SENSOR_FAILURE
    elif theirs >= 2**63 and found.type != "LREAL":
        assert cells.quality[0] == BAD_OUT_OF_RANGE
    else:
        assert (value_of(found, cells), cells.quality[0], cells.time[0]) == (theirs, GOOD, 7)
        assert written(found, theirs).registers.tolist() == words, "and written back as it was read"


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(WORD, min_size=4, max_size=4),
    form=st.sampled_from(["uint16", "uint32", "uint64"]),
    low=st.integers(0, 63),
    bits=st.integers(1, 32),
    words_little=st.booleans(),
    bytes_little=st.booleans(),
    data=st.data(),
)
def test_a_field_of_bits_is_read_and_written_without_touching_its_neighbours(
    form, words, low, bits, words_little, bytes_little, data
):
    width = FORMATS[form][1]
    low %= 16 * width
    bits = min(bits, 16 * width - low)
    found = point(form, "LINT", bit=low, bits=bits, words_little=words_little, bytes_little=bytes_little)
    words = words[:width]
    big = swapped(words) if bytes_little else words
    raw = int.from_bytes(struct.pack(f">{width}H", *(reversed(big) if words_little else big)), "big")
    assert value_of(found, read(found, words)) == raw >> low & (1 << bits) - 1
    image = written(found, 0)
    image.registers[:] = words
    value = data.draw(st.integers(0, (1 << bits) - 1))
    cells = Cells(1)
    cells.integer[0] = value
    image.take(cells.integer)
    whole = point(form, "LINT" if form != "uint64" else "LREAL", words_little=words_little, bytes_little=bytes_little)
    expected = raw & ~((1 << bits) - 1 << low) | value << low
    if form != "uint64":
        assert value_of(whole, read(whole, image.registers.tolist())) == expected
    assert value_of(found, read(found, image.registers.tolist())) == value
    cells.integer[0] = 1 << bits
    image.take(cells.integer)
    assert image.refused == 1 and image.is_unfit, "a value with too many bits stays out"


@settings(max_examples=100, deadline=None)
@given(
    form=st.sampled_from([f for f in FORMS if not f.startswith("float")]),
    words=st.lists(WORD, min_size=4, max_size=4),
    data=st.data(),
)
def test_raw_values_that_mean_nothing_are_bad_and_leave_the_value(form, words, data):
    width = FORMATS[form][1]
    words = words[:width]
    raw = int.from_bytes(struct.pack(f">{width}H", *words), "big")
    others = tuple(data.draw(st.lists(st.integers(0, (1 << 16 * width) - 1).filter(lambda n: n != raw), max_size=3)))
    assert read(point(form, "LREAL", invalid=others), words).quality[0] == GOOD
    cells = read(point(form, "LREAL", invalid=(*others, raw)), words)
    assert (cells.quality[0], cells.integer[0]) == (BAD_SENSOR_FAILURE, 0)


@settings(max_examples=150, deadline=None)
@given(raw=st.integers(-32768, 32767), power=st.integers(-10, 10))
def test_a_power_of_ten_read_at_run_time_is_honoured_both_ways(raw, power):
    found = point("int16", "LREAL", factor=FACTOR)
    powers = Powers([found.address])
    assert powers.take(1, power & 0xFFFF)
    cells = read(found, [raw & 0xFFFF], powers)
    assert (cells.lreal[0], cells.quality[0]) == (float(f"{raw}e{power}"), GOOD), "the nearest double, as decimal text gives it"
    image = written(found, float(f"{raw}e{power}"), powers)
    assert image.registers.tolist() == [raw & 0xFFFF]


@pytest.mark.parametrize("power", [0x8000, 11, -11 & 0xFFFF, 0x7FFF])
def test_a_power_of_ten_that_is_none_makes_its_values_bad_and_writes_nothing(power):
    found = point("int16", "LREAL", factor=FACTOR)
    powers = Powers([found.address])
    powers.take(1, power)
    assert read(found, [5], powers).quality[0] == BAD_SENSOR_FAILURE
    image = written(found, 5.0, powers)
    assert not image.dirty.any() and image.refused == 0, "it waits for the power, and is not counted as wrong"
    image.refresh_all()
    assert image.next_run() is None
    powers.take(1, 0)
    image.rescale()
    assert image.next_run().values.tolist() == [5]


def test_zero_needs_no_power_of_ten():
    found = point("int16", "LREAL", factor=FACTOR)
    assert written(found, 0.0, Powers([found.address])).next_run().values.tolist() == [0]


def test_a_power_that_changes_makes_the_registers_anew():
    found = point("uint16", "LREAL", factor=FACTOR)
    powers = Powers([found.address])
    powers.take(1, 0)
    image = written(found, 50.0, powers)
    assert image.next_run().values.tolist() == [50]
    assert powers.take(1, -1 & 0xFFFF)
    image.rescale()
    assert image.next_run().values.tolist() == [500]
    assert not powers.take(1, -1 & 0xFFFF), "the same again is no change"


@settings(max_examples=100, deadline=None)
@given(words=st.lists(WORD, min_size=1, max_size=1), scale=st.floats(1e-6, 1e6), offset=st.floats(-1e6, 1e6))
def test_a_scaled_register_comes_back_as_it_was(words, scale, offset):
    found = point("uint16", "LREAL", scale=scale, offset=offset)
    cells = read(found, words)
    assert cells.lreal[0] == words[0] * scale + offset
    if scale > 1e-3:  # below, the offset's own rounding is wider than a step of the register
        assert written(found, cells.lreal[0]).registers.tolist() == words


def test_a_point_without_an_address_keeps_its_value_until_it_has_one():
    nowhere = Point("t", 0, "DINT", 0, Register("holding", 0, UNSIGNED, 0, -1, False, False, 1.0, 0.0, 10**9))
    somewhere = point("uint16")
    image = written(nowhere, 7)
    assert image.next_run() is None
    found = Image("d", [somewhere])
    found.adopt(image)
    assert found.next_run().values.tolist() == [7]
