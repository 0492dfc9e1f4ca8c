"""A simulated plant and its controller stay together, answer faults, and give the same record for the same seed.

What the plant knows of itself is the reference: its registers and frames are made by code that shares nothing with the drivers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.app import read_site
from runtime.language.scenario import Write
from runtime.model import Site
from runtime.program_tests_stand import stand
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.simulate_faults import draw
from runtime.simulate_field import parts_of
from runtime.simulate_reading import read_scenario
from runtime.simulate_record import Record
from runtime.simulate_report import as_json, as_markdown
from runtime.simulate_run import simulate
from runtime.simulate_scenario import SECOND, Bound, Command, FaultOrder, RandomFaults, SimulationScenario, Start
from runtime.simulate_world import UnknownDeviceError, World
from runtime.simulation.faults import FAULTS
from runtime.simulation.plant import tell_truth
from runtime.simulation.settings import PlantSettings, read_settings
from runtime.source import Report
from tests.aids.places import DEMO

MINUTE = 60 * SECOND
SAFE = (("cell_v", 2.5, 3.75), ("cell_t", -20.0, 60.0))
PICTURE = (
    ("cells.soc", "cell_soc"),
    ("bms.cell_v", "cell_v"),
    ("bms.soc", "soc"),
    ("bms.v_pack", "v"),
    ("bms.current", "current"),
    ("pcs.p", "p"),
    ("grid.frequency", "frequency"),
)


def write(time: int, **tags: float) -> Command:
    writes = tuple(Write(f"hmi.{name}", 0, value, "operator", "hmi", False) for name, value in tags.items())
    return Command(time, writes)


CLOSE = (
    write(2 * SECOND, reset=True),
    write(4 * SECOND, close=True),
    write(12 * SECOND, enable=True, p_set=80.0),
)
DISPATCH = SimulationScenario("dispatch", "", 1, 3 * MINUTE, Start(soc=50.0), CLOSE, safe=SAFE, picture=PICTURE)


@pytest.fixture(scope="module")
def demo() -> Site:
    return read_site(DEMO / "config/site.yaml")[0]


@pytest.fixture(scope="module")
def plant() -> PlantSettings:
    return read_settings(DEMO / "config/plant.yaml")


@pytest.fixture(scope="module")
def dispatch(demo: Site, plant: PlantSettings) -> Record:
    return simulate(demo, plant, replace(DISPATCH, commands=(*CLOSE, write(90 * SECOND, p_set=-60.0))))


@pytest.fixture
def world(demo: Site, plant: PlantSettings) -> Iterator[World]:
    with stand(demo) as made:
        yield World(demo, plant, made, 0)


def run_for(world: World, seconds: float) -> None:
    for _ in range(round(seconds * SECOND) // world.tick):
        world.turn(1)


# The picture --------------------------------------------------------------------------------------------------------------------


def test_every_input_of_the_site_is_good_after_two_seconds(world: World, demo: Site) -> None:
    run_for(world, 2)
    good = demo.schedule.region.good
    for device in demo.devices:
        for point in device.inputs:
            assert world.stand.plan.memory[good + demo.schedule.tag(point.tag).index] == 1, point.tag


def test_the_controller_sees_the_plant_as_it_is(world: World) -> None:
    run_for(world, 2)
    truth, value = tell_truth(world.plant, with_cells=True), world.stand.plc.value
    assert value("bms.cell_v") == pytest.approx(truth["cells"]["v"], abs=0.002)
    assert value("bms.cell_t") == pytest.approx(truth["cells"]["celsius"], abs=0.6)
    assert value("bms.v_pack") == pytest.approx(truth["rack"]["v"], abs=0.3)
    assert value("pcs.v_dc") == pytest.approx(truth["pcs"]["v_link"], abs=0.2)
    assert value("grid.frequency") == pytest.approx(truth["grid"]["frequency_hz"], abs=0.002)
    assert value("panel.estop_ok") is True


def test_a_dispatch_keeps_truth_and_picture_together(dispatch: Record) -> None:
    """Resolution of the wire, noise of the sensors, and the time of a poll while power ramps: nothing else may differ."""
    by_tag = {one.tag: one for one in dispatch.agreements}
    assert by_tag["bms.soc"].most < 0.2
    assert by_tag["bms.v_pack"].rms < 0.5
    assert by_tag["bms.cell_v"].rms < 0.003
    assert by_tag["pcs.p"].rms < 2.0
    assert by_tag["grid.frequency"].most < 0.01
    assert all(one.count > 150 for one in by_tag.values())


def test_power_follows_the_operator(dispatch: Record) -> None:
    at = dict(zip(dispatch.samples["time_s"], dispatch.samples["p"], strict=True))
    frequency = dict(zip(dispatch.samples["time_s"], dispatch.samples["frequency"], strict=True))
    for time, wanted in ((80.0, 80.0), (170.0, -60.0)):
        moment = min(at, key=lambda t: abs(t - time))
        droop = 230.0 * 25.0 * max(abs(frequency[moment] - 50.0) - 0.020, 0.0) / 50.0
        assert at[moment] == pytest.approx(wanted, abs=3.0 + 2 * droop)


def test_energy_is_conserved(dispatch: Record, plant: PlantSettings) -> None:
    """What left the cells is what the converter gave, lost, and what became heat: to 3 % of the throughput."""
    energy, rack = dispatch.energy, plant.rack
    volts = sum(dispatch.samples[name][-1] for name in ("v_min", "v_max")) / 2 * rack.cells
    left = (energy.soc_begin - energy.soc_end) / 100 * rack.cell.capacity_ah * rack.soh * volts / 1000
    assert left == pytest.approx(
        energy.discharged - energy.charged + energy.converter_lost + energy.rack_heat,
        abs=0.03 * (energy.discharged + energy.charged),
    )


# Faults ---------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def earth_fault(demo: Site, plant: PlantSettings) -> Record:
    faults = (FaultOrder(60 * SECOND, 30 * SECOND, "earth_fault", {"kohm": 20.0}),)
    return simulate(demo, plant, replace(DISPATCH, duration=2 * MINUTE, faults=faults))


def test_a_fault_leads_to_the_trip_and_the_alarm(earth_fault: Record) -> None:
    """An insulation of 20 kohm: the rack's management waits its second, then says that it is not ok; the interlock follows."""
    rack = next(trip for trip in earth_fault.trips if trip.source == "rack")
    assert rack.cause == "EARTH_FAULT"
    assert 60.0 < rack.time < 62.0
    interlock = next(trip for trip in earth_fault.trips if trip.source == "protection.ready")
    assert rack.time <= interlock.time < rack.time + 0.2
    assert interlock.cause == "permit 3: bms.ok", "as programs/protection.yaml writes it"
    assert interlock.is_explained
    assert not interlock.is_false
    assert any(alarm.name.endswith("not_ready") and 60 < alarm.began < 65 for alarm in earth_fault.alarms)
    assert earth_fault.samples["p"][-1] == 0.0


