"""The Nordic Fast Frequency Reserve: its test sequence and its criteria.

Source: Fingrid and Svenska kraftnat, FFR pages (NUMBERS.md). Overdelivery, buffer and recovery are unconfirmed there,
and are marked so in the report. It knows no plant.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from runtime.prequalify.criterion import Finding, Requirement
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence, stairs

PAGES = "Fingrid and Svenska kraftnat, technical requirements for FFR"
UNCONFIRMED = PAGES + " (unconfirmed)"
OPTIONS = ((49.7, 1.3), (49.6, 1.0), (49.5, 0.7))  # Hz, s to full power at the meter
BELOW = 0.05  # Hz under the threshold
FULL = 0.99  # a plant of first order never gives all of it; 1 % is what the deviation tests of the FFR block use too
NOTHING = 0.05  # of the capacity
QUARTER = 900.0  # s
SLOW = 0.20  # of the capacity per second: up to here 5 s of support are enough
LOG_EVERY = 0.1  # s

ACTIVATION = Requirement("ffr.activation", "Activation time", "t(dP >= 99 % of C) - t(f below the threshold)", PAGES, "s")
AGAIN = Requirement(
    "ffr.repeat", "Ready again after 15 min", "activation time of the second fall, 15 min after the first", PAGES, "s"
)
OVER = Requirement("ffr.overdelivery", "Overdelivery", "max dP / C - 1", UNCONFIRMED, "", high=0.35)
DURATION = Requirement("ffr.duration", "Duration of the support", "time from full power until dP < 99 % of C", PAGES, "s")
BUFFER = Requirement("ffr.buffer", "Buffer before the recovery", "time from dP < 5 % of C until dP < -5 %", UNCONFIRMED, "s", 10.0)
RECOVERY = Requirement("ffr.recovery", "Recovery power", "max -dP / C until the second fall", UNCONFIRMED, "", high=0.25)


def sequence(option: int) -> Sequence:
    """Two falls below the option's threshold, 15 min apart, for 60 s each; 60 s at 50 Hz before and after.

    More than the 10 s before an activation and 15 min after it that must be logged.
    """
    threshold, _ = OPTIONS[option]
    first, low = 60.0, threshold - BELOW
    second = first + QUARTER
    course = stairs(((0.0, 50.0), (first, low), (first + 60.0, 50.0), (second, low), (second + 60.0, 50.0)))
    marks = {"first": first, "second": second, "option": float(option)}
    views = tuple((f"{word} activation", at - 1.0, at + 14.0) for word, at in (("first", first), ("second", second)))
    return Sequence("Act", f"activation below {threshold} Hz", PAGES, second + 120.0, course, marks=marks, views=views)


def judge(record: Record, capacity: float, test: Sequence) -> list[Finding]:
    """Activation, overdelivery, duration, buffer, recovery and the second activation, of a capacity in kW."""
    limit = OPTIONS[round(test.marks["option"])][1]
    first, second = test.marks["first"], test.marks["second"]
    share = (record.dp - record.mean(record.dp, first - 10.0, first)) / capacity
    full = _first(record, share >= FULL, first, second)
    found = [
        Finding(dataclasses.replace(ACTIVATION, high=limit), test.title, full - first, (first, first + limit)),
        Finding(OVER, test.title, float(np.max(share)) - 1.0, (first, test.seconds)),
    ]
    again = _first(record, share >= FULL, second, test.seconds)
    found.append(Finding(dataclasses.replace(AGAIN, high=limit), test.title, again - second, (second, second + limit)))
    if math.isnan(full):
        return [
            *found,
            Finding(dataclasses.replace(DURATION, low=5.0), test.title, math.nan, (first, second), "never at full power"),
        ]
    over = _or(_first(record, share < FULL, full, second), second)
    empty = _or(_first(record, share < NOTHING, over, second), second)
    rate = _steepest(record, share, over, empty)
    least = 5.0 if rate <= SLOW * 1.01 else 30.0
    note = f"deactivation of {rate * 100.0:.0f} % of C a second"
    found.append(Finding(dataclasses.replace(DURATION, low=least), test.title, over - full, (full, over), note))
    charges = _first(record, share < -NOTHING, empty, second)
    note = "no recovery in this test" if math.isnan(charges) else ""
    found.append(Finding(BUFFER, test.title, _or(charges, second) - empty, (empty, _or(charges, second)), note))
    after = share[record.within(empty, second)]
    found.append(Finding(RECOVERY, test.title, max(-float(np.min(after)), 0.0) if len(after) else 0.0, (empty, second)))
    return found


def _first(record: Record, holds: np.ndarray, begin: float, end: float) -> float:
    """When something first holds from `begin` to before `end`; NaN where never."""
    places = np.flatnonzero(holds & record.within(begin, end))
    return float(record.t[places[0]]) if len(places) else math.nan


def _or(time: float, otherwise: float) -> float:
    return otherwise if math.isnan(time) else time


def _steepest(record: Record, share: np.ndarray, begin: float, end: float) -> float:
    """The most that the share falls within any second while it is withdrawn, per second."""
    starts = record.t[record.within(begin - 1.0, end)]
    falls = np.interp(starts, record.t, share) - np.interp(starts + 1.0, record.t, share)
    return float(np.max(falls)) if len(falls) else 0.0
