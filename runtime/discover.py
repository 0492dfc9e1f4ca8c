"""Asks the addresses that an engineer names which Modbus units answer there, and what those say about themselves.

It reads only, and only where it was told to: it scans no network. It must not know any site.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from runtime.fieldbus.modbus_errors import LostError, RefusedError
from runtime.fieldbus.modbus_line import NS
from runtime.fieldbus.modbus_link import Link
from runtime.fieldbus.modbus_register import HOLDING
from runtime.fieldbus.modbus_settings import RTU, LineSettings, ModbusSettings
from runtime.fieldbus.modbus_sunspec import Discovery, NoSunSpecError, discover_sunspec

MOST_ADDRESSES = 256
AT_ONCE = 16  # lines that are asked side by side
LIMIT_S = 60.0  # for the first answer of one unit, and for all that it is asked then
MOST_MENDS = 4
NO_LINE = frozenset({"refused", "unreachable", "unresolved", "serial", "tls"})
UNITS = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")
HOSTS = re.compile(r"(\d+\.\d+\.\d+\.)(\d+)-(\d+)")
SERIAL_WORDS = re.compile(r"([^,]+)(?:,(\d+))?(?:,(none|even|odd))?(?:,([12]))?")
OBJECTS = {0: "vendor", 1: "product", 2: "revision"}


class AddressError(Exception):
    """An address, a range of units or a serial port that cannot be meant; the message says how it is written."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that answered: where, how it took the first request, what it says it is, and its SunSpec models if it has any."""

    line: LineSettings
    unit: int
    answer: str
    round_trip: float  # s
    identity: dict[str, str]
    sunspec: Discovery | None


@dataclass(frozen=True, slots=True)
class Line:
    """One address: the units that answered there, or why there is nobody to ask."""

    line: LineSettings
    units: tuple[Unit, ...]
    asked: int
    reason: str = ""


def read_units(text: str) -> tuple[int, ...]:
    """Unit ids as `1-10,247`. Raises AddressError."""
    found: list[int] = []
    for part in text.split(","):
        matched = UNITS.fullmatch(part.strip())
        first, last = (int(matched[1]), int(matched[2] or matched[1])) if matched else (1, 0)
        if not 0 <= first <= last <= 255:
            raise AddressError(f"`{part.strip()}` names no units: write 1-10 or 1,2,247, from 0 to 255")
        found.extend(range(first, last + 1))
    return tuple(dict.fromkeys(found))


def read_addresses(texts: Sequence[str]) -> tuple[LineSettings, ...]:
    """`host`, `host:port`, `10.0.0.5-20:502`, `10.0.0.0/28`, `[::1]:502`: each as a line. Raises AddressError."""
    found: list[LineSettings] = []
    for text in texts:
        for host in _hosts(text):
            found.append(host)
            if len(found) > MOST_ADDRESSES:
                raise AddressError(f"more than {MOST_ADDRESSES} addresses: `discover` asks devices, it scans no network")
    return tuple(dict.fromkeys(found))


def _hosts(text: str) -> Iterator[LineSettings]:
    host, port = _split(text)
    span = HOSTS.fullmatch(host)
    if span:
        first, last = int(span[2]), int(span[3])
        if not first <= last <= 255:
            raise AddressError(f"`{text}` is no range of addresses: write 10.0.0.5-20")
        hosts: Any = (f"{span[1]}{number}" for number in range(first, last + 1))
    elif "/" in host:
        try:
            network = ipaddress.ip_network(host, strict=False)
        except ValueError as error:
            raise AddressError(f"`{text}` is no range of addresses: {error}") from None
        hosts = (str(address) for address in (network.hosts() if network.num_addresses > 2 else network))
    elif re.fullmatch(r"[\w.:%-]+", host):
        hosts = (host,)
    else:
        raise AddressError(f"`{text}` is no address: write host, host:port or 10.0.0.5-20")
    for one in hosts:
        yield LineSettings(host=one, port=port)


def _split(text: str) -> tuple[str, int]:
    """Host and port; a colon inside an IPv6 address needs its brackets."""
    matched = re.fullmatch(r"\[(.+)\](?::(\d+))?|([^:\[\]]+)(?::(\d+))?", text.strip())
    if matched is None:
        raise AddressError(f"`{text}` is no address: write host, host:port or [address]:port")
    port = int(matched[2] or matched[4] or 502)
    if not 1 <= port <= 65535:
        raise AddressError(f"`{text}`: a port is 1 to 65535")
    return matched[1] or matched[3], port


def read_serial(text: str) -> LineSettings:
    """A serial line: `/dev/ttyUSB0`, `/dev/ttyUSB0,9600,none` or `/dev/ttyUSB0,19200,even,1`. Raises AddressError."""
    matched = SERIAL_WORDS.fullmatch(text.strip())
    if matched is None:
        raise AddressError(f"`{text}` is no serial line: write PORT[,BAUD[,none|even|odd[,STOPBITS]]]")
    parity = matched[3] or "even"
    stopbits = int(matched[4] or (2 if parity == "none" else 1))
    return LineSettings(transport=RTU, serial=matched[1], baud=int(matched[2] or 19200), parity=parity, stopbits=stopbits)


