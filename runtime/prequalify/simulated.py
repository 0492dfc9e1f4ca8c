"""The bench's door to a simulated site: the grid's frequency goes through meter, controller and converters back to the meter.

The controller never sees the future, and in a longer step it sees the grid later, never earlier. It must not know a criterion.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from runtime.language.scenario import Cell, Write
from runtime.model import Site
from runtime.prequalify.bench import Bench, Driven, NotReadyError, Tell
from runtime.prequalify.orders import START_SOC, Order
from runtime.prequalify.programme import Terms
from runtime.program_tests_stand import shown_value, stand
from runtime.simulate_world import World
from runtime.simulation.rack import set_soc
from runtime.simulation.settings import PlantSettings


def drive(site: Site, settings: PlantSettings, service: str, terms: Terms, clock: int, tell: Tell = lambda _, __: None) -> Driven:
    """Every test of the terms on this site and plant. `clock` is the wall clock of the beginning, in ns."""
    even = replace(settings, grid=replace(settings.grid, unbalance=0.0))  # a test set gives three equal voltages
    with stand(site) as made:
        door = SimulatedDoor(World(site, even, made, clock), clock)
        records = Bench(door, service, terms, tell).run_all(terms)
        charge = f"{START_SOC[service]:.0f} % of charge before each test; no load and no photovoltaics beside the battery"
        return Driven(records, door.seconds, {"Plant at the start": charge})


class SimulatedDoor:
    """A simulated plant with its controller: time passes when it is told to."""

    def __init__(self, world: World, clock: int):
        self.world, self.clock = world, clock
        self.tick, self._begun = world.tick / 1e9, world.now
        self.tags: Collection[str] = {tag.name for tag in world.site.schedule.tags}
        grid = world.plant.grid
        self.nominal = grid.settings.nominal_hz
        grid.load_set = grid.pv_set = 0.0  # what else the site takes or feeds is no answer to the frequency

    @property
    def seconds(self) -> float:
        """Simulated seconds since the beginning."""
        return (self.world.now - self._begun) / 1e9

    def step(self, ticks: int) -> None:
        """One turn of so many ticks."""
        self.world.turn(ticks)
        for write, reply in self.world.stand.answers():
            if not reply.is_taken:
                raise NotReadyError(f"the site refuses {write.tag} = {write.value}: {reply.text}")

    def apply(self, f: float, v: float) -> None:
        """From the next turn on."""
        grid = self.world.plant.grid
        grid.frequency_set, grid.voltage_set = f, v * grid.settings.nominal_v

    def charge(self, percent: float) -> None:
        """All racks, as if they had been charged or discharged between the tests."""
        for rack in self.world.plant.racks.racks:
            set_soc(rack, percent / 100.0)

    def meter(self) -> tuple[float, float]:
        """The plant's own truth; import counts as positive there."""
        grid = self.world.plant.grid
        return 0.0 - grid.p_kw, 0.0 - grid.q_kvar  # and never -0

    def value(self, tag: str) -> float:
        """From the controller's memory."""
        made, found = self.world.stand, self.world.site.schedule.tag(tag)
        return float(shown_value(Cell(found.name, found.type, found.offset), made.whole(found.offset, found.type)))

    def write(self, order: Order) -> None:
        """For the next scan; what it answers is looked at after it."""
        self.world.stand.write(Write(order.tag, 0, order.value, order.role, "hmi", False))

    def alarms(self) -> list[str]:
        """The active ones, by name and text."""
        schedule, memory = self.world.site.schedule, self.world.stand.plan.memory
        return [f"{one.name}: {one.text}" for one in schedule.alarms if memory[schedule.tag(one.active).offset]]
