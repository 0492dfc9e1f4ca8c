"""Keeps a driver's task alive: a bug in one device's task is shown with its traceback and the task starts again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

PAUSE = 1.0  # s: a task that fails at once must not fill the log


async def tend(device: str, work: Callable[[], Awaitable[None]], failed: Callable[[Exception], None]) -> None:
    """Run `work` for ever; where it raises, log the traceback, tell `failed` (which marks the inputs) and start it again."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a bug must be shown, and must not end the other devices
            structlog.get_logger().exception("device task failed, restarting", device=device)
            failed(error)
        await asyncio.sleep(PAUSE)


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end; asks again, because `asyncio.wait_for` of Python 3.11 may swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.05)


class Backoff:
    """Pauses between attempts: each twice the one before, from `first` to `most` seconds, spread by a tenth."""

    def __init__(self, first: float, most: float):
        self.first, self.most = first, most
        self._next = first

    def reset(self) -> None:
        self._next = self.first

    def pause(self) -> float:
        """The seconds to wait before the next attempt."""
        now, self._next = self._next, min(self._next * 2, self.most)
        return now * random.uniform(0.9, 1.1)