async def discover(
    lines: Sequence[LineSettings], units: Sequence[int], timeout_s: float, tell: Callable[[str], None]
) -> tuple[Line, ...]:
    """Ask every unit of every line, the lines side by side; `tell` hears what is being asked."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(line: LineSettings) -> Line:
        async with turns:
            return await _ask_line(replace(line, request_timeout=int(timeout_s / NS)), units, tell)

    return tuple(await asyncio.gather(*(ask(line) for line in lines)))


async def _ask_line(line: LineSettings, units: Sequence[int], tell: Callable[[str], None]) -> Line:
    """The units one after another: a line carries one question at a time."""
    found: list[Unit] = []
    links: list[Link] = []  # kept until the end: the connection is shared, and stays open while one of them uses it
    try:
        for asked, unit in enumerate(units, 1):
            tell(f"{line.place} unit {unit}")
            link = Link(ModbusSettings(line, unit, 0, 0, 125))
            links.append(link)
            try:
                async with asyncio.timeout(LIMIT_S):
                    answer = await _first_answer(link)
            except LostError as lost:
                if lost.kind in NO_LINE and not found:
                    return Line(line, (), asked, str(lost))
                continue
            except TimeoutError:
                continue
            found.append(await _get_to_know(link, line, unit, answer))
        return Line(line, tuple(found), len(units))
    finally:
        for link in links:
            link.close()


async def _first_answer(link: Link) -> str:
    """How the unit takes a read; any answer counts, also an exception. Raises LostError where there is none."""
    await link.connect()
    try:
        await link.read_table(HOLDING, 0, 1)
    except RefusedError as refused:
        return f"exception {refused.code:02X}"
    return "holding 0"


async def _get_to_know(link: Link, line: LineSettings, unit: int, answer: str) -> Unit:
    """What a unit that answered says about itself; it stays found even where it answers nothing more."""
    round_trip, identity, sunspec = link.round_trip, dict[str, str](), None
    with suppress(LostError, TimeoutError):
        async with asyncio.timeout(LIMIT_S):
            identity = await _identity(link)
            sunspec = await _sunspec(link)
    return Unit(line, unit, answer, round_trip, identity, sunspec)


async def _identity(link: Link) -> dict[str, str]:
    """The texts of function 43/14; none where the device does not know it."""
    try:
        objects = await link.identify()
    except (LostError, RefusedError):
        await _mend(link)
        return {}
    names = {number: OBJECTS.get(number, f"object_{number}") for number in objects}
    return {names[number]: text.decode("utf-8", errors="replace").strip() for number, text in sorted(objects.items())}


async def _sunspec(link: Link) -> Discovery | None:
    try:
        return await discover_sunspec(link)
    except (NoSunSpecError, RefusedError):
        return None
    except LostError:
        await _mend(link)
        return None


async def _mend(link: Link) -> None:
    """A device that breaks off at an unknown function shall still be asked the rest, when its socket is free again."""
    for left in reversed(range(MOST_MENDS)):
        try:
            if not link.is_up:
                await link.connect()
            return
        except LostError:
            if left == 0:
                raise


# What is shown ------------------------------------------------------------------------------------------------------------


def as_json(lines: Sequence[Line]) -> dict[str, Any]:
    """Everything that was found, ready for JSON."""
    return {"lines": [{**_place(one.line), "asked": one.asked, "reason": one.reason, "units": _units(one)} for one in lines]}


def _place(line: LineSettings) -> dict[str, Any]:
    return {"serial": line.serial, "baud": line.baud} if line.transport == RTU else {"host": line.host, "port": line.port}


def _units(line: Line) -> list[dict[str, Any]]:
    return [
        {
            "unit": one.unit,
            "answer": one.answer,
            "round_trip_ms": round(one.round_trip * 1e3, 2),
            "identity": one.identity,
            "sunspec": None if one.sunspec is None else _models(one.sunspec),
        }
        for one in line.units
    ]


def _models(found: Discovery) -> dict[str, Any]:
    texts = {name: getattr(found, name) for name in ("base", "manufacturer", "model", "version", "serial", "is_whole")}
    return {**texts, "models": [{"model": m.number, "address": m.address, "length": m.length} for m in found.models]}


HEADS = ("address", "unit", "answer", "round-trip", "device", "sunspec")


def rows(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """One row a unit under HEADS, one for a line where nobody answers."""
    found: list[tuple[str, ...]] = []
    for one in lines:
        for unit in one.units:
            models = " ".join(str(m.number) for m in unit.sunspec.models) if unit.sunspec else ""
            place = f"{unit.sunspec.base}: {models}" if unit.sunspec else "no"
            trip = f"{unit.round_trip * 1e3:.1f} ms"
            found.append((one.line.place, str(unit.unit), unit.answer, trip, name_of(unit) or "says nothing", place))
        if not one.units:
            found.append((one.line.place, "-", one.reason or f"none of {one.asked} units answers", "", "", ""))
    return found


def name_of(unit: Unit) -> str:
    """Who the unit says it is, on one line."""
    texts = [unit.identity[key] for key in OBJECTS.values() if unit.identity.get(key)]
    if not texts and unit.sunspec:
        found = unit.sunspec
        texts = [found.manufacturer, found.model, found.version, f"serial {found.serial}" if found.serial else ""]
    return " ".join(" ".join(filter(None, texts)).split())


def io_map_head(unit: Unit, number: int) -> str:
    """The first lines of an io_map for this unit, to be completed by hand."""
    line = unit.line
    if line.transport == RTU:
        where = ["transport: rtu", f"serial: {line.serial}", f"baud: {line.baud}", f"parity: {line.parity}"]
        where.append(f"stopbits: {line.stopbits}")
    else:
        where = [f"host: {line.host}", f"port: {line.port}"]
    comment = f"# {name_of(unit) or 'A device that does not say what it is'}: answered with {unit.answer}"
    lines = [comment, f"device: device{number}", "driver: modbus", *where, f"unit: {unit.unit}", "poll: 100 ms", "stale: 500 ms"]
    if unit.sunspec:
        lines.append(f"sunspec: {{base: {unit.sunspec.base}}}    # models {', '.join(str(m.number) for m in unit.sunspec.models)}")
    return "\n".join(lines)
