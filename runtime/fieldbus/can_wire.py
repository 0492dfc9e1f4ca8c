"""One open CAN bus, any python-can interface: waiting frames in batches, frames out without waiting. It knows no message.

A wire is used by one event loop. Opening and closing may block for seconds and belong in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import can
import numpy as np

from runtime.fieldbus.can_tables import WIDEST

BATCH = 4096  # frames that one turn of the loop takes at most
RECEIVE_BUFFER = 4 << 20  # bytes asked of the kernel: its default holds 250 frames and a burst drops the rest


@dataclass
class Batch:
    """Frames in the order of their arrival; only the first `count` rows are filled. Times are CLOCK_MONOTONIC ns."""

    count: int = 0
    keys: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))
    data: np.ndarray = field(default_factory=lambda: np.zeros((BATCH, WIDEST), np.uint8))
    lengths: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))
    times: np.ndarray = field(default_factory=lambda: np.zeros(BATCH, np.int64))


class Wire(Protocol):
    """An open bus. `drain` and `send` raise OSError or can.CanError where it is lost.

    `counts` are those of `can_fault`, since it was opened; `state` is "active", "warning", "passive" or "bus_off".
    """

    counts: dict[str, int]

    @property
    def state(self) -> str: ...

    @property
    def is_idle(self) -> bool:
        """Whether the interface has taken every frame that was sent."""

    def watch(self, loop: Any, ready: Callable[[], None]) -> None:
        """Call `ready` on the loop whenever frames wait, or the state has changed."""

    def unwatch(self, loop: Any) -> None: ...

    def set_filters(self, keys: Collection[int] | None) -> None:
        """Only frames with these identifiers are wanted, or all: where the interface can keep the others away, it does."""

    def drain(self, batch: Batch) -> bool:
        """Fill the batch with waiting frames; True where it was too small for all."""

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        """Send a frame now; False where the bus had no room, so that it was dropped."""

    def close(self) -> None: ...


def open_wire(
    interface: str, channel: str, bitrate: int | None, options: tuple[tuple[str, Any], ...], keys: Collection[int] | None = None
) -> Wire:
    """Open a bus for frames with these identifiers. Raises OSError, ValueError or can.CanError. Blocks."""
    settings: dict[str, Any] = dict(options)
    if interface == "socketcan":
        from runtime.fieldbus.can_socket import FITS, SocketWire

        if FITS:
            return SocketWire(channel, settings, keys)
    elif bitrate is not None:
        settings["bitrate"] = bitrate
    if interface == "slcan":
        from runtime.fieldbus.can_slcan import SlcanWire

        if Path(os.path.realpath(channel.partition("@")[0])).parent == Path("/dev/pts"):
            settings.setdefault("sleep_after_open", 0)  # the pause is for adapters that restart when they are opened
        return SlcanWire(channel, settings)
    from runtime.fieldbus.can_bus import BusWire

    bus = can.Bus(interface=interface, channel=channel, **settings)
    try:
        wire = BusWire(bus, interface)
        wire.set_filters(keys)
    except Exception:
        bus.shutdown()
        raise
    return wire
