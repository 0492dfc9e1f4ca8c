"""Asks a device whether it is the one that the io_map means, before anything is written to it. It keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.fieldbus.modbus_errors import RefusedError
from runtime.fieldbus.modbus_groups import Registers
from runtime.fieldbus.modbus_register import INTEGER, Register
from runtime.fieldbus.modbus_rules import Question
from runtime.fieldbus.modbus_sunspec import Reader, raise_if_away


class NotVerifiedError(Exception):
    """The device is not the one that the io_map means, or does not say so."""


async def verify(link: Reader, questions: Sequence[Question]) -> None:
    """Ask all questions. Raises NotVerifiedError at the first wrong answer, or LostError from the line."""
    for question in questions:
        register = question.register
        try:
            registers = await link.read(Registers(register.table, register.address, register.width))
        except RefusedError as refused:
            raise_if_away(refused)
            raise NotVerifiedError(f"{question}: the device refuses {register} ({refused})") from refused
        raw = raw_of(register, registers.tolist())
        if raw not in question.expected:
            expected = " or ".join(shown(register, one) for one in question.expected)
            raise NotVerifiedError(f"{question}: {register} holds {shown(register, raw)}, not {expected}")


def raw_of(register: Register, values: Sequence[int]) -> int:
    """The whole number in these registers (one coil or discrete input is 0 or 1), unsigned, bits cut out."""
    if register.bytes_little:
        values = [(value >> 8) | (value & 0xFF) << 8 for value in values]
    if register.words_little:
        values = list(reversed(values))
    raw = 0
    for value in values:
        raw = raw << 16 | value
    return (raw & register.mask) >> max(register.bit, 0)


def shown(register: Register, raw: int) -> str:
    """A raw value as a person reads it: with its sign, and in hexadecimal where it is long."""
    if register.kind == INTEGER and raw >> (16 * register.width - 1):
        return str(raw - (1 << 16 * register.width))
    return str(raw) if raw < 65536 else f"{raw:#x}"
