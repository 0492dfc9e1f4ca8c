"""Asks a device for its SunSpec models: marker, chain of models, and who made it. It knows no tag and keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from runtime.fieldbus.modbus_errors import GATEWAY_CODES, LostError, RefusedError
from runtime.fieldbus.modbus_groups import Registers, Span
from runtime.fieldbus.modbus_register import HOLDING, LAST
from runtime.fieldbus.modbus_rules import BASES

MARKER = (0x5375, 0x6E53)  # "SunS"
END = 0xFFFF
COMMON = 1
MOST_MODELS = 256
NOT_NOW = (5, 6, *GATEWAY_CODES)  # acknowledge, busy
# place after the model's id, and registers, of the texts of the common model (SunSpec model 1)
_COMMON_TEXTS = {"manufacturer": (2, 16), "model": (18, 16), "version": (42, 8), "serial": (50, 16)}
_COMMON_REGISTERS = 66


class Reader(Protocol):
    """What discovery needs of a line: a connected `Link` has it."""

    async def read(self, group: Span) -> np.ndarray: ...


class NoSunSpecError(Exception):
    """The device has no SunSpec marker at the addresses that were tried."""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model of the device: its number, the wire address of its id, and its length without id and length."""

    number: int
    address: int
    length: int


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a SunSpec device says about itself. `is_whole` is false where its chain of models does not end properly."""

    base: int
    models: tuple[FoundModel, ...]
    manufacturer: str
    model: str
    version: str
    serial: str
    is_whole: bool


async def discover_sunspec(link: Reader, bases: Sequence[int] = BASES) -> Discovery:
    """Find the marker, walk the chain, and read the common model. Raises NoSunSpecError, or LostError from the line."""
    base = await _find_base(link, bases)
    models, is_whole = await _walk(link, base + len(MARKER))
    texts = await _read_texts(link, models)
    return Discovery(base, models, texts["manufacturer"], texts["model"], texts["version"], texts["serial"], is_whole)


async def _find_base(link: Reader, bases: Sequence[int]) -> int:
    for base in bases:
        registers = await read_or_none(link, base, len(MARKER))
        if registers is not None and tuple(registers.tolist()) == MARKER:
            return base
    raise NoSunSpecError(f"no SunSpec marker at holding {' or '.join(map(str, bases))}")


async def _walk(link: Reader, address: int) -> tuple[tuple[FoundModel, ...], bool]:
    """The models until the end marker, which some devices send without a length."""
    models: list[FoundModel] = []
    while address < LAST and len(models) < MOST_MODELS:
        header = await read_or_none(link, address, 2)
        if header is None:
            last = await read_or_none(link, address, 1)
            return tuple(models), last is not None and int(last[0]) == END
        number, length = header.tolist()
        if number == END:
            return tuple(models), True
        if address + 2 + length > LAST + 1:
            break
        models.append(FoundModel(number, address, length))
        address += 2 + length
    return tuple(models), False


async def _read_texts(link: Reader, models: Sequence[FoundModel]) -> dict[str, str]:
    common = next((one for one in models if one.number == COMMON), None)
    if common is None:
        return dict.fromkeys(_COMMON_TEXTS, "")
    registers = await read_or_none(link, common.address, min(_COMMON_REGISTERS, common.length + 2))
    if registers is None:
        return dict.fromkeys(_COMMON_TEXTS, "")
    return {name: text_of(registers[start : start + count]) for name, (start, count) in _COMMON_TEXTS.items()}


def text_of(registers: np.ndarray) -> str:
    """The text in these registers, up to its first zero byte."""
    return registers.astype(">u2").tobytes().split(b"\0")[0].decode("utf-8", errors="replace").strip()


async def read_or_none(link: Reader, address: int, count: int) -> np.ndarray | None:
    """The holding registers, or None where the device refuses them."""
    if address + count > LAST + 1:
        return None
    try:
        return await link.read(Registers(HOLDING, address, count))
    except RefusedError as refused:
        raise_if_away(refused)
        return None


def raise_if_away(refused: RefusedError) -> None:
    """Raises LostError where the exception says nothing about the registers: the device is busy, or its gateway misses it."""
    if refused.code in NOT_NOW:
        raise LostError(refused.kind, f"the device cannot be asked who it is ({refused})") from refused
