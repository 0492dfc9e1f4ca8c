"""Watches the scan from outside: its outboxes, its heartbeat, its end and its restart. It writes nothing itself.

An outbox counts only where it is younger than this process and than the scan's time-out: a file on disk proves nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import structlog

from runtime import child
from runtime.child import FieldbusOrder
from runtime.engine.image import ImageError
from runtime.engine.south import Outbox
from runtime.fieldbus.supply import Supply

NS = 1e-9
LOOK = 0.05  # s: at the latest so often the heartbeat and the file are looked at
RUNNING = 1  # runtime.system_tags.STATES


class ScanWatch:
    """The one reader of the outbox."""

    def __init__(self, order: FieldbusOrder):
        self.outbox = Outbox(Path(order.run_dir), order.outputs, order.generation)
        self._wake, self._timeout = order.wake, order.scan_timeout
        self._started = time.monotonic_ns()
        self._attached = False
        self._alive = False  # fresh outboxes come
        self._process = -1
        self._complaint = ""
        self._supply: Supply | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._log = structlog.get_logger()

    def begin(self, supply: Supply) -> None:
        self._supply = supply
        os.set_blocking(self._wake, False)
        asyncio.get_running_loop().add_reader(self._wake, self._woken)
        self._look()

    def end(self) -> None:
        """Look no more: what the scan wants is of no interest any longer."""
        asyncio.get_running_loop().remove_reader(self._wake)
        if self._timer is not None:
            self._timer.cancel()
        self._forget_process()

    def _woken(self) -> None:
        """The scan has published an outbox."""
        with contextlib.suppress(BlockingIOError):  # whoever counted first has taken it
            os.read(self._wake, 8)
        if not self._attached:
            self._attach()
        if self._attached and self.outbox.take():
            self._judge()

    def _judge(self) -> None:
        """Follow a fresh outbox of a running scan; anything else it says means safe."""
        assert self._supply is not None
        if not self._is_fresh():
            return
        self._alive = True
        if self.outbox.state == RUNNING:
            self._supply.follow()
        else:
            self._supply.go_safe("the scan is stopped", must_finish=True)

    def _is_fresh(self) -> bool:
        return self.outbox.stamp > self._started and time.monotonic_ns() - self.outbox.stamp < self._timeout

    def _look(self) -> None:
        """The heartbeat, and whether the file is still the scan's."""
        if self._attached and not self.outbox.is_current():
            self._lose("the scan was restarted", must_finish=True)
            self._attached = False
            self._forget_process()
        if not self._attached:
            self._attach()
        if self._attached and self.outbox.take():  # the eventfd may be another scan's than the one we were told of
            self._judge()
        if self._alive and not self._is_fresh():
            self._lose(f"no outbox for {self._timeout * NS * 1e3:.0f} ms", must_finish=False)
        self._timer = asyncio.get_running_loop().call_later(min(LOOK, self._timeout * NS / 4), self._look)

    def _lose(self, reason: str, *, must_finish: bool) -> None:
        assert self._supply is not None
        self._alive = False
        self._supply.go_safe(reason, must_finish=must_finish)

    def _attach(self) -> None:
        """Map the scan's file once it is there; a scan of another program is left alone, and said once."""
        try:
            self.outbox.attach()
        except ImageError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._log.info("waiting for the scan", reason=self._complaint)
            return
        self._complaint = ""
        try:
            self._process = child.watch(self.outbox.scan_pid)
        except ProcessLookupError:
            self._log.info("waiting for the scan", reason="the one that made the file has ended")
            self._attached = True  # a restarted scan makes a new file, which is noticed as any other restart
            return
        asyncio.get_running_loop().add_reader(self._process, self._scan_ended)
        self._attached = True

    def _scan_ended(self) -> None:
        self._forget_process()
        self._lose("the scan process ended", must_finish=True)

    def _forget_process(self) -> None:
        if self._process >= 0:
            asyncio.get_running_loop().remove_reader(self._process)
            os.close(self._process)
            self._process = -1
