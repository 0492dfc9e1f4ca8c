"""Sixteen unequal racks as a site, scenarios of the grid site in proportion to it, and what is seen of every rack meanwhile."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runtime.app import read_site
from runtime.language.scenario import Check
from runtime.model import Site
from runtime.program_tests_stand import Stand, stand
from runtime.simulate_field import parts_of
from runtime.simulate_reading import read_scenario
from runtime.simulate_record import Record
from runtime.simulate_run import Simulation
from runtime.simulate_scenario import SECOND, SimulationScenario
from runtime.simulate_truth import power
from runtime.simulate_world import World, started
from runtime.simulation.settings import PlantSettings, read_settings
from runtime.site_files import plant_of
from runtime.source import Report
from tests.aids.places import ROOT

RACKS = 16
OF_GRID = 0.016  # of the grid site's power
TAGS = {
    "p_cmd": [f"pcs[{rack}].p_cmd" for rack in range(1, RACKS + 1)],
    "p_min": ["racks.p_min"],
    "p_max": ["racks.p_max"],
    "allowed": ["site.p_allowed"],
}


@dataclass
class Fleet:
    """The site of sixteen racks with its plant."""

    site: Site
    plant: PlantSettings

    def scenario(self, text: str, folder: Path) -> SimulationScenario:
        """This scenario for this site; a mistake in it fails with its text."""
        file, report = folder / "scenario.yaml", Report()
        file.write_text(text)
        found = read_scenario(file, self.site, parts_of(self.plant), report)
        assert found is not None, report.problems
        return found


@dataclass
class Sight:
    """What was seen of the racks, at the end of every turn: one row a turn. Powers in kW, charge in % by the plant's truth."""

    record: Record
    columns: dict[str, list[Any]]

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array(self.columns[name])


def write_fleet(folder: Path) -> Path:
    """The site's file in this folder, with its plant beside it; programs, io_maps and DBC are those that ship."""
    for name in ("programs", "io_maps", "dbc"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "config/sites").mkdir(parents=True)
    (folder / "config/common.yaml").symlink_to(ROOT / "config/common.yaml")
    for name in ("fleet.yaml", "fleet.plant.yaml"):
        shutil.copy(ROOT / "tests/sites/fleet" / name, folder / "config/sites" / name)
    return folder / "config/sites/fleet.yaml"


def load_fleet(folder: Path) -> Fleet:
    """The site, loaded, and its plant's settings."""
    file = write_fleet(folder)
    return Fleet(read_site(file)[0], read_settings(plant_of(file)))


def in_proportion(scenario: str) -> str:
    """A scenario of the grid site with its powers in proportion; and in every scan the setpoints together are what is allowed."""
    together = " + ".join(f"pcs[{rack}].p_cmd" for rack in range(1, RACKS + 1))
    smaller = re.sub(r"(?<![.\d])(-?\d+) kW", lambda found: f"{int(found[1]) * OF_GRID:g} kW", scenario)
    return re.sub("^always:.*$", rf"\g<0>\n  - abs({together} - site.p_allowed) < 0.001 kW", smaller, flags=re.MULTILINE)


def faster(scenario: str, times: int) -> str:
    """The day in a part of its time, for a plant whose charge and heat run as much faster: from two, which is midnight in UTC."""

    def sooner(found: re.Match[str]) -> str:
        hours = float(found[3]) / times if found[1] == "length" else 2 + (float(found[3]) - 2) / times
        return f'{found[1]}[{found[2]}]": {round(hours * 3600)} s'

    scheduled = re.sub(r'(start|length)\[(\d+)\]": ([\d.]+) h', sooner, scenario)
    return scheduled.replace("duration: 24 h", f"duration: {24 * 3600 // times} s")


def run_fleet(fleet: Fleet, scenario: SimulationScenario) -> Sight:
    """The scenario from a cold start, with every turn's setpoints and limits."""
    with stand(fleet.site) as made:
        world = _Seen(fleet.site, started(fleet.plant, scenario.seed, scenario.start), made, scenario.start.clock)
        begun = world.now
        record = Simulation(world, scenario).run()
        world.columns["time"] = [(now - begun) / SECOND for now in world.columns["time"]]
        return Sight(record, world.columns)


class _Seen(World):
    """The world, with an eye on every rack at the end of each turn."""

    def __init__(self, site: Site, settings: PlantSettings, stand: Stand, clock: int):
        super().__init__(site, settings, stand, clock)
        self._tags = {name: [site.schedule.tag(one) for one in tags] for name, tags in TAGS.items()}
        self.columns: dict[str, list[Any]] = {name: [] for name in (*TAGS, "time", "soc", "given", "inrush")}

    def turn(self, ticks: int) -> list[tuple[int, Check]]:
        broken = super().turn(ticks)
        for name, tags in self._tags.items():
            self.columns[name].append(np.concatenate([np.atleast_1d(self.stand.plc.column(tag)) for tag in tags]))
        self.columns["time"].append(self.now)
        self.columns["soc"].append(self.plant.racks.cells.soc.mean(axis=1) * 100)
        self.columns["given"].append(power(self.plant))
        self.columns["inrush"].append(max(rack.circuit.inrush_a for rack in self.plant.racks.racks))
        return broken
