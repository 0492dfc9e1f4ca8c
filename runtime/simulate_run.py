"""Runs a scenario: what is commanded, what breaks and what the operator does about it, in order, on a world that takes turns.

The turns are short (one tick) while something happens, longer while power only moves, longest while all stands still. It must not
know how a run is shown.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Callable

from runtime.language.scenario import Write
from runtime.model import Site
from runtime.program_tests_stand import TooMuchError, stand
from runtime.simulate_faults import draw
from runtime.simulate_field import parts_of
from runtime.simulate_record import FaultSpan, Record
from runtime.simulate_scenario import SECOND, Command, FaultOrder, SimulationScenario
from runtime.simulate_truth import power
from runtime.simulate_watch import Watch
from runtime.simulate_world import World, finish, started
from runtime.simulation.faults import RefusedError, change_fault, key_of
from runtime.simulation.grid import disturb
from runtime.simulation.panel import press
from runtime.simulation.settings import PlantSettings

CALM = 200_000_000  # ns of a turn in which nothing switches or is broken and power stands still; inputs are stale after 300 ms
MOVING = 50_000_000  # while power moves or a fault is on: the period at which converters and meters are asked
MOVES = 0.01  # of the converters' ratings, in one turn
LIVELY = 2 * SECOND  # short turns for so long after something happened
PRESSED_S = 0.5
SAMPLES = 2000  # over the whole duration, and none closer than SAMPLE_S
SAMPLE_S = 1.0
DIAGNOSED = SECOND // 5
TOLD = SECOND  # simulated, between two words about how far it is
SETS = {"load": "load_set", "pv": "pv_set", "frequency": "frequency_set"}
Tell = Callable[[float, float], None]  # simulated s, duration s


class Simulation:
    """One run of a scenario."""

    def __init__(self, world: World, scenario: SimulationScenario, tell: Tell = lambda _, __: None):
        self.world, self.scenario, self._tell = world, scenario, tell
        self.record = Record(
            world.site.name,
            scenario.name,
            scenario.file,
            scenario.description,
            scenario.seed,
            scenario.duration / SECOND,
        )
        self.watch = Watch(world, scenario, self.record, max(SAMPLE_S, scenario.duration / SECOND / SAMPLES))
        self._start = world.now
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = 0
        self._lively_until, self._moving_until = LIVELY, 0
        self._power, self._step = 0.0, MOVES * sum(pcs.settings.p_rated_kw for pcs in world.plant.converters)
        self._trouble_since = -1  # when the operator's condition began to hold, with no fault on
        self._next_diagnosis = 0
        settings = world.plant.settings
        self._faults = (*scenario.faults, *draw(scenario.random, scenario.seed, scenario.duration, parts_of(settings)))
        self._on: dict[str, FaultSpan] = {}
        world.hold(scenario.checks)

    @property
    def time(self) -> int:
        """Nanoseconds since the start."""
        return self.world.now - self._start

    def run(self) -> Record:
        """The whole scenario."""
        begun, told = time.perf_counter(), 0
        for command in self.scenario.commands:
            self._plan(command.time, lambda command=command: self._obey(command))  # type: ignore[misc]
        for fault in self._faults:
            self._plan(fault.time, lambda fault=fault: self._break(fault))  # type: ignore[misc]
        while self.time < self.scenario.duration:
            self._do_what_is_due()
            self._turn()
            if self.time >= told:
                told = self.time + TOLD
                self._tell(self.time / SECOND, self.record.duration_s)
        self._hear_answers()
        self.watch.close()
        self._close(time.perf_counter() - begun)
        return self.record

    def _turn(self) -> None:
        tick, now = self.world.tick, self.time
        end = self.scenario.duration if not self._due else min(self._due[0][0], self.scenario.duration)
        longest = tick if now < self._lively_until else MOVING if now < self._moving_until or self._on else CALM
        ticks = max(1, min(longest, end - now) // tick)
        for when, check in self.world.turn(int(ticks)):
            self.watch.broke((when - self._start) / SECOND, check)
        self.record.turns += 1
        self._hear_answers()
        if self.time >= self._next_diagnosis:
            self.world.diagnose()
            self._next_diagnosis += DIAGNOSED
            self._look_for_trouble()
        if self.watch.look(self.time / SECOND, ticks * tick / SECOND):
            self._lively_until = self.time + LIVELY
        before, self._power = self._power, power(self.world.plant)
        if abs(self._power - before) > self._step:
            self._moving_until = self.time + SECOND

    # What is due ----------------------------------------------------------------------------------------------------------------

    def _plan(self, when: int, act: Callable[[], None]) -> None:
        self._numbers += 1
        heapq.heappush(self._due, (when, self._numbers, act))

    def _do_what_is_due(self) -> None:
        while self._due and self._due[0][0] <= self.time:
            heapq.heappop(self._due)[2]()
            self._lively_until = self.time + LIVELY

    def _obey(self, command: Command) -> None:
        for write in command.writes:
            self._write(write)
        for button in command.presses:
            press(self.world.plant.panel, button, PRESSED_S)
        for name, value in command.sets:
            self._fix(name, value)
        if command.every:
            self._plan(self.time + command.every, lambda: self._obey(command))

    def _write(self, write: Write) -> None:
        try:
            self.world.stand.write(write)
        except TooMuchError as error:
            self.record.refused.append(f"{self.time / SECOND:.2f} s: {write.tag} = {write.value}: {error}")

    def _fix(self, name: str, value: float | None) -> None:
        grid = self.world.plant.grid
        if name == "frequency_step":
            disturb(grid, value or 0.0)
        else:
            setattr(grid, SETS[name], value)

    def _hear_answers(self) -> None:
        if not self.world.stand.unanswered():
            return
        for write, reply in self.world.stand.answers():
            if not reply.is_taken:
                self.record.refused.append(f"{self.time / SECOND:.2f} s: {write.tag} = {write.value} by {write.role}: {reply.text}")

    def _break(self, order: FaultOrder) -> None:
        """Put a fault in; one that is on already stays as it is."""
        details = dict(order.details)
        span = FaultSpan(order.kind, details, self.time / SECOND)
        key = key_of(order.kind, details)
        self.record.faults.append(span)
        if key in self._on:
            span.refused, span.ended = "it was on already", span.began
            return
        try:
            finish(change_fault(self.world.field.breaking, order.kind, details, on=True))
        except RefusedError as refusal:
            span.refused, span.ended = str(refusal), span.began
            return
        self._on[key] = span
        if order.lasts >= 0:
            self._plan(self.time + order.lasts, lambda: self._mend(order, key))

    def _mend(self, order: FaultOrder, key: str) -> None:
        finish(change_fault(self.world.field.breaking, order.kind, dict(order.details), on=False))
        self._on.pop(key).ended = self.time / SECOND

    # The operator ---------------------------------------------------------------------------------------------------------------

    def _look_for_trouble(self) -> None:
        """Where the operator's condition has held long enough, and nothing is broken any more, do what he does then."""
        recover = self.scenario.recover
        if recover is None:
            return
        holds = not self._on and self.world.holds(recover.when)
        if not holds:
            self._trouble_since = -1
        elif self._trouble_since < 0:
            self._trouble_since = self.time
        elif self.time - self._trouble_since >= recover.after:
            self._trouble_since = -1
            self.record.events.append((self.time / SECOND, "the operator recovers the plant"))
            for command in recover.commands:
                self._plan(self.time + command.time, lambda command=command: self._obey(command))  # type: ignore[misc]

    def _close(self, wall: float) -> None:
        record, world = self.record, self.world
        record.simulated_s, record.scans, record.wall_s = self.time / SECOND, world.stand.scans, wall
        seen = hashlib.sha256()
        for name in ("soc", "v_rc", "celsius"):
            seen.update(getattr(world.plant.racks.cells, name).tobytes())
        seen.update(str([record.samples[name] for name in ("p", "soc", "frequency")]).encode())
        seen.update(str([(a.name, a.began, a.ended) for a in record.alarms]).encode())
        record.digest = seen.hexdigest()[:16]


def simulate(site: Site, settings: PlantSettings, scenario: SimulationScenario, tell: Tell = lambda _, __: None) -> Record:
    """Run a scenario on this site and plant from a cold start; the same seed gives the same record, but for `wall_s`."""
    with stand(site) as made:
        world = World(site, started(settings, scenario.seed, scenario.start), made, scenario.start.clock)
        return Simulation(world, scenario, tell).run()