def test_before_the_contactors_open_there_is_no_current(earth_fault: Record) -> None:
    opened = [what for time, what in earth_fault.events if "main_opened" in what and time > 60]
    assert opened
    assert all("under_load" not in what for what in opened)


def test_without_a_fault_there_is_no_trip(dispatch: Record) -> None:
    assert dispatch.trips == []
    assert dispatch.is_well


@pytest.mark.parametrize("kind", ["drop_link", "unplug_link"])
def test_a_device_that_is_gone_is_bad_and_comes_back(world: World, kind: str) -> None:
    """Unplugged is known at once; of a cut wire nobody is told before the request's time-out of 300 ms is over."""
    run_for(world, 2)
    behind = world.field.devices["meter"]
    slots = [point.slot for device in world.site.devices if device.name == "meter" for point in device.inputs]
    quality = world.stand.plan.inbox_quality
    if kind == "unplug_link":
        behind.is_plugged = False
    else:
        behind.line.silent = True
    run_for(world, 0.2)
    assert (quality[slots] == BAD_NO_COMMUNICATION).all() == (kind == "unplug_link")
    run_for(world, 0.4)
    assert (quality[slots] == BAD_NO_COMMUNICATION).all()
    assert world.stand.plc.value("grid.frequency") == 50.0, "its `bad:` policy"
    behind.is_plugged, behind.line.silent = True, False
    run_for(world, 1.0)
    assert (quality[slots] == 0).all()


