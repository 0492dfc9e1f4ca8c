"""Keeps answers back until the powers of ten that scale them, read in other requests, are known to have been the same.

A device may change a scale factor between two requests. An answer is decoded when each of its powers was read before it and
again after it with the same value; otherwise it is dropped, and the next round's answer takes its place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from runtime.fieldbus.modbus_groups import ReadGroup
from runtime.fieldbus.modbus_powers import Powers


class Answer(NamedTuple):
    """The registers of a group and when they were asked for (CLOCK_MONOTONIC ns)."""

    group: ReadGroup
    registers: np.ndarray
    time: int


class Hold:
    """The answers of one connection that wait for powers of ten."""

    def __init__(self, powers: Powers):
        self._powers = powers
        self._held: dict[ReadGroup, tuple[Answer, set[int]]] = {}

    def put(self, answer: Answer) -> bool:
        """Whether the answer must wait; one that waits replaces the same group's earlier one."""
        waits_for = {row for row in answer.group.foreign if not self._powers.missing[row]}
        self._held.pop(answer.group, None)
        if waits_for:
            self._held[answer.group] = (answer, waits_for)
        return bool(waits_for)

    def power_read(self, row: int, changed: bool) -> list[Answer]:
        """This power was read: the answers that waited for nothing else; those that may be on either scale are dropped."""
        ready = []
        for group, (answer, waits_for) in list(self._held.items()):
            if row not in waits_for:
                continue
            waits_for.discard(row)
            if changed or not waits_for:
                del self._held[group]
            if not changed and not waits_for:
                ready.append(answer)
        return ready
