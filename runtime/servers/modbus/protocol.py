"""Modbus application protocol over TCP: framing, requests and answers as bytes. It knows no socket, no clock and no tags.

Source: MODBUS Application Protocol Specification V1.1b3, and MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from runtime.servers.modbus.image import RegisterImage
from runtime.servers.modbus.map import COIL, DISCRETE, HOLDING, INPUT
from runtime.servers.modbus.refusal import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, RefusedError

MBAP = struct.Struct(">HHHB")  # transaction, protocol (0), bytes that follow, unit
LONGEST = 254  # what the length field may say: a unit id and a PDU of 253 bytes
MOST_BITS, MOST_REGISTERS = 2000, 125
WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS, MASK_WRITE, READ_WRITE, IDENTIFY = 5, 6, 15, 16, 22, 23, 43
READS = {1: (COIL, MOST_BITS), 2: (DISCRETE, MOST_BITS), 3: (HOLDING, MOST_REGISTERS), 4: (INPUT, MOST_REGISTERS)}
_TWO, _THREE, _MOST = struct.Struct(">HH"), struct.Struct(">HHH"), struct.Struct(">HHB")


class FramingError(Exception):
    """The bytes are no Modbus TCP: there is no way to find the next request, so the connection ends."""


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What a request wants written: bits or registers from `address` on, `data` as one byte a bit or two a register.

    A mask write has `masks` (and, or) instead of data; `read` is the address and count that function 23 reads afterwards.
    """

    function: int
    table: str
    address: int
    count: int
    data: bytes
    masks: tuple[int, int] | None = None
    read: tuple[int, int] | None = None


def next_request(buffer: bytes, at: int) -> tuple[int, int, bytes, int] | None:
    """The request that starts at `at`: transaction, unit, PDU and where the next one starts; None while it is incomplete.

    Raises FramingError for another protocol id or an impossible length.
    """
    if len(buffer) - at < MBAP.size:
        return None
    transaction, protocol, length, unit = MBAP.unpack_from(buffer, at)
    if protocol:
        raise FramingError(f"protocol id {protocol} is not Modbus (0)")
    if not 2 <= length <= LONGEST:
        raise FramingError(f"a length of {length} bytes is not within 2 to {LONGEST}")
    end = at + 6 + length
    if len(buffer) < end:
        return None
    return transaction, unit, buffer[at + MBAP.size : end], end


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """An answer as it goes on the wire."""
    return MBAP.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def refuse(function: int, code: int) -> bytes:
    """The PDU of an exception."""
    return bytes((function | 0x80, code))


def answer_read(pdu: bytes, image: RegisterImage) -> bytes:
    """The answer to functions 1 to 4. Raises RefusedError."""
    table, most = READS[pdu[0]]
    if len(pdu) != 5:
        raise RefusedError(ILLEGAL_VALUE)
    _, address, count = _BYTE_TWO.unpack(pdu)
    if not 1 <= count <= most:
        raise RefusedError(ILLEGAL_VALUE)
    return _read(pdu[0], image, table, address, count)


_BYTE_TWO = struct.Struct(">BHH")


def _read(function: int, image: RegisterImage, table: str, address: int, count: int) -> bytes:
    found = image.tables[table]
    if not found.holds(address, count):
        raise RefusedError(ILLEGAL_ADDRESS)
    data = found.read(address, count)
    return bytes((function, len(data))) + data


def parse_write(pdu: bytes) -> WriteRequest:
    """What functions 5, 6, 15, 16, 22 and 23 want. Raises RefusedError where the request contradicts itself."""
    try:
        return _PARSERS[pdu[0]](pdu[0], pdu[1:])
    except struct.error:
        raise RefusedError(ILLEGAL_VALUE) from None


def _parse_coil(function: int, body: bytes) -> WriteRequest:
    address, value = _TWO.unpack(body)
    if value not in (0x0000, 0xFF00):
        raise RefusedError(ILLEGAL_VALUE)
    return WriteRequest(function, COIL, address, 1, bytes((value >> 15,)))


