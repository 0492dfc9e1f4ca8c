"""The encoding of the register image against struct, over values that hurt."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.model import Tag
from runtime.servers.modbus.image import RegisterImage
from runtime.servers.modbus.map import FORMATS, Entry
from tests.aids.servers_scan import lay_out_region

TYPES = {"LREAL": "f8", "DINT": "i4", "LINT": "i8", "TIME": "i8", "BOOL": "u1"}


class Picture:
    """What RegisterImage reads of a Snapshot: the tag region and the qualities."""

    def __init__(self, tag: Tag, value: Any, quality: int = 0):
        (self.tag,), self.region = lay_out_region([tag])
        self.memory = np.zeros(self.region.size, np.uint8)
        self.memory[self.tag.offset :].view(np.uint8)[: np.dtype(TYPES[tag.type]).itemsize] = np.frombuffer(
            np.array([value], TYPES[tag.type]).tobytes(), np.uint8
        )
        self.qualities = np.array([quality], np.uint32)


def encoded(type: str, value: Any, format: str, quality: int = 0, **options: Any) -> bytes:
    picture = Picture(Tag("a.b", type, 0, 0, 0), value, quality)
    entry = Entry(picture.tag, "value", 0, 1, "input", 0, format, **options)
    image = RegisterImage([entry], picture.region, "refuse")
    image.encode(picture)  # type: ignore[arg-type]
    return image.tables["input"].read(0, entry.width)


@given(st.floats(width=32))
def test_float32_is_what_struct_packs(value: float) -> None:
    found = encoded("LREAL", value, "float32")
    assert found == struct.pack(">f", value) or (math.isnan(value) and math.isnan(struct.unpack(">f", found)[0]))


@given(st.floats(allow_nan=False))
def test_float64_is_what_struct_packs_and_little_swaps_words_not_bytes(value: float) -> None:
    big = struct.pack(">d", value)
    assert encoded("LREAL", value, "float64") == big
    assert encoded("LREAL", value, "float64", little=True) == big[6:8] + big[4:6] + big[2:4] + big[0:2]


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "uint64"]))
def test_an_integer_is_exact_or_stops_at_the_nearest_end(value: int, format: str) -> None:
    bits = 16 * FORMATS[format][0]
    low, high = (0, 2**bits - 1) if format.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    expected = min(max(value, low), high)
    assert int.from_bytes(encoded("LINT", value, format), "big", signed=not format.startswith("u")) == expected


@given(st.floats(-1e6, 1e6), st.sampled_from([0.001, 0.01, 0.1, 0.5, 1.0, 10.0, -0.1]))
def test_a_scaled_value_is_within_half_a_count(value: float, scale: float) -> None:
    counts = int.from_bytes(encoded("LREAL", value, "int64", scale=scale), "big", signed=True)
    assert abs(counts * scale - value) <= abs(scale) * 0.5000001 + 1e-9


@pytest.mark.parametrize(
    ("format", "value", "counts"),
    [
        ("int64", 1e300, 2**63 - 1024),
        ("int64", -1e300, -(2**63)),
        ("uint64", 1e300, 2**64 - 2048),
        ("uint64", -1.0, 0),
        ("int16", 32767.4, 32767),
        ("int16", 1e9, 32767),
        ("int16", -1e9, -32768),
        ("uint16", -0.4, 0),
    ],
)
def test_an_lreal_in_an_integer_stops_at_its_ends(format: str, value: float, counts: int) -> None:
    """A double has 53 bits: the largest ones inside the 64-bit ranges are 2**63 - 1024 and 2**64 - 2048."""
    assert int.from_bytes(encoded("LREAL", value, format), "big", signed=format.startswith("i")) == counts


@pytest.mark.parametrize(
    ("format", "missing"),
    [
        ("int16", "8000"),
        ("uint16", "ffff"),
        ("int32", "80000000"),
        ("uint32", "ffffffff"),
        ("int64", "8000000000000000"),
        ("uint64", "ffffffffffffffff"),
    ],
)
def test_not_available_is_sunspecs(format: str, missing: str) -> None:
    """SunSpec information model specification, 4.2: the values for "not implemented"."""
    assert encoded("LREAL", math.nan, format).hex() == missing
    assert encoded("DINT", 5, format, quality=0x80310000, bad="nan").hex() == missing
    assert int(encoded("DINT", 5, format, quality=0x80310000).hex(), 16) == 5


def test_a_bool_in_a_register_is_0_or_1() -> None:
    assert encoded("BOOL", 1, "uint16").hex() == "0001"
