"""Judges the frames of a device before they are decoded: CRC, alive counter, cycle; and says which messages are overdue.

Tables and counters only: it knows no bus, no signals and no tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from runtime.fieldbus.can_bits import take_bits
from runtime.fieldbus.can_rules import CrcRule, MessageRules, crc_table, feed, first_register
from runtime.fieldbus.can_tables import WIDEST, put_bits
from runtime.fieldbus.compiled import part

# Columns of the rules.
(R_LOW, R_HIGH, R_TIMEOUT, R_MODULUS, R_STEP, R_FIRST, R_WAY, R_SHIFT, R_LENGTH, R_CRC) = range(10)
# Columns of a CRC: where it stands, its law, the register after the bytes before the frame, bytes after; then its table.
(K_FIRST, K_WAY, K_SHIFT, K_LENGTH, K_WIDTH, K_REFLECT, K_REGISTER, K_XOR, K_AFTER, K_TABLE) = range(10)
AFTER = WIDEST  # in the bytes of a CRC: the mask of each byte of the frame, then the bytes after it
# Columns of what was seen of each message: the last frame that was taken (ns, 0: none), its count (-1: none), whether the
# message is overdue, whether frames came since that were refused, and the counters.
(S_LAST, S_COUNT, S_OVERDUE, S_REFUSED) = range(4)
(E_TAKEN, E_SHORT, E_CRC, E_ALIVE, E_LOST, E_EARLY, E_LATE, E_TIMEOUT, E_BROKEN, E_OUTSIDE) = range(4, 14)
# The counters by the names that people see.
COUNTERS: Mapping[str, int] = {
    "short_frame": E_SHORT,
    "crc": E_CRC,
    "alive": E_ALIVE,
    "lost_frames": E_LOST,
    "early": E_EARLY,
    "late": E_LATE,
    "timeout": E_TIMEOUT,
    "broken_value": E_BROKEN,
    "out_of_range": E_OUTSIDE,
}


class Watch(NamedTuple):
    """The rules of each message, in the order of the decode tables, and what was seen of it."""

    rules: np.ndarray  # int64[messages, 10]
    crcs: np.ndarray  # int64[CRCs, 9 + 256]
    masks: np.ndarray  # uint8[CRCs, 72]
    seen: np.ndarray  # int64[messages, 14]


def watch_messages(names: Sequence[str], rules: Mapping[str, MessageRules]) -> Watch:
    """The tables for these messages; one without rules is only counted."""
    crcs: list[CrcRule] = []
    rows = []
    for name in names:
        rule = rules.get(name, MessageRules(name))
        window = (rule.cycle - rule.window, rule.cycle + rule.window) if rule.cycle else (0, 0)
        alive = [0] * 6
        if rule.alive is not None:
            bits = rule.alive.bits
            alive = [rule.alive.modulus, rule.alive.step, bits.first, bits.step, bits.shift, bits.length]
        rows.append([*window, rule.timeout, *alive, len(crcs) if rule.crc is not None else -1])
        crcs += [rule.crc] if rule.crc is not None else []
    seen = np.zeros((len(rows), 14), np.int64)
    seen[:, S_COUNT] = -1
    table = np.array([_crc_row(crc) for crc in crcs], np.int64).reshape(-1, K_TABLE + 256)
    masks = np.array([list(_crc_bytes(crc)) for crc in crcs], np.uint8).reshape(-1, WIDEST + 8)
    return Watch(np.array(rows, np.int64).reshape(-1, 10), table, masks, seen)


def _crc_row(rule: CrcRule) -> list[int]:
    bits, law = rule.bits, rule.law
    register = feed(law, first_register(law), rule.before)
    place = [bits.first, bits.step, bits.shift, bits.length]
    return [*place, law.width, law.reflect, register, law.xor, len(rule.after), *crc_table(law)]


def _crc_bytes(rule: CrcRule) -> bytes:
    own = bytearray(WIDEST)
    put_bits(own, rule.bits, (1 << rule.bits.length) - 1)
    return bytes(0xFF ^ byte for byte in own) + rule.after.ljust(8, b"\0")


@part
def stir(register, byte, crc):  # type: ignore[no-untyped-def]
    """The register of a CRC after one byte."""
    if crc[K_REFLECT]:
        return (register >> 8) ^ crc[K_TABLE + ((register ^ byte) & 0xFF)]
    size = max(crc[K_WIDTH], 8)
    return ((register << 8) & ((np.int64(1) << size) - 1)) ^ crc[K_TABLE + (((register >> (size - 8)) ^ byte) & 0xFF)]


@part
def crc_agrees(frame, size, crc, masks):  # type: ignore[no-untyped-def]
    """Whether the frame's CRC is that of its bytes (see `can_rules.CrcRule` for what it covers)."""
    register = crc[K_REGISTER]
    for k in range(size):
        if masks[k] != 0:
            register = stir(register, np.int64(frame[k] & masks[k]), crc)
    for k in range(crc[K_AFTER]):
        register = stir(register, np.int64(masks[AFTER + k]), crc)
    if not crc[K_REFLECT]:
        register >>= max(crc[K_WIDTH], 8) - crc[K_WIDTH]
    found = take_bits(frame, crc[K_FIRST], crc[K_WAY], crc[K_SHIFT], crc[K_LENGTH])
    return np.int64(found) == register ^ crc[K_XOR]


