"""Simulation of whole sites: what a simulated second of controller and plant together costs, with racks closed and a mode on."""

from __future__ import annotations

import time

from runtime.app import read_site
from runtime.language.scenario import Write
from runtime.simulate_run import simulate
from runtime.simulate_scenario import SECOND, Command, SimulationScenario, Start
from runtime.simulation.settings import read_settings
from tests.aids.places import ROOT
from tests.bench.measure import Result

SITES = (("residential", 600, 200), ("industrial", 300, 20))  # simulated s, times real time


def run() -> list[Result]:
    results = []
    for name, seconds, faster in SITES:
        what = f"a simulated second of {name}, controller and plant ({faster}x real time)"
        results.append(Result(what, cost_of(name, seconds), "ms", 1000 / faster))
    return results


def cost_of(name: str, seconds: int) -> float:
    """Milliseconds of processor time for a simulated second: what others do on the machine is not counted."""
    site = read_site(ROOT / f"config/sites/{name}.yaml")[0]
    plant = read_settings(ROOT / f"config/sites/{name}.plant.yaml")
    commands = (
        _command(2, {"set.commissioned": True, "cmd.reset": True}),
        _command(4, {"cmd.GoToState_Running": True}),
        _command(20, {"cmd.GoToMode_SelfConsumption": True}),
    )
    simulate(site, plant, SimulationScenario("first", "", 1, SECOND, Start(soc=50.0), ()))  # compiles
    begun = time.process_time()
    done = simulate(site, plant, SimulationScenario("speed", "", 1, seconds * SECOND, Start(soc=50.0), commands))
    spent = time.process_time() - begun
    assert any("main_closed" in what for _, what in done.events), "a plant that never closed does no work"
    return 1000 * spent / done.simulated_s


def _command(second: int, tags: dict[str, bool]) -> Command:
    return Command(second * SECOND, tuple(Write(name, 0, value, "engineer", "hmi", False) for name, value in tags.items()))
