"""What a test sequence is: frequency and voltage over time, and the moments that the criteria refer to.

It is data: it knows no plant, no controller, no criterion and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

TINY = 1e-9  # s: a sample that falls on a step takes the value after it


@dataclass(frozen=True)
class Lines:
    """A course of straight lines through (time in s, value); two points at the same time are a step."""

    points: tuple[tuple[float, float], ...]

    def at(self, t: np.ndarray) -> np.ndarray:
        """The value at each time; before the first point and after the last it stays as there."""
        times, values = (np.array(column, dtype=float) for column in zip(*self.points, strict=True))
        before = np.clip(np.searchsorted(times, t + TINY, side="right") - 1, 0, len(times) - 1)
        after = np.minimum(before + 1, len(times) - 1)
        width = times[after] - times[before]
        share = np.where(width > 0.0, (t - times[before]) / np.where(width > 0.0, width, 1.0), 0.0)
        return values[before] + np.clip(share, 0.0, 1.0) * (values[after] - values[before])


@dataclass(frozen=True)
class Sine:
    """A sine about a centre, between `start` and `end` in s; before and after it is the centre."""

    centre: float
    amplitude: float
    period: float
    start: float
    end: float

    def at(self, t: np.ndarray) -> np.ndarray:
        """The value at each time."""
        swings = (t >= self.start) & (t < self.end)
        return self.centre + np.where(swings, self.amplitude * np.sin(2.0 * np.pi * (t - self.start) / self.period), 0.0)


ONE = Lines(((0.0, 1.0),))


@dataclass(frozen=True)
class Sequence:
    """One test: `kind` is its word in the file's name, `marks` are the moments in s that the criteria refer to.

    `f` is in Hz, `v` relative to the nominal voltage. `source` names the document and the table it is taken from. `views` are the
    stretches worth a picture of their own: what is seen there, and from when to when in s.
    """

    kind: str
    title: str
    source: str
    seconds: float
    f: Lines | Sine
    v: Lines = ONE
    marks: Mapping[str, float] = field(default_factory=dict)
    views: tuple[tuple[str, float, float], ...] = ()

    def times(self, dt: float) -> np.ndarray:
        """The samples of the test, every `dt` s, from 0 to the one before its end."""
        return np.arange(round(self.seconds / dt)) * dt

    def frequency(self, dt: float) -> np.ndarray:
        """Frequency in Hz, every `dt` s."""
        return self.f.at(self.times(dt))

    def voltage(self, dt: float) -> np.ndarray:
        """Voltage relative to the nominal one, every `dt` s."""
        return self.v.at(self.times(dt))


def stairs(steps: tuple[tuple[float, float], ...]) -> Lines:
    """A course of steps: (the time in s when it begins, its value)."""
    points = [steps[0]]
    for start, value in steps[1:]:
        points += [(start, points[-1][1]), (start, value)]
    return Lines(tuple(points))


def ramps(first: float, legs: tuple[tuple[float, float, float], ...]) -> Lines:
    """A course of ramps from the value `first`: (the time in s when it begins, the value it goes to, its rate per s)."""
    points = [(0.0, first)]
    for start, target, rate in legs:
        value = points[-1][1]
        points += [(start, value), (start + abs(target - value) / rate, target)]
    return Lines(tuple(points))
