"""Watches a simulation: alarms that come and go, trips and what explains them, limits on the truth, energy, samples.

It must not know what will happen next; it looks at the controller's memory and at the plant after each turn.
"""

from __future__ import annotations

import numpy as np

from runtime.language.scenario import Cell, Check
from runtime.model import Alarm, Tag
from runtime.program_tests import value_text
from runtime.simulate_driven import DrivenCells
from runtime.simulate_judge import Judge
from runtime.simulate_permits import permit_texts
from runtime.simulate_record import Agreement, AlarmSpan, Breach, Reach, Record, Trip
from runtime.simulate_relations import BEHIND_S, faults_near, racks_of_source, relate
from runtime.simulate_scenario import Bound, SimulationScenario
from runtime.simulate_truth import TRUTHS, cells_of, power
from runtime.simulate_world import World
from runtime.simulation.bms import Fault as RackFault
from runtime.simulation.pcs import Fault as ConverterFault

TOLERANCE = 0.02  # of the rating: power that is beyond a limit by less is the measurement
OPERATORS = {">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b}


class Watch:
    """The eyes of one simulation; what they see goes into `record`."""

    def __init__(self, world: World, scenario: SimulationScenario, record: Record, sample_s: float):
        self.world, self.scenario, self.record = world, scenario, record
        schedule = world.site.schedule
        self._memory = world.stand.plan.memory
        self._alarms: tuple[Alarm, ...] = schedule.alarms
        self._active = np.array([schedule.tag(alarm.active).offset for alarm in self._alarms], np.int64)
        self._was_active = np.zeros(len(self._alarms), np.uint8)
        self._standing: dict[int, AlarmSpan] = {}
        self._interlocks = self._find_interlocks()
        self._was_ok = np.zeros(len(self._interlocks), np.uint8)
        self._permits = permit_texts(world.site, [name for name, _, _ in self._interlocks])
        plant = world.plant
        self._device_names = [*_numbered("rack", len(plant.racks.racks)), *_numbered("converter", len(plant.converters))]
        self._device_faults = [""] * len(self._device_names)
        self._states = self._device_states()
        self._broken_bounds: dict[Bound, Breach] = {}
        self._time = 0.0
        record.reaches = [Reach(name, TRUTHS[name].unit, low, high) for name, low, high in scenario.safe]
        self._tags = [(schedule.tag(tag), truth) for tag, truth in scenario.picture]
        record.agreements = [Agreement(tag.name, truth, TRUTHS[truth].unit) for tag, truth in self._tags]
        self._driven, self._judge = DrivenCells(plant, record), Judge(plant, scenario, record)
        self._sample_s, self._next_sample = sample_s, 0.0
        record.energy.soc_begin = float(world.plant.racks.cells.soc.mean()) * 100

    def _find_interlocks(self) -> list[tuple[str, int, int]]:
        """Name, and the offsets of OK and FIRST, of each interlock of the site."""
        schedule = self.world.site.schedule
        names = [name for group in schedule.groups if group.block == "INTERLOCK" for name in group.instances]
        return [(n, schedule.pins[f"{n}.OK"][1], schedule.pins[f"{n}.FIRST"][1]) for n in names if f"{n}.OK" in schedule.pins]

    def look(self, time: float, passed: float) -> bool:
        """After a turn that ended at `time` and was `passed` long (s). Whether something happened that wants short turns."""
        happened = self._look_at_alarms(time) | self._look_at_trips(time) | self._look_at_plant(time)
        self._driven.look(time, passed)
        self._judge.look(time, passed)
        self._look_at_bounds(time)
        self._time = time
        self._count_energy(passed)
        if time >= self._next_sample - 1e-9:
            self._sample(time)
            self._next_sample += self._sample_s
        return happened

    # Alarms and trips -----------------------------------------------------------------------------------------------------------

    def _look_at_alarms(self, time: float) -> bool:
        active = self._memory[self._active]
        if (active == self._was_active).all():
            return False
        for row in np.flatnonzero(active != self._was_active):
            alarm = self._alarms[row]
            if active[row]:
                name = f"{alarm.name}.{alarm.limit}" if alarm.limit else alarm.name
                span = AlarmSpan(name, alarm.severity, alarm.text, time)
                self._standing[int(row)] = span
                self.record.alarms.append(span)
                for fault in self.record.faults:
                    is_on = not fault.refused and (fault.ended is None or time - fault.ended < BEHIND_S)
                    if is_on and name not in fault.alarms:
                        fault.alarms.append(name)
            else:
                self._standing.pop(int(row)).ended = time
        self._was_active = active
        return True

    def _look_at_trips(self, time: float) -> bool:
        happened = False
        for row, (name, ok, first) in enumerate(self._interlocks):
            is_ok = self._memory[ok]
            if self._was_ok[row] and not is_ok:
                number = int(self._memory[first : first + 4].view(np.int32)[0])
                self._trip(time, name, self._permits.get((name, number), f"permit {number}"))
            happened |= bool(is_ok != self._was_ok[row])
            self._was_ok[row] = is_ok
        return happened | self._look_at_devices(time)

    def _look_at_devices(self, time: float) -> bool:
        """Racks and converters that have let go by themselves."""
        plant = self.world.plant
        faults = [RackFault(r.bms.fault).name if not r.bms.ok else "" for r in plant.racks.racks]
        faults += [ConverterFault(c.fault).name if c.fault is not ConverterFault.NONE else "" for c in plant.converters]
        if faults == self._device_faults:
            return False
        for name, before, now in zip(self._device_names, self._device_faults, faults, strict=True):
            if now and not before:
                self._trip(time, name, now)
        self._device_faults = faults
        return True

    def _trip(self, time: float, source: str, cause: str) -> None:
        plant = self.world.plant
        near = faults_near(self.record, plant, time, racks_of_source(source, plant))
        for fault in near:
            fault.trips += 1
        self.record.trips.append(Trip(time, source, cause, [], [fault.text for fault in near]))

    def _look_at_plant(self, time: float) -> bool:
        changed = self.world.has_switched()
        for name, rack in zip(self._device_names, self.world.plant.racks.racks, strict=False):
            happened = rack.circuit.happened
            for what, value in happened:
                self.record.events.append((time, f"{name}: {what} ({value:g})"))
            changed |= bool(happened)
            happened.clear()
        states = self._device_states()
        changed |= states != self._states
        self._states = states
        return changed

    def _device_states(self) -> list[int]:
        plant = self.world.plant
        return [*(rack.bms.state for rack in plant.racks.racks), *(pcs.state for pcs in plant.converters)]

    # What must hold -------------------------------------------------------------------------------------------------------------

    def _look_at_bounds(self, time: float) -> None:
        for bound in self.scenario.bounds:
            self._compare(bound, *TRUTHS[bound.name].read(self.world.plant), time)

    def _compare(self, bound: Bound, least: float, most: float, time: float) -> None:
        """`never x > 3` looks at the greatest, `always x > 3` at the least: one cell is enough to break either."""
        upward = bound.operator in (">", ">=")
        value = most if upward != bound.wanted else least
        if OPERATORS[bound.operator](value, bound.limit) == bound.wanted:
            return
        breach = self._broken_bounds.get(bound)
        unit = TRUTHS[bound.name].unit
        if breach is None:
            word = "always" if bound.wanted else "never"
            breach = Breach(f"{word} {bound.text}", str(bound.at), time, f"{bound.name} {value:.4g} {unit}", value)
            self._broken_bounds[bound] = breach
            self.record.breaches.append(breach)
        elif breach.worst is None or (value > breach.worst if upward != bound.wanted else value < breach.worst):
            breach.worst = value

    def broke(self, time: float, check: Check) -> None:
        """A condition on tags did not hold in the scan at this time."""
        seen = ", ".join(f"{cell.name} {self._value(cell)}" for cell in check.cells)
        self.record.breaches.append(Breach(f"{'always' if check.wanted else 'never'} {check.text}", str(check.at), time, seen))

    def _value(self, cell: Cell) -> str:
        return value_text(cell, self.world.stand.whole(cell.offset, cell.type))

    # Energy and samples ---------------------------------------------------------------------------------------------------------

    def _count_energy(self, passed: float) -> None:
        plant, energy = self.world.plant, self.record.energy
        given = power(plant)
        if given >= 0:
            energy.discharged += given * passed / 3600
        else:
            energy.charged -= given * passed / 3600
        over = 0.0
        for at, pcs in enumerate(plant.converters):
            racks = [rack.bms for rack in plant.racks_of(at)]
            over = max(
                over,
                pcs.p_dc_kw - sum(bms.discharge_max_kw for bms in racks),
                -pcs.p_dc_kw - sum(bms.charge_max_kw for bms in racks),
            )
        if over > TOLERANCE * plant.settings.rack.p_rated_kw:
            energy.over_limit_s += passed
            energy.over_limit_kw = max(energy.over_limit_kw, over)

    def _allowed(self) -> tuple[float, float]:
        """What the racks together let through, charging and discharging (kW)."""
        racks = [rack.bms for rack in self.world.plant.racks.racks]
        return sum(bms.charge_max_kw for bms in racks), sum(bms.discharge_max_kw for bms in racks)

    def _sample(self, time: float) -> None:
        plant, read = self.world.plant, {name: TRUTHS[name].read(self.world.plant) for name in ("cell_v", "cell_t", "cell_soc")}
        grid, (charge, discharge) = plant.grid, self._allowed()
        row = {
            "time_s": time,
            "hour": grid.hour,
            "p": power(plant),
            "grid_p": grid.p_kw,
            "load": grid.load_kw,
            "pv": grid.pv_kw,
            "charge_max": -charge,
            "discharge_max": discharge,
            "soc": float(plant.racks.cells.soc.mean()) * 100,
            "soc_min": read["cell_soc"][0],
            "soc_max": read["cell_soc"][1],
            "v_min": read["cell_v"][0],
            "v_max": read["cell_v"][1],
            "t_min": read["cell_t"][0],
            "t_max": read["cell_t"][1],
            "converter_t": plant.pcs.celsius,
            "frequency": grid.frequency_hz,
        }
        for name, value in row.items():
            self.record.samples[name].append(float(value))
        for (tag, truth), agreement in zip(self._tags, self.record.agreements, strict=True):
            if self._is_good(tag):
                cells = cells_of(TRUTHS[truth], plant, tag.name, tag.length)
                real = cells if cells is not None else TRUTHS[truth].read(plant)[0]
                agreement.see(np.atleast_1d(self.world.stand.plc.column(tag) - real), time)

    def _is_good(self, tag: Tag) -> bool:
        return bool(self._memory[self.world.site.schedule.region.good + tag.index])

    def close(self) -> None:
        """The end: totals, and what explains each trip."""
        plant, energy = self.world.plant, self.record.energy
        energy.converter_lost = sum(pcs.lost_kwh for pcs in plant.converters)
        energy.rack_heat = sum(rack.heat_kwh for rack in plant.racks.racks)
        energy.under_load = sum(rack.circuit.opened_under_load for rack in plant.racks.racks)
        energy.out_of_step = plant.grid.closed_out_of_step
        energy.imported, energy.exported = plant.grid.import_kwh, plant.grid.export_kwh
        energy.soc_end = float(plant.racks.cells.soc.mean()) * 100
        self._judge.close(self._time)
        relate(self.record, plant, self.scenario.general)


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} {number}" for number in range(1, count + 1)]
