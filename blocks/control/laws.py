"""Laws that several blocks of process control share."""

from __future__ import annotations

from blocks.arithmetic import max, min

NOT_YET = -1


def lasted(holds, before, dt, limit):
    """How long a condition has held, at most `limit`, -1 while it does not; the first scan in which it holds is time 0."""
    if not holds:
        return NOT_YET
    return 0 if before < 0 else min(before + dt, limit)


def middle(a, b, c):
    """The middle one of three numbers."""
    return max(min(a, b), min(max(a, b), c))


def prewarped(turn):
    """tan(turn) for 0 to 1.26 within 1e-9 of itself, for filters that shall be right at their corner; beyond it is held."""
    x = min(max(turn, 0.0), 1.26)
    square = x * x
    return x / (1.0 - square / (3.0 - square / (5.0 - square / (7.0 - square / (9.0 - square / (11.0 - square / 13.0))))))


def younger_slots(stamps, newest, count, moment):
    """How many of the newest `count` slots of a ring were written after `moment`; its length is a power of two, up to 512."""
    mask = len(stamps) - 1
    low = newest * 0
    high = count
    for _ in range(10):
        if low < high:
            half = (low + high) >> 1
            if stamps[(newest - half) & mask] > moment:
                low = half + 1
            else:
                high = half
    return low
