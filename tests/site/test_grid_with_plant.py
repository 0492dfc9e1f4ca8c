"""The whole site with its simulated plant: an outage, the island, the way back in step; the plant's own truth judges."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runtime.app import read_site
from runtime.language.scenario import Write
from runtime.model import Site
from runtime.program_tests_stand import stand
from runtime.simulate_world import World
from runtime.simulation.rack import set_soc
from runtime.simulation.settings import read_settings
from runtime.source import NOWHERE
from tests.aids.bench_site import ROOT, bench

pytestmark = pytest.mark.slow
CLOCK = 1_767_225_600_000_000_000
LEFT_OUT = ("cells", "cells_site", "dispatch", "protection")  # estimation costs most of the time and decides nothing here


class Running:
    """A site that runs with its plant: commands are written, time passes, and the plant is asked."""

    def __init__(self, world: World):
        self.world, self.grid = world, world.plant.grid
        self.diagnosed = 0.0

    def write(self, tag: str, value: float, role: str = "operator") -> None:
        self.world.stand.write(Write(tag, 0, value, role, "hmi", False, NOWHERE))

    def run(self, seconds: float, ticks: int = 5) -> None:
        """`ticks` is how many scans the plant waits for: one where it matters when something is seen."""
        end = self.world.now + round(seconds * 1e9)
        while self.world.now < end:
            self.world.turn(ticks)
            if self.world.now >= self.diagnosed:
                self.world.diagnose()
                self.diagnosed = self.world.now + 2e8

    @property
    def faults(self) -> set[str]:
        return {pcs.fault.name for pcs in self.world.plant.converters}

    @property
    def given_kw(self) -> float:
        return sum(pcs.p_ac_kw for pcs in self.world.plant.converters)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The commercial site; the grid's operator wants it good for 5 s instead of a minute."""
    folder = tmp_path_factory.mktemp("site")
    stems = {path.name.removesuffix(".yaml") for path in (ROOT / "programs").glob("*.yaml")}
    bench(folder, tuple(sorted(stem for stem in stems if not stem.endswith(".test") and stem not in LEFT_OUT)))
    file = folder / "config" / "sites" / "commercial.yaml"
    file.write_text(file.read_text().replace("constants:\n", "constants:\n  reconnect_after: 5 s\n", 1))
    return read_site(file)[0]


@contextmanager
def started(site: Site, mode: str, load_kw: float) -> Iterator[Running]:
    """The site in service, in this mode, with a load of its own and no sun."""
    settings = read_settings(ROOT / "config" / "sites" / "commercial.plant.yaml")
    with stand(site) as made:
        running = Running(World(site, settings, made, CLOCK))
        running.grid.load_set, running.grid.pv_set = load_kw, 0.0
        running.run(1.0)
        running.write("set.commissioned", 1, "engineer")
        running.write("cmd.reset", 1)
        running.run(2.0)
        running.write(f"cmd.GoToMode_{mode}", 1)
        running.run(0.5)
        running.write("cmd.GoToState_Running", 1)
        running.run(8.0)
        yield running


def test_a_load_goes_on_when_its_grid_is_lost_and_comes_back_in_step(site: Site) -> None:
    with started(site, "GridForming", 45.0) as plant:
        plant.grid.lost = True
        plant.run(2.0, ticks=1)
        assert not plant.grid.breaker_closed and plant.faults == {"NONE"}
        assert plant.given_kw == pytest.approx(45.0, abs=2.0)
        assert plant.grid.unserved_kwh * 3600 < 45.0 * 0.25  # dark for less than a quarter of a second
        plant.run(8.0)
        assert plant.grid.frequency_hz == pytest.approx(50.0, abs=0.02)  # in spite of the converters' droop
        plant.grid.lost = False
        plant.run(40.0)
        assert plant.grid.connected and plant.grid.closed_out_of_step == 0 and plant.faults == {"NONE"}


def test_more_load_than_the_converters_carry_is_dropped_in_time(site: Site) -> None:
    with started(site, "GridForming", 150.0) as plant:
        plant.grid.lost = True
        plant.run(3.0, ticks=1)
        assert plant.faults == {"NONE"} and plant.given_kw == pytest.approx(50.0, abs=2.0)  # a third of it


def test_without_a_backup_no_converter_runs_into_a_fault(site: Site) -> None:
    with started(site, "Passive", 45.0) as plant:
        plant.grid.lost = True
        plant.run(10.0, ticks=1)
        assert plant.grid.breaker_closed and plant.faults == {"NONE"} and plant.given_kw == 0.0
        plant.grid.lost = False
        plant.run(10.0)
        assert plant.faults == {"NONE"} and plant.world.plant.pcs.state.name == "RUNNING"


def test_a_dark_site_starts_black(site: Site) -> None:
    with started(site, "GridForming", 60.0) as plant:
        plant.grid.load_set = 400.0  # more than any converter carries: the island falls
        plant.grid.lost = True
        plant.run(10.0)
        assert plant.given_kw == 0.0
        plant.grid.load_set = 60.0
        plant.write("cmd.reset", 1)
        plant.run(2.0)
        plant.write("cmd.GoToState_Running", 1)
        plant.run(12.0)
        plant.write("set.black_start", 1, "engineer")
        plant.run(40.0)
        assert plant.given_kw == pytest.approx(60.0, abs=2.0) and plant.faults == {"NONE"}


def test_an_island_with_more_sun_than_it_can_store_makes_the_photovoltaics_give_less(site: Site) -> None:
    with started(site, "GridForming", 20.0) as plant:
        plant.grid.pv_set = 60.0
        for rack in plant.world.plant.racks.racks:
            set_soc(rack, 0.985)
        plant.grid.lost = True
        plant.run(1.0, ticks=1)
        charged = []
        for _ in range(60):
            plant.run(1.0)
            charged.append(-plant.given_kw)
        assert plant.faults == {"NONE"} and not plant.grid.breaker_closed
        assert max(charged[10:]) < 6.0 and plant.grid.load_kw == 20.0  # a tenth of the rated power and less is what full cells take
        assert plant.grid.frequency_hz > 50.2 or plant.grid.solar.is_off
        plant.grid.lost = False
        plant.run(100.0)
        assert plant.grid.connected and plant.grid.closed_out_of_step == 0
