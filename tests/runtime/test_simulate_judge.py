"""What must let go and does not is a missed trip, by the fault that was put in and by the plant's own truth.

The times are counted by hand. The last tests take a protection out of the demo's program: only then is its trip missed.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.app import read_site
from runtime.simulate_driven import DrivenCells
from runtime.simulate_field import parts_of
from runtime.simulate_judge import Judge
from runtime.simulate_reading import read_scenario
from runtime.simulate_record import FaultSpan, Reach, Record
from runtime.simulate_report import as_json, as_markdown
from runtime.simulate_run import simulate
from runtime.simulate_scenario import SECOND, Demand, Limit, SimulationScenario, Start
from runtime.simulation.plant import Plant, build_plant
from runtime.simulation.settings import PlantSettings, read_settings
from runtime.source import Report
from tests.aids.places import DEMO

EARTH = Demand("earth_fault", 2 * SECOND, 5 * SECOND, "rack")
PANEL = Demand("drop_link", SECOND, 3 * SECOND, "site", {"link": "panel"})


@pytest.fixture
def plant() -> Plant:
    made = build_plant(PlantSettings(racks=3))
    for rack in made.racks.racks:
        rack.circuit.main.closed = True
    return made


def judged(plant: Plant, happens: dict[float, Any], *what: Demand | Limit, seconds: float = 20.0) -> Record:
    """A run of so many seconds in which these things happen to the plant and to the record of faults."""
    record = Record("site", "one", "one.yaml", "", 1, seconds)
    demands, limits = [w for w in what if isinstance(w, Demand)], [w for w in what if isinstance(w, Limit)]
    scenario = SimulationScenario("one", "", 1, 1, Start(), demands=tuple(demands), limits=tuple(limits))
    judge = Judge(plant, scenario, record)
    for tick in range(1, round(seconds * 10) + 1):
        for time in [time for time in happens if time < tick / 10]:
            happens.pop(time)(record)
        judge.look(tick / 10, 0.1)
    judge.close(seconds)
    return record


def comes(kind: str, began: float, **details: Any) -> Any:
    return lambda record: record.faults.append(FaultSpan(kind, details, began))


def ends(at: float) -> Any:
    return lambda record: setattr(record.faults[-1], "ended", at)


def opens(plant: Plant, *racks: int, closed: bool = False) -> Any:
    def act(_: Record) -> None:
        for rack in racks:
            plant.racks.racks[rack - 1].circuit.main.closed = closed

    return act


# By the fault that was put in ---------------------------------------------------------------------------------------------------


def test_a_rack_that_stays_closed_onto_a_fault_is_a_missed_trip(plant: Plant) -> None:
    found = judged(plant, {3: comes("earth_fault", 3.0, rack=2)}, EARTH)
    (missed,) = found.missed
    assert (missed.what, missed.time) == ("rack 2", pytest.approx(8.1))
    assert not found.is_well
    assert "rack is open within 5 s" in as_markdown(found)
    assert as_json(found)["missed_trips"][0]["what"] == "rack 2"


def test_a_rack_that_opens_in_time_has_answered_and_its_time_to_spare_is_told(plant: Plant) -> None:
    found = judged(plant, {3: comes("earth_fault", 3.0, rack=2), 6: opens(plant, 2)}, EARTH)
    (duty,) = found.duties
    assert (found.missed, duty.cases, duty.missed) == ([], 1, 0)
    assert duty.margin == pytest.approx(2.0, abs=0.11)
    assert as_json(found)["least_margin_s"] == duty.margin


def test_another_rack_that_opens_answers_nothing(plant: Plant) -> None:
    found = judged(plant, {3: comes("earth_fault", 3.0, rack=2), 4: opens(plant, 1, 3)}, EARTH)
    assert [one.what for one in found.missed] == ["rack 2"]


@pytest.mark.parametrize(
    "happens",
    [
        {3: comes("earth_fault", 3.0, rack=2), 4: ends(4.0)},  # too short
        {3: lambda record: record.faults.append(FaultSpan("earth_fault", {"rack": 2}, 3.0, 3.0, "it was on already"))},
        {3: comes("pcs_fault", 3.0, rack=2)},  # another one
    ],
)
def test_a_fault_that_was_too_short_or_refused_demands_nothing(plant: Plant, happens: dict[float, Any]) -> None:
    found = judged(plant, happens, EARTH)
    assert (found.missed, found.duties[0].cases) == ([], 0)


def test_a_rack_that_is_open_already_owes_nothing_unless_it_closes_onto_the_fault(plant: Plant) -> None:
    opens(plant, 2)(Record("", "", "", "", 1, 1))
    found = judged(plant, {3: comes("earth_fault", 3.0, rack=2)}, EARTH)
    assert (found.missed, found.duties[0].cases, found.duties[0].idle) == ([], 0, 1)
    found = judged(plant, {3: comes("earth_fault", 3.0, rack=2), 12: opens(plant, 2, closed=True)}, EARTH)
    assert found.missed[0].time == pytest.approx(12.1)
    assert "closed onto the fault" in found.missed[0].seen


def test_a_fault_that_has_stood_long_enough_is_due_also_when_it_is_gone_by_then(plant: Plant) -> None:
    found = judged(plant, {3: comes("earth_fault", 3.0, rack=2), 5.5: ends(5.5)}, EARTH)
    assert len(found.missed) == 1
    assert judged(plant, {3: comes("earth_fault", 3.0, rack=2), 5.5: ends(5.5), 7: opens(plant, 2)}, EARTH).missed == []


def test_a_welded_contactor_is_asked_no_more_than_its_coil(plant: Plant) -> None:
    main = plant.racks.racks[1].circuit.main
    main.welded = main.coil = True
    assert len(judged(plant, {3: comes("earth_fault", 3.0, rack=2)}, EARTH).missed) == 1
    main.coil = False
    assert judged(plant, {3: comes("earth_fault", 3.0, rack=2)}, EARTH).missed == []


def test_the_site_has_let_go_when_all_racks_are_open(plant: Plant) -> None:
    cut = comes("drop_link", 3.0, link="panel")
    assert [one.what for one in judged(plant, {3: cut, 4: opens(plant, 1, 2)}, PANEL).missed] == ["site"]
    assert judged(plant, {3: comes("drop_link", 3.0, link="panel"), 4: opens(plant, 3)}, PANEL).missed == []
    assert judged(plant, {3: comes("drop_link", 3.0, link="meter")}, PANEL).missed == [], "of another link"


def test_power_has_gone_when_no_converter_gives_any_and_the_grid_is_left_by_its_breaker_too(plant: Plant) -> None:
    plant.converters[1].p_ac_kw = 50.0
    power, grid = (replace(EARTH, of=of) for of in ("power", "grid"))
    assert len(judged(plant, {3: comes("earth_fault", 3.0)}, power, grid).missed) == 2
    plant.grid.breaker_closed = False
    assert [one.what for one in judged(plant, {3: comes("earth_fault", 3.0)}, power, grid).missed] == ["power"]


# By the plant's own truth -------------------------------------------------------------------------------------------------------

HOT = Limit("cell_t", -20.0, 55.0, 4 * SECOND, None, "hot")
PLATING = Limit("cell_t", 0.0, 60.0, 3 * SECOND, 0.05, "plating")


def heat(plant: Plant, rack: int, celsius: float) -> Any:
    return lambda _: plant.racks.racks[rack - 1].cells.celsius.__setitem__(9, celsius)


def test_a_hot_cell_on_the_bus_for_too_long_is_a_missed_trip(plant: Plant) -> None:
    found = judged(plant, {2: heat(plant, 3, 70.0), 9: opens(plant, 3)}, HOT)
    (missed,) = found.missed
    assert missed.what == "rack 3"
    assert missed.time == pytest.approx(6.1, abs=0.11)
    assert "70" in missed.seen
    assert not found.is_well


def test_a_hot_cell_whose_rack_opens_or_that_cools_in_time_is_answered(plant: Plant) -> None:
    found = judged(plant, {2: heat(plant, 3, 70.0), 5: heat(plant, 3, 30.0), 8: heat(plant, 3, 70.0), 10: opens(plant, 3)}, HOT)
    assert found.missed == []
    assert found.duties[0].cases == 2
    assert found.duties[0].margin == pytest.approx(1.0, abs=0.11)


def test_charging_cells_below_zero_is_a_missed_trip_discharging_them_is_none(plant: Plant) -> None:
    """More than 0.05 C of 280 Ah is more than 14 A into the rack."""
    circuit = plant.racks.racks[0].circuit
    for current, wanted in ((30.0, 0), (-10.0, 0), (-30.0, 1)):
        circuit.current_a = current
        found = judged(plant, {2: heat(plant, 1, -5.0)}, PLATING)
        assert len(found.missed) == wanted, current


def test_currents_are_of_each_rack(plant: Plant) -> None:
    plant.racks.racks[1].circuit.current_a = -90.0
    found = judged(plant, {}, Limit("current", -80.0, 80.0, SECOND, None, "current"), seconds=3)
    assert [one.what for one in found.missed] == ["rack 2"]


def test_a_cell_that_was_heated_counts_as_the_fault_s_until_it_is_back_inside(plant: Plant) -> None:
    record = Record("site", "one", "one.yaml", "", 1, 9.0)
    record.reaches = [Reach("cell_t", "°C", -20.0, 55.0)]
    seen = DrivenCells(plant, record)
    fault = FaultSpan("over_heat_cell", {"cell": 10, "rack": 2}, 1.0)
    record.faults.append(fault)
    for celsius, ended in ((75.0, None), (75.0, 3.0), (70.0, 3.0), (40.0, 3.0)):
        plant.racks.racks[1].cells.celsius[9], fault.ended = celsius, ended
        seen.look(4.0, 1.0)
    assert record.reaches[0].first_outside is None
    assert record.broken_reaches[0].outside_s == 3.0
    plant.racks.racks[1].cells.celsius[9] = 60.0  # and this is nobody's but the controller's
    seen.look(8.0, 1.0)
    assert record.reaches[0].first_outside == 8.0
    assert np.isclose(record.reaches[0].most, 60.0)


# A protection that was taken out ------------------------------------------------------------------------------------------------

CONVERTER_FAULT = """duration: 28 s
commands:
  - {at: 2 s, write: {hmi.reset: true}}
  - {at: 4 s, write: {hmi.close: true}}
faults: [{at: 15 s, for: 10 s, fault: pcs_fault}]
demands: [{fault: pcs_fault, stood: 500 ms, within: 6 s, of: rack}]
"""


@pytest.mark.parametrize(("without", "missed"), [("", []), ("      - pcs.ok\n", ["rack 1"])])
def test_a_program_whose_protection_was_taken_out_misses_its_trip(tmp_path: Path, without: str, missed: list[str]) -> None:
    """The converter blocks by itself; that its rack leaves the bus is the program's alone."""
    shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("build"))
    program = tmp_path / "demo/programs/protection.yaml"
    text = program.read_text()
    assert without in text
    program.write_text(text.replace(without, "", 1))
    (tmp_path / "one.yaml").write_text(CONVERTER_FAULT)
    settings, report = read_settings(DEMO / "config/plant.yaml"), Report()
    site = read_site(tmp_path / "demo/config/site.yaml")[0]
    scenario = read_scenario(tmp_path / "one.yaml", site, parts_of(settings), report)
    assert scenario is not None, report.problems
    found = simulate(site, settings, scenario)
    assert [one.what for one in found.missed] == missed
    assert found.is_well == (not missed)
