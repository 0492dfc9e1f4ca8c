"""What a Modbus connection has seen of its device: counters, errors by kind, conditions, and its health made of them.

It asks nothing of the device.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping

import numpy as np
import structlog

from runtime.contract import CLOSED, CONNECTING, DEGRADED, LOST, ONLINE, Health
from runtime.fieldbus.modbus_plan import Plan
from runtime.fieldbus.modbus_register import Place
from runtime.fieldbus.modbus_writes import WriteRun


class Record:
    """Counters since the start, and what is wrong now. `slots` is the number of cells of the inbox."""

    def __init__(self, device: str, host: str, slots: int):
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.answers = False  # the device talks, since it was last said to be lost
        self.is_open = False
        self.unverified = ""  # why the device is not believed to be the right one
        self.last_error = ""
        self.round_trip = math.nan
        self._last_good = 0
        self._bad = np.zeros(slots, np.bool_)  # inputs that the device refuses
        self._refused_writes: set[Place] = set()
        self._said: set[str] = set()
        self.log = structlog.get_logger().bind(device=device, host=host)

    def count(self, kind: str) -> None:
        """An error of this kind happened."""
        self.errors[kind] += 1

    def answered(self, round_trip: float) -> None:
        """The device answered a request."""
        self.counts["answers"] += 1
        self._last_good = time.monotonic_ns()
        self.round_trip = round_trip
        if not self.answers:
            self.answers, self.last_error = True, ""
            self.log.info("device answers")

    def lost(self, reason: str) -> None:
        """The device does not answer, or is not the right one: said once."""
        self.counts["losses"] += self.answers
        if self.answers or reason != self.last_error:
            self.log.warning("device lost" if not self.unverified else "device not verified", reason=reason)
        self.answers, self.last_error = False, reason

    def begin(self) -> None:
        """A connection to the right device begins."""
        self.unverified = ""
        self._bad[:] = False
        self._refused_writes.clear()

    def read_refused(self, what: str, slots: np.ndarray, code: int) -> None:
        """The device refuses these registers."""
        self._bad[slots] = True
        if what not in self._said:
            self._said.add(what)
            self.log.warning("device refuses registers", group=what, code=code)

    def read_taken(self, what: str, slots: np.ndarray) -> None:
        """The device gave these registers."""
        self._bad[slots] = False
        self._said.discard(what)

    def write_refused(self, run: WriteRun, code: int) -> None:
        """The device refuses this write."""
        what = str(run)
        self._refused_writes |= _places(run)
        if what not in self._said:
            self._said.add(what)
            self.log.error("device refuses a write", registers=what, code=code)

    def write_taken(self, run: WriteRun) -> None:
        """The device took this write; its registers may have been refused together with others."""
        if self._refused_writes:
            self._refused_writes -= _places(run)
        self._said.discard(str(run))

    def conditions(self, plan: Plan) -> frozenset[str]:
        """What is wrong with the device now."""
        return frozenset(kind for kind, holds in self.holding(plan).items() if holds)

    def holding(self, plan: Plan) -> dict[str, bool]:
        """Each of `modbus.CONDITIONS`, and whether it holds."""
        return {
            "not_verified": bool(self.unverified),
            "absent": bool(plan.absent),
            "suspended": bool(plan.poll.suspended),
            "outputs_refused": bool(self._refused_writes),
            "outputs_unfit": plan.image.is_unfit,
            "outputs_unscaled": plan.image.is_unscaled,
            "mismatch": plan.readback.is_wrong,
        }

    def all_errors(self, plan: Plan) -> Mapping[str, int]:
        """Errors by kind since the start."""
        found = dict(self.errors)
        if plan.image.refused:
            found["outputs_unfit"] = plan.image.refused
        return found

    def health(self, plan: Plan) -> Health:
        """Online while the device talks and all is well, degraded while part of it is bad, lost while it should and does not."""
        conditions, errors = self.conditions(plan), self.all_errors(plan)
        if not self.is_open:
            state = CLOSED
        elif self.answers or self.unverified:
            state = DEGRADED if conditions or self._bad.any() else ONLINE
        else:
            state = LOST if self.last_error else CONNECTING
        return Health(state, self.round_trip, self.counts["answers"], self._last_good, errors, conditions)


def _places(run: WriteRun) -> set[Place]:
    return {Place(run.table, run.address + offset) for offset in range(len(run.values))}
