"""24 hours of faults by chance on the commercial site, seeds 1 to 24: no cell outside, no trip missed, every trip told by an alarm.

Each hour's report is written to build/random_faults/SEED/report.md, with what was around every false trip.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from runtime.app import read_site
from runtime.simulate_field import parts_of
from runtime.simulate_reading import read_scenario
from runtime.simulate_record import Record
from runtime.simulate_report import as_json, as_markdown
from runtime.simulate_run import simulate
from runtime.simulation.settings import read_settings
from runtime.source import Report
from tests.aids.places import ROOT
from tests.bench.measure import Result

SEEDS = range(1, 25)
FAULTS = 300  # at least, that were really put in
TARGET = Path("build/random_faults")


@dataclass(frozen=True)
class Hour:
    """What one hour is judged by."""

    kinds: frozenset[str]
    faults: int
    outside_s: float
    trips: int
    unexplained: int
    missed: int
    false: int
    margin_s: float | None
    other: int  # what else must hold and did not


def run() -> list[Result]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        hours = list(pool.map(one_hour, SEEDS))
    placed = sum(hour.faults for hour in hours)
    kinds = frozenset().union(*(hour.kinds for hour in hours))
    margins = [hour.margin_s for hour in hours if hour.margin_s is not None]
    what = f"random faults, {len(hours)} hours: "
    return [
        Result(f"{what}faults put in", placed, ""),
        Result(f"{what}kinds of fault", len(kinds), ""),
        Result(f"{what}faults short of {FAULTS}", max(FAULTS - placed, 0), "", 0),
        Result(f"{what}cells outside their safe area", sum(hour.outside_s for hour in hours), "s", 0),
        Result(f"{what}trips missed", sum(hour.missed for hour in hours), "", 0),
        Result(f"{what}trips not explained by an alarm", sum(hour.unexplained for hour in hours), "", 0),
        Result(f"{what}anything else that must hold", sum(hour.other for hour in hours), "", 0),
        Result(f"{what}trips", sum(hour.trips for hour in hours), ""),
        Result(f"{what}false trips", sum(hour.false for hour in hours), ""),
        Result(f"{what}least time to spare of a demanded trip", min(margins, default=0.0), "s"),
    ]


def one_hour(seed: int) -> Hour:
    """Simulate the hour of this seed, and leave its report."""
    site = read_site(ROOT / "config/sites/commercial.yaml")[0]
    settings, report = read_settings(ROOT / "config/sites/commercial.plant.yaml"), Report()
    scenario = read_scenario(ROOT / "config/scenarios/random_faults.yaml", site, parts_of(settings), report)
    assert scenario is not None, report.problems
    found = simulate(site, settings, replace(scenario, seed=seed))
    folder = TARGET / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(as_markdown(found), encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(as_json(found), indent=2) + "\n", encoding="utf-8")
    return _judge(found)


def _judge(found: Record) -> Hour:
    placed = [fault for fault in found.faults if not fault.refused]
    margins = [duty.margin for duty in found.duties if duty.margin is not None]
    return Hour(
        frozenset(fault.kind for fault in placed),
        len(placed),
        sum(reach.outside_s for reach in found.reaches),
        len(found.trips),
        sum(not trip.is_explained for trip in found.trips),
        len(found.missed),
        sum(trip.is_false for trip in found.trips),
        min(margins, default=None),
        len(found.breaches) + found.energy.out_of_step,
    )
