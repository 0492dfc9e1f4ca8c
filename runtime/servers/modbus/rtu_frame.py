"""Modbus RTU frames: unit, PDU, CRC; and where a request for us stands in what a serial line has brought. It knows no port.

Source: MODBUS over Serial Line Specification and Implementation Guide V1.02, 2.5.1 and 6.2.2.
"""

from __future__ import annotations

LONGEST = 256
SHORTEST = 4  # unit, function, CRC
BROADCAST = 0
GLITCH = 2  # bytes
# How long a request is by its function: whole, or up to where the byte count stands, which it is then longer by.
WHOLE = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 22: 10, 43: 7}
COUNTED = {15: 6, 16: 6, 23: 10}


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0xA001 if byte & 1 else byte >> 1
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc(data: bytes) -> bytes:
    """The two bytes at the end of a frame, the low one first."""
    found = 0xFFFF
    for byte in data:
        found = found >> 8 ^ _TABLE[(found ^ byte) & 0xFF]
    return found.to_bytes(2, "little")


def frame(unit: int, pdu: bytes) -> bytes:
    """A frame as it goes on the line."""
    data = bytes((unit,)) + pdu
    return data + crc(data)


def request_at_end(data: bytes, unit: int) -> tuple[int, bytes] | None:
    """The request to this unit, or to all, with which the data end: its unit id and PDU.

    It may be all of the data. Where the loop slept through the silence before it, it stands behind what others said to each
    other: those are whole frames themselves. Without that rule the end of somebody's answer would now and then be a write: a CRC
    fits one of 65,536 by chance. A few bytes of noise, as drivers put on the line when they are switched on, may stand before it.
    """
    for start in range(max(0, len(data) - LONGEST), len(data) - SHORTEST + 1):
        found = data[start:]
        if found[0] in (unit, BROADCAST) and (start == 0 or _length(found) == len(found)) and crc(found[:-2]) == found[-2:]:
            return (found[0], found[1:-2]) if start <= GLITCH or are_frames(data[:start]) else None
    return None


def are_frames(data: bytes) -> bool:
    """Whether these bytes are nothing but whole frames of whatever units, one after the other."""
    ends = {0}  # where a frame may start: behind each one that ended
    for start in range(len(data)):
        if start not in ends:
            continue
        found = 0xFFFF
        for place in range(start, len(data)):
            found = found >> 8 ^ _TABLE[(found ^ data[place]) & 0xFF]
            if found == 0 and place + 1 - start >= SHORTEST:  # so it is behind a CRC that fits
                ends.add(place + 1)
    return bool(data) and len(data) in ends


def _length(data: bytes) -> int:
    if data[1] in COUNTED:
        place = COUNTED[data[1]]
        return place + 1 + data[place] + 2 if len(data) > place else 0
    return WHOLE.get(data[1], 0)
