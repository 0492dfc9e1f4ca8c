"""What an io_map asks of a CAN message as plain data: its cycle, alive counter and CRC, and the arithmetic of a CRC.

It reads no io_map, knows no DBC and opens no bus. All times are nanoseconds; 0 says that nothing is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from runtime.fieldbus.can_tables import Bits, put_bits, read_bits

CYCLIC, CHANGE, REQUEST = "cyclic", "change", "request"
SENDS = (CYCLIC, CHANGE, REQUEST)


@dataclass(frozen=True, slots=True)
class AliveRule:
    """A counter that moves by `step` from frame to frame and starts again at 0 before `modulus`."""

    bits: Bits
    modulus: int
    step: int = 1

    def next(self, count: int) -> int:
        """The count of the frame after the one with this count."""
        return (count + self.step) % self.modulus


@dataclass(frozen=True, slots=True)
class CrcLaw:
    """A CRC as the catalogues write it: width in bits, polynomial without its highest bit, first value, final XOR, bit order.

    `id_last` says that a data identifier follows the data instead of going before it.
    """

    width: int
    polynomial: int
    init: int
    xor: int
    reflect: bool = False
    id_last: bool = False


# Named laws. Source: AUTOSAR SWS CRC Library and SWS E2E Library (R20-11); SAE J1850. The E2E profile 1 calls the J1850 law in
# a way that cancels its first value and final XOR.
LAWS: Mapping[str, CrcLaw] = {
    "sae_j1850": CrcLaw(8, 0x1D, 0xFF, 0xFF),
    "autosar_8h2f": CrcLaw(8, 0x2F, 0xFF, 0xFF),
    "crc8": CrcLaw(8, 0x07, 0x00, 0x00),
    "ccitt_false": CrcLaw(16, 0x1021, 0xFFFF, 0x0000),
    "e2e_p01": CrcLaw(8, 0x1D, 0x00, 0x00),
    "e2e_p02": CrcLaw(8, 0x2F, 0xFF, 0xFF, id_last=True),
    "e2e_p05": CrcLaw(16, 0x1021, 0xFFFF, 0x0000, id_last=True),
}


@dataclass(frozen=True, slots=True)
class CrcRule:
    """A CRC in a frame: where it stands, its law, and the bytes of the data identifier before and after the frame's.

    It covers the frame's bytes in their order, first byte first. As in the AUTOSAR E2E profiles, a byte that the CRC fills
    whole is left out; where it shares a byte with other signals, its own bits count as 0.
    """

    bits: Bits
    law: CrcLaw
    before: bytes = b""
    after: bytes = b""


@dataclass(frozen=True, slots=True)
class MessageRules:
    """What the io_map says about one message.

    Received: `cycle` is the period at which it is expected, `window` how far from it a frame may come, `timeout` after
    which silence its inputs are bad. Sent: `every` is its period, `phase` its place in the period (None where the driver
    may choose), `send` one of SENDS. Both: `alive` and `crc`.
    """

    message: str
    cycle: int = 0
    window: int = 0
    timeout: int = 0
    alive: AliveRule | None = None
    crc: CrcRule | None = None
    every: int = 0
    phase: int | None = None
    send: str = CYCLIC


@lru_cache(maxsize=64)
def crc_table(law: CrcLaw) -> tuple[int, ...]:
    """What one byte does to the register: 256 words of max(width, 8) bits; a narrow register stands at its upper end."""
    size = max(law.width, 8)
    if law.reflect:
        polynomial = reflect(law.polynomial, law.width)
        return tuple(_fold_low(value, polynomial) for value in range(256))
    polynomial = law.polynomial << (size - law.width)
    return tuple(_fold_high(value << (size - 8), polynomial, size) for value in range(256))


def _fold_low(word: int, polynomial: int) -> int:
    for _ in range(8):
        word = word >> 1 ^ (polynomial if word & 1 else 0)
    return word


def _fold_high(word: int, polynomial: int, size: int) -> int:
    for _ in range(8):
        word = (word << 1 ^ (polynomial if word >> (size - 1) & 1 else 0)) & ((1 << size) - 1)
    return word


def reflect(word: int, width: int) -> int:
    """The word with its bits in the opposite order."""
    return int(f"{word:0{width}b}"[::-1], 2)


def first_register(law: CrcLaw) -> int:
    """The register before the first byte."""
    return reflect(law.init, law.width) if law.reflect else law.init << (max(law.width, 8) - law.width)


def feed(law: CrcLaw, register: int, data: bytes) -> int:
    """The register after these bytes."""
    table, size = crc_table(law), max(law.width, 8)
    if law.reflect:
        for byte in data:
            register = register >> 8 ^ table[(register ^ byte) & 0xFF]
        return register
    for byte in data:
        register = (register << 8 & ((1 << size) - 1)) ^ table[register >> (size - 8) ^ byte]
    return register


def last_word(law: CrcLaw, register: int) -> int:
    """The CRC that a register stands for."""
    return (register if law.reflect else register >> (max(law.width, 8) - law.width)) ^ law.xor


def covered(rule: CrcRule, data: bytes | bytearray) -> bytes:
    """The bytes that the CRC is taken over: the data identifier, and the frame without the CRC itself."""
    blank = bytearray(data)
    put_bits(blank, rule.bits, 0)
    full = bytearray(len(data))
    put_bits(full, rule.bits, (1 << rule.bits.length) - 1)
    return rule.before + bytes(byte for byte, own in zip(blank, full) if own != 0xFF) + rule.after


def crc_of(rule: CrcRule, data: bytes | bytearray) -> int:
    """The CRC that this frame must carry."""
    law = rule.law
    return last_word(law, feed(law, first_register(law), covered(rule, data)))


def put_crc(data: bytearray, rule: CrcRule) -> None:
    """Write the CRC into a frame whose other bytes are ready."""
    put_bits(data, rule.bits, crc_of(rule, data))


def has_crc(data: bytes, rule: CrcRule) -> bool:
    """Whether the frame carries the CRC of its bytes."""
    return read_bits(data, rule.bits) == crc_of(rule, data)
