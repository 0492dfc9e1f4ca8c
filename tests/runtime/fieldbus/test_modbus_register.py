"""Which values a register can carry: the checker says of safe values what the compiled encoder will do with them."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus.modbus_groups import table_of
from runtime.fieldbus.modbus_kernel import encode
from runtime.fieldbus.modbus_register import BIT, FLOAT, HOLDING, INTEGER, UNSIGNED, Place, Register
from runtime.model import Point

REGISTER = Register(HOLDING, 5, INTEGER, 1, -1, False, False, 1.0, 0.0, 0)


def takes(register: Register, value: float, kind: str) -> bool:
    """Whether the encoder writes the value."""
    table = table_of([Point("t", 0, kind, 0, register)], [0], [0])
    bits = value if kind == "LINT" else struct.unpack("<q", struct.pack("<d", value))[0]
    refused = np.zeros(1, np.int64)
    image, known, dirty = np.zeros(4, np.uint16), np.zeros(1, np.uint8), np.zeros(4, np.uint8)
    encode(np.array([bits], np.int64), np.ones(1, np.uint8), table, image, known, dirty, refused)
    return not refused[0]


@settings(max_examples=400, deadline=None)
@given(
    form=st.sampled_from(
        [*((kind, width) for kind in (INTEGER, UNSIGNED) for width in (1, 2, 4)), (FLOAT, 2), (FLOAT, 4), (BIT, 1)]
    ),
    scale=st.sampled_from([1.0, 0.1, -2.0, 0.001, 1e30]),
    offset=st.sampled_from([0.0, -40.0, 1e6]),
    bits=st.integers(1, 16),
    value=st.floats()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(-70000, 70000)
    | st.sampled_from([3.4e38, 3.41e38, 2.0**63, 32767.5, -32768.5]),
)
def test_the_checker_refuses_what_the_encoder_refuses(form, scale, offset, bits, value):
    kind, width = form
    register = replace(REGISTER, kind=kind, width=width, scale=scale, offset=offset, bits=bits)
    if kind == BIT:
        register = replace(register, bit=0)
    is_whole = isinstance(value, int) and scale == 1 and offset == 0
    value = value if is_whole else float(value)
    assert takes(register, value, "LINT" if is_whole else "LREAL") == (register.misfit(value) == "")


def test_a_raw_value_that_means_none_is_no_safe_value():
    register = replace(REGISTER, invalid=(0x8000,))
    assert "says by -32768 that there is no value" in register.misfit(-32768)
    assert not register.misfit(-32767)


def test_a_scale_that_only_the_device_knows_is_not_judged():
    assert replace(REGISTER, factor=Place(HOLDING, 40)).misfit(1e9) == ""


@pytest.mark.parametrize(("value", "fits"), [(-3276.8, True), (-3276.9, False), (3276.7, True), (3276.8, False)])
def test_the_ends_of_a_scaled_register(value, fits):
    assert (replace(REGISTER, scale=0.1).misfit(value) == "") is fits
