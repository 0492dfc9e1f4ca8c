"""The site as plain data: tags, devices, tasks and the schedule. The office writes it, the engine and the gates read it.

Frozen dataclasses and NumPy columns only. Everything here can be pickled and sent to a child process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from runtime.requests import Requests
from runtime.source import NOWHERE, Position

ROLES = ("viewer", "operator", "engineer", "admin")  # each may do what those before it may
SEVERITIES = ("warning", "error", "critical")  # of alarms


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag as everybody outside the scan sees it.

    `offset` is its byte offset in the tag region of process memory, which is also the snapshot; `index` its row in the quality and
    source-time columns. `length` is 0 for a scalar. `kind`: input, output, memory or system. `write` is the least role that may
    command it, empty where nobody may; `owner` who writes it ("device rack1", "program dispatch"). `names` are the texts of
    enumeration values. `state_of` is the pin, a key of `Schedule.pins`, whose state the tag retains.
    """

    name: str
    type: str
    length: int
    index: int
    offset: int
    kind: str = "memory"
    unit: str = ""
    text: str = ""
    minimum: float | None = None
    maximum: float | None = None
    default: float | int | bool | tuple[Any, ...] = 0
    owner: str = ""
    write: str = ""
    pulse: bool = False
    retain: bool = False
    names: tuple[tuple[int, str], ...] = ()
    at: Position = NOWHERE
    state_of: str = ""


@dataclass(frozen=True, slots=True)
class TagRegion:
    """Where things stand in the snapshot: the values of all tags, then their qualities and source times.

    The region is the first `size` bytes of process memory. `quality` is a uint32 a tag, `source_time` an int64 a tag
    (CLOCK_MONOTONIC nanoseconds of the last good reading; 0 where there was none), `good` a byte a tag (0 or 1).
    """

    size: int
    quality: int
    source_time: int
    good: int
    tags: int


@dataclass(frozen=True, slots=True)
class Point:
    """One wire between a device and one element of a tag. `slot` is its place in the inbox or the outbox.

    `address` is what the device's driver made of the io_map's line; only that driver reads it. For an output, `safe`
    is the value when stopped and `safe_after` the nanoseconds after the stop at which it is written; one that `keeps` has no
    such value: after a stop its device is told nothing of it until a program runs again.
    """

    tag: str
    element: int
    type: str
    slot: int
    address: Any
    safe: float | int = 0
    safe_after: int = 0
    at: Position = NOWHERE
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """One io_map: a device, its driver's settings (read by that driver only), and its points.

    `stale` and `timeout` are nanoseconds: how old an input may become, and the device's own communication time-out.
    `diagnostics` are inputs filled from the connection's health; address: a name of DEVICE_TAGS, `errors_KIND`, a condition.
    """

    name: str
    driver: str
    settings: Any
    inputs: tuple[Point, ...]
    outputs: tuple[Point, ...]
    stale: int
    timeout: int
    at: Position = NOWHERE
    diagnostics: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Described:
    """What a driver knows about one tag of an io_map: one address an element, and type (empty: the io_map may say), unit, range."""

    addresses: tuple[Any, ...]
    type: str = "LREAL"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    names: tuple[tuple[int, str], ...] = ()
    is_array: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The instances of one block type that run at the same step of the data flow: one kernel call.

    `columns` holds one byte offset in process memory a pin, in the order of the declaration. The wires that must be
    copied before the call are the copies [copy_from, copy_to) of the schedule. `instances` are their full names.
    """

    block: str
    chosen: str  # the type picked for ANY, or ""
    rows: int
    length: int  # N, or 0
    columns: tuple[int, ...]
    copy_from: int
    copy_to: int
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A task: every how many base ticks it runs, at which phase, and its groups in order.

    `copy_from`, `copy_to` are the copies after its last group (tags that its programs write). `pulses` are pairs of
    byte offsets (pending, visible): at the task's start visible takes pending and pending becomes 0.
    """

    name: str
    every: int
    phase: int
    group_from: int
    group_to: int
    copy_from: int
    copy_to: int
    programs: tuple[str, ...] = ()
    pulses: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Copies:
    """The wires that are copied, in order: byte offsets in process memory and bytes (1, 4, 8, or more for arrays).

    A copy whose target begins inside its source repeats the bytes between the two: one value for many rows.
    """

    source: np.ndarray  # int64
    target: np.ndarray  # int64
    size: np.ndarray  # int64


