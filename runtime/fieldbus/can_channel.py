"""The CAN channels that are open in this process: each bus once, shared by all devices on it, reopened when it is lost.

Frames go to every device in one batch; what they mean is the devices' business.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

import can
import structlog

from runtime.fieldbus.can_fault import ACTIVE, BUS_OFF
from runtime.fieldbus.can_tables import ChannelSettings
from runtime.fieldbus.can_wire import Batch, Wire, open_wire
from runtime.fieldbus.tend import Backoff, aside, end_task, tend

FIRST_PAUSE, MOST_PAUSE = 0.1, 2.0  # s
CLOSE_LIMIT = 3.0  # s


class Listener(Protocol):
    """A device on a channel. `keys` are the identifiers that it receives; the channel asks the bus for no others."""

    keys: frozenset[int]

    def take(self, batch: Batch) -> None:
        """Frames have arrived; only valid during the call."""

    def went_up(self) -> None: ...

    def went_down(self, reason: str) -> None: ...


class Channel:
    """One bus and the devices on it."""

    def __init__(self, settings: ChannelSettings, run_dir: str):
        self.settings = settings
        self.path = settings.channel.replace("$RUN", run_dir)
        self.listeners: list[Listener] = []
        self.wire: Wire | None = None
        self.frames_in = self.frames_out = self.losses = 0
        self.last_frame = 0
        self.last_error = ""
        self._state = ACTIVE
        self._batch = Batch()
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Future[None] | None = None
        self._lost = asyncio.Event()
        self._log = structlog.get_logger().bind(channel=settings.name, interface=settings.interface, bus=self.path)

    async def _keep_open(self) -> None:
        backoff = Backoff(FIRST_PAUSE, MOST_PAUSE)
        while True:
            wire = await self._open()
            if wire is not None:
                opened = time.monotonic()
                await self._serve(wire)
                if time.monotonic() - opened > MOST_PAUSE:  # one that fails at once is not opened in a storm
                    backoff.reset()
            await asyncio.sleep(backoff.pause())

    async def _open(self) -> Wire | None:
        settings = self.settings
        keys, wire = self._keys(), None
        work = partial(open_wire, settings.interface, self.path, settings.bitrate, settings.options, keys)
        opening = aside("can open", work)
        try:
            wire = await asyncio.shield(opening)
            if self._keys() != keys:  # a device has joined meanwhile
                wire.set_filters(self._keys())
            return wire
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_late)
            raise
        except (OSError, ValueError, TypeError, can.CanError) as error:
            self._say(f"cannot open: {error}")
            if wire is not None:
                await self._give_back(wire)
            return None

    async def _serve(self, wire: Wire) -> None:
        """Use the open wire until it is lost, then close it in a thread, whatever happens."""
        loop = asyncio.get_running_loop()
        self.wire = wire
        self._lost.clear()
        self.last_error, self._state = "", ACTIVE
        self._log.info("channel open")
        if self.settings.interface == "socketcan" and self.settings.bitrate is not None:
            command = f"ip link set {self.path} up type can bitrate {self.settings.bitrate} restart-ms 100"
            self._log.info("the bit rate of a SocketCAN interface is set by the system, not by us", command=command)
        try:
            for listener in self.listeners:
                listener.went_up()
            wire.watch(loop, self._ready)
            await self._lost.wait()
        finally:
            self.wire = None
            wire.unwatch(loop)
            await self._give_back(wire)

    async def _give_back(self, wire: Wire) -> None:
        """Close the bus in a thread, to which a line that hangs is left."""
        self._closing = aside("can close", partial(self._close, wire))
        await asyncio.wait([self._closing], timeout=CLOSE_LIMIT)

    def _close_late(self, opening: asyncio.Future[Wire]) -> None:
        """A bus that was opened when nobody wanted it any more."""
        if not opening.cancelled() and opening.exception() is None:
            self._closing = aside("can close", partial(self._close, opening.result()))

    def _close(self, wire: Wire) -> None:
        try:
            wire.close()
        except (OSError, ValueError, can.CanError) as error:
            self._log.debug("the lost bus did not close cleanly", error=str(error))

    def _say(self, reason: str) -> None:
        """Log a loss once, not at every attempt to reopen."""
        if reason != self.last_error:
            self.last_error = reason
            self._log.warning("channel down", reason=reason)
        for listener in self.listeners:
            listener.went_down(reason)

    def _fail(self, error: Exception) -> None:
        self._say(f"internal error: {error}")

    def lose(self, reason: str) -> None:
        """The bus is gone or a device failed on it: mark everybody's inputs and open it anew."""
        if self.wire is not None and not self._lost.is_set():
            self.losses += 1
            self._lost.set()
            self._say(reason)

    def _ready(self) -> None:
        """Frames wait. What a full batch leaves behind keeps the descriptor ready, or is asked for again."""
        if self.wire is None or self._lost.is_set():
            return
        try:
            more = self.wire.drain(self._batch)
        except (OSError, ValueError, can.CanError) as error:
            self.lose(f"receiving failed: {error}")
            return
        self._note_state(self.wire.state)
        if self._batch.count:
            self.frames_in += self._batch.count
            self.last_frame = time.monotonic_ns()
            self._guarded(lambda listener: listener.take(self._batch))
        if more:
            asyncio.get_running_loop().call_soon(self._ready)

    def _note_state(self, state: str) -> None:
        """Log what becomes of the controller: its devices see it in the wire's state and counters."""
        if state == self._state:
            return
        says = self._log.info if state == ACTIVE else self._log.error if state == BUS_OFF else self._log.warning
        says("CAN controller", state=state, before=self._state)
        self._state = state
        if state == BUS_OFF and self.settings.interface == "socketcan":
            command = f"ip link set {self.path} type can restart"
            self._log.error("off the bus until the kernel restarts the controller: restart-ms does it, or", command=command)

    def _keys(self) -> frozenset[int]:
        return frozenset().union(*(listener.keys for listener in self.listeners))

    @property
    def state(self) -> str:
        """What the bus is now: "down", or the state of its wire."""
        return self.wire.state if self.wire is not None and self.is_up else "down"

    def _guarded(self, tell: Callable[[Listener], None]) -> None:
        """A bug in one device's decoding must not silence the others on this bus."""
        for listener in self.listeners:
            try:
                tell(listener)
            except Exception:  # noqa: BLE001 - whatever it is, it is that device's alone
                self._log.exception("device failed on a batch of frames")
                listener.went_down("internal error")
                if self.is_up:
                    listener.went_up()  # its outputs go on, and its inputs come back with its next frames

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        """Send a frame now; False where the bus is down or full."""
        if self.wire is None or self._lost.is_set():
            return False
        try:
            sent = self.wire.send(key, data, fd)
        except (OSError, ValueError, can.CanError) as error:
            self.lose(f"sending failed: {error}")
            return False
        self.frames_out += sent
        return sent

    @property
    def is_idle(self) -> bool:
        """Whether the bus has taken every frame that was sent: some only queue them first."""
        return self.wire is None or self.wire.is_idle

    @property
    def is_up(self) -> bool:
        return self.wire is not None and not self._lost.is_set()

    def join(self, listener: Listener) -> None:
        """A device wants this channel; the first one opens it."""
        self.listeners.append(listener)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(tend(self.settings.name, self._keep_open, self._fail))
        elif self.wire is not None and self.is_up:
            try:
                self.wire.set_filters(self._keys())
            except (OSError, ValueError, can.CanError) as error:
                self.lose(f"filters refused: {error}")
                return
            listener.went_up()

    async def leave(self, listener: Listener) -> None:
        """A device is done; the last one closes the bus."""
        self.listeners.remove(listener)
        if not self.listeners and self._task is not None:
            task, self._task = self._task, None
            await end_task(task)
            if self._closing is not None:  # the end of the task may have cut its wait short
                await asyncio.wait([self._closing], timeout=CLOSE_LIMIT)


_CHANNELS: dict[tuple[asyncio.AbstractEventLoop, str, str], Channel] = {}


def join_channel(settings: ChannelSettings, run_dir: str, listener: Listener) -> Channel:
    """The process's one channel on this bus, with this device on it. Two readers of one serial line would rob each other."""
    key = (asyncio.get_running_loop(), settings.interface, settings.channel.replace("$RUN", run_dir))
    channel = _CHANNELS.get(key)
    if channel is None:
        channel = _CHANNELS[key] = Channel(settings, run_dir)
    channel.join(listener)
    return channel


async def leave_channel(channel: Channel, listener: Listener) -> None:
    """Take a device off its channel; forget the channel with the last one."""
    await channel.leave(listener)
    if not channel.listeners:
        for key in [key for key, known in _CHANNELS.items() if known is channel]:
            del _CHANNELS[key]
