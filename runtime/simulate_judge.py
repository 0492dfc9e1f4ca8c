"""Judges a simulation by the plant's own truth: what had to let go, and did not in time.

It must not know what the controller's programs watch, or when they say that they trip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.simulate_record import Duty, FaultSpan, MissedTrip, Record, clock
from runtime.simulate_relations import racks_of_fault
from runtime.simulate_scenario import SECOND, Demand, Limit, SimulationScenario
from runtime.simulate_truth import TRUTHS, of_each_rack
from runtime.simulation.plant import Plant
from runtime.simulation.rack import Rack

NO_POWER = 0.02  # of a converter's rating: less is its own losses and the noise of its measurement


def is_off(rack: Rack) -> bool:
    """Whether the rack is off its bus. Of a welded contactor more cannot be asked than that its coil is let go."""
    main = rack.circuit.main
    return not rack.circuit.stands_on_bus or (main.welded and not main.coil)


def has_let_go(plant: Plant, of: str, rack: int) -> bool:
    """Whether what a demand is about has let go."""
    if of == "rack":
        return is_off(plant.racks.racks[rack])
    if of == "site":
        return all(is_off(one) for one in plant.racks.racks)
    idle = all(abs(pcs.p_ac_kw) <= NO_POWER * pcs.settings.p_rated_kw for pcs in plant.converters)
    return idle or (of == "grid" and not plant.grid.breaker_closed)


@dataclass
class _Owed:
    """One fault's demand on one rack, or on the site."""

    demand: Demand
    duty: Duty
    fault: FaultSpan
    rack: int
    last_held: float | None = None  # s: when it had not let go yet

    @property
    def due(self) -> float:
        return self.fault.began + self.demand.within / SECOND

    def has_stood(self, time: float) -> bool:
        """Whether the fault has been on for as long as the demand says."""
        return (time if self.fault.ended is None else self.fault.ended) - self.fault.began >= self.demand.stood / SECOND - 1e-9


class Judge:
    """Sees after each turn what had to let go by then; what it finds goes into `record`."""

    def __init__(self, plant: Plant, scenario: SimulationScenario, record: Record):
        self.plant, self.scenario, self.record = plant, scenario, record
        self._taken = 0  # faults
        self._owed: list[_Owed] = []
        self._demands = [(one, Duty(f"{one.text}: {_promise(one)}", str(one.at))) for one in scenario.demands]
        count = len(plant.racks.racks)
        self._limits = [_LimitWatch(one, count) for one in scenario.limits]
        record.duties = [*(duty for _, duty in self._demands), *(one.duty for one in self._limits)]

    def look(self, time: float, passed: float) -> None:
        """After a turn that ended at `time` and was `passed` long (s)."""
        for fault in self.record.faults[self._taken :]:
            if not fault.refused:
                self._take(fault)
        self._taken = len(self.record.faults)
        self._owed = [owed for owed in self._owed if not self._settle(owed, time)]
        if self._limits:
            held = np.array([not is_off(rack) for rack in self.plant.racks.racks])
            for limit in self._limits:
                self.record.missed += limit.look(self.plant, held, time, passed)

    def close(self, time: float) -> None:
        """The end: what has let go is answered; what was not due yet demands nothing any more."""
        for owed in self._owed:
            self._answer(owed) if has_let_go(self.plant, owed.demand.of, owed.rack) else self._excuse(owed)
        for limit in self._limits:
            limit.end(time)

    # Demands --------------------------------------------------------------------------------------------------------------------

    def _take(self, fault: FaultSpan) -> None:
        racks = racks_of_fault(fault.kind, fault.details, self.plant)
        for demand, duty in self._demands:
            if demand.kind == fault.kind and all(_same(fault.details.get(k), v) for k, v in demand.details.items()):
                self._owed += [_Owed(demand, duty, fault, rack) for rack in (racks if demand.of == "rack" else (-1,))]

    def _settle(self, owed: _Owed, time: float) -> bool:
        """Whether there is nothing left to see about this one."""
        is_over = owed.fault.ended is not None
        if is_over and not owed.has_stood(time):
            self._excuse(owed)
            return True
        if has_let_go(self.plant, owed.demand.of, owed.rack):
            if is_over:
                self._answer(owed)
            return is_over
        if time <= owed.due:
            owed.last_held = time
            return False
        if not owed.has_stood(time):
            return False
        self._miss(owed, time)
        return True

    def _answer(self, owed: _Owed) -> None:
        if owed.last_held is None:
            self._excuse(owed)  # it was open when the fault came
        else:
            owed.duty.see(owed.due - owed.last_held)

    def _excuse(self, owed: _Owed) -> None:
        owed.duty.idle += 1

    def _miss(self, owed: _Owed, time: float) -> None:
        owed.duty.cases += 1
        owed.duty.missed += 1
        what = owed.demand.of if owed.rack < 0 else f"rack {owed.rack + 1}"
        why = f"{owed.fault.text}: {_promise(owed.demand)}"
        again = "" if owed.last_held is not None else ", when it was open; it closed onto the fault"
        seen = f"the fault came at {clock(owed.fault.began)}{again}"
        self.record.missed.append(MissedTrip(time, what, why, owed.duty.at, seen))


