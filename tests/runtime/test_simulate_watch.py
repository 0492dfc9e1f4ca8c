"""What a simulation calls well, and what counts as the explanation of a trip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.app import read_site
from runtime.program_tests_stand import stand
from runtime.simulate_record import AlarmSpan, FaultSpan, Reach, Record, Trip
from runtime.simulate_relations import relate
from runtime.simulate_report import as_json, as_markdown
from runtime.simulate_scenario import SimulationScenario, Start
from runtime.simulate_watch import Watch
from runtime.simulate_world import World
from runtime.simulation.settings import PlantSettings
from tests.aids.places import DEMO

SCENARIO = SimulationScenario("one", "", 1, 1, Start(), (), general=("not_ready",))


def record() -> Record:
    return Record("site", "one", "one.yaml", "", 1, 100.0)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    site = read_site(DEMO / "config/site.yaml")[0]
    with stand(site) as made:
        yield World(site, PlantSettings(), made, 0)


def explained(world: World, alarms: list[AlarmSpan], faults: list[FaultSpan]) -> bool:
    """Whether these explain a trip at 100 s."""
    found = record()
    found.alarms, found.faults, found.trips = alarms, faults, [Trip(100.0, "rack 1", "LOST")]
    relate(found, world.plant, SCENARIO.general)
    return found.trips[0].is_explained


def alarm(began: float, ended: float | None = None, name: str = "rack_lost_1") -> AlarmSpan:
    return AlarmSpan(name, "error", "", began, ended)


@pytest.mark.parametrize(
    ("alarms", "is_explained"),
    [
        ([], False),
        ([alarm(95.0)], True),
        ([alarm(104.0)], True),  # it has a delay
        ([alarm(106.0)], False),
        ([alarm(50.0)], False),  # it stood there long before
        ([alarm(50.0), alarm(99.0)], True),
        ([alarm(95.0, name="not_ready")], False),  # it says that there was a trip
        ([alarm(95.0, name="not_ready.H")], False),
    ],
)
def test_an_alarm_that_came_around_the_trip_explains_it(world: World, alarms: list[AlarmSpan], is_explained: bool) -> None:
    assert explained(world, alarms, []) is is_explained


@pytest.mark.parametrize(
    ("fault", "is_explained"),
    [
        (FaultSpan("cut_can", {}, 49.0, None, alarms=["rack_lost_1"]), True),
        (FaultSpan("cut_can", {}, 49.0, 95.0, alarms=["rack_lost_1"]), True),
        (FaultSpan("cut_can", {}, 49.0, 80.0, alarms=["rack_lost_1"]), False),  # over for long
        (FaultSpan("cut_can", {}, 49.0, None, alarms=["another"]), False),
    ],
)
def test_an_alarm_that_stood_before_explains_a_trip_where_it_belongs_to_a_fault_that_is_on(
    world: World, fault: FaultSpan, is_explained: bool
) -> None:
    assert explained(world, [alarm(50.0)], [fault]) is is_explained


def test_a_run_is_well_only_without_unexplained_trips_and_without_closing_out_of_step() -> None:
    assert record().is_well
    tripped = record()
    tripped.trips.append(Trip(1.0, "rack 1", "LOST", is_explained=True))
    assert tripped.is_well
    tripped.trips.append(Trip(2.0, "rack 2", "LOST"))
    assert not tripped.is_well
    hit = record()
    hit.energy.out_of_step = 1
    assert not hit.is_well
    left = record()
    left.reaches.append(Reach("cell_v", "V", 2.5, 3.75, first_outside=3.0))
    assert not left.is_well


def test_the_end_counts_what_was_opened_under_load_and_closed_out_of_step(world: World) -> None:
    found = record()
    watch = Watch(world, SCENARIO, found, 1.0)
    watch.look(1.0, 1.0)
    world.plant.rack.circuit.opened_under_load, world.plant.grid.closed_out_of_step = 3, 2
    watch.close()
    assert as_json(found)["switching"] == {"opened_under_load": 3, "closed_out_of_step": 2}
    assert "main contactors opened under load" in as_markdown(found)
    assert not found.is_well


def test_a_fault_that_led_to_no_alarm_and_no_trip_is_counted() -> None:
    found = record()
    found.faults = [
        FaultSpan("cut_can", {}, 1.0, alarms=["rack_lost_1"]),
        FaultSpan("cut_can", {}, 2.0, trips=1),
        FaultSpan("cut_can", {}, 3.0, refused="no such rack"),
        FaultSpan("cut_can", {}, 4.0),
    ]
    assert [fault.began for fault in found.unanswered_faults] == [4.0]
    assert as_json(found)["unanswered_faults"] == 1
    assert "1 faults that neither an alarm nor a trip answered" in as_markdown(found)
