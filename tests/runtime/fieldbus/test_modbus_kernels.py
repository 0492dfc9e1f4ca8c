"""Registers to values and back, against Python's struct: all formats, word and byte orders, scales and limits."""

import itertools
import math
import struct

import numpy as np
import pytest

from runtime.fieldbus.modbus_groups import read_groups
from runtime.fieldbus.modbus_kernel import decode
from runtime.fieldbus.modbus_register import FORMATS, Register
from runtime.fieldbus.modbus_writes import Image
from runtime.model import Point
from runtime.quality import BAD_OUT_OF_RANGE, BAD_SENSOR_FAILURE, GOOD
from tests.aids.fieldbus import Cells

CODES = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}
VALUES = {
    "int16": [0, 1, -1, 32767, -32768],
    "uint16": [0, 1, 65535],
    "int32": [0, -2, 2**31 - 1, -(2**31)],
    "uint32": [0, 3, 2**32 - 1],
    "int64": [0, -5, 2**63 - 1, -(2**63)],
    "uint64": [0, 7, 2**63 - 1],
    "float32": [0.0, -1.5, 3.4028234663852886e38, 1.401298464324817e-45],
    "float64": [0.0, -1.5, 1.7976931348623157e308, 5e-324],
}
ORDERS = list(itertools.product([False, True], [False, True]))


def registers(form: str, value: float, words_little: bool, bytes_little: bool) -> list[int]:
    """The registers as a device sends them, made by struct and by turning words and bytes around."""
    words = list(struct.unpack(f">{struct.calcsize(CODES[form]) // 2}H", struct.pack(CODES[form], value)))
    if words_little:
        words.reverse()
    return [((w >> 8) | (w << 8)) & 0xFFFF for w in words] if bytes_little else words


def point(form: str, words_little=False, bytes_little=False, scale=1.0, offset=0.0, tag_type="", bit=-1, address=0, slot=0, safe=0):
    kind, width, default = FORMATS[form]
    register = Register("holding", address, kind, width, bit, words_little, bytes_little, scale, offset, 10**9)
    return Point(f"t{address}", 0, tag_type or default, slot, register, safe)


def read(found: Point, values: list[int]) -> Cells:
    (group,) = read_groups([found], 0, 120)
    cells = Cells(1)
    decode(np.array(values, np.uint16), group.rows, (cells.lreal, cells.integer, cells.quality, cells.time), 123)
    return cells


@pytest.mark.parametrize("form", CODES)
@pytest.mark.parametrize(("words_little", "bytes_little"), ORDERS)
def test_every_format_is_read_and_written_in_every_order(form, words_little, bytes_little):
    found = point(form, words_little, bytes_little)
    for value in VALUES[form]:
        wire = registers(form, value, words_little, bytes_little)
        cells = read(found, wire)
        got = cells.lreal[0] if found.type == "LREAL" else cells.integer[0]
        assert (got, cells.quality[0], cells.time[0]) == (value, GOOD, 123)
        image = Image("d", [found])
        image.take(cells.integer)
        assert image.registers.tolist() == wire


@pytest.mark.parametrize("form", CODES)
def test_scale_and_offset_make_the_tag_from_the_raw_value(form):
    found = point(form, scale=0.1, offset=-40.0, tag_type="LREAL")
    cells = read(found, registers(form, 250, False, False))
    assert cells.lreal[0] == 250 * 0.1 - 40.0
    image = Image("d", [found])
    image.take(cells.integer)
    raw = struct.unpack(CODES[form], image.registers.astype(">u2").tobytes())[0]
    assert raw == pytest.approx(250, abs=1e-9) if form.startswith("float") else raw == 250


