"""One device on a CAN channel while the process runs: its frames into cells, its outputs into frames."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from runtime.contract import Inputs, Outputs
from runtime.fieldbus.can_channel import Channel, join_channel, leave_channel
from runtime.fieldbus.can_kernel import decode
from runtime.fieldbus.can_tables import N_DECODED, N_NOT_FINITE, N_SHORT, CanSettings, decoding
from runtime.fieldbus.can_transmit import Transmitter
from runtime.fieldbus.can_wire import Batch
from runtime.model import Device
from runtime.quality import BAD_NO_COMMUNICATION


class CanConnection:
    """Satisfies `runtime.contract.Connection`, and the channel's `Listener`."""

    def __init__(self, device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path):
        settings: CanSettings = device.settings
        self._device, self._settings, self._run_dir = device, settings, run_dir
        self._inputs, self._outputs = inputs, outputs
        self._tables = decoding(device.inputs)
        self._cells = (inputs.lreal, inputs.integer, inputs.quality, inputs.time)
        self._slots = np.array([point.slot for point in device.inputs], np.int64)
        self._counts = np.zeros(4, np.int64)
        self._channel: Channel | None = None
        self._up = False
        self._last = 0
        self._decode(Batch())  # compiles, or loads, the kernel here and not at the first frame
        self.transmitter = Transmitter(device.name, settings.frames, device.outputs, settings.gap, self._send)

    async def open(self) -> None:
        """Join the channel, which opens the bus and keeps reopening it."""
        self._channel = join_channel(self._settings.channel, str(self._run_dir), self)

    def take(self, batch: Batch) -> None:
        if self._decode(batch):
            self._last = time.monotonic_ns()
            self._inputs.changed()

    def _decode(self, batch: Batch) -> int:
        frames = (batch.keys, batch.data, batch.lengths, batch.times, batch.count)
        taken: int = decode(*frames, self._tables, self._cells, self._counts)
        return taken

    def went_up(self) -> None:
        """The bus is open. Inputs stay bad until their messages arrive."""
        self._up = True
        self.transmitter.start()

    def went_down(self, reason: str) -> None:
        """The bus is gone; the channel logs why and reopens it."""
        self._up = False
        self.transmitter.stop()
        self._mark()

    def _mark(self) -> None:
        self._inputs.quality[self._slots] = BAD_NO_COMMUNICATION
        self._inputs.changed()

    def _send(self, key: int, data: bytes, fd: bool) -> bool:
        return self._channel is not None and self._channel.send(key, data, fd)

    def write(self) -> None:
        """The outbox holds new outputs: frames that changed go out now."""
        self.transmitter.write(self._outputs.integer)

    async def write_safe(self, slots: Sequence[int]) -> None:
        """Send the safe values of these slots now; they are then held and repeated at the messages' periods."""
        await self.transmitter.flush(self.transmitter.hold_safe(slots))

    async def close(self) -> None:
        """Leave the channel; the inputs are no longer fed."""
        self.transmitter.stop()
        if self._channel is not None:
            channel, self._channel = self._channel, None
            await leave_channel(channel, self)
        self._up = False
        self._mark()

    def status(self) -> Mapping[str, Any]:
        channel = self._channel
        wire = channel.wire if channel is not None else None
        return {
            "driver": "can",
            "connected": self._up,
            "channel": self._settings.channel.name,
            "frames": int(self._counts[N_DECODED]),
            "frames_sent": channel.frames_out if channel is not None else 0,
            "frame_age_ms": round((time.monotonic_ns() - self._last) / 1e6, 1) if self._last else None,
            "losses": channel.losses if channel is not None else 0,
            "errors": {
                "short_frames": int(self._counts[N_SHORT]),
                "broken_values": int(self._counts[N_NOT_FINITE]),
                "outputs_refused": self.transmitter.refused,
                **(wire.counts if wire is not None else {}),
            },
            "last_error": channel.last_error if channel is not None else "",
        }
