"""What makes an incident: also an interlock that falls without any alarm, once for each fall, and also over an online change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.engine.image import SLOTS
from runtime.engine.north import Commands
from runtime.servers.recorder.settings import RecorderSettings
from runtime.servers.recorder.trips import Rise, TripWatch, watched_tags
from tests.aids.engine import Bench, wait_for
from tests.aids.recorded import DemoBench, demo
from tests.aids.site_text import load_all
from tests.runtime.servers.recorder.test_recorder import order_of


@pytest.fixture
def watch() -> Iterator[TripWatch]:
    made = TripWatch()
    yield made
    made.close()


def reset(bench: DemoBench, ring: Commands) -> None:
    """Bring the demo's interlock up."""
    bench.values |= {"panel.remote": 1, "panel.estop_ok": 1, "bms.v_cell_min": 3.3, "bms.v_cell_max": 3.3, "bms.t_cell_min": 25.0}
    bench._slots = {name: bench.slot(name) for name in bench.values}
    bench.pass_time(60)
    ring.write(bench.schedule.tag("hmi.reset"), True, "operator")
    bench.pass_time(80)
    assert bench.value("site.ready")


def test_an_interlock_that_falls_is_a_trip(tmp_path: Path, watch: TripWatch) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    bench = DemoBench(run_dir, demo(tmp_path / "site"))
    ring = bench.commands("hmi")
    order = order_of(bench, tmp_path)
    watch.turn_to(order, RecorderSettings())
    for _ in range(2):
        reset(bench, ring)
        wait_for(lambda: watch._holding == {"protection.ready"}, 20, "the interlock is seen to hold")
        assert watch.rises.empty(), "an interlock that is armed is no trip"
        watch.turn_to(order, RecorderSettings())
        bench.values["panel.estop_ok"] = 0
        bench.pass_time(3)
        rise = watch.rises.get(timeout=20)
        assert (rise.why, bench.value("site.ready")) == ("protection.ready", False)
        assert rise.scan <= bench.value("plc.scan")
    assert watch.rises.empty()


SITE = "tasks: {main: {interval: 10 ms, programs: [p]}}\ntags: {x.trip: {type: BOOL}, x.t: {type: LREAL, unit: °C}}\n"
NEVER = 1_000_000


class Steps:
    """In the place of the event that ends a watch: it looks once after each of these, and then it ends."""

    def __init__(self, *steps: Callable[[], object]):
        self._steps = list(steps)

    def wait(self, _: float) -> bool:
        if self._steps:
            self._steps.pop(0)()
            return False
        return True


class Swapped:
    """A program and the one that is loaded in its place; `x.trip` is true from a scan of each on."""

    def __init__(self, folder: Path, first_in_old: int, first_in_new: int):
        self.watch = TripWatch()
        self.watch.close()  # the test looks
        self.state = folder
        self.old, self.new = self._bench(folder / "old", first_in_old), self._bench(folder / "new", first_in_new)

    def _bench(self, folder: Path, first: int) -> Bench:
        folder.mkdir()
        program = f"program: p\noutputs: {{x.trip: plc.scan >= {first}}}\n"
        return Bench(folder, load_all({"config/site.yaml": SITE, "programs/p.yaml": program}))

    def turn_to(self, bench: Bench) -> None:
        self.watch.turn_to(order_of(bench, self.state), RecorderSettings(on=("x.trip",)))

    def look_after(self, *steps: Callable[[], object]) -> list[tuple[str, int]]:
        self.watch._stop = Steps(*steps)  # type: ignore[assignment]
        self.watch._work()
        rises: list[Rise] = []
        while not self.watch.rises.empty():
            rises.append(self.watch.rises.get())
        return [(rise.why, rise.scan) for rise in rises]


def test_what_an_online_change_turns_true_is_one_trip(tmp_path: Path) -> None:
    site = Swapped(tmp_path, NEVER, 1)
    site.old.scan(2)
    found = site.look_after(
        lambda: site.turn_to(site.old), lambda: (site.new.scan(), site.turn_to(site.new)), lambda: site.new.scan(2)
    )
    assert found == [("x.trip", 1)]


def test_the_last_scans_of_the_program_before_are_looked_at(tmp_path: Path) -> None:
    site = Swapped(tmp_path, 3, NEVER)
    site.old.scan(2)
    found = site.look_after(
        lambda: site.turn_to(site.old), lambda: (site.old.scan(), site.new.scan(), site.turn_to(site.new)), lambda: site.new.scan()
    )
    assert found == [("x.trip", 3)]


def test_scans_between_a_swap_and_the_recorders_turn_that_nobody_saw_are_counted(tmp_path: Path) -> None:
    site = Swapped(tmp_path, NEVER, NEVER)
    site.old.scan(20)
    site.look_after(lambda: site.turn_to(site.old))
    assert site.watch.unseen == 0, "what was before the recorder is none of its own"
    site.look_after(lambda: (site.new.scan(20), site.turn_to(site.new)))
    assert site.watch.unseen == 20 - SLOTS


def test_each_critical_limit_of_an_alarm_is_a_trip_of_its_own(tmp_path: Path) -> None:
    limits = "LL: -10 °C, L: 0 °C, HH: 55 °C, severity: {LL: critical, L: warning, HH: critical}"
    program = f"program: p\nalarms: {{cell_hot: {{of: x.t, {limits}}}}}\n"
    bench = Bench(tmp_path, load_all({"config/site.yaml": SITE, "programs/p.yaml": program}))
    watched = watched_tags(order_of(bench, tmp_path), RecorderSettings())
    assert sorted(watched) == ["cell_hot.HH", "cell_hot.LL"]
    assert len({tag.name for tag in watched.values()}) == 2