def test_an_answer_that_comes_late_is_as_old_as_its_request(world: World) -> None:
    run_for(world, 2)
    world.field.devices["meter"].line.delay_s = 0.2
    run_for(world, 1)
    slot = next(p.slot for d in world.site.devices for p in d.inputs if p.tag == "grid.frequency")
    age = world.now - int(world.stand.plan.inbox_time[slot])
    assert 0.2 * SECOND <= age <= 0.5 * SECOND


def test_a_silent_rack_is_stale_after_its_time(world: World) -> None:
    run_for(world, 2)
    world.field.talk.buses[0].cut = True
    good = world.site.schedule.region.good + world.site.schedule.tag("bms.soc").index
    run_for(world, 0.25)
    assert world.stand.plan.memory[good] == 1
    run_for(world, 0.1)
    assert world.stand.plan.memory[good] == 0, "`stale: 300 ms` of io_maps/rack1.yaml"


def test_a_rack_that_hears_nothing_opens_by_itself(world: World) -> None:
    """Its own time-out (1.5 s in config/plant.yaml) runs on simulated time too: the commands arrive often enough to stop it."""
    run_for(world, 3)
    assert world.plant.rack.bms.silent_s < 0.11
    assert world.plant.pcs.silent_s < 0.21
    for name in ("reset", "close"):
        world.stand.write(Write(f"hmi.{name}", 0, True, "operator", "hmi", False))
        run_for(world, 3)
    assert world.plant.rack.circuit.main.closed
    world.field.talk.buses[0].cut = True
    run_for(world, 2)
    assert world.plant.rack.bms.fault.name == "COMM_TIMEOUT"
    assert not world.plant.rack.circuit.main.closed


# What must hold -------------------------------------------------------------------------------------------------------------------


def test_what_must_hold_and_does_not_is_found_with_its_time_and_worst_value(demo: Site, plant: PlantSettings) -> None:
    bound = Bound("p", ">", 50.0, "p > 50 kW", False)
    found = simulate(demo, plant, replace(DISPATCH, duration=20 * SECOND, bounds=(bound,)))
    (breach,) = found.breaches
    assert not found.is_well
    assert 12.0 < breach.time < 14.0
    assert breach.worst is not None
    assert breach.worst == pytest.approx(max(found.samples["p"]), abs=5)


def test_a_cell_that_a_fault_itself_heats_is_told_apart_from_those_that_must_be_kept_safe(demo: Site, plant: PlantSettings) -> None:
    """Nobody can keep a cell cool that a fault holds at 75 °C; its neighbours stay in their safe area, or the run is not well."""
    hot = FaultOrder(5 * SECOND, 2 * SECOND, "over_heat_cell", {"cell": 7, "celsius": 75.0})
    found = simulate(demo, plant, replace(DISPATCH, duration=12 * SECOND, faults=(hot,)))
    (driven,) = found.broken_reaches
    others = next(one for one in found.reaches if one.name == "cell_t")
    assert driven.most == pytest.approx(75.0, abs=0.1)
    assert driven.outside_s == pytest.approx(2.0, abs=0.1)
    assert others.most < 40
    assert found.is_well
    assert "cell_t of cells that a fault itself drives" in as_markdown(found)


def test_a_cell_outside_its_safe_area_is_seen_by_the_truth(demo: Site, plant: PlantSettings) -> None:
    found = simulate(demo, plant, replace(DISPATCH, duration=SECOND, safe=(("cell_t", -20.0, 15.0),)))
    (reach,) = found.reaches
    assert reach.outside_s == pytest.approx(1.0, abs=0.02)
    assert not found.is_well