def _parse_register(function: int, body: bytes) -> WriteRequest:
    address, _ = _TWO.unpack(body)
    return WriteRequest(function, HOLDING, address, 1, body[2:])


def _parse_coils(function: int, body: bytes) -> WriteRequest:
    address, count, size = _MOST.unpack_from(body)
    data = body[_MOST.size :]
    if not 1 <= count <= 1968 or size != (count + 7) // 8 or len(data) != size:
        raise RefusedError(ILLEGAL_VALUE)
    return WriteRequest(function, COIL, address, count, bytes(data[n // 8] >> n % 8 & 1 for n in range(count)))


def _parse_registers(function: int, body: bytes) -> WriteRequest:
    address, count, size = _MOST.unpack_from(body)
    data = body[_MOST.size :]
    if not 1 <= count <= 123 or size != 2 * count or len(data) != size:
        raise RefusedError(ILLEGAL_VALUE)
    return WriteRequest(function, HOLDING, address, count, data)


def _parse_mask(function: int, body: bytes) -> WriteRequest:
    address, keep, put = _THREE.unpack(body)
    return WriteRequest(function, HOLDING, address, 1, b"", masks=(keep, put))


def _parse_read_write(function: int, body: bytes) -> WriteRequest:
    read = _TWO.unpack_from(body)
    written = _MOST.unpack_from(body, _TWO.size)
    data = body[_TWO.size + _MOST.size :]
    if not 1 <= read[1] <= MOST_REGISTERS or not 1 <= written[1] <= 121 or written[2] != 2 * written[1] or len(data) != written[2]:
        raise RefusedError(ILLEGAL_VALUE)
    return WriteRequest(function, HOLDING, written[0], written[1], data, read=(read[0], read[1]))


_PARSERS = {
    WRITE_COIL: _parse_coil,
    WRITE_REGISTER: _parse_register,
    WRITE_COILS: _parse_coils,
    WRITE_REGISTERS: _parse_registers,
    MASK_WRITE: _parse_mask,
    READ_WRITE: _parse_read_write,
}
WRITES = frozenset(_PARSERS)


def check_read_after_write(request: WriteRequest, image: RegisterImage) -> None:
    """Refuse function 23 as a whole where its read half cannot be answered, before anything is written. Raises RefusedError."""
    if request.read is not None:
        _read(request.function, image, HOLDING, *request.read)


def answer_write(request: WriteRequest, pdu: bytes, image: RegisterImage) -> bytes:
    """The answer to a write that was carried out: an echo, or the registers that function 23 asked for."""
    if request.read is not None:
        return _read(request.function, image, HOLDING, *request.read)
    return pdu if request.function in (WRITE_COIL, WRITE_REGISTER, MASK_WRITE) else pdu[:5]


def answer_identify(pdu: bytes, objects: Iterable[bytes]) -> bytes:
    """Read Device Identification (43/14): `objects` are vendor, product code, revision, URL, product, model, application.

    Regular conformity (0x82): as a stream, basic (the first three) or all, or one object. Raises RefusedError.
    """
    if len(pdu) < 2 or pdu[1] != 14:
        raise RefusedError(ILLEGAL_FUNCTION)
    if len(pdu) != 4 or not 1 <= pdu[2] <= 4:
        raise RefusedError(ILLEGAL_VALUE)
    known, code, first = list(objects), pdu[2], pdu[3]
    last = 3 if code == 1 else len(known)
    if code == 4:
        if first >= len(known):
            raise RefusedError(ILLEGAL_ADDRESS)
        last = first + 1
    elif first >= last:
        first = 0  # an unknown object of a stream means: from the beginning
    listed, more, room = b"", 0, 253 - 7
    count = 0
    for number in range(first, last):
        item = bytes((number, len(known[number]))) + known[number]
        if len(listed) + len(item) > room:
            more = number
            break
        listed += item
        count += 1
    return bytes((IDENTIFY, 14, code, 0x82, 0xFF if more else 0, more, count)) + listed
