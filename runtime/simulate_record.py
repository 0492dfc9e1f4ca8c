"""What a simulation is remembered by: samples for the plots, alarms, trips, what broke, and how far the plant went. Plain data.

It must not know how a report is laid out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

SAMPLED = (  # names of the samples, in their order; limits and power in kW, temperatures in °C
    "time_s",
    "hour",
    "p",
    "grid_p",
    "load",
    "pv",
    "charge_max",
    "discharge_max",
    "soc",
    "soc_min",
    "soc_max",
    "v_min",
    "v_max",
    "t_min",
    "t_max",
    "converter_t",
    "frequency",
)


def clock(seconds: float) -> str:
    """A time of the simulation as people read it: `1:02:03.45`."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{seconds - whole + whole % 60:05.2f}"


@dataclass
class AlarmSpan:
    """One alarm from when it came to when it went (s; None: it stands at the end)."""

    name: str
    severity: str
    text: str
    began: float
    ended: float | None = None


@dataclass
class FaultSpan:
    """One fault that was put in: what, from when to when (s), which alarms came while it was on, and whether there was a trip."""

    kind: str
    details: dict[str, Any]
    began: float
    ended: float | None = None
    refused: str = ""
    alarms: list[str] = field(default_factory=list)
    trips: int = 0

    @property
    def text(self) -> str:
        """`earth_fault kohm 20 rack 2`."""
        return " ".join([self.kind, *(f"{word} {value}" for word, value in self.details.items())])


@dataclass
class Trip:
    """Something let go: an interlock of the program, the rack's own management, or the converter. Times in s."""

    time: float
    source: str
    cause: str
    alarms: list[str] = field(default_factory=list)  # that stood or came around it
    faults: list[str] = field(default_factory=list)  # of this device or of the site, that were on or had just ended
    is_explained: bool = False  # an alarm says why, and not only that
    follows: str = ""  # the trip a moment before that brought this one about
    around: list[str] = field(default_factory=list)  # of a false one: what else there was, for whoever has to explain it

    @property
    def is_false(self) -> bool:
        """Whether nothing was wrong with it that somebody put in, and no other trip brought it about."""
        return not (self.faults or self.follows)


@dataclass
class Duty:
    """What must let go, or must not last: how often it came to that, how often too late, and the least time to spare (s)."""

    text: str
    at: str
    cases: int = 0
    missed: int = 0
    idle: int = 0  # faults that demanded nothing: too short, or open already
    margin: float | None = None

    def see(self, margin: float) -> None:
        """Take one case that was answered, with the time that was left."""
        self.cases += 1
        self.margin = margin if self.margin is None else min(self.margin, margin)


@dataclass
class MissedTrip:
    """What had to let go and did not: when that was clear (s), what, why, and what was seen."""

    time: float
    what: str
    why: str
    at: str
    seen: str


@dataclass
class Breach:
    """Something that must hold and did not: its words and place, when first (s), and what was seen."""

    text: str
    at: str
    time: float
    seen: str
    worst: float | None = None


@dataclass
class Reach:
    """How far one quantity of the cells went by the plant's own truth, its safe ends, and how long it was outside (s)."""

    name: str
    unit: str
    low: float
    high: float
    least: float = float("inf")
    most: float = float("-inf")
    outside_s: float = 0.0
    first_outside: float | None = None

    def see(self, least: float, most: float, time: float, passed: float) -> bool:
        """Take the least and the greatest of the cells; whether one is outside."""
        self.least, self.most = min(self.least, least), max(self.most, most)
        is_outside = not (self.low <= least and most <= self.high)
        if is_outside:
            self.outside_s += passed
            if self.first_outside is None:
                self.first_outside = time
        return is_outside


@dataclass
class Agreement:
    """How far a tag of the controller was from the plant's truth, over the samples in which the tag was good."""

    tag: str
    truth: str
    unit: str
    count: int = 0
    squares: float = 0.0
    most: float = 0.0
    at: float = 0.0  # s, of the greatest difference

    def see(self, differences: np.ndarray, time: float) -> None:
        """Take the difference at a time, or that of every cell."""
        self.count += 1
        self.squares += float(np.mean(differences * differences))
        most = float(np.max(np.abs(differences)))
        if most > self.most:
            self.most, self.at = most, time

    @property
    def rms(self) -> float:
        return (self.squares / self.count) ** 0.5 if self.count else float("nan")


@dataclass
class Energy:
    """What flowed (kWh): out of and into the battery at the converter's AC side, lost in the converter and as heat in the rack."""

    discharged: float = 0.0
    charged: float = 0.0
    converter_lost: float = 0.0
    rack_heat: float = 0.0
    imported: float = 0.0
    exported: float = 0.0
    soc_begin: float = 0.0
    soc_end: float = 0.0
    over_limit_s: float = 0.0  # beyond what the rack allowed
    over_limit_kw: float = 0.0
    under_load: int = 0  # main contactors that opened under load
    out_of_step: int = 0  # the breaker, closed onto a grid that the island was not in step with


@dataclass
class Record:
    """One simulation. `samples` are columns by the names in SAMPLED; `wall_s` is what it took here and is in no report."""

    site: str
    scenario: str
    file: str
    description: str
    seed: int
    duration_s: float
    simulated_s: float = 0.0
    scans: int = 0
    turns: int = 0
    wall_s: float = 0.0
    samples: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SAMPLED})
    alarms: list[AlarmSpan] = field(default_factory=list)
    faults: list[FaultSpan] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    reaches: list[Reach] = field(default_factory=list)
    broken_reaches: list[Reach] = field(default_factory=list)  # of cells that a fault itself drives
    duties: list[Duty] = field(default_factory=list)
    missed: list[MissedTrip] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    energy: Energy = field(default_factory=Energy)
    refused: list[str] = field(default_factory=list)  # commands that the controller did not take
    events: list[tuple[float, str]] = field(default_factory=list)  # contactors, recoveries
    digest: str = ""  # of the cells at the end, three samples and the alarms: equal for equal runs

    @property
    def unanswered_faults(self) -> list[FaultSpan]:
        """Faults that were put in and to which neither an alarm nor a trip answered."""
        return [fault for fault in self.faults if not (fault.refused or fault.alarms or fault.trips)]

    @property
    def is_well(self) -> bool:
        """Whether everything held that must hold: conditions, the cells' safe area, every trip in time and told."""
        return (
            not self.breaches
            and not self.missed
            and not self.energy.out_of_step
            and all(one.first_outside is None for one in self.reaches)
            and all(trip.is_explained for trip in self.trips)
        )