# The same again -------------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_report_and_another_seed_does_not(demo: Site, plant: PlantSettings) -> None:
    random = (RandomFaults(600.0, ("bms_fault", "drop_link", "open_cell_sensor", "pcs_fault"), SECOND, 5 * SECOND),)
    asked = replace(DISPATCH, duration=40 * SECOND, random=random)
    first, again, other = (simulate(demo, plant, replace(asked, seed=seed)) for seed in (3, 3, 4))
    assert as_markdown(first) == as_markdown(again)
    assert as_json(first) == as_json(again)
    assert first.samples == again.samples
    assert first.digest != other.digest
    assert len(first.faults) > 2


def test_long_turns_and_short_ones_tell_the_same_story(demo: Site, plant: PlantSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing switches the plant is stepped by up to 200 ms, not 10: energy and charge must not notice."""
    asked = replace(DISPATCH, duration=30 * SECOND)
    long = simulate(demo, plant, asked)
    for longest in ("CALM", "MOVING"):
        monkeypatch.setattr(f"runtime.simulate_run.{longest}", 10_000_000)
    short = simulate(demo, plant, asked)
    assert short.turns > 2 * long.turns
    assert long.scans == short.scans
    assert long.energy.discharged == pytest.approx(short.energy.discharged, rel=0.02)
    assert long.energy.soc_end == pytest.approx(short.energy.soc_end, abs=0.02)


# Read from YAML -------------------------------------------------------------------------------------------------------------------

OPERATED = """duration: 70 s
commands:
  - {at: 2 s, write: {hmi.reset: true}}
  - {at: 4 s, write: {hmi.close: true}}
  - {at: 12 s, write: {hmi.enable: true, hmi.p_set: 80 kW}}
"""


def run_text(demo: Site, plant: PlantSettings, folder: Path, text: str) -> Record:
    path, report = folder / "scenario.yaml", Report()
    path.write_text(text)
    scenario = read_scenario(path, demo, parts_of(plant), report)
    assert scenario is not None, report.problems
    return simulate(demo, plant, scenario)


def test_a_condition_on_tags_is_judged_in_every_scan(demo: Site, plant: PlantSettings, tmp_path: Path) -> None:
    """`hmi.close` is true for one scan of 10 ms, between two samples and inside a long turn: it is seen all the same."""
    found = run_text(demo, plant, tmp_path, OPERATED + "never: hmi.close\nalways: pcs.p < 300 kW\n")
    (breach,) = found.breaches
    assert breach.text == "never hmi.close"
    assert breach.time == pytest.approx(4.0, abs=0.02)
    assert breach.at.endswith("scenario.yaml:6:8")


def test_the_operator_brings_the_plant_back_when_nothing_is_broken_any_more(
    demo: Site, plant: PlantSettings, tmp_path: Path
) -> None:
    text = """faults: [{at: 20 s, for: 8 s, fault: earth_fault}]
recover:
  when: not site.closed
  after: 5 s
  commands:
    - {at: 0 s, write: {hmi.enable: false, hmi.reset: true}}
    - {at: 2 s, write: {hmi.close: true}}
    - {at: 10 s, write: {hmi.enable: true}}
"""
    found = run_text(demo, plant, tmp_path, OPERATED + text)
    moments = [time for time, what in found.events if what == "the operator recovers the plant"]
    power = dict(zip(found.samples["time_s"], found.samples["p"], strict=True))
    assert all(time >= 33.0 for time in moments if time > 20.0), "not while the fault is on, and not before five seconds after it"
    assert max(value for time, value in power.items() if 22 < time < 33) == 0
    assert list(power.values())[-1] > 70


def test_an_alarm_that_only_says_that_explains_no_trip(demo: Site, plant: PlantSettings, tmp_path: Path) -> None:
    text = OPERATED.replace("70 s", "30 s") + "faults: [{at: 20 s, for: 8 s, fault: earth_fault}]\n"
    plain = run_text(demo, plant, tmp_path, text)
    strict = run_text(demo, plant, tmp_path, text + "general: not_ready\n")
    assert {trip.is_explained for trip in plain.trips} == {True}
    assert {trip.is_explained for trip in strict.trips} == {False}
    assert "**not explained**" in as_markdown(strict)


# The wire ------------------------------------------------------------------------------------------------------------------------


def test_commands_go_out_as_often_as_the_io_map_says_and_every_frame_counts_on(world: World) -> None:
    run_for(world, 2)
    bms = world.plant.rack.bms
    heard = bms.heard
    run_for(world, 3)
    assert bms.heard - heard == pytest.approx(30, abs=1), "`every: 100 ms` of io_maps/rack1.yaml"
    assert bms.ignored_alive == 0
    assert (world.field.talk.buses[0].unknown, world.field.talk.buses[0].malformed) == (0, 0)


def test_the_plant_is_told_what_the_program_wants(world: World) -> None:
    run_for(world, 1)
    for time in (0, 1):
        world.stand.write(Write(f"hmi.{('reset', 'close')[time]}", 0, True, "operator", "hmi", False))
        run_for(world, 2)
    run_for(world, 4)
    assert world.plant.rack.circuit.main.closed
    assert world.plant.pcs.enable
    assert world.plant.panel.outputs["lamp_run"]


def test_every_fault_of_the_plant_can_come_and_go(demo: Site, plant: PlantSettings) -> None:
    """One after the other, each for 200 ms, on what the one before has left."""
    swinging = replace(plant, grid=replace(plant.grid, system_mva=1000.0))  # a power system that can lose a unit
    needed = {"cell": 5, "message": "Module_3", "link": "meter"}
    faults = tuple(
        FaultOrder((20 + at) * SECOND // 4, SECOND // 5, kind, {need: needed[need] for need in FAULTS[kind].needs})
        for at, kind in enumerate(sorted(FAULTS))
    )
    found = simulate(demo, swinging, replace(DISPATCH, duration=(22 + len(faults)) * SECOND // 4, faults=faults))
    assert [fault.kind for fault in found.faults] == sorted(FAULTS)
    for fault in found.faults:
        assert fault.refused == ""
        assert fault.ended == pytest.approx(fault.began + 0.2, abs=0.02), fault.kind


def test_faults_by_chance_are_of_every_rack_and_the_same_for_the_same_seed(plant: PlantSettings) -> None:
    parts = parts_of(replace(plant, racks=4))
    random = (RandomFaults(3600.0, ("earth_fault", "pcs_fault", "stop_message", "open_cell"), SECOND, SECOND),)
    found = draw(random, 1, 100 * SECOND, parts)
    assert found == draw(random, 1, 100 * SECOND, parts) != draw(random, 2, 100 * SECOND, parts)
    assert {fault.details["rack"] for fault in found} == {1, 2, 3, 4}
    assert all("rack" not in fault.details for fault in draw(random, 1, 100 * SECOND, parts_of(plant)))


def test_a_device_with_nothing_behind_it_is_refused(demo: Site, plant: PlantSettings) -> None:
    elsewhere = replace(plant, buses=replace(plant.buses, meter=replace(plant.buses.meter, port=1)))
    with pytest.raises(UnknownDeviceError, match="nothing in the plant answers for `meter`"):
        simulate(demo, elsewhere, replace(DISPATCH, duration=SECOND))


def test_a_second_rack_is_on_a_bus_of_its_own(demo: Site, plant: PlantSettings) -> None:
    """The demo's site has one rack: the other one is there, is never told anything, and keeps its contactors open."""
    with stand(demo) as made:
        world = World(demo, replace(plant, racks=2), made, 0)
        run_for(world, 2)
        assert list(world.field.wires) == ["can0", "can1"]
        assert "pcs2" in world.field.devices
        first, second = (rack.bms for rack in world.plant.racks.racks)
        assert first.heard > 0
        assert second.heard == 0
