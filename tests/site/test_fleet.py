"""The scenarios of the fleet fit a site of 16 racks as they fit that of 64, and ask for what such a site can give.

`make bench ONLY=fleet` runs them: here stands only what can be said without a simulation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runtime.simulate_scenario import SimulationScenario
from runtime.simulate_world import started
from runtime.simulation.plant import build_plant
from tests.aids.fleet import RACKS, Fleet, in_proportion, load_fleet
from tests.aids.places import ROOT

HOUR = 3600


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return load_fleet(tmp_path_factory.mktemp("fleet"))


def scenario_of(fleet: Fleet, name: str, folder: Path) -> SimulationScenario:
    return fleet.scenario(in_proportion((ROOT / "config/scenarios" / name).read_text()), folder)


def schedule_of(scenario: SimulationScenario) -> list[tuple[float, float, float]]:
    """Begin (h), length (h) and power (kW) of each entry that the scenario writes, in order."""
    written = {(w.tag, w.element): w.value for command in scenario.commands for w in command.writes}
    entries = sorted(element for tag, element in written if tag == "set.schedule_p")
    return [
        (
            written["set.schedule_start", entry] / HOUR,
            written["set.schedule_length", entry] / HOUR,
            float(written["set.schedule_p", entry]),
        )
        for entry in entries
    ]


def test_the_day_neither_empties_nor_fills_the_racks(fleet: Fleet, tmp_path: Path) -> None:
    scenario = scenario_of(fleet, "fleet_day.yaml", tmp_path)
    e_site, p_site = 256.0, 128.0
    soc, ended, through = scenario.start.soc or 0.0, 0.0, 0.0
    for begin, length, power in schedule_of(scenario):
        assert begin >= ended and begin + length <= 24, "one after another, inside the day"
        assert abs(power) <= p_site
        soc, ended, through = soc - power * length / e_site * 100, begin + length, through + abs(power) * length
        assert 15 <= soc <= 90
    assert through > e_site, "more than half a cycle each way"
    assert len({abs(power) for _, _, power in schedule_of(scenario)}) >= 5


def test_the_racks_stand_15_percent_apart_at_the_start(fleet: Fleet, tmp_path: Path) -> None:
    scenario = scenario_of(fleet, "fleet_day.yaml", tmp_path)
    cells = build_plant(started(fleet.plant, scenario.seed, scenario.start)).racks.cells
    assert cells.soc.shape[0] == RACKS
    assert np.ptp(cells.soc.mean(axis=1)) * 100 == pytest.approx(15.0, abs=0.1)
    capacity, ohms = cells.capacity_as.mean(axis=1), cells.r0.mean(axis=1)
    assert np.ptp(capacity) / capacity.mean() > 0.05 and np.ptp(ohms) / ohms.mean() > 0.2


def test_a_rack_leaves_and_joins_fits_the_site(fleet: Fleet, tmp_path: Path) -> None:
    scenario = scenario_of(fleet, "rack_leaves.yaml", tmp_path)
    assert [fault.details["rack"] for fault in scenario.faults] == [5]
