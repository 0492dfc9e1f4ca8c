"""The oscilloscope for a page: tags and pins at every scan as rows of values, by the reader that `bessplc trace` uses.

A server has one, whatever number of pages look at it. It must not know sockets, pages or triggers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.child import ServiceOrder
from runtime.engine.trace import MOST_CHANNELS, N_NOW, N_SCAN, N_WALL
from runtime.engine.trace_view import Channel, Trace, channels_of


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some scans: numbers, CLOCK_MONOTONIC and wall clock in ns, each channel's values, and how many were lost since the last."""

    scans: list[int]
    monotonic: list[int]
    wall: list[int]
    values: list[list[Any]]
    lost: int


class Oscilloscope:
    """A running trace of these names, until `close`. One of a site at a time.

    Raises KeyError with the name that nothing has, ValueError where they are too many, TracerBusyError where another one runs.
    """

    def __init__(self, order: ServiceOrder, names: Sequence[str], every: int = 1):
        found = {channel.name: channel for name in names for channel in channels_in(order, name)}
        if len(found) > MOST_CHANNELS:
            raise ValueError(f"{len(found)} channels: {MOST_CHANNELS} are the most")
        self._every, self._lost = every, 0
        self._trace = _begin(order, tuple(found.values()), every)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._trace.channels

    def read(self) -> Stretch:
        """What came since the last call, oldest first. Called several times a second: the ring holds 8,192 samples."""
        samples = self._trace.read()
        lost, self._lost = self._trace.lost - self._lost, self._trace.lost
        values = [_plain(channel, channel.values(samples, place).tolist()) for place, channel in enumerate(self.channels)]
        return Stretch(samples[:, N_SCAN].tolist(), samples[:, N_NOW].tolist(), samples[:, N_WALL].tolist(), values, lost)

    def follow(self, order: ServiceOrder) -> tuple[str, ...]:
        """Go on with the program that was loaded; the names of the channels that it has no more. With none left it only ends."""
        kept: list[Channel] = []
        gone: list[str] = []
        for channel in self.channels:
            try:
                kept += channels_in(order, channel.name)
            except KeyError:
                gone.append(channel.name)
        self._trace.close()
        self._lost = 0
        if kept:
            self._trace = _begin(order, tuple(kept), self._every)
        return tuple(gone)

    def close(self) -> None:
        """End it: the scan stops taking samples."""
        self._trace.close()


def channels_in(order: ServiceOrder, name: str) -> tuple[Channel, ...]:
    """The channels that a name means in this program. Raises KeyError."""
    return channels_of(name, order.tags, order.region, order.pins)


def _begin(order: ServiceOrder, channels: tuple[Channel, ...], every: int) -> Trace:
    return Trace(Path(order.run_dir), "hmi", order.generation, channels, every)


def _plain(channel: Channel, values: list[Any]) -> list[Any]:
    return [bool(value) for value in values] if channel.type == "BOOL" else values