@pytest.mark.parametrize("form", ["float32", "float64"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_a_broken_sensor_and_stays_out(form, value):
    cells = read(point(form), registers(form, value, False, False))
    assert cells.quality[0] == BAD_SENSOR_FAILURE
    assert cells.integer[0] == 0


def test_a_number_too_large_for_its_tag_is_out_of_range():
    cells = read(point("uint64"), registers("uint64", 2**63, False, False))
    assert (cells.quality[0], cells.integer[0]) == (BAD_OUT_OF_RANGE, 0)


@pytest.mark.parametrize(
    ("form", "scale", "raw", "value"),
    [
        ("uint32", 1.0, 2**31 - 1, 2**31 - 1),
        ("uint32", 1.0, 2**31, None),
        ("uint32", 1.0, 4294967286, None),
        ("int64", 1.0, -(2**31), -(2**31)),
        ("int64", 1.0, -(2**31) - 1, None),
        ("int32", 2.0, 2**30, None),
        ("int32", -2.0, 2**30, -(2**31)),
        ("float64", 1.0, 2147483647.25, 2**31 - 1),
        ("float64", 1.0, 2147483647.75, None),
        ("float32", 1.0, -1e10, None),
    ],
)
def test_a_number_beyond_a_dint_is_out_of_range_and_never_wraps(form, scale, raw, value):
    """IEC 61131-3, table 10: a DINT has 32 bits."""
    cells = read(point(form, tag_type="DINT", scale=scale), registers(form, raw, False, False))
    assert (cells.integer[0], cells.quality[0]) == ((0, BAD_OUT_OF_RANGE) if value is None else (value, GOOD))
    wide = read(point(form, tag_type="LINT", scale=scale), registers(form, raw, False, False))
    sent = struct.unpack(CODES[form], struct.pack(CODES[form], raw))[0]
    assert (wide.integer[0], wide.quality[0]) == (round(sent * scale), GOOD)


def test_bits_of_a_register_are_told_apart():
    assert [read(point("bool", bit=b), [0b1000_0000_0000_0010]).integer[0] for b in (0, 1, 14, 15)] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("form", "tag_type", "bad"),
    [
        ("int16", "DINT", 32768),
        ("int16", "DINT", -32769),
        ("uint16", "DINT", -1),
        ("uint16", "DINT", 65536),
        ("uint32", "LINT", 2**32),
        ("int32", "LINT", 2**31),
        ("uint64", "LINT", -1),
        ("uint16", "LREAL", 65535.5),
        ("int16", "LREAL", -32768.6),
        ("float32", "LREAL", 1e39),
        ("uint16", "LREAL", math.nan),
        ("int64", "LREAL", 1e19),
    ],
)
def test_a_value_that_the_register_cannot_carry_leaves_the_old_one_and_is_counted(form, tag_type, bad):
    image = Image("d", [point(form, tag_type=tag_type)])
    cells = Cells(1)
    write(image, cells, tag_type, 12)
    before = image.registers.copy()
    image.dirty[:] = 0
    write(image, cells, tag_type, bad)
    assert image.refused == 1
    assert (image.registers == before).all() and not image.dirty.any()


def write(image: Image, cells: Cells, tag_type: str, value: float) -> None:
    if tag_type == "LREAL":
        cells.lreal[0] = value
    else:
        cells.integer[0] = value
    image.take(cells.integer)


# What is written when -----------------------------------------------------------------------------------------------------


def image_of(*points: Point) -> tuple[Image, Cells]:
    return Image("d", points), Cells(len(points))


def runs(image: Image) -> list[tuple[str, int, list[int]]]:
    found = []
    while (run := image.next_run()) is not None:
        found.append((run.table, run.address, run.values.tolist()))
    return found


def test_only_what_changed_is_written_and_neighbours_together():
    image, cells = image_of(*(point("uint16", address=a, slot=i) for i, a in enumerate((0, 1, 2, 7))))
    cells.integer[:] = (10, 11, 12, 17)
    assert image.take(cells.integer)
    assert runs(image) == [("holding", 0, [10, 11, 12]), ("holding", 7, [17])]
    assert not image.take(cells.integer), "nothing changed"
    cells.integer[:] = (10, 21, 22, 17)
    image.take(cells.integer)
    assert runs(image) == [("holding", 1, [21, 22])]


def test_a_value_of_several_registers_is_written_whole_even_where_one_register_changed():
    image, cells = image_of(point("int32"))
    cells.integer[0] = 0x10000
    image.take(cells.integer)
    runs(image)
    cells.integer[0] = 0x10001
    image.take(cells.integer)
    assert runs(image) == [("holding", 0, [1, 1])]


def test_a_long_run_is_cut_between_values():
    image, cells = image_of(*(point("float32", address=2 * i, slot=i) for i in range(100)))
    cells.lreal[:] = 1.0
    image.take(cells.integer)
    assert [(address, len(values)) for _, address, values in runs(image)] == [(0, 122), (122, 78)]


def test_bits_that_we_write_share_their_register():
    image, cells = image_of(*(point("bool", bit=b, slot=i) for i, b in enumerate((0, 15))))
    cells.integer[:] = (1, 1)
    image.take(cells.integer)
    assert runs(image) == [("holding", 0, [0x8001])]
    cells.integer[:] = (0, 1)
    image.take(cells.integer)
    assert runs(image) == [("holding", 0, [0x8000])]


def test_a_register_without_any_valid_value_is_never_written():
    image, cells = image_of(point("uint16", address=0, slot=0), point("uint16", address=1, slot=1))
    cells.integer[:] = (70000, 5)
    image.take(cells.integer)
    image.refresh_all()
    assert runs(image) == [("holding", 1, [5])]


def test_the_refresh_repeats_what_stands_there():
    image, cells = image_of(point("uint16"))
    cells.integer[0] = 5
    image.take(cells.integer)
    assert runs(image) == [("holding", 0, [5])]
    image.refresh(image.periods[0])
    assert runs(image) == [("holding", 0, [5])]


def test_safe_values_are_written_even_where_they_stand_there_already():
    image, cells = image_of(point("uint16", address=0, slot=0, safe=3), point("uint16", address=1, slot=1, safe=4))
    cells.integer[:] = (3, 9)
    image.take(cells.integer)
    runs(image)
    assert image.take_safe([0]).tolist() == [0]
    assert runs(image) == [("holding", 0, [3])], "the other keeps its value until its own time comes"


def test_a_run_that_failed_is_written_again_with_what_is_wanted_then():
    image, cells = image_of(point("uint16"))
    cells.integer[0] = 5
    image.take(cells.integer)
    run = image.next_run()
    cells.integer[0] = 6
    image.take(cells.integer)
    image.put_back(run)
    assert runs(image) == [("holding", 0, [6])]