def _promise(demand: Demand) -> str:
    goal = {"rack": "the rack is open", "site": "all racks are open", "power": "no power", "grid": "nothing goes into the grid"}
    return f"{goal[demand.of]} within {demand.within / SECOND:g} s, once it stood {demand.stood / SECOND:g} s"


def _same(one: object, other: object) -> bool:
    """The first converter's link has two names."""
    return one == other or {one, other} == {"pcs", "pcs1"}


class _LimitWatch:
    """One limit of every rack that stands on its bus: since when it is beyond it."""

    def __init__(self, limit: Limit, racks: int):
        self.limit = limit
        self.duty = Duty(limit.text, str(limit.at))
        self._since = np.full(racks, np.nan)
        self._told = np.zeros(racks, bool)

    def look(self, plant: Plant, held: np.ndarray, time: float, passed: float) -> list[MissedTrip]:
        """What of it has lasted too long."""
        limit = self.limit
        judged = held.copy()
        if limit.charging is not None:
            currents = np.array([rack.circuit.current_a for rack in plant.racks.racks])
            judged &= currents < -limit.charging * plant.settings.rack.cell.capacity_ah
        if not judged.any() and np.isnan(self._since).all():
            return []
        least, most = of_each_rack(limit.name, plant)
        beyond = judged & ((least < limit.low) | (most > limit.high))
        for rack in map(int, np.flatnonzero(~beyond & ~np.isnan(self._since))):
            self._end(rack, time - passed)
        self._since[beyond & np.isnan(self._since)] = time - passed
        late = beyond & (time - self._since > limit.lasts / SECOND) & ~self._told
        self._told |= late
        unit = TRUTHS[limit.name].unit
        return [
            MissedTrip(
                time,
                f"rack {rack + 1}",
                limit.text,
                str(limit.at),
                f"{limit.name} {least[rack]:.4g} .. {most[rack]:.4g} {unit}, {plant.racks.racks[rack].circuit.current_a:.1f} A, "
                f"since {clock(float(self._since[rack]))}",
            )
            for rack in map(int, np.flatnonzero(late))
        ]

    def end(self, time: float) -> None:
        """The end of the run."""
        for rack in map(int, np.flatnonzero(~np.isnan(self._since))):
            self._end(rack, time)

    def _end(self, rack: int, time: float) -> None:
        """One stretch is over: the rack has let go, or is inside again."""
        if self._told[rack]:
            self.duty.cases += 1
            self.duty.missed += 1
        else:
            self.duty.see(self.limit.lasts / SECOND - (time - float(self._since[rack])))
        self._since[rack], self._told[rack] = np.nan, False
