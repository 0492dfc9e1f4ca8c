"""Prequalification in one command: the whole FCR-D programme and FFR of a battery of 1 MW and 1 MWh, and one that must fail.

The site is config/sites/industrial.yaml with cells of half the size, so that it holds an hour of its power. Its battery is
new: a rack whose health has fallen gives less than its rated power, and no more than that can be sold.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from runtime.app import read_site
from runtime.model import Site
from runtime.prequalify.criterion import Finding, failed
from runtime.prequalify.programme import Evaluation, evaluate
from runtime.prequalify.rating import rating_of, terms_of
from runtime.prequalify.simulated import drive
from runtime.simulation.settings import PlantSettings, SpreadSettings, read_settings
from runtime.site_files import plant_of
from tests.bench.measure import Result

ROOT = Path(__file__).parents[2]
FOLDERS = ("config", "programs", "io_maps", "dbc")
HALF = {"e_rack": "257 kWh", "e_site": "1028 kWh", "capacity": "314 Ah"}
CLOCK = 1_767_225_600_000_000_000
DYNAMIC = {"fcr-d.power", "fcr-d.energy", "fcr-d.deactivation", "fcr.stability"}
FFR_S = 0.7
DEAD_S = 0.6


def run() -> list[Result]:
    folder = Path(tempfile.mkdtemp(prefix="bessplc-bench-"))
    try:
        site, plant = half_industrial(folder)
        up, up_s, up_wall = judged(site, plant, "fcr-d-up")
        fast, *_ = judged(site, plant, "ffr")
        late, *_ = judged(site, replace(plant, pcs=replace(plant.pcs, dead_time_s=DEAD_S)), "ffr")
    finally:
        shutil.rmtree(folder)
    wrong = failed(late.findings) ^ {"ffr.activation", "ffr.repeat"}
    margin = min(relative(found) for found in up.findings if found.requirement.id in DYNAMIC)
    took = next(found.value for found in fast.findings if found.requirement.id == "ffr.activation")
    return [
        Result("FCR-D up of 1 MW / 1 MWh, requirements that are not met", len(failed(up.findings)), "", 0),
        Result("FCR-D up, least margin of power, energy, deactivation and stability", 100.0 * margin, "%"),
        Result("FCR-D up, whole programme, simulated time over wall time", up_s / up_wall, "x"),
        Result("FCR-D up, whole programme, wall time", up_wall, "s"),
        Result("FFR of 1 MW below 49.5 Hz, time to full power", took, "s", FFR_S),
        Result("FFR, requirements that are not met", len(failed(fast.findings)), "", 0),
        Result(f"FFR with a dead time of {DEAD_S} s, requirements wrongly met or not met", len(wrong), "", 0),
    ]


def half_industrial(folder: Path) -> tuple[Site, PlantSettings]:
    """The industrial site and its plant with cells of 314 Ah, in a folder of its own."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name)
    file = folder / "config/sites/industrial.yaml"
    text = file.read_text()
    for name, value in HALF.items():
        text, count = re.subn(rf"^  {name}: .*$", f"  {name}: {value}", text, flags=re.MULTILINE)
        assert count == 1, f"the industrial site has no constant {name}"
    file.write_text(text)
    plant = read_settings(plant_of(file))
    cell = plant.rack.cell
    cell = replace(cell, capacity_ah=314.0, r0_ohm=2.0 * cell.r0_ohm, r1_ohm=2.0 * cell.r1_ohm)
    new = replace(plant, rack=replace(plant.rack, soh=1.0, cell=cell), spread=SpreadSettings())
    return read_site(file)[0], new


def judged(site: Site, plant: PlantSettings, service: str) -> tuple[Evaluation, float, float]:
    """The evaluation at the most that may be sold, the simulated seconds and those of the wall clock."""
    terms, begun = terms_of(service, rating_of(site.constants, plant), None, 2, ()), time.perf_counter()
    driven = drive(site, plant, service, terms, CLOCK)
    return evaluate(service, terms, driven.records), driven.seconds, time.perf_counter() - begun


def relative(found: Finding) -> float:
    """The margin over the limit that it is counted from."""
    need = found.requirement
    limit = need.low if abs(found.value - need.low) <= abs(need.high - found.value) else need.high
    return found.margin / abs(limit)
