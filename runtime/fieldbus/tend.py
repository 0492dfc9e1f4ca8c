"""Keeps a driver's task alive: a bug in one device's task is shown with its traceback and the task starts again."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import structlog

PAUSE = 1.0  # s: a task that fails at once must not fill the log
T = TypeVar("T")


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


def aside(name: str, work: Callable[[], T]) -> asyncio.Future[T]:
    """A blocking call in a daemon thread of its own: one that hangs takes no worker of others, and no process waits for it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(tell: Callable[[Any], None], found: Any) -> None:
        if not future.done():  # otherwise nobody waits any more
            tell(found)

    def run() -> None:
        tell: Callable[[Any], None] = future.set_result
        try:
            found: Any = work()
        except Exception as error:  # noqa: BLE001 - carried to who asked
            tell, found = future.set_exception, error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, tell, found)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


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
