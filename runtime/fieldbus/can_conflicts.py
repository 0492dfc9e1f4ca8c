"""Finds what two devices on one CAN bus cannot both do: send one identifier, or open the bus in two ways. It opens no bus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from runtime.contract import ReadDevice
from runtime.fieldbus import words
from runtime.fieldbus.can_tables import EXTENDED, CanSettings, ChannelSettings
from runtime.source import Position, Report, Section, Text, place_of


@dataclass(frozen=True)
class _User:
    """A device on a bus: the identifiers that it sends and receives, each with its message and where the io_map names it."""

    name: str
    file: str
    at: Position
    sent: dict[int, tuple[str, Position]]
    received: dict[int, tuple[str, Position]]


def find_conflicts(devices: Sequence[ReadDevice], report: Report) -> None:
    """Report buses that two channels open in different ways, and identifiers that two devices on one bus use against each other.

    A frame has one sender. That two devices receive one frame is allowed, but not where one io_map stands for many
    devices: without an `id_offset` each of them would show the values of the same one.
    """
    buses: dict[tuple[str, str], list[tuple[ReadDevice, CanSettings]]] = defaultdict(list)
    for device in devices:
        settings = device.description.settings
        if isinstance(settings, CanSettings):
            buses[settings.channel.interface, settings.channel.channel].append((device, settings))
    for on_bus in buses.values():
        _check_channels(on_bus, report)
        _check_identifiers([_user(device, settings) for device, settings in on_bus], on_bus[0][1].channel, report)


def _check_channels(on_bus: Sequence[tuple[ReadDevice, CanSettings]], report: Report) -> None:
    """All devices on a bus must open it alike: the first one does it for all."""
    first = on_bus[0][1].channel
    said = set()
    for device, settings in on_bus[1:]:
        other = settings.channel
        if (other.bitrate, sorted(other.options)) != (first.bitrate, sorted(first.options)) and other.name not in said:
            said.add(other.name)
            report.error(
                place_of(words.entry(device.section, "channel"), device.section.at),
                "E679",
                f"`{first.name}` and `{other.name}` are one bus, {first.interface} {first.channel}, and say different things of it",
                "a bus is opened once for all devices",
                f"`{first.name}` says {_said(first)}; `{other.name}` says {_said(other)}",
            )


def _said(channel: ChannelSettings) -> str:
    options = [
        *([f"bitrate: {channel.bitrate}"] if channel.bitrate is not None else []),
        *(f"{k}: {v}" for k, v in channel.options),
    ]
    return ", ".join(options) or "nothing"


def _user(device: ReadDevice, settings: CanSettings) -> _User:
    name = words.entry(device.section, "device")
    rules = words.entry(device.section, "messages")
    at = place_of(name, device.section.at)
    received: dict[int, tuple[str, Position]] = {}
    sent: dict[int, tuple[str, Position]] = {}
    for point in device.points:
        described = device.description.points.get(str(point.tag))
        keys = sent if point.is_output else received
        for address in described.addresses if described is not None else ():
            keys.setdefault(address.key, (address.message, place_of(words.entry(point.section, "signal"), point.tag.at)))
    for frame in settings.frames:
        named = next((word for word in rules if word == frame.message), None) if isinstance(rules, Section) else None
        sent.setdefault(frame.key, (frame.message, named.at if isinstance(named, Text) else at))
    return _User(str(name), at.file, at, sent, received)


def _check_identifiers(users: Sequence[_User], channel: ChannelSettings, report: Report) -> None:
    """One problem for each pair of io_maps: what is wrong with two of many racks is wrong with all of them."""
    said = set()
    for first, second in combinations(users, 2):
        files = (first.file, second.file)
        clashes = [] if files in said else sorted(_clashes(first, second))
        if not clashes:
            continue
        said.add(files)
        at, key, says = clashes[0]
        more = f", and {len(clashes) - 1} more" if len(clashes) > 1 else ""
        one_for = first.file == second.file
        report.error(
            at,
            "E666",
            f"{says} (identifier 0x{key & ~EXTENDED:X} on channel `{channel.name}`{more})",
            "`id_offset` gives each device of this `for` identifiers of its own" if one_for else "a message has one sender",
            *(() if one_for else (f"`{first.name}` is at {first.at}",)),
        )


def _clashes(first: _User, second: _User) -> Iterator[tuple[Position, int, str]]:
    both = f"`{first.name}` and `{second.name}`"
    for key in second.sent.keys() & first.sent.keys():
        message, at = second.sent[key]
        yield at, key, f"{both} both send `{message}`"
    for key in second.sent.keys() & first.received.keys():
        message, at = second.sent[key]
        yield at, key, f"`{second.name}` sends `{message}`, which `{first.name}` receives from somebody else"
    for key in second.received.keys() & first.sent.keys():
        message, at = second.received[key]
        yield at, key, f"`{second.name}` receives `{message}` from somebody else, and `{first.name}` sends it"
    for key in second.received.keys() & first.received.keys() if second.file == first.file else ():
        message, at = second.received[key]
        yield at, key, f"{both} both receive `{message}`: each would show the values of the same device"
