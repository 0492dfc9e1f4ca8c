"""A scenario of a simulation as plain data: what is commanded, what breaks, and what must hold. It must not know YAML or a plant.

All times are nanoseconds since the start of the simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.language.scenario import Check, Write
from runtime.source import NOWHERE, Position

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Command:
    """What an operator does: writes tags, presses buttons, or fixes a quantity of the plant by hand (`sets`: name -> value).

    `every` repeats it until the end; 0 does it once. A value of None lets the plant's quantity follow its own course again.
    """

    time: int
    writes: tuple[Write, ...] = ()
    presses: tuple[str, ...] = ()
    sets: tuple[tuple[str, float | None], ...] = ()
    every: int = 0
    at: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """A fault at a time: which of `runtime.simulation.faults`, for how long (-1: to the end), and its details."""

    time: int
    lasts: int
    kind: str
    details: Mapping[str, Any] = field(default_factory=dict)
    at: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class RandomFaults:
    """Faults that come by chance, drawn from the seed: `rate` an hour on average, of these kinds, each between two durations."""

    rate: float
    kinds: tuple[str, ...]
    shortest: int
    longest: int
    begin: int = 0
    end: int = -1


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit on the plant's own truth, such as `cell_v > 3.75 V`; `wanted` False: it must never hold."""

    name: str
    operator: str
    limit: float
    text: str
    wanted: bool
    at: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Demand:
    """What a fault demands: once it has stood for `stood`, `of` has let go `within` a time from its beginning, and stays so.

    `of` is `rack` (main contactor open), `site` (all racks open), `power` (no converter gives any), or `grid` (nothing flows into
    it: no power, or the breaker is open). `details` narrow it to one message or link.
    """

    kind: str
    stood: int
    within: int
    of: str
    details: Mapping[str, Any] = field(default_factory=dict)
    at: Position = NOWHERE

    @property
    def text(self) -> str:
        """`drop_link panel` and the like."""
        return " ".join([self.kind, *map(str, self.details.values())])


@dataclass(frozen=True, slots=True)
class Limit:
    """What a rack on its bus may not be beyond for longer than `lasts`, by the plant's own truth.

    `charging` judges only while it is charged with more than this C-rate (1/h): lithium plates below 0 °C.
    """

    name: str
    low: float
    high: float
    lasts: int
    charging: float | None = None
    text: str = ""
    at: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Recovery:
    """What the operator does after a trip: once `when` has held for `after` and no fault is on, these commands, times from then."""

    when: Check
    after: int
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """How the plant stands at the start; None leaves what its settings say. SoC in %, temperatures in °C."""

    soc: float | None = None
    hour: float | None = None
    ambient: float | None = None
    clock: int = 0


@dataclass(frozen=True, slots=True)
class SimulationScenario:
    """One scenario. `safe` are the ends that no cell may leave, by the name of the truth: `cell_v`, `cell_t`."""

    name: str
    file: str
    seed: int
    duration: int
    start: Start
    commands: tuple[Command, ...] = ()
    faults: tuple[FaultOrder, ...] = ()
    random: tuple[RandomFaults, ...] = ()
    checks: tuple[Check, ...] = ()
    bounds: tuple[Bound, ...] = ()
    recover: Recovery | None = None
    safe: tuple[tuple[str, float, float], ...] = ()
    picture: tuple[tuple[str, str], ...] = ()  # tag and truth that are to agree
    description: str = ""
    general: tuple[str, ...] = ()  # alarms that say that there was a trip, and not why
    demands: tuple[Demand, ...] = ()
    limits: tuple[Limit, ...] = ()
