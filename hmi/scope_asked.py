"""What a page asks of a trace: its channels, how long, and what to wait for. All of it is checked here, and nothing is started."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hmi.texts import trends as words
from runtime.engine.trace_view import Channel, Trigger

MOST_CHANNELS = 8
SHORTEST, LONGEST = 0.1, 60.0  # s, of a window
EDGES = ("rise", "fall", "either")


@dataclass(frozen=True)
class Crossing(Trigger):
    """Fires whenever the value crosses the level, upwards or downwards."""

    def first(self, values: np.ndarray, held: bool | None) -> tuple[int, bool | None]:
        for index, value in enumerate(values.tolist()):
            before, held = held, self._holds(value, bool(held))
            if before is not None and held != before:
                return index, held
        return -1, held


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to trace: channels, how long a window is (s), the share before the trigger, whether one window is enough."""

    names: tuple[str, ...]
    seconds: float
    share: float = 0.0
    is_single: bool = False
    on: str = ""  # the channel that is waited for; none: what comes is shown at once
    edge: str = "rise"
    level: float = 0.0
    hysteresis: float = 0.0


class NotWantedError(Exception):
    """What was asked for cannot be traced; the text says why."""


def wanted(said: Any) -> Wanted:
    """What a page asks for, checked. Raises NotWantedError."""
    if not isinstance(said, Mapping):
        raise NotWantedError(words.NO_CHANNELS)
    names = said.get("names")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and 0 < len(name) <= 200 for name in names):
        raise NotWantedError(words.NO_CHANNELS)
    if len(names) > MOST_CHANNELS:
        raise NotWantedError(words.TOO_MANY_CHANNELS.format(most=MOST_CHANNELS))
    edge, on = said.get("edge", "rise"), said.get("on", "")
    if edge not in EDGES or not isinstance(on, str) or (on and on not in names):
        raise NotWantedError(words.NO_TRIGGER)
    return Wanted(
        tuple(names),
        _number(said, "seconds", SHORTEST, LONGEST, 10.0),
        _number(said, "share", 0.0, 0.99, 0.0),
        said.get("single") is True,
        on,
        edge,
        _number(said, "level", -1e15, 1e15, 0.0),
        _number(said, "hysteresis", 0.0, 1e15, 0.0),
    )


def _number(said: Mapping[str, Any], word: str, least: float, most: float, default: float) -> float:
    found = said.get(word, default)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found) or not least <= found <= most:
        raise NotWantedError(words.TRACE_NUMBER.format(word=words.OF_A_TRACE.get(word, word), least=least, most=most))
    return float(found)


def trigger_of(channels: Sequence[Channel], asked: Wanted) -> Trigger | None:
    """What is waited for; None where nothing is. Raises NotWantedError."""
    if not asked.on:
        return None
    place = next((at for at, channel in enumerate(channels) if channel.name.lower() == asked.on.lower()), -1)
    if place < 0:
        raise NotWantedError(words.NO_TRIGGER)
    level = 0.5 if channels[place].type == "BOOL" else asked.level
    if asked.edge == "either":
        return Crossing(place, ">", level, "", asked.hysteresis)
    # downwards it begins to be below, so that the dead band lies on the side where it comes from
    return Trigger(place, ">" if asked.edge == "rise" else "<", level, "rise", asked.hysteresis)
