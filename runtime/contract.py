"""What a fieldbus driver promises to the two rooms that use it: the checker, and the fieldbus process.

A driver is one file in `runtime/fieldbus/`; its file name is the `driver:` key of an io_map. It must not know the scan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from runtime.model import Described, Device
from runtime.source import Report, Section, Text
from runtime.system_tags import DEVICE_STATES


@dataclass(frozen=True, slots=True)
class PointText:
    """One line of an io_map as written: `bms.soc: {signal: BMS_Status.SOC, ...}`. `is_output` tells the section it is in."""

    tag: Text
    section: Section
    is_output: bool


@dataclass(frozen=True)
class Description:
    """A device as its driver understands it: settings that only the driver reads, and each tag's addresses and type.

    A tag that has a problem is left out of `points`; the problem is in the report. An address names its place for people
    with `str()`; it may have a method `raw(value)` that gives what stands on the wire for a value of the tag, and that of an
    output a method `misfit(value)` that says why the place cannot carry a value, or "" where it can: asked of safe values. Where
    outputs are written together with others only, `sent_in` names what carries them: a message, a register of several bits.
    """

    settings: Any
    points: Mapping[str, Described]


@dataclass(frozen=True, slots=True)
class ReadDevice:
    """A device as its io_map wrote it and its driver understood it; devices made by one `for:` come from one file."""

    section: Section
    points: Sequence[PointText]
    description: Description


class DriverFront(Protocol):
    """The half of a driver that the checker uses: no device is touched.

    The three word lists name every key that the driver reads in a device, an input and an output, each with one
    sentence; any other key that the language does not know itself is an error. ERRORS names the kinds of error that the
    driver tells apart and counts, CONDITIONS what may be wrong with the device for a while; each becomes a tag
    (`device.NAME.errors_KIND`, `device.NAME.CONDITION`), each condition an alarm with its sentence as the text.
    """

    DEVICE_WORDS: Mapping[str, str]
    INPUT_WORDS: Mapping[str, str]
    OUTPUT_WORDS: Mapping[str, str]
    ERRORS: Mapping[str, str]
    CONDITIONS: Mapping[str, str]

    def describe(self, device: Section, points: Sequence[PointText], site: Section, root: Path, report: Report) -> Description:
        """Read and check what the io_map says about the device; all mistakes go to the report with their places."""


@runtime_checkable
class JudgesTogether(Protocol):
    """What a driver's front may promise beside: to find mistakes that show only where devices are looked at side by side."""

    def conflicts(self, devices: Sequence[ReadDevice], report: Report) -> None:
        """Report what two of the site's devices of this driver cannot both do, once all of them are read."""


class Inputs(Protocol):
    """Where a driver puts what it read: one cell a slot, already in the tag's unit and type.

    `lreal` and `integer` are two views of the same 8-byte cells; `quality` and `time` (CLOCK_MONOTONIC ns) go with them.
    """

    lreal: np.ndarray
    integer: np.ndarray
    quality: np.ndarray
    time: np.ndarray

    def changed(self) -> None:
        """Say that cells were written; they are published together at the end of this turn of the event loop."""


class Outputs(Protocol):
    """What the scan wants written: one cell a slot, in the tag's unit and type. Taken whole, so never torn."""

    lreal: np.ndarray
    integer: np.ndarray


CLOSED, CONNECTING, ONLINE, DEGRADED, LOST = range(len(DEVICE_STATES))


@dataclass(frozen=True, slots=True)
class Health:
    """How a device is, asked ten times a second for its tags.

    `state` is the place in `runtime.system_tags.DEVICE_STATES`; `round_trip` the seconds of the last request and its answer (NaN
    where nothing is asked); `exchanges` counts answers or frames that were taken; `last_good` is CLOCK_MONOTONIC ns of the
    last of them, 0 before the first. `errors` counts by kind of ERRORS since the start, `conditions` are those that hold.
    """

    state: int
    round_trip: float
    exchanges: int
    last_good: int
    errors: Mapping[str, int]
    conditions: frozenset[str] = frozenset()


class Connection(Protocol):
    """The half of a driver that runs in the fieldbus process, one for each device."""

    def health(self) -> Health:
        """State and counters for the device's tags: cheap, and never waits."""

    def status(self) -> Mapping[str, Any]:
        """Counters and state for people: connected, requests, errors by kind, last error."""

    async def open(self) -> None:
        """Start to talk to the device and to fill its inputs; returns at once and keeps reconnecting by itself."""

    def write(self) -> None:
        """The outbox holds new outputs: send what changed, never wait."""

    def release(self, slots: Sequence[int]) -> None:
        """Say nothing more of these output slots, not even at their refresh, until the next `write`: the device keeps them."""

    async def write_safe(self, slots: Sequence[int]) -> bool | None:
        """Write the safe values of these output slots now, and return when they are on the wire or cannot be.

        False where the device refused one of them, or its registers cannot carry it: it is missed. True or None: taken.
        """

    async def close(self) -> None:
        """Stop talking."""


class Driver(DriverFront, Protocol):
    """A whole driver: the front, and how to connect a described device."""

    def connect(self, device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path) -> Connection:
        """A connection for this device; nothing is sent before `open`. `run_dir` is what `$RUN` stands for in a channel."""