@part
def count_agrees(frame, rule, seen):  # type: ignore[no-untyped-def]
    """Whether the alive counter has moved; counts that were jumped over are lost frames, but this one is taken."""
    count = np.int64(take_bits(frame, rule[R_FIRST], rule[R_WAY], rule[R_SHIFT], rule[R_LENGTH]))
    if count >= rule[R_MODULUS] or count == seen[S_COUNT]:
        return False
    if seen[S_COUNT] >= 0:
        moved = (count - seen[S_COUNT]) % rule[R_MODULUS]
        if moved % rule[R_STEP] != 0:
            seen[E_LOST] += 1
        else:
            seen[E_LOST] += moved // rule[R_STEP] - 1
    seen[S_COUNT] = count
    return True


@part
def admit(frame, time, size, row, watch):  # type: ignore[no-untyped-def]
    """Whether a frame of the message at this row is taken; everything that is wrong with it is counted."""
    rules, crcs, masks, seen_of = watch
    rule, seen = rules[row], seen_of[row]
    if rule[R_CRC] >= 0 and not crc_agrees(frame, size, crcs[rule[R_CRC]], masks[rule[R_CRC]]):
        seen[E_CRC] += 1
        seen[S_REFUSED] = 1
        return False
    if rule[R_MODULUS] > 0 and not count_agrees(frame, rule, seen):
        seen[E_ALIVE] += 1
        seen[S_REFUSED] = 1
        return False
    if rule[R_HIGH] > 0 and seen[S_LAST] > 0:
        gap = time - seen[S_LAST]
        if gap < rule[R_LOW]:
            seen[E_EARLY] += 1
        elif gap > rule[R_HIGH]:
            seen[E_LATE] += 1
    seen[S_LAST] = time
    seen[S_OVERDUE] = 0
    seen[S_REFUSED] = 0
    seen[E_TAKEN] += 1
    return True


def find_overdue(watch: Watch, now: int, since: int) -> np.ndarray:
    """The rows of the messages whose time-out has passed just now: counted once; the counters of those that were silent begin anew.

    `since` is when the bus came up: before that nobody could be heard. Times are CLOCK_MONOTONIC ns.
    """
    timeout, seen = watch.rules[:, R_TIMEOUT], watch.seen
    silent = (timeout > 0) & (seen[:, S_OVERDUE] == 0) & (now - np.maximum(seen[:, S_LAST], since) > timeout)
    rows = np.flatnonzero(silent)
    seen[rows, S_OVERDUE] = 1
    seen[rows, E_TIMEOUT] += 1
    forget(watch, rows)
    return rows


def forget(watch: Watch, rows: np.ndarray | slice = slice(None)) -> None:
    """Expect these messages as if for the first time: the gap to the last frame and its count say nothing any more.

    Where frames came and were refused, the count stays: a stuck counter is no first frame.
    """
    seen = watch.seen
    seen[rows, S_LAST] = 0
    seen[rows, S_COUNT] = np.where(seen[rows, S_REFUSED] == 0, -1, seen[rows, S_COUNT])
