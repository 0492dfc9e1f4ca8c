"""Who waits until registers have been told to the device, and whether it took them. It opens no connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np

from runtime.fieldbus.modbus_writes import WriteRun


@dataclass
class Waiting:
    """Somebody waits until these places of the image are on the wire."""

    places: set[int]
    is_taken: bool = True  # nothing of it was refused
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def answered(self, run: WriteRun, dirty: np.ndarray, taken: bool) -> None:
        """The device took or refused this run; what is dirty again is still to come."""
        over = {p for p in range(run.first, run.first + len(run.values)) if not dirty[p]} & self.places
        self.is_taken &= taken or not over
        self.places -= over
        if not self.places:
            self.let_go()

    def let_go(self) -> None:
        """There is nothing to wait for any more."""
        if not self.done.done():
            self.done.set_result(None)
