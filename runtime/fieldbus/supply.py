"""Decides what the outputs hold: what the scan wants while it runs, the safe values in their order when it does not.

It starts safe and trusts no outbox older than itself. It must not know how a device is spoken to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from runtime.child import FieldbusOrder
from runtime.contract import Connection
from runtime.fieldbus.safe import kept_slots, safe_steps, steps_again, write_safe_values

GRACE = 0.1  # s: how long a running scan may take to be heard after our start
LIVE, GOING_SAFE, SAFE, INHIBITED = "live", "going safe", "safe", "inhibited"


class Supply:
    """The outputs of all devices together. `follow` and `go_safe` are called by whoever watches the scan."""

    def __init__(self, order: FieldbusOrder, connections: Mapping[str, Connection]):
        self._connections = connections
        self._steps = safe_steps(order.devices)
        self._kept = kept_slots(order.devices)
        self._inhibit = order.inhibit
        self._sequence: asyncio.Task[frozenset[str]] | None = None
        self._must_finish = False
        self.state = INHIBITED if order.inhibit else SAFE
        self.reason = "starting"
        self.sequences = 0
        self.missed: frozenset[str] = frozenset()  # devices that did not take their safe values
        self._log = structlog.get_logger()

    def begin(self) -> None:
        """Nothing is known of the devices: bring them to their safe values, unless a running scan speaks first.

        A scan that runs is heard within a few of its periods: a restarted fieldbus then takes over without a dip in power.
        """
        if not self._inhibit:
            self._start_sequence("starting", must_finish=False, delay=GRACE)

    def follow(self) -> None:
        """The running scan has published: write what changed, once a sequence that must end has ended."""
        if self._inhibit or (self._sequence is not None and self._must_finish):
            return
        if self.state != LIVE:
            self._cancel_sequence()
            self.state, self.reason, self.missed = LIVE, "", frozenset()
            self._log.info("outputs follow the scan")
        for connection in self._connections.values():
            connection.write()

    def go_safe(self, reason: str, *, must_finish: bool) -> None:
        """The scan no longer speaks for the outputs. A sequence that need not finish is given up when it speaks again."""
        if self._inhibit:
            return
        if self.state == LIVE:
            self._start_sequence(reason, must_finish)
        elif self._sequence is not None and must_finish and not self._must_finish:
            self._must_finish = True
            self.reason = reason

    async def stop(self) -> None:
        """The end: have every output at its safe value, in order, and return when it is done.

        A device that missed its part is asked once more: it may have come back. `missed` names those that still did not take it.
        """
        self.go_safe("the fieldbus ends", must_finish=True)
        if self._sequence is not None:
            await asyncio.shield(self._sequence)
        if self.missed:
            self.missed = await write_safe_values(steps_again(self._steps, self.missed), self._connections)
            if self.missed:
                self._log.error("the end finds devices without their safe values", devices=sorted(self.missed))

    def status(self) -> Mapping[str, Any]:
        return {"outputs": self.state, "reason": self.reason, "safe_sequences": self.sequences, "missed": sorted(self.missed)}

    def _start_sequence(self, reason: str, must_finish: bool, delay: float = 0.0) -> None:
        self.state, self.reason = GOING_SAFE, reason
        self._must_finish = must_finish
        self.sequences += 1
        for name, slots in self._kept.items():
            self._connections[name].release(slots)
        self._sequence = asyncio.get_running_loop().create_task(self._run_sequence(delay))
        self._sequence.add_done_callback(self._end_sequence)
        self._log.warning("outputs go to their safe values", reason=reason)

    async def _run_sequence(self, delay: float) -> frozenset[str]:
        await asyncio.sleep(delay)
        return await write_safe_values(self._steps, self._connections)

    def _end_sequence(self, task: asyncio.Task[frozenset[str]]) -> None:
        if task is not self._sequence:
            return
        self._sequence = None
        self.state = SAFE
        if not task.cancelled():
            self.missed = task.result()
            self._log.info(
                "outputs hold their safe values", reason=self.reason, complete=not self.missed, missed=sorted(self.missed)
            )

    def _cancel_sequence(self) -> None:
        task, self._sequence = self._sequence, None
        if task is not None:
            task.cancel()
