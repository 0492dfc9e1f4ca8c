"""A trip is explained by what is of its own rack, of the converter on its bus, or of the site; never by another rack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.fieldbus import drivers
from runtime.language import load_text
from runtime.simulate_permits import permit_texts
from runtime.simulate_record import AlarmSpan, FaultSpan, Record, Trip
from runtime.simulate_relations import faults_near, racks_of_fault, racks_of_source, relate
from runtime.simulate_report import as_json, as_markdown
from runtime.simulation.plant import Plant, build_plant
from runtime.simulation.settings import BusSettings, CanSettings, PlantSettings


@pytest.fixture(scope="module")
def plant() -> Plant:
    """Four racks on two converters, two racks on a CAN channel."""
    return build_plant(PlantSettings(racks=4, converters=2, buses=BusSettings(can=CanSettings(racks_per_channel=2))))


@pytest.mark.parametrize(
    ("kind", "details", "racks"),
    [
        ("earth_fault", {"rack": 2}, (1,)),
        ("earth_fault", {}, (0,)),
        ("stop_message", {"message": "BMS_Status", "rack": 4}, (3,)),
        ("pcs_fault", {"rack": 4}, (2, 3)),  # the converter of a rack is that of all racks on its bus
        ("drop_link", {"link": "can1"}, (2, 3)),
        ("drop_link", {"link": "pcs"}, (0, 1)),
        ("unplug_link", {"link": "pcs2"}, (2, 3)),
        ("drop_link", {"link": "panel"}, ()),
        ("pump_failed", {}, (0, 1, 2, 3)),
        ("cut_estop_wire", {}, ()),
    ],
)
def test_a_fault_is_of_racks_or_of_the_site(plant: Plant, kind: str, details: dict[str, Any], racks: tuple[int, ...]) -> None:
    assert racks_of_fault(kind, details, plant) == racks


@pytest.mark.parametrize(
    ("source", "racks"),
    [("rack 2", (1,)), ("racks.guard[3].tripped", (2,)), ("converter 2", (2, 3)), ("safety.ready", ()), ("zones.z[9].lock", ())],
)
def test_what_trips_is_of_racks_or_of_the_site(plant: Plant, source: str, racks: tuple[int, ...]) -> None:
    assert racks_of_source(source, plant) == racks


@pytest.mark.parametrize(
    ("source", "excused"),
    [("racks.guard[2].tripped", True), ("converter 1", True), ("safety.ready", True), ("rack 1", False), ("converter 2", False)],
)
def test_a_fault_excuses_its_rack_its_converter_and_the_site_only(plant: Plant, source: str, excused: bool) -> None:
    record = Record("site", "one", "one.yaml", "", 1, 100.0)
    record.faults = [FaultSpan("earth_fault", {"rack": 2}, 90.0)]
    assert bool(faults_near(record, plant, 100.0, racks_of_source(source, plant))) == excused


def test_cooling_that_failed_a_moment_ago_excuses_nothing(plant: Plant) -> None:
    record = Record("site", "one", "one.yaml", "", 1, 200.0)
    record.faults = [FaultSpan("pump_failed", {}, 90.0)]
    assert faults_near(record, plant, 100.0, (0,)) == []
    assert len(faults_near(record, plant, 190.0, (0,))) == 1


def told(plant: Plant, *trips: tuple[float, str], alarms: tuple[AlarmSpan, ...] = ()) -> Record:
    record = Record("site", "one", "one.yaml", "", 1, 200.0)
    record.trips, record.alarms = [Trip(time, source, "PERMIT") for time, source in trips], list(alarms)
    record.faults = [FaultSpan("earth_fault", {"rack": 4}, 20.0, 99.0)]
    relate(record, plant, ())
    return record


def test_a_trip_that_another_one_brings_about_says_of_which(plant: Plant) -> None:
    found = told(plant, (100.0, "safety.ready"), (101.0, "rack 3"), (100.0, "rack 1"), (130.0, "rack 3"))
    assert [trip.follows for trip in found.trips] == ["", *["safety.ready at 0:01:40.00"] * 2, ""]
    assert [trip.is_false for trip in found.trips] == [True, False, False, True]


def test_what_trips_again_after_a_reset_is_a_trip_of_its_own(plant: Plant) -> None:
    assert [trip.follows for trip in told(plant, (100.0, "rack 1"), (103.0, "rack 1")).trips] == ["", ""]


def test_one_rack_brings_no_other_about(plant: Plant) -> None:
    found = told(plant, (100.0, "rack 1"), (100.5, "rack 2"), (101.0, "converter 1"))
    assert [bool(trip.follows) for trip in found.trips] == [False, False, True]


def test_a_false_trip_says_what_happened_around_it(plant: Plant) -> None:
    found = told(
        plant, (100.0, "rack 1"), alarms=(AlarmSpan("cell_low_1", "error", "low", 97.0), AlarmSpan("early", "error", "", 3.0))
    )
    (trip,) = found.trips
    assert trip.around == ["0:00:20.00 fault earth_fault rack 4, until 0:01:39.00", "0:01:37.00 alarm cell_low_1: low"]
    assert as_json(found)["false_trips"] == 1
    assert "0:01:37.00 alarm cell_low_1: low" in as_markdown(found)


@pytest.mark.parametrize(
    ("alarm", "explains"),
    [("rack_lost_1", True), ("rack_lost_2", False), ("cell_runaway2.H", False), ("device.rack2.lost", False), ("estop", True)],
)
def test_an_alarm_of_another_rack_explains_no_trip(plant: Plant, alarm: str, explains: bool) -> None:
    found = told(plant, (100.0, "rack 1"), alarms=(AlarmSpan(alarm, "error", "", 99.0),))
    assert found.trips[0].is_explained == explains


FILES = {
    "config/site.yaml": "site: one\ntasks: {main: {interval: 10 ms, programs: [p]}}\n"
    "tags:\n  cmd.go: {type: BOOL, default: false, write: operator}\n  a.ok: {type: BOOL, default: false}\n",
    "programs/p.yaml": "program: p\nblocks:\n  guard: {type: GUARD, count: 2, GO: cmd.go}\noutputs: {a.ok: 'guard[1].OK'}\n",
    "programs/guard.yaml": "function_block: GUARD\ninputs: {GO: {type: BOOL}}\noutputs: {OK: tripped.OK}\n"
    "blocks:\n  tripped: {type: INTERLOCK, PERMIT: [GO, not GO or GO], RESET: GO}\n",
}


def test_the_permits_of_an_interlock_inside_a_function_block_have_their_words(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    site = load_text(FILES, drivers(), root=tmp_path)[0]
    texts = permit_texts(site, ["p.guard[2].tripped"])
    assert texts == {("p.guard[2].tripped", 1): "permit 1: GO", ("p.guard[2].tripped", 2): "permit 2: not GO or GO"}
