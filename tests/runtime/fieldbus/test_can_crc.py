"""The CRC of a frame, written and checked: against crccheck's catalogue of CRCs and an implementation of AUTOSAR E2E."""

import random

import crccheck
import pytest
from e2e import p01, p02, p05
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus.can_rules import (
    LAWS,
    CrcLaw,
    CrcRule,
    MessageRules,
    crc_of,
    feed,
    first_register,
    has_crc,
    last_word,
    put_crc,
)
from runtime.fieldbus.can_supervise import crc_agrees, watch_messages
from runtime.fieldbus.can_tables import Bits, place_bits, put_bits
from tests.aids.fieldbus_codec import batch_of

FIRST = Bits(0, 1, 0, 8)
CATALOGUE = [c for c in crccheck.crc.ALLCRCCLASSES if 4 <= c._width <= 32 and c._reflect_input == c._reflect_output]


def law_of(entry) -> CrcLaw:
    return CrcLaw(entry._width, entry._poly, entry._initvalue, entry._xor_output, entry._reflect_input)


def agrees(rule: CrcRule, frame: bytes) -> bool:
    """What the compiled kernel says of the frame."""
    watch, batch = watch_messages(["m"], {"m": MessageRules("m", crc=rule)}), batch_of([(1, frame)])
    return bool(crc_agrees(batch.data[0], len(frame), watch.crcs[0], watch.masks[0]))


def test_the_catalogue_is_worth_the_name():
    assert len(CATALOGUE) > 60


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda c: c.__name__)
def test_every_law_of_the_catalogue_gives_its_check_value(entry):
    law = law_of(entry)
    assert last_word(law, feed(law, first_register(law), b"123456789")) == entry._check_result


@settings(max_examples=60, deadline=None)
@given(entry=st.sampled_from(CATALOGUE), data=st.binary(min_size=0, max_size=64))
def test_any_bytes_give_the_crc_of_the_catalogue(entry, data):
    law = law_of(entry)
    assert last_word(law, feed(law, first_register(law), data)) == entry.calc(data)


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("sae_j1850", crccheck.crc.Crc8SaeJ1850),
        ("autosar_8h2f", crccheck.crc.Crc8Autosar),
        ("crc8", crccheck.crc.Crc8),
        ("ccitt_false", crccheck.crc.Crc16CcittFalse),
    ],
)
def test_a_named_law_is_the_one_of_the_catalogue(kind, entry):
    assert LAWS[kind] == law_of(entry)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), size=st.integers(5, 64), entry=st.sampled_from(CATALOGUE))
def test_a_frame_with_its_crc_is_taken_and_with_any_one_bit_wrong_it_is_not(data, size, entry):
    """Wherever the CRC stands, Intel or Motorola, on bytes of its own or in the middle of others."""
    width, motorola = entry._width, data.draw(st.booleans())
    at = data.draw(st.integers(0, 8 * size - width))
    bits = place_bits(8 * (at // 8) + 7 - at % 8 if motorola else at, width, motorola)
    before, after = data.draw(st.binary(max_size=3)), data.draw(st.binary(max_size=3))
    rule = CrcRule(bits, law_of(entry), before, after)
    frame = bytearray(data.draw(st.binary(min_size=size, max_size=size)))
    put_crc(frame, rule)
    assert has_crc(bytes(frame), rule) and agrees(rule, bytes(frame))
    wrong = data.draw(st.integers(0, 8 * size - 1))
    frame[wrong // 8] ^= 1 << wrong % 8
    assert not has_crc(bytes(frame), rule) and not agrees(rule, bytes(frame)), "a CRC finds every error of one bit"


def test_a_crc_that_shares_its_byte_counts_as_0_there():
    rule = CrcRule(Bits(1, 1, 4, 4), CrcLaw(4, 0x3, 0, 0, reflect=True))
    frame = bytearray(b"\x12\xa5\x34")
    assert crc_of(rule, frame) == crccheck.crc.Crc4Itu.calc(b"\x12\x05\x34")


def test_a_crc_that_fills_its_byte_is_left_out():
    rule = CrcRule(Bits(1, 1, 0, 8), LAWS["sae_j1850"])
    assert crc_of(rule, b"\x12\xa5\x34") == crccheck.crc.Crc8SaeJ1850.calc(b"\x12\x34")


def random_frames(seed: str):
    chance = random.Random(seed)
    return [bytearray(chance.randbytes(8)) for _ in range(50)]


@pytest.mark.parametrize("identifier", [0x0000, 0x003A, 0x1234, 0xFFFF])
def test_profile_1_of_autosar_e2e(identifier):
    """Data ID in the mode BOTH: its low byte, its high byte, then the frame without its CRC."""
    rule = CrcRule(FIRST, LAWS["e2e_p01"], before=identifier.to_bytes(2, "little"))
    for frame in random_frames("p01"):
        p01.e2e_p01_protect(frame, identifier, data_id_mode=p01.E2E_P01_DATAID_BOTH, increment_counter=False)
        assert crc_of(rule, frame) == frame[0] and agrees(rule, bytes(frame))


def test_profile_1_with_the_low_byte_of_its_data_id():
    rule = CrcRule(FIRST, LAWS["e2e_p01"], before=b"\x34")
    for frame in random_frames("low"):
        p01.e2e_p01_protect(frame, 0x1234, data_id_mode=p01.E2E_P01_DATAID_LOW, increment_counter=False)
        assert crc_of(rule, frame) == frame[0] and agrees(rule, bytes(frame))


def test_profile_2_with_one_data_id_for_all_counts():
    rule = CrcRule(FIRST, LAWS["e2e_p02"], after=b"\x5a")
    for frame in random_frames("p02"):
        frame[1] &= 0xF0
        p02.e2e_p02_protect(frame, b"\x5a" * 16)
        assert crc_of(rule, frame) == frame[0] and agrees(rule, bytes(frame))


def test_profile_5_has_16_bits_low_byte_first():
    rule = CrcRule(Bits(0, 1, 0, 16), LAWS["e2e_p05"], after=b"\x34\x12")
    for frame in random_frames("p05"):
        p05.e2e_p05_protect(frame, 0x1234, increment_counter=False)
        assert crc_of(rule, frame) == int.from_bytes(frame[:2], "little") and agrees(rule, bytes(frame))


def test_put_bits_leaves_the_other_bits_alone():
    frame = bytearray(b"\xff\xff\xff")
    put_bits(frame, Bits(1, 1, 4, 4), 0)
    assert frame == b"\xff\x0f\xff"