@dataclass(frozen=True)
class InputTable:
    """One row per input point, in the order of its slot: how the latch turns inbox into tag.

    tag: row in the quality columns; rows of one tag stand together. target: byte offset of the element; type: the
    NumPy code as ord() of its first letter (u, i, f) times 16 plus size; stale: ns; hold: 1 keeps the last value when
    bad, 0 takes `bad` (8 bytes as int64 bits of the element's widened value: LREAL bits, or an integer).
    """

    tag: np.ndarray
    target: np.ndarray
    type: np.ndarray
    stale: np.ndarray
    hold: np.ndarray
    bad: np.ndarray


@dataclass(frozen=True)
class OutputTable:
    """One row per output point, in the order of its slot: where its value stands and its safe value (widened bits)."""

    source: np.ndarray
    type: np.ndarray
    safe: np.ndarray


@dataclass(frozen=True)
class CommandTable:
    """One row per tag (by index): what the command step checks.

    target: byte offset, or -1 where nobody may write; type as in InputTable; role: the least role's place in ROLES;
    low, high: the range as doubles; length: elements (0 scalar); pulse: where its cells start in `pulse_cells`, or -1.
    A pulse's pending cells are pulse_cells[pulse : pulse + pulse_count].
    """

    target: np.ndarray
    type: np.ndarray
    role: np.ndarray
    low: np.ndarray
    high: np.ndarray
    length: np.ndarray
    pulse: np.ndarray
    pulse_count: np.ndarray
    pulse_cells: np.ndarray


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as declared, and the instance outputs that say whether it is active.

    `active` is the tag (BOOL) that is true while it is; `limit` names the limit of `of` that it watches (H, HH, L, LL; HIGH, LOW of
    a deviation; RISING, FALLING of a rate) or is empty for a condition. `kind` is "limit", "deviation", "rate" or "condition".
    `id` is the error id by which manuals and reports know it, `source` the part of the plant it comes from; both may be empty.
    `suppressed` is the tag (BOOL) that is true while it is suppressed by design, empty where it never is. `shelve` is the longest
    time (ns) for which an operator may shelve it, 0 where nobody may.
    """

    name: str
    active: str
    of: str
    limit: str
    severity: str
    text: str
    at: Position = NOWHERE
    kind: str = "condition"
    id: str = ""
    source: str = ""
    setpoint: str = ""
    suppressed: str = ""
    shelve: int = 8 * 3600 * 1_000_000_000
    is_latched: bool = False

    @property
    def full_name(self) -> str:
        """`cell_hot.HH`, or the name alone of an alarm without limits."""
        return f"{self.name}.{self.limit}" if self.limit else self.name


def first_outs(alarms: Iterable[Alarm]) -> tuple[str, ...]:
    """The alarms that `plc.first_out` counts, its 1 first: those of severity error and critical, in the order of the site."""
    return tuple(alarm.full_name for alarm in alarms if alarm.severity != SEVERITIES[0])


@dataclass(frozen=True)
class Watchdog:
    """What happens after `overruns` late scans in a row: `then` is "run" (go on) or "safe" (safe outputs and stop).

    After `heartbeat` ns without a word of the scan, the fieldbus writes the safe values by itself.
    """

    overruns: int = 0
    then: str = "run"
    heartbeat: int = 200_000_000


@dataclass(frozen=True)
class Schedule:
    """A checked site, laid out: what the engine runs. `initial` is process memory before the first scan."""

    digest: str
    tick: int  # ns
    region: TagRegion
    initial: np.ndarray  # uint8
    tags: tuple[Tag, ...]
    tasks: tuple[Task, ...]
    groups: tuple[Group, ...]
    copies: Copies
    inputs: InputTable
    outputs: OutputTable
    commands: CommandTable
    watchdog: Watchdog = field(default_factory=Watchdog)
    alarms: tuple[Alarm, ...] = ()
    authority: int = -1  # byte offset of the BOOL that is true in remote control, -1 where the site names none
    pins: dict[str, tuple[str, int, int]] = field(default_factory=dict)  # "instance.PIN" -> type, byte offset, length

    def tag(self, name: str) -> Tag:
        """The tag of this name, compared without case. Raises KeyError."""
        found = self._by_name().get(name.lower())
        if found is None:
            raise KeyError(name)
        return found

    def _by_name(self) -> dict[str, Tag]:
        cached = self.__dict__.get("_names")
        if cached is None:
            cached = {tag.name.lower(): tag for tag in self.tags}
            object.__setattr__(self, "_names", cached)
        return cached


@dataclass(frozen=True)
class Site:
    """Everything that was read: the schedule, the devices, and the settings of the servers."""

    name: str
    root: str
    schedule: Schedule
    devices: tuple[Device, ...]
    servers: dict[str, Any]
    files: tuple[str, ...]
    overview: tuple[str, ...] = ()  # the tags that the status view shows
    constants: dict[str, str] = field(default_factory=dict)
    requests: Requests = field(default_factory=Requests)
