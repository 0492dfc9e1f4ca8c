"""Decides which registers of a device are read next: poll classes on their own grids, and ways around refused registers.

It opens no connection. Each class of inputs has a round on a grid of its own; the group whose round must end first is read
next, so that fast inputs come first and slow ones never starve. A group that the device refuses is cut at its holes and
then in halves until the refused register stands alone; after three refusals that one is suspended and asked seldom. When
it answers again, the whole group is put together again. A group that fails (exception 4) three times is cut as well, but
asked again in every round.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.fieldbus.modbus_groups import ReadGroup, halves, read_groups, without_bridges
from runtime.fieldbus.modbus_powers import Powers
from runtime.model import Point

NS = 1e-9
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, FAILED = 1, 2, 3, 4
STRIKES = 3
Key = tuple[int, int]  # address and count of a group within its origin


@dataclass(eq=False)
class _Origin:
    """A planned group, the parts that it is read in, and those that are suspended with the time of the next attempt."""

    whole: ReadGroup
    parts: list[ReadGroup]
    suspended: dict[Key, tuple[ReadGroup, float]] = field(default_factory=dict)
    strikes: Counter[Key] = field(default_factory=Counter)
    rejoin: float = math.inf  # when a group in parts is tried whole again
    patience: float = 0.0


@dataclass(eq=False)
class _Class:
    """The inputs of one period, and what is left to read of the round that began at `due`."""

    period: float
    origins: list[_Origin]
    due: float = 0.0
    began: float = 0.0
    queue: deque[tuple[_Origin, ReadGroup]] = field(default_factory=deque)

    @property
    def deadline(self) -> float:
        return self.due + self.period


class Turn(NamedTuple):
    """A group to be read now."""

    group: ReadGroup
    origin: _Origin
    of: _Class | None  # None for a suspended group's new attempt


class Poll:
    """The reads of one device. Times are the event loop's, in seconds."""

    def __init__(
        self, points: Sequence[Point], powers: Powers, outputs: Sequence[Point], poll: int, gap: int, max_read: int, suspend: int
    ):
        self._powers, self._suspend = powers, suspend * NS
        periods: dict[int, list[Point]] = {}
        for point in points:
            periods.setdefault(point.address.poll or poll, []).append(point)
        factors = _factor_periods(points, outputs, powers, poll)
        self.classes: list[_Class] = []
        for every in sorted({*periods, *factors.values()}):
            mine = [row for row, period in factors.items() if period == every]
            scaled = [*periods.get(every, ()), *outputs]
            blocks = [p for p in scaled if p.address.model is not None]
            groups = read_groups(periods.get(every, ()), gap, max_read, powers, mine, blocks)
            groups = tuple(sorted(groups, key=lambda group: bool(group.powers)))  # what it scales waits for a power (modbus_hold)
            if groups:
                self.classes.append(_Class(every * NS, [_Origin(group, [group]) for group in groups]))
        self._origins = [origin for one in self.classes for origin in one.origins]
        self.round = math.nan  # s, that the last whole round took

    @property
    def groups(self) -> list[ReadGroup]:
        """All groups as they are read now."""
        return [part for origin in self._origins for part in origin.parts]

    @property
    def suspended(self) -> list[ReadGroup]:
        """The groups that the device refused three times."""
        return [group for origin in self._origins for group, _ in origin.suspended.values()]

    def begin(self, now: float) -> None:
        """A connection begins: everything is due, and read as planned."""
        for one in self.classes:
            one.due = now
            one.queue.clear()
            for origin in one.origins:
                origin.parts, origin.rejoin, origin.patience = [origin.whole], math.inf, 0.0
                origin.suspended.clear()
                origin.strikes.clear()

    def next_due(self) -> float:
        """When something is due next; infinite where nothing is ever read."""
        times = [one.due for one in self.classes]
        times += [when for origin in self._origins if origin.suspended for _, when in origin.suspended.values()]
        return min(times, default=math.inf)

    def late(self, now: float) -> bool:
        """Whether a round has not been finished a whole period after it should have begun."""
        return any(now > one.deadline for one in self.classes)

    def next(self, now: float) -> Turn | None:
        """What to read now, or None while nothing is due."""
        best = None
        for one in self.classes:
            if one.due <= now and (best is None or one.deadline < best.deadline):
                best = one
        retry = self._next_retry(now)
        if retry is not None and (best is None or retry[0] < best.deadline):
            return Turn(retry[1], retry[2], None)
        if best is None:
            return None
        if not best.queue:
            self._fill(best, now)
        if not best.queue:
            self._end(best, now)  # everything is suspended
            return self.next(now)
        origin, group = best.queue.popleft()
        return Turn(group, origin, best)

    def _next_retry(self, now: float) -> tuple[float, ReadGroup, _Origin] | None:
        best = None
        for origin in self._origins:
            if not origin.suspended:
                continue  # mostly so, and asked before every read
            for group, when in origin.suspended.values():
                if when <= now and (best is None or when + self._suspend < best[0]):
                    best = (when + self._suspend, group, origin)
        return best

    def _fill(self, one: _Class, now: float) -> None:
        one.began = now
        for origin in one.origins:
            if origin.rejoin <= now and not origin.suspended:
                self._join(origin)
            one.queue.extend((origin, part) for part in origin.parts)

    def _join(self, origin: _Origin) -> None:
        origin.parts, origin.rejoin = [origin.whole], math.inf
        for key in origin.suspended:
            origin.strikes[key] = STRIKES - 1
        origin.suspended.clear()

    def done(self, turn: Turn, now: float) -> None:
        """The group was read."""
        key = _key(turn.group)
        turn.origin.strikes.pop(key, None)
        if turn.of is None:
            self._join(turn.origin)
            return
        self._end(turn.of, now)

    def give_back(self, turn: Turn) -> None:
        """The group was not asked for after all."""
        if turn.of is not None:
            turn.of.queue.appendleft((turn.origin, turn.group))

    def refused(self, turn: Turn, code: int, now: float) -> tuple[ReadGroup, ...]:
        """The device will not give these registers. Returns what cannot be read now: nothing while smaller parts are tried."""
        origin, group = turn.origin, turn.group
        if turn.of is not None and group not in origin.parts:  # the origin was put together again since this round began
            self._end(turn.of, now)
            return ()
        if code == FAILED:
            origin.strikes[_key(group)] += 1
        is_cut = code in (ILLEGAL_ADDRESS, ILLEGAL_VALUE) or (code == FAILED and origin.strikes[_key(group)] >= STRIKES)
        parts = self._smaller(group) if is_cut else (group,)
        if len(parts) > 1 and turn.of is not None:
            at = origin.parts.index(group)
            origin.parts[at : at + 1] = parts
            turn.of.queue.extendleft((origin, part) for part in reversed(parts))
            origin.patience = max(2 * origin.patience, self._suspend)
            origin.rejoin = now + origin.patience
            return ()
        if code in (ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE):
            self._strike(turn, now)
        elif turn.of is None:  # whatever it says now: seldom
            origin.suspended[_key(group)] = (group, now + self._suspend)
        if turn.of is not None:
            self._end(turn.of, now)
        return (group,)

    def _smaller(self, group: ReadGroup) -> tuple[ReadGroup, ...]:
        return without_bridges(group, self._powers) if group.is_bridged else halves(group, self._powers)

    def _strike(self, turn: Turn, now: float) -> None:
        origin, key = turn.origin, _key(turn.group)
        origin.strikes[key] += 1
        if turn.of is None or origin.strikes[key] >= STRIKES:
            origin.suspended[key] = (turn.group, now + self._suspend)
            origin.parts = [part for part in origin.parts if part is not turn.group]

    def _end(self, one: _Class, now: float) -> None:
        """Where the round is over, the next begins on the grid: a late one is skipped."""
        if not one.queue:
            self.round = now - one.began
            one.due += one.period * (1 + max(0.0, now - one.due) // one.period)


def _key(group: ReadGroup) -> Key:
    return group.address, group.count


def _factor_periods(points: Sequence[Point], outputs: Sequence[Point], powers: Powers, poll: int) -> dict[int, int]:
    """How often (ns) each power of ten is read: as often as the fastest input that it scales; for outputs, as inputs are."""
    found: dict[int, int] = {}
    for point, every in [*((p, p.address.poll or poll) for p in points), *((p, poll) for p in outputs)]:
        if point.address.width and point.address.factor is not None:
            row = powers.row(point.address.factor)
            found[row] = min(found.get(row, every), every)
    return found
